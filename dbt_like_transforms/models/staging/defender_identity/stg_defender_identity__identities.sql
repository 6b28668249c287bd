-- Identities as Microsoft put them together out of their accounts. The cloud SID is in entra_object_id already
select
    concat(_product, ':', _instance, ':', _record_id) as record,
    _product as product,
    _instance as instance,
    _stream as stream,
    _record_id as record_id,
    'default' as scope,
    _synced_at as observed_at,
    cast(null as timestamp) as first_seen,
    cast(null as timestamp) as last_seen,
    'active' as state,
    -- without an id of a directory it could not be told from an account that the directory itself reports
    case
        when coalesce(nullif(onPremisesSecurityIdentifier, ''), entraObjectId, adObjectGuid, oktaId) is null then 'update'
        else 'create'
    end as authority,
    _sync as sync,
    _page as page,
    _row as row_number,
    'user' as identity_type,
    entraObjectId as entra_object_id,
    cast(null as varchar) as entra_tenant_id,
    adObjectGuid as ad_object_guid,
    nullif(upper(onPremisesSecurityIdentifier), '') as ad_sid,
    cast([] as varchar[]) as sid_history,
    cast(null as varchar) as immutable_id,
    nullif(userPrincipalName, '') as upn,
    case when coalesce(emailAddress, '') = '' then cast([] as varchar[]) else [lower(emailAddress)] end as emails,
    cast(null as varchar) as employee_id,
    cast(null as varchar) as sam_account_name,
    nullif(domain, '') as domain,
    case when coalesce(userPrincipalName, '') = '' then cast([] as varchar[]) else [userPrincipalName] end as login_names,
    oktaId as okta_id,
    cast(null as varchar) as app_id,
    displayName as display_name,
    isEnabled as is_enabled,
    cast(null as boolean) as is_privileged,
    cast(null as boolean) as mfa_registered,
    cast(null as integer) as criticality,
    cast(null as varchar) as department,
    cast(null as varchar) as job_title,
    cast(to_json({
        'aadSid': cloudSecurityIdentifier,
        'adSid': onPremisesSecurityIdentifier,
        'identityProviders': list_sort(list_distinct(list_filter(
            list_transform(coalesce(accounts, []), lambda account: coalesce(account.provider, account.identityProvider)),
            lambda provider: provider is not null
        )))
    }) as varchar) as properties
from landed.defender_identity__identity_accounts
