"""Requests, responses and routing with path variables."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

import orjson

if TYPE_CHECKING:
    from demo_estate.kit.service import Service


class Refusal(Exception):
    """Raised by handlers and authenticators; the service answers with the lens's error envelope.

    reason: unauthorized, forbidden, not_found, bad_request, throttled, server_error, or the vendor's own code.
    """

    def __init__(self, status: int, reason: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message
        self.headers = dict(headers or {})


@dataclass(slots=True, eq=False)
class Request:
    """One HTTP request. headers: names in lower case. target: path and query as sent. caller: set by authenticators."""

    method: str
    target: str
    path: str
    query_pairs: list[tuple[str, str]]
    headers: Mapping[str, str]
    body: bytes
    base_url: str
    path_args: dict[str, str] = field(default_factory=dict)
    route: Route | None = None
    caller: str = ""
    claims: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def build(cls, method: str, target: str, headers: Mapping[str, str], body: bytes, base_url: str) -> Request:
        path, _, query = target.partition("?")
        pairs = parse_qsl(query, keep_blank_values=True)
        return cls(method, target, path, pairs, headers, body, base_url)

    @property
    def query(self) -> dict[str, str]:
        """Query parameters; the last one of a repeated name wins (`query_pairs` has them all)."""
        return dict(self.query_pairs)

    def header(self, name: str, default: str = "") -> str:
        return self.headers.get(name.lower(), default)

    def json(self) -> Any:
        """The body as JSON. Raises Refusal 400 when it is not."""
        try:
            return orjson.loads(self.body) if self.body else None
        except orjson.JSONDecodeError as error:
            raise Refusal(400, "bad_request", f"The request body is not valid JSON: {error}") from error

    def form(self) -> dict[str, str]:
        """The body as application/x-www-form-urlencoded."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    def integer(self, name: str, default: int, low: int = 0, high: int | None = None, clamp: bool = False) -> int:
        """A query parameter as number. Outside low..high: clamped, or Refusal 400. Not a number: Refusal 400."""
        text = self.query.get(name)
        if text is None:
            return default
        if not re.fullmatch(r"-?\d{1,18}", text):
            raise Refusal(400, "bad_request", f"Parameter {name} must be an integer.")
        value = int(text)
        bounded = max(low, value if high is None else min(value, high))
        if bounded != value and not clamp:
            raise Refusal(400, "bad_request", f"Parameter {name} must be between {low} and {high}.")
        return bounded


@dataclass(slots=True, eq=False)
class Response:
    """An answer. body: bytes and text go out as they are, anything else as JSON.

    headers: pairs or a mapping; pairs allow one name twice (Okta sends two Link headers).
    """

    body: Any = b""
    status: int = 200
    headers: Mapping[str, str] | Sequence[tuple[str, str]] = ()
    content_type: str = ""

    def header_pairs(self) -> list[tuple[str, str]]:
        return list(self.headers.items() if isinstance(self.headers, Mapping) else self.headers)

    def add_headers(self, more: Mapping[str, str]) -> None:
        self.headers = [*self.header_pairs(), *more.items()]

    @property
    def is_json(self) -> bool:
        return not isinstance(self.body, bytes | bytearray | str)

    def encode(self) -> tuple[bytes, str]:
        """Body bytes and content type."""
        if isinstance(self.body, bytes | bytearray):
            return bytes(self.body), self.content_type or "application/octet-stream"
        if isinstance(self.body, str):
            return self.body.encode(), self.content_type or "text/plain; charset=utf-8"
        return orjson.dumps(self.body, default=_plain), self.content_type or "application/json"


def _plain(value: Any) -> Any:
    if isinstance(value, frozenset | set):
        return sorted(value)
    raise TypeError(f"cannot be written as JSON: {type(value).__name__}")


Handler = Callable[[Request, "Service"], Any]


@dataclass(frozen=True, eq=False)
class Route:
    """A method, a path with {variables}, and its handler.

    params: the query parameters the vendor knows; any other is refused. None: the vendor ignores unknown ones.
    public: needs no authentication (token endpoints, signed download links). bucket: name of the rate limit it draws on.
    A variable matches one path segment; `{name:path}` matches the rest, slashes included. An OData-style key works:
    '/users/{id}' as well as "/me/things('{id}')".
    """

    method: str
    path: str
    handler: Handler
    params: Iterable[str] | None = ()
    public: bool = False
    bucket: str | None = None
    cost: int = 1

    @property
    def name(self) -> str:
        """'GET /api/machines/{id}', the name used in fault plans and the journal."""
        return f"{self.method} {self.path}"

    @cached_property
    def known_params(self) -> frozenset[str] | None:
        return None if self.params is None else frozenset(self.params)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        parts = re.split(r"\{(\w+(?::path)?)\}", self.path)
        expression = ""
        for number, part in enumerate(parts):
            if number % 2 == 0:
                expression += re.escape(part)
            elif part.endswith(":path"):
                expression += f"(?P<{part.removesuffix(':path')}>.+)"
            else:
                expression += f"(?P<{part}>[^/]+?)"
        return re.compile(expression)


class Router:
    """Finds the route of a request: literal paths first, then the ones with variables in their declared order."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._literal: dict[tuple[str, str], Route] = {}
        self._patterns: list[Route] = []
        for route in routes:
            if "{" in route.path:
                self._patterns.append(route)
            elif (route.method, route.path) in self._literal:
                raise ValueError(f"two routes for {route.name}")
            else:
                self._literal[(route.method, route.path)] = route

    def match(self, method: str, path: str) -> tuple[Route | None, dict[str, str], bool]:
        """(route, path variables, whether the path exists with another method)."""
        path = unquote(path)
        if (route := self._literal.get((method, path))) is not None:
            return route, {}, True
        known = any(literal == path for _, literal in self._literal)
        for route in self._patterns:
            if (found := route.pattern.fullmatch(path)) is not None:
                if route.method == method:
                    return route, found.groupdict(), True
                known = True
        return None, {}, known
