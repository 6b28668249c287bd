"""Asset ids that last: an asset keeps its id when records join, leave or change, and gets it back after a wrong merge.

The id is a hash of the record that founded the asset. `state` remembers, for every record ever resolved, the asset it
is in and the asset it was in before merges, so that ids can return when a merge turns out wrong; and every id that was
merged away, with the records that it was last given to, so that who wrote it down finds the asset where those are now, and
when they are long gone.
"""

from __future__ import annotations

from collections.abc import Iterable

import duckdb
import pyarrow as pa

from dbt_like_transforms.resolution.clustering.integers import Flags, Rows
from dbt_like_transforms.resolution.clustering.partition import clusters_of
from dbt_like_transforms.resolution.ids.inheritance import inherit, show_ids

#: record, its asset, when that id was born, and the id (with its birth) that the record brought into later merges. An id
#: that is none any more has a row like that of a record called by it.
STATE_COLUMNS: dict[str, str] = {
    "record": "VARCHAR",
    "asset_id": "VARCHAR",
    "born": "TIMESTAMP",
    "home_id": "VARCHAR",
    "home_born": "TIMESTAMP",
    "records": "VARCHAR[]",
}


def assign_assets(
    connection: duckdb.DuckDBPyConnection,
    kind: str,
    label: Rows,
    waiting: Flags,
    state: pa.Table | str | None,
    known: Flags,
    taken_out: Iterable[int],
) -> None:
    """Gives every cluster its id. Reads `_clusters` (idx, key, cluster), and makes the tables

    `_assets` (cluster, asset_id, held, inherited BOOLEAN): one row a cluster; a held cluster has the id that it would get.
    `_aliases` (alias_id, asset_id, born, went_to): ids that other assets go under today, or went under as long as they were
        there; went_to: the id that it went to, which may be an alias itself.
    `_state` (a view) with STATE_COLUMNS, also of records that are not there today.

    label, waiting: of each row its cluster, and whether it makes no asset. state: that of an earlier run, a table or its name.
    known: rows that are known by more than names, see `strength.known_well`. taken_out: rows that a person took out of their
    assets; those leave the id behind, even one that they founded.
    """
    clusters = clusters_of(label)
    connection.register("_found", pa.table({"cluster": clusters, "held": waiting[clusters]}))
    _read_state(connection, state)
    if state is not None:
        inherit(connection, kind, known, taken_out)
    else:
        connection.execute("CREATE OR REPLACE TEMP TABLE _claims (cluster INTEGER, born TIMESTAMP)")
        connection.execute("CREATE OR REPLACE TEMP TABLE _inherited (cluster INTEGER, asset_id VARCHAR)")
    _name_clusters(connection, kind)
    if state is not None:
        _bring_back(connection)
        _rename_doubled(connection, kind)
    _find_aliases(connection)
    _new_state(connection)


def _read_state(connection: duckdb.DuckDBPyConnection, state: pa.Table | str | None) -> None:
    """Makes `_before` with STATE_COLUMNS. What was in an asset when it left is, when it comes back, of the one that this is
    part of by now; an id that is none any more has the one that it went to, which may have gone further since."""
    if state is not None and not isinstance(state, str):
        connection.register("_state_given", state)
        state = "_state_given"
    columns = ", ".join(
        f"CAST({name if state else 'NULL'} AS {kind}) AS {name}" for name, kind in STATE_COLUMNS.items()
    )
    given = f"FROM {state} WHERE record IS NOT NULL AND asset_id IS NOT NULL" if state else "WHERE false"
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE _before AS
        WITH RECURSIVE given AS (SELECT {columns} {given}),
        went AS (SELECT home_id AS alias_id, asset_id, born FROM given WHERE record = home_id),
        further AS (
            FROM went
            UNION SELECT f.alias_id, w.asset_id, w.born FROM further f JOIN went w ON w.alias_id = f.asset_id),
        ends AS (FROM further ANTI JOIN went ON went.alias_id = further.asset_id)
        SELECT b.record, coalesce(e.asset_id, b.asset_id) AS asset_id, coalesce(e.born, b.born) AS born, b.home_id, b.home_born,
            b.records
        FROM given b LEFT JOIN ends e ON e.alias_id = b.asset_id AND b.record IS DISTINCT FROM b.home_id
        """
    )


def _name_clusters(connection: duckdb.DuckDBPyConnection, kind: str) -> None:
    """Makes `_assets`: the id that a cluster inherits, else the hash of its founder."""
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE _assets AS
        SELECT f.cluster, coalesce(i.asset_id, md5(? || ':' || r.record)) AS asset_id, f.held,
            i.asset_id IS NOT NULL AS inherited
        FROM _found f LEFT JOIN _inherited i USING (cluster) JOIN _clusters c ON c.idx = f.cluster
            JOIN _keyed r USING (key)
        """,
        [kind],
    )


