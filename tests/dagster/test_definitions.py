"""The code location: what it holds, how little it needs to load, and that one bad file never stops it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from exposure_pipelines.assembly import build_definitions
from tests.dagster.conftest import Site

HEAVY = ("pandas", "numpy", "duckdb", "pyarrow", "requests", "scipy", "sqlglot", "sqlalchemy.orm", "psycopg", "fsspec")


def loaded_modules(home: Path, *modules: str) -> set[str]:
    """Which of HEAVY a fresh process has loaded after importing modules."""
    code = (
        f"import importlib, json, sys\nfor name in {modules!r}: importlib.import_module(name)\n"
        f"print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    )
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("EXPOSURE_", "DAGSTER_"))}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**environment, "EXPOSURE_HOME": str(home)},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_loading_imports_no_heavy_library_of_its_own(site: Site) -> None:
    alone = loaded_modules(site.home.root, "dagster")
    ours = loaded_modules(site.home.root, "dagster", "tests.dagster.toy_location")
    assert ours - alone == set()


def test_what_a_step_writes_is_for_its_owner_alone_whoever_started_it(site: Site) -> None:
    """Dagster's own commands, as in a container, do not pass through the command line that sets it."""
    code = "import os; os.umask(0o022); import exposure_pipelines.definitions; print(oct(os.umask(0)))"
    environment = {**os.environ, "EXPOSURE_HOME": str(site.home.root / "empty")}
    said = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=300)
    assert said.stdout.strip() == "0o77", said.stderr


