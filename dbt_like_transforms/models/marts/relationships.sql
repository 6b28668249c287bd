-- One row an edge between two assets, whichever products report it. Edges that no longer hold are left out, as are
-- those whose ends turned out to be one asset; ends that belong to no asset are counted in unresolved_references.
with edges as (
    select
        md5(
            'relationship:' || relationship || '|' || source_kind || '|' || source_id || '|' || target_kind || '|'
            || target_id
        ) as relationship_id,
        *
    from int_relationship_ends
    where is_active
        and source_id is not null
        and target_id is not null
        and not (source_kind = target_kind and source_id = target_id)
),

said as (
    select
        relationship_id,
        list_sort(array_agg(distinct properties) filter (where properties is not null)) as statements
    from edges
    group by relationship_id
)

select
    e.relationship_id,
    any_value(e.relationship) as relationship,
    any_value(e.source_kind) as source_kind,
    any_value(e.source_id) as source_id,
    any_value(e.target_kind) as target_kind,
    any_value(e.target_id) as target_id,
    any_value(
        case
            when array_length(s.statements) = 1 then s.statements[1]
            when array_length(s.statements) > 1 then json_merge_patch(
                list_reduce(s.statements, lambda merged, statement: json_merge_patch(merged, statement)::varchar),
                json_object('statements', list_transform(s.statements, lambda statement: statement::json))
            )::varchar
        end
    ) as properties,
    list_sort(array_agg(distinct e.product)) as discovery_sources,
    min(e.first_seen) as first_seen,
    max(e.last_seen) as last_seen
from edges as e
join said as s on s.relationship_id = e.relationship_id
group by e.relationship_id
