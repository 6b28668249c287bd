-- Today's survivors, and the last known values of assets that no record describes any more.
with today as (
    select
        w.asset_id as application_id,
        coalesce(w.name, w.app_id, w.entity_id, w.cmdb_id, w.asset_id) as display_name,
        w.* exclude (asset_id, first_seen, last_seen),
        l.lifecycle_state,
        l.retired_at,
        l.first_seen,
        l.last_seen,
        l.source_streams
    from int_applications_winners as w
    join int_asset_lifecycle as l on l.asset_id = w.asset_id
    where l.asset_kind = 'application' and l.values_from = 'today'
)

select
    application_id, display_name, application_type, owner, vendor, environment, criticality as criticality_level,
    discovery_sources, source_records, first_seen, last_seen, lifecycle_state,
    retired_at, source_streams, app_id, tenant_id, object_id, service_principal_id, entity_id, reply_urls, cmdb_id,
    cpe, version, properties
from today
union all
select
    p.application_id, p.display_name, p.application_type, p.owner, p.vendor, p.environment, p.criticality_level,
    p.discovery_sources, p.source_records, l.first_seen, l.last_seen, l.lifecycle_state,
    l.retired_at, l.source_streams, p.app_id, p.tenant_id, p.object_id, p.service_principal_id, p.entity_id,
    p.reply_urls, p.cmdb_id, p.cpe, p.version, p.properties
from previous.applications as p
join int_asset_lifecycle as l on l.asset_id = p.application_id
where l.asset_kind = 'application' and l.values_from = 'previous'
