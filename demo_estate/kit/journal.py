"""What a client did: counted per route, with the things a well-behaved client never does listed by name."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

from demo_estate.kit.http import Request

#: A client may be this many seconds early after a 429: clocks and rounding differ.
TOLERANCE = 0.05


class Journal:
    """Request record of one service. Holds no query values and no secrets; `recent` keeps the last requests' paths."""

    def __init__(self, recent: int = 200) -> None:
        self._lock = threading.Lock()
        self._recent_size = recent
        self._secrets: set[str] = set()
        self._running = 0
        self.clear()

    def clear(self) -> None:
        with self._lock:
            self.requests: Counter[str] = Counter()
            self.statuses: Counter[str] = Counter()
            self.faults: Counter[str] = Counter()
            self.max_concurrency = 0
            self.problems: list[dict[str, Any]] = []
            self.recent: deque[dict[str, Any]] = deque(maxlen=self._recent_size)
            self._not_before: dict[str, float] = {}

    def watch(self, secrets: Iterable[str]) -> None:
        """Values that must never appear in a URL."""
        self._secrets.update(secret for secret in secrets if len(secret) >= 6)

    def begin(self, request: Request, route: str, now: float, key: str) -> None:
        """A request arrived; `key` names the rate limit it draws on."""
        with self._lock:
            self._running += 1
            self.max_concurrency = max(self.max_concurrency, self._running)
            self.requests[route] += 1
            target = unquote(request.target)
            if any(secret in target for secret in self._secrets):
                self._problem("secret_in_url", route, "a credential or token was sent in the URL")
            allowed_at = self._not_before.get(key, 0.0)
            if now < allowed_at - TOLERANCE:
                self._problem("early_request", route, f"sent {allowed_at - now:.2f} s before the allowed time")

    def end(self, request: Request, route: str, status: int) -> None:
        with self._lock:
            self._running -= 1
            self.statuses[f"{route} {status}"] += 1
            self.recent.append({"method": request.method, "path": request.path, "route": route, "status": status})

    def hold(self, key: str, until: float) -> None:
        """The client was told not to come back before `until` (epoch seconds)."""
        with self._lock:
            self._not_before[key] = max(until, self._not_before.get(key, 0.0))

    def problem(self, kind: str, route: str, detail: str) -> None:
        """Note something a client must not do: unknown_route, unknown_parameter, secret_in_url, early_request."""
        with self._lock:
            self._problem(kind, route, detail)

    def fault(self, name: str) -> None:
        with self._lock:
            self.faults[name] += 1

    def problems_of(self, kind: str) -> list[dict[str, Any]]:
        return [problem for problem in self.problems if problem["kind"] == kind]

    @property
    def total(self) -> int:
        return sum(self.requests.values())

    def as_dict(self) -> dict[str, Any]:
        """Plain data: total, requests, statuses, faults, problems, max_concurrency, recent."""
        with self._lock:
            return {
                "total": sum(self.requests.values()),
                "requests": dict(self.requests),
                "statuses": dict(self.statuses),
                "faults": dict(self.faults),
                "problems": [dict(problem) for problem in self.problems],
                "max_concurrency": self.max_concurrency,
                "recent": list(self.recent),
            }

    def _problem(self, kind: str, route: str, detail: str) -> None:
        if len(self.problems) < 1000:
            self.problems.append({"kind": kind, "route": route, "detail": detail})
