"""Values that several clusters share: what a rule joins by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dbt_like_transforms.resolution.facts import NO_KEY, Keys, Rows, Shared, begins


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


def agreements(label: Rows, shared: Shared, meaning: Meaning | None = None) -> Agreement:
    """Values shared by two clusters or more. meaning: what composite hashes are made of."""
    cluster = label[shared.rows]
    if len(cluster):
        # what one cluster has to itself by now is most of it: it needs no sorting
        several = np.minimum.reduceat(cluster, shared.starts) != np.maximum.reduceat(cluster, shared.starts)
        shared = shared.only(several)
        cluster = label[shared.rows]
    pairs = shared.number.astype(np.int64) << 32 | cluster
    order = np.argsort(pairs, kind="stable")
    pairs = pairs[order]
    fresh = np.ones(len(pairs), np.bool_)
    fresh[1:] = pairs[1:] != pairs[:-1]
    place = order[fresh]
    number = shared.number[place].astype(np.int64)
    shown, weaker = shared.keys, np.full(len(shared.keys), NO_KEY, np.uint64)
    if meaning is not None:
        found = np.searchsorted(meaning.mixed, shown)
        shown, weaker = meaning.value[found], meaning.confirming[found]
    return Agreement(cluster[place], shared.rows[place], number, begins(number), shown, weaker)


@dataclass(frozen=True, slots=True)
class Meaning:
    """Of composite hashes, sorted: the value and the confirming value that each stands for."""

    mixed: Keys
    value: Keys
    confirming: Keys


def pairs_by_cluster(left: Rows, right: Rows) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Positions (i, j) with left[i] == right[j]: an inner join."""
    order = np.argsort(right, kind="stable")
    sizes = np.bincount(right, minlength=int(left.max(initial=-1)) + 1)
    begin, count = (np.cumsum(sizes) - sizes)[left], sizes[left]
    i = np.repeat(np.arange(len(left)), count)
    within = np.arange(len(i)) - np.repeat(np.cumsum(count) - count, count)
    return i, order[np.repeat(begin, count) + within]
