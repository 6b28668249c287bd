with cves as (
    select
        _product,
        _instance,
        _synced_at,
        unnest(plugin.cve) as cve,
        severity,
        -- what was not scored by a version has 0 there
        coalesce(nullif(plugin.cvss3_base_score, 0), nullif(plugin.cvss_base_score, 0)) as cvss,
        plugin.epss_score as epss,
        plugin.exploit_available as exploit,
        try_cast(coalesce(plugin.vuln_publication_date, plugin.publication_date) as timestamp) as published
    from landed.tenable__vulnerabilities
)

select
    _product as product,
    _instance as instance,
    upper(cve) as cve_id,
    case max(case lower(severity) when 'critical' then 4 when 'high' then 3 when 'medium' then 2 when 'low' then 1 else 0 end)
        when 4 then 'critical' when 3 then 'high' when 2 then 'medium' when 1 then 'low' else 'info'
    end as severity,
    max(cvss) as cvss_score,
    -- Tenable gives EPSS in per cent
    max(epss) / 100 as epss_score,
    bool_or(coalesce(exploit, false)) as exploit_available,
    min(published) as published_at,
    max(_synced_at) as observed_at
from cves
where cve is not null
group by _product, _instance, upper(cve)
