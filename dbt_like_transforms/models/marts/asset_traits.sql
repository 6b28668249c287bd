-- What rules of criticality ask about besides an asset's own columns: groups and roles it is in or holds, also through
-- other groups; roles of the people who use a machine; software on it; how many identities may read a vault.
with recursive membership as (
    select source_kind as asset_kind, source_id as asset_id, target_id as group_id, 1 as depth
    from relationships
    where relationship = 'member of' and target_kind = 'identity'
    union
    select m.asset_kind, m.asset_id, r.target_id, m.depth + 1
    from membership as m
    join relationships as r on r.source_kind = 'identity' and r.source_id = m.group_id
    where r.relationship = 'member of' and r.target_kind = 'identity' and m.depth < 6
),

in_groups as (
    select m.asset_kind, m.asset_id, list_sort(array_agg(distinct g.display_name)) as groups
    from membership as m
    join identities as g on g.identity_id = m.group_id
    group by m.asset_kind, m.asset_id
),

principals as (
    select asset_kind, asset_id, group_id as principal_id from membership
    union
    select 'identity', identity_id, identity_id from identities
),

held as (
    select p.asset_kind, p.asset_id, d.display_name as role_name
    from principals as p
    join relationships as r on r.source_kind = 'identity' and r.source_id = p.principal_id
    join identities as d on d.identity_id = r.target_id and r.target_kind = 'identity'
    where r.relationship = 'has role on' and d.identity_type = 'role'
    union
    select p.asset_kind, p.asset_id, d.display_name
    from principals as p
    join identities as d on d.identity_id = p.principal_id
    where d.identity_type = 'role'
),

roles as (
    select asset_kind, asset_id, list_sort(array_agg(distinct role_name)) as roles
    from held
    group by asset_kind, asset_id
),

used_by as (
    select 'device' as asset_kind, r.source_id as asset_id, list_sort(array_agg(distinct h.role_name)) as user_roles
    from relationships as r
    join held as h on h.asset_kind = 'identity' and h.asset_id = r.target_id
    where r.relationship = 'frequently logged in by' and r.source_kind = 'device'
    group by r.source_id
),

user_groups as (
    select 'device' as asset_kind, r.source_id as asset_id, list_sort(array_agg(distinct g.display_name)) as user_groups
    from relationships as r
    join membership as m on m.asset_kind = 'identity' and m.asset_id = r.target_id
    join identities as g on g.identity_id = m.group_id
    where r.relationship = 'frequently logged in by' and r.source_kind = 'device'
    group by r.source_id
),

installed as (
    select 'device' as asset_kind, r.target_id as asset_id, list_sort(array_agg(distinct replace(a.display_name, '_', ' '))) as software
    from relationships as r
    join applications as a on a.application_id = r.source_id
    where r.relationship = 'runs on' and r.source_kind = 'application' and r.target_kind = 'device' and a.application_type = 'software'
    group by r.target_id
),

accessed as (
    select target_kind as asset_kind, target_id as asset_id, count(distinct source_id) as identities_with_access
    from relationships
    where relationship in ('has role on', 'has permissions to') and source_kind = 'identity'
    group by target_kind, target_id
)

select
    a.asset_kind,
    a.node_id as asset_id,
    a.node_label,
    coalesce(g.groups, []) as groups,
    coalesce(r.roles, []) as roles,
    coalesce(u.user_roles, []) as user_roles,
    coalesce(ug.user_groups, []) as user_groups,
    coalesce(s.software, []) as software,
    coalesce(x.identities_with_access, 0) as identities_with_access
from assets as a
left join in_groups as g on g.asset_kind = a.asset_kind and g.asset_id = a.node_id
left join roles as r on r.asset_kind = a.asset_kind and r.asset_id = a.node_id
left join used_by as u on u.asset_kind = a.asset_kind and u.asset_id = a.node_id
left join user_groups as ug on ug.asset_kind = a.asset_kind and ug.asset_id = a.node_id
left join installed as s on s.asset_kind = a.asset_kind and s.asset_id = a.node_id
left join accessed as x on x.asset_kind = a.asset_kind and x.asset_id = a.node_id
