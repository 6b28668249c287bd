"""Commands of the surface that arrive with a later release: they say so plainly instead of failing oddly."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from exposure_pipelines.errors import ConfigurationError


def query(
    kql: Annotated[str | None, typer.Argument(help="The KQL text.")] = None,
    file: Annotated[Path | None, typer.Option(help="Read the KQL from a file.")] = None,
    format: Annotated[str, typer.Option(help="table, json or csv.")] = "table",
    date: Annotated[str | None, typer.Option(help="Snapshot date, YYYY-MM-DD; newest without it.")] = None,
) -> None:
    """Run KQL over the newest snapshot (not in this release).

    Example: `exposure query 'ExposureGraphNodes | summarize count() by NodeLabel'`
    """
    raise ConfigurationError(
        "exposure query is not in this release: the KQL engine is still to come. "
        "The same tables can be read with SQL from the warehouse or the DuckDB snapshot: see `exposure tables`."
    )


def explore(port: Annotated[int, typer.Option(help="Port of the explorer.")] = 8765) -> None:
    """Open the web explorer (not in this release).

    Example: `exposure explore --port 8765`
    """
    raise ConfigurationError(
        "exposure explore is not in this release: the web explorer is still to come. "
        "`exposure up` starts the Dagster web UI; `exposure tables` lists what can be read."
    )
