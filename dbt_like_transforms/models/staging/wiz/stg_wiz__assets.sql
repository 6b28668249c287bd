-- Everything Wiz tells of: its inventory, and what a finding or an issue is about that the inventory does not list
with listed as (
    select
        _product as product, _instance as instance, _stream as stream, _sync as sync, _page as page, _row as row_number,
        _synced_at as synced_at, 1 as rank, id, name, upper(type) as type,
        -- what the first version of the list says in the entity alone is looked up there
        coalesce(nativeType, json_extract_string(graphEntity.properties, '$.nativeType')) as native_type,
        externalId as external_id, coalesce(providerUniqueId, graphEntity.providerUniqueId) as provider_id,
        coalesce(cloudPlatform, json_extract_string(graphEntity.properties, '$.cloudPlatform')) as platform,
        coalesce(status, json_extract_string(graphEntity.properties, '$.status')) as status,
        coalesce(region, json_extract_string(graphEntity.properties, '$.region')) as region,
        coalesce(firstSeen, graphEntity.firstSeen) as first_seen, coalesce(lastSeen, graphEntity.lastSeen) as last_seen,
        deletedAt as deleted_at, coalesce(cloudAccount.externalId, subscriptionExternalId) as account_id,
        cloudAccount.name as account_name,
        resourceGroup.name as resource_group, coalesce(isOpenToAllInternet, isAccessibleFromInternet) as is_internet_facing,
        hasSensitiveData as has_sensitive_data, hasAccessToSensitiveData as has_access_to_sensitive_data,
        hasAdminPrivileges as has_admin_privileges, hasHighPrivileges as has_high_privileges,
        coalesce(tags, json_extract(graphEntity.properties, '$.tags')) as tags, projects,
        coalesce(typeFields.operatingSystem, json_extract_string(graphEntity.properties, '$.operatingSystem')) as operating_system,
        typeFields.ipAddresses as ip_addresses,
        typeFields.instanceType as instance_type, typeFields.kubernetesCluster.name as cluster,
        json_extract_string(graphEntity.properties, '$.externalId') as graph_id,
        json_extract_string(graphEntity.properties, '$.cloudProviderURL') as portal_url,
        cast(null as varchar) as machine_name
    from landed.wiz__cloud_resources
    where id is not null
    union all
    select
        _product, _instance, _stream, _sync, _page, _row, _synced_at, 2, vulnerableAsset.id, vulnerableAsset.name,
        upper(vulnerableAsset.type), null, null, vulnerableAsset.providerUniqueId, vulnerableAsset.cloudPlatform,
        vulnerableAsset.status, vulnerableAsset.region, null, lastDetectedAt, null, vulnerableAsset.subscriptionExternalId,
        vulnerableAsset.subscriptionName, null,
        -- a limited exposure is one to named addresses
        vulnerableAsset.hasWideInternetExposure, null, null, null, null, vulnerableAsset.tags, projects,
        vulnerableAsset.operatingSystem, vulnerableAsset.ipAddresses, null, null, null, vulnerableAsset.cloudProviderURL,
        vulnerableAsset.VmExternalId
    from landed.wiz__vulnerability_findings
    where vulnerableAsset.id is not null
    union all
    select
        _product, _instance, _stream, _sync, _page, _row, _synced_at, 3, entitySnapshot.id, entitySnapshot.name,
        upper(entitySnapshot.type), entitySnapshot.nativeType, entitySnapshot.externalId, entitySnapshot.providerId,
        entitySnapshot.cloudPlatform, entitySnapshot.status, entitySnapshot.region, null, updatedAt, null,
        entitySnapshot.subscriptionExternalId, null, null, null, null, null, null, null, entitySnapshot.tags, projects,
        null, null, null, null, null, null, null
    from landed.wiz__issues
    where entitySnapshot.id is not null
),

