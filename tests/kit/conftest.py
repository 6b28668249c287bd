"""A real HTTP server on loopback whose answers a test writes as a function, and a clock that only sleeping moves."""

from __future__ import annotations

import json
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from connector_assets.kit import (
    Api,
    Budgets,
    Connector,
    Credential,
    HeaderKeys,
    NoOptions,
    Permission,
    Secrets,
    Settings,
    Timeouts,
    open_api,
)

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
SECRET = "s3cr3t-value-of-the-test"


@dataclass
class Asked:
    """A request as the server saw it."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass
class Reply:
    """An answer to send. `cut` bytes are left out of the end although Content-Length promises them."""

    status: int = 200
    body: Any = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: int = 0
    drop: bool = False
    """Close the connection without an answer."""


class Site:
    """The server: `site.answer = function(Asked) -> Reply | value to send as JSON`; `site.asked` is the journal."""

    def __init__(self, context: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self.asked: list[Asked] = []
        self.answer: Callable[[Asked], Any] = lambda asked: {}
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                parts = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(self.command, parts.path, dict(parse_qsl(parts.query)), headers, body)
                site.asked.append(asked)
                reply = site.answer(asked)
                if not isinstance(reply, Reply):
                    reply = Reply(body=reply)
                if reply.drop:
                    self.close_connection = True
                    return
                content = reply.body
                extra = dict(reply.headers)
                if not isinstance(content, bytes):
                    content = json.dumps(content).encode()
                    extra.setdefault("Content-Type", "application/json")
                self.send_response(reply.status)
                for name, value in extra.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content[: len(content) - reply.cut])
                if reply.cut:
                    self.close_connection = True

            do_GET = do_POST = handle_any

            def log_message(self, *arguments: Any) -> None: ...

        self.server = ThreadingHTTPServer((host, 0), Handler)
        self.server.daemon_threads = True
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.host = host
        self.port = self.server.server_address[1]
        self.url = f"{'https' if context else 'http'}://{host}:{self.port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def replies(self, *replies: Any) -> None:
        """Answer with these in turn; the last one repeats."""
        waiting = list(replies)
        self.answer = lambda asked: waiting.pop(0) if len(waiting) > 1 else waiting[0]


class Time:
    """Seconds that pass only by sleeping."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def clock(self) -> float:
        return self.now


def secrets(**values: str) -> Secrets:
    values = values or {"key": SECRET}
    return Secrets({name: (lambda value=value: value) for name, value in values.items()})


def connector(**changes: Any) -> Connector:
    """A product with one header key; change what a test is about."""
    declared: dict[str, Any] = {
        "product": "acme",
        "title": "Acme",
        "description": "Test product",
        "base_url": "",
        "auth": lambda options, given: HeaderKeys("X-Key", "{key}", given),
        "streams": (),
        "credentials": (Credential("key", "API key"),),
        "permissions": (Permission("read", "reads things", lambda api: api.get("/probe")),),
        "asset_kinds": ("device",),
        "billable_kinds": ("device",),
        "evidence": "documented",
    }
    return Connector(**{**declared, **changes})


def settings(base_url: str, **changes: Any) -> Settings:
    given: dict[str, Any] = {
        "instance": "acme_test",
        "base_url": base_url,
        "options": NoOptions(),
        "secrets": secrets(),
        "timeouts": Timeouts(connect=2, read=2),
        "budgets": Budgets(),
    }
    return Settings(**{**given, **changes})


OpenApi = Callable[..., Api]


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    yield made
    made.close()


@pytest.fixture
def other_site() -> Iterator[Site]:
    made = Site()
    yield made
    made.close()


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def api_of(site: Site, time: Time) -> Iterator[OpenApi]:
    """Open an Api on the site: keyword arguments of `connector`, or `settings={...}`, change what is given."""
    opened: list[Api] = []

    def make(**changes: Any) -> Api:
        given = changes.pop("settings", {})
        options = {"records_reader": changes.pop("records_reader", None), "progress": changes.pop("progress", None)}
        base_url = given.pop("base_url", site.url)
        api = open_api(
            connector(**changes), settings(base_url, **given), NOW, sleep=time.sleep, clock=time.clock, **options
        )
        opened.append(api)
        return api

    yield make
    for api in opened:
        api.client.close()


@pytest.fixture
def api(api_of: OpenApi) -> Api:
    return api_of()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A throw-away self-signed certificate of 127.0.0.1: (certificate, key)."""
    folder = tmp_path_factory.mktemp("tls")
    file, key = folder / "cert.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-keyout", str(key), "-out", str(file), "-days", "2", "-subj", "/CN=127.0.0.1"]
    subprocess.run([*command, "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    return file, key


@pytest.fixture
def tls_site(certificate: tuple[Path, Path]) -> Iterator[Site]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    made = Site(context)
    yield made
    made.close()
