"""Foreign answers, served over real HTTP to the real connector, with nothing changed but its base address.

A `Vendor` answers what a test gives it, in the forms a wire may have; `Foreign` is a home to land it in. `mutants` are a
sample without, with null, with an empty ... value in each of its places in turn: each is a record of its own, so that one
sync and one build of the models try them all.
"""

from __future__ import annotations

import gzip
import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connector_assets import registry
from exposure_pipelines.connections import Connection, SecretReference
from exposure_pipelines.home import Home

from .microsoft import Bench, Staged

#: The forms in which one and the same answer may come, in as few runs as try each; every other test has it plain.
WIRES = (
    "gzip, charset, upper-case headers, until close",
    "chunked, bom, no content type, lower-case headers, below a path",
)
ABSENT: Any = object()
#: Numbers of mutants: long enough to be found in no other value.
FIRST = 73_000
#: What may lie in any place of a vendor's record instead of what usually does.
ODD: Mapping[str, Any] = {"absent": ABSENT, "null": None, "empty": "", "empty list": [], "empty object": {}}

Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, as the vendor reads it."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    base: str

    def json(self) -> Any:
        return json.loads(self.body or b"null")

    def form(self) -> dict[str, str]:
        return {name: values[-1] for name, values in parse_qs(self.body.decode()).items()}


@dataclass(frozen=True, slots=True)
class Answer:
    """body: text and bytes as they are, anything else as JSON."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


Route = tuple[str, Any]
"""(regular expression over 'METHOD /path', body, Answer, or a function of the request that gives one)"""


class Vendor:
    """A server of the answers given to it; the first route that fits. `asked` holds the requests in their order."""

    def __init__(self, routes: Sequence[Route], wire: str = "plain") -> None:
        self.routes = list(routes)
        self.wire = wire
        self.asked: list[Asked] = []
        vendor = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                vendor._handle(self)

            def do_POST(self) -> None:
                vendor._handle(self)

            def log_message(self, *_: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.prefix = "/gateway/vendor" if "below a path" in wire else ""
        self.base = f"http://127.0.0.1:{self._server.server_address[1]}{self.prefix}"
        self._thread = threading.Thread(target=lambda: self._server.serve_forever(0.01), daemon=True)

    def __enter__(self) -> Vendor:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def paths(self) -> list[str]:
        return [f"{one.method} {one.path}" for one in self.asked]

    def _handle(self, handler: Any) -> None:
        parts = urlsplit(handler.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        # what is asked beside the prefix keeps its path, and so fits no route
        path = parts.path.removeprefix(self.prefix) if self.prefix else parts.path
        path = path if path != parts.path or not self.prefix else f"/beside{path}"
        asked = Asked(handler.command, path, query, handler.headers, body, self.base)
        self.asked.append(asked)
        self._send(handler, self._answer(asked))

    def _answer(self, asked: Asked) -> Answer:
        for pattern, given in self.routes:
            if re.fullmatch(pattern, f"{asked.method} {asked.path}"):
                found = given(asked) if callable(given) else given
                return found if isinstance(found, Answer) else Answer(found)
        return Answer({"error": f"nothing is recorded for {asked.method} {asked.path}"}, 404)

    def _send(self, handler: Any, answer: Answer) -> None:
        body = answer.body
        if not isinstance(body, bytes):
            body = (body if isinstance(body, str) else json.dumps(body)).encode()
        headers = {"Content-Type": answer.content_type, "X-Unknown-Header": "x", **answer.headers}
        forms = set(self.wire.split(", "))
        if "bom" in forms and body:
            body = b"\xef\xbb\xbf" + body
        if "charset" in forms:
            headers["Content-Type"] += "; odata.metadata=minimal; CHARSET=utf-8"
        if "no content type" in forms:
            del headers["Content-Type"]
        if "gzip" in forms and body:
            body = gzip.compress(body)
            headers["Content-Encoding"] = "gzip"
        chunked = "chunked" in forms and bool(body)
        if "until close" in forms:
            # as HTTP/1.0 does: the end of the connection is the end of the answer
            headers["Connection"] = "close"
        elif chunked:
            headers["Transfer-Encoding"] = "chunked"
        else:
            headers["Content-Length"] = str(len(body))
        cased = str.lower if "lower-case headers" in forms else str.upper if "upper-case headers" in forms else str
        handler.send_response(answer.status)
        for name, value in headers.items():
            handler.send_header(cased(name), value)
        handler.end_headers()
        for start in range(0, len(body), 700) if chunked else ():
            piece = body[start : start + 700]
            handler.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        handler.wfile.write(b"0\r\n\r\n" if chunked else body)


@dataclass
class Foreign(Bench):
    """An instance whose vendor gives foreign answers, and the home it is synced into."""

    product: str = ""
    vendor: Vendor = field(default=None)  # type: ignore[assignment]
    options: Mapping[str, Any] = field(default_factory=dict)

    def connection(self, **options: Any) -> Connection:
        connector = registry.load(self.product)
        for credential in connector.credentials:
            self.monkeypatch.setenv(f"REPLAY_{credential.name.upper()}", f"value-of-{credential.name}")
        return Connection(
            instance="replay",
            product=self.product,
            base_url=self.vendor.base,
            credentials={c.name: SecretReference(env=f"REPLAY_{c.name.upper()}") for c in connector.credentials},
            options={**self.options, **options},
        )


@contextmanager
def foreign(
    product: str,
    routes: Sequence[Route],
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    wire: str = "plain",
    **options: Any,
) -> Iterator[Foreign]:
    monkeypatch.setenv("EXPOSURE_NOW", "2026-11-23T06:30:00Z")
    root = path / re.sub(r"\W", "-", f"home-{wire}")
    home = Home(root, root / "connections", str(root / "lake"), f"sqlite:///{root / 'warehouse.db'}").ensure()
    with Vendor(routes, wire) as vendor:
        service = SimpleNamespace(lens=SimpleNamespace(product=product))
        yield Foreign(None, service, home, monkeypatch, product, vendor, options)  # type: ignore[arg-type]


# Mutants -------------------------------------------------------------------------------------------------------------


def places(value: Any, below: Place = ()) -> Iterator[Place]:
    """Every place of a record: its keys and those of what lies in it, through the first element of lists."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield (*below, key)
            yield from places(item, (*below, key))
    elif isinstance(value, list) and value:
        yield from places(value[0], (*below, 0))


