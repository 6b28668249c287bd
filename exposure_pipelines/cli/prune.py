"""`exposure prune`: what is old enough to go."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict
from typing import Annotated, Any

import typer

from exposure_pipelines.cli.output import JSON_HELP, print_json, print_table, say


def prune(
    days: Annotated[int, typer.Option(help="Days for which landed syncs and built dates are kept.")] = 90,
    mart_days: Annotated[int, typer.Option(help="Days for which the tables themselves are kept.")] = 400,
    log_days: Annotated[int, typer.Option(help="Days for which captured output of runs is kept.")] = 30,
    yes: Annotated[bool, typer.Option("--yes", help="Remove it; without this nothing is changed.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> None:
    """List what is older than it needs to be, and with --yes remove it.

    The newest complete sync of every stream, its three newest and the two newest dates of every table always stay, and so
    does Dagster's record of what is built.

    Example: `exposure prune --days 60 --yes`
    """
    from exposure_pipelines.home import Home
    from exposure_pipelines.lake import Lake
    from exposure_pipelines.retention import Rules, plan, remove

    home = Home.from_env().ensure()
    if yes:
        home.require_writable()
    lake = Lake.of(home)
    found = plan(home, lake, Rules(days, mart_days, log_days))
    freed = remove(home, lake, found) if yes else 0
    if as_json:
        rows = [{**asdict(removal), "when": removal.when.isoformat()} for removal in found]
        print_json({"removed": yes, "bytes": freed if yes else sum(r.size for r in found), "items": rows})
        return
    totals: dict[tuple[str, str], list[Any]] = defaultdict(lambda: [0, 0, None])
    for removal in found:
        total = totals[removal.kind, removal.name if removal.kind == "landed" else removal.name.split("/")[0]]
        total[0] += 1
        total[1] += removal.size
        total[2] = min(filter(None, (total[2], removal.when)))
    rows = [
        {
            "kind": kind,
            "name": name if kind != "log" else "",
            "items": items,
            "megabytes": round(size / 1e6, 1),
            "oldest": oldest,
        }
        for (kind, name), (items, size, oldest) in sorted(totals.items())
    ]
    print_table(rows, ("kind", "name", "items", "megabytes", "oldest"), empty="Nothing is old enough to go.")
    if found and yes:
        say(f"Removed: {freed / 1e6:,.1f} MB.")
    elif found:
        say(f"{sum(removal.size for removal in found) / 1e6:,.1f} MB could go. Nothing was changed; --yes removes it.")
