-- one row a CVE of a check; a check that stands for no CVE keeps one row without
with checks as (
    select
        *,
        case when array_length(coalesce(plugin.cve, [])) > 0 then plugin.cve else [cast(null as varchar)] end as cves
    from landed.tenable__vulnerabilities
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
    concat(_product, ':', _instance, ':', asset.uuid) as asset_record,
    upper(cve) as cve_id,
    -- some feeds give names as a web page would
    replace(replace(replace(plugin.name, '&lt;', '<'), '&gt;', '>'), '&amp;', '&') as title,
    case when upper(state) = 'FIXED' then 'fixed' else 'open' end as status,
    case
        when lower(severity) in ('critical', 'high', 'medium', 'low', 'info') then lower(severity)
        else ['info', 'low', 'medium', 'high', 'critical'][1 + coalesce(try_cast(severity as integer), severity_id, 0)]
    end as severity,
    first_found as first_seen,
    last_found as last_seen,
    case when upper(state) = 'FIXED' then coalesce(last_fixed, last_found, _synced_at) end as fixed_at,
    cast(to_json({
        'pluginId': plugin.id,
        'pluginFamily': plugin.family,
        'port': port.port,
        'protocol': port.protocol,
        'state': state,
        'vprScore': plugin.vpr.score,
        'epssScore': plugin.epss_score,
        'solution': plugin.solution,
        'source': source
    }) as varchar) as evidence
from exploded
where asset.uuid is not null
qualify row_number() over (partition by _instance, _record_id, upper(cve) order by _row desc) = 1
