-- Today's survivors, and the last known values of assets that no record describes any more.
select
    w.asset_id as resource_id,
    coalesce(w.display_name, w.native_id) as display_name,
    w.resource_type, w.provider, w.account_id, w.region, w.native_id, w.is_container, w.is_internet_facing,
    w.contains_sensitive_data, w.criticality as criticality_level, w.discovery_sources,
    l.first_seen, l.last_seen, l.lifecycle_state,
    l.retired_at, w.source_records, l.source_streams, w.properties
from int_cloud_resources_winners as w
join int_asset_lifecycle as l on l.asset_id = w.asset_id
where l.asset_kind = 'cloud_resource' and l.values_from = 'today'
union all
select
    p.resource_id, p.display_name, p.resource_type, p.provider, p.account_id, p.region, p.native_id, p.is_container,
    p.is_internet_facing, p.contains_sensitive_data, p.criticality_level, p.discovery_sources,
    l.first_seen, l.last_seen, l.lifecycle_state,
    l.retired_at, p.source_records, l.source_streams, p.properties
from previous.cloud_resources as p
join int_asset_lifecycle as l on l.asset_id = p.resource_id
where l.asset_kind = 'cloud_resource' and l.values_from = 'previous'
