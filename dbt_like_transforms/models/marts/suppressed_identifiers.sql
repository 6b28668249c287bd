-- Values that identify nothing, with the evidence.
select 'device' as asset_kind, identifier, value, cause, evidence, distinct_against, records
from int_devices_suppressed
union all
select 'identity', identifier, value, cause, evidence, distinct_against, records
from int_identities_suppressed
union all
select 'application', identifier, value, cause, evidence, distinct_against, records
from int_applications_suppressed
