"""Columns that are made of each other: each is made once, and what no record tells is left out without a difference."""

from __future__ import annotations

from typing import Any, cast, get_args

import duckdb
import pyarrow as pa
import pytest

from dbt_like_transforms.resolution.forms.derived import Derived
from dbt_like_transforms.resolution.forms.seeds import install_macros
from dbt_like_transforms.resolution.intake import number_records
from dbt_like_transforms.resolution.kinds import COLUMNS, LADDERS, Kind

GUID = "0a1b2c3d-12f4-4e74-af7c-3b54377d0001"
VALUES = (
    GUID,
    "jo@corp.example",
    "CORP\\svc-sql",
    "i-0aa1000000000001",
    "S-1-5-21-7-8-9-1101",
    "unknown",
    "1234567",
    "",
)


def _rows(connection: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    """Types, then rows; a list without values is none."""
    found = connection.execute(f"FROM ({sql}) ORDER BY idx")
    types = tuple(str(column[1]) for column in found.description)
    plain = [
        tuple(
            [v for v in value or [] if v is not None] if "[]" in type_ else value
            for value, type_ in zip(row, types, strict=True)
        )
        for row in found.fetchall()
    ]
    return [types, *plain]


@pytest.mark.parametrize("kind", get_args(Kind))
def test_what_no_record_tells_is_what_it_is_where_it_is_looked_for(kind: Kind) -> None:
    norm = cast(Derived, LADDERS[kind].tables["norm"])
    columns = {name: type_ for name, type_ in COLUMNS[kind].items() if type_.startswith("VARCHAR")}
    with duckdb.connect() as connection:
        install_macros(connection, ())
        for told in ("", *columns):
            rows: list[dict[str, Any]] = [{"record": f"a:p:{i}", "product": "a"} for i in range(len(VALUES))]
            if told:
                for row, value in zip(rows, VALUES, strict=True):
                    row[told] = [value] if columns[told] == "VARCHAR[]" else value
            connection.register("rows", pa.Table.from_pylist(rows))
            stated = number_records(connection, "rows", COLUMNS[kind])
            assert {name for name, known in stated.items() if known} == ({told} if told else set())
            for name, table in LADDERS[kind].tables.items():
                if name == "norm":
                    break  # what comes after it reads it
                if isinstance(table, str):
                    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {table}")
                else:
                    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {table.sql(stated)}")
            everything = dict.fromkeys(stated, True)
            assert _rows(connection, norm.sql(stated)) == _rows(connection, norm.sql(everything)), told


def test_a_column_that_many_read_is_made_once() -> None:
    table = Derived(
        "records",
        columns={"_a": "dear(x)", "b": "f(_a) || g(_a)", "c": "h(b, _a, 'dear(x)')", "_unread": "dear(_a)"},
        always=(),
        kept=("idx",),
    )
    assert table.sql({"x": True}) == (
        "SELECT idx, b, c FROM (SELECT idx, b, h(b, _a, 'dear(x)') AS c FROM "
        "(SELECT idx, _a, f(_a) || g(_a) AS b FROM (SELECT idx, dear(x) AS _a FROM records)))"
    )
    assert (
        table.sql({"x": False})
        == "SELECT idx, b, c FROM (SELECT idx, NULL::VARCHAR AS b, NULL::VARCHAR AS c FROM records)"
    )
