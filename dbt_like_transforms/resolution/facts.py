"""Identifiers and circumstances of all records as integers: what clustering works on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from dbt_like_transforms.resolution.ladder import Dropped, Identifier, Ladder

Rows = NDArray[np.int32]
Keys = NDArray[np.uint64]
Flags = NDArray[np.bool_]
Seconds = NDArray[np.int64]

NO_KEY = np.uint64(0)
TOP_KEY = np.uint64(2**64 - 1)
#: Unknown time.
NO_TIME = np.int64(np.iinfo(np.int64).min)
#: Hashes that are sorted at once: few enough for the caches of a processor.
PORTION = 1 << 15


@dataclass(frozen=True, slots=True)
class Shared:
    """The values that two records or more carry, numbered by hash: record rows[i] carries value number[i].

    By number, then row; each pair once. starts: where each value begins. keys: hash of each value, ascending.
    """

    rows: Rows
    number: Rows
    starts: NDArray[np.int64]
    keys: Keys

    def only(self, keep: Flags) -> Shared:
        """The values for which keep[number] holds, renumbered."""
        pairs = keep[self.number]
        number = (np.cumsum(keep, dtype=np.int32) - np.int32(1))[self.number[pairs]]
        return Shared(self.rows[pairs], number, begins(number), self.keys[keep])

    def without(self, dropped: Keys | None) -> Shared:
        """The values that are not among the dropped hashes (sorted)."""
        if dropped is None or not len(dropped):
            return self
        return self.only(~among(self.keys, dropped))


@dataclass(slots=True)
class Edges:
    """Record rows[i] carries the value with hash keys[i]; by row. A record may carry several values."""

    rows: Rows
    keys: Keys
    _shared: Shared | None = None

    def shared(self) -> Shared:
        """The values of several records; found once."""
        if self._shared is None:
            self._shared = shared_values(self.rows, self.keys)
        return self._shared

    def shared_between(self, label: Rows) -> Shared:
        """The values of several clusters. The others are forgotten: clusters only grow."""
        shared = self.shared()
        if len(shared.rows):
            cluster = label[shared.rows]
            several = np.minimum.reduceat(cluster, shared.starts) != np.maximum.reduceat(cluster, shared.starts)
            if not several.all():
                self._shared = shared = shared.only(several)
        return shared


def shared_values(rows: Rows, keys: Keys) -> Shared:
    """The values of several records. rows: ascending."""
    place, number, values = repeated(keys)
    rows = rows[place]
    # a record may list one value twice
    fresh = changes(number) | changes(rows)
    if fresh.all():
        return Shared(rows, number, begins(number), values)
    rows, number = rows[fresh], number[fresh]
    found = Shared(rows, number, begins(number), values)
    return found.only(np.diff(np.append(found.starts, len(number))) > 1)


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


def places_in_order(numbers: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Places of the numbers, ascending, equal ones by place. Numbers of 16 bits are sorted without comparing any, which
    costs a part of it."""
    order = np.argsort(numbers.astype(np.uint16), kind="stable")
    upper = (numbers >> np.uint32(16)).astype(np.uint16)
    return order[np.argsort(upper[order], kind="stable")]


def by_row(rows: NDArray[np.integer], values: NDArray[Any], count: int) -> tuple[Rows, NDArray[Any]]:
    """Rows (below count), ascending, and their values; those of one row as they came."""
    if len(rows) < count // 4 or not len(rows):
        order = places_in_order(rows.astype(np.uint32))
        return rows[order].astype(np.int32, copy=False), values[order]
    # A sparse matrix of one line is told by columns without comparing any: a fifth of the cost of sorting places.
    columns = csr_array((values, rows, [0, len(rows)]), shape=(1, count)).tocsc()
    return np.repeat(np.arange(count, dtype=np.int32), np.diff(columns.indptr)), columns.data


def changes(values: NDArray[Any]) -> Flags:
    """Which values differ from the one before; the first does."""
    found = np.ones(len(values), np.bool_)
    np.not_equal(values[1:], values[:-1], out=found[1:])
    return found


def begins(number: NDArray[np.integer]) -> NDArray[np.int64]:
    """Where each number of an ascending array begins."""
    return np.flatnonzero(changes(number))


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


@dataclass(slots=True)
class Facts:
    """All records of one run. Row numbers are in anchor order: the earliest first seen comes first.

    edges: identifier name -> who carries what. told: the same before `confine`. agent_kinds: product of each agent edge.
    first, last: seconds since 1970 of first and last activity, NO_TIME when unknown. fingerprint: hash of the record's
    name (or MAC), 0 for none.
    """

    count: int
    edges: dict[str, Edges]
    source: Rows
    active: Flags
    creates: Flags
    first: Seconds
    last: Seconds
    fingerprint: Keys
    agent_kinds: Keys = field(default_factory=lambda: np.empty(0, np.uint64))
    told: dict[str, Edges] = field(init=False)

    def __post_init__(self) -> None:
        self.told = self.edges

    def confine(self, islands: Mapping[int, int]) -> None:
        """Gives the rows of each island keys of their own, so that they agree with nothing outside it."""
        if not islands:
            return
        number = np.zeros(self.count, np.uint64)
        number[np.array(list(islands), np.int32)] = np.array(list(islands.values()), np.uint64)
        self.edges = dict(self.told)
        for name, edges in self.told.items():
            room = number[edges.rows]
            moved = edges.keys ^ (room * np.uint64(0x9E3779B97F4A7C15))
            self.edges[name] = Edges(edges.rows, np.where(room > 0, moved, edges.keys))


