-- One row a CVE: the worst that any product says about it. A CVE that only findings name is here with their severity.
with statements as (
    select upper(trim(cve_id)) as cve_id, severity, cvss_score, epss_score, exploit_available, published_at, product
    from stg__vulnerabilities
    union all
    select upper(trim(cve_id)), severity, null, null, null, null, product
    from stg__findings
    where cve_id is not null
),

ranked as (
    select *, list_position(['info', 'low', 'medium', 'high', 'critical'], severity) as severity_rank
    from statements
    where cve_id <> ''
)

select
    cve_id,
    (['info', 'low', 'medium', 'high', 'critical'])[max(severity_rank)] as severity,
    max(cvss_score) as cvss_score,
    max(epss_score) as epss_score,
    coalesce(bool_or(exploit_available), false) as exploit_available,
    min(published_at) as published_at,
    list_sort(array_agg(distinct product)) as discovery_sources
from ranked
group by cve_id
