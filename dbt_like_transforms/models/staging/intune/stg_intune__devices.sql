-- Intune writes empty texts, year 1 and zeros for what it does not know
with enrolled as (
    select *,
        case when lastSyncDateTime < timestamp '9999-01-01' then lastSyncDateTime end as synced,
        case when enrolledDateTime < timestamp '9999-01-01' then enrolledDateTime end as enrolled,
        lower(managementState) as management_state,
        lower(chassisType) as chassis,
        lower(operatingSystem) as system,
        nullif(trim(deviceName), '') as device_name,
        list_filter(
            list_transform([wiFiMacAddress, ethernetMacAddress], lambda mac: regexp_replace(lower(mac), '[^0-9a-f]', '', 'g')),
            lambda mac: mac is not null and regexp_matches(mac, '^[0-9a-f]{12}$') and mac <> '000000000000'
        ) as macs
    from landed.intune__managed_devices
)

select
    concat(_product, ':', _instance, ':', _record_id) as record,
    _product as product,
    _instance as instance,
    _stream as stream,
    _record_id as record_id,
    'default' as scope,
    coalesce(synced, _synced_at) as observed_at,
    enrolled as first_seen,
    synced as last_seen,
    -- a retire or wipe that failed or was called off leaves the device in use
    case
        when management_state in ('retirepending', 'retireissued', 'wipepending', 'wipeissued', 'deletepending') then 'retired'
        else 'active'
    end as state,
    'create' as authority,
    _sync as sync,
    _page as page,
    _row as row_number,
    nullif(trim(serialNumber), '') as serial_number,
    nullif(trim(manufacturer), '') as manufacturer,
    cast(null as varchar) as smbios_uuid,
    list_sort(list_distinct(list_transform(
        macs, lambda mac: regexp_replace(mac, '^(..)(..)(..)(..)(..)(..)$', '\1:\2:\3:\4:\5:\6')
    ))) as mac_addresses,
    case
        when device_name is null or strpos(device_name, '.') > 0 then cast([] as varchar[]) else [device_name]
    end as hostnames,
    case when strpos(device_name, '.') > 0 then [lower(device_name)] else cast([] as varchar[]) end as fqdns,
    cast(null as varchar) as netbios_name,
    cast(null as varchar) as domain,
    -- old enrolments name themselves here: no device of Entra has that id
    case
        when lower(azureADDeviceId) not in (lower(id), '', '00000000-0000-0000-0000-000000000000') then lower(azureADDeviceId)
    end as entra_device_id,
    cast(null as varchar) as ad_object_guid,
    cast(null as varchar) as ad_sid,
    cast(null as varchar) as cloud_provider,
    cast(null as varchar) as cloud_account_id,
    cast(null as varchar) as cloud_instance_id,
    cast(null as varchar) as cloud_resource_id,
    nullif(regexp_replace(imei, '[^0-9]', '', 'g'), '') as imei,
    [concat('intune=', lower(id))] as agent_ids,
    cast([] as varchar[]) as ip_addresses,
    cast(null as varchar) as asset_tag,
    device_name as display_name,
    case
        when chassis in ('phone', 'tablet', 'mobileother', 'mobileunknown') then 'Mobile'
        when chassis = 'enterpriseserver' or system like 'windows server%' then 'Server'
        when chassis in ('desktop', 'laptop', 'worksworkstation') then 'Endpoint'
        when system in ('ios', 'ipados', 'iphone', 'ipad', 'windowsphone') or system like 'android%' then 'Mobile'
        when system like 'windows%' or system in ('macos', 'macmdm', 'mac', 'chromeos', 'linux') then 'Endpoint'
    end as device_category,
    nullif(operatingSystem, '') as os_platform,
    nullif(osVersion, '') as os_version,
    nullif(trim(model), '') as model,
    coalesce(nullif(userPrincipalName, ''), nullif(emailAddress, '')) as owner,
    cast(null as boolean) as is_internet_facing,
    coalesce(management_state, 'managed') <> 'discovered' as is_managed,
    cast(null as integer) as criticality,
    cast(null as varchar) as environment,
    cast(to_json({
        'managementState': managementState,
        'managementAgent': managementAgent,
        'complianceState': complianceState,
        'ownerType': managedDeviceOwnerType,
        'deviceEnrollmentType': deviceEnrollmentType,
        'deviceRegistrationState': deviceRegistrationState,
        'deviceCategoryDisplayName': nullif(deviceCategoryDisplayName, 'Unknown'),
        'isEncrypted': isEncrypted,
        'isSupervised': isSupervised,
        'jailBroken': nullif(jailBroken, 'Unknown'),
        'azureADJoinType': joinType,
        'chassisType': chassisType,
        'osArchitecture': processorArchitecture,
        'skuFamily': nullif(skuFamily, ''),
        'androidSecurityPatchLevel': nullif(androidSecurityPatchLevel, ''),
        'partnerReportedThreatState': nullif(partnerReportedThreatState, 'unknown'),
        'meid': nullif(meid, '')
    }) as varchar) as properties
from enrolled
