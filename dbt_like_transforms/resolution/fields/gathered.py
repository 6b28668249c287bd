"""Values of assets as the records come, in any order, and handed out in the order of the assets.

An aggregate of the engine would hold a state for every asset and field; here a value that wins is kept once, as it came.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dbt_like_transforms.resolution.clustering.integers import Flags, Rows

#: Bytes of values that one array of Arrow can hold: texts are found by offsets of 31 bits.
CONTIGUOUS = 1 << 30


class Column(Protocol):
    """One field of all assets."""

    def of(self, first: int, last: int) -> pa.Array | pa.ChunkedArray:
        """The values of the assets first..last-1, NULL where there is none."""


class Gathered(Column, Protocol):
    """One that is told by records."""

    def add(self, asset: Rows, values: pa.Array) -> None:
        """Takes what some records say; asset: of each of them. NULL says nothing."""


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
        if len(self.values) > 1 and sum(values.nbytes for values in self.values) <= CONTIGUOUS:
            # taking from many pieces costs three times as much
            self.values = [pa.concat_arrays(self.values)]
        place = self.place[first:last]
        return pa.chunked_array(self.values, self.kind).take(pa.array(place, mask=place < 0))


@dataclass(frozen=True, slots=True)
class Times:
    """A time of each asset, in microseconds since 1970; `unknown` stands for none."""

    times: NDArray[np.int64]
    unknown: int

    def of(self, first: int, last: int) -> pa.Array:
        times = self.times[first:last]
        return pa.array(times, pa.int64(), mask=times == self.unknown).cast(pa.timestamp("us"))


def _valid(values: pa.Array) -> Flags:
    return values.is_valid().to_numpy(zero_copy_only=False)
