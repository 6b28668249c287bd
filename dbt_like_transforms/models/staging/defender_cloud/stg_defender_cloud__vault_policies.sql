-- Whom a key vault lets read and change what lies in it, where it does not leave that to Azure roles
with policies as (
    select product, instance, stream, sync, page, row_number, synced_at, asset_name, tenant_id,
        unnest(json_extract(properties, '$.accessPolicies[*]')) as policy
    from stg_defender_cloud__items
    where resource_type = 'microsoft.keyvault/vaults'
        and lower(coalesce(json_extract_string(properties, '$.enableRbacAuthorization'), 'false')) <> 'true'
)

select
    product, instance, stream, sync, page, row_number, synced_at, asset_name, tenant_id,
    lower(json_extract_string(policy, '$.objectId')) as principal_id,
    cast(json_extract(policy, '$.permissions') as varchar) as permissions
from policies
where json_extract_string(policy, '$.objectId') <> ''
    and json_extract_string(policy, '$.objectId') <> '00000000-0000-0000-0000-000000000000'
qualify row_number() over (
    partition by instance, asset_name, lower(json_extract_string(policy, '$.objectId')) order by cast(policy as varchar)
) = 1
