from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest

from dbt_like_transforms.engine import (
    FolderStorage,
    MissingModelData,
    ModelFailed,
    Project,
    Runner,
    SourcePart,
    open_connection,
    register_sources,
)

from .small import SOURCES, THINGS, contract, project

DAY = date(2026, 11, 20)


def runner(loaded: Project, tmp_path: Path) -> Runner:
    con = open_connection(tmp_path / "spill", memory_limit="1GB", threads=1)
    landed = tmp_path / "hosts.parquet"
    con.execute(
        "copy (select 's' || i as sn, i as n, 'r' || i as _record_id, 'default' as _scope, 0 as _page, i as _row "
        f"from range(3) t(i)) to '{landed}'"
    )
    constants = {"_product": "acme", "_instance": "prod", "_synced_at": datetime(2026, 11, 20), "_proves_absence": True}
    register_sources(con, SOURCES, {"landed.acme__hosts": [SourcePart(str(landed), constants)]})
    return Runner(loaded, con, FolderStorage(tmp_path / "lake"), home=tmp_path, options={"size": 7})


def build(tmp_path: Path, sql: str, day: date = DAY, **columns: str) -> Runner:
    """Builds one mart `m` over the acme things."""
    files = {
        "staging/acme/stg_acme__things.sql": THINGS,
        "marts/m.sql": sql,
        "marts/_m.yml": contract("m", **columns),
    }
    made = runner(project(tmp_path, files), tmp_path)
    made.run(day)
    return made


def test_models_are_written_read_back_and_reported_in_order(tmp_path: Path) -> None:
    files = {
        "staging/acme/stg_acme__things.sql": THINGS,
        "marts/m.sql": "select size, record from stg__things",
        "marts/_m.yml": contract("m", record="VARCHAR", size="BIGINT"),
    }
    made = runner(project(tmp_path, files), tmp_path)
    results = made.run(DAY)
    assert [(r.name, r.layer, r.rows) for r in results] == [("stg_acme__things", "staging", 3), ("m", "marts", 3)]
    assert "snapshot_date=2026-11-20" in results[1].path
    # declared order, and the folder's date is no column
    assert made.con.execute("describe m").fetchall()[0][0] == "record"
    assert len(made.con.execute("describe m").fetchall()) == 2


def test_the_run_knows_its_date(tmp_path: Path) -> None:
    made = build(tmp_path, "select snapshot_date as d, snapshot_end as e from run.context", d="DATE", e="TIMESTAMP")
    assert made.con.execute("from m").fetchall() == [(DAY, datetime(2026, 11, 21))]


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("select record from stg__things", "column size (BIGINT) is declared and missing"),
        ("select record, size, 1 as extra from stg__things", "column extra is not declared"),
        ("select record, size::varchar as size from stg__things", "column size is VARCHAR and declared BIGINT"),
        ("select tags as record, size from stg__things", "column record is VARCHAR[] and declared VARCHAR"),
    ],
)
def test_output_that_breaks_the_contract_is_refused_naming_both_types(tmp_path: Path, sql: str, message: str) -> None:
    with pytest.raises(ModelFailed) as raised:
        build(tmp_path, sql, record="VARCHAR", size="BIGINT")
    assert message in str(raised.value)
    assert not (tmp_path / "lake" / "marts" / "m").exists()


def test_casts_that_lose_nothing_are_made(tmp_path: Path) -> None:
    made = build(
        tmp_path,
        "select sum(size) as b, 0.5 as c, json_object('x', 1) as d, 1::smallint as f from stg__things",
        b="BIGINT",
        c="DOUBLE",
        d="VARCHAR",
        f="INTEGER",
    )
    types = [row[1] for row in made.con.execute("describe m").fetchall()]
    assert types == ["BIGINT", "DOUBLE", "VARCHAR", "INTEGER"]


@pytest.mark.skipif(
    duckdb.__version__ < "2", reason="before 2.0 an untyped NULL is an INTEGER, which cannot be told from one"
)
def test_a_null_without_a_type_stands_for_any(tmp_path: Path) -> None:
    made = build(tmp_path, "select null as a, [] as e from stg__things", a="VARCHAR", e="VARCHAR[]")
    assert [row[1] for row in made.con.execute("describe m").fetchall()] == ["VARCHAR", "VARCHAR[]"]


