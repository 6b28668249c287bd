"""What is published: the marts of one date, with keys and indexes read from their contracts, and only if they keep them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from exposure_pipelines.errors import WorkFailed

if TYPE_CHECKING:
    import duckdb

    from dbt_like_transforms.engine.models import Model
    from exposure_pipelines.lake import Lake


@dataclass(frozen=True, slots=True)
class PublishedTable:
    """One mart. `columns` are (name, DuckDB type); `primary_key` is empty where no column promises to be unique."""

    name: str
    path: str
    columns: tuple[tuple[str, str], ...]
    primary_key: tuple[str, ...]
    indexes: tuple[tuple[str, ...], ...]


def published_table(model: Model, path: str) -> PublishedTable:
    """The table of a mart. Its key is the column tested unique and not_null, or the tested unique combination.

    Only tests that hold on every row and are of severity error count: others may fail and be published.
    """
    tests = [test for test in model.tests if test.severity == "error" and test.test.config.where is None]
    unique = {test.column for test in tests if test.test.kind == "unique"}
    not_null = {test.column for test in tests if test.test.kind == "not_null"}
    key: tuple[str, ...] = next(((column.name,) for column in model.columns if column.name in unique & not_null), ())
    if not key:
        combinations = [test.test.columns for test in tests if test.test.kind == "unique_combination"]
        key = next((combination for combination in combinations if not_null.issuperset(combination)), ())
    scalars = [column.name for column in model.columns if not is_nested(column.type)]
    indexes = tuple((name,) for name in scalars if name.endswith("_id") and (name,) != key)
    return PublishedTable(model.name, path, tuple((c.name, c.type) for c in model.columns), key, indexes)


def is_nested(duckdb_type: str) -> bool:
    return duckdb_type.endswith("]") or duckdb_type.upper().startswith(("STRUCT", "MAP", "JSON"))


def sound_tables(
    database: duckdb.DuckDBPyConnection, lake: Lake, models: Mapping[str, Model], day: date
) -> list[PublishedTable]:
    """Every mart of a date, in the order of the project.

    The tests are run here again, on the very files that are about to be published: what Dagster last recorded of a test
    may be about another date. Raises WorkFailed when a mart is not built for the date or breaks a test of severity error.
    """
    marts = [model for model in models.values() if model.layer == "marts"]
    missing = [model.name for model in marts if not lake.has_model("marts", model.name, day)]
    if missing:
        raise WorkFailed(
            f"{day} is not published: {', '.join(missing)} not built for it; `exposure build --date {day}` builds all."
        )
    failed = failed_tests(database, lake, models, marts, day)
    if failed:
        more = f" and {len(failed) - 5} more" if len(failed) > 5 else ""
        raise WorkFailed(
            f"{day} is not published, {len(failed)} tests of severity error fail: {'; '.join(failed[:5])}{more}. "
            "The last published snapshot stays."
        )
    return [published_table(model, lake.model_path("marts", model.name, day)) for model in marts]


def failed_tests(
    database: duckdb.DuckDBPyConnection, lake: Lake, models: Mapping[str, Model], marts: list[Model], day: date
) -> list[str]:
    from dbt_like_transforms.engine.checks import run_checks

    needed = {model.name: model for model in marts}
    needed |= {name: models[name] for model in marts for name in model.tested_against}
    for name, model in needed.items():
        path = lake.model_path(model.layer, name, day).replace("'", "''")
        database.execute(
            f"CREATE OR REPLACE VIEW \"{name}\" AS SELECT * FROM read_parquet('{path}', hive_partitioning = false)"
        )
    failed = []
    for model in marts:
        _, results = run_checks(database, model)
        failed += [
            f"{model.name} {check.name} ({check.failing:,} rows)"
            for check in results
            if not check.passed and check.severity == "error"
        ]
    return failed
