-- Business applications that CSAM knows machines to serve, one row an application
with told as (
    select
        _product, _instance, _stream, _sync, _page, _row, _synced_at, lastModifiedDate as modified_at,
        unnest(businessAppListData.businessApp) as app
    from landed.qualys__csam_assets
)

select
    concat(_product, ':', _instance, ':business-', app.id) as record,
    _product as product,
    _instance as instance,
    _stream as stream,
    concat('business-', app.id) as record_id,
    'default' as scope,
    _synced_at as observed_at,
    cast(null as timestamp) as first_seen,
    _synced_at as last_seen,
    'active' as state,
    'create' as authority,
    _sync as sync,
    _page as page,
    _row as row_number,
    'business_application' as application_type,
    cast(null as varchar) as app_id,
    cast(null as varchar) as tenant_id,
    cast(null as varchar) as object_id,
    cast(null as varchar) as service_principal_id,
    cast(null as varchar) as entity_id,
    cast([] as varchar[]) as reply_urls,
    app.name as name,
    -- whether the id is that of the CMDB from which Qualys may have it is not verified
    cast(null as varchar) as cmdb_id,
    cast(null as varchar) as cpe,
    cast(null as varchar) as owner,
    cast(null as varchar) as vendor,
    cast(null as varchar) as version,
    cast(null as varchar) as environment,
    -- the words of a CMDB, '1 - most critical' to '4 - not critical'
    try_cast(regexp_extract(app.businessCriticality, '^([1-4])([^0-9]|$)', 1) as integer) - 1 as criticality,
    cast(to_json({'qualysBusinessApp': {'id': app.id, 'businessCriticality': app.businessCriticality}}) as varchar) as properties
from told
where nullif(app.id, '') is not null
-- every machine that serves it tells of it; the newest word counts
qualify row_number() over (partition by _instance, app.id order by modified_at desc nulls last, _page, _row) = 1
