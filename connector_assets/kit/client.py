"""One HTTP session for one pull: what may be retried is, what must not leave the vendor does not."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import orjson
import requests
import urllib3
from requests.adapters import HTTPAdapter

from connector_assets.kit.auth import Auth
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
    RetryLater,
    UnexpectedContent,
)
from connector_assets.kit.hosts import absolute, check_base_url, masked, matches, redirect_target
from connector_assets.kit.settings import Settings
from connector_assets.kit.waits import back_off, directed_wait

#: Statuses worth another try of a safe request.
TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
REDIRECTS = frozenset({301, 302, 303, 307, 308})
CHUNK = 256 * 1024


@dataclass
class Statistics:
    """What the pull cost so far."""

    requests: int = 0
    retries: int = 0
    waited_seconds: float = 0.0
    bytes: int = 0
    auth_refreshes: int = 0

    def copy(self) -> Statistics:
        return replace(self)


class Client:
    """Session, credentials, waiting and bounds of one pull. Close it (or use `with`) when the pull ends.

    Raises the errors of `connector_assets.kit.errors`; a message never holds a secret or a query value.
    """

    def __init__(
        self,
        settings: Settings,
        auth: Auth,
        *,
        known_hosts: tuple[str, ...] = (),
        headers: Mapping[str, str] | None = None,
        requests_per_minute: int | None = None,
        troubleshooting: Mapping[str, str] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.settings = settings
        self.base_url = check_base_url(settings.base_url, settings.instance)
        self.statistics = Statistics()
        self._auth = auth
        self._known_hosts = known_hosts
        self._troubleshooting = troubleshooting or {}
        self._sleep, self._clock = sleep, clock
        self._interval = 60.0 / requests_per_minute if requests_per_minute else 0.0
        self._next_call = 0.0
        self._started = time.monotonic()
        self._session = requests.Session()
        self._session.headers.update(
            {"User-Agent": "exposure-pipelines", "Accept": "application/json", **(headers or {})}
        )
        self._session.verify = settings.ca_file or True
        self._session.trust_env = True
        self._session.mount("https://", HTTPAdapter(pool_maxsize=4, max_retries=0))
        self._session.mount("http://", HTTPAdapter(pool_maxsize=4, max_retries=0))

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._session.close()

    def json(self, method: str, path_or_url: str, *, none_on: tuple[int, ...] = (), **request: Any) -> Any:
        """The parsed JSON answer; None for a status in `none_on` and for an empty 204."""
        safe = request.get("safe", method == "GET")
        attempt = 0
        while True:
            with self.response(method, path_or_url, none_on=none_on, **request) as response:
                if response.status_code in none_on or response.status_code == 204:
                    return None
                try:
                    body = self.body(response)
                    self.require_json(response, body)
                    return parse_json(body, masked(response.url))
                except BrokenAnswer:
                    attempt += 1
                    if not safe or attempt > 2:
                        raise
            self.wait(back_off(attempt))
            self.statistics.retries += 1

    @contextlib.contextmanager
    def response(
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
    ) -> Iterator[requests.Response]:
        """A successful answer whose body is still to be read, closed at the end.

        `safe` says that repeating the request does no harm (default: GET only); only such requests are retried.
        `anonymous_hosts`: an absolute address on one of these is called without the credential (pre-signed links).
        """
        anonymous = bool(anonymous_hosts) and self._is_anonymous(path_or_url, anonymous_hosts)
        url = path_or_url if anonymous else absolute(self.base_url, path_or_url, self._known_hosts)
        body = orjson.dumps(json) if json is not None else data
        extra = {"Content-Type": "application/json"} if json is not None else {}
        response = self._checked(
            method,
            url,
            params,
            body,
            {**extra, **(headers or {})},
            method == "GET" if safe is None else safe,
            none_on,
            anonymous,
        )
        try:
            yield response
        finally:
            response.close()

    def token_request(self, url: str, form: Mapping[str, str]) -> Any:
        """POST a form to the token endpoint, without the credential it is to give, and return the JSON."""
        address = url if url.startswith("http") else self.base_url + url
        check_base_url(address, self.settings.instance)
        self.statistics.auth_refreshes += 1
        response = self._checked("POST", address, None, dict(form), {}, True, (), True)
        with contextlib.closing(response):
            body = self.body(response)
            self.require_json(response, body)
            return parse_json(body, masked(address))

    def _is_anonymous(self, url: str, hosts: tuple[str, ...]) -> bool:
        parts = urllib3.util.parse_url(url)
        return bool(parts.host) and matches(parts.host or "", hosts)

    def _checked(
        self,
        method: str,
        url: str,
        params: Mapping[str, Any] | None,
        body: Any,
        headers: dict[str, str],
        safe: bool,
        none_on: tuple[int, ...],
        anonymous: bool,
    ) -> requests.Response:
        """Send until there is a final answer: waiting where told to, renewing the credential once."""
        attempt, renewed, redirects = 0, False, 0
        while True:
            self._require_time(url)
            self._pace()
            if not anonymous:
                self._auth.prepare(self)
            sent = dict(headers)
            if anonymous:
                sent.setdefault("Authorization", "")
                del sent["Authorization"]
            else:
                self._auth.apply(sent)
            try:
                response = self._send(method, url, params, body, sent)
            except RetryLater:
                attempt += 1
                if not safe or attempt > self.settings.budgets.retries:
                    raise
                self.statistics.retries += 1
                self.wait(back_off(attempt))
                continue
            status = response.status_code
            if status < 300 or status in none_on:
                return response
            with contextlib.closing(response):
                if status in REDIRECTS:
                    redirects += 1
                    if method != "GET" or redirects > 5:
                        raise FixConfiguration(
                            f"HTTP {status}: the vendor redirects a {method}",
                            status=status,
                            url=masked(url),
                            hint="set the address it redirects to as base_url",
                        )
                    url, params = redirect_target(response.url, response.headers.get("Location", "")), None
                    continue
                error = self._error(response)
                if status == 401 and not renewed and not anonymous:
                    renewed = True
                    if self._auth.refresh(self):
                        continue
                if safe and status in TRANSIENT and attempt < self.settings.budgets.retries:
                    attempt += 1
                    self.statistics.retries += 1
                    told = directed_wait(response.headers, self._clock())
                    self.wait(told if told is not None else back_off(attempt), masked(url))
                    continue
                raise error

    def _send(
        self, method: str, url: str, params: Mapping[str, Any] | None, body: Any, headers: dict[str, str]
    ) -> requests.Response:
        self.statistics.requests += 1
        timeout = (self.settings.connect_seconds, self.settings.read_seconds)
        try:
            return self._session.request(
                method,
                url,
                params=params,
                data=body,
                headers=headers,
                timeout=timeout,
                stream=True,
                allow_redirects=False,
            )
        except requests.exceptions.SSLError as error:
            raise FixConfiguration(
                f"TLS failed: {self._clean(tls_reason(error))}",
                url=masked(url),
                hint=self._troubleshooting.get(
                    "tls", "for a private certificate authority set ca_file; never switch verification off"
                ),
            ) from None
        except requests.exceptions.InvalidURL as error:
            raise FixConfiguration(f"not an address: {self._clean(str(error))}", url=masked(url)) from None
        except requests.exceptions.Timeout:
            raise RetryLater(
                f"no answer within {self.settings.read_seconds:.0f} s",
                url=masked(url),
                hint="the vendor is slow or a firewall drops the traffic; the next sync tries again",
            ) from None
        except requests.exceptions.ConnectionError as error:
            if is_dns_failure(error):
                raise FixConfiguration(
                    "the host name is unknown (DNS)",
                    url=masked(url),
                    hint=self._troubleshooting.get(
                        "dns", "check base_url for a typo and the machine's name resolution"
                    ),
                ) from None
            raise RetryLater(
                f"the connection failed: {self._clean(connection_reason(error))}",
                url=masked(url),
                hint=self._troubleshooting.get("connect", "check address, port, proxy and the vendor's IP allow list"),
            ) from None

    def body(self, response: requests.Response) -> bytes:
        """The whole decompressed body, bounded; BrokenAnswer when it ends early."""
        parts: list[bytes] = []
        size = 0
        for chunk in self.chunks(response, self.settings.budgets.answer_bytes):
            parts.append(chunk)
            size += len(chunk)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def chunks(self, response: requests.Response, limit: int) -> Iterator[bytes]:
        """The body piece by piece, decompressed, at most `limit` bytes (a compressed bomb ends there)."""
        size = 0
        try:
            for chunk in response.iter_content(CHUNK):
                size += len(chunk)
                if size > limit:
                    raise BudgetExceeded(
                        f"the answer is larger than {limit / 1024**2:.0f} MB",
                        url=masked(response.url),
                        hint="ask for smaller pages, or raise the instance's budget if this size is right",
                    )
                yield chunk
        except (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError) as error:
            raise BrokenAnswer(f"the body ended early: {type(error).__name__}", url=masked(response.url)) from None
        except requests.exceptions.ConnectionError:
            raise BrokenAnswer("the connection broke in the middle of the body", url=masked(response.url)) from None
        self.statistics.bytes += size

    def require_json(self, response: requests.Response, body: bytes) -> None:
        kind = response.headers.get("Content-Type", "").lower()
        if "html" in kind or body[:64].lstrip()[:1] == b"<":
            raise UnexpectedContent(
                f"HTTP {response.status_code} with {kind.split(';')[0] or 'markup'} where JSON was asked for",
                status=response.status_code,
                url=masked(response.url),
                hint="a sign-in page, a sleeping instance or a proxy answers instead of the API: open the address in a browser",
            )

    def wait(self, seconds: float, url: str | None = None) -> None:
        """Sleep as asked, within the budgets of one wait and of the whole pull."""
        budgets = self.settings.budgets
        if seconds > budgets.single_wait_seconds or self.statistics.waited_seconds + seconds > budgets.wait_seconds:
            raise RetryLater(
                f"the vendor asks to wait {seconds:.0f} s, more than this pull may",
                status=429,
                url=url,
                hint="the next sync tries again; lower the cadence if this happens often",
            )
        if seconds > 0:
            self.statistics.waited_seconds += seconds
            self._sleep(seconds)

    def _pace(self) -> None:
        """Stay under the connector's own request rate."""
        if not self._interval:
            return
        now = time.monotonic()
        if now < self._next_call:
            pause = self._next_call - now
            self.statistics.waited_seconds += pause
            self._sleep(pause)
        self._next_call = max(now, self._next_call) + self._interval

    def _require_time(self, url: str) -> None:
        if time.monotonic() - self._started > self.settings.budgets.pull_seconds:
            raise BudgetExceeded(
                f"the pull ran longer than {self.settings.budgets.pull_seconds / 3600:.1f} h",
                url=masked(url),
                hint="what was landed is kept as partial; pull fewer streams an instance or raise the budget",
            )

    def _error(self, response: requests.Response) -> ConnectorError:
        """The error for a final status, with the vendor's own short words."""
        status, url = response.status_code, masked(response.url)
        try:
            said = vendor_words(next(self.chunks(response, 1024**2), b""), response.headers.get("Content-Type", ""))
        except ConnectorError:
            said = ""
        message = f"HTTP {status}" + (f": {self._clean(said)}" if said else "")
        hint = self._troubleshooting.get(str(status)) or HINTS.get(status)
        kind: type[ConnectorError] = BadRequest
        if status == 401:
            kind = FixCredentials
        elif status == 403:
            kind = FixPermission
        elif status == 404:
            kind = NotFound
        elif "expiredpagetoken" in said.lower().replace(" ", "") or "context expired" in said.lower():
            kind = CursorExpired
        elif status in TRANSIENT:
            kind = RetryLater
        return kind(message, status=status, url=url, hint=hint)

    def _clean(self, text: str) -> str:
        return self.settings.secrets.mask(text)


