-- Assets of the earlier snapshot that no record makes today. Where every stream that held one was fully
-- enumerated they are gone, and kept as retired for 180 days; where not, nothing is proven and they stay as they were. What
-- was last active before the window may merely not be asked for any more: its absence proves nothing, it is stale.
with absent as (
    select k.*
    from int_known_assets as k
    where not exists (
        select 1 from int_assignments as a where a.asset_kind = k.asset_kind and a.asset_id = k.asset_id
    )
),

asset_records as (
    select asset_kind, asset_id, unnest(source_records) as record from absent
),

moved as (
    -- one of its records is in another asset today, or all of them are held back: it was merged, not lost. Where some are
    -- held because the one that named them is absent, as sources that only add to others do, the absence decides
    select r.asset_kind, r.asset_id
    from asset_records as r
    left join int_assignments as a on a.asset_kind = r.asset_kind and a.record = r.record
    group by r.asset_kind, r.asset_id
    having bool_or(a.state = 'resolved') or bool_and(coalesce(a.state = 'held', false))
),

enumerated as (
    select
        product || ':' || instance || ':' || stream as source_stream,
        -- a rejected record is absent from the stream and yet there
        bool_and(state = 'complete' and coalesce(quarantined, 0) = 0) as is_complete
    from run.syncs
    group by product, instance, stream
),

asset_streams as (
    select asset_kind, asset_id, unnest(source_streams) as source_stream from absent
),

proofs as (
    select
        s.asset_kind,
        s.asset_id,
        bool_and(coalesce(e.is_complete, false)) as is_gone,
        max(coalesce(k.window_days, 90)) as window_days
    from asset_streams as s
    left join enumerated as e on e.source_stream = s.source_stream
    left join run.connections as k
        on k.product = split_part(s.source_stream, ':', 1) and k.instance = split_part(s.source_stream, ':', 2)
    group by s.asset_kind, s.asset_id
),

judged as (
    select
        a.*,
        coalesce(p.is_gone, false) as is_gone,
        coalesce(p.window_days, 90) as window_days,
        coalesce(a.last_seen < c.snapshot_end - coalesce(p.window_days, 90) * interval 1 day, false) as is_silent,
        c.snapshot_end,
        case
            when a.lifecycle_state = 'retired' then a.retired_at
            when is_gone and not is_silent then c.snapshot_end
        end as gone_at
    from absent as a
    cross join run.context as c
    left join proofs as p on p.asset_kind = a.asset_kind and p.asset_id = a.asset_id
    where not exists (
        select 1 from moved as m where m.asset_kind = a.asset_kind and m.asset_id = a.asset_id
    )
)

select
    asset_kind,
    asset_id,
    case
        when gone_at is not null then 'retired'
        when is_silent then 'stale'
        else lifecycle_state
    end as lifecycle_state,
    gone_at as retired_at,
    first_seen,
    last_seen,
    source_records,
    source_streams
from judged
where case
    when gone_at is not null then gone_at >= snapshot_end - interval 180 day
    -- a connection that was taken away can prove nothing any more: its assets leave once long silent
    else coalesce(last_seen, snapshot_end) >= snapshot_end - (window_days + 180) * interval 1 day
end
