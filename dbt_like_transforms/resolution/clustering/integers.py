"""Sorting, grouping and comparing of integers by the million: numbers of rows, and hashes of values.

Memory beyond the caches of a processor makes up most of what such work costs, comparisons most of the rest.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

Rows = NDArray[np.int32]
Keys = NDArray[np.uint64]
Flags = NDArray[np.bool_]

#: Hashes that are sorted at once: few enough for the caches of a processor.
PORTION = 1 << 15


def changes(values: NDArray[Any]) -> Flags:
    """Which values differ from the one before; the first does."""
    found = np.ones(len(values), np.bool_)
    np.not_equal(values[1:], values[:-1], out=found[1:])
    return found


def begins(number: NDArray[np.integer]) -> NDArray[np.int64]:
    """Where each number of an ascending array begins."""
    return np.flatnonzero(changes(number))


def lengths(starts: NDArray[np.integer], count: int) -> NDArray[np.int64]:
    """How long the parts of an array of `count` values are, that begin at `starts`."""
    return np.diff(np.append(starts, count))


def sorted_unique(values: NDArray[Any]) -> NDArray[Any]:
    """The different values, ascending. np.unique hashes, which costs ten times the sort from some thousand values on."""
    ordered = np.sort(values)
    return ordered[begins(ordered)]


def places_in_order(numbers: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Places of the numbers, ascending, equal ones by place. Numbers of 16 bits are sorted without comparing any, which
    costs a part of it."""
    order = np.argsort(numbers.astype(np.uint16), kind="stable")
    upper = (numbers >> np.uint32(16)).astype(np.uint16)
    return order[np.argsort(upper[order], kind="stable")]


def repeated(keys: Keys) -> tuple[NDArray[np.int64], Rows, Keys]:
    """The hashes that occur several times: the places of each, by hash, then place; its number, beside them; each once.

    One portion of hashes after the other, because memory beyond the caches makes up most of sorting all at once.
    """
    if not len(keys):
        return np.empty(0, np.int64), np.empty(0, np.int32), keys
    bits = (len(keys) // PORTION).bit_length()
    portion = (keys >> np.uint64(64 - bits)).astype(np.uint16)
    ends = np.cumsum(np.bincount(portion))
    found: list[tuple[NDArray[np.int64], Rows, Keys]] = []
    count = 0
    for place in np.split(np.argsort(portion, kind="stable"), ends[:-1]):
        part = keys[place]
        order = places_in_order((part << np.uint64(bits) >> np.uint64(32)).astype(np.uint32))
        if (part[order[1:]] < part[order[:-1]]).any():
            # hashes that differ in their last bits alone
            order = np.argsort(part, kind="stable")
        place, part = place[order], part[order]
        first = changes(part)
        several = ~(first & np.append(first[1:], True))
        first, part = first[several], part[several]
        found.append((place[several], np.cumsum(first, dtype=np.int32) + np.int32(count - 1), part[first]))
        count += len(found[-1][2])
    places, numbers, values = zip(*found, strict=True)
    return np.concatenate(places), np.concatenate(numbers), np.concatenate(values)


def by_row(rows: NDArray[np.integer], values: NDArray[Any], count: int) -> tuple[Rows, NDArray[Any]]:
    """Rows (below count), ascending, and their values; those of one row as they came."""
    if len(rows) < count // 4 or not len(rows):
        order = places_in_order(rows.astype(np.uint32))
        return rows[order].astype(np.int32, copy=False), values[order]
    # A sparse matrix of one line is told by columns without comparing any: a fifth of the cost of sorting places.
    columns = csr_array((values, rows, [0, len(rows)]), shape=(1, count)).tocsc()
    return np.repeat(np.arange(count, dtype=np.int32), np.diff(columns.indptr)), columns.data


def among(values: Keys, wanted: Keys) -> Flags:
    """Which of the values are among the wanted ones (sorted, not empty)."""
    found = np.zeros(1 << 16, np.bool_)
    found[wanted >> np.uint64(48)] = True
    # most differ from all wanted ones in their first bits, and looking those up is cheap
    found = found[(values >> np.uint64(48)).astype(np.uint16)]
    likely = np.flatnonzero(found)
    values = values[likely]
    found[likely] = wanted[np.minimum(np.searchsorted(wanted, values), len(wanted) - 1)] == values
    return found


def mixed(first: Keys, second: Keys) -> Keys:
    """One hash of two hashes; order matters."""
    mixed = first * np.uint64(0x9E3779B97F4A7C15) ^ (second + np.uint64(0x7F4A7C159E3779B9))
    mixed ^= mixed >> np.uint64(29)
    return mixed * np.uint64(0xBF58476D1CE4E5B9)


def distinct_count(group: NDArray[np.integer], value: NDArray[np.generic], groups: int) -> NDArray[np.int64]:
    """How many different values each of the groups 0..groups-1 has."""
    # one hash is sorted faster than two keys
    pairs = mixed(group.astype(np.uint64), value.astype(np.uint64))
    order = np.argsort(pairs)
    return np.bincount(group[order[changes(pairs[order])]], minlength=groups)


def first_of_each(chosen: Flags, key: NDArray[np.int64], limit: int) -> NDArray[np.int64]:
    """The chosen places, at most `limit` of each value. key: ascending."""
    places = np.flatnonzero(chosen)
    starts = begins(key[places])
    earlier = np.repeat(starts, lengths(starts, len(places)))
    return places[np.arange(len(places)) - earlier < limit]


def carriers_of(wanted: Keys, rows: Rows, keys: Keys) -> NDArray[np.int64]:
    """On how many rows each wanted key occurs: rows[i] carries keys[i], and may list one twice."""
    if not len(wanted):
        return np.empty(0, np.int64)
    inside = np.flatnonzero(among(keys, sorted_unique(wanted)))
    order = inside[np.lexsort((rows[inside], keys[inside]))]
    ordered = keys[order[changes(keys[order]) | changes(rows[order])]]
    return np.searchsorted(ordered, wanted, "right") - np.searchsorted(ordered, wanted, "left")
