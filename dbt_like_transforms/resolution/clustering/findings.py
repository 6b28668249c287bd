"""What clustering noted on its way: joins, vetoes, suppressed values, possible matches. Rows and hashes, no text yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from dbt_like_transforms.resolution.clustering.integers import Flags, Keys, Rows, sorted_unique


@dataclass(frozen=True, slots=True)
class Joins:
    """rows[i] joined others[i] because both carry keys[i] (and confirming[i], 0 for none) by one rule."""

    rule: str
    identifier: str
    rows: Rows
    others: Rows
    keys: Keys
    confirming: Keys


@dataclass(frozen=True, slots=True)
class Near:
    """Pairs of records that agree on keys[i] and were not joined. against: what kept them apart, '' for mere doubt.

    Review pairs are reported to a person; a veto alone (`review` False) only explains.
    """

    rule: str
    identifier: str
    rows: Rows
    others: Rows
    keys: Keys
    against: str
    review: bool

    def only(self, keep: Flags) -> Near:
        """The pairs that are marked."""
        return replace(self, rows=self.rows[keep], others=self.others[keep], keys=self.keys[keep])


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A value that the data shows to be no identifier: `distinct` different values of `against` carry it."""

    rule: str
    identifier: str
    key: int
    row: int
    against: str
    distinct: int
    records: int


@dataclass(slots=True)
class Findings:
    """Everything noted. doubts: rows[i] may belong to the asset of others[i]; such a row makes no weak asset.

    waits[row]: why the record makes no asset, 0 where it makes one; see `strength`.
    """

    joins: list[Joins] = field(default_factory=list)
    near: list[Near] = field(default_factory=list)
    suppressed: list[Suppressed] = field(default_factory=list)
    doubts: list[tuple[Rows, Rows]] = field(default_factory=list)
    waits: NDArray[np.integer] = field(default_factory=lambda: np.empty(0, np.int8))

    def doubt(self, rows: Rows, others: Rows) -> None:
        """Notes possible owners of rows."""
        if len(rows):
            self.doubts.append((rows.astype(np.int32), others.astype(np.int32)))

    def missed(self, near: Near) -> None:
        """Notes near misses, if any."""
        if len(near.rows):
            self.near.append(near)

    def missed_pairs(
        self, rule: str, identifier: str, pairs: Sequence[tuple[int, int, int]], against: str, review: bool
    ) -> None:
        """Notes (row, other row, key) triples as near misses, if any."""
        if pairs:
            rows, others, keys = zip(*pairs, strict=True)
            self.near.append(Near(rule, identifier, _rows(rows), _rows(others), _keys(keys), against, review))

    def joined_pairs(self, rule: str, identifier: str, pairs: Sequence[tuple[int, int, int, int]]) -> None:
        """Notes (row, other row, key, confirming key) as joined, if any."""
        if pairs:
            rows, others, keys, confirming = zip(*pairs, strict=True)
            self.joins.append(Joins(rule, identifier, _rows(rows), _rows(others), _keys(keys), _keys(confirming)))

    def all_near(self, label: Rows) -> list[Near]:
        """The near misses, those of one cause together; what came to one asset by something else is none. label: of each
        row its asset."""
        causes: dict[tuple[str, str, str, bool], list[Near]] = {}
        for near in self.near:
            causes.setdefault((near.rule, near.identifier, near.against, near.review), []).append(near)
        found = []
        for (rule, identifier, against, review), parts in causes.items():
            rows = np.concatenate([part.rows for part in parts])
            others = np.concatenate([part.others for part in parts])
            apart = label[rows] != label[others]
            keys = np.concatenate([part.keys for part in parts])
            found.append(Near(rule, identifier, rows[apart], others[apart], keys[apart], against, review))
        return found

    def suppressed_of_each(self) -> dict[str, list[Suppressed]]:
        """The suppressed values of each identifier, by its name."""
        found: dict[str, list[Suppressed]] = {}
        for item in self.suppressed:
            found.setdefault(item.identifier, []).append(item)
        return dict(sorted(found.items()))

    def suppressed_keys(self, identifier: str) -> Keys:
        """Hashes of the identifier's values that are no identifiers, sorted."""
        keys = [item.key for item in self.suppressed if item.identifier == identifier]
        return sorted_unique(np.array(keys, dtype=np.uint64))


def _rows(numbers: Sequence[int]) -> Rows:
    return np.array(numbers, np.int32)


def _keys(hashes: Sequence[int]) -> Keys:
    return np.array(hashes, np.uint64)
