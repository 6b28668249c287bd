-- What every record says of every field, and which one gives the value.
select 'device' as asset_kind, asset_id, field, value, product, instance, record_id, observed_at, chosen
from int_devices_fields
union all
select 'identity', asset_id, field, value, product, instance, record_id, observed_at, chosen
from int_identities_fields
union all
select 'application', asset_id, field, value, product, instance, record_id, observed_at, chosen
from int_applications_fields
