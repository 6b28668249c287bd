"""Decides groups of clusters that agree on a value and yet hold a conflict somewhere, one group at a time.

The fast path of `cluster` joins every group without conflict at once; what is left here is small. The rule is the same
for every order of input: a cluster that could go with two conflicting ones goes with neither and is reported, unless it is
at work and only one of them is, or retired and only one of them is: a name that was given to someone else leaves all that is
of its former owner behind.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

#: Above this many clusters on one value, or in one group, only the first are compared: a value shared like this by
#: clusters in conflict is no identifier, and pairs would be quadratic. Of the others each is told with the one before it.
BLOCK_LIMIT = 64
GROUP_LIMIT = 512


@dataclass(slots=True)
class Settlement:
    """What was decided about groups of clusters. Every entry names a value number and two clusters that share it.

    merged: clusters that become one. agreed: pairs that agree without conflict. vetoed: pairs with what kept them apart.
    ambiguous: a cluster and one of the conflicting ones it could belong to. undecided: pairs that agree without conflict
    and did not become one, where nothing above tells why.
    """

    merged: list[list[int]] = field(default_factory=list)
    agreed: list[tuple[int, int, int]] = field(default_factory=list)
    vetoed: list[tuple[int, int, int, str]] = field(default_factory=list)
    ambiguous: list[tuple[int, int, int]] = field(default_factory=list)
    undecided: list[tuple[int, int, int]] = field(default_factory=list)


def settle(
    blocks: dict[int, list[int]],
    conflict: Callable[[int, int], str | None],
    at_work: Callable[[int], bool],
    fits: Callable[[list[int]], bool] = lambda part: True,
    alike: Callable[[int, int], bool] = lambda one, other: True,
) -> Settlement:
    """Settles clusters that share values.

    blocks: value number -> its clusters. conflict(a, b): what is against it. at_work(a): whether anything of the cluster is
    not retired. fits(part): whether three and more of which no two are in conflict may be one together. alike(a, b): whether
    two that could both belong to either of two others may be one all the same.
    """
    settler = _Settler(conflict, at_work, fits, alike)
    for key in sorted(blocks):
        settler.compare(key, sorted(blocks[key]))
    settler.unite()
    return settler.result


class _Settler:
    """shares: of each cluster the others that it shares a value with and is not in conflict with, and the number of the
    value."""

    def __init__(
        self,
        conflict: Callable[[int, int], str | None],
        at_work: Callable[[int], bool],
        fits: Callable[[list[int]], bool],
        alike: Callable[[int, int], bool],
    ) -> None:
        self.result = Settlement()
        self.shares: dict[int, dict[int, int]] = {}
        self.conflict = conflict
        self.at_work = at_work
        self.fits = fits
        self.alike = alike
        self._known: dict[tuple[int, int], str | None] = {}

    def compare(self, key: int, sharing: list[int]) -> None:
        """Takes the clusters (ascending) that share a value."""
        self.result.undecided.extend((key, other, one) for one, other in itertools.pairwise(sharing[BLOCK_LIMIT - 1 :]))
        for one, other in itertools.combinations(sharing[:BLOCK_LIMIT], 2):
            reason = self._against(one, other)
            if reason is not None:
                self.result.vetoed.append((key, other, one, reason))
            else:
                self.shares.setdefault(one, {}).setdefault(other, key)
                self.shares.setdefault(other, {}).setdefault(one, key)

    def unite(self) -> None:
        """Decides which of them become one, and notes what nothing tells of those that do not."""
        result = self.result
        parts = [sorted(part) for part in self._parts_of(self.shares)]
        result.merged = [part for part in parts if len(part) == 2 or (len(part) > 2 and self.fits(part))]
        told = {frozenset((one, other)) for pairs in (result.ambiguous, result.vetoed) for _, one, other, *_ in pairs}
        part_of = {cluster: part[0] for part in result.merged for cluster in part}
        for one, others in self.shares.items():
            for other, key in others.items():
                if one < other:
                    result.agreed.append((key, other, one))
                    parted = part_of.get(one, one) != part_of.get(other, other)
                    if parted and frozenset((one, other)) not in told:
                        result.undecided.append((key, other, one))

    def _parts_of(self, clusters: Iterable[int]) -> list[list[int]]:
        """The clusters in parts without conflict, each of clusters that share values, directly or by way of others of it."""
        return [part for group in self._connected(clusters) for part in self._split(group)]

    def _split(self, group: list[int]) -> list[list[int]]:
        """Splits a connected group into parts without conflict."""
        if len(group) > GROUP_LIMIT:
            return _singly(group)
        torn = {
            cluster for pair in itertools.combinations(group, 2) if self._against(*pair) is not None for cluster in pair
        }
        if not torn:
            return [group]
        neutral = [cluster for cluster in group if cluster not in torn]
        return self._with_neutral(self._parts_of(torn), neutral) if neutral else self._by_work(group)

    def _by_work(self, group: list[int]) -> list[list[int]]:
        """Splits a group of which everyone is in conflict with someone: those at work may go together, and those that are
        retired."""
        working = [cluster for cluster in group if self.at_work(cluster)]
        retired = [cluster for cluster in group if not self.at_work(cluster)]
        if not working or not retired:
            return _singly(group)
        self._pass_over(working, retired)
        return self._parts_of(working) + self._parts_of(retired)

    def _with_neutral(self, parts: list[list[int]], neutral: list[int]) -> list[list[int]]:
        """Adds clusters that are in conflict with nobody to the parts of those that are. What could go with several parts
        goes with none, unless the retired or those at work among them leave one."""
        part_of = {cluster: number for number, part in enumerate(parts) for cluster in part}

        def near(clusters: list[int]) -> list[int]:
            """The parts that the clusters share values with."""
            return sorted({part_of[other] for one in clusters for other in self.shares[one] if other in part_of})

        def joined(numbers: list[int], clusters: list[int]) -> list[int]:
            return [cluster for number in numbers for cluster in parts[number]] + clusters

        def works(clusters: list[int]) -> bool:
            return any(map(self.at_work, clusters))

        # What goes with some without conflict comes before what could go with either of two: it may be what is at work of them.
        waiting = sorted(self._connected(neutral), key=lambda free: not self._at_peace(joined(near(free), free)))
        while waiting:
            free = waiting.pop(0)
            chosen = near(free)
            if not self._at_peace(joined(chosen, free)):
                # What is retired does not go with what is at work where something retired claims it as well.
                leaving = [
                    cluster
                    for cluster in free
                    if not self.at_work(cluster) and not all(works(parts[number]) for number in near([cluster]))
                ]
                staying = [cluster for cluster in free if cluster not in leaving]
                if leaving and staying:
                    waiting = self._connected(leaving) + self._connected(staying) + waiting
                    continue
                alike = [number for number in chosen if works(parts[number]) == works(free)]
                if len(alike) != 1 or not self._at_peace(joined(alike, free)):
                    parts.extend(self._connected(free, self.alike))
                    self.result.ambiguous.extend(
                        (key, one, other) for one in free for other, key in self.shares[one].items() if other in part_of
                    )
                    continue
                self._pass_over(free, joined([number for number in chosen if number not in alike], []))
                chosen = alike
            part = joined(chosen, free)
            for number in chosen:
                parts[number] = []
            part_of.update({cluster: len(parts) for cluster in part if cluster in part_of})
            parts.append(part)
        return [part for part in parts if part]

    def _pass_over(self, clusters: list[int], others: list[int]) -> None:
        """Notes that the clusters share values with others of which the one side is retired and the other at work."""
        left = set(others)
        self.result.vetoed.extend(
            (key, one, other, "retired") for one in clusters for other, key in self.shares[one].items() if other in left
        )

    def _at_peace(self, clusters: list[int]) -> bool:
        """Whether no two of them are in conflict."""
        return all(self._against(one, other) is None for one, other in itertools.combinations(clusters, 2))

    def _against(self, one: int, other: int) -> str | None:
        """What is against joining the two, found out once."""
        pair = (min(one, other), max(one, other))
        if pair not in self._known:
            self._known[pair] = self.conflict(*pair)
        return self._known[pair]

    def _connected(
        self, clusters: Iterable[int], alike: Callable[[int, int], bool] = lambda one, other: True
    ) -> list[list[int]]:
        """The clusters in groups of those that share values and are alike, directly or by way of others among them; sorted."""
        left = set(clusters)
        groups = []
        for first in sorted(left):
            if first not in left:
                continue
            group, reached = [], [first]
            left.discard(first)
            while reached:
                one = reached.pop()
                group.append(one)
                found = {other for other in left.intersection(self.shares.get(one, ())) if alike(one, other)}
                left -= found
                reached.extend(found)
            groups.append(sorted(group))
        return groups


def _singly(clusters: list[int]) -> list[list[int]]:
    return [[cluster] for cluster in clusters]
