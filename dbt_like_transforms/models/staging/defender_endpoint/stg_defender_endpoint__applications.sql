-- One record a product: the machines it is on are relationships, its versions are theirs
with rows as (
    select *, lower(concat(coalesce(softwareVendor, ''), '-_-', softwareName)) as software_id
    from landed.defender_endpoint__software
    where softwareName is not null and softwareName <> ''
),

software as (
    select _product, _instance, _stream, software_id,
        min(softwareVendor) as vendor,
        min(softwareName) as name,
        min(softwareFirstSeenTimestamp) as first_seen,
        max(_synced_at) as synced_at,
        count(distinct deviceId) as devices,
        list_sort(array_agg(distinct softwareVersion)) as versions,
        max(numberOfWeaknesses) as weaknesses,
        max(endOfSupportStatus) as end_of_support,
        min({'row_number': _row, 'page': _page, 'sync': _sync}) as place
    from rows
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
    first_seen,
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
    case when vendor <> '' then concat(vendor, ':', replace(name, ':', '%3a')) end as cpe,
    cast(null as varchar) as owner,
    vendor,
    cast(null as varchar) as version,
    cast(null as varchar) as environment,
    cast(null as integer) as criticality,
    cast(to_json({
        'defenderEndpointSoftwareInfo': {
            'devices': devices, 'versions': versions, 'weaknesses': weaknesses, 'endOfSupportStatus': end_of_support
        }
    }) as varchar) as properties
from software
