"""Possible matches that a person should look at: what agrees on weak evidence alone."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dbt_like_transforms.resolution.clustering.agreement import Agreement, agreements
from dbt_like_transforms.resolution.clustering.cluster import Clusterer
from dbt_like_transforms.resolution.clustering.findings import Near, Suppressed
from dbt_like_transforms.resolution.clustering.integers import Flags, Keys, Rows, carriers_of, sorted_unique
from dbt_like_transforms.resolution.clustering.notes import settling
from dbt_like_transforms.resolution.clustering.partition import Partition
from dbt_like_transforms.resolution.clustering.strength import creating, strength, usable
from dbt_like_transforms.resolution.ladders.ladder import RUNG_AGENT, RUNG_NONE, RUNG_SHORT_NAME

#: Vetoes that leave nothing to look at.
DECIDED = frozenset({"retired", "guest"})
#: More clusters than this on one name or MAC is no possible match, it is a common value.
CANDIDATES = 20
#: The same for an address, which is weaker still.
ADDRESS_CANDIDATES = 5
#: Where more of the clusters on a common value are known by something better, it identifies nothing.
COMMON = 10


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Pairs of clusters that agree on a value: clusters[i] with others[i] on keys[i], which their rows rows[i] and
    other_rows[i] carry."""

    clusters: Rows
    others: Rows
    rows: Rows
    other_rows: Rows
    keys: Keys

    def only(self, keep: Flags) -> _Pairs:
        """Those that are marked."""
        return _Pairs(self.clusters[keep], self.others[keep], self.rows[keep], self.other_rows[keep], self.keys[keep])

    def turned(self) -> _Pairs:
        """The other one of each first."""
        return _Pairs(self.others, self.clusters, self.other_rows, self.rows, self.keys)

    def near(self, rule: str, identifier: str, against: str, review: bool) -> Near:
        """As near misses."""
        return Near(rule, identifier, self.rows, self.other_rows, self.keys, against, review)


def note_candidates(clusterer: Clusterer) -> None:
    """Reports clusters that agree on a weak identifier alone. Adds doubts for the weaker side of each pair."""
    ladder, partition = clusterer.ladder, clusterer.partition
    for name in (*ladder.not_alone, *ladder.reviewed):
        shared = clusterer.facts.edges[name].shared_between(partition.label).without(clusterer.unusable.get(name))
        agreed = agreements(partition.label, shared)
        if name in ladder.common:
            _drop_common(clusterer, name, agreed)
        pairs = _pairs(agreed, CANDIDATES)
        if not len(pairs.keys):
            continue
        having = [partition.with_any(usable(clusterer, rival)) for rival in ladder.rivals.get(name, ())]
        if name in ladder.one_sided:
            lone = partition.with_any(usable(clusterer, ladder.one_sided[name]))
            pairs = pairs.only((lone[pairs.clusters] ^ lone[pairs.others]) & ~_both_in_any(having, pairs))
        settled_by = (*ladder.review_conflicts, *filter(None, [ladder.in_full.get(name)]))
        against = _differing(partition, settled_by, pairs.clusters, pairs.others)
        for code in sorted_unique(against).tolist():
            reason = settled_by[code - 1] if code else ""
            clusterer.findings.missed(pairs.only(against == code).near(f"{name}_alone", name, reason, not code))
        if not (name in ladder.one_sided or name in ladder.not_alone):
            _doubt(clusterer, name, pairs.only(against == 0), having)


def _both_in_any(having: list[Flags], pairs: _Pairs) -> Flags:
    """Whether both clusters of a pair are marked in one of the lists."""
    found = np.zeros(len(pairs.keys), np.bool_)
    for has in having:
        found |= has[pairs.clusters] & has[pairs.others]
    return found


def _doubt(clusterer: Clusterer, name: str, pairs: _Pairs, having: list[Flags]) -> None:
    """Adds doubts, both ways. having: which clusters have something as good as the identifier of that name: who differs on
    it is more likely another machine than a part of the better known one."""
    pairs = pairs.only(~_both_in_any(having, pairs))
    at_work = clusterer.partition.with_any(clusterer.facts.active)
    for side in (pairs, pairs.turned()):
        waits = np.ones(len(side.keys), np.bool_)
        if clusterer.ladder.identifier(name).rung == RUNG_SHORT_NAME:
            # what is at work under the name of a retired one took its name, where it has anything else of its own
            alive = at_work[side.clusters] & ~at_work[side.others]
            for has in having:
                waits &= ~(alive & has[side.clusters])
        clusterer.findings.doubt(side.rows[waits], side.other_rows[waits])


