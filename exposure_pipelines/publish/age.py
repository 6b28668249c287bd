"""How old what readers have is, and how old it may be."""

from __future__ import annotations

import math
import os
from datetime import date, datetime

from exposure_pipelines import clock
from exposure_pipelines.errors import ConfigurationError

VARIABLE = "EXPOSURE_SNAPSHOT_MAX_AGE_HOURS"
#: A build a day, and two hours for it to be late.
DEFAULT_HOURS = 26.0


def limit_hours() -> float:
    """Raises ConfigurationError when the variable holds no number of hours."""
    text = os.environ.get(VARIABLE) or str(DEFAULT_HOURS)
    try:
        hours = float(text)
    except ValueError:
        hours = math.nan
    if not 0 < hours < math.inf:
        raise ConfigurationError(f"{VARIABLE}={text!r} is no number of hours; expected one such as 26, or unset it.")
    return hours


def age_hours(day: date, published_at: datetime) -> float:
    """From the publish until now; an old date that is published anew grows no younger than its end."""
    return (clock.now() - min(published_at, clock.end_of(day))).total_seconds() / 3600
