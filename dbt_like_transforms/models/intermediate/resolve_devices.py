"""Which records are one device, with the reasons, and what the merged devices look like."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

    from dbt_like_transforms.engine.context import BuildContext

INPUTS = ("stg__devices", "run.connections", "run.device_state", "run.device_built", "previous.int_devices_assignments")
OUTPUTS = (
    "int_devices_assignments",
    "int_devices_decisions",
    "int_devices_suppressed",
    "int_devices_links",
    "int_devices_aliases",
    "int_devices_reviews",
    "int_devices_state",
    "int_devices_fields",
    "int_devices_winners",
)


def build(con: duckdb.DuckDBPyConnection, context: BuildContext) -> dict[str, duckdb.DuckDBPyRelation]:
    """The device part of resolution; see `resolve_models` for the options it reads."""
    from dbt_like_transforms.resolution.models import resolve_models

    return resolve_models(con, "device", "devices", context)
