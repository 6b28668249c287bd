"""`exposure demo`: the whole way on an invented company, in about two minutes and without any account."""

from __future__ import annotations

from typing import Annotated

import typer


def demo(
    devices: Annotated[int, typer.Option(min=10, help="Devices in the invented company.")] = 500,
    seed: Annotated[int, typer.Option(help="The same seed gives the same company.")] = 7,
    days: Annotated[int, typer.Option(min=1, max=90, help="Days of history to play, ending today.")] = 1,
    serve: Annotated[bool, typer.Option("--serve", help="Stay up with the Dagster UI afterwards.")] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the Dagster UI with --serve.")] = 3000,
) -> None:
    """Serve an invented company on loopback, connect every product in it, sync, merge, and sum up.

    Example: `exposure demo --devices 500 --serve`
    """
    from exposure_pipelines.cli.demo_run import DemoRun
    from exposure_pipelines.home import Home

    DemoRun(Home.from_env().ensure(), devices=devices, seed=seed, days=days).run(serve_port=port if serve else None)
