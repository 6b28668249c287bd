"""`exposure sync`: pull instances now."""

from __future__ import annotations

from typing import Annotated

import typer

from exposure_pipelines.cli.output import JSON_HELP, print_json, print_table
from exposure_pipelines.errors import WorkFailed


def sync(
    names: Annotated[list[str] | None, typer.Argument(help="Instances; all enabled ones without it.")] = None,
    accept_volume: Annotated[
        bool, typer.Option("--accept-volume", help="Accept an enumeration that shrank past the volume guard.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> None:
    """Pull instances now, as Dagster runs into today's partition.

    Example: `exposure sync tenable_prod`
    """
    from exposure_pipelines.cli.demo_home import SERVED, demo_instances
    from exposure_pipelines.cli.runs import chosen_connections, sync_instances
    from exposure_pipelines.home import Home

    home = Home.from_env().ensure()
    connections = chosen_connections(home, names)
    reports = sync_instances(home, connections, accept_volume=accept_volume, quiet=as_json)
    rows = [row for report in reports for row in report.rows]
    if as_json:
        print_json(rows)
    else:
        # why a stream is partial or failed was said while it was pulled
        told = [{**row, "reason": row["reason"] if row["state"] == "skipped" else ""} for row in rows]
        columns = ("instance", "stream", "state", "kind", "records", "rejected", "requests", "reason")
        print_table(told, columns if any(row["reason"] for row in told) else columns[:-1], empty="Nothing was pulled.")
    failed = [report for report in reports if not report.succeeded]
    if failed:
        # the rows say why, or the lines above them
        told_of = [report.instance if report.rows else f"{report.instance} ({report.reason})" for report in failed]
        of_demo = demo_instances(home, (report.instance for report in failed))
        partial = [r.instance for r in reports if r.succeeded and any(row["state"] == "partial" for row in r.rows)]
        raise WorkFailed(
            f"{len(failed)} of {len(reports)} instances failed: {', '.join(told_of)}"
            + (f"; partial: {', '.join(partial)}" if partial else "")
            + ". What they landed before is kept and nothing is retired; mend the cause and run the same command again."
            + (f" {of_demo[0]} is of the demo: {SERVED}; run that again." if of_demo else "")
        )
