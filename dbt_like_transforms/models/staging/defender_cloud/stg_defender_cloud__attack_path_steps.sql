-- The connections of attack paths between two entities, under Microsoft's labels where they are among them
with paths as (
    select distinct instance, path_id, path from stg_defender_cloud__attack_path_entities
),

connections as (
    select instance, path_id, unnest(json_extract(path, '$.graphComponent.connections[*]')) as c from paths
),

labelled as (
    select
        instance, path_id,
        json_extract_string(c, '$.sourceEntityInternalId') as source_id,
        json_extract_string(c, '$.targetEntityInternalId') as target_id,
        lower(trim(coalesce(json_extract_string(c, '$.title'), json_extract_string(c, '$.type'), ''))) as label
    from connections
)

select
    l.instance,
    l.path_id,
    case when l.label in ('has permission to', 'has permission on', 'has permissions on') then 'has permissions to' else l.label end as label,
    s.entity_type as source_type,
    s.asset_name as source_name,
    t.asset_name as target_name
from labelled as l
inner join stg_defender_cloud__attack_path_entities as s
    on s.instance = l.instance and s.path_id = l.path_id and s.entity_id = l.source_id
inner join stg_defender_cloud__attack_path_entities as t
    on t.instance = l.instance and t.path_id = l.path_id and t.entity_id = l.target_id
