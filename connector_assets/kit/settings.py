"""What one pull is given: the validated connection, without the home or the lake it came from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any


class Secrets(Mapping[str, str]):
    """Secrets by credential name, read at the moment of use and never shown.

    `readers` maps a credential name to a function that returns its value or raises FixConfiguration.
    """

    def __init__(self, readers: Mapping[str, Callable[[], str]]) -> None:
        self._readers = dict(readers)
        self._seen: set[str] = set()

    def __getitem__(self, name: str) -> str:
        value = self._readers[name]()
        self._seen.add(value)
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._readers)

    def __len__(self) -> int:
        return len(self._readers)

    def __repr__(self) -> str:
        return f"Secrets({', '.join(self._readers)})"

    def remember(self, value: str) -> None:
        """Treat a value obtained with a secret (an access token) as a secret too."""
        if value:
            self._seen.add(value)

    def mask(self, text: str) -> str:
        """`text` with every secret seen so far replaced."""
        for value in self._seen:
            if len(value) >= 4:
                text = text.replace(value, "***")
        return text


@dataclass(frozen=True, slots=True)
class Budgets:
    """Bounds of one pull; reaching one raises BudgetExceeded."""

    pull_seconds: float = 6 * 3600
    wait_seconds: float = 3600
    """All server-directed waiting and back-off of the pull together."""
    single_wait_seconds: float = 900
    answer_bytes: int = 512 * 1024**2
    """One buffered answer after decompression; streamed answers are bounded by `stream_bytes`."""
    stream_bytes: int = 16 * 1024**3
    retries: int = 5


@dataclass(frozen=True, slots=True)
class Settings:
    """One instance as the kit sees it. `options` is an instance of the connector's options model."""

    instance: str
    base_url: str
    options: Any
    secrets: Secrets
    window_days: int | None = 90
    ca_file: str | None = None
    connect_seconds: float = 15
    read_seconds: float = 120
    budgets: Budgets = field(default_factory=Budgets)

    def window_start(self, now: datetime) -> datetime | None:
        return None if self.window_days is None else now - timedelta(days=self.window_days)
