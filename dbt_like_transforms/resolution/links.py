"""Relationships that equal values tell of where a merge would be wrong: container and host, blade and chassis, ..."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import duckdb
import numpy as np

from dbt_like_transforms.resolution.activity import DAY
from dbt_like_transforms.resolution.cluster import Clusterer
from dbt_like_transforms.resolution.columns import show_columns
from dbt_like_transforms.resolution.integers import among, sorted_unique


@dataclass(frozen=True, slots=True)
class Link:
    """Record `source` stands in `relationship` to record `target` (rows), and why."""

    source: int
    target: int
    relationship: str
    reason: str


#: Clusters on one value up to which links are drawn between all of them.
_MEMBERS = 8
_BLADES = 64

#: Network cards that hypervisors make: VMware, Hyper-V, Xen, Parallels, VirtualBox (QEMU's are locally administered).
_GUEST_CARD = "^(005056|000c29|000569|00155d|00163e|001c42|080027)"

#: Cards that a container engine makes, and products that list what runs inside a machine.
_CONTAINER_CARD = "^0242"
_CONTAINER_PRODUCTS = "('docker', 'podman', 'containerd', 'kubernetes', 'k8s', 'openshift')"

# Controllers are called after the serial number of their server: ILOCZJ1234ABC, idrac-7XK201Q, XCC-7X06-J300ABCD.
_SERVER_IN_NAME = "^(?:ilo|idrac|drac|irmc|imm2?|xcc|cimc|ilom|i?bmc|ipmi)(?:-[0-9a-z]{4}-|-)?([0-9a-z]{5,})$"

# A management controller, container or chassis and the machine that reports the same firmware values. One machine is meant:
# of several (blades may report the serial number of their chassis, containers that of their host) the one that has a
# network card, or none; and a UUID tells more.
_ROLES = f"""
WITH shared AS (
    SELECT p.idx AS source, m.idx AS target, m.cluster AS target_cluster, p.role, p.told, p.what, p.value,
        count(DISTINCT m.cluster) OVER (PARTITION BY p.idx, p.what, p.value) AS machines
    FROM parts p JOIN machines m USING (what, value)
    WHERE p.role IN ('bmc', 'container')
), wired AS (
    SELECT DISTINCT cluster FROM macs
        JOIN (FROM _clusters WHERE cluster IN (SELECT target_cluster FROM shared WHERE machines > 1)) USING (idx)
    WHERE usable AND NOT regexp_matches(mac, '{_GUEST_CARD}')
), likely AS (
    SELECT *, count(DISTINCT target_cluster) OVER (PARTITION BY source, what, value) AS hosts
    FROM shared WHERE machines = 1 OR target_cluster IN (FROM wired)
), told AS (
    FROM likely WHERE hosts = 1 QUALIFY what = 'SMBIOS UUID' OR NOT bool_or(what = 'SMBIOS UUID') OVER (PARTITION BY source)
)
SELECT DISTINCT ON (source, target_cluster) source, target, relationship, reason FROM (
    SELECT source, target, target_cluster,
        CASE role WHEN 'container' THEN 'runs on' ELSE 'part of' END AS relationship,
        CASE role WHEN 'container' THEN 'the container reports the ' || what || ' of its host'
            ELSE 'the management controller ' || told || ' the ' || what || ' of the server it sits in' END AS reason
    FROM told
    UNION ALL
    SELECT m.idx, p.idx, p.cluster, 'part of', 'the blade reports the serial number of its chassis'
    FROM parts p JOIN machines m USING (what, value)
    WHERE p.role = 'chassis' AND what = 'serial number'
) ORDER BY source, target_cluster, target
"""

# Members of one high-availability pair or stack answer on one address and one MAC or name, each with a serial number
# of its own. Endpoints never do: they have a directory identity or an agent.
_GEAR = f"""
WITH loose AS (
    SELECT idx FROM norm ANTI JOIN (FROM agents WHERE agent_id IS NOT NULL) USING (idx)
    WHERE entra IS NULL AND adguid IS NULL AND sid IS NULL AND cloud IS NULL AND role = ''
), gear AS (
    SELECT DISTINCT idx, cluster, room, ip FROM ips SEMI JOIN loose USING (idx) JOIN _clusters USING (idx)
    WHERE ip IS NOT NULL QUALIFY count(*) OVER (PARTITION BY idx) <= 64
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
    QUALIFY count(*) OVER (PARTITION BY idx) <= 64
), nodes AS (
    SELECT DISTINCT i.idx, cluster, i.room, i.ip
    FROM (FROM ips SEMI JOIN named USING (room, ip)) i JOIN names a ON a.idx = i.idx AND a.host IS NOT NULL
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
) ORDER BY source, target_cluster, target
"""


def device_links(connection: duckdb.DuckDBPyConnection, clusterer: Clusterer) -> list[Link]:
    """Links between devices."""
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP VIEW firmware AS
        SELECT idx, cluster, role, 'reports' AS told, 'serial number' AS what, serial AS value
        FROM norm JOIN _clusters USING (idx) WHERE serial IS NOT NULL
        UNION ALL
        SELECT idx, cluster, role, 'is named after', 'serial number', upper(regexp_extract(name, '{_SERVER_IN_NAME}', 1))
        FROM (SELECT idx, coalesce(longname, host) AS name FROM names WHERE is_bmc)
            JOIN norm USING (idx) JOIN _clusters USING (idx) WHERE role = 'bmc' AND serial IS NULL
        UNION ALL
        SELECT idx, cluster, role, 'reports', 'SMBIOS UUID', unnest([uuid, serial_uuid])
        FROM norm JOIN _clusters USING (idx) WHERE uuid IS NOT NULL OR serial_uuid IS NOT NULL
        UNION ALL
        SELECT idx, cluster, role, 'reports', 'cloud instance id', cloud
        FROM norm JOIN _clusters USING (idx) WHERE cloud IS NOT NULL
        """
    )
    connection.execute("CREATE OR REPLACE TEMP VIEW parts AS SELECT * FROM firmware WHERE role <> ''")
    connection.execute(
        "CREATE OR REPLACE TEMP VIEW machines AS SELECT * FROM firmware WHERE role = '' "
        "AND value IN (SELECT value FROM parts)"
    )
    links = [Link(*row) for sql in (_ROLES, _CLUSTER_OBJECTS) for row in connection.execute(sql).fetchall()]
    gear = [Link(*row) for row in connection.execute(_GEAR).fetchall()]
    links += [link for link in gear if _side_by_side(clusterer, link.source, link.target)]
    return links + _shared_serials(connection, clusterer)


