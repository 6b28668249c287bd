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
        lower(name) as assessment_key, properties,
        case when json_valid(properties.resourceDetails) then properties.resourceDetails end as d,
        case when json_valid(properties.additionalData) then properties.additionalData end as a,
        case
            when json_valid(properties.environmentDetails) then properties.environmentDetails
            when json_valid(properties.environment) then properties.environment
        end as e,
        try_cast(properties.status.firstEvaluationDate as timestamptz) at time zone 'UTC' as evaluated_at,
        try_cast(properties.status.statusChangeDate as timestamptz) at time zone 'UTC' as changed_at
    from listed
    where strpos(lower(id), '/providers/microsoft.security/assessments/') > 0
    qualify row_number() over (partition by _instance, lower(id) order by rank, _sync desc, _row desc) = 1
),

-- the same key with a capital or without, in one of three objects; '' is none
read as (
    select *,
        list_filter(
            [
                json_extract_string(d, '$.Source'), json_extract_string(d, '$.source'),
                json_extract_string(e, '$.Source'), json_extract_string(e, '$.source'),
                case when properties.environment is not null and not json_valid(properties.environment) then properties.environment end,
                nullif(regexp_extract(arm_name, '/securityentitydata/(aws|gcp)-[^/]*$', 1), ''),
                'azure'
            ],
            lambda v: trim(v) <> ''
        )[1] as told_source,
        lower(list_filter(
            [json_extract_string(d, '$.Id'), json_extract_string(d, '$.id')], lambda v: v <> ''
        )[1]) as told_id,
        list_filter(
            [
                json_extract_string(d, '$.NativeCloudUniqueIdentifier'), json_extract_string(d, '$.nativeCloudUniqueIdentifier'),
                json_extract_string(a, '$.NativeCloudUniqueIdentifier'), json_extract_string(a, '$.nativeCloudUniqueIdentifier'),
                json_extract_string(e, '$.NativeCloudUniqueIdentifier'), json_extract_string(e, '$.nativeCloudUniqueIdentifier'),
                json_extract_string(d, '$.NativeResourceId'), json_extract_string(d, '$.nativeResourceId'),
                json_extract_string(e, '$.NativeResourceId'), json_extract_string(e, '$.nativeResourceId'),
                case when regexp_matches(json_extract_string(d, '$.Id'), '^(arn:|//|https?://)') then json_extract_string(d, '$.Id') end,
                case when regexp_matches(json_extract_string(d, '$.id'), '^(arn:|//|https?://)') then json_extract_string(d, '$.id') end
            ],
            lambda v: trim(v) <> ''
        )[1] as told_native,
        list_filter(
            [
                json_extract_string(d, '$.HierarchyId'), json_extract_string(d, '$.hierarchyId'),
                json_extract_string(a, '$.HierarchyId'), json_extract_string(a, '$.hierarchyId'),
                json_extract_string(e, '$.EnvironmentHierarchyId'), json_extract_string(e, '$.environmentHierarchyId'),
                json_extract_string(e, '$.HierarchyId'), json_extract_string(e, '$.hierarchyId')
            ],
            lambda v: v <> ''
        )[1] as hierarchy_id,
        list_filter(
            [
                json_extract_string(d, '$.Region'), json_extract_string(d, '$.region'),
                json_extract_string(a, '$.Region'), json_extract_string(a, '$.region'),
                json_extract_string(e, '$.Region'), json_extract_string(e, '$.region')
            ],
            lambda v: v <> ''
        )[1] as region,
        lower(list_filter(
            [
                json_extract_string(d, '$.ResourceProvider'), json_extract_string(d, '$.resourceProvider'),
                json_extract_string(a, '$.ResourceProvider'), json_extract_string(a, '$.resourceProvider')
            ],
            lambda v: v <> ''
        )[1]) as resource_provider,
        -- Azure Resource Graph prefixes the types of other clouds with the name of its own connector
        lower(regexp_replace(list_filter(
            [
                json_extract_string(d, '$.ResourceType'), json_extract_string(d, '$.resourceType'),
                json_extract_string(a, '$.ResourceType'), json_extract_string(a, '$.resourceType')
            ],
            lambda v: v <> ''
        )[1], '^.*/', '')) as full_type,
        list_filter(
            [
                json_extract_string(d, '$.ResourceName'), json_extract_string(d, '$.resourceName'),
                json_extract_string(a, '$.ResourceName'), json_extract_string(a, '$.resourceName')
            ],
            lambda v: v <> ''
        )[1] as resource_name,
        list_filter(
            [json_extract_string(d, '$.ConnectorId'), json_extract_string(d, '$.connectorId')], lambda v: v <> ''
        )[1] as connector_id
    from details
),

