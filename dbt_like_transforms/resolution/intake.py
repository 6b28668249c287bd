"""Numbers the records of the observations in anchor order, whatever the order they came in."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb
import numpy as np
import pyarrow as pa

from dbt_like_transforms.resolution.clustering.integers import changes
from dbt_like_transforms.resolution.columns import show_columns

COMMON: dict[str, str] = {
    "record": "VARCHAR",
    "product": "VARCHAR",
    "instance": "VARCHAR",
    "stream": "VARCHAR",
    "record_id": "VARCHAR",
    "scope": "VARCHAR",
    "observed_at": "TIMESTAMP",
    "first_seen": "TIMESTAMP",
    "last_seen": "TIMESTAMP",
    "state": "VARCHAR",
    "authority": "VARCHAR",
    "sync": "VARCHAR",
    "page": "INTEGER",
    "row_number": "BIGINT",
}


#: Whether a record may create an asset, by its authority: never; where it has an identifier of a machine that is no
#: placeholder, or a full name; always.
NEVER, KNOWN, ALWAYS = 0, 1, 2

#: So few records are held in memory: a relation of many files is planned anew by everything that reads it.
HELD = 50_000


def number_records(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    columns: Mapping[str, str],
    without: tuple[str, ...] = (),
) -> dict[str, bool]:
    """Gives of each of `columns` whether `relation` has it.

    Makes the table `_numbers`: of each record `idx` from 0, `key`, `room` (hash of the scope), its source, whether it is
    active, whether it may create an asset (NEVER, KNOWN, ALWAYS), and its times. The views `_records` of `relation` (`idx` and
    COMMON), `_observed`, which has `columns` and `room` as well, and `_keyed`, which has `key` and the columns without `idx` and
    `room` and costs no join.
    Where there are many records all read `relation` anew each time, so that the estate is not held twice. And the table
    `_sources` (source from 0, product, instance).

    Of several observations of one record the newest is taken, with the earliest first_seen and latest last_seen of all:
    a backfill moves neither identifiers nor last_seen back. without: products and instances to leave out.
    """
    present = {row[0].lower() for row in connection.execute(f"DESCRIBE {relation}").fetchall()}
    wanted = {**COMMON, **columns}
    parts = [f"CAST({name if name in present else 'NULL'} AS {kind}) AS {name}" for name, kind in wanted.items()]
    left_out = ", ".join("'" + name.replace("'", "''") + "'" for name in without)
    where = f"WHERE NOT (coalesce(product, '') IN ({left_out}) OR coalesce(instance, '') IN ({left_out}))"
    connection.execute(
        f"CREATE OR REPLACE TEMP VIEW _given AS SELECT {', '.join(parts)} FROM {relation} {where if without else ''}"
    )
    total, unique = _count(connection)
    once = "_given"
    # One number a record stands for its name in every join; where names share a hash they are joined as they are.
    key = "hash(record)" if unique or _hashes_differ(connection) else "record"
    if not unique:
        once = "_newest"
        # The text of the whole row breaks ties, so that the choice does not depend on the order of the input.
        connection.execute(
            """CREATE OR REPLACE TEMP TABLE _newest AS
            SELECT * EXCLUDE (first_seen, last_seen),
                min(n_time(first_seen)) OVER same AS first_seen,
                max(n_time(last_seen)) OVER same AS last_seen
            FROM _given AS g
            WINDOW same AS (PARTITION BY record)
            QUALIFY row_number() OVER (
                PARTITION BY record ORDER BY coalesce(n_time(observed_at), n_time(g.last_seen)) DESC NULLS LAST,
                n_time(g.last_seen) DESC NULLS LAST, md5(CAST(g AS VARCHAR))) = 1"""
        )
    elif total <= HELD:
        once = "_held"
        connection.execute("CREATE OR REPLACE TEMP TABLE _held AS FROM _given")
    connection.execute(f"CREATE OR REPLACE TEMP VIEW _keyed AS SELECT *, {key} AS key FROM {once}")
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE _sources AS
        SELECT (row_number() OVER (ORDER BY product, instance) - 1)::INTEGER AS source, product, instance
        FROM (SELECT DISTINCT product, instance FROM _keyed)"""
    )
    # Sorting whole rows would take several times the memory of the estate, and numbering them by the engine half as long again.
    ordered = connection.sql(
        """
        SELECT * EXCLUDE (record) FROM (
            SELECT g.record, g.key, hash(coalesce(n_lower(g.scope), 'default')) AS room, s.source,
                coalesce(g.state, 'active') <> 'retired' AS active,
                (CASE g.authority WHEN 'update' THEN $never WHEN 'known' THEN $known ELSE $always END)::TINYINT AS creates,
                n_time(g.first_seen) AS first_seen, n_time(g.last_seen) AS last_seen, n_time(g.observed_at) AS observed_at
            FROM _keyed g JOIN _sources s
                ON s.product IS NOT DISTINCT FROM g.product AND s.instance IS NOT DISTINCT FROM g.instance)
        ORDER BY coalesce(first_seen, observed_at) NULLS LAST, record
        """,
        params={"never": NEVER, "known": KNOWN, "always": ALWAYS},
    ).to_arrow_table()
    numbered = {name: ordered[name] for name in ordered.column_names}
    show_columns(connection, "_numbers", {"idx": np.arange(len(ordered), dtype=np.int32), **numbered})
    connection.execute(
        "CREATE OR REPLACE TEMP VIEW _observed AS SELECT n.idx, n.room, g.* FROM _keyed g JOIN _numbers n USING (key)"
    )
    connection.execute(f"CREATE OR REPLACE TEMP VIEW _records AS SELECT idx, {', '.join(COMMON)} FROM _observed")
    return {name: name in present for name in columns}


def record_keys(connection: duckdb.DuckDBPyConnection) -> pa.Array:
    """`key` of each record, by idx."""
    found = connection.sql("SELECT idx, key FROM _numbers").to_arrow_table()
    place = np.empty(len(found), np.int32)
    place[found["idx"].to_numpy()] = np.arange(len(found), dtype=np.int32)
    return found["key"].combine_chunks().take(pa.array(place))


def _count(connection: duckdb.DuckDBPyConnection) -> tuple[int, bool]:
    """How many rows `_given` has, and whether each is of a record of its own, and has a hash of its own."""
    hashes = connection.execute(
        "SELECT CASE WHEN record IS NOT NULL THEN hash(record) END AS h FROM _given"
    ).fetchnumpy()["h"]
    # grouping by text costs ten times as much
    return len(hashes), not np.ma.is_masked(hashes) and bool(changes(np.sort(np.ma.getdata(hashes))).all())


def _hashes_differ(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether each record of `_given`, of which there may be several rows, has a hash of its own."""
    ((distinct, hashes),) = connection.execute(
        "SELECT count(DISTINCT record), count(DISTINCT hash(record)) FROM _given"
    ).fetchall()
    return bool(distinct == hashes)