def _bring_back(connection: duckdb.DuckDBPyConnection) -> None:
    """A new asset takes back the id that its records had before a merge, unless another one has it."""
    returning = connection.execute(
        """
        SELECT a.cluster, b.home_id FROM _assets a JOIN _clusters c USING (cluster) JOIN _keyed r USING (key)
            JOIN _before b USING (record)
        WHERE NOT a.inherited AND NOT a.held AND b.home_id IS NOT NULL
            AND b.home_id NOT IN (SELECT asset_id FROM _inherited)
        GROUP BY a.cluster, b.home_id ORDER BY min(b.home_born), count(*) DESC, b.home_id, a.cluster
        """
    ).fetchall()
    home_of: dict[int, str] = {}
    used: set[str] = set()
    for cluster, home in returning:
        if cluster not in home_of and home not in used:
            home_of[cluster] = home
            used.add(home)
    show_ids(connection, "_returning", home_of)
    connection.execute(
        "UPDATE _assets SET asset_id = r.asset_id, inherited = true FROM _returning r WHERE _assets.cluster = r.cluster"
    )


def _rename_doubled(connection: duckdb.DuckDBPyConnection, kind: str) -> None:
    """A fresh hash that an older asset still uses (its founder moved away) is replaced by one of another member; where there is
    none, by the first of a chain of hashes that no asset has, nor had while its records are away."""
    doubled = connection.execute(
        """
        SELECT cluster FROM _assets WHERE NOT inherited AND asset_id IN (SELECT asset_id FROM _assets WHERE inherited)
        ORDER BY cluster
        """
    ).fetchall()
    for (cluster,) in doubled:
        connection.execute(
            """
            UPDATE _assets SET asset_id = coalesce((
                SELECT arg_min(fresh, idx) FROM (
                    SELECT md5($kind || ':' || r.record) AS fresh, c.idx FROM _clusters c JOIN _keyed r USING (key)
                    WHERE c.cluster = $cluster)
                WHERE fresh NOT IN (SELECT asset_id FROM _assets) AND fresh NOT IN (SELECT asset_id FROM _before)), (
                WITH RECURSIVE used AS (
                    SELECT asset_id FROM _assets
                    UNION ALL SELECT asset_id FROM _before WHERE record IS DISTINCT FROM home_id),
                again AS (
                    SELECT md5($kind || ' again:' || asset_id) AS fresh FROM _assets WHERE cluster = $cluster
                    UNION ALL SELECT md5($kind || ' again:' || fresh) FROM again WHERE fresh IN (FROM used))
                SELECT fresh FROM again WHERE fresh NOT IN (FROM used)))
            WHERE cluster = $cluster
            """,
            {"kind": kind, "cluster": cluster},
        )


