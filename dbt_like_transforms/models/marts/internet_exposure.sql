-- Why an asset counts as reachable from the internet: which product says so, and its public addresses.
with said as (
    select 'device' as asset_kind, asset_id, product, record_id
    from int_devices_fields
    where field = 'is_internet_facing' and value = 'true'
    union all
    select 'cloud_resource', a.asset_id, r.product, r.record_id
    from stg__cloud_resources as r
    join int_record_assets as a on a.asset_kind = 'cloud_resource' and a.record = r.record
    where r.is_internet_facing
),

facing as (
    -- the address of a load balancer before a machine is none of its own, and leads to it
    select 'device' as asset_kind, device_id as asset_id,
        list_concat(ip_addresses, json_extract_string(properties, '$.publicIps[*]')) as ip_addresses
    from devices
    where is_internet_facing and lifecycle_state <> 'retired'
    union all
    select 'cloud_resource', resource_id, cast([] as varchar[])
    from cloud_resources
    where is_internet_facing and lifecycle_state <> 'retired'
)

select
    f.asset_kind,
    f.asset_id,
    coalesce(
        list_sort(array_agg(distinct s.product || ' reports it as internet facing') filter (where s.product is not null)), []
    ) as reasons,
    list_sort(list_filter(
        list_distinct(coalesce(any_value(f.ip_addresses), [])),
        lambda ip: regexp_matches(ip, '^\d{1,3}(\.\d{1,3}){3}$') and not regexp_matches(
            ip,
            '^(0|10|127|255)\.|^169\.254\.|^172\.(1[6-9]|2\d|3[01])\.|^192\.168\.|^100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|^(22[4-9]|2[3-5]\d)\.'
        )
    )) as public_ip_addresses
from facing as f
left join said as s on s.asset_kind = f.asset_kind and s.asset_id = f.asset_id
group by f.asset_kind, f.asset_id
