"""What `exposure demo` does, step by step."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from exposure_pipelines.cli.demo_home import HEADER, MARKER, is_of_demo
from exposure_pipelines.cli.output import heading, say
from exposure_pipelines.cli.services import require_port, require_unserved
from exposure_pipelines.errors import ConfigurationError

if TYPE_CHECKING:
    from demo_estate.server import EstateServer
    from exposure_pipelines.home import Home


@dataclass
class DemoRun:
    """One demo in one home.

    Raises ConfigurationError when the home holds connections of its own: a demo never mixes with a real estate.
    """

    home: Home
    devices: int
    seed: int
    days: int

    def run(self, serve_port: int | None = None) -> None:
        from demo_estate.server import EstateServer
        from demo_estate.truth import Truth
        from exposure_pipelines.clock import utc_date

        if serve_port is not None:  # before minutes of work
            require_port(serve_port)
            require_unserved(self.home)
        started = time.monotonic()
        today = utc_date()
        self.claim_home()
        truth = Truth(seed=self.seed, devices=self.devices, days=self.days, today=today)
        heading(f"An invented company of {self.devices:,} devices, seed {self.seed}, served on this machine")
        with EstateServer(truth) as estate:
            self.connect(estate)
            for day in range(self.days):
                self.play(estate, day, today - timedelta(days=self.days - 1 - day), is_last=day == self.days - 1)
            self.summarise(estate, today, time.monotonic() - started, serving=serve_port is not None)
            if serve_port is not None:
                self.stay(serve_port)

    def claim_home(self) -> None:
        """Make sure the home is a demo's, and empty it when it holds another company."""
        marker = self.home.root / MARKER
        estate = {"devices": self.devices, "seed": self.seed, "days": self.days}
        foreign = [file.name for file in self.home.connections.glob("*.y*ml") if not is_of_demo(file)]
        if foreign:
            raise ConfigurationError(
                f"{self.home.connections} holds connections of your own ({', '.join(sorted(foreign))}); the demo does not "
                "mix with them. Give it a home of its own: EXPOSURE_HOME=.exposure-demo exposure demo"
            )
        if marker.exists() and read_marker(marker) != estate:
            require_unserved(self.home)
            say("This home holds another demo company: starting over.")
            for folder in (self.home.lake, self.home.snapshots, self.home.dagster):
                shutil.rmtree(folder, ignore_errors=True)
            for file in self.home.root.glob("warehouse.db*"):
                file.unlink()
            self.home.ensure()
        elif not marker.exists() and any(self.home.lake.glob("landed/*")):
            raise ConfigurationError(
                f"{self.home.root} holds landed data that is not a demo's. "
                "Give the demo a home of its own: EXPOSURE_HOME=.exposure-demo exposure demo"
            )
        marker.write_text(json.dumps(estate))

    def connect(self, estate: EstateServer) -> None:
        """Write one connection file a product; the secrets go into this process's environment only."""
        import yaml

        for file in self.home.connections.glob("*.y*ml"):
            file.unlink()
        for instance, spec in estate.connections().items():
            document = {
                "product": spec.product,
                "base_url": spec.base_url,
                "credentials": {field: {"env": variable} for field, (variable, _) in spec.credentials.items()},
                "options": dict(spec.options),
                "owner": "team:demo",
            }
            os.environ.update(dict(spec.credentials.values()))
            text = HEADER + yaml.safe_dump(document, sort_keys=False)
            (self.home.connections / f"{instance}.yaml").write_text(text, encoding="utf-8")

    def play(self, estate: EstateServer, day: int, on: date, is_last: bool) -> None:
        """One day of the company: what its products report that day, pulled and merged."""
        from exposure_pipelines.cli.runs import build_dates, chosen_connections, sync_instances

        estate.advance(day)
        with clock_at(None if is_last else datetime(on.year, on.month, on.day, 12, tzinfo=UTC)):
            if self.days > 1:
                heading(f"Day {day + 1} of {self.days}: {on}")
            for report in sync_instances(self.home, chosen_connections(self.home, None)):
                report.require_success()
            build_dates(self.home, [on.isoformat()]).require_success()

    def summarise(self, estate: EstateServer, today: date, seconds: float, *, serving: bool) -> None:
        from exposure_pipelines.cli.demo_summary import print_summary, summary

        print_summary(summary(self.home, estate, today, seconds), serving)

    def stay(self, port: int) -> None:
        from exposure_pipelines.cli.services import DagsterServices

        with DagsterServices(self.home, port) as services:
            services.announce()
            services.wait()


def read_marker(marker: Path) -> object:
    """The company that a home holds; None where that cannot be read any more, which is none that is asked for."""
    try:
        return json.loads(marker.read_text(encoding="utf-8"))
    except ValueError:
        return None


@contextmanager
def clock_at(moment: datetime | None) -> Iterator[None]:
    """Let the pipelines believe it is `moment`: how the demo lands days that have passed."""
    before = os.environ.get("EXPOSURE_NOW")
    if moment is not None:
        os.environ["EXPOSURE_NOW"] = moment.isoformat()
    try:
        yield
    finally:
        if before is None:
            os.environ.pop("EXPOSURE_NOW", None)
        else:
            os.environ["EXPOSURE_NOW"] = before
