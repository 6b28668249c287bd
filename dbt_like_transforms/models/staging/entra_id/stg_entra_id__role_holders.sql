-- Who holds a directory role, directly or as a member (at any depth) of a group that does
with recursive given as (
    select _product, _instance, principalId, roleDefinitionId, directoryScopeId, appScopeId, false as is_eligible
    from landed.entra_id__role_assignments
    where principalId <> ''
    union all
    select _product, _instance, principalId, roleDefinitionId, directoryScopeId, appScopeId, true
    from landed.entra_id__role_eligibility
    where principalId <> ''
),

-- an assignment that names the scope of an application, and none of the directory, is within that application
assignments as (
    select *,
        coalesce(nullif(directoryScopeId, ''), nullif(appScopeId, ''), '/') as scope,
        coalesce(directoryScopeId, '') = '' and coalesce(appScopeId, '') not in ('', '/') as is_within
    from given
),

-- union, not union all: groups may contain each other in a circle
group_members(_instance, group_id, member_id) as (
    select m._instance, m.group_id, m.member_id
    from landed.entra_id__group_members as m
    where exists (select 1 from assignments as a where a._instance = m._instance and a.principalId = m.group_id)
    union
    select g._instance, g.group_id, m.member_id
    from group_members as g
    inner join landed.entra_id__group_members as m on m._instance = g._instance and m.group_id = g.member_id
),

holders as (
    select _product, _instance, principalId as principal_id, roleDefinitionId, scope, is_within, is_eligible,
        cast(null as varchar) as through_group
    from assignments
    union all
    select a._product, a._instance, g.member_id, a.roleDefinitionId, a.scope, a.is_within, a.is_eligible, g.group_id
    from assignments as a
    inner join group_members as g on g._instance = a._instance and g.group_id = a.principalId
)

select
    h._product as product,
    h._instance as instance,
    h.principal_id,
    r.record_id as role_id,
    r.display_name as role_name,
    -- over a single application a role is no power over the tenant
    case when not h.is_within and not regexp_matches(h.scope, '^/[0-9a-fA-F-]{36}$') then r.criticality end as role_criticality,
    h.scope as directory_scope,
    h.is_eligible,
    h.through_group
from holders as h
inner join stg_entra_id__identities_roles as r on r.instance = h._instance and r.record_id = h.roleDefinitionId
