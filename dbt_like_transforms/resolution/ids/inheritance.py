"""Which of the ids that its records had before an asset keeps, and which go to another one or to none."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import duckdb
import numpy as np
import pyarrow as pa

from dbt_like_transforms.resolution.clustering.integers import Flags
from dbt_like_transforms.resolution.columns import show_columns


def inherit(connection: duckdb.DuckDBPyConnection, kind: str, known: Flags, taken_out: Iterable[int]) -> None:
    """Makes `_inherited` (cluster, asset_id): the earlier id that a cluster keeps; and `_claims` (asset_id, born, cluster, ...):
    every earlier id of its records, see `_Claim`. Reads `_before`, `_found` and `_clusters`, see `assets`.

    Older ids choose first, those that no record brought with it last; an id goes to the part whose own it was before merges,
    there to what is known by more than names, which pass from one to the next, and there to that of its founder, unless this
    went over to another asset. known, taken_out: see `assign_assets`.
    """
    _make_claims(connection, kind, taken_out)
    # An id that one cluster claims, which claims no other, needs no choice: that is nearly all of them.
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE _inherited AS
        SELECT cluster, asset_id FROM _claims
        QUALIFY count(*) OVER (PARTITION BY asset_id) = 1 AND count(*) OVER (PARTITION BY cluster) = 1
        """
    )
    show_ids(connection, "_chosen_ids", _choose(*_contested(connection, known)))
    connection.execute("INSERT INTO _inherited FROM _chosen_ids")
    _take_back(connection)


class _Claim(NamedTuple):
    """What speaks for a cluster to keep the id that some of its records had.

    members: how many of them. founder: the record that the id is made of is among them. stays: not all were taken out of
    that asset by a person. own: for how many it was the id of their own before merges, be they back from another one.
    known: one of them is known by more than names.
    """

    asset_id: str
    born: object
    cluster: int
    members: int
    founder: bool
    stays: bool
    own: int
    known: bool


def _make_claims(connection: duckdb.DuckDBPyConnection, kind: str, taken_out: Iterable[int]) -> None:
    """Makes `_claims`. home_id: an id that one of the records brought into the asset."""
    show_columns(connection, "_taken_out", {"idx": pa.array(sorted(taken_out), pa.int32())})
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE _claims AS
        SELECT b.asset_id, min(b.born) AS born, c.cluster, count(*) AS members,
            bool_or(md5(? || ':' || b.record) = b.asset_id) AS founder,
            bool_or(t.idx IS NULL) AS stays, count(*) FILTER (b.home_id = b.asset_id) AS own,
            min(b.home_id) FILTER (b.home_id <> b.asset_id) AS home_id
        FROM _before b JOIN _keyed r USING (record) JOIN _clusters c USING (key) JOIN _found f USING (cluster)
            LEFT JOIN _taken_out t USING (idx)
        WHERE NOT f.held
        GROUP BY b.asset_id, c.cluster
        """,
        [kind],
    )


def _contested(connection: duckdb.DuckDBPyConnection, known: Flags) -> tuple[list[_Claim], set[int]]:
    """The claims between which there is a choice, and the clusters that would take back an id which nobody claims."""
    show_columns(connection, "_known", {"idx": np.flatnonzero(known).astype(np.int32)})
    claims = connection.execute(
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
        SELECT asset_id, born, cluster, members, founder, stays, own + coalesce(back, 0),
            (asset_id, cluster) IN (FROM known)
        FROM contested LEFT JOIN returned USING (asset_id, cluster)
        """
    ).fetchall()
    returning = connection.execute(
        "SELECT cluster FROM _claims WHERE home_id NOT IN (SELECT asset_id FROM _claims)"
    ).fetchall()
    return list(map(_Claim._make, claims)), {cluster for (cluster,) in returning}


def _choose(claims: list[_Claim], returning: set[int]) -> dict[int, str]:
    """The id that each cluster keeps, where it keeps any."""
    wants = Counter(claim.cluster for claim in claims)
    by_id: dict[str, list[_Claim]] = defaultdict(list)
    for claim in claims:
        by_id[claim.asset_id].append(claim)

    def turn(asset_id: str) -> tuple[Any, ...]:
        own = max(claim.own for claim in by_id[asset_id])
        born = min(str(claim.born) for claim in by_id[asset_id])
        # What a person took out of an asset for a time has an id that is no record's own: it never outlives the one it left.
        return own == 0, born, -own, asset_id

    def worth(claim: _Claim) -> tuple[Any, ...]:
        """Smaller is better."""
        # A founder that went over to another asset does not take the id from those that stay, be they as few.
        at_home = claim.founder and wants[claim.cluster] == 1
        return (
            claim.own == 0,
            not claim.stays,
            not (claim.own and claim.known),
            not at_home,
            -claim.own,
            claim.cluster in returning,
            -claim.members,
            wants[claim.cluster],
            not claim.founder,
            claim.cluster,
        )

    kept: dict[int, str] = {}
    for asset_id in sorted(by_id, key=turn):
        free = [claim for claim in by_id[asset_id] if claim.cluster not in kept]
        # Where none whose own it was is left to have it, what was merged into it or split off goes back to its own.
        if not any(claim.own for claim in free):
            free = [claim for claim in free if claim.cluster not in returning]
        if free:
            kept[min(free, key=worth).cluster] = asset_id
    return kept


def _take_back(connection: duckdb.DuckDBPyConnection) -> None:
    """Guests do not keep an id while those whose own it is are left without one of their own: both give up what they have, so
    that `_bring_back` gives each its own."""
    connection.execute(
        """
        DELETE FROM _inherited WHERE cluster IN (
            WITH homeless AS (
                -- what keeps no id, or one that was no record's own
                SELECT c.cluster, i.asset_id, c.home_id FROM _claims c LEFT JOIN _inherited i USING (cluster)
                WHERE i.asset_id IS NULL OR (c.cluster, i.asset_id) IN (SELECT (cluster, asset_id) FROM _claims WHERE own = 0))
            SELECT unnest([guest.cluster, owner.cluster]) FROM homeless guest
                JOIN homeless owner ON owner.home_id = guest.asset_id AND owner.cluster <> guest.cluster)
        """
    )


def show_ids(connection: duckdb.DuckDBPyConnection, name: str, chosen: Mapping[int, str]) -> None:
    """Makes the temporary table `name` (cluster, asset_id)."""
    clusters, ids = pa.array(list(chosen), pa.int32()), pa.array(list(chosen.values()), pa.string())
    show_columns(connection, name, {"cluster": clusters, "asset_id": ids})
