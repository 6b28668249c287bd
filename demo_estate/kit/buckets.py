"""Rate limits: so many units a window, told to the client in the vendor's header dialect."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BucketState:
    """Outcome of one draw. reset_at: epoch seconds at which the window ends; retry_after: whole seconds until then."""

    allowed: bool
    limit: int
    used: int
    remaining: int
    reset_at: float
    retry_after: int


Dialect = Callable[[BucketState], Mapping[str, str]]


def retry_after_header(state: BucketState) -> Mapping[str, str]:
    """The plain dialect: Retry-After on a refusal and nothing else."""
    return {} if state.allowed else {"Retry-After": str(state.retry_after)}


class Bucket:
    """`limit` units in each fixed window of `window` seconds, counted per caller key.

    headers: the dialect, called for allowed and refused requests alike. A refused draw costs nothing.
    """

    def __init__(self, limit: int, window: float, headers: Dialect = retry_after_header) -> None:
        self.limit = limit
        self.window = window
        self.headers = headers
        self._used: dict[str, tuple[float, int]] = {}
        self._lock = threading.Lock()

    def take(self, now: float, key: str = "", cost: int = 1) -> BucketState:
        """Draw `cost` units at epoch second `now`."""
        with self._lock:
            start, used = self._used.get(key, (now, 0))
            if now >= start + self.window:
                start, used = now, 0
            allowed = used + cost <= self.limit
            if allowed:
                used += cost
            self._used[key] = (start, used)
        reset_at = start + self.window
        return BucketState(allowed, self.limit, used, self.limit - used, reset_at, max(1, math.ceil(reset_at - now)))
