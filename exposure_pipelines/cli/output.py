"""How the command line speaks: tables that fit a terminal, JSON for machines, messages on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from exposure_pipelines.cli.columns import layout, wrapped

#: Width of what goes into a file or a pipe, where there is no terminal to fit.
PIPED_WIDTH = 160

# a record of an instance `cloud` has :cloud: in its name, which is no picture of one
console = Console(highlight=False, emoji=False, width=None if sys.stdout.isatty() else PIPED_WIDTH)
stderr = Console(stderr=True, highlight=False, emoji=False, width=None if sys.stderr.isatty() else PIPED_WIDTH)

JSON_HELP = "Print JSON instead of a table."


def say(text: str = "") -> None:
    """One line for a person; text may hold names from vendors, so markup in it is not interpreted."""
    console.print(escape(text))


def heading(text: str) -> None:
    console.print(f"[bold]{escape(text)}[/bold]")


def warn(text: str) -> None:
    stderr.print(escape(text), style="yellow")


def print_json(value: Any) -> None:
    """Machine output: plain standard output, never wrapped or coloured."""
    print(json.dumps(value, default=plain, indent=2, ensure_ascii=False))


def print_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, empty: str, title: str = "") -> None:
    """Rows as a table whose cells wrap within the terminal's width; `empty` says what no rows mean."""
    if not rows:
        say(empty)
        return
    told = [[column, *(cell(row.get(column)).strip() for row in rows)] for column in columns]
    fit = layout(told, console.width)
    # a gap is the divider of the box and what is padded on both of its sides
    padding = (0, 1 if fit.gap > 1 else 0, 0, 1 if fit.gap > 2 else 0)
    table = Table(
        title=escape(title) or None, box=box.SIMPLE_HEAD, pad_edge=False, padding=padding, title_justify="left"
    )
    for column, cells, width in zip(columns, told, fit.widths, strict=True):
        numeric = all(isinstance(row.get(column), int | float | None) for row in rows)
        heading = escape(wrapped(cells[0], width))
        table.add_column(heading, justify="right" if numeric else "left", overflow="fold", width=width)
    for row_cells in zip(*(cells[1:] for cells in told), strict=True):
        table.add_row(*(escape(wrapped(text, width)) for text, width in zip(row_cells, fit.widths, strict=True)))
    console.print(table)


def cell(value: Any) -> str:
    """One value as a person reads it."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.4g}"
        case datetime():
            return value.strftime("%Y-%m-%d %H:%M:%SZ")
        case list() | tuple() | set():
            return ", ".join(cell(item) for item in value)
        case dict():
            return ", ".join(f"{key}: {cell(item)}" for key, item in value.items())
    return str(value)


def plain(value: Any) -> Any:
    """Values JSON has no form for."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if hasattr(value, "tolist"):
        return value.tolist()
    return str(value)
