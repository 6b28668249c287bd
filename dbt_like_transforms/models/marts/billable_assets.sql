-- What an instance bills: its distinct active assets of a billable kind. Every record it reported is either the one
-- that counts for its asset or is excluded for exactly one reason, so reported = billable + sum of the excluded.
with judged as (
    select
        r.product,
        r.instance,
        r.asset_kind,
        case
            when not coalesce(list_contains(c.billable_kinds, r.asset_kind), true) then 'kind_not_billable'
            when w.is_container then 'holds_other_resources'
            when r.state <> 'resolved' then 'not_enough_identity'
            when r.record_state = 'retired' then 'retired'
            when not r.in_window then 'silent_beyond_window'
            when row_number() over (
                partition by r.product, r.instance, r.asset_kind, r.asset_id
                order by (r.record_state = 'active' and r.in_window) desc, r.record
            ) > 1 then 'duplicate_record'
        end as excluded
    from int_records as r
    left join run.connections as c on c.product = r.product and c.instance = r.instance
    -- a subscription or resource group is where resources lie, none of the things that are billed
    left join int_cloud_resources_winners as w on r.asset_kind = 'cloud_resource' and w.asset_id = r.asset_id
),

counted as (
    select
        product, instance, asset_kind,
        count(*) as reported_assets,
        count(*) filter (where excluded is null) as billable_assets
    from judged
    group by product, instance, asset_kind
),

reasons as (
    select product, instance, asset_kind, json_group_object(excluded, records)::varchar as excluded_by_reason
    from (
        select product, instance, asset_kind, excluded, count(*) as records
        from judged
        where excluded is not null
        group by product, instance, asset_kind, excluded
        order by excluded
    ) as by_reason
    group by product, instance, asset_kind
)

select
    x.snapshot_date,
    c.product,
    c.instance,
    c.asset_kind,
    c.billable_assets,
    c.reported_assets,
    coalesce(r.excluded_by_reason, '{}') as excluded_by_reason
from counted as c
cross join run.context as x
left join reasons as r on r.product = c.product and r.instance = c.instance and r.asset_kind = c.asset_kind
