-- Machines of Microsoft's graph: never assets of their own, as the products behind the graph report them themselves
with nodes as (
    select *,
        lower(nullif(NodeProperties.rawData.deviceName, '')) as device_name,
        -- "Dr. Smith's iPad" has a dot and is no name in a domain, nor is the address of what has no name
        coalesce(strpos(device_name, '.') > 0 and not regexp_matches(device_name, '\s|^[0-9.]+$'), false) as has_domain
    from landed.defender_identity__exposure_nodes
)

select
    n.record,
    e._product as product,
    e._instance as instance,
    e._stream as stream,
    e._record_id as record_id,
    'default' as scope,
    coalesce(try_cast(e.NodeProperties.rawData.lastSeen as timestamp), e._synced_at) as observed_at,
    try_cast(e.NodeProperties.rawData.firstSeenByInventory as timestamp) as first_seen,
    try_cast(e.NodeProperties.rawData.lastSeen as timestamp) as last_seen,
    case when try_cast(e.NodeProperties.rawData.isExcluded as boolean) then 'retired' else 'active' end as state,
    'update' as authority,
    e._sync as sync,
    e._page as page,
    e._row as row_number,
    cast(null as varchar) as serial_number,
    e.NodeProperties.rawData.vendor as manufacturer,
    cast(null as varchar) as smbios_uuid,
    cast([] as varchar[]) as mac_addresses,
    case
        when e.device_name is null then cast([] as varchar[])
        when e.has_domain then [split_part(e.device_name, '.', 1)]
        else [e.device_name]
    end as hostnames,
    case when e.has_domain then [e.device_name] else cast([] as varchar[]) end as fqdns,
    cast(null as varchar) as netbios_name,
    cast(null as varchar) as domain,
    nullif(nullif(lower(e.NodeProperties.rawData.aadDeviceId), '00000000-0000-0000-0000-000000000000'), '') as entra_device_id,
    n.ad_object_guid,
    n.ad_sid,
    -- Azure Arc registers machines that live elsewhere
    case when n.azure_resource_id not like '%/microsoft.hybridcompute/%' then 'azure' end as cloud_provider,
    case
        when n.azure_resource_id not like '%/microsoft.hybridcompute/%'
            then nullif(regexp_extract(n.azure_resource_id, '/subscriptions/([^/]+)', 1), '')
    end as cloud_account_id,
    cast(null as varchar) as cloud_instance_id,
    n.azure_resource_id as cloud_resource_id,
    cast(null as varchar) as imei,
    case when n.mde_id is null then cast([] as varchar[]) else [concat('mde=', lower(n.mde_id))] end as agent_ids,
    cast([] as varchar[]) as ip_addresses,
    cast(null as varchar) as asset_tag,
    coalesce(nullif(e.NodeName, ''), e.NodeProperties.rawData.deviceName) as display_name,
    case
        when e.NodeProperties.rawData.deviceCategory in ('Endpoint', 'Server', 'NetworkDevice', 'IoT', 'OT', 'Mobile')
        then e.NodeProperties.rawData.deviceCategory
    end as device_category,
    e.NodeProperties.rawData.osPlatform as os_platform,
    e.NodeProperties.rawData.osVersion as os_version,
    e.NodeProperties.rawData.model as model,
    cast(null as varchar) as owner,
    try_cast(e.NodeProperties.rawData.isInternetFacing as boolean) as is_internet_facing,
    cast(null as boolean) as is_managed,
    cast(e.criticalityLevel as integer) as criticality,
    cast(null as varchar) as environment,
    cast(to_json({
        'NodeLabel': e.NodeLabel,
        'categories': coalesce(e.Categories, []),
        'onboardingStatus': e.NodeProperties.rawData.onboardingStatus,
        'sensorHealthState': e.NodeProperties.rawData.sensorHealthState,
        'riskScore': e.NodeProperties.rawData.riskScore,
        'exposureScore': e.NodeProperties.rawData.exposureScore
    }) as varchar) as properties
from nodes as e
inner join stg_defender_identity__exposure_nodes as n on n.instance = e._instance and n.node_id = e._record_id
where n.kind = 'device'
