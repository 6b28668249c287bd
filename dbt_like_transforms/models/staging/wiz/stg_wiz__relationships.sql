-- Accounts and resource groups with what lies in them, and containers with the machine they run on
with accounts as (
    select instance, account_id, min(record) as record
    from stg_wiz__assets
    where type = 'SUBSCRIPTION' and account_id is not null and deleted_at is null
    group by instance, account_id
),

resource_groups as (
    select instance, account_id, lower(name) as group_name, min(record) as record
    from stg_wiz__assets
    where type = 'RESOURCE_GROUP' and deleted_at is null
    group by instance, account_id, lower(name)
),

contents as (
    select a.product, a.instance, a.stream, 'contains' as relationship, coalesce(g.record, s.record) as source_record,
        'cloud_resource' as source_kind, a.record as target_record, a.kind as target_kind, a.first_seen,
        coalesce(a.last_seen, a.synced_at) as last_seen
    from stg_wiz__assets as a
    left join accounts as s on s.instance = a.instance and s.account_id = a.account_id
    left join resource_groups as g
        on g.instance = a.instance and g.account_id = a.account_id and g.group_name = lower(a.resource_group)
        and g.record <> a.record
    where coalesce(a.is_asset, true) and a.type <> 'SUBSCRIPTION' and a.deleted_at is null
        and coalesce(g.record, s.record) is not null
),

hosts as (
    select c.product, c.instance, c.stream, 'runs on' as relationship, c.record as source_record,
        'cloud_resource' as source_kind, min(m.record) as target_record, 'device' as target_kind, c.first_seen,
        coalesce(c.last_seen, c.synced_at) as last_seen
    from stg_wiz__assets as c
    inner join stg_wiz__assets as m
        on m.instance = c.instance and m.kind = 'device' and m.deleted_at is null
        and lower(c.runs_on) in (lower(m.provider_id), lower(m.external_id), lower(m.cloud_name))
    where c.kind = 'cloud_resource' and c.deleted_at is null and coalesce(c.is_asset, true)
    group by all
    having count(distinct m.record) = 1
)

select
    product,
    instance,
    stream,
    relationship,
    source_kind,
    source_record,
    target_kind,
    target_record,
    cast(null as varchar) as properties,
    true as is_active,
    first_seen,
    last_seen
from (select * from contents union all select * from hosts) as edges
