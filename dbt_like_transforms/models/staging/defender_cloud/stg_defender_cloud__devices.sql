-- Virtual machines of Azure and machines connected to it by Azure Arc, with the addresses of their network interfaces
with hardware as (
    select _instance, lower(properties.virtualMachine.id) as machine_name,
        list_sort(array_agg(distinct lower(replace(properties.macAddress, '-', ':')))) as macs
    from landed.defender_cloud__network_interfaces
    where properties.virtualMachine.id is not null and properties.macAddress <> ''
    group by _instance, lower(properties.virtualMachine.id)
),

configurations as (
    select _instance, lower(properties.virtualMachine.id) as machine_name, unnest(properties.ipConfigurations).properties as c
    from landed.defender_cloud__network_interfaces
    where properties.virtualMachine.id is not null
),

addresses as (
    select _instance, machine_name, c.privateIPAddress as address, false as is_public from configurations
    union all
    select c._instance, c.machine_name, p.properties.ipAddress, true
    from configurations as c
    inner join landed.defender_cloud__public_addresses as p
        on p._instance = c._instance and lower(p.id) = lower(c.c.publicIPAddress.id)
),

networks as (
    select _instance, machine_name,
        list_sort(array_agg(distinct address)) as addresses,
        list_sort(array_agg(distinct address) filter (where is_public)) as public_addresses
    from addresses
    where address <> ''
    group by _instance, machine_name
),

-- machines behind a load balancer or gateway: reachable where that one has a public address, else nobody knows
pools as (
    select _instance, machine_name, unnest(
        coalesce(list_transform(c.loadBalancerBackendAddressPools, lambda pool: pool.id), cast([] as varchar[]))
        || coalesce(list_transform(c.loadBalancerInboundNatRules, lambda rule: rule.id), cast([] as varchar[]))
        || coalesce(list_transform(c.applicationGatewayBackendAddressPools, lambda pool: pool.id), cast([] as varchar[]))
    ) as pool
    from configurations
),

balanced as (
    select b._instance, b.machine_name,
        list_sort(array_agg(distinct p.properties.ipAddress) filter (where p.properties.ipAddress <> '')) as public_addresses
    from pools as b
    left join landed.defender_cloud__public_addresses as p
        on p._instance = b._instance
        and nullif(regexp_extract(lower(p.properties.ipConfiguration.id), '^.*/(loadbalancers|applicationgateways)/[^/]+/'), '')
            = regexp_extract(lower(b.pool), '^.*/(loadbalancers|applicationgateways)/[^/]+/')
    group by b._instance, b.machine_name
),

-- machines of other clouds that Azure Arc connected, by the name those gave them
at_other_clouds as (
    select instance, arc_name,
        min(source) as provider,
        min(account_id) as account_id,
        min(coalesce(
            nullif(regexp_extract(asset_name, 'i-[0-9a-f]+$'), ''), nullif(regexp_extract(asset_name, '/instances/([0-9]{10,})$', 1), '')
        )) as instance_id
    from stg_defender_cloud__assessed
    where source in ('aws', 'gcp') and arc_name is not null and asset_name <> arc_name
    group by instance, arc_name
),

described as (
    select *,
        asset_name as machine_name,
        resource_type = 'microsoft.hybridcompute/machines' as is_arc,
        -- a machine whose agent never reported has zeros
        nullif(nullif(lower(json_extract_string(properties, '$.vmId')), ''), '00000000-0000-0000-0000-000000000000') as vm_id,
        nullif(nullif(lower(json_extract_string(properties, '$.vmUuid')), ''), '00000000-0000-0000-0000-000000000000') as vm_uuid,
        list_filter(
            [
                json_extract_string(properties, '$.extended.instanceView.computerName'),
                json_extract_string(properties, '$.osProfile.computerName'),
                json_extract_string(properties, '$.displayName'),
                name
            ],
            lambda v: trim(v) <> ''
        )[1] as computer_name,
        lower(list_filter(
            [
                json_extract_string(properties, '$.dnsFqdn'),
                json_extract_string(properties, '$.machineFqdn'),
                json_extract_string(properties, '$.extended.instanceView.computerName'),
                json_extract_string(properties, '$.osProfile.computerName')
            ],
            lambda v: regexp_matches(trim(v), '^[A-Za-z0-9_-]+([.][A-Za-z0-9_-]+)+[.]?$')
        )[1]) as fqdn,
        lower(nullif(json_extract_string(properties, '$.domainName'), '')) as domain_name,
        json_extract_string(properties, '$.status') as arc_status,
        try_cast(json_extract_string(properties, '$.lastStatusChange') as timestamptz) at time zone 'UTC' as told_change,
        try_cast(json_extract_string(properties, '$.timeCreated') as timestamptz) at time zone 'UTC' as told_creation,
        case when told_change between timestamp '1970-01-02' and timestamp '9999-01-01' then told_change end as arc_changed,
        case when told_creation between timestamp '1970-01-02' and timestamp '9999-01-01' then told_creation end as created,
        nullif(nullif(json_extract_string(properties, '$.cloudMetadata.provider'), 'N/A'), '') as arc_cloud,
        -- the case of a tag's name means nothing in Azure
        list_filter(
            list_transform(
                list_concat(
                    list_filter(json_keys(tags), lambda k: lower(k) = 'environment'),
                    list_filter(json_keys(tags), lambda k: lower(k) = 'env')
                ),
                lambda k: json_extract_string(tags, concat('$.', k))
            ),
            lambda v: v not in ('', '[]', '{}')
        )[1] as environment
    from stg_defender_cloud__items
    where resource_type in ('microsoft.compute/virtualmachines', 'microsoft.hybridcompute/machines')
)

