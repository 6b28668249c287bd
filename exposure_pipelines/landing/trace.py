"""From a row of any table back to the page it was landed on."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import orjson

from exposure_pipelines.errors import ConfigurationError
from exposure_pipelines.landing.spool import INDEX_FILE, PAGES_FILE, read_lines

if TYPE_CHECKING:
    from exposure_pipelines.lake import Lake


@dataclass(frozen=True, slots=True)
class LandedRecord:
    """A record as the vendor gave it (secret-bearing fields removed), with its place."""

    instance: str
    stream: str
    sync: str
    page: int
    row: int
    scope: str
    cursor: str | None
    path: str
    record: Any


def landed_record(lake: Lake, instance: str, stream: str, sync: str, row: int) -> LandedRecord:
    """The record on line `row` of a landed sync. Raises ConfigurationError when there is none."""
    folder = f"{lake.landed(instance, stream)}/{sync}"
    missing = ConfigurationError(
        f"Nothing is landed at {instance}/{stream}/{sync}, row {row}; was it removed by retention?"
    )
    try:
        pages = orjson.loads(lake.filesystem.cat_file(f"{folder}/{INDEX_FILE}"))
    except FileNotFoundError:
        raise missing from None
    page = next((p for p in pages if p["first_row"] <= row < p["first_row"] + p["rows"]), None)
    if page is None:
        raise missing
    path = f"{folder}/{PAGES_FILE}"
    lines = read_lines(path, None if lake.is_local else lake.filesystem)
    line = next(islice(lines, row, row + 1))
    return LandedRecord(
        instance, stream, sync, page["page"], row, page["scope"], page["cursor"], path, orjson.loads(line)
    )
