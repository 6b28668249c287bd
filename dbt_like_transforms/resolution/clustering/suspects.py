"""Groups of clusters in which a special veto might strike, found over all records at once; `vetoes` looks at these one by one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from dbt_like_transforms.resolution.clustering.activity import DAY, Clocks
from dbt_like_transforms.resolution.clustering.facts import NO_TIME, Facts
from dbt_like_transforms.resolution.clustering.integers import (
    Flags,
    Keys,
    Rows,
    among,
    begins,
    mixed,
    repeated,
    sorted_unique,
)
from dbt_like_transforms.resolution.clustering.views import (
    BUILT,
    CARRIED,
    COMPARED_IN_ONE_PRODUCT,
    COMPARED_WITHIN,
    LISTED,
    TOLD_APART,
)
from dbt_like_transforms.resolution.ladders.ladder import Special


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups of clusters, numbered from 0. label: of each row its cluster. number: of each row the group of that, -1 for
    none. size: how many groups there are."""

    label: Rows
    number: Rows
    size: int

    def only(self, found: Flags) -> Groups:
        """The groups that are marked; their numbers stay."""
        return replace(self, number=np.where(np.append(found, False)[self.number], self.number, np.int32(-1)))

    def marked(self, numbers: NDArray[np.integer]) -> Flags:
        """Marks the groups of these numbers; -1 is none."""
        found = np.zeros(self.size + 1, np.bool_)
        found[numbers] = True
        return found[:-1]


