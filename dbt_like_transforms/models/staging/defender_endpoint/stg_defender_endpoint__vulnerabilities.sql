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
        -- 0 is written where nobody rated it yet
        nullif(cvssV3, 0) as cvss_score,
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
        nullif(max(cvssScore), 0) as cvss_score,
        cast(null as double) as epss_score,
        bool_or(lower(exploitabilityLevel) <> 'noexploit') as exploit_available,
        cast(null as timestamp) as published_at,
        max(_synced_at) as observed_at,
        2 as rank
    from landed.defender_endpoint__vulnerabilities
    where upper(cveId) like 'CVE-%'
    group by _product, _instance, upper(cveId)
),

-- what Defender's list leaves open is what the rows of machines say
known as (
    select
        min(product) as product, instance, cve_id, arg_min(observed_at, rank) as observed_at,
        arg_min(level, rank) filter (where level is not null) as level,
        arg_min(cvss_score, rank) filter (where cvss_score is not null) as cvss_score,
        arg_min(epss_score, rank) filter (where epss_score is not null) as epss_score,
        arg_min(exploit_available, rank) filter (where exploit_available is not null) as exploit_available,
        arg_min(published_at, rank) filter (where published_at is not null) as published_at
    from (select * from listed union all select * from found) as united
    group by instance, cve_id
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
