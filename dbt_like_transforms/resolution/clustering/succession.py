"""Ids that a machine is given anew: whether one followed the other, or both were at work at the same time."""

from __future__ import annotations

import itertools

import numpy as np

from dbt_like_transforms.resolution.clustering.facts import NO_TIME, Facts
from dbt_like_transforms.resolution.clustering.integers import Flags
from dbt_like_transforms.resolution.clustering.views import NEEDS_NAME, View, common, differ_in_full


class Succession:
    """Values of one identifier in time, over facts."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self._carrying: dict[str, Flags] = {}

    def succeeded(self, name: str, a: View, b: View) -> bool:
        """Whether all that carries the identifier in one view fell silent before any of it appeared in the other.

        The later one must be known by two moments: of a single one nobody knows how long it was there before. What its
        own source retired has fallen silent, whenever that was.
        """
        if name in NEEDS_NAME and (not common(a, b, "host") or differ_in_full(a, b)):
            return False
        facts = self.facts
        if name not in self._carrying:
            carrying = np.zeros(facts.count, np.bool_)
            carrying[facts.edges[name].rows] = True
            self._carrying[name] = carrying
        sides = [[row for row in view.rows if self._carrying[name][row]] for view in (a, b)]
        gone = [not any(facts.active[row] for row in rows) for rows in sides]
        if gone[0] != gone[1]:
            return True
        spans = []
        for rows in sides:
            if any(facts.last[row] == NO_TIME for row in rows):
                return False
            spans.append((min(int(facts.first[row]) for row in rows), max(int(facts.last[row]) for row in rows)))
        (_, end), (start, late_end) = sorted(spans, key=lambda span: span[1])
        return end < start < late_end

    def were_beside(self, name: str, a: View, b: View) -> bool:
        """Whether values that followed one another in each view were at work at the same time by what the other knows of one
        of them."""
        if a.of(name) == b.of(name) or not common(a, b, name):
            return False
        alone = self._lived_at_once(name, a.rows) or self._lived_at_once(name, b.rows)
        return not alone and self._lived_at_once(name, a.rows + b.rows)

    def came_back(self, name: str, views: list[View]) -> bool:
        """Whether values were at work at the same time by what all views know of them together, and not by what one knows."""
        rows = [row for view in views for row in view.rows]
        return self._lived_at_once(name, rows) and not any(self._lived_at_once(name, view.rows) for view in views)

    def _lived_at_once(self, name: str, rows: list[int]) -> bool:
        """Whether two values of the rows were, or may have been, at work at the same time."""
        facts, edges = self.facts, self.facts.edges[name]
        carriers: dict[int, list[int]] = {}
        for row in rows:
            for place in range(*np.searchsorted(edges.rows, (row, row + 1)).tolist()):
                carriers.setdefault(int(edges.keys[place]), []).append(row)
        at_work = [found for found in carriers.values() if any(facts.active[row] for row in found)]
        if any(facts.last[row] == NO_TIME for found in at_work for row in found):
            return len(at_work) > 1
        spans = sorted(
            (min(int(facts.first[row]) for row in found), max(int(facts.last[row]) for row in found))
            for found in at_work
        )
        return any(end >= start for (_, end), (start, _) in itertools.pairwise(spans))
