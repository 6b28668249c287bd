"""The worst nights: each fault, what is lost by it (nothing), and how the next run goes on by itself."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import duckdb
import pytest

import exposure_pipelines
from exposure_pipelines.errors import WorkFailed
from exposure_pipelines.publish.snapshot import current_snapshot
from tests.dagster.conftest import Site

KILLED = """
import os, signal, sys
from tests.dagster import toy
toy.install()
from exposure_pipelines import clock
from exposure_pipelines.dagster_home import run_job
from exposure_pipelines.home import Home
from exposure_pipelines.lake import Lake
import exposure_pipelines.publish.snapshot as snapshot
def kill(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
if sys.argv[1] == "before publishing":
    snapshot.point_at = kill
elif sys.argv[1] == "in the warehouse":
    import exposure_pipelines.publish.warehouse as warehouse
    warehouse.record = kill
elif sys.argv[1] == "full disk":
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
else:
    write, left = Lake.write, [int(sys.argv[1])]
    def counted(self, *arguments, **named):
        left[0] -= 1
        if left[0] == 0:
            kill()
        return write(self, *arguments, **named)
    Lake.write = counted
run_job(Home.from_env(), "build_exposure_graph", [clock.utc_date().isoformat()])
"""


def hosts(site: Site, day: str) -> list[tuple[object, ...]]:
    path = site.lake.model_path("marts", "hosts", date.fromisoformat(day))
    with duckdb.connect() as database:
        return database.execute(f"SELECT * EXCLUDE (snapshot_date) FROM '{path}' ORDER BY ALL").fetchall()


@pytest.mark.fault(
    "kill -9 in a build, at three places, in the warehouse and before publishing",
    "the next build writes every table anew; readers keep the snapshot before",
)
@pytest.mark.parametrize("place", ["1", "2", "3", "in the warehouse", "before publishing"])
def test_a_build_that_is_killed_anywhere_is_made_whole_by_the_next(site: Site, place: str) -> None:
    site.at("2026-11-19T12:00:00Z")
    assert site.sync("alpha_main").success
    assert site.build().success
    site.at("2026-11-20T12:00:00Z")
    assert site.sync("alpha_main").success
    assert disturbed_build(place).returncode == -signal.SIGKILL
    shown = current_snapshot(site.home)
    assert shown is not None
    assert shown.snapshot_date == date(2026, 11, 19)
    assert site.build().success
    assert len(hosts(site, "2026-11-20")) == 3
    after = current_snapshot(site.home)
    assert after is not None
    assert after.snapshot_date == date(2026, 11, 20)


def disturbed_build(place: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "EXPOSURE_NOW": "2026-11-20T12:00:00Z"}
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", KILLED, place]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.fault("the disk is full in a build", "the build says so; readers keep the snapshot before")
def test_a_build_on_a_full_disk_says_so_and_the_next_one_is_whole(site: Site) -> None:
    site.at("2026-11-19T12:00:00Z")
    assert site.sync("alpha_main").success
    assert site.build().success
    before = current_snapshot(site.home)
    site.at("2026-11-20T12:00:00Z")
    said = disturbed_build("full disk")
    assert said.returncode == 1
    assert "is full or failing" in said.stderr.splitlines()[-1]
    assert current_snapshot(site.home) == before
    assert site.build().success
    assert len(hosts(site, "2026-11-20")) == 3


@pytest.mark.fault(
    "a vendor is down for three days", "what it said last stays, marked stale; the first good sync takes over"
)
def test_a_vendor_that_is_down_for_three_days_loses_nothing(site: Site) -> None:
    site.at("2026-11-16T12:00:00Z")
    assert site.sync("alpha_main").success
    assert site.build().success
    before = [row[0] for row in hosts(site, "2026-11-16")]
    site.tell("alpha_main", down="hosts")
    for day in ("2026-11-17", "2026-11-18", "2026-11-19"):
        site.at(f"{day}T12:00:00Z")
        assert not site.sync("alpha_main").success
        assert site.build().success
        assert [row[0] for row in hosts(site, day)] == before
    site.tell("alpha_main", hosts=4)
    site.at("2026-11-20T12:00:00Z")
    assert site.sync("alpha_main").success
    assert site.build().success
    assert len(hosts(site, "2026-11-20")) == 4


@pytest.mark.fault(
    "the clock jumps back by a day, and on again",
    "a build reads what was landed before the end of its date; nothing is overwritten",
)
def test_a_clock_that_jumps_back_overwrites_nothing(site: Site) -> None:
    site.at("2026-11-20T12:00:00Z")
    assert site.sync("alpha_main").success
    site.at("2026-11-19T12:00:00Z")
    site.tell("alpha_main", hosts=5)
    assert site.sync("alpha_main").success
    site.at("2026-11-20T13:00:00Z")
    assert len(site.manifests("alpha_main")) == 2
    assert site.build("2026-11-19", "2026-11-20").success
    assert (len(hosts(site, "2026-11-19")), len(hosts(site, "2026-11-20"))) == (5, 3)


@pytest.mark.fault(
    "the clock jumps ahead, and back",
    "what was made of dates that have not come is passed over: the next build publishes today's again",
)
def test_a_clock_that_jumped_ahead_holds_nothing_back(site: Site) -> None:
    # Dagster's partitions go by the machine's own clock
    ahead = datetime.now(UTC).date()
    today = ahead - timedelta(days=3)
    site.at(f"{today}T12:00:00Z")
    assert site.sync("alpha_main").success
    assert site.build().success
    site.at(f"{ahead}T00:00:01Z")
    site.tell("alpha_main", hosts=4)
    assert site.sync("alpha_main").success
    assert site.build().success
    site.at(f"{today}T16:00:00Z")
    site.tell("alpha_main", hosts=5)
    assert site.sync("alpha_main").success
    result = site.build()
    assert result.success, result.failures
    published = {m["asset"]: m["metadata"]["published"] for m in result.materializations if "publish/" in m["asset"]}
    assert published == {"publish/warehouse": True, "publish/snapshot": True}
    shown = current_snapshot(site.home)
    assert shown is not None
    assert (shown.snapshot_date, shown.rows["hosts"]) == (today, 5)
    with sqlite3.connect(site.home.root / "warehouse.db") as warehouse:
        assert warehouse.execute("SELECT count(*) FROM hosts").fetchone() == (5,)
        assert warehouse.execute("SELECT max(snapshot_date) FROM snapshots").fetchone() == (today.isoformat(),)
    assert len(exposure_pipelines.frame("hosts")) == 5


@pytest.mark.fault("two syncs of one instance at once", "one works, the other is refused and says who is at work")
def test_two_syncs_of_one_instance_at_once_land_one(site: Site) -> None:
    from connector_assets import registry
    from exposure_pipelines.connections import load_connections
    from exposure_pipelines.landing.sync import run_sync

    site.at("2026-11-20T12:00:00Z")
    connection = load_connections(site.home).get("alpha_main")
    connector = registry.load(connection.product)
    inside, go_on = threading.Event(), threading.Event()

    def slow(*_: object) -> None:
        inside.set()
        assert go_on.wait(20)

    first = threading.Thread(
        target=run_sync, args=(connection, connector, site.home, site.lake), kwargs={"progress": slow}
    )
    first.start()
    assert inside.wait(20)
    with pytest.raises(WorkFailed, match="alpha_main"):
        run_sync(connection, connector, site.home, site.lake)
    go_on.set()
    first.join(20)
    assert len(site.manifests("alpha_main")) == 1


@pytest.mark.fault("one instance fails every night", "the others sync, build and publish as if it were not there")
def test_a_failing_instance_never_stops_the_others(site: Site) -> None:
    site.at("2026-11-20T12:00:00Z")
    site.tell("alpha_main", fail="hosts")
    assert not site.sync("alpha_main").success
    assert site.sync("beta_main").success
    assert site.build().success
    with dg.DagsterInstance.get() as instance:
        assert [run for run in instance.get_runs() if not run.is_finished] == []