placed as (
    select *,
        lower(trim(told_source)) as source,
        -- https://www.googleapis.com/compute/v1/projects/.. is //compute.googleapis.com/projects/..
        regexp_replace(
            told_native, '^https?://www[.]googleapis[.]com/([a-z]+)/(v|beta|alpha)[0-9a-z]*/', '//\1.googleapis.com/'
        ) as native_name,
        case
            when told_id like '%/microsoft.hybridcompute/machines/%' then told_id
            when arm_name like '%/microsoft.hybridcompute/machines/%' then arm_name
        end as arc_name
    from read
)

select
    p._product as product,
    p._instance as instance,
    p._stream as stream,
    p._sync as sync,
    p._page as page,
    p._row as row_number,
    p._synced_at as synced_at,
    p.assessment_id,
    p.assessment_key,
    p.source,
    p.arm_name,
    p.arc_name,
    -- what the resource is called at its own cloud; without such a name, what Azure calls it
    case
        when p.source in ('aws', 'gcp') and p.native_name is not null then lower(p.native_name)
        when p.source in ('aws', 'gcp') and p.arc_name is not null then p.arc_name
        when p.source not in ('aws', 'gcp') and p.told_id like '/subscriptions/%' then p.told_id
        else p.arm_name
    end as asset_name,
    case when p.source in ('aws', 'gcp') then coalesce(p.native_name, p.arm_name) end as native_id,
    coalesce(
        case when p.source = 'aws' and p.native_name like 'arn:%' then nullif(split_part(p.native_name, ':', 5), '') end,
        case when p.source = 'gcp' then nullif(regexp_extract(p.native_name, 'projects/([^/]+)', 1), '') end,
        p.hierarchy_id
    ) as account_id,
    p.region,
    p.resource_provider,
    -- the type repeats its service: ec2instance
    case
        when starts_with(p.full_type, p.resource_provider) and length(p.full_type) > length(p.resource_provider)
        then substr(p.full_type, length(p.resource_provider) + 1)
        else p.full_type
    end as told_type,
    p.resource_name,
    p.connector_id,
    coalesce(
        nullif(p.properties.displayName, ''), nullif(p.properties.metadata.displayName, ''), m.properties.displayName
    ) as title,
    lower(p.properties.status.code) as status_code,
    lower(coalesce(nullif(p.properties.metadata.severity, ''), m.properties.severity)) as severity,
    case when p.evaluated_at between timestamp '1970-01-02' and timestamp '9999-01-01' then p.evaluated_at end as first_evaluated,
    case when p.changed_at between timestamp '1970-01-02' and timestamp '9999-01-01' then p.changed_at end as status_changed,
    p.properties.status.cause as cause,
    p.properties.status.description as status_description,
    coalesce(p.properties.metadata.categories, m.properties.categories) as categories,
    coalesce(nullif(p.properties.metadata.remediationDescription, ''), m.properties.remediationDescription) as remediation,
    coalesce(p.properties.links.azurePortal, p.properties.links.azurePortalUri) as portal_link,
    lower(nullif(p.properties.risk.level, '')) as risk_level,
    p.properties.risk.riskFactors as risk_factors,
    p.properties.risk.attackPathsReferences as attack_paths,
    -- a list of CVEs lies in a text, in one of several forms
    list_sort(list_distinct(regexp_extract_all(upper(coalesce(
        json_extract_string(p.a, '$.CVEs'), json_extract_string(p.a, '$.cves'), ''
    )), 'CVE-[0-9]{4}-[0-9]{4,}'))) as cves
from placed as p
left join landed.defender_cloud__assessment_metadata as m
    on m._instance = p._instance and lower(m.name) = p.assessment_key
qualify row_number() over (partition by p._instance, p.assessment_id order by m._row) = 1
