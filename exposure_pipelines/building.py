"""Build the models of a date from what was landed: which syncs are read, and the engine that runs on them."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dbt_like_transforms
from connector_assets import registry
from dbt_like_transforms.engine.columns import RUN_SOURCES, Column, empty_select, landed_source, literal, select_list
from dbt_like_transforms.engine.project import Project
from dbt_like_transforms.reporting import Report, silent

if TYPE_CHECKING:
    import duckdb

    from dbt_like_transforms.engine.results import ModelResult
    from exposure_pipelines.connections import Connection
    from exposure_pipelines.home import Home
    from exposure_pipelines.lake import Lake
    from exposure_pipelines.landing.manifest import Manifest
    from exposure_pipelines.volume import BuildGuard

#: Model that holds which record is in which asset, and the one that keeps the ids, of a kind.
ASSIGNMENTS = {
    "device": "int_devices_assignments",
    "identity": "int_identities_assignments",
    "application": "int_applications_assignments",
}
STATES = {"device": "int_devices_state", "identity": "int_identities_state", "application": "int_applications_state"}

MODELS_DIR = Path(dbt_like_transforms.__file__).parent / "models"


def landed_sources() -> dict[str, tuple[Column, ...]]:
    """Columns of every relation that staging may read: each declared stream of each connector, connected or not."""
    return dict(
        landed_source(connector.product, stream.name, stream.fields)
        for connector in registry.load_all()
        for stream in connector.streams
    )


@functools.cache
def project() -> Project:
    """The models of this installation, loaded once a process."""
    return Project.load(MODELS_DIR, landed_sources())


@dataclass(frozen=True, slots=True)
class Builder:
    """An open build: one DuckDB for all dates of a run."""

    home: Home
    lake: Lake
    database: duckdb.DuckDBPyConnection
    connections: tuple[Connection, ...]
    options: Mapping[str, Any]

    def iterate(
        self,
        day: date,
        select: Collection[str] | None = None,
        report: Report = silent,
    ) -> Iterator[ModelResult]:
        """Build the selected models (all without) of one date: each result as soon as its model is written.

        report: hears what a long model is doing. Raises the engine's errors, naming model and line, and WorkFailed before
        anything is written when the landed records would lose an implausible share.
        """
        from dbt_like_transforms.engine.runner import Runner
        from exposure_pipelines.volume import Read

        manifests = self.manifests(day)
        reads = [Read(manifest.instance, manifest.stream, manifest.sync, manifest.records) for manifest in manifests]
        staging = {model.name for model in project().models.values() if model.layer == "staging"}
        guard = self.guard()
        if select is None or staging & set(select):
            guard.check(day, reads)
        self.register_sources(day, manifests)
        yield from Runner(project(), self.database, self.lake, self.home.root, self.options, report).iterate(
            day, select
        )
        if select is None or staging <= set(select):
            guard.keep(day, reads)

    @property
    def left_out(self) -> set[str]:
        return set(self.options.get("without_instances", ()))

    @property
    def read_connections(self) -> tuple[Connection, ...]:
        return tuple(c for c in self.connections if c.instance not in self.left_out)

    def guard(self) -> BuildGuard:
        from exposure_pipelines.volume import BuildGuard

        accepted = bool(self.options.get("accept_loss"))
        return BuildGuard(self.lake, self.database, self.connections, self.left_out, accepted)

    def manifests(self, day: date) -> list[Manifest]:
        """The sync that the date reads, of each stream that has one."""
        from exposure_pipelines.landing.select import select_sync

        chosen = (
            select_sync(self.lake, connection, stream.name, day)
            for connection in self.read_connections
            for stream in registry.load(connection.product).streams
        )
        return [one.manifest for one in chosen if one is not None]

    def register_sources(self, day: date, manifests: Sequence[Manifest] | None = None) -> None:
        """Make the date's records readable; manifests: those that it reads, looked up without them."""
        from dbt_like_transforms.engine.sources import SourcePart, register_sources, register_table
        from exposure_pipelines.landing.select import sync_rows, sync_run_rows
        from exposure_pipelines.landing.typed import RECORDS_FILE

        connections = self.read_connections
        products = {connection.instance: connection.product for connection in connections}
        files: dict[str, list[SourcePart]] = {}
        for manifest in self.manifests(day) if manifests is None else manifests:
            product = products[manifest.instance]
            constants = {
                "_product": product,
                "_instance": manifest.instance,
                "_stream": manifest.stream,
                "_sync": manifest.sync,
                "_synced_at": manifest.finished_at.replace(tzinfo=None),
                "_proves_absence": manifest.proves_absence,
            }
            path = f"{self.lake.landed(manifest.instance, manifest.stream)}/{manifest.sync}/{RECORDS_FILE}"
            files.setdefault(f"landed.{product}__{manifest.stream}", []).append(SourcePart(path, constants))
        register_sources(self.database, landed_sources(), files)
        self.register_states(day)
        for relation, rows in (
            ("run.syncs", sync_rows(self.lake, connections, day)),
            ("run.sync_runs", sync_run_rows(self.lake, connections, day)),
            ("run.connections", map(connection_row, connections)),
        ):
            columns = RUN_SOURCES[relation]
            register_table(self.database, relation, columns, ({c.name: row[c.name] for c in columns} for row in rows))

    def register_states(self, day: date) -> None:
        """The ids to go on with, and what the date had. Its own earlier build comes first, so that a rebuild changes no id."""
        self.database.execute("CREATE SCHEMA IF NOT EXISTS run")
        for kind, model in STATES.items():
            self.register_built(f"run.{kind}_state", model, nearest(self.lake.model_dates("intermediate", model), day))
        for kind, model in ASSIGNMENTS.items():
            built = self.lake.has_model("intermediate", model, day)
            self.register_built(f"run.{kind}_built", model, day if built else None)

    def register_built(self, relation: str, model: str, day: date | None) -> None:
        """Make what was built of a model readable, be it by an earlier version, whose files lack a column; empty without a
        date."""
        columns = RUN_SOURCES[relation]
        if day is None:
            source = empty_select(columns)
        else:
            path = self.lake.model_path("intermediate", model, day)
            scan = f"read_parquet({literal(path)}, hive_partitioning = false)"
            present = {name: name for name, *_ in self.database.execute(f"DESCRIBE FROM {scan}").fetchall()}
            source = f"SELECT {select_list(columns, present)} FROM {scan}"
        # a table, not a view: the build writes the file that it reads here
        self.database.execute(f"CREATE OR REPLACE TABLE {relation} AS {source}")


def nearest(dates: list[date], day: date) -> date | None:
    """The date itself, else the newest earlier one, else the oldest later one: whose ids a build of `day` goes on with."""
    earlier = [other for other in dates if other <= day]
    return earlier[-1] if earlier else dates[0] if dates else None


def connection_row(connection: Connection) -> dict[str, Any]:
    connector = registry.load(connection.product)
    return {
        "product": connection.product,
        "instance": connection.instance,
        "window_days": connection.window_days,
        "max_age_hours": connection.max_age_hours,
        "enabled": connection.enabled,
        "owner": connection.owner,
        "scope": connection.scope,
        "asset_kinds": list(connector.asset_kinds),
        "billable_kinds": list(connector.billable_kinds),
    }


@contextmanager
def open_builder(home: Home, options: Mapping[str, Any] | None = None) -> Iterator[Builder]:
    """A builder over the home's lake and valid connections; its DuckDB is closed at the end."""
    from exposure_pipelines.connections import load_connections
    from exposure_pipelines.lake import Lake, duckdb_connection

    lake = Lake.of(home)
    with duckdb_connection(home, lake) as database:
        yield Builder(home, lake, database, load_connections(home).valid, options or {})
