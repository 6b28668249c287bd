-- One row a resource. The newest active record that has a value gives it; exposure holds when any says so, and the
-- products' own data is kept of all. A type with its service (rds/dbinstance) goes before one without: else the label of a
-- node would change with the product that looked last.
with ranked as (
    select
        a.asset_id,
        o.*,
        a.native_name,
        o.state = 'active' as is_active,
        row(o.observed_at, o.record) as newest
    from int_cloud_resources_assignments as a
    join stg__cloud_resources as o on o.record = a.record
    where a.state = 'resolved'
)

select
    asset_id,
    arg_max(display_name, newest) filter (where is_active and display_name is not null) as display_name,
    arg_max(lower(resource_type), row(contains(resource_type, '/'), newest))
        filter (where is_active and resource_type is not null) as resource_type,
    arg_max(lower(provider), newest) filter (where is_active and provider is not null) as provider,
    arg_max(account_id, newest) filter (where is_active and account_id is not null) as account_id,
    arg_max(region, newest) filter (where is_active and region is not null) as region,
    -- as its cloud writes it; of Azure's no two write the same
    case
        when min(native_name) like '//%' or min(native_name) not like '/%' then min(native_name)
        else lower(min(native_name))
    end as native_id,
    bool_or(is_container) filter (where is_active) as is_container,
    bool_or(is_internet_facing) filter (where is_active) as is_internet_facing,
    bool_or(contains_sensitive_data) filter (where is_active) as contains_sensitive_data,
    min(criticality) filter (where is_active) as criticality,
    -- every product's data stands under a name of its own; what two say under the same name, the newer says
    list_reduce(
        array_agg(properties order by observed_at, record) filter (where is_active and properties is not null),
        lambda older, newer: json_merge_patch(older, newer)::varchar
    ) as properties,
    list_sort(array_agg(distinct product)) as discovery_sources,
    list_sort(array_agg(distinct record)) as source_records
from ranked
group by asset_id
