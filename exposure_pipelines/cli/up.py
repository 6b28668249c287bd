"""`exposure up`: Dagster's web UI and daemon on this home, until Ctrl-C."""

from __future__ import annotations

from typing import Annotated

import typer


def up(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the Dagster web UI.")] = 3000,
    host: Annotated[
        str,
        typer.Option(help="Address to listen on. The page has no sign-in: anything but this machine needs a proxy."),
    ] = "127.0.0.1",
) -> None:
    """Start the Dagster web UI and its daemon (schedules, backfills) on this home, and print the address.

    Example: `exposure up --port 3000`
    """
    from exposure_pipelines.cli.services import DagsterServices
    from exposure_pipelines.home import Home

    with DagsterServices(Home.from_env().ensure(), port, host) as services:
        services.announce()
        services.wait()
