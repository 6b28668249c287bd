"""Daily partitions, in UTC: the frame of every asset."""

from __future__ import annotations

import os
from datetime import timedelta

import dagster as dg

#: Partitions begin here unless EXPOSURE_START_DATE says otherwise: early enough for a year of backfills.
DEFAULT_START = "2026-01-01"

#: A run queued shortly before midnight may still pull for the date that just ended.
GRACE = timedelta(hours=2)


def daily() -> dg.DailyPartitionsDefinition:
    """Partitions from the start date to today inclusive (end_offset=1 makes today a valid partition)."""
    return dg.DailyPartitionsDefinition(
        start_date=os.environ.get("EXPOSURE_START_DATE") or DEFAULT_START, timezone="UTC", end_offset=1
    )
