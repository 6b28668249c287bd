"""A small estate for tests of the marts: the project's own models over a stand-in resolution and one made-up product."""

from __future__ import annotations

import ast
import json
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from dbt_like_transforms import MODELS_DIR
from dbt_like_transforms.engine import (
    RUN_SOURCES,
    Column,
    FolderStorage,
    ModelResult,
    Project,
    Runner,
    open_connection,
    register_sources,
    register_table,
)
from dbt_like_transforms.engine.contract import read_observations
from dbt_like_transforms.engine.project import OBSERVATIONS_FILE

HERE = Path(__file__).parent
OBSERVATIONS = read_observations(OBSERVATIONS_FILE)
#: What each product of the little estate reports; fewer models make faster tests.
KINDS = {
    "acme": tuple(OBSERVATIONS),
    "tenable": ("devices", "cloud_resources", "findings", "vulnerabilities", "relationships"),
    "defender_endpoint": ("devices",),
    "servicenow": ("devices", "vulnerabilities"),
    "qualys": ("devices",),
    "defender_cloud": ("findings",),
}
MARTS = tuple(
    "devices identities applications cloud_resources vulnerabilities findings relationships unresolved_references "
    "connector_status coverage_gaps contradictions billable_assets asset_changes".split()
)
#: What the exposure graph is made of.
GRAPH_MARTS = tuple(
    "assets vulnerability_classes open_vulnerabilities open_recommendations internet_exposure asset_traits "
    "exposure_insights business_context criticality exposure_graph_nodes exposure_graph_edges attack_paths "
    "exposure_history".split()
)
DAY = date(2026, 11, 20)


def write_models(root: Path, marts: Sequence[str] = MARTS) -> Path:
    """The project's intermediate models and marts, staging that passes landed observations through, and the stand-in."""
    for layer in ("intermediate", "marts"):
        (root / layer).mkdir(parents=True)
    own = [*(MODELS_DIR / "intermediate").glob("int_*.sql")]
    own += [next((MODELS_DIR / "marts").glob(f"{name}.*")) for name in marts]
    described: dict[str, list[Any]] = {"intermediate": [], "marts": []}
    for layer in described:
        wanted = {name for file in own if file.parent.name == layer for name in made_by(file)}
        for file in own:
            if file.parent.name == layer:
                shutil.copy(file, root / layer / file.name)
        for contract in (MODELS_DIR / layer).glob("_*.yml"):
            entries = yaml.safe_load(contract.read_text())["models"]
            described[layer] += [entry for entry in entries if entry["name"] in wanted]
    shutil.copy(HERE / "stand_in" / "resolve_stand_in.py", root / "intermediate")
    described["intermediate"] += stand_in_contracts()
    for layer, entries in described.items():
        (root / layer / "_models.yml").write_text(yaml.safe_dump({"models": entries}))
    for product, kinds in KINDS.items():
        folder = root / "staging" / product
        folder.mkdir(parents=True)
        for kind in kinds:
            columns = ", ".join(column.name for column in OBSERVATIONS[kind].columns)
            (folder / f"stg_{product}__{kind}.sql").write_text(f"select {columns} from landed.{product}__{kind}\n")
    return root


def made_by(file: Path) -> tuple[str, ...]:
    """Models of a file: a Python one may give several."""
    if file.suffix == ".sql":
        return (file.stem,)
    outputs = re.search(r"^OUTPUTS = (\(.*?\))$", file.read_text(), re.MULTILINE | re.DOTALL)
    assert outputs, file
    return tuple(ast.literal_eval(outputs[1]))


def stand_in_contracts() -> list[dict[str, Any]]:
    contracts = []
    prefix = {column.name for column in OBSERVATIONS["devices"].columns[:14]}
    text = dict.fromkeys(("record", "product", "instance", "stream", "record_id", "asset_id", "state"), "VARCHAR")
    times = {"first_seen": "TIMESTAMP", "last_seen": "TIMESTAMP"}
    place = {"record_state": "VARCHAR", "sync": "VARCHAR", "page": "INTEGER", "row_number": "BIGINT"}
    lists = {"discovery_sources": "VARCHAR[]", "source_records": "VARCHAR[]"}
    links = dict.fromkeys(("source_record", "target_record", "relationship", "reason"), "VARCHAR")
    said = dict.fromkeys(("asset_id", "field", "value", "product", "instance", "record_id"), "VARCHAR")
    fields = {**said, "observed_at": "TIMESTAMP", "chosen": "BOOLEAN"}
    ids = {
        "record": "VARCHAR",
        "asset_id": "VARCHAR",
        "born": "TIMESTAMP",
        "home_id": "VARCHAR",
        "home_born": "TIMESTAMP",
    }
    for kind in ("devices", "identities", "applications"):
        values = {c.name: c.data_type for c in OBSERVATIONS[kind].columns if c.name not in prefix}
        for name, types in (
            (f"int_{kind}_assignments", {**text, **times, **place}),
            (f"int_{kind}_winners", {"asset_id": "VARCHAR", **values, **times, **lists}),
            (f"int_{kind}_links", links),
            (f"int_{kind}_fields", fields),
            (f"int_{kind}_state", ids),
        ):
            columns = [{"name": column, "data_type": kind_of} for column, kind_of in types.items()]
            contracts.append({"name": name, "description": "stand-in", "columns": columns})
    return contracts


