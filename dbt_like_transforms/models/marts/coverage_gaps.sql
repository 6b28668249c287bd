-- Active devices that no product of an expected role covers. A role is expected only where a product that plays it is
-- connected; a record counts when it is active, within the window and not marked as unmanaged by its product.
with roles as (
    select distinct r.product, r.role
    from int_product_roles as r
    join run.connections as c on c.product = r.product
    where coalesce(c.enabled, true)
),

role_products as (
    select role, array_to_string(list_sort(array_agg(distinct product)), ', ') as products
    from roles
    group by role
),

expected as (
    select d.device_id, e.role
    from devices as d
    join int_expected_coverage as e on e.device_category = coalesce(d.device_category, 'Unknown')
    join role_products as r on r.role = e.role
    where d.lifecycle_state = 'active'
),

known as (
    select
        a.asset_id as device_id,
        r.role,
        a.product,
        case
            when a.record_state = 'retired' then 'retired'
            when not a.in_window then 'silent beyond its window'
            when r.role in ('edr', 'mdm') and not coalesce(o.is_managed, true) then 'known but not managed'
        end as shortcoming
    from int_records as a
    join roles as r on r.product = a.product
    join stg__devices as o on o.record = a.record
    where a.asset_kind = 'device' and a.state = 'resolved'
),

covered as (
    select
        device_id,
        role,
        bool_or(shortcoming is null) as is_covered,
        array_to_string(
            list_sort(array_agg(distinct product || ': ' || shortcoming) filter (where shortcoming is not null)), '; '
        ) as shortcomings
    from known
    group by device_id, role
)

select
    'device' as asset_kind,
    e.device_id as asset_id,
    e.role as missing,
    coalesce(nullif(c.shortcomings, ''), 'no record from ' || r.products) as reason
from expected as e
join role_products as r on r.role = e.role
left join covered as c on c.device_id = e.device_id and c.role = e.role
where not coalesce(c.is_covered, false)
