"""Syncs and builds through Dagster, in this process: what is kept, what is refused, what never blocks what."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Collection, Iterator
from datetime import date
from pathlib import Path

import dagster as dg
import duckdb
import pytest
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import (
    ManagedGrpcPythonEnvCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    ScheduleInstigatorData,
    TickData,
    TickStatus,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.load_target import WorkspaceFileTarget

from dbt_like_transforms.engine.errors import ModelFailed
from dbt_like_transforms.engine.results import ModelResult
from dbt_like_transforms.reporting import Report, silent
from exposure_pipelines import clock
from exposure_pipelines.assembly import build_definitions
from exposure_pipelines.building import Builder
from exposure_pipelines.cli.build import show_what_if
from exposure_pipelines.cli.connection_file import new_connection_file
from exposure_pipelines.cli.services import WORKSPACE
from exposure_pipelines.dagster_home import forget_future_ticks, prepare_dagster_home, release_dead_runs, run_job
from exposure_pipelines.errors import ConfigurationError, WorkFailed
from exposure_pipelines.publish.snapshot import current_snapshot
from tests.dagster import toy
from tests.dagster.conftest import Site


def rows(site: Site, table: str, day: str) -> list[tuple[object, ...]]:
    path = site.lake.model_path("marts", table, date.fromisoformat(day))
    with duckdb.connect() as database:
        return database.execute(f"SELECT * FROM '{path}'").fetchall()


def materialized(site: Site, *path: str) -> set[str]:
    with dg.DagsterInstance.get() as instance:
        return set(instance.get_materialized_partitions(dg.AssetKey(list(path))))


def test_a_sync_and_a_build_report_rows_checks_lineage_and_nothing_personal(site: Site) -> None:
    site.at("2026-11-20T12:00:00Z")
    assert site.sync("alpha_main").success
    result = site.build()
    assert result.success, result.failures
    found = {item["asset"]: item for item in result.materializations}
    mart = found["marts/hosts"]
    assert mart["partition"] == "2026-11-20"
    assert mart["metadata"]["dagster/row_count"] == 3
    assert mart["metadata"]["parquet"] == "marts/hosts/snapshot_date=2026-11-20/part-0.parquet"
    lineage = mart["metadata"]["dagster/column_lineage"].deps_by_column
    assert [(dep.asset_key.path[-1], dep.column_name) for dep in lineage["display_name"]] == [("int_hosts", "name")]
    staged = found["staging/stg_alpha__hosts"]["metadata"]["dagster/column_lineage"].deps_by_column
    assert dg.AssetKey(["landed", "alpha", "alpha_main", "hosts"]) in {dep.asset_key for dep in staged["seen"]}
    assert "| lifecycle_state | active | 3 |" in mart["metadata"]["preview"]
    everything = repr(result.materializations) + repr(result.checks)
    assert "host-1" not in everything, "a preview must not show records"
    assert all(check["passed"] for check in result.checks if check["check"] != "fresh")
    assert found["publish/warehouse"]["metadata"]["published"] is True
    assert "alpha_main" in str(site.said) or any("hosts" in line for line in site.said)


def test_what_a_long_model_is_doing_is_told_while_it_runs_and_in_the_log_of_the_run(site: Site) -> None:
    site.at("2026-11-20T12:00:00Z")
    site.sync("alpha_main")
    site.build()
    started = site.said.index("2026-11-20: counting hosts")
    assert started < next(place for place, text in enumerate(site.said) if "int_counts, " in text)
    with dg.DagsterInstance.get() as instance:
        (run,) = instance.get_runs(dg.RunsFilter(job_name="build_exposure_graph"))
        assert "2026-11-20: counting hosts" in {entry.user_message for entry in instance.all_logs(run.run_id)}


def test_a_home_without_connections_builds_empty_tables(site: Site) -> None:
    for file in site.home.connections.iterdir():
        file.unlink()
    site.at("2026-11-20T12:00:00Z")
    result = site.build()
    assert result.success, result.failures
    assert rows(site, "hosts", "2026-11-20") == []


def test_a_broken_connection_file_is_shown_as_failing_with_its_fix_while_the_others_run(site: Site) -> None:
    site.connect("alpha_broken", "product: alpha\nschedul: 0 0 * * *\n")
    assert site.sync("alpha_main").success
    result = site.build()
    assert result.success
    (check,) = [check for check in result.checks if check["check"] == "connections_valid"]
    assert not check["passed"]
    assert "alpha_broken.yaml" in check["description"]
    assert "did you mean schedule" in check["description"]


def test_one_failing_connector_delays_itself_and_never_the_build(site: Site) -> None:
    assert site.sync("alpha_main").success
    site.tell("beta_main", fail="hosts")
    failed = site.sync("beta_main")
    assert not failed.success
    (message,) = failed.failures
    assert "beta instance beta_main failed: hosts: the vendor refused the key" in message
    assert "make a new key" in message
    built = site.build()
    assert built.success, built.failures
    today = site.manifests("alpha_main")[0].finished_at.date().isoformat()
    states = {(row[1], row[2]): row[4] for row in rows(site, "connector_status", today)}
    assert states[("beta_main", "hosts")] == "failed"
    assert states[("alpha_main", "hosts")] == "complete"


def test_streams_that_went_well_are_materialised_although_another_failed(site: Site) -> None:
    site.tell("alpha_main", fail="hosts")
    result = site.sync("alpha_main")
    assert not result.success
    assert [item["asset"] for item in result.materializations] == ["landed/alpha/alpha_main/users"]
    checks = {(check["asset"].rsplit("/")[-1], check["check"]): check for check in result.checks}
    assert checks[("users", "complete")]["passed"]
    assert not checks[("hosts", "complete")]["passed"]
    assert checks[("hosts", "complete")]["severity"] == "ERROR"


def test_a_partial_stream_warns_and_quarantined_records_are_counted(site: Site) -> None:
    site.tell("alpha_main", partial="the vendor left a page out", malformed=2)
    result = site.sync("alpha_main")
    assert result.success
    checks = {(check["asset"].rsplit("/")[-1], check["check"]): check for check in result.checks}
    assert not checks[("hosts", "complete")]["passed"]
    assert checks[("hosts", "complete")]["severity"] == "WARN"
    assert "left a page out" in checks[("hosts", "complete")]["description"]
    assert not checks[("hosts", "quarantine")]["passed"]
    assert "2 records rejected" in checks[("hosts", "quarantine")]["description"]


def test_a_past_date_keeps_what_was_landed_and_never_calls_the_vendor(site: Site) -> None:
    site.at("2026-11-18T12:00:00Z")
    assert site.sync("alpha_main").success
    site.at("2026-11-20T12:00:00Z")
    assert site.sync("alpha_main").success
    landed, asked = site.manifests("alpha_main"), toy.calls(site.home, "alpha_main")
    for day in ("2026-11-18", "2026-11-19"):
        kept = site.sync("alpha_main", day)
        assert kept.success, kept.failures
        (hosts,) = [item for item in kept.materializations if item["asset"].endswith("hosts")]
        assert hosts["metadata"]["landing"].startswith("kept")
        assert hosts["metadata"]["sync"] == landed[-1].sync
    assert toy.calls(site.home, "alpha_main") == asked
    assert site.manifests("alpha_main") == landed
    assert materialized(site, "landed", "alpha", "alpha_main", "hosts") == {"2026-11-18", "2026-11-19", "2026-11-20"}


def test_a_past_date_with_nothing_landed_is_refused_with_the_reason(site: Site) -> None:
    site.at("2026-11-20T12:00:00Z")
    assert site.sync("alpha_main").success
    asked = toy.calls(site.home, "alpha_main")
    refused = site.sync("alpha_main", "2026-11-10")
    assert not refused.success
    assert "nothing was landed for hosts, users by 2026-11-10" in refused.failures[0]
    assert toy.calls(site.home, "alpha_main") == asked


def test_a_skipped_stream_does_not_make_a_past_date_impossible(site: Site) -> None:
    site.at("2026-11-18T12:00:00Z")
    site.tell("alpha_main", skip="users")
    assert site.sync("alpha_main").success
    site.at("2026-11-20T12:00:00Z")
    kept = site.sync("alpha_main", "2026-11-18")
    assert kept.success, kept.failures
    assert [item["asset"] for item in kept.materializations] == ["landed/alpha/alpha_main/hosts"]


def test_a_run_queued_before_midnight_still_pulls_shortly_after_it(site: Site) -> None:
    site.at("2026-11-21T01:30:00Z")
    assert site.sync("alpha_main", "2026-11-20").success
    assert toy.calls(site.home, "alpha_main") == 2


def test_a_range_of_dates_is_one_run_with_the_numbers_of_each_date(site: Site) -> None:
    for day, hosts in (("2026-11-18", 2), ("2026-11-19", 4), ("2026-11-20", 6)):
        site.at(f"{day}T12:00:00Z")
        site.tell("alpha_main", hosts=hosts)
        assert site.sync("alpha_main").success
    landed = site.manifests("alpha_main")
    result = site.build("2026-11-18", "2026-11-19", "2026-11-20")
    assert result.success, result.failures
    counts = {
        m["partition"]: m["metadata"]["dagster/row_count"]
        for m in result.materializations
        if m["asset"] == "marts/hosts"
    }
    assert counts == {"2026-11-18": 2, "2026-11-19": 4, "2026-11-20": 6}
    assert materialized(site, "marts", "hosts") == set(counts)
    assert site.manifests("alpha_main") == landed


def test_dates_built_before_a_failing_one_are_recorded(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for day in ("2026-11-18", "2026-11-19"):
        site.at(f"{day}T12:00:00Z")
        assert site.sync("alpha_main").success
    iterate = Builder.iterate

    def break_second(
        self: Builder, day: date, select: Collection[str] | None = None, report: Report = silent
    ) -> Iterator[ModelResult]:
        if day == date(2026, 11, 19):
            raise ModelFailed("hosts", toy.MODELS / "marts" / "hosts.sql", "it broke", 3)
        return iterate(self, day, select, report)

    monkeypatch.setattr(Builder, "iterate", break_second)
    result = site.build("2026-11-18", "2026-11-19")
    assert not result.success
    assert "building 2026-11-19 failed" in result.failures[0]
    assert "hosts.sql:3" in result.failures[0]
    assert materialized(site, "marts", "hosts") == {"2026-11-18"}


def test_a_mart_that_breaks_a_promise_is_built_and_not_published(site: Site) -> None:
    site.at("2026-11-20T12:00:00Z")
    assert site.sync("alpha_main").success
    assert site.build().success
    before = current_snapshot(site.home)
    site.at("2026-11-20T16:00:00Z")
    site.tell("alpha_main", hosts=1000)
    assert site.sync("alpha_main").success
    result = site.build()
    assert not result.success
    assert (
        "2026-11-20 is not published, 1 tests of severity error fail: hosts plausible (1,000 rows)"
        in result.failures[0]
    )
    assert len(rows(site, "hosts", "2026-11-20")) == 1000
    assert current_snapshot(site.home) == before


def test_a_failing_check_says_date_rows_test_and_column(site: Site) -> None:
    site.at("2026-11-20T12:00:00Z")
    site.tell("alpha_main", hosts=1000)
    assert site.sync("alpha_main").success
    (check,) = [check for check in site.build().checks if check["check"] == "plausible"]
    assert (check["passed"], check["severity"]) == (False, "ERROR")
    assert check["description"] == "2026-11-20: 1,000 rows fail plausible on the table"


def test_rebuilding_an_old_date_leaves_the_published_newer_one(site: Site) -> None:
    for day in ("2026-11-19", "2026-11-20"):
        site.at(f"{day}T12:00:00Z")
        assert site.sync("alpha_main").success
    assert site.build("2026-11-20").success
    before = current_snapshot(site.home)
    old = site.build("2026-11-19")
    assert old.success, old.failures
    published = {
        m["asset"]: m["metadata"]["published"] for m in old.materializations if m["asset"].startswith("publish/")
    }
    assert published == {"publish/warehouse": False, "publish/snapshot": False}
    assert current_snapshot(site.home) == before


def test_a_stream_that_is_too_old_warns_at_every_build_although_its_old_date_was_backfilled(site: Site) -> None:
    site.at("2026-11-17T12:00:00Z")
    assert site.sync("alpha_main").success
    site.at("2026-11-20T12:00:00Z")
    assert site.sync("alpha_main", "2026-11-17").success
    checks = {c["asset"]: c for c in site.build().checks if c["check"] == "fresh"}
    old = checks["landed/alpha/alpha_main/hosts"]
    assert not old["passed"]
    assert "72.0 hours old, 36 are allowed" in old["description"]
    assert "never landed" in checks["landed/beta/beta_main/hosts"]["description"]


def test_a_person_at_the_terminal_is_answered_at_once_when_the_vendor_is_down(site: Site) -> None:
    site.tell("alpha_main", down="hosts")
    began = time.monotonic()
    result = site.sync("alpha_main")
    assert not result.success
    assert "the vendor is down" in result.failures[0]
    assert time.monotonic() - began < 25, "the step must not wait for its own retry here"


@pytest.mark.fault(
    "a vendor fails for a moment, or for good", "tried again at growing intervals only where waiting can help"
)
def test_only_failures_that_may_pass_by_themselves_are_retried(site: Site) -> None:
    from exposure_pipelines.assets.landed import partition_events
    from exposure_pipelines.clock import utc_date

    for trouble, retried in ({"down": "hosts"}, True), ({"fail": "hosts"}, False):
        site.tell("alpha_main", **trouble)
        with pytest.raises(dg.Failure) as caught:
            list(partition_events("alpha_main", utc_date(), ["hosts"], False))
        assert caught.value.allow_retries is retried


def test_an_unknown_job_says_what_to_look_at(site: Site) -> None:
    with pytest.raises(ConfigurationError, match="no job 'sync_gamma'"):
        site.run("sync_gamma", ["2026-11-20"])


@pytest.mark.fault(
    "kill -9 of a Dagster run without a daemon", "the next run ends the dead one and takes its place in the pool"
)
def test_a_home_on_a_disk_that_turned_read_only_is_told_before_anything_begins(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    for begin in (
        lambda: site.sync("alpha_main"),
        site.build,
        lambda: show_what_if(site.home, ["2026-11-20"], [], False),
        lambda: new_connection_file(site.home, "alpha", None, None, [], []),
    ):
        with pytest.raises(ConfigurationError, match="cannot be written: its disk is mounted read-only") as told:
            begin()
        assert "EXPOSURE_HOME" in str(told.value)


def test_a_sync_that_was_killed_does_not_block_the_next_one(site: Site) -> None:
    """A killed run leaves its pool slot taken: without a daemon nothing would ever free it."""
    code = (
        "import os, signal\n"
        "from tests.dagster import toy\n"
        "toy.install()\n"
        "from exposure_pipelines.home import Home\n"
        "from exposure_pipelines.dagster_home import run_job\n"
        "from exposure_pipelines import clock\n"
        "run_job(Home.from_env(), 'sync_alpha_main', [clock.utc_date().isoformat()],"
        " on_progress=lambda text: os.kill(os.getpid(), signal.SIGKILL))\n"
    )
    killed = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[2], env=dict(os.environ), timeout=300
    )
    assert killed.returncode == -signal.SIGKILL
    assert site.manifests("alpha_main") == []
    assert site.sync("alpha_main").success
    with dg.DagsterInstance.get() as instance:
        failed = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]))
        assert len(failed) == 1
        assert instance.event_log_storage.get_concurrency_info("alpha_main").active_run_ids == set()


@pytest.mark.fault(
    "the power goes while the daemon's runs are at work",
    "the next `exposure up` ends them and their instances are free",
)
def test_runs_of_a_daemon_that_is_gone_are_ended_by_the_next_start(site: Site, tmp_path: Path) -> None:
    """Dagster would wait for their longest time: six hours in which the instance is blocked."""
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(tmp_path / "alive"))
    listening.listen()
    assert site.sync("alpha_main").success
    with dg.DagsterInstance.get() as instance, listening:
        states = {}
        for name in ("alive", "dead"):
            tags = {".dagster/grpc_info": json.dumps({"host": "localhost", "socket": str(tmp_path / name)})}
            run = instance.create_run_for_job(toy_job, tags=tags, status=dg.DagsterRunStatus.STARTED)
            instance.event_log_storage.set_concurrency_slots(f"pool_{name}", 1)
            instance.event_log_storage.claim_concurrency_slot(f"pool_{name}", run.run_id, "step")
            states[name] = run.run_id
        release_dead_runs(instance)
        assert len(instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED]))) == 2, "not ours to end"
        release_dead_runs(instance, launched=True)
        ended = {name: instance.get_run_by_id(run_id) for name, run_id in states.items()}
        assert {name: run.status.value for name, run in ended.items() if run} == {"alive": "STARTED", "dead": "FAILURE"}
        assert instance.event_log_storage.get_concurrency_info("pool_dead").active_run_ids == set()
        assert instance.event_log_storage.get_concurrency_info("pool_alive").active_run_ids == {states["alive"]}


def test_a_run_of_the_command_line_that_is_executed_again_is_not_taken_for_dead(site: Site) -> None:
    """The web UI copies its tags, and with them the process that has ended."""
    assert site.sync("alpha_main").success
    with dg.DagsterInstance.get() as instance:
        (first,) = instance.get_runs()
        mark = first.tags["exposure/process"].rpartition(":")[0] + ":1"
        again = instance.create_run_for_job(
            toy_job,
            tags={**first.tags, "exposure/process": mark},
            status=dg.DagsterRunStatus.STARTED,
            root_run_id=first.run_id,
            parent_run_id=first.run_id,
        )
        release_dead_runs(instance)
        after = instance.get_run_by_id(again.run_id)
        assert after is not None
        assert after.status is dg.DagsterRunStatus.STARTED


@dg.job
def toy_job() -> None: ...


@pytest.mark.fault(
    "the clock ran ahead while schedules were on", "the next `exposure up` sets them back to now; they tick again"
)
def test_a_schedule_that_a_clock_carried_away_ticks_again(site: Site) -> None:
    """Dagster starts nothing before a schedule's last tick: one of next year would keep it silent until then."""
    prepare_dagster_home(site.home)
    schedule = build_definitions(site.home).get_repository_def().get_schedule_def("sync_alpha_main_schedule")
    now, ahead = time.time(), time.time() + 365 * 86400
    with dg.DagsterInstance.get() as instance:
        for name, last in (("carried_away", ahead), ("well", now - 60)):
            origin = RemoteInstigatorOrigin(ORIGIN, name)
            state = InstigatorState(
                origin,
                InstigatorType.SCHEDULE,
                InstigatorStatus.RUNNING,
                ScheduleInstigatorData(str(schedule.cron_schedule), last - 3600, last),
            )
            instance.add_instigator_state(state)
            tick = TickData(
                state.instigator_origin_id,
                name,
                InstigatorType.SCHEDULE,
                TickStatus.SKIPPED,
                last,
                selector_id=state.selector_id,
            )
            instance.create_tick(tick)
        assert forget_future_ticks(instance) == ["carried_away"]
        assert forget_future_ticks(instance) == []
        left = {
            state.instigator_name: (
                len(instance.get_ticks(state.instigator_origin_id, state.selector_id)),
                state.status,
                state.instigator_data.start_timestamp <= time.time(),
            )
            for state in instance.all_instigator_state(instigator_type=InstigatorType.SCHEDULE)
        }
    assert left == {"carried_away": (0, InstigatorStatus.RUNNING, True), "well": (1, InstigatorStatus.RUNNING, True)}


