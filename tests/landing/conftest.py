"""A product of the tests' own: its pulls are plain generators, everything after them is real."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from connector_assets import registry
from connector_assets.kit import Api, Connector, Credential, NoAuth, Page, Stream
from exposure_pipelines.connections import Connection, load_connections
from exposure_pipelines.home import Home
from exposure_pipelines.lake import Lake
from exposure_pipelines.landing.manifest import Manifest
from exposure_pipelines.landing.sync import SyncReport, run_sync

FIELDS: dict[str, Any] = {
    "id": "text",
    "name": "text",
    "seen": "timestamp",
    "count": "integer",
    "score": "number",
    "managed": "boolean",
    "tags": ["text"],
    "nics": [{"mac": "text", "ips": ["text"]}],
    "cloud": {"id": "text"},
    "raw": "json",
}

Pull = Callable[[Api], Iterator[Page]]


def pages(*batches: Sequence[Any]) -> Pull:
    """A pull that gives these batches of records, a page each."""

    def pull(api: Api) -> Iterator[Page]:
        for batch in batches:
            yield Page(batch)

    return pull


def stream(pull: Pull, name: str = "things", **settings: Any) -> Stream:
    return Stream(name=name, pull=pull, key="id", fields=FIELDS, description="Things.", **settings)


@dataclass
class Workbench:
    """A home with one instance of the test product `acme`."""

    home: Home
    monkeypatch: pytest.MonkeyPatch
    streams: list[Stream] = field(default_factory=list)

    @property
    def lake(self) -> Lake:
        return Lake.of(self.home)

    def at(self, moment: str) -> None:
        self.monkeypatch.setenv("EXPOSURE_NOW", moment)

    def product(self, *streams: Stream) -> Connector:
        connector = Connector(
            product="acme",
            title="Acme",
            description="A product of the tests.",
            base_url="http://127.0.0.1:9",
            auth=lambda options, secrets: NoAuth(),
            streams=streams,
            credentials=(Credential("token", "A token.", optional=True),),
            permissions=(),
            asset_kinds=("device",),
            billable_kinds=("device",),
            evidence="unverified",
        )
        self.monkeypatch.setattr(registry, "products", lambda: ("acme",))
        self.monkeypatch.setattr(registry, "load", lambda product: connector)
        return connector

    def connection(self, name: str = "acme_main", text: str = "product: acme\n") -> Connection:
        (self.home.connections / f"{name}.yaml").write_text(text)
        return load_connections(self.home).get(name)

    def sync(
        self, *streams: Stream, name: str = "acme_main", text: str = "product: acme\n", **options: Any
    ) -> SyncReport:
        connector = self.product(*streams)
        return run_sync(self.connection(name, text), connector, self.home, self.lake, **options)

    def one(self, one_stream: Stream, **options: Any) -> Manifest:
        (manifest,) = self.sync(one_stream, **options).streams
        return manifest

    def folder(self, manifest: Manifest) -> Path:
        return Path(self.lake.landed(manifest.instance, manifest.stream)) / manifest.sync

    def rows(self, manifest: Manifest, columns: str = "*", file: str = "records.parquet") -> list[tuple[Any, ...]]:
        with duckdb.connect() as database:
            return database.execute(f"SELECT {columns} FROM '{self.folder(manifest) / file}' ORDER BY ALL").fetchall()


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workbench:
    monkeypatch.setenv("EXPOSURE_HOME", str(tmp_path / "home"))
    for name in ("EXPOSURE_CONNECTIONS", "EXPOSURE_LAKE_URL", "EXPOSURE_WAREHOUSE_URL", "EXPOSURE_NOW"):
        monkeypatch.delenv(name, raising=False)
    return Workbench(Home.from_env().ensure(), monkeypatch)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
