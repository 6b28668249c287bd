-- Vulnerability findings, all of them open: what is fixed is not listed any more
select
    concat(v._product, ':', v._instance, ':', v._record_id) as record,
    v._product as product,
    v._instance as instance,
    v._stream as stream,
    v._record_id as record_id,
    v._sync as sync,
    v._page as page,
    v._row as row_number,
    a.kind as asset_kind,
    a.record as asset_record,
    case when regexp_matches(upper(trim(v.cve_id)), '^CVE-[0-9]{4}-[0-9]{4,}$') then upper(trim(v.cve_id)) end as cve_id,
    coalesce(v.cve_id, v.affected_software[1]) as title,
    'open' as status,
    -- HIGH and SEV_060_HIGH are one
    coalesce(nullif(lower(regexp_extract(upper(v.cvss_severity), '(CRITICAL|HIGH|MEDIUM|LOW)$')), ''), 'info') as severity,
    v.first_observed as first_seen,
    v.last_observed as last_seen,
    cast(null as timestamp) as fixed_at,
    cast(to_json({
        'software': array_to_string(v.affected_software, ', '),
        'version': v.package_version,
        'purl': v.package_purl,
        'fixAvailable': v.fix_available,
        'fixedVersion': array_to_string(v.fix_versions, ', '),
        'packageInUse': v.package_in_use,
        'path': v.file_path,
        'image': v.image_name,
        'cvssScore': v.cvss_score,
        'epssScore': v.epss_score,
        'riskScore': v.cortex_vulnerability_risk_score,
        'hasExploit': v.exploitable,
        'exploitLevel': v.exploit_level,
        'hasCisaKevExploit': v.has_kev,
        'detectionMethods': v.finding_sources,
        'solution': v.remediation,
        'issueId': v.issue_id
    }) as varchar) as evidence
from landed.cortex_cloud__vulnerability_findings as v
inner join stg_cortex_cloud__assets as a on a.instance = v._instance and a.id = v.asset_id
where a.kind is not null
