-- The tenant's own registrations
with owners as (
    select a._instance, a.id, min(u.userPrincipalName) as owner
    from (select _instance, id, unnest(owners) as member from landed.entra_id__applications) as a
    inner join landed.entra_id__users as u on u._instance = a._instance and u.id = a.member.id
    group by a._instance, a.id
)

select
    concat(a._product, ':', a._instance, ':', a._record_id) as record,
    a._product as product,
    a._instance as instance,
    a._stream as stream,
    a._record_id as record_id,
    'default' as scope,
    a._synced_at as observed_at,
    a.createdDateTime as first_seen,
    cast(null as timestamp) as last_seen,
    'active' as state,
    'create' as authority,
    a._sync as sync,
    a._page as page,
    a._row as row_number,
    'oauth_application' as application_type,
    a.appId as app_id,
    t.id as tenant_id,
    a.id as object_id,
    s.id as service_principal_id,
    list_sort(list_filter(a.identifierUris, lambda uri: uri not like 'api://%'))[1] as entity_id,
    list_sort(list_distinct(flatten([
        coalesce(a.web.redirectUris, []), coalesce(a.spa.redirectUris, []), coalesce(a.publicClient.redirectUris, [])
    ]))) as reply_urls,
    a.displayName as name,
    cast(null as varchar) as cmdb_id,
    cast(null as varchar) as cpe,
    o.owner,
    a.publisherDomain as vendor,
    cast(null as varchar) as version,
    cast(null as varchar) as environment,
    cast(null as integer) as criticality,
    cast(to_json({
        'signInAudience': a.signInAudience,
        'publisherDomain': a.publisherDomain,
        'appOwnerOrganizationId': t.id,
        'isBelongToExternalApplication': false,
        'identifierUris': coalesce(a.identifierUris, []),
        'tags': coalesce(a.tags, [])
    }) as varchar) as properties
from landed.entra_id__applications as a
left join landed.entra_id__organization as t on t._instance = a._instance
left join landed.entra_id__service_principals as s on s._instance = a._instance and s.appId = a.appId
left join owners as o on o._instance = a._instance and o.id = a.id
