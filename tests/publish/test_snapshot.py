"""The DuckDB snapshot file and the pointer to it."""

from __future__ import annotations

import os
import time
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from exposure_pipelines.errors import WorkFailed
from exposure_pipelines.home import Home
from exposure_pipelines.publish.snapshot import POINTER, current_snapshot, publish_snapshot
from exposure_pipelines.publish.tables import PublishedTable
from tests.publish.conftest import MOMENT, MakeTables

DAY = date(2026, 11, 20)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("EXPOSURE_HOME", str(tmp_path / "home"))
    return Home.from_env().ensure()


def test_a_snapshot_opens_read_only_with_every_mart(
    home: Home, make: MakeTables, database: duckdb.DuckDBPyConnection
) -> None:
    assert current_snapshot(home) is None
    written = publish_snapshot(home, make(hosts=8, findings=3), DAY, MOMENT, database)
    assert written is not None
    assert current_snapshot(home) == written
    with duckdb.connect(str(written.path), read_only=True) as reader:
        assert reader.execute("SELECT count(*), any_value(tags) FROM hosts").fetchone() == (8, ['a"b', "c"])
        assert reader.execute("SELECT * FROM snapshot").fetchone() == (DAY, MOMENT.replace(tzinfo=None))
    assert sorted(file.name for file in home.snapshots.iterdir()) == [POINTER, written.path.name]


def test_a_reader_keeps_its_file_while_newer_ones_are_published(
    home: Home, make: MakeTables, database: duckdb.DuckDBPyConnection
) -> None:
    first = publish_snapshot(home, make(hosts=3), DAY, MOMENT, database, kept=1)
    assert first is not None
    with duckdb.connect(str(first.path), read_only=True) as reader:
        second = publish_snapshot(home, make(hosts=5), DAY, MOMENT + timedelta(hours=4), database, kept=1)
        assert second is not None
        assert not first.path.exists()
        assert reader.execute("SELECT count(*) FROM hosts").fetchone() == (3,)
    assert current_snapshot(home) == second


def test_the_newest_files_are_kept(home: Home, make: MakeTables, database: duckdb.DuckDBPyConnection) -> None:
    for hour in range(7):
        publish_snapshot(home, make(hosts=1), DAY, MOMENT + timedelta(hours=hour), database)
    files = sorted(file.name for file in home.snapshots.glob("exposure-*.duckdb"))
    assert len(files) == 5
    assert files[-1] == current_snapshot(home).path.name  # type: ignore[union-attr]


def test_an_older_date_is_not_published_over_a_newer_one(
    home: Home, make: MakeTables, database: duckdb.DuckDBPyConnection
) -> None:
    newest = publish_snapshot(home, make(hosts=3), DAY, MOMENT, database)
    assert publish_snapshot(home, make(hosts=1), DAY - timedelta(days=1), MOMENT, database) is None
    assert current_snapshot(home) == newest


def test_a_failure_leaves_the_published_snapshot_and_no_litter(
    home: Home, make: MakeTables, database: duckdb.DuckDBPyConnection
) -> None:
    published = publish_snapshot(home, make(hosts=3), DAY, MOMENT, database)
    lost = PublishedTable("hosts", "/nowhere.parquet", (("host_id", "VARCHAR"),), (), ())
    with pytest.raises(WorkFailed, match="could not be written"):
        publish_snapshot(home, [lost], DAY, MOMENT + timedelta(hours=1), database)
    assert current_snapshot(home) == published
    assert list(home.snapshots.glob(".draft-*")) == []


def test_drafts_of_a_killed_publish_are_swept_but_not_those_of_a_running_one(
    home: Home, make: MakeTables, database: duckdb.DuckDBPyConnection
) -> None:
    killed, running = home.snapshots / ".draft-killed.duckdb", home.snapshots / ".draft-running.duckdb"
    killed.touch()
    running.touch()
    os.utime(killed, (time.time() - 86400,) * 2)
    publish_snapshot(home, make(hosts=3), DAY, MOMENT, database)
    assert (killed.exists(), running.exists()) == (False, True)


def test_a_pointer_whose_file_is_gone_is_said_and_mended_by_the_next_publish(
    home: Home, make: MakeTables, database: duckdb.DuckDBPyConnection
) -> None:
    written = publish_snapshot(home, make(hosts=3), DAY, MOMENT, database)
    assert written is not None
    written.path.unlink()
    with pytest.raises(WorkFailed, match="is gone"):
        current_snapshot(home)
    again = publish_snapshot(home, make(hosts=3), DAY, MOMENT, database)
    assert current_snapshot(home) == again
