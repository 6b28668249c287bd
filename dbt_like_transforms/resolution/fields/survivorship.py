"""Which source gives each field of an asset, and what the others said. The order of sources is in precedence.yaml.

`chosen` says which record wins which field; the values are then gathered in one pass of the engine. Objects are put together for
a few thousand assets at a time, because together they are most of the memory of an estate.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dbt_like_transforms.resolution.clustering.integers import begins, by_row
from dbt_like_transforms.resolution.clustering.partition import clusters_of
from dbt_like_transforms.resolution.columns import TYPES, show_columns
from dbt_like_transforms.resolution.fields.chosen import Winners
from dbt_like_transforms.resolution.fields.gathered import Column, Gathered, Single, Times
from dbt_like_transforms.resolution.fields.objects import BATCH, Objects, together
from dbt_like_transforms.resolution.fields.told import Told
from dbt_like_transforms.resolution.fields.values import elements
from dbt_like_transforms.resolution.forms.seeds import CLEARED
from dbt_like_transforms.resolution.resolution import Resolution

#: Records whose values are gathered at once.
GATHERED = 40_960


@dataclass(frozen=True, slots=True)
class _Lists:
    """Values of all assets, those of asset i from bounds[i] to bounds[i + 1]."""

    values: pa.ChunkedArray
    bounds: NDArray[np.int64]

    def of(self, first: int, last: int) -> pa.ListArray:
        """The lists of the assets first..last-1, NULL where there is no value."""
        bounds = self.bounds[first : last + 1]
        begin, end = int(bounds[0]), int(bounds[-1])
        values = self.values.slice(begin, end - begin).combine_chunks()
        empty = pa.array(bounds[1:] == bounds[:-1])
        return pa.ListArray.from_arrays(pa.array(bounds - begin, pa.int32()), values, mask=empty)


class Survivors:
    """Survivorship over a resolution. Reads its tables, so use it before the next resolution on that connection."""

    def __init__(self, resolution: Resolution) -> None:
        self.resolution = resolution
        self.connection: duckdb.DuckDBPyConnection = resolution.connection
        self.told = told = resolution.told or Told(resolution.kind, self.connection)
        self.precedence, self.columns, self.scalars = told.precedence, told.columns, told.scalars
        label, waiting = resolution.clusterer.partition.label, resolution.waiting
        #: Label of each asset, ascending: an asset is its place in it.
        self.assets = clusters_of(label)
        self.assets = self.assets[~waiting[self.assets]]
        number = np.full(len(label), -1, np.int32)
        number[self.assets] = np.arange(len(self.assets), dtype=np.int32)
        #: Asset of each record, -1 for those that wait.
        self.asset = number[label]
        found = self.connection.execute("SELECT product FROM _sources ORDER BY source").fetchall()
        #: Product of each source.
        self.products: list[str | None] = [product for (product,) in found]
        as_of = resolution.config.as_of
        Winners(resolution.clusterer, told, self.asset, len(self.assets), self.products, as_of).show(self.connection)

    @property
    def _objects(self) -> tuple[str, ...]:
        return self.precedence.merge

    # -- the assets ---------------------------------------------------------------------------------------------------
    def winners(self) -> pa.Table:
        """One row an asset, every field of the kind, with discovery_sources, source_records, first and last seen."""
        return pa.concat_tables(self.batches())

    def batches(self) -> Iterator[pa.Table]:
        """The winners, some thousand assets at a time; at least one batch, which may be empty."""
        scalars = self._scalars()
        lists = {name: self._union(name) for name in self.precedence.union}
        records = self._sorted("SELECT asset, record FROM _keyed JOIN _members USING (key) ORDER BY asset, record")
        sources, size = self._sources(), len(self.assets)
        objects = {name: Objects(self.connection, name) for name in self._objects}

        def read(first: int) -> dict[str, pa.Table]:
            return {name: made.read(first, min(first + BATCH, size)) for name, made in objects.items()}

        with ThreadPoolExecutor(1) as beside:
            told = read(0)
            for first in range(0, max(size, 1), BATCH):
                last = min(first + BATCH, size)
                following = beside.submit(read, last) if last < size else None
                columns = {"asset_id": scalars["asset_id"].of(first, last)}
                for name in self.columns:
                    if name in lists:
                        columns[name] = lists[name].of(first, last)
                    elif name in objects:
                        columns[name] = together(told[name], first, last)
                    else:
                        columns[name] = scalars[name].of(first, last)
                for name in ("first_seen", "last_seen"):
                    columns[name] = scalars[name].of(first, last)
                columns["discovery_sources"] = sources.of(first, last)
                columns["source_records"] = records.of(first, last)
                # who takes the batch may use the connection
                told = following.result() if following else {}
                yield pa.table(columns)
        for made in objects.values():
            made.drop()

    def _scalars(self) -> dict[str, Column]:
        """asset_id, every field that is neither list nor object, first_seen and last_seen."""
        size = len(self.assets)
        found: dict[str, Gathered] = {}
        given, formed = [], []
        for name, field in self.scalars.items():
            if not field.is_normal_form:
                found[name] = Single(size, TYPES[self.columns[name]])
                given.append(f"{self._won(name, field.given)} AS {name}")
                form = field.form.format(f"v.{name}")
                formed.append(
                    f"nullif({form}, '{CLEARED}') AS {name}" if self.columns[name] == "VARCHAR" else f"{form} AS {name}"
                )
        self._gather(
            found,
            f"""
            SELECT asset, {", ".join(formed)}
            FROM (SELECT asset, {", ".join(given)} FROM _keyed r JOIN _members g USING (key)) v
            """,
        )
        normal = {name: field for name, field in self.scalars.items() if field.is_normal_form}
        if normal:
            # beside the records this would be one more join of all of them
            forms: dict[str, Gathered] = {name: Single(size, pa.string()) for name in normal}
            won = ", ".join(f"{self._won(name, field.value)} AS {name}" for name, field in normal.items())
            self._gather(forms, f"SELECT asset, {won} FROM norm n JOIN _giving g USING (idx)")
            found |= forms
        found["asset_id"] = ids = Single(size, pa.string())
        named = self.connection.sql("SELECT cluster, asset_id FROM _assets WHERE NOT held")
        with named.to_arrow_reader(GATHERED) as batches:
            for batch in batches:
                ids.add(np.searchsorted(self.assets, batch.column("cluster").to_numpy()), batch.column("asset_id"))
        return {**found, **self._seen()}

    def _seen(self) -> dict[str, Times]:
        """first_seen and last_seen."""
        times = self.connection.sql(
            """
            SELECT asset, coalesce(first_seen, observed_at) AS first_seen,
                greatest(last_seen, observed_at) AS last_seen
            FROM _numbers JOIN _members USING (idx)
            """
        ).to_arrow_table()
        found, edges = {}, np.iinfo(np.int64)
        for name, which, unknown in ("first_seen", np.minimum, edges.max), ("last_seen", np.maximum, edges.min):
            told = times[name].cast(pa.int64()).fill_null(unknown).to_numpy()
            asset, told = by_row(times["asset"].to_numpy(), told, len(self.assets))
            found[name] = Times(which.reduceat(told, begins(asset)) if len(told) else told, unknown)
        return found

    def _won(self, name: str, given: str) -> str:
        """SQL of what is given where the record wins the field."""
        return f"CASE WHEN g.won & {1 << list(self.scalars).index(name)}::UBIGINT <> 0 THEN {given} END"

    def _gather(self, found: Mapping[str, Gathered], query: str) -> None:
        """Reads a query of asset and all of `found`."""
        with self.connection.sql(query).to_arrow_reader(GATHERED) as batches:
            for batch in batches:
                asset = batch.column("asset").to_numpy()
                for name, values in found.items():
                    values.add(asset, batch.column(name))

    def _union(self, name: str) -> _Lists:
        """Different values of a list, those of the best source first."""
        held = elements(name)
        value, same = "value", "value"
        order = f"(place::UBIGINT << 32) | {held.at}::UBIGINT" if held.at else "place"
        if held.cased:
            # a record may write one value in two ways: the hash makes the choice the same in any order of the input
            value, same = "arg_min(value, (place::UBIGINT << 32) | (hash(value) >> 32))", "lower(value)"
        return self._sorted(
            f"""
            SELECT asset, {held.shown} AS shown FROM (
                SELECT asset, {value} AS value, min({order}) AS place
                FROM {held.relation} JOIN _giving USING ({held.by})
                GROUP BY asset, {same} HAVING any_value(value) IS NOT NULL)
            ORDER BY asset, place, shown
            """
        )

    def _sources(self) -> _Lists:
        """Names of the products that know each asset, ascending."""
        facts = self.resolution.clusterer.facts
        products = sorted({product for product in self.products if product is not None})
        code = np.array([products.index(product) if product else -1 for product in self.products], np.int64)
        rows = np.flatnonzero(self.asset >= 0)
        product = code[facts.source[rows]] if len(code) else np.empty(0, np.int64)
        width = max(len(products), 1)
        # marks of all pairs instead of a sort of those that there are
        known = np.zeros(len(self.assets) * width, np.bool_)
        known[(self.asset[rows].astype(np.int64) * width + product)[product >= 0]] = True
        asset, product = np.divmod(np.flatnonzero(known), width)
        values = pa.array(products, pa.string()).take(pa.array(product))
        return _Lists(pa.chunked_array([values]), self._bounds(asset))

    def _sorted(self, query: str) -> _Lists:
        """Of a query (asset, value) in the order of the assets."""
        table = self.connection.sql(query).to_arrow_table()
        return _Lists(table.column(1), self._bounds(table.column(0).to_numpy()))

    def _bounds(self, asset: NDArray[np.integer]) -> NDArray[np.int64]:
        counts = np.bincount(asset, minlength=len(self.assets)) if len(asset) else np.zeros(len(self.assets), np.int64)
        return np.concatenate(([0], np.cumsum(counts))).astype(np.int64)

    # -- what every source said ---------------------------------------------------------------------------------------
    def fields(self) -> duckdb.DuckDBPyRelation:
        """What every record of an asset says of every field: asset_id, field, value, record's parts, chosen."""
        texts = ", ".join(
            f"CAST(CASE WHEN {field.present} THEN {field.value} END AS VARCHAR) AS {name}"
            for name, field in self.scalars.items()
        )
        values = (
            f"UNPIVOT (SELECT idx, {texts} FROM _observed r JOIN norm n USING (idx)) "
            "ON COLUMNS(* EXCLUDE idx) INTO NAME field VALUE value"
        )
        for name in self._objects:
            values += f" UNION ALL SELECT idx, '{name}', {name} FROM _observed WHERE trim({name}) <> ''"
        for name in self.precedence.union:
            values += (
                f" UNION ALL SELECT idx, '{name}', string_agg(shown, ', ' ORDER BY shown) FROM ("
                f"SELECT DISTINCT idx, {elements(name).shown} AS shown FROM {elements(name).relation}"
                f" JOIN _members USING ({elements(name).by})"
                " WHERE value IS NOT NULL) GROUP BY idx"
            )
        bits = pa.array([1 << number for number in range(len(self.scalars))], pa.uint64())
        show_columns(self.connection, "_bits", {"field": list(self.scalars), "bit": bits})
        return self.connection.sql(
            f"""
            SELECT a.asset_id, v.field, v.value, r.product, r.instance, r.record_id,
                coalesce(n_time(r.observed_at), n_time(r.last_seen)) AS observed_at,
                g.idx IS NOT NULL AND (b.bit IS NULL OR g.won & b.bit <> 0) AS chosen
            FROM ({values}) v
                JOIN _records r USING (idx) JOIN _clusters k USING (idx) JOIN _assets a USING (cluster)
                LEFT JOIN _giving g USING (idx) LEFT JOIN _bits b USING (field)
            WHERE NOT a.held
            """
        )
