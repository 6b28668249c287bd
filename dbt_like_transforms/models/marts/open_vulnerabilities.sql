-- CVEs open on an asset that is not retired, once each, with the products that report them and what they allow.
select
    f.asset_kind,
    f.asset_id,
    f.cve_id,
    max(list_position(['info', 'low', 'medium', 'high', 'critical'], f.severity)) as severity_rank,
    any_value(v.cvss_score) as cvss_score,
    coalesce(any_value(v.exploit_available), false) as exploit_available,
    coalesce(any_value(c.allows_remote_code_execution), false) as allows_remote_code_execution,
    coalesce(any_value(c.allows_privilege_escalation), false) as allows_privilege_escalation,
    list_sort(array_agg(distinct f.source)) as sources,
    min(f.first_seen) as first_seen,
    max(f.last_seen) as last_seen
from findings as f
join assets as a on a.asset_kind = f.asset_kind and a.node_id = f.asset_id
left join vulnerabilities as v on v.cve_id = f.cve_id
left join vulnerability_classes as c on c.cve_id = f.cve_id
where f.status = 'open' and f.cve_id is not null
group by f.asset_kind, f.asset_id, f.cve_id
