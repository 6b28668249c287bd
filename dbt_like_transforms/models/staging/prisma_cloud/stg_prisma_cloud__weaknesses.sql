-- Vulnerabilities of hosts and images, one row a weakness of a package
with scanned as (
    select _product, _instance, _stream, _record_id, _sync, _page, _row, _synced_at, 'device' as asset_kind, scanTime as seen,
        unnest(vulnerabilities) as v
    from landed.prisma_cloud__hosts
    union all
    select _product, _instance, _stream, _record_id, _sync, _page, _row, _synced_at, 'cloud_resource', scanTime, unnest(vulnerabilities)
    from landed.prisma_cloud__images
),

read as (
    select
        * exclude (v), nullif(trim(v.cve), '') as name, v.packageName as package, v.packageVersion as version, lower(v.status) as fix_status,
        v.cvss as cvss, v.link as link, v.vecStr as vector, v.riskFactors as risk_factors, v.hasExploit as has_exploit,
        case lower(v.severity)
            when 'critical' then 'critical' when 'high' then 'high' when 'important' then 'high' when 'medium' then 'medium'
            when 'moderate' then 'medium' when 'low' then 'low' else 'info'
        end as severity,
        try_cast(v.discovered as timestamptz) at time zone 'UTC' as discovered_at,
        try_cast(v.published as timestamptz) at time zone 'UTC' as published_at,
        try_cast(v.fixDate as timestamptz) at time zone 'UTC' as fix_released_at,
        nullif(regexp_extract(v.status, '(?i)^fixed in (.+)$', 1), '') as fixed_version
    from scanned
)

select
    _product as product, _instance as instance, _stream as stream, _sync as sync, _page as page, _row as row_number,
    _synced_at as synced_at, concat(_product, ':', _instance, ':', _record_id) as asset_record, asset_kind, seen as last_seen,
    concat_ws('|', _record_id, name, package, version) as id,
    name, case when regexp_matches(upper(name), '^CVE-[0-9]{4}-[0-9]{4,}$') then upper(name) end as cve_id,
    package, version, fix_status, fixed_version, severity, cvss, vector, link, risk_factors, has_exploit, discovered_at, published_at,
    fix_released_at
from read
-- the vendor's word that the package does not have the weakness
where name is not null and coalesce(fix_status not like 'not affected%', true)
-- one package may lie in several places
qualify row_number() over (partition by _instance, asset_kind, _record_id, name, package, version order by discovered_at nulls last) = 1
