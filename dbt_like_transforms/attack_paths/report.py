"""Attack paths as tables and in plain words."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from dbt_like_transforms.attack_paths.facts import AttackGraph, read_graph, row_count, rows_by
from dbt_like_transforms.attack_paths.rules import LIKELIHOOD, AttackRules
from dbt_like_transforms.attack_paths.search import (
    Search,
    blast_counts,
    edge_counts,
    paths_of,
    search,
    starting_at,
    targets_reached,
    whole,
)

if TYPE_CHECKING:
    import duckdb

#: Paths told one by one; counts are over all of them.
MOST_PATHS, MOST_OF_ONE = 10_000, 20
MOST_CHOKES, MOST_BLASTS, MOST_RECOMMENDATIONS = 1_000, 100, 1_000
#: Worth of a target by its level, and what every further hop leaves of the risk.
WORTH = {0: 1.0, 1: 0.8, 2: 0.5, 3: 0.3}
PER_HOP = 0.95
RISK_LEVELS = ((70.0, "critical"), (50.0, "high"), (30.0, "medium"), (0.0, "low"))

SCHEMAS: dict[str, pa.Schema] = {
    "attack_paths": pa.schema(
        [
            ("path_id", pa.string()),
            ("scenario", pa.string()),
            ("entry_node_id", pa.string()),
            ("entry_name", pa.string()),
            ("target_node_id", pa.string()),
            ("target_name", pa.string()),
            ("length", pa.int32()),
            ("risk_score", pa.float64()),
            ("risk_level", pa.string()),
            ("node_ids", pa.list_(pa.string())),
            ("edge_ids", pa.list_(pa.string())),
            ("discovery_sources", pa.list_(pa.string())),
            ("explanation", pa.string()),
        ]
    ),
    "attack_path_steps": pa.schema(
        [
            ("path_id", pa.string()),
            ("step", pa.int32()),
            ("source_node_id", pa.string()),
            ("source_name", pa.string()),
            ("edge_id", pa.string()),
            ("edge_label", pa.string()),
            ("target_node_id", pa.string()),
            ("target_name", pa.string()),
            ("explanation", pa.string()),
            ("evidence", pa.string()),
            ("discovery_sources", pa.list_(pa.string())),
        ]
    ),
    "choke_points": pa.schema(
        [
            ("node_id", pa.string()),
            ("node_name", pa.string()),
            ("node_label", pa.string()),
            ("paths_through", pa.int64()),
            ("targets_reached", pa.int64()),
            ("share_of_paths", pa.float64()),
            ("is_entry", pa.bool_()),
            ("is_target", pa.bool_()),
            ("blast_radius", pa.int64()),
            ("critical_in_blast_radius", pa.int64()),
        ]
    ),
    "recommendations": pa.schema(
        [
            ("recommendation_id", pa.string()),
            ("title", pa.string()),
            ("asset_kind", pa.string()),
            ("asset_id", pa.string()),
            ("rule", pa.string()),
            ("severity", pa.string()),
            ("paths_removed", pa.int64()),
            ("share_of_paths", pa.float64()),
        ]
    ),
    "attack_path_preconditions": pa.schema(
        [
            ("precondition", pa.string()),
            ("found", pa.int64()),
            ("is_met", pa.bool_()),
            ("advice", pa.string()),
        ]
    ),
}


def find_attack_paths(con: duckdb.DuckDBPyConnection, rules: AttackRules) -> dict[str, pa.Table]:
    """The tables of SCHEMAS over the graph on the connection.

    Raises:
        ConditionError: a rule reads a column that is not there.
    """
    attack = read_graph(con, rules)
    found = search(attack.graph, attack.entries, attack.targets, rules.hops)
    return Report(con, rules, attack, found).tables()


class Report:
    """Turns a search into tables."""

    def __init__(self, con: duckdb.DuckDBPyConnection, rules: AttackRules, attack: AttackGraph, found: Search) -> None:
        self.con, self.rules, self.attack, self.found = con, rules, attack, found
        self.paths = list(paths_of(found, MOST_PATHS, MOST_OF_ONE))
        self.pairs, self.pair_counts = edge_counts(found)
        through = whole(found.through)
        self.total = found.total
        on_paths = np.flatnonzero(through)
        self.chokes = on_paths[np.lexsort((on_paths, -through[on_paths]))][:MOST_CHOKES].astype(np.int32)
        self.through = through
        wanted = {node for path in self.paths for node in path} | set(self.chokes.tolist())
        best = np.lexsort((self.pairs, -self.pair_counts))[:MOST_RECOMMENDATIONS]
        self.best_pairs = self.pairs[best]
        count = max(attack.graph.count, 1)
        wanted |= {int(end) for pair in self.best_pairs.tolist() for end in (pair // count, pair % count)}
        wanted |= set(attack.entries.tolist())
        self.nodes = self._nodes(sorted(wanted))
        self.edges = self._edges()

    def tables(self) -> dict[str, pa.Table]:
        """Every table, also where there are no paths."""
        rows: Mapping[str, Sequence[dict[str, Any]]] = {
            "attack_paths": [],
            "attack_path_steps": [],
            "choke_points": self._choke_points(),
            "recommendations": self._recommendations(),
            "attack_path_preconditions": self._preconditions(),
        }
        for path in self.paths:
            told, steps = self._told(path)
            rows["attack_paths"].append(told)  # type: ignore[attr-defined]
            rows["attack_path_steps"].extend(steps)  # type: ignore[attr-defined]
        return {name: pa.Table.from_pylist(list(rows[name]), schema=schema) for name, schema in SCHEMAS.items()}

    # -- paths ------------------------------------------------------------------------------------------------------------
    def _told(self, path: tuple[int, ...]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        entry = self.rules.entries[self.attack.entry_rule[path[0]]]
        target = self.rules.targets[self.attack.target_rule[path[-1]]]
        ids = [self.nodes[node]["NodeId"] for node in path]
        edges = [self.edges[step] for step in pairwise(path)]
        path_id = digest("path", *ids)
        sentences = [entry.says.format(entry=self.nodes[path[0]]["NodeName"])]
        steps = []
        for number, ((tail, head), edge) in enumerate(zip(pairwise(path), edges, strict=True), start=1):
            said = self._sentence(self.rules.steps[edge["rule"]].says, tail, head, edge)
            sentences.append(said)
            steps.append(
                {
                    "path_id": path_id,
                    "step": number,
                    "source_node_id": self.nodes[tail]["NodeId"],
                    "source_name": self.nodes[tail]["NodeName"],
                    "edge_id": edge["edge_id"],
                    "edge_label": edge["label"],
                    "target_node_id": self.nodes[head]["NodeId"],
                    "target_name": self.nodes[head]["NodeName"],
                    "explanation": said,
                    "evidence": edge["evidence"],
                    "discovery_sources": edge["discovery_sources"],
                }
            )
        level = self.nodes[path[-1]]["criticality_level"]
        score = round(100 * LIKELIHOOD[entry.likelihood] * WORTH.get(level, 0.2) * PER_HOP ** (len(path) - 2), 1)
        sources = {source for edge in edges for source in edge["discovery_sources"] or ()}
        told = {
            "path_id": path_id,
            "scenario": f"{entry.name} reaches a {target.name}",
            "entry_node_id": ids[0],
            "entry_name": self.nodes[path[0]]["NodeName"],
            "target_node_id": ids[-1],
            "target_name": self.nodes[path[-1]]["NodeName"],
            "length": len(edges),
            "risk_score": score,
            "risk_level": next(name for least, name in RISK_LEVELS if score >= least),
            "node_ids": ids,
            "edge_ids": [edge["edge_id"] for edge in edges],
            "discovery_sources": sorted(sources),
            "explanation": "; ".join(sentences) + ".",
        }
        return told, steps

    def _sentence(self, text: str, tail: int, head: int, edge: Mapping[str, Any]) -> str:
        return text.format(
            source=self.nodes[tail]["NodeName"],
            target=self.nodes[head]["NodeName"],
            roles=", ".join(edge["roles"] or ()) or "a role",
            permissions=", ".join(edge["permissions"] or ()) or "permissions",
        )

    # -- what to look at ----------------------------------------------------------------------------------------------------
    def _choke_points(self) -> list[dict[str, Any]]:
        reached = targets_reached(self.found, self.chokes, self.rules.hops)
        blasts, critical_blasts = blast_counts(
            self.attack.graph, self.chokes[:MOST_BLASTS], self.attack.targets, self.rules.hops
        )
        critical = set(self.attack.targets.tolist())
        entries = set(self.attack.entries.tolist())
        rows = []
        for place, node in enumerate(self.chokes.tolist()):
            rows.append(
                {
                    "node_id": self.nodes[node]["NodeId"],
                    "node_name": self.nodes[node]["NodeName"],
                    "node_label": self.nodes[node]["NodeLabel"],
                    "paths_through": int(self.through[node]),
                    "targets_reached": int(reached[place]),
                    "share_of_paths": self._share(self.through[node]),
                    "is_entry": node in entries,
                    "is_target": node in critical,
                    "blast_radius": int(blasts[place]) if place < len(blasts) else None,
                    "critical_in_blast_radius": int(critical_blasts[place]) if place < len(blasts) else None,
                }
            )
        return rows

    def _recommendations(self) -> list[dict[str, Any]]:
        """Fixes by the paths they end: of an entry, and of every edge that paths go over."""
        rows = []
        entries = self.attack.entries
        for node, removed in zip(entries.tolist(), starting_at(self.found, entries).tolist(), strict=True):
            if removed:
                rule = self.rules.entries[self.attack.entry_rule[node]]
                rows.append(
                    self._advice(rule.fix.format(entry=self.nodes[node]["NodeName"]), node, node, rule.name, removed)
                )
        counts = dict(zip(self.pairs.tolist(), self.pair_counts.tolist(), strict=True))
        for (tail, head), edge in self.edges.items():
            step = self.rules.steps[edge["rule"]]
            removed = counts.get(tail * self.attack.graph.count + head, 0.0)
            if step.fix and removed:
                more = f" (and {edge['others']} other ways between the two)" if edge["others"] else ""
                title = self._sentence(step.fix, tail, head, edge) + more
                rows.append(self._advice(title, tail, head, step.label, removed))
        return sorted(rows, key=lambda row: (-row["paths_removed"], row["title"], row["recommendation_id"]))[
            :MOST_RECOMMENDATIONS
        ]

    def _advice(self, title: str, node: int, target: int, rule: str, removed: float) -> dict[str, Any]:
        """target: where the edge leads that is to go; nodes of one name have a recommendation each."""
        share = self._share(removed)
        return {
            "recommendation_id": digest(
                "recommendation", rule, self.nodes[node]["NodeId"], self.nodes[target]["NodeId"]
            ),
            "title": title,
            "asset_kind": self.nodes[node]["asset_kind"],
            "asset_id": self.nodes[node]["NodeId"],
            "rule": rule,
            "severity": "high" if share >= 0.2 else "medium" if share >= 0.05 else "low",
            "paths_removed": int(whole(np.array(removed))),
            "share_of_paths": share,
        }

    def _preconditions(self) -> list[dict[str, Any]]:
        """What attack paths need, how much of it there is, and what to do where there is none."""
        nodes, edges = row_count(self.con, "_attack_nodes"), row_count(self.con, "_attack_edges")
        entry_names = "; ".join(rule.name for rule in self.rules.entries)
        facts = (
            ("assets", nodes, "No asset is known: connect a product with `exposure connectors add` and sync it."),
            (
                "entry points",
                len(self.attack.entry_rule),
                f"No asset is an entry point ({entry_names}). Connect a product that reports exposure and vulnerabilities "
                "(Defender for Endpoint, Defender for Cloud, a scanner) or second factors (Entra ID).",
            ),
            (
                "critical assets",
                len(self.attack.target_rule),
                "No asset is critical. Connect Entra ID or a cloud product, or set levels in criticality.yaml.",
            ),
            (
                "steps an attacker can take",
                edges,
                "No relationship can be used by an attacker. Connect Entra ID, Defender for Endpoint (logon users) or "
                "Defender for Cloud (role assignments).",
            ),
            (
                "attack paths",
                int(whole(np.array(self.total))),
                f"No entry point reaches a critical asset within {self.rules.hops} steps.",
            ),
        )
        return [
            {"precondition": name, "found": int(found), "is_met": found > 0, "advice": "" if found else advice}
            for name, found, advice in facts
        ]

    # -- reading ------------------------------------------------------------------------------------------------------------
    def _share(self, paths: float) -> float:
        return min(round(float(paths) / self.total, 6), 1.0) if self.total else 0.0

    def _nodes(self, numbers: list[int]) -> dict[int, dict[str, Any]]:
        sql = (
            "SELECT number, NodeId, NodeName, NodeLabel, asset_kind, criticality_level FROM _attack_nodes "
            "SEMI JOIN _asked USING (number)"
        )
        return {row["number"]: row for row in rows_by(self.con, sql, "number", pa.array(numbers, pa.int32()))}

    def _edges(self) -> dict[tuple[int, int], dict[str, Any]]:
        """For every pair of nodes that is told: its best edge, and how many others there are."""
        count = max(self.attack.graph.count, 1)
        told = {tail * count + head for path in self.paths for tail, head in pairwise(path)} | set(
            self.best_pairs.tolist()
        )
        sql = f"""
            SELECT * FROM (
                SELECT *, tail::BIGINT * {count} + head AS pair, count(*) OVER same - 1 AS others FROM _attack_edges
                SEMI JOIN _asked ON _asked.pair = tail::BIGINT * {count} + head
                WINDOW same AS (PARTITION BY tail, head)
                QUALIFY row_number() OVER (PARTITION BY tail, head ORDER BY rank, edge_id) = 1)
            ORDER BY tail, head
        """
        rows = rows_by(self.con, sql, "pair", pa.array(sorted(told), pa.int64()))
        return {(row["tail"], row["head"]): row for row in rows}


def digest(*parts: str) -> str:
    """Id of 32 hex digits."""
    return hashlib.md5("|".join(parts).encode(), usedforsecurity=False).hexdigest()
