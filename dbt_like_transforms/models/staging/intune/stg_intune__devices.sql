-- Intune writes empty texts, year 1 and zeros for what it does not know
with enrolled as (
    select *,
        lower(_record_id) as device_id,
        case when lastSyncDateTime < timestamp '9999-01-01' then lastSyncDateTime end as synced,
        case when enrolledDateTime < timestamp '9999-01-01' then enrolledDateTime end as enrolled,
        lower(managementState) as management_state,
        lower(chassisType) as chassis,
        replace(lower(operatingSystem), ' ', '') as system,
        nullif(trim(deviceName), '') as device_name,
        -- "Dr. Smith's iPad" has a dot and is no name in a domain
        regexp_matches(trim(deviceName), '^[A-Za-z0-9_-]+([.][A-Za-z0-9_-]+)+$') and not regexp_matches(trim(deviceName), '^[0-9.]+$')
            as has_domain,
        regexp_replace(imei, '[^0-9]', '', 'g') as imei_digits,
        list_filter(
            list_transform([wiFiMacAddress, ethernetMacAddress], lambda mac: regexp_replace(lower(mac), '[^0-9a-f]', '', 'g')),
            -- 02:00:00:00:00:00 is what Android tells whoever may not know
            lambda mac: mac is not null and regexp_matches(mac, '^[0-9a-f]{12}$')
                and mac not in ('000000000000', '020000000000', 'ffffffffffff')
        ) as macs
    from landed.intune__managed_devices
    qualify row_number() over (partition by _instance, lower(_record_id) order by _row desc) = 1
)

select
    concat(_product, ':', _instance, ':', device_id) as record,
    _product as product,
    _instance as instance,
    _stream as stream,
    device_id as record_id,
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
    case when device_name is null or has_domain then cast([] as varchar[]) else [device_name] end as hostnames,
    case when has_domain then [lower(device_name)] else cast([] as varchar[]) end as fqdns,
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
    -- 14 digits, 15 with the check digit, 16 with a version; zeros name no radio
    case when length(imei_digits) between 14 and 16 and not regexp_matches(imei_digits, '^0+$') then imei_digits end as imei,
    [concat('intune=', lower(id))] as agent_ids,
    cast([] as varchar[]) as ip_addresses,
    cast(null as varchar) as asset_tag,
    device_name as display_name,
    case
        when chassis in ('phone', 'tablet', 'mobileother', 'mobileunknown') then 'Mobile'
        when chassis = 'enterpriseserver' or system like 'windowsserver%' then 'Server'
        when chassis in ('desktop', 'laptop', 'worksworkstation') then 'Endpoint'
        when system in ('ios', 'ipados', 'iphone', 'ipad', 'windowsphone') or system like 'android%' then 'Mobile'
        -- what Defender for Endpoint brings along under Linux are servers as well as desktops
        when system like 'linux%' and lower(managementAgent) = 'mssense' then null
        when system like 'windows%' or system like 'linux%' or system in ('macos', 'macmdm', 'mac', 'chromeos') then 'Endpoint'
    end as device_category,
    nullif(operatingSystem, '') as os_platform,
    nullif(osVersion, '') as os_version,
    nullif(trim(model), '') as model,
    coalesce(nullif(trim(userPrincipalName), ''), nullif(trim(emailAddress), '')) as owner,
    cast(null as boolean) as is_internet_facing,
    coalesce(nullif(management_state, ''), 'managed') <> 'discovered' as is_managed,
    cast(null as integer) as criticality,
    cast(null as varchar) as environment,
    cast(to_json({
        'managementState': nullif(managementState, ''),
        'managementAgent': nullif(managementAgent, ''),
        'complianceState': nullif(complianceState, ''),
        'ownerType': nullif(managedDeviceOwnerType, ''),
        'deviceEnrollmentType': nullif(deviceEnrollmentType, ''),
        'deviceRegistrationState': nullif(deviceRegistrationState, ''),
        'deviceCategoryDisplayName': nullif(nullif(deviceCategoryDisplayName, 'Unknown'), ''),
        'isEncrypted': isEncrypted,
        'isSupervised': isSupervised,
        'jailBroken': nullif(nullif(jailBroken, 'Unknown'), ''),
        'azureADJoinType': nullif(joinType, 'unknown'),
        'chassisType': nullif(chassisType, 'unknown'),
        'osArchitecture': nullif(processorArchitecture, 'unknown'),
        'skuFamily': nullif(skuFamily, ''),
        'androidSecurityPatchLevel': nullif(androidSecurityPatchLevel, ''),
        'partnerReportedThreatState': nullif(nullif(partnerReportedThreatState, 'unknown'), ''),
        'meid': nullif(meid, '')
    }) as varchar) as properties
from enrolled
