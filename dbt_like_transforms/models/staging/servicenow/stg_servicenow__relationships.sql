-- ServiceNow reads "parent type child": 'Depends on::Used by' is parent depends on child. These are its usual types; any
-- other keeps its own words, so that nothing is claimed that the instance does not say
with words as (
    select * from (values
        ('depends on', 'depends on', false),
        ('uses', 'depends on', false),
        ('consumes', 'depends on', false),
        ('runs on', 'runs on', false),
        ('hosted on', 'runs on', false),
        ('contains', 'contains', false),
        ('hosts', 'runs on', true),
        ('owns', 'owns', false),
        ('owned by', 'owns', true),
        ('manages', 'manages', false),
        ('managed by', 'manages', true),
        ('members', 'part of', true)
    ) as v(parent_word, relationship, is_reversed)
),

ends as (
    select
        r._product,
        r._instance,
        r._stream,
        r.sys_created_on,
        r.sys_updated_on,
        r."type.name" as type_name,
        coalesce(
            w.relationship, nullif(lower(trim(split_part(r."type.name", '::', 1))), ''), 'related to'
        ) as relationship,
        coalesce(w.is_reversed, false) as is_reversed,
        p.kind as parent_kind,
        p.record as parent_record,
        c.kind as child_kind,
        c.record as child_record,
        p.state = 'active' and c.state = 'active' as is_active
    from landed.servicenow__relationships as r
    inner join stg_servicenow__items as p on p.instance = r._instance and p.sys_id = r."parent.sys_id"
    inner join stg_servicenow__items as c on c.instance = r._instance and c.sys_id = r."child.sys_id"
    left join words as w on w.parent_word = lower(trim(split_part(r."type.name", '::', 1)))
    where r."parent.sys_id" <> r."child.sys_id"
),

relations as (
    select
        *,
        case when is_reversed then child_kind else parent_kind end as source_kind,
        case when is_reversed then child_record else parent_record end as source_record,
        case when is_reversed then parent_kind else child_kind end as target_kind,
        case when is_reversed then parent_record else child_record end as target_record
    from ends
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
    select _product, _instance, _stream, sys_id, it_application_owner, 'owns', 'it_application_owner'
    from landed.servicenow__business_applications
    union all
    select _product, _instance, _stream, sys_id, owned_by, 'owns', 'owned_by' from landed.servicenow__services
    union all
    select _product, _instance, _stream, sys_id, managed_by, 'manages', 'managed_by' from landed.servicenow__services
    union all
    select _product, _instance, _stream, sys_id, support_group, 'manages', 'support_group' from landed.servicenow__computers
    union all
    select _product, _instance, _stream, sys_id, support_group, 'manages', 'support_group'
    from landed.servicenow__business_applications
    union all
    select _product, _instance, _stream, sys_id, support_group, 'manages', 'support_group' from landed.servicenow__services
),

-- people and groups may answer for an item
holders as (
    select _instance, sys_id from landed.servicenow__users
    union
    select _instance, sys_id from landed.servicenow__user_groups
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
    sys_created_on as first_seen,
    sys_updated_on as last_seen
from relations

union all

select
    o._product, o._instance, o._stream, o.relationship,
    'identity', concat(o._product, ':', o._instance, ':', o.user_id),
    i.kind, i.record,
    cast(to_json({'fields': list_sort(list(distinct o.field))}) as varchar), bool_and(i.state = 'active'),
    cast(null as timestamp), max(i.last_seen)
from owners as o
inner join stg_servicenow__items as i on i.instance = o._instance and i.sys_id = o.sys_id
inner join holders as h on h._instance = o._instance and h.sys_id = o.user_id
group by o._product, o._instance, o._stream, o.relationship, o.user_id, i.kind, i.record

union all

select
    m._product, m._instance, m._stream, 'contains',
    s.kind, s.record, c.kind, c.record,
    cast(to_json({'type': 'svc_ci_assoc'}) as varchar), s.state = 'active' and c.state = 'active',
    m.sys_created_on, m.sys_updated_on
from landed.servicenow__service_members as m
inner join stg_servicenow__items as s on s.instance = m._instance and s.sys_id = m.service_id
inner join stg_servicenow__items as c on c.instance = m._instance and c.sys_id = m.ci_id

union all

-- the application a device is said to serve above all: most instances keep no relation of it
select
    c._product, c._instance, c._stream, 'runs on',
    a.kind, a.record, d.kind, d.record,
    cast(to_json({'type': 'u_primary_business_application'}) as varchar), a.state = 'active' and d.state = 'active',
    cast(null as timestamp), c.sys_updated_on
from landed.servicenow__computers as c
inner join stg_servicenow__items as d on d.instance = c._instance and d.sys_id = c.sys_id
inner join stg_servicenow__items as a on a.instance = c._instance and a.sys_id = c.u_primary_business_application

union all

select
    g._product, g._instance, g._stream, 'member of',
    'identity', concat(g._product, ':', g._instance, ':', g."user"),
    'identity', concat(g._product, ':', g._instance, ':', g."group"),
    cast(null as varchar), true, g.sys_created_on, g.sys_updated_on
from landed.servicenow__group_members as g
inner join landed.servicenow__users as u on u._instance = g._instance and u.sys_id = g."user"
inner join landed.servicenow__user_groups as t on t._instance = g._instance and t.sys_id = g."group"
