-- Resources of Azure of types that are not read, known by their assessments alone
with named as (
    select *, split_part(asset_name, '/providers/', -1) as tail
    from stg_defender_cloud__assessed
    where source = 'azure' and regexp_matches(asset_name, '^/subscriptions/[^/]+/.*/providers/[^/]+/[^/]+/[^/]+')
        and asset_name not like '%/securityentitydata/%'
    qualify row_number() over (partition by instance, asset_name order by sync desc, assessment_id) = 1
),

typed as (
    -- provider/type/name/type/name: the provider and every type
    select *,
        split_part(tail, '/', 1) as provider_name,
        list_filter(
            list_transform(
                string_split(tail, '/'), lambda part, place: case when place % 2 = 0 then part end
            ),
            lambda part: part is not null
        ) as types
    from named
)

select
    concat(t.product, ':', t.instance, ':', t.asset_name) as record,
    t.product,
    t.instance,
    t.stream,
    t.asset_name as record_id,
    'default' as scope,
    t.synced_at as observed_at,
    cast(null as timestamp) as first_seen,
    t.synced_at as last_seen,
    'active' as state,
    'create' as authority,
    t.sync,
    t.page,
    t.row_number,
    regexp_replace(t.asset_name, '^.*/', '') as display_name,
    concat_ws('/', t.provider_name, array_to_string(t.types, '/')) as resource_type,
    'azure' as provider,
    split_part(t.asset_name, '/', 3) as account_id,
    t.region,
    t.asset_name as native_id,
    false as is_container,
    case when r.is_internet_exposed then true end as is_internet_facing,
    case when r.holds_sensitive_data then true end as contains_sensitive_data,
    cast(null as integer) as criticality,
    cast(null as varchar) as properties
from typed as t
left join stg_defender_cloud__risks as r on r.instance = t.instance and r.asset_name = t.asset_name
-- an assessment outlives its resource by hours: of a type that is read in full, what is not listed is gone
where not exists (
    select 1 from stg_defender_cloud__items as i where i.instance = t.instance
        and i.resource_type = concat_ws('/', t.provider_name, array_to_string(t.types, '/'))
)
