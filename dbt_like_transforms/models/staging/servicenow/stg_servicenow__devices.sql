-- what the instance calls its install states; a label of cmdb_ci itself counts before those of its classes
with labels as (
    select _instance, value, lower((max({'own': name = 'cmdb_ci', 'label': label})).label) as label
    from landed.servicenow__choices
    where element = 'install_status' and value is not null and label is not null and coalesce(language, 'en') = 'en'
        and not coalesce(inactive, false)
    group by _instance, value
),

computers as (
    select
        c.*,
        coalesce(a.mac_addresses, []) as adapter_macs,
        coalesce(a.ip_addresses, []) as adapter_ips,
        a.adapters,
        -- the name of an item is free text: only one that could be a host name, alone or as Windows writes it, is taken for one
        case when regexp_matches(c.name, '^([A-Za-z0-9_-]+\\)?[A-Za-z0-9_-]+[$]?$') then c.name end as plain_name,
        -- an answer with display values has the label of the class: Windows Server
        replace(lower(c.sys_class_name), ' ', '_') as class_name,
        -- an answer with display values may have a name in place of the id
        coalesce(
            u.user_name, u.email,
            case when not regexp_matches(coalesce(c.assigned_to, c.owned_by), '^[0-9a-f]{32}$') then coalesce(c.assigned_to, c.owned_by) end
        ) as owner_name,
        m.user_name as frequent_user_name,
        b.number as application_number,
        b.name as application_name,
        coalesce(b.business_criticality, b.busines_criticality) as application_criticality,
        -- 7 retired, 8 stolen, 100 absent are the vendor's defaults; an instance that renamed them says so in its labels
        coalesce(
            l.label in ('retired', 'absent', 'stolen', 'disposed'),
            -- an answer with display values has the label itself
            lower(c.install_status) in ('7', '8', '100', 'retired', 'absent', 'stolen', 'disposed'),
            false
        )
        or coalesce(lower(c.operational_status) in ('6', 'retired'), false)
        or c.duplicate_of is not null
        or coalesce(lower(c.life_cycle_stage) in ('end of life', 'retired', 'disposed'), false)
        or coalesce(lower(c.life_cycle_stage_status) in ('retired', 'disposed', 'decommissioned'), false) as is_retired,
        -- the id of a cloud machine: i-.. at Amazon, a GUID at Azure, 15 to 20 digits at Google; anything else is none
        case
            when regexp_matches(lower(c.object_id), '^i-[0-9a-f]{8,17}$') then 'aws'
            when regexp_matches(lower(c.object_id), '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$') then 'azure'
            -- Azure Arc registers machines that live elsewhere
            when lower(c.object_id) like '/subscriptions/%' and lower(c.object_id) not like '%/microsoft.hybridcompute/%' then 'azure'
            when regexp_matches(c.object_id, '^[0-9]{15,20}$') then 'gcp'
        end as cloud
    from landed.servicenow__computers as c
    left join stg_servicenow__adapters as a on a.instance = c._instance and a.sys_id = c.sys_id
    left join landed.servicenow__users as u
        on u._instance = c._instance and u.sys_id = coalesce(c.assigned_to, c.owned_by)
    left join landed.servicenow__users as m on m._instance = c._instance and m.sys_id = c.most_frequent_user
    left join landed.servicenow__business_applications as b
        on b._instance = c._instance and b.sys_id = c.u_primary_business_application
    left join labels as l on l._instance = c._instance and l.value = c.install_status
)

