-- Resources of Azure that are no machines; what signs in is an identity, what joins other clouds a mere setting
with resources as (
    select *,
        lower(json_extract_string(properties, '$.publicNetworkAccess')) as public_access,
        lower(json_extract_string(properties, '$.networkAcls.defaultAction')) as default_action,
        lower(json_extract_string(properties, '$.apiServerAccessProfile.enablePrivateCluster')) as private_cluster,
        coalesce(json_array_length(json_extract(properties, '$.apiServerAccessProfile.authorizedIPRanges')), 0) as allowed_ranges
    from stg_defender_cloud__items
    where resource_type not in (
        'microsoft.compute/virtualmachines', 'microsoft.hybridcompute/machines',
        'microsoft.managedidentity/userassignedidentities', 'microsoft.security/securityconnectors'
    )
)

select
    concat(product, ':', instance, ':', asset_name) as record,
    product,
    instance,
    stream,
    asset_name as record_id,
    'default' as scope,
    synced_at as observed_at,
    cast(null as timestamp) as first_seen,
    synced_at as last_seen,
    'active' as state,
    'create' as authority,
    sync,
    page,
    row_number,
    name as display_name,
    resource_type,
    'azure' as provider,
    account_id,
    location as region,
    native_id,
    false as is_container,
    -- reachable from the internet is not open: whoever reaches it must still sign in
    case
        when public_access in ('disabled', 'securedbyperimeter') or default_action = 'deny' then false
        when resource_type = 'microsoft.containerservice/managedclusters' then
            coalesce(private_cluster, 'false') <> 'true' and allowed_ranges = 0
        when public_access = 'enabled' or default_action = 'allow' then true
    end as is_internet_facing,
    cast(null as boolean) as contains_sensitive_data,
    cast(null as integer) as criticality,
    cast(to_json({
        'kind': kind,
        'resourceGroup': resource_group,
        'nativeEnvironmentRegionName': location,
        'sku': cast(sku as json),
        'tags': cast(tags as json),
        'publicNetworkAccess': json_extract_string(properties, '$.publicNetworkAccess'),
        'allowBlobPublicAccess': json_extract_string(properties, '$.allowBlobPublicAccess'),
        'minimumTlsVersion': coalesce(
            json_extract_string(properties, '$.minimumTlsVersion'), json_extract_string(properties, '$.minimalTlsVersion')
        ),
        'supportsHttpsTrafficOnly': json_extract_string(properties, '$.supportsHttpsTrafficOnly'),
        'enableSoftDelete': json_extract_string(properties, '$.enableSoftDelete'),
        'networkDefaultAction': json_extract_string(properties, '$.networkAcls.defaultAction'),
        'managedIdentity': json_extract_string(identity, '$.type')
    }) as varchar) as properties
from resources
