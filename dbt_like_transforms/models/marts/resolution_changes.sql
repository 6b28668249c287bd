-- What resolution merged and split against the newest earlier snapshot, and what it holds back for a person.
with assigned as (
    select asset_kind, record, asset_id from int_assignments where state = 'resolved'
),

before as (
    select 'device' as asset_kind, record, asset_id from previous.int_devices_assignments where state = 'resolved'
    union all
    select 'identity', record, asset_id from previous.int_identities_assignments where state = 'resolved'
    union all
    select 'application', record, asset_id from previous.int_applications_assignments where state = 'resolved'
),

moved as (
    select b.asset_kind, b.record, b.asset_id as asset_before, a.asset_id as asset_after
    from before as b
    join assigned as a on a.asset_kind = b.asset_kind and a.record = b.record
    where a.asset_id <> b.asset_id
),

held as (
    select 'device' as asset_kind, record from int_devices_assignments where state = 'held'
    union all
    select 'identity', record from int_identities_assignments where state = 'held'
    union all
    select 'application', record from int_applications_assignments where state = 'held'
),

reviews as (
    select 'device' as asset_kind, record, other_record from int_devices_reviews
    union all
    select 'identity', record, other_record from int_identities_reviews
    union all
    select 'application', record, other_record from int_applications_reviews
)

select
    m.asset_kind,
    case
        when exists (
            select 1 from assigned as a where a.asset_kind = m.asset_kind and a.asset_id = m.asset_before
        ) then 'split'
        else 'merged'
    end as change,
    m.record,
    null::varchar as other_record,
    m.asset_before,
    m.asset_after
from moved as m
union all
select asset_kind, 'held', record, null, null, null from held
union all
select asset_kind, 'review', record, other_record, null, null from reviews
union all
select 'device', 'alias', null, null, alias_id, asset_id from int_devices_aliases
union all
select 'identity', 'alias', null, null, alias_id, asset_id from int_identities_aliases
union all
select 'application', 'alias', null, null, alias_id, asset_id from int_applications_aliases
