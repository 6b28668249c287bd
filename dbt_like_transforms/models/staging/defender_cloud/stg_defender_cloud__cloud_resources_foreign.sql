-- Resources of AWS and GCP that are no machines, and the accounts they are in
with accounts as (
    select product, instance, stream, provider, account_name, account_id,
        max(synced_at) as synced_at,
        min({'row_number': row_number, 'page': page, 'sync': sync}) as place
    from stg_defender_cloud__foreign
    where account_name is not null
    group by product, instance, stream, provider, account_name, account_id
    qualify row_number() over (partition by instance, account_name order by stream) = 1
),

resources as (
    select product, instance, stream, sync, page, row_number, synced_at, asset_name, native_id, provider, account_id, region,
        resource_type, display_name, false as is_container, connector_id
    from stg_defender_cloud__foreign
    where not is_machine
    union all
    select product, instance, stream, place.sync, place.page, place.row_number, synced_at, lower(account_name), account_name,
        provider, account_id, cast(null as varchar), case when provider = 'aws' then 'account' else 'project' end, account_id, true,
        cast(null as varchar)
    from accounts
)

select
    concat(f.product, ':', f.instance, ':', f.asset_name) as record,
    f.product,
    f.instance,
    f.stream,
    f.asset_name as record_id,
    'default' as scope,
    synced_at as observed_at,
    cast(null as timestamp) as first_seen,
    synced_at as last_seen,
    'active' as state,
    'create' as authority,
    sync,
    page,
    row_number,
    display_name,
    resource_type,
    provider,
    account_id,
    region,
    native_id,
    is_container,
    case when r.is_internet_exposed then true end as is_internet_facing,
    case when r.holds_sensitive_data then true end as contains_sensitive_data,
    cast(null as integer) as criticality,
    cast(to_json({'nativeEnvironmentRegionName': region, 'connectorId': connector_id}) as varchar) as properties
from resources as f
left join stg_defender_cloud__risks as r on r.instance = f.instance and r.asset_name = f.asset_name
