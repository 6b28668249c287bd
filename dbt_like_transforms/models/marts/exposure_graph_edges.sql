-- The edges of the exposure graph in Microsoft's columns: relationships of assets, weaknesses and recommendations on them
-- (one edge for each product that reports it), and public addresses that lead to them.
with edges as (
    select
        relationship_id as edge_id, relationship as edge_label, source_id, target_id,
        to_json({'rawData': coalesce(properties, '{}')::json})::varchar as properties,
        discovery_sources, first_seen, last_seen
    from relationships
    union all
    select
        md5('affecting|' || w.cve_id || '|' || w.asset_id || '|' || w.source), 'affecting', md5('Cve:' || w.cve_id), w.asset_id,
        to_json({
            'rawData': json_merge_patch(
                to_json({'type': 'VulnerabilityReport', 'reportInfo': {'reportedBy': w.source}}),
                json_object(
                    concat(
                        split_part(w.source, '_', 1),
                        upper(substr(split_part(w.source, '_', 2), 1, 1)), substr(split_part(w.source, '_', 2), 2),
                        'ReportInfo'
                    ),
                    to_json({'reportedBy': w.source, 'firstSeen': w.first_seen, 'lastSeen': w.last_seen})
                )
            )
        })::varchar,
        [w.source], w.first_seen, w.last_seen
    from (select * exclude (sources), unnest(sources) as source from open_vulnerabilities) as w
    union all
    select
        md5('affecting|' || node_id || '|' || asset_id), 'affecting', node_id, asset_id,
        to_json({
            'rawData': json_merge_patch(
                to_json({'reportInfo': {'reportedBy': min(source)}}),
                json_object(
                    concat(
                        split_part(min(source), '_', 1),
                        upper(substr(split_part(min(source), '_', 2), 1, 1)), substr(split_part(min(source), '_', 2), 2),
                        'ReportInfo'
                    ),
                    to_json({'reportedBy': min(source), 'firstSeen': min(first_seen), 'lastSeen': max(last_seen)})
                )
            )
        })::varchar,
        list_sort(array_agg(distinct source)), min(first_seen), max(last_seen)
    from open_recommendations
    group by node_id, asset_id
    union all
    select
        md5('routes traffic to|' || ip || '|' || asset_id), 'routes traffic to', md5('IP address:' || ip), asset_id,
        to_json({'rawData': {'networkReachability': {'type': 'NetworkReachability', 'reasons': reasons}}})::varchar,
        cast([] as varchar[]), null, null
    from (select asset_id, reasons, unnest(public_ip_addresses) as ip from internet_exposure)
)

select
    e.edge_id as EdgeId,
    e.edge_label as EdgeLabel,
    s.NodeId as SourceNodeId,
    s.NodeName as SourceNodeName,
    s.NodeLabel as SourceNodeLabel,
    s.Categories as SourceNodeCategories,
    t.NodeId as TargetNodeId,
    t.NodeName as TargetNodeName,
    t.NodeLabel as TargetNodeLabel,
    t.Categories as TargetNodeCategories,
    e.properties as EdgeProperties,
    e.discovery_sources,
    e.first_seen,
    e.last_seen
from edges as e
join exposure_graph_nodes as s on s.NodeId = e.source_id
join exposure_graph_nodes as t on t.NodeId = e.target_id
