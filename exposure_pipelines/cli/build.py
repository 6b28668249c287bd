"""`exposure build`: rebuild the models for dates from what was landed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from exposure_pipelines.cli.output import JSON_HELP, print_json, print_table, say, warn
from exposure_pipelines.errors import ConfigurationError, WorkFailed

if TYPE_CHECKING:
    from exposure_pipelines.home import Home
    from exposure_pipelines.what_if import Comparison

#: Decisions without effect that are told on the terminal.
SHOWN = 20
#: Values that a build learned to distrust, of those the most frequent are told.
SUPPRESSED_SHOWN = 5


def build(
    day: Annotated[str | None, typer.Option("--date", help="One date, YYYY-MM-DD; today without it.")] = None,
    start: Annotated[str | None, typer.Option("--from", help="First date of a range.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Last date of a range; today without it.")] = None,
    without: Annotated[
        list[str] | None, typer.Option(help="Leave an instance out, such as one that reports nonsense; repeatable.")
    ] = None,
    accept_changes: Annotated[
        bool,
        typer.Option("--accept-changes", help="Publish although more assets merge or split than the limit allows."),
    ] = False,
    accept_loss: Annotated[
        bool,
        typer.Option("--accept-loss", help="Build although a stream lost more records than its volume_guard allows."),
    ] = False,
    what_if: Annotated[
        bool, typer.Option("--what-if", help="Only show what would change of the assets; nothing is stored.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> None:
    """Rebuild the models for a date or a range, from landed data only: no vendor is called.

    People's decisions (merge, split, never match) are read from decisions.yaml in the home.

    Example: `exposure build --from 2026-11-01 --to 2026-11-07`
    """
    from exposure_pipelines.cli.runs import build_dates
    from exposure_pipelines.connections import load_connections
    from exposure_pipelines.home import Home
    from exposure_pipelines.landing.past import require_landed

    home = Home.from_env().ensure()
    dates = chosen_dates(day, start, end)
    check_decisions(home)
    left_out = [load_connections(home).get(name).instance for name in without or ()]
    require_landed(home, date.fromisoformat(dates[0]), date.fromisoformat(dates[-1]), left_out)
    if what_if:
        show_what_if(home, dates, left_out, as_json)
        return
    report = build_dates(
        home, dates, quiet=as_json, accept_changes=accept_changes, accept_loss=accept_loss, without=left_out
    )
    unused, suppressed = told_by_resolution(home, dates[-1]) if report.succeeded else ([], [])
    if as_json:
        print_json(
            {
                "dates": report.dates,
                "succeeded": report.succeeded,
                "reason": report.reason,
                "checks": report.checks,
                "decisions_without_effect": unused,
                "newly_suppressed": suppressed,
                "seconds": report.seconds,
            }
        )
    else:
        failing = [check for check in report.checks if not check["passed"]]
        print_table(
            failing,
            ("asset", "check", "severity", "description"),
            empty=f"{len(report.checks)} checks passed.",
            title=f"{len(failing)} of {len(report.checks)} checks found something",
        )
        say_suppressed(suppressed)
        warn_without_effect(unused)
    if not report.succeeded:
        raise WorkFailed(f"The build failed: {report.reason.rstrip('.')}. The last published snapshot is unchanged.")


def check_decisions(home: Home) -> None:
    """Refuse a decisions.yaml that cannot be applied before anything is built."""
    from dbt_like_transforms.resolution.decisions.manual import DecisionError, check_consistent, load_decisions

    try:
        check_consistent(load_decisions(home.root / "decisions.yaml").decisions)
    except DecisionError as error:
        raise ConfigurationError(f"{home.root / 'decisions.yaml'}: {error}") from error


def show_what_if(home: Home, dates: list[str], without: list[str], as_json: bool) -> None:
    """What building one date anew would change of its assets."""
    from exposure_pipelines.cli.runs import progress
    from exposure_pipelines.progress import listening
    from exposure_pipelines.what_if import what_if

    if len(dates) != 1:
        raise ConfigurationError("--what-if compares one date: give --date, or nothing for today.")
    home.require_writable()  # it works in scratch/
    with progress(f"resolving {dates[0]} without storing it", as_json) as update, listening(update):
        found = what_if(home, date.fromisoformat(dates[0]), without)
    rows = [row for kind, comparison in found.kinds.items() for row in changed_rows(kind, comparison)]
    if as_json:
        print_json(rows)
    else:
        empty = "Nothing would merge and nothing would split."
        print_table(rows, ("kind", "change", "asset", "with", "records"), empty=empty)
        for kind, comparison in found.kinds.items():
            if not comparison.verdict.passed:
                say(f"A build would stop and ask: {kind}: {comparison.verdict.message}")
    warn_without_effect(found.without_effect)


def changed_rows(kind: str, found: Comparison) -> Iterator[dict[str, Any]]:
    """A row for each asset that changes, each record that comes to an asset or leaves for none, each value."""
    for merge in found.changes.merges:
        yield changed(kind, "merge", merge.into, merge.gone, merge.records)
    for split in found.changes.splits:
        yield changed(kind, "split", split.source, split.into, split.records)
    for change, moved in (("held", found.held), ("taken up", found.taken)):
        for record, asset in moved:
            yield changed(kind, change, asset, (), (record,))
    for change, values in (("value suppressed", found.suppressed), ("value used", found.used)):
        for value in values:
            yield changed(kind, change, None, (value,), ())


def changed(kind: str, change: str, asset: str | None, others: Sequence[str], records: Sequence[str]) -> dict[str, Any]:
    return {"kind": kind, "change": change, "asset": asset, "with": list(others), "records": list(records)}


def told_by_resolution(home: Home, day: str) -> tuple[list[str], list[dict[str, Any]]]:
    """What of the home's decisions joined or parted nothing in the build of a date, and which values it learned to distrust."""
    from dbt_like_transforms.resolution.decisions.manual import load_decisions
    from exposure_pipelines.lake import Lake, duckdb_connection
    from exposure_pipelines.notices import newly_suppressed, without_effect

    lake, built = Lake.of(home), date.fromisoformat(day)
    decided = load_decisions(home.root / "decisions.yaml").decisions
    with duckdb_connection(home, lake) as database:
        unused = without_effect(database, lake, built) if decided else []
        return unused, newly_suppressed(database, lake, built)


def say_suppressed(values: list[dict[str, Any]]) -> None:
    """A source that gives one value to everything is seen here: nothing was merged, and nobody else says so."""
    if not values:
        return
    say("Values that several machines or people carry, and that identify nothing since this date:")
    for row in values[:SUPPRESSED_SHOWN]:
        say(f"  {row['kind']} {row['identifier']} {row['value']}, on {row['records']:,} records")
    more = f"{len(values) - SUPPRESSED_SHOWN} more, and the" if len(values) > SUPPRESSED_SHOWN else "The"
    say(f"  {more} evidence: `exposure export suppressed_identifiers`; `allow` in decisions.yaml uses a value again")


def warn_without_effect(told: list[str]) -> None:
    if told:
        warn("Without effect in decisions.yaml:")
    for sentence in told[:SHOWN]:
        warn(f"  {sentence}")
    if len(told) > SHOWN:
        warn(f"  and {len(told) - SHOWN} more: `exposure export resolution_decisions`, verdict ignored")


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
