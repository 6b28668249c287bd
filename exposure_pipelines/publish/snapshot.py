"""The read-only DuckDB snapshot for hunting and the map: a new file each time, a pointer swapped atomically."""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from exposure_pipelines.errors import WorkFailed
from exposure_pipelines.publish.tables import PublishedTable

if TYPE_CHECKING:
    import duckdb

    from exposure_pipelines.home import Home

POINTER = "current.json"
KEPT = 5
#: A draft this old belongs to no publish that still runs.
ABANDONED_SECONDS = 6 * 3600


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The snapshot readers open. Times are UTC."""

    path: Path
    snapshot_date: date
    published_at: datetime
    rows: dict[str, int]


def publish_snapshot(
    home: Home,
    tables: Sequence[PublishedTable],
    day: date,
    moment: datetime,
    database: duckdb.DuckDBPyConnection,
    kept: int = KEPT,
) -> Snapshot | None:
    """Write the marts of `day` into a new DuckDB file and point readers at it; None when a newer date is published.

    `database` reads the lake; the file is attached to it while it is written. A reader keeps the file it has open; the
    newest `kept` files stay. Raises WorkFailed when the file cannot be written: the published one is unchanged.
    """
    import duckdb

    if newer_is_published(home, day, moment.date()):
        return None
    home.snapshots.mkdir(mode=0o700, parents=True, exist_ok=True)
    sweep(home)
    final = home.snapshots / f"exposure-{day}-{moment:%Y%m%dT%H%M%S%f}Z.duckdb"
    draft = home.snapshots / f".draft-{uuid.uuid4().hex}.duckdb"
    try:
        rows = write_file(database, draft, tables, day, moment)
        replace_durably(draft, final)
        point_at(home, final, day, moment, rows)
    except (duckdb.Error, OSError) as error:
        raise WorkFailed(f"The snapshot of {day} could not be written to {home.snapshots}: {error}") from error
    finally:
        draft.unlink(missing_ok=True)
        draft.with_name(f"{draft.name}.wal").unlink(missing_ok=True)
    prune(home, final, kept)
    return Snapshot(final, day, moment, rows)


def newer_is_published(home: Home, day: date, today: date) -> bool:
    """Whether readers have a later date. A pointer whose file is gone counts for nothing: this publish mends it.

    So does a date that has not come: a clock that ran ahead made it, and would keep readers from every date until then.
    """
    try:
        current = current_snapshot(home)
    except WorkFailed:
        return False
    return current is not None and day < current.snapshot_date <= today


def sweep(home: Home) -> None:
    """Remove the drafts of publishes that were killed."""
    for left in home.snapshots.glob(".draft-*"):
        if time.time() - left.stat().st_mtime > ABANDONED_SECONDS:
            left.unlink(missing_ok=True)


def prune(home: Home, current: Path, kept: int) -> None:
    """Keep the newest files, and the current one whatever its age."""
    files = sorted(home.snapshots.glob("exposure-*.duckdb"), key=lambda file: file.stat().st_mtime, reverse=True)
    for old in files[kept:]:
        if old != current:
            old.unlink(missing_ok=True)


def write_file(
    database: duckdb.DuckDBPyConnection, file: Path, tables: Sequence[PublishedTable], day: date, moment: datetime
) -> dict[str, int]:
    """The whole snapshot in one new DuckDB file; rows by table."""
    rows: dict[str, int] = {}
    target = str(file).replace("'", "''")
    database.execute(f"ATTACH '{target}' AS snapshot_file")
    try:
        for table in tables:
            name = 'snapshot_file."' + table.name.replace('"', '""') + '"'
            path = table.path.replace("'", "''")
            database.execute(f"CREATE TABLE {name} AS SELECT * FROM read_parquet('{path}', hive_partitioning = false)")
            rows[table.name] = int((database.execute(f"SELECT count(*) FROM {name}").fetchone() or (0,))[0])
        database.execute(
            "CREATE TABLE snapshot_file.snapshot AS SELECT $day::DATE AS snapshot_date, $moment::TIMESTAMP AS published_at",
            {"day": day, "moment": moment.replace(tzinfo=None)},
        )
    finally:
        database.execute("DETACH snapshot_file")
    return rows


def point_at(home: Home, file: Path, day: date, moment: datetime, rows: dict[str, int]) -> None:
    content = {"file": file.name, "snapshot_date": day.isoformat(), "published_at": moment.isoformat(), "rows": rows}
    draft = home.snapshots / f".draft-{uuid.uuid4().hex}.json"
    draft.write_text(json.dumps(content), encoding="utf-8")
    replace_durably(draft, home.snapshots / POINTER)


def replace_durably(draft: Path, final: Path) -> None:
    """Rename after the content is on disk: a power cut must not leave the name with half a file behind it."""
    descriptor = os.open(draft, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.replace(draft, final)


def current_snapshot(home: Home) -> Snapshot | None:
    """The published snapshot, None before the first. Raises WorkFailed when the pointer is broken or leads nowhere."""
    pointer = home.snapshots / POINTER
    if not pointer.exists():
        return None
    try:
        found = json.loads(pointer.read_text(encoding="utf-8"))
        path = home.snapshots / found["file"]
        day, moment = date.fromisoformat(found["snapshot_date"]), datetime.fromisoformat(found["published_at"])
        rows = found["rows"]
    except (OSError, ValueError, KeyError, TypeError):
        raise WorkFailed(f"{pointer} cannot be read; `exposure build` publishes a new snapshot.") from None
    if not path.exists():
        raise WorkFailed(f"The snapshot {path} is gone; `exposure build` publishes a new one.")
    return Snapshot(path, day, moment, rows)
