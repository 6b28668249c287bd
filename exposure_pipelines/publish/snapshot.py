"""The read-only DuckDB snapshot for hunting and the map: a new file each time, a pointer swapped atomically."""

from __future__ import annotations

import json
import os
import uuid
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


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The snapshot readers open. Times are UTC."""

    path: Path
    snapshot_date: date
    published_at: datetime
    rows: dict[str, int]


def publish_snapshot(
    home: Home, tables: list[PublishedTable], day: date, moment: datetime, database: duckdb.DuckDBPyConnection
) -> Snapshot | None:
    """Write the marts of `day` into a new DuckDB file and point readers at it; None when a newer date is published.

    `database` reads the lake; the file is attached to it while it is written. A reader keeps the file it has open.
    """
    current = current_snapshot(home)
    if current and current.snapshot_date > day:
        return None
    home.snapshots.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in home.snapshots.glob(".draft-*"):
        left.unlink(missing_ok=True)
    draft = home.snapshots / f".draft-{uuid.uuid4().hex}.duckdb"
    try:
        rows = write_file(database, draft, tables, day, moment)
        final = home.snapshots / f"exposure-{day}-{moment:%Y%m%dT%H%M%S%f}Z.duckdb"
        os.replace(draft, final)
    finally:
        draft.unlink(missing_ok=True)
    point_at(home, final, day, moment, rows)
    for old in sorted(home.snapshots.glob("exposure-*.duckdb"), key=lambda file: file.stat().st_mtime)[:-KEPT]:
        old.unlink(missing_ok=True)
    return Snapshot(final, day, moment, rows)


def write_file(
    database: duckdb.DuckDBPyConnection, file: Path, tables: list[PublishedTable], day: date, moment: datetime
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
    pointer = home.snapshots / f".{POINTER}.{uuid.uuid4().hex}"
    pointer.write_text(
        json.dumps(
            {"file": file.name, "snapshot_date": day.isoformat(), "published_at": moment.isoformat(), "rows": rows}
        )
    )
    os.replace(pointer, home.snapshots / POINTER)


def current_snapshot(home: Home) -> Snapshot | None:
    """The published snapshot, None before the first. Raises WorkFailed when the pointer leads nowhere."""
    pointer = home.snapshots / POINTER
    if not pointer.exists():
        return None
    found = json.loads(pointer.read_text(encoding="utf-8"))
    path = home.snapshots / found["file"]
    if not path.exists():
        raise WorkFailed(f"The snapshot {path} is gone; `exposure build` publishes a new one.")
    return Snapshot(
        path, date.fromisoformat(found["snapshot_date"]), datetime.fromisoformat(found["published_at"]), found["rows"]
    )
