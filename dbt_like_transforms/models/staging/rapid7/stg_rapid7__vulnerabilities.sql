with cves as (
    select
        _product,
        _instance,
        _synced_at,
        unnest(cve_ids) as cve,
        case lower(severity) when 'critical' then 4 when 'severe' then 3 when 'high' then 3 when 'moderate' then 2 when 'medium' then 2 when 'low' then 1 else 0 end as level,
        -- what was scored before version 3 has 0 there
        coalesce(nullif(cvss_v3_score, 0), nullif(cvss.v3.score, 0), cvss_v2_score, cvss.v2.score) as cvss,
        exploit_count > 0 as exploit,
        coalesce(published, added) as published
    from landed.rapid7__vulnerabilities
)

select
    _product as product,
    _instance as instance,
    upper(cve) as cve_id,
    case max(level) when 4 then 'critical' when 3 then 'high' when 2 then 'medium' when 1 then 'low' else 'info' end as severity,
    max(cvss) as cvss_score,
    cast(null as double) as epss_score,
    bool_or(coalesce(exploit, false)) as exploit_available,
    min(published) as published_at,
    max(_synced_at) as observed_at
from cves
where cve is not null
group by _product, _instance, upper(cve)