def changed(record: Any, place: Place, value: Any) -> Any:
    """A copy of the record with something else in a place, or nothing."""
    copy = deepcopy(record)
    inner = copy
    for step in place[:-1]:
        inner = inner[step]
    if value is ABSENT:
        del inner[place[-1]]
    else:
        inner[place[-1]] = value
    return copy


def at(record: Any, place: Place) -> Any:
    for step in place:
        record = record[step]
    return record


@dataclass(frozen=True, slots=True)
class Mutant:
    """A sample with something else in one place. void: it says there what a missing key says: nothing."""

    number: str
    place: str
    what: str
    void: bool
    record: dict[str, Any]


def mutants(sample: Mapping[str, Any], rename: Callable[[Any, str], None], keep: Iterable[str] = ()) -> list[Mutant]:
    """The sample as it is, and changed in every place in every way. rename(record, number) gives each ids of its own.

    keep: dotted places that make the record what it is: without them it may be refused.
    """
    kept = set(keep)
    changes: list[tuple[str, str, bool, Any]] = [("", "as it is", False, deepcopy(dict(sample)))]
    for place in places(sample):
        name = ".".join(map(str, place))
        if name in kept or any(one.startswith(f"{name}.") for one in kept):
            continue
        before = at(sample, place)
        for what, value in ODD.items():
            void = value is ABSENT or value is None or (type(value) is type(before) and not value)
            changes.append((name, what, void, changed(sample, place, value)))
    found = []
    for count, (name, what, void, record) in enumerate(changes):
        rename(record, str(FIRST + count))
        found.append(Mutant(str(FIRST + count), name, what, void, record))
    return found


def suffers(given: Sequence[Mutant], staged: Staged, model: str, number: str, *, but: Iterable[str] = ()) -> list[str]:
    """What is wrong with the rows that a model makes of mutants: one is missing, a value is blank, or nothing said in
    one form (no key, null, empty) is something else than in another.

    number: an expression of the model's columns that gives the number of the mutant; but: columns not compared.
    """
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in staged.rows(f"select {number} as mutant_number, * from {model} order by all"):
        rows.setdefault(str(row.pop("mutant_number")), []).append(row)
    trouble = [f"{one.place} {one.what}: lost" for one in given if one.number not in rows]
    nothing: dict[str, tuple[Mutant, Any]] = {}
    # the number of a mutant may stand in the id of the sync, which is a time
    ignored = {"sync", "page", "row_number", "properties", "evidence", *but}
    for one in given:
        plain = [
            {k: str(v).replace(one.number, "#") for k, v in row.items() if k not in ignored}
            for row in rows.get(one.number, [])
        ]
        blank = {
            column
            for row in rows.get(one.number, [])
            for column, value in row.items()
            if value == "" or (isinstance(value, list) and ("" in value or None in value))
        }
        trouble += [f"{one.place} {one.what}: {column} is blank" for column in sorted(blank)]
        if not one.void or not plain:
            continue
        first, expected = nothing.setdefault(one.place, (one, plain))
        if plain != expected:
            columns = sorted({k for a, b in zip(plain, expected, strict=False) for k in a if a[k] != b[k]}) or ["rows"]
            trouble.append(f"{one.place}: {one.what} is not {first.what}: {', '.join(columns)}")
    return trouble


@dataclass(frozen=True, slots=True)
class Case:
    """A sample with some members replaced, and what a column of its row is then."""

    change: Mapping[str, Any]
    column: str
    expected: Any


def varied(
    sample: Mapping[str, Any], cases: Sequence[Case], rename: Callable[[Any, str], None]
) -> list[dict[str, Any]]:
    """A record a case, each with ids of its own. A dotted name changes what lies deeper; ABSENT takes it out."""
    records = []
    for count, case in enumerate(cases):
        record: Any = deepcopy(dict(sample))
        for name, value in case.change.items():
            # some vendors write a path as one name
            steps = [name] if name in sample else name.split(".")
            record = changed(record, tuple(int(step) if step.isdecimal() else step for step in steps), value)
        rename(record, str(FIRST + count))
        records.append(record)
    return records


def misread(cases: Sequence[Case], staged: Staged, model: str, number: str) -> list[str]:
    """The cases whose row says something else than expected; number as in `suffers`."""
    rows = {
        str(row.pop("mutant_number")): row for row in staged.rows(f"select {number} as mutant_number, * from {model}")
    }
    trouble = []
    for count, case in enumerate(cases):
        row = rows.get(str(FIRST + count))
        given = "lost" if row is None else row[case.column]
        if given != case.expected:
            trouble.append(f"{case.change}: {case.column} is {given!r}, not {case.expected!r}")
    return trouble
