-- Alerts with the asset they are about
with keys as (
    select instance, rrn, min(id) as id
    from stg_prisma_cloud__assets
    where rrn <> ''
    group by instance, rrn
)

select
    a._product as product, a._instance as instance, a._stream as stream, a._record_id as id, a._sync as sync, a._page as page,
    a._row as row_number, a._synced_at as synced_at, s.id as asset_id, s.kind as asset_kind, s.record as asset_record,
    coalesce(a.policy.policyId, a.policyId) as policy_id, a.policy.name as policy_name, lower(a.policy.policyType) as policy_type,
    lower(a.policy.severity) as severity, a.policy.recommendation as recommendation, lower(a.status) as status, a.reason as reason,
    lower(a.status) in ('resolved', 'dismissed') as is_closed,
    coalesce(a.firstSeen, a.alertTime) as first_seen, a.lastSeen as last_seen,
    coalesce(
        list_max(list_transform(
            list_filter(coalesce(a.history, []), lambda h: lower(h.status) in ('resolved', 'dismissed')),
            lambda h: case
                when try_cast(h.modifiedOn as double) between 100000000000 and 253402300799999
                    then make_timestamp(cast(try_cast(h.modifiedOn as double) * 1000 as bigint))
                when try_cast(h.modifiedOn as double) between 1 and 99999999999
                    then make_timestamp(cast(try_cast(h.modifiedOn as double) * 1000000 as bigint))
                when regexp_matches(h.modifiedOn, '^ *[0-9]{4}[^0-9]') and h.modifiedOn not like '0001-01-01%'
                    then try_cast(upper(trim(h.modifiedOn)) as timestamptz) at time zone 'UTC'
            end
        )),
        a.lastUpdated, a.lastSeen, a._synced_at
    ) as closed_at
from landed.prisma_cloud__alerts as a
left join keys as k on k.instance = a._instance and k.rrn = a.resource.rrn
inner join stg_prisma_cloud__assets as s on s.instance = a._instance and s.id = coalesce(k.id, a.asset_key)
