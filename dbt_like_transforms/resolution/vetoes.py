"""What forbids a merge: different values of a stronger identifier, two agents at work at the same time, time itself."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from dbt_like_transforms.resolution.facts import NO_TIME, Facts
from dbt_like_transforms.resolution.integers import Keys, Rows, among
from dbt_like_transforms.resolution.ladder import CARRIED, COMPARED_WITHIN, Rule, Special
from dbt_like_transforms.resolution.succession import NEEDS_NAME, Succession, differ_in_full

DAY = 86_400

#: Rules by these agree on a name of this kind: what goes by other names alone tells nothing of its time.
TIMED_BY = {"fqdn": "host", "nbname": "host"}

#: Scoped values that are the same thing in every scope: they agree inside one alone, and differ only where the values do.
EVERYWHERE = frozenset({"mac", "fqdn"})

#: Two records of one product that differ in none of these are one account listed twice. The first two are scoped.
TOLD_IN_SCOPE = ("employee", "host")
TOLD_APART = (*TOLD_IN_SCOPE, "own_upn")

_CARDS_AND_NAMES = ("mac", "host", "longname")
#: What special vetoes compare, besides what `CARRIED` and `COMPARED_WITHIN` say.
COMPARED: dict[str, tuple[str, ...]] = {
    "mac": ("mac",),
    "fqdn": ("fqdn",),
    "names": _CARDS_AND_NAMES,
    "clone": _CARDS_AND_NAMES,
    "clone_unnamed": _CARDS_AND_NAMES,
    "clone_same_source": _CARDS_AND_NAMES,
    "clone_blade": _CARDS_AND_NAMES,
    "clone_image": _CARDS_AND_NAMES,
    "counted": _CARDS_AND_NAMES,
    "enclosed": _CARDS_AND_NAMES,
    "source_unlike": TOLD_APART,
    "login_other": ("upn", "address"),
    "passed_on": ("main",),
}


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


@dataclass(slots=True)
class View:
    """One cluster as sets, for exact comparison.

    names: row -> its names, where the rule asks for the time of a name. agents: kind -> value -> rows. bare: of what is
    EVERYWHERE, and of what tells two accounts of one product apart, the values without their scopes.
    """

    values: dict[str, set[int]] = field(default_factory=dict)
    bare: dict[str, set[int]] = field(default_factory=dict)
    names: dict[int, set[int]] = field(default_factory=dict)
    rows: list[int] = field(default_factory=list)
    agents: dict[int, dict[int, list[int]]] = field(default_factory=dict)


class Vetoes:
    """Vetoes over facts. apart: pairs of rows that a person declared to be different."""

    def __init__(self, facts: Facts, clocks: Clocks | None = None, apart: tuple[tuple[int, int], ...] = ()) -> None:
        self.facts = facts
        self.clocks = clocks or Clocks()
        self.succession = Succession(facts)
        self.apart: dict[int, set[int]] = {}
        for one, other in apart:
            self.apart.setdefault(one, set()).add(other)
            self.apart.setdefault(other, set()).add(one)

    # -- exact comparison -------------------------------------------------------------------------------------------
    def views(self, label: Rows, clusters: Rows, rule: Rule, unusable: dict[str, Keys]) -> dict[int, View]:
        """The clusters as sets of what the rule compares."""
        wanted = np.zeros(self.facts.count, np.bool_)
        wanted[clusters] = True
        concerned = wanted[label]
        views = {int(cluster): View() for cluster in clusters}
        rows = np.flatnonzero(concerned)
        for row, cluster in zip(rows.tolist(), label[rows].tolist(), strict=True):
            views[cluster].rows.append(row)
        names = set(rule.vetoes)
        for special in rule.special:
            names |= {*COMPARED.get(special, ()), *COMPARED_WITHIN.get(special, ())}
            if special in CARRIED:
                names.add(CARRIED[special])
        if NEEDS_NAME & set(rule.successive):
            names |= {"host", "longname"}
        timed_by = TIMED_BY.get(rule.identifier) if "time" in rule.special else None
        if timed_by:
            names.add(timed_by)
        for name in names:
            edges = self.facts.edges[name]
            inside = np.flatnonzero(concerned[edges.rows])
            dropped = unusable.get(name)
            if name not in rule.vetoes and dropped is not None and len(dropped):
                inside = inside[~among(edges.keys[inside], dropped)]
            cluster = label[edges.rows[inside]]
            for owner, key in zip(cluster.tolist(), edges.keys[inside].tolist(), strict=True):
                views[owner].values.setdefault(name, set()).add(key)
            if name in EVERYWHERE or (name in TOLD_IN_SCOPE and "source_unlike" in rule.special):
                bare = edges.keys[inside] ^ self.facts.rooms[edges.rows[inside]]
                for owner, key in zip(cluster.tolist(), bare.tolist(), strict=True):
                    views[owner].bare.setdefault(name, set()).add(key)
            if name == timed_by:
                for owner, row, key in zip(
                    cluster.tolist(), edges.rows[inside].tolist(), edges.keys[inside].tolist(), strict=True
                ):
                    views[owner].names.setdefault(row, set()).add(key)
        if {"agent", "counted"} & set(rule.special):
            edges = self.facts.edges["agent"]
            inside = np.flatnonzero(concerned[edges.rows])
            for owner, row, key, kind in zip(
                label[edges.rows[inside]].tolist(),
                edges.rows[inside].tolist(),
                edges.keys[inside].tolist(),
                self.facts.agent_kinds[inside].tolist(),
                strict=True,
            ):
                views[owner].agents.setdefault(kind, {}).setdefault(key, []).append(row)
        return views

    def conflict(self, rule: Rule, a: View, b: View) -> str | None:
        """What forbids joining the two by this rule: the name of an identifier or special veto; None when nothing."""
        if self.apart and any(self.apart.get(row, set()) & set(b.rows) for row in a.rows):
            return "apart"
        for name in rule.vetoes:
            if _disjoint(a, b, name):
                if not (name in rule.successive and self.succession.succeeded(name, a, b)):
                    return name
            elif name in rule.successive and self.succession.were_beside(name, a, b):
                return name
        for special in rule.special:
            if self._special(special, a, b):
                return special
        return None

    def _special(self, special: Special, a: View, b: View) -> bool:
        if special in ("mac", "fqdn"):
            return _disjoint(a, b, special)
        if special == "login_other" and any(
            one.values.get("upn", set()) & other.values.get("address", set()) for one, other in ((a, b), (b, a))
        ):
            return False  # the mail of the one is what the other signs in with
        if special in COMPARED_WITHIN:
            value, within = COMPARED_WITHIN[special]
            return _disjoint(a, b, value) and bool(a.values.get(within, set()) & b.values.get(within, set()))
        if special == "passed_on":
            return _disjoint(a, b, "main") and self._at_work(a) is not self._at_work(b)
        if special == "names":
            return _unlike(a, b) and a.bare.get("mac") != b.bare.get("mac")
        if special == "source_unlike" and not any(_disjoint(a, b, name) for name in TOLD_APART):
            return False
        if special in ("source", "source_any", "source_unlike"):
            return self._same_source(a, b, at_once=special == "source")
        if special == "agent":
            return self._two_agents(a, b)
        if special == "time":
            return self._far_in_time(a, b)
        if special == "counted":
            # what else they agree on by this rule is an installation
            common = _agents(a) & _agents(b)
            return bool(common) and _unlike(a, b) and common <= a.values.get("counted", set())
        if special == "enclosed":
            # a blade that was renamed keeps its cards
            chassis = a.values.get("enclosed", set()) & b.values.get("enclosed", set())
            return bool(chassis) and _unlike(a, b) and not a.values.get("mac", set()) & b.values.get("mac", set())
        if special == "clone_unnamed":
            named = a.values.get("host", set()) & b.values.get("host", set()) and not _unlike(a, b)
            return not named and _disjoint(a, b, "mac") and self._same_source(a, b, at_once=True)
        if special == "clone_image" and not (a.values.get("sid_machine") and b.values.get("sid_machine")):
            return False
        if special in ("clone_same_source", "clone_image") and not self._same_source(a, b, at_once=True):
            return False
        if special == "clone_blade" and not (a.values.get("blade") or b.values.get("blade")):
            return False
        return _disjoint(a, b, "mac") and _unlike(a, b) and self.at_once(a.rows, b.rows)

    def _at_work(self, view: View) -> bool:
        """Whether anything of the view is not retired."""
        return any(bool(self.facts.active[row]) for row in view.rows)

    def _same_source(self, a: View, b: View, at_once: bool) -> bool:
        """Both hold an active record of one product instance (active at the same time, if `at_once`)."""
        facts = self.facts
        for row in a.rows:
            for other in b.rows:
                if facts.source[row] != facts.source[other] or not (facts.active[row] and facts.active[other]):
                    continue
                if not at_once or self.at_once([row], [other]):
                    return True
        return False

    def _two_agents(self, a: View, b: View) -> bool:
        """Two installations of one product at work at the same time: two machines. One after the other: a reinstall."""
        for kind, values in a.agents.items():
            others = b.agents.get(kind)
            if not others or values.keys() & others.keys():
                continue
            rows = [row for found in values.values() for row in found]
            if self.at_once(rows, [row for found in others.values() for row in found], a_day_apart=False):
                return True
        return False

    def at_once(self, rows: list[int], others: list[int], a_day_apart: bool = True) -> bool:
        """Whether any two were active at the same time; unknown times count as the same.

        a_day_apart: whether that goes for last activities exactly a day apart, as those of a machine that is set up anew
            every morning.
        """
        facts, nearest = self.facts, self.clocks.together * DAY + int(a_day_apart)
        for row in rows:
            for other in others:
                if not (facts.active[row] and facts.active[other]):
                    continue
                last, other_last = int(facts.last[row]), int(facts.last[other])
                if NO_TIME in (last, other_last) or abs(last - other_last) < nearest:
                    return True
                if max(facts.first[row], facts.first[other]) < min(last, other_last):
                    return True
        return False

    def _given_up(self, view: View, other: View, names: set[int]) -> bool:
        """Whether of the view only what is retired goes by the names, and what is at work by others, though something at
        work goes by them elsewhere."""
        at_work, elsewhere = (
            [found for row, found in one.names.items() if self.facts.active[row]] for one in (view, other)
        )
        return (
            bool(at_work) and not any(found & names for found in at_work) and any(found & names for found in elsewhere)
        )

    def _far_in_time(self, a: View, b: View) -> bool:
        """A name passes from one machine to the next: agreement by name needs agreement in time, of what goes by it.

        A machine set up anew under another name goes by its old one no more, though an old entry still tells it.
        """
        facts = self.facts
        common = set().union(*a.names.values()) & set().union(*b.names.values())
        if common and (self._given_up(a, b, common) or self._given_up(b, a, common)):
            return True
        spans = []
        for view in (a, b):
            rows = [row for row in view.rows if not common or common & view.names.get(row, common)]
            known = [row for row in rows if facts.last[row] != NO_TIME]
            known = known or [row for row in rows if facts.first[row] != NO_TIME]
            if not known:
                return False  # unknown times count as the same, here as well
            spans.append((min(int(facts.first[row]) for row in known), max(int(facts.last[row]) for row in known)))
        (begin, end), (start, late_end) = sorted(spans, key=lambda span: span[1])
        if end == NO_TIME:  # it tells its beginning alone
            return late_end != NO_TIME and begin - late_end > self.clocks.gap * DAY
        if late_end - end > self.clocks.stale * DAY:
            return True
        born_late = start - end
        # With a single point in time nothing is known of its first activity: be slower to see a successor.
        limit = self.clocks.gap if start == late_end else self.clocks.successor
        return born_late > limit * DAY


def _agents(view: View) -> set[int]:
    """All agent ids of the view."""
    return {key for found in view.agents.values() for key in found}


def _disjoint(a: View, b: View, name: str) -> bool:
    left, right = (view.bare.get(name) or view.values.get(name) for view in (a, b))
    return bool(left) and bool(right) and not left & right  # type: ignore[operator]


def _unlike(a: View, b: View) -> bool:
    """Whether their names differ: in the first 15 characters, or behind them where both are known in full."""
    return _disjoint(a, b, "host") or differ_in_full(a, b)
