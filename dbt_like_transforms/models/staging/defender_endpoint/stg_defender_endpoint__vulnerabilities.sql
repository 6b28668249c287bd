select
    _product as product,
    _instance as instance,
    upper(id) as cve_id,
    case lower(severity)
        when 'critical' then 'critical' when 'high' then 'high' when 'medium' then 'medium' when 'low' then 'low'
        when 'none' then 'info' when 'informational' then 'info'
    end as severity,
    cvssV3 as cvss_score,
    case when epss between 0 and 1 then epss end as epss_score,
    -- of three answers one yes is enough
    list_max([publicExploit, exploitVerified, exploitInKit]) as exploit_available,
    publishedOn as published_at,
    coalesce(updatedOn, _synced_at) as observed_at
from landed.defender_endpoint__cves
where upper(id) like 'CVE-%'
