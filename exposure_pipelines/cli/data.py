"""`exposure tables` and `exposure export`: what the marts hold, and one of them as a file."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from exposure_pipelines.cli.output import JSON_HELP, print_json, print_table
from exposure_pipelines.errors import ConfigurationError


class Format(StrEnum):
    csv = "csv"
    json = "json"
    parquet = "parquet"


def tables(
    name: Annotated[str | None, typer.Argument(help="One table, to list its columns.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> None:
    """List the tables of the newest snapshot, or the columns of one, with descriptions.

    Example: `exposure tables devices`
    """
    from exposure_pipelines.cli.marts import columns_of, mart_rows
    from exposure_pipelines.home import Home

    home = Home.from_env().ensure()
    if name is None:
        rows = mart_rows(home)
        if as_json:
            print_json(rows)
        else:
            print_table(rows, ("table", "rows", "date", "description"), empty="No table is declared.")
        return
    columns = columns_of(name)
    if as_json:
        print_json({"table": name, "columns": columns})
    else:
        print_table(columns, ("column", "type", "description"), empty=f"{name} declares no columns.", title=name)


def export(
    table: Annotated[str, typer.Argument(help="A table of `exposure tables`.")],
    format: Annotated[Format, typer.Option(help="File format.")] = Format.csv,
    date: Annotated[str | None, typer.Option(help="Snapshot date, YYYY-MM-DD; newest without it.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; standard output without it.")
    ] = None,
) -> None:
    """Write one table as CSV, JSON or Parquet.

    Example: `exposure export devices --format json -o devices.json`
    """
    from exposure_pipelines.cli.marts import export_table
    from exposure_pipelines.home import Home

    if output is None and format is Format.parquet and sys.stdout.isatty():
        raise ConfigurationError("Parquet is binary: name a file with -o FILE, or redirect standard output.")
    export_table(Home.from_env().ensure(), table, format.value, date, output)
