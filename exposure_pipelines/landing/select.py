"""Which landed sync a date is built from: the newest complete one at or before its end, per stream."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Any

from connector_assets import registry
from exposure_pipelines import clock
from exposure_pipelines.landing.manifest import Manifest

if TYPE_CHECKING:
    from exposure_pipelines.connections import Connection
    from exposure_pipelines.home import Home
    from exposure_pipelines.lake import Lake


#: What `run.sync_runs` takes from a manifest as it is.
COUNTED = (
    "instance",
    "stream",
    "sync",
    "kind",
    "state",
    "waited_seconds",
    "requests",
    "retries",
    "received_bytes",
    "landed_bytes",
    "pages",
    "records",
    "field_issues",
    "duplicates",
    "reason",
)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The sync a date reads for one stream, with what came after it and could not be used."""

    manifest: Manifest
    stale: bool
    newest: Manifest
    """The newest sync of any state at or before the date's end."""


def select_sync(lake: Lake, connection: Connection, stream: str, day: date) -> Chosen | None:
    """The newest complete sync finished before the end of `day`; without any, the newest partial one; else None.

    Only that first partial form is ever read: a partial sync never replaces a complete one.
    """
    end = clock.end_of(day)
    newest: Manifest | None = None
    fallback: Manifest | None = None
    for manifest in lake.manifests(connection.instance, stream, before=end):
        newest = newest or manifest
        if manifest.state == "complete":
            return Chosen(manifest, is_stale(manifest, connection, day), newest)
        if manifest.state == "partial" and fallback is None:
            fallback = manifest
    if fallback is None or newest is None:
        return None
    return Chosen(fallback, is_stale(fallback, connection, day), newest)


def newest_sync(lake: Lake, connection: Connection, stream: str, day: date) -> Manifest | None:
    """The newest sync of any state finished before the end of `day`."""
    return next(lake.manifests(connection.instance, stream, before=clock.end_of(day)), None)


def is_stale(manifest: Manifest, connection: Connection, day: date) -> bool:
    """Older than the instance's max_age, seen from the end of the date (or from now, for today)."""
    seen_from = min(clock.end_of(day), clock.now())
    return seen_from - manifest.finished_at > timedelta(hours=connection.max_age_hours)


def sync_rows(lake: Lake, connections: tuple[Connection, ...], day: date) -> Iterator[dict[str, Any]]:
    """Rows of `run.syncs`: one per configured instance, stream and scope, also where nothing was ever landed."""
    for connection in connections:
        names = connection.streams or [stream.name for stream in registry.load(connection.product).streams]
        for stream in names:
            chosen = select_sync(lake, connection, stream, day)
            newest = chosen.newest if chosen else newest_sync(lake, connection, stream, day)
            yield from status_rows(connection, stream, chosen, newest)


def sync_run_rows(lake: Lake, connections: tuple[Connection, ...], day: date) -> Iterator[dict[str, Any]]:
    """Rows of `run.sync_runs`: one per stream and sync that ended on the date, of every configured instance."""
    end = clock.end_of(day)
    for connection in connections:
        for stream in registry.load(connection.product).streams:
            of_the_day = takewhile(
                lambda manifest: manifest.finished_at >= end - timedelta(days=1),
                lake.manifests(connection.instance, stream.name, before=end),
            )
            for manifest in of_the_day:
                yield {
                    "product": manifest.product,
                    "started_at": manifest.started_at.replace(tzinfo=None),
                    "finished_at": manifest.finished_at.replace(tzinfo=None),
                    "seconds": round((manifest.finished_at - manifest.started_at).total_seconds(), 3),
                    "quarantined": manifest.rejected,
                    **{name: getattr(manifest, name) for name in COUNTED},
                }


def status_rows(
    connection: Connection, stream: str, chosen: Chosen | None, newest: Manifest | None
) -> Iterator[dict[str, Any]]:
    base: dict[str, Any] = {"product": connection.product, "instance": connection.instance, "stream": stream}
    if newest is None:
        yield {**base, "scope": "default", **NEVER}
        return
    used = chosen.manifest if chosen else None
    numbers = {
        "quarantined": newest.rejected,
        "requests": newest.requests,
        "waited_seconds": newest.waited_seconds,
        "sync": newest.sync,
        "read_sync": used.sync if used else None,
        "read_synced_at": used.finished_at.replace(tzinfo=None) if used else None,
        "stale": chosen.stale if chosen else True,
    }
    for name in newest.scopes or ["default"]:
        scope = newest.scopes.get(name)
        yield {
            **base,
            "scope": name,
            "state": newest.state if scope is None or newest.state in ("failed", "skipped") else scope.state,
            "synced_at": newest.finished_at.replace(tzinfo=None),
            "records": scope.records if scope else newest.records,
            "reason": (scope.reason if scope else None) or newest.reason,
            **numbers,
        }


NEVER: dict[str, Any] = {
    "state": "never",
    "synced_at": None,
    "records": 0,
    "reason": "never synced",
    "quarantined": 0,
    "requests": 0,
    "waited_seconds": 0.0,
    "sync": None,
    "read_sync": None,
    "read_synced_at": None,
    "stale": True,
}


def first_landed(home: Home, day: date, left_out: Collection[str] = ()) -> date | None:
    """`day` when something landed can be read by it, else the first date of which that is so; None when nothing was landed."""
    from exposure_pipelines.connections import load_connections
    from exposure_pipelines.lake import Lake

    lake = Lake.of(home)
    streams = [
        (connection, stream.name)
        for connection in load_connections(home).valid
        if connection.instance not in left_out
        for stream in registry.load(connection.product).streams
    ]
    if any(select_sync(lake, connection, stream, day) for connection, stream in streams):
        return day
    dates: list[date] = []
    for connection, stream in streams:
        landed = (lake.manifest(connection.instance, stream, sync) for sync in lake.syncs(connection.instance, stream))
        dates += islice((m.finished_at.date() for m in landed if m.state in ("complete", "partial")), 1)
    return min(dates, default=None)
