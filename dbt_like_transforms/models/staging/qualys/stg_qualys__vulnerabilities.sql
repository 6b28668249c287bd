with cves as (
    select
        _product,
        _instance,
        _synced_at,
        unnest(cves) as cve,
        SEVERITY_LEVEL as level,
        coalesce(cvss_v3_base, cvss_base) as cvss,
        -- the names of these are not verified; a correlated exploit is an exploit whatever they are
        exploits > 0 or list_has_any(
            coalesce(threats, []), ['Exploit_Public', 'Easy_Exploit', 'Active_Attacks', 'Exploit_Kit']
        ) as exploit,
        PUBLISHED_DATETIME as published
    from landed.qualys__knowledge_base
)

select
    _product as product,
    _instance as instance,
    upper(cve) as cve_id,
    case max(level) when 5 then 'critical' when 4 then 'high' when 3 then 'medium' when 2 then 'low' else 'info' end as severity,
    max(cvss) as cvss_score,
    cast(null as double) as epss_score,
    bool_or(coalesce(exploit, false)) as exploit_available,
    -- of the check, as the knowledge base has no date of the CVE itself
    min(published) as published_at,
    max(_synced_at) as observed_at
from cves
where cve is not null
group by _product, _instance, upper(cve)
