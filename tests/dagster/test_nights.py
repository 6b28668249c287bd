"""The worst nights: each fault, what is lost by it (nothing), and how the next run goes on by itself."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import duckdb
import pytest

import exposure_pipelines
from exposure_pipelines import clock
from exposure_pipelines.assembly import build_definitions
from exposure_pipelines.assets import landed
from exposure_pipelines.dagster_home import prepare_dagster_home
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
if sys.argv[1] == "before the snapshot":
    snapshot.publish_snapshot = kill
elif sys.argv[1] == "in the snapshot":
    write_file = snapshot.write_file
    snapshot.write_file = lambda database, file, tables, *rest: (write_file(database, file, tables[:1], *rest), kill())
elif sys.argv[1] == "before the snapshot is shown":
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


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("evening") / "home"


@pytest.fixture
def pulled(site: Site, evening: Path) -> Site:
    """Three hosts were built and published on the 19th, four were pulled on the 20th. Made once, then copied."""
    if evening.exists():
        shutil.copytree(evening, site.home.root, dirs_exist_ok=True)
        prepare_dagster_home(site.home)
    else:
        site.at("2026-11-19T12:00:00Z")
        assert site.sync("alpha_main").success
        assert site.build().success
        site.at("2026-11-20T12:00:00Z")
        site.tell("alpha_main", hosts=4)
        assert site.sync("alpha_main").success
        shutil.copytree(site.home.root, evening)
    site.at("2026-11-20T12:00:00Z")
    return site


PLACES = ["1", "2", "3", "in the warehouse", "before the snapshot", "in the snapshot", "before the snapshot is shown"]


@pytest.mark.fault(
    "kill -9 in a build and in a publish: at three tables, in the warehouse, before, in and after the writing of the snapshot",
    "readers keep a whole snapshot, the one before; the next build writes every table anew and publishes it",
)
@pytest.mark.parametrize("place", PLACES)
def test_a_build_that_is_killed_anywhere_is_made_whole_by_the_next(pulled: Site, place: str) -> None:
    site = pulled
    assert disturbed_build(place).returncode == -signal.SIGKILL
    assert shown(site) == (date(2026, 11, 19), 3, 3)
    # the warehouse is a transaction of its own: whole, of the one date or of the other
    in_warehouse = (date(2026, 11, 20), 4) if "snapshot" in place else (date(2026, 11, 19), 3)
    assert warehouse(site) == in_warehouse
    assert site.build().success
    assert len(hosts(site, "2026-11-20")) == 4
    assert shown(site) == (date(2026, 11, 20), 4, 4)
    assert warehouse(site) == (date(2026, 11, 20), 4)
    assert [row[0] for row in hosts(site, "2026-11-19")] == [row[0] for row in hosts(site, "2026-11-20")][:3]


def shown(site: Site) -> tuple[date, int, int]:
    """Date of the snapshot that readers open, the hosts that it says it has, and those that are in it."""
    found = current_snapshot(site.home)
    assert found is not None
    with duckdb.connect(str(found.path), read_only=True) as snapshot:
        (count,) = snapshot.execute("SELECT count(*) FROM hosts").fetchone() or (0,)
    return found.snapshot_date, found.rows["hosts"], count


def warehouse(site: Site) -> tuple[date, int]:
    """Newest date and hosts of the SQL database."""
    with sqlite3.connect(site.home.root / "warehouse.db") as database:
        (day,) = database.execute("SELECT max(snapshot_date) FROM snapshots").fetchone()
        (count,) = database.execute("SELECT count(*) FROM hosts").fetchone()
    return date.fromisoformat(day), count


def disturbed_build(place: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "EXPOSURE_NOW": "2026-11-20T12:00:00Z"}
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", KILLED, place]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.fault("the disk is full in a build", "the build says so; readers keep the snapshot before")
def test_a_build_on_a_full_disk_says_so_and_the_next_one_is_whole(pulled: Site) -> None:
    site = pulled
    before = current_snapshot(site.home)
    said = disturbed_build("full disk")
    assert said.returncode == 1
    assert "is full or failing" in said.stderr.splitlines()[-1]
    assert current_snapshot(site.home) == before
    assert site.build().success
    assert len(hosts(site, "2026-11-20")) == 4


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
    assert shown(site) == (today, 5, 5)
    assert warehouse(site) == (today, 5)
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
        assert go_on.wait(60)

    first = threading.Thread(
        target=run_sync, args=(connection, connector, site.home, site.lake), kwargs={"progress": slow}
    )
    first.start()
    assert inside.wait(60)
    with pytest.raises(WorkFailed, match="alpha_main"):
        run_sync(connection, connector, site.home, site.lake)
    go_on.set()
    first.join(60)
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


@pytest.mark.fault(
    "a vendor is slower than a pull may take",
    "what came is kept as partial, nothing is retired, others are not held up; the first sync in time takes over",
)
def test_a_vendor_that_is_too_slow_loses_nothing_and_holds_up_nobody(site: Site) -> None:
    site.at("2026-11-19T12:00:00Z")
    assert site.sync("alpha_main").success
    assert site.build().success
    site.at("2026-11-20T12:00:00Z")
    site.tell("alpha_main", hosts=1, slow=7 * 3600)
    began = time.monotonic()
    assert site.sync("alpha_main").success
    assert time.monotonic() - began < 600, "a wait beyond the budget is not begun"
    assert site.sync("beta_main").success
    manifest = site.manifests("alpha_main")[0]
    assert (manifest.state, manifest.records) == ("partial", 1)
    assert "the pull ran longer than its 6.0 h" in manifest.reason
    assert site.build().success
    assert {row[-2] for row in hosts(site, "2026-11-20")} == {"alpha", "beta"}
    assert len(hosts(site, "2026-11-20")) == 6
    site.tell("alpha_main", hosts=5)
    site.at("2026-11-20T16:00:00Z")
    assert site.sync("alpha_main").success
    assert site.build().success
    assert len(hosts(site, "2026-11-20")) == 8


@pytest.mark.fault(
    "a poisoned payload: records without a key, of another shape, with NUL, of megabytes",
    "they are in quarantine or cost their value only; the others go on and nothing is retired",
)
def test_a_poisoned_payload_costs_itself_alone(site: Site) -> None:
    site.at("2026-11-19T12:00:00Z")
    assert site.sync("alpha_main").success
    assert site.build().success
    site.at("2026-11-20T12:00:00Z")
    site.tell("alpha_main", hosts=2, poison=True)
    assert site.sync("alpha_main").success
    manifest = site.manifests("alpha_main")[0]
    assert manifest.state == "partial"
    assert manifest.rejected >= 2
    assert site.build().success
    assert len(hosts(site, "2026-11-20")) == 3, "readers keep the last complete sync"
    site.tell("alpha_main", hosts=2)
    site.at("2026-11-20T16:00:00Z")
    assert site.sync("alpha_main").success
    assert site.build().success
    assert len(hosts(site, "2026-11-20")) == 2


@pytest.mark.fault(
    "a vendor is down whenever it is asked", "a run tries three times and ends; the next tick starts anew"
)
def test_the_tries_of_one_run_are_bounded(site: Site) -> None:
    site.tell("alpha_main", down="hosts")
    site.monkeypatch.setattr(landed, "RETRIES", dg.RetryPolicy(max_retries=2, delay=0))
    prepare_dagster_home(site.home)
    job = build_definitions(site.home).resolve_job_def("sync_alpha_main")
    with dg.DagsterInstance.get() as instance:
        day = clock.utc_date().isoformat()
        result = job.execute_in_process(instance=instance, partition_key=day, raise_on_error=False)
        assert not result.success
        tries = [event for event in result.all_events if event.event_type_value in ("STEP_START", "STEP_RESTARTED")]
        assert len(tries) == 3
        assert instance.event_log_storage.get_concurrency_info("alpha_main").active_run_ids == set()
    site.tell("alpha_main")
    assert site.sync("alpha_main").success
