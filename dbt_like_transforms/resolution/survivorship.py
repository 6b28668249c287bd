"""Which source gives each field of an asset, and what the others said. The order of sources is in precedence.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import yaml
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from dbt_like_transforms.resolution.facts import NO_TIME
from dbt_like_transforms.resolution.resolution import Resolution
from dbt_like_transforms.resolution.resolve import COLUMNS

PRECEDENCE_FILE = Path(__file__).with_name("precedence.yaml")
#: What staging gives for a field that the source emptied on purpose.
CLEARED = "(cleared)"
DAY = 86_400
#: Sources of one asset whose objects are put together at once; what more there are comes before, one by one.
_PLACES = 8

#: How a column becomes a value of the asset: placeholders are no values, identifiers take their normal form.
_SPECIAL: dict[str, dict[str, str]] = {
    "device": {
        "serial_number": "CASE WHEN n.serial_dropped IS NULL THEN n_text(r.serial_number) END",
        # norm has both UUIDs in normal form; comparing with it avoids expanding the macros within each other
        "smbios_uuid": "CASE WHEN NOT list_contains(n.uuid_dropped, n_uuid(r.smbios_uuid)) THEN n_lower(r.smbios_uuid) END",
        "manufacturer": "CASE WHEN NOT seeded_manufacturer(n_lower(r.manufacturer)) THEN n_text(r.manufacturer) END",
        "model": "CASE WHEN NOT seeded_manufacturer(n_lower(r.model)) THEN n_text(r.model) END",
        "device_category": "nullif(n_text(r.device_category), 'Unknown')",
        "entra_device_id": "n_dashed(n.entra)",
        "ad_object_guid": "n_dashed(n.adguid)",
        "imei": "CASE WHEN n.imei IS NOT NULL THEN n_text(r.imei) END",
    },
    "identity": {
        "entra_object_id": "n_dashed(n.entra)",
        "ad_object_guid": "n_dashed(n.adguid)",
        "upn": "n_lower(r.upn)",
    },
    "application": {},
}
#: Lists, as what holds them and how one `value` of it becomes a value of the asset; others are taken as they are.
_ELEMENTS: dict[str, tuple[str, str]] = {
    "mac_addresses": ("n.mac_all", "CASE WHEN NOT seeded_mac_address(value) THEN n_colons(value) END"),
    "ip_addresses": ("n.ips", "value"),
    "fqdns": ("r.fqdns", "rtrim(n_lower(value), '.')"),
    "emails": ("r.emails", "n_lower(value)"),
    "sid_history": ("r.sid_history", "n_sid(value)"),
}


class FieldRule(BaseModel):
    """Order of sources for one field; None takes the kind's own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    products: tuple[str, ...] | None = None
    effective_days: float | None = Field(default=None, gt=0)


