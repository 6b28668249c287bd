-- Everything Cortex Cloud tells of: its inventory, and what a finding is about that the inventory does not list
with listed as (
    select
        _product as product, _instance as instance, _stream as stream, _sync as sync, _page as page, _row as row_number,
        _synced_at as synced_at, 1 as rank, id, strong_id, external_provider_id, name, provider, realm, type_id, type_name,
        type_class, type_category, cloud_region as region, cloud_account_id, cloud_account_name as account_name, tags, group_ids,
        first_observed, last_observed, insights_is_inactive as is_inactive,
        insights_is_publicly_accessible as is_internet_facing, insights_has_sensitive_data as has_sensitive_data,
        related_issues_critical_issues as critical_issues, related_issues_issues_breakdown as issues_breakdown,
        host_fqdn as fqdn, host_ipv4_addresses as ip_addresses, host_mac_addresses as mac_addresses, told_criticality,
        cast(null as varchar) as operating_system
    from landed.cortex_cloud__assets
    where id is not null
    union all
    select
        _product, _instance, _stream, _sync, _page, _row, _synced_at, 2, asset_id, null, null, asset_name, provider, null,
        asset_type, null, asset_type_class, asset_category, null, null, null, null, null, null, last_observed, null,
        internet_exposed, null, null, null, null, ipv4_addresses, null, null, operating_system
    from landed.cortex_cloud__vulnerability_findings
    where asset_id is not null
),

-- the inventory's own word counts; of the findings on an asset, the latest
ranked as (
    select *, max(operating_system) over (partition by instance, id) as told_system
    from listed
    qualify row_number() over (
        partition by instance, id order by rank, last_observed desc nulls last, sync desc, page, row_number
    ) = 1
),

typed as (
    select *,
        case
            when upper(provider) in ('AZURE', 'AWS', 'GCP', 'OCI') then lower(provider)
            when upper(provider) like '%AMAZON%' then 'aws'
            when upper(provider) like '%GOOGLE%' then 'gcp'
            when upper(provider) like '%ORACLE%' then 'oci'
            when upper(provider) like '%ALIBABA%' then 'alibaba'
            when upper(provider) = 'ON_PREM' then null
            else nullif(lower(trim(provider)), '')
        end as cloud,
        upper(provider) = 'ON_PREM' as is_on_premises,
        upper(concat_ws(' ', replace(type_id, '_', ' '), type_name)) as told_type,
        upper(coalesce(type_class, '')) as class,
        upper(coalesce(type_category, '')) as category,
        list_filter([strong_id, external_provider_id], lambda v: v <> '') as told_ids
    from ranked
),

placed as (
    select *,
        regexp_matches(told_type, '(AWS ACCOUNT|AZURE SUBSCRIPTION|(GCP|GOOGLE CLOUD) PROJECT)( |$)') as is_account,
        -- a realm is the account where an asset lies in one, a management group or a domain where not
        coalesce(
            nullif(cloud_account_id, ''),
            case cloud
                when 'azure' then nullif(regexp_extract(lower(realm), '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'), '')
                when 'aws' then nullif(regexp_extract(realm, '^[0-9]{12}$'), '')
                when 'gcp' then nullif(regexp_extract(realm, '^[a-z][a-z0-9-]{4,28}[a-z0-9]$'), '')
            end,
            case when is_account then nullif(regexp_extract(strong_id, '[^/:]+$'), '') end
        ) as account_id,
        -- a zone lies in the region whose name it begins with
        case when cloud = 'aws' then regexp_replace(region, '([0-9])[a-z]$', '\1') else region end as aws_region,
        case
            when region like 'us-gov-%' then 'aws-us-gov'
            when region like 'cn-%' then 'aws-cn'
            else 'aws'
        end as aws_partition,
        category in ('VM INSTANCE', 'VIRTUAL MACHINE') or regexp_matches(
            told_type, '(EC2 INSTANCE|AZURE VIRTUAL MACHINE|COMPUTE ENGINE VM INSTANCE)( |$)'
        ) as is_machine,
        nullif(regexp_extract(
            list_filter(told_ids, lambda v: regexp_matches(v, '(^|/)i-[0-9a-f]{8,}$'))[1], 'i-[0-9a-f]+$'
        ), '') as ec2_id
    from typed
)

