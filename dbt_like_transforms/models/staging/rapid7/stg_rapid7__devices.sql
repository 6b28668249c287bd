-- the cloud and a console name the same things differently: one of each pair of columns is empty
with assets as (
    select
        *,
        list_filter(
            flatten([[host_name, hostName], coalesce(list_transform(hostNames, lambda n: n.name), [])]),
            -- an asset without a name may be named by its address
            lambda name: name <> '' and not regexp_matches(name, '^[0-9.]+$|:')
        ) as names,
        list_filter(
            flatten([[mac], coalesce(list_transform(addresses, lambda a: a.mac), [])]),
            lambda m: m is not null and m <> ''
        ) as macs,
        list_filter(
            flatten([[ip], coalesce(list_transform(addresses, lambda a: a.ip), [])]), lambda i: i is not null and i <> ''
        ) as ips,
        coalesce(unique_identifiers, ids, []) as identifiers,
        coalesce(nullif(os_description, ''), nullif(os, ''), nullif(os_name, '')) as system,
        lower(list_filter(tags, lambda t: upper(t.type) = 'CRITICALITY')[1].name) as criticality_tag
    from landed.rapid7__assets
),

identified as (
    select
        *,
        -- the firmware's UUID comes under the name of whatever read it; other sources may name other things by UUIDs
        list_filter(
            identifiers,
            lambda i: upper(coalesce(i.source, '')) in ('CSPRODUCT', 'DMIDECODE', 'WQL')
                and regexp_matches(lower(i.id), '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$')
        )[1].id as uuid,
        list_filter(identifiers, lambda i: upper(coalesce(i.source, '')) = 'R7 AGENT' and i.id is not null)[1].id as agent
    from assets
)

select
    concat(_product, ':', _instance, ':', _record_id) as record,
    _product as product,
    _instance as instance,
    _stream as stream,
    _record_id as record_id,
    'default' as scope,
    coalesce(last_seen, _synced_at) as observed_at,
    cast(null as timestamp) as first_seen,
    last_seen,
    -- the vendor keeps no trace of an asset that was deleted: it is gone when it is listed no more
    'active' as state,
    -- a scan that learned nothing but an address knows no machine
    case
        when uuid is null and agent is null and array_length(names) = 0 and array_length(macs) = 0 then 'update'
        else 'create'
    end as authority,
    _sync as sync,
    _page as page,
    _row as row_number,
    cast(null as varchar) as serial_number,
    cast(null as varchar) as manufacturer,
    uuid as smbios_uuid,
    list_sort(list_distinct(macs)) as mac_addresses,
    list_sort(list_distinct(list_filter(names, lambda name: not contains(name, '.')))) as hostnames,
    list_sort(list_distinct(list_filter(names, lambda name: contains(name, '.')))) as fqdns,
    list_filter(hostNames, lambda n: lower(n.source) = 'netbios')[1].name as netbios_name,
    cast(null as varchar) as domain,
    cast(null as varchar) as entra_device_id,
    cast(null as varchar) as ad_object_guid,
    cast(null as varchar) as ad_sid,
    cast(null as varchar) as cloud_provider,
    cast(null as varchar) as cloud_account_id,
    cast(null as varchar) as cloud_instance_id,
    cast(null as varchar) as cloud_resource_id,
    cast(null as varchar) as imei,
    case when agent is not null then [concat('rapid7_agent=', lower(agent))] else cast([] as varchar[]) end as agent_ids,
    list_sort(list_distinct(ips)) as ip_addresses,
    cast(null as varchar) as asset_tag,
    coalesce(names[1], ips[1], _record_id) as display_name,
    case
        when lower(type) = 'mobile' then 'Mobile'
        when regexp_matches(lower(system), 'printer|laserjet|camera|embedded') then 'IoT'
        when regexp_matches(lower(system), 'ios xe|cisco|fortios|fortigate|junos|router|switch|firewall|pan-os')
            then 'NetworkDevice'
        when regexp_matches(lower(system), 'server|linux|ubuntu|debian|centos|suse|red hat|unix|solaris|aix|esx')
            then 'Server'
        when system is not null then 'Endpoint'
        else 'Unknown'
    end as device_category,
    system as os_platform,
    coalesce(nullif(os_version, ''), osFingerprint.version) as os_version,
    cast(null as varchar) as model,
    cast(null as varchar) as owner,
    cast(null as boolean) as is_internet_facing,
    agent is not null as is_managed,
    case criticality_tag when 'very high' then 0 when 'high' then 1 when 'medium' then 2 when 'low' then 3 when 'very low' then 3 end
        as criticality,
    cast(null as varchar) as environment,
    cast(to_json({
        'rapid7AssetInfo': {
            'assetId': _record_id,
            -- the id in the console that the cloud imported it from
            'consoleAssetId': coalesce(nullif(regexp_extract(_record_id, '-default-asset-([0-9]+)$', 1), ''), _record_id),
            'riskScore': coalesce(risk_score, riskScore),
            'assessedForVulnerabilities': coalesce(assessed_for_vulnerabilities, assessedForVulnerabilities),
            'type': type,
            'tags': tags
        }
    }) as varchar) as properties
from identified
