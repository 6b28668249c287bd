-- Resources of Azure, each once, under its name in lower case: Azure's interfaces agree on a name but not on its case
select
    _product as product,
    _instance as instance,
    _stream as stream,
    _sync as sync,
    _page as page,
    _row as row_number,
    _synced_at as synced_at,
    lower(id) as asset_name,
    id as native_id,
    name,
    lower(type) as resource_type,
    nullif(nullif(lower(tenantId), ''), '00000000-0000-0000-0000-000000000000') as tenant_id,
    coalesce(lower(nullif(subscriptionId, '')), split_part(lower(id), '/', 3)) as account_id,
    nullif(kind, '') as kind,
    nullif(location, '') as location,
    nullif(resourceGroup, '') as resource_group,
    case when json_valid(sku) then sku end as sku,
    case when json_valid(tags) then tags end as tags,
    case when json_valid(identity) then identity end as identity,
    case when json_valid(properties) then properties end as properties
from landed.defender_cloud__resources
qualify row_number() over (partition by _instance, lower(id) order by _row desc) = 1
