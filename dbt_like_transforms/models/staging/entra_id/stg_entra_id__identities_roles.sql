-- Criticality follows Microsoft's own default rules for Entra roles, which go by name
with roles as (
    select *,
        case
            when displayName in (
                'Global Administrator', 'Application Administrator', 'Cloud Application Administrator',
                'Privileged Role Administrator', 'Privileged Authentication Administrator',
                'Authentication Administrator', 'Helpdesk Administrator', 'Password Administrator',
                'User Administrator', 'Intune Administrator', 'Hybrid Identity Administrator',
                'External Identity Provider Administrator', 'Domain Name Administrator',
                'Directory Synchronization Accounts'
            ) then 0
            when displayName in (
                'Security Administrator', 'Security Operator', 'Security Reader', 'Global Reader',
                'Conditional Access Administrator', 'Cloud Device Administrator', 'Exchange Administrator',
                'SharePoint Administrator', 'Groups Administrator', 'Application Developer', 'Directory Writers'
            ) then 1
        end as level
    from landed.entra_id__directory_roles
)

select
    concat(r._product, ':', r._instance, ':', r._record_id) as record,
    r._product as product,
    r._instance as instance,
    r._stream as stream,
    r._record_id as record_id,
    'default' as scope,
    r._synced_at as observed_at,
    cast(null as timestamp) as first_seen,
    cast(null as timestamp) as last_seen,
    'active' as state,
    'create' as authority,
    r._sync as sync,
    r._page as page,
    r._row as row_number,
    'role' as identity_type,
    -- a built-in role has the same id in every tenant: without its tenant it names nothing
    case when t.id is not null then r.id end as entra_object_id,
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
    cast(null as varchar) as app_id,
    r.displayName as display_name,
    r.isEnabled as is_enabled,
    r.level is not null as is_privileged,
    cast(null as boolean) as mfa_registered,
    cast(r.level as integer) as criticality,
    cast(null as varchar) as department,
    cast(null as varchar) as job_title,
    cast(to_json({'isBuiltIn': r.isBuiltIn, 'templateId': r.templateId, 'description': r.description}) as varchar) as properties
from roles as r
left join landed.entra_id__organization as t on t._instance = r._instance
