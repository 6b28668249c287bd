"""Which records are one identity, with the reasons, and what the merged identities look like."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

    from dbt_like_transforms.engine.context import BuildContext

INPUTS = (
    "stg__identities",
    "run.connections",
    "run.identity_state",
    "run.identity_built",
    "previous.int_identities_assignments",
)
OUTPUTS = (
    "int_identities_assignments",
    "int_identities_decisions",
    "int_identities_suppressed",
    "int_identities_links",
    "int_identities_aliases",
    "int_identities_reviews",
    "int_identities_state",
    "int_identities_fields",
    "int_identities_winners",
)


def build(con: duckdb.DuckDBPyConnection, context: BuildContext) -> dict[str, duckdb.DuckDBPyRelation]:
    """The identity part of resolution; see `resolve_models` for the options it reads."""
    from dbt_like_transforms.resolution.models import resolve_models

    return resolve_models(con, "identity", "identities", context)
