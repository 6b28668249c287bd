-- Hosts of Compute with what their cloud calls them
with hosts as (
    select
        _product as product, _instance as instance, _stream as stream, _sync as sync, _page as page, _row as row_number,
        _synced_at as synced_at, concat(_product, ':', _instance, ':', _record_id) as record, _record_id as id,
        nullif(hostname, '') as hostname, distro, osDistro as os_family, nullif(osDistroVersion, '') as os_release,
        -- text, or a list of one; what is in no cloud is at "others"
        nullif(nullif(lower(regexp_extract(cloudMetadata.provider, '[a-zA-Z][^"]*')), ''), 'others') as provider,
        nullif(cloudMetadata.region, '') as region,
        -- a sentence stands for an account that Prisma Cloud does not know
        case when cloudMetadata.accountID not like '% %' then nullif(cloudMetadata.accountID, '') end as account_id,
        list_filter(
            [cloudMetadata.vmID, cloudMetadata.resourceID, cloudMetadata.resourceURL, _record_id], lambda v: v <> ''
        ) as told_ids,
        cloudMetadata.type as instance_type, firstScanTime as first_seen, scanTime as last_seen, agentless as is_agentless,
        nullif(err, '') as scan_error, criticality as told_criticality, collections, hostDevices as devices,
        vulnerabilityDistribution as vulnerability_counts, complianceDistribution as compliance_counts,
        list_distinct(coalesce(clusters, [])) as clusters
    from landed.prisma_cloud__hosts
)

select
    product, instance, stream, sync, page, row_number, synced_at, record, id, hostname, distro, os_family, os_release, provider,
    region, account_id, instance_type, first_seen, last_seen, is_agentless, scan_error, collections, vulnerability_counts,
    compliance_counts, clusters,
    case provider
        when 'azure' then list_filter(
            list_transform(told_ids, lambda v: lower(v)), lambda v: regexp_matches(v, '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$')
        )[1]
        when 'aws' then nullif(regexp_extract(list_filter(told_ids, lambda v: regexp_matches(v, '(^|/)i-[0-9a-f]{8,}$'))[1], 'i-[0-9a-f]+$'), '')
        when 'gcp' then list_filter(told_ids, lambda v: regexp_matches(v, '^[0-9]{10,}$'))[1]
    end as instance_id,
    case provider
        when 'aws' then list_filter(told_ids, lambda v: regexp_matches(v, '^arn:.*:instance/i-'))[1]
        when 'gcp' then '//compute.googleapis.com/' || nullif(regexp_extract(
            list_filter(told_ids, lambda v: regexp_matches(v, 'projects/.*/instances/'))[1], 'projects/[^?#]*/instances/[^/?#]+'
        ), '')
        else nullif(regexp_extract(
            list_filter(told_ids, lambda v: regexp_matches(v, '(?i)/subscriptions/'))[1], '(?i)/subscriptions/.*$'
        ), '')
    end as cloud_name,
    list_filter(
        -- bridges of container engines have the same address everywhere
        list_transform(
            list_filter(coalesce(devices, []), lambda d: not regexp_matches(d.name, '^(lo|docker|br-|veth|cni|flannel|cali)')),
            lambda d: d.ip
        ),
        lambda v: v <> '' and not regexp_matches(v, '^(127[.]|0[.]0[.]0[.]0$|::1$)')
    ) as ip_addresses,
    case regexp_replace(lower(trim(told_criticality)), '[ _-]+', ' ', 'g')
        when 'very high' then 0 when 'critical' then 0 when 'mission critical' then 0
        when 'high' then 1 when 'business critical' then 1
        when 'medium' then 2 when 'moderate' then 2
        when 'low' then 3
    end as criticality
from hosts
