-- The asset that a host is. The host list names it; an older version of it does not, then the asset inventories do
with named as (
    select _instance, qwebHostId as host_id, max(_record_id) as asset_id, 1 as rank
    from landed.qualys__host_assets
    where qwebHostId is not null
    group by _instance, qwebHostId
    union all
    select _instance, hostId as host_id, max(_record_id) as asset_id, 2 as rank
    from landed.qualys__csam_assets
    where hostId is not null
    group by _instance, hostId
),

inventoried as (
    select * from named
    qualify row_number() over (partition by _instance, host_id order by rank) = 1
)

select
    h._instance as instance,
    h._record_id as host_id,
    coalesce(nullif(h.ASSET_ID, ''), n.asset_id, concat('host-', h._record_id)) as machine_id,
    -- an asset that several hosts name is described by the one seen last
    row_number() over (
        partition by h._instance, coalesce(nullif(h.ASSET_ID, ''), n.asset_id, concat('host-', h._record_id))
        order by h.last_seen desc nulls last, h._record_id desc
    ) = 1 as describes
from landed.qualys__hosts as h
left join inventoried as n on n._instance = h._instance and n.host_id = h._record_id
