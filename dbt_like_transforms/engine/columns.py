"""Columns of relations: their names, DuckDB types and meaning, and how declared field types map to DuckDB."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dbt_like_transforms.engine.errors import SourceError

_SCALARS = {
    "text": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "timestamp": "TIMESTAMP",
    "json": "VARCHAR",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `type` is a DuckDB type such as VARCHAR, BIGINT, VARCHAR[] or STRUCT(a VARCHAR)."""

    name: str
    type: str
    description: str = ""


def quoted(identifier: str) -> str:
    """The identifier in double quotes, safe to place in SQL."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str) -> str:
    """The text as a SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def duckdb_type(field_type: Any) -> str:
    """DuckDB type of a connector's FieldType.

    text VARCHAR, integer BIGINT, number DOUBLE, boolean BOOLEAN, timestamp TIMESTAMP, json VARCHAR,
    [t] a list of t, {name: t} a struct.

    Raises:
        SourceError: the declaration is none of these.
    """
    if isinstance(field_type, str) and field_type in _SCALARS:
        return _SCALARS[field_type]
    if isinstance(field_type, list) and len(field_type) == 1:
        return f"{duckdb_type(field_type[0])}[]"
    if isinstance(field_type, Mapping) and field_type:
        inner = ", ".join(f"{quoted(name)} {duckdb_type(kind)}" for name, kind in field_type.items())
        return f"STRUCT({inner})"
    raise SourceError(
        f"field type {field_type!r} is unknown: use {', '.join(_SCALARS)}, a list of one type, or a mapping of types"
    )


#: What landing adds to the declared fields of every record.
LANDED_EXTRA: tuple[Column, ...] = (
    Column("_record_id", "VARCHAR", "The source's own key of the record"),
    Column("_scope", "VARCHAR", "Part of the stream that the page enumerated"),
    Column("_page", "INTEGER", "Page in which the record arrived"),
    Column("_row", "BIGINT", "Line of the record over the whole stream, from 0"),
    Column("_product", "VARCHAR", "Product that was asked"),
    Column("_instance", "VARCHAR", "Configured instance of the product"),
    Column("_stream", "VARCHAR", "Inventory of the product"),
    Column("_sync", "VARCHAR", "Sync that fetched the record"),
    Column("_synced_at", "TIMESTAMP", "End of that sync, UTC"),
    Column("_proves_absence", "BOOLEAN", "Whether the sync fully enumerated the record's scope"),
)