class Precedence(BaseModel):
    """One kind's part of precedence.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    effective_days: float = Field(gt=0)
    products: tuple[str, ...]
    fields: dict[str, FieldRule] = {}
    any: tuple[str, ...] = ()
    union: tuple[str, ...] = ()
    merge: tuple[str, ...] = ()

    def order_of(self, name: str) -> tuple[tuple[str, ...], float]:
        """Products in order, and days of silence after which a record loses its authority."""
        rule = self.fields.get(name, FieldRule())
        return rule.products or self.products, rule.effective_days or self.effective_days


@cache
def load_precedence(path: Path = PRECEDENCE_FILE) -> Mapping[str, Precedence]:
    """Reads the file.

    Raises:
        ValueError: unknown keys or fields.
    """
    found = {kind: Precedence.model_validate(entry) for kind, entry in yaml.safe_load(path.read_text("utf-8")).items()}
    for kind, precedence in found.items():
        unknown = {*precedence.fields, *precedence.any, *precedence.union, *precedence.merge} - set(COLUMNS[kind])
        if unknown:
            raise ValueError(f"{path.name}: {kind} has no field {', '.join(sorted(unknown))}")
    return found


class Survivors:
    """Survivorship over a resolution. Reads its tables, so use it before the next resolution on that connection."""

    def __init__(self, resolution: Resolution, precedence: Precedence | None = None) -> None:
        self.resolution = resolution
        self.connection: duckdb.DuckDBPyConnection = resolution.connection
        self.precedence = precedence or load_precedence()[resolution.kind]
        self.columns = COLUMNS[resolution.kind]
        facts = resolution.clusterer.facts
        label = resolution.clusterer.partition.label
        # a retired record speaks only where no active one does: an asset that is gone keeps its last values
        alive = np.zeros(facts.count, np.bool_)
        alive[label[facts.active]] = True
        self.giving = np.flatnonzero((facts.active | ~alive[label]) & ~resolution.waiting)
        self.assets = np.unique(label[~resolution.waiting])
        self.asset_of = np.searchsorted(self.assets, label[self.giving])
        self.last = facts.last[self.giving]
        self.moment = self._moment()
        self._orders: dict[tuple[tuple[str, ...], float], NDArray[np.int64]] = {}
        self._products = self._product_of_rows()
        #: Fields put together from several records: they are read where they are needed, not kept.
        self._apart = (*self.precedence.union, *self.precedence.merge)
        special = _SPECIAL[resolution.kind]
        values = ", ".join(
            f"{special.get(name) or (f'n_text(r.{name})' if kind == 'VARCHAR' else f'r.{name}')} AS {name}"
            for name, kind in self.columns.items()
            if name not in self._apart
        )
        self.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE _values AS SELECT r.idx, {values} FROM _observed r JOIN norm n USING (idx)"
        )

    def _moment(self) -> int:
        as_of = self.resolution.config.as_of
        if as_of is not None:
            return int((as_of.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())
        known = self.last[self.last != NO_TIME]
        return int(known.max()) if len(known) else 0

    def _product_of_rows(self) -> NDArray[np.object_]:
        """Product of each giving row, by way of its source number."""
        sources = self.connection.execute(
            "SELECT DISTINCT dense_rank() OVER (ORDER BY product, instance) AS source, product FROM _records"
        ).fetchall()
        names = np.empty(max((source for source, _ in sources), default=0) + 1, object)
        for source, product in sources:
            names[source] = product
        return names

    def order(self, name: str) -> NDArray[np.int64]:
        """Positions in `giving`, by asset, best source of the field first."""
        products, days = self.precedence.order_of(name)
        if (products, days) not in self._orders:
            places = {product: place for place, product in enumerate(products)}
            rank_of_source = np.array([places.get(product, len(places)) for product in self._products], np.int64)
            rank = rank_of_source[self.resolution.clusterer.facts.source[self.giving]]
            silent = (self.last == NO_TIME) | (self.moment - self.last > days * DAY)
            age = np.where(self.last == NO_TIME, np.iinfo(np.int64).max, -self.last)
            self._orders[products, days] = np.lexsort((self.giving, age, rank, silent, self.asset_of))
        return self._orders[products, days]

    def winning_rows(self, name: str, present: NDArray[np.bool_]) -> NDArray[np.int32]:
        """For each asset: the row that gives the field, -1 for none. present[row]: the row has a value."""
        order = self.order(name)
        having = order[present[self.giving[order]]]
        asset = self.asset_of[having]
        first = np.flatnonzero(np.diff(asset, prepend=-1))
        winners = np.full(len(self.assets), -1, np.int32)
        winners[asset[first]] = self.giving[having[first]]
        return winners

    def _column(self, name: str) -> tuple[pa.ChunkedArray, NDArray[np.int32]]:
        """A field of `_values`, in whatever order the engine gives it, and the position of each row in it."""
        table = self.connection.sql(f"SELECT idx, {name} FROM _values").to_arrow_table()
        position = np.empty(self.resolution.clusterer.facts.count, np.int32)
        position[table["idx"].to_numpy()] = np.arange(table.num_rows, dtype=np.int32)
        return table[name], position

    def first(self, name: str) -> tuple[pa.Array, NDArray[np.int32]]:
        """Value of the field for each asset, and the row that gave it (-1 for none)."""
        column, position = self._column(name)
        winners = self.winning_rows(name, column.is_valid().to_numpy()[position])
        taken = pc.take(column, pa.array(position[winners], mask=winners < 0))
        if self.columns[name] == "VARCHAR":
            taken = pc.if_else(pc.equal(taken, CLEARED), pa.scalar(None, pa.string()), taken)
        return taken, winners

    def winners(self) -> pa.Table:
        """One row an asset, every field of the kind, with discovery_sources, source_records, first and last seen."""
        self._show_assets()
        columns: dict[str, Any] = {"asset_id": self._by_asset("SELECT cluster, asset_id FROM _assets")}
        self._show_lists()
        for name in self.columns:
            if name in self.precedence.union:
                columns[name] = self._union(name)
            elif name in self.precedence.any:
                columns[name] = self._by_asset(
                    f"SELECT cluster, bool_or({name}) FROM _values JOIN _giving USING (idx) GROUP BY cluster"
                )
            elif name in self.precedence.merge:
                columns[name] = self._merged(name)
            else:
                columns[name] = self.first(name)[0]
        self.connection.execute("DROP TABLE _lists")
        spans = self.connection.sql(
            """
            SELECT cluster, min(coalesce(n_time(first_seen), n_time(observed_at))) AS first_seen,
                max(greatest(coalesce(n_time(last_seen), n_time(observed_at)),
                    coalesce(n_time(observed_at), n_time(last_seen)))) AS last_seen,
                list_sort(array_agg(DISTINCT product)) AS discovery_sources, list_sort(array_agg(record)) AS source_records
            FROM _records JOIN _clusters USING (idx) SEMI JOIN (SELECT cluster FROM _assets WHERE NOT held) USING (cluster)
            GROUP BY cluster
            """
        ).to_arrow_table()
        place = self._place(spans["cluster"].to_numpy())
        for name in ("first_seen", "last_seen", "discovery_sources", "source_records"):
            columns[name] = spans[name].take(place)
        return pa.table(columns)

    def fields(self) -> duckdb.DuckDBPyRelation:
        """What every record of an asset says of every field: asset_id, field, value, record's parts, chosen."""
        self._show_assets()
        chosen_rows: list[NDArray[np.int32]] = []
        chosen_fields: list[str] = []
        for name in self.columns:
            if name in self._apart:
                continue
            column, position = self._column(name)
            present = pc.fill_null(column, False) if name in self.precedence.any else column.is_valid()
            rows = self.winning_rows(name, present.to_numpy()[position])
            chosen_rows.append(rows[rows >= 0])
            chosen_fields.append(name)
        counts = [len(rows) for rows in chosen_rows]
        self.connection.register(
            "_chosen",
            pa.table(
                {
                    "idx": pa.array(np.concatenate(chosen_rows) if chosen_rows else np.empty(0, np.int32)),
                    "field": pa.array(np.repeat(np.array(chosen_fields, object), counts), pa.string()),
                }
            ),
        )
        texts = ", ".join(f"CAST({name} AS VARCHAR) AS {name}" for name in self.columns if name not in self._apart)
        values = f"UNPIVOT (SELECT idx, {texts} FROM _values) ON COLUMNS(* EXCLUDE idx) INTO NAME field VALUE value"
        for name in self.precedence.merge:
            values += f" UNION ALL SELECT idx, '{name}', {name} FROM _observed WHERE trim({name}) <> ''"
        for name in self.precedence.union:
            values += (
                f" UNION ALL SELECT idx, '{name}', string_agg(value, ', ' ORDER BY place) "
                f"FROM ({self._elements(name)}) GROUP BY idx"
            )
        whole = ", ".join(f"'{name}'" for name in self._apart) or "''"
        return self.connection.sql(
            f"""
            SELECT a.asset_id, v.field, v.value, r.product, r.instance, r.record_id,
                coalesce(n_time(r.observed_at), n_time(r.last_seen)) AS observed_at,
                g.idx IS NOT NULL AND (c.idx IS NOT NULL OR v.field IN ({whole})) AS chosen
            FROM ({values}) v
                JOIN _records r USING (idx) JOIN _clusters k USING (idx) JOIN _assets a USING (cluster)
                LEFT JOIN _giving g USING (idx) LEFT JOIN _chosen c ON c.idx = v.idx AND c.field = v.field
            WHERE NOT a.held
            """
        )

    # -- helpers over the tables -------------------------------------------------------------------------------------
    def _show_assets(self) -> None:
        """Makes `_giving` (idx, cluster, place): rows that give values; place 0 is the best source of its cluster."""
        order = self.order("")
        asset = self.asset_of[order]
        begins = np.flatnonzero(np.diff(asset, prepend=-1))
        place = np.empty(len(order), np.int32)
        place[order] = np.arange(len(order)) - np.repeat(begins, np.diff(np.append(begins, len(order))))
        self.connection.register(
            "_giving_table",
            pa.table(
                {
                    "idx": pa.array(self.giving.astype(np.int32)),
                    "cluster": pa.array(self.assets[self.asset_of]),
                    "place": pa.array(place),
                }
            ),
        )
        self.connection.execute("CREATE OR REPLACE TEMP TABLE _giving AS SELECT * FROM _giving_table")

    def _place(self, clusters: NDArray[np.integer]) -> pa.Array:
        """For each asset: its position in `clusters`, NULL when it is not there."""
        position = np.full(int(self.assets.max(initial=-1)) + 2, -1, np.int64)
        kept = clusters < len(position)
        position[clusters[kept]] = np.flatnonzero(kept)
        found = position[self.assets]
        return pa.array(found, mask=found < 0)

    def _by_asset(self, query: str) -> pa.ChunkedArray:
        """Second column of a query (cluster, value), in the order of the assets."""
        table = self.connection.sql(query).to_arrow_table()
        return table.column(1).take(self._place(table.column(0).to_numpy()))

    def _element(self, name: str) -> tuple[str, str]:
        """(what holds a list field, how a `value` of it becomes one of the asset)."""
        return _ELEMENTS.get(name, (f"r.{name}", "n_text(value)"))

    def _elements(self, name: str) -> str:
        """SELECT of idx, value and place in the list, for every different value of a list field of every record."""
        held, form = self._element(name)
        return (
            f"SELECT idx, told AS value, min(place) AS place FROM (SELECT idx, {form} AS told, place FROM ("
            f"SELECT r.idx, unnest({held}) AS value, generate_subscripts({held}, 1) AS place "
            "FROM _observed r JOIN norm n USING (idx))) WHERE told IS NOT NULL GROUP BY ALL"
        )

    def _show_lists(self) -> None:
        """Makes `_lists`: cluster, place and the list fields of every giving row."""
        held = "".join(f", {self._element(name)[0]} AS {name}" for name in self.precedence.union)
        self.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE _lists AS SELECT g.cluster, g.place{held} "
            "FROM _observed r JOIN _giving g USING (idx) JOIN norm n USING (idx)"
        )

    def _union(self, name: str) -> pa.ChunkedArray:
        _, form = self._element(name)
        return self._by_asset(
            f"""
            SELECT cluster, list(told ORDER BY place, told) AS result FROM (
                SELECT cluster, {form} AS told, min(place) AS place FROM (
                    SELECT cluster, value, min(place) AS place
                    FROM (SELECT cluster, place, unnest({name}) AS value FROM _lists) GROUP BY ALL)
                GROUP BY ALL)
            WHERE told IS NOT NULL GROUP BY cluster
            """
        )

    def _merged(self, name: str) -> pa.ChunkedArray:
        """Members of the objects of all sources; the best source that says something of a member gives it."""
        # A null in a patch would take away what a weaker source knows: nulls go before the objects are put together.
        self.connection.execute(
            f"""
            CREATE OR REPLACE TEMP TABLE _objects AS
            SELECT cluster, place, TRY(json_merge_patch('{{}}', {name})) AS told
            FROM _observed JOIN _giving USING (idx) WHERE starts_with(ltrim({name}), '{{')
            """
        )
        places = range(_PLACES)
        joins = " ".join(
            f"LEFT JOIN (SELECT cluster, told FROM _objects WHERE place = {place}) p{place} USING (cluster)"
            for place in places
        )
        told = ", ".join(f"coalesce(p{place}.told, '{{}}')" for place in reversed(places))
        return self._by_asset(
            f"""
            SELECT cluster, CAST(json_merge_patch(coalesce(beyond.told, '{{}}'), {told}) AS VARCHAR) AS result
            FROM (SELECT DISTINCT cluster FROM _objects) {joins} LEFT JOIN (
                SELECT cluster, list_reduce(list(told ORDER BY place DESC),
                    lambda low, high: json_merge_patch(low, high)) AS told
                FROM _objects WHERE place >= {_PLACES} GROUP BY cluster) beyond USING (cluster)
            """
        )
