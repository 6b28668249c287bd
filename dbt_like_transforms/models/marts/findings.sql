-- One row a source finding whose asset is known; the others are counted in unresolved_references.
select
    md5('finding:' || f.record) as finding_id,
    f.asset_kind,
    a.asset_id,
    nullif(upper(trim(f.cve_id)), '') as cve_id,
    f.product as source,
    lower(f.status) as status,
    coalesce(lower(f.severity), v.severity, 'info') as severity,
    f.first_seen,
    f.last_seen,
    case when f.status = 'fixed' then coalesce(f.fixed_at, f.last_seen) end as fixed_at,
    json_merge_patch(
        coalesce(f.evidence, '{}'),
        json_object(
            'record', f.record,
            'asset_record', f.asset_record,
            'landed', json_object(
                'instance', f.instance, 'stream', f.stream, 'sync', f.sync, 'page', f.page, 'row', f.row_number
            )
        )
    )::varchar as evidence,
    f.title,
    f.instance,
    f.record as source_record
from stg__findings as f
join int_record_assets as a on a.asset_kind = f.asset_kind and a.record = f.asset_record
left join vulnerabilities as v on v.cve_id = nullif(upper(trim(f.cve_id)), '')
