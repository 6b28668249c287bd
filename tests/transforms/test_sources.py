from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from dbt_like_transforms.engine import (
    Column,
    SourceError,
    SourcePart,
    duckdb_type,
    open_connection,
    register_sources,
    register_table,
)

COLUMNS = {"landed.a__b": (Column("id", "BIGINT"), Column("Name", "VARCHAR"), Column("_instance", "VARCHAR"))}


def test_field_types_become_duckdb_types() -> None:
    assert duckdb_type("integer") == "BIGINT"
    assert duckdb_type("json") == "VARCHAR"
    assert duckdb_type(["timestamp"]) == "TIMESTAMP[]"
    assert duckdb_type([{"a": "number", "b c": ["boolean"]}]) == 'STRUCT("a" DOUBLE, "b c" BOOLEAN[])[]'
    for wrong in ("string", [], ["text", "text"], {}):
        with pytest.raises(SourceError, match="is unknown"):
            duckdb_type(wrong)


def test_a_product_with_nothing_landed_is_an_empty_relation_of_the_declared_types() -> None:
    con = open_connection()
    register_sources(con, COLUMNS, {})
    assert con.execute("describe landed.a__b").fetchall()[0][:2] == ("id", "BIGINT")
    assert con.execute("select count(*) from landed.a__b").fetchall() == [(0,)]


def test_instances_are_united_and_what_a_file_lacks_is_null(tmp_path: Path) -> None:
    con = open_connection()
    folder = tmp_path / "snapshot_date=2026-01-01"
    folder.mkdir()
    con.execute(f"copy (select 1::integer as id, 'x' as name) to '{folder}/one.parquet'")
    con.execute(f"copy (select 2::bigint as id, 9 as other) to '{folder}/two.parquet'")
    parts = [SourcePart(f"{folder}/{name}.parquet", {"_instance": name}) for name in ("one", "two")]
    register_sources(con, COLUMNS, {"landed.a__b": parts})
    assert con.execute("from landed.a__b order by id").fetchall() == [(1, "x", "one"), (2, None, "two")]


def test_a_date_inside_a_struct_that_is_none_costs_its_value_and_not_the_build(tmp_path: Path) -> None:
    con = open_connection()
    columns = {"landed.a__b": (Column("s", 'STRUCT("at" TIMESTAMP, "x" VARCHAR)'), Column("l", "TIMESTAMP[]"))}
    con.execute(
        f"copy (select {{'at': '', 'x': 'kept'}} as s, ['soon', '2026-01-02'] as l) to '{tmp_path}/one.parquet'"
    )
    register_sources(con, columns, {"landed.a__b": [SourcePart(f"{tmp_path}/one.parquet", {})]})
    assert con.execute("select s.at, s.x, l from landed.a__b").fetchall() == [
        (None, "kept", [None, datetime(2026, 1, 2)])
    ]


def test_wrong_registrations_say_what_is_wrong(tmp_path: Path) -> None:
    con = open_connection()
    with pytest.raises(SourceError, match=r"no columns are declared for landed.c"):
        register_sources(con, COLUMNS, {"landed.c": []})
    with pytest.raises(SourceError, match=r"landed.a__b: .*gone.parquet cannot be read"):
        register_sources(con, COLUMNS, {"landed.a__b": [SourcePart(str(tmp_path / "gone.parquet"))]})
    con.execute(f"copy (select 1 as id) to '{tmp_path}/x.parquet'")
    with pytest.raises(SourceError, match="the constants _stream"):
        register_sources(con, COLUMNS, {"landed.a__b": [SourcePart(f"{tmp_path}/x.parquet", {"_stream": "s"})]})
    aware = SourcePart(f"{tmp_path}/x.parquet", {"Name": datetime(2026, 1, 1, tzinfo=UTC)})
    with pytest.raises(SourceError, match="naive UTC"):
        register_sources(con, COLUMNS, {"landed.a__b": [aware]})
    with pytest.raises(SourceError, match=r"landed.a__b has no column extra"):
        register_table(con, "landed.a__b", COLUMNS["landed.a__b"], [{"extra": 1}])


def test_many_rows_with_lists_are_registered_whole() -> None:
    con = open_connection()
    columns = (Column("id", "BIGINT"), Column("kinds", "VARCHAR[]"))
    register_table(con, "run.x", columns, ({"id": i, "kinds": ["a", None]} for i in range(1201)))
    assert con.execute("select count(*), max(id), any_value(kinds) from run.x").fetchall() == [
        (1201, 1200, ["a", None])
    ]
