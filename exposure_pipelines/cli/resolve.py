"""`exposure resolve`: resolution alone, on given observations; nothing is stored."""

from __future__ import annotations

import json
from enum import StrEnum
from itertools import chain, islice
from pathlib import Path
from typing import Annotated

import typer

from exposure_pipelines.cli.output import plain
from exposure_pipelines.errors import ConfigurationError

STDIN = Path("/dev/stdin")


class Kind(StrEnum):
    device = "device"
    identity = "identity"
    application = "application"


def resolve(
    file: Annotated[Path, typer.Argument(help="Observations, one JSON object a line; - reads standard input.")],
    kind: Annotated[Kind, typer.Option(help="What the observations describe.")],
    explain: Annotated[
        bool, typer.Option("--explain", help="Add every decision: rule, value, other record, verdict.")
    ] = False,
) -> None:
    """Decide which observations are the same asset: JSON lines in, JSON lines out.

    Example: `exposure resolve observations.jsonl --kind device --explain`
    """
    from dbt_like_transforms.reporting import silent
    from dbt_like_transforms.resolution.jsonl import resolve_jsonl
    from dbt_like_transforms.resolution.observations import InvalidObservation
    from exposure_pipelines.cli.runs import progress

    if str(file) == "-":
        file = STDIN
    if not file.exists() or file.is_dir():
        raise ConfigurationError(f"{file} is not a file; expected JSON lines, one observation a line.")
    try:
        with progress(f"resolving {file}", quiet=False) as update:
            lines = resolve_jsonl(file, kind.value, explain, report=update or silent)
            first = list(islice(lines, 1))
        for line in chain(first, lines):
            print(json.dumps(line, default=plain, ensure_ascii=False))
    except InvalidObservation as error:
        raise ConfigurationError(str(error)) from None
