-- Findings below an assessment, on the asset that the assessment is about
select
    concat_ws(':', w.product, w.instance, w.finding_id, w.cve_id) as record,
    w.product,
    w.instance,
    w.stream,
    concat_ws(':', w.finding_id, w.cve_id) as record_id,
    w.sync,
    w.page,
    w.row_number,
    coalesce(a.kind, n.kind) as asset_kind,
    coalesce(a.record, n.record) as asset_record,
    w.cve_id,
    w.title,
    'open' as status,
    case when w.severity in ('critical', 'high', 'medium', 'low') then w.severity when w.severity is not null then 'info' end as severity,
    cast(null as timestamp) as first_seen,
    coalesce(w.found_at, w.synced_at) as last_seen,
    cast(null as timestamp) as fixed_at,
    cast(to_json({
        'assessedResourceType': json_extract_string(w.details, '$.assessedResourceType'),
        'category': w.category,
        'remediation': w.remediation,
        'packageName': json_extract_string(w.details, '$.softwareDetails.packageName'),
        'version': json_extract_string(w.details, '$.softwareDetails.version'),
        'fixedVersion': json_extract_string(w.details, '$.softwareDetails.fixedVersion'),
        'repository': json_extract_string(w.details, '$.artifactDetails.repositoryName'),
        'digest': json_extract_string(w.details, '$.artifactDetails.digest'),
        'patchable': json_extract_string(w.details, '$.patchable')
    }) as varchar) as evidence
from stg_defender_cloud__weaknesses as w
left join stg_defender_cloud__assets as a on a.instance = w.instance and a.asset_name = w.arm_name
left join stg_defender_cloud__assets as n on n.instance = w.instance and n.asset_name = w.native_name
where coalesce(a.record, n.record) is not null
