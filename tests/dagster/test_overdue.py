"""Nothing runs, so nothing fails: a sensor finds what grows old, tells it once, and once that it is well again."""

from __future__ import annotations

from typing import Any

import dagster as dg
import pytest

from exposure_pipelines.assembly import build_definitions
from exposure_pipelines.dagster_home import prepare_dagster_home
from tests.dagster.conftest import Hook, Site


class Watch:
    """The sensor of the code location, tick after tick."""

    def __init__(self, site: Site) -> None:
        self.site, self.cursor = site, None
        prepare_dagster_home(site.home)

    def look(self, moment: str) -> list[str]:
        """The titles that a tick posts."""
        self.site.at(moment)
        repository = build_definitions(self.site.home).get_repository_def()
        before = len(Hook.got)
        with dg.DagsterInstance.get() as instance:
            context = dg.build_sensor_context(instance, cursor=self.cursor, repository_def=repository)
            tick = repository.get_sensor_def("alert_on_overdue").evaluate_tick(context)
        self.cursor = tick.cursor
        return [message["title"].removeprefix("Exposure pipelines: ") for message in Hook.got[before:]]


@pytest.fixture
def watch(site: Site, hook: str, monkeypatch: pytest.MonkeyPatch) -> Watch:
    monkeypatch.setenv("ALERT_HOOK", hook)
    (site.home.root / "alerts.yaml").write_text("webhook: {url: {env: ALERT_HOOK}}\n")
    site.connect("alpha_main", "product: alpha\nmax_age_hours: 240\n")
    return Watch(site)


def message(part: str) -> dict[str, Any]:
    (found,) = [one for one in Hook.got if part in one["text"]]
    return found


def test_a_night_in_which_nothing_runs_is_told_once_and_its_end_once(site: Site, watch: Watch) -> None:
    assert watch.look("2026-11-18T09:00:00Z") == [], "a new home has nothing to be late with"
    for instance in ("alpha_main", "beta_main"):
        site.at("2026-11-18T12:00:00Z")
        assert site.sync(instance).success
    assert watch.look("2026-11-18T13:00:00Z") == [], "its first build is not late yet"
    assert site.build().success
    assert watch.look("2026-11-19T11:00:00Z") == []
    # nobody starts anything: beta may be 24 hours old, what is published 26, alpha 240
    assert watch.look("2026-11-19T13:00:00Z") == ["sync of beta_main is overdue"]
    assert watch.look("2026-11-19T13:10:00Z") == []
    assert watch.look("2026-11-19T16:00:00Z") == ["build_exposure_graph is overdue"]
    assert "hosts: the newest complete sync is 25.0 hours old, 24 are allowed" in message("beta_main is")["text"]
    assert "`exposure sync beta_main`" in message("beta_main is")["text"]
    assert "publish/snapshot: the snapshot of 2026-11-18 is 27.0 hours old" in message("build_exposure_graph")["text"]
    assert "then run `exposure build`" in message("build_exposure_graph")["text"]
    assert "Run " not in message("beta_main is")["text"]
    site.at("2026-11-19T16:05:00Z")
    assert site.sync("beta_main").success
    assert watch.look("2026-11-19T16:10:00Z") == ["sync of beta_main is on time again"]
    assert site.build().success
    assert watch.look("2026-11-19T16:20:00Z") == ["build_exposure_graph is on time again"]


def test_syncs_without_any_build_are_told_after_a_day(site: Site, watch: Watch) -> None:
    site.at("2026-11-18T12:00:00Z")
    assert site.sync("alpha_main").success
    assert watch.look("2026-11-19T12:00:00Z") == []
    assert watch.look("2026-11-20T03:00:00Z") == ["build_exposure_graph is overdue"]
    assert "nothing is published yet" in message("build_exposure_graph")["text"]


def test_an_instance_that_is_taken_out_is_not_called_on_time_and_a_webhook_that_is_down_is_asked_three_times(
    site: Site, watch: Watch
) -> None:
    site.at("2026-11-18T12:00:00Z")
    assert site.sync("beta_main").success
    assert site.build().success
    Hook.status = 500
    looks = [watch.look(f"2026-11-19T13:{minute}0:00Z") for minute in range(5)]
    assert [len(look) for look in looks] == [1, 1, 1, 0, 0]
    Hook.status = 200
    (site.home.connections / "beta_main.yaml").unlink()
    assert watch.look("2026-11-19T13:50:00Z") == []
