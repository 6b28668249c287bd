"""Applies the rules to the assets of a build."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbt_like_transforms.conditions import condition_sql
from dbt_like_transforms.criticality.rules import LEVELS, CriticalityError, RuleFile

if TYPE_CHECKING:
    import duckdb

#: kind -> (mart, its id).
MARTS = {
    "device": ("devices", "device_id"),
    "identity": ("identities", "identity_id"),
    "application": ("applications", "application_id"),
    "cloud_resource": ("cloud_resources", "resource_id"),
}
LEVEL_OF_RESOURCES = """
    SELECT 'cloud_resource' AS asset_kind, a.asset_id, r.product, r.criticality AS level
    FROM stg__cloud_resources AS r
    JOIN int_record_assets AS a ON a.asset_kind = 'cloud_resource' AND a.record = r.record
    WHERE r.criticality IS NOT NULL"""


def classify(con: duckdb.DuckDBPyConnection, rules: RuleFile) -> duckdb.DuckDBPyRelation:
    """One row an asset that anything gives a level, see the contract of `criticality`. Reads the marts on `con`.

    Raises:
        ConditionError: a rule reads a column that is not there.
        CriticalityError: a manual level names something that is no asset id.
    """
    con.execute(
        "CREATE OR REPLACE TEMP TABLE _hits (asset_kind VARCHAR, asset_id VARCHAR, source VARCHAR, name VARCHAR, level INTEGER)"
    )
    _reported(con, rules)
    _by_rules(con, rules)
    if rules.inherit_from_business:
        con.execute(
            """
            INSERT INTO _hits
            SELECT DISTINCT asset_kind, asset_id, 'business', 'Serves ' || application_name, criticality_level
            FROM business_context WHERE criticality_level IS NOT NULL AND asset_kind <> 'application'
            """
        )
    _manual(con, rules)
    return con.sql(
        """
        WITH levels AS (
            SELECT asset_kind, asset_id,
                min(level) FILTER (WHERE source = 'reported') AS reported_level,
                min(level) FILTER (WHERE source = 'rule') AS rule_level,
                min(level) FILTER (WHERE source = 'business') AS inherited_level,
                min(level) FILTER (WHERE source = 'manual') AS manual_level,
                list_sort(array_agg(DISTINCT name)) AS rule_names,
                to_json(list_sort(array_agg(DISTINCT {'level': level, 'rule': name, 'source': source})))::VARCHAR AS reasons
            FROM _hits SEMI JOIN assets AS a ON a.asset_kind = _hits.asset_kind AND a.node_id = _hits.asset_id
            GROUP BY asset_kind, asset_id),
        named AS (
            SELECT *, coalesce(manual_level, least(reported_level, rule_level, inherited_level)) AS criticality_level
            FROM levels)
        SELECT asset_kind, asset_id, criticality_level,
            (['very high', 'high', 'medium', 'low', 'none'])[criticality_level + 1] AS criticality,
            reported_level, rule_level, inherited_level, manual_level,
            manual_level IS NULL AND inherited_level < coalesce(least(reported_level, rule_level), 5) AS is_inherited,
            rule_names, reasons
        FROM named
        """
    )


def _reported(con: duckdb.DuckDBPyConnection, rules: RuleFile) -> None:
    """What products say, one hit a product; the rule's name says which."""
    mapping = [
        (
            product,
            level,
            level if imported is True else int(imported.get(level, level)) if isinstance(imported, dict) else None,
        )
        for product, imported in rules.imports.items()
        for level in range(5)
    ]
    con.execute("CREATE OR REPLACE TEMP TABLE _imports (product VARCHAR, level INTEGER, meant INTEGER)")
    if mapping:
        con.executemany("INSERT INTO _imports VALUES (?, ?, ?)", mapping)
    fields = " UNION ALL ".join(
        f"SELECT '{kind}' AS asset_kind, asset_id, product, TRY_CAST(value AS INTEGER) AS level "
        f"FROM int_{mart}_fields WHERE field = 'criticality'"
        for kind, (mart, _) in MARTS.items()
        if kind != "cloud_resource"
    )
    # a product that no mapping names is taken at its word
    con.execute(
        f"""
        INSERT INTO _hits
        SELECT r.asset_kind, r.asset_id, 'reported', 'Reported by ' || r.product,
            min(CASE WHEN i.product IS NULL THEN r.level ELSE i.meant END)
        FROM ({fields} UNION ALL {LEVEL_OF_RESOURCES}) AS r LEFT JOIN _imports AS i USING (product, level)
        WHERE r.level BETWEEN 0 AND 4 AND (i.product IS NULL OR i.meant IS NOT NULL)
        GROUP BY r.asset_kind, r.asset_id, r.product
        """
    )


def _by_rules(con: duckdb.DuckDBPyConnection, rules: RuleFile) -> None:
    for kind, (mart, key) in MARTS.items():
        mine = [rule for rule in rules.rules if rule.kind == kind]
        if not mine:
            continue
        con.execute(
            f"""
            CREATE OR REPLACE TEMP TABLE _facts AS
            SELECT m.*, t.* EXCLUDE (asset_kind, asset_id) FROM {mart} AS m
            JOIN asset_traits AS t ON t.asset_kind = '{kind}' AND t.asset_id = m.{key}
            """
        )
        columns = {row[0]: row[1] for row in con.execute("DESCRIBE _facts").fetchall()}
        for rule in mine:
            con.execute(
                f"INSERT INTO _hits SELECT '{kind}', {key}, 'rule', ?, {LEVELS[rule.level]} FROM _facts "
                f"WHERE {condition_sql(rule.when, columns, rule.name)}",
                [rule.name],
            )


def _manual(con: duckdb.DuckDBPyConnection, rules: RuleFile) -> None:
    for manual in rules.levels:
        if manual.asset:
            sql, name = "SELECT asset_kind, node_id FROM assets WHERE node_id = ?", manual.asset
        else:
            sql, name = "SELECT asset_kind, asset_id FROM int_record_assets WHERE record = ?", manual.record
        found = con.execute(sql, [name]).fetchall()
        if not found and manual.asset and not _is_id(manual.asset):
            raise CriticalityError(f"levels: {manual.asset!r} is no asset id: expected 32 hexadecimal digits")
        words = (
            "Set by hand" + (f" by {manual.by}" if manual.by else "") + (f": {manual.reason}" if manual.reason else "")
        )
        for kind, asset in found:
            con.execute("INSERT INTO _hits VALUES (?, ?, 'manual', ?, ?)", [kind, asset, words, LEVELS[manual.level]])


def _is_id(text: str) -> bool:
    return len(text) == 32 and set(text) <= set("0123456789abcdef")
