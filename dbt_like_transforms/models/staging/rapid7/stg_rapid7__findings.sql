-- one row a CVE of a vulnerability at a place; one that stands for no CVE, or has no document, keeps one row
with checks as (
    select
        f.*,
        v.title,
        v.severity,
        -- what was scored before version 3 has 0 there
        coalesce(nullif(v.cvss_v3_score, 0), nullif(v.cvss.v3.score, 0), v.cvss_v2_score, v.cvss.v2.score) as score,
        case when array_length(coalesce(v.cve_ids, [])) > 0 then list_distinct(v.cve_ids) else [cast(null as varchar)] end as cves
    from landed.rapid7__findings as f
    left join landed.rapid7__vulnerabilities as v on v._instance = f._instance and v._record_id = f.vulnerability_id
),

exploded as (
    select * exclude (cves), unnest(cves) as cve from checks
)

select
    concat_ws(':', _product, _instance, _record_id, upper(cve)) as record,
    _product as product,
    _instance as instance,
    _stream as stream,
    concat_ws(':', _record_id, upper(cve)) as record_id,
    _sync as sync,
    _page as page,
    _row as row_number,
    'device' as asset_kind,
    concat(_product, ':', _instance, ':', asset_id) as asset_record,
    upper(cve) as cve_id,
    coalesce(title, vulnerability_id) as title,
    case when state = 'fixed' then 'fixed' else 'open' end as status,
    -- three words for what CVSS has four of
    case lower(severity)
        when 'critical' then 'critical'
        when 'severe' then 'high'
        when 'high' then 'high'
        when 'moderate' then 'medium'
        when 'medium' then 'medium'
        when 'low' then 'low'
        else 'info'
    end as severity,
    first_found as first_seen,
    last_found as last_seen,
    case when state = 'fixed' then coalesce(remediation_date, last_found, _synced_at) end as fixed_at,
    cast(to_json({
        'vulnerabilityId': vulnerability_id,
        'checkId': check_id,
        'state': status,
        'port': case when port > 0 then port end,
        'protocol': protocol,
        'path': key,
        'reintroduced': reintroduced,
        'cvss': score,
        'solutionId': solution_id,
        'solution': solution_summary
    }) as varchar) as evidence
from exploded
where asset_id is not null
qualify row_number() over (partition by _instance, _record_id, upper(cve) order by _row desc) = 1
