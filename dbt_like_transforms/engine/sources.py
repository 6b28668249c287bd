"""Puts what was landed, and what the run knows, before the models as relations of the schemas `landed` and `run`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from dbt_like_transforms.engine.columns import Column, empty_select, literal, quoted, select_list
from dbt_like_transforms.engine.errors import SourceError

if TYPE_CHECKING:
    import duckdb

_ROWS_PER_INSERT = 500


@dataclass(frozen=True, slots=True)
class SourcePart:
    """One Parquet address (a file or a glob) and the columns that have one value over all of it."""

    path: str
    constants: Mapping[str, object] = field(default_factory=dict)


def register_sources(
    con: duckdb.DuckDBPyConnection,
    columns: Mapping[str, Sequence[Column]],
    parts: Mapping[str, Sequence[SourcePart]],
) -> None:
    """Makes a view for every declared relation: the union of its parts, or an empty relation when it has none.

    Args:
        con: the connection of the build.
        columns: relation (`landed.tenable__assets`) -> its declared columns; what a file lacks is NULL.
        parts: relation -> the Parquet files chosen for the date. A constant overrides a column of the file.

    Raises:
        SourceError: a part belongs to no declared relation, names an undeclared constant, or cannot be read.
    """
    import duckdb

    unknown = sorted(set(parts) - set(columns))
    if unknown:
        raise SourceError(f"no columns are declared for {', '.join(unknown)}: declare them or leave the files out")
    for relation, declared in columns.items():
        selects = [_part_select(con, relation, declared, part) for part in parts.get(relation, ())]
        try:
            _create(con, relation, "VIEW", " UNION ALL ".join(selects) or empty_select(declared))
        except duckdb.Error as error:
            raise SourceError(f"{relation} cannot be read as declared: {error}") from error


def register_table(
    con: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[Column], rows: Iterable[Mapping[str, object]]
) -> None:
    """Makes a table such as `run.syncs` from rows in memory; a missing key is NULL, an undeclared one is an error."""
    known = {column.name for column in columns}
    _create(con, relation, "TABLE", empty_select(columns))
    pending = iter(rows)
    place = "(" + ", ".join("?" * len(columns)) + ")"
    while chunk := list(islice(pending, _ROWS_PER_INSERT)):
        values: list[Any] = []
        for row in chunk:
            extra = sorted(set(row) - known)
            if extra:
                raise SourceError(f"{relation} has no column {', '.join(extra)}; it has {', '.join(sorted(known))}")
            values.extend(row.get(column.name) for column in columns)
        con.execute(f"INSERT INTO {_qualified(relation)} VALUES {', '.join([place] * len(chunk))}", values)


def _part_select(con: duckdb.DuckDBPyConnection, relation: str, declared: Sequence[Column], part: SourcePart) -> str:
    import duckdb

    scan = f"read_parquet({literal(part.path)}, hive_partitioning = false, union_by_name = true)"
    try:
        found = [row[0] for row in con.execute(f"DESCRIBE SELECT * FROM {scan}").fetchall()]
    except duckdb.Error as error:
        raise SourceError(f"{relation}: {part.path} cannot be read: {error}") from error
    known = {column.name.lower() for column in declared}
    stray = sorted(name for name in part.constants if name.lower() not in known)
    if stray:
        raise SourceError(f"{relation}: the constants {', '.join(stray)} of {part.path} are no declared columns")
    constants = {name.lower(): value for name, value in part.constants.items()}
    from_file = {name.lower(): name for name in found}
    pieces = []
    for column in declared:
        if column.name.lower() in constants:
            value = _constant(constants[column.name.lower()])
            pieces.append(f"CAST({value} AS {column.type}) AS {quoted(column.name)}")
        else:
            pieces.append(select_list((column,), from_file))
    return f"SELECT {', '.join(pieces)} FROM {scan}"


def _constant(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, datetime) and value.tzinfo is not None:
        raise SourceError(f"the constant {value.isoformat()} has a time zone; timestamps here are naive UTC")
    if isinstance(value, (date, datetime)):
        return literal(value.isoformat())
    return literal(str(value))


def _create(con: duckdb.DuckDBPyConnection, relation: str, sort: str, select: str) -> None:
    schema, _, _ = relation.partition(".")
    con.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
    con.execute(f"CREATE OR REPLACE {sort} {_qualified(relation)} AS {select}")


def _qualified(relation: str) -> str:
    schema, _, name = relation.partition(".")
    if not name:
        raise SourceError(f"the relation {relation!r} needs a schema, such as landed.{relation}")
    return f"{quoted(schema)}.{quoted(name)}"
