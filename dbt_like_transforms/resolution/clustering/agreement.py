"""Values that several clusters share: what a rule joins by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from dbt_like_transforms.resolution.clustering.facts import NO_KEY, Shared
from dbt_like_transforms.resolution.clustering.integers import (
    Keys,
    Rows,
    begins,
    by_row,
    changes,
    lengths,
    places_in_order,
)


@dataclass(frozen=True, slots=True)
class Agreement:
    """Distinct (cluster, value) pairs of the values that at least two clusters share, sorted by value, then cluster.

    starts: where each value begins. row: a record of the cluster that carries the value (its smallest).
    confirming: hash of the weaker value that agrees as well, NO_KEY for none. shown: hash of the value itself.
    """

    cluster: Rows
    row: Rows
    key: NDArray[np.int64]
    starts: NDArray[np.int64]
    shown: Keys
    confirming: Keys

    def __len__(self) -> int:
        return len(self.starts)

    def sizes(self) -> NDArray[np.int64]:
        """How many clusters have each value."""
        return lengths(self.starts, len(self.cluster))

    def only(self, keep: NDArray[np.bool_]) -> Agreement:
        """The values for which keep[value number] holds, renumbered."""
        pairs = keep[self.key]
        number = np.cumsum(keep) - 1
        key = number[self.key[pairs]]
        return Agreement(
            self.cluster[pairs],
            self.row[pairs],
            key,
            begins(key),
            self.shown[keep],
            self.confirming[keep],
        )


def agreements(label: Rows, shared: Shared) -> Agreement:
    """Who agrees on the values; each is shared by two clusters or more."""
    cluster = label[shared.rows]
    # nearly in order as it is: rows are ascending, and clusters are called by their first row
    pairs = shared.number.astype(np.int64) << 32 | cluster
    order = np.argsort(pairs, kind="stable")
    place = order[changes(pairs[order])]
    number = shared.number[place].astype(np.int64)
    nothing = np.full(len(shared.keys), NO_KEY, np.uint64)
    return Agreement(cluster[place], shared.rows[place], number, begins(number), shared.keys, nothing)


def equal_pairs(left: NDArray[np.integer], right: NDArray[np.integer]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Positions (i, j) with left[i] == right[j], by i, then j: an inner join of small numbers."""
    sizes = np.bincount(right, minlength=int(left.max(initial=-1)) + 1)
    _, order = by_row(right, np.arange(len(right), dtype=np.int32), len(sizes))
    count = sizes[left]
    begin = np.cumsum(sizes)[left] - count
    i = np.repeat(np.arange(len(left)), count)
    within = np.arange(len(i)) - np.repeat(np.cumsum(count) - count, count)
    return i, order[np.repeat(begin, count) + within]


def groups_of(agreed: Agreement, count: int) -> tuple[Rows, NDArray[np.integer]]:
    """The clusters that agree on anything, and of each the number of its group: all that agree, directly or by way of
    others. By group, then cluster."""
    known = np.zeros(count, np.bool_)
    known[agreed.cluster] = True
    clusters = np.flatnonzero(known).astype(np.int32)
    if len(clusters) == len(agreed.cluster):
        return agreed.cluster, agreed.key
    place = np.empty(count, np.int32)
    place[clusters] = np.arange(len(clusters), dtype=np.int32)
    one, lead = place[agreed.cluster], place[agreed.cluster[agreed.starts]][agreed.key]
    graph = coo_matrix((np.ones(len(one), np.int8), (one, lead)), shape=(len(clusters), len(clusters)))
    _, group = connected_components(graph, directed=False)
    order = places_in_order(group.view(np.uint32))
    return clusters[order], group[order]
