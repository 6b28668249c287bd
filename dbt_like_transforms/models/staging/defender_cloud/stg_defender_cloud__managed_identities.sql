-- Which resource signs in as which identity
with assigned as (
    select product, instance, stream, sync, page, row_number, synced_at, asset_name, name, tenant_id,
        lower(json_extract_string(identity, '$.principalId')) as principal_id,
        cast(null as varchar) as app_id,
        'SystemAssigned' as assignment
    from stg_defender_cloud__items
    union all
    select product, instance, stream, sync, page, row_number, synced_at, asset_name, cast(null as varchar), tenant_id,
        lower(unnest(json_extract_string(identity, '$.userAssignedIdentities.*.principalId'))),
        cast(null as varchar),
        'UserAssigned'
    from stg_defender_cloud__items
    union all
    -- the identity as a resource of its own
    select product, instance, stream, sync, page, row_number, synced_at, asset_name, name, tenant_id,
        lower(json_extract_string(properties, '$.principalId')),
        lower(json_extract_string(properties, '$.clientId')),
        'Itself'
    from stg_defender_cloud__items
    where resource_type = 'microsoft.managedidentity/userassignedidentities'
)

select
    product, instance, stream, sync, page, row_number, synced_at, asset_name, name, tenant_id, principal_id, app_id, assignment
from assigned
where principal_id <> ''
qualify row_number() over (partition by instance, asset_name, principal_id order by assignment, row_number) = 1
