-- What the newest earlier snapshot held.
select
    'device' as asset_kind, device_id as asset_id, lifecycle_state, retired_at, first_seen, last_seen,
    source_records, source_streams
from previous.devices
union all
select
    'identity', identity_id, lifecycle_state, retired_at, first_seen, last_seen, source_records, source_streams
from previous.identities
union all
select
    'application', application_id, lifecycle_state, retired_at, first_seen, last_seen, source_records, source_streams
from previous.applications
union all
select
    'cloud_resource', resource_id, lifecycle_state, retired_at, first_seen, last_seen, source_records, source_streams
from previous.cloud_resources
