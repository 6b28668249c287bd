-- Resources of Azure that are no machines; what signs in is an identity, what joins other clouds a mere setting
with resources as (
    select *,
        list_filter(
            [
                json_extract_string(properties, '$.publicNetworkAccess'), json_extract_string(properties, '$.network.publicNetworkAccess')
            ],
            lambda v: v <> ''
        )[1] as told_access,
        list_filter(
            [
                json_extract_string(properties, '$.networkAcls.defaultAction'),
                json_extract_string(properties, '$.networkRuleSet.defaultAction')
            ],
            lambda v: v <> ''
        )[1] as told_action,
        lower(told_access) as public_access,
        lower(told_action) as default_action,
        -- rules of its own let in only what they name
        coalesce(json_array_length(json_extract(properties, '$.ipRules')), 0) > 0
            or lower(coalesce(json_extract_string(properties, '$.isVirtualNetworkFilterEnabled'), 'false')) = 'true' as is_filtered,
        lower(json_extract_string(properties, '$.apiServerAccessProfile.enablePrivateCluster')) as private_cluster,
        lower(coalesce(
            json_extract_string(properties, '$.configuration.ingress.external'), json_extract_string(properties, '$.publicDataEndpointEnabled')
        )) as opened,
        lower(json_extract_string(properties, '$.ipAddress.type')) as address_type,
        list_filter(
            coalesce(
                json_extract_string(properties, '$.apiServerAccessProfile.authorizedIPRanges[*]'), cast([] as varchar[])
            ),
            lambda range: range not in ('0.0.0.0/0', '::/0')
        ) as allowed_ranges
    from stg_defender_cloud__items
    where resource_type not in (
        'microsoft.compute/virtualmachines', 'microsoft.hybridcompute/machines',
        'microsoft.managedidentity/userassignedidentities', 'microsoft.security/securityconnectors'
    )
)

select
    concat(i.product, ':', i.instance, ':', i.asset_name) as record,
    i.product,
    i.instance,
    i.stream,
    i.asset_name as record_id,
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
        when r.is_internet_exposed then true
        when public_access in ('disabled', 'securedbyperimeter') or default_action = 'deny' or is_filtered then false
        when resource_type = 'microsoft.containerservice/managedclusters' then
            coalesce(private_cluster, 'false') <> 'true' and array_length(allowed_ranges) = 0
        when resource_type in ('microsoft.app/containerapps', 'microsoft.sql/managedinstances') then opened = 'true'
        when resource_type = 'microsoft.containerinstance/containergroups' then coalesce(address_type = 'public', false)
        -- what was never set on these is open
        when resource_type in ('microsoft.storage/storageaccounts', 'microsoft.keyvault/vaults') and properties is not null then true
        when public_access = 'enabled' or default_action = 'allow' then true
    end as is_internet_facing,
    case when r.holds_sensitive_data then true end as contains_sensitive_data,
    cast(null as integer) as criticality,
    cast(to_json({
        'kind': kind,
        'resourceGroup': resource_group,
        'nativeEnvironmentRegionName': location,
        'sku': cast(sku as json),
        'tags': cast(tags as json),
        'publicNetworkAccess': told_access,
        'allowBlobPublicAccess': json_extract(properties, '$.allowBlobPublicAccess'),
        'minimumTlsVersion': coalesce(
            json_extract_string(properties, '$.minimumTlsVersion'), json_extract_string(properties, '$.minimalTlsVersion')
        ),
        'supportsHttpsTrafficOnly': json_extract(properties, '$.supportsHttpsTrafficOnly'),
        'enableSoftDelete': json_extract(properties, '$.enableSoftDelete'),
        'enableRbacAuthorization': json_extract(properties, '$.enableRbacAuthorization'),
        'networkDefaultAction': told_action,
        'managedIdentity': json_extract_string(identity, '$.type')
    }) as varchar) as properties
from resources as i
left join stg_defender_cloud__risks as r on r.instance = i.instance and r.asset_name = i.asset_name
