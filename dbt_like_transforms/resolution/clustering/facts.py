"""Identifiers and circumstances of all records as integers: what clustering works on."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from dbt_like_transforms.resolution.clustering.integers import (
    Flags,
    Keys,
    Rows,
    among,
    begins,
    by_row,
    changes,
    lengths,
    repeated,
    sorted_unique,
)
from dbt_like_transforms.resolution.intake import ALWAYS, KNOWN
from dbt_like_transforms.resolution.ladders.ladder import RUNG_NAME, Dropped, Identifier, Ladder

Seconds = NDArray[np.int64]

NO_KEY = np.uint64(0)
#: Unknown time.
NO_TIME = np.int64(np.iinfo(np.int64).min)


@dataclass(frozen=True, slots=True)
class Shared:
    """The values that two records or more carry, numbered by hash: record rows[i] carries value number[i].

    By number, then row; each pair once. starts: where each value begins. keys: hash of each value, ascending.
    """

    rows: Rows
    number: Rows
    starts: NDArray[np.int64]
    keys: Keys

    def sizes(self) -> NDArray[np.int64]:
        """How many records carry each value."""
        return lengths(self.starts, len(self.rows))

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
    return found.only(found.sizes() > 1)


@dataclass(slots=True)
class Facts:
    """All records of one run. Row numbers are in anchor order: the earliest first seen comes first.

    edges: identifier name -> who carries what. unconfined: the same before `confine`, with what
    turns out to be no identifier. agent_products: product (hash) of each edge of `agent`.
    first, last: seconds since 1970 of first and last activity, NO_TIME when unknown. fingerprint: hash of the record's
    name (or MAC), 0 for none. full_print: the same by the whole of a long name. listed: the same by
    `Ladder.listed`. rooms: hash of the room, which takes the scope out of the key of a scoped value.
    """

    count: int
    edges: dict[str, Edges]
    source: Rows
    active: Flags
    creates: Flags
    first: Seconds
    last: Seconds
    fingerprint: Keys
    full_print: Keys
    listed: Keys
    rooms: Keys
    agent_products: Keys = field(default_factory=lambda: np.empty(0, np.uint64))
    unconfined: dict[str, Edges] = field(init=False)

    def __post_init__(self) -> None:
        self.unconfined = self.edges

    def confine(self, islands: Mapping[int, int]) -> None:
        """Gives the rows of each island keys of their own, so that they agree with nothing outside it."""
        if not islands:
            return
        number = np.zeros(self.count, np.uint64)
        number[np.array(list(islands), np.int32)] = np.array(list(islands.values()), np.uint64)
        self.edges = dict(self.unconfined)
        for name, edges in self.unconfined.items():
            self.edges[name] = Edges(edges.rows, on_island(edges.keys, number[edges.rows]))


def on_island(keys: Keys, island: Keys) -> Keys:
    """The keys on islands 1, 2, .. and as they are on 0, which is none. Twice gives them back."""
    return keys ^ (island * np.uint64(0x9E3779B97F4A7C15))


def value_sql(values: Identifier | Dropped, columns: str = "idx, room") -> str:
    """SELECT giving the columns and `value` (text) for every value."""
    value = f"unnest({values.value})" if values.is_list else values.value
    return f"SELECT {columns}, value FROM (SELECT *, {value} AS value FROM {values.table}) WHERE value IS NOT NULL"


def key_sql(identifier: Identifier) -> str:
    """SQL of the hash of `value`; scoped values include the scope of the record."""
    key = "xor(hash(value), hash(room))" if identifier.scoped else "hash(value)"
    # 0 and 2^64-1 mark "no value" while clustering.
    return f"greatest(least({key}, 18446744073709551614), 1)"


def read_facts(connection: duckdb.DuckDBPyConnection, ladder: Ladder) -> Facts:
    """Hashes every identifier once; reads `_numbers` and the ladder's tables of the connection."""
    ((count,),) = connection.execute("SELECT count(*) FROM _numbers").fetchall()
    edges, agent_products = _read_edges(connection, ladder, count)
    columns = _read_columns(connection, ladder, count)
    prints = _fingerprints(count, edges, ladder.fingerprint)
    return Facts(
        count=count,
        edges=edges,
        source=columns["source"],
        active=columns["active"],
        creates=_creating(columns["creates"], edges, ladder),
        first=columns["first"],
        last=columns["last"],
        fingerprint=prints,
        full_print=_full_prints(count, edges, ladder, prints),
        listed=_fingerprints(count, edges, ladder.listed) if ladder.listed else prints,
        rooms=columns["room"],
        agent_products=agent_products,
    )


