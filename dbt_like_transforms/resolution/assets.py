"""Asset ids that last: an asset keeps its id when records join, leave or change, and gets it back after a wrong merge.

The id is a hash of the record that founded the asset. `state` remembers, for every record ever resolved, the asset it
is in and the asset it was in before merges, so that ids can return when a merge turns out wrong; and every id that was
merged away, so that who wrote it down finds the asset when the records that brought it are long gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import duckdb
import numpy as np
import pyarrow as pa

from dbt_like_transforms.resolution.columns import show_columns
from dbt_like_transforms.resolution.integers import Flags, Rows
from dbt_like_transforms.resolution.partition import clusters_of

#: record, its asset, when that id was born, and the id (with its birth) that the record brought into later merges. An id
#: that is none any more has a row like that of a record called by it.
STATE_COLUMNS: dict[str, str] = {
    "record": "VARCHAR",
    "asset_id": "VARCHAR",
    "born": "TIMESTAMP",
    "home_id": "VARCHAR",
    "home_born": "TIMESTAMP",
}


@dataclass(frozen=True, slots=True)
class Assets:
    """Ids of this run, as tables of the connection.

    `_assets` (cluster, asset_id, held BOOLEAN): one row a cluster; a held cluster has the id that it would get.
    `_aliases` (alias_id, asset_id, born): ids that other assets go under today, or went under as long as they were there.
    `_state` (a view) with STATE_COLUMNS, also of records that are not there today.
    """

    has_state: bool


def assign_assets(
    connection: duckdb.DuckDBPyConnection,
    kind: str,
    label: Rows,
    waiting: Flags,
    state: pa.Table | str | None,
    known: Flags,
    taken_out: Iterable[int] = (),
) -> Assets:
    """Gives every cluster its id and makes the tables `_assets` and `_state`. Reads `_clusters` (idx, key, cluster).

    known: rows that are known by more than names, see `review.known_well`. taken_out: rows that a person took out of their
    assets; those leave the id behind, even one that they founded.
    """
    clusters = clusters_of(label)
    connection.register("_found", pa.table({"cluster": clusters, "held": waiting[clusters]}))
    has_state = state is not None
    columns = ", ".join(f"CAST({name} AS {kind_}) AS {name}" for name, kind_ in STATE_COLUMNS.items())
    if state is not None and not isinstance(state, str):
        connection.register("_state_given", state)
        state = "_state_given"
    empty = ", ".join(f"NULL::{kind_} AS {name}" for name, kind_ in STATE_COLUMNS.items())
    source = f"SELECT {columns} FROM {state} WHERE record IS NOT NULL AND asset_id IS NOT NULL" if state else None
    # What was in an asset when it left is, when it comes back, of the one that this is part of by now.
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE _before AS
        WITH given AS ({source or f"SELECT {empty} WHERE false"})
        SELECT b.record, coalesce(k.asset_id, b.asset_id) AS asset_id, coalesce(k.born, b.born) AS born, b.home_id, b.home_born
        FROM given b LEFT JOIN (FROM given WHERE record = home_id) k ON k.home_id = b.asset_id
        """
    )
    if has_state:
        connection.register("_taken_out", pa.table({"idx": pa.array(sorted(taken_out), pa.int32())}))
        _inherit(connection, kind, known)
    else:
        connection.execute("CREATE OR REPLACE TEMP TABLE _claims (cluster INTEGER, born TIMESTAMP)")
        connection.execute("CREATE OR REPLACE TEMP TABLE _inherited (cluster INTEGER, asset_id VARCHAR)")
    _name_clusters(connection, kind)
    _find_aliases(connection)
    _new_state(connection)
    return Assets(has_state)


class _Claim(NamedTuple):
    """What speaks for a cluster to keep the id that some of its records had.

    members: how many of them. founder: the record that the id is made of is among them. stays: not all were taken out of
    that asset by a person. own: for how many it was the id of their own before merges; back: those of them that had another
    one last. known: one of them is known by more than names.
    """

    asset_id: str
    born: object
    cluster: int
    members: int
    founder: bool
    stays: bool
    own: int
    back: int
    known: bool