def test_loading_reads_no_secret_and_calls_no_vendor(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.connect("alpha_main", "product: alpha\ncredentials:\n  token: {env: NOT_SET_ANYWHERE}\n")
    import socket

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the code location opened a socket")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    dg.Definitions.validate_loadable(build_definitions(site.home))


def test_every_asset_job_and_schedule_is_named_as_promised(site: Site) -> None:
    definitions = build_definitions(site.home)
    dg.Definitions.validate_loadable(definitions)
    assert sorted("/".join(key.path) for key in definitions.resolve_all_asset_keys()) == [
        "connections",
        "intermediate/int_counts",
        "intermediate/int_hosts",
        "landed/alpha/alpha_main/hosts",
        "landed/alpha/alpha_main/users",
        "landed/beta/beta_main/hosts",
        "landed/beta/beta_main/users",
        "marts/connector_status",
        "marts/hosts",
        "publish/snapshot",
        "publish/warehouse",
        "staging/stg_alpha__hosts",
        "staging/stg_beta__hosts",
    ]
    assert sorted(job.name for job in definitions.jobs or ()) == [
        "build_exposure_graph",
        "sync_alpha_main",
        "sync_beta_main",
    ]
    assert sorted(schedule.name for schedule in definitions.schedules or ()) == [
        "build_exposure_graph_schedule",
        "sync_alpha_main_schedule",
        "sync_beta_main_schedule",
    ]


def test_assets_say_who_owns_them_what_they_are_and_what_they_hold(site: Site) -> None:
    graph = build_definitions(site.home).resolve_asset_graph()
    landed = graph.get(dg.AssetKey(["landed", "beta", "beta_main", "hosts"]))
    assert landed.owners == ["team:beta"]
    assert landed.group_name == "landed_beta"
    assert {"beta", "parquet"} == landed.kinds
    mart = graph.get(dg.AssetKey(["marts", "hosts"]))
    assert mart.kinds == {"duckdb", "sql"}
    assert mart.description == "One row a host."
    schema = mart.metadata["dagster/column_schema"]
    assert [column.name for column in schema.columns][:2] == ["host_id", "display_name"]
    assert mart.code_version
    for key in graph.get_all_asset_keys():
        if key != dg.AssetKey(["connections"]):
            partitions = graph.get(key).partitions_def
            assert isinstance(partitions, dg.DailyPartitionsDefinition)
            assert partitions.end_offset == 1, "today must be a valid partition"
            assert str(partitions.timezone) == "UTC"


def test_models_follow_what_they_read_down_to_the_landed_streams_of_every_instance(site: Site) -> None:
    site.connect("alpha_second", "product: alpha\n")
    graph = build_definitions(site.home).resolve_asset_graph()
    staging = graph.get(dg.AssetKey(["staging", "stg_alpha__hosts"]))
    assert staging.parent_keys == {
        dg.AssetKey(["landed", "alpha", instance, "hosts"]) for instance in ("alpha_main", "alpha_second")
    }
    publish = graph.get(dg.AssetKey(["publish", "warehouse"]))
    assert publish.parent_keys == {dg.AssetKey(["marts", name]) for name in ("hosts", "connector_status")}


def test_yaml_tests_become_asset_checks(site: Site) -> None:
    graph = build_definitions(site.home).resolve_asset_graph()
    names = {key.name for key in graph.asset_check_keys if key.asset_key == dg.AssetKey(["marts", "hosts"])}
    assert names == {
        "not_null_host_id",
        "unique_host_id",
        "not_null_display_name",
        "accepted_values_lifecycle_state",
        "plausible",
    }


def test_a_check_of_a_condition_says_which(site: Site) -> None:
    graph = build_definitions(site.home).resolve_asset_graph()
    spec = graph.get_check_spec(dg.AssetCheckKey(dg.AssetKey(["marts", "hosts"]), "plausible"))
    assert spec.description == "row_condition (error): hosts_of_product < 1000"


def test_tests_below_the_marts_are_one_check_a_severity(site: Site) -> None:
    """Twenty contract tests on each of a hundred staging models would cost a build minutes of bookkeeping."""
    graph = build_definitions(site.home).resolve_asset_graph()
    names = {
        key.name for key in graph.asset_check_keys if key.asset_key == dg.AssetKey(["staging", "stg_alpha__hosts"])
    }
    assert names == {"contract"}


def test_a_broken_connection_file_is_left_out_and_the_others_stay(site: Site) -> None:
    site.connect("alpha_broken", "product: alpha\nschedul: 0 0 * * *\n")
    site.connect("beta_broken", "product: [beta\n")
    definitions = build_definitions(site.home)
    jobs = {job.name for job in definitions.jobs or ()}
    assert jobs == {"build_exposure_graph", "sync_alpha_main", "sync_beta_main"}


def test_a_disabled_instance_has_no_job(site: Site) -> None:
    site.connect("beta_main", "product: beta\nenabled: false\n")
    assert {job.name for job in build_definitions(site.home).jobs or ()} == {"build_exposure_graph", "sync_alpha_main"}


def test_schedules_are_off_and_run_the_partition_of_their_tick(site: Site) -> None:
    site.connect("alpha_main", 'product: alpha\nschedule: "5 3 * * *"\n')
    definitions = build_definitions(site.home)
    schedule = definitions.resolve_schedule_def("sync_alpha_main_schedule")
    assert schedule.default_status == dg.DefaultScheduleStatus.STOPPED
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("5 3 * * *", "UTC")
    # 23:59 of one date, evaluated late: the tick's own date counts
    context = dg.build_schedule_context(
        scheduled_execution_time=datetime(2026, 3, 4, 23, 59, tzinfo=UTC),
        repository_def=definitions.get_repository_def(),
    )
    (request,) = schedule.evaluate_tick(context).run_requests or ()
    assert request.tags["dagster/partition"] == "2026-03-04"
    assert definitions.resolve_schedule_def("build_exposure_graph_schedule").cron_schedule == "45 */4 * * *"


def test_instances_without_a_schedule_do_not_all_start_at_the_same_minute(site: Site) -> None:
    for number in range(8):
        site.connect(f"alpha_{number}", "product: alpha\n")
    schedules = build_definitions(site.home).schedules or ()
    minutes = {str(getattr(s, "cron_schedule", "")).split()[0] for s in schedules if s.name.startswith("sync_alpha")}
    assert len(minutes) > 4
