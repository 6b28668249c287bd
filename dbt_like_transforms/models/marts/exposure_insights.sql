-- What makes an asset easy to attack: reachable, vulnerable, unprotected. Only assets of which something is known.
with weak as (
    select
        asset_kind,
        asset_id,
        count(*) as open_vulnerabilities,
        count(*) filter (where severity_rank >= 4) as high_or_critical_vulnerabilities,
        max(cvss_score) as max_cvss_score,
        bool_or(exploit_available) as exploit_available,
        bool_or(allows_remote_code_execution and severity_rank >= 4) as vulnerable_to_remote_code_execution,
        bool_or(allows_privilege_escalation and severity_rank >= 4) as vulnerable_to_privilege_escalation,
        bool_or(allows_remote_code_execution and severity_rank >= 4 and exploit_available) as remote_code_execution_exploitable,
        array_agg(cve_id order by severity_rank desc, cvss_score desc nulls last, cve_id)[1:10] as worst_cve_ids
    from open_vulnerabilities
    group by asset_kind, asset_id
),

unprotected as (
    select asset_kind, asset_id, list_sort(array_agg(missing)) as missing_protection
    from coverage_gaps
    group by asset_kind, asset_id
),

people as (
    select
        'identity' as asset_kind,
        identity_id as asset_id,
        identity_type = 'user' and not coalesce(mfa_registered, true) as lacks_strong_authentication,
        coalesce(
            try_cast(json_extract_string(properties, '$.hasLeakedCredentials') as boolean)
            or try_cast(json_extract_string(properties, '$.hasAdLeakedCredentials') as boolean),
            false
        ) as has_leaked_credentials
    from identities
    where lifecycle_state <> 'retired' and coalesce(is_enabled, true)
)

select
    a.asset_kind,
    a.node_id as asset_id,
    e.asset_id is not null as is_internet_exposed,
    coalesce(e.reasons, []) as exposure_reasons,
    coalesce(e.public_ip_addresses, []) as public_ip_addresses,
    coalesce(w.open_vulnerabilities, 0) as open_vulnerabilities,
    coalesce(w.high_or_critical_vulnerabilities, 0) as high_or_critical_vulnerabilities,
    w.max_cvss_score,
    coalesce(w.exploit_available, false) as exploit_available,
    coalesce(w.vulnerable_to_remote_code_execution, false) as vulnerable_to_remote_code_execution,
    coalesce(w.remote_code_execution_exploitable, false) as remote_code_execution_exploitable,
    coalesce(w.vulnerable_to_privilege_escalation, false) as vulnerable_to_privilege_escalation,
    coalesce(w.worst_cve_ids, []) as worst_cve_ids,
    coalesce(u.missing_protection, []) as missing_protection,
    coalesce(p.lacks_strong_authentication, false) as lacks_strong_authentication,
    coalesce(p.has_leaked_credentials, false) as has_leaked_credentials
from assets as a
left join internet_exposure as e on e.asset_kind = a.asset_kind and e.asset_id = a.node_id
left join weak as w on w.asset_kind = a.asset_kind and w.asset_id = a.node_id
left join unprotected as u on u.asset_kind = a.asset_kind and u.asset_id = a.node_id
left join people as p on p.asset_kind = a.asset_kind and p.asset_id = a.node_id
where e.asset_id is not null or w.asset_id is not null or u.asset_id is not null
    or p.lacks_strong_authentication or p.has_leaked_credentials
