with relations as (
    select
        r._product,
        r._instance,
        r._stream,
        r.sys_updated_on,
        r."type.name" as type_name,
        -- ServiceNow reads "parent type child": 'Depends on::Used by' is parent depends on child
        case lower(split_part(r."type.name", '::', 1))
            when 'depends on' then 'depends on'
            when 'consumes' then 'depends on'
            when 'uses' then 'depends on'
            when 'runs on' then 'runs on'
            when 'hosted on' then 'runs on'
            when 'contains' then 'contains'
            when 'hosts' then 'contains'
            when 'owns' then 'owns'
            when 'manages' then 'manages'
            else 'depends on'
        end as relationship,
        p.kind as source_kind,
        p.record as source_record,
        c.kind as target_kind,
        c.record as target_record,
        p.state = 'active' and c.state = 'active' as is_active
    from landed.servicenow__relationships as r
    inner join stg_servicenow__items as p on p.instance = r._instance and p.sys_id = r."parent.sys_id"
    inner join stg_servicenow__items as c on c.instance = r._instance and c.sys_id = r."child.sys_id"
),

owners as (
    select _product, _instance, _stream, sys_id, assigned_to as user_id, 'owns' as relationship, 'assigned_to' as field
    from landed.servicenow__computers
    union all
    select _product, _instance, _stream, sys_id, owned_by, 'owns', 'owned_by' from landed.servicenow__computers
    union all
    select _product, _instance, _stream, sys_id, managed_by, 'manages', 'managed_by' from landed.servicenow__computers
    union all
    select _product, _instance, _stream, sys_id, owned_by, 'owns', 'owned_by' from landed.servicenow__business_applications
    union all
    select _product, _instance, _stream, sys_id, managed_by, 'manages', 'managed_by'
    from landed.servicenow__business_applications
    union all
    select _product, _instance, _stream, sys_id, owned_by, 'owns', 'owned_by' from landed.servicenow__services
)

select
    _product as product,
    _instance as instance,
    _stream as stream,
    relationship,
    source_kind,
    source_record,
    target_kind,
    target_record,
    cast(to_json({'type': type_name}) as varchar) as properties,
    is_active,
    cast(null as timestamp) as first_seen,
    sys_updated_on as last_seen
from relations
where source_record <> target_record

union all

select
    o._product, o._instance, o._stream, o.relationship,
    'identity', concat(o._product, ':', o._instance, ':', o.user_id),
    i.kind, i.record,
    cast(to_json({'type': o.field}) as varchar), i.state = 'active', cast(null as timestamp), u.sys_updated_on
from owners as o
inner join stg_servicenow__items as i on i.instance = o._instance and i.sys_id = o.sys_id
inner join landed.servicenow__users as u on u._instance = o._instance and u.sys_id = o.user_id

union all

select
    m._product, m._instance, m._stream, 'contains',
    s.kind, s.record, c.kind, c.record,
    cast(to_json({'type': 'svc_ci_assoc'}) as varchar), s.state = 'active' and c.state = 'active',
    cast(null as timestamp), m.sys_updated_on
from landed.servicenow__service_members as m
inner join stg_servicenow__items as s on s.instance = m._instance and s.sys_id = m.service_id
inner join stg_servicenow__items as c on c.instance = m._instance and c.sys_id = m.ci_id

union all

select
    g._product, g._instance, g._stream, 'member of',
    'identity', concat(g._product, ':', g._instance, ':', g."user"),
    'identity', concat(g._product, ':', g._instance, ':', g."group"),
    cast(null as varchar), true, cast(null as timestamp), g.sys_updated_on
from landed.servicenow__group_members as g
inner join landed.servicenow__users as u on u._instance = g._instance and u.sys_id = g."user"
inner join landed.servicenow__user_groups as t on t._instance = g._instance and t.sys_id = g."group"
