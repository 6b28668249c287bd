-- Alerts: policies that a resource violates; resolved and dismissed ones are fixed
select
    concat(product, ':', instance, ':', id) as record,
    product,
    instance,
    stream,
    id as record_id,
    sync,
    page,
    row_number,
    asset_kind,
    asset_record,
    cast(null as varchar) as cve_id,
    coalesce(policy_name, policy_id) as title,
    case when is_closed then 'fixed' else 'open' end as status,
    case when severity in ('critical', 'high', 'medium', 'low') then severity else 'info' end as severity,
    first_seen,
    case when is_closed then closed_at else synced_at end as last_seen,
    case when is_closed then closed_at end as fixed_at,
    cast(to_json({
        'assessmentKey': policy_id,
        'policyType': policy_type,
        'prismaCloudStatus': status,
        'reason': reason,
        'remediation': recommendation
    }) as varchar) as evidence
from stg_prisma_cloud__violations
