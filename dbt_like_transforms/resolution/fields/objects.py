"""JSON objects of all sources of an asset put together: on a shared member the best source wins, and null is no value.

Most sources share no member with another: their objects are joined as texts. Only where members may be shared are
objects merged, which reads and writes them anew.
"""

from __future__ import annotations

from collections import defaultdict

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dbt_like_transforms.resolution.clustering.integers import Rows, begins, lengths

#: Assets of one batch: some 40 MB of objects.
BATCH = 20_000
#: Assets whose objects are held by the engine: beside the tables of normal forms those of many more go to disk, from where
#: every batch reads all of them; reading the records several times costs less.
TOLD = 12 * BATCH
#: Objects of one asset that are merged in one call, the best ones; what more there are come before, one by one.
_AT_ONCE = 3
#: Bits for members; when there are more, the last bit stands for all others.
_BITS = 64
#: Assets whose objects are joined at once: a few MB of text, which stay in the caches of a processor.
_PART = 2_000


def members(connection: duckdb.DuckDBPyConnection, name: str) -> dict[str | None, int]:
    """Of each product the members that the objects in the column `name` of its records have, as bits: products without
    a bit in common share no member. Members that the same products have are one bit."""
    known: dict[str, set[str | None]] = defaultdict(set)
    for product, member in connection.execute(
        f"SELECT DISTINCT product, unnest(TRY(json_keys({name}))) AS member FROM _keyed"
    ).fetchall():
        known[member].add(product)
    found: dict[str | None, int] = {}
    for number, products in enumerate({frozenset(products) for products in known.values()}):
        for product in products:
            found[product] = found.get(product, 0) | 1 << min(number, _BITS - 1)
    return found


def shared(held: NDArray[np.uint64], asset: Rows, place: Rows) -> NDArray[np.bool_]:
    """Whether the object of a record is to be merged: up to the last place of its asset that has members of a better one.

    held: members as bits. asset: ascending. place: within the asset, 0 is the best.
    """
    starts = begins(asset)
    counts = lengths(starts, len(asset))
    ordered = np.empty_like(held)
    ordered[np.repeat(starts, counts) + place] = held
    seen, merged = ordered[starts], np.zeros(len(starts), np.int32)
    at, longer = 1, np.flatnonzero(counts > 1)
    while len(longer):
        here = ordered[starts[longer] + at]
        merged[longer[here & seen[longer] != 0]] = at + 1
        seen[longer] |= here
        at += 1
        longer = longer[counts[longer] > at]
    return place < np.repeat(merged, counts)


class Objects:
    """The column `name` of assets. Makes the temporary table `_told_<name>` (asset, place, shared, told): what the records in
    `_giving` of some assets say in it, without nulls.

    A null in a patch would take away what a weaker source knows: nulls go before the objects are put together.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, name: str) -> None:
        self.connection = connection
        self.name = name
        self.table = f"_told_{name}"
        self.end = 0

    def _tell(self, first: int) -> None:
        """Makes the table for TOLD assets from `first` on."""
        self.end = first + TOLD
        # what is no object is left out at last: a filter on the column itself would be done where it is read, and be slower
        self.connection.execute(
            f"""
            CREATE OR REPLACE TEMP TABLE {self.table} AS SELECT asset, place, shared, told FROM (
                SELECT asset, place, shared_{self.name} AS shared, TRY(json_merge_patch('{{}}', {self.name})) AS told
                FROM _keyed JOIN (FROM _giving WHERE asset BETWEEN {first} AND {self.end - 1}) USING (key))
            WHERE starts_with(told, '{{')
            """
        )

    def drop(self) -> None:
        """Gives the memory back."""
        self.connection.execute(f"DROP TABLE IF EXISTS {self.table}")

    def read(self, first: int, last: int) -> pa.Table:
        """What `together` makes objects of, for the assets first..last-1: asset, told. Asked in order, BATCH by BATCH."""
        if first >= self.end:
            self._tell(first)
        # a column for each of the best places: a list of all would be sorted and copied for every asset.
        # a patch wins over what stands before it
        best = ", ".join(
            f"coalesce(any_value(told) FILTER (place = {place}), '{{}}')" for place in reversed(range(_AT_ONCE))
        )
        return self.connection.sql(
            f"""
            WITH given AS NOT MATERIALIZED (FROM {self.table} WHERE asset BETWEEN {first} AND {last - 1})
            SELECT asset, nullif(told, '{{}}') AS told FROM (
                SELECT asset, place, told FROM given WHERE NOT shared
                UNION ALL
                SELECT asset, 0, json_merge_patch(
                    coalesce(list_reduce(list(told ORDER BY place DESC) FILTER (place >= {_AT_ONCE}),
                        lambda low, high: json_merge_patch(low, high)), '{{}}'), {best})
                FROM given WHERE shared GROUP BY asset)
            ORDER BY asset, place DESC
            """
        ).to_arrow_table()


def together(found: pa.Table, first: int, last: int) -> pa.ChunkedArray:
    """The objects of the assets first..last-1 of which `Objects.read` found parts, NULL where no source tells one."""
    asset = found["asset"].to_numpy() - first
    known = np.bincount(asset, minlength=last - first) > 0
    if found["told"].null_count:
        full = found["told"].is_valid()
        found, asset = found.filter(full), asset[full.to_numpy()]
    bounds = np.concatenate(([0], np.cumsum(np.bincount(asset, minlength=last - first))))
    parts = []
    for begin in range(0, last - first, _PART):
        part = bounds[begin : begin + _PART + 1]
        objects = found["told"].slice(part[0], part[-1] - part[0]).combine_chunks()
        parts.append(_joined(objects, part - part[0], known[begin : begin + _PART]))
    return pa.chunked_array(parts, pa.string())


def _joined(objects: pa.StringArray, bounds: NDArray[np.int64], known: NDArray[np.bool_]) -> pa.StringArray:
    """Objects without a common member as one, those of asset i from bounds[i] to bounds[i + 1]; `{}` where there are none
    and NULL where nothing is known. They lie one behind the other: `}{` between two of an asset becomes `, `."""
    ends = np.frombuffer(objects.buffers()[1], np.int32)[objects.offset : objects.offset + len(objects) + 1]
    text = np.frombuffer(objects.buffers()[2] or b"", np.uint8)[ends[0] : ends[-1]].copy()
    ends = ends - ends[0]
    within = np.ones(len(objects) + 1, np.bool_)
    within[bounds] = False
    between = ends[within.nonzero()[0]]
    text[between - 1], text[between] = ord(","), ord(" ")
    whole = pa.StringArray.from_buffers(
        len(known), pa.py_buffer(ends[bounds]), pa.py_buffer(text), pa.array(known).buffers()[1]
    )
    return whole if (np.diff(bounds)[known] > 0).all() else pc.if_else(pc.equal(whole, ""), "{}", whole)
