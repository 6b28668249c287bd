with computers as (
    select
        c.*,
        coalesce(a.mac_addresses, []) as adapter_macs,
        coalesce(a.ip_addresses, []) as adapter_ips,
        a.adapters,
        u.user_name as owner_name,
        b.number as application_number,
        b.business_criticality as application_criticality,
        -- 7 retired, 100 absent, 8 stolen: the vendor's defaults; an instance that renamed them shows it in its labels
        coalesce(c.install_status in ('7', '8', '100'), false)
        or coalesce(c.operational_status = '6', false)
        or c.duplicate_of is not null
        or coalesce(lower(c.life_cycle_stage) in ('end of life', 'retired', 'disposed'), false)
        or coalesce(lower(l.label) in ('retired', 'absent', 'stolen', 'disposed'), false) as is_retired
    from landed.servicenow__computers as c
    left join stg_servicenow__adapters as a on a.instance = c._instance and a.sys_id = c.sys_id
    left join landed.servicenow__users as u on u._instance = c._instance and u.sys_id = c.assigned_to
    left join landed.servicenow__business_applications as b
        on b._instance = c._instance and b.sys_id = c.u_primary_business_application
    left join (
        select _instance, value, min(label) as label from landed.servicenow__choices
        where element = 'install_status' group by _instance, value
    ) as l on l._instance = c._instance and l.value = c.install_status
)

select
    concat(_product, ':', _instance, ':', _record_id) as record,
    _product as product,
    _instance as instance,
    _stream as stream,
    _record_id as record_id,
    coalesce(sys_domain, 'default') as scope,
    coalesce(last_discovered, sys_updated_on, _synced_at) as observed_at,
    coalesce(first_discovered, sys_created_on) as first_seen,
    coalesce(last_discovered, sys_updated_on) as last_seen,
    case when is_retired then 'retired' else 'active' end as state,
    'create' as authority,
    _sync as sync,
    _page as page,
    _row as row_number,
    serial_number,
    manufacturer,
    cast(null as varchar) as smbios_uuid,
    list_sort(list_distinct(list_filter(flatten([[mac_address], adapter_macs]), lambda mac: mac is not null))) as mac_addresses,
    list_sort(list_distinct(list_filter([host_name, name], lambda host: host is not null))) as hostnames,
    case when fqdn is not null then [fqdn] else cast([] as varchar[]) end as fqdns,
    cast(null as varchar) as netbios_name,
    coalesce(dns_domain, os_domain) as domain,
    cast(null as varchar) as entra_device_id,
    cast(null as varchar) as ad_object_guid,
    cast(null as varchar) as ad_sid,
    case
        when object_id like 'i-%' then 'aws'
        when lower(object_id) like '/subscriptions/%' then 'azure'
    end as cloud_provider,
    case when lower(object_id) like '/subscriptions/%' then split_part(object_id, '/', 3) end as cloud_account_id,
    case when lower(object_id) not like '/subscriptions/%' then object_id end as cloud_instance_id,
    case when lower(object_id) like '/subscriptions/%' then object_id end as cloud_resource_id,
    cast(null as varchar) as imei,
    cast([] as varchar[]) as agent_ids,
    list_sort(list_distinct(list_filter(flatten([[ip_address], adapter_ips]), lambda ip: ip is not null))) as ip_addresses,
    asset_tag,
    coalesce(name, host_name, fqdn) as display_name,
    case
        when sys_class_name like '%server%' then 'Server'
        when sys_class_name like '%vm%' then 'Virtual'
        when sys_class_name like '%netgear%' or sys_class_name like '%ip_%' then 'NetworkDevice'
        when sys_class_name like '%handheld%' or sys_class_name like '%mobile%' then 'Mobile'
        when sys_class_name is not null then 'Endpoint'
    end as device_category,
    os as os_platform,
    os_version,
    model_id as model,
    coalesce(owner_name, assigned_to) as owner,
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
            'mostFrequentUser': most_frequent_user,
            'networkAdapters': adapters,
            'uPrimaryBusinessApplication': {
                'sysId': u_primary_business_application,
                'number': application_number,
                'businessCriticality': application_criticality
            }
        }
    }) as varchar) as properties
from computers
