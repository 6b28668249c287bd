with found as (
    select *, upper(trim(cve_id)) as cve, regexp_extract(upper(cvss_severity), '(CRITICAL|HIGH|MEDIUM|LOW)$') as rated
    from landed.cortex_cloud__vulnerability_findings
    where regexp_matches(upper(trim(cve_id)), '^CVE-[0-9]{4}-[0-9]{4,}$')
)

select
    _product as product,
    _instance as instance,
    cve as cve_id,
    case max(case rated when 'CRITICAL' then 4 when 'HIGH' then 3 when 'MEDIUM' then 2 when 'LOW' then 1 else 0 end)
        when 4 then 'critical' when 3 then 'high' when 2 then 'medium' when 1 then 'low' else 'info'
    end as severity,
    max(cvss_score) as cvss_score,
    max(case when epss_score between 0 and 1 then epss_score end) as epss_score,
    bool_or(coalesce(exploitable, false) or coalesce(has_kev, false) or coalesce(upper(exploit_level) in ('WEAPONIZED', 'POC'), false))
        as exploit_available,
    min(coalesce(cve_publish_date, published_date)) as published_at,
    max(_synced_at) as observed_at
from found
group by _product, _instance, cve
