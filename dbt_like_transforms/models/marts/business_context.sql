-- Which business application or service an asset serves, over the relations of the CMDB: what a service depends on, and
-- what an application runs on, serve it too. Retired items and relations that no longer hold give nothing.
with recursive items as (
    select application_id, display_name, application_type, owner, environment, criticality_level
    from applications
    where application_type in ('business_application', 'service') and lifecycle_state <> 'retired'
),

steps as (
    select r.source_kind, r.source_id, r.target_kind, r.target_id
    from relationships as r
    join assets as t on t.asset_kind = r.target_kind and t.node_id = r.target_id
    where r.relationship in ('runs on', 'depends on', 'contains')
        and (r.source_kind <> 'application' or r.source_id in (select application_id from items))
        and (r.target_kind <> 'application' or r.target_id in (select application_id from items))
        and r.source_kind in ('application', 'device', 'cloud_resource')
        and not (r.source_kind = 'cloud_resource' and r.relationship = 'contains')
),

reached as (
    select
        application_id, 'application' as asset_kind, application_id as asset_id, 0 as hops,
        [application_id] as passed
    from items
    union all
    select r.application_id, s.target_kind, s.target_id, r.hops + 1, list_append(r.passed, s.target_id)
    from reached as r
    join steps as s on s.source_kind = r.asset_kind and s.source_id = r.asset_id
    where r.hops < 4 and not list_contains(r.passed, s.target_id)
)

select
    r.asset_kind,
    r.asset_id,
    r.application_id,
    i.display_name as application_name,
    i.application_type,
    i.owner,
    i.environment,
    i.criticality_level,
    min(r.hops) as hops
from reached as r
join items as i on i.application_id = r.application_id
where r.hops > 0
group by
    r.asset_kind, r.asset_id, r.application_id, i.display_name, i.application_type, i.owner, i.environment, i.criticality_level
