with machines as (
    select *,
        list_transform(
            list_filter(
                list_transform(coalesce(ipAddresses, []), lambda nic: lower(nic.macAddress)),
                -- a tunnel has sixteen digits in their place, the same on every machine
                lambda mac: mac is not null and mac <> '' and mac <> '000000000000' and not regexp_matches(mac, '^[0-9a-f]{13,}$')
            ),
            lambda mac: case
                when regexp_matches(mac, '^[0-9a-f]{12}$')
                then regexp_replace(mac, '^(..)(..)(..)(..)(..)(..)$', '\1:\2:\3:\4:\5:\6')
                else mac
            end
        ) as macs,
        list_filter(
            flatten([
                list_transform(
                    list_filter(coalesce(ipAddresses, []), lambda nic: coalesce(nic.type, '') <> 'SoftwareLoopback'),
                    lambda nic: nic.ipAddress
                ),
                [lastIpAddress]
            ]),
            -- under Linux the loopback comes as a card like any other
            lambda address: address <> '' and not regexp_matches(address, '^127[.]|^0[.]0[.]0[.]0$|^::1?$')
        ) as addresses,
        lower(nullif(trim(computerDnsName, '. '), '')) as dns_name,
        -- "Dr. Smith's iPad" has a dot and is no name in a domain, nor is the address of what has no name
        coalesce(strpos(dns_name, '.') > 0 and not regexp_matches(dns_name, '\s|^[0-9.]+$'), false) as has_domain,
        lower(vmMetadata.cloudProvider) as cloud,
        -- Azure Arc registers machines that live elsewhere, under ids of its own
        coalesce(lower(vmMetadata.resourceId) like '%/microsoft.hybridcompute/%', false) as is_arc,
        case when is_arc and regexp_matches(lower(vmMetadata.vmId), '^[0-9a-f]{8}-') then lower(vmMetadata.vmId) end as arc_id
    from landed.defender_endpoint__machines
)

select
    concat(_product, ':', _instance, ':', _record_id) as record,
    _product as product,
    _instance as instance,
    _stream as stream,
    _record_id as record_id,
    'default' as scope,
    coalesce(lastSeen, _synced_at) as observed_at,
    firstSeen as first_seen,
    lastSeen as last_seen,
    -- an inactive sensor is no proof that the machine is gone: its age speaks through last_seen
    case when mergedIntoMachineId is not null or coalesce(isExcluded, false) then 'retired' else 'active' end as state,
    case when lower(onboardingStatus) = 'insufficientinfo' then 'update' else 'create' end as authority,
    _sync as sync,
    _page as page,
    _row as row_number,
    cast(null as varchar) as serial_number,
    cast(null as varchar) as manufacturer,
    cast(null as varchar) as smbios_uuid,
    list_sort(list_distinct(macs)) as mac_addresses,
    case
        when dns_name is null then cast([] as varchar[]) when has_domain then [split_part(dns_name, '.', 1)] else [dns_name]
    end as hostnames,
    case when has_domain then [dns_name] else cast([] as varchar[]) end as fqdns,
    cast(null as varchar) as netbios_name,
    case when has_domain then substr(dns_name, strpos(dns_name, '.') + 1) end as domain,
    nullif(lower(aadDeviceId), '00000000-0000-0000-0000-000000000000') as entra_device_id,
    cast(null as varchar) as ad_object_guid,
    cast(null as varchar) as ad_sid,
    case
        when cloud not in ('', 'unknown', 'unknownfuturevalue') and not (cloud = 'azure' and is_arc) then cloud
    end as cloud_provider,
    case
        -- of another cloud's machine this may be the subscription that Azure knows it in
        when cloud in ('aws', 'gcp')
            then case when not regexp_matches(vmMetadata.subscriptionId, '^[0-9A-Fa-f]{8}-') then nullif(vmMetadata.subscriptionId, '') end
        when not is_arc then coalesce(
            nullif(vmMetadata.subscriptionId, ''),
            nullif(regexp_extract(lower(vmMetadata.resourceId), '^/subscriptions/([^/]+)', 1), '')
        )
    end as cloud_account_id,
    case when arc_id is null then nullif(vmMetadata.vmId, '') end as cloud_instance_id,
    nullif(vmMetadata.resourceId, '') as cloud_resource_id,
    cast(null as varchar) as imei,
    -- one that was merged into another is that one under an id of before
    list_concat(
        list_transform(list_filter([id, mergedIntoMachineId], lambda v: v is not null), lambda v: concat('mde=', v)),
        case when arc_id is not null then [concat('azure_arc=', arc_id)] end
    ) as agent_ids,
    list_sort(list_distinct(addresses)) as ip_addresses,
    cast(null as varchar) as asset_tag,
    computerDnsName as display_name,
    case
        when osPlatform is null then 'Unknown'
        when lower(osPlatform) like 'windowsserver%' then 'Server'
        when lower(osPlatform) like 'windows%' or lower(osPlatform) in ('macos', 'chromeos') then 'Endpoint'
        when lower(osPlatform) in ('ios', 'android') then 'Mobile'
        when vmMetadata.vmId is not null
            or lower(osPlatform) in ('ubuntu', 'debian', 'redhatenterpriselinux', 'centos', 'suse', 'oraclelinux', 'amazonlinux',
                'fedora', 'rocky', 'almalinux', 'linux') then 'Server'
        else 'Unknown'
    end as device_category,
    osPlatform as os_platform,
    coalesce(version, osVersion) as os_version,
    cast(null as varchar) as model,
    cast(null as varchar) as owner,
    cast(null as boolean) as is_internet_facing,
    -- older answers do not say: then a sensor with a state of health is one
    coalesce(lower(onboardingStatus) = 'onboarded', lower(healthStatus) <> 'unknown', false) as is_managed,
    case lower(deviceValue) when 'high' then 1 when 'low' then 3 end as criticality,
    cast(null as varchar) as environment,
    cast(to_json({
        'sensorHealthState': healthStatus,
        'onboardingStatus': onboardingStatus,
        'senseClientVersion': agentVersion,
        'riskScore': riskScore,
        'exposureScore': exposureLevel,
        'machineGroup': rbacGroupName,
        'deviceManualTags': coalesce(machineTags, []),
        'isAzureADJoined': isAadJoined,
        'osBuild': osBuild,
        'osArchitecture': osArchitecture,
        'managedBy': managedBy,
        'isExcluded': isExcluded,
        'exclusionReason': exclusionReason,
        'potentialDuplication': isPotentialDuplication,
        'mergedIntoMachineId': mergedIntoMachineId,
        'publicIP': lastExternalIpAddress
    }) as varchar) as properties
from machines
