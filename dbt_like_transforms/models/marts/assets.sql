-- Every asset that is not retired as a node: its label and categories in Microsoft's words where there is one.
with labelled as (
    select
        'device' as asset_kind, device_id as node_id, display_name as node_name,
        case
            when lower(cloud_resource_id) like '%/microsoft.hybridcompute/machines/%' then 'microsoft.hybridcompute/machines'
            when lower(cloud_resource_id) like '%/microsoft.compute/virtualmachine%' or cloud_provider = 'azure'
                then 'microsoft.compute/virtualmachines'
            when cloud_provider = 'aws' then 'ec2.instance'
            when cloud_provider = 'gcp' then 'compute.instances'
            else 'device'
        end as node_label,
        cloud_provider as provider,
        ['compute', 'device']
        || case when cloud_provider is not null or device_category = 'Virtual' then ['virtual_machine'] else ['physical_device'] end
            as categories
    from devices
    where lifecycle_state <> 'retired'
    union all
    select
        'identity', identity_id, display_name,
        case identity_type
            when 'service_principal' then 'serviceprincipal'
            when 'managed_identity' then 'managedidentity'
            else identity_type
        end,
        null,
        case identity_type
            when 'user' then ['identities', 'identity', 'user_account']
            when 'group' then ['identities', 'identity', 'user_group']
            when 'role' then ['access']
            else ['application_identity', 'identities', 'identity']
        end
    from identities
    where lifecycle_state <> 'retired'
    union all
    select
        'application', application_id, display_name,
        case application_type
            when 'oauth_application' then 'Microsoft Entra OAuth App'
            when 'saas' then 'SaaS Application'
            when 'business_application' then 'business application'
            when 'service' then 'business service'
            else application_type
        end,
        null,
        case when application_type in ('oauth_application', 'saas') then ['application', 'application_identity'] else ['application'] end
    from applications
    where lifecycle_state <> 'retired'
    union all
    select
        'cloud_resource', resource_id, display_name,
        case
            when lower(resource_type) = 'microsoft.resources/subscriptions' then 'subscriptions'
            when lower(resource_type) = 'microsoft.resources/subscriptions/resourcegroups' then 'resourcegroups'
            when lower(resource_type) like 'microsoft.%' then lower(resource_type)
            when strpos(resource_type, '/') > 0 then replace(lower(resource_type), '/', '.')
            else concat_ws('.', provider, lower(resource_type))
        end,
        provider,
        case
            when regexp_matches(lower(resource_type), '(^|/)(subscriptions|managementgroups|account|project|organization)$')
                then ['cloud_account']
            when regexp_matches(lower(resource_type), 'storage|bucket|s3|sql|rds|database|dbinstance|cosmos|dynamodb|bigquery|redshift')
                then ['data']
            when regexp_matches(lower(resource_type), 'keyvault|kms|secret') then ['access', 'secret']
            when regexp_matches(lower(resource_type), 'managedclusters|eks|gke|cluster|lambda|function|web/sites|compute') then ['compute']
            when regexp_matches(lower(resource_type), 'network|ipaddress|loadbalanc|gateway') then ['network']
            else []
        end
    from cloud_resources
    where lifecycle_state <> 'retired'
)

select
    asset_kind,
    node_id,
    node_name,
    coalesce(node_label, asset_kind) as node_label,
    list_sort(
        categories
        || case when provider is not null then ['environmentCloud'] else [] end
        || case when provider = 'azure' then ['environmentAzure'] else [] end
    ) as categories
from labelled
