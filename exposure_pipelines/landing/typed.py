"""Landed lines to a typed Parquet file, with everything that does not fit in quarantine. Vectorised in DuckDB.

Text first, then a tried cast: one odd value costs one field of one record, never the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from exposure_pipelines.landing.spool import PAGES_FILE, read_lines

if TYPE_CHECKING:
    import duckdb

    from connector_assets.kit.declaration import FieldType, Stream

RECORDS_FILE = "records.parquet"
QUARANTINE_FILE = "quarantine.parquet"
PREVIEW = 80
#: Small row groups keep the writer's memory flat; readers hardly notice.
PARQUET = "FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20480"
#: Records of findings are wide: larger batches outgrow the memory a sync may take.
BATCH_ROWS = 512

SCALARS = {
    "text": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "timestamp": "TIMESTAMP",
    "json": "VARCHAR",
}

META_COLUMNS = {"_record_id": "VARCHAR", "_scope": "VARCHAR", "_page": "INTEGER", "_row": "BIGINT"}


@dataclass(frozen=True, slots=True)
class TypedCounts:
    """What typing a stream gave: distinct records, rejected records, unreadable fields, repeated records."""

    records: int
    rejected: int
    field_issues: int
    duplicates: int
    by_scope: dict[str, int]


def duckdb_type(kind: FieldType) -> str:
    """DuckDB's name of a declared field type. Inside lists and structs timestamps stay text."""
    if isinstance(kind, str):
        return SCALARS[kind]
    if isinstance(kind, list):
        return f"{nested_type(kind[0])}[]"
    return nested_type(kind)


def nested_type(kind: FieldType) -> str:
    if isinstance(kind, str):
        return "VARCHAR" if kind == "timestamp" else SCALARS[kind]
    if isinstance(kind, list):
        return f"{nested_type(kind[0])}[]"
    return "STRUCT(" + ", ".join(f"{quoted(name)} {nested_type(item)}" for name, item in kind.items()) + ")"


def landed_columns(stream: Stream) -> dict[str, str]:
    """Columns of a stream's records.parquet, name -> DuckDB type."""
    return {**{name: duckdb_type(kind) for name, kind in stream.fields.items()}, **META_COLUMNS}


def write_typed(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    stream: Stream,
    pages: list[dict[str, Any]],
    place: Mapping[str, str],
) -> TypedCounts:
    """Read a spooled stream and write `records.parquet` and `quarantine.parquet` beside it.

    `place` (product, instance, stream, sync) goes into every quarantine row.
    """
    connection.register("spool_lines", line_batches(folder / PAGES_FILE, pages))

    columns = ", ".join(quoted(name) for name in landed_columns(stream))
    staged = folder / "staged.parquet"
    connection.execute(f"COPY ({typed_sql(stream)}) TO '{escaped(staged)}' ({PARQUET})")
    connection.unregister("spool_lines")
    source = f"read_parquet('{escaped(staged)}')"
    rejected, issues = connection.execute(
        f"SELECT count(*) FILTER (_reject IS NOT NULL), coalesce(sum(len(_issues)), 0) FROM {source}"
    ).fetchone() or (0, 0)
    write_quarantine(connection, folder, source, place)
    duplicates = repeated_keys(connection, source)
    if rejected or duplicates:
        later = "SELECT _record_id FROM duplicate_keys AS d WHERE d._record_id = r._record_id AND d.last_row > r._row"
        kept = f"SELECT {columns} FROM {source} AS r WHERE _reject IS NULL AND NOT EXISTS ({later})"
        connection.execute(f"COPY ({kept}) TO '{escaped(folder / RECORDS_FILE)}' ({PARQUET})")
        staged.unlink()
    else:
        # the three working columns stay in the file: readers name the columns they want, a second writing costs seconds
        staged.rename(folder / RECORDS_FILE)
    written = f"read_parquet('{escaped(folder / RECORDS_FILE)}')"
    by_scope = dict(connection.execute(f"SELECT _scope, count(*) FROM {written} GROUP BY _scope").fetchall())
    records = sum(by_scope.values())
    return TypedCounts(records, rejected, int(issues), duplicates, by_scope)


