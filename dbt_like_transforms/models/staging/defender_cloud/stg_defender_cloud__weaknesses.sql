-- Single findings below an assessment, one row a CVE where they name any
with listed as (
    select
        _product, _instance, _stream, _sync, _page, _row, _synced_at,
        lower(id) as finding_id,
        split_part(lower(id), '/providers/microsoft.security/assessments/', 1) as arm_name,
        properties,
        case when json_valid(properties.resourceDetails) then properties.resourceDetails end as d,
        case when json_valid(properties.additionalData) then properties.additionalData end as a,
        try_cast(properties.timeGenerated as timestamptz) at time zone 'UTC' as told_at
    from landed.defender_cloud__sub_assessments
    where lower(trim(properties.status.code)) = 'unhealthy'
    qualify row_number() over (partition by _instance, lower(id) order by _row desc) = 1
),

-- a CVE's name stands in one of three places, by the scanner
named as (
    select *,
        list_filter(
            list_distinct(list_transform(
                flatten([
                    [
                        json_extract_string(a, '$.vulnerabilityDetails.cveId'),
                        json_extract_string(a, '$.cveId'),
                        -- that of a pool of nodes is told of by an object
                        json_extract_string(a, '$.cve.title'),
                        properties.id,
                        properties.displayName
                    ],
                    coalesce(json_extract_string(a, '$.cve[*].title'), cast([] as varchar[]))
                ]),
                lambda word: upper(trim(word))
            )),
            lambda word: regexp_matches(word, '^CVE-[0-9]{4}-[0-9]{4,}$')
        ) as cves
    from listed
),

single as (
    select * exclude (cves), unnest(case when array_length(cves) > 0 then cves else [cast(null as varchar)] end) as cve_id,
        try_cast(list_filter(
            [
                json_extract_string(a, '$.vulnerabilityDetails.publishedDate'), json_extract_string(a, '$.publishedTime'),
                json_extract_string(a, '$.cve.publishedDate')
            ],
            lambda v: v <> ''
        )[1] as timestamptz) at time zone 'UTC' as published
    from named
)

select
    _product as product,
    _instance as instance,
    _stream as stream,
    _sync as sync,
    _page as page,
    _row as row_number,
    _synced_at as synced_at,
    finding_id,
    cve_id,
    arm_name,
    lower(coalesce(
        json_extract_string(d, '$.nativeCloudUniqueIdentifier'), json_extract_string(d, '$.NativeCloudUniqueIdentifier')
    )) as native_name,
    properties.displayName as title,
    lower(list_filter(
        [
            properties.status.severity, json_extract_string(a, '$.vulnerabilityDetails.severity'), json_extract_string(a, '$.cve.severity')
        ],
        lambda v: v <> ''
    )[1]) as severity,
    case when told_at between timestamp '1970-01-02' and timestamp '9999-01-01' then told_at end as found_at,
    properties.category as category,
    properties.remediation as remediation,
    a as details,
    coalesce(
        try_cast(json_extract_string(a, '$.cvssV30Score') as double),
        try_cast(json_extract_string(a, '$.vulnerabilityDetails.cvss."3.1".base') as double),
        try_cast(json_extract_string(a, '$.vulnerabilityDetails.cvss."3.0".base') as double),
        try_cast(json_extract_string(a, '$.cvss."3.0".base') as double),
        try_cast(json_extract_string(a, '$.cve.cvssScore') as double)
    ) as cvss_score,
    coalesce(
        json_extract_string(a, '$.vulnerabilityDetails.exploitabilityAssessment.exploitStepsPublished') = 'true', false
    ) or coalesce(
        json_extract_string(a, '$.vulnerabilityDetails.exploitabilityAssessment.isInExploitKit') = 'true', false
    ) or coalesce(json_extract_string(a, '$.cve.hasPublicExploit') = 'true', false)
    or coalesce(json_extract_string(a, '$.cve.isExploitInKit') = 'true', false) as exploit_available,
    case when published between timestamp '1970-01-02' and timestamp '9999-01-01' then published end as published_at
from single