HINTS = {
    400: "the vendor did not understand the request: check the options, and that the product's API version is this one",
    401: "the credentials are wrong, expired or of another tenant: renew them and check the connection",
    403: "the credentials work but a permission is missing, or this machine's address is not on the vendor's allow list",
    404: "nothing there: check base_url, and that the product is licensed",
    409: "the vendor refuses for now, often because the same job runs already: the next sync tries again",
    429: "the vendor throttles: lower the cadence or share of other clients of the same account",
    500: "the vendor failed: the next sync tries again",
    503: "the vendor is not available: the next sync tries again",
}


def parse_json(body: bytes, url: str) -> Any:
    """The JSON value; BrokenAnswer for truncated, malformed or bottomless text."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BrokenAnswer(
            f"the answer is not whole JSON ({error.msg} at byte {error.pos} of {len(body)})",
            url=url,
            hint="the vendor cut the answer; the next sync tries again",
        ) from None


def vendor_words(body: bytes, content_type: str) -> str:
    """The vendor's own message out of an error body, at most 300 characters; '' for markup and silence."""
    if "html" in content_type.lower() or body.lstrip()[:1] == b"<":
        return ""
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return body[:200].decode("utf-8", "replace").strip()
    return " ".join(str(part) for part in words_in(found))[:300]


def words_in(value: Any, depth: int = 0) -> Iterator[str]:
    """Codes and messages of the usual error envelopes, outermost first."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list) and depth < 4:
        for item in value[:3]:
            yield from words_in(item, depth + 1)
    elif isinstance(value, dict) and depth < 4:
        for key in (
            "code",
            "error",
            "errors",
            "error_description",
            "title",
            "message",
            "detail",
            "failure_reason",
            "reason",
        ):
            if value.get(key):
                yield from words_in(value[key], depth + 1)


def is_dns_failure(error: BaseException) -> bool:
    return "NameResolutionError" in repr(error) or "getaddrinfo" in repr(error)


def tls_reason(error: BaseException) -> str:
    text = str(error)
    start = text.find("certificate verify failed")
    return text[start:].split("(")[0].strip() if start >= 0 else type(error).__name__


def connection_reason(error: BaseException) -> str:
    text = repr(error)
    for reason in (
        "Connection refused",
        "Connection reset",
        "Remote end closed connection",
        "No route to host",
        "timed out",
    ):
        if reason.lower() in text.lower():
            return reason.lower()
    return type(error).__name__
