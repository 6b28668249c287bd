"""How critical each asset is, and which rules say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

    from dbt_like_transforms.engine.context import BuildContext

INPUTS = (
    "devices",
    "identities",
    "applications",
    "cloud_resources",
    "business_context",
    "assets",
    "asset_traits",
    "int_record_assets",
    "int_devices_fields",
    "int_identities_fields",
    "int_applications_fields",
    "stg__cloud_resources",
)
OUTPUTS = ("criticality",)


def build(con: duckdb.DuckDBPyConnection, context: BuildContext) -> dict[str, duckdb.DuckDBPyRelation]:
    """Applies the predefined rules and the `criticality.yaml` of the home."""
    from dbt_like_transforms.criticality.classify import classify
    from dbt_like_transforms.criticality.rules import load_rules

    return {"criticality": classify(con, load_rules(context.home))}
