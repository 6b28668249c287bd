-- Findings and relationships that are left out because an end of them belongs to no asset, counted by what is missing.
with missing as (
    select
        'finding' as reference, f.product, f.instance, f.stream, 'affecting' as relationship,
        f.asset_kind, f.asset_record as record
    from stg__findings as f
    left join int_record_assets as a on a.asset_kind = f.asset_kind and a.record = f.asset_record
    where a.asset_id is null
    union all
    select 'relationship', product, instance, stream, relationship, source_kind, source_record
    from int_relationship_ends
    where is_active and source_id is null
    union all
    select 'relationship', product, instance, stream, relationship, target_kind, target_record
    from int_relationship_ends
    where is_active and target_id is null
)

select
    m.reference, m.product, m.instance, m.stream, m.relationship, m.asset_kind,
    case when a.record is null then 'not reported' else 'held' end as reason,
    count(*) as records
from missing as m
left join int_assignments as a on a.asset_kind = m.asset_kind and a.record = m.record
group by m.reference, m.product, m.instance, m.stream, m.relationship, m.asset_kind, (a.record is null)
