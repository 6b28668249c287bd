"""`exposure status`: is every instance well, and what to do where it is not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from exposure_pipelines.cli.output import JSON_HELP, print_json, print_table, say, warn

if TYPE_CHECKING:
    from exposure_pipelines.landing.manifest import Manifest


def status(
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
    prometheus: Annotated[
        bool, typer.Option("--prometheus", help="Print Prometheus' text format, for a text file collector.")
    ] = False,
) -> None:
    """Per instance: last complete sync, its age, records, partial or failed scopes, quarantine, next tick.

    Example: `exposure status --json`
    """
    from exposure_pipelines.cli.overview import instance_rows, schedules_on
    from exposure_pipelines.home import Home
    from exposure_pipelines.jobs import sync_schedule_name

    home = Home.from_env().ensure()
    if prometheus:
        from exposure_pipelines.metrics import exposition

        typer.echo(exposition(home), nl=False)
        return
    rows, broken = instance_rows(home)
    on = schedules_on(home)
    for row in rows:
        row["schedule_on"] = None if on is None else sync_schedule_name(row["instance"]) in on
    if as_json:
        print_json({"instances": rows, "broken": broken})
        return
    print_table(
        [{**row, "next_tick": "off"} if row["next_tick"] and row["schedule_on"] is False else row for row in rows],
        ("instance", "product", "state", "last_complete", "age", "records", "quarantined", "next_tick"),
        empty="No instance is configured. `exposure demo` shows the product on an invented company; "
        "`exposure connectors add PRODUCT` configures a real one.",
    )
    if any(row["schedule_on"] is False and row["next_tick"] for row in rows):
        say("off: switch the schedule on in the web UI of `exposure up`, under Automation.")
    for row in rows:
        for trouble in row["troubles"]:
            say(f"{row['instance']}: {trouble}")
    for file in broken:
        warn(f"{file['file']}: {file['error']}")


def age(seconds: float | None) -> str:
    """A duration as a person says it."""
    if seconds is None:
        return "never"
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def troubles(manifests: Sequence[Manifest]) -> list[str]:
    """What a person should know of the newest sync of an instance's streams."""
    from exposure_pipelines.landing.manifest import told_once

    found = []
    for told in told_once(manifest for manifest in manifests if manifest.state != "complete"):
        several = len(told.names) > 1
        if told.state == "skipped":
            found.append(f"{told.streams} {'were' if several else 'was'} skipped: {told.reason}")
        else:
            found.append(f"{told.streams} {'are' if several else 'is'} {told.state}: {told.reason}")
    return found + [
        f"{manifest.stream}: {manifest.rejected} records in quarantine, {manifest.field_issues} fields unreadable"
        for manifest in manifests
        if manifest.rejected or manifest.field_issues
    ]
