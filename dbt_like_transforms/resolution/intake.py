"""Brings observations into `_records`: one row a record, numbered in anchor order, whatever the order they came in."""

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


def number_records(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    columns: Mapping[str, str],
    without: tuple[str, ...] = (),
) -> None:
    """Makes the temporary table `_records` of `relation`: COMMON and `columns`, and `idx` from 0.

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
    total, distinct = connection.execute("SELECT count(*), count(DISTINCT record) FROM _given").fetchall()[0]
    if total == distinct:
        once = "_given"
    else:
        # The text of the whole row breaks ties, so that the choice does not depend on the order of the input.
        once = """(
            SELECT * EXCLUDE (first_seen, last_seen),
                min(n_time(first_seen)) OVER same AS first_seen,
                max(n_time(last_seen)) OVER same AS last_seen
            FROM _given AS g
            WINDOW same AS (PARTITION BY record)
            QUALIFY row_number() OVER (
                PARTITION BY record ORDER BY n_time(observed_at) DESC NULLS LAST, n_time(g.last_seen) DESC NULLS LAST,
                md5(CAST(g AS VARCHAR))) = 1)"""
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE _records AS
        SELECT (row_number() OVER (ORDER BY coalesce(n_time(first_seen), n_time(observed_at)) NULLS LAST, record)
            - 1)::INTEGER AS idx, * FROM {once}"""
    )
