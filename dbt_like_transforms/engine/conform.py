"""Holds what a model gives to what it declares: the same columns, in the declared order and types."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dbt_like_transforms.engine.columns import Column, quoted
from dbt_like_transforms.engine.errors import ModelFailed
from dbt_like_transforms.engine.models import Model

if TYPE_CHECKING:
    import duckdb
    from duckdb import DuckDBPyRelation

_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
_UNSIGNED = ("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
_canonical: dict[str, str] = {}  # asking DuckDB for each of 1,000 columns took a quarter of an empty build


def conformed(con: duckdb.DuckDBPyConnection, model: Model, relation: DuckDBPyRelation) -> DuckDBPyRelation:
    """The relation in the declared order and types.

    Types must agree; only casts that lose nothing are made (see `harmless`).

    Raises:
        ModelFailed: a declared column is missing, an undeclared one is there, or a type differs.
    """
    given = relation.columns  # each time it is asked for, the relation is looked at anew
    found = {name.lower(): name for name in given}
    types = dict(zip(found, map(str, relation.types), strict=True))
    problems = []
    for column in model.columns:
        name = column.name.lower()
        if name not in found:
            problems.append(f"column {column.name} ({column.type}) is declared and missing")
            continue
        wanted = _canonical_type(con, model, column)
        if not harmless(types[name], wanted):
            problems.append(
                f"column {column.name} is {types[name]} and declared {column.type}: cast it or declare it so"
            )
    declared = {column.name.lower() for column in model.columns}
    problems += [
        f"column {name} is not declared: describe it or leave it out" for name in given if name.lower() not in declared
    ]
    if problems:
        raise ModelFailed(model.name, model.file, "; ".join(problems))
    picked = (
        f"CAST({quoted(found[column.name.lower()])} AS {column.type}) AS {quoted(column.name)}"
        for column in model.columns
    )
    return relation.project(", ".join(picked))


def harmless(given: str, wanted: str) -> bool:
    """Whether a column of type `given` may stand for `wanted`: equal, untyped NULL, a wider number, JSON as text."""
    while given.endswith("[]") and wanted.endswith("[]"):
        given, wanted = given[:-2], wanted[:-2]
    if given == wanted or given.strip('"') == "NULL":
        return True
    if given == "JSON" or given.startswith("ENUM("):
        return wanted == "VARCHAR"
    if wanted == "DOUBLE":
        return given in (*_WHOLE, *_UNSIGNED, "FLOAT") or re.match(r"DECIMAL\(", given) is not None
    if wanted == "BIGINT":
        # sum() of a BIGINT is a HUGEINT; a value that does not fit is an error when it is written, never cut
        return given in (*_WHOLE, *_UNSIGNED)
    if wanted in _WHOLE and given in _WHOLE:
        return _WHOLE.index(given) <= _WHOLE.index(wanted)
    return False


def _canonical_type(con: duckdb.DuckDBPyConnection, model: Model, column: Column) -> str:
    """The declared type as DuckDB writes it."""
    import duckdb

    if column.type not in _canonical:
        try:
            _canonical[column.type] = str(con.sql(f"SELECT CAST(NULL AS {column.type}) AS c").types[0])
        except duckdb.Error as error:
            raise ModelFailed(
                model.name,
                model.file,
                f"column {column.name} declares {column.type!r}, which is no DuckDB type: {error}",
            ) from error
    return _canonical[column.type]
