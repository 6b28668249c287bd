-- State and times of every asset of today. `values_from` says which row gives the asset's values: today's survivors, or
-- the earlier snapshot where no record can give any (all are retired, or the asset is carried over).
with today as (
    select
        asset_kind,
        asset_id,
        bool_and(record_state = 'retired') as is_retired,
        bool_or(record_state = 'active' and in_window) as is_active,
        min(first_seen) as first_seen,
        max(active_at) as last_seen,
        list_sort(array_agg(distinct record)) as source_records,
        list_sort(array_agg(distinct product || ':' || instance || ':' || stream)) as source_streams
    from int_records
    where state = 'resolved'
    group by asset_kind, asset_id
),

births as (
    -- an id that no snapshot had for a time, in a merge that was undone or while its records waited, is as old as it was
    select 'device' as asset_kind, asset_id, min(born) as born
    from int_devices_state where record is distinct from home_id group by asset_id
    union all
    select 'identity', asset_id, min(born)
    from int_identities_state where record is distinct from home_id group by asset_id
    union all
    select 'application', asset_id, min(born)
    from int_applications_state where record is distinct from home_id group by asset_id
)

select
    t.asset_kind,
    t.asset_id,
    case when t.is_retired and k.asset_id is not null then 'previous' else 'today' end as values_from,
    case when t.is_retired then 'retired' when t.is_active then 'active' else 'stale' end as lifecycle_state,
    case when t.is_retired then coalesce(k.retired_at, c.snapshot_end) end as retired_at,
    -- never later, never earlier than what was already published
    least(t.first_seen, coalesce(k.first_seen, t.first_seen), coalesce(b.born, t.first_seen)) as first_seen,
    greatest(t.last_seen, coalesce(k.last_seen, t.last_seen)) as last_seen,
    t.source_records,
    t.source_streams
from today as t
cross join run.context as c
left join int_known_assets as k on k.asset_kind = t.asset_kind and k.asset_id = t.asset_id
left join births as b on b.asset_kind = t.asset_kind and b.asset_id = t.asset_id
union all
select
    asset_kind, asset_id, 'previous', lifecycle_state, retired_at, first_seen, last_seen, source_records, source_streams
from int_carried_assets
