-- Issues of the posture, one row an issue and asset; alerts and cases of other domains are no weakness
with told as (
    select *, unnest(list_distinct(asset_ids)) as asset_id, upper(coalesce(status_progress, '')) like '%RESOLVED%' as is_resolved
    from landed.cortex_cloud__issues
    where domain is null or upper(domain) like '%POSTURE%'
)

select
    concat(i._product, ':', i._instance, ':', i._record_id, '|', i.asset_id) as record,
    i._product as product,
    i._instance as instance,
    i._stream as stream,
    concat(i._record_id, '|', i.asset_id) as record_id,
    i._sync as sync,
    i._page as page,
    i._row as row_number,
    a.kind as asset_kind,
    a.record as asset_record,
    case
        when upper(i.category) like '%VULNERABILIT%'
            then nullif(regexp_extract(upper(i.name), 'CVE-[0-9]{4}-[0-9]{4,}'), '')
    end as cve_id,
    coalesce(i.name, i.type) as title,
    case when i.is_resolved then 'fixed' else 'open' end as status,
    coalesce(nullif(lower(regexp_extract(upper(i.severity), '(CRITICAL|HIGH|MEDIUM|LOW)$')), ''), 'info') as severity,
    i.observation_time as first_seen,
    case when i.is_resolved then coalesce(i.last_update_timestamp, i.observation_time) else i._synced_at end as last_seen,
    case when i.is_resolved then coalesce(i.last_update_timestamp, i._synced_at) end as fixed_at,
    cast(to_json({
        'assessmentKey': i.detection_rule_id,
        'issueType': i.type,
        'category': i.category,
        'detectionMethod': i.detection_method,
        'cortexStatus': i.status_progress,
        'resolutionReason': i.status_resolution_reason,
        'isExcluded': i.is_excluded,
        'isExcepted': i.is_excepted,
        'remediation': i.remediation
    }) as varchar) as evidence
from told as i
inner join stg_cortex_cloud__assets as a on a.instance = i._instance and a.id = i.asset_id
where a.kind is not null
