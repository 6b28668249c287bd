"""How long a vendor asks to be left alone, in each of the forms vendors use."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

#: Headers that hold seconds to wait.
SECONDS = ("Retry-After", "X-RateLimit-ToWait-Sec")
#: Headers that hold the moment of the next chance, as unix time.
EPOCHS = ("X-RateLimit-RetryAfter", "X-RateLimit-Reset")
#: A number above this in a reset header is unix time, below it seconds.
EPOCH_FROM = 1_000_000_000


def directed_wait(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds the vendor asks to wait, None where it does not say. Unreadable headers count as not said."""
    for name in SECONDS:
        value = headers.get(name)
        if not value:
            continue
        number = as_number(value)
        if number is not None:
            return max(number, 0.0)
        moment = as_date(value)
        if moment is not None:
            return max((moment - now).total_seconds(), 0.0)
    for name in EPOCHS:
        number = as_number(headers.get(name))
        if number is not None:
            return max(number - now.timestamp(), 0.0) if number >= EPOCH_FROM else max(number, 0.0)
    return None


def back_off(attempt: int) -> float:
    """Seconds before try `attempt` (1, 2 ...) when the vendor does not say: doubling from 1 to 60, with jitter."""
    return min(60.0, 2.0 ** (attempt - 1)) * random.uniform(0.75, 1.25)


def as_number(value: str | None) -> float | None:
    try:
        return float(value) if value else None
    except ValueError:
        return None


def as_date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
