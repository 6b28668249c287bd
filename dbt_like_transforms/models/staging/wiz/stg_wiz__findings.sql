-- Vulnerability findings; what has no CVE id is an advisory of a vendor and stays without one
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
    case when regexp_matches(upper(trim(v.name)), '^CVE-[0-9]{4}-[0-9]{4,}$') then upper(trim(v.name)) end as cve_id,
    coalesce(v.name, v.detailedName) as title,
    case when upper(v.status) in ('RESOLVED', 'REJECTED') then 'fixed' else 'open' end as status,
    case
        when lower(coalesce(v.severity, v.vendorSeverity, v.nvdSeverity, v.CVSSSeverity)) in ('critical', 'high', 'medium', 'low')
            then lower(coalesce(v.severity, v.vendorSeverity, v.nvdSeverity, v.CVSSSeverity))
        else 'info'
    end as severity,
    v.firstDetectedAt as first_seen,
    v.lastDetectedAt as last_seen,
    case when upper(v.status) in ('RESOLVED', 'REJECTED') then coalesce(v.resolvedAt, v.lastDetectedAt, v._synced_at) end as fixed_at,
    cast(to_json({
        'wizStatus': v.status,
        'software': v.detailedName,
        'version': v.version,
        'fixedVersion': v.fixedVersion,
        'detectionMethod': v.detectionMethod,
        'path': v.locationPath,
        'cvssScore': v.score,
        'epssScore': v.epssProbability,
        'hasExploit': v.hasExploit,
        'hasCisaKevExploit': v.hasCisaKevExploit,
        'solution': v.remediation,
        'portalUrl': v.portalUrl
    }) as varchar) as evidence
from landed.wiz__vulnerability_findings as v
inner join stg_wiz__assets as a on a.instance = v._instance and a.id = v.vulnerableAsset.id
where a.is_asset or a.is_asset is null
