-- Applications of others, known by their service principal. A tenant holds hundreds of Microsoft's own that nothing
-- uses: those count only where somebody was given a permission on them.
with used as (
    select _instance, resourceId from landed.entra_id__app_role_assignments
    union
    select _instance, resourceId from landed.entra_id__oauth2_permission_grants
),

foreign_principals as (
    select s.*,
        coalesce(s.appOwnerOrganizationId in (
            'f8cdef31-a31e-4b4a-93e4-5f571e91255a', '72f988bf-86f1-41af-91ab-2d7cd011db47'
        ), false) as is_microsofts
    from landed.entra_id__service_principals as s
    where coalesce(s.servicePrincipalType, 'Application') in ('Application', 'Legacy')
        and not exists (select 1 from landed.entra_id__applications as a where a._instance = s._instance and a.appId = s.appId)
)

select
    concat(s._product, ':', s._instance, ':', s._record_id) as record,
    s._product as product,
    s._instance as instance,
    s._stream as stream,
    s._record_id as record_id,
    'default' as scope,
    s._synced_at as observed_at,
    cast(null as timestamp) as first_seen,
    cast(null as timestamp) as last_seen,
    'active' as state,
    'create' as authority,
    s._sync as sync,
    s._page as page,
    s._row as row_number,
    'saas' as application_type,
    s.appId as app_id,
    t.id as tenant_id,
    cast(null as varchar) as object_id,
    s.id as service_principal_id,
    cast(null as varchar) as entity_id,
    list_sort(list_distinct(coalesce(s.replyUrls, []))) as reply_urls,
    s.displayName as name,
    cast(null as varchar) as cmdb_id,
    cast(null as varchar) as cpe,
    cast(null as varchar) as owner,
    case when s.is_microsofts then 'Microsoft' else s.verifiedPublisher.displayName end as vendor,
    cast(null as varchar) as version,
    cast(null as varchar) as environment,
    cast(null as integer) as criticality,
    cast(to_json({
        'vendor': case when s.is_microsofts then 'Microsoft' else s.verifiedPublisher.displayName end,
        'saasName': s.displayName,
        'appOwnerOrganizationId': s.appOwnerOrganizationId,
        'isBelongToExternalApplication': true
    }) as varchar) as properties
from foreign_principals as s
left join landed.entra_id__organization as t on t._instance = s._instance
left join used as u on u._instance = s._instance and u.resourceId = s.id
where not s.is_microsofts or u.resourceId is not null
