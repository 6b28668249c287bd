"""Shortest attack paths over integers: two breadth-first searches and sums over the layers between them.

Nodes are 0..n-1, edges point the way an attacker goes. Counts of paths are exact below 2^53 and rounded above.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix

Ints = NDArray[np.int32]
Counts = NDArray[np.float64]

#: Not reached within the hop limit.
FAR = np.int16(np.iinfo(np.int16).max)
#: Largest count that a BIGINT holds: the float next below 2^63.
MOST_COUNTED = float(2**63 - 1024)
#: Nodes that one sweep follows at a time, one in each bit of a word.
WORD = 64


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


def _places(start: NDArray[np.int64], nodes: Ints) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(edges of each node, where those of all the nodes lie)."""
    begin = start[nodes]
    size = start[nodes.astype(np.int64) + 1] - begin
    past = np.cumsum(size)
    place = np.repeat(begin - past + size, size)
    place += np.arange(len(place))
    return size, place


def _neighbours(start: NDArray[np.int64], ends: Ints, nodes: Ints) -> tuple[Ints, Ints]:
    """(node, neighbour) for every edge of the nodes."""
    size, place = _places(start, nodes)
    return np.repeat(nodes, size), ends[place]


def distances(graph: Graph, sources: Ints, limit: int, *, backwards: bool) -> NDArray[np.int16]:
    """Hops from the nearest source (to it, when backwards), FAR beyond the limit."""
    onward, back = (graph.out_start, graph.out_heads), (graph.in_start, graph.in_tails)
    if backwards:
        onward, back = back, onward
    found = np.full(graph.count, FAR, np.int16)
    frontier = np.unique(sources).astype(np.int32)
    found[frontier] = 0
    for hop in range(1, limit + 1):
        edges = int((onward[0][frontier.astype(np.int64) + 1] - onward[0][frontier]).sum())
        if not edges:
            break
        far = np.flatnonzero(found == FAR).astype(np.int32) if edges > len(onward[1]) // 8 else None
        # where most is reached already, asking the rest whether they touch the frontier looks at fewer edges
        if far is not None and int((back[0][far.astype(np.int64) + 1] - back[0][far]).sum()) < edges:
            own, near = _neighbours(*back, far)
            reached = own[found[near] == hop - 1]
        else:
            reached = onward[1][_places(onward[0], frontier)[1]]
            reached = reached[found[reached] == FAR]
        found[reached] = hop
        # unique by marking: beyond a small frontier sorting it costs more than looking at every node
        frontier = (
            np.flatnonzero(found == hop).astype(np.int32) if len(reached) > graph.count // 128 else np.unique(reached)
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


def whole(counts: Counts) -> NDArray[np.int64]:
    """Counts of paths as integers; those beyond 2^63, which 20 hops through large groups make, as the largest one."""
    return np.rint(np.minimum(counts, MOST_COUNTED)).astype(np.int64)


def _sweep(graph: Graph, nodes: Ints, limit: int) -> NDArray[np.uint64]:
    """For every node of the graph the bits of those of the (at most 64, different) nodes that reach it, itself included."""
    held = np.zeros(graph.count, np.uint64)
    held[nodes] = np.left_shift(np.uint64(1), np.arange(len(nodes), dtype=np.uint64))
    entered = np.flatnonzero(np.diff(graph.in_start))
    if not len(entered):
        return held
    rows = graph.in_start[entered]
    for _ in range(limit):
        wider = held[entered] | np.bitwise_or.reduceat(held[graph.in_tails], rows)
        if np.array_equal(wider, held[entered]):
            break
        held[entered] = wider
    return held


def _bits(held: NDArray[np.uint64], count: int) -> NDArray[np.int64]:
    """How many of the words have each of the first bits."""
    some = held[held != 0]
    return np.array([np.count_nonzero(some & np.uint64(1 << bit)) for bit in range(count)], np.int64)


def blast_counts(graph: Graph, nodes: Ints, marked: Ints, limit: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How many nodes, and how many marked ones, each of the (different) nodes reaches within the limit, without itself.

    As blast_radius one by one, 64 in a sweep: 100 nodes over 10M edges take seconds and not minutes.
    """
    reached, critical = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    marked = np.unique(marked).astype(np.int32)
    for begin in range(0, len(nodes), WORD):
        some = nodes[begin : begin + WORD]
        held = _sweep(graph, some, limit)
        reached.append(_bits(held, len(some)) - 1)
        critical.append(_bits(held[marked], len(some)) - np.isin(some, marked))
    return np.concatenate(reached), np.concatenate(critical)


def targets_reached(found: Search, nodes: Ints, limit: int) -> NDArray[np.int64]:
    """How many targets the counted paths through each of the (different) nodes lead to, without itself.

    Each kind of path is followed on its own: an edge of one kind after one of the other is on no counted path.
    """
    kinds = [_ends(layers) for layers in (found.nearest_target, found.nearest_entry)]
    known = np.unique(np.concatenate([nodes, *(part for ends in kinds for part in ends)]))
    graphs = [
        Graph.of(len(known), *(np.searchsorted(known, part).astype(np.int32) for part in (tails, heads)))
        for tails, heads in kinds
    ]
    is_target = np.isin(known, found.targets)
    places = np.searchsorted(known, nodes).astype(np.int32)
    counts = [np.empty(0, np.int64)]
    for begin in range(0, len(places), WORD):
        some = places[begin : begin + WORD]
        held = _sweep(graphs[0], some, limit) | _sweep(graphs[1], some, limit)
        counts.append(_bits(held[is_target], len(some)) - is_target[some])
    return np.concatenate(counts)


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
    """Different paths as node numbers, shortest first, then by their nodes: at most `most`, and so many of one start or end.

    Where there are more, every target and then every entry has its first path told before any has its second.
    """
    ends = found.targets[found.from_entry[found.targets] != FAR]
    starts = found.nearest_target.starts
    backward, onward = _successors(found.nearest_entry, reverse=True), _successors(found.nearest_target)
    turns = [
        (path[::-1] for path in _walk(backward, (end,), int(found.from_entry[end])))
        for end in ends[np.lexsort((ends, found.from_entry[ends]))].tolist()
    ] + [
        (path for path in _walk(onward, (start,), int(found.to_target[start])))
        for start in starts[np.lexsort((starts, found.to_target[starts]))].tolist()
    ]
    told: set[tuple[int, ...]] = set()
    for _ in range(most_of_one):
        left = []
        for turn in turns:
            path = next(turn, None)
            if path is None:
                continue
            if len(told) == most:
                break
            told.add(path)
            left.append(turn)
        turns = left if len(told) < most else []
        if not turns:
            break
    yield from sorted(told, key=lambda path: (len(path), path))


def _ends(layers: Layers) -> tuple[Ints, Ints]:
    """(tails, heads) of every edge on the paths."""
    none = np.empty(0, np.int32)
    return (
        np.concatenate([none, *(tails for tails, _ in layers.edges)]),
        np.concatenate([none, *(heads for _, heads in layers.edges)]),
    )


def _successors(layers: Layers, *, reverse: bool = False) -> Callable[[int], list[int]]:
    """Where the paths lead to from a node (come from, when reversed), sorted."""
    tails, heads = _ends(layers)
    ones, others = (heads, tails) if reverse else (tails, heads)
    order = np.lexsort((others, ones))
    # 64 bits wide as the numbers that are looked for: otherwise every search copies the array
    ones, others = ones[order].astype(np.int64), others[order]

    def of(node: int) -> list[int]:
        begin, end = np.searchsorted(ones, (node, node + 1))
        return np.unique(others[begin:end]).tolist()

    return of


def _walk(onward: Callable[[int], list[int]], path: tuple[int, ...], left: int) -> Iterator[tuple[int, ...]]:
    if left == 0:
        yield path
        return
    for node in onward(path[-1]):
        yield from _walk(onward, (*path, node), left - 1)