select
    concat(m.product, ':', m.instance, ':', m.machine_name) as record,
    m.product,
    m.instance,
    m.stream,
    m.machine_name as record_id,
    'default' as scope,
    -- the cloud knows a machine as long as it exists; Arc only knows when a silent one fell silent
    case when m.is_arc and lower(m.arc_status) <> 'connected' then coalesce(m.arc_changed, m.synced_at) else m.synced_at end as observed_at,
    m.created as first_seen,
    case when m.is_arc and lower(m.arc_status) <> 'connected' then m.arc_changed else m.synced_at end as last_seen,
    'active' as state,
    'create' as authority,
    m.sync,
    m.page,
    m.row_number,
    nullif(json_extract_string(m.properties, '$.detectedProperties.serialNumber'), '') as serial_number,
    nullif(json_extract_string(m.properties, '$.detectedProperties.manufacturer'), '') as manufacturer,
    -- vmId is the SMBIOS UUID of a virtual machine, but an Arc machine's own id at Azure
    case when m.is_arc then m.vm_uuid else m.vm_id end as smbios_uuid,
    coalesce(h.macs, cast([] as varchar[])) as mac_addresses,
    case when m.computer_name is null then cast([] as varchar[]) else [split_part(m.computer_name, '.', 1)] end as hostnames,
    case when m.fqdn is null then cast([] as varchar[]) else [m.fqdn] end as fqdns,
    cast(null as varchar) as netbios_name,
    m.domain_name as domain,
    cast(null as varchar) as entra_device_id,
    cast(null as varchar) as ad_object_guid,
    cast(null as varchar) as ad_sid,
    case when m.is_arc then coalesce(f.provider, lower(m.arc_cloud)) else 'azure' end as cloud_provider,
    case when m.is_arc then f.account_id else m.account_id end as cloud_account_id,
    case when m.is_arc then f.instance_id else m.vm_id end as cloud_instance_id,
    m.native_id as cloud_resource_id,
    cast(null as varchar) as imei,
    case when m.is_arc and m.vm_id is not null then [concat('azure_arc=', m.vm_id)] else cast([] as varchar[]) end as agent_ids,
    coalesce(n.addresses, cast([] as varchar[])) as ip_addresses,
    cast(null as varchar) as asset_tag,
    coalesce(m.computer_name, m.name) as display_name,
    'Server' as device_category,
    list_filter(
        [
            json_extract_string(m.properties, '$.extended.instanceView.osName'),
            json_extract_string(m.properties, '$.osSku'),
            trim(concat_ws(
                ' ', json_extract_string(m.properties, '$.storageProfile.imageReference.offer'),
                json_extract_string(m.properties, '$.storageProfile.imageReference.sku')
            )),
            json_extract_string(m.properties, '$.storageProfile.osDisk.osType'),
            json_extract_string(m.properties, '$.osName')
        ],
        lambda v: v not in ('', '[]', '{}')
    )[1] as os_platform,
    list_filter(
        [
            json_extract_string(m.properties, '$.extended.instanceView.osVersion'), json_extract_string(m.properties, '$.osVersion')
        ],
        lambda v: v not in ('', '[]', '{}')
    )[1] as os_version,
    list_filter(
        [
            json_extract_string(m.properties, '$.hardwareProfile.vmSize'),
            json_extract_string(m.properties, '$.detectedProperties.model')
        ],
        lambda v: v not in ('', '[]', '{}')
    )[1] as model,
    cast(null as varchar) as owner,
    -- a public address is attached; what network rules let through to it is not judged
    case
        when array_length(n.public_addresses) > 0 or b.public_addresses is not null or r.is_internet_exposed then true
        when not m.is_arc and h.macs is not null and b.machine_name is null then false
    end as is_internet_facing,
    cast(null as boolean) as is_managed,
    cast(null as integer) as criticality,
    m.environment,
    cast(to_json({
        'nativeEnvironmentRegionName': m.location,
        'resourceGroup': m.resource_group,
        'subscriptionId': m.account_id,
        'resourceType': m.resource_type,
        'publicIps': coalesce(n.public_addresses, b.public_addresses),
        'containsSensitiveData': case when r.holds_sensitive_data then true end,
        'securityType': json_extract_string(m.properties, '$.securityProfile.securityType'),
        'powerState': json_extract_string(m.properties, '$.extended.instanceView.powerState.displayStatus'),
        'arcStatus': m.arc_status,
        'arcAgentVersion': json_extract_string(m.properties, '$.agentVersion'),
        'managedIdentity': json_extract_string(m.identity, '$.type'),
        'tags': cast(m.tags as json)
    }) as varchar) as properties
from described as m
left join hardware as h on h._instance = m.instance and h.machine_name = m.machine_name
left join networks as n on n._instance = m.instance and n.machine_name = m.machine_name
left join balanced as b on b._instance = m.instance and b.machine_name = m.machine_name
left join at_other_clouds as f on f.instance = m.instance and f.arc_name = m.machine_name
left join stg_defender_cloud__risks as r on r.instance = m.instance and r.asset_name = m.machine_name
