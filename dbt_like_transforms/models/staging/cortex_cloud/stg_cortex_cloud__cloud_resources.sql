-- What is no machine: data, containers, clusters, code that runs, and the accounts they are in
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
    'create' as authority,
    sync,
    page,
    row_number,
    coalesce(name, cloud_name, strong_id, id) as display_name,
    -- Azure's name of a type where the resource's own name tells it
    lower(coalesce(
        case when is_account then case provider when 'azure' then 'microsoft.resources/subscriptions' when 'aws' then 'account' when 'gcp' then 'project' end end,
        case
            when regexp_matches(cloud_name, '(?i)^/subscriptions/[^/]+/resourcegroups/[^/]+$')
                then 'microsoft.resources/subscriptions/resourcegroups'
        end,
        nullif(regexp_extract(cloud_name, '(?i)^/subscriptions/.*/providers/([^/]+/[^/]+)/[^/]+$', 1), ''),
        case upper(type_id)
            when 'S3_BUCKET' then 's3/bucket'
            when 'RDS_DATABASE_INSTANCE' then 'rds/instance'
            when 'LAMBDA_FUNCTION' then 'lambda/function'
            when 'EKS_CLUSTER' then 'eks/cluster'
            when 'KMS_KEY' then 'kms/key'
        end,
        type_id, type_name, type_category
    )) as resource_type,
    provider,
    account_id,
    region,
    -- a bare name may be that of another resource of another account: such a one is known by Cortex's own id
    coalesce(cloud_name, id) as native_id,
    is_account or regexp_matches(coalesce(cloud_name, ''), '(?i)^/subscriptions/[^/]+/resourcegroups/[^/]+$') as is_container,
    is_internet_facing,
    has_sensitive_data as contains_sensitive_data,
    criticality,
    cast(to_json({
        'resourceGroup': nullif(regexp_extract(cloud_name, '(?i)^/subscriptions/[^/]+/resourcegroups/([^/]+)', 1), ''),
        'nativeEnvironmentRegionName': region,
        'tags': cast(tags as json),
        'environment': environment,
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
            'issuesBreakdown': cast(issues_breakdown as json)
        }
    }) as varchar) as properties
from stg_cortex_cloud__assets
where kind = 'cloud_resource'
