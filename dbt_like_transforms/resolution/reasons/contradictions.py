"""What the records of one asset say that cannot both be true: retired here, at work there.

The mart `contradictions` tells this of an estate on a date, with the newest active record alone, and leaves out what was last seen
at work before it was retired. Records given without a date are told in full.
"""

from __future__ import annotations

import duckdb


def contradictions(connection: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """Sentences by record, on both records of each pair. Reads `_keyed` and `_clusters`.

    A source that holds an active record of the asset as well has only replaced the one that it retired.
    """
    rows = connection.execute(
        """
        WITH member AS (
            SELECT r.record, r.product, r.instance, c.cluster, r.state,
                coalesce(n_time(r.last_seen), n_time(r.observed_at)) AS seen
            FROM _keyed r JOIN _clusters c USING (key))
        SELECT a.record, b.record, b.product, b.seen FROM member a JOIN member b USING (cluster)
        WHERE a.state = 'retired' AND b.state = 'active' AND NOT EXISTS (
            FROM member o WHERE o.cluster = a.cluster AND o.state = 'active'
                AND o.product = a.product AND o.instance = a.instance)
        ORDER BY ALL
        """
    ).fetchall()
    found: dict[str, list[str]] = {}
    for retired, active, product, seen in rows:
        when = f" (last seen {seen:%Y-%m-%d})" if seen else ""
        text = f"{retired} calls the asset retired, but {product} holds it as active{when} in {active}"
        found.setdefault(retired, []).append(text)
        found.setdefault(active, []).append(text)
    return found
