"""What clustering noted on its way: joins, vetoes, suppressed values, possible matches. Rows and hashes, no text yet."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from dbt_like_transforms.resolution.facts import Keys, Rows


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
    """Two records that agree on a value and were not joined. against: what kept them apart; '' when nothing but doubt.

    Review pairs are reported to a person; a veto alone (`review` False) only explains.
    """

    rule: str
    identifier: str
    row: int
    other: int
    key: int
    against: str
    review: bool


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
    """Everything noted. doubts: rows[i] may belong to the asset of others[i]; such a row makes no weak asset."""

    joins: list[Joins] = field(default_factory=list)
    near: list[Near] = field(default_factory=list)
    suppressed: list[Suppressed] = field(default_factory=list)
    doubts: list[tuple[Rows, Rows]] = field(default_factory=list)

    def doubt(self, rows: Rows, others: Rows) -> None:
        """Notes possible owners of rows."""
        if len(rows):
            self.doubts.append((rows.astype(np.int32), others.astype(np.int32)))

    def suppressed_keys(self, identifier: str) -> Keys:
        """Hashes of the identifier's values that are no identifiers, sorted."""
        keys = [item.key for item in self.suppressed if item.identifier == identifier]
        return np.unique(np.array(keys, dtype=np.uint64))
