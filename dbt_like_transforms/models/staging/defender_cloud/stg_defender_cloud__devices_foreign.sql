-- Machines of AWS and GCP
select
    concat(f.product, ':', f.instance, ':', f.asset_name) as record,
    f.product,
    f.instance,
    f.stream,
    f.asset_name as record_id,
    'default' as scope,
    synced_at as observed_at,
    cast(null as timestamp) as first_seen,
    synced_at as last_seen,
    'active' as state,
    'create' as authority,
    sync,
    page,
    row_number,
    cast(null as varchar) as serial_number,
    cast(null as varchar) as manufacturer,
    cast(null as varchar) as smbios_uuid,
    cast([] as varchar[]) as mac_addresses,
    -- the name of an AWS resource is what somebody called it, a Google one is the host's
    case when provider = 'gcp' then [display_name] else cast([] as varchar[]) end as hostnames,
    cast([] as varchar[]) as fqdns,
    cast(null as varchar) as netbios_name,
    cast(null as varchar) as domain,
    cast(null as varchar) as entra_device_id,
    cast(null as varchar) as ad_object_guid,
    cast(null as varchar) as ad_sid,
    provider as cloud_provider,
    account_id as cloud_account_id,
    case
        when provider = 'aws' then nullif(regexp_extract(f.asset_name, 'i-[0-9a-f]+$'), '')
        else nullif(regexp_extract(f.asset_name, '/instances/([0-9]{10,})$', 1), '')
    end as cloud_instance_id,
    native_id as cloud_resource_id,
    cast(null as varchar) as imei,
    cast([] as varchar[]) as agent_ids,
    cast([] as varchar[]) as ip_addresses,
    cast(null as varchar) as asset_tag,
    display_name,
    'Server' as device_category,
    cast(null as varchar) as os_platform,
    cast(null as varchar) as os_version,
    cast(null as varchar) as model,
    cast(null as varchar) as owner,
    -- Defender for Cloud says of a machine of another cloud only that the internet reaches it, never that it does not
    case when r.is_internet_exposed then true end as is_internet_facing,
    cast(null as boolean) as is_managed,
    cast(null as integer) as criticality,
    cast(null as varchar) as environment,
    cast(to_json({
        'nativeEnvironmentRegionName': region, 'resourceType': resource_type, 'connectorId': connector_id,
        'containsSensitiveData': case when r.holds_sensitive_data then true end
    }) as varchar) as properties
from stg_defender_cloud__foreign as f
left join stg_defender_cloud__risks as r on r.instance = f.instance and r.asset_name = f.asset_name
where f.is_machine
