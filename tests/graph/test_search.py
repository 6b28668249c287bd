"""Paths, counts and blast radius against an independent recount by networkx on random graphs."""

from __future__ import annotations

from itertools import pairwise

import networkx as nx
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dbt_like_transforms.attack_paths.search import FAR, Graph, blast_radius, edge_counts, paths_of, search

NODES = 12
edges = st.lists(st.tuples(st.integers(0, NODES - 1), st.integers(0, NODES - 1)), max_size=40)
nodes = st.lists(st.integers(0, NODES - 1), max_size=4)


def graph_of(pairs: list[tuple[int, int]]) -> Graph:
    ends = np.array(pairs, np.int32).reshape(-1, 2)
    return Graph.of(NODES, ends[:, 0].copy(), ends[:, 1].copy())


def recount(pairs: list[tuple[int, int]], entries: list[int], targets: list[int], limit: int) -> set[tuple[int, ...]]:
    """Every shortest path from an entry to its nearest targets, and to every target from its nearest entries."""
    graph = nx.DiGraph()
    graph.add_nodes_from(range(NODES))
    graph.add_edges_from((a, b) for a, b in pairs if a != b)
    starts = sorted(set(entries) - set(targets))
    hops = {
        (a, b): nx.shortest_path_length(graph, a, b)
        for a in starts
        for b in set(targets)
        if nx.has_path(graph, a, b) and nx.shortest_path_length(graph, a, b) <= limit
    }
    found: set[tuple[int, ...]] = set()
    for (a, b), length in hops.items():
        nearest_target = length == min(other for (x, _), other in hops.items() if x == a)
        nearest_entry = length == min(other for (_, y), other in hops.items() if y == b)
        if nearest_target or nearest_entry:
            found |= {tuple(path) for path in nx.all_shortest_paths(graph, a, b)}
    return found


@settings(max_examples=300, deadline=None)
@given(edges, nodes, nodes, st.integers(1, 5))
def test_paths_and_counts_equal_an_independent_recount(
    pairs: list[tuple[int, int]], entries: list[int], targets: list[int], limit: int
) -> None:
    expected = recount(pairs, entries, targets, limit)
    found = search(graph_of(pairs), np.array(entries, np.int32), np.array(targets, np.int32), limit)
    listed = list(paths_of(found, 100_000, 100_000))
    assert set(listed) == expected
    assert len(listed) == len(expected)
    assert found.total == len(expected)
    through = [sum(node in path for path in expected) for node in range(NODES)]
    assert found.through.tolist() == through
    known, counts = edge_counts(found)
    over = {(int(p) // NODES, int(p) % NODES): count for p, count in zip(known, counts, strict=True) if count}
    walked = [step for path in expected for step in pairwise(path)]
    assert over == {step: walked.count(step) for step in set(walked)}


@settings(max_examples=100, deadline=None)
@given(edges, st.integers(0, NODES - 1), st.integers(1, 4))
def test_blast_radius_is_everything_within_reach(pairs: list[tuple[int, int]], node: int, limit: int) -> None:
    graph = nx.DiGraph([(a, b) for a, b in pairs if a != b])
    graph.add_node(node)
    within = set(nx.single_source_shortest_path_length(graph, node, cutoff=limit)) - {node}
    assert set(blast_radius(graph_of(pairs), node, limit).tolist()) == within


@settings(max_examples=50, deadline=None)
@given(edges, nodes, nodes, st.randoms())
def test_the_order_of_edges_and_entries_changes_nothing(
    pairs: list[tuple[int, int]], entries: list[int], targets: list[int], random: object
) -> None:
    first = search(graph_of(pairs), np.array(entries, np.int32), np.array(targets, np.int32), 6)
    mixed = [*pairs, *pairs[:3]]
    random.shuffle(mixed)  # type: ignore[attr-defined]
    second = search(graph_of(mixed), np.array(entries[::-1], np.int32), np.array(targets[::-1], np.int32), 6)
    assert list(paths_of(first, 1000, 1000)) == list(paths_of(second, 1000, 1000))


def test_an_entry_that_is_a_target_is_no_path_and_empty_inputs_are_none() -> None:
    graph = graph_of([(0, 1), (1, 2)])
    none = np.empty(0, np.int32)
    assert search(graph, np.array([2], np.int32), np.array([2], np.int32), 8).total == 0
    assert search(graph, none, np.array([2], np.int32), 8).total == 0
    assert search(graph, np.array([0], np.int32), none, 8).total == 0
    assert list(paths_of(search(Graph.of(0, none, none), none, none, 8), 10, 10)) == []


def test_the_hop_limit_is_the_longest_path() -> None:
    graph = graph_of([(i, i + 1) for i in range(NODES - 1)])
    ends = np.array([0], np.int32), np.array([9], np.int32)
    assert search(graph, *ends, 8).total == 0
    found = search(graph, *ends, 9)
    assert found.total == 1
    assert found.to_target[0] == 9
    assert search(graph, *ends, 8).to_target[0] == FAR
