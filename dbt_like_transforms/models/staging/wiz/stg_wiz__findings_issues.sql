-- Issues: what a rule of Wiz finds wrong with a resource
select
    concat(i._product, ':', i._instance, ':', i._record_id) as record,
    i._product as product,
    i._instance as instance,
    i._stream as stream,
    i._record_id as record_id,
    i._sync as sync,
    i._page as page,
    i._row as row_number,
    a.kind as asset_kind,
    a.record as asset_record,
    cast(null as varchar) as cve_id,
    coalesce(i.sourceRule.name, i.type) as title,
    case when upper(i.status) in ('RESOLVED', 'REJECTED') then 'fixed' else 'open' end as status,
    case when lower(i.severity) in ('critical', 'high', 'medium', 'low') then lower(i.severity) else 'info' end as severity,
    i.createdAt as first_seen,
    case
        when upper(i.status) in ('RESOLVED', 'REJECTED') then coalesce(i.resolvedAt, i.statusChangedAt, i.updatedAt)
        else i._synced_at
    end as last_seen,
    case
        when upper(i.status) in ('RESOLVED', 'REJECTED') then coalesce(i.resolvedAt, i.statusChangedAt, i.updatedAt, i._synced_at)
    end as fixed_at,
    cast(to_json({
        'assessmentKey': i.sourceRule.id,
        'issueType': i.type,
        'wizStatus': i.status,
        'remediation': coalesce(i.sourceRule.resolutionRecommendation, i.sourceRule.remediationInstructions),
        'serviceTickets': i.serviceTickets,
        'projects': list_transform(coalesce(i.projects, []), lambda p: p.name)
    }) as varchar) as evidence
from landed.wiz__issues as i
inner join stg_wiz__assets as a on a.instance = i._instance and a.id = i.entitySnapshot.id
where a.is_asset or a.is_asset is null
