-- One record a product: the machines it is on are relationships, its versions are theirs
with software as (
    select
        product, instance, min(stream) as stream, software_id,
        min(name) as name,
        min(vendor) as vendor,
        min(cpe) as cpe,
        max(synced_at) as synced_at,
        count(*) as devices,
        list_sort(list_distinct(flatten(array_agg(versions)))) as versions,
        min(place) as place
    from stg_qualys__installations
    group by product, instance, software_id
)

select
    concat(product, ':', instance, ':', software_id) as record,
    product,
    instance,
    stream,
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
    cpe,
    cast(null as varchar) as owner,
    vendor,
    cast(null as varchar) as version,
    cast(null as varchar) as environment,
    cast(null as integer) as criticality,
    cast(to_json({'qualysSoftwareInfo': {'devices': devices, 'versions': versions}}) as varchar) as properties
from software
