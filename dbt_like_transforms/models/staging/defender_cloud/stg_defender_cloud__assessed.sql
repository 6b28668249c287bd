-- Every assessment with the resource it is about, whichever interface told it and however that one spells its keys
with listed as (
    select *, 1 as rank from landed.defender_cloud__assessments
    union all
    select *, 2 as rank from landed.defender_cloud__foreign_resources
),

details as (
    select
        _product, _instance, _stream, _sync, _page, _row, _synced_at,
        lower(id) as assessment_id,
        split_part(lower(id), '/providers/microsoft.security/assessments/', 1) as arm_name,
        name, properties,
        case when json_valid(properties.resourceDetails) then properties.resourceDetails end as d,
        case when json_valid(properties.additionalData) then properties.additionalData end as a
    from listed
    where strpos(lower(id), '/providers/microsoft.security/assessments/') > 0
    qualify row_number() over (partition by _instance, lower(id) order by rank, _sync desc, _row desc) = 1
),

read as (
    select *,
        lower(coalesce(json_extract_string(d, '$.Source'), json_extract_string(d, '$.source'), 'azure')) as source,
        lower(coalesce(json_extract_string(d, '$.Id'), json_extract_string(d, '$.id'))) as told_id,
        coalesce(
            json_extract_string(d, '$.NativeCloudUniqueIdentifier'), json_extract_string(d, '$.nativeCloudUniqueIdentifier'),
            json_extract_string(a, '$.NativeCloudUniqueIdentifier'), json_extract_string(a, '$.nativeCloudUniqueIdentifier'),
            json_extract_string(d, '$.NativeResourceId'), json_extract_string(d, '$.nativeResourceId')
        ) as native_id,
        coalesce(
            json_extract_string(d, '$.HierarchyId'), json_extract_string(d, '$.hierarchyId'),
            json_extract_string(a, '$.HierarchyId'), json_extract_string(a, '$.hierarchyId')
        ) as hierarchy_id,
        coalesce(
            json_extract_string(d, '$.Region'), json_extract_string(d, '$.region'), json_extract_string(a, '$.Region')
        ) as region,
        coalesce(
            json_extract_string(d, '$.ResourceProvider'), json_extract_string(d, '$.resourceProvider'),
            json_extract_string(a, '$.ResourceProvider')
        ) as resource_provider,
        coalesce(
            json_extract_string(d, '$.ResourceType'), json_extract_string(d, '$.resourceType'),
            json_extract_string(a, '$.ResourceType')
        ) as told_type,
        coalesce(
            json_extract_string(d, '$.ResourceName'), json_extract_string(d, '$.resourceName'),
            json_extract_string(a, '$.ResourceName')
        ) as resource_name,
        coalesce(json_extract_string(d, '$.ConnectorId'), json_extract_string(d, '$.connectorId')) as connector_id
    from details
)

select
    _product as product,
    _instance as instance,
    _stream as stream,
    _sync as sync,
    _page as page,
    _row as row_number,
    _synced_at as synced_at,
    assessment_id,
    name as assessment_key,
    source,
    arm_name,
    -- what the resource is called at its own cloud
    case
        when source in ('aws', 'gcp') then nullif(lower(native_id), '')
        when told_id like '/subscriptions/%' then told_id
        else arm_name
    end as asset_name,
    case when source in ('aws', 'gcp') then native_id end as native_id,
    coalesce(
        case when source = 'aws' and native_id like 'arn:%' then nullif(split_part(native_id, ':', 5), '') end,
        case when source = 'gcp' then nullif(regexp_extract(native_id, 'projects/([^/]+)', 1), '') end,
        nullif(hierarchy_id, '')
    ) as account_id,
    nullif(region, '') as region,
    lower(nullif(resource_provider, '')) as resource_provider,
    -- Azure Resource Graph prefixes the types of other clouds with the name of its own connector
    lower(nullif(regexp_replace(told_type, '^.*/', ''), '')) as told_type,
    nullif(resource_name, '') as resource_name,
    connector_id,
    coalesce(properties.displayName, properties.metadata.displayName) as title,
    lower(properties.status.code) as status_code,
    lower(properties.metadata.severity) as severity,
    properties.status.firstEvaluationDate as first_evaluated,
    properties.status.statusChangeDate as status_changed,
    properties.status.cause as cause,
    properties.status.description as status_description,
    properties.metadata.categories as categories,
    properties.metadata.remediationDescription as remediation,
    coalesce(properties.links.azurePortal, properties.links.azurePortalUri) as portal_link
from read
