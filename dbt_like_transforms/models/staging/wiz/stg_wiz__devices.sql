-- Virtual machines, known by their cloud's own ids
with listed as (
    select * exclude (provider, account_id),
        -- Azure Arc registers machines that live elsewhere
        case when is_arc then null else provider end as provider,
        case when is_arc then null else account_id end as account_id
    from (select *, coalesce(lower(cloud_name) like '%/microsoft.hybridcompute/%', false) as is_arc from stg_wiz__assets)
    where kind = 'device'
),

machines as (
    select *,
        case provider
            when 'azure' then list_filter(
                told_ids, lambda v: regexp_matches(lower(v), '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$')
            )[1]
            when 'aws' then nullif(regexp_extract(
                list_filter(told_ids, lambda v: regexp_matches(v, '(^|/)i-[0-9a-f]{8,}$'))[1], 'i-[0-9a-f]+$'
            ), '')
            when 'gcp' then nullif(regexp_extract(
                list_filter(told_ids, lambda v: regexp_matches(v, '(^|/)[0-9]{10,}$'))[1], '[0-9]+$'
            ), '')
        end as instance_id
    from listed
)

select
    record,
    product,
    instance,
    stream,
    id as record_id,
    'default' as scope,
    coalesce(last_seen, synced_at) as observed_at,
    first_seen,
    last_seen,
    case when deleted_at is not null then 'retired' else 'active' end as state,
    -- a machine without a name of its cloud may be one that others know
    case when coalesce(instance_id, cloud_name) is not null then 'create' else 'update' end as authority,
    sync,
    page,
    row_number,
    cast(null as varchar) as serial_number,
    cast(null as varchar) as manufacturer,
    cast(null as varchar) as smbios_uuid,
    cast([] as varchar[]) as mac_addresses,
    -- the name of an AWS machine is what somebody called it
    case when (provider in ('azure', 'gcp') or is_arc) and name is not null then [name] else cast([] as varchar[]) end as hostnames,
    cast([] as varchar[]) as fqdns,
    cast(null as varchar) as netbios_name,
    cast(null as varchar) as domain,
    cast(null as varchar) as entra_device_id,
    cast(null as varchar) as ad_object_guid,
    cast(null as varchar) as ad_sid,
    provider as cloud_provider,
    account_id as cloud_account_id,
    instance_id as cloud_instance_id,
    cloud_name as cloud_resource_id,
    cast(null as varchar) as imei,
    cast([] as varchar[]) as agent_ids,
    list_sort(list_distinct(list_filter(coalesce(ip_addresses, []), lambda v: v <> ''))) as ip_addresses,
    cast(null as varchar) as asset_tag,
    name as display_name,
    'Server' as device_category,
    operating_system as os_platform,
    cast(null as varchar) as os_version,
    instance_type as model,
    cast(null as varchar) as owner,
    is_internet_facing,
    cast(null as boolean) as is_managed,
    criticality,
    environment,
    cast(to_json({
        'nativeEnvironmentRegionName': region,
        'resourceType': native_type,
        'containsSensitiveData': has_sensitive_data,
        'wizAssetInfo': {
            'id': id,
            'status': status,
            'instanceType': instance_type,
            'accountName': account_name,
            'resourceGroup': resource_group,
            'kubernetesCluster': cluster,
            'hasAccessToSensitiveData': has_access_to_sensitive_data,
            'hasAdminPrivileges': has_admin_privileges,
            'hasHighPrivileges': has_high_privileges,
            'projects': project_names,
            'tags': cast(tags as json)
        }
    }) as varchar) as properties
from machines
