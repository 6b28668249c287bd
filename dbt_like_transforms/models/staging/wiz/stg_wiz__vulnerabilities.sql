with found as (
    select *, upper(trim(name)) as cve
    from landed.wiz__vulnerability_findings
    where regexp_matches(upper(trim(name)), '^CVE-[0-9]{4}-[0-9]{4,}$')
)

select
    _product as product,
    _instance as instance,
    cve as cve_id,
    case max(case lower(coalesce(CVSSSeverity, severity)) when 'critical' then 4 when 'high' then 3 when 'medium' then 2 when 'low' then 1 else 0 end)
        when 4 then 'critical' when 3 then 'high' when 2 then 'medium' when 1 then 'low' else 'info'
    end as severity,
    -- what nobody scored has 0
    max(nullif(score, 0)) as cvss_score,
    -- whether Wiz gives a share or a per cent is not verified: a share is never above 1
    max(case when epssProbability > 1 then epssProbability / 100 else epssProbability end) as epss_score,
    bool_or(coalesce(hasExploit, false) or coalesce(hasCisaKevExploit, false)) as exploit_available,
    cast(null as timestamp) as published_at,
    max(_synced_at) as observed_at
from found
group by _product, _instance, cve
