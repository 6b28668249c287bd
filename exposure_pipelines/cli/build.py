"""`exposure build`: rebuild the models for dates from what was landed."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

import typer

from exposure_pipelines.cli.output import JSON_HELP, print_json, print_table
from exposure_pipelines.errors import ConfigurationError, WorkFailed


def build(
    day: Annotated[str | None, typer.Option("--date", help="One date, YYYY-MM-DD; today without it.")] = None,
    start: Annotated[str | None, typer.Option("--from", help="First date of a range.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Last date of a range; today without it.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> None:
    """Rebuild the models for a date or a range, from landed data only: no vendor is called.

    Example: `exposure build --from 2026-11-01 --to 2026-11-07`
    """
    from exposure_pipelines.cli.runs import build_dates
    from exposure_pipelines.home import Home

    dates = chosen_dates(day, start, end)
    report = build_dates(Home.from_env().ensure(), dates, quiet=as_json)
    if as_json:
        print_json(
            {"dates": report.dates, "succeeded": report.succeeded, "checks": report.checks, "seconds": report.seconds}
        )
    else:
        failing = [check for check in report.checks if not check["passed"]]
        print_table(
            failing,
            ("asset", "check", "severity", "description"),
            empty=f"{len(report.checks)} checks passed.",
            title=f"{len(failing)} of {len(report.checks)} checks found something",
        )
    if not report.succeeded:
        raise WorkFailed(f"The build failed: {report.reason}. The last published snapshot is unchanged.")


def chosen_dates(day: str | None, start: str | None, end: str | None) -> list[str]:
    """The dates asked for, oldest first."""
    from exposure_pipelines.clock import utc_date

    if day and (start or end):
        raise ConfigurationError("--date is one date, --from and --to a range: give one or the other.")
    if end and not start:
        raise ConfigurationError("--to needs --from: which date should the range start with?")
    today = utc_date()
    given = start or day
    first = parse_date(given, "--from" if start else "--date") if given else today
    last = parse_date(end, "--to") if end else (today if start else first)
    if last < first:
        raise ConfigurationError(f"The range ends ({last}) before it starts ({first}).")
    if last > today:
        raise ConfigurationError(f"{last} lies in the future; today is {today} (UTC).")
    return [(first + timedelta(days=offset)).isoformat() for offset in range((last - first).days + 1)]


def parse_date(text: str, option: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(f"{option} {text!r} is not a date; expected YYYY-MM-DD, e.g. 2026-11-23.") from None
