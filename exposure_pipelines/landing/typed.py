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
import pyarrow.parquet as pq

from exposure_pipelines.landing.spool import PAGES_FILE, read_lines

if TYPE_CHECKING:
    import duckdb

    from connector_assets.kit.declaration import FieldType, Stream

RECORDS_FILE = "records.parquet"
QUARANTINE_FILE = "quarantine.parquet"
PREVIEW = 80
#: Small row groups keep the writer's memory flat, also where records are a megabyte each; readers hardly notice.
PARQUET = "FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20480, ROW_GROUP_SIZE_BYTES '16MB'"
#: Records handed to DuckDB at a time.
BATCH_ROWS = 512
#: JSON functions hold several times a batch, each for itself: 4 MB a batch ran out of memory at records of 30 KB.
BATCH_BYTES = 512 << 10

SCALARS = {
    "text": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "timestamp": "TIMESTAMP",
    "json": "VARCHAR",
}

#: The first moment of the year 10000, in milliseconds since 1970.
END_OF_TIME_MS = 253402300800000

META_COLUMNS = {"_record_id": "VARCHAR", "_scope": "VARCHAR", "_page": "INTEGER", "_row": "BIGINT"}


@dataclass(frozen=True, slots=True)
class TypedCounts:
    """What typing a stream gave: distinct records, rejected records, unreadable fields, repeated records.

    `by_scope` counts the distinct records each scope gave: a record given by two scopes counts in both.
    """

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
    told = connection.execute(
        f"SELECT _scope, count(*), count(_reject), coalesce(sum(len(_issues)), 0) FROM {source} GROUP BY _scope"
    ).fetchall()
    by_scope = {scope: rows for scope, rows, _, _ in told}
    rejected, issues = sum(row[2] for row in told), int(sum(row[3] for row in told))
    write_quarantine(connection, folder, source if rejected or issues else "", place)
    duplicates = repeated_keys(connection, source)
    if rejected or duplicates:
        by_scope = scope_counts(connection, source)
        later = "SELECT _record_id FROM duplicate_keys AS d WHERE d._record_id = r._record_id AND d.last_row > r._row"
        kept = f"SELECT {columns} FROM {source} AS r WHERE _reject IS NULL AND NOT EXISTS ({later})"
        connection.execute(f"COPY ({kept}) TO '{escaped(folder / RECORDS_FILE)}' ({PARQUET})")
        staged.unlink()
    else:
        # the three working columns stay in the file: readers name the columns they want, a second writing costs seconds
        staged.rename(folder / RECORDS_FILE)
    records = sum(rows for _, rows, _, _ in told) - rejected - duplicates
    return TypedCounts(records, rejected, issues, duplicates, by_scope)


def scope_counts(connection: duckdb.DuckDBPyConnection, source: str) -> dict[str, int]:
    """Distinct usable records by scope, before repeated ones are left out."""
    query = f"SELECT _scope, count(DISTINCT _record_id) FROM {source} WHERE _reject IS NULL GROUP BY _scope"
    return dict(connection.execute(query).fetchall())


