"""From a row of any table back to the page it was landed on."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import orjson

from exposure_pipelines.errors import ConfigurationError
from exposure_pipelines.landing.spool import INDEX_FILE, PAGES_FILE, read_lines, value_of

if TYPE_CHECKING:
    from exposure_pipelines.lake import Lake


@dataclass(frozen=True, slots=True)
class Origin:
    """The sync, and its page, in which a record came from the vendor."""

    sync: str
    page: int


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
    landed_by: Origin | None = None
    """The sync that got it from the vendor, where a later, incremental one carried it over; its folder may be gone."""


def landed_record(lake: Lake, instance: str, stream: str, sync: str, row: int) -> LandedRecord:
    """The record on line `row` of a landed sync. Raises ConfigurationError when there is none."""
    page = landed_page(lake, instance, stream, sync, row)
    path = f"{lake.landed(instance, stream)}/{sync}/{PAGES_FILE}"
    lines = read_lines(path, None if lake.is_local else lake.filesystem)
    line = next(islice(lines, row, row + 1))
    return LandedRecord(
        instance,
        stream,
        sync,
        page["page"],
        row,
        page["scope"],
        page["cursor"],
        path,
        value_of(line),
        origin_of(page),
    )


def landed_page(lake: Lake, instance: str, stream: str, sync: str, row: int) -> dict[str, Any]:
    """The index entry of the page that holds a row. Raises ConfigurationError when there is none."""
    missing = ConfigurationError(
        f"Nothing is landed at {instance}/{stream}/{sync}, row {row}; was it removed by retention?"
    )
    try:
        pages = orjson.loads(lake.filesystem.cat_file(f"{lake.landed(instance, stream)}/{sync}/{INDEX_FILE}"))
    except FileNotFoundError:
        raise missing from None
    page: dict[str, Any] | None = next((p for p in pages if p["first_row"] <= row < p["first_row"] + p["rows"]), None)
    if page is None:
        raise missing
    return page


def origin_of(page: dict[str, Any]) -> Origin | None:
    """Where the records of a page were carried over from, None where its own sync got them."""
    return Origin(page["landed_by"]["sync"], page["landed_by"]["page"]) if "landed_by" in page else None
