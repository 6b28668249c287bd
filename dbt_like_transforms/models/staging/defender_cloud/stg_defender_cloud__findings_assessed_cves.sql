-- CVEs that an unhealthy assessment lists itself, where none of its single findings names them
with named as (
    select *, unnest(cves) as cve_id
    from stg_defender_cloud__assessed
    where status_code = 'unhealthy' and array_length(cves) > 0
),

single as (
    select instance, asset_record, cve_id from stg_defender_cloud__findings_sub_assessments where cve_id is not null
)

select
    concat_ws(':', n.product, n.instance, n.assessment_id, n.cve_id) as record,
    n.product,
    n.instance,
    n.stream,
    concat_ws(':', n.assessment_id, n.cve_id) as record_id,
    n.sync,
    n.page,
    n.row_number,
    a.kind as asset_kind,
    a.record as asset_record,
    n.cve_id,
    n.title,
    'open' as status,
    -- how severe the check is says nothing of a CVE
    cast(null as varchar) as severity,
    n.first_evaluated as first_seen,
    n.synced_at as last_seen,
    cast(null as timestamp) as fixed_at,
    cast(to_json({'assessmentKey': n.assessment_key, 'assessment': n.assessment_id}) as varchar) as evidence
from named as n
inner join stg_defender_cloud__assets as a on a.instance = n.instance and a.asset_name = n.asset_name
where not exists (
    select 1 from single as s where s.instance = n.instance and s.asset_record = a.record and s.cve_id = n.cve_id
)
