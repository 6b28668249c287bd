-- Rows without a CVE are software alone. Defender lists what is open: what disappears from a complete sync is fixed
select
    concat(v._product, ':', v._instance, ':', v._record_id) as record,
    v._product as product,
    v._instance as instance,
    v._stream as stream,
    v._record_id as record_id,
    v._sync as sync,
    v._page as page,
    v._row as row_number,
    'device' as asset_kind,
    concat(v._product, ':', v._instance, ':', v.deviceId) as asset_record,
    -- weaknesses without a CVE number of their own are called TVM-...
    case when upper(v.cveId) like 'CVE-%' then upper(v.cveId) end as cve_id,
    concat(v.cveId, ' in ' || nullif(concat_ws(' ', v.softwareVendor, v.softwareName, v.softwareVersion), '')) as title,
    case when lower(v.status) = 'fixed' then 'fixed' else 'open' end as status,
    case lower(v.vulnerabilitySeverityLevel)
        when 'critical' then 'critical' when 'high' then 'high' when 'medium' then 'medium' when 'low' then 'low'
        when 'none' then 'info' when 'informational' then 'info'
    end as severity,
    v.firstSeenTimestamp as first_seen,
    v.lastSeenTimestamp as last_seen,
    case when lower(v.status) = 'fixed' then coalesce(v.lastSeenTimestamp, v._synced_at) end as fixed_at,
    cast(to_json({
        'softwareVendor': v.softwareVendor,
        'softwareName': v.softwareName,
        'softwareVersion': v.softwareVersion,
        'diskPaths': v.diskPaths,
        'registryPaths': v.registryPaths,
        'exploitabilityLevel': v.exploitabilityLevel,
        'recommendedSecurityUpdate': v.recommendedSecurityUpdate,
        'recommendedSecurityUpdateId': v.recommendedSecurityUpdateId,
        'recommendationReference': v.recommendationReference,
        'securityUpdateAvailable': v.securityUpdateAvailable,
        'endOfSupportStatus': v.endOfSupportStatus
    }) as varchar) as evidence
from landed.defender_endpoint__vulnerabilities as v
where v.cveId <> '' and v.deviceId <> ''
