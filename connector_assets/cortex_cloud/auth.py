"""Cortex Cloud's two kinds of API key: the key itself in a header, or a hash of it with a nonce and the time."""

from __future__ import annotations

import hashlib
import secrets as random
import string
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from connector_assets.kit import NoAuth

if TYPE_CHECKING:
    from connector_assets.kit import Secrets

NONCE_LENGTH = 64
ALPHABET = string.ascii_letters + string.digits


class StandardKey(NoAuth):
    """The key goes as it is into `Authorization`, its id into `x-xdr-auth-id`."""

    def __init__(self, key_id: str, secrets: Secrets) -> None:
        self._key_id, self._secrets = key_id, secrets

    def apply(self, headers: dict[str, str]) -> None:
        headers["Authorization"] = self._secrets["api_key"]
        headers["x-xdr-auth-id"] = self._key_id


class AdvancedKey(NoAuth):
    """A fresh nonce and time for every request; only the SHA-256 of key, nonce and time is sent."""

    def __init__(
        self,
        key_id: str,
        secrets: Secrets,
        clock: Callable[[], float] = time.time,
        nonce: Callable[[], str] = lambda: "".join(random.choice(ALPHABET) for _ in range(NONCE_LENGTH)),
    ) -> None:
        self._key_id, self._secrets, self._clock, self._nonce = key_id, secrets, clock, nonce

    def apply(self, headers: dict[str, str]) -> None:
        nonce, timestamp = self._nonce(), str(int(self._clock() * 1000))
        headers["Authorization"] = signature(self._secrets["api_key"], nonce, timestamp)
        headers["x-xdr-auth-id"] = self._key_id
        headers["x-xdr-nonce"] = nonce
        headers["x-xdr-timestamp"] = timestamp


def signature(key: str, nonce: str, timestamp: str) -> str:
    """What stands for an advanced key in one request: 64 hex digits."""
    return hashlib.sha256(f"{key}{nonce}{timestamp}".encode()).hexdigest()
