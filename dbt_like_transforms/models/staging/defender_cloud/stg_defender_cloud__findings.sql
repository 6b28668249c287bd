-- Unhealthy assessments. Defender lists what is open: what disappears from a complete sync is fixed
select
    concat(s.product, ':', s.instance, ':', s.assessment_id) as record,
    s.product,
    s.instance,
    s.stream,
    s.assessment_id as record_id,
    s.sync,
    s.page,
    s.row_number,
    a.kind as asset_kind,
    a.record as asset_record,
    cast(null as varchar) as cve_id,
    s.title,
    'open' as status,
    case when s.severity in ('critical', 'high', 'medium', 'low') then s.severity when s.severity = 'informational' then 'info' end as severity,
    s.first_evaluated as first_seen,
    s.synced_at as last_seen,
    cast(null as timestamp) as fixed_at,
    cast(to_json({
        'assessmentKey': s.assessment_key,
        'cause': s.cause,
        'description': s.status_description,
        'statusChangeDate': s.status_changed,
        'categories': s.categories,
        'remediation': s.remediation,
        'riskLevel': s.risk_level,
        'riskFactors': s.risk_factors,
        'attackPaths': s.attack_paths,
        'azurePortal': s.portal_link
    }) as varchar) as evidence
from stg_defender_cloud__assessed as s
inner join stg_defender_cloud__assets as a on a.instance = s.instance and a.asset_name = s.asset_name
where s.status_code = 'unhealthy'