def repeated_keys(connection: duckdb.DuckDBPyConnection, source: str) -> int:
    """Fill `duplicate_keys` (record id, its last row) and return how many records they repeat."""
    (keys,) = connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE duplicate_keys AS
        SELECT _record_id, max(_row) AS last_row, count(*) - 1 AS repeats
        FROM {source} WHERE _reject IS NULL GROUP BY _record_id HAVING count(*) > 1
        """
    ).fetchone() or (0,)
    if not keys:
        return 0
    return int((connection.execute("SELECT sum(repeats) FROM duplicate_keys").fetchone() or (0,))[0])


def line_batches(pages_file: Path, pages: list[dict[str, Any]]) -> pa.RecordBatchReader:
    """The spooled lines with their page, scope and row, read once in batches: memory does not grow with the file.

    Raises ValueError, through the reader, for a file that holds fewer lines than its index says.
    """
    schema = pa.schema([("text", pa.string()), ("page", pa.int32()), ("scope", pa.string()), ("row", pa.int64())])

    def batches() -> Iterator[pa.RecordBatch]:
        lines = read_lines(pages_file)
        for page in pages:
            first, end = page["first_row"], page["first_row"] + page["rows"]
            while first < end:
                texts = next_lines(lines, min(BATCH_ROWS, end - first))
                if not texts:
                    raise ValueError(f"{pages_file.name} ends at row {first}, before the end of page {page['page']}")
                yield pa.record_batch(
                    [
                        pa.array(texts, pa.binary()).view(pa.string()),
                        pa.repeat(pa.scalar(page["page"], pa.int32()), len(texts)),
                        pa.repeat(pa.scalar(page["scope"]), len(texts)),
                        pa.array(range(first, first + len(texts)), pa.int64()),
                    ],
                    schema=schema,
                )
                first += len(texts)

    return pa.RecordBatchReader.from_batches(schema, batches())


def next_lines(lines: Iterator[bytes], most: int) -> list[bytes]:
    """The next lines, at most so many, and no more than BATCH_BYTES of them beyond the first."""
    taken: list[bytes] = []
    size = 0
    for line in islice(lines, most):
        taken.append(line)
        size += len(line)
        if size >= BATCH_BYTES:
            break
    return taken


def typed_sql(stream: Stream) -> str:
    shape = {name: text_shape(kind) for name, kind in stream.fields.items()}
    keys = keys_of(stream)
    record_id, missing = key_sql(stream)
    # columns of the vendor may have the names of ours
    columns = {name: f"_value_{number}" for number, name in enumerate(stream.fields)}
    casts = [f", {cast_sql(name, kind)} AS {columns[name]}" for name, kind in stream.fields.items()]
    named = [f"{column} AS {quoted(name)}" for name, column in columns.items()]
    issues = [issue for name, kind in stream.fields.items() if (issue := issue_sql(name, kind, columns[name]))]
    return f"""
        WITH lines AS (
            SELECT TRY_CAST(text AS JSON) AS line, page, scope, row FROM spool_lines
        ), shaped AS (
            SELECT line, row, page, scope,
                CASE WHEN json_type(line) = 'OBJECT' THEN json_transform(line, '{escaped(json.dumps(shape))}') END AS t,
                {record_id} AS _record_id,
                CASE WHEN json_type(line) IS DISTINCT FROM 'OBJECT' THEN 'not an object'
                     WHEN {missing} THEN 'no usable key {escaped(" + ".join(keys))}' END AS _reject
            FROM lines
        ), read AS (
            SELECT *{"".join(casts)} FROM shaped
        )
        SELECT {", ".join([*named, "_record_id", "scope AS _scope", "page AS _page", "row AS _row", "_reject"])},
            list_filter([{", ".join(issues)}]::STRUCT(field VARCHAR, value VARCHAR)[], lambda x: x.value IS NOT NULL) AS _issues,
            CASE WHEN _reject IS NOT NULL THEN left(CAST(line AS VARCHAR), {PREVIEW}) END AS _preview
        FROM read
    """


def keys_of(stream: Stream) -> tuple[str, ...]:
    return (stream.key,) if isinstance(stream.key, str) else stream.key


def key_sql(stream: Stream) -> tuple[str, str]:
    """(the record id, whether it is unusable) of a JSON value `line`, as expressions."""
    paths = [f"json_extract_string(line, '{json_path(key)}')" for key in keys_of(stream)]
    kinds = [f"json_type(line, '{json_path(key)}')" for key in keys_of(stream)]
    missing = " OR ".join(
        f"{path} IS NULL OR {path} = '' OR {kind} IN ('OBJECT', 'ARRAY')"
        for path, kind in zip(paths, kinds, strict=True)
    )
    return f"concat_ws('|', {', '.join(paths)})", missing


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
        lone = f"json_type(line, '{path}') {lone_kinds(kind)}"
        return (
            f"CASE WHEN {value} IS NOT NULL THEN {said_sql(value, kind)} WHEN {lone} THEN {said_sql(single, kind)} END"
        )
    if not isinstance(kind, str):
        return f"CASE WHEN NOT ({misfit_sql(name, kind)}) THEN {said_sql(value, kind)} END"
    if kind == "timestamp":
        return timestamp_sql(value)
    if kind == "boolean":
        word = f"lower({value})"
        return f"CASE WHEN {word} IN ('true', '1', 'yes') THEN true WHEN {word} IN ('false', '0', 'no') THEN false END"
    if kind == "integer":
        return f"coalesce(TRY_CAST({value} AS BIGINT), TRY_CAST(TRY_CAST({value} AS DOUBLE) AS BIGINT))"
    if kind == "number":
        number = f"TRY_CAST({value} AS DOUBLE)"
        return f"CASE WHEN isfinite({number}) THEN {number} END"
    return said_sql(value, kind)


def said_sql(value: str, kind: FieldType, depth: int = 0) -> str:
    """A value with null for every empty text in it (or empty list or object in its place), and no such place in a list.

    To one vendor an empty text is what a missing key is to another: no reader of the lake has to know who writes which.
    """
    if kind == "text":
        return f"CASE WHEN {value} NOT IN ('', '[]', '{{}}') THEN {value} END"
    if kind == "json":
        # a text where an object usually is would end every model that reads it as JSON
        return f"CASE WHEN json_valid({value}) THEN {value} ELSE CAST(to_json(nullif({value}, '')) AS VARCHAR) END"
    if isinstance(kind, str):
        return value
    item = f"v{depth}"
    if isinstance(kind, list):
        if kind[0] == "text":
            return f"list_filter({value}, lambda {item}: {item} <> '')"
        said = said_sql(item, kind[0], depth + 1)
        return value if said == item else f"list_transform({value}, lambda {item}: {said})"
    parts = {part: said_sql(f"{value}.{quoted(part)}", inner, depth + 1) for part, inner in kind.items()}
    if all(said == f"{value}.{quoted(part)}" for part, said in parts.items()):
        return value
    packed = ", ".join(f"{quoted(part)} := {said}" for part, said in parts.items())
    return f"CASE WHEN {value} IS NOT NULL THEN struct_pack({packed}) END"


def lone_kinds(kind: list[FieldType]) -> str:
    """The JSON types that may stand for a list of one: any, but an object alone where objects are listed."""
    return "NOT IN ('ARRAY', 'NULL')" if isinstance(kind[0], str) else "= 'OBJECT'"


def misfit_sql(name: str, kind: FieldType) -> str:
    """Whether a scalar lies where a list or a struct is declared, and cannot be read as one; never null.

    The type of the JSON is looked up only where nothing could be read: reading each record again would cost seconds.
    """
    value, json_type = f"t.{quoted(name)}", f"json_type(line, '{json_path(name)}')"
    if isinstance(kind, list):
        suspect, fits = f"{value} IS NULL", f"{json_type} IN ('ARRAY', 'NULL') OR {json_type} {lone_kinds(kind)}"
    elif isinstance(kind, Mapping) and kind:
        empty = " AND ".join(f"{value}.{quoted(part)} IS NULL" for part in kind)
        suspect, fits = f"{value} IS NOT NULL AND {empty}", f"{json_type} IN ('OBJECT', 'NULL')"
    else:
        return "false"
    return f"CASE WHEN {suspect} THEN NOT coalesce({fits}, true) ELSE false END"


def timestamp_sql(value: str) -> str:
    """UTC timestamp of a text: ISO 8601 in any precision, epoch seconds or milliseconds; year 1 means no value.

    Beyond the year 9999, which no reader in Python can hold, and for DuckDB's words (infinity, epoch): null.
    """
    number = f"TRY_CAST({value} AS DOUBLE)"
    # the standard allows small letters, of which DuckDB reads none
    dated = f"CASE WHEN regexp_matches({value}, '^ *[0-9]{{4}}[^0-9]') THEN upper(trim({value})) END"
    parsed = f"""CASE
        WHEN {number} IS NULL THEN TRY_CAST({dated} AS TIMESTAMPTZ) AT TIME ZONE 'UTC'
        WHEN {number} <= 0 OR {number} >= {END_OF_TIME_MS} THEN NULL
        WHEN {number} >= 100000000000 THEN make_timestamp(TRY_CAST({number} * 1000 AS BIGINT))
        ELSE make_timestamp(TRY_CAST({number} * 1000000 AS BIGINT)) END"""
    return f"CASE WHEN starts_with({value}, '0001-01-01') THEN NULL ELSE {parsed} END"


def issue_sql(name: str, kind: FieldType, read: str) -> str | None:
    """A struct (field, preview) that is null-valued unless the field holds something its type cannot; read: its column."""
    if not isinstance(kind, str):
        found = f"json_extract_string(line, '{json_path(name)}')"
        return (
            f"{{'field': '{escaped(name)}', "
            f"'value': CASE WHEN {misfit_sql(name, kind)} THEN left(nullif({found}, ''), {PREVIEW}) END}}"
        )
    if kind in ("text", "json"):
        return None
    value = f"t.{quoted(name)}"
    void = f"{value} IN ('', 'null', 'None', '[]', '{{}}')"
    if kind == "timestamp":
        void += f" OR starts_with({value}, '0001-01-01') OR coalesce(TRY_CAST({value} AS DOUBLE) <= 0, false)"
    return (
        f"{{'field': '{escaped(name)}', 'value': CASE WHEN {value} IS NOT NULL AND NOT ({void}) "
        f"AND {read} IS NULL THEN left({value}, {PREVIEW}) END}}"
    )


def write_quarantine(
    connection: duckdb.DuckDBPyConnection, folder: Path, source: str, place: Mapping[str, str]
) -> None:
    """source: the staged records, or nothing where all of them fit: most streams of most syncs."""
    if not source:
        pq.write_table(quarantine_schema(place).empty_table(), folder / QUARANTINE_FILE)
        return
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


def quarantine_schema(place: Mapping[str, str]) -> pa.Schema:
    texts = ("record_id", "field", "value_preview", "reason", "severity")
    return pa.schema(
        [
            *((name, pa.string()) for name in place),
            ("page", pa.int32()),
            ("row", pa.int64()),
            *((name, pa.string()) for name in texts),
        ]
    )


def json_path(field: str) -> str:
    return "$" + "".join(f'."{escaped(part)}"' for part in field.split("."))


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def escaped(text: object) -> str:
    return str(text).replace("'", "''")