def _inherit(connection: duckdb.DuckDBPyConnection, kind: str, known: Flags) -> None:
    """Makes `_inherited` (cluster, asset_id): the earlier id that a cluster keeps. Older ids choose first, those that no
    record brought with it last; an id goes to the part whose own it was before merges, there to what is known by more than
    names, which pass from one to the next, and there to that of its founder, unless this went over to another asset."""
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE _claims AS
        SELECT b.asset_id, min(b.born) AS born, c.cluster, count(*) AS members,
            bool_or(md5(? || ':' || b.record) = b.asset_id AND t.idx IS NULL) AS founder,
            bool_or(t.idx IS NULL) AS stays, count(*) FILTER (b.home_id = b.asset_id) AS own,
            min(CASE WHEN b.home_id <> b.asset_id THEN b.home_id END) AS home_id
        FROM _before b JOIN _keyed r USING (record) JOIN _clusters c USING (key) JOIN _found f USING (cluster)
            LEFT JOIN _taken_out t USING (idx)
        WHERE NOT f.held
        GROUP BY b.asset_id, c.cluster
        """,
        [kind],
    )
    # An id that one cluster claims, which claims no other, needs no choice: that is nearly all of them.
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE _inherited AS
        SELECT cluster, asset_id FROM _claims
        QUALIFY count(*) OVER (PARTITION BY asset_id) = 1 AND count(*) OVER (PARTITION BY cluster) = 1
        """
    )
    show_columns(connection, "_known", {"idx": np.flatnonzero(known).astype(np.int32)})
    found = connection.execute(
        """
        WITH contested AS (FROM _claims ANTI JOIN _inherited USING (asset_id)),
        known AS (
            SELECT DISTINCT b.asset_id, c.cluster FROM _before b JOIN _keyed r USING (record) JOIN _clusters c USING (key)
                SEMI JOIN _known USING (idx)
            WHERE b.asset_id IN (SELECT asset_id FROM contested)),
        returned AS (
            SELECT b.home_id AS asset_id, c.cluster, count(*) AS back
            FROM _before b JOIN _keyed r USING (record) JOIN _clusters c USING (key)
            WHERE b.home_id <> b.asset_id AND b.home_id IN (SELECT asset_id FROM contested) GROUP BY ALL)
        SELECT asset_id, born, cluster, members, founder, stays, own + coalesce(back, 0), coalesce(back, 0),
            (asset_id, cluster) IN (FROM known)
        FROM contested LEFT JOIN returned USING (asset_id, cluster) ORDER BY asset_id
        """
    ).fetchall()
    may_return = connection.execute(
        "SELECT cluster FROM _claims WHERE home_id NOT IN (SELECT asset_id FROM _claims)"
    ).fetchall()
    returning = {cluster for (cluster,) in may_return}
    by_id: dict[str, list[_Claim]] = {}
    wants: dict[int, int] = {}
    born: dict[str, object] = {}
    # What a person took out of an asset for a time has an id that is no record's own: it never outlives the one it left.
    settled: dict[str, int] = {}
    for claim in map(_Claim._make, found):
        if claim.own:
            settled[claim.asset_id] = max(claim.own, settled.get(claim.asset_id, 0))
        by_id.setdefault(claim.asset_id, []).append(claim)
        wants[claim.cluster] = wants.get(claim.cluster, 0) + 1
        if claim.asset_id not in born or str(claim.born) < str(born[claim.asset_id]):
            born[claim.asset_id] = claim.born
    kept: dict[int, str] = {}
    for asset_id in sorted(by_id, key=lambda item: (item not in settled, str(born[item]), -settled.get(item, 0), item)):
        free = [claim for claim in by_id[asset_id] if claim.cluster not in kept]
        # Where those whose own it was went over to another asset, what was merged into it goes back to its own.
        if any(claim.own for claim in by_id[asset_id]) and not any(claim.own for claim in free):
            free = [claim for claim in free if claim.cluster not in returning]
        if not free:
            continue
        # A founder that went over to another asset does not take the id from those that stay, be they as few; but one that
        # is back with its own takes it from those that were born into it while it was merged.
        best = min(
            free,
            key=lambda claim: (
                not claim.own,
                not claim.stays,
                not (claim.own and claim.known),
                not (claim.founder and (wants[claim.cluster] == 1 or claim.back)),
                -claim.own,
                claim.cluster in returning,
                -claim.members,
                wants[claim.cluster],
                not claim.founder,
                claim.cluster,
            ),
        )
        kept[best.cluster] = asset_id
    connection.register("_chosen_ids", _ids_of(kept))
    connection.execute("INSERT INTO _inherited SELECT * FROM _chosen_ids")
    connection.unregister("_chosen_ids")
    # Guests do not keep it while those whose own it is are left without one of their own: these take it back.
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE _strays AS
        WITH astray AS (
            SELECT cluster, i.asset_id, c.home_id FROM _claims c LEFT JOIN _inherited i USING (cluster)
            WHERE i.asset_id IS NULL
                OR cluster IN (SELECT cluster FROM _claims k JOIN _inherited USING (cluster, asset_id) WHERE k.own = 0))
        SELECT guest.cluster, owner.cluster AS other FROM astray guest
            JOIN astray owner ON owner.home_id = guest.asset_id AND owner.cluster <> guest.cluster
        """
    )
    connection.execute(
        "DELETE FROM _inherited WHERE cluster IN (SELECT cluster FROM _strays UNION ALL SELECT other FROM _strays)"
    )


def _ids_of(chosen: Mapping[int, str]) -> pa.Table:
    """cluster, asset_id."""
    return pa.table(
        {"cluster": pa.array(list(chosen), pa.int32()), "asset_id": pa.array(list(chosen.values()), pa.string())}
    )


def _name_clusters(connection: duckdb.DuckDBPyConnection, kind: str) -> None:
    """Makes `_assets`. A new asset takes back the id its records had before a merge, else the hash of its founder."""
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
    ((inherited,),) = connection.execute("SELECT count(*) FROM _inherited").fetchall()
    if not inherited:
        return
    returning = connection.execute(
        """
        SELECT a.cluster, b.home_id FROM _assets a JOIN _clusters c USING (cluster) JOIN _keyed r USING (key)
            JOIN _before b USING (record)
        WHERE NOT a.inherited AND NOT a.held AND b.home_id IS NOT NULL
            AND b.home_id NOT IN (SELECT asset_id FROM _inherited)
        GROUP BY a.cluster, b.home_id ORDER BY min(b.home_born), count(*) DESC, b.home_id, a.cluster
        """
    ).fetchall()
    used: set[str] = set()
    chosen: dict[int, str] = {}
    for cluster, home in returning:
        if cluster not in chosen and home not in used:
            chosen[cluster] = home
            used.add(home)
    connection.register("_returning", _ids_of(chosen))
    connection.execute(
        "UPDATE _assets SET asset_id = r.asset_id, inherited = true FROM _returning r WHERE _assets.cluster = r.cluster"
    )
    connection.unregister("_returning")
    # A fresh hash that an older asset still uses (its founder moved away) is replaced by one of another member.
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
                    SELECT md5(? || ':' || r.record) AS fresh, c.idx FROM _clusters c JOIN _keyed r USING (key)
                    WHERE c.cluster = ?)
                WHERE fresh NOT IN (SELECT asset_id FROM _assets) AND fresh NOT IN (SELECT asset_id FROM _before)),
                md5(? || ':' || asset_id))
            WHERE cluster = ?
            """,
            [kind, cluster, kind + " again", cluster],
        )


