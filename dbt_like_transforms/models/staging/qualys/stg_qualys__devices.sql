with records as (
    select
        m.instance,
        m.machine_id,
        coalesce(h._product, a._product, c._product) as product,
        coalesce(h._stream, a._stream, c._stream) as stream,
        coalesce(h._sync, a._sync, c._sync) as sync,
        coalesce(h._page, a._page, c._page) as page,
        coalesce(h._row, a._row, c._row) as row_number,
        coalesce(h._synced_at, a._synced_at, c._synced_at) as synced_at,
        greatest(h.last_seen, a.checked_in, c.last_activity, a.lastVulnScan) as seen,
        coalesce(a.modified, c.lastModifiedDate) as changed,
        coalesce(h.FIRST_FOUND_DATE, a.created, c.createdDate) as first_seen,
        -- agents end their id with a line break
        lower(trim(coalesce(h.QG_HOSTID, a.agentInfo.agentId, c.agentId), concat(' ', chr(10), chr(13)))) as agent,
        h.NETWORK_ID as network_id,
        coalesce(c.biosSerialNumber, h.SERIAL_NUMBER) as serial_number,
        coalesce(c.hwUUID, h.HARDWARE_UUID) as uuid,
        c.biosAssetTag as asset_tag,
        coalesce(c.hardware.manufacturer, a.manufacturer) as manufacturer,
        coalesce(c.hardware.model, a.model) as model,
        list_filter(
            flatten([
                coalesce(list_transform(a.networkInterface, lambda i: i.macAddress), []),
                coalesce(list_transform(c.networkInterfaceListData.networkInterface, lambda i: i.macAddress), [])
            ]),
            lambda mac: mac is not null and mac <> ''
        ) as macs,
        list_filter(
            flatten(list_transform(
                flatten([
                    [h.IP, h.IPV6, a.address, c.address],
                    coalesce(list_transform(a.networkInterface, lambda i: i.address), []),
                    coalesce(list_transform(c.networkInterfaceListData.networkInterface, lambda i: i.addressIpV4), []),
                    coalesce(list_transform(c.networkInterfaceListData.networkInterface, lambda i: i.addressIpV6), [])
                ]),
                lambda text: string_split(replace(coalesce(text, ''), ' ', ''), ',')
            )),
            lambda ip: ip <> ''
        ) as ips,
        list_filter(
            [h.DNS_DATA.HOSTNAME, h.DNS_DATA.FQDN, h.DNS, a.fqdn, a.dnsHostName, c.dnsName],
            -- a host without a name is named by its address
            lambda name: name <> '' and not regexp_matches(name, '^[0-9.]+$|:')
        ) as names,
        coalesce(h.NETBIOS, a.netbiosName, c.netbiosName) as netbios_name,
        nullif(h.DNS_DATA.DOMAIN, '') as domain,
        list_filter(a.sourceInfo, lambda s: coalesce(s.instanceId, s.vmId) is not null)[1] as source,
        -- older versions of the host list name Amazon's machines by their id alone
        lower(coalesce(h.CLOUD_PROVIDER, case when h.EC2_INSTANCE_ID is not null then 'aws' end, c.cloud.provider)) as cloud_provider,
        coalesce(
            h.cloud.instance_id, h.EC2_INSTANCE_ID,
            -- the machine's own id; where a path stands instead, it is no instance
            case when not contains(h.CLOUD_RESOURCE_ID, '/') then h.CLOUD_RESOURCE_ID end,
            c.cloud.instance_id
        ) as cloud_instance_id,
        coalesce(h.cloud.account_id, c.cloud.account_id) as cloud_account_id,
        h.cloud as metadata,
        coalesce(nullif(h.OS, ''), a.os, c.operatingSystem.fullName) as os,
        c.operatingSystem.version as os_version,
        -- a score that nobody gave says nothing; the host list does not tell those
        case
            when not coalesce(c.criticality.isDefault, false)
                then coalesce(c.criticality.score, h.ASSET_CRITICALITY_SCORE)
        end as criticality,
        c.businessInformation.environment as environment,
        coalesce(c.assetName, a.name) as asset_name,
        coalesce(m.asset_id, m.csam_id, nullif(h.ASSET_ID, '')) as asset_id,
        m.host_id,
        h.TRACKING_METHOD as tracking_method,
        h.LAST_VM_AUTH_SCANNED_DATE as authenticated_at,
        h.TAGS.TAG as tags,
        list_sort(list_distinct(list_filter(
            flatten([
                coalesce(list_transform(a.networkInterface, lambda i: i.gatewayAddress), []),
                coalesce(list_transform(c.networkInterfaceListData.networkInterface, lambda i: i.gatewayAddress), [])
            ]),
            lambda gateway: gateway is not null and gateway <> ''
        ))) as gateways,
        coalesce(c.riskScore, h.TRURISK_SCORE, h.ASSET_RISK_SCORE) as risk,
        coalesce(c.lastLoggedOnUser, a.lastLoggedOnUser) as last_user,
        c.businessInformation.ownedBy as owned_by
    from stg_qualys__machines as m
    left join landed.qualys__hosts as h on h._instance = m.instance and h._record_id = m.host_id
    left join landed.qualys__host_assets as a on a._instance = m.instance and a._record_id = m.asset_id
    left join landed.qualys__csam_assets as c on c._instance = m.instance and c._record_id = m.csam_id
),

