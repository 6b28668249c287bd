"""Clusters records rung by rung over integers: agree on a value, be compatible on everything stronger, then join.

Nothing depends on the order of the input: rows are numbered by first seen and record key, every step works on sets,
and where a set has no single answer nothing is joined.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dbt_like_transforms.resolution.clustering.activity import Clocks
from dbt_like_transforms.resolution.clustering.agreement import Agreement, agreements, equal_pairs, groups_of
from dbt_like_transforms.resolution.clustering.contests import contested
from dbt_like_transforms.resolution.clustering.crowded import FEW, drop_crowded
from dbt_like_transforms.resolution.clustering.facts import Edges, Facts
from dbt_like_transforms.resolution.clustering.findings import Findings
from dbt_like_transforms.resolution.clustering.integers import (
    Flags,
    Keys,
    Rows,
    among,
    begins,
    distinct_count,
    mixed,
    repeated,
    sorted_unique,
)
from dbt_like_transforms.resolution.clustering.notes import HARDWARE, Notes
from dbt_like_transforms.resolution.clustering.partition import Partition
from dbt_like_transforms.resolution.clustering.settle import settle
from dbt_like_transforms.resolution.clustering.suspects import Groups, Suspects
from dbt_like_transforms.resolution.clustering.vetoes import Vetoes
from dbt_like_transforms.resolution.clustering.views import View, named_alike, view_clusters
from dbt_like_transforms.resolution.ladders.ladder import Ladder, Rule


class Clusterer:
    """Applies the rules of a ladder, strongest first, to one set of facts."""

    def __init__(
        self,
        facts: Facts,
        ladder: Ladder,
        clocks: Clocks,
        apart: tuple[tuple[int, int], ...] = (),
        allowed: Mapping[str, Keys] | None = None,
    ) -> None:
        """apart: pairs of rows that a person declared to be different. allowed: by identifier the values (hashes, ascending)
        that a person declared to be real, whatever the data show."""
        self.facts = facts
        self.allowed = allowed or {}
        self.ladder = ladder
        self.vetoes = Vetoes(facts, clocks, apart)
        self.suspects = Suspects(facts, clocks)
        self.apart = np.array(apart, dtype=np.int32).reshape(-1, 2)
        kept = {name for rule in ladder.rules for name in (*rule.vetoes, *rule.contest)} | set(ladder.review_conflicts)
        self.partition = Partition(facts, tuple(sorted(kept)))
        self.findings = Findings()
        self.notes = Notes(facts, ladder, self.partition, self.findings)
        #: Values (hashes, ascending) by identifier found to be no identifiers so far: what differs in them alone differs by no
        #: special veto; those among the `vetoes` of a rule forbid all the same.
        self.unusable: dict[str, Keys] = {}

    def release(self) -> None:
        """Gives back what only deciding needs; labels, findings and what hardware is told by stay."""
        self.partition.low.clear()
        self.partition.high.clear()
        facts = self.facts
        kept = {name: Edges(edges.rows, edges.keys) for name, edges in facts.unconfined.items() if name in HARDWARE}
        facts.unconfined = facts.edges = kept

    def run(self) -> None:
        """All rules in order."""
        drop_crowded(self)
        for rule in self.ladder.rules:
            self.apply(rule)

    def apply(self, rule: Rule) -> None:
        """One rule: drop what the data shows to be no identifier, join what agrees without conflict."""
        agreed = self._uncontested(rule, self._agreeing(rule))
        self.unusable[rule.identifier] = self.findings.suppressed_keys(rule.identifier)
        if rule.with_agreement:
            agreed = self._confirmed(rule, agreed)
        if len(agreed):
            self._join(rule, agreed)

    def views(self, clusters: Rows, rule: Rule) -> dict[int, View]:
        """The clusters as the vetoes of the rule look at them."""
        return view_clusters(self.facts, self.partition.label, clusters, rule, self.unusable)

    def _agreeing(self, rule: Rule) -> Agreement:
        """Who agrees on values of the rule that may be identifiers."""
        label, name = self.partition.label, rule.identifier
        shared = self.facts.edges[name].shared_between(label)
        for known in (name, *self.ladder.identifier(name).includes):
            shared = shared.without(self.unusable.get(known))
        if rule.owned_as:
            shared = shared.only(among(shared.keys, sorted_unique(self.facts.edges[rule.owned_as].keys)))
        return agreements(label, shared)

    def _uncontested(self, rule: Rule, agreed: Agreement) -> Agreement:
        """The agreements on values that the data do not show to be no identifiers; notes the others."""
        if not len(agreed):
            return agreed
        against = contested(self, rule, agreed)
        bad = against > 0
        if not bad.any():
            return agreed
        self.notes.suppressed(rule, agreed.only(bad), against[bad])
        return agreed.only(~bad)

    def is_allowed(self, name: str, keys: Keys) -> Flags:
        """Which values of the identifier a person declared to be real."""
        allowed = self.allowed.get(name, keys[:0])
        return among(keys, allowed) if len(allowed) else np.zeros(len(keys), np.bool_)

    def kept_apart(self, rows: Rows, others: Rows) -> Flags:
        """Of pairs of rows whether a person declared anything in the clusters of the two to be different."""
        label = self.partition.label

        def pairs(one: Rows, other: Rows) -> Keys:
            left, right = label[one].astype(np.uint64), label[other].astype(np.uint64)
            return np.minimum(left, right) << np.uint64(32) | np.maximum(left, right)

        if not len(self.apart):
            return np.zeros(len(rows), np.bool_)
        return among(pairs(rows, others), sorted_unique(pairs(self.apart[:, 0], self.apart[:, 1])))

    # -- a weaker agreement besides -----------------------------------------------------------------------------------
    def _confirmed(self, rule: Rule, agreed: Agreement) -> Agreement:
        """Agreements on the value and on a weaker one by the same clusters, as agreements of their own."""
        if not len(agreed):
            return agreed
        pairs: list[tuple[NDArray[np.int64], Keys, Keys]] = []
        for weaker in rule.with_agreement:
            # only what two clusters share can confirm
            other = agreed if weaker == rule.identifier else self._agreed(weaker)
            left, right = equal_pairs(agreed.cluster, other.cluster)
            first, second = agreed.shown[agreed.key[left]], other.shown[other.key[right]]
            if weaker == rule.identifier:
                half = first < second
                left, first, second = left[half], first[half], second[half]
            pairs.append((left, first, second))
        left, first, second = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
        # the clusters of each value come in order, and so do those of each composite
        place, number, _ = repeated(mixed(first, second))
        starts = begins(number)
        lead = place[starts]
        left = left[place]
        return Agreement(
            agreed.cluster[left], agreed.row[left], number.astype(np.int64), starts, first[lead], second[lead]
        )

    def _agreed(self, name: str) -> Agreement:
        """Who agrees on values of the identifier by now."""
        label = self.partition.label
        return agreements(label, self.facts.edges[name].shared_between(label))

    # -- conflicts ----------------------------------------------------------------------------------------------------
    def _join(self, rule: Rule, agreed: Agreement) -> None:
        """Joins each group of clusters in which nothing is in conflict, and of the others what `settle` makes one."""
        clusters, group = groups_of(agreed, self.facts.count)
        group_of = np.full(self.facts.count, -1, np.int32)
        group_of[clusters] = group
        clash = self._clashes(rule, clusters, group, group_of)
        chained = self._chained(rule, group_of, len(clash))
        clash |= chained
        calm = ~clash[group_of[agreed.cluster]]
        self.notes.joined(rule, agreed, calm)
        torn = agreed.only(~calm[agreed.starts])
        settled = self._settle(rule, torn, chained[group_of[torn.cluster]]) if clash.any() else []
        members = np.array([cluster for merged in settled for cluster in merged], np.int32)
        number = np.repeat(np.arange(len(settled)), [len(merged) for merged in settled]) + len(clash)
        calm = ~clash[group]
        self.partition.join(np.append(clusters[calm], members), np.append(group[calm], number))

    def _clashes(self, rule: Rule, clusters: Rows, group: NDArray[np.integer], group_of: Rows) -> NDArray[np.bool_]:
        """For each group of clusters: whether any two of them might be in conflict (then they are looked at singly)."""
        partition = self.partition
        size = int(group[-1]) + 1
        clash = np.zeros(size, np.bool_)
        several = partition.several[clusters]
        clash[group[several & partition.mask(rule.vetoes) != 0]] = True
        single = partition.held[clusters] & ~several
        for name in rule.vetoes:
            clash |= partition.differing(name, single, clusters, group, size)
        if rule.special:
            groups = Groups(partition.label, group_of[partition.label], size)
            for special in rule.special:
                clash |= self.suspects.within(special, groups, self.unusable)
        if len(self.apart):
            left, right = (
                group_of[self.partition.label[self.apart[:, 0]]],
                group_of[self.partition.label[self.apart[:, 1]]],
            )
            clash[left[(left == right) & (left >= 0)]] = True
        return clash

    def _chained(self, rule: Rule, group_of: Rows, size: int) -> NDArray[np.bool_]:
        """For each group of clusters: whether it has more than FEW values of one of `rule.few`."""
        found = np.zeros(size, np.bool_)
        for name in rule.few:
            edges = self.facts.edges[name]
            number = group_of[self.partition.label[edges.rows]]
            inside = number >= 0
            found |= distinct_count(number[inside], edges.keys[inside], size) > FEW
        return found

    def _settle(self, rule: Rule, agreed: Agreement, chained: Flags) -> list[list[int]]:
        """Decides groups with conflicts one by one, see `settle`: which clusters become one. chained: see `_chained`, of each
        pair of the agreement."""
        strict = replace(rule, vetoes=(*rule.vetoes, *rule.few), few=())
        strictly = set(agreed.cluster[chained].tolist())
        clusters = sorted_unique(agreed.cluster)
        views = self.views(clusters, strict)
        blocks: dict[int, list[int]] = {}
        for key, cluster in zip(agreed.key.tolist(), agreed.cluster.tolist(), strict=True):
            blocks.setdefault(key, []).append(cluster)
        carriers = {
            (cluster, key): row
            for cluster, key, row in zip(agreed.cluster.tolist(), agreed.key.tolist(), agreed.row.tolist(), strict=True)
        }
        settlement = settle(
            blocks,
            lambda a, b: self.vetoes.conflict(strict if a in strictly else rule, views[a], views[b]),
            lambda a: self.vetoes.activity.at_work(views[a]),
            lambda part: self.vetoes.took_turns(rule, [views[cluster] for cluster in part]),
            lambda a, b: named_alike(views[a], views[b]),
        )
        self.notes.settled(rule, agreed, settlement, carriers)
        return settlement.merged
