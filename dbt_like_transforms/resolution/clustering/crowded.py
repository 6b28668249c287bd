"""Values of strong identifiers that many machines carry: dropped before any rule looks.

What a list of placeholders would have dropped, had it known it, must not keep a machine apart from its other records either.
What two or three share may be right on one of them: that is for the rules to decide, and it goes on to disagree. So it is
with two or three names that one product lists of it: a machine that was renamed may have an old entry. Four are machines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dbt_like_transforms.resolution.clustering.activity import DAY
from dbt_like_transforms.resolution.clustering.agreement import Agreement
from dbt_like_transforms.resolution.clustering.contests import at_odds
from dbt_like_transforms.resolution.clustering.facts import NO_KEY, NO_TIME, Edges, Shared
from dbt_like_transforms.resolution.clustering.integers import (
    Keys,
    Rows,
    among,
    begins,
    changes,
    distinct_count,
    mixed,
    sorted_unique,
)
from dbt_like_transforms.resolution.ladders.ladder import Rule

if TYPE_CHECKING:
    from dbt_like_transforms.resolution.clustering.cluster import Clusterer

#: More different values than this on one identifier are a bad identifier, not a question for a person.
FEW = 3


def drop_crowded(clusterer: Clusterer) -> None:
    """Drops them from the facts and the partition of a clusterer that has not begun yet, and notes why."""
    facts, ladder = clusterer.facts, clusterer.ladder
    found: list[tuple[Rule, Agreement, NDArray[np.int16]]] = []
    for rule in ladder.rules:
        if rule.identifier in ladder.crowded:
            shared = facts.edges[rule.identifier].shared()
            shared = shared.only((shared.sizes() > FEW) & ~clusterer.is_allowed(rule.identifier, shared.keys))
            against = _crowded(clusterer, rule, shared)
            bad = against > 0
            if bad.any():
                found.append((rule, _singly(shared).only(bad), against[bad]))
    # all are looked for first: none of them is evidence against another
    for rule, agreed, against in found:
        clusterer.notes.suppressed(rule, agreed, against)
    if found:
        facts.edges = dict(facts.edges)
    for rule, agreed, _ in found:
        edges = facts.edges[rule.identifier]
        gone = among(edges.keys, agreed.shown)
        carriers = sorted_unique(edges.rows[gone])
        _forget(clusterer, rule.identifier, ~gone, carriers)
        for name in ladder.crowded[rule.identifier]:
            _forget(clusterer, name, ~np.isin(facts.edges[name].rows, carriers), carriers)


def _crowded(clusterer: Clusterer, rule: Rule, shared: Shared) -> NDArray[np.int16]:
    """Of each value, which contest shows that many machines carry it, from 1 (see `Notes.suppressed`); 0 for none."""
    facts, partition = clusterer.facts, clusterer.partition
    against = np.zeros(len(shared.keys), np.int16)
    agreed = _singly(shared)
    in_question = {rule.identifier, *clusterer.ladder.crowded[rule.identifier]}
    single = partition.held[shared.rows]
    for number, name in enumerate((*rule.contest, "host"), start=1):
        limit = FEW
        if name == "host":
            if not rule.fan_out:
                continue
            limit, values = rule.fan_out, facts.full_print
            pairs = (shared.sizes() > limit)[shared.number] & (values[shared.rows] != NO_KEY)
            # what tells nothing but the value may be of any of the others
            pairs &= values[shared.rows] != shared.keys[shared.number]
        elif name in partition.bits:
            values = partition.low[name]
            pairs = partition.differing(name, single, shared.rows, agreed.key, len(shared.keys))[shared.number]
            pairs &= single & partition.bits[name] != 0
        else:
            continue
        pairs &= against[shared.number] == 0
        if rule.contest_at_work and name != "host":
            pairs &= facts.active[shared.rows]
        if not pairs.any():
            continue
        rows, value = shared.rows[pairs], agreed.key[pairs]
        many = distinct_count(value, values[rows], len(shared.keys)) > limit
        for one in np.flatnonzero(many).tolist():
            carriers = rows[np.searchsorted(value, one) : np.searchsorted(value, one, "right")]
            many[one] = _machines(clusterer, carriers, values[carriers], in_question | {name}) > limit
        if name in rule.successive and many.any():
            many = at_odds(clusterer, rule, name, agreed, many)
        against[many] = number
    against[_listed_at_once(clusterer, agreed) & (against == 0)] = len(rule.contest) + 1
    return against


def _listed_at_once(clusterer: Clusterer, agreed: Agreement) -> NDArray[np.bool_]:
    """Of each value: whether one product lists more than FEW machines with it, told apart by `Ladder.listed`, that were
    last seen at the same time."""
    facts, sources = clusterer.facts, int(clusterer.facts.source.max(initial=0)) + 1
    found = np.zeros(len(agreed), np.bool_)
    prints = facts.listed[agreed.row]
    pairs = facts.active[agreed.row] & (prints != NO_KEY) & (prints != agreed.shown[agreed.key])
    rows, listing = agreed.row[pairs], agreed.key[pairs] * sources + facts.source[agreed.row[pairs]]
    order = np.argsort(listing, kind="stable")
    rows, listing = rows[order], listing[order]
    starts = begins(listing)
    if not len(starts):
        return found
    number = np.cumsum(changes(listing)) - 1
    last = facts.last[rows]
    newest = np.maximum.reduceat(last, starts)[number]
    together = (last == NO_TIME) | (newest - last < clusterer.vetoes.activity.clocks.together * DAY)
    rows, number = rows[together], number[together]
    many = distinct_count(number, facts.listed[rows], len(starts)) > FEW
    found[listing[starts[many]] // sources] = True
    return found


def _machines(clusterer: Clusterer, rows: Rows, values: Keys, but: set[str]) -> int:
    """How many different values the rows have, each machine counted with one of its own.

    but: identifiers that are in question. Records of one directory object are one machine, however often it was set up.
    """
    partition = clusterer.partition
    owner = mixed(rows.astype(np.uint64), np.zeros(len(rows), np.uint64))
    for name in reversed(clusterer.ladder.one_by):
        if name not in but and name in partition.bits:
            has = partition.held[rows] & partition.bits[name] != 0
            owner[has] = partition.low[name][rows[has]]
    order = np.lexsort((values, owner))
    return len(sorted_unique(values[order[begins(owner[order])]]))


def _forget(clusterer: Clusterer, name: str, kept: NDArray[np.bool_], carriers: Rows) -> None:
    """Leaves only some of the identifier's edges. carriers: the records that lose a value."""
    edges = clusterer.facts.edges[name]
    clusterer.facts.edges[name] = left = Edges(edges.rows[kept], edges.keys[kept])
    if name == "agent":
        clusterer.facts.agent_products = clusterer.facts.agent_products[kept]
    if name in clusterer.partition.bits:
        clusterer.partition.forget(name, left, carriers)


def _singly(shared: Shared) -> Agreement:
    """The values and who carries them while every record is a cluster of its own."""
    nothing = np.full(len(shared.keys), NO_KEY, np.uint64)
    return Agreement(shared.rows, shared.rows, shared.number.astype(np.int64), shared.starts, shared.keys, nothing)
