"""The product's face: the real webserver and daemon load the location, run, backfill and tick."""

from __future__ import annotations

import os
import re
import signal
from datetime import timedelta

import dagster as dg
import pytest

from exposure_pipelines import clock
from exposure_pipelines.assets.partitions import GRACE
from exposure_pipelines.dagster_home import prepare_dagster_home
from tests.dagster import toy
from tests.dagster.conftest import Hook, Site
from tests.dagster.live import LiveDagster
from tests.dagster.test_volume import land

MART = ("marts", "hosts")
LANDED = ("landed", "alpha", "alpha_main", "hosts")
DATES = 30
LANDED_STEP = "sync_alpha_main_streams"


@pytest.fixture
def quick(site: Site) -> Site:
    """A home whose daemon watches over runs as any other's, only quicker."""
    prepare_dagster_home(site.home)
    settings = site.home.dagster / "dagster.yaml"
    quicker = re.sub(r"(poll_interval_seconds|free_slots_after_run_end_seconds): 30", r"\1: 3", settings.read_text())
    settings.write_text(quicker)
    return site


@pytest.mark.live
def test_a_backfill_of_thirty_dates_a_sync_a_build_and_a_schedule_on_the_real_webserver_and_daemon(quick: Site) -> None:
    site = quick
    today = clock.utc_date()
    # shortly after midnight yesterday is still pulled
    over = (clock.now() - GRACE).date()
    past = [(over - timedelta(days=back)).isoformat() for back in range(DATES, 0, -1)]
    site.connect("beta_main", 'product: beta\nschedule: "* * * * *"\n')
    site.connect("alpha_broken", "product: alpha\nbogus: 1\n")
    for number, day in enumerate(past):
        land(site, day, number + 1)
    site.monkeypatch.delenv("EXPOSURE_NOW")
    landed, asked = site.manifests("alpha_main"), toy.calls(site.home, "alpha_main")

    with LiveDagster(site.home.root, "tests.dagster.toy_location") as dagster:
        dagster.until(dagster.daemons_healthy, "the daemons are not healthy")
        dagster.start_schedule("sync_beta_main_schedule")

        # thirty past dates, from the landed streams to the marts: nothing is asked of the vendor, nothing overwritten
        staged = [("staging", "stg_alpha__hosts"), ("staging", "stg_beta__hosts")]
        rest = [("intermediate", "int_hosts"), ("intermediate", "int_counts"), MART, ("marts", "connector_status")]
        assert dagster.backfill([LANDED, *staged, *rest], past) == "COMPLETED_SUCCESS", dagster.logs()
        assert dagster.materialized(MART) == [f"{past[0]}..{past[-1]}"]
        assert dagster.materialized(LANDED) == [f"{past[0]}..{past[-1]}"]
        assert site.manifests("alpha_main") == landed
        assert toy.calls(site.home, "alpha_main") == asked
        for number, day in enumerate(past):
            assert rows_of(site, day) == number + 1
        assert len(dagster.runs_of(LANDED_STEP)) == 1, "a month of landed dates is one run"

        # one sync and one build of today
        assert dagster.finish(dagster.launch("sync_alpha_main", today.isoformat())) == "SUCCESS", dagster.logs()
        assert dagster.finish(dagster.launch("build_exposure_graph", today.isoformat())) == "SUCCESS", dagster.logs()
        both = [f"{past[0]}..{today}"] if over == today else [f"{past[0]}..{past[-1]}", f"{today}..{today}"]
        assert dagster.materialized(LANDED) == both
        assert len(site.manifests("alpha_main")) == len(landed) + 1

        # the schedule's tick ran the partition of its date
        def ticked() -> bool:
            runs = dagster.runs_of_schedule("sync_beta_main_schedule")
            days = {tag["value"] for run in runs for tag in run["tags"] if tag["key"] == "dagster/partition"}
            return any(run["status"] == "SUCCESS" for run in runs) and days <= {
                today.isoformat(),
                str(clock.utc_date()),
            }

        dagster.until(ticked, "the schedule started no run")


@pytest.mark.live
@pytest.mark.fault(
    "a vendor hangs in a run of the daemon, and its process is killed",
    "it takes one place of the queue, others go on; the run is ended and told by itself, the sync that waited is made",
)
def test_pasts_hanging_and_killed_syncs_are_ended_and_told_by_the_real_daemon(
    quick: Site, hook: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = quick
    monkeypatch.setenv("ALERT_HOOK", hook)
    (site.home.root / "alerts.yaml").write_text("webhook: {url: {env: ALERT_HOOK}}\n")
    today = clock.utc_date()
    asked = toy.calls(site.home, "alpha_main")
    with LiveDagster(site.home.root, "tests.dagster.toy_location") as dagster:
        dagster.until(dagster.daemons_healthy, "the daemons are not healthy")

        # a past date of which nothing was landed is refused with the reason, and the vendor is not asked
        refused = dagster.launch("sync_alpha_main", "2026-01-05")
        unbuilt = dagster.launch("build_exposure_graph", "2026-01-05")
        assert dagster.finish(refused) == "FAILURE"
        assert "cannot be asked for a past date" in failures(refused)
        assert dagster.finish(unbuilt) == "FAILURE"
        assert "no vendor can be asked for its past" in failures(unbuilt)
        assert toy.calls(site.home, "alpha_main") == asked

        # a vendor that hangs takes one place, however often its sync is asked for; its neighbour goes on
        site.tell("alpha_main", hang=True)
        hanging = dagster.launch("sync_alpha_main", today.isoformat())
        pid = site.home.root / "vendor_alpha_main.pid"
        dagster.until(pid.exists, "no sync hangs")
        waiting = dagster.launch("sync_alpha_main", today.isoformat())
        assert dagster.finish(dagster.launch("sync_beta_main", today.isoformat())) == "SUCCESS", dagster.logs()

        # its process is killed: the run is found and ended by itself, and the one that waited takes its place
        os.kill(int(pid.read_text()), signal.SIGKILL)
        site.tell("alpha_main")
        ended = [dagster.finish(run) for run in (hanging, waiting)]
        assert sorted(ended) == ["FAILURE", "SUCCESS"], dagster.logs()

        # a sync that fails is told to the webhook by the daemon, with the fix; so were the failures before
        site.tell("alpha_main", fail="hosts")
        assert dagster.finish(dagster.launch("sync_alpha_main", today.isoformat())) == "FAILURE"
        told = ["a past date", "for its past", "killed, out of memory", "make a new key"]
        dagster.until(
            lambda: all(any(words in message["text"] for message in Hook.got) for words in told),
            f"nobody was told of one of {told}",
        )
        assert {message["instance"] for message in Hook.got} == {"alpha_main", ""}


def failures(run_id: str) -> str:
    """What the failed steps of a run said."""
    with dg.DagsterInstance.get() as instance:
        return str(instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_FAILURE))


def rows_of(site: Site, day: str) -> int:
    from datetime import date

    import duckdb

    with duckdb.connect() as database:
        path = site.lake.model_path("marts", "hosts", date.fromisoformat(day))
        return len(database.execute(f"SELECT * FROM '{path}' WHERE product = 'alpha'").fetchall())
