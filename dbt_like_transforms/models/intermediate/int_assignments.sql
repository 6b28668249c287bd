select
    'device' as asset_kind, asset_id, record, product, instance, stream, record_id, state, record_state,
    first_seen, last_seen, sync, page, row_number
from int_devices_assignments
union all
select
    'identity', asset_id, record, product, instance, stream, record_id, state, record_state,
    first_seen, last_seen, sync, page, row_number
from int_identities_assignments
union all
select
    'application', asset_id, record, product, instance, stream, record_id, state, record_state,
    first_seen, last_seen, sync, page, row_number
from int_applications_assignments
union all
select
    'cloud_resource', asset_id, record, product, instance, stream, record_id, state, record_state,
    first_seen, last_seen, sync, page, row_number
from int_cloud_resources_assignments
