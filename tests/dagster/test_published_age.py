"""What readers have grows old: told by builds and on request."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from exposure_pipelines.assets.published_age import published_age, published_check_keys
from exposure_pipelines.publish.age import age_hours, limit_hours
from tests.dagster.conftest import Site


def ages(site: Site) -> dict[str, tuple[bool | None, str, str]]:
    results = [published_age(site.home, key.asset_key) for key in published_check_keys()]
    return {r.asset_key.path[-1]: (r.passed, r.severity.value, r.description or "") for r in results if r.asset_key}


def checks(found: Any) -> dict[str, tuple[bool, str]]:
    return {
        check["asset"]: (check["passed"], check["description"])
        for check in found.checks
        if check["asset"].startswith("publish/")
    }


def test_a_publish_that_grows_old_warns_then_is_an_error_and_says_what_to_do(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.at("2026-11-18T12:00:00Z")
    assert not checks(site.sync("alpha_main")), (
        "a step without a pool would let a waiting sync take a place in the queue"
    )
    for passed, _, said in ages(site).values():
        assert not passed
        assert "nothing is published yet; run `exposure build`" in said
    built = checks(site.build())
    assert [passed for passed, _ in built.values()] == [True, True], "the build that publishes makes them well"
    site.at("2026-11-19T13:30:00Z")
    assert [passed for passed, _, _ in ages(site).values()] == [True, True]
    site.at("2026-11-19T15:00:00Z")
    for passed, severity, said in ages(site).values():
        assert (passed, severity) == (False, "WARN")
        assert said.startswith("the snapshot of 2026-11-18 is 27.0 hours old, 26 are allowed; readers keep it")
        assert "then run `exposure build`" in said
    site.at("2026-11-21T12:00:00Z")
    assert [found[:2] for found in ages(site).values()] == [(False, "ERROR")] * 2
    monkeypatch.setenv("EXPOSURE_SNAPSHOT_MAX_AGE_HOURS", "100")
    assert [passed for passed, _, _ in ages(site).values()] == [True, True]
    monkeypatch.setenv("EXPOSURE_SNAPSHOT_MAX_AGE_HOURS", "a day")
    for passed, severity, said in ages(site).values():
        assert (passed, severity) == (False, "ERROR")
        assert "expected one such as 26" in said
    monkeypatch.delenv("EXPOSURE_SNAPSHOT_MAX_AGE_HOURS")
    for file in site.home.snapshots.glob("*.duckdb"):
        file.unlink()
    passed, severity, said = ages(site)["snapshot"]
    assert (passed, severity) == (False, "ERROR")
    assert "is gone; `exposure build` publishes a new one" in said


def test_publishing_an_old_date_anew_makes_it_no_younger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPOSURE_NOW", "2026-11-20T00:00:00Z")
    now = datetime(2026, 11, 20, tzinfo=UTC)
    assert age_hours(date(2026, 11, 17), now) == 48
    assert age_hours(date(2026, 11, 20), now) == 0
    assert limit_hours() == 26