def _find_aliases(connection: duckdb.DuckDBPyConnection) -> None:
    """Makes `_aliases`: where an id that is none any more went. First where the records that it had are now,
    those whose own it was before the others, then where one moved to that once brought it into a merge; else it stays
    where it was known to be."""
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE _aliases AS
        WITH given_up AS (
            SELECT alias_id, min(born) AS born FROM (
                SELECT asset_id AS alias_id, born FROM _before UNION ALL SELECT home_id, home_born FROM _before)
            WHERE alias_id IS NOT NULL AND alias_id NOT IN (SELECT asset_id FROM _assets) GROUP BY alias_id),
        brought AS (
            SELECT record, asset_id AS alias_id, asset_id AS was, 0 AS rank, home_id IS DISTINCT FROM asset_id AS guest
            FROM _before SEMI JOIN given_up ON alias_id = asset_id
            UNION ALL
            SELECT record, home_id, asset_id, 1, false FROM _before SEMI JOIN given_up ON alias_id = home_id),
        places AS (
            SELECT b.alias_id, a.asset_id, CASE WHEN b.was = a.asset_id THEN 2 ELSE b.rank END AS rank,
                bool_and(b.guest) AS guest, count(*) AS members
            FROM brought b JOIN _keyed r USING (record) JOIN _clusters c USING (key) JOIN _assets a USING (cluster)
            WHERE NOT a.held GROUP BY ALL),
        found AS (
            SELECT alias_id, min(rank) < 2 AS moved, arg_min(asset_id, (rank, guest, -members, asset_id)) AS asset_id
            FROM places GROUP BY alias_id)
        SELECT g.alias_id, g.born, coalesce(
            CASE WHEN f.moved THEN f.asset_id END, CASE WHEN further.moved THEN further.asset_id END,
            CASE WHEN k.asset_id IN (SELECT asset_id FROM _assets) THEN k.asset_id END, f.asset_id, k.asset_id) AS asset_id
        FROM given_up g LEFT JOIN found f USING (alias_id)
            LEFT JOIN (SELECT home_id AS alias_id, asset_id FROM _before WHERE record = home_id) k USING (alias_id)
            LEFT JOIN found further ON further.alias_id = k.asset_id
        WHERE f.asset_id IS NOT NULL OR k.asset_id IS NOT NULL
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
            WHERE NOT a.held)
        SELECT record, n.asset_id, n.born, coalesce(b.home_id, n.asset_id) AS home_id,
            CASE WHEN b.home_id IS NULL THEN n.born ELSE b.home_born END AS home_born
        FROM now n LEFT JOIN _before b USING (record)
        UNION ALL
        SELECT alias_id, a.asset_id, coalesce(h.born, a.born), alias_id, a.born FROM _aliases a LEFT JOIN birth h USING (asset_id)
        UNION ALL
        SELECT b.* FROM _before b ANTI JOIN now USING (record) WHERE b.record IS DISTINCT FROM b.home_id
        """
    )
