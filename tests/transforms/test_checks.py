from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from dbt_like_transforms.engine import CheckResult, FolderStorage, ModelFailed, ProjectError, Runner, open_connection

from .small import project

YML = """
models:
  - name: parents
    description: parents
    columns:
      - {name: id, data_type: VARCHAR}
  - name: m
    description: m
    columns:
      - {name: id, data_type: VARCHAR, data_tests: [unique]}
      - {name: name, data_type: VARCHAR, data_tests: [TEST]}
      - {name: n, data_type: BIGINT}
    data_tests: [MODEL_TEST]
"""


def check(tmp_path: Path, rows: str, test: str = "not_null", model_test: str = "") -> dict[str, CheckResult]:
    files = {
        "marts/parents.sql": "select 'p' as id union all select null as id",
        "marts/m.sql": f"select * from (values {rows}) as t (id, name, n)",
        "marts/_m.yml": YML.replace("MODEL_TEST", model_test).replace("TEST", test),
    }
    runner = Runner(project(tmp_path, files), open_connection(), FolderStorage(tmp_path / "lake"))
    (result,) = (result for result in runner.run(date(2026, 11, 20)) if result.name == "m")
    return {found.name: found for found in result.checks}


GOOD = "('a', 'p', 1), ('b', 'p', 2)"


@pytest.mark.parametrize(
    ("name", "test", "model_test", "bad", "failing", "sample"),
    [
        ("not_null_name", "not_null", "", "('a', 'p', 1), ('b', null, 2)", 1, ({"id": "b"},)),
        ("unique_id", "not_null", "", "('a', 'p', 1), ('a', 'p', 2), ('a', 'p', 2)", 2, ({"id": "a"},)),
        (
            "accepted_values_name",
            'accepted_values: {values: [p, "o\'x"]}',
            "",
            "('a', 'q', 1), ('b', null, 2)",
            1,
            ({"id": "a"},),
        ),
        (
            "relationships_name",
            "relationships: {to: parents, field: id}",
            "",
            "('a', 'q', 1), ('b', null, 1)",
            1,
            ({"id": "a"},),
        ),
        (
            "row_condition_name",
            "row_condition: {expression: n < 3}",
            "",
            "('a', 'p', 9), ('b', 'p', null)",
            1,
            ({"id": "a"},),
        ),
        ("small", "not_null", "row_condition: {expression: n < 3, name: small}", "('a', 'p', 9)", 1, ({"id": "a"},)),
        (
            "unique_combination_name_n",
            "not_null",
            "unique_combination: {columns: [name, n]}",
            "('a', 'p', 1), ('b', 'p', 1)",
            1,
            ({"id": "a"}, {"id": "b"}),
        ),
    ],
)
def test_each_test_passes_on_good_rows_and_fails_on_bad_ones_with_their_keys(
    tmp_path: Path, name: str, test: str, model_test: str, bad: str, failing: int, sample: tuple[dict[str, str], ...]
) -> None:
    good = check(tmp_path, GOOD, test, model_test)
    assert good[name].passed, good[name]
    found = check(tmp_path, bad, test, model_test)[name]
    assert (found.passed, found.failing, found.sample) == (False, failing, sample)


def test_a_sample_shows_keys_and_never_the_failing_value(tmp_path: Path) -> None:
    rows = ", ".join(f"('k{i}', 'secret@example.com', {i})" for i in range(9))
    found = check(tmp_path, rows, "accepted_values: {values: [p]}")["accepted_values_name"]
    assert found.failing == 9
    assert [dict(row) for row in found.sample] == [{"id": f"k{i}"} for i in range(5)]


def test_a_sample_shows_the_columns_that_a_test_names(tmp_path: Path) -> None:
    found = check(
        tmp_path, GOOD, model_test="row_condition: {expression: n < 2, name: small, config: {sample: [name, n]}}"
    )
    assert found["small"].sample == ({"name": "p", "n": 2},)


def test_a_sample_of_a_column_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="a test of m names column 'colour', which it does not declare"):
        check(tmp_path, GOOD, model_test="row_condition: {expression: n < 2, config: {sample: [colour]}}")


def test_severity_and_where_belong_to_a_test(tmp_path: Path) -> None:
    found = check(
        tmp_path, "('a', null::varchar, 1), ('b', null, 5)", "not_null: {config: {severity: warn, where: n > 2}}"
    )
    assert (found["not_null_name"].severity, found["not_null_name"].failing) == ("warn", 1)


def test_an_empty_model_passes_its_tests(tmp_path: Path) -> None:
    found = check(
        tmp_path,
        "(null::varchar, null::varchar, null::bigint) limit 0",
        "not_null",
        "unique_combination: {columns: [id, n]}",
    )
    assert all(result.passed and result.failing == 0 for result in found.values())


def test_a_test_that_does_not_run_names_the_model_and_its_tests(tmp_path: Path) -> None:
    with pytest.raises(ModelFailed, match=r"model m failed.*\(unique_id, row_condition_name\) do not run.*colour"):
        check(tmp_path, GOOD, "row_condition: {expression: colour > 1}")
