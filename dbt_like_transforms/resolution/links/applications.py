"""Links between applications: a registration and its service principals."""

from __future__ import annotations

import duckdb

from dbt_like_transforms.resolution.clustering.cluster import Clusterer
from dbt_like_transforms.resolution.links.link import Link

# The hub of an application id is its registration, else what only names the id, else the first of the principals.
_SAME_APP = """
WITH named AS (
    SELECT app, cluster, role, min(idx) AS idx FROM norm JOIN _clusters USING (idx) WHERE app IS NOT NULL
    GROUP BY app, cluster, role
    QUALIFY count(*) OVER (PARTITION BY app) > 1),
ranked AS (SELECT *, CASE role WHEN 'registration' THEN 0 WHEN '' THEN 1 ELSE 2 END * 4294967296 + idx AS rank FROM named),
hub AS (SELECT app, arg_min(idx, rank) AS idx, arg_min(role, rank) AS role FROM ranked GROUP BY app)
SELECT n.idx, h.idx,
    CASE WHEN n.role = 'principal' AND h.role <> 'principal' THEN 'instance of' ELSE 'same application' END,
    'both carry application id ' || app
FROM named n JOIN hub h USING (app)
WHERE n.cluster <> (SELECT cluster FROM _clusters c WHERE c.idx = h.idx)
ORDER BY n.idx
"""


def application_links(connection: duckdb.DuckDBPyConnection, clusterer: Clusterer) -> list[Link]:
    """Registrations and their service principals."""
    links = []
    for source, target, relationship, reason in connection.execute(_SAME_APP).fetchall():
        links.append(Link(source, target, relationship, reason))
        back = "has instance" if relationship == "instance of" else relationship
        links.append(Link(target, source, back, reason))
    return links
