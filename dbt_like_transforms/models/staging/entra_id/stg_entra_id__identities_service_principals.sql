with roles as (
    select instance, principal_id, min(role_criticality) as criticality,
        list_sort(list_distinct(array_agg(role_name))) as role_names
    from stg_entra_id__role_holders
    group by instance, principal_id
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
    case when s.servicePrincipalType = 'ManagedIdentity' then 'managed_identity' else 'service_principal' end as identity_type,
    s.id as entra_object_id,
    t.id as entra_tenant_id,
    cast(null as varchar) as ad_object_guid,
    cast(null as varchar) as ad_sid,
    cast([] as varchar[]) as sid_history,
    cast(null as varchar) as immutable_id,
    cast(null as varchar) as upn,
    cast([] as varchar[]) as emails,
    cast(null as varchar) as employee_id,
    cast(null as varchar) as sam_account_name,
    cast(null as varchar) as domain,
    cast([] as varchar[]) as login_names,
    cast(null as varchar) as okta_id,
    s.appId as app_id,
    s.displayName as display_name,
    s.accountEnabled as is_enabled,
    coalesce(r.criticality <= 1, false) as is_privileged,
    cast(null as boolean) as mfa_registered,
    r.criticality,
    cast(null as varchar) as department,
    cast(null as varchar) as job_title,
    cast(to_json({
        'servicePrincipalType': s.servicePrincipalType,
        'appOwnerOrganizationId': s.appOwnerOrganizationId,
        'publisherName': s.verifiedPublisher.displayName,
        'alternativeNames': coalesce(s.alternativeNames, []),
        'assignedRoles': coalesce(r.role_names, []),
        'tags': coalesce(s.tags, [])
    }) as varchar) as properties
from landed.entra_id__service_principals as s
left join landed.entra_id__organization as t on t._instance = s._instance
left join roles as r on r.instance = s._instance and r.principal_id = s.id
