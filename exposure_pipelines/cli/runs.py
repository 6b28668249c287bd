"""Syncs and builds as Dagster runs in this process, with progress a person can follow."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from exposure_pipelines.cli.output import say
from exposure_pipelines.errors import ConfigurationError, WorkFailed

if TYPE_CHECKING:
    from exposure_pipelines.connections import Connection
    from exposure_pipelines.home import Home
    from exposure_pipelines.landing.manifest import Manifest


@dataclass(frozen=True, slots=True)
class SyncOutcome:
    """How one instance's sync ended; a row a stream."""

    instance: str
    succeeded: bool
    reason: str
    seconds: float
    rows: tuple[dict[str, Any], ...]

    def require_success(self) -> None:
        if not self.succeeded:
            raise WorkFailed(f"The sync of {self.instance} failed: {self.reason}")


@dataclass(frozen=True, slots=True)
class BuildOutcome:
    """How a build ended: its dates, its checks, rows by mart."""

    dates: list[str]
    succeeded: bool
    reason: str
    seconds: float
    checks: list[dict[str, Any]] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)

    def require_success(self) -> None:
        if not self.succeeded:
            raise WorkFailed(f"The build of {', '.join(self.dates)} failed: {self.reason}")


def chosen_connections(home: Home, names: list[str] | None) -> list[Connection]:
    """The named connections, or every enabled one.

    Raises ConfigurationError for an unknown name, a broken file that was named, or when there is nothing to choose.
    """
    from exposure_pipelines.connections import load_connections

    loaded = load_connections(home)
    if names:
        return [loaded.get(name) for name in dict.fromkeys(names)]
    for broken in loaded.broken:
        say(f"Left out: {broken.file}: {'; '.join(broken.errors)}")
    chosen = [connection for connection in loaded.valid if connection.enabled]
    if not chosen:
        raise ConfigurationError(
            f"No enabled connection in {home.connections}: `exposure connectors add PRODUCT` writes one, "
            "`exposure demo` shows the product on an invented company."
        )
    return chosen


def sync_instances(
    home: Home, connections: Sequence[Connection], *, accept_volume: bool = False, quiet: bool = False
) -> list[SyncOutcome]:
    """Pull each instance into today's partition, one after the other; a failing one never stops the next."""
    return [sync_instance(home, connection, accept_volume, quiet) for connection in connections]


def sync_instance(home: Home, connection: Connection, accept_volume: bool, quiet: bool) -> SyncOutcome:
    from exposure_pipelines.clock import now, utc_date
    from exposure_pipelines.dagster_home import run_job
    from exposure_pipelines.jobs import sync_job_name
    from exposure_pipelines.landing.manifest import told_once

    began, started = time.monotonic(), now()
    config = {"ops": {f"sync_{connection.instance}_streams": {"config": {"accept_volume": accept_volume}}}}
    if not quiet:
        # told below, once for all streams that share a reason
        logging.getLogger("exposure.sync").setLevel(logging.ERROR)
    with progress(f"{connection.instance}: pulling", quiet) as update:
        result = run_job(
            home, sync_job_name(connection.instance), [utc_date().isoformat()], run_config=config, on_progress=update
        )
    seconds = time.monotonic() - began
    manifests = landed_since(home, connection, started)
    rows = tuple(manifest_row(manifest) for manifest in manifests)
    reason = "; ".join(result.failures)
    if not quiet:
        records = sum(row["records"] for row in rows)
        state = "failed" if not result.success else worst(rows)
        say(f"  {connection.instance:<24} {state:<9} {records:>9,} records  {seconds:6.1f} s")
        for told in told_once(manifest for manifest in manifests if manifest.state in ("partial", "failed")):
            say(f"    {told.streams}: {told.state}: {told.reason}")
        if reason and not rows:
            say(f"    {reason}")
    return SyncOutcome(connection.instance, result.success, reason, seconds, rows)


def landed_since(home: Home, connection: Connection, started: Any) -> list[Manifest]:
    """Newest manifest of each stream that was closed since a moment."""
    from exposure_pipelines.assets.landed import stream_names
    from exposure_pipelines.lake import Lake

    lake = Lake.of(home)
    newest = (next(lake.manifests(connection.instance, stream), None) for stream in stream_names(connection))
    return [manifest for manifest in newest if manifest and manifest.finished_at >= started]


def manifest_row(manifest: Manifest) -> dict[str, Any]:
    return {
        "product": manifest.product,
        "instance": manifest.instance,
        "stream": manifest.stream,
        "state": manifest.state,
        "kind": manifest.kind,
        "records": manifest.records,
        "rejected": manifest.rejected,
        "field_issues": manifest.field_issues,
        "requests": manifest.requests,
        "waited_seconds": manifest.waited_seconds,
        "seconds": round(manifest.seconds, 2),
        "sync": manifest.sync,
        "reason": manifest.reason or "",
    }


def worst(rows: Sequence[dict[str, Any]]) -> str:
    states = {row["state"] for row in rows}
    return next((state for state in ("failed", "partial", "complete", "skipped") if state in states), "nothing")


def build_dates(
    home: Home,
    dates: list[str],
    *,
    quiet: bool = False,
    accept_changes: bool = False,
    accept_loss: bool = False,
    without: Sequence[str] = (),
) -> BuildOutcome:
    """Build the models of dates and publish the newest, as one run; `without` leaves instances out."""
    from exposure_pipelines.assets.models import ACCEPT_TAG, WITHOUT_TAG
    from exposure_pipelines.dagster_home import run_job
    from exposure_pipelines.jobs import BUILD_JOB

    began = time.monotonic()
    label = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
    with progress(f"building {label}", quiet) as update:
        result = run_job(
            home,
            BUILD_JOB,
            dates,
            run_config={"ops": {"build_models": {"config": {"accept_loss": accept_loss}}}},
            run_tags={WITHOUT_TAG: ",".join(without), ACCEPT_TAG: str(accept_changes).lower()},
            on_progress=update,
        )
    seconds = time.monotonic() - began
    rows = {
        item["asset"].removeprefix("marts/"): item["metadata"].get("dagster/row_count", 0)
        for item in result.materializations
        if item["asset"].startswith("marts/")
    }
    if not quiet:
        failing = sum(not check["passed"] for check in result.checks)
        state = "built" if result.success else "failed"
        say(
            f"  {label:<24} {state:<9} {len(rows):>9,} tables   {seconds:6.1f} s   {failing} of {len(result.checks)} checks failing"
        )
    return BuildOutcome(dates, result.success, "; ".join(result.failures), seconds, result.checks, rows)


@contextmanager
def progress(text: str, quiet: bool) -> Iterator[Any]:
    """A line that says what runs now; plain silence where nobody watches."""
    from rich.text import Text

    from exposure_pipelines.cli.output import stderr

    if quiet or not stderr.is_terminal:
        yield None
        return
    # as it stands: a name may hold what would be markup or a picture
    with stderr.status(Text(text)) as status:
        yield lambda detail: status.update(Text(f"{text}: {detail}"))
