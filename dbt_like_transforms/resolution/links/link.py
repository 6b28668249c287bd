"""One relationship between two records."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Link:
    """Record `source` stands in `relationship` to record `target` (rows), and why."""

    source: int
    target: int
    relationship: str
    reason: str
