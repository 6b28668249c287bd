"""A build that would lose an implausible share is stopped and names the stream; what a person meant to lose is not."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from exposure_pipelines.building import open_builder
from exposure_pipelines.connections import load_connections
from exposure_pipelines.errors import WorkFailed
from exposure_pipelines.landing.sync import run_sync
from tests.dagster import toy
from tests.dagster.conftest import Site


def land(site: Site, day: str, hosts: int, instance: str = "alpha_main", **options: Any) -> str:
    """A sync of a day, each an hour after the one before, without Dagster; its state for hosts."""
    hour = sum(sync.startswith(day.replace("-", "")) for sync in site.lake.syncs(instance, "hosts"))
    site.at(f"{day}T{12 + hour}:00:00Z")
    site.tell(instance, hosts=hosts)
    connection = load_connections(site.home).get(instance)
    report = run_sync(connection, toy.PRODUCTS[connection.product], site.home, site.lake, **options)
    return next(manifest.state for manifest in report.streams if manifest.stream == "hosts")


def build(site: Site, day: str, **options: Any) -> None:
    with open_builder(site.home, options) as builder:
        list(builder.iterate(date.fromisoformat(day)))


@pytest.mark.fault(
    "several syncs in a row that each lose a little",
    "the build is refused and names the stream; a person accepts it once",
)
def test_losses_that_are_small_one_by_one_stop_the_build_and_an_accepted_one_does_not_come_back(site: Site) -> None:
    assert land(site, "2026-11-18", 100) == "complete"
    build(site, "2026-11-18")
    assert [land(site, "2026-11-19", hosts) for hosts in (70, 49)] == ["complete", "complete"]
    with pytest.raises(WorkFailed) as error:
        build(site, "2026-11-19")
    for said in (
        "instance alpha_main, stream hosts: it would read 49 records",
        "where 2026-11-18 read 100",
        "at least 50% must remain",
        "`exposure build --date 2026-11-19 --accept-loss`",
        "--without alpha_main",
    ):
        assert said in str(error.value)
    assert not site.lake.has_model("marts", "hosts", date(2026, 11, 19))
    build(site, "2026-11-19", accept_loss=True)
    build(site, "2026-11-19")  # what was accepted is no loss against the date as it stands
    land(site, "2026-11-20", 48)
    build(site, "2026-11-20")


def test_a_volume_accepted_at_the_sync_is_asked_for_again_by_the_build(site: Site) -> None:
    land(site, "2026-11-18", 100)
    build(site, "2026-11-18")
    assert land(site, "2026-11-19", 5, accept_volume=True) == "complete"
    with pytest.raises(WorkFailed, match="stream hosts: it would read 5 records"):
        build(site, "2026-11-19")


def test_each_stream_has_its_own_share_in_the_sync_and_in_the_build(site: Site) -> None:
    site.connect("alpha_main", "product: alpha\nvolume_guard: {default: 0, streams: {hosts: 0.9}}\n")
    site.connect("beta_main", "product: beta\nvolume_guard: {default: 0.9, streams: {hosts: 0}}\n")
    for instance in ("alpha_main", "beta_main"):
        land(site, "2026-11-18", 100, instance)
    build(site, "2026-11-18")
    assert land(site, "2026-11-19", 80, "alpha_main") == "partial"
    assert land(site, "2026-11-19", 5, "beta_main") == "complete"
    build(site, "2026-11-19")  # of alpha the complete sync is read, of beta any loss is believed
    land(site, "2026-11-20", 80, "alpha_main", accept_volume=True)
    with pytest.raises(WorkFailed, match=r"alpha_main, stream hosts: .* at least 90%") as error:
        build(site, "2026-11-20")
    assert "beta_main" not in str(error.value)


def test_a_first_build_and_a_small_stream_raise_no_alarm(site: Site) -> None:
    land(site, "2026-11-18", 19)
    build(site, "2026-11-18")
    land(site, "2026-11-19", 1)
    build(site, "2026-11-19")
    land(site, "2026-11-20", 100)
    build(site, "2026-11-20")


def test_a_past_date_is_compared_with_the_date_before_it_and_not_with_today(site: Site) -> None:
    for day, hosts in (("2026-11-17", 30), ("2026-11-18", 40), ("2026-11-19", 500)):
        land(site, day, hosts)
        build(site, day)
    for day in ("2026-11-18", "2026-11-17", "2026-11-16"):
        build(site, day)
    # a past whose landed records were cleared away is not built empty over what it was
    for sync in site.lake.syncs("alpha_main", "hosts")[:2]:
        site.lake.filesystem.rm(f"{site.lake.landed('alpha_main', 'hosts')}/{sync}", recursive=True)
    with pytest.raises(WorkFailed, match="it would read nothing where 2026-11-17 read 30"):
        build(site, "2026-11-18")


def test_a_connection_that_is_gone_stops_the_build_once_and_a_disabled_one_never(site: Site) -> None:
    for instance in ("alpha_main", "beta_main"):
        land(site, "2026-11-18", 100, instance)
    build(site, "2026-11-18")
    site.connect("alpha_main", "product: alpha\nenabled: false\n")
    site.connect("beta_main", "product: beta\nstreams: [users]\n")
    site.at("2026-11-19T12:00:00Z")
    build(site, "2026-11-19")
    (site.home.connections / "alpha_main.yaml").unlink()
    site.at("2026-11-20T12:00:00Z")
    with pytest.raises(
        WorkFailed, match=r"alpha_main, stream hosts: it would read nothing .* file is gone or broken"
    ) as error:
        build(site, "2026-11-20")
    assert "--without" not in str(error.value), "an instance without a file cannot be left out by name"
    build(site, "2026-11-20", accept_loss=True)
    site.at("2026-11-21T12:00:00Z")
    build(site, "2026-11-21")


def test_an_instance_left_out_is_no_loss_and_is_held_to_what_it_had_when_it_comes_back(site: Site) -> None:
    land(site, "2026-11-18", 100)
    build(site, "2026-11-18")
    land(site, "2026-11-19", 5, accept_volume=True)
    build(site, "2026-11-19", without_instances=["alpha_main"])
    for day in ("2026-11-19", "2026-11-20"):
        site.at("2026-11-20T12:00:00Z")
        with pytest.raises(WorkFailed, match="stream hosts: it would read 5 records"):
            build(site, day)


def test_building_a_few_models_anew_moves_no_baseline(site: Site) -> None:
    land(site, "2026-11-18", 100)
    build(site, "2026-11-18")
    land(site, "2026-11-18", 60)
    with open_builder(site.home) as builder:
        list(builder.iterate(date(2026, 11, 18), ["hosts"]))
    land(site, "2026-11-19", 40)
    with pytest.raises(WorkFailed, match="2026-11-18 read 100"):
        build(site, "2026-11-19")


def test_dagster_shows_the_refusal_publishes_nothing_and_takes_the_acceptance_as_run_config(site: Site) -> None:
    land(site, "2026-11-18", 100)
    build(site, "2026-11-18")
    land(site, "2026-11-19", 5, accept_volume=True)
    refused = site.build("2026-11-19")
    assert not refused.success
    assert "alpha_main, stream hosts" in refused.failures[0]
    assert "ops.build_models.config.accept_loss: true" in refused.failures[0]
    assert refused.materializations == [] or all(
        not item["asset"].startswith(("marts", "publish")) for item in refused.materializations
    )
    accept = {"ops": {"build_models": {"config": {"accept_loss": True}}}}
    accepted = site.run("build_exposure_graph", ["2026-11-19"], run_config=accept)
    assert accepted.success, accepted.failures