#: Relations of the run itself, in schema `run`. `run.context` is made by the runner, the others by the caller.
RUN_SOURCES: dict[str, tuple[Column, ...]] = {
    "run.context": (
        Column("snapshot_date", "DATE", "UTC date being built"),
        Column("snapshot_end", "TIMESTAMP", "First instant after the date, UTC"),
    ),
    "run.connections": (
        Column("product", "VARCHAR", "Product of the connection"),
        Column("instance", "VARCHAR", "Name of the configured instance"),
        Column("window_days", "INTEGER", "Days without activity after which an asset of this instance is stale"),
        Column("max_age_hours", "DOUBLE", "Age at which the last complete sync is marked stale"),
        Column("enabled", "BOOLEAN", "Whether the instance is pulled"),
        Column("owner", "VARCHAR", "Who answers for the connection"),
        Column("scope", "VARCHAR", "Company or site that it reports; default where there is one"),
        Column("asset_kinds", "VARCHAR[]", "Kinds of assets the product reports"),
        Column("billable_kinds", "VARCHAR[]", "Kinds of assets that count for billing"),
    ),
    "run.syncs": (
        Column("product", "VARCHAR", "Product that was asked"),
        Column("instance", "VARCHAR", "Configured instance"),
        Column("stream", "VARCHAR", "Inventory of the product"),
        Column("scope", "VARCHAR", "Part of the stream"),
        Column("state", "VARCHAR", "complete, partial, failed, skipped or never: how the newest sync ended"),
        Column("synced_at", "TIMESTAMP", "End of the newest sync, UTC"),
        Column("records", "BIGINT", "Records landed"),
        Column("quarantined", "BIGINT", "Records rejected, with their reason in quarantine"),
        Column("requests", "BIGINT", "Requests made"),
        Column("waited_seconds", "DOUBLE", "Seconds waited because the server asked for it"),
        Column("reason", "VARCHAR", "Why the state is not complete"),
        Column("stale", "BOOLEAN", "The sync that is read is older than the instance's max_age"),
        Column("read_sync", "VARCHAR", "The sync whose records this date is built from"),
        Column("read_synced_at", "TIMESTAMP", "End of that sync, UTC"),
    ),
    "run.sync_runs": (
        Column("product", "VARCHAR", "Product that was asked"),
        Column("instance", "VARCHAR", "Configured instance"),
        Column("stream", "VARCHAR", "Inventory of the product"),
        Column("sync", "VARCHAR", "Sync, by its start and a random part"),
        Column("kind", "VARCHAR", "full, or incremental: what changed since the sync before"),
        Column("state", "VARCHAR", "complete, partial, failed or skipped"),
        Column("started_at", "TIMESTAMP", "Start of the stream's part, UTC"),
        Column("finished_at", "TIMESTAMP", "Its end, UTC"),
        Column("seconds", "DOUBLE", "From start to end"),
        Column("waited_seconds", "DOUBLE", "Of them, seconds waited because the server asked for it"),
        Column("requests", "BIGINT", "Requests made"),
        Column("retries", "BIGINT", "Of them, requests made again"),
        Column("received_bytes", "BIGINT", "Bytes received"),
        Column("landed_bytes", "BIGINT", "Bytes written to the lake"),
        Column("pages", "BIGINT", "Pages landed"),
        Column("records", "BIGINT", "Records landed"),
        Column("quarantined", "BIGINT", "Records rejected, with their reason in quarantine"),
        Column("field_issues", "BIGINT", "Values that did not have the declared type and are empty"),
        Column("duplicates", "BIGINT", "Records given twice by the vendor"),
        Column("reason", "VARCHAR", "Why the state is not complete"),
    ),
}


_STATE = (
    Column("record", "VARCHAR", "A record ever resolved"),
    Column("asset_id", "VARCHAR", "Its asset"),
    Column("born", "TIMESTAMP", "When the id was first used (UTC)"),
    Column("home_id", "VARCHAR", "The id the record brought into later merges"),
    Column("home_born", "TIMESTAMP", "When that id was first used (UTC)"),
    Column("records", "VARCHAR[]", "Of an id that was merged away: the records that it was last given to"),
)
_BUILT = (
    Column("record", "VARCHAR", "A record of the date's last build; none when it is built for the first time"),
    Column("asset_id", "VARCHAR", "The asset that it was in"),
)
_KINDS = ("device", "identity", "application")
#: The ids that assets had in the build whose state is nearest to the date; empty before the first one.
RUN_SOURCES.update({f"run.{kind}_state": _STATE for kind in _KINDS})
RUN_SOURCES.update({f"run.{kind}_built": _BUILT for kind in _KINDS})


def landed_source(product: str, stream: str, fields: Mapping[str, Any]) -> tuple[str, tuple[Column, ...]]:
    """Name and columns of the relation that staging reads for a declared stream: `landed.<product>__<stream>`."""
    declared = tuple(Column(name, duckdb_type(kind)) for name, kind in fields.items())
    return f"landed.{product}__{stream}", declared + LANDED_EXTRA


def select_list(columns: Sequence[Column], present: Mapping[str, str]) -> str:
    """`"a"::T AS "a", NULL::U AS "b"` over what is present (lower-case name -> name there); absent ones are NULL."""
    parts = []
    for column in columns:
        found = present.get(column.name.lower())
        value = quoted(found) if found is not None else "NULL"
        # landing leaves dates inside structs and lists as they came: one that is none costs its value, not the build
        cast = "TRY_CAST" if column.type.startswith("STRUCT(") or column.type.endswith("[]") else "CAST"
        parts.append(f"{cast}({value} AS {column.type}) AS {quoted(column.name)}")
    return ", ".join(parts)


def empty_select(columns: Sequence[Column]) -> str:
    """A SELECT that gives no row with exactly these columns."""
    return f"SELECT {select_list(columns, {})} WHERE false"
