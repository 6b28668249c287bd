-- Findings of a cloud posture product that are no CVE, open on an asset that is not retired: advice such as "HTTPS only".
select
    md5('recommendation:' || f.source || ':' || coalesce(json_extract_string(f.evidence, '$.assessmentKey'), f.title)) as node_id,
    f.asset_kind,
    f.asset_id,
    f.source,
    f.title,
    f.severity,
    json_extract_string(f.evidence, '$.assessmentKey') as assessment_key,
    f.first_seen,
    f.last_seen
from findings as f
join assets as a on a.asset_kind = f.asset_kind and a.node_id = f.asset_id
where f.status = 'open' and f.cve_id is null and f.title is not null
    -- an attack path is what weaknesses add up to, and no advice
    and json_extract_string(f.evidence, '$.attackPathId') is null
    and f.source in (select product from int_product_roles where role = 'cloud_posture')
