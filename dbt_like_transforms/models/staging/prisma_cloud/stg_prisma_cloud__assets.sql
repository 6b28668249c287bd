-- Everything the posture API tells of, one row an asset: its inventory, what the config search adds, and what an alert is about
-- that neither lists
with keys as (
    -- a resource name leads to the unified id where another answer has the name alone
    select _instance as instance, rrn, min(asset_key) as asset_key
    from landed.prisma_cloud__assets
    where rrn <> ''
    group by _instance, rrn
),

-- addresses lie at any depth of what describes cards; a link in place of an address is none
carded as (
    select * exclude (machine), machine as m,
        concat_ws(
            ' ', machine.networkInterfaces, machine.cards,
            concat('{"privateIpAddress":', machine.privateIpAddress, '}'), concat('{"publicIpAddress":', machine.publicIpAddress, '}')
        ) as cards
    from landed.prisma_cloud__configurations
),

machines as (
    select * exclude (m, cards),
        list_distinct(regexp_extract_all(cards, '(?i)"(privateIpAddress|networkIP)":"([^"/]+)"', 2)) as private_ips,
        list_sort(list_distinct(regexp_extract_all(cards, '(?i)"(publicIp|publicIpAddress|natIP|ipAddress)":"([^"/]+)"', 2))) as public_ips,
        struct_pack(
            -- to Azure the number within a scale set is an instanceId
            id := coalesce(m.vmId, m.instanceId, m.id),
            arn := m.arn,
            "selfLink" := m.selfLink,
            "publicDnsName" := m.publicDnsName,
            "operatingSystem" := coalesce(m.osType, m.platformDetails),
            size := coalesce(m.instanceType, m.vmSize, m.machineType),
            state := case when m.state like '{%' then json_extract_string(m.state, '$.name') else coalesce(m.powerState, m.status) end,
            "vpcId" := m.vpcId,
            "subnetId" := m.subnetId,
            "hostNames" := list_filter([m.computerName, m.hostname, m.privateDnsName], lambda v: v <> ''),
            "ipAddresses" := list_sort(list_distinct(private_ips || public_ips)),
            "publicIpAddresses" := public_ips,
            "macAddresses" := list_sort(list_distinct(regexp_extract_all(cards, '(?i)"macAddress":"([^"/]+)"', 1)))
        ) as machine
    from carded
),

details as (
    select coalesce(k.asset_key, c.asset_key) as known_as, c.*
    from machines as c
    left join keys as k on k.instance = c._instance and k.rrn = c.rrn
    qualify row_number() over (partition by c._instance, coalesce(k.asset_key, c.asset_key) order by c.insertTs desc nulls last, c._page, c._row) = 1
),

alerts as (
    select coalesce(k.asset_key, a.asset_key) as known_as, a.*
    from landed.prisma_cloud__alerts as a
    left join keys as k on k.instance = a._instance and k.rrn = a.resource.rrn
    where coalesce(k.asset_key, a.asset_key) is not null
),

listed as (
    select
        _product as product, _instance as instance, _stream as stream, _sync as sync, _page as page, _row as row_number,
        _synced_at as synced_at, 1 as rank, asset_key as id, rrn, id as told_id, name, assetType as type,
        cast(null as varchar) as api_name, cloudType as cloud, accountId as account_id, accountName as account_name,
        regionId as region, overallPassed as passed, vulnerabilityStatus as vulnerability_counts, failedPolicies as failed_policies,
        cast(null as timestamp) as first_seen, coalesce(snapshot, _synced_at) as last_seen, false as is_deleted
    from landed.prisma_cloud__assets
    union all
    select
        _product, _instance, _stream, _sync, _page, _row, _synced_at, 2, known_as, rrn, id, name, resourceType, api_name, cloudType,
        accountId, accountName, regionId, null, null, null, createdTs, coalesce(insertTs, _synced_at), coalesce(deleted, false)
    from details
    union all
    select
        _product, _instance, _stream, _sync, _page, _row, _synced_at, 3, known_as, resource.rrn, resource.id, resource.name,
        cast(null as varchar), resource.resourceApiName, resource.cloudType, resource.accountId, resource.account,
        resource.regionId, null, null, null, firstSeen, coalesce(lastSeen, lastUpdated, _synced_at),
        -- an alert closed by its resource's end; any that is open yet says that the resource is there
        coalesce(upper(reason) = 'RESOURCE_DELETED' and lower(status) in ('resolved', 'dismissed'), false)
    from alerts
),