def _drop_common(clusterer: Clusterer, name: str, agreed: Agreement) -> None:
    """Notes common values that are carried by more than COMMON assets which are known by something better."""
    many = agreed.sizes() > CANDIDATES
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


def note_settled(clusterer: Clusterer) -> None:
    """What could have belonged to either of two is no question any more where it went with one by a weaker rule, and that one
    differs from the other on what contests the value."""
    partition, findings = clusterer.partition, clusterer.findings
    vetoes = {rule.name: settling(rule) for rule in clusterer.ladder.rules}
    nearby, findings.near = findings.near, []
    for near in nearby:
        if near.against or not near.review or near.rule not in vetoes:
            findings.missed(near)
            continue
        against = _differing(partition, vetoes[near.rule], partition.label[near.rows], partition.label[near.others])
        for code in sorted_unique(against).tolist():
            reason = vetoes[near.rule][code - 1] if code else ""
            findings.missed(replace(near.only(against == code), against=reason, review=not code))


def note_addresses(clusterer: Clusterer, level: NDArray[np.int8]) -> None:
    """For records with no identity at all: who else has their IP address. level: see `strength`."""
    if "ip" not in clusterer.facts.edges:
        return
    label = clusterer.partition.label
    pairs = _pairs(agreements(label, clusterer.facts.edges["ip"].shared_between(label)), ADDRESS_CANDIDATES)
    # a scanner's row under a number of its own is nobody either
    nobody = (level == RUNG_NONE) | ((level == RUNG_AGENT) & ~creating(clusterer))
    pairs = pairs.only(nobody[pairs.clusters] ^ nobody[pairs.others])
    clusterer.findings.missed(pairs.near("ip_alone", "ip", "", True))


def note_bare(clusterer: Clusterer, level: NDArray[np.int8]) -> None:
    """Records of which the data show every value to be no identifier: those that they agree with are possible matches."""
    label, findings = clusterer.partition.label, clusterer.findings
    nearby, findings.near = findings.near, []
    for near in nearby:
        bare = (level[label[near.rows]] == RUNG_NONE) | (level[label[near.others]] == RUNG_NONE)
        bare &= not near.review and near.against not in DECIDED
        findings.missed(near.only(~bare))
        findings.missed(replace(near.only(bare), review=True))


def note_decided(clusterer: Clusterer) -> None:
    """What a person declared to be different is no question any more."""
    if not len(clusterer.apart):
        return
    findings = clusterer.findings
    nearby, findings.near = findings.near, []
    for near in nearby:
        decided = clusterer.kept_apart(near.rows, near.others) & near.review
        findings.missed(near.only(~decided))
        findings.missed(replace(near.only(decided), against=near.against or "apart", review=False))


def _pairs(agreed: Agreement, limit: int) -> _Pairs:
    """All pairs of clusters that share a value, of values shared by at most `limit`."""
    sizes = agreed.sizes()
    lefts, rights = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for size in sorted_unique(sizes[sizes <= limit]).tolist():
        starts = agreed.starts[sizes == size]
        one, other = np.triu_indices(size, 1)
        lefts.append((starts[:, None] + one[None, :]).ravel())
        rights.append((starts[:, None] + other[None, :]).ravel())
    left, right = np.concatenate(lefts), np.concatenate(rights)
    return _Pairs(
        agreed.cluster[left], agreed.cluster[right], agreed.row[left], agreed.row[right], agreed.shown[agreed.key[left]]
    )


def _differing(partition: Partition, names: tuple[str, ...], left: Rows, right: Rows) -> NDArray[np.int16]:
    """For each pair of clusters: 1 + number of the first of the identifiers on which they differ, 0 for none."""
    against = np.zeros(len(left), np.int16)
    held = partition.held[left] & partition.held[right]
    for number, name in enumerate(names, start=1):
        if name in partition.bits:
            both = np.flatnonzero(held & partition.bits[name])
            one, other, low = left[both], right[both], partition.low[name]
            differ = (low[one] != low[other]) & (partition.highest(name, one) != partition.highest(name, other))
            differ &= against[both] == 0
            against[both[differ]] = number
    return against
