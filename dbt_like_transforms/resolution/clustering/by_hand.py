"""What people declared to be one, joined after all rules.

Before the rules such a cluster would hold two serial numbers and push its own records away.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from dbt_like_transforms.resolution.clustering.cluster import Clusterer

#: What stands for the rule.
MANUAL_MERGE = "manual_merge"


def join_by_hand(clusterer: Clusterer, pairs: Sequence[tuple[int, int]]) -> None:
    """Joins the clusters of pairs of rows, and then what could belong to several of them. A join that would bring together
    what a person keeps apart is left out and noted."""
    for one, other in pairs:
        label = clusterer.partition.label
        if label[one] == label[other]:
            continue
        if clusterer.kept_apart(np.array([one]), np.array([other])).any():
            clusterer.findings.missed_pairs(MANUAL_MERGE, "", [(one, other, 0)], "apart", False)
        else:
            _join(clusterer, MANUAL_MERGE, "", other, one, 0)
    if pairs:
        _join_doubtful(clusterer, {row for pair in pairs for row in pair})


def _join_doubtful(clusterer: Clusterer, declared: set[int]) -> None:
    """Joins what could belong to several clusters of which a person has made one. declared: rows in what a person made."""
    rules = {rule.name: rule for rule in clusterer.ladder.rules}
    label = clusterer.partition.label
    merged = {int(label[row]) for row in declared}
    open_to: dict[int, list[tuple[str, int, int, int]]] = {}
    for rule_name, row, other, key in _doubtful(clusterer):
        if label[row] != label[other] and int(label[row]) not in merged:
            open_to.setdefault(int(label[row]), []).append((rule_name, row, other, key))
    for cluster, choices in sorted(open_to.items()):
        targets = {int(label[other]) for _, _, other, _ in choices}
        if len(targets) > 1 or not targets <= merged:
            continue
        rule_name, row, other, key = choices[0]
        rule = rules[rule_name]
        (target,) = targets
        views = clusterer.views(np.array([cluster, target], np.int32), rule)
        if clusterer.vetoes.conflict(rule, views[cluster], views[target]) is None:
            _join(clusterer, rule.name, rule.identifier, row, other, key)
            merged = {int(label[one]) for one in merged}


def _doubtful(clusterer: Clusterer) -> Iterator[tuple[str, int, int, int]]:
    """Pairs that nothing but doubt keeps apart, both ways: rule, row, other row, key."""
    for near in clusterer.findings.near:
        if not near.against:
            for row, other, key in zip(near.rows.tolist(), near.others.tolist(), near.keys.tolist(), strict=True):
                yield near.rule, row, other, key
                yield near.rule, other, row, key


def _join(clusterer: Clusterer, rule: str, identifier: str, row: int, other: int, key: int) -> None:
    """Joins the clusters of two rows and notes why."""
    clusterer.findings.joined_pairs(rule, identifier, [(row, other, key, 0)])
    clusterer.partition.join(np.sort(clusterer.partition.label[[row, other]]), np.zeros(2, np.int32))
