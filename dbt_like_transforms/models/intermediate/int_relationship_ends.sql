-- Every statement that two records are related, with the assets its ends belong to (null where there is none).
with statements as (
    select
        product, instance, stream, relationship, source_kind, source_record, target_kind, target_record,
        properties, is_active, first_seen, last_seen
    from stg__relationships
    union all
    select
        split_part(source_record, ':', 1), split_part(source_record, ':', 2), 'resolution', relationship,
        'device', source_record, 'device', target_record,
        json_object('reason', reason)::varchar, true, null, null
    from int_devices_links
    union all
    select
        split_part(source_record, ':', 1), split_part(source_record, ':', 2), 'resolution', relationship,
        'identity', source_record, 'identity', target_record,
        json_object('reason', reason)::varchar, true, null, null
    from int_identities_links
    union all
    select
        split_part(source_record, ':', 1), split_part(source_record, ':', 2), 'resolution', relationship,
        'application', source_record, 'application', target_record,
        json_object('reason', reason)::varchar, true, null, null
    from int_applications_links
)

select
    r.product,
    r.instance,
    r.stream,
    lower(trim(r.relationship)) as relationship,
    r.source_kind,
    r.source_record,
    s.asset_id as source_id,
    r.target_kind,
    r.target_record,
    t.asset_id as target_id,
    r.properties,
    r.is_active,
    r.first_seen,
    r.last_seen
from statements as r
left join int_record_assets as s on s.asset_kind = r.source_kind and s.record = r.source_record
left join int_record_assets as t on t.asset_kind = r.target_kind and t.record = r.target_record
