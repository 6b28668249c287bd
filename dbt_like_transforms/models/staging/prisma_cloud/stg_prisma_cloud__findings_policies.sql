-- Policies that an asset fails and that no alert tells of: no alert rule holds them, or the scan is newer than the alerts
select
    concat(a.product, ':', a.instance, ':', a.id, '|', p.id) as record,
    a.product,
    a.instance,
    a.stream,
    concat(a.id, '|', p.id) as record_id,
    a.sync,
    a.page,
    a.row_number,
    a.kind as asset_kind,
    a.record as asset_record,
    cast(null as varchar) as cve_id,
    coalesce(p.name, p.id) as title,
    'open' as status,
    case when lower(p.severity) in ('critical', 'high', 'medium', 'low') then lower(p.severity) else 'info' end as severity,
    cast(null as timestamp) as first_seen,
    a.synced_at as last_seen,
    cast(null as timestamp) as fixed_at,
    cast(to_json({'assessmentKey': p.id, 'prismaCloudStatus': 'failed', 'labels': p.labels}) as varchar) as evidence
from (select * exclude (failed_policies), unnest(failed_policies) as p from stg_prisma_cloud__assets) as a
where p.id is not null
    and not exists (
        select 1 from stg_prisma_cloud__violations as v
        where v.instance = a.instance and v.asset_id = a.id and v.policy_id = p.id and not v.is_closed
    )
qualify row_number() over (partition by a.instance, a.id, p.id order by p.name) = 1
