"""Building a past that was never landed, from the command line: refused, and said where the kept past begins."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from exposure_pipelines.cli import runs
from exposure_pipelines.cli.main import app
from tests.dagster import toy
from tests.dagster.conftest import Site
from tests.dagster.test_volume import land


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
