-- Cloud resources agree on the provider's own name only, so each record's asset follows from that name alone.
-- Case tells nothing there, but where one inventory lists two whose names differ in case alone, as functions of AWS may;
-- Azure's names never do. A word for nothing is no name.
with given as (
    select
        * exclude (trimmed),
        case
            when not regexp_matches(
                trimmed, '(?i)^(n/?a|none|null|nil|unknown|undefined|not (available|applicable|set|specified)|[-0._?*x]*)$'
            )
                then trimmed
        end as native_name
    from (select *, regexp_replace(native_id, '^\s+|[\s/]+$', '', 'g') as trimmed from stg__cloud_resources) as cleaned
),

told_apart as (
    select distinct lower(native_name) as folded
    from given
    where native_name not like '/%' or native_name like '//%'
    group by product, instance, stream, lower(native_name)
    having count(distinct native_name) > 1
),

named as (
    select g.*, case when t.folded is null then lower(g.native_name) else g.native_name end as resource_name
    from given as g
    left join told_apart as t on t.folded = lower(g.native_name)
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
    n.row_number,
    n.native_name,
    n.resource_name
from named as n
left join known as k on k.resource_name = n.resource_name
