-- Nodes of Microsoft's graph by what they are here, with the ids of their EntityIds in columns
with nodes as (
    select *,
        list_transform(
            list_filter(coalesce(EntityIds, []), lambda e: e.type is not null and e.id is not null),
            lambda e: {'type': lower(e.type), 'id': e.id}
        ) as ids
    from landed.defender_identity__exposure_nodes
)

select
    _instance as instance,
    _record_id as node_id,
    concat(_product, ':', _instance, ':', _record_id) as record,
    case
        when lower(NodeLabel) in ('user', 'group', 'serviceprincipal', 'managedidentity') then 'identity'
        when lower(NodeLabel) in ('microsoft entra oauth app', 'saas application') then 'application'
        when list_contains(coalesce(Categories, []), 'device') or lower(NodeLabel) in (
            'device', 'microsoft.compute/virtualmachines', 'microsoft.hybridcompute/machines', 'ec2.instance', 'compute.instances'
        ) then 'device'
    end as kind,
    list_filter(ids, lambda e: e.type in ('deviceinventoryid', 'sensedeviceid', 'mdemachineid'))[1].id as mde_id,
    lower(list_filter(ids, lambda e: e.type = 'azureresourceid')[1].id) as azure_resource_id,
    nullif(lower(regexp_extract(
        list_filter(ids, lambda e: e.type = 'aadobjectid')[1].id, '(?i)objectid=([0-9a-f-]+)', 1
    )), '') as aad_object_id,
    nullif(lower(regexp_extract(
        list_filter(ids, lambda e: e.type = 'aadobjectid')[1].id, '(?i)tenantid=([0-9a-f-]+)', 1
    )), '') as aad_tenant_id,
    lower(list_filter(ids, lambda e: e.type = 'aadapplicationid')[1].id) as app_id,
    upper(list_filter(ids, lambda e: e.type = 'securityidentifier' and lower(e.id) like 's-1-5-21-%')[1].id) as ad_sid,
    lower(list_filter(ids, lambda e: e.type = 'activedirectoryobjectguid')[1].id) as ad_object_guid
from nodes
