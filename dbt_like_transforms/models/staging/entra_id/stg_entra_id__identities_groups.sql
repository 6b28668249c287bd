with roles as (
    select instance, principal_id, min(role_criticality) as criticality,
        list_sort(list_distinct(array_agg(role_name))) as role_names
    from stg_entra_id__role_holders
    group by instance, principal_id
)

select
    concat(g._product, ':', g._instance, ':', g._record_id) as record,
    g._product as product,
    g._instance as instance,
    g._stream as stream,
    g._record_id as record_id,
    'default' as scope,
    g._synced_at as observed_at,
    g.createdDateTime as first_seen,
    cast(null as timestamp) as last_seen,
    'active' as state,
    'create' as authority,
    g._sync as sync,
    g._page as page,
    g._row as row_number,
    'group' as identity_type,
    g.id as entra_object_id,
    t.id as entra_tenant_id,
    cast(null as varchar) as ad_object_guid,
    g.onPremisesSecurityIdentifier as ad_sid,
    cast([] as varchar[]) as sid_history,
    cast(null as varchar) as immutable_id,
    cast(null as varchar) as upn,
    case when g.mail is null then cast([] as varchar[]) else [lower(g.mail)] end as emails,
    cast(null as varchar) as employee_id,
    g.onPremisesSamAccountName as sam_account_name,
    g.onPremisesDomainName as domain,
    cast([] as varchar[]) as login_names,
    cast(null as varchar) as okta_id,
    cast(null as varchar) as app_id,
    g.displayName as display_name,
    cast(null as boolean) as is_enabled,
    coalesce(r.criticality <= 1, false) as is_privileged,
    cast(null as boolean) as mfa_registered,
    r.criticality,
    cast(null as varchar) as department,
    cast(null as varchar) as job_title,
    cast(to_json({
        'aadId': g.id,
        'aadDisplayName': g.displayName,
        'primaryProvider': case when g.onPremisesSyncEnabled then 'ActiveDirectory' else 'AzureActiveDirectory' end,
        'description': g.description,
        'groupTypes': coalesce(g.groupTypes, []),
        'securityEnabled': g.securityEnabled,
        'isAssignableToRole': coalesce(g.isAssignableToRole, false),
        'membershipRule': g.membershipRule,
        'onPremSyncEnabled': coalesce(g.onPremisesSyncEnabled, false),
        'assignedRoles': coalesce(r.role_names, [])
    }) as varchar) as properties
from landed.entra_id__groups as g
left join landed.entra_id__organization as t on t._instance = g._instance
left join roles as r on r.instance = g._instance and r.principal_id = g.id
