-- What is no machine: data, containers, clusters, code that runs, and the accounts they are in
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
    'create' as authority,
    sync,
    page,
    row_number,
    coalesce(name, cloud_name, id) as display_name,
    -- Azure's name of a type where the resource's own name tells it
    lower(coalesce(
        case
            when type = 'SUBSCRIPTION' then case provider when 'azure' then 'microsoft.resources/subscriptions' when 'aws' then 'account' when 'gcp' then 'project' end
            when type = 'RESOURCE_GROUP' and provider = 'azure' then 'microsoft.resources/subscriptions/resourcegroups'
        end,
        nullif(regexp_extract(cloud_name, '(?i)^/subscriptions/.*/providers/([^/]+/[^/]+)/[^/]+$', 1), ''),
        native_type, type
    )) as resource_type,
    provider,
    account_id,
    region,
    -- what has no full name at its cloud, such as a pod, is known by Wiz's own id: a bare one may be that of another resource of
    -- another account, and an agent is told with the id of its image
    coalesce(cloud_name, list_filter(told_ids, lambda v: v like 'https://%')[1], id) as native_id,
    type in ('SUBSCRIPTION', 'RESOURCE_GROUP') as is_container,
    is_internet_facing,
    has_sensitive_data as contains_sensitive_data,
    criticality,
    cast(to_json({
        'resourceGroup': resource_group,
        'nativeEnvironmentRegionName': region,
        'tags': cast(tags as json),
        'environment': environment,
        'wizAssetInfo': {
            'id': id,
            'type': type,
            'status': status,
            'accountName': account_name,
            'kubernetesCluster': cluster,
            'hasAccessToSensitiveData': has_access_to_sensitive_data,
            'hasAdminPrivileges': has_admin_privileges,
            'hasHighPrivileges': has_high_privileges,
            'projects': project_names
        }
    }) as varchar) as properties
from stg_wiz__assets
where kind = 'cloud_resource' and coalesce(is_asset, true)
