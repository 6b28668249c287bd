"""Data tests as SQL: one aggregate over the model where possible, and a few keys of what failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dbt_like_transforms.engine.columns import literal, quoted
from dbt_like_transforms.engine.models import Model, ModelTest
from dbt_like_transforms.engine.results import CheckResult

if TYPE_CHECKING:
    import duckdb

_SAMPLE = 5


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A test in SQL: `count` is an aggregate (or scalar sub-query) of what fails, `rows` selects the failing rows."""

    test: ModelTest
    count: str
    rows: str


def run_checks(con: duckdb.DuckDBPyConnection, model: Model) -> tuple[int, tuple[CheckResult, ...]]:
    """Rows of the model (readable on `con` under its name) and the result of each of its tests."""
    compiled = [_compile(model, test) for test in model.tests]
    counts = ", ".join(["count(*)", *(test.count for test in compiled)])
    # fetchall, because a result that is not read to its end blocks the connection
    row = con.execute(f"SELECT {counts} FROM {quoted(model.name)}").fetchall()[0]
    results = []
    for test, failing in zip(compiled, row[1:], strict=True):
        sample = _sample(con, model, test) if failing else ()
        results.append(
            CheckResult(
                name=test.test.name,
                column=test.test.column,
                passed=not failing,
                severity=test.test.severity,
                failing=int(failing or 0),
                sample=sample,
            )
        )
    return int(row[0]), tuple(results)


def key_columns(model: Model) -> tuple[str, ...]:
    """Columns that name a row of the model: those tested unique, else the first combination tested unique."""
    single = tuple(test.column for test in model.tests if test.test.kind == "unique" and test.column is not None)
    if single:
        return single
    return next((test.test.columns for test in model.tests if test.test.kind == "unique_combination"), ())


def _compile(model: Model, model_test: ModelTest) -> _Compiled:
    test = model_test.test
    kept = f"({test.config.where})" if test.config.where else "true"
    column = quoted(model_test.column or "")
    if test.kind in ("unique", "unique_combination"):
        value = f"row({', '.join(quoted(name) for name in test.columns)})" if test.columns else column
        present = "true" if test.columns else f"{column} IS NOT NULL"
        rows = f"{kept} AND {present} QUALIFY count(*) OVER (PARTITION BY {value}) > 1"
        counted = f"count({value}) FILTER (WHERE {kept}) - count(DISTINCT {value}) FILTER (WHERE {kept})"
        return _Compiled(model_test, counted, rows)
    if test.kind == "not_null":
        fails = f"{column} IS NULL"
    elif test.kind == "accepted_values":
        accepted = ", ".join(_value(value) for value in test.values)
        fails = f"{column} IS NOT NULL AND {column} NOT IN ({accepted})"
    elif test.kind == "relationships":
        found = f"SELECT {quoted(test.field or '')} FROM {quoted(test.to or '')}"
        fails = f"{column} IS NOT NULL AND {column} NOT IN ({found} WHERE {quoted(test.field or '')} IS NOT NULL)"
        counted = f"(SELECT count(*) FROM {quoted(model.name)} WHERE {kept} AND {fails})"
        return _Compiled(model_test, counted, f"{kept} AND {fails}")
    else:
        # as in a CHECK constraint a null result passes
        fails = f"NOT ({test.expression})"
    return _Compiled(model_test, f"count(*) FILTER (WHERE {kept} AND ({fails}))", f"{kept} AND ({fails})")


def _value(value: str | int | float | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return literal(value) if isinstance(value, str) else repr(value)


def _sample(con: duckdb.DuckDBPyConnection, model: Model, test: _Compiled) -> tuple[Mapping[str, Any], ...]:
    keys: Sequence[str] = test.test.test.config.sample or key_columns(model)
    if not keys:
        return ()
    names = ", ".join(quoted(name) for name in keys)
    sql = f"SELECT DISTINCT {names} FROM (SELECT {names} FROM {quoted(model.name)} WHERE {test.rows})"
    rows = con.execute(f"{sql} ORDER BY ALL LIMIT {_SAMPLE}").fetchall()
    return tuple(dict(zip(keys, row, strict=True)) for row in rows)
