-- Every record of today with when it was last active, and whether that lies within its instance's window.
with streams as (
    select
        product, instance, stream,
        max(coalesce(read_synced_at, case when state in ('complete', 'partial') then synced_at end)) as synced_at
    from run.syncs
    group by product, instance, stream
),

timed as (
    -- a source that reports no activity vouches for its records each time it lists them
    select
        a.*,
        coalesce(a.last_seen, s.synced_at, c.snapshot_end) as active_at,
        c.snapshot_end,
        coalesce(k.window_days, 90) as window_days
    from int_assignments as a
    cross join run.context as c
    left join streams as s on s.product = a.product and s.instance = a.instance and s.stream = a.stream
    left join run.connections as k on k.product = a.product and k.instance = a.instance
)

select
    asset_kind, asset_id, record, product, instance, stream, record_id, state, record_state,
    coalesce(first_seen, active_at) as first_seen,
    active_at,
    active_at >= snapshot_end - window_days * interval 1 day as in_window,
    sync, page, row_number
from timed
