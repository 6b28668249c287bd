"""The quicker SQLite storage holds the same files as Dagster's own."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage

from exposure_pipelines.dagster_home import prepare_dagster_home
from exposure_pipelines.dagster_storage import ENGINES_KEPT, SqliteEventLog, create_database
from tests.dagster.conftest import Site


def test_a_new_home_uses_it_and_a_changed_dagster_yaml_is_left_alone(site: Site) -> None:
    prepare_dagster_home(site.home)
    with dg.DagsterInstance.get() as instance:
        assert isinstance(instance.event_log_storage, SqliteEventLog)
        assert not instance.telemetry_enabled
    settings = site.home.dagster / "dagster.yaml"
    settings.write_text("telemetry: {enabled: false}\n")
    prepare_dagster_home(site.home)
    assert settings.read_text() == "telemetry: {enabled: false}\n"


def test_what_it_stored_is_read_by_dagsters_own_storage(site: Site) -> None:
    assert site.sync("alpha_main").success
    key = dg.AssetKey(["landed", "alpha", "alpha_main", "hosts"])
    plain = SqliteEventLogStorage(str(site.home.dagster / "history" / "runs"))
    assert plain.has_asset_key(key)
    (site.home.dagster / "dagster.yaml").write_text("storage: {sqlite: {base_dir: {env: DAGSTER_HOME}}}\n")
    with dg.DagsterInstance.get() as instance:
        assert len(instance.get_materialized_partitions(key)) == 1


def test_engines_do_not_add_up_with_the_runs_that_were_looked_at(tmp_path: Path) -> None:
    storage = SqliteEventLog(str(tmp_path))
    for number in range(ENGINES_KEPT * 2):
        assert storage.get_logs_for_run(f"run{number}") == []
    assert len(storage._engines) == ENGINES_KEPT
    storage.dispose()
    assert not storage._engines


def test_the_event_log_of_a_new_run_is_the_one_that_dagster_makes(tmp_path: Path) -> None:
    ours, dagsters = SqliteEventLog(str(tmp_path / "ours")), SqliteEventLogStorage(str(tmp_path / "dagsters"))
    made = []
    for storage in (ours, dagsters):
        assert storage.get_logs_for_run("run") == []
        storage.dispose()
        with closing(sqlite3.connect(storage.path_for_shard("run"))) as database:
            made.append([*database.iterdump(), *database.execute("PRAGMA journal_mode").fetchone()])
    assert made[0] == made[1]
    assert sorted(file.name for file in (tmp_path / "ours").iterdir()) == ["index.db", "run.db"]


def test_an_event_log_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "run.db"
    assert create_database(file)
    with closing(sqlite3.connect(file)) as database:
        database.execute("INSERT INTO event_logs (run_id, event) VALUES ('run', 'kept')")
        database.commit()
    assert not create_database(file)
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("SELECT event FROM event_logs").fetchall() == [("kept",)]


def test_a_table_that_is_there_is_looked_for_once_and_one_that_is_missing_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = SqliteEventLog(str(tmp_path))
    asked: list[str] = []
    there = {"asset_check_executions"}
    monkeypatch.setattr(SqliteEventLogStorage, "has_table", lambda self, name: asked.append(name) or name in there)
    assert [storage.has_table(name) for name in ("asset_check_executions", "later") * 2] == [True, False] * 2
    there.add("later")
    assert storage.has_table("later")
    assert asked == ["asset_check_executions", "later", "later", "later"]
    storage.dispose()


def test_a_file_system_without_links_leaves_the_making_to_dagster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(source: Path, target: Path) -> None:
        raise PermissionError("no links here")

    monkeypatch.setattr("os.link", refuse)
    storage = SqliteEventLog(str(tmp_path))
    assert storage.get_logs_for_run("run") == []
    storage.dispose()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["index.db", "run.db"]
