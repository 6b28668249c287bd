"""What of a home is old enough to go: planned first, removed only when asked.

Never planned: the newest complete sync of a stream and its newest few, the newest built date of a model, marts within their
own longer time, and anything in Dagster's database: removing runs there would lose which partitions are built.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from exposure_pipelines import clock
from exposure_pipelines.errors import ConfigurationError
from exposure_pipelines.landing.lock import instance_lock

if TYPE_CHECKING:
    from exposure_pipelines.home import Home
    from exposure_pipelines.lake import Lake

#: Syncs of a stream that stay whatever their age, beside the newest complete one.
NEWEST_SYNCS = 3
LAYERS = ("staging", "intermediate", "marts")
#: Models whose dates keep the ids of assets: the newest few stay, because a date is built from the one before.
NEWEST_DATES = 2


@dataclass(frozen=True, slots=True)
class Rules:
    """Days for which landed syncs and built dates, marts, and compute logs of runs are kept."""

    days: int = 90
    mart_days: int = 400
    log_days: int = 30

    def __post_init__(self) -> None:
        for name, value in (("days", self.days), ("mart-days", self.mart_days), ("log-days", self.log_days)):
            if value < 1:
                raise ConfigurationError(f"--{name} must be at least 1")


@dataclass(frozen=True, slots=True)
class Removal:
    """One folder that may go. instance: of a landed sync, '' for others."""

    kind: Literal["landed", "built", "log"]
    name: str
    when: date
    path: str
    size: int
    instance: str = ""


def plan(home: Home, lake: Lake, rules: Rules) -> list[Removal]:
    """Everything that the rules let go, oldest first. Reads; changes nothing."""
    today = clock.utc_date()
    found = [*landed(lake, today - timedelta(days=rules.days))]
    found += built(
        lake, {layer: today - timedelta(days=rules.mart_days if layer == "marts" else rules.days) for layer in LAYERS}
    )
    found += logs(home, today - timedelta(days=rules.log_days))
    return sorted(found, key=lambda removal: (removal.when, removal.kind, removal.path))


def landed(lake: Lake, before: date) -> Iterator[Removal]:
    """Syncs finished before a date, of every instance that ever landed, connected or not."""
    root = f"{lake.root}/landed"
    if not lake.filesystem.exists(root):
        return
    for folder in sorted(lake.filesystem.glob(f"{root}/*/*")):
        instance, stream = str(folder).rstrip("/").rsplit("/", 2)[1:]
        if instance.startswith(".") or not lake.filesystem.isdir(folder):
            continue
        manifests = list(lake.manifests(instance, stream))
        kept = {manifest.sync for manifest in manifests[:NEWEST_SYNCS]}
        kept |= {manifest.sync for manifest in [m for m in manifests if m.state == "complete"][:1]}
        for manifest in manifests:
            when = manifest.finished_at.date()
            if manifest.sync not in kept and when < before:
                path = f"{lake.landed(instance, stream)}/{manifest.sync}"
                yield Removal("landed", f"{instance}/{stream}", when, path, size_of(lake, path), instance)


def built(lake: Lake, before: dict[str, date]) -> Iterator[Removal]:
    """Dates of models before the date of their layer."""
    for layer, limit in before.items():
        for folder in sorted(lake.filesystem.glob(f"{lake.root}/{layer}/*")):
            model = str(folder).rstrip("/").rsplit("/", 1)[1]
            for when in lake.model_dates(layer, model)[:-NEWEST_DATES]:
                if when < limit:
                    path = f"{str(folder).rstrip('/')}/snapshot_date={when}"
                    yield Removal("built", f"{layer}/{model}", when, path, size_of(lake, path))


def logs(home: Home, before: date) -> Iterator[Removal]:
    """Captured output of runs: Dagster keeps a folder a run for ever."""
    for folder in sorted((home.dagster / "storage").glob("*/compute_logs")):
        when = datetime.fromtimestamp(folder.stat().st_mtime, UTC).date()
        if when < before:
            size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
            yield Removal("log", folder.parent.name, when, str(folder), size)


def size_of(lake: Lake, path: str) -> int:
    return int(lake.filesystem.du(path))


def remove(home: Home, lake: Lake, removals: list[Removal]) -> int:
    """Removes what was planned and returns the bytes that are free. A running sync keeps its instance for the next time.

    A landed sync goes manifest first: without it nothing reads the rest, so that a crash leaves no half sync.
    """
    from exposure_pipelines.errors import WorkFailed
    from exposure_pipelines.lake import MANIFEST

    freed = 0
    busy: set[str] = set()
    locks = (Path(lake.root) if lake.is_local else home.scratch) / "landed" / ".locks"
    for removal in removals:
        if removal.instance in busy:
            continue
        if removal.kind == "log":
            shutil.rmtree(removal.path, ignore_errors=True)
        elif removal.kind == "landed":
            try:
                with instance_lock(locks, removal.instance):
                    lake.filesystem.rm(f"{removal.path}/{MANIFEST}")
                    lake.filesystem.rm(removal.path, recursive=True)
            except WorkFailed:
                busy.add(removal.instance)
                continue
        else:
            lake.filesystem.rm(removal.path, recursive=True)
        freed += removal.size
    return freed