def test_a_model_that_does_not_bind_names_its_file_line_and_what_duckdb_says(tmp_path: Path) -> None:
    with pytest.raises(ModelFailed, match=r"m failed \(models/marts/m.sql:3\).*colour"):
        build(tmp_path, "select\n  record,\n  colour\nfrom stg__things", record="VARCHAR")


def test_a_model_that_fails_on_its_data_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(ModelFailed, match=r"m.sql.*Could not convert"):
        build(tmp_path, "select record::bigint as size from stg__things", size="BIGINT")
    assert list((tmp_path / "lake" / "marts").rglob("*.*")) == []


def test_an_undeclared_type_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelFailed, match="declares 'TEXTUAL', which is no DuckDB type"):
        build(tmp_path, "select record from stg__things", record="TEXTUAL")


def test_what_is_not_selected_is_read_from_its_last_writing(tmp_path: Path) -> None:
    files = {
        "staging/acme/stg_acme__things.sql": THINGS,
        "marts/m.sql": "select record from stg__things",
        "marts/_m.yml": contract("m", record="VARCHAR"),
    }
    made = runner(project(tmp_path, files), tmp_path)
    with pytest.raises(MissingModelData, match=r"m \(models/marts/m.sql\) reads stg_acme__things.*2026-11-20: select"):
        made.run(DAY, select=["m"])
    made.run(DAY, select=["stg_acme__things"])
    assert [result.name for result in made.run(DAY, select=["m"])] == ["m"]
    with pytest.raises(MissingModelData):
        made.run(date(2026, 11, 21), select=["m"])


def test_previous_is_empty_on_the_first_day_and_the_newest_earlier_date_after_it(tmp_path: Path) -> None:
    files = {
        "marts/m.sql": "select (select max(n) from previous.m) as before, day(snapshot_date)::bigint as n from run.context",
        "marts/_m.yml": contract("m", before="BIGINT", n="BIGINT"),
    }
    made = runner(project(tmp_path, files), tmp_path)
    for day, expected in ((18, None), (20, 18), (25, 20), (22, 20), (20, 18)):
        made.run(date(2026, 11, day))
        assert made.con.execute("select before, n from m").fetchall() == [(expected, day)]


def test_a_column_that_the_previous_snapshot_did_not_have_is_null_there(tmp_path: Path) -> None:
    files = {"marts/m.sql": "select 1::bigint as a", "marts/_m.yml": contract("m", a="BIGINT")}
    runner(project(tmp_path, files), tmp_path).run(date(2026, 11, 19))
    files["marts/m.sql"] = (
        "select a, 'x' as b from (select 2::bigint as a union all select a from previous.m where b is null)"
    )
    files["marts/_m.yml"] = contract("m", a="BIGINT", b="VARCHAR")
    made = runner(project(tmp_path, files), tmp_path)
    made.run(DAY)
    assert made.con.execute("select a from m order by a").fetchall() == [(1,), (2,)]


PYTHON = """
import pyarrow as pa

INPUTS = ("stg__things",)
OUTPUTS = ("one", "two")


def build(con, context):
    size = context.options["size"]
    return {
        "one": con.sql(f"select record, {size}::bigint as size from stg__things"),
        "two": pa.table({"day": [context.snapshot_date.isoformat()]}),
    }
"""


def python_project(tmp_path: Path, text: str = PYTHON) -> Runner:
    files = {
        "staging/acme/stg_acme__things.sql": THINGS,
        "intermediate/both.py": text,
        "intermediate/_i.yml": contract("one", record="VARCHAR", size="BIGINT")
        + contract("two", day="VARCHAR").removeprefix("models:\n"),
    }
    return runner(project(tmp_path, files), tmp_path)


def test_a_python_model_gives_relations_or_arrow_and_all_its_outputs_at_once(tmp_path: Path) -> None:
    made = python_project(tmp_path)
    made.run(DAY, select=["stg_acme__things"])
    results = made.run(DAY, select=["two"])
    assert [(r.name, r.rows, r.selected) for r in results] == [("one", 3, False), ("two", 1, True)]
    assert made.con.execute("from two").fetchall() == [("2026-11-20",)]


def test_a_python_model_that_fails_names_its_line(tmp_path: Path) -> None:
    with pytest.raises(ModelFailed, match=r"both.py:9\): KeyError: 'weight'"):
        python_project(tmp_path, PYTHON.replace('["size"]', '["weight"]')).run(DAY)
    with pytest.raises(ModelFailed, match="build gave one, OUTPUTS names one, two"):
        python_project(tmp_path, PYTHON.replace('        "two"', '        # "two"')).run(DAY)
