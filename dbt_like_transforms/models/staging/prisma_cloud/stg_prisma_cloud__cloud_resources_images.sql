-- Container images in use
with images as (
    select * exclude (tags), coalesce(repoTag, []) || coalesce(tags, []) as tags
    from landed.prisma_cloud__images
)

select
    concat(_product, ':', _instance, ':', _record_id) as record,
    _product as product,
    _instance as instance,
    _stream as stream,
    _record_id as record_id,
    'default' as scope,
    coalesce(scanTime, _synced_at) as observed_at,
    firstScanTime as first_seen,
    coalesce(scanTime, _synced_at) as last_seen,
    'active' as state,
    'create' as authority,
    _sync as sync,
    _page as page,
    _row as row_number,
    coalesce(
        case when tags[1].repo <> '' then concat_ws(':', concat_ws('/', nullif(tags[1].registry, ''), tags[1].repo), nullif(tags[1].tag, '')) end,
        instances[1].image, _record_id
    ) as display_name,
    'container/image' as resource_type,
    nullif(lower(regexp_extract(cloudMetadata.provider, '[a-zA-Z][^"]*')), '') as provider,
    case when cloudMetadata.accountID not like '% %' then nullif(cloudMetadata.accountID, '') end as account_id,
    nullif(cloudMetadata.region, '') as region,
    -- the name by which any engine can pull it
    coalesce(list_filter(coalesce(repoDigests, cast([] as varchar[])), lambda v: v <> '')[1], _record_id) as native_id,
    false as is_container,
    cast(null as boolean) as is_internet_facing,
    cast(null as boolean) as contains_sensitive_data,
    cast(null as integer) as criticality,
    cast(to_json({
        'prismaCloudImageInfo': {
            'id': _record_id,
            'distribution': distro,
            'tags': list_transform(tags, lambda t: concat_ws(':', concat_ws('/', nullif(t.registry, ''), t.repo), nullif(t.tag, ''))),
            'repoDigests': repoDigests,
            'clusters': clusters,
            'namespaces': namespaces,
            'collections': collections,
            'vulnerabilityDistribution': vulnerabilityDistribution,
            'complianceDistribution': complianceDistribution
        }
    }) as varchar) as properties
from images
