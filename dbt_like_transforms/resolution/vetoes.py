"""What forbids a merge: different values of a stronger identifier, two agents at work at the same time, time itself."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dbt_like_transforms.resolution.facts import NO_TIME, Facts
from dbt_like_transforms.resolution.integers import Flags, Keys, Rows, among, begins, mixed, repeated, sorted_unique
from dbt_like_transforms.resolution.ladder import Rule, Special
from dbt_like_transforms.resolution.succession import NEEDS_NAME, Succession, differ_in_full

DAY = 86_400

#: Vetoes by values that can only be compared where another identifier agrees: two numbers of one form, two SIDs or
#: addresses of one domain. Veto -> identifier, what has to agree.
COMPARED_WITHIN: dict[str, tuple[str, str]] = {
    "domain": ("sid", "sid_domain"),
    "employee_other": ("employee", "employee_form"),
    "login_other": ("login", "login_domain"),
}

#: Vetoes that only strike where somebody carries an identifier.
CARRIED = {"clone_blade": "blade", "clone_image": "sid_machine", "counted": "counted", "enclosed": "enclosed"}

#: Rules by these agree on a name of this kind: what goes by other names alone tells nothing of its time.
TIMED_BY = {"fqdn": "host", "nbname": "host"}

#: Two records of one product that differ in none of these are one account listed twice.
TOLD_APART = ("employee", "host", "own_upn")


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

    names: row -> its names, where the rule asks for the time of a name. agents: kind -> value -> rows.
    """

    values: dict[str, set[int]] = field(default_factory=dict)
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

    # -- groups that need a closer look -----------------------------------------------------------------------------
    def suspects(self, special: Special, label: Rows, group: Rows, size: int, unusable: dict[str, Keys]) -> Flags:
        """For each group: whether the veto could strike inside it. Never misses one; may suspect too much.

        label, group: of each row its cluster, and the group of that, -1 for those not in question.
        """
        found = np.zeros(size, np.bool_)
        if special in ("mac", "fqdn"):
            found = self._maybe_disjoint(special, label, group, size, unusable)
        elif special == "names":
            found = self._maybe_unlike(label, group, size, unusable)
        elif special in ("source", "source_any", "source_unlike"):
            rows = np.flatnonzero((group >= 0) & self.facts.active)
            twice = _seen_twice(group[rows], self.facts.source[rows], label[rows])
            found[self._at_once_among(rows, group[rows], twice) if special == "source" else group[rows[twice >= 0]]] = (
                True
            )
        elif special == "clone_unnamed":
            rows = np.flatnonzero((group >= 0) & self.facts.active)
            twice = _seen_twice(group[rows], self.facts.source[rows], label[rows])
            found[self._at_once_among(rows, group[rows], twice)] = True
            if found.any():
                group = np.where(np.append(found, False)[group], group, np.int32(-1))
                found = self._maybe_disjoint("mac", label, group, size, unusable)
        elif special == "agent":
            edges = self.facts.edges["agent"]
            inside = np.flatnonzero(((group >= 0) & self.facts.active)[edges.rows])
            carriers = edges.rows[inside]
            group = group[carriers]
            sets = _seen_twice(group, self.facts.agent_kinds[inside], label[carriers])
            two = np.flatnonzero(sets >= 0)
            differ = _nothing_common(
                sets[two], label[carriers[two]], edges.keys[inside[two]], int(sets.max(initial=0)) + 1
            )
            sets[two[~differ[sets[two]]]] = -1
            found[self._at_once_among(carriers, group, sets)] = True
        elif special in COMPARED_WITHIN:
            value, within = (self.facts.edges[name] for name in COMPARED_WITHIN[special])
            # who has the one has the other, and only once
            rows = np.flatnonzero((group >= 0)[value.rows])
            carriers = value.rows[rows]
            twice = _seen_twice(group[carriers], within.keys[rows], value.keys[rows])
            found[group[carriers[twice >= 0]]] = True
        elif special == "time":
            rows = np.flatnonzero(group >= 0)
            found = self._apart_in_time(rows, group[rows], size)
            found |= self._maybe_given_up(group, size)
        else:
            if special in CARRIED:
                carried = np.zeros(size + 1, np.bool_)
                carried[group[self.facts.edges[CARRIED[special]].rows]] = True
                carried[-1] = False
                if not carried.any():
                    return found
                group = np.where(carried[group], group, np.int32(-1))
            if special in ("clone_same_source", "clone_image"):
                group = np.where(np.append(self._listed_twice(group, size), False)[group], group, np.int32(-1))
            found = self._maybe_unlike(label, group, size, unusable)
            if found.any() and special not in ("counted", "enclosed"):
                group = np.where(np.append(found, False)[group], group, np.int32(-1))
                found = self._maybe_disjoint("mac", label, group, size, unusable)
        return found

    def _listed_twice(self, group: Rows, size: int) -> Flags:
        """Groups of which one product instance has two active records."""
        rows = np.flatnonzero((group >= 0) & self.facts.active)
        sources = int(self.facts.source.max(initial=0)) + 1
        listed = np.sort(group[rows].astype(np.int64) * sources + self.facts.source[rows])
        found = np.zeros(size, np.bool_)
        found[listed[1:][listed[1:] == listed[:-1]] // sources] = True
        return found

    def _maybe_unlike(self, label: Rows, group: Rows, size: int, unusable: dict[str, Keys]) -> Flags:
        """Groups in which the names of two clusters may differ, see `_unlike`."""
        found = self._maybe_disjoint("host", label, group, size, unusable)
        if len(self.facts.edges["longname"].rows):
            found |= self._maybe_disjoint("longname", label, group, size, unusable)
        return found

    def _maybe_disjoint(self, name: str, label: Rows, group: Rows, size: int, unusable: dict[str, Keys]) -> Flags:
        """Groups in which two clusters have usable values of the identifier, and no value is common to all that have any."""
        edges = self.facts.edges[name]
        inside = np.flatnonzero((group >= 0)[edges.rows])
        dropped = unusable.get(name)
        if dropped is not None and len(dropped):
            inside = inside[~among(edges.keys[inside], dropped)]
        rows = edges.rows[inside]
        return _nothing_common(group[rows], label[rows], edges.keys[inside], size)

    def _at_once_among(self, rows: NDArray[np.integer], group: Rows, sets: NDArray[np.int64]) -> Rows:
        """Groups with two rows of one set that might be active at the same time; sets[i]: number of a set, -1 for none."""
        inside = np.flatnonzero(sets >= 0)
        rows, group, sets = rows[inside], group[inside], sets[inside]
        first, last = self.facts.first[rows], self.facts.last[rows]
        unknown = (first == NO_TIME) | (last == NO_TIME)
        found = unknown.copy()
        order = np.lexsort((last, sets))
        near = (np.diff(sets[order]) == 0) & (np.diff(last[order]) <= self.clocks.together * DAY)
        found[order[1:][near]] = True
        order = np.lexsort((first, sets))
        # the latest end so far within the set: sets lie further apart than any two times
        apart = np.int64(1) << 40
        ends = np.maximum.accumulate(np.where(unknown, 0, last)[order] + sets[order] * apart)
        overlaps = (np.diff(sets[order]) == 0) & (
            np.where(unknown, 0, first)[order][1:] + sets[order][1:] * apart < ends[:-1]
        )
        found[order[1:][overlaps]] = True
        return group[found]

    def _apart_in_time(self, rows: NDArray[np.integer], group: Rows, size: int) -> Flags:
        first, last = self.facts.first[rows], self.facts.last[rows]
        known = last != NO_TIME
        top, bottom = np.iinfo(np.int64).max, np.iinfo(np.int64).min
        earliest_end = np.full(size, top, np.int64)
        latest_end = np.full(size, bottom, np.int64)
        latest_start = np.full(size, bottom, np.int64)
        np.minimum.at(earliest_end, group[known], last[known])
        np.maximum.at(latest_end, group[known], last[known])
        np.maximum.at(latest_start, group[known], first[known])
        some = earliest_end != top
        limit = self.clocks.successor * DAY
        found = np.zeros(size, np.bool_)
        found[some] = (latest_start[some] - earliest_end[some] > limit) | (
            latest_end[some] - earliest_end[some] > self.clocks.stale * DAY
        )
        return found

    def _maybe_given_up(self, group: Rows, size: int) -> Flags:
        """Groups with something retired and more than one name."""
        retired = np.zeros(size + 1, np.bool_)
        retired[group[~self.facts.active]] = True
        retired[-1] = False
        found = np.zeros(size, np.bool_)
        if retired.any():
            edges = self.facts.edges["host"]
            inside = np.flatnonzero(retired[group[edges.rows]])
            owner = group[edges.rows[inside]]
            order = np.lexsort((edges.keys[inside], owner))
            owner, keys = owner[order], edges.keys[inside][order]
            found[owner[1:][(owner[1:] == owner[:-1]) & (keys[1:] != keys[:-1])]] = True
        return found

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
        names |= {special for special in rule.special if special in ("mac", "fqdn")}
        if {"clone", "clone_unnamed", "clone_same_source", "clone_image", "names", "counted", "enclosed"} & set(
            rule.special
        ):
            names |= {"mac", "host", "longname"}
        names |= {CARRIED[special] for special in rule.special if special in CARRIED}
        if NEEDS_NAME & set(rule.successive):
            names |= {"host", "longname"}
        if "source_unlike" in rule.special:
            names |= set(TOLD_APART)
        if "login_other" in rule.special:
            names |= {"upn", "address"}
        for special in rule.special:
            names |= set(COMPARED_WITHIN.get(special, ()))
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
        if special == "names":
            return _unlike(a, b) and a.values.get("mac") != b.values.get("mac")
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
            if not known:
                return False  # unknown times count as the same, here as well
            spans.append((min(int(facts.first[row]) for row in known), max(int(facts.last[row]) for row in known)))
        (_, end), (start, late_end) = sorted(spans, key=lambda span: span[1])
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
    left, right = a.values.get(name), b.values.get(name)
    return bool(left) and bool(right) and not left & right  # type: ignore[operator]


def _unlike(a: View, b: View) -> bool:
    """Whether their names differ: in the first 15 characters, or behind them where both are known in full."""
    return _disjoint(a, b, "host") or differ_in_full(a, b)


def _nothing_common(group: NDArray[np.integer], cluster: Rows, keys: Keys, size: int) -> Flags:
    """For each group: whether two clusters have values in it and no value is common to all that have any."""
    # two numbers in one integer: sorting values costs half of sorting places
    clusters = sorted_unique(group.astype(np.int64) << 32 | cluster) >> 32
    having = np.bincount(clusters, minlength=size)
    several = having[group] > 1
    group, cluster, keys = group[several], cluster[several], keys[several]
    place, number, _ = repeated(mixed(group.astype(np.uint64), keys))
    group = group[place[begins(number)]]
    carriers = np.bincount(sorted_unique(number.astype(np.int64) << 32 | cluster[place]) >> 32, minlength=len(group))
    # a value that comes once has one carrier
    most = np.ones(size, np.int64)
    np.maximum.at(most, group, carriers)
    found: Flags = (having > 1) & (most < having)
    return found


def _seen_twice(group: Rows, kind: NDArray[np.generic], value: NDArray[np.generic]) -> NDArray[np.int64]:
    """For each place: a number of its group and kind where that kind comes with two different values there, else -1."""
    sets = np.full(len(group), -1, np.int64)
    if not len(group):
        return sets
    order = np.lexsort((value, kind, group))
    group, kind, value = group[order], kind[order], value[order]
    fresh = np.ones(len(group), np.bool_)
    fresh[1:] = (group[1:] != group[:-1]) | (kind[1:] != kind[:-1])
    number = np.cumsum(fresh) - 1
    differs = ~fresh[1:] & (value[1:] != value[:-1])
    several = np.zeros(int(number[-1]) + 1, np.bool_)
    several[number[1:][differs]] = True
    sets[order] = np.where(several[number], number, -1)
    return sets
