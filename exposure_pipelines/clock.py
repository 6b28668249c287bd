"""The time the pipelines go by: UTC, one place."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, time, timedelta

from exposure_pipelines.errors import ConfigurationError


def now() -> datetime:
    """The current moment, aware, UTC. `EXPOSURE_NOW` (ISO 8601) overrides it: the demo plays past days with it."""
    override = os.environ.get("EXPOSURE_NOW")
    if not override:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(override)
    except ValueError:
        raise ConfigurationError(
            f"EXPOSURE_NOW={override!r} is not a moment; expected ISO 8601 such as 2026-11-23T12:00:00Z, or unset it."
        ) from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def utc_date() -> date:
    """Today, in UTC: the partition that syncs land in."""
    return now().date()


def end_of(day: date) -> datetime:
    """The first moment after a date, UTC: a sync finished before it belongs to that date or an earlier one."""
    return datetime.combine(day + timedelta(days=1), time.min, UTC)
