-- Machines of the clouds as the posture API knows them; what the config search marks as deleted is retired
with machines as (
    select *,
        case provider
            -- the inventory shows a part of a vmId only: just a whole one tells the machine
            when 'azure' then list_filter(
                [lower(machine.id), lower(regexp_extract(told_id, '^([0-9a-fA-F-]{36})-/', 1))],
                lambda v: regexp_matches(v, '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$')
            )[1]
            when 'aws' then nullif(regexp_extract(coalesce(machine.id, told_id), '(^|/)(i-[0-9a-f]{8,})$', 2), '')
            when 'gcp' then list_filter([machine.id, told_id], lambda v: regexp_matches(v, '^[0-9]{10,}$'))[1]
        end as instance_id
    from stg_prisma_cloud__assets
    where kind = 'device'
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
    case when is_deleted then 'retired' else 'active' end as state,
    -- a machine without a name of its cloud may be one that others know
    case when coalesce(instance_id, cloud_name) is not null then 'create' else 'update' end as authority,
    sync,
    page,
    row_number,
    cast(null as varchar) as serial_number,
    cast(null as varchar) as manufacturer,
    cast(null as varchar) as smbios_uuid,
    coalesce(machine.macAddresses, cast([] as varchar[])) as mac_addresses,
    -- the name of an AWS machine is what somebody called it, the other clouds' is the host's
    list_distinct(list_filter(
        list_transform(coalesce(machine.hostNames, []), lambda v: split_part(v, '.', 1))
        || [case when provider in ('azure', 'gcp') then name end],
        lambda v: v <> ''
    )) as hostnames,
    list_filter(coalesce(machine.hostNames, cast([] as varchar[])), lambda v: v like '%.%') as fqdns,
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
    list_sort(list_distinct(list_filter(coalesce(machine.ipAddresses, cast([] as varchar[])), lambda v: v <> ''))) as ip_addresses,
    cast(null as varchar) as asset_tag,
    coalesce(name, instance_id, id) as display_name,
    'Server' as device_category,
    machine.operatingSystem as os_platform,
    cast(null as varchar) as os_version,
    nullif(regexp_replace(machine.size, '^.*/', ''), '') as model,
    cast(null as varchar) as owner,
    -- only policies on reachability are asked: that none is violated does not say that the internet is far
    case when is_exposed then true end as is_internet_facing,
    cast(null as boolean) as is_managed,
    criticality,
    environment,
    cast(to_json({
        'nativeEnvironmentRegionName': region,
        'resourceType': type,
        'resourceGroup': resource_group,
        'prismaCloudAssetInfo': {
            'unifiedAssetId': id,
            'rrn': rrn,
            'accountName': account_name,
            'overallPassed': passed,
            'vulnerabilityStatus': vulnerability_counts,
            'vpcId': vpc_id,
            'subnetId': machine.subnetId,
            'publicDnsName': machine.publicDnsName,
            'publicIpAddresses': machine.publicIpAddresses,
            'powerState': machine.state,
            'tags': cast(tags as json)
        }
    }) as varchar) as properties
from machines
