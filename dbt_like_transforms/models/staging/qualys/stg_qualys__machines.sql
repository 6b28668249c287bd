-- Which records of the three inventories are one machine: they name each other by the id of the host, or of the asset
with assets as (
    select
        a._instance,
        coalesce(h.machine_id, a._record_id) as machine_id,
        a._record_id as asset_id
    from landed.qualys__host_assets as a
    left join stg_qualys__host_machines as h on h.instance = a._instance and h.host_id = a.qwebHostId
    qualify row_number() over (
        partition by a._instance, coalesce(h.machine_id, a._record_id)
        order by a.modified desc nulls last, a._row desc
    ) = 1
),

csam as (
    select
        c._instance,
        coalesce(h.machine_id, c._record_id) as machine_id,
        c._record_id as csam_id
    from landed.qualys__csam_assets as c
    left join stg_qualys__host_machines as h on h.instance = c._instance and h.host_id = c.hostId
    qualify row_number() over (
        partition by c._instance, coalesce(h.machine_id, c._record_id)
        order by c.lastModifiedDate desc nulls last, c._row desc
    ) = 1
),

machines as (
    select instance, machine_id from stg_qualys__host_machines
    union
    select _instance as instance, machine_id from assets
    union
    select _instance as instance, machine_id from csam
)

select m.instance, m.machine_id, h.host_id, a.asset_id, c.csam_id
from machines as m
left join stg_qualys__host_machines as h
    on h.instance = m.instance and h.machine_id = m.machine_id and h.describes
left join assets as a on a._instance = m.instance and a.machine_id = m.machine_id
left join csam as c on c._instance = m.instance and c.machine_id = m.machine_id