def repeated_keys(connection: duckdb.DuckDBPyConnection, source: str) -> int:
    """Fill `duplicate_keys` (record id, its last row) and return how many records they repeat."""
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE duplicate_keys AS
        SELECT _record_id, max(_row) AS last_row, count(*) - 1 AS repeats
        FROM {source} WHERE _reject IS NULL GROUP BY _record_id HAVING count(*) > 1
        """
    )
    return int((connection.execute("SELECT coalesce(sum(repeats), 0) FROM duplicate_keys").fetchone() or (0,))[0])


def line_batches(pages_file: Path, pages: list[dict[str, Any]]) -> pa.RecordBatchReader:
    """The spooled lines with their page, scope and row, read once in batches: memory does not grow with the file."""
    schema = pa.schema([("text", pa.string()), ("page", pa.int32()), ("scope", pa.string()), ("row", pa.int64())])

    def batches() -> Iterator[pa.RecordBatch]:
        lines = read_lines(pages_file)
        for page in pages:
            for start in range(0, page["rows"], BATCH_ROWS):
                texts = list(islice(lines, min(BATCH_ROWS, page["rows"] - start)))
                first = page["first_row"] + start
                yield pa.record_batch(
                    [
                        pa.array(texts, pa.binary()).view(pa.string()),
                        pa.repeat(pa.scalar(page["page"], pa.int32()), len(texts)),
                        pa.repeat(pa.scalar(page["scope"]), len(texts)),
                        pa.array(range(first, first + len(texts)), pa.int64()),
                    ],
                    schema=schema,
                )

    return pa.RecordBatchReader.from_batches(schema, batches())


def typed_sql(stream: Stream) -> str:
    shape = {name: text_shape(kind) for name, kind in stream.fields.items()}
    keys = (stream.key,) if isinstance(stream.key, str) else stream.key
    key_paths = [f"json_extract_string(line, '{json_path(key)}')" for key in keys]
    key_kinds = [f"json_type(line, '{json_path(key)}')" for key in keys]
    missing = " OR ".join(
        f"{path} IS NULL OR {path} = '' OR {kind} IN ('OBJECT', 'ARRAY')"
        for path, kind in zip(key_paths, key_kinds, strict=True)
    )
    casts = [f"{cast_sql(name, kind)} AS {quoted(name)}" for name, kind in stream.fields.items()]
    issues = [issue for name, kind in stream.fields.items() if (issue := issue_sql(name, kind))]
    return f"""
        WITH lines AS (
            SELECT TRY_CAST(text AS JSON) AS line, page, scope, row FROM spool_lines
        ), shaped AS (
            SELECT line, row, page, scope,
                CASE WHEN json_type(line) = 'OBJECT' THEN json_transform(line, '{escaped(json.dumps(shape))}') END AS t,
                concat_ws('|', {", ".join(key_paths)}) AS _record_id,
                CASE WHEN json_type(line) IS DISTINCT FROM 'OBJECT' THEN 'not an object'
                     WHEN {missing} THEN 'no usable key {escaped(" + ".join(keys))}' END AS _reject
            FROM lines
        )
        SELECT {", ".join([*casts, "_record_id", "scope AS _scope", "page AS _page", "row AS _row", "_reject"])},
            list_filter([{", ".join(issues)}]::STRUCT(field VARCHAR, value VARCHAR)[], lambda x: x.value IS NOT NULL) AS _issues,
            CASE WHEN _reject IS NOT NULL THEN left(CAST(line AS VARCHAR), {PREVIEW}) END AS _preview
        FROM shaped
    """


def text_shape(kind: FieldType) -> Any:
    """What json_transform reads: top-level scalars as text (cast later), nested values as declared."""
    if isinstance(kind, str):
        return "VARCHAR"
    if isinstance(kind, list):
        return [nested_shape(kind[0])]
    return nested_shape(kind)


def nested_shape(kind: FieldType) -> Any:
    if isinstance(kind, str):
        return "VARCHAR" if kind == "timestamp" else SCALARS[kind]
    if isinstance(kind, list):
        return [nested_shape(kind[0])]
    return {name: nested_shape(item) for name, item in kind.items()}


def cast_sql(name: str, kind: FieldType) -> str:
    value = f"t.{quoted(name)}"
    if isinstance(kind, list):
        # a scalar where a list is declared becomes a list of one
        path, shape = json_path(name), escaped(json.dumps([nested_shape(kind[0])]))
        single = f"json_transform(json_array(json_extract(line, '{path}')), '{shape}')"
        lone = f"json_type(line, '{path}') NOT IN ('ARRAY', 'NULL')"
        return f"CASE WHEN {value} IS NOT NULL THEN {value} WHEN {lone} THEN {single} END"
    if not isinstance(kind, str):
        return value
    if kind == "timestamp":
        return timestamp_sql(value)
    if kind == "boolean":
        word = f"lower({value})"
        return f"CASE WHEN {word} IN ('true', '1', 'yes') THEN true WHEN {word} IN ('false', '0', 'no') THEN false END"
    if kind == "integer":
        return f"coalesce(TRY_CAST({value} AS BIGINT), TRY_CAST(TRY_CAST({value} AS DOUBLE) AS BIGINT))"
    if kind == "number":
        return f"TRY_CAST({value} AS DOUBLE)"
    return value


def timestamp_sql(value: str) -> str:
    """UTC timestamp of a text: ISO 8601 in any precision, epoch seconds or milliseconds; year 1 means no value."""
    number = f"TRY_CAST({value} AS DOUBLE)"
    parsed = f"""CASE
        WHEN {number} IS NULL THEN TRY_CAST({value} AS TIMESTAMPTZ) AT TIME ZONE 'UTC'
        WHEN {number} <= 0 THEN NULL
        WHEN {number} >= 100000000000 THEN make_timestamp(CAST({number} * 1000 AS BIGINT))
        ELSE make_timestamp(CAST({number} * 1000000 AS BIGINT)) END"""
    return f"CASE WHEN starts_with({value}, '0001-01-01') THEN NULL ELSE {parsed} END"


def issue_sql(name: str, kind: FieldType) -> str | None:
    """A struct (field, preview) that is null-valued unless the field holds something its type cannot."""
    if not isinstance(kind, str) or kind in ("text", "json"):
        return None
    value = f"t.{quoted(name)}"
    void = f"{value} IN ('', 'null', 'None')"
    if kind == "timestamp":
        void += f" OR starts_with({value}, '0001-01-01') OR coalesce(TRY_CAST({value} AS DOUBLE) <= 0, false)"
    return (
        f"{{'field': '{escaped(name)}', 'value': CASE WHEN {value} IS NOT NULL AND NOT ({void}) "
        f"AND ({cast_sql(name, kind)}) IS NULL THEN left({value}, {PREVIEW}) END}}"
    )


def write_quarantine(
    connection: duckdb.DuckDBPyConnection, folder: Path, source: str, place: Mapping[str, str]
) -> None:
    constants = ", ".join(f"'{escaped(value)}' AS {quoted(name)}" for name, value in place.items())
    connection.execute(
        f"""
        COPY (
            SELECT {constants}, _page AS page, _row AS row, nullif(_record_id, '') AS record_id, NULL::VARCHAR AS field,
                _preview AS value_preview, _reject AS reason, 'rejected' AS severity
            FROM {source} WHERE _reject IS NOT NULL
            UNION ALL
            SELECT {constants}, _page, _row, _record_id, issue.field, issue.value, 'does not fit its type', 'field'
            FROM (SELECT _page, _row, _record_id, unnest(_issues) AS issue FROM {source} WHERE _reject IS NULL)
        ) TO '{escaped(folder / QUARANTINE_FILE)}' ({PARQUET})
        """
    )


def json_path(field: str) -> str:
    return "$" + "".join(f'."{escaped(part)}"' for part in field.split("."))


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def escaped(text: object) -> str:
    return str(text).replace("'", "''")