devices as (
    select
        * exclude (cloud_provider, cloud_instance_id, cloud_account_id),
        coalesce(
            case
                when cloud_provider like '%azure%' then 'azure'
                when cloud_provider like '%aws%' or cloud_provider like '%amazon%' or cloud_provider = 'ec2' then 'aws'
                when cloud_provider like '%gcp%' or cloud_provider like '%google%' then 'gcp'
                else cloud_provider
            end,
            case
                when source.kind like 'Azure%' then 'azure'
                when source.kind like 'Ec2%' then 'aws'
                when source.kind like 'Gcp%' then 'gcp'
            end
        ) as cloud_provider,
        coalesce(cloud_instance_id, source.instanceId, source.vmId) as cloud_instance_id,
        coalesce(cloud_account_id, source.accountId, source.subscriptionId, source.projectId) as cloud_account_id
    from records
)

select
    concat(product, ':', instance, ':', machine_id) as record,
    product,
    instance,
    stream,
    machine_id as record_id,
    -- network 0 is the one every host is in unless somebody drew others
    case when coalesce(network_id, '') in ('', '0') then 'default' else lower(network_id) end as scope,
    coalesce(seen, changed, synced_at) as observed_at,
    first_seen,
    coalesce(seen, changed) as last_seen,
    -- the vendor keeps no trace of a purged host: it is gone when it is listed no more
    'active' as state,
    -- a host tracked by its address of which a scan learned nothing else is no machine that could be told again
    case
        when agent is null and uuid is null and serial_number is null and cloud_instance_id is null
            and netbios_name is null and array_length(macs) = 0 and array_length(names) = 0 then 'update'
        else 'create'
    end as authority,
    sync,
    page,
    row_number,
    serial_number,
    manufacturer,
    uuid as smbios_uuid,
    list_sort(list_distinct(macs)) as mac_addresses,
    list_sort(list_distinct(list_filter(names, lambda name: not contains(name, '.')))) as hostnames,
    list_sort(list_distinct(list_filter(names, lambda name: contains(name, '.')))) as fqdns,
    netbios_name,
    domain,
    cast(null as varchar) as entra_device_id,
    cast(null as varchar) as ad_object_guid,
    cast(null as varchar) as ad_sid,
    cloud_provider,
    cloud_account_id,
    cloud_instance_id,
    case
        when cloud_provider = 'azure' and metadata.account_id is not null and metadata.resource_group is not null
            and metadata.name is not null
            then concat(
                '/subscriptions/', metadata.account_id, '/resourceGroups/', metadata.resource_group, '/providers/Microsoft.Compute/',
                -- what a scale set numbers has its name and the number
                case
                    when regexp_matches(metadata.name, '_[0-9]{1,7}$')
                        then regexp_replace(metadata.name, '^(.*)_([0-9]+)$', 'virtualMachineScaleSets/\1/virtualMachines/\2')
                    else concat('virtualMachines/', metadata.name)
                end
            )
    end as cloud_resource_id,
    cast(null as varchar) as imei,
    case when agent is not null then [concat('qualys_agent=', agent)] else cast([] as varchar[]) end as agent_ids,
    list_sort(list_distinct(ips)) as ip_addresses,
    asset_tag,
    coalesce(asset_name, names[1], netbios_name, ips[1], machine_id) as display_name,
    case
        when regexp_matches(lower(os), 'printer|laserjet|camera|embedded') then 'IoT'
        when regexp_matches(lower(os), 'ios xe|ios-xe|cisco|fortios|fortigate|junos|router|switch|firewall|pan-os')
            then 'NetworkDevice'
        when cloud_instance_id is not null then 'Server'
        when regexp_matches(lower(os), 'server|windows 20[0-9][0-9]|linux|ubuntu|debian|centos|suse|red hat|unix|solaris|aix|esx')
            then 'Server'
        when os is not null then 'Endpoint'
        else 'Unknown'
    end as device_category,
    os as os_platform,
    os_version,
    model,
    owned_by as owner,
    cast(null as boolean) as is_internet_facing,
    agent is not null as is_managed,
    -- the score runs from 1 to 5, 5 being the most critical
    case
        when criticality >= 5 then 0
        when criticality = 4 then 1
        when criticality = 3 then 2
        when criticality >= 1 then 3
    end as criticality,
    environment,
    cast(to_json({
        'qualysAssetInfo': {
            'qualysAssetId': asset_id,
            'hostId': host_id,
            'trackingMethod': tracking_method,
            'truRiskScore': risk,
            'criticalityScore': criticality,
            'gatewayAddresses': gateways,
            'lastAuthenticatedScan': authenticated_at,
            'lastLoggedOnUser': last_user,
            'tags': tags
        }
    }) as varchar) as properties
from devices