def _side_by_side(clusterer: Clusterer, one: int, other: int) -> bool:
    """Whether two records may speak of the same time. What one product saw one after the other on one address and card
    shared a dock or followed in its place; two products look when they please."""
    facts = clusterer.facts
    if not (facts.active[one] and facts.active[other]):
        return False
    return facts.source[one] != facts.source[other] or clusterer.vetoes.activity.at_once([one], [other])


def _shared_serials(connection: duckdb.DuckDBPyConnection, clusterer: Clusterer) -> list[Link]:
    """Machines with one serial number and different UUIDs: blades of one chassis, or containers and their host."""
    keys = [
        item.key
        for item in clusterer.findings.suppressed
        if item.identifier in ("serial", "serialq") and item.against == "uuid"
    ]
    for near in clusterer.findings.near:
        if near.identifier in ("serial", "serialq") and near.against in (
            "clone_same_source",
            "clone_blade",
            "enclosed",
        ):
            keys += near.keys.tolist()
    if not keys:
        return []
    links: list[Link] = []
    seen: set[frozenset[int]] = set()
    products = connection.execute(
        f"SELECT source FROM _sources WHERE lower(product) IN {_CONTAINER_PRODUCTS}"
    ).fetchall()
    listed = np.flatnonzero(np.isin(clusterer.facts.source, [source for (source,) in products]))
    show_columns(connection, "_listed_inside", {"idx": listed.astype(np.int32)})
    for name in ("serialq", "serial"):
        # few share a serial number: what else is asked of them is asked of them alone
        told = clusterer.facts.told[name]
        shared = among(told.keys, sorted_unique(np.array(keys, np.uint64)))
        rows = told.rows[shared]
        columns = {"idx": rows, "cluster": clusterer.partition.label[rows], "key": told.keys[shared]}
        show_columns(connection, "sharing", columns)
        connection.execute(
            f"""CREATE OR REPLACE TEMP TABLE sharing_cards AS
            SELECT idx, bool_or(usable AND NOT regexp_matches(mac, '{_GUEST_CARD}')) AS wired,
                bool_and(regexp_matches(mac, '{_CONTAINER_CARD}')) AS inside
            FROM macs SEMI JOIN sharing USING (idx) GROUP BY idx"""
        )
        found = connection.execute(
            f"""
            SELECT list(first_idx ORDER BY first_idx), list(wired ORDER BY first_idx), list(inside ORDER BY first_idx)
            FROM (SELECT key, cluster, min(idx) AS first_idx, bool_or(coalesce(wired, false)) AS wired,
                    bool_and(coalesce(inside, false) OR idx IN (SELECT idx FROM _listed_inside)) AS inside
                FROM sharing LEFT JOIN sharing_cards USING (idx) GROUP BY key, cluster)
            GROUP BY key HAVING count(*) BETWEEN 2 AND {_BLADES} ORDER BY min(first_idx)
            """
        ).fetchall()
        for machines, wired, inside in found:
            for link in _share(machines, wired, inside):
                pair = frozenset((link.source, link.target))
                if pair not in seen:
                    links.append(link)
            seen |= {frozenset((one, other)) for one in machines for other in machines if one != other}
    return links


