"""The search for attack paths beside bare searches, in one run.

    python benchmarks/attack_paths.py                      # 2M nodes, 10M edges
    pip install igraph rustworkx networkx; python benchmarks/attack_paths.py

Search: every contender gets the same random edges as arrays and a process of its own. `ours` builds its graph, searches both ways
and counts paths through every node; the others build theirs and do the bare search alone: hops to the nearest target from
everywhere. networkx runs on a tenth.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

CONTENDERS = ("ours", "scipy", "igraph", "rustworkx")
SMALL = 10


def edges(nodes: int, count: int, entries: int, targets: int) -> tuple[Any, Any, Any, Any]:
    random = np.random.default_rng(1)
    tails, heads = (random.integers(0, nodes, count, dtype=np.int32) for _ in range(2))
    chosen = random.choice(nodes, entries + targets, replace=False).astype(np.int32)
    return tails, heads, chosen[:entries], chosen[entries:]


def ours(
    nodes: int, tails: Any, heads: Any, entries: Any, targets: Any, hops: int
) -> tuple[Callable[[], Any], Callable[[Any], Any]]:
    from dbt_like_transforms.attack_paths.search import Graph, search

    def find(graph: Any) -> int:
        found = search(graph, entries, targets, hops)
        return int(found.through.max()) if found.total else 0

    return lambda: Graph.of(nodes, tails, heads), find


def by_scipy(
    nodes: int, tails: Any, heads: Any, entries: Any, targets: Any, hops: int
) -> tuple[Callable[[], Any], Callable[[Any], Any]]:
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import dijkstra

    def build() -> Any:
        return csr_matrix((np.ones(len(tails), np.int8), (heads, tails)), shape=(nodes, nodes))

    return build, lambda graph: dijkstra(graph, unweighted=True, indices=targets, min_only=True, limit=hops)


def by_igraph(
    nodes: int, tails: Any, heads: Any, entries: Any, targets: Any, hops: int
) -> tuple[Callable[[], Any], Callable[[Any], Any]]:
    import igraph

    # one more node that every target leads to makes the search one of a single source
    def build() -> Any:
        pairs = np.column_stack((np.append(heads, np.full(len(targets), nodes)), np.append(tails, targets)))
        return igraph.Graph(n=nodes + 1, edges=pairs, directed=True)

    return build, lambda graph: graph.bfs(nodes)


def by_rustworkx(
    nodes: int, tails: Any, heads: Any, entries: Any, targets: Any, hops: int
) -> tuple[Callable[[], Any], Callable[[Any], Any]]:
    import rustworkx

    def build() -> Any:
        graph = rustworkx.PyDiGraph()
        graph.add_nodes_from(range(nodes + 1))
        graph.extend_from_edge_list(list(zip(heads.tolist(), tails.tolist(), strict=True)))
        graph.extend_from_edge_list([(nodes, target) for target in targets.tolist()])
        return graph

    return build, lambda graph: rustworkx.bfs_successors(graph, nodes)


def by_networkx(
    nodes: int, tails: Any, heads: Any, entries: Any, targets: Any, hops: int
) -> tuple[Callable[[], Any], Callable[[Any], Any]]:
    import networkx

    def build() -> Any:
        graph = networkx.DiGraph()
        graph.add_nodes_from(range(nodes))
        graph.add_edges_from(zip(heads.tolist(), tails.tolist(), strict=True))
        return graph

    return build, lambda graph: networkx.multi_source_dijkstra_path_length(graph, set(targets.tolist()), cutoff=hops)


FINDERS = {"ours": ours, "scipy": by_scipy, "igraph": by_igraph, "rustworkx": by_rustworkx, "networkx": by_networkx}


def measure(name: str, sizes: tuple[int, int, int, int], hops: int) -> None:
    """One contender in this process; prints a JSON line."""
    tails, heads, entries, targets = edges(*sizes)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    build, find = FINDERS[name](sizes[0], tails, heads, entries, targets, hops)
    started = time.perf_counter()
    graph = build()
    built = time.perf_counter()
    find(graph)
    done = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"build": built - started, "search": done - built, "peak": peak >> 10, "input": before >> 10}))


def contender(name: str, sizes: tuple[int, int, int, int], hops: int) -> dict[str, Any] | None:
    command = [sys.executable, __file__, "--one", name, "--hops", str(hops), "--sizes", *map(str, sizes)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "ModuleNotFoundError" in done.stderr:
        return None
    if done.returncode:
        sys.exit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def compare(sizes: tuple[int, int, int, int], hops: int) -> None:
    nodes, count, entries, targets = sizes
    print(f"{nodes:,} nodes, {count:,} edges, {entries:,} entries, {targets:,} targets, up to {hops} hops\n")
    print(f"{'':<12}{'graph s':>10}{'search s':>10}{'peak MB':>10}")
    found: dict[str, dict[str, Any]] = {}
    for name in CONTENDERS:
        result = contender(name, sizes, hops)
        if result is None:
            print(f"{name:<12}{'not installed':>30}")
            continue
        found[name] = result
        print(f"{name:<12}{result['build']:>10.2f}{result['search']:>10.2f}{result['peak']:>10,}")
    best = min(result["search"] for name, result in found.items() if name != "ours")
    print(f"\nours, with counts of paths, to the best bare search: {found['ours']['search'] / best:.2f}")
    small = (nodes // SMALL, count // SMALL, max(entries // SMALL, 1), max(targets // SMALL, 1))
    slow, quick = contender("networkx", small, hops), contender("ours", small, hops)
    if slow and quick:
        whole = (slow["build"] + slow["search"]) / (quick["build"] + quick["search"])
        print(
            f"networkx to ours at {small[0]:,} nodes: search {slow['search'] / quick['search']:.0f}, with the graph {whole:.0f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--sizes",
        type=int,
        nargs=4,
        default=(2_000_000, 10_000_000, 5_000, 1_000),
        metavar=("NODES", "EDGES", "ENTRIES", "TARGETS"),
    )
    parser.add_argument("--hops", type=int, default=8)
    parser.add_argument("--one", choices=FINDERS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    sizes = tuple(arguments.sizes)
    if arguments.one:
        measure(arguments.one, sizes, arguments.hops)
    else:
        compare(sizes, arguments.hops)


if __name__ == "__main__":
    main()
