-- Entra knows neither serial numbers nor network addresses: deviceId is what joins its devices to other products'
with owners as (
    select o._instance, o.device_id, min(case when o.relation = 'owner' then u.userPrincipalName end) as owner,
        min(u.userPrincipalName) as any_user
    from landed.entra_id__device_owners as o
    inner join landed.entra_id__users as u on u._instance = o._instance and u.id = o.user_id
    group by o._instance, o.device_id
),

devices as (
    select *,
        -- "Dr. Smith's iPad" has a dot and is no name in a domain
        regexp_matches(displayName, '^[A-Za-z0-9_-]+([.][A-Za-z0-9_-]+)+$') and not regexp_matches(displayName, '^[0-9.]+$')
            as has_domain
    from landed.entra_id__devices
)

select
    concat(d._product, ':', d._instance, ':', d._record_id) as record,
    d._product as product,
    d._instance as instance,
    d._stream as stream,
    d._record_id as record_id,
    'default' as scope,
    coalesce(d.approximateLastSignInDateTime, d._synced_at) as observed_at,
    coalesce(d.registrationDateTime, d.createdDateTime) as first_seen,
    d.approximateLastSignInDateTime as last_seen,
    case when d.deletedDateTime is not null then 'retired' else 'active' end as state,
    'create' as authority,
    d._sync as sync,
    d._page as page,
    d._row as row_number,
    cast(null as varchar) as serial_number,
    d.manufacturer,
    cast(null as varchar) as smbios_uuid,
    cast([] as varchar[]) as mac_addresses,
    case when d.displayName is null or d.has_domain then cast([] as varchar[]) else [d.displayName] end as hostnames,
    case when d.has_domain then [lower(d.displayName)] else cast([] as varchar[]) end as fqdns,
    cast(null as varchar) as netbios_name,
    cast(null as varchar) as domain,
    nullif(lower(d.deviceId), '00000000-0000-0000-0000-000000000000') as entra_device_id,
    cast(null as varchar) as ad_object_guid,
    d.onPremisesSecurityIdentifier as ad_sid,
    cast(null as varchar) as cloud_provider,
    cast(null as varchar) as cloud_account_id,
    cast(null as varchar) as cloud_instance_id,
    cast(null as varchar) as cloud_resource_id,
    cast(null as varchar) as imei,
    cast([] as varchar[]) as agent_ids,
    cast([] as varchar[]) as ip_addresses,
    cast(null as varchar) as asset_tag,
    d.displayName as display_name,
    case
        when lower(d.operatingSystem) like 'windows server%' then 'Server'
        when lower(d.operatingSystem) in ('ios', 'ipados', 'iphone', 'ipad', 'windowsphone')
            or lower(d.operatingSystem) like 'android%' then 'Mobile'
        when lower(d.operatingSystem) in ('windows', 'macos', 'macmdm', 'mac', 'chromeos') then 'Endpoint'
    end as device_category,
    d.operatingSystem as os_platform,
    d.operatingSystemVersion as os_version,
    d.model,
    coalesce(o.owner, o.any_user) as owner,
    cast(null as boolean) as is_internet_facing,
    d.isManaged as is_managed,
    cast(null as integer) as criticality,
    cast(null as varchar) as environment,
    cast(to_json({
        'azureADJoinType': d.trustType,
        'isAzureADJoined': d.trustType in ('AzureAd', 'ServerAd'),
        'isHybridAzureADJoined': d.trustType = 'ServerAd',
        'profileType': d.profileType,
        'isCompliant': d.isCompliant,
        'managementType': d.managementType,
        'accountEnabled': d.accountEnabled,
        'physicalIds': d.physicalIds
    }) as varchar) as properties
from devices as d
left join owners as o on o._instance = d._instance and o.device_id = d.id
