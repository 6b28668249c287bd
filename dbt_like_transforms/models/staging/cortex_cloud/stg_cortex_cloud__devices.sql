-- Virtual machines by their cloud's own names, and what Cortex Cloud found in the company's own network
with machines as (
    select *,
        case provider
            when 'azure' then list_filter(
                told_ids, lambda v: regexp_matches(lower(v), '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$')
            )[1]
            when 'aws' then ec2_id
            when 'gcp' then nullif(regexp_extract(
                list_filter(told_ids, lambda v: regexp_matches(v, '(^|/)[0-9]{10,}$'))[1], '[0-9]+$'
            ), '')
        end as instance_id,
        -- what a network is asked for may answer with its address
        case when regexp_matches(name, '^[0-9.:]+$') then null else nullif(trim(name), '') end as host_name,
        -- "Dr. Smith's iPad" has a dot and is no name in a domain
        contains(host_name, ' ') as is_described
    from stg_cortex_cloud__assets
    where kind = 'device'
)

select
    record,
    product,
    instance,
    stream,
    id as record_id,
    'default' as scope,
    coalesce(last_observed, synced_at) as observed_at,
    first_observed as first_seen,
    last_observed as last_seen,
    case when is_inactive then 'retired' else 'active' end as state,
    -- a machine without a name of its cloud may be one that others know
    case when coalesce(instance_id, cloud_name) is not null then 'create' else 'update' end as authority,
    sync,
    page,
    row_number,
    cast(null as varchar) as serial_number,
    cast(null as varchar) as manufacturer,
    cast(null as varchar) as smbios_uuid,
    list_sort(list_distinct(list_filter(coalesce(mac_addresses, []), lambda v: v <> ''))) as mac_addresses,
    -- the name of an AWS machine is what somebody or its network called it
    case
        when (provider in ('azure', 'gcp') or is_on_premises) and host_name is not null
            then [case when is_described then host_name else split_part(host_name, '.', 1) end]
        else cast([] as varchar[])
    end as hostnames,
    list_sort(list_distinct(list_filter(
        [lower(fqdn), case when is_on_premises and not is_described then lower(host_name) end], lambda v: strpos(v, '.') > 0
    ))) as fqdns,
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
    coalesce(name, strong_id) as display_name,
    case when is_on_premises then 'Unknown' else 'Server' end as device_category,
    operating_system as os_platform,
    cast(null as varchar) as os_version,
    cast(null as varchar) as model,
    cast(null as varchar) as owner,
    is_internet_facing,
    cast(null as boolean) as is_managed,
    criticality,
    environment,
    cast(to_json({
        'nativeEnvironmentRegionName': region,
        'resourceType': lower(type_id),
        'containsSensitiveData': has_sensitive_data,
        'cortexCloudAssetInfo': {
            'id': id,
            'strongId': strong_id,
            'type': type_id,
            'typeClass': type_class,
            'typeCategory': type_category,
            'realm': realm,
            'accountName': account_name,
            'groupIds': group_ids,
            'criticalIssues': critical_issues,
            'issuesBreakdown': cast(issues_breakdown as json),
            'tags': cast(tags as json)
        }
    }) as varchar) as properties
from machines
