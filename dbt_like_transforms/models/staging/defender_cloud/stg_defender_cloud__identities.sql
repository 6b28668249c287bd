-- Principals that hold a role and identities that resources sign in as, by their object id in Entra. They never make an
-- identity of their own
with named as (
    -- a group of another tenant is none of this one
    select product, instance, stream, sync, page, row_number, synced_at,
        case when principal_type <> 'foreigngroup' then tenant_id end as tenant_id, principal_id,
        case principal_type
            when 'user' then 'user'
            when 'group' then 'group' when 'foreigngroup' then 'group'
            else 'service_principal'
        end as identity_type,
        cast(null as varchar) as app_id, cast(null as varchar) as name, case when principal_type = '' then 3 else 2 end as rank
    from stg_defender_cloud__role_holders
    where principal_type in ('user', 'group', 'foreigngroup', 'serviceprincipal', 'msi', '')
    union all
    select product, instance, stream, sync, page, row_number, synced_at, tenant_id, principal_id, 'managed_identity',
        app_id, name, case when name is null then 1 else 0 end
    from stg_defender_cloud__managed_identities
    union all
    -- what a vault names has no type: a directory tells it, if it knows the object
    select product, instance, stream, sync, page, row_number, synced_at, tenant_id, principal_id, 'service_principal',
        cast(null as varchar), cast(null as varchar), 4
    from stg_defender_cloud__vault_policies
),

principals as (
    select * from named
    qualify row_number() over (partition by instance, principal_id order by rank, row_number) = 1
),

roles as (
    select instance, principal_id,
        list_sort(array_agg(distinct role_name)) as role_names,
        bool_or(
            role_name in ('Owner', 'Contributor', 'User Access Administrator', 'Role Based Access Control Administrator')
            and (scope like '/providers/microsoft.management/%' or regexp_matches(scope, '^/subscriptions/[^/]+$'))
        ) as is_privileged
    from stg_defender_cloud__role_holders
    group by instance, principal_id
)

select
    concat(p.product, ':', p.instance, ':', p.principal_id) as record,
    p.product,
    p.instance,
    p.stream,
    p.principal_id as record_id,
    'default' as scope,
    p.synced_at as observed_at,
    cast(null as timestamp) as first_seen,
    cast(null as timestamp) as last_seen,
    'active' as state,
    'update' as authority,
    p.sync,
    p.page,
    p.row_number,
    p.identity_type,
    p.principal_id as entra_object_id,
    nullif(p.tenant_id, '') as entra_tenant_id,
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
    p.app_id,
    p.name as display_name,
    cast(null as boolean) as is_enabled,
    case when r.is_privileged then true end as is_privileged,
    cast(null as boolean) as mfa_registered,
    cast(null as integer) as criticality,
    cast(null as varchar) as department,
    cast(null as varchar) as job_title,
    cast(to_json({'azureRoles': r.role_names}) as varchar) as properties
from principals as p
left join roles as r on r.instance = p.instance and r.principal_id = p.principal_id
