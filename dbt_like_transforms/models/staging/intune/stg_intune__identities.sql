-- Primary users and those who logged on, by their object id in Entra. Intune only ever adds to an account that a directory knows
with named as (
    select _product, _instance, _stream, _sync, _page, _row, _synced_at, lower(userId) as user_id,
        nullif(userPrincipalName, '') as upn,
        nullif(emailAddress, '') as mail,
        nullif(userDisplayName, '') as name
    from landed.intune__managed_devices
    where userId <> '' and userId <> '00000000-0000-0000-0000-000000000000'
    union all
    select _product, _instance, _stream, _sync, _page, _row, _synced_at, lower(logon.userId),
        cast(null as varchar), cast(null as varchar), cast(null as varchar)
    from (
        select _product, _instance, _stream, _sync, _page, _row, _synced_at, unnest(usersLoggedOn) as logon
        from landed.intune__managed_devices
    )
    where logon.userId <> '' and logon.userId <> '00000000-0000-0000-0000-000000000000'
),

users as (
    select * from named
    qualify row_number() over (partition by _instance, user_id order by upn is null, _row) = 1
)

select
    concat(_product, ':', _instance, ':', user_id) as record,
    _product as product,
    _instance as instance,
    _stream as stream,
    user_id as record_id,
    'default' as scope,
    _synced_at as observed_at,
    cast(null as timestamp) as first_seen,
    cast(null as timestamp) as last_seen,
    'active' as state,
    'update' as authority,
    _sync as sync,
    _page as page,
    _row as row_number,
    'user' as identity_type,
    user_id as entra_object_id,
    cast(null as varchar) as entra_tenant_id,
    cast(null as varchar) as ad_object_guid,
    cast(null as varchar) as ad_sid,
    cast([] as varchar[]) as sid_history,
    cast(null as varchar) as immutable_id,
    upn,
    case when mail is null then cast([] as varchar[]) else [mail] end as emails,
    cast(null as varchar) as employee_id,
    cast(null as varchar) as sam_account_name,
    cast(null as varchar) as domain,
    cast([] as varchar[]) as login_names,
    cast(null as varchar) as okta_id,
    cast(null as varchar) as app_id,
    coalesce(name, upn) as display_name,
    cast(null as boolean) as is_enabled,
    cast(null as boolean) as is_privileged,
    cast(null as boolean) as mfa_registered,
    cast(null as integer) as criticality,
    cast(null as varchar) as department,
    cast(null as varchar) as job_title,
    cast(null as varchar) as properties
from users
