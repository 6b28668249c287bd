-- Which records of the three inventories are one machine: they name each other by the id of the host, or of the asset
with hosts as (
    select _instance, _record_id as host_id, ASSET_ID as asset_number from landed.qualys__hosts
),

assets as (
    select
        a._instance,
        coalesce(h.host_id, concat('asset-', a._record_id)) as machine_id,
        a._record_id as asset_id
    from landed.qualys__host_assets as a
    left join hosts as h on h._instance = a._instance and h.host_id = a.qwebHostId
    qualify row_number() over (
        partition by a._instance, coalesce(h.host_id, concat('asset-', a._record_id))
        order by a.modified desc nulls last, a._row desc
    ) = 1
),

csam as (
    select
        c._instance,
        coalesce(h.host_id, concat('asset-', c._record_id)) as machine_id,
        c._record_id as csam_id
    from landed.qualys__csam_assets as c
    left join hosts as h on h._instance = c._instance and h.host_id = c.hostId
    qualify row_number() over (
        partition by c._instance, coalesce(h.host_id, concat('asset-', c._record_id))
        order by c.lastModifiedDate desc nulls last, c._row desc
    ) = 1
),

machines as (
    select _instance, host_id as machine_id from hosts
    union
    select _instance, machine_id from assets
    union
    select _instance, machine_id from csam
)

select m._instance as instance, m.machine_id, h.host_id, a.asset_id, c.csam_id
from machines as m
left join hosts as h on h._instance = m._instance and h.host_id = m.machine_id
left join assets as a on a._instance = m._instance and a.machine_id = m.machine_id
left join csam as c on c._instance = m._instance and c.machine_id = m.machine_id
