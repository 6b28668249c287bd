-- Being listed today is what a directory observes; the last sign-in, which Graph may not tell, is last_seen alone
with roles as (
    select instance, principal_id, min(role_criticality) as criticality,
        list_sort(list_distinct(array_agg(role_name))) as role_names
    from stg_entra_id__role_holders
    group by instance, principal_id
),

users as (
    select *,
        list_transform(
            list_filter(proxyAddresses, lambda address: lower(address) like 'smtp:%'),
            lambda address: lower(substr(address, 6))
        ) as mailboxes,
        list_filter(
            [
                try_cast(signInActivity.lastSignInDateTime as timestamp),
                try_cast(signInActivity.lastNonInteractiveSignInDateTime as timestamp),
                try_cast(signInActivity.lastSuccessfulSignInDateTime as timestamp)
            ],
            lambda moment: moment is not null
        ) as sign_ins
    from landed.entra_id__users
)

select
    concat(u._product, ':', u._instance, ':', u._record_id) as record,
    u._product as product,
    u._instance as instance,
    u._stream as stream,
    u._record_id as record_id,
    'default' as scope,
    u._synced_at as observed_at,
    u.createdDateTime as first_seen,
    list_sort(u.sign_ins)[array_length(u.sign_ins)] as last_seen,
    'active' as state,
    'create' as authority,
    u._sync as sync,
    u._page as page,
    u._row as row_number,
    'user' as identity_type,
    u.id as entra_object_id,
    t.id as entra_tenant_id,
    cast(null as varchar) as ad_object_guid,
    u.onPremisesSecurityIdentifier as ad_sid,
    cast([] as varchar[]) as sid_history,
    u.onPremisesImmutableId as immutable_id,
    u.userPrincipalName as upn,
    list_concat(
        case when u.mail is null then cast([] as varchar[]) else [lower(u.mail)] end,
        list_sort(list_distinct(list_filter(coalesce(u.mailboxes, []), lambda box: box <> coalesce(lower(u.mail), ''))))
    ) as emails,
    u.employeeId as employee_id,
    u.onPremisesSamAccountName as sam_account_name,
    u.onPremisesDomainName as domain,
    list_filter([u.userPrincipalName], lambda name: name is not null) as login_names,
    cast(null as varchar) as okta_id,
    cast(null as varchar) as app_id,
    u.displayName as display_name,
    u.accountEnabled as is_enabled,
    coalesce(r.criticality <= 1, false) as is_privileged,
    m.isMfaRegistered as mfa_registered,
    r.criticality,
    u.department,
    u.jobTitle as job_title,
    cast(to_json({
        'userType': u.userType,
        'externalUser': case when u.userType is not null then u.userType = 'Guest' end,
        'externalUserState': u.externalUserState,
        'primaryProvider': case when u.onPremisesSyncEnabled then 'ActiveDirectory' else 'AzureActiveDirectory' end,
        'onPremSyncEnabled': coalesce(u.onPremisesSyncEnabled, false),
        'aadSid': u.securityIdentifier,
        'assignedRoles': coalesce(r.role_names, []),
        'isMfaCapable': m.isMfaCapable,
        'passwordUpdateTime': u.lastPasswordChangeDateTime,
        'createdDateTime': u.createdDateTime
    }) as varchar) as properties
from users as u
left join landed.entra_id__organization as t on t._instance = u._instance
left join landed.entra_id__user_registration_details as m on m._instance = u._instance and m.id = u.id
left join roles as r on r.instance = u._instance and r.principal_id = u.id
