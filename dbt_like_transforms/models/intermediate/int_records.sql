-- Every record of today with when it was last active, and whether that lies within its instance's window.
with streams as (
    select
        product, instance, stream,
        max(coalesce(read_synced_at, case when state in ('complete', 'partial') then synced_at end)) as synced_at
    from run.syncs
    group by product, instance, stream
),

timed as (
    -- a source that reports no activity vouches for its records each time it lists them, and so does one whose clock is
    -- ahead: nothing was active after the date
    select
        a.*,
        case
            when a.last_seen <= c.snapshot_end then a.last_seen
            else least(coalesce(s.synced_at, c.snapshot_end), c.snapshot_end)
        end as active_at,
        c.snapshot_end,
        coalesce(k.window_days, 90) as window_days
    from int_assignments as a
    cross join run.context as c
    left join streams as s on s.product = a.product and s.instance = a.instance and s.stream = a.stream
    left join run.connections as k on k.product = a.product and k.instance = a.instance
)

select
    asset_kind, asset_id, record, product, instance, stream, record_id, state, record_state,
    -- a machine that was set up anew and not seen since has an activity from before
    least(coalesce(first_seen, active_at), active_at) as first_seen,
    active_at,
    active_at >= snapshot_end - window_days * interval 1 day as in_window,
    sync, page, row_number
from timed
