"""Building a past that was never landed, from the command line and in Dagster: refused, and said where the kept past begins."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import dagster as dg
import pytest
from typer.testing import CliRunner

from exposure_pipelines.building import open_builder
from exposure_pipelines.cli import runs
from exposure_pipelines.cli.main import app
from tests.dagster import toy
from tests.dagster.conftest import Site
from tests.dagster.test_volume import land

BUILT = (("staging", "stg_alpha__hosts"), ("intermediate", "int_hosts"), ("marts", "hosts"))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            "--from 2026-11-01 --to 2026-11-19",
            "begins on 2026-11-18. Nothing was built; `exposure build --from 2026-11-18",
        ),
        ("--from 2026-11-01 --to 2026-11-03", "`exposure build --date 2026-11-18`"),
        ("--date 2026-11-17", "no vendor can be asked for its past"),
        ("--date 2026-11-18 --without alpha_main", "Nothing was landed by 2026-11-18 or since"),
    ],
)
def test_a_past_that_was_never_landed_is_refused_and_no_vendor_is_asked(
    site: Site, monkeypatch: pytest.MonkeyPatch, call: str, said: str
) -> None:
    land(site, "2026-11-18", 3)
    asked = toy.calls(site.home, "alpha_main")
    site.at("2026-11-20T12:00:00Z")
    monkeypatch.setattr(runs, "build_dates", lambda *_, **__: pytest.fail("it was built"))
    outcome = CliRunner().invoke(app, ["build", *call.split()])
    assert outcome.exit_code == 2, outcome.output
    assert said in " ".join(outcome.stderr.split())
    assert toy.calls(site.home, "alpha_main") == asked


def test_a_past_that_was_landed_and_todays_empty_home_are_built(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[list[str]] = []

    def build_dates(_: object, dates: list[str], **__: object) -> runs.BuildOutcome:
        built.append(dates)
        return runs.BuildOutcome(dates, True, "", 0.0)

    monkeypatch.setattr(runs, "build_dates", build_dates)
    site.at("2026-11-20T12:00:00Z")
    assert CliRunner().invoke(app, ["build"]).exit_code == 0
    land(site, "2026-11-18", 3)
    site.at("2026-11-20T12:00:00Z")
    assert CliRunner().invoke(app, ["build", "--from", "2026-11-18"]).exit_code == 0
    assert built == [["2026-11-20"], ["2026-11-18", "2026-11-19", "2026-11-20"]]


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (["2026-11-17"], "what is kept begins on 2026-11-18"),
        (
            ["2026-11-16", "2026-11-17", "2026-11-18"],
            "`exposure build --from 2026-11-18 --to 2026-11-18`, or a backfill",
        ),
    ],
)
def test_dagster_refuses_a_backfill_of_a_past_that_was_never_landed_and_writes_nothing(
    site: Site, days: list[str], said: str
) -> None:
    land(site, "2026-11-18", 3)
    asked = toy.calls(site.home, "alpha_main")
    site.at("2026-11-20T12:00:00Z")
    refused = site.build(*days)
    assert not refused.success
    (reason,) = refused.failures
    assert reason.startswith(f"building {days[0]} is refused: Nothing was landed by {days[0]}")
    assert said in reason
    assert not any(site.lake.model_dates(layer, model) for layer, model in BUILT)
    assert toy.calls(site.home, "alpha_main") == asked
    assert site.build("2026-11-18", "2026-11-19").success
    assert [str(day) for day in site.lake.model_dates("marts", "hosts")] == ["2026-11-18", "2026-11-19"]


def test_a_backfill_of_landed_streams_is_one_run_of_many_dates_and_reports_each_as_it_was(site: Site) -> None:
    for day, count in (("2026-11-17", 3), ("2026-11-18", 4), ("2026-11-20", 5)):
        land(site, day, count)
    before, asked = site.manifests("alpha_main"), toy.calls(site.home, "alpha_main")
    site.at("2026-11-22T12:00:00Z")
    done = site.run("sync_alpha_main", ["2026-11-17", "2026-11-18", "2026-11-19", "2026-11-20"])
    assert done.success, done.failures
    shown = {m["partition"]: m["metadata"] for m in done.materializations if m["asset"].endswith("/hosts")}
    assert {day: found["dagster/row_count"] for day, found in shown.items()} == {
        "2026-11-17": 3,
        "2026-11-18": 4,
        "2026-11-19": 4,
        "2026-11-20": 5,
    }
    assert all(found["landing"].startswith("kept") for found in shown.values())
    assert len([check for check in done.checks if check["asset"].endswith("/hosts")]) == 2, "those of the newest date"
    assert (site.manifests("alpha_main"), toy.calls(site.home, "alpha_main")) == (before, asked)
    with dg.DagsterInstance.get() as instance:
        (key,) = {tuple(m["asset"].split("/")) for m in done.materializations if m["asset"].endswith("/hosts")}
        records = instance.fetch_materializations(dg.AssetKey(list(key)), limit=4).records
        versions = {r.asset_materialization.partition: r.asset_materialization.tags["dagster/data_version"]
                    for r in records if r.asset_materialization and r.asset_materialization.tags}  # fmt: skip
    assert versions["2026-11-18"] == versions["2026-11-19"]
    assert len(set(versions.values())) == 3


def test_dates_of_a_backfill_of_which_nothing_was_landed_are_named_and_the_others_reported(site: Site) -> None:
    land(site, "2026-11-18", 3)
    site.at("2026-11-22T12:00:00Z")
    done = site.run("sync_alpha_main", ["2026-11-16", "2026-11-17", "2026-11-18"])
    assert not done.success
    assert {m["partition"] for m in done.materializations} == {"2026-11-18"}
    (reason,) = done.failures
    assert "by 2026-11-16" in reason
    assert "by 2026-11-17" in reason
    assert "cannot be asked for a past date" in reason


def test_a_build_goes_on_with_ids_that_an_earlier_version_kept_in_fewer_columns(site: Site) -> None:
    day = date(2026, 11, 18)
    path = Path(site.lake.model_path("intermediate", "int_devices_state", day))
    path.parent.mkdir(parents=True)
    with open_builder(site.home) as builder:
        kept = "SELECT 'edr:p:1' AS record, 'a1' AS asset_id, NULL::TIMESTAMP AS born"
        builder.database.sql(kept).write_parquet(str(path))
        builder.register_states(day)
        read = builder.database.sql("SELECT record, asset_id, home_id, records FROM run.device_state").fetchall()
        assert read == [("edr:p:1", "a1", None, None)]
        assert builder.database.sql("FROM run.identity_state").fetchall() == []
