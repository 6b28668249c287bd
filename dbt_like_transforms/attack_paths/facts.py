"""What the rules make of a build's graph: entries, targets and usable edges, as numbered nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dbt_like_transforms.attack_paths.rules import AttackRules, Entry, Target
from dbt_like_transforms.attack_paths.search import Graph, Ints
from dbt_like_transforms.conditions import condition_sql

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class AttackGraph:
    """`_attack_nodes` (number, NodeId, ...) and `_attack_edges` (tail, head, edge_id, rule, rank, ...) lie on the connection.

    entry_rule, target_rule: node number -> number of the first rule that fits.
    """

    graph: Graph
    entry_rule: dict[int, int]
    target_rule: dict[int, int]

    @property
    def entries(self) -> Ints:
        return np.array(sorted(self.entry_rule), np.int32)

    @property
    def targets(self) -> Ints:
        return np.array(sorted(self.target_rule), np.int32)


def read_graph(con: duckdb.DuckDBPyConnection, rules: AttackRules) -> AttackGraph:
    """Applies the rules to exposure_graph_nodes, exposure_graph_edges and exposure_insights of the connection.

    Raises:
        ConditionError: a rule reads a column that is not there.
    """
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE _attack_nodes AS
        SELECT (row_number() OVER (ORDER BY n.NodeId) - 1)::INTEGER AS number, n.*,
            i.* EXCLUDE (asset_kind, asset_id, is_internet_exposed, open_vulnerabilities, max_cvss_score,
                vulnerable_to_remote_code_execution, vulnerable_to_privilege_escalation, exploit_available)
        FROM exposure_graph_nodes AS n LEFT JOIN exposure_insights AS i ON i.asset_id = n.NodeId
        WHERE n.asset_kind IN ('device', 'identity', 'application', 'cloud_resource')
        """
    )
    columns = _columns(con, "_attack_nodes")
    columns["properties"] = columns["NodeProperties"]
    entry_rule = _matching(con, rules.entries, columns)
    target_rule = _matching(con, rules.targets, columns)
    _usable_edges(con, rules)
    ends = con.execute("SELECT tail, head FROM _attack_edges").fetchnumpy()
    count = row_count(con, "_attack_nodes")
    tails, heads = (np.ma.getdata(ends[name]).astype(np.int32, copy=False) for name in ("tail", "head"))
    return AttackGraph(Graph.of(count, tails, heads), entry_rule, target_rule)


def row_count(con: duckdb.DuckDBPyConnection, relation: str) -> int:
    """Number of rows."""
    return int(con.execute(f"SELECT count(*) FROM {relation}").fetchall()[0][0])


def _columns(con: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    return {row[0]: row[1] for row in con.execute(f"DESCRIBE {relation}").fetchall()}


def _matching(
    con: duckdb.DuckDBPyConnection, rules: Sequence[Entry | Target], columns: dict[str, str]
) -> dict[int, int]:
    found: dict[int, int] = {}
    for place, rule in enumerate(rules):
        kinds = ", ".join(f"'{kind}'" for kind in rule.asset_kinds)
        rows = con.execute(
            "SELECT number FROM (SELECT *, NodeProperties AS properties FROM _attack_nodes) "
            f"WHERE asset_kind IN ({kinds}) AND {condition_sql(rule.when, columns, rule.name)}"
        ).fetchnumpy()["number"]
        for number in np.ma.getdata(rows).tolist():
            found.setdefault(number, place)
    return found


def _usable_edges(con: duckdb.DuckDBPyConnection, rules: AttackRules) -> None:
    # names of roles lie in objects (Azure) or in objects written as text (Entra), those of permissions always in text
    con.execute(
        """
        CREATE OR REPLACE TEMP VIEW _told_edges AS
        SELECT *, EdgeProperties AS properties,
            list_distinct(list_filter(
                json_extract_string(EdgeProperties, '$.rawData.permissions.roles[*].name')
                || list_transform(json_extract_string(EdgeProperties, '$.rawData.roles.rolePermissions[*]'),
                    lambda told: regexp_extract(told, '"roleValue":"([^"]*)"', 1)),
                lambda name: name <> '')) AS roles,
            list_distinct(list_filter(
                list_transform(
                    json_extract_string(EdgeProperties, '$.rawData.applicationPermissions.permissions[*]')
                    || json_extract_string(EdgeProperties, '$.rawData.delegatedPermissions.permissions[*]'),
                    lambda told: regexp_extract(told, '"permissionValue":"([^"]*)"', 1))
                || json_extract_string(EdgeProperties, '$.rawData.delegatedPermissions[*]'),
                lambda name: name <> '')) AS permissions
        FROM exposure_graph_edges
        """
    )
    columns = _columns(con, "_told_edges")
    selects = []
    for place, step in enumerate(rules.steps):
        test = condition_sql(step.when, columns, step.name) if step.when is not None else "true"
        ends = "t.number AS tail, s.number AS head" if step.reverse else "s.number AS tail, t.number AS head"
        label = step.label.lower().replace("'", "''")
        selects.append(
            f"SELECT {ends}, e.EdgeId AS edge_id, {place}::INTEGER AS rule, {step.rank}::INTEGER AS rank, e.EdgeLabel AS label, "
            "list_sort(e.roles) AS roles, list_sort(e.permissions) AS permissions, e.EdgeProperties AS evidence, "
            "e.discovery_sources FROM _told_edges AS e JOIN _attack_nodes AS s ON s.NodeId = e.SourceNodeId "
            f"JOIN _attack_nodes AS t ON t.NodeId = e.TargetNodeId WHERE lower(e.EdgeLabel) = '{label}' AND {test}"
        )
    nothing = (
        "SELECT 0 AS tail, 0 AS head, '' AS edge_id, 0 AS rule, 0 AS rank, '' AS label, ['']  AS roles, [''] AS permissions, "
        "'' AS evidence, [''] AS discovery_sources WHERE false"
    )
    con.execute(f"CREATE OR REPLACE TEMP TABLE _attack_edges AS {' UNION ALL '.join(selects) or nothing}")


def rows_by(con: duckdb.DuckDBPyConnection, sql: str, names: str, values: Any) -> list[dict[str, Any]]:
    """Rows of a query over a table `_asked` that holds the values."""
    import pyarrow as pa

    con.register("_asked", pa.table({names: values}))
    try:
        cursor = con.execute(sql)
        columns = [column[0] for column in cursor.description]
        return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
    finally:
        con.unregister("_asked")
