-- Health issues, a row an issue and host of a sensor that it names. Suppressed ones are still there
select
    concat(i._product, ':', i._instance, ':', i._record_id, '|', d.record_id) as record,
    i._product as product,
    i._instance as instance,
    i._stream as stream,
    concat(i._record_id, '|', d.record_id) as record_id,
    i._sync as sync,
    i._page as page,
    i._row as row_number,
    'device' as asset_kind,
    d.record as asset_record,
    cast(null as varchar) as cve_id,
    i.displayName as title,
    case when lower(i.status) = 'closed' then 'fixed' else 'open' end as status,
    case lower(i.severity) when 'high' then 'high' when 'medium' then 'medium' when 'low' then 'low' end as severity,
    i.createdDateTime as first_seen,
    coalesce(i.lastModifiedDateTime, i._synced_at) as last_seen,
    case when lower(i.status) = 'closed' then coalesce(i.lastModifiedDateTime, i._synced_at) end as fixed_at,
    cast(to_json({
        'healthIssueType': lower(i.healthIssueType),
        'issueTypeId': i.issueTypeId,
        'status': lower(i.status),
        'description': i.description,
        'domainNames': coalesce(i.domainNames, []),
        'recommendations': coalesce(i.recommendations, [])
    }) as varchar) as evidence
from (
    select *, unnest(list_distinct(list_transform(coalesce(sensorDNSNames, []), lambda name: lower(trim(name, '. '))))) as host
    from landed.defender_identity__health_issues
) as i
inner join stg_defender_identity__devices as d on d.instance = i._instance and d.fqdns[1] = i.host