select
    product, instance, stream, sync, page, row_number, synced_at,
    concat(product, ':', instance, ':', id) as record,
    id, nullif(trim(name), '') as name, type_id, type_name, type_class, type_category,
    case
        when class in ('IDENTITY', 'CODE', 'EXTERNAL SURFACE') then null
        when is_machine or (is_on_premises and category in ('DEVICE', 'SERVER', 'ENDPOINT', 'WORKSTATION', 'LAPTOP')) then 'device'
        when category like 'CONTAINER%' or category like 'KUBERNETES%' then 'cloud_resource'
        -- packages, services and files of a cloud's assets are no assets of their own
        when cloud in ('azure', 'aws', 'gcp', 'oci', 'alibaba') and category not like '%SOFTWARE%' and category not like '%PACKAGE%'
            then 'cloud_resource'
    end as kind,
    is_account,
    cloud as provider, realm, account_id, account_name, region, strong_id, told_ids, first_observed, last_observed,
    coalesce(is_inactive, false) as is_inactive,
    is_internet_facing, has_sensitive_data, critical_issues,
    case when json_valid(issues_breakdown) then cast(issues_breakdown as varchar) end as issues_breakdown,
    case when json_valid(tags) then cast(tags as varchar) end as tags, group_ids, fqdn, ip_addresses, mac_addresses,
    told_system as operating_system, is_on_premises, ec2_id,
    coalesce(
        -- the same names Defender for Cloud gives to accounts of other clouds
        case
            when account_id is null then null
            when is_account and cloud = 'aws' then concat('arn:aws:iam::', account_id, ':root')
            when is_account and cloud = 'gcp' then concat('//cloudresourcemanager.googleapis.com/projects/', account_id)
            when is_account and cloud = 'azure' then concat('/subscriptions/', account_id)
        end,
        list_filter(told_ids, lambda v: regexp_matches(v, '(?i)^(/subscriptions/|arn:|//)'))[1],
        list_transform(
            list_filter(told_ids, lambda v: regexp_matches(v, '^https://[a-z.]*googleapis[.]com/')),
            lambda v: regexp_replace(v, '^https://(www|compute)[.]googleapis[.]com/compute/[a-z0-9]+/', '//compute.googleapis.com/')
        )[1],
        -- Amazon's own ids are bare, and a machine's alone tells what it is of
        case
            when is_machine and cloud = 'aws' and ec2_id is not null and aws_region <> '' and account_id is not null
                then concat('arn:', aws_partition, ':ec2:', aws_region, ':', account_id, ':instance/', ec2_id)
            when cloud = 'aws' and upper(type_id) = 'S3_BUCKET' and strong_id <> ''
                then concat('arn:', aws_partition, ':s3:::', strong_id)
        end
    ) as cloud_name,
    case
        when regexp_matches(lower(told_criticality), '^(0|critical|very[ -]?high|mission[ -]?critical|tier[ -]?0)$') then 0
        when regexp_matches(lower(told_criticality), '^(1|high|business[ -]?critical|tier[ -]?1)$') then 1
        when regexp_matches(lower(told_criticality), '^(2|medium|moderate|tier[ -]?2)$') then 2
        when regexp_matches(lower(told_criticality), '^(3|low|tier[ -]?3)$') then 3
    end as criticality,
    -- tags are a map, pairs, or texts name:value
    case when json_valid(tags) then list_filter(
        list_concat(
            list_transform(
                list_filter(json_keys(tags), lambda k: lower(k) in ('env', 'environment')),
                lambda k: json_extract_string(tags, concat('$.', k))
            ),
            list_transform(
                json_extract(tags, '$[*]'),
                lambda t: case
                    when lower(coalesce(json_extract_string(t, '$.key'), json_extract_string(t, '$.Key'))) in ('env', 'environment')
                        then coalesce(json_extract_string(t, '$.value'), json_extract_string(t, '$.Value'))
                    when json_type(t) = 'VARCHAR'
                        then regexp_extract(json_extract_string(t, '$'), '(?i)^ *env(ironment)? *: *(.*[^ ]) *$', 2)
                end
            )
        ),
        lambda v: v not in ('', '[]', '{}')
    )[1] end as environment
from placed
