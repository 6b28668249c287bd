-- Identities of Microsoft's graph. Directories report them themselves; but groups of Active Directory that are not
-- synchronised, such as Domain Admins, nothing else does
select
    n.record,
    e._product as product,
    e._instance as instance,
    e._stream as stream,
    e._record_id as record_id,
    'default' as scope,
    e._synced_at as observed_at,
    try_cast(e.NodeProperties.rawData.createdDateTime as timestamp) as first_seen,
    cast(null as timestamp) as last_seen,
    'active' as state,
    case
        when lower(e.NodeLabel) = 'group' and coalesce(n.ad_sid, nullif(e.NodeProperties.rawData.adSid, '')) is not null then 'create'
        else 'update'
    end as authority,
    e._sync as sync,
    e._page as page,
    e._row as row_number,
    case lower(e.NodeLabel)
        when 'group' then 'group' when 'serviceprincipal' then 'service_principal' when 'managedidentity' then 'managed_identity'
        else 'user'
    end as identity_type,
    coalesce(n.aad_object_id, nullif(lower(e.NodeProperties.rawData.accountObjectId), '')) as entra_object_id,
    n.aad_tenant_id as entra_tenant_id,
    coalesce(n.ad_object_guid, nullif(lower(e.NodeProperties.rawData.activeDirectoryObjectId), '')) as ad_object_guid,
    coalesce(n.ad_sid, nullif(upper(e.NodeProperties.rawData.adSid), '')) as ad_sid,
    cast([] as varchar[]) as sid_history,
    cast(null as varchar) as immutable_id,
    nullif(e.NodeProperties.rawData.accountUpn, '') as upn,
    case
        when coalesce(e.NodeProperties.rawData.emailAddress, '') = '' then cast([] as varchar[])
        else [lower(e.NodeProperties.rawData.emailAddress)]
    end as emails,
    cast(null as varchar) as employee_id,
    case when lower(e.NodeLabel) = 'user' then nullif(e.NodeProperties.rawData.accountName, '') end as sam_account_name,
    nullif(e.NodeProperties.rawData.accountDomain, '') as domain,
    cast([] as varchar[]) as login_names,
    cast(null as varchar) as okta_id,
    nullif(lower(e.NodeProperties.rawData.appId), '') as app_id,
    coalesce(
        nullif(e.NodeProperties.rawData.accountDisplayName, ''), nullif(e.NodeProperties.rawData.aadDisplayName, ''), e.NodeName
    ) as display_name,
    try_cast(e.NodeProperties.rawData.accountEnabled as boolean) as is_enabled,
    cast(null as boolean) as is_privileged,
    cast(null as boolean) as mfa_registered,
    cast(e.criticalityLevel as integer) as criticality,
    nullif(e.NodeProperties.rawData.department, '') as department,
    nullif(e.NodeProperties.rawData.jobTitle, '') as job_title,
    cast(to_json({
        'NodeLabel': e.NodeLabel,
        'categories': coalesce(e.Categories, []),
        'primaryProvider': e.NodeProperties.rawData.primaryProvider,
        'identityType': e.NodeProperties.rawData.identityType,
        'servicePrincipalType': e.NodeProperties.rawData.servicePrincipalType
    }) as varchar) as properties
from landed.defender_identity__exposure_nodes as e
inner join stg_defender_identity__exposure_nodes as n on n.instance = e._instance and n.node_id = e._record_id
where n.kind = 'identity'
