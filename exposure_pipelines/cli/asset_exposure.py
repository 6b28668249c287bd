"""What an asset is in the exposure graph: how critical, how exposed, which paths lead over it, what it leads to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

    from exposure_pipelines.home import Home

MARTS = ("criticality", "exposure_insights", "exposure_graph_nodes", "exposure_graph_edges", "attack_paths")


def asset_exposure(database: duckdb.DuckDBPyConnection, home: Home, asset_id: str) -> dict[str, Any]:
    """Reads MARTS of the connection. Empty parts for an asset of which nothing is known, or that is no node.

    Raises ConditionError for rules of the home that cannot be applied.
    """
    from exposure_pipelines.cli.asset_story import rows

    named = {"id": asset_id}
    found = rows(database, "SELECT * FROM criticality WHERE asset_id = $id", named)
    insights = rows(
        database, "SELECT * EXCLUDE (asset_kind, asset_id) FROM exposure_insights WHERE asset_id = $id", named
    )
    paths = rows(
        database,
        "SELECT risk_level, risk_score, scenario, entry_name, target_name, explanation FROM attack_paths "
        "WHERE list_contains(node_ids, $id) ORDER BY risk_score DESC, path_id",
        named,
    )
    return {
        "criticality": found[0]["criticality"] if found else None,
        "criticality_reasons": json.loads(found[0]["reasons"]) if found else [],
        "insights": insights[0] if insights else {},
        "attack_paths": paths,
        "blast_radius": blast(database, home, asset_id),
    }


def blast(database: duckdb.DuckDBPyConnection, home: Home, asset_id: str) -> dict[str, Any]:
    """How many nodes whoever holds the asset reaches by the rules of attack paths, and the critical ones by name."""
    from dbt_like_transforms.attack_paths.facts import read_graph
    from dbt_like_transforms.attack_paths.rules import load_attack_rules
    from dbt_like_transforms.attack_paths.search import blast_radius
    from exposure_pipelines.cli.asset_story import rows

    rules = load_attack_rules(home.root)
    attack = read_graph(database, rules)
    place = rows(database, "SELECT number FROM _attack_nodes WHERE NodeId = $id", {"id": asset_id})
    if not place:
        return {"nodes": 0, "critical": []}
    reached = blast_radius(attack.graph, place[0]["number"], rules.hops).tolist()
    critical = sorted(set(reached) & set(attack.targets.tolist()))
    names = rows(
        database,
        "SELECT NodeName AS name, NodeLabel AS label FROM _attack_nodes WHERE list_contains($numbers, number) "
        "ORDER BY criticality_level, NodeName, NodeId",
        {"numbers": critical},
    )
    return {"nodes": len(reached), "critical": names}
