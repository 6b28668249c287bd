"""Parts of machines: management controllers, containers and blades, by the firmware values that they share."""

from __future__ import annotations

import duckdb

from dbt_like_transforms.resolution.links.link import Link
from dbt_like_transforms.resolution.links.shared_serials import GUEST_CARD

#: Devices with one chassis serial number that are called a chassis, up to which blades are linked to them.
_CHASSIS = 8

# Controllers are called after the serial number of their server: ILOCZJ1234ABC, idrac-7XK201Q, XCC-7X06-J300ABCD.
_SERVER_IN_NAME = "^(?:ilo|idrac|drac|irmc|imm2?|xcc|cimc|ilom|i?bmc|ipmi)(?:-[0-9a-z]{4}-|-)?([0-9a-z]{5,})$"

_FIRMWARE = f"""
SELECT idx, cluster, role, 'reports' AS told, 'serial number' AS what, serial AS value
FROM norm JOIN _clusters USING (idx) WHERE serial IS NOT NULL
UNION ALL
SELECT idx, cluster, role, 'is named after', 'serial number', upper(regexp_extract(name, '{_SERVER_IN_NAME}', 1))
FROM (SELECT idx, coalesce(longname, host) AS name FROM names WHERE is_bmc)
    JOIN norm USING (idx) JOIN _clusters USING (idx) WHERE serial IS NULL
UNION ALL
SELECT idx, cluster, role, 'reports', 'SMBIOS UUID', unnest([uuid, serial_uuid])
FROM norm JOIN _clusters USING (idx) WHERE uuid IS NOT NULL OR serial_uuid IS NOT NULL
UNION ALL
SELECT idx, cluster, role, 'reports', 'cloud instance id', cloud
FROM norm JOIN _clusters USING (idx) WHERE cloud IS NOT NULL
"""

_PARTS = "SELECT * FROM firmware WHERE role <> ''"

_MACHINES = "SELECT * FROM firmware WHERE role = '' AND value IN (SELECT value FROM parts)"

# The machine that a value means: the only one that reports it, or of several (blades may report the serial number of their
# chassis, containers that of their host) the only one that has a network card. Found before any are paired: a placeholder may
# be on as many parts as machines.
_MEANT = f"""
WITH known AS (
    SELECT *, min(cluster) OVER same = max(cluster) OVER same AS alone FROM machines
    WINDOW same AS (PARTITION BY what, value)
), wired AS (
    SELECT DISTINCT cluster FROM macs
        JOIN (FROM _clusters WHERE cluster IN (SELECT cluster FROM known WHERE NOT alone)) USING (idx)
    WHERE usable AND NOT regexp_matches(mac, '{GUEST_CARD}')
)
SELECT idx, cluster, what, value FROM known WHERE alone OR cluster IN (FROM wired)
WINDOW same AS (PARTITION BY what, value) QUALIFY min(cluster) OVER same = max(cluster) OVER same
"""

# A controller or container is part of the machine that its UUID means; its other values count where it tells none.
_INSIDE = """
WITH told AS (
    SELECT p.idx AS source, m.idx AS target, m.cluster AS target_cluster, p.role, p.told, what
    FROM parts p JOIN meant m USING (what, value) WHERE p.role IN ('bmc', 'container')
    QUALIFY what = 'SMBIOS UUID' OR NOT bool_or(what = 'SMBIOS UUID') OVER (PARTITION BY p.idx)
)
SELECT DISTINCT ON (source, target_cluster) source, target,
    CASE role WHEN 'container' THEN 'runs on' ELSE 'part of' END AS relationship,
    CASE role WHEN 'container' THEN 'the container reports the ' || what || ' of its host'
        ELSE 'the management controller ' || told || ' the ' || what || ' of the server it sits in' END AS reason
FROM told ORDER BY source, target_cluster, target, reason
"""

_BLADES = f"""
WITH chassis AS (
    SELECT * FROM parts WHERE role = 'chassis' AND what = 'serial number'
    QUALIFY count(DISTINCT cluster) OVER (PARTITION BY value) <= {_CHASSIS}
)
SELECT DISTINCT ON (source, c.cluster) m.idx AS source, c.idx AS target, 'part of',
    'the blade reports the serial number of its chassis'
FROM chassis c JOIN machines m USING (what, value)
ORDER BY source, c.cluster, target
"""


def part_links(connection: duckdb.DuckDBPyConnection) -> list[Link]:
    """Links of controllers, containers and blades to the machine or chassis that they are in."""
    for name, sql in (("firmware", _FIRMWARE), ("parts", _PARTS), ("machines", _MACHINES), ("meant", _MEANT)):
        connection.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {sql}")
    return [Link(*row) for sql in (_INSIDE, _BLADES) for row in connection.execute(sql).fetchall()]
