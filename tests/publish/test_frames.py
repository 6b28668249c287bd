"""The one-line frame for notebooks, and what it says when there is nothing to show."""

from __future__ import annotations

import subprocess
import sys
from datetime import date

import duckdb
import pytest

import exposure_pipelines
from exposure_pipelines.errors import ConfigurationError, WorkFailed
from exposure_pipelines.home import Home
from exposure_pipelines.lake import Lake
from exposure_pipelines.publish.tables import published_table
from tests.dagster.conftest import Site, new_databases, site

__all__ = ["new_databases", "site"]


def built(home: Home, day: str, rows: int) -> None:
    with duckdb.connect() as database:
        relation = database.sql(
            f"SELECT 'h' || i AS host_id, ['a'] AS tags, TIMESTAMP '{day}' AS at FROM range({rows}) r(i)"
        )
        Lake.of(home).write("marts", "hosts", date.fromisoformat(day), relation)


def test_a_frame_is_the_newest_date_or_the_one_asked_for(site: Site) -> None:
    site.at("2026-11-21T12:00:00Z")
    built(site.home, "2026-11-19", 2)
    built(site.home, "2026-11-20", 5)
    newest = exposure_pipelines.frame("hosts")
    assert len(newest) == 5
    assert list(newest["tags"][0]) == ["a"]
    assert newest["at"].dt.date.unique().tolist() == [date(2026, 11, 20)]
    assert len(exposure_pipelines.frame("hosts", "2026-11-19")) == 2
    assert len(exposure_pipelines.frame("hosts", date(2026, 11, 19))) == 2


def test_a_date_whose_folder_holds_no_file_is_not_taken_for_built(site: Site) -> None:
    site.at("2026-11-21T12:00:00Z")
    built(site.home, "2026-11-19", 2)
    (site.home.lake / "marts" / "hosts" / "snapshot_date=2026-11-20").mkdir()
    assert len(exposure_pipelines.frame("hosts")) == 2


def test_an_export_whose_reader_has_seen_enough_is_no_failure(site: Site) -> None:
    """exposure export hosts | head"""
    site.at("2026-11-21T12:00:00Z")
    built(site.home, "2026-11-20", 100_000)
    command = [sys.executable, "-m", "exposure_pipelines.cli.main", "export", "connector_status"]
    (site.home.lake / "marts" / "hosts").rename(site.home.lake / "marts" / "connector_status")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as export:
        assert export.stdout is not None
        assert export.stderr is not None
        assert export.stdout.readline() == b"host_id,tags,at\n"
        export.stdout.close()
        assert (export.wait(), export.stderr.read()) == (0, b"")


def test_errors_say_what_to_run(site: Site) -> None:
    site.at("2026-11-21T12:00:00Z")
    assert exposure_pipelines.tables() == ["connector_status", "hosts"]
    with pytest.raises(WorkFailed, match=r"hosts is not built in .*: run `exposure sync` and `exposure build`"):
        exposure_pipelines.frame("hosts")
    with pytest.raises(ConfigurationError, match=r"no table 'host'\. Did you mean hosts"):
        exposure_pipelines.frame("host")
    with pytest.raises(ConfigurationError, match="expected YYYY-MM-DD"):
        exposure_pipelines.frame("hosts", "yesterday")
    built(site.home, "2026-11-19", 2)
    with pytest.raises(
        WorkFailed, match=r"not built for 2026-11-01, only for 2026-11-19\. `exposure build --date 2026-11-01`"
    ):
        exposure_pipelines.frame("hosts", "2026-11-01")
    built(site.home, "2026-11-20", 2)
    with pytest.raises(WorkFailed, match=r"only for 2 dates from 2026-11-19 to 2026-11-20\."):
        exposure_pipelines.frame("hosts", "2026-11-01")


def test_importing_the_package_loads_neither_dagster_nor_pandas() -> None:
    code = (
        "import sys, exposure_pipelines; assert not {'dagster', 'pandas', 'duckdb'} & set(sys.modules), 'heavy import'"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300)


def test_only_promises_that_always_hold_become_keys_of_a_table(site: Site) -> None:
    from exposure_pipelines.building import project

    table = published_table(project().models["hosts"], "hosts.parquet")
    assert table.primary_key == ("host_id",)
    assert table.columns[3] == ("tags", "VARCHAR[]")
    assert published_table(project().models["connector_status"], "x.parquet").primary_key == ()
