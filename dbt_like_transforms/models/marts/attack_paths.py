"""How an attacker could reach what matters, through what, and what to fix first."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from dbt_like_transforms.engine.context import BuildContext

INPUTS = ("exposure_graph_nodes", "exposure_graph_edges", "exposure_insights")
OUTPUTS = ("attack_paths", "attack_path_steps", "choke_points", "recommendations", "attack_path_preconditions")


def build(con: duckdb.DuckDBPyConnection, context: BuildContext) -> dict[str, pa.Table]:
    """Applies the predefined rules and the `attack_paths.yaml` of the home."""
    from dbt_like_transforms.attack_paths.report import find_attack_paths
    from dbt_like_transforms.attack_paths.rules import load_attack_rules

    return find_attack_paths(con, load_attack_rules(context.home))
