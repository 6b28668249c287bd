"""Dates of which nothing was ever landed: their tables would be empty, as if the estate had been."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import TYPE_CHECKING

from exposure_pipelines.clock import utc_date
from exposure_pipelines.errors import ConfigurationError
from exposure_pipelines.landing.select import first_landed

if TYPE_CHECKING:
    from exposure_pipelines.home import Home


def require_landed(home: Home, first: date, last: date, left_out: Collection[str] = ()) -> None:
    """Refuse a range of past dates that begins before anything was landed. Today may: a new home shows its empty tables.

    Raises:
        ConfigurationError: with the date on which what is kept begins.
    """
    if first >= utc_date():
        return
    begins = first_landed(home, first, left_out)
    if begins is None:
        raise ConfigurationError(
            f"Nothing was landed by {last} or since, and no vendor can be asked for its past: `exposure sync` pulls today."
        )
    if begins > first:
        rest = f"--from {begins} --to {last}" if last >= begins else f"--date {begins}"
        raise ConfigurationError(
            f"Nothing was landed by {first}, and no vendor can be asked for its past: what is kept begins on {begins}. "
            f"Nothing was built; `exposure build {rest}`, or a backfill from that date on, builds from there."
        )