def _find_aliases(connection: duckdb.DuckDBPyConnection) -> None:
    """Makes `_aliases`: where an id that is none any more went. It stays where it was known to be while one of the records that
    it was last given to is there, or none is anywhere; else it is where most of them are now, those first whose own it was."""
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE _aliases AS
        WITH RECURSIVE given_up AS (
            SELECT alias_id, min(born) AS born FROM (
                SELECT asset_id AS alias_id, born FROM _before UNION ALL SELECT home_id, home_born FROM _before)
            WHERE alias_id IS NOT NULL AND alias_id NOT IN (SELECT asset_id FROM _assets) GROUP BY alias_id),
        last_had AS (
            SELECT asset_id AS alias_id, record FROM _before UNION ALL SELECT home_id, unnest(records) FROM _before),
        places AS (
            SELECT alias_id, a.asset_id, bool_and(b.home_id IS DISTINCT FROM alias_id) AS guest, count(*) AS members
            FROM last_had SEMI JOIN given_up USING (alias_id) JOIN _before b USING (record) JOIN _keyed r USING (record)
                JOIN _clusters c USING (key) JOIN _assets a USING (cluster)
            WHERE NOT a.held GROUP BY ALL),
        nearest AS (
            SELECT alias_id, arg_min(asset_id, (guest, -members, asset_id)) AS asset_id FROM places GROUP BY alias_id),
        known AS (
            -- not where that went in turn: an id that was merged away with it comes back with it
            SELECT g.alias_id, g.born, coalesce(k.asset_id, n.asset_id) AS went_to, n.asset_id AS nearest
            FROM given_up g LEFT JOIN nearest n USING (alias_id)
                LEFT JOIN (SELECT home_id AS alias_id, asset_id FROM _before WHERE record = home_id) k USING (alias_id)),
        known_end AS (
            SELECT alias_id, went_to AS asset_id FROM known
            UNION SELECT e.alias_id, k.went_to FROM known_end e JOIN known k ON k.alias_id = e.asset_id),
        went AS (
            SELECT alias_id, born, CASE WHEN there.alias_id IS NULL THEN coalesce(nearest, went_to) ELSE went_to END AS went_to
            FROM known LEFT JOIN (SELECT DISTINCT alias_id FROM places JOIN known_end USING (alias_id, asset_id)) there
                USING (alias_id)
            WHERE went_to IS NOT NULL),
        went_end AS (
            SELECT alias_id, went_to AS asset_id FROM went
            UNION SELECT e.alias_id, w.went_to FROM went_end e JOIN went w ON w.alias_id = e.asset_id)
        SELECT w.alias_id, w.born, w.went_to, e.asset_id
        FROM went w JOIN went_end e USING (alias_id) WHERE e.asset_id NOT IN (SELECT alias_id FROM went)
        """
    )


def _new_state(connection: duckdb.DuckDBPyConnection) -> None:
    """Makes the view `_state` for the next run."""
    connection.execute(
        """
        CREATE OR REPLACE TEMP VIEW _state AS
        WITH birth AS (
            SELECT asset_id, min(born) AS born FROM (
                SELECT asset_id, born FROM _before UNION ALL SELECT home_id, home_born FROM _before)
            WHERE asset_id IS NOT NULL GROUP BY asset_id),
        appeared AS (
            SELECT cluster, min(coalesce(first_seen, observed_at)) AS born
            FROM _numbers JOIN _clusters USING (idx) GROUP BY cluster),
        left_behind AS (SELECT cluster, max(born) AS born FROM _claims ANTI JOIN _inherited USING (cluster) GROUP BY cluster),
        now AS (
            -- what splits off is no older than what it was a part of, however old its records are
            SELECT r.record, a.asset_id, coalesce(h.born, greatest(p.born, l.born)) AS born
            FROM _keyed r JOIN _clusters c USING (key) JOIN _assets a USING (cluster) JOIN appeared p USING (cluster)
                LEFT JOIN birth h ON h.asset_id = a.asset_id LEFT JOIN left_behind l USING (cluster)
            WHERE NOT a.held),
        given AS (
            SELECT alias_id, list(DISTINCT record ORDER BY record) AS records FROM (
                SELECT asset_id AS alias_id, record FROM _before WHERE record IS DISTINCT FROM home_id
                UNION ALL SELECT home_id, unnest(records) FROM _before)
            WHERE alias_id IN (SELECT alias_id FROM _aliases) GROUP BY alias_id)
        SELECT record, n.asset_id, n.born, coalesce(b.home_id, n.asset_id) AS home_id,
            CASE WHEN b.home_id IS NULL THEN n.born ELSE b.home_born END AS home_born, NULL AS records
        FROM now n LEFT JOIN _before b USING (record)
        UNION ALL
        SELECT alias_id, a.went_to, coalesce(h.born, a.born), alias_id, a.born, given.records
        FROM _aliases a LEFT JOIN birth h ON h.asset_id = a.went_to LEFT JOIN given USING (alias_id)
        UNION ALL
        SELECT b.* FROM _before b ANTI JOIN now USING (record) WHERE b.record IS DISTINCT FROM b.home_id
        """
    )
