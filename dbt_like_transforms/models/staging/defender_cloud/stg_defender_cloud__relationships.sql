-- What lies in what, who may do what to it, and as whom it signs in; Microsoft's labels, in Microsoft's directions
with containers as (
    select c._product as product, c._instance as instance, c._stream as stream, lower(c.id) as child_name,
        case lower(c.type)
            when 'microsoft.resources/subscriptions/resourcegroups' then concat('/subscriptions/', lower(c.subscriptionId))
            when 'microsoft.resources/subscriptions' then concat(
                '/providers/microsoft.management/managementgroups/', lower(c.properties.managementGroupAncestorsChain[1].name)
            )
        end as parent_name
    from landed.defender_cloud__containers as c
    where lower(c.type) <> 'microsoft.management/managementgroups'
    union all
    select product, instance, stream, group_name, parent_name
    from stg_defender_cloud__management_groups
    where parent_name is not null
),

resources as (
    select product, instance, stream, asset_name, account_id from stg_defender_cloud__items
    union all
    select product, instance, stream, record_id, account_id from stg_defender_cloud__cloud_resources_assessed
),

contents as (
    select product, instance, stream, parent_name, child_name from containers
    union
    -- a database lies in its server where that is in sight, everything else in its resource group
    select r.product, r.instance, r.stream,
        coalesce(
            p.asset_name,
            case
                when strpos(r.asset_name, '/resourcegroups/') > 0
                then regexp_extract(r.asset_name, '^/subscriptions/[^/]+/resourcegroups/[^/]+')
                else concat('/subscriptions/', r.account_id)
            end
        ),
        r.asset_name
    from resources as r
    left join resources as p
        on p.instance = r.instance
        and p.asset_name = nullif(regexp_extract(r.asset_name, '^(.*/providers/[^/]+/[^/]+/[^/]+.*)/[^/]+/[^/]+$', 1), '')
    union
    select product, instance, stream, lower(account_name), asset_name
    from stg_defender_cloud__foreign
    where account_name is not null
),

roles_held as (
    select product, instance, stream, principal_id, scope,
        list_sort(array_agg({
            'name': role_name, 'id': role_id, 'roleAssignmentId': assignment_id, 'actions': actions, 'dataActions': data_actions,
            'condition': condition
        })) as roles,
        min(first_seen) as first_seen
    from stg_defender_cloud__role_holders
    group by product, instance, stream, principal_id, scope
)

select
    c.product,
    c.instance,
    c.stream,
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
inner join stg_defender_cloud__assets as p on p.instance = c.instance and p.asset_name = c.parent_name
inner join stg_defender_cloud__assets as k on k.instance = c.instance and k.asset_name = c.child_name
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
union all
select
    v.product, v.instance, v.stream, 'has permissions to', 'identity', i.record, a.kind, a.record,
    cast(to_json({'permissions': cast(v.permissions as json)}) as varchar), true, cast(null as timestamp), cast(null as timestamp)
from stg_defender_cloud__vault_policies as v
inner join stg_defender_cloud__identities as i on i.instance = v.instance and i.record_id = v.principal_id
inner join stg_defender_cloud__assets as a on a.instance = v.instance and a.asset_name = v.asset_name
