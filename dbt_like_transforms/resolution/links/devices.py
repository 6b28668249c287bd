"""Links between devices: parts and containers and their machine, members of a pair, cluster names and their node."""

from __future__ import annotations

import duckdb

from dbt_like_transforms.resolution.clustering.cluster import Clusterer
from dbt_like_transforms.resolution.forms.seeds import MOST_VALUES
from dbt_like_transforms.resolution.links.link import Link
from dbt_like_transforms.resolution.links.parts import part_links
from dbt_like_transforms.resolution.links.shared_serials import shared_serials

#: Clusters on one value up to which links are drawn between all of them.
_MEMBERS = 8
#: Clusters on an address among which the nodes of a cluster are looked for.
_ON_ADDRESS = 128

# Members of one high-availability pair or stack answer on one address and one MAC or name, each with a serial number
# of its own. Endpoints never do: they have a directory identity or an agent.
_GEAR = f"""
WITH loose AS (
    SELECT idx FROM norm ANTI JOIN (FROM agents WHERE agent_id IS NOT NULL) USING (idx)
    WHERE entra IS NULL AND adguid IS NULL AND sid IS NULL AND cloud IS NULL AND role = ''
), gear AS (
    SELECT DISTINCT idx, cluster, room, ip FROM ips SEMI JOIN loose USING (idx) JOIN _clusters USING (idx)
    WHERE ip IS NOT NULL QUALIFY count(*) OVER (PARTITION BY idx) <= {MOST_VALUES}
), shared AS (
    SELECT room, ip FROM (SELECT DISTINCT room, ip, cluster FROM gear) GROUP BY room, ip
    HAVING count(*) BETWEEN 2 AND {_MEMBERS}
), pairs AS (
    SELECT a.idx AS source, b.idx AS target, min(ip) AS ip
    FROM shared JOIN gear a USING (room, ip) JOIN gear b USING (room, ip) WHERE a.cluster <> b.cluster
    GROUP BY a.idx, b.idx
), wired AS (
    SELECT DISTINCT source, target FROM pairs JOIN macs a ON a.idx = source JOIN macs b ON b.idx = target
    WHERE a.mac = b.mac
), named AS (
    SELECT source, target, bool_or(a.host = b.host) AS alike FROM pairs JOIN names a ON a.idx = source
        JOIN names b ON b.idx = target
    WHERE a.host IS NOT NULL AND b.host IS NOT NULL GROUP BY source, target
)
SELECT source, target, 'member of', 'both answer on ' || ip || ' with the same MAC address or name'
FROM pairs JOIN norm a ON a.idx = source JOIN norm b ON b.idx = target
    LEFT JOIN wired w USING (source, target) LEFT JOIN named n USING (source, target)
-- what has neither name nor serial number may be the other one, seen by a scanner
WHERE (w.source IS NOT NULL AND NOT n.alike) OR (w.source IS NOT NULL OR n.alike) AND a.serial <> b.serial
ORDER BY source, target
"""

_CLUSTER_OBJECTS = f"""
WITH called AS (FROM names ANTI JOIN cluster_names USING (idx, host)),
objects AS (SELECT DISTINCT idx FROM called WHERE like_cluster AND host IS NOT NULL),
named AS (
    SELECT DISTINCT idx, cluster, i.room, ip
    FROM ips i SEMI JOIN objects USING (idx) ANTI JOIN (FROM agents WHERE agent_id IS NOT NULL) USING (idx)
        JOIN norm n USING (idx) JOIN _clusters USING (idx)
    WHERE serial IS NULL AND uuid IS NULL AND serial_uuid IS NULL
    QUALIFY count(*) OVER (PARTITION BY idx) <= {MOST_VALUES}
), places AS (
    -- an address of many is that of a scanner or a router: no pairs of all that have it
    SELECT room, ip FROM ips SEMI JOIN named USING (room, ip) JOIN _clusters USING (idx)
    GROUP BY room, ip HAVING count(DISTINCT cluster) <= {_ON_ADDRESS}
), nodes AS (
    SELECT DISTINCT i.idx, cluster, i.room, i.ip
    FROM (FROM ips SEMI JOIN places USING (room, ip)) i JOIN names a ON a.idx = i.idx AND a.host IS NOT NULL
        JOIN _clusters c ON c.idx = i.idx
), alike AS (
    SELECT DISTINCT c.idx AS source, n.idx AS target
    FROM named c JOIN nodes n USING (room, ip) JOIN called a ON a.idx = c.idx JOIN called b ON b.idx = n.idx
    WHERE a.host = b.host
)
SELECT DISTINCT ON (source, target_cluster) source, target, relationship, reason FROM (
    SELECT c.idx AS source, n.idx AS target, n.cluster AS target_cluster, 'runs on' AS relationship,
        'the cluster name answers on the address of its active node, ' || ip AS reason
    FROM named c JOIN nodes n USING (room, ip) ANTI JOIN alike x ON x.source = c.idx AND x.target = n.idx
    WHERE c.cluster <> n.cluster
    QUALIFY count(DISTINCT n.cluster) OVER (PARTITION BY c.idx, ip) <= {_MEMBERS}
) ORDER BY source, target_cluster, target, reason
"""


def device_links(connection: duckdb.DuckDBPyConnection, clusterer: Clusterer) -> list[Link]:
    """Links between devices."""
    links = part_links(connection)
    links += [Link(*row) for row in connection.execute(_CLUSTER_OBJECTS).fetchall()]
    gear = [Link(*row) for row in connection.execute(_GEAR).fetchall()]
    links += [link for link in gear if _side_by_side(clusterer, link.source, link.target)]
    # blades of a chassis that is listed are parts of it, and not of one another
    inside = {link.source for link in links if link.relationship == "part of"}
    return links + [link for link in shared_serials(connection, clusterer) if not {link.source, link.target} <= inside]


def _side_by_side(clusterer: Clusterer, one: int, other: int) -> bool:
    """Whether two records may speak of the same time. What one product saw one after the other on one address and card
    shared a dock or followed in its place; two products look when they please."""
    facts = clusterer.facts
    if not (facts.active[one] and facts.active[other]):
        return False
    return facts.source[one] != facts.source[other] or clusterer.vetoes.activity.at_once([one], [other])
