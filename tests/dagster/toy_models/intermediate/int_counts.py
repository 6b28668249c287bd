"""A Python model of the tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

    from dbt_like_transforms.engine.context import BuildContext

INPUTS = ("int_hosts",)
OUTPUTS = ("int_counts",)


def build(con: duckdb.DuckDBPyConnection, context: BuildContext) -> dict[str, duckdb.DuckDBPyRelation]:
    context.report("counting hosts")
    return {"int_counts": con.sql("SELECT product, count(*) AS hosts FROM int_hosts GROUP BY product")}
