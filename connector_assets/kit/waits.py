"""How long a vendor asks to be left alone, in each of the forms vendors use."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

#: Headers that hold seconds to wait.
SECONDS = ("Retry-After", "X-RateLimit-ToWait-Sec")
#: Headers that hold the moment of the next chance, as unix time.
EPOCHS = ("X-RateLimit-RetryAfter", "X-RateLimit-Reset", "X-Rate-Limit-Reset")
#: Headers that hold the time to wait as a clock shows it: 00:00:05 (Azure Resource Graph).
CLOCKS = ("x-ms-user-quota-resets-after",)
CLOCK = re.compile(r"(\d{1,2}):(\d{2}):(\d{2}(?:\.\d+)?)")
#: A number above this in a reset header is unix time, below it seconds; above the next it is milliseconds.
EPOCH_FROM = 1_000_000_000
EPOCH_MILLISECONDS_FROM = 100_000_000_000
#: Statuses that mean "too many calls" and so make the rate limit headers an answer to "until when".
THROTTLED = frozenset({409, 429})


def directed_wait(status: int, headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds the vendor asks to wait, None where it does not say or asks for none. Unreadable headers do not count.

    Rate limit headers come with every answer of some vendors (an hour's window beside a passing 502), so they only
    count where the status says "too many calls"; Retry-After counts always.
    """
    throttled = status in THROTTLED
    # the vendor's own clock, where it tells it: a clock that differs must not turn a moment into a long wait or none
    now = as_date(headers.get("Date")) or now
    for name in SECONDS if throttled else SECONDS[:1]:
        value = headers.get(name)
        number = as_number(value)
        if number is None and (moment := as_date(value)) is not None:
            number = (moment - now).total_seconds()
        if number is not None and number > 0:
            return number
    for name in CLOCKS if throttled else ():
        if (number := as_clock(headers.get(name))) is not None and number > 0:
            return number
    for name in EPOCHS if throttled else ():
        number = as_number(headers.get(name))
        if number is None:
            continue
        if number >= EPOCH_MILLISECONDS_FROM:
            number /= 1000
        wait = number - now.timestamp() if number >= EPOCH_FROM else number
        if wait > 0:
            return wait
    return None


def back_off(attempt: int) -> float:
    """Seconds before try `attempt` (1, 2 ...) when the vendor does not say: doubling from 1 to 60, with jitter."""
    return min(60.0, 2.0 ** (attempt - 1)) * random.uniform(0.75, 1.25)


def as_number(value: str | None) -> float | None:
    """A finite number, None for anything else."""
    try:
        number = float(value) if value else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def as_clock(value: str | None) -> float | None:
    """Seconds of hours, minutes and seconds (00:00:05), None for anything else."""
    told = CLOCK.fullmatch((value or "").strip())
    return int(told[1]) * 3600 + int(told[2]) * 60 + float(told[3]) if told else None


def as_date(value: str | None) -> datetime | None:
    """The moment of an HTTP date, None for anything else."""
    try:
        moment = parsedate_to_datetime(value) if value else None
    except (TypeError, ValueError):
        return None
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)
