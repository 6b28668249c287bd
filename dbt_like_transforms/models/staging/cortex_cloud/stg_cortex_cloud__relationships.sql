-- Accounts and resource groups with what lies in them
with accounts as (
    select instance, provider, account_id, min(record) as record
    from stg_cortex_cloud__assets
    where is_account and account_id is not null and not is_inactive
    group by instance, provider, account_id
),

resource_groups as (
    select instance, lower(cloud_name) as group_name, min(record) as record
    from stg_cortex_cloud__assets
    where regexp_matches(cloud_name, '(?i)^/subscriptions/[^/]+/resourcegroups/[^/]+$') and not is_inactive
    group by instance, lower(cloud_name)
)

select
    a.product,
    a.instance,
    a.stream,
    'contains' as relationship,
    'cloud_resource' as source_kind,
    coalesce(g.record, s.record) as source_record,
    a.kind as target_kind,
    a.record as target_record,
    cast(null as varchar) as properties,
    true as is_active,
    a.first_observed as first_seen,
    coalesce(a.last_observed, a.synced_at) as last_seen
from stg_cortex_cloud__assets as a
left join accounts as s on s.instance = a.instance and s.provider = a.provider and s.account_id = a.account_id
left join resource_groups as g
    on g.instance = a.instance and g.record <> a.record
    and g.group_name = regexp_extract(lower(a.cloud_name), '^(/subscriptions/[^/]+/resourcegroups/[^/]+)/', 1)
where a.kind is not null and not a.is_account and not a.is_inactive and coalesce(g.record, s.record) is not null