def landed_columns() -> dict[str, tuple[Column, ...]]:
    return {
        f"landed.{product}__{kind}": tuple(Column(c.name, c.data_type or "") for c in OBSERVATIONS[kind].columns)
        for product, kinds in KINDS.items()
        for kind in kinds
    }


def observation(record: str, day: date = DAY, **values: Any) -> dict[str, Any]:
    """A record `product:instance:id`, active on the day unless `values` say otherwise."""
    product, instance, record_id = record.split(":")
    seen = datetime(day.year, day.month, day.day, 8)
    base = {
        "record": record,
        "product": product,
        "instance": instance,
        "stream": "hosts",
        "record_id": record_id,
        "scope": "default",
        "observed_at": values.get("last_seen", seen),
        "first_seen": seen - timedelta(days=30),
        "last_seen": seen,
        "state": "active",
        "authority": "create",
        "sync": "s1",
        "page": 0,
        "row_number": 0,
    }
    return {**base, **values}


@dataclass
class Estate:
    """Builds dates from observations given as rows. `lake` keeps the results from date to date."""

    project: Project
    folder: Path
    marts: Sequence[str] = MARTS
    home: Path | None = None

    def __post_init__(self) -> None:
        self.con = open_connection()
        self.storage = FolderStorage(self.folder)

    def build(
        self,
        day: date = DAY,
        syncs: Sequence[Mapping[str, Any]] | None = None,
        connections: Sequence[Mapping[str, Any]] | None = None,
        **kinds: Sequence[Mapping[str, Any]],
    ) -> dict[str, ModelResult]:
        """Runs the marts and all they read. `kinds`: devices=[observation(...)], ...; syncs are complete unless told."""
        columns = landed_columns()
        register_sources(self.con, columns, {})
        for relation, declared in columns.items():
            product, _, kind = relation.removeprefix("landed.").partition("__")
            rows = [row for row in kinds.get(kind, ()) if row["product"] == product]
            if rows:
                self.con.execute(f"drop view {relation}")
                register_table(self.con, relation, declared, rows)
        if syncs is None:
            syncs = [sync(product, day) for product in KINDS]
        if connections is None:
            connections = [connection(product) for product in KINDS]
        register_table(self.con, "run.syncs", RUN_SOURCES["run.syncs"], syncs)
        register_table(self.con, "run.connections", RUN_SOURCES["run.connections"], connections)
        select = {*self.marts, *self.project.upstream(self.marts)}
        select |= {other for name in select for other in self.project.model(name).tested_against}
        runner = Runner(self.project, self.con, self.storage, home=self.home)
        results = {result.name: result for result in runner.run(day, select)}
        for relation in columns:
            product, _, kind = relation.removeprefix("landed.").partition("__")
            if any(row["product"] == product for row in kinds.get(kind, ())):
                self.con.execute(f"drop table {relation}")
        return results

    def rows(self, sql: str) -> list[dict[str, Any]]:
        cursor = self.con.execute(sql)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def row(self, sql: str) -> dict[str, Any]:
        (found,) = self.rows(sql)
        return found


def sync(product: str, day: date, state: str = "complete", stream: str = "hosts", **values: Any) -> dict[str, Any]:
    at = datetime(day.year, day.month, day.day, 9)
    base = {
        "product": product,
        "instance": "prod",
        "stream": stream,
        "scope": "default",
        "state": state,
        "synced_at": at,
        "records": 1,
        "quarantined": 0,
        "requests": 1,
        "waited_seconds": 0.0,
        "reason": None,
        "stale": False,
        "read_sync": "s1",
        "read_synced_at": at,
    }
    return {**base, **values}


def connection(product: str, **values: Any) -> dict[str, Any]:
    base = {"product": product, "instance": "prod", "window_days": 90, "max_age_hours": 36.0, "enabled": True}
    return {**base, "owner": "team:x", "asset_kinds": ["device"], "billable_kinds": ["device"], **values}


def as_json(text: str) -> Any:
    return json.loads(text)
