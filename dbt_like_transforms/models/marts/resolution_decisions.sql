-- Why records were joined, kept apart, or a value was not used.
select 'device' as asset_kind, record, rule, value, other_record, verdict, against, sentence
from int_devices_decisions
union all
select 'identity', record, rule, value, other_record, verdict, against, sentence
from int_identities_decisions
union all
select 'application', record, rule, value, other_record, verdict, against, sentence
from int_applications_decisions
union all
select 'cloud_resource', record, rule, value, other_record, verdict, against, sentence
from int_cloud_resources_decisions
