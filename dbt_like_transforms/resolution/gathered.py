"""Values of assets as the records come, in any order, and handed out in the order of the assets.

An aggregate of the engine would hold a state for every asset and field; here a value that wins is kept once, as it came.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dbt_like_transforms.resolution.integers import Flags, Rows


class Gathered(Protocol):
    """One field of all assets."""

    def add(self, asset: Rows, values: pa.Array) -> None:
        """Takes what some records say; asset: of each of them, -1 for one that has none. NULL says nothing."""

    def of(self, first: int, last: int) -> pa.Array | pa.ChunkedArray:
        """The values of the assets first..last-1, NULL where there is none."""


class Single:
    """At most one record of an asset has a value."""

    def __init__(self, assets: int, kind: pa.DataType) -> None:
        self.kind = kind
        self.place: Rows = np.full(assets, -1, np.int32)
        self.values: list[pa.Array] = []
        self.count = 0

    def add(self, asset: Rows, values: pa.Array) -> None:
        if values.null_count == len(values):
            return
        known = values.drop_null()
        self.place[asset[_valid(values)]] = np.arange(self.count, self.count + len(known), dtype=np.int32)
        self.values.append(known)
        self.count += len(known)

    def of(self, first: int, last: int) -> pa.ChunkedArray:
        place = self.place[first:last]
        return pa.chunked_array(self.values, self.kind).take(pa.array(place, mask=place < 0))


class Truth:
    """True where any record says so, false where records say nothing but false."""

    def __init__(self, assets: int) -> None:
        self.known: Flags = np.zeros(assets, np.bool_)
        self.true: Flags = np.zeros(assets, np.bool_)

    def add(self, asset: Rows, values: pa.Array) -> None:
        self.known[asset[_valid(values)]] = True
        self.true[asset[values.fill_null(False).to_numpy(zero_copy_only=False)]] = True

    def of(self, first: int, last: int) -> pa.Array:
        return pa.array(self.true[first:last], mask=~self.known[first:last])


class Extreme:
    """The earliest or the latest of all times."""

    def __init__(self, assets: int, which: np.ufunc) -> None:
        self.which = which
        edges = np.iinfo(np.int64)
        #: Beyond every time: what is left is unknown.
        self.unknown = edges.max if which is np.minimum else edges.min
        self.times: NDArray[np.int64] = np.full(assets, self.unknown)
        self.kind = pa.timestamp("us")

    def add(self, asset: Rows, values: pa.Array) -> None:
        times = values.cast(pa.int64()).fill_null(self.unknown).to_numpy()
        self.which.at(self.times, asset[asset >= 0], times[asset >= 0])

    def of(self, first: int, last: int) -> pa.Array:
        times = self.times[first:last]
        return pa.array(times, pa.int64(), mask=times == self.unknown).cast(self.kind)


def _valid(values: pa.Array) -> Flags:
    return values.is_valid().to_numpy(zero_copy_only=False)
