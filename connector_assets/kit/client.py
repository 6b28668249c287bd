"""One HTTP session for one pull: what may be retried is, what must not leave the vendor does not."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

import orjson
import requests
from urllib3.exceptions import HTTPError

from connector_assets.kit.answers import error_body, parse_json, require_json, vendor_words
from connector_assets.kit.auth import Auth
from connector_assets.kit.budgets import Allowance, Statistics
from connector_assets.kit.errors import (
    BadRequest,
    BrokenAnswer,
    BudgetExceeded,
    ConnectorError,
    CursorExpired,
    FixConfiguration,
    FixCredentials,
    FixPermission,
    NotFound,
    NotReached,
    RetryLater,
    UnexpectedContent,
)
from connector_assets.kit.hosts import absolute, check_base_url, is_loopback, masked, matches, redirect_target
from connector_assets.kit.lines import with_lines
from connector_assets.kit.settings import Settings
from connector_assets.kit.transport import Transport, transport_error
from connector_assets.kit.waits import back_off, directed_wait

log = logging.getLogger("exposure.connector")

#: Statuses worth another try of a safe request.
TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
REDIRECTS = frozenset({301, 302, 303, 307, 308})
MOST_REDIRECTS = 5
#: Tries after the first of a safe request whose answer came broken: what is cut twice is cut for a reason.
BROKEN_RETRIES = 2
CHUNK = 256 * 1024
ERROR_BYTES = 64 * 1024
NOT_REPEATED = "it was not repeated, as the vendor may have begun the work; the next sync goes on from there"
ERRORS: dict[int, type[ConnectorError]] = {401: FixCredentials, 403: FixPermission, 404: NotFound, 410: CursorExpired}
CURSOR_GONE = ("expiredpagetoken", "pagetokenexpired", "contextexpired", "cursorexpired")
HINTS = {
    "400": "the vendor did not understand the request: check the options, and that the product's API version is this one",
    "401": "the credentials are wrong, expired or of another tenant: renew them and check the connection",
    "403": "the credentials work but a permission is missing, or this machine's address is not on the vendor's allow list",
    "404": "nothing is there: check base_url, and that the product is licensed",
    "409": "the vendor refuses for now, often because the same job runs already: the next sync tries again",
    "429": "the vendor throttles: lower the cadence, or the share of other clients of the same account",
    "500": "the vendor failed: the next sync tries again",
    "502": "the vendor, or a gateway before it, failed: the next sync tries again",
    "503": "the vendor is not available: the next sync tries again",
    "504": "the vendor took too long: the next sync tries again",
}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """One request, as it is repeated. An anonymous one carries no credential."""

    method: str
    url: str
    params: Mapping[str, Any] | None
    body: Any
    headers: Mapping[str, str]
    safe: bool
    accepted: tuple[int, ...] = ()
    anonymous: bool = False


class Client:
    """Session, credentials, waiting and bounds of one pull. Close it (or use `with`) when the pull ends.

    Raises the errors of `connector_assets.kit.errors`; a message never holds a secret or a query value.
    `sleep` and `clock` (seconds that only grow) can be replaced, as can `wall`, the time of day.
    """

    def __init__(
        self,
        settings: Settings,
        auth: Auth,
        *,
        known_hosts: tuple[str, ...] = (),
        headers: Mapping[str, str] | None = None,
        error_headers: tuple[str, ...] = (),
        requests_per_minute: int | None = None,
        troubleshooting: Mapping[str, str] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.settings = settings
        self.base_url = check_base_url(settings.base_url, f"{settings.instance}: base_url")
        self.clock = clock
        self.allowance = Allowance(settings.budgets, requests_per_minute, sleep, clock, self.where)
        self._auth = auth
        self._known_hosts = known_hosts
        self._error_headers = error_headers
        self._troubleshooting = troubleshooting or {}
        self._wall = wall
        self._timeouts = (settings.timeouts.connect, settings.timeouts.read)
        self._transport = Transport(
            headers or {}, settings.ca_file, self._timeouts, lambda: self.allowance.require_time(None)
        )

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({self.settings.instance})"

    def close(self) -> None:
        self._transport.close()

    @property
    def statistics(self) -> Statistics:
        return self.allowance.statistics

    def json(self, method: str, path_or_url: str, **request: Any) -> Any:
        """The parsed JSON answer; None for a status in `none_on` and for an empty 202, 204 or 205.

        Takes the arguments of `response`. A truncated or malformed answer to a safe request is asked for again.
        """
        return self.json_response(method, path_or_url, **request)[0]

    def json_response(
        self, method: str, path_or_url: str, *, lines: tuple[str, ...] | None = None, **request: Any
    ) -> tuple[Any, requests.Response]:
        """As `json`, with the answer itself for its headers.

        lines: where the records are, see `with_lines`; they come as Lines where they can.
        """
        call = self._call(method, path_or_url, **request)

        def read(response: requests.Response) -> tuple[Any, requests.Response]:
            status = response.status_code
            if status in call.accepted:
                return None, response
            body = self.body(response)
            if not body and status in (202, 204, 205):
                return None, response
            try:
                require_json(status, response.headers.get("Content-Type", ""), body, response.url)
                found = with_lines(body, lines) if lines is not None else None
                return parse_json(body, response.url) if found is None else found, response
            except (BrokenAnswer, UnexpectedContent) as error:
                # masked here and not before, as it costs time that only a failure is worth
                error.url = self.where(response.url)
                raise

        return self._exchange(call, read, closing=True)

    def response(self, method: str, path_or_url: str, *, stream: bool = False, **request: Any) -> requests.Response:
        """A successful answer, or one with a status in `none_on`.

        Its whole body is read, within the budget of one answer. With `stream` it is left unread: read it with `chunks`
        and close it (it is a context manager).

        params, headers, data: as in requests. json: a value sent as JSON.
        safe: repeating the request does no harm (default: for GET only); only such requests are retried.
        none_on: statuses that are an answer and no error.
        anonymous_hosts: an https address on one of these is called as it is, without the credential (pre-signed links).
        """
        call = self._call(method, path_or_url, **request)

        def read(response: requests.Response) -> requests.Response:
            if not stream:
                response._content = self.body(response)
                response._content_consumed = True  # type: ignore[attr-defined]
            return response

        return self._exchange(call, read, closing=not stream)

    def token_request(self, url: str, form: Mapping[str, str], expected_status: tuple[int, ...] = (200, 201)) -> Any:
        """POST a form to the token endpoint, without the credential it is to give, and return the JSON."""
        address = url if url.startswith(("http://", "https://")) else self.base_url + "/" + url.lstrip("/")
        check_base_url(address, f"{self.settings.instance}: the token address")
        self.statistics.auth_refreshes += 1
        call = Call("POST", address, None, dict(form), {}, safe=True, anonymous=True)

        def read(response: requests.Response) -> Any:
            body, where = self.body(response), self.where(address)
            if response.status_code not in expected_status:
                raise UnexpectedContent(
                    f"the token endpoint answered with HTTP {response.status_code}",
                    status=response.status_code,
                    url=where,
                )
            require_json(response.status_code, response.headers.get("Content-Type", ""), body, where)
            return parse_json(body, where)

        return self._exchange(call, read, closing=True)

    def renew(self) -> bool:
        """Get a new credential, for a vendor that refuses the old one inside a successful answer. False: there is none."""
        return self._auth.refresh(self)

    def _call(
        self,
        method: str,
        path_or_url: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        safe: bool | None = None,
        none_on: tuple[int, ...] = (),
        anonymous_hosts: tuple[str, ...] = (),
    ) -> Call:
        anonymous = bool(anonymous_hosts) and self._is_anonymous(path_or_url, anonymous_hosts)
        url = path_or_url if anonymous else absolute(self.base_url, path_or_url, self._known_hosts)
        kind = {"Content-Type": "application/json"} if json is not None else {}
        return Call(
            method,
            url,
            params,
            orjson.dumps(json) if json is not None else data,
            {**kind, **(headers or {})},
            method == "GET" if safe is None else safe,
            none_on,
            anonymous,
        )

    def _is_anonymous(self, url: str, hosts: tuple[str, ...]) -> bool:
        parts = urlsplit(url)
        host = parts.hostname or ""
        return matches(host, hosts) and (parts.scheme == "https" or is_loopback(host))

    def _exchange(self, call: Call, read: Callable[[requests.Response], T], *, closing: bool) -> T:
        """Send until there is a final answer: waiting where told to, renewing the credential once."""
        attempt, broken, renewed, redirects = 0, 0, False, 0
        url, params = call.url, call.params
        while True:
            wait: float | None = None
            status_seen: int | None = None
            if not call.anonymous:
                # outside the try: the token endpoint's own failures were dealt with there and are not tried again here
                self._auth.prepare(self)
            try:
                response = self._send(call, url, params)
                status = response.status_code
                if status < 300 or status in call.accepted:
                    try:
                        result = read(response)
                    except BaseException:
                        response.close()
                        raise
                    if closing:
                        response.close()
                    return result
                with contextlib.closing(response):
                    if status in REDIRECTS and call.method == "GET" and redirects < MOST_REDIRECTS:
                        redirects += 1
                        url, params = redirect_target(response.url, response.headers.get("Location", "")), None
                        continue
                    wait = directed_wait(status, response.headers, self._wall())
                    raise self._error(call, response, wait)
            except FixCredentials as error:
                if error.status != 401 or call.anonymous or renewed or not self._auth.refresh(self):
                    raise
                renewed = True
                continue
            except RetryLater as error:
                status_seen = error.status
                repeatable = call.safe or isinstance(error, NotReached)
                if not repeatable and error.status != 429:
                    error.hint = "; ".join(part for part in (error.hint, NOT_REPEATED) if part)
                if not repeatable or attempt >= self.settings.budgets.retries:
                    raise
            except BrokenAnswer:
                broken += 1
                if not call.safe or broken > BROKEN_RETRIES:
                    raise
            attempt += 1
            self.allowance.wait(wait if wait is not None else back_off(attempt), url, status_seen)
            self.statistics.retries += 1

    def _send(self, call: Call, url: str, params: Mapping[str, Any] | None) -> requests.Response:
        headers = dict(call.headers)
        if not call.anonymous:
            self._auth.apply(headers)
        self._require_plain(headers, url)
        self.allowance.require_time(url)
        self.allowance.pace()
        self.statistics.requests += 1
        try:
            return self._transport.send(call.method, url, params, call.body, headers)
        except (requests.RequestException, HTTPError, ValueError) as error:
            raise transport_error(error, self.where(url), self._timeouts, self._troubleshooting) from None

    def _require_plain(self, headers: Mapping[str, str], url: str) -> None:
        """A line break or a foreign letter in a secret would surface, secret and all, in an error of the library."""
        for name, value in headers.items():
            if not (value.isascii() and value.isprintable()):
                raise FixConfiguration(
                    f"the value for the header {name} holds characters a header cannot carry",
                    url=self.where(url),
                    hint="look for a line break or a typographic character in the credential",
                )

    def body(self, response: requests.Response) -> bytes:
        """The whole decompressed body, bounded by `answer_bytes`; BrokenAnswer when it ends early."""
        parts = list(self.chunks(response, self.settings.budgets.answer_bytes))
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def chunks(self, response: requests.Response, limit: int) -> Iterator[bytes]:
        """The body piece by piece, decompressed, at most `limit` bytes (a compressed bomb ends there)."""
        size = 0
        try:
            for chunk in response.iter_content(CHUNK):
                size += len(chunk)
                self.statistics.bytes += len(chunk)
                if size > limit:
                    raise BudgetExceeded(
                        f"the answer is larger than {limit / 1024**2:.0f} MB",
                        url=self.where(response.url),
                        hint="ask for smaller pages, or raise the instance's budget if this size is right",
                    )
                yield chunk
        except (requests.RequestException, HTTPError) as error:
            raise BrokenAnswer(
                f"the answer broke off after {size} bytes ({type(error).__name__})",
                url=self.where(response.url),
                hint="the connection or the vendor failed in the middle; the next sync tries again",
            ) from None

    def wait(self, seconds: float) -> None:
        """Sleep because the vendor asked for it, within the budgets of one wait and of the whole pull."""
        self.allowance.wait(seconds)

    def pause(self, seconds: float) -> None:
        """Sleep between polls of a vendor's job."""
        self.allowance.pause(seconds)

    def where(self, url: str) -> str:
        """An address for messages: no query values, no secrets."""
        return self.settings.secrets.mask(masked(url))

    def advice(self, topic: str, otherwise: str | None = None) -> str | None:
        """What to do, in the connector's words for '401', 'tls' ... or in general ones."""
        return self._troubleshooting.get(topic) or otherwise or HINTS.get(topic)

    def _words_of_headers(self, response: requests.Response) -> str:
        told = (response.headers.get(name, "") for name in self._error_headers)
        return " ".join(vendor_words(value.encode("utf-8", "replace"), "") for value in told if value)

    def _error(self, call: Call, response: requests.Response, wait: float | None) -> ConnectorError:
        """The error for a final status, with the vendor's own short words."""
        status = response.status_code
        body = b""
        try:
            for chunk in self.chunks(response, ERROR_BYTES):
                body += chunk
        except (BrokenAnswer, BudgetExceeded) as error:
            log.debug("%s: the error body was not read to its end: %s", self.settings.instance, error.message)
        mask = self.settings.secrets.mask
        said = mask(vendor_words(body, response.headers.get("Content-Type", "")) or self._words_of_headers(response))
        message, hint = f"HTTP {status}" + (f": {said}" if said else ""), self.advice(str(status))
        squeezed = said.lower().replace(" ", "").replace("_", "")
        kind = ERRORS.get(status, RetryLater if status in TRANSIENT else BadRequest)
        if status in REDIRECTS:
            kind, hint = FixConfiguration, "set the address the vendor redirects to as base_url, if it is yours"
            message = f"HTTP {status}: the vendor redirects this {call.method}" + (
                " in a circle" * (call.method == "GET")
            )
        elif status in (400, 404) and any(mark in squeezed for mark in CURSOR_GONE):
            kind, hint = CursorExpired, "the collection is read again from its start by the next sync"
        return kind(
            message,
            status=status,
            url=self.where(response.url),
            hint=hint,
            answer=error_body(mask(body.decode("utf-8", "replace"))),
            retry_after=wait,
        )
