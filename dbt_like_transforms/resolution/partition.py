"""Which cluster each record is in, and which values each cluster holds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dbt_like_transforms.resolution.facts import TOP_KEY, Facts, Keys, Rows


class Partition:
    """Which cluster each record is in, and which values each cluster holds.

    label[row]: smallest row of its cluster. low, high: smallest and largest hash per identifier at the cluster's label;
    equal when the cluster has one value, TOP_KEY and 0 when it has none.
    """

    def __init__(self, facts: Facts, kept: tuple[str, ...]) -> None:
        self.facts = facts
        self.label: Rows = np.arange(facts.count, dtype=np.int32)
        self.low: dict[str, Keys] = {}
        self.high: dict[str, Keys] = {}
        for name in kept:
            edges = facts.edges[name]
            low = np.full(facts.count, TOP_KEY, np.uint64)
            high = np.zeros(facts.count, np.uint64)
            np.minimum.at(low, edges.rows, edges.keys)
            np.maximum.at(high, edges.rows, edges.keys)
            self.low[name], self.high[name] = low, high

    def join(self, clusters: Rows, groups: NDArray[np.integer]) -> None:
        """Makes one cluster of all `clusters` with the same group number."""
        if not len(clusters):
            return
        size = int(groups.max()) + 1
        smallest = np.full(size, self.facts.count, np.int32)
        np.minimum.at(smallest, groups, clusters)
        target = smallest[groups]
        moved = target != clusters
        old, new = clusters[moved], target[moved]
        for name, low in self.low.items():
            np.minimum.at(low, new, low[old])
            np.maximum.at(self.high[name], new, self.high[name][old])
        root = np.arange(self.facts.count, dtype=np.int32)
        root[old] = new
        self.label = root[self.label]
