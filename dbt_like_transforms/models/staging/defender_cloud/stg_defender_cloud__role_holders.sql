-- Who holds which Azure role, over what
with roles as (
    -- a role of one's own is listed for every scope it may be given at
    select _instance, regexp_replace(lower(id), '^.*/', '') as role_id, min(properties.roleName) as role_name
    from landed.defender_cloud__role_definitions
    group by _instance, regexp_replace(lower(id), '^.*/', '')
)

select
    a._product as product,
    a._instance as instance,
    a._stream as stream,
    a._sync as sync,
    a._page as page,
    a._row as row_number,
    a._synced_at as synced_at,
    lower(a.id) as assignment_id,
    lower(a.tenantId) as tenant_id,
    lower(a.properties.principalId) as principal_id,
    lower(coalesce(a.properties.principalType, '')) as principal_type,
    -- a role over everything is one over the root management group, which has the tenant's own id
    case
        when trim(a.properties.scope, '/') = ''
        then concat('/providers/microsoft.management/managementgroups/', lower(a.tenantId))
        else rtrim(lower(a.properties.scope), '/')
    end as scope,
    regexp_replace(lower(a.properties.roleDefinitionId), '^.*/', '') as role_id,
    coalesce(r.role_name, regexp_replace(lower(a.properties.roleDefinitionId), '^.*/', '')) as role_name,
    a.properties.condition as condition,
    a.properties.createdOn as first_seen
from landed.defender_cloud__role_assignments as a
left join roles as r
    on r._instance = a._instance and r.role_id = regexp_replace(lower(a.properties.roleDefinitionId), '^.*/', '')
where a.properties.principalId <> ''
qualify row_number() over (partition by a._instance, lower(a.id) order by a._row desc) = 1