class Suspects:
    """Never misses a group that `Vetoes` would find in conflict; may suspect too many."""

    def __init__(self, facts: Facts, clocks: Clocks) -> None:
        self.facts = facts
        self.clocks = clocks

    def within(self, special: Special, groups: Groups, unusable: dict[str, Keys]) -> Flags:
        """For each group: whether the special veto could strike inside it. unusable: see `view_clusters`."""
        if special in CARRIED:
            carried = groups.marked(groups.number[self.facts.edges[CARRIED[special]].rows])
            if not carried.any():
                return carried
            groups = groups.only(carried)
        match special:
            case "mac" | "fqdn":
                return self._disjoint(special, groups, unusable)
            case "names" | "counted" | "enclosed":
                return self._unlike(groups, unusable)
            case "source":
                return self._in_one_product_at_once(groups)
            case "source_any":
                return self._in_one_product(groups)
            case "source_unlike":
                listed = self._in_one_product(groups)
                unlike = [self._disjoint_among(listed, name, groups, unusable) for name in TOLD_APART]
                return np.logical_or.reduce(unlike)
            case "main_other" | "okta_other":
                compared = COMPARED_IN_ONE_PRODUCT[special]
                return self._disjoint_among(self._in_one_product(groups), compared, groups, unusable)
            case "agent":
                return self._two_agents(groups)
            case "time":
                return self._apart_in_time(groups) | self._given_up(groups)
            case "clone" | "clone_blade":
                return self._cloned(groups, unusable)
            case "clone_same_source" | "clone_image":
                return self._cloned(groups.only(self._listed_twice(groups)), unusable, LISTED)
            case "clone_agents":
                return self._two_agents(groups.only(self._unlike(groups, unusable)))
            case "clone_unnamed":
                return self._disjoint_among(self._in_one_product_at_once(groups), "mac", groups, unusable)
            case "domain" | "employee_other" | "login_other":
                return self._differ_within(*COMPARED_WITHIN[special], groups)
            case "passed_on":
                return self._disjoint_among(self._half_retired(groups), "main", groups, unusable)
            case _:
                assert_never(special)

    # -- values ---------------------------------------------------------------------------------------------------------
    def _disjoint(self, name: str, groups: Groups, unusable: dict[str, Keys]) -> Flags:
        """Groups in which two clusters have usable values of the identifier, and no value is common to all that have any."""
        edges = self.facts.edges[name]
        inside = np.flatnonzero((groups.number >= 0)[edges.rows])
        dropped = unusable.get(name)
        if dropped is not None and len(dropped):
            inside = inside[~among(edges.keys[inside], dropped)]
        rows = edges.rows[inside]
        return _nothing_common(groups.number[rows], groups.label[rows], edges.keys[inside], groups.size)

    def _disjoint_among(self, found: Flags, name: str, groups: Groups, unusable: dict[str, Keys]) -> Flags:
        """Those of the groups found so far, see `_disjoint`."""
        return self._disjoint(name, groups.only(found), unusable) if found.any() else found

    def _unlike(self, groups: Groups, unusable: dict[str, Keys]) -> Flags:
        """Groups in which the names of two clusters may differ, see `views.unlike`."""
        found = self._disjoint("host", groups, unusable)
        if len(self.facts.edges["longname"].rows):
            found |= self._disjoint("longname", groups, unusable)
        return found

    def _cloned(self, groups: Groups, unusable: dict[str, Keys], built: tuple[str, ...] = BUILT) -> Flags:
        """Groups in which names may differ, and cards or boards as well."""
        named = groups.only(self._unlike(groups, unusable))
        found = np.zeros(groups.size, np.bool_)
        for name in built:
            found |= self._disjoint(name, named, unusable)
        return found

    def _differ_within(self, value: str, within: str, groups: Groups) -> Flags:
        """Groups in which two clusters have different values where another identifier agrees."""
        values, agreeing = self.facts.edges[value], self.facts.edges[within]
        # who has the one has the other, and only once
        places = np.flatnonzero((groups.number >= 0)[values.rows])
        number = groups.number[values.rows[places]]
        twice = _seen_twice(number, agreeing.keys[places], values.keys[places])
        return groups.marked(number[twice >= 0])

    # -- activity -------------------------------------------------------------------------------------------------------
    def _half_retired(self, groups: Groups) -> Flags:
        """Groups with a cluster at work and one that is retired."""
        rows = np.flatnonzero(groups.number >= 0)
        working = np.zeros(self.facts.count, np.bool_)
        working[groups.label[rows[self.facts.active[rows]]]] = True
        at_work = working[groups.label[rows]]
        return groups.marked(groups.number[rows[at_work]]) & groups.marked(groups.number[rows[~at_work]])

    def _listed_twice(self, groups: Groups) -> Flags:
        """Groups of which one product instance has two active records: of one cluster or of two, which costs less to tell."""
        rows = np.flatnonzero((groups.number >= 0) & self.facts.active)
        sources = int(self.facts.source.max(initial=0)) + 1
        listed = np.sort(groups.number[rows].astype(np.int64) * sources + self.facts.source[rows])
        return groups.marked(listed[1:][listed[1:] == listed[:-1]] // sources)

    def _by_product(self, groups: Groups) -> tuple[NDArray[np.integer], NDArray[np.int64]]:
        """Active rows of the groups, and of each the number of its product instance within its group where that has rows of
        two clusters, else -1."""
        rows = np.flatnonzero((groups.number >= 0) & self.facts.active)
        return rows, _seen_twice(groups.number[rows], self.facts.source[rows], groups.label[rows])

    def _in_one_product(self, groups: Groups) -> Flags:
        """Groups in which one product instance has active records of two clusters."""
        rows, product = self._by_product(groups)
        return groups.marked(groups.number[rows[product >= 0]])

    def _in_one_product_at_once(self, groups: Groups) -> Flags:
        """The same of records that may have been at work at the same time."""
        rows, product = self._by_product(groups)
        return groups.marked(self._at_once_among(rows, groups.number[rows], product))

    def _two_agents(self, groups: Groups) -> Flags:
        """Groups in which two installations of one product may have been at work at the same time."""
        edges = self.facts.edges["agent"]
        inside = np.flatnonzero(((groups.number >= 0) & self.facts.active)[edges.rows])
        rows, keys = edges.rows[inside], edges.keys[inside]
        number = groups.number[rows]
        product = _seen_twice(number, self.facts.agent_products[inside], groups.label[rows])
        two = product >= 0
        differ = _nothing_common(product[two], groups.label[rows[two]], keys[two], int(product.max(initial=0)) + 1)
        product[~np.append(differ, False)[product]] = -1
        return groups.marked(self._at_once_among(rows, number, product))

    def _at_once_among(self, rows: NDArray[np.integer], group: Rows, sets: NDArray[np.int64]) -> Rows:
        """Groups with two rows of one set that might be active at the same time. sets: of each row its set, -1 for none."""
        known = (sets >= 0) & (self.facts.first[rows] != NO_TIME) & (self.facts.last[rows] != NO_TIME)
        timeless = group[(sets >= 0) & ~known]
        rows, group, sets = rows[known], group[known], sets[known]
        first, last = self.facts.first[rows], self.facts.last[rows]
        order = np.lexsort((last, sets))
        near = (np.diff(sets[order]) == 0) & (np.diff(last[order]) <= self.clocks.together * DAY)
        close = group[order[1:][near]]
        order = np.lexsort((first, sets))
        # the latest end so far within the set: sets lie further apart than any two times
        begin, end = (times[order] + (sets[order] << 40) for times in (first, last))
        over = (np.diff(sets[order]) == 0) & (begin[1:] < np.maximum.accumulate(end)[:-1])
        return np.concatenate([timeless, close, group[order[1:][over]]])

    def _apart_in_time(self, groups: Groups) -> Flags:
        """Groups in which one cluster may have been gone long before another one appeared or was last seen."""
        rows, size = np.flatnonzero(groups.number >= 0), groups.size
        group, first, last = groups.number[rows], self.facts.first[rows], self.facts.last[rows]
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

    def _given_up(self, groups: Groups) -> Flags:
        """Groups with something retired and more than one name."""
        retired = groups.marked(groups.number[~self.facts.active])
        if not retired.any():
            return retired
        edges, number = self.facts.edges["host"], groups.only(retired).number
        inside = np.flatnonzero((number >= 0)[edges.rows])
        owner = number[edges.rows[inside]]
        order = np.lexsort((edges.keys[inside], owner))
        owner, keys = owner[order], edges.keys[inside][order]
        return groups.marked(owner[1:][(owner[1:] == owner[:-1]) & (keys[1:] != keys[:-1])])


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
