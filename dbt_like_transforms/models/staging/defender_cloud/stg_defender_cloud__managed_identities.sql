-- Which resource signs in as which identity
with itself as (
    -- the identity as a resource of its own
    select product, instance, stream, sync, page, row_number, synced_at, asset_name, name, tenant_id,
        lower(json_extract_string(properties, '$.principalId')) as principal_id,
        lower(json_extract_string(properties, '$.clientId')) as app_id
    from stg_defender_cloud__items
    where resource_type = 'microsoft.managedidentity/userassignedidentities'
),

-- the identities that were given to a resource, by their names; some resources tell their ids, some do not
given as (
    select *, unnest(json_keys(identity, '$.userAssignedIdentities')) as identity_name
    from stg_defender_cloud__items
    where json_type(identity, '$.userAssignedIdentities') = 'OBJECT'
),

told as (
    select *,
        lower(json_extract_string(json_extract(identity, concat('$.userAssignedIdentities."', identity_name, '"')), '$.principalId')) as told_id
    from given
),

assigned as (
    select product, instance, stream, sync, page, row_number, synced_at, asset_name, name, tenant_id,
        lower(json_extract_string(identity, '$.principalId')) as principal_id,
        cast(null as varchar) as app_id,
        'SystemAssigned' as assignment
    from stg_defender_cloud__items
    union all
    select t.product, t.instance, t.stream, t.sync, t.page, t.row_number, t.synced_at, t.asset_name, cast(null as varchar), t.tenant_id,
        coalesce(nullif(nullif(t.told_id, ''), '00000000-0000-0000-0000-000000000000'), i.principal_id),
        cast(null as varchar), 'UserAssigned'
    from told as t
    left join itself as i on i.instance = t.instance and i.asset_name = lower(t.identity_name)
    union all
    -- the identity by which the nodes of a cluster act
    select product, instance, stream, sync, page, row_number, synced_at, asset_name, cast(null as varchar), tenant_id,
        lower(json_extract_string(properties, '$.identityProfile.kubeletidentity.objectId')),
        lower(json_extract_string(properties, '$.identityProfile.kubeletidentity.clientId')),
        'UserAssigned'
    from stg_defender_cloud__items
    where resource_type = 'microsoft.containerservice/managedclusters'
    union all
    select *, 'Itself' from itself
)

select
    product, instance, stream, sync, page, row_number, synced_at, asset_name, name, tenant_id, principal_id, app_id, assignment
from assigned
where principal_id <> '' and principal_id <> '00000000-0000-0000-0000-000000000000'
qualify row_number() over (partition by instance, asset_name, principal_id order by assignment, row_number) = 1
