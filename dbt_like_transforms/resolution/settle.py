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
    blocks: dict[int, list[int]], conflict: Callable[[int, int], str | None], at_work: Callable[[int], bool]
) -> Settlement:
    """Settles clusters that share values.

    blocks: value number -> its clusters. conflict(a, b): what is against it. at_work(a): whether anything of the cluster is
    not retired.
    """
    result = Settlement()
    shares: dict[int, dict[int, int]] = {}
    known: dict[tuple[int, int], str | None] = {}

    def against(a: int, b: int) -> str | None:
        pair = (a, b) if a < b else (b, a)
        if pair not in known:
            known[pair] = conflict(*pair)
        return known[pair]

    for key in sorted(blocks):
        sharing = sorted(blocks[key])
        result.undecided.extend((key, other, one) for one, other in itertools.pairwise(sharing[BLOCK_LIMIT - 1 :]))
        members = sharing[:BLOCK_LIMIT]
        for place, one in enumerate(members):
            for other in members[place + 1 :]:
                reason = against(one, other)
                if reason is not None:
                    result.vetoed.append((key, other, one, reason))
                else:
                    shares.setdefault(one, {}).setdefault(other, key)
                    shares.setdefault(other, {}).setdefault(one, key)
    for group in _connected(sorted(shares), shares):
        for merged in _unite(group, shares, against, at_work, result):
            if len(merged) > 1:
                result.merged.append(sorted(merged))
    told = {frozenset((one, other)) for pairs in (result.ambiguous, result.vetoed) for _, one, other, *_ in pairs}
    part = {cluster: merged[0] for merged in result.merged for cluster in merged}
    for one, others in shares.items():
        pairs = [(key, other, one) for other, key in others.items() if one < other]
        result.agreed.extend(pairs)
        result.undecided.extend(
            (key, other, one)
            for key, other, _ in pairs
            if part.get(one, one) != part.get(other, other) and frozenset((one, other)) not in told
        )
    return result


def _unite(
    group: list[int],
    shares: dict[int, dict[int, int]],
    against: Callable[[int, int], str | None],
    at_work: Callable[[int], bool],
    result: Settlement,
) -> list[list[int]]:
    """Splits a connected group into sets without conflict; ambiguous clusters stay alone."""
    if len(group) == 1:
        return [group]
    if len(group) > GROUP_LIMIT:
        return [[cluster] for cluster in group]
    torn = {
        cluster
        for place, one in enumerate(group)
        for other in group[place + 1 :]
        if against(one, other) is not None
        for cluster in (one, other)
    }
    if not torn:
        return [group]
    neutral = [cluster for cluster in group if cluster not in torn]
    if not neutral:
        working, retired = _sides(group, at_work)
        if not working or not retired:
            return [[cluster] for cluster in group]
        _pass_over(set(retired), working, shares, result)
        pieces = [piece for side in (working, retired) for piece in _connected(side, shares)]
        return [part for piece in pieces for part in _unite(piece, shares, against, at_work, result)]
    sets = [
        part for piece in _connected(sorted(torn), shares) for part in _unite(piece, shares, against, at_work, result)
    ]
    owner = {cluster: number for number, part in enumerate(sets) for cluster in part}

    def near_to(clusters: list[int]) -> list[int]:
        return sorted({owner[other] for cluster in clusters for other in shares[cluster] if other in owner})

    def together(numbers: list[int], clusters: list[int]) -> list[int]:
        return [cluster for number in numbers for cluster in sets[number]] + clusters

    def works(number: int) -> bool:
        return any(map(at_work, sets[number]))

    waiting = _connected(neutral, shares)
    while waiting:
        free = waiting.pop(0)
        near = near_to(free)
        if not _at_peace(together(near, free), against):
            # What is retired does not go with what is at work where something retired claims it as well.
            leaving = [
                cluster
                for cluster in free
                if not at_work(cluster) and not all(works(number) for number in near_to([cluster]))
            ]
            staying = [cluster for cluster in free if cluster not in leaving]
            if leaving and staying:
                waiting = _connected(leaving, shares) + _connected(staying, shares) + waiting
                continue
            alive = any(map(at_work, free))
            alike = [number for number in near if works(number) == alive]
            if len(alike) == 1 and _at_peace(together(alike, free), against):
                _pass_over(set(together([number for number in near if number not in alike], [])), free, shares, result)
                near = alike
            else:
                sets.append(free)
                for cluster in free:
                    result.ambiguous.extend(
                        (key, cluster, other) for other, key in shares[cluster].items() if other in owner
                    )
                continue
        number = near[0] if near else len(sets)
        if not near:
            sets.append([])
        sets[number] = joined = together(near, free)
        for other in near[1:]:
            sets[other] = []
        owner.update({cluster: number for cluster in joined if cluster in owner})
    return [part for part in sets if part]


def _sides(clusters: list[int], at_work: Callable[[int], bool]) -> tuple[list[int], list[int]]:
    """Those at work, and those retired."""
    working = [cluster for cluster in clusters if at_work(cluster)]
    return working, [cluster for cluster in clusters if cluster not in working]


def _pass_over(others: set[int], free: list[int], shares: dict[int, dict[int, int]], result: Settlement) -> None:
    """Notes that the free clusters share values with others of which the one side is retired and the other at work."""
    for cluster in free:
        result.vetoed.extend(
            (key, cluster, other, "retired") for other, key in shares[cluster].items() if other in others
        )


def _at_peace(clusters: list[int], against: Callable[[int, int], str | None]) -> bool:
    return all(against(one, other) is None for place, one in enumerate(clusters) for other in clusters[place + 1 :])


def _connected(clusters: Iterable[int], shares: dict[int, dict[int, int]]) -> list[list[int]]:
    """Connected parts of the given clusters, using only links between them; sorted."""
    ordered = sorted(clusters)
    left = set(ordered)
    parts = []
    for first in ordered:
        if first not in left:
            continue
        stack = [first]
        left.discard(first)
        part = []
        while stack:
            one = stack.pop()
            part.append(one)
            for other in shares.get(one, ()):
                if other in left:
                    left.discard(other)
                    stack.append(other)
        parts.append(sorted(part))
    return parts
