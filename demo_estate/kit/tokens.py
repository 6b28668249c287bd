"""Access tokens that expire, and readers of the usual authorization headers."""

from __future__ import annotations

import base64
import binascii
import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from demo_estate.kit.clock import VirtualClock


@dataclass(frozen=True, slots=True)
class Token:
    """An issued token. claims: whatever the lens put in (tenant, scope, roles)."""

    value: str
    subject: str
    expires_at: float
    claims: dict[str, Any]


class TokenStore:
    """Issues tokens that live `ttl` seconds on the virtual clock.

    single_session: a new token of one subject ends its earlier ones. Values are deterministic for a given `salt`.
    on_issue: told every new value (the journal watches for it in URLs).
    """

    def __init__(
        self,
        clock: VirtualClock,
        ttl: float = 3600.0,
        single_session: bool = False,
        salt: str = "",
        on_issue: Callable[[str], None] | None = None,
    ) -> None:
        self.clock = clock
        self.ttl = ttl
        self.single_session = single_session
        self._salt = salt
        self._on_issue = on_issue
        self._issued = 0
        self._tokens: dict[str, Token] = {}
        self._lock = threading.Lock()

    def issue(self, subject: str, ttl: float | None = None, **claims: Any) -> Token:
        with self._lock:
            self._issued += 1
            value = hashlib.sha256(f"{self._salt}:{subject}:{self._issued}".encode()).hexdigest()
            if self.single_session:
                self._tokens = {v: t for v, t in self._tokens.items() if t.subject != subject}
            token = Token(value, subject, self.clock.time() + (self.ttl if ttl is None else ttl), claims)
            self._tokens[value] = token
        if self._on_issue is not None:
            self._on_issue(value)
        return token

    def state(self, value: str | None) -> Literal["valid", "expired", "unknown"]:
        token = self._tokens.get(value or "")
        if token is None:
            return "unknown"
        return "valid" if self.clock.time() < token.expires_at else "expired"

    def find(self, value: str | None) -> Token | None:
        """The token if it is valid now."""
        return self._tokens.get(value or "") if self.state(value) == "valid" else None

    def revoke_all(self) -> None:
        """Every token issued so far becomes unknown."""
        with self._lock:
            self._tokens.clear()

    @property
    def issued(self) -> int:
        """Number of tokens issued since the start."""
        return self._issued

    def values(self) -> tuple[str, ...]:
        return tuple(self._tokens)


def bearer_token(header: str | None, scheme: str = "Bearer") -> str | None:
    """The token of an `Authorization: Bearer ...` header, None when it is another kind or absent."""
    if not header:
        return None
    kind, _, value = header.partition(" ")
    return value.strip() if kind.lower() == scheme.lower() and value else None


def basic_credentials(header: str | None) -> tuple[str, str] | None:
    """User name and password of a Basic header, None when absent or malformed."""
    encoded = bearer_token(header, "Basic")
    if encoded is None:
        return None
    try:
        user, colon, password = base64.b64decode(encoded, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (user, password) if colon else None
