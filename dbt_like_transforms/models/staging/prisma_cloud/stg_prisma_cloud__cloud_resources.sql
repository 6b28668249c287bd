-- What is no machine: data, clusters, networks, code that runs, and what else the inventory lists
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
    'create' as authority,
    sync,
    page,
    row_number,
    coalesce(name, told_id, id) as display_name,
    -- the cloud's name of a type where the resource's own name tells it, else Prisma Cloud's
    lower(coalesce(
        nullif(regexp_extract(cloud_name, '(?i)^/subscriptions/.*/providers/([^/]+/[^/]+)/[^/]+$', 1), ''),
        case when cloud_name like 'arn:%:s3:::%' then 's3/bucket' end,
        nullif(regexp_replace(cloud_name, '^arn:[^:]*:([^:]*):[^:]*:[^:]*:([a-zA-Z-]+)[:/].*$', '\1/\2'), cloud_name),
        type, kind_in_name, 'resource'
    )) as resource_type,
    provider,
    account_id,
    region,
    -- what its cloud's own name cannot be told of is known by the one Prisma Cloud made
    coalesce(cloud_name, rrn, id) as native_id,
    false as is_container,
    case when is_exposed then true end as is_internet_facing,
    cast(null as boolean) as contains_sensitive_data,
    criticality,
    cast(to_json({
        'resourceGroup': resource_group,
        'nativeEnvironmentRegionName': region,
        'tags': cast(tags as json),
        'environment': environment,
        'prismaCloudAssetInfo': {
            'unifiedAssetId': id,
            'rrn': rrn,
            'type': type,
            'accountName': account_name,
            'overallPassed': passed,
            'vulnerabilityStatus': vulnerability_counts,
            'vpcId': vpc_id
        }
    }) as varchar) as properties
from stg_prisma_cloud__assets
where kind = 'cloud_resource'