def _read_edges(connection: duckdb.DuckDBPyConnection, ladder: Ladder, count: int) -> tuple[dict[str, Edges], Keys]:
    """Of each identifier who carries what, and the product of each agent id."""
    ruled = {rule.identifier for rule in ladder.rules}
    products: Keys = np.empty(0, np.uint64)

    def ordered(name: str, rows: Rows, keys: Keys) -> Edges:
        edges = Edges(*by_row(rows, keys, count))
        if name in ruled:
            edges.shared()
        return edges

    # sorting lets go of the interpreter: one identifier is sorted while the engine hashes the next
    with ThreadPoolExecutor(os.cpu_count()) as beside:
        sorting: dict[str, Future[Edges]] = {}
        for identifier in ladder.identifiers:
            extra = ", hash(split_part(value, '=', 1)) AS product" if identifier.name == "agent" else ""
            found = connection.execute(
                f"SELECT idx, {key_sql(identifier)} AS key{extra} FROM ({value_sql(identifier)})"
            ).fetchnumpy()
            rows, keys = _column(found["idx"], np.int32), _column(found["key"], np.uint64)
            sorting[identifier.name] = beside.submit(ordered, identifier.name, rows, keys)
            if extra:
                products = by_row(rows, _column(found["product"], np.uint64), count)[1]
        return {name: edges.result() for name, edges in sorting.items()}, products


#: The columns of `_numbers` that clustering needs, by record: first and last activity in seconds since 1970.
_COLUMNS = """
SELECT idx, source, active, creates, hash(room) AS room,
    -- Nothing was seen after the newest look at anything; `least` would take this for what has no date.
    coalesce(epoch(CASE WHEN begun > newest THEN newest ELSE begun END)::BIGINT, $unknown) AS first,
    coalesce(epoch(CASE WHEN seen > newest THEN newest ELSE seen END)::BIGINT, $unknown) AS last
FROM (
    -- An account stays in its directory though nobody signs in, until it is retired; a machine that nothing saw
    -- is not there. What was written of it after it was observed (tags, owners, scores) is no sight of it.
    SELECT *, coalesce(first_seen, least(observed_at, last_seen)) AS begun, CASE WHEN $accounts AND active
        THEN greatest(last_seen, observed_at)
        WHEN $accounts THEN coalesce(last_seen, observed_at)
        ELSE least(last_seen, observed_at) END AS seen
    FROM _numbers)
CROSS JOIN (
    -- What tells no look was looked at by then, unless that is so far ahead that its clock is wrong.
    SELECT coalesce(max(coalesce(observed_at, last_seen, first_seen)), TIMESTAMP '2200-01-01') + INTERVAL 1 DAY AS newest
    FROM _numbers CROSS JOIN (SELECT max(observed_at) + INTERVAL 10 YEAR AS far FROM _numbers)
    WHERE observed_at IS NOT NULL OR far IS NULL OR coalesce(last_seen, first_seen) < far)
"""


def _read_columns(connection: duckdb.DuckDBPyConnection, ladder: Ladder, count: int) -> dict[str, NDArray[Any]]:
    """_COLUMNS in the order of the records."""
    found = connection.execute(_COLUMNS, {"unknown": int(NO_TIME), "accounts": ladder.kind != "device"}).fetchnumpy()
    order = _column(found.pop("idx"), np.int32)
    placed = {}
    for name, values in found.items():
        values = np.ma.getdata(values)
        placed[name] = np.empty(count, values.dtype)
        placed[name][order] = values
    return placed


def _creating(creates: NDArray[np.int8], edges: Mapping[str, Edges], ladder: Ladder) -> Flags:
    """Which records may create an asset."""
    may = creates == ALWAYS
    if not (creates == KNOWN).any():
        return may
    known = np.zeros(len(creates), np.bool_)
    for identifier in ladder.identifiers:
        if identifier.rung is not None and identifier.rung <= RUNG_NAME:
            rows, keys = edges[identifier.name].rows, edges[identifier.name].keys
            if identifier.name == "agent":
                # the number of a scanner's own row names no installation
                rows = rows[~among(keys, sorted_unique(edges["counted"].keys))]
            known[rows] = True
    return may | ((creates == KNOWN) & known)


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


def _full_prints(count: int, edges: Mapping[str, Edges], ladder: Ladder, prints: Keys) -> Keys:
    """The fingerprints, by the whole of a name where it is known in full."""
    names = tuple(ladder.in_full[name] for name in ladder.fingerprint if name in ladder.in_full)
    if not any(len(edges[name].rows) for name in names):
        return prints
    whole = _fingerprints(count, edges, names)
    return np.where(whole == NO_KEY, prints, whole)


def _column(values: Any, kind: Any) -> NDArray[Any]:
    """A fetched column as a plain array; DuckDB gives a masked one where a column could hold NULL."""
    return np.ma.getdata(values).astype(kind, copy=False)