def sorted_unique(values: NDArray[Any]) -> NDArray[Any]:
    """The different values, ascending. np.unique hashes, which costs ten times the sort from some thousand values on."""
    ordered = np.sort(values)
    return ordered[begins(ordered)]


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


def value_sql(values: Identifier | Dropped, columns: str = "idx, room") -> str:
    """SELECT giving the columns and `value` (text) for every value."""
    value = f"unnest({values.value})" if values.is_list else values.value
    return f"SELECT {columns}, value FROM (SELECT *, {value} AS value FROM {values.table}) WHERE value IS NOT NULL"


def key_sql(identifier: Identifier) -> str:
    """SQL of the hash of `value`; scoped values include the scope of the record."""
    key = "hash(room, value)" if identifier.scoped else "hash(value)"
    # 0 and 2^64-1 mark "no value" while clustering.
    return f"greatest(least({key}, 18446744073709551614), 1)"


def read_facts(connection: duckdb.DuckDBPyConnection, ladder: Ladder) -> Facts:
    """Hashes every identifier once; reads `_records`, `_sources` and the ladder's tables of the connection."""
    count = connection.execute("SELECT count(*) FROM _numbers").fetchall()[0][0]
    edges: dict[str, Edges] = {}
    kinds: Keys = np.empty(0, np.uint64)
    for identifier in ladder.identifiers:
        extra = ", hash(split_part(value, '=', 1)) AS kind" if identifier.name == "agent" else ""
        found = connection.execute(
            f"SELECT idx, {key_sql(identifier)} AS key{extra} FROM ({value_sql(identifier)})"
        ).fetchnumpy()
        rows, keys = _column(found["idx"], np.int32), _column(found["key"], np.uint64)
        edges[identifier.name] = Edges(*by_row(rows, keys, count))
        if extra:
            kinds = by_row(rows, _column(found["kind"], np.uint64), count)[1]
    found = connection.execute(
        """
        SELECT r.idx, s.source, coalesce(r.state, 'active') <> 'retired' AS active,
            coalesce(r.authority, 'create') <> 'update' AS creates,
            coalesce(epoch(coalesce(n_time(r.first_seen), least(n_time(r.observed_at), n_time(r.last_seen))))::BIGINT,
                $unknown) AS first,
            -- An account stays in its directory though nobody signs in, until it is retired; a machine that nothing saw
            -- is not there. Nothing was seen after the newest look at anything.
            coalesce(epoch(least(newest, CASE WHEN $accounts AND active
                THEN greatest(coalesce(n_time(r.last_seen), n_time(r.observed_at)),
                    coalesce(n_time(r.observed_at), n_time(r.last_seen)))
                ELSE coalesce(n_time(r.last_seen), n_time(r.observed_at)) END))::BIGINT, $unknown) AS last
        FROM _records r JOIN _sources s
            ON s.product IS NOT DISTINCT FROM r.product AND s.instance IS NOT DISTINCT FROM r.instance
            CROSS JOIN (SELECT coalesce(max(n_time(observed_at)), TIMESTAMP '2200-01-01') + INTERVAL 1 DAY AS newest
                FROM _records)
        """,
        {"unknown": int(NO_TIME), "accounts": ladder.kind != "device"},
    ).fetchnumpy()
    order = _column(found["idx"], np.int32)

    def placed(name: str, kind: Any) -> NDArray[Any]:
        values = np.zeros(count, kind)
        values[order] = _column(found[name], kind)
        return values

    return Facts(
        count,
        edges,
        placed("source", np.int32),
        placed("active", np.bool_),
        placed("creates", np.bool_),
        placed("first", np.int64),
        placed("last", np.int64),
        _fingerprints(count, edges, ladder.fingerprint),
        kinds,
    )


def _fingerprints(count: int, edges: Mapping[str, Edges], names: tuple[str, ...]) -> Keys:
    """Smallest hash of the first of the identifiers that each record has, NO_KEY for none."""
    prints = np.full(count, NO_KEY, np.uint64)
    for name in names:
        rows, keys = edges[name].rows, edges[name].keys
        if len(rows):
            starts = begins(rows)
            carriers, least = rows[starts], np.minimum.reduceat(keys, starts)
            bare = prints[carriers] == NO_KEY
            prints[carriers[bare]] = least[bare]
    return prints


def _column(values: Any, kind: Any) -> NDArray[Any]:
    """A fetched column as a plain array; DuckDB gives a masked one where a column could hold NULL."""
    return np.ma.getdata(values).astype(kind, copy=False)
