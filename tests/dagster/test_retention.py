"""Retention removes what is old and never what is needed."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from exposure_pipelines.errors import ConfigurationError
from exposure_pipelines.landing.lock import instance_lock
from exposure_pipelines.retention import Rules, plan, remove
from tests.dagster.conftest import Site

START = datetime(2026, 1, 5, 12, tzinfo=UTC)


def lived(site: Site, days: int) -> None:
    """A sync and a build on each of so many days, twenty days apart."""
    for number in range(days):
        site.at(f"{START + timedelta(days=20 * number):%Y-%m-%dT%H:%M:%SZ}")
        assert site.sync("alpha_main").success
        assert site.build().success


def test_a_plan_changes_nothing_and_what_is_removed_is_what_was_planned(site: Site) -> None:
    lived(site, 6)
    before = len(site.manifests("alpha_main"))
    found = plan(site.home, site.lake, Rules(days=30, mart_days=60))
    assert len(site.manifests("alpha_main")) == before == 6
    assert {removal.kind for removal in found} >= {"landed", "built"}
    freed = remove(site.home, site.lake, found)
    assert freed == sum(removal.size for removal in found) > 0
    assert plan(site.home, site.lake, Rules(days=30, mart_days=60)) == []
    assert len(site.manifests("alpha_main")) == 3


def test_the_newest_complete_sync_stays_however_old_and_however_many_failed_since(site: Site) -> None:
    lived(site, 1)
    complete = site.manifests("alpha_main")[0].sync
    site.tell("alpha_main", partial="hosts is short")
    for number in range(1, 6):
        site.at(f"{START + timedelta(days=40 * number):%Y-%m-%dT%H:%M:%SZ}")
        site.sync("alpha_main")
    remove(site.home, site.lake, plan(site.home, site.lake, Rules(days=1)))
    left = [manifest.sync for manifest in site.manifests("alpha_main")]
    assert complete in left
    assert len(left) == 4


def test_ids_and_the_next_build_survive_and_dagster_keeps_its_partitions(site: Site) -> None:
    lived(site, 4)
    key = dg.AssetKey(["marts", "hosts"])
    with dg.DagsterInstance.get() as instance:
        known = set(instance.get_materialized_partitions(key))
    remove(site.home, site.lake, plan(site.home, site.lake, Rules(days=1, mart_days=1, log_days=1)))
    with dg.DagsterInstance.get() as instance:
        assert set(instance.get_materialized_partitions(key)) == known
    assert len(site.lake.model_dates("marts", "hosts")) == 2
    site.at(f"{START + timedelta(days=61):%Y-%m-%dT%H:%M:%SZ}")
    assert site.build().success


def test_a_sync_that_runs_keeps_its_instance_for_the_next_time(site: Site) -> None:
    lived(site, 5)
    found = plan(site.home, site.lake, Rules(days=1, mart_days=10_000))
    with instance_lock(site.home.lake / "landed" / ".locks", "alpha_main"):
        remove(site.home, site.lake, found)
    assert len(site.manifests("alpha_main")) == 5


def test_logs_of_old_runs_go_and_those_of_new_ones_stay(site: Site) -> None:
    lived(site, 1)
    folders = sorted((site.home.dagster / "storage").glob("*/compute_logs"))
    assert folders
    old = time.time() - 40 * 86400
    os.utime(folders[0], (old, old))
    site.monkeypatch.delenv("EXPOSURE_NOW")
    found = [
        removal for removal in plan(site.home, site.lake, Rules(days=9999, mart_days=9999)) if removal.kind == "log"
    ]
    assert [removal.path for removal in found] == [str(folders[0])]


@pytest.mark.parametrize("wrong", [{"days": 0}, {"mart_days": -1}, {"log_days": 0}])
def test_a_time_below_a_day_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ConfigurationError, match="at least 1"):
        Rules(**wrong)
