"""Links between identities: accounts of one person."""

from __future__ import annotations

import duckdb

from dbt_like_transforms.resolution.clustering.activity import DAY
from dbt_like_transforms.resolution.clustering.cluster import Clusterer
from dbt_like_transforms.resolution.links.link import Link

#: Records on one address up to which links are drawn between all of them: what more have is no person's.
_ACCOUNTS = 64

# Each query gives two accounts of one person and why; and what keeps them from being one account, '' where only a person can
# tell, NULL where they are no near miss.
_SAME_HOME = f"""
WITH guests AS (
    SELECT idx, cluster, unnest(list_distinct([home,
        CASE WHEN count(*) OVER (PARTITION BY invited) <= 10 THEN invited END])) AS home
    FROM norm JOIN _clusters USING (idx) WHERE home IS NOT NULL),
homes AS (
    FROM (SELECT idx, cluster, unnest(addresses) AS home FROM norm JOIN _clusters USING (idx)) SEMI JOIN guests USING (home)
    QUALIFY count(*) OVER (PARTITION BY home) <= {_ACCOUNTS}),
fellows AS (FROM guests QUALIFY count(*) OVER (PARTITION BY home) <= {_ACCOUNTS})
SELECT DISTINCT ON (source, target_cluster) source, target, reason, against FROM (
    SELECT g.idx AS source, h.idx AS target, h.cluster AS target_cluster,
        'guest account of ' || g.home AS reason, 'guest' AS against
    FROM guests g JOIN homes h USING (home) WHERE g.cluster <> h.cluster
    UNION ALL
    SELECT h.idx, g.idx, g.cluster, 'guest account of ' || g.home, 'guest'
    FROM guests g JOIN homes h USING (home) WHERE g.cluster <> h.cluster
    UNION ALL
    SELECT a.idx, b.idx, b.cluster, 'both are guest accounts of ' || a.home, ''
    FROM fellows a JOIN fellows b USING (home) WHERE a.cluster <> b.cluster
) ORDER BY source, target_cluster, target, reason
"""

# A number that is given out again is that of another person, unless a name goes on with it.
_SAME_EMPLOYEE = """
WITH numbered AS MATERIALIZED (
    SELECT employee, room, cluster, min(idx) AS idx FROM norm JOIN _clusters USING (idx)
    WHERE employee IS NOT NULL GROUP BY employee, room, cluster
    QUALIFY count(*) OVER (PARTITION BY employee, room) BETWEEN 2 AND 10),
accounts AS MATERIALIZED (
    SELECT cluster, bool_or(active) AS active, min(coalesce(first_seen, observed_at)) AS first,
        max(coalesce(last_seen, observed_at)) AS last, flatten(list(list_concat(addresses, logons))) AS names
    FROM _clusters SEMI JOIN numbered USING (cluster) JOIN _numbers USING (idx) JOIN norm USING (idx) GROUP BY cluster)
SELECT m.idx, n.idx, 'both carry employee id ' || employee, NULL
FROM numbered m JOIN numbered n USING (employee, room)
    JOIN accounts a ON a.cluster = m.cluster JOIN accounts b ON b.cluster = n.cluster
WHERE m.cluster <> n.cluster AND (list_has_any(a.names, b.names) OR NOT coalesce(
    NOT a.active AND date_diff('second', a.last, b.first) > $seconds
    OR NOT b.active AND date_diff('second', b.last, a.first) > $seconds, false))
ORDER BY m.idx, n.idx
"""

# Invitations that were never accepted know nothing but a mail address and their own object id.
_INVITED = f"""
WITH invited AS (
    SELECT idx, cluster, tenant, home, unnest(CASE WHEN home IS NULL THEN mails ELSE [home] END) AS mail
    FROM norm JOIN _clusters USING (idx) WHERE (upn IS NULL OR home IS NOT NULL) AND entra IS NOT NULL),
few AS (FROM invited QUALIFY count(*) OVER (PARTITION BY mail) <= {_ACCOUNTS})
SELECT DISTINCT a.idx, b.idx, 'two accounts invited by the address ' || mail AS reason, ''
FROM few a JOIN few b USING (mail) WHERE a.cluster <> b.cluster AND (a.home IS NULL AND b.home IS NULL
    OR (a.home IS NULL OR b.home IS NULL) AND coalesce(a.tenant = b.tenant, true))
ORDER BY a.idx, b.idx, reason
"""


def identity_links(connection: duckdb.DuckDBPyConnection, clusterer: Clusterer) -> list[Link]:
    """Accounts of one person. Those that guests and invitations tell are noted as near misses as well."""
    links: dict[tuple[int, int], Link] = {}
    near: dict[str, list[tuple[int, int, int]]] = {"": [], "guest": []}
    clocks = {"seconds": clusterer.vetoes.activity.clocks.successor * DAY}
    for sql, given in ((_INVITED, None), (_SAME_HOME, None), (_SAME_EMPLOYEE, clocks)):
        for source, target, reason, against in connection.execute(sql, given).fetchall():
            if (source, target) not in links:
                links[source, target] = Link(source, target, "same person", reason)
                if against is not None and source < target:
                    near[against].append((source, target, 0))
    for against, pairs in near.items():
        clusterer.findings.missed_pairs("guest_home", "", pairs, against, review=not against)
    return list(links.values())
