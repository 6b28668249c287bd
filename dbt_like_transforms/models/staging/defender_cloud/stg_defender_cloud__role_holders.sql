-- Who holds which Azure role, over what
with defined as (
    -- a role of one's own is listed for every scope it may be given at
    select _instance, regexp_replace(lower(id), '^.*/', '') as role_id,
        min(properties.roleName) as role_name,
        min(case when json_valid(properties.permissions) then properties.permissions end) as permissions
    from landed.defender_cloud__role_definitions
    group by _instance, regexp_replace(lower(id), '^.*/', '')
),

assigned as (
    select *,
        lower(id) as assignment_id,
        nullif(nullif(lower(tenantId), ''), '00000000-0000-0000-0000-000000000000') as tenant_id,
        lower(properties.principalId) as principal_id,
        regexp_replace(lower(properties.roleDefinitionId), '^.*/', '') as role_id,
        -- what a role is over also stands in its own name
        coalesce(
            nullif(lower(properties.scope), ''),
            concat(split_part(lower(id), '/providers/microsoft.authorization/roleassignments/', 1), '/')
        ) as told_scope,
        try_cast(properties.createdOn as timestamptz) at time zone 'UTC' as created_at
    from landed.defender_cloud__role_assignments
    where properties.principalId <> '' and properties.principalId <> '00000000-0000-0000-0000-000000000000'
    qualify row_number() over (partition by _instance, lower(id) order by _row desc) = 1
)

select
    a._product as product,
    a._instance as instance,
    a._stream as stream,
    a._sync as sync,
    a._page as page,
    a._row as row_number,
    a._synced_at as synced_at,
    a.assignment_id,
    a.tenant_id,
    a.principal_id,
    lower(coalesce(a.properties.principalType, '')) as principal_type,
    -- a role over everything is one over the root management group, which has the tenant's own id
    case
        when trim(a.told_scope, '/') = '' then concat('/providers/microsoft.management/managementgroups/', a.tenant_id)
        else rtrim(a.told_scope, '/')
    end as scope,
    a.role_id,
    coalesce(
        nullif(d.role_name, ''),
        -- Azure's own ids of the roles that matter most
        case a.role_id
            when '8e3af657-a8ff-443c-a75c-2fe8c4bcb635' then 'Owner'
            when 'b24988ac-6180-42a0-ab88-20f7382dd24c' then 'Contributor'
            when '18d7d88d-d35e-4fb5-a5c3-7773c20a72d9' then 'User Access Administrator'
            when 'f58310d9-a9f6-439a-9e8d-f62e7b41a168' then 'Role Based Access Control Administrator'
            when 'acdd72a7-3385-48ef-bd42-f606fba81ae7' then 'Reader'
        end,
        a.role_id
    ) as role_name,
    list_sort(list_distinct(coalesce(json_extract_string(d.permissions, '$[*].actions[*]'), cast([] as varchar[])))) as actions,
    list_sort(list_distinct(coalesce(json_extract_string(d.permissions, '$[*].dataActions[*]'), cast([] as varchar[])))) as data_actions,
    nullif(a.properties.condition, '') as condition,
    case when a.created_at between timestamp '1970-01-02' and timestamp '9999-01-01' then a.created_at end as first_seen
from assigned as a
left join defined as d on d._instance = a._instance and d.role_id = a.role_id
