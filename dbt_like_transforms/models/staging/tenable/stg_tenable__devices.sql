with listed as (
    select *, 1 as rank from landed.tenable__assets
    union all
    select *, 2 as rank from landed.tenable__deleted_assets
    union all
    select *, 2 as rank from landed.tenable__terminated_assets
),

-- an export of what is gone proves it where the record bears no mark itself, unless the list of what is there names it too
judged as (
    select
        *,
        deleted_at is not null or terminated_at is not null as is_marked,
        rank = 2 and not bool_or(rank = 1) over (partition by _instance, id, _sync) as is_only_gone
    from listed
),

-- a host that several exports name is what the newest sync says; within one sync, as gone as the one that says so
latest as (
    select *, case when is_marked or is_only_gone then 'retired' else 'active' end as state
    from judged
    qualify row_number() over (partition by _instance, id order by _sync desc, is_marked desc, is_only_gone desc, rank, _stream) = 1
),

-- a scan that finds no name puts the address in its place, and some scanners give what a card has with the card alone
cards as (
    select
        * exclude (hostnames, agent_names, fqdns, acr_score, exposure_score, azure_vm_id),
        -- Azure Arc registers machines that live elsewhere, under ids of its own
        case when not coalesce(lower(azure_resource_id) like '%/microsoft.hybridcompute/%', false) then azure_vm_id end as azure_vm_id,
        case when lower(azure_resource_id) like '%/microsoft.hybridcompute/%' then azure_vm_id end as arc_id,
        coalesce(acr_score, ratings.acr.score) as acr_score,
        coalesce(exposure_score, ratings.aes.score) as exposure_score,
        list_filter(hostnames, lambda name: not regexp_matches(name, '^[0-9.]+$|:')) as hostnames,
        list_filter(agent_names, lambda name: not regexp_matches(name, '^[0-9.]+$|:')) as agent_names,
        list_filter(fqdns, lambda name: not regexp_matches(name, '^[0-9.]+$|:')) as fqdns,
        json_transform(
            network_interfaces, '[{"mac_addresses": ["VARCHAR"], "ipv4s": ["VARCHAR"], "ipv6s": ["VARCHAR"]}]'
        ) as cards
    from latest
),

assets as (
    select
        *,
        list_filter(
            list_distinct(flatten([coalesce(mac_addresses, []), flatten(list_transform(cards, lambda c: coalesce(c.mac_addresses, [])))])),
            lambda mac: mac <> ''
        ) as macs,
        list_filter(
            list_distinct(flatten([
                coalesce(ipv4s, []),
                coalesce(ipv6s, []),
                flatten(list_transform(cards, lambda c: flatten([coalesce(c.ipv4s, []), coalesce(c.ipv6s, [])])))
            ])),
            lambda ip: ip <> ''
        ) as ips
    from cards
)

select
    concat(_product, ':', _instance, ':', _record_id) as record,
    _product as product,
    _instance as instance,
    _stream as stream,
    _record_id as record_id,
    -- the vendor's zero network is the one every asset is in unless somebody drew others
    case
        when coalesce(network_id, '') in ('', '00000000-0000-0000-0000-000000000000') then 'default'
        else lower(network_id)
    end as scope,
    coalesce(last_seen, updated_at, _synced_at) as observed_at,
    coalesce(first_seen, created_at) as first_seen,
    -- Microsoft's window goes by the last update, which comes with every scan and with what a cloud or an agent tells
    greatest(last_seen, updated_at) as last_seen,
    state,
    -- a scan that learned nothing but an address knows no machine
    case
        when has_agent or bios_uuid is not null or coalesce(azure_vm_id, aws_ec2_instance_id, gcp_instance_id) is not null
            or array_length(macs) > 0 or array_length(coalesce(fqdns, [])) > 0
            or array_length(coalesce(hostnames, [])) > 0 or array_length(coalesce(netbios_names, [])) > 0
        then 'create' else 'update'
    end as authority,
    _sync as sync,
    _page as page,
    _row as row_number,
    serial_number,
    cast(null as varchar) as manufacturer,
    bios_uuid as smbios_uuid,
    list_sort(macs) as mac_addresses,
    -- the first NetBIOS name has a column of its own
    list_sort(list_distinct(flatten([coalesce(hostnames, []), coalesce(agent_names, []), coalesce(netbios_names[2:], [])]))) as hostnames,
    list_sort(list_distinct(coalesce(fqdns, []))) as fqdns,
    netbios_names[1] as netbios_name,
    cast(null as varchar) as domain,
    cast(null as varchar) as entra_device_id,
    cast(null as varchar) as ad_object_guid,
    cast(null as varchar) as ad_sid,
    case
        when azure_vm_id is not null then 'azure'
        when aws_ec2_instance_id is not null then 'aws'
        when gcp_instance_id is not null then 'gcp'
    end as cloud_provider,
    case
        when azure_vm_id is not null
            then case when starts_with(lower(azure_resource_id), '/subscriptions/') then split_part(azure_resource_id, '/', 3) end
        when aws_ec2_instance_id is not null then aws_owner_id
        when gcp_instance_id is not null then gcp_project_id
    end as cloud_account_id,
    coalesce(azure_vm_id, aws_ec2_instance_id, gcp_instance_id) as cloud_instance_id,
    case when starts_with(azure_resource_id, '/') then azure_resource_id end as cloud_resource_id,
    cast(null as varchar) as imei,
    list_filter(['tenable_agent=' || agent_uuid, 'azure_arc=' || lower(arc_id)], lambda agent: agent is not null) as agent_ids,
    list_sort(ips) as ip_addresses,
    cast(null as varchar) as asset_tag,
    coalesce(agent_names[1], hostnames[1], netbios_names[1], fqdns[1], ipv4s[1]) as display_name,
    case
        when list_has_any(system_types, ['printer', 'embedded', 'camera', 'webcam']) then 'IoT'
        when list_has_any(system_types, ['router', 'switch', 'firewall', 'load-balancer', 'wireless-access-point'])
            then 'NetworkDevice'
        when list_contains(system_types, 'scada') then 'OT'
        when list_contains(system_types, 'mobile') then 'Mobile'
        when coalesce(azure_vm_id, aws_ec2_instance_id, gcp_instance_id) is not null then 'Server'
        when regexp_matches(lower(operating_systems[1]), 'server|linux|ubuntu|debian|centos|suse|unix|solaris|aix|esx')
            then 'Server'
        when operating_systems[1] is not null then 'Endpoint'
        else 'Unknown'
    end as device_category,
    operating_systems[1] as os_platform,
    cast(null as varchar) as os_version,
    cast(null as varchar) as model,
    cast(null as varchar) as owner,
    cast(null as boolean) as is_internet_facing,
    cast(null as boolean) as is_managed,
    -- ACR runs from 1 to 10, 10 being the most critical
    case
        when acr_score >= 9 then 0
        when acr_score >= 7 then 1
        when acr_score >= 4 then 2
        when acr_score >= 1 then 3
    end as criticality,
    list_filter(tags, lambda tag: lower(tag.key) in ('env', 'environment') and tag.value <> '')[1].value as environment,
    cast(to_json({
        'tenableAssetInfo': {
            'acrScore': acr_score,
            'exposureScore': exposure_score,
            'networkName': network_name,
            'hasAgent': has_agent,
            'lastAuthenticatedScan': last_authenticated_scan_date,
            'systemTypes': system_types,
            'operatingSystems': operating_systems,
            'tags': tags,
            'networkInterfaces': cast(network_interfaces as json),
            'servicenowSysId': servicenow_sysid
        }
    }) as varchar) as properties
from assets
