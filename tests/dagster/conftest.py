"""A home with two toy instances, in a process whose products and models are the toys."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from connector_assets import registry
from exposure_pipelines import building, clock
from exposure_pipelines.dagster_home import JobResult, prepare_dagster_home, run_job
from exposure_pipelines.home import Home
from exposure_pipelines.lake import Lake
from exposure_pipelines.landing.manifest import Manifest
from tests.dagster import toy


@dataclass
class Site:
    """An installation of the toys."""

    home: Home
    monkeypatch: pytest.MonkeyPatch
    said: list[str] = field(default_factory=list)

    @property
    def lake(self) -> Lake:
        return Lake.of(self.home)

    def connect(self, instance: str, text: str) -> None:
        (self.home.connections / f"{instance}.yaml").write_text(text)

    def at(self, moment: str) -> None:
        self.monkeypatch.setenv("EXPOSURE_NOW", moment)

    def tell(self, instance: str, **behaviour: Any) -> None:
        toy.tell(self.home, instance, **behaviour)

    def sync(self, instance: str, day: str | None = None) -> JobResult:
        return self.run(f"sync_{instance}", [day or clock.utc_date().isoformat()])

    def build(self, *days: str) -> JobResult:
        return self.run("build_exposure_graph", days or [clock.utc_date().isoformat()])

    def run(self, job: str, days: Sequence[str], **options: Any) -> JobResult:
        return run_job(self.home, job, days, on_progress=self.said.append, **options)

    def manifests(self, instance: str, stream: str = "hosts") -> list[Manifest]:
        return list(self.lake.manifests(instance, stream))


@pytest.fixture(scope="session")
def new_databases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The empty databases of a Dagster home: making them costs 0.4 s, and every test here wants its own."""
    folder = tmp_path_factory.mktemp("new") / "home"
    home = Home(folder, folder / "connections", str(folder / "lake"), f"sqlite:///{folder / 'warehouse.db'}").ensure()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(home.dagster))
        prepare_dagster_home(home)
        with dg.DagsterInstance.get():
            pass
    return home.dagster


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, new_databases: Path) -> Iterator[Site]:
    monkeypatch.setenv("EXPOSURE_HOME", str(tmp_path / "home"))
    for name in ("EXPOSURE_CONNECTIONS", "EXPOSURE_LAKE_URL", "EXPOSURE_WAREHOUSE_URL", "EXPOSURE_NOW"):
        monkeypatch.delenv(name, raising=False)
    # undone after the test, together with what toy.install sets
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home" / "dagster"))
    monkeypatch.setattr(registry, "products", registry.products)
    monkeypatch.setattr(registry, "load", registry.load)
    monkeypatch.setattr(building, "MODELS_DIR", building.MODELS_DIR)
    toy.install()
    installed = Site(Home.from_env().ensure(), monkeypatch)
    # without dagster.yaml: that is for the test, as in a new home
    shutil.copytree(new_databases, installed.home.dagster, ignore=shutil.ignore_patterns("*.yaml"), dirs_exist_ok=True)
    installed.connect("alpha_main", "product: alpha\n")
    installed.connect("beta_main", "product: beta\nmax_age_hours: 24\nowner: team:beta\n")
    yield installed
    building.project.cache_clear()


class Hook(BaseHTTPRequestHandler):
    got: list[dict[str, Any]] = []
    status = 200

    def do_POST(self) -> None:
        Hook.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(Hook.status)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def hook() -> Iterator[str]:
    Hook.got, Hook.status = [], 200
    with ThreadingHTTPServer(("127.0.0.1", 0), Hook) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/secret-part"
        server.shutdown()
