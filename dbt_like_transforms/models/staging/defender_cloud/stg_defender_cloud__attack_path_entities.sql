-- The entities that attack paths lead over, under the names their own clouds give them
with paths as (
    select
        _product, _instance, _stream, _sync, _page, _row, _synced_at, lower(id) as path_id, subscriptionId,
        case when json_valid(properties) then properties end as p
    from landed.defender_cloud__attack_paths
    qualify row_number() over (partition by _instance, lower(id) order by _row desc) = 1
),

entities as (
    select *, unnest(json_extract(p, '$.graphComponent.entities[*]')) as e from paths
),

named as (
    select *,
        json_extract_string(e, '$.entityInternalId') as entity_id,
        json_extract_string(e, '$.entityName') as entity_name,
        lower(coalesce(json_extract_string(e, '$.entityType'), '')) as entity_type,
        -- which name it has depends on its cloud; an Azure one comes first
        lower(list_filter(
            [
                json_extract_string(e, '$.entityIdentifiers.azureResourceId'),
                json_extract_string(e, '$.entityIdentifiers.AzureResourceId')
            ] || coalesce(json_extract_string(e, '$.entityIdentifiers.*'), cast([] as varchar[])),
            lambda v: v <> ''
        )[1]) as asset_name,
        list_filter(
            [
                json_extract_string(p, '$.entryPointEntityInternalID'), json_extract_string(p, '$.entryPointEntityInternalId'),
                json_extract_string(p, '$.entryPoint.entityInternalId'), json_extract_string(p, '$.entryPoint.entityName'),
                case when json_type(p, '$.entryPoint') = 'VARCHAR' then json_extract_string(p, '$.entryPoint') end
            ],
            lambda v: v <> ''
        )[1] as entry_point,
        list_filter(
            [
                json_extract_string(p, '$.targetEntityInternalID'), json_extract_string(p, '$.targetEntityInternalId'),
                json_extract_string(p, '$.target.entityInternalId'), json_extract_string(p, '$.target.entityName'),
                case when json_type(p, '$.target') = 'VARCHAR' then json_extract_string(p, '$.target') end
            ],
            lambda v: v <> ''
        )[1] as target
    from entities
)

select
    _product as product,
    _instance as instance,
    _stream as stream,
    _sync as sync,
    _page as page,
    _row as row_number,
    _synced_at as synced_at,
    path_id,
    lower(nullif(subscriptionId, '')) as account_id,
    p as path,
    entity_id,
    entity_name,
    entity_type,
    asset_name,
    coalesce(entry_point in (entity_id, entity_name), false) as is_entry_point,
    coalesce(target in (entity_id, entity_name), false) as is_target
from named
where entity_id <> ''
qualify row_number() over (partition by _instance, path_id, entity_id order by entity_name) = 1
