-- What Defender knows of CVEs; where it does not list one that a machine has, what the machine's row says of it
with listed as (
    select
        _product as product,
        _instance as instance,
        upper(id) as cve_id,
        case lower(severity)
            when 'critical' then 4 when 'high' then 3 when 'medium' then 2 when 'low' then 1
            when 'none' then 0 when 'informational' then 0
        end as level,
        cvssV3 as cvss_score,
        case when epss between 0 and 1 then epss end as epss_score,
        -- of three answers one yes is enough
        list_max([publicExploit, exploitVerified, exploitInKit]) as exploit_available,
        publishedOn as published_at,
        coalesce(updatedOn, _synced_at) as observed_at,
        1 as rank
    from landed.defender_endpoint__cves
    where upper(id) like 'CVE-%'
),

found as (
    select
        _product as product,
        _instance as instance,
        upper(cveId) as cve_id,
        max(case lower(vulnerabilitySeverityLevel)
            when 'critical' then 4 when 'high' then 3 when 'medium' then 2 when 'low' then 1
            when 'none' then 0 when 'informational' then 0
        end) as level,
        max(cvssScore) as cvss_score,
        cast(null as double) as epss_score,
        bool_or(lower(exploitabilityLevel) <> 'noexploit') as exploit_available,
        cast(null as timestamp) as published_at,
        max(_synced_at) as observed_at,
        2 as rank
    from landed.defender_endpoint__vulnerabilities
    where upper(cveId) like 'CVE-%'
    group by _product, _instance, upper(cveId)
),

known as (
    select * from (select * from listed union all select * from found) as united
    qualify row_number() over (partition by instance, cve_id order by rank) = 1
)

select
    product,
    instance,
    cve_id,
    case level when 4 then 'critical' when 3 then 'high' when 2 then 'medium' when 1 then 'low' when 0 then 'info' end as severity,
    cvss_score,
    epss_score,
    exploit_available,
    published_at,
    observed_at
from known
