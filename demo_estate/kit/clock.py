"""A clock that can be moved: tokens, buckets and cursors expire by it, so tests need no sleeping."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime


class VirtualClock:
    """Seconds since the epoch, running with real time plus whatever it was advanced by.

    frozen: stands still unless advanced. `start` (epoch seconds) sets the first reading; None means the real time.
    """

    def __init__(self, start: float | None = None, frozen: bool = False, real: Callable[[], float] = time.time) -> None:
        self._real = real
        self._frozen = frozen
        self._origin = real()
        self._start = self._origin if start is None else start
        self._advanced = 0.0
        self._lock = threading.Lock()

    def time(self) -> float:
        """Epoch seconds."""
        running = 0.0 if self._frozen else self._real() - self._origin
        return self._start + running + self._advanced

    def now(self) -> datetime:
        """The same moment as an aware UTC datetime."""
        return datetime.fromtimestamp(self.time(), UTC)

    def advance(self, seconds: float) -> None:
        """Move forward. Raises ValueError when asked to go back."""
        if seconds < 0:
            raise ValueError(f"a clock only moves forward; got {seconds} seconds")
        with self._lock:
            self._advanced += seconds
