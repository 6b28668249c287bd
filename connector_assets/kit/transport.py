"""The session, and what its failures mean."""

from __future__ import annotations

import logging
import os
import socket
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.utils import get_environ_proxies
from urllib3.exceptions import NewConnectionError

from connector_assets.kit.deadline import BoundedAdapter, RequireTime
from connector_assets.kit.errors import ConnectorError, FixConfiguration, NotReached, RetryLater
from connector_assets.kit.hosts import is_loopback

#: What a failed handshake says when trying again cannot help.
LASTING_TLS = (
    "certificate_verify_failed",
    "doesn't match",
    "mismatch",
    "wrong_version_number",
    "pem lib",
    "no_certificate",
)
REFUSALS = {
    "connection refused": "the connection is refused",
    "connection reset": "the connection was reset",
    "remote end closed connection": "the other end closed the connection without an answer",
    "no route to host": "there is no route to the host",
    "network is unreachable": "the network is unreachable",
}
GENERIC = {
    "dns": "check base_url for a typo, and this machine's name resolution",
    "tls": "for a private certificate authority set ca_file; verification is never switched off",
    "connect": "check address, port and proxy, and that the vendor's IP allow list holds this machine",
}


class Transport:
    """One requests session: verified TLS, no redirects, no .netrc; proxies and CA bundle of the environment."""

    def __init__(
        self,
        headers: Mapping[str, str],
        ca_file: str | None,
        timeouts: tuple[float, float],
        require_time: RequireTime,
    ) -> None:
        if ca_file and not Path(ca_file).is_file():
            raise FixConfiguration(f"ca_file {ca_file} is not a readable file", hint="name a PEM file of certificates")
        self._verify = ca_file or os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
        self._timeouts = timeouts
        self._proxies: dict[str, dict[str, str]] = {}
        self._session = requests.Session()
        # with trust_env requests would let a .netrc entry replace the Authorization header, and let the environment's
        # bundle win over ca_file; what is wanted of the environment is read here, once a host
        self._session.trust_env = False
        self._session.headers.update({"User-Agent": "exposure-pipelines", "Accept": "application/json"})
        self._session.headers["Accept-Encoding"] = "gzip, deflate"
        self._session.headers.update(headers)
        adapter = BoundedAdapter(require_time, pool_maxsize=4, max_retries=0)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)
        quiet_urllib3()

    def close(self) -> None:
        self._session.close()

    def send(
        self, method: str, url: str, params: Mapping[str, Any] | None, body: Any, headers: Mapping[str, str]
    ) -> requests.Response:
        """The answer with its body unread. Raises what requests raises."""
        session = self._session
        prepared = session.prepare_request(requests.Request(method, url, headers=headers, params=params, data=body))
        return session.send(
            prepared,
            stream=True,
            timeout=self._timeouts,
            # where there is no certificate requests would still look, for every call, what kind of file the bundle is
            verify=True if url.startswith("http:") else self._verify,
            cert=None,
            proxies=self._proxies_for(url),
            allow_redirects=False,
        )

    def _proxies_for(self, url: str) -> dict[str, str]:
        parts = urlsplit(url)
        proxies = self._proxies.get(parts.netloc)
        if proxies is None:
            proxies = {} if is_loopback(parts.hostname or "") else dict(get_environ_proxies(url, no_proxy=None))
            self._proxies[parts.netloc] = proxies
        return proxies


def transport_error(
    error: Exception, url: str, timeouts: tuple[float, float], advice: Mapping[str, str]
) -> ConnectorError:
    """What a failure below HTTP means, in fixed words: the library's own texts may hold addresses and header values.

    `advice` is the connector's answer per 'dns', 'tls', 'connect'.
    """

    def hint(topic: str) -> str:
        return advice.get(topic) or GENERIC[topic]

    causes = list(causes_of(error))
    said = " ".join(repr(cause) for cause in causes).lower()
    if isinstance(error, requests.exceptions.SSLError):
        lasting = any(mark in said for mark in LASTING_TLS)
        kind = FixConfiguration if lasting else RetryLater
        return kind(f"the secure connection (TLS) failed: {tls_reason(causes, said)}", url=url, hint=hint("tls"))
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return NotReached(f"no connection within {timeouts[0]:.0f} s", url=url, hint=hint("connect"))
    if isinstance(error, requests.exceptions.Timeout):
        return RetryLater(
            f"no answer within {timeouts[1]:.0f} s",
            url=url,
            hint="the vendor is slow or a firewall drops the traffic; the next sync tries again",
        )
    if isinstance(error, requests.exceptions.ConnectionError):
        resolving = next((cause for cause in causes if isinstance(cause, socket.gaierror)), None)
        if resolving is not None or "nameresolutionerror" in said:
            passing = resolving is not None and resolving.errno == socket.EAI_AGAIN
            host = urlsplit(url).hostname
            return (NotReached if passing else FixConfiguration)(
                f"the host name {host} is not known (DNS)", url=url, hint=hint("dns")
            )
        if isinstance(error, requests.exceptions.ProxyError):
            return RetryLater("the proxy does not let the connection through", url=url, hint=hint("connect"))
        reason = next((text for mark, text in REFUSALS.items() if mark in said), "the connection failed")
        reached = not any(isinstance(cause, NewConnectionError) for cause in causes)
        return (RetryLater if reached else NotReached)(reason, url=url, hint=hint("connect"))
    return FixConfiguration(
        f"the request cannot be sent: {type(error).__name__}",
        url=url,
        hint="check base_url and the credentials' characters",
    )


def causes_of(error: BaseException | None) -> Iterator[BaseException]:
    """An exception, what it wraps and what caused it, each once."""
    waiting: list[Any] = [error]
    seen: set[int] = set()
    while waiting:
        cause = waiting.pop(0)
        if not isinstance(cause, BaseException) or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        waiting += [cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args]


def tls_reason(causes: list[BaseException], said: str) -> str:
    """Why a handshake failed, as OpenSSL says it."""
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"the certificate is not trusted ({cause.verify_message})"
    if "wrong_version_number" in said:
        return "the other end does not speak TLS on this port"
    reasons = (cause.reason for cause in causes if isinstance(cause, ssl.SSLError) and isinstance(cause.reason, str))
    return next((reason.lower().replace("_", " ") for reason in reasons), "the handshake ended early")


def quiet_urllib3() -> None:
    """Keep urllib3 from logging addresses with their query values, which may be pre-signed."""
    logger = logging.getLogger(urllib3.connectionpool.__name__)
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.INFO)
