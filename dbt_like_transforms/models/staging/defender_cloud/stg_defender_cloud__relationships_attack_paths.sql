-- What the steps of attack paths say that two resources can do to each other, where Microsoft has a label for it
with steps as (
    select e.product, s.instance, e.stream, s.label, s.source_name, s.target_name,
        list_sort(array_agg(distinct s.path_id)) as paths
    from stg_defender_cloud__attack_path_steps as s
    inner join stg_defender_cloud__attack_path_entities as e on e.instance = s.instance and e.path_id = s.path_id
    where s.label in (
        'member of', 'has role on', 'has permissions to', 'can authenticate as', 'can authenticate to', 'can impersonate as', 'contains',
        'runs on', 'manages', 'depends on'
    )
    group by e.product, s.instance, e.stream, s.label, s.source_name, s.target_name
),

-- entities that are assets, or identities told by their id in Entra
known as (
    select instance, asset_name, kind, record from stg_defender_cloud__assets
    union all
    select m.instance, m.asset_name, 'identity', i.record
    from stg_defender_cloud__managed_identities as m
    inner join stg_defender_cloud__identities as i on i.instance = m.instance and i.record_id = m.principal_id
    where m.assignment = 'Itself'
    union all
    select instance, record_id, 'identity', record from stg_defender_cloud__identities
)

select
    s.product,
    s.instance,
    s.stream,
    s.label as relationship,
    a.kind as source_kind,
    a.record as source_record,
    b.kind as target_kind,
    b.record as target_record,
    cast(to_json({'attackPaths': s.paths}) as varchar) as properties,
    true as is_active,
    cast(null as timestamp) as first_seen,
    cast(null as timestamp) as last_seen
from steps as s
inner join known as a on a.instance = s.instance and a.asset_name = s.source_name
inner join known as b on b.instance = s.instance and b.asset_name = s.target_name
where a.record <> b.record
qualify row_number() over (partition by s.stream, s.label, a.record, b.record order by s.source_name, s.target_name) = 1
