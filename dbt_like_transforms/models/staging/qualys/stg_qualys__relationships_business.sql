-- Which business application runs on which machine, by CSAM
select
    c._product as product,
    c._instance as instance,
    c._stream as stream,
    'runs on' as relationship,
    'application' as source_kind,
    concat(c._product, ':', c._instance, ':business-', c.app.id) as source_record,
    'device' as target_kind,
    concat(c._product, ':', c._instance, ':', m.machine_id) as target_record,
    cast(null as varchar) as properties,
    true as is_active,
    cast(null as timestamp) as first_seen,
    max(c._synced_at) as last_seen
from (select *, unnest(businessAppListData.businessApp) as app from landed.qualys__csam_assets) as c
inner join stg_qualys__machines as m on m.instance = c._instance and m.csam_id = c._record_id
where nullif(c.app.id, '') is not null
group by c._product, c._instance, c._stream, c.app.id, m.machine_id
