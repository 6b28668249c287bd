-- How much there was on each day that was built: the days before as they were, and this one.
with today as (
    select 'devices' as metric, count(*) as value from devices where lifecycle_state <> 'retired'
    union all
    select 'identities', count(*) from identities where lifecycle_state <> 'retired'
    union all
    select 'applications', count(*) from applications where lifecycle_state <> 'retired'
    union all
    select 'cloud_resources', count(*) from cloud_resources where lifecycle_state <> 'retired'
    union all
    select 'internet_exposed_assets', count(*) from internet_exposure
    union all
    select 'critical_assets', count(*) from criticality where criticality_level <= 1
    union all
    select 'open_vulnerabilities', count(*) from open_vulnerabilities
    union all
    select 'graph_nodes', count(*) from exposure_graph_nodes
    union all
    select 'graph_edges', count(*) from exposure_graph_edges
    union all
    select 'attack_paths', coalesce(max(found), 0) from attack_path_preconditions where precondition = 'attack paths'
    union all
    select 'choke_points', count(*) from choke_points where not is_entry and not is_target
)

select
    c.snapshot_date as day,
    t.metric,
    t.value,
    -- known of the day itself alone: it is what the guard against a sudden loss compares with
    (
        select arg_max(p.value, p.day) from previous.exposure_history as p
        where p.metric = t.metric and p.day < c.snapshot_date
    ) as previous_value
from today as t
cross join run.context as c
union all
select p.day, p.metric, p.value, null
from previous.exposure_history as p
cross join run.context as c
where p.day < c.snapshot_date
