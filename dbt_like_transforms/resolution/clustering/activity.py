"""When clusters were at work: at the same time, or the one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from dbt_like_transforms.resolution.clustering.facts import NO_TIME, Facts
from dbt_like_transforms.resolution.clustering.views import View

DAY = 86_400


@dataclass(frozen=True, slots=True)
class Clocks:
    """How far apart in time records may be, in days.

    together: last activities this close are "at the same time". successor: a first activity this long after the other's
    last one is a successor with the same name. stale: records whose last activities are further apart than this do
    not agree by name. gap: the same where nothing says when the later one was first seen.
    """

    together: float = 1.0
    successor: float = 14.0
    gap: float = 90.0
    stale: float = 180.0


class Span(NamedTuple):
    """First and last activity; NO_TIME where nobody tells it."""

    first: int
    last: int


class Activity:
    """Activity of records, over facts. Retired records are not at work; unknown times count as the same."""

    def __init__(self, facts: Facts, clocks: Clocks) -> None:
        self.facts = facts
        self.clocks = clocks

    def at_work(self, view: View) -> bool:
        """Whether anything of the view is not retired."""
        return any(bool(self.facts.active[row]) for row in view.rows)

    def at_once(self, rows: list[int], others: list[int], a_day_apart: bool = True) -> bool:
        """Whether any two of them were at work at the same time.

        a_day_apart: whether that goes for last activities exactly a day apart, as those of a machine that is set up anew
            every morning.
        """
        facts, day = self.facts, self.clocks.together * DAY
        for row in rows:
            for other in others:
                if not (facts.active[row] and facts.active[other]):
                    continue
                last, other_last = int(facts.last[row]), int(facts.last[other])
                if NO_TIME in (last, other_last):
                    return True
                apart = abs(last - other_last)
                if apart < day or (a_day_apart and apart == day):
                    return True
                if max(facts.first[row], facts.first[other]) < min(last, other_last):
                    return True
        return False

    def in_one_product(self, a: View, b: View, at_once: bool = False) -> bool:
        """Whether one product instance has a record at work of each (both at the same time, if `at_once`)."""
        facts = self.facts
        for row in a.rows:
            for other in b.rows:
                if facts.source[row] != facts.source[other] or not (facts.active[row] and facts.active[other]):
                    continue
                if not at_once or self.at_once([row], [other]):
                    return True
        return False

    def two_agents(self, a: View, b: View) -> bool:
        """Two installations of one product at work at the same time: two machines. One after the other: a reinstall."""
        for product, agents in a.agents.items():
            others = b.agents.get(product)
            if not others or agents.keys() & others.keys():
                continue
            rows = [row for found in agents.values() for row in found]
            if self.at_once(rows, [row for found in others.values() for row in found], a_day_apart=False):
                return True
        return False

    def far_apart(self, a: View, b: View) -> bool:
        """A name passes from one machine to the next: agreement by name needs agreement in time, of what goes by it.

        A machine set up anew under another name goes by its old one no more, though an old entry still tells it.
        """
        shared = set().union(*a.names.values()) & set().union(*b.names.values())
        if self._given_up(a, b, shared) or self._given_up(b, a, shared):
            return True
        spans = [
            self._span([row for row in view.rows if not shared or shared & view.names.get(row, shared)])
            for view in (a, b)
        ]
        earlier, later = sorted(spans, key=lambda span: span.last)
        if earlier.last == NO_TIME:
            # It tells its beginning alone, which may come long after all of the other.
            return later.last != NO_TIME and earlier.first - later.last > self.clocks.gap * DAY
        if later.last - earlier.last > self.clocks.stale * DAY:
            return True
        # With a single point in time nothing is known of its first activity: be slower to see a successor.
        limit = self.clocks.gap if later.first == later.last else self.clocks.successor
        return later.first - earlier.last > limit * DAY

    def _given_up(self, view: View, other: View, names: set[int]) -> bool:
        """Whether of the view only what is retired goes by the names, and what is at work by others, though something at
        work goes by them elsewhere."""
        here, elsewhere = (
            [found for row, found in one.names.items() if self.facts.active[row]] for one in (view, other)
        )
        return bool(here) and not any(found & names for found in here) and any(found & names for found in elsewhere)

    def _span(self, rows: list[int]) -> Span:
        """First and last activity of those that tell their last; where none does, the first that any tells."""
        facts = self.facts
        known = [row for row in rows if facts.last[row] != NO_TIME]
        known = known or [row for row in rows if facts.first[row] != NO_TIME]
        first = min((int(facts.first[row]) for row in known), default=int(NO_TIME))
        return Span(first, max((int(facts.last[row]) for row in known), default=int(NO_TIME)))