-- the inventory's own word counts; snapshots say what they said when the finding was made, the latest is best
ranked as (
    select *,
        max(machine_name) over (partition by instance, id) as runs_on,
        max(portal_url) over (partition by instance, id) as any_portal_url
    from listed
    qualify row_number() over (
        partition by instance, id order by rank, last_seen desc nulls last, sync desc, page, row_number
    ) = 1
),

named as (
    select *,
        case
            when lower(platform) like '%azure%' then 'azure'
            when lower(platform) like '%aws%' or lower(platform) like '%amazon%' then 'aws'
            when lower(platform) like '%gcp%' or lower(platform) like '%google%' then 'gcp'
            else nullif(lower(trim(platform)), '')
        end as provider,
        list_filter([external_id, provider_id, graph_id], lambda v: v <> '') as told_ids,
        -- an account need not say that it is in itself
        coalesce(
            nullif(account_id, ''), case when type = 'SUBSCRIPTION' then nullif(regexp_extract(external_id, '^[^/:]+$'), '') end
        ) as account,
        list_transform(coalesce(projects, []), lambda p: upper(p.riskProfile.businessImpact)) as impacts,
        list_filter(json_extract(tags, '$[*]'), lambda t: lower(json_extract_string(t, '$.key')) in ('env', 'environment')) as tag_pairs
    from ranked
)

select
    product, instance, stream, sync, page, row_number, synced_at,
    concat(product, ':', instance, ':', id) as record,
    id, name, type,
    case when type = 'VIRTUAL_MACHINE' then 'device' else 'cloud_resource' end as kind,
    -- who signs in is no resource, nor is what Wiz makes up of resources
    type not in ('USER_ACCOUNT', 'SERVICE_ACCOUNT', 'GROUP', 'ACCESS_ROLE', 'ENDPOINT', 'HOSTED_TECHNOLOGY') as is_asset,
    native_type, provider, provider_id, external_id, told_ids, status, region, first_seen, last_seen, deleted_at,
    account as account_id, account_name, resource_group, is_internet_facing, has_sensitive_data,
    has_access_to_sensitive_data, has_admin_privileges, has_high_privileges, cast(tags as varchar) as tags,
    list_transform(coalesce(projects, []), lambda p: p.name) as project_names, operating_system, ip_addresses,
    instance_type, cluster, runs_on,
    coalesce(
        -- the same names Defender for Cloud gives to accounts of other clouds
        case
            when account is null then null
            when type = 'SUBSCRIPTION' and provider = 'aws' then concat('arn:aws:iam::', account, ':root')
            when type = 'SUBSCRIPTION' and provider = 'gcp' then concat('//cloudresourcemanager.googleapis.com/projects/', account)
            when type = 'SUBSCRIPTION' and provider = 'azure' then concat('/subscriptions/', account)
        end,
        list_filter(told_ids, lambda v: regexp_matches(v, '^(/subscriptions/|arn:|//)'))[1],
        -- https://www.googleapis.com/compute/v1/projects/.. is //compute.googleapis.com/projects/..
        list_transform(
            list_filter(told_ids, lambda v: regexp_matches(v, '^https://(www|compute)[.]googleapis[.]com/compute/[a-z0-9]+/projects/')),
            lambda v: regexp_replace(v, '^https://[a-z]+[.]googleapis[.]com/compute/[a-z0-9]+/', '//compute.googleapis.com/')
        )[1],
        nullif(regexp_extract(any_portal_url, '/subscriptions/[^?#]+/providers/[^?#]+'), '')
    ) as cloud_name,
    case
        when list_contains(impacts, 'HBI') then 1
        when list_contains(impacts, 'MBI') then 2
        when list_contains(impacts, 'LBI') then 3
    end as criticality,
    list_filter(
        list_concat(
            list_transform(
                list_filter(json_keys(tags), lambda k: lower(k) in ('env', 'environment')),
                lambda k: json_extract_string(tags, concat('$.', k))
            ),
            list_transform(tag_pairs, lambda t: json_extract_string(t, '$.value'))
        ),
        lambda v: v not in ('', '[]', '{}')
    )[1] as environment
from named