-- the inventory's own word counts; of alerts the latest, as they say what was so when they were raised
ranked as (
    select * exclude (is_deleted),
        bool_and(is_deleted) over (partition by instance, id, rank) as is_deleted,
        max(api_name) over (partition by instance, id) as any_api_name,
        min(first_seen) over (partition by instance, id) as any_first_seen
    from listed
    qualify row_number() over (partition by instance, id order by rank, last_seen desc nulls last, page, row_number) = 1
),

exposed as (
    -- policies of type network judge whether the internet reaches an instance
    select distinct _instance as instance, known_as as id
    from alerts
    where lower(status) not in ('resolved', 'dismissed') and lower(policy.policyType) = 'network'
        and lower(policy.name) like '%internet%'
),

named as (
    select
        r.*, d.machine as machine, d.vpcId as vpc_id, d.tags as tags, d.criticality as told_criticality,
        e.id is not null as is_exposed,
        nullif(split_part(r.rrn, ':', 3), '') as kind_in_name,
        lower(r.cloud) as provider,
        nullif(r.account_id, '') as account,
        -- the inventory puts a part of an Azure machine's vmId before its ARM id
        nullif(regexp_extract(r.told_id, '(?i)/subscriptions/.*$'), '') as arm_id,
        case when r.region like 'cn-%' then 'aws-cn' when r.region like 'us-gov-%' then 'aws-us-gov' else 'aws' end as aws_partition,
        list_filter(json_extract(d.tags, '$[*]'), lambda t: lower(json_extract_string(t, '$.key')) in ('env', 'environment')) as tag_pairs
    from ranked as r
    left join details as d on d._instance = r.instance and d.known_as = r.id
    left join exposed as e on e.instance = r.instance and e.id = r.id
)

select
    product, instance, stream, sync, page, row_number, synced_at,
    concat(product, ':', instance, ':', id) as record,
    id, rrn, told_id, name, type, kind_in_name, any_api_name as api_name, provider,
    case
        when lower(type) in ('ec2 instance', 'azure virtual machine', 'azure virtual machine scale set vm', 'compute instance')
            or any_api_name in ('aws-ec2-describe-instances', 'azure-vm-list', 'gcloud-compute-instances-list')
            or (type is null and any_api_name is null and kind_in_name = 'instance')
            then 'device'
        else 'cloud_resource'
    end as kind,
    account as account_id, nullif(account_name, '') as account_name, nullif(region, '') as region,
    nullif(regexp_extract(arm_id, '(?i)/resourceGroups/([^/]+)', 1), '') as resource_group,
    passed, vulnerability_counts, failed_policies, any_first_seen as first_seen, last_seen, is_deleted, is_exposed,
    machine, nullif(coalesce(vpc_id, machine.vpcId), '') as vpc_id, cast(tags as varchar) as tags,
    case provider
        when 'azure' then arm_id
        when 'aws' then case
            when told_id like 'arn:%' then told_id
            when machine.arn like 'arn:%' then machine.arn
            -- what has no ARN in these answers, and one that follows from its id
            when kind_in_name = 'storageBucket' then concat('arn:', aws_partition, ':s3:::', told_id)
            when nullif(region, '') is null or account is null then null
            when told_id like 'i-%' then concat('arn:', aws_partition, ':ec2:', region, ':', account, ':instance/', told_id)
            when told_id like 'vpc-%' then concat('arn:', aws_partition, ':ec2:', region, ':', account, ':vpc/', told_id)
            when told_id like 'subnet-%' then concat('arn:', aws_partition, ':ec2:', region, ':', account, ':subnet/', told_id)
            when told_id like 'sg-%' then concat('arn:', aws_partition, ':ec2:', region, ':', account, ':security-group/', told_id)
            when told_id like 'vol-%' then concat('arn:', aws_partition, ':ec2:', region, ':', account, ':volume/', told_id)
        end
        when 'gcp' then case
            when told_id like '//%' then told_id
            when machine.selfLink like '%/projects/%'
                then concat('//compute.googleapis.com/', regexp_extract(machine.selfLink, 'projects/.*$'))
        end
    end as cloud_name,
    -- words of the tag that the option criticality_tag names
    case regexp_replace(lower(trim(told_criticality)), '[ _-]+', ' ', 'g')
        when 'very high' then 0 when 'critical' then 0 when 'mission critical' then 0
        when 'high' then 1 when 'business critical' then 1
        when 'medium' then 2 when 'moderate' then 2
        when 'low' then 3
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
