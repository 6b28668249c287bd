"""Which cluster each record is in, and which values each cluster holds."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dbt_like_transforms.resolution.clustering.facts import Edges, Facts
from dbt_like_transforms.resolution.clustering.integers import Flags, Keys, Rows, begins

#: Numbers of which every bit stands for one identifier; how wide they are depends on how many there are.
Bits = NDArray[Any]

#: Records whose labels are renewed at once: few enough for the caches of a processor.
_RENEWED = 1 << 16


def clusters_of(label: Rows) -> Rows:
    """The clusters, ascending: each is called by its smallest row."""
    return np.flatnonzero(label == np.arange(len(label), dtype=np.int32)).astype(np.int32)


class Partition:
    """Which cluster each record is in, and which values each cluster holds.

    label[row]: smallest row of its cluster. bits: of each identifier that any record has, its bit in the following two.
    held, several: at the label of a cluster, the identifiers of which it has a value, or different ones. low, high: per
    identifier the smallest hash of those that hold it, and the largest of those that hold several: elsewhere anything.
    """

    def __init__(self, facts: Facts, kept: tuple[str, ...]) -> None:
        self.facts = facts
        self.label: Rows = np.arange(facts.count, dtype=np.int32)
        names = [name for name in kept if len(facts.edges[name].rows)]
        self.bits = {name: 1 << place for place, name in enumerate(names)}
        kind = np.min_scalar_type(self.mask(kept))
        self.held: Bits = np.zeros(facts.count, kind)
        self.several: Bits = np.zeros(facts.count, kind)
        self.low: dict[str, Keys] = {}
        self.high: dict[str, Keys] = {}
        for name in names:
            # memory that nothing is written to costs nothing, and most hold nothing of most identifiers
            self.low[name], self.high[name] = np.empty(facts.count, np.uint64), np.empty(facts.count, np.uint64)
            edges = facts.edges[name]
            starts = begins(edges.rows)
            least, most = np.minimum.reduceat(edges.keys, starts), np.maximum.reduceat(edges.keys, starts)
            self._hold(name, edges.rows[starts], least, most)

    def mask(self, names: tuple[str, ...]) -> int:
        """The bits of the identifiers together."""
        return sum({self.bits[name] for name in names if name in self.bits})

    def with_any(self, rows: Rows | Flags) -> Flags:
        """Which clusters, by label, have any of the rows (numbers or marks)."""
        found = np.zeros(len(self.label), np.bool_)
        found[self.label[rows]] = True
        return found

    def highest(self, name: str, clusters: Rows) -> Keys:
        """The largest hash of each cluster, all of which hold the identifier."""
        several = self.several[clusters] & self.bits[name] != 0
        return np.where(several, self.high[name][clusters], self.low[name][clusters])

    def differing(self, name: str, single: Bits, clusters: Rows, group: NDArray[np.integer], groups: int) -> Flags:
        """Of each group: whether two of its clusters have different values of the identifier.

        single: what each of the clusters has one value of; other clusters are passed over. group: ascending.
        """
        found = np.zeros(groups, np.bool_)
        if name in self.bits:
            having = np.flatnonzero(single & self.bits[name])
            group = group[having]
            beside = np.flatnonzero(group[1:] == group[:-1])
            values = self.low[name]
            differ = values[clusters[having[beside]]] != values[clusters[having[beside + 1]]]
            found[group[beside[differ]]] = True
        return found

    def join(self, clusters: Rows, groups: NDArray[np.integer]) -> None:
        """Makes one cluster of all `clusters` with the same group number. By group, then cluster."""
        first = np.zeros(len(clusters), np.int64)
        starts = begins(groups)
        first[starts] = starts
        target = clusters[np.maximum.accumulate(first)]
        moved = target != clusters
        if not moved.any():
            return
        held = self.held[clusters]
        for name, bit in self.bits.items():
            having = np.flatnonzero(held & bit)
            if not len(having):
                continue
            holders, starts = clusters[having], begins(groups[having])
            least = np.minimum.reduceat(self.low[name][holders], starts)
            most = np.maximum.reduceat(self.highest(name, holders), starts)
            self._hold(name, target[having[starts]], least, most)
        root = np.arange(self.facts.count, dtype=np.int32)
        root[clusters] = target
        for begin in range(0, self.facts.count, _RENEWED):
            part = slice(begin, begin + _RENEWED)
            self.label[part] = root[self.label[part]]

    def forget(self, name: str, edges: Edges, carriers: Rows) -> None:
        """Takes from records, before anything was joined, all values of the identifier but those in `edges`."""
        bit = self.bits[name]
        self.held[carriers] &= ~self.held.dtype.type(bit)
        self.several[carriers] &= ~self.several.dtype.type(bit)
        concerned = np.zeros(self.facts.count, np.bool_)
        concerned[carriers] = True
        left = np.flatnonzero(concerned[edges.rows])
        if len(left):
            rows, keys = edges.rows[left], edges.keys[left]
            starts = begins(rows)
            self._hold(name, rows[starts], np.minimum.reduceat(keys, starts), np.maximum.reduceat(keys, starts))

    def _hold(self, name: str, clusters: Rows, least: Keys, most: Keys) -> None:
        """Notes the smallest and largest hash of the identifier that each cluster holds."""
        self.low[name][clusters] = least
        self.held[clusters] |= self.bits[name]
        more = least != most
        self.high[name][clusters[more]] = most[more]
        self.several[clusters[more]] |= self.bits[name]
