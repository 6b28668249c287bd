"""Groups of clusters in which a special veto might strike, found over all records at once; `vetoes` looks at these one by one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dbt_like_transforms.resolution.facts import NO_TIME, Facts
from dbt_like_transforms.resolution.integers import Flags, Keys, Rows, among, begins, mixed, repeated, sorted_unique
from dbt_like_transforms.resolution.ladder import CARRIED, COMPARED_WITHIN, Special
from dbt_like_transforms.resolution.vetoes import DAY, Clocks


class Suspects:
    """Never misses a group that `Vetoes` would find in conflict; may suspect too many."""

    def __init__(self, facts: Facts, clocks: Clocks) -> None:
        self.facts = facts
        self.clocks = clocks

    def within(self, special: Special, label: Rows, group: Rows, size: int, unusable: dict[str, Keys]) -> Flags:
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
        elif special == "passed_on":
            inside = np.flatnonzero(group >= 0)
            working = np.zeros(self.facts.count, np.bool_)
            working[label[inside[self.facts.active[inside]]]] = True
            at_work = working[label[inside]]
            gone = np.zeros(size, np.bool_)
            found[group[inside[at_work]]] = True
            gone[group[inside[~at_work]]] = True
            found &= gone
            if found.any():
                found &= self._maybe_disjoint("main", label, group, size, unusable)
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
        np.maximum.at(latest_start, group, first)  # some tell their beginning alone
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
