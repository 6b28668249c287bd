-- Memberships, owners and directory roles; Microsoft's labels, in Microsoft's directions
with owned as (
    select _product, _instance, _stream, id, unnest(owners).id as owner_id from landed.entra_id__applications
    union all
    select _product, _instance, _stream, id, unnest(owners).id from landed.entra_id__service_principals
    union all
    select _product, _instance, _stream, group_id, owner_id from landed.entra_id__group_owners
),

targets as (
    select instance, record_id, 'application' as kind, record, 'applications' as stream from stg_entra_id__applications
    union all
    select instance, record_id, 'identity', record, 'service_principals' from stg_entra_id__identities_service_principals
    union all
    select instance, record_id, 'identity', record, 'group_owners' from stg_entra_id__identities_groups
),

people_of_devices as (
    select _product, _instance, _stream, device_id, user_id, list_sort(array_agg(distinct relation)) as relations
    from landed.entra_id__device_owners
    group by _product, _instance, _stream, device_id, user_id
),

roles_held as (
    select h.product, h.instance, h.principal_id, h.role_id,
        array_agg(distinct h.directory_scope) as scopes,
        bool_and(h.is_eligible) as only_eligible,
        min(h.role_name) as role_name
    from stg_entra_id__role_holders as h
    where h.through_group is null and not regexp_matches(h.directory_scope, '^/[0-9a-fA-F-]{36}$')
    group by h.product, h.instance, h.principal_id, h.role_id
),

-- a role over one application or service principal is a role on that object
roles_on_objects as (
    select h.product, h.instance, h.principal_id, substr(h.directory_scope, 2) as object_id,
        bool_and(h.is_eligible) as only_eligible,
        list_sort(array_agg(distinct h.role_name)) as role_names
    from stg_entra_id__role_holders as h
    where h.through_group is null and regexp_matches(h.directory_scope, '^/[0-9a-fA-F-]{36}$')
    group by h.product, h.instance, h.principal_id, h.directory_scope
),

statements as (
    select m._product as product, m._instance as instance, m._stream as stream, 'member of' as relationship,
        p.kind as source_kind, p.record as source_record, 'identity' as target_kind, g.record as target_record,
        cast('{}' as varchar) as properties
    from landed.entra_id__group_members as m
    inner join stg_entra_id__principals as p on p.instance = m._instance and p.object_id = m.member_id
    inner join stg_entra_id__identities_groups as g on g.instance = m._instance and g.record_id = m.group_id
    union all
    select h.product, h.instance, 'role_assignments', 'has role on', p.kind, p.record, 'identity', r.record,
        cast(to_json({
            'roles': {'type': 'RolePermission', 'rolePermissions': [cast(to_json({'roleValue': h.role_name}) as varchar)]},
            'assignmentType': case when h.only_eligible then 'Eligible' else 'Active' end,
            'directoryScopes': list_sort(h.scopes)
        }) as varchar)
    from roles_held as h
    inner join stg_entra_id__principals as p on p.instance = h.instance and p.object_id = h.principal_id
    inner join stg_entra_id__identities_roles as r on r.instance = h.instance and r.record_id = h.role_id
    union all
    select h.product, h.instance, 'role_assignments', 'has role on', p.kind, p.record, t.kind, t.record,
        cast(to_json({
            'roles': {
                'type': 'RolePermission',
                'rolePermissions': list_transform(
                    h.role_names, lambda name: cast(to_json({'roleValue': name}) as varchar)
                )
            },
            'assignmentType': case when h.only_eligible then 'Eligible' else 'Active' end
        }) as varchar)
    from roles_on_objects as h
    inner join stg_entra_id__principals as p on p.instance = h.instance and p.object_id = h.principal_id
    inner join targets as t on t.instance = h.instance and t.record_id = h.object_id
    union all
    select distinct o._product, o._instance, o._stream, 'has role on', p.kind, p.record, t.kind, t.record,
        '{"roles":{"type":"RolePermission","rolePermissions":["{\"roleValue\":\"Owner\"}"]}}'
    from owned as o
    inner join stg_entra_id__principals as p on p.instance = o._instance and p.object_id = o.owner_id
    inner join targets as t on t.instance = o._instance and t.record_id = o.id and t.stream = o._stream
    union all
    select o._product, o._instance, o._stream, 'frequently logged in by', 'device', d.record, p.kind, p.record,
        cast(to_json({'registeredAs': o.relations}) as varchar)
    from people_of_devices as o
    inner join stg_entra_id__devices as d on d.instance = o._instance and d.record_id = o.device_id
    inner join stg_entra_id__principals as p on p.instance = o._instance and p.object_id = o.user_id and p.kind = 'identity'
)

select
    product, instance, stream, relationship, source_kind, source_record, target_kind, target_record, properties,
    true as is_active, cast(null as timestamp) as first_seen, cast(null as timestamp) as last_seen
from statements