def _share(rows: list[int], wired: list[bool], inside: list[bool]) -> list[Link]:
    outside = [row for row, guest in zip(rows, inside, strict=True) if not guest]
    if len(outside) == 1:
        reason = "the same firmware serial number, seen from inside a container of that host"
        return [Link(row, outside[0], "runs on", reason) for row in rows if row != outside[0]]
    hosts = [row for row, real in zip(rows, wired, strict=True) if real]
    if len(hosts) == 1:
        reason = "the same firmware serial number without a physical network card of its own: a guest of that host"
        return [Link(row, hosts[0], "runs on", reason) for row in rows if row != hosts[0]]
    reason = "one chassis serial number on machines with different UUIDs"
    return [
        link
        for row in rows[1:]
        for link in (Link(row, rows[0], "part of", reason), Link(rows[0], row, "part of", reason))
    ]


_SAME_HOME = """
WITH guests AS (
    SELECT idx, cluster, unnest(list_distinct([home,
        CASE WHEN count(*) OVER (PARTITION BY invited) <= 10 THEN invited END])) AS home
    FROM norm JOIN _clusters USING (idx) WHERE home IS NOT NULL),
homes AS (SELECT idx, cluster, unnest(addresses) AS home FROM norm JOIN _clusters USING (idx))
SELECT DISTINCT ON (source, target_cluster) source, target, 'same person', reason FROM (
    SELECT g.idx AS source, h.idx AS target, h.cluster AS target_cluster,
        'guest account of ' || g.home AS reason
    FROM guests g JOIN homes h USING (home) WHERE g.cluster <> h.cluster
    UNION ALL
    SELECT h.idx, g.idx, g.cluster, 'guest account of ' || g.home
    FROM guests g JOIN homes h USING (home) WHERE g.cluster <> h.cluster
    UNION ALL
    SELECT a.idx, b.idx, b.cluster, 'both are guest accounts of ' || a.home
    FROM guests a JOIN guests b USING (home) WHERE a.cluster <> b.cluster
) ORDER BY source, target_cluster, target
"""

