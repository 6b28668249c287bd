-- Vulnerabilities of hosts and images; what has no CVE id is an advisory and stays without one. Compute lists what is there yet:
-- a weakness that is gone is absent, whatever its fix status says
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
    cve_id,
    concat_ws(' in ', name, package) as title,
    'open' as status,
    severity,
    discovered_at as first_seen,
    coalesce(last_seen, synced_at) as last_seen,
    cast(null as timestamp) as fixed_at,
    cast(to_json({
        'software': package,
        'version': version,
        'fixedVersion': fixed_version,
        'fixStatus': fix_status,
        'fixReleasedAt': fix_released_at,
        'cvssScore': cvss,
        'cvssVector': vector,
        'hasExploit': has_exploit,
        'riskFactors': risk_factors,
        'link': link
    }) as varchar) as evidence
from stg_prisma_cloud__weaknesses
