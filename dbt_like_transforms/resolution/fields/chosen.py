"""Which record of an asset gives each of its fields.

Chosen over numbers: each record that gives values carries one bit a field, set where it wins. What wins is the smallest of keys
that pack all that counts into one integer.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dbt_like_transforms.resolution.clustering.activity import DAY
from dbt_like_transforms.resolution.clustering.cluster import Clusterer
from dbt_like_transforms.resolution.clustering.facts import NO_TIME
from dbt_like_transforms.resolution.clustering.integers import Rows, begins, by_row, lengths, sorted_unique
from dbt_like_transforms.resolution.columns import show_columns
from dbt_like_transforms.resolution.fields.objects import shared
from dbt_like_transforms.resolution.fields.told import Told
from dbt_like_transforms.resolution.intake import record_keys

#: Records whose winners are chosen at once.
CHOSEN = 50_000
#: Places in the packed order of a record: silent, rank of its source, age as a number, position within its asset.
_RANK_BITS, _AGE_BITS, _POSITION_BITS = 7, 32, 23
_SILENT = np.int64(1 << _RANK_BITS + _AGE_BITS + _POSITION_BITS)
_NONE = np.int64(np.iinfo(np.int64).max)


class Winners:
    """The choice between the records of each asset.

    asset: of each record its asset, -1 for those that wait. assets: how many there are. products: of each source. as_of: the
    moment for which silence is judged (naive UTC); None takes the newest activity.
    """

    def __init__(
        self,
        clusterer: Clusterer,
        told: Told,
        asset: Rows,
        assets: int,
        products: Sequence[str | None],
        as_of: datetime | None,
    ) -> None:
        self.clusterer = clusterer
        self.told = told
        self.asset = asset
        self.assets = assets
        self.products = products
        #: In seconds since 1970.
        self.moment = int(
            clusterer.facts.last.max(initial=0)
            if as_of is None
            else (as_of.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()
        )

    def show(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Makes `_members` (idx, key, asset, place, won, shared_<name> ...): every record of an asset. place 0 is the best source
        of its asset, -1 one that gives no values; bit i of `won` is set where the record gives the i-th field;
        shared_<name>: see `objects.shared`. And the view `_giving` of those that give values."""
        facts, partition = self.clusterer.facts, self.clusterer.partition
        # a retired record speaks only where no active one does: an asset that is gone keeps its last values
        alive = partition.with_any(facts.active)[partition.label]
        giving = np.flatnonzero((facts.active | ~alive) & (self.asset >= 0)).astype(np.int32)
        asset, rows = by_row(self.asset[giving], giving, self.assets)
        place, won = np.full(facts.count, -1, np.int32), np.zeros(facts.count, np.uint64)
        held = {
            name: np.array([members.get(product, 0) for product in self.products], np.uint64)
            for name, members in self.told.members.items()
        }
        merged = {name: np.zeros(facts.count, np.bool_) for name in held}

        def choose(part: slice) -> None:
            some = rows[part]
            place[some], won[some] = self._choose(some, asset[part])
            for name, bits in held.items():
                merged[name][some] = shared(bits[facts.source[some]], asset[part], place[some])

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(choose, _parts(asset)))
        columns: dict[str, NDArray[Any]] = {"asset": self.asset, "place": place, "won": won}
        columns |= {f"shared_{name}": flags for name, flags in merged.items()}
        members = np.flatnonzero(self.asset >= 0).astype(np.int32)
        keys = record_keys(connection).take(pa.array(members))
        shown = {name: values[members] for name, values in columns.items()}
        show_columns(connection, "_members", {"idx": members, "key": keys, **shown})
        connection.execute("CREATE OR REPLACE TEMP VIEW _giving AS FROM _members WHERE place >= 0")

    def _choose(self, giving: Rows, asset: Rows) -> tuple[Rows, NDArray[np.uint64]]:
        """place and won of the records of some assets, see `_members`."""
        facts = self.clusterer.facts
        starts = begins(asset)
        position = np.arange(len(asset)) - np.repeat(starts, lengths(starts, len(asset)))
        has, last, source = self.told.present[giving], facts.last[giving], facts.source[giving]
        silence = np.where(last == NO_TIME, np.iinfo(np.int64).max, self.moment - np.where(last == NO_TIME, 0, last))
        # the lowest places of every key: smaller is better
        newest = _ages(last) << _POSITION_BITS | position
        keys: dict[tuple[tuple[str, ...], float], NDArray[np.int64]] = {}

        def key(name: str) -> NDArray[np.int64]:
            precedence = self.told.precedence.order_of(name)
            if precedence not in keys:
                products, days = precedence
                keys[precedence] = np.where(silence > days * DAY, _SILENT, 0) | self._ranks(products)[source] | newest
            return keys[precedence]

        won = np.zeros(len(giving), np.uint64)
        for number, name in enumerate(self.told.scalars):
            bit = np.uint64(1 << number)
            best = np.minimum.reduceat(np.where(has & bit != 0, key(name), _NONE), starts)
            if name in self.told.false:
                false = np.minimum.reduceat(np.where(has & self.told.false[name] != 0, key(name), _NONE), starts)
                best = np.where((best == _NONE) | (best >= _SILENT) & (false < _SILENT), false, best)
            known = best != _NONE
            won[starts[known] + (best[known] & ((1 << _POSITION_BITS) - 1))] |= bit
        return _places(key(""), asset, position), won

    def _ranks(self, products: tuple[str, ...]) -> NDArray[np.int64]:
        """Of each source its rank among the products, at its place in a key."""
        places: dict[str | None, int] = {product: place for place, product in enumerate(products)}
        ranks = np.array([places.get(product, len(places)) for product in self.products], np.int64)
        return np.minimum(ranks, (1 << _RANK_BITS) - 1) << _AGE_BITS + _POSITION_BITS


def _parts(asset: Rows) -> Iterator[slice]:
    """Slices of whole assets whose numbers fit the caches of a processor: with arrays of all records at every step most of
    the time goes into memory that is new. asset: ascending."""
    begin = 0
    while begin < len(asset):
        end = begin + CHOSEN
        if end < len(asset):
            end = int(np.searchsorted(asset, asset[end - 1], "right"))
        yield slice(begin, end)
        begin = end


def _places(key: NDArray[np.int64], asset: NDArray[np.int32], position: NDArray[np.int64]) -> NDArray[np.int32]:
    """Of each record the place of its key within its asset, from 0. asset: ascending; position: within the asset."""
    order = np.argsort(key)
    ranked = np.empty(len(key), np.int64)
    ranked[order] = np.arange(len(key))
    # asset and rank in one integer: sorting values costs a part of sorting by two keys
    packed = np.sort(asset.astype(np.int64) << 32 | ranked)
    place = np.empty(len(key), np.int32)
    place[order[packed & 0xFFFFFFFF]] = position
    return place


def _ages(last: NDArray[np.int64]) -> NDArray[np.int64]:
    """0 for the newest time, 1 for the next, ...; unknown times come last. Numbers instead of seconds: one record of the
    year 9999 must not make all others equally old."""
    times = sorted_unique(last)
    return np.asarray(len(times) - 1 - np.searchsorted(times, last), np.int64)
