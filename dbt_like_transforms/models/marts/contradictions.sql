-- Assets that one source calls retired while another one sees them at work. A source that holds the asset in another, active
-- record as well has only replaced the one that it retired. What is switched off was last seen about the day on which it is
-- retired: that proves something only while it is of these days.
with alive as (
    select asset_kind, asset_id, max_by(struct_pack(record, product, active_at), (active_at, record)) as newest
    from int_records
    where state = 'resolved' and record_state = 'active' and in_window
    group by asset_kind, asset_id
)

select
    r.asset_kind,
    r.asset_id,
    r.record,
    a.newest.record as other_record,
    r.record || ' calls it retired, but ' || a.newest.product || ' holds it as active (last seen '
    || strftime(a.newest.active_at, '%Y-%m-%d') || ') in ' || a.newest.record as reason
from int_records as r
join alive as a on a.asset_kind = r.asset_kind and a.asset_id = r.asset_id
cross join run.context as c
where r.state = 'resolved' and r.record_state = 'retired'
    and (
        a.newest.active_at > r.active_at + interval 1 day
        or (a.newest.active_at >= r.active_at - interval 1 day and a.newest.active_at >= c.snapshot_end - interval 7 day)
    )
    and not exists (
        select 1
        from int_records as o
        where o.asset_kind = r.asset_kind and o.asset_id = r.asset_id and o.product = r.product
            and o.instance = r.instance and o.state = 'resolved' and o.record_state = 'active'
    )
