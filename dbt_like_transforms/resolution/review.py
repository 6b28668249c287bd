"""Possible matches that a person should look at, and which records are held because they might be someone else's."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dbt_like_transforms.resolution.agreement import Agreement, agreements
from dbt_like_transforms.resolution.cluster import Clusterer
from dbt_like_transforms.resolution.findings import Near, Suppressed
from dbt_like_transforms.resolution.integers import Flags, Rows, among, carriers_of, sorted_unique
from dbt_like_transforms.resolution.ladder import RUNG_AGENT, RUNG_HARDWARE, RUNG_NONE, RUNG_SHORT_NAME, WEAK

#: Why a record makes no asset.
NO_IDENTITY, MAYBE_ANOTHERS, ONLY_ADDS = 1, 2, 3
HELD_WORDS = {
    NO_IDENTITY: "nothing that it tells identifies anything",
    MAYBE_ANOTHERS: "it may be a record of an asset that is known better, so a person has to decide",
    ONLY_ADDS: "its product sees from outside what others know better, and adds to assets without making any",
}

#: Vetoes that leave nothing to look at.
DECIDED = frozenset({"", "apart", "retired", "guest"})
#: More clusters than this on one name or MAC is no possible match, it is a common value.
CANDIDATES = 20
#: The same for an address, which is weaker still.
ADDRESS_CANDIDATES = 5
#: Where more of the clusters on a common value are known by something better, it identifies nothing.
COMMON = 10


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


def note_candidates(clusterer: Clusterer) -> None:
    """Reports clusters that agree on a weak identifier alone. Adds doubts for the weaker side of each pair."""
    at_work = np.zeros(clusterer.facts.count, np.bool_)
    at_work[clusterer.partition.label[clusterer.facts.active]] = True
    for name in (*clusterer.ladder.not_alone, *clusterer.ladder.reviewed):
        label = clusterer.partition.label
        shared = clusterer.facts.edges[name].shared_between(label).without(clusterer.unusable.get(name))
        agreed = agreements(label, shared)
        if name in clusterer.ladder.common:
            _drop_common(clusterer, name, agreed)
        left, right, key = _pairs(agreed, CANDIDATES)
        if not len(left):
            continue
        one, other = agreed.cluster[left], agreed.cluster[right]
        rivals = [_having(clusterer, rival) for rival in clusterer.ladder.rivals.get(name, ())]
        lone = clusterer.ladder.one_sided.get(name)
        if lone:
            having = _having(clusterer, lone)
            kept = having[one] ^ having[other]
            for has in rivals:
                kept &= ~(has[one] & has[other])
            left, right, key, one, other = left[kept], right[kept], key[kept], one[kept], other[kept]
        rows, others, keys = agreed.row[left], agreed.row[right], agreed.shown[key]
        settling = (*clusterer.ladder.review_conflicts, *filter(None, [clusterer.ladder.in_full.get(name)]))
        against = _conflicts(clusterer, settling, one, other)
        for code in sorted_unique(against).tolist():
            chosen = against == code
            reason = settling[code - 1] if code else ""
            clusterer.findings.missed(
                Near(f"{name}_alone", name, rows[chosen], others[chosen], keys[chosen], reason, not code)
            )
        free = against == 0
        # Whoever differs on something as good is more likely another machine than a part of the better known one.
        for has in rivals:
            free &= ~(has[one] & has[other])
        if lone or name in clusterer.ladder.not_alone:
            continue
        for mine, theirs, cluster, better in ((rows, others, one, other), (others, rows, other, one)):
            waits = free.copy()
            if clusterer.ladder.identifier(name).rung == RUNG_SHORT_NAME:
                # what is at work under the name of a retired one took its name, where it has anything else of its own
                alive = at_work[cluster] & ~at_work[better]
                for has in rivals:
                    waits &= ~(alive & has[cluster])
            clusterer.findings.doubt(mine[waits], theirs[waits])


def _drop_common(clusterer: Clusterer, name: str, agreed: Agreement) -> None:
    """Notes common values that are carried by more than COMMON assets which are known by something better."""
    many = np.diff(np.append(agreed.starts, len(agreed.cluster))) > CANDIDATES
    many &= ~clusterer.is_allowed(name, agreed.shown)
    if not many.any():
        return
    better = strength(clusterer) < (clusterer.ladder.identifier(name).rung or RUNG_NONE)
    known = np.bincount(agreed.key[better[agreed.cluster]], minlength=len(agreed))
    common = np.flatnonzero(many & (known > COMMON))
    edges = clusterer.facts.edges[name]
    records = carriers_of(agreed.shown[common], edges.rows, edges.keys)
    for number, count in zip(common.tolist(), records.tolist(), strict=True):
        key, row = int(agreed.shown[number]), int(agreed.row[agreed.starts[number]])
        clusterer.findings.suppressed.append(
            Suppressed(f"{name}_alone", name, key, row, "asset", int(known[number]), count)
        )
    clusterer.unusable[name] = clusterer.findings.suppressed_keys(name)


def _having(clusterer: Clusterer, name: str) -> Flags:
    """Which clusters, by label, have a usable value of the identifier."""
    has = np.zeros(clusterer.facts.count, np.bool_)
    has[clusterer.partition.label[usable(clusterer, name)]] = True
    return has


def note_addresses(clusterer: Clusterer, level: NDArray[np.int8]) -> None:
    """For records with no identity at all: who else has their IP address."""
    if "ip" not in clusterer.facts.edges:
        return
    label = clusterer.partition.label
    agreed = agreements(label, clusterer.facts.edges["ip"].shared_between(label))
    left, right, key = _pairs(agreed, ADDRESS_CANDIDATES)
    # a scanner's row under a number of its own is nobody either
    numbered = (level == RUNG_AGENT) & ~creating(clusterer)
    nobody = (level == RUNG_NONE) | numbered
    nobody = nobody[agreed.cluster[left]] ^ nobody[agreed.cluster[right]]
    left, right, key = left[nobody], right[nobody], key[nobody]
    clusterer.findings.missed(Near("ip_alone", "ip", agreed.row[left], agreed.row[right], agreed.shown[key], "", True))


def note_bare(clusterer: Clusterer, level: NDArray[np.int8]) -> None:
    """Records of which the data show every value to be no identifier: those that they agree with are possible matches."""
    label, findings = clusterer.partition.label, clusterer.findings
    nearby, findings.near = findings.near, []
    for near in nearby:
        bare = (level[label[near.rows]] == RUNG_NONE) | (level[label[near.others]] == RUNG_NONE)
        bare &= not near.review and near.against not in DECIDED
        for chosen, review in ((~bare, near.review), (bare, True)):
            findings.missed(
                Near(
                    near.rule,
                    near.identifier,
                    near.rows[chosen],
                    near.others[chosen],
                    near.keys[chosen],
                    near.against,
                    review,
                )
            )


def creating(clusterer: Clusterer) -> Flags:
    """Which clusters, by label, have a record of a source that may make assets."""
    creates = np.zeros(clusterer.facts.count, np.bool_)
    creates[clusterer.partition.label[clusterer.facts.creates]] = True
    return creates


def held(clusterer: Clusterer, level: NDArray[np.int8]) -> Flags:
    """Which records make no asset: no identity, only update-only sources, or perhaps a part of a better known asset.

    Notes why with the findings.
    """
    facts, label = clusterer.facts, clusterer.partition.label
    named = np.zeros(facts.count, np.bool_)
    if "host" in facts.edges:
        named[label[usable(clusterer, "host")]] = True
    creates = creating(clusterer)
    doubtful = np.zeros(facts.count, np.bool_)
    for rows, others in clusterer.findings.doubts:
        mine, theirs = label[rows], label[others]
        known_better = (level[theirs] < level[mine]) | ((level[theirs] == level[mine]) & named[theirs] & ~named[mine])
        weaker = (mine != theirs) & (level[mine] >= WEAK) & known_better
        doubtful[mine[weaker]] = True
    # what could belong to several was told enough to be found again, though nothing of it is left to it alone
    why = np.select([doubtful, level == RUNG_NONE, ~creates], [MAYBE_ANOTHERS, NO_IDENTITY, ONLY_ADDS], 0)[label]
    clusterer.findings.waits = why
    return np.asarray(why > 0, np.bool_)


def _pairs(agreed: Agreement, limit: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Positions of all pairs of clusters that share a value, of values shared by at most `limit`; and the value."""
    sizes = np.diff(np.append(agreed.starts, len(agreed.cluster)))
    lefts, rights = [], []
    for size in sorted_unique(sizes[sizes <= limit]).tolist():
        starts = agreed.starts[sizes == size]
        one, other = np.triu_indices(size, 1)
        lefts.append((starts[:, None] + one[None, :]).ravel())
        rights.append((starts[:, None] + other[None, :]).ravel())
    left = np.concatenate(lefts) if lefts else np.empty(0, np.int64)
    right = np.concatenate(rights) if rights else np.empty(0, np.int64)
    return left, right, agreed.key[left]


def _conflicts(clusterer: Clusterer, names: tuple[str, ...], left: Rows, right: Rows) -> NDArray[np.int16]:
    """For each pair of clusters: 1 + number of the first of the identifiers on which they differ, 0 for none."""
    against = np.zeros(len(left), np.int16)
    partition = clusterer.partition
    held = partition.held[left] & partition.held[right]
    for number, name in enumerate(names, start=1):
        if name in partition.bits:
            both = np.flatnonzero(held & partition.bits[name])
            one, other, low = left[both], right[both], partition.low[name]
            differ = (low[one] != low[other]) & (partition.highest(name, one) != partition.highest(name, other))
            differ &= against[both] == 0
            against[both[differ]] = number
    return against
