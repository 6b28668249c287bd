-- What applications may do, as whom they sign in, and who may use them
with applications as (
    select instance, record, service_principal_id from stg_entra_id__applications where service_principal_id is not null
    union all
    select instance, record, service_principal_id from stg_entra_id__applications_enterprise
),

app_roles as (
    select _instance, id as resource_id, unnest(appRoles) as app_role from landed.entra_id__service_principals
),

assigned as (
    -- what is assigned says of what type it is, but not always
    select a._product, a._instance, a._stream, a.principalId, a.resourceId,
        coalesce(lower(a.principalType) = 'serviceprincipal', false) as is_application,
        list_sort(array_agg(distinct coalesce(r.app_role.value, 'Default access'))) as roles,
        min(a.createdDateTime) as first_seen,
        bool_or(a.deletedDateTime is null) as is_active
    from landed.entra_id__app_role_assignments as a
    left join app_roles as r
        on r._instance = a._instance and r.resource_id = a.resourceId and r.app_role.id = a.appRoleId
    group by a._product, a._instance, a._stream, a.principalId, a.resourceId,
        coalesce(lower(a.principalType) = 'serviceprincipal', false)
),

scopes as (
    select _product, _instance, _stream, clientId, consentType, principalId, resourceId,
        unnest(string_split(trim(coalesce(scope, '')), ' ')) as scope
    from landed.entra_id__oauth2_permission_grants
),

delegated as (
    select _product, _instance, _stream, clientId, consentType, principalId, resourceId,
        list_sort(array_agg(distinct scope)) as scopes
    from scopes
    where scope <> ''
    group by _product, _instance, _stream, clientId, consentType, principalId, resourceId
),

impersonated as (
    select _product, _instance, _stream, clientId, principalId,
        list_sort(list_distinct(flatten(array_agg(scopes)))) as scopes
    from delegated
    where consentType = 'Principal' and principalId is not null
    group by _product, _instance, _stream, clientId, principalId
)

select
    a._product as product,
    a._instance as instance,
    a._stream as stream,
    case when a.is_application then 'has permissions to' else 'can authenticate to' end as relationship,
    p.kind as source_kind,
    p.record as source_record,
    'application' as target_kind,
    t.record as target_record,
    cast(to_json({
        'applicationPermissions': {
            'type': 'OAuthPermission',
            'permissions': list_transform(a.roles, lambda name: cast(to_json({'permissionValue': name}) as varchar))
        }
    }) as varchar) as properties,
    a.is_active,
    a.first_seen,
    cast(null as timestamp) as last_seen
from assigned as a
inner join stg_entra_id__principals as p on p.instance = a._instance and p.object_id = a.principalId
inner join applications as t on t.instance = a._instance and t.service_principal_id = a.resourceId
union all
select
    d._product, d._instance, d._stream, 'has permissions to', p.kind, p.record, 'application', t.record,
    cast(to_json({
        'delegatedPermissions': {
            'type': 'OAuthPermission',
            'permissions': list_transform(d.scopes, lambda name: cast(to_json({'permissionValue': name}) as varchar))
        }
    }) as varchar),
    true, cast(null as timestamp), cast(null as timestamp)
from delegated as d
inner join stg_entra_id__principals as p on p.instance = d._instance and p.object_id = d.clientId
inner join applications as t on t.instance = d._instance and t.service_principal_id = d.resourceId
where d.consentType = 'AllPrincipals'
union all
select
    i._product, i._instance, i._stream, 'can impersonate as', p.kind, p.record, u.kind, u.record,
    cast(to_json({'delegatedPermissions': i.scopes}) as varchar),
    true, cast(null as timestamp), cast(null as timestamp)
from impersonated as i
inner join stg_entra_id__principals as p on p.instance = i._instance and p.object_id = i.clientId
inner join stg_entra_id__principals as u on u.instance = i._instance and u.object_id = i.principalId
union all
select
    s.product, s.instance, s.stream, 'can authenticate as', 'application', a.record, 'identity', s.record,
    '{}', true, cast(null as timestamp), cast(null as timestamp)
from stg_entra_id__identities_service_principals as s
inner join applications as a on a.instance = s.instance and a.service_principal_id = s.record_id
