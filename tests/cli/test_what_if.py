"""What `exposure build --what-if` tells beside merges and splits, and which decisions it says to have no effect."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from dbt_like_transforms.engine.checks import run_checks
from dbt_like_transforms.engine.storage import FolderStorage
from exposure_pipelines.building import project
from exposure_pipelines.notices import newly_suppressed, without_effect
from exposure_pipelines.what_if import suppressed, turned

DAY = date(2026, 11, 20)


@pytest.fixture
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


@pytest.fixture
def built(database: duckdb.DuckDBPyConnection, tmp_path: Path) -> FolderStorage:
    """A date on which a decision named an asset instead of its records, an account, and what nobody reports."""
    storage = FolderStorage(tmp_path)
    for model, rows in {
        "int_devices_assignments": "SELECT 'edr:p:1' AS record, 'd1' AS asset_id",
        "int_identities_assignments": "SELECT 'okta:p:1' AS record, 'i1' AS asset_id",
        "int_devices_suppressed": "SELECT 'serial_number' AS identifier, 'S1' AS value FROM range(2)",
        "int_devices_decisions": """
            SELECT * FROM (VALUES
                ('ignored', 'manual', 'd1', NULL, 'decision one names d1, which is not among the records: it waits'),
                ('ignored', 'manual', 'd1', NULL, 'decision one names d1, which is not among the records: it waits'),
                ('ignored', 'manual', 'okta:p:1', NULL, 'decision two names okta:p:1, which is not among the records: it waits'),
                ('ignored', 'manual', 'scan:left:9', 'left_out', 'decision three names scan:left:9, which is left out'),
                ('vetoed', 'manual_merge', 'edr:p:1', 'apart', 'one by decision as edr:p:2, but a person decided otherwise'),
                ('vetoed', 'manual_never_match', 'edr:p:1', 'apart', 'a person decided that they are different')
            ) t (verdict, rule, record, against, sentence)""",
    }.items():
        storage.write("intermediate", model, DAY, database.sql(rows))
    return storage


def test_a_decision_that_names_what_is_no_record_is_told_with_the_likely_mistake(
    database: duckdb.DuckDBPyConnection, built: FolderStorage
) -> None:
    told = without_effect(database, built, DAY)
    assert len(told) == 3
    assert told[0] == "edr:p:1: one by decision as edr:p:2, but a person decided otherwise"
    assert told[1].startswith("decision one names d1, ")
    assert "it is the id of an asset: name records of it" in told[1]
    assert told[2].endswith("(it is a record of kind identity)")


def test_a_decision_without_effect_fails_a_check_that_shows_it(
    database: duckdb.DuckDBPyConnection, built: FolderStorage
) -> None:
    model = project().models["resolution_decisions"]
    missing = ", ".join(
        f"NULL::{column.type} AS {column.name}"
        for column in model.columns
        if column.name not in ("verdict", "rule", "record", "against", "sentence")
    )
    made = built.path("intermediate", "int_devices_decisions", DAY)
    database.execute(
        f"CREATE TABLE resolution_decisions AS SELECT *, {missing} FROM read_parquet('{made}', hive_partitioning = false)"
    )
    _, results = run_checks(database, model)
    (found,) = (check for check in results if check.name == "decisions_of_people_have_an_effect")
    assert (found.failing, found.severity) == (4, "warn")
    assert {row["record"] for row in found.sample} == {"d1", "okta:p:1", "edr:p:1"}
    assert all(row["sentence"] for row in found.sample)
    database.execute("DELETE FROM resolution_decisions WHERE verdict = 'ignored' OR rule = 'manual_merge'")
    assert all(check.passed for check in run_checks(database, model)[1] if check.name == found.name)


def test_records_that_come_to_an_asset_or_leave_it_for_none_are_changes(database: duckdb.DuckDBPyConnection) -> None:
    before = database.sql(
        "FROM (VALUES ('a', 'd1'), ('b', NULL), ('c', 'd1'), ('gone', 'd2'), ('h', NULL)) t (record, asset_id)"
    )
    now = database.sql(
        "FROM (VALUES ('a', 'd1'), ('b', 'd1'), ('c', NULL), ('new', 'd3'), ('h', NULL)) t (record, asset_id)"
    )
    assert turned(before, now) == (("c", "d1"),)
    assert turned(now, before) == (("b", "d1"),)


def test_values_that_identify_nothing_are_compared_by_identifier_and_value(
    database: duckdb.DuckDBPyConnection, built: FolderStorage
) -> None:
    assert suppressed(database, built.path("intermediate", "int_devices_suppressed", DAY)) == {"serial_number S1"}
    assert suppressed(database, None) == set()


def test_a_value_that_a_build_learns_to_distrust_is_told_once(
    database: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    storage = FolderStorage(tmp_path)
    rows = """SELECT 'serial_number' AS identifier, value, cause, 'seen with many' AS evidence, records FROM (VALUES
        ('OLD', 'data', 3), ('N/A', 'placeholder', 9), ('SN1', 'data', 5), ('SN2', 'data', 129),
        ('SN2 by hp', 'data', 39)) t (value, cause, records)"""
    otherwise = "SELECT 'hostnames', 'SN1', 'data', 'seen with many', 5"
    before = database.sql(f"{rows} WHERE value = 'OLD' UNION ALL {otherwise}")
    storage.write("intermediate", "int_devices_suppressed", DAY, before)
    assert newly_suppressed(database, storage, DAY) == [], "nothing before the first date"
    for day in (DAY + timedelta(days=1), DAY + timedelta(days=2)):
        storage.write("intermediate", "int_devices_suppressed", day, database.sql(rows))
    told = newly_suppressed(database, storage, DAY + timedelta(days=1))
    assert [(row["kind"], row["value"], row["records"]) for row in told] == [
        ("device", "SN2", 129),
        ("device", "SN1", 5),
    ]
    assert newly_suppressed(database, storage, DAY + timedelta(days=2)) == []
