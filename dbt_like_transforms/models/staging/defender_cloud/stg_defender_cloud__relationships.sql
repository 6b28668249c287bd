-- What lies in what, who may do what to it, and as whom it signs in; Microsoft's labels, in Microsoft's directions
with containers as (
    select c._product, c._instance, c._stream, lower(c.id) as child_name,
        case lower(c.type)
            when 'microsoft.resources/subscriptions/resourcegroups' then concat('/subscriptions/', lower(c.subscriptionId))
            when 'microsoft.resources/subscriptions' then concat(
                '/providers/microsoft.management/managementgroups/', lower(c.properties.managementGroupAncestorsChain[1].name)
            )
            else concat(
                '/providers/microsoft.management/managementgroups/',
                lower(coalesce(
                    c.properties.details.managementGroupAncestorsChain[1].name, c.properties.managementGroupAncestorsChain[1].name
                ))
            )
        end as parent_name
    from landed.defender_cloud__containers as c
),

contents as (
    select _product, _instance, _stream, parent_name, child_name from containers
    union
    select product, instance, stream,
        case
            when strpos(asset_name, '/resourcegroups/') > 0 then regexp_extract(asset_name, '^/subscriptions/[^/]+/resourcegroups/[^/]+')
            else concat('/subscriptions/', account_id)
        end,
        asset_name
    from stg_defender_cloud__items
    union
    select product, instance, stream, lower(account_name), asset_name
    from stg_defender_cloud__foreign
    where account_name is not null
),

roles_held as (
    select product, instance, stream, principal_id, scope,
        list_sort(array_agg({
            'name': role_name, 'id': role_id, 'roleAssignmentId': assignment_id, 'condition': condition
        })) as roles,
        min(first_seen) as first_seen
    from stg_defender_cloud__role_holders
    group by product, instance, stream, principal_id, scope
)

select
    c._product as product,
    c._instance as instance,
    c._stream as stream,
    'contains' as relationship,
    p.kind as source_kind,
    p.record as source_record,
    k.kind as target_kind,
    k.record as target_record,
    '{}' as properties,
    true as is_active,
    cast(null as timestamp) as first_seen,
    cast(null as timestamp) as last_seen
from contents as c
inner join stg_defender_cloud__assets as p on p.instance = c._instance and p.asset_name = c.parent_name
inner join stg_defender_cloud__assets as k on k.instance = c._instance and k.asset_name = c.child_name
union all
select
    h.product, h.instance, h.stream, 'has role on', 'identity', i.record, a.kind, a.record,
    cast(to_json({'permissions': {'roles': h.roles}}) as varchar), true, h.first_seen, cast(null as timestamp)
from roles_held as h
inner join stg_defender_cloud__identities as i on i.instance = h.instance and i.record_id = h.principal_id
inner join stg_defender_cloud__assets as a on a.instance = h.instance and a.asset_name = h.scope
union all
select
    m.product, m.instance, m.stream, 'can authenticate as', a.kind, a.record, 'identity', i.record,
    cast(to_json({'identityType': m.assignment}) as varchar), true, cast(null as timestamp), cast(null as timestamp)
from stg_defender_cloud__managed_identities as m
inner join stg_defender_cloud__assets as a on a.instance = m.instance and a.asset_name = m.asset_name
inner join stg_defender_cloud__identities as i on i.instance = m.instance and i.record_id = m.principal_id
where m.assignment <> 'Itself'
