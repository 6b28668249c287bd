-- Management groups, subscriptions and resource groups
with containers as (
    select *, lower(id) as container_name, lower(type) as container_type
    from landed.defender_cloud__containers
    qualify row_number() over (partition by _instance, lower(id) order by _row desc) = 1
)

select
    concat(_product, ':', _instance, ':', container_name) as record,
    _product as product,
    _instance as instance,
    _stream as stream,
    container_name as record_id,
    'default' as scope,
    _synced_at as observed_at,
    cast(null as timestamp) as first_seen,
    _synced_at as last_seen,
    case when lower(properties.state) = 'deleted' then 'retired' else 'active' end as state,
    'create' as authority,
    _sync as sync,
    _page as page,
    _row as row_number,
    coalesce(nullif(properties.displayName, ''), name) as display_name,
    container_type as resource_type,
    'azure' as provider,
    nullif(lower(subscriptionId), '') as account_id,
    nullif(location, '') as region,
    id as native_id,
    true as is_container,
    cast(null as boolean) as is_internet_facing,
    cast(null as boolean) as contains_sensitive_data,
    cast(null as integer) as criticality,
    cast(to_json({
        'state': properties.state,
        'tenantId': tenantId,
        'tags': cast(tags as json),
        'subscriptionName': case
            when container_type = 'microsoft.resources/subscriptions' then coalesce(nullif(properties.displayName, ''), name)
        end,
        'hierarchyType': case when container_type = 'microsoft.resources/subscriptions' then 'subscriptionid' end
    }) as varchar) as properties
from containers
union all
-- groups that are only named by what lies in them
select
    concat(product, ':', instance, ':', group_name), product, instance, stream, group_name, 'default', synced_at,
    cast(null as timestamp), synced_at, 'active', 'create', sync, page, row_number, coalesce(display_name, name),
    'microsoft.management/managementgroups', 'azure', cast(null as varchar), cast(null as varchar), group_name, true,
    cast(null as boolean), cast(null as boolean), cast(null as integer), cast(null as varchar)
from stg_defender_cloud__management_groups
where not is_listed
