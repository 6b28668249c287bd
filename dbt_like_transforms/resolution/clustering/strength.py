"""How well clusters are known, and which records make no asset because of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dbt_like_transforms.resolution.clustering.cluster import Clusterer
from dbt_like_transforms.resolution.clustering.integers import Flags, Rows, among
from dbt_like_transforms.resolution.ladders.ladder import RUNG_HARDWARE, RUNG_NONE, WEAK

#: Why a record makes no asset.
NO_IDENTITY, MAYBE_ANOTHERS, ONLY_ADDS = 1, 2, 3
HELD_WORDS = {
    NO_IDENTITY: "nothing that it tells identifies anything",
    MAYBE_ANOTHERS: "it may be a record of an asset that is known better, so a person has to decide",
    ONLY_ADDS: "its product sees from outside what others know better, and adds to assets without making any",
}


def strength(clusterer: Clusterer) -> NDArray[np.int8]:
    """Rung of the best usable identifier of each cluster, by its label; RUNG_NONE when it has none."""
    facts = clusterer.facts
    level = np.full(facts.count, RUNG_NONE, np.int8)
    for identifier in clusterer.ladder.identifiers:
        if identifier.rung is not None:
            having = clusterer.partition.label[usable(clusterer, identifier.name)]
            level[having] = np.minimum(level[having], np.int8(identifier.rung))
    return level


def known_well(clusterer: Clusterer) -> Flags:
    """Which records have a usable directory, cloud or hardware id: more than names and addresses."""
    known = np.zeros(clusterer.facts.count, np.bool_)
    for identifier in clusterer.ladder.identifiers:
        if identifier.rung is not None and identifier.rung <= RUNG_HARDWARE:
            known[usable(clusterer, identifier.name)] = True
    return known


def usable(clusterer: Clusterer, name: str) -> Rows:
    """Rows of the identifier's edges without the values that turned out to be no identifiers."""
    edges = clusterer.facts.edges[name]
    dropped = clusterer.unusable.get(name)
    if dropped is None or not len(dropped):
        return edges.rows
    return edges.rows[~among(edges.keys, dropped)]


def creating(clusterer: Clusterer) -> Flags:
    """Which clusters, by label, have a record of a source that may make assets."""
    return clusterer.partition.with_any(clusterer.facts.creates)


def held(clusterer: Clusterer, level: NDArray[np.int8]) -> Flags:
    """Which records make no asset: no identity, only update-only sources, or perhaps a part of a better known asset.

    Notes why with the findings.
    """
    facts, label = clusterer.facts, clusterer.partition.label
    named = clusterer.partition.with_any(usable(clusterer, "host"))
    creates = creating(clusterer)
    doubtful = np.zeros(facts.count, np.bool_)
    for rows, others in clusterer.findings.doubts:
        mine, theirs = label[rows], label[others]
        known_better = (level[theirs] < level[mine]) | ((level[theirs] == level[mine]) & named[theirs] & ~named[mine])
        weaker = (mine != theirs) & (level[mine] >= WEAK) & known_better & ~clusterer.kept_apart(rows, others)
        doubtful[mine[weaker]] = True
    # what could belong to several was told enough to be found again, though nothing of it is left to it alone
    why = np.select([doubtful, level == RUNG_NONE, ~creates], [MAYBE_ANOTHERS, NO_IDENTITY, ONLY_ADDS], 0)[label]
    clusterer.findings.waits = why
    return np.asarray(why > 0, np.bool_)
