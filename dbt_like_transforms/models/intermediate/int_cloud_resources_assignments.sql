-- Cloud resources agree on the provider's own name only, so each record's asset follows from that name alone.
with named as (
    select *, nullif(lower(trim(native_id)), '') as resource_name
    from stg__cloud_resources
),

known as (
    -- a name that only update-only sources mention makes no asset
    select resource_name
    from named
    where resource_name is not null and authority = 'create'
    group by resource_name
)

select
    n.record,
    n.product,
    n.instance,
    n.stream,
    n.record_id,
    case when k.resource_name is not null then md5('cloud_resource:' || k.resource_name) end as asset_id,
    case when k.resource_name is not null then 'resolved' else 'held' end as state,
    n.first_seen,
    n.last_seen,
    n.state as record_state,
    n.sync,
    n.page,
    n.row_number
from named as n
left join known as k on k.resource_name = n.resource_name
