"""What is published: the marts of one date, with keys and indexes read from their contracts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
    """The table of a mart. Its key is the column tested unique and not_null, or the tested unique combination."""
    tested = {(test.test.kind, test.column): test for test in model.tests if test.test.config.where is None}
    key: tuple[str, ...] = ()
    for column in model.columns:
        if ("unique", column.name) in tested and ("not_null", column.name) in tested:
            key = (column.name,)
            break
    else:
        combinations = [test.test.columns for test in model.tests if test.test.kind == "unique_combination"]
        not_null = {column for kind, column in tested if kind == "not_null"}
        key = next((combination for combination in combinations if set(combination) <= not_null), ())
    scalars = [column for column in model.columns if not is_nested(column.type)]
    indexes = [(c.name,) for c in scalars if (c.name == "cve_id" or c.name.endswith("_id")) and (c.name,) != key]
    return PublishedTable(model.name, path, tuple((c.name, c.type) for c in model.columns), key, tuple(indexes))


def published_tables(lake: Lake, marts: list[Model], day: date) -> list[PublishedTable]:
    """The marts built for a date, in the order of the project."""
    return [
        published_table(model, lake.model_path("marts", model.name, day))
        for model in marts
        if lake.has_model("marts", model.name, day)
    ]


def is_nested(duckdb_type: str) -> bool:
    return duckdb_type.endswith("]") or duckdb_type.upper().startswith(("STRUCT", "MAP", "JSON"))
