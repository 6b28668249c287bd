"""Shortest attack paths over integers: two breadth-first searches and sums over the layers between them.

Nodes are 0..n-1, edges point the way an attacker goes. Counts of paths are exact below 2^53.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix

Ints = NDArray[np.int32]
Counts = NDArray[np.float64]

#: Not reached within the hop limit.
FAR = np.int16(np.iinfo(np.int16).max)


@dataclass(frozen=True, slots=True)
class Graph:
    """Distinct directed pairs as compressed rows, both ways. out_heads[out_start[u]:out_start[u+1]]: where u leads."""

    count: int
    out_start: NDArray[np.int64]
    out_heads: Ints
    in_start: NDArray[np.int64]
    in_tails: Ints

    @classmethod
    def of(cls, count: int, tails: Ints, heads: Ints) -> Graph:
        """From edges; parallel ones count once and those from a node to itself not at all. Rows are sorted by node."""
        apart = tails != heads
        marks = np.ones(int(apart.sum()), np.bool_)
        rows = coo_matrix((marks, (tails[apart], heads[apart])), shape=(count, count)).tocsr()
        rows.sum_duplicates()
        columns = rows.tocsc()
        return cls(
            count,
            rows.indptr.astype(np.int64),
            rows.indices.astype(np.int32, copy=False),
            columns.indptr.astype(np.int64),
            columns.indices.astype(np.int32, copy=False),
        )


def _neighbours(start: NDArray[np.int64], ends: Ints, nodes: Ints) -> tuple[Ints, Ints]:
    """(node, neighbour) for every edge of the nodes."""
    begin, size = start[nodes], start[nodes.astype(np.int64) + 1] - start[nodes]
    total = int(size.sum())
    place = np.arange(total, dtype=np.int64) - np.repeat(np.cumsum(size) - size, size) + np.repeat(begin, size)
    return np.repeat(nodes, size), ends[place]


def distances(graph: Graph, sources: Ints, limit: int, *, backwards: bool) -> NDArray[np.int16]:
    """Hops from the nearest source (to it, when backwards), FAR beyond the limit."""
    start, ends = (graph.in_start, graph.in_tails) if backwards else (graph.out_start, graph.out_heads)
    found = np.full(graph.count, FAR, np.int16)
    frontier = np.unique(sources).astype(np.int32)
    found[frontier] = 0
    for hop in range(1, limit + 1):
        _, reached = _neighbours(start, ends, frontier)
        reached = reached[found[reached] == FAR]
        if not len(reached):
            break
        found[reached] = hop
        # unique by marking: sorting the frontier costs more than looking at it again
        frontier = (
            np.flatnonzero(found == hop).astype(np.int32) if len(reached) > graph.count // 8 else np.unique(reached)
        )
    return found


@dataclass(frozen=True, slots=True)
class Layers:
    """Edges on the shortest paths of one kind, by layer, with the number of paths before and behind each node.

    edges[i]: (tails, heads) of the i-th layer, starts and ends: nodes where paths begin and end. before[v]: paths from
    a start to v; behind[v]: paths from v to an end.
    """

    edges: tuple[tuple[Ints, Ints], ...]
    starts: Ints
    before: Counts
    behind: Counts

    @property
    def through(self) -> Counts:
        """Paths through each node, its own starts and ends included."""
        return self.before * self.behind

    @property
    def total(self) -> float:
        return float(self.behind[self.starts].sum())


@dataclass(frozen=True, slots=True)
class Search:
    """All shortest paths: to the nearest targets, from the nearest entries, and those that are both.

    to_target[v]: hops to the nearest target; from_entry[v]: hops from the nearest entry.
    """

    graph: Graph
    entries: Ints
    targets: Ints
    to_target: NDArray[np.int16]
    from_entry: NDArray[np.int16]
    nearest_target: Layers
    nearest_entry: Layers
    both: Layers

    @property
    def total(self) -> float:
        """Number of different paths."""
        return self.nearest_target.total + self.nearest_entry.total - self.both.total

    @property
    def through(self) -> Counts:
        """Number of different paths through each node."""
        return self.nearest_target.through + self.nearest_entry.through - self.both.through


def search(graph: Graph, entries: Ints, targets: Ints, limit: int) -> Search:
    """Finds the shortest attack paths. An entry that is a target is no path: nothing has to be walked."""
    is_target = np.zeros(graph.count, np.bool_)
    is_target[targets] = True
    entries = np.unique(entries[~is_target[entries]]).astype(np.int32)
    is_entry = np.zeros(graph.count, np.bool_)
    is_entry[entries] = True
    targets = np.unique(targets).astype(np.int32)
    to_target = distances(graph, targets, limit, backwards=True)
    from_entry = distances(graph, entries, limit, backwards=False)
    starts = entries[to_target[entries] != FAR]
    nearest_target = _layers(graph, starts, to_target, None, is_target)
    ends = targets[from_entry[targets] != FAR]
    backwards = _layers_back(graph, ends, from_entry, is_entry)
    both = _layers(graph, starts, to_target, from_entry, is_target)
    return Search(graph, entries, targets, to_target, from_entry, nearest_target, backwards, both)


def _layers(
    graph: Graph,
    starts: Ints,
    to_target: NDArray[np.int16],
    from_entry: NDArray[np.int16] | None,
    is_target: NDArray[np.bool_],
) -> Layers:
    """Layers of paths that come one hop nearer to the targets with every edge (and one further from the entries).

    Paths end at their first target, which is the only one on them.
    """
    layers: list[tuple[Ints, Ints]] = []
    reached = [starts]
    # a node that several layers reach is the start of one path and the middle of another: each layer is walked on its own
    for distance in range(int(to_target[starts].max(initial=0)), 0, -1):
        nodes = np.unique(np.concatenate([part[to_target[part] == distance] for part in reached]))
        tails, heads = _neighbours(graph.out_start, graph.out_heads, nodes.astype(np.int32))
        nearer = to_target[heads] == distance - 1
        if from_entry is not None:
            nearer &= from_entry[heads] == from_entry[tails] + 1
        tails, heads = tails[nearer], heads[nearer]
        layers.append((tails, heads))
        reached.append(heads)
    before, behind = np.zeros(graph.count), np.zeros(graph.count)
    before[starts] = 1.0
    if layers or len(starts):
        ends = np.unique(np.concatenate(reached))
        behind[ends[is_target[ends]]] = 1.0
    _sums(layers, before, behind)
    return Layers(tuple(layers), starts, before, behind)


def _layers_back(graph: Graph, ends: Ints, from_entry: NDArray[np.int16], is_entry: NDArray[np.bool_]) -> Layers:
    """Layers of paths from the nearest entries to each of the ends."""
    layers: list[tuple[Ints, Ints]] = []
    reached = [ends]
    for distance in range(int(from_entry[ends].max(initial=0)), 0, -1):
        nodes = np.unique(np.concatenate([part[from_entry[part] == distance] for part in reached]))
        heads, tails = _neighbours(graph.in_start, graph.in_tails, nodes.astype(np.int32))
        nearer = from_entry[tails] == distance - 1
        heads, tails = heads[nearer], tails[nearer]
        layers.append((tails, heads))
        reached.append(tails)
    layers.reverse()
    before, behind = np.zeros(graph.count), np.zeros(graph.count)
    starts = np.unique(np.concatenate(reached)) if len(ends) else np.empty(0, np.int32)
    starts = starts[is_entry[starts]].astype(np.int32)
    before[starts] = 1.0
    behind[ends] = 1.0
    _sums(layers, before, behind)
    return Layers(tuple(layers), starts, before, behind)


def _sums(layers: list[tuple[Ints, Ints]], before: Counts, behind: Counts) -> None:
    """Adds up, in place, paths from the starts (layer by layer onwards) and to the ends (backwards)."""
    for tails, heads in layers:
        np.add.at(before, heads, before[tails])
    for tails, heads in reversed(layers):
        np.add.at(behind, tails, behind[heads])


def edge_counts(found: Search) -> tuple[NDArray[np.int64], Counts]:
    """(tail * count + head, number of different paths over it) of every edge on a path, sorted by the first."""
    pairs: list[NDArray[np.int64]] = []
    counts: list[Counts] = []
    for layers, sign in ((found.nearest_target, 1.0), (found.nearest_entry, 1.0), (found.both, -1.0)):
        for tails, heads in layers.edges:
            pairs.append(tails.astype(np.int64) * found.graph.count + heads)
            counts.append(sign * layers.before[tails] * layers.behind[heads])
    if not pairs:
        return np.empty(0, np.int64), np.empty(0)
    known, place = np.unique(np.concatenate(pairs), return_inverse=True)
    sums: Counts = np.bincount(place, weights=np.concatenate(counts), minlength=len(known)).astype(np.float64)
    return known, sums


def targets_reached(found: Search, nodes: Ints, limit: int) -> NDArray[np.int64]:
    """How many targets each of the nodes reaches over edges of the counted paths."""
    pairs, _ = edge_counts(found)
    tails, heads = pairs // max(found.graph.count, 1), pairs % max(found.graph.count, 1)
    known = np.unique(np.concatenate((tails, heads, nodes.astype(np.int64))))
    small = Graph.of(
        len(known), np.searchsorted(known, tails).astype(np.int32), np.searchsorted(known, heads).astype(np.int32)
    )
    is_target = np.isin(known, found.targets)
    return np.array(
        [
            int(((hops != FAR) & (hops > 0) & is_target).sum())
            for node in np.searchsorted(known, nodes)
            for hops in (distances(small, np.array([node], np.int32), limit, backwards=False),)
        ],
        np.int64,
    )


def starting_at(found: Search, nodes: Ints) -> Counts:
    """Number of different paths that begin at each of the nodes."""
    total = np.zeros(found.graph.count)
    for layers, sign in ((found.nearest_target, 1.0), (found.nearest_entry, 1.0), (found.both, -1.0)):
        total[layers.starts] += sign * layers.behind[layers.starts]
    return total[nodes]


def blast_radius(graph: Graph, node: int, limit: int) -> Ints:
    """Nodes that an attacker who holds `node` reaches within the limit, without itself."""
    hops = distances(graph, np.array([node], np.int32), limit, backwards=False)
    return np.flatnonzero((hops != FAR) & (hops > 0)).astype(np.int32)


def paths_of(found: Search, most: int, most_of_one: int) -> Iterator[tuple[int, ...]]:
    """Different paths as node numbers, shortest first, then by their nodes: at most `most`, and so many of one start."""
    onward = _successors(found.nearest_target)
    seen: set[tuple[int, ...]] = set()
    given = 0
    order = np.lexsort((found.nearest_target.starts, found.to_target[found.nearest_target.starts]))
    for start in found.nearest_target.starts[order].tolist():
        for number, path in enumerate(_walk(onward, (start,), int(found.to_target[start]))):
            if number == most_of_one or given == most:
                break
            seen.add(path)
            given += 1
            yield path
    backward = _successors(found.nearest_entry, reverse=True)
    ends = found.targets[(found.from_entry[found.targets] != FAR)]
    for end in ends[np.lexsort((ends, found.from_entry[ends]))].tolist():
        for number, path in enumerate(_walk(backward, (end,), int(found.from_entry[end]))):
            if number == most_of_one or given == most:
                break
            turned = path[::-1]
            if turned not in seen:
                given += 1
                yield turned


def _successors(layers: Layers, *, reverse: bool = False) -> dict[int, list[int]]:
    found: dict[int, set[int]] = {}
    for tails, heads in layers.edges:
        ends = (heads, tails) if reverse else (tails, heads)
        for one, other in zip(ends[0].tolist(), ends[1].tolist(), strict=True):
            found.setdefault(one, set()).add(other)
    return {node: sorted(others) for node, others in found.items()}


def _walk(onward: dict[int, list[int]], path: tuple[int, ...], left: int) -> Iterator[tuple[int, ...]]:
    if left == 0:
        yield path
        return
    for node in onward.get(path[-1], ()):
        yield from _walk(onward, (*path, node), left - 1)
