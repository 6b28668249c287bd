"""What one pull is given: the validated connection, without the home or the lake it came from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, quote_plus

from connector_assets.kit.errors import FixConfiguration

#: A shorter value is no secret worth the name, and masking it would garble every message.
MASKED_FROM = 4


class Secrets(Mapping[str, str]):
    """Secrets by credential name, read at the moment of use and never shown.

    `readers` maps a credential name to a function that returns its value or raises FixConfiguration. `secrets["name"]`
    raises FixConfiguration for a credential that is not configured or is empty; `"name" in secrets` asks whether it is
    configured, `secrets.get("name")` reads an optional one.
    """

    def __init__(self, readers: Mapping[str, Callable[[], str]]) -> None:
        self._readers = dict(readers)
        self._seen: set[str] = set()

    def __getitem__(self, name: str) -> str:
        if name not in self._readers:
            raise FixConfiguration(
                f"the credential {name!r} is not configured",
                hint=f"add it under credentials: `{name}: {{env: VARIABLE}}` or `{name}: {{file: /path}}`",
            )
        value = self._readers[name]()
        if not value:
            raise FixConfiguration(f"the credential {name!r} is empty", hint="set its variable or file to the secret")
        self.remember(value)
        return value

    def __contains__(self, name: object) -> bool:
        return name in self._readers

    def get(self, name: str, default: Any = None) -> Any:
        return self[name] if name in self._readers else default

    def __iter__(self) -> Iterator[str]:
        return iter(self._readers)

    def __len__(self) -> int:
        return len(self._readers)

    def __repr__(self) -> str:
        return f"Secrets({', '.join(self._readers)})"

    def remember(self, value: str) -> None:
        """Treat a value obtained with a secret (an access token) as a secret too."""
        spellings = (value, value.strip(), quote(value, safe=""), quote_plus(value))
        self._seen.update(spelling for spelling in spellings if len(spelling) >= MASKED_FROM)

    def mask(self, text: str) -> str:
        """`text` with every secret seen so far replaced."""
        for value in sorted(self._seen, key=len, reverse=True):
            if value in text:
                text = text.replace(value, "***")
        return text


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to wait for a connection, and for the next byte of an answer."""

    connect: float = 15
    read: float = 120


@dataclass(frozen=True, slots=True)
class Budgets:
    """Bounds of one pull; reaching one raises BudgetExceeded (RetryLater where the vendor asks to wait too long)."""

    pull_seconds: float = 6 * 3600
    wait_seconds: float = 3600
    """All server-directed waiting and back-off of the pull together; polling a vendor's job is not counted."""
    single_wait_seconds: float = 900
    answer_bytes: int = 512 * 1024**2
    """One buffered answer after decompression; streamed answers are bounded by `stream_bytes`."""
    stream_bytes: int = 16 * 1024**3
    retries: int = 5
    """Tries after the first of one safe request."""


@dataclass(frozen=True, slots=True)
class Settings:
    """One instance as the kit sees it. `options` is an instance of the connector's options model."""

    instance: str
    base_url: str
    options: Any
    secrets: Secrets
    window_days: int | None = 90
    ca_file: str | None = None
    timeouts: Timeouts = field(default_factory=Timeouts)
    budgets: Budgets = field(default_factory=Budgets)

    def window_start(self, now: datetime) -> datetime | None:
        """The moment before which inactive records may be left out; None: everything is wanted."""
        return None if self.window_days is None else now - timedelta(days=self.window_days)