def test_status_shows_a_tick_only_where_the_schedule_is_on(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    """All are off in a new home: a time at which nothing will run tells that something will."""
    from exposure_pipelines.cli.status import status

    prepare_dagster_home(site.home)
    with dg.DagsterInstance.get() as instance:
        origin = RemoteInstigatorOrigin(ORIGIN, "sync_alpha_main_schedule")
        data = ScheduleInstigatorData("0 * * * *", time.time())
        instance.add_instigator_state(InstigatorState(origin, InstigatorType.SCHEDULE, InstigatorStatus.RUNNING, data))
    status(as_json=True)
    rows = json.loads(capsys.readouterr().out)["instances"]
    assert {row["instance"]: row["schedule_on"] for row in rows} == {"alpha_main": True, "beta_main": False}
    assert all(row["next_tick"] for row in rows)
    status()
    told = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if "_main" in line}
    assert told["beta_main"].rstrip().endswith(" off")
    assert told["alpha_main"].rstrip().endswith("Z")


ORIGIN = RemoteRepositoryOrigin(
    ManagedGrpcPythonEnvCodeLocationOrigin(LoadableTargetOrigin(module_name="toy"), location_name="toy"), "toy"
)


def test_ctrl_c_lands_nothing_closes_the_run_and_frees_its_pool(site: Site) -> None:
    def interrupt(_: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_job(site.home, "sync_alpha_main", [clock.utc_date().isoformat()], on_progress=interrupt)
    assert site.manifests("alpha_main") == []
    with dg.DagsterInstance.get() as instance:
        assert [run.status for run in instance.get_runs() if not run.is_finished] == []
        assert instance.event_log_storage.get_concurrency_info("alpha_main").active_run_ids == set()
    assert site.sync("alpha_main").success


def test_a_run_of_the_command_line_stands_under_its_job_in_the_web_ui(site: Site, tmp_path: Path) -> None:
    """Timeline, jobs and sensors pass over a run that belongs to no code location."""
    (tmp_path / "workspace.yaml").write_text(WORKSPACE)
    assert (Path(__file__).parents[2] / "workspace.yaml").read_text() == WORKSPACE, (
        "the one of who starts Dagster alone"
    )
    (location,) = WorkspaceFileTarget([str(tmp_path / "workspace.yaml")]).create_origins()
    served = RemoteRepositoryOrigin(location, "__repository__")
    assert site.sync("alpha_main").success
    with dg.DagsterInstance.get() as instance:
        # what the page of a job asks for
        (run,) = instance.get_runs(dg.RunsFilter(tags={".dagster/repository": served.get_label()}))
    assert run.remote_job_origin is not None
    assert run.remote_job_origin.repository_origin.get_selector() == served.get_selector()


def test_work_that_runs_already_is_refused_instead_of_waited_for(site: Site) -> None:
    assert site.sync("alpha_main").success
    with dg.DagsterInstance.get() as instance:
        instance.event_log_storage.claim_concurrency_slot("alpha_main", "0123456789abcdef", "sync_alpha_main_streams")
    with pytest.raises(WorkFailed, match="alpha_main is at work already in Dagster run 01234567"):
        site.sync("alpha_main")


def test_an_enumeration_that_shrank_is_held_until_a_person_accepts_it(site: Site) -> None:
    site.tell("alpha_main", hosts=40)
    assert site.sync("alpha_main").success
    site.tell("alpha_main", hosts=3)
    assert site.sync("alpha_main").success
    assert site.manifests("alpha_main")[0].state == "partial"
    accept = {"ops": {"sync_alpha_main_streams": {"config": {"accept_volume": True}}}}
    assert site.run("sync_alpha_main", [clock.utc_date().isoformat()], run_config=accept).success
    assert site.manifests("alpha_main")[0].state == "complete"


def test_every_sync_of_the_day_has_a_row_of_what_it_cost_and_gave(site: Site) -> None:
    """The toy models have no such mart: the relation that it selects from is read."""
    from exposure_pipelines.connections import load_connections
    from exposure_pipelines.landing.select import sync_run_rows

    for moment in ("2026-11-19T23:00:00Z", "2026-11-20T06:00:00Z", "2026-11-20T12:00:00Z", "2026-11-21T00:30:00Z"):
        site.at(moment)
        assert site.sync("alpha_main").success
    rows = list(sync_run_rows(site.lake, load_connections(site.home).valid, date(2026, 11, 20)))
    assert [f"{row['finished_at']:%d %H}" for row in rows if row["stream"] == "hosts"] == ["20 12", "20 06"]
    newest = site.manifests("alpha_main")[1]
    (row,) = (row for row in rows if row["sync"] == newest.sync and row["stream"] == "hosts")
    assert (row["records"], row["requests"], row["landed_bytes"]) == (
        newest.records,
        newest.requests,
        newest.landed_bytes,
    )
    assert row["landed_bytes"] > 0
    assert row["seconds"] >= 0
