-- Accounts seen to log on. Defender gives no SID, so they only ever add to an account that a directory knows
with logons as (
    select *, lower(id) as account,
        min(firstSeen) over (partition by _instance, lower(id)) as first_seen,
        bool_or(coalesce(isDomainAdmin, false)) over (partition by _instance, lower(id)) as is_admin
    from landed.defender_endpoint__logon_users
),

accounts as (
    select * from logons
    qualify row_number() over (partition by _instance, account order by lastSeen desc nulls last, _row) = 1
)

select
    concat(_product, ':', _instance, ':', account) as record,
    _product as product,
    _instance as instance,
    _stream as stream,
    account as record_id,
    'default' as scope,
    coalesce(lastSeen, _synced_at) as observed_at,
    first_seen,
    lastSeen as last_seen,
    'active' as state,
    'update' as authority,
    _sync as sync,
    _page as page,
    _row as row_number,
    'user' as identity_type,
    cast(null as varchar) as entra_object_id,
    cast(null as varchar) as entra_tenant_id,
    cast(null as varchar) as ad_object_guid,
    cast(null as varchar) as ad_sid,
    cast([] as varchar[]) as sid_history,
    cast(null as varchar) as immutable_id,
    cast(null as varchar) as upn,
    cast([] as varchar[]) as emails,
    cast(null as varchar) as employee_id,
    coalesce(accountName, split_part(id, '\', 2)) as sam_account_name,
    coalesce(accountDomain, split_part(id, '\', 1)) as domain,
    [account] as login_names,
    cast(null as varchar) as okta_id,
    cast(null as varchar) as app_id,
    coalesce(accountName, id) as display_name,
    cast(null as boolean) as is_enabled,
    -- false would only mean that these machines showed no domain administrator
    case when is_admin then true end as is_privileged,
    cast(null as boolean) as mfa_registered,
    cast(null as integer) as criticality,
    cast(null as varchar) as department,
    cast(null as varchar) as job_title,
    cast(to_json({'accountName': accountName, 'accountDomain': accountDomain, 'isDomainAdmin': is_admin}) as varchar) as properties
from accounts
