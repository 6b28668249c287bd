select
    product,
    instance,
    stream,
    'runs on' as relationship,
    'application' as source_kind,
    concat(product, ':', instance, ':', software_id) as source_record,
    'device' as target_kind,
    concat(product, ':', instance, ':', machine_id) as target_record,
    cast(to_json({'versions': versions}) as varchar) as properties,
    true as is_active,
    cast(null as timestamp) as first_seen,
    synced_at as last_seen
from stg_tenable__installations