select
    concat(_product, ':', _instance, ':', _record_id) as record,
    _product as product,
    _instance as instance,
    _stream as stream,
    _record_id as record_id,
    -- the domain every item is in unless the instance separates domains
    case when coalesce(sys_domain, 'global') = 'global' then 'default' else sys_domain end as scope,
    coalesce(last_discovered, sys_updated_on, _synced_at) as observed_at,
    coalesce(first_discovered, sys_created_on) as first_seen,
    -- Microsoft's window goes by the last update alone; what discovery saw since is no less alive
    greatest(last_discovered, sys_updated_on) as last_seen,
    case when is_retired then 'retired' else 'active' end as state,
    'create' as authority,
    _sync as sync,
    _page as page,
    _row as row_number,
    serial_number,
    "manufacturer.name" as manufacturer,
    cast(null as varchar) as smbios_uuid,
    list_sort(list_distinct(list_filter(flatten([[mac_address], adapter_macs]), lambda mac: mac is not null))) as mac_addresses,
    list_sort(list_distinct(list_filter([host_name, plain_name], lambda host: host is not null))) as hostnames,
    list_sort(list_distinct(list_filter(
        [
            fqdn,
            case when regexp_matches(name, '^[A-Za-z0-9_-]+([.][A-Za-z0-9_-]+)+[.]?$') then name end,
            case
                when fqdn is null and coalesce(host_name, plain_name) not like '%.%'
                    then regexp_extract(coalesce(host_name, plain_name), '([^\\]*?)[$]?$', 1) || '.' || dns_domain
            end
        ],
        lambda host: host is not null
    ))) as fqdns,
    cast(null as varchar) as netbios_name,
    coalesce(os_domain, dns_domain) as domain,
    cast(null as varchar) as entra_device_id,
    cast(null as varchar) as ad_object_guid,
    cast(null as varchar) as ad_sid,
    cloud as cloud_provider,
    case when cloud = 'azure' and object_id like '/%' then split_part(object_id, '/', 3) end as cloud_account_id,
    case when cloud is not null and object_id not like '/%' then object_id end as cloud_instance_id,
    case when lower(object_id) like '/subscriptions/%' then object_id end as cloud_resource_id,
    cast(null as varchar) as imei,
    cast([] as varchar[]) as agent_ids,
    list_sort(list_distinct(list_filter(flatten([[ip_address], adapter_ips]), lambda ip: ip is not null))) as ip_addresses,
    asset_tag,
    coalesce(name, host_name, fqdn) as display_name,
    case
        when class_name like '%server%' then 'Server'
        when regexp_matches(class_name, 'netgear|_ip_|firewall|_lb|router|switch|wap_') then 'NetworkDevice'
        when regexp_matches(class_name, 'printer|iot|camera') then 'IoT'
        when regexp_matches(class_name, 'handheld|mobile') then 'Mobile'
        when regexp_matches(class_name, '_vm') then 'Virtual'
        when regexp_matches(class_name, '_ot_|_ics_') then 'OT'
        when class_name in ('cmdb_ci_computer', 'cmdb_ci_pc_hardware', 'computer', 'personal_computer') then 'Endpoint'
        when class_name is not null then 'Unknown'
    end as device_category,
    os as os_platform,
    os_version,
    "model_id.name" as model,
    owner_name as owner,
    internet_facing as is_internet_facing,
    cast(null as boolean) as is_managed,
    try_cast(regexp_extract(busines_criticality, '^([1-4])', 1) as integer) - 1 as criticality,
    coalesce(environment, used_for) as environment,
    cast(to_json({
        'serviceNowCmdbAssetInfo': {
            'sysId': sys_id,
            'sysClassName': sys_class_name,
            'os': os,
            'osVersion': os_version,
            'osServicePack': os_service_pack,
            'cpuType': cpu_type,
            'category': category,
            'assetTag': asset_tag,
            'virtual': virtual,
            'serviceNowCriticality': busines_criticality,
            'usedFor': used_for,
            'installStatus': install_status,
            'duplicateOf': duplicate_of,
            'discoverySource': discovery_source,
            'mostFrequentUser': coalesce(frequent_user_name, most_frequent_user),
            'networkAdapters': adapters,
            'uPrimaryBusinessApplication': {
                'sysId': u_primary_business_application,
                'number': application_number,
                'name': application_name,
                'uCriticality': application_criticality,
                'businessCriticality': application_criticality
            }
        }
    }) as varchar) as properties
from computers
