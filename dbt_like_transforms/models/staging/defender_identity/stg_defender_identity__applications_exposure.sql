-- Applications of Microsoft's graph: never assets of their own. A client id alone could mean a registration or the service
-- principal of one, so the principal is looked up, as there is one of a client id in a tenant
with principals as (
    select e._instance as instance, lower(e.NodeProperties.rawData.appId) as app_id,
        min(n.aad_object_id) as object_id, min(n.aad_tenant_id) as tenant_id
    from landed.defender_identity__exposure_nodes as e
    inner join stg_defender_identity__exposure_nodes as n on n.instance = e._instance and n.node_id = e._record_id
    where lower(e.NodeLabel) = 'serviceprincipal' and n.aad_object_id is not null
    group by e._instance, lower(e.NodeProperties.rawData.appId)
    having count(distinct n.aad_object_id) = 1
)

select
    n.record,
    e._product as product,
    e._instance as instance,
    e._stream as stream,
    e._record_id as record_id,
    'default' as scope,
    e._synced_at as observed_at,
    cast(null as timestamp) as first_seen,
    cast(null as timestamp) as last_seen,
    'active' as state,
    'update' as authority,
    e._sync as sync,
    e._page as page,
    e._row as row_number,
    case lower(e.NodeLabel) when 'saas application' then 'saas' else 'oauth_application' end as application_type,
    n.app_id,
    coalesce(n.aad_tenant_id, p.tenant_id) as tenant_id,
    n.aad_object_id as object_id,
    p.object_id as service_principal_id,
    cast(null as varchar) as entity_id,
    cast([] as varchar[]) as reply_urls,
    coalesce(nullif(e.NodeName, ''), e.NodeProperties.rawData.saasName) as name,
    cast(null as varchar) as cmdb_id,
    cast(null as varchar) as cpe,
    cast(null as varchar) as owner,
    nullif(e.NodeProperties.rawData.vendor, '') as vendor,
    cast(null as varchar) as version,
    cast(null as varchar) as environment,
    cast(e.criticalityLevel as integer) as criticality,
    cast(to_json({'NodeLabel': e.NodeLabel, 'publisherName': e.NodeProperties.rawData.publisherName}) as varchar) as properties
from landed.defender_identity__exposure_nodes as e
inner join stg_defender_identity__exposure_nodes as n on n.instance = e._instance and n.node_id = e._record_id
left join principals as p on p.instance = e._instance and p.app_id = n.app_id
where n.kind = 'application'
