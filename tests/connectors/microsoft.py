"""A Microsoft product of the demo estate over real HTTP, a home to land it in, and its staging models."""

from __future__ import annotations

import functools
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

import dbt_like_transforms
from connector_assets import registry
from connector_assets.kit.check import CheckResult, check
from dbt_like_transforms.engine.columns import Column
from dbt_like_transforms.engine.project import Project
from dbt_like_transforms.engine.results import ModelResult
from dbt_like_transforms.engine.runner import Runner
from dbt_like_transforms.engine.sources import register_table
from dbt_like_transforms.engine.storage import FolderStorage
from demo_estate.kit import Service, VirtualClock
from demo_estate.lenses import discover
from demo_estate.server import EstateServer
from demo_estate.truth import Truth
from exposure_pipelines import building, clock
from exposure_pipelines.building import Builder, landed_sources
from exposure_pipelines.connections import Connection, SecretReference
from exposure_pipelines.home import Home
from exposure_pipelines.lake import Lake, duckdb_connection
from exposure_pipelines.landing.manifest import Manifest
from exposure_pipelines.landing.sync import SyncReport, run_sync

TODAY = date(2026, 11, 23)
STAGING = Path(dbt_like_transforms.__file__).parent / "models" / "staging"


@dataclass
class Bench:
    """One served instance and the home it is synced into."""

    estate: EstateServer
    service: Service
    home: Home
    monkeypatch: pytest.MonkeyPatch

    @property
    def lake(self) -> Lake:
        return Lake.of(self.home)

    def connection(self, **options: Any) -> Connection:
        spec = self.estate.connections()[self.service.name]
        for variable, value in spec.credentials.values():
            if variable not in os.environ:
                self.monkeypatch.setenv(variable, value)
        return Connection(
            instance=spec.instance,
            product=spec.product,
            base_url=spec.base_url,
            credentials={field: SecretReference(env=variable) for field, (variable, _) in spec.credentials.items()},
            options={**spec.options, **options},
        )

    def sync(self, *streams: str, progress: Callable[..., None] | None = None, **options: Any) -> SyncReport:
        connection = self.connection(**options)
        connector = registry.load(connection.product)
        return run_sync(connection, connector, self.home, self.lake, streams=streams or None, progress=progress)

    def check(self) -> dict[str, CheckResult]:
        connection = self.connection()
        return {r.permission: r for r in check(registry.load(connection.product), connection.settings())}

    def requests(self) -> Counter[str]:
        return self.service.journal.requests

    @contextmanager
    def staged(
        self, records: Mapping[str, Sequence[Mapping[str, Any]]] | None = None, *connections: Connection
    ) -> Iterator[Staged]:
        """The product's staging models, built from what is landed by now, or from records written in the test.

        connections: the instances to read, where it is not the served one alone.
        """
        project = staging_project(self.service.lens.product)
        day = clock.utc_date()
        with duckdb_connection(self.home, self.lake) as database, pytest.MonkeyPatch.context() as patch:
            # its models read no other product: a view for each of theirs costs a quarter of a second
            patch.setattr(building, "landed_sources", lambda: sources_of(self.service.lens.product))
            chosen = connections or (self.connection(),)
            Builder(self.home, self.lake, database, chosen, {}).register_sources(day)
            for stream, rows in (records or {}).items():
                self._stand_in(database, stream, rows)
            results = Runner(project, database, FolderStorage(self.home.root / "built")).run(day)
            yield Staged(project, {result.name: result for result in results}, database)

    def _stand_in(self, database: Any, stream: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Records of a test as if they had been landed."""
        product = self.service.lens.product
        relation = f"landed.{product}__{stream}"
        place = {
            "_product": product,
            "_instance": "test",
            "_stream": stream,
            "_sync": "s",
            "_synced_at": datetime(2026, 11, 23),
        }
        columns = sources_of(product)[relation]
        database.execute(f"drop view {relation}")
        numbered = ({"_record_id": row.get("id"), **place, "_page": 0, "_row": n, **row} for n, row in enumerate(rows))
        register_table(database, relation, columns, numbered)


@functools.cache
def sources_of(product: str) -> dict[str, tuple[Column, ...]]:
    """Columns of what a product lands."""
    return {name: columns for name, columns in landed_sources().items() if name.startswith(f"landed.{product}__")}


@functools.cache
def staging_project(product: str) -> Project:
    """The staging models of one product, read once a process."""
    STAGED_FOLDERS.append(folder := tempfile.TemporaryDirectory())
    shutil.copytree(STAGING / product, Path(folder.name) / "staging" / product)
    return Project.load(Path(folder.name), sources_of(product))


#: Kept until the process ends: a model in Python is read from its file when it runs.
STAGED_FOLDERS: list[tempfile.TemporaryDirectory[str]] = []


@dataclass
class Staged:
    project: Project
    results: Mapping[str, ModelResult]
    database: Any

    def rows(self, sql: str) -> list[dict[str, Any]]:
        found = self.database.execute(sql)
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def one(self, sql: str) -> Any:
        row = self.database.execute(sql).fetchone()
        return row[0] if row and len(row) == 1 else row

    def failing(self) -> list[str]:
        return [f"{r.name}.{c.name}: {c.failing}" for r in self.results.values() for c in r.checks if not c.passed]

    def making_assets(self) -> set[str]:
        """The streams whose records make assets."""
        kinds = ("devices", "identities", "applications", "cloud_resources")
        making = [model.name for model in self.project.models.values() if model.observation in kinds]
        selects = [f"SELECT stream FROM {name} WHERE authority = 'create' AND state = 'active'" for name in making]
        return {row["stream"] for row in self.rows(" UNION ".join(selects))}

    def columns_differ(self) -> list[str]:
        """Observation models whose columns are not exactly those of their kind."""
        return [
            model.name
            for model in self.project.models.values()
            if model.observation
            and [c[:2] for c in self.database.execute(f"DESCRIBE {model.name}").fetchall()]
            != [(c.name, c.type) for c in self.project.columns_of(f"stg__{model.observation}")]
        ]


@contextmanager
def bench(
    product: str,
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    devices: int = 60,
    faults: Any = None,
    **instance_options: Any,
) -> Iterator[Bench]:
    lens = discover([product])[product]
    instance = replace(lens.all_instances()[0], options=instance_options)
    lens = replace(lens, instances=(instance,))
    truth = Truth(seed=7, devices=devices, days=1, today=TODAY)
    monkeypatch.setenv("EXPOSURE_NOW", "2026-11-23T06:30:00Z")
    root = path / "home"
    home = Home(root, root / "connections", str(root / "lake"), f"sqlite:///{root / 'warehouse.db'}").ensure()
    with EstateServer(truth, lenses=[lens], faults=faults, clock=VirtualClock()) as estate:
        yield Bench(estate, estate.service(instance.name), home, monkeypatch)


def states(report: SyncReport) -> dict[str, str]:
    return {manifest.stream: manifest.state for manifest in report.streams}


def manifest(report: SyncReport, stream: str) -> Manifest:
    return next(m for m in report.streams if m.stream == stream)


def holds(folder: Path, *values: str) -> list[str]:
    """Files below a folder that hold one of the values, Zstandard files unpacked."""
    import pyarrow as pa

    found = []
    for file in sorted(p for p in folder.rglob("*") if p.is_file()):
        body = file.read_bytes()
        if file.suffix == ".zst":
            body = pa.CompressedInputStream(pa.OSFile(str(file)), "zstd").read()
        elif file.suffix == ".parquet":
            import pyarrow.parquet as pq

            body += str(pq.read_table(file).to_pylist()).encode()
        found += [str(file.relative_to(folder)) for value in values if value.encode() in body]
    return found