# A number that is given out again is that of another person, unless a name goes on with it.
_SAME_EMPLOYEE = """
WITH people AS MATERIALIZED (
    SELECT employee, room, cluster, min(idx) AS idx FROM norm JOIN _clusters USING (idx)
    WHERE employee IS NOT NULL GROUP BY employee, room, cluster
    QUALIFY count(*) OVER (PARTITION BY employee, room) BETWEEN 2 AND 10),
pairs AS MATERIALIZED (
    SELECT a.idx, b.idx AS other, a.cluster, b.cluster AS other_cluster, employee
    FROM people a JOIN people b USING (employee, room) WHERE a.cluster <> b.cluster),
spans AS (
    SELECT cluster, bool_or(active) AS active, min(coalesce(first_seen, observed_at)) AS first,
        max(coalesce(last_seen, observed_at)) AS last
    FROM _clusters SEMI JOIN people USING (cluster) JOIN _numbers USING (idx) GROUP BY cluster),
apart AS MATERIALIZED (
    SELECT p.cluster AS earlier, p.other_cluster AS later FROM pairs p JOIN spans a USING (cluster)
        JOIN spans b ON b.cluster = p.other_cluster
    WHERE NOT a.active AND date_diff('second', a.last, b.first) > $seconds),
named AS (
    SELECT DISTINCT cluster, unnest(list_concat(addresses, logons)) AS name FROM _clusters JOIN norm USING (idx)
    WHERE cluster IN (SELECT earlier FROM apart UNION ALL SELECT later FROM apart)),
another AS (
    FROM apart WHERE (earlier, later) NOT IN (
        SELECT (a.cluster, b.cluster) FROM named a JOIN named b USING (name) WHERE a.cluster <> b.cluster))
SELECT idx, other, 'same person', 'both carry employee id ' || employee FROM pairs
WHERE (cluster, other_cluster) NOT IN (SELECT (earlier, later) FROM another UNION ALL SELECT (later, earlier) FROM another)
ORDER BY idx, other
"""

# Invitations that were never accepted know nothing but a mail address and their own object id.
_INVITED = """
WITH invited AS (
    SELECT idx, cluster, tenant, home, unnest(CASE WHEN home IS NULL THEN mails ELSE [home] END) AS mail
    FROM norm JOIN _clusters USING (idx) WHERE (upn IS NULL OR home IS NOT NULL) AND entra IS NOT NULL)
SELECT DISTINCT a.idx, b.idx, 'same person', 'two accounts invited by the address ' || mail
FROM invited a JOIN invited b USING (mail) WHERE a.cluster <> b.cluster AND (a.home IS NULL AND b.home IS NULL
    OR (a.home IS NULL OR b.home IS NULL) AND coalesce(a.tenant = b.tenant, true))
ORDER BY a.idx, b.idx
"""


def identity_links(connection: duckdb.DuckDBPyConnection, clusterer: Clusterer) -> list[Link]:
    """Accounts of one person."""
    links: dict[tuple[int, int], Link] = {}
    clocks = {"seconds": clusterer.vetoes.activity.clocks.successor * DAY}
    for sql, given in ((_INVITED, None), (_SAME_HOME, None), (_SAME_EMPLOYEE, clocks)):
        for row in connection.execute(sql, given).fetchall():
            links.setdefault((row[0], row[1]), Link(*row))
    guests = [
        (link.source, link.target)
        for link in links.values()
        if link.reason.startswith(("both are guest", "two accounts invited"))
    ]
    clusterer.findings.miss("guest_home", "", [(a, b, 0) for a, b in guests if a < b], "", True)
    homes = [(link.source, link.target) for link in links.values() if link.reason.startswith("guest account of")]
    clusterer.findings.miss("guest_home", "", [(a, b, 0) for a, b in homes if a < b], "guest", False)
    return list(links.values())


_SAME_APP = """
WITH named AS (
    SELECT app, cluster, role, min(idx) AS idx FROM norm JOIN _clusters USING (idx) WHERE app IS NOT NULL
    GROUP BY app, cluster, role
    QUALIFY count(*) OVER (PARTITION BY app) BETWEEN 2 AND 1000),
ranked AS (SELECT *, CASE role WHEN 'registration' THEN 0 WHEN '' THEN 1 ELSE 2 END * 4294967296 + idx AS rank FROM named),
hub AS (SELECT app, arg_min(idx, rank) AS idx, arg_min(role, rank) AS role FROM ranked GROUP BY app)
SELECT n.idx, h.idx,
    CASE WHEN n.role = 'principal' AND h.role <> 'principal' THEN 'instance of' ELSE 'same application' END,
    'both carry application id ' || app
FROM named n JOIN hub h USING (app) WHERE n.idx <> h.idx
    AND n.cluster <> (SELECT cluster FROM _clusters c WHERE c.idx = h.idx)
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


LINKERS: dict[str, Callable[[duckdb.DuckDBPyConnection, Clusterer], list[Link]]] = {
    "device": device_links,
    "identity": identity_links,
    "application": application_links,
}
