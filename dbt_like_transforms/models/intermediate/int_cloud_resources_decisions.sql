-- What made several records one cloud resource: each is told beside the first of them.
select
    record,
    'native_id' as rule,
    resource_name as value,
    first_record as other_record,
    'joined' as verdict,
    cast(null as varchar) as against,
    concat('same full name at its cloud ', resource_name, ' as ', first_record) as sentence
from (
    select record, resource_name, min(record) over (partition by asset_id) as first_record
    from int_cloud_resources_assignments
    where state = 'resolved'
) as named
where record <> first_record
