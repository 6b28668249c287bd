"""Which records are one application, with the reasons, and what the merged applications look like."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

    from dbt_like_transforms.engine.context import BuildContext

INPUTS = (
    "stg__applications",
    "run.connections",
    "run.application_state",
    "run.application_built",
    "previous.int_applications_assignments",
)
OUTPUTS = (
    "int_applications_assignments",
    "int_applications_decisions",
    "int_applications_suppressed",
    "int_applications_links",
    "int_applications_aliases",
    "int_applications_reviews",
    "int_applications_state",
    "int_applications_fields",
    "int_applications_winners",
)


def build(con: duckdb.DuckDBPyConnection, context: BuildContext) -> dict[str, duckdb.DuckDBPyRelation]:
    """The application part of resolution; see `resolve_models` for the options it reads."""
    from dbt_like_transforms.resolution.models import resolve_models

    return resolve_models(con, "application", "applications", context)
