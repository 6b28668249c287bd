"""Values that identify nothing, found while clustering: stronger identifiers or names tell those apart that carry them."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dbt_like_transforms.resolution.clustering.agreement import Agreement
from dbt_like_transforms.resolution.clustering.facts import NO_KEY
from dbt_like_transforms.resolution.clustering.integers import Flags, distinct_count, sorted_unique
from dbt_like_transforms.resolution.clustering.partition import Bits
from dbt_like_transforms.resolution.clustering.settle import BLOCK_LIMIT
from dbt_like_transforms.resolution.clustering.views import common
from dbt_like_transforms.resolution.ladders.ladder import Rule

if TYPE_CHECKING:
    from dbt_like_transforms.resolution.clustering.cluster import Clusterer

#: Ids that one machine may have been given one after the other, a new one every day: as many as are compared when they are joined.
SUCCESSORS = BLOCK_LIMIT


def contested(clusterer: Clusterer, rule: Rule, agreed: Agreement) -> NDArray[np.int16]:
    """Of each value of the rule: which contest shows it to be no identifier, from 1; one more than there are for names; 0 for
    none, or where a person declared it to be real."""
    partition = clusterer.partition
    against = np.zeros(len(agreed), np.int16)
    # A cluster with several values (a machine rebuilt daily) says nothing about this value.
    single = partition.held[agreed.cluster] & ~partition.several[agreed.cluster]
    if rule.contest_at_work:
        single[~partition.with_any(clusterer.facts.active)[agreed.cluster]] = 0
    for number, name in enumerate(rule.contest, start=1):
        more = _distinct_more_than(clusterer, rule.max_distinct, name, single, agreed)
        if name in rule.successive and more.any():
            more = at_odds(clusterer, rule, name, agreed, more)
        against[more & (against == 0)] = number
    if rule.fan_out:
        against[_fans_out(clusterer, rule, agreed) & (against == 0)] = len(rule.contest) + 1
    against[clusterer.is_allowed(rule.identifier, agreed.shown)] = 0
    return against


def _distinct_more_than(clusterer: Clusterer, limit: int, name: str, single: Bits, agreed: Agreement) -> Flags:
    """For each value: whether its clusters hold more than `limit` different values of the identifier `name`.

    single: what each cluster has one value of.
    """
    partition = clusterer.partition
    several = partition.differing(name, single, agreed.cluster, agreed.key, len(agreed))
    if limit <= 1 or not several.any():
        return several
    pairs = several[agreed.key] & (single & partition.bits[name] != 0)
    values = partition.low[name][agreed.cluster[pairs]]
    return distinct_count(agreed.key[pairs], values, len(agreed)) > limit


def at_odds(clusterer: Clusterer, rule: Rule, name: str, agreed: Agreement, more: Flags) -> Flags:
    """Of the values marked in `more`: those whose clusters did not simply follow one another with new ids.

    name: one of `rule.successive`. Of what more than SUCCESSORS clusters carry nobody asks.
    """
    partition = clusterer.partition
    has = partition.held[agreed.cluster] & partition.bits[name] != 0
    chosen = has & more[agreed.key]
    few = np.bincount(agreed.key[chosen], minlength=len(agreed)) <= SUCCESSORS
    chosen &= few[agreed.key]
    carriers: dict[int, list[int]] = {}
    for key, cluster in zip(agreed.key[chosen].tolist(), agreed.cluster[chosen].tolist(), strict=True):
        carriers.setdefault(key, []).append(cluster)
    if not carriers:
        return more
    views = clusterer.views(sorted_unique(agreed.cluster[chosen]), rule)
    kept = more.copy()
    for key, clusters in carriers.items():
        pairs = itertools.combinations([views[cluster] for cluster in clusters], 2)
        kept[key] = not all(
            common(one, other, name) or clusterer.vetoes.succession.succeeded(name, one, other) for one, other in pairs
        )
    return kept


def _fans_out(clusterer: Clusterer, rule: Rule, agreed: Agreement) -> Flags:
    """For each value: whether it is seen with more than `rule.fan_out` different names, cards or agents beside it."""
    large = agreed.sizes() > rule.fan_out
    if not large.any():
        return large
    prints = clusterer.facts.full_print[agreed.row]
    pairs = large[agreed.key] & (prints != NO_KEY) & (prints != agreed.shown[agreed.key])
    return distinct_count(agreed.key[pairs], prints[pairs], len(agreed)) > rule.fan_out
