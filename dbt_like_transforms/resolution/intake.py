"""Numbers the records of the observations in anchor order, whatever the order they came in."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

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


#: So few records are held in memory: a relation of many files is planned anew by everything that reads it.
HELD = 50_000


def number_records(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    columns: Mapping[str, str],
    without: tuple[str, ...] = (),
) -> None:
    """Makes the views `_records` of `relation` (`idx` from 0, and COMMON), `_observed`, which has `columns` and `room` (hash
    of the scope) as well, and `_unnumbered`, which has the columns without `idx` and `room` and costs no join. Where there
    are many records all read `relation` anew each time, so that the estate is not held twice. And the table `_sources`
    (source from 0, product, instance).

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
    ((total, distinct, hashes),) = connection.execute(
        "SELECT count(*), count(DISTINCT record), count(DISTINCT hash(record)) FROM _given"
    ).fetchall()
    once = "_given"
    if total != distinct:
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
                PARTITION BY record ORDER BY n_time(observed_at) DESC NULLS LAST, n_time(g.last_seen) DESC NULLS LAST,
                md5(CAST(g AS VARCHAR))) = 1"""
        )
    elif total <= HELD:
        once = "_held"
        connection.execute("CREATE OR REPLACE TEMP TABLE _held AS FROM _given")
    connection.execute(f"CREATE OR REPLACE TEMP VIEW _unnumbered AS FROM {once}")
    # One number a record stands for its key in every join; keys that share a hash are joined as they are.
    key = "hash(record)" if hashes == distinct else "record"
    # Sorting whole rows would take several times the memory of the estate.
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE _numbers AS
        SELECT {key} AS key, hash(coalesce(n_lower(scope), 'default')) AS room, (row_number() OVER (
            ORDER BY coalesce(n_time(first_seen), n_time(observed_at)) NULLS LAST, record) - 1)::INTEGER AS idx
        FROM {once}"""
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP VIEW _observed AS "
        f"SELECT n.idx, n.room, g.* FROM (SELECT *, {key} AS key FROM {once}) g JOIN _numbers n USING (key)"
    )
    connection.execute(f"CREATE OR REPLACE TEMP VIEW _records AS SELECT idx, {', '.join(COMMON)} FROM _observed")
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE _sources AS
        SELECT (row_number() OVER (ORDER BY product, instance) - 1)::INTEGER AS source, product, instance
        FROM (SELECT DISTINCT product, instance FROM _unnumbered)"""
    )
