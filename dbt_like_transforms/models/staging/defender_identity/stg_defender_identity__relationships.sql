-- Edges of Microsoft's graph between nodes that were imported, by labels that exist here
select
    e._product as product,
    e._instance as instance,
    e._stream as stream,
    lower(e.EdgeLabel) as relationship,
    s.kind as source_kind,
    s.record as source_record,
    t.kind as target_kind,
    t.record as target_record,
    cast(e.EdgeProperties as varchar) as properties,
    true as is_active,
    cast(null as timestamp) as first_seen,
    e._synced_at as last_seen
from landed.defender_identity__exposure_edges as e
inner join stg_defender_identity__exposure_nodes as s
    on s.instance = e._instance and s.node_id = e.SourceNodeId and s.kind is not null
inner join stg_defender_identity__exposure_nodes as t
    on t.instance = e._instance and t.node_id = e.TargetNodeId and t.kind is not null
where lower(e.EdgeLabel) in (
    'member of', 'has role on', 'has permissions to', 'can authenticate as', 'can authenticate to', 'can impersonate as',
    'frequently logged in by', 'contains', 'runs on', 'affecting'
)
qualify row_number() over (
    partition by e._instance, lower(e.EdgeLabel), s.record, t.record order by e._record_id
) = 1
