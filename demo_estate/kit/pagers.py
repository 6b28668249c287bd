"""Paging state in the shapes vendors use: offsets, keysets, opaque tokens that may expire, Link headers."""

from __future__ import annotations

import base64
import hashlib
import hmac
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

import orjson

from demo_estate.kit.clock import VirtualClock

T = TypeVar("T", int, str)


def page_bounds(total: int, offset: int, limit: int) -> tuple[int, int, int | None]:
    """(start, stop, offset of the next page or None) of an offset page over `total` rows."""
    start = min(max(offset, 0), total)
    stop = min(start + max(limit, 0), total)
    return start, stop, stop if stop < total else None


def keyset_slice(sorted_keys: Sequence[T], after: T | None, limit: int) -> Sequence[T]:
    """Up to `limit` keys above `after` (None: from the beginning)."""
    start = 0 if after is None else bisect_right(sorted_keys, after)
    return sorted_keys[start : start + limit]


def link_header(links: Mapping[str, str], separator: str = ",") -> str:
    """`<url>;rel="next"` for each relation, joined without spaces unless the separator has them."""
    return separator.join(f'<{url}>;rel="{relation}"' for relation, url in links.items())


def with_query(base: str, parameters: Mapping[str, str | int], safe: str = "$") -> str:
    """An absolute link with its parameters; `$` stays readable as in OData links."""
    return f"{base}?{urlencode(parameters, safe=safe)}" if parameters else base


class CursorExpired(Exception):
    """The cursor was good once and is too old."""


class Cursors:
    """Opaque page tokens: signed, self-contained, and (with ttl) worthless `ttl` seconds after they were given out."""

    def __init__(self, clock: VirtualClock, ttl: float | None = None, salt: str = "") -> None:
        self.clock = clock
        self.ttl = ttl
        self._key = hashlib.sha256(f"cursor:{salt}".encode()).digest()

    def encode(self, state: Mapping[str, Any]) -> str:
        """URL-safe text without padding."""
        issued = round(self.clock.time(), 3) if self.ttl is not None else 0
        payload = orjson.dumps([issued, dict(state)])
        signature = hmac.new(self._key, payload, hashlib.sha256).digest()[:9]
        return base64.urlsafe_b64encode(signature + payload).decode().rstrip("=")

    def decode(self, token: str) -> dict[str, Any]:
        """The state back. Raises CursorExpired when too old, ValueError when it was never given out."""
        try:
            raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except ValueError as error:
            raise ValueError("not a page token of this service") from error
        signature, payload = raw[:9], raw[9:]
        if not hmac.compare_digest(signature, hmac.new(self._key, payload, hashlib.sha256).digest()[:9]):
            raise ValueError("not a page token of this service")
        issued, state = orjson.loads(payload)
        if self.ttl is not None and self.clock.time() > issued + self.ttl:
            raise CursorExpired(f"this page token was valid for {self.ttl:g} seconds")
        return dict(state)
