-- Management groups with the group they are in: listed ones, and those that a subscription or a group names above itself, as
-- a query over named subscriptions lists none
with chains as (
    select _product, _instance, _stream, _sync, _page, _row, _synced_at,
        case
            when lower(type) = 'microsoft.management/managementgroups'
            then list_concat(
                [{'name': name, 'displayName': properties.displayName}],
                coalesce(properties.details.managementGroupAncestorsChain, properties.managementGroupAncestorsChain, [])
            )
            else coalesce(properties.managementGroupAncestorsChain, [])
        end as chain,
        case when lower(type) = 'microsoft.management/managementgroups' then 1 else 2 end as rank
    from landed.defender_cloud__containers
    where lower(type) in ('microsoft.management/managementgroups', 'microsoft.resources/subscriptions')
),

places as (
    select *, unnest(range(1, array_length(chain) + 1)) as place from chains
)

select
    _product as product,
    _instance as instance,
    _stream as stream,
    _sync as sync,
    _page as page,
    _row as row_number,
    _synced_at as synced_at,
    concat('/providers/microsoft.management/managementgroups/', lower(chain[place].name)) as group_name,
    chain[place].name as name,
    nullif(chain[place].displayName, '') as display_name,
    case
        when chain[place + 1].name <> '' then concat('/providers/microsoft.management/managementgroups/', lower(chain[place + 1].name))
    end as parent_name,
    rank = 1 and place = 1 as is_listed
from places
where chain[place].name <> ''
qualify row_number() over (
    partition by _instance, lower(chain[place].name) order by rank + (place > 1)::integer, chain[place + 1].name is null, _row
) = 1
