-- Accounts and networks with what lies in them; images on hosts and in clusters
with contents as (
    select a.product, a.instance, a.stream, 'contains' as relationship, 'cloud_resource' as source_kind, s.record as source_record,
        a.kind as target_kind, a.record as target_record, cast(null as varchar) as properties, a.first_seen,
        coalesce(a.last_seen, a.synced_at) as last_seen
    from stg_prisma_cloud__assets as a
    inner join stg_prisma_cloud__accounts as s
        on s.instance = a.instance and s.provider = a.provider and s.account_id = a.account_id
    -- a subscription is listed as an asset too: it does not contain itself
    where not a.is_deleted and coalesce(lower(a.cloud_name) <> lower(s.native_id), true)
    union all
    select h.product, h.instance, h.stream, 'contains', 'cloud_resource', s.record, 'device', h.record, null, h.first_seen,
        coalesce(h.last_seen, h.synced_at)
    from stg_prisma_cloud__hosts as h
    inner join stg_prisma_cloud__accounts as s
        on s.instance = h.instance and s.provider = h.provider and s.account_id = h.account_id
    union all
    select a.product, a.instance, a.stream, 'contains', n.kind, n.record, a.kind, a.record, null, a.first_seen,
        coalesce(a.last_seen, a.synced_at)
    from stg_prisma_cloud__assets as a
    inner join stg_prisma_cloud__assets as n
        on n.instance = a.instance and n.provider = a.provider and n.account_id = a.account_id and n.told_id = a.vpc_id
    where not a.is_deleted and not n.is_deleted and n.id <> a.id
),

-- what the image says of its places and what the containers say, whichever is there
places as (
    select _instance as instance, _record_id as image, unnest(list_distinct(
        -- a map by name, a list of names or one alone
        coalesce(json_keys(hosts) || json_extract_string(hosts, '$[*]'), [])
        || case when hosts like '"%' then [json_extract_string(hosts, '$')] else [] end
        || list_transform(coalesce(instances, []), lambda i: i.host)
    )) as host, null as namespace, null as cluster, 0 as containers
    from landed.prisma_cloud__images
    union all
    select _instance, info.imageID, hostname, nullif(info.namespace, ''), nullif(info.cluster, ''), 1
    from landed.prisma_cloud__containers
),

images as (
    select _product as product, _instance as instance, _stream as stream, _record_id as image,
        concat(_product, ':', _instance, ':', _record_id) as record, firstScanTime as first_seen,
        coalesce(scanTime, _synced_at) as last_seen, clusters, namespaces
    from landed.prisma_cloud__images
),

-- a name that two hosts bear tells none of them
host_names as (
    select instance, lower(hostname) as name, min(record) as record
    from stg_prisma_cloud__hosts
    where hostname is not null
    group by instance, lower(hostname)
    having count(*) = 1
),

running as (
    select i.product, i.instance, i.stream, 'runs on' as relationship, 'cloud_resource' as source_kind, i.record as source_record,
        'device' as target_kind, h.record as target_record,
        cast(to_json({
            'containers': sum(p.containers),
            'namespaces': list_sort(array_agg(distinct p.namespace) filter (where p.namespace is not null)),
            'clusters': list_sort(array_agg(distinct p.cluster) filter (where p.cluster is not null))
        }) as varchar) as properties,
        i.first_seen, i.last_seen
    from places as p
    inner join images as i on i.instance = p.instance and i.image = p.image
    inner join host_names as h on h.instance = p.instance and h.name = lower(p.host)
    group by all
),

cluster_names as (
    select instance, lower(name) as name, min(record) as record
    from stg_prisma_cloud__assets
    where kind = 'cloud_resource' and not is_deleted and name is not null
        and (lower(type) like '%cluster%' or lower(kind_in_name) like '%cluster%')
    group by instance, lower(name)
    having count(*) = 1
),

clustered as (
    select i.product, i.instance, i.stream, 'contains' as relationship, 'cloud_resource' as source_kind, c.record as source_record,
        'cloud_resource' as target_kind, i.record as target_record,
        cast(to_json({
            'namespaces': list_sort(list_distinct(flatten(array_agg(coalesce(i.namespaces, cast([] as varchar[])) || list_filter([p.namespace], lambda v: v is not null)))))
        }) as varchar) as properties,
        i.first_seen, i.last_seen
    from images as i
    inner join (
        select instance, image, cluster, namespace from places where cluster is not null
        union all
        select instance, image, unnest(clusters), null from images
    ) as p on p.instance = i.instance and p.image = i.image
    inner join cluster_names as c on c.instance = i.instance and c.name = lower(p.cluster)
    group by i.product, i.instance, i.stream, c.record, i.record, i.first_seen, i.last_seen
)

select
    product,
    instance,
    stream,
    relationship,
    source_kind,
    source_record,
    target_kind,
    target_record,
    properties,
    true as is_active,
    first_seen,
    last_seen
from (select * from contents union all select * from running union all select * from clustered) as edges
