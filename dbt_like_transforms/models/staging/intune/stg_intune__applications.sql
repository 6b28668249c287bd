-- One record a publisher and name: Intune lists every version as an application of its own
with apps as (
    select _product, _instance, _stream, _synced_at, _sync, _page, _row, version, deviceCount, platform,
        nullif(trim(publisher), '') as vendor,
        trim(displayName) as name,
        lower(concat(coalesce(trim(publisher), ''), '-_-', trim(displayName))) as software_id
    from landed.intune__detected_apps
    where trim(displayName) <> ''
),

software as (
    select _product, _instance, _stream, software_id,
        min(vendor) as vendor,
        min(name) as name,
        max(_synced_at) as synced_at,
        sum(deviceCount) as devices,
        list_sort(array_agg(distinct version)) as versions,
        list_sort(array_agg(distinct platform)) as platforms,
        min({'row_number': _row, 'page': _page, 'sync': _sync}) as place
    from apps
    group by _product, _instance, _stream, software_id
)

select
    concat(_product, ':', _instance, ':', software_id) as record,
    _product as product,
    _instance as instance,
    _stream as stream,
    software_id as record_id,
    'default' as scope,
    synced_at as observed_at,
    cast(null as timestamp) as first_seen,
    synced_at as last_seen,
    'active' as state,
    'create' as authority,
    place.sync as sync,
    place.page as page,
    place.row_number as row_number,
    'software' as application_type,
    cast(null as varchar) as app_id,
    cast(null as varchar) as tenant_id,
    cast(null as varchar) as object_id,
    cast(null as varchar) as service_principal_id,
    cast(null as varchar) as entity_id,
    cast([] as varchar[]) as reply_urls,
    name,
    cast(null as varchar) as cmdb_id,
    cast(null as varchar) as cpe,
    cast(null as varchar) as owner,
    vendor,
    cast(null as varchar) as version,
    cast(null as varchar) as environment,
    cast(null as integer) as criticality,
    cast(to_json({'intuneSoftwareInfo': {'installations': devices, 'versions': versions, 'platforms': platforms}}) as varchar) as properties
from software
