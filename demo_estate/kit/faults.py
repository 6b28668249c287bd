"""The fault plan: what goes wrong, where and at which request. A plan replays the same on every run.

YAML:

    faults:
      - {product: tenable, route: "GET /assets/export/{uuid}/status", nth: 2, fault: 429, retry_after: 1}
      - {product: servicenow, route: "*/table/*", when: {day: 1}, always: true, fault: html}

product may be an instance name. route is a name as in the journal, with * as wildcard. Position among the matching
requests: nth (a number or list, default 1), every (each n-th), after (all beyond the n-th), always. times limits how
often it fires. when: {day: 2, query: {name: value}, path: part of the path}.
Faults: any status from 400 up; html, redirect, reset, slow, expire_tokens; and on the answer: truncate, cut, empty,
drop_page, drop_row, duplicate_row, repeat_cursor, string_result, drop_key.
"""

from __future__ import annotations

import fnmatch
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from demo_estate.kit.http import Request, Response

BEFORE = ("html", "redirect", "reset", "slow", "expire_tokens")
ON_ANSWER = (
    "truncate",
    "cut",
    "empty",
    "drop_page",
    "drop_row",
    "duplicate_row",
    "repeat_cursor",
    "string_result",
    "drop_key",
)
_POSITION = ("product", "route", "nth", "every", "after", "always", "times", "when", "fault")
_EXTRAS = ("retry_after", "seconds", "status", "key", "location", "headers")
_SETTINGS = frozenset((*_POSITION, *_EXTRAS))


@dataclass(slots=True, eq=False)
class Fault:
    """One line of the plan, with its count of matching requests."""

    product: str
    route: str
    fault: str | int
    nth: tuple[int, ...] = (1,)
    every: int | None = None
    after: int | None = None
    always: bool = False
    times: int | None = None
    when: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    seen: int = 0
    fired: int = 0

    @classmethod
    def parse(cls, line: Mapping[str, Any]) -> Fault:
        """From a plan line. Raises ValueError that names the bad setting."""
        if unknown := sorted(set(line) - _SETTINGS):
            raise ValueError(f"fault plan: unknown setting {', '.join(unknown)} in {dict(line)}")
        kind = line.get("fault")
        if isinstance(kind, str) and kind.isdigit():
            kind = int(kind)
        if not (isinstance(kind, int) and 400 <= kind <= 599) and kind not in (*BEFORE, *ON_ANSWER):
            raise ValueError(
                f"fault plan: {kind!r} is no fault; use a status from 400 to 599 or one of {', '.join((*BEFORE, *ON_ANSWER))}"
            )
        nth = line.get("nth", 1)
        return cls(
            product=str(line.get("product", "*")),
            route=str(line.get("route", "*")),
            fault=kind,
            nth=tuple(nth) if isinstance(nth, list | tuple) else (int(nth),),
            every=line.get("every"),
            after=line.get("after"),
            always=bool(line.get("always", False)),
            times=line.get("times"),
            when=dict(line.get("when", {})),
            settings={k: v for k, v in line.items() if k in _EXTRAS},
        )

    def applies(self, names: Iterable[str], day: int, request: Request, route: str) -> bool:
        """Whether a request matches product, route and condition, whatever its position."""
        if not any(fnmatch.fnmatchcase(name, self.product) for name in names):
            return False
        if self.route != route and not fnmatch.fnmatchcase(route, self.route):
            return False
        if "day" in self.when and self.when["day"] != day:
            return False
        if "path" in self.when and str(self.when["path"]) not in request.path:
            return False
        query = request.query
        return all(query.get(str(name)) == str(value) for name, value in self.when.get("query", {}).items())

    def due(self) -> bool:
        """Count one matching request; True when the fault fires on it."""
        self.seen += 1
        if self.times is not None and self.fired >= self.times:
            return False
        if self.always:
            hit = True
        elif self.every is not None:
            hit = self.seen % self.every == 0
        elif self.after is not None:
            hit = self.seen > self.after
        else:
            hit = self.seen in self.nth
        self.fired += hit
        return hit


class FaultPlan:
    """All faults of an estate."""

    def __init__(self, faults: Iterable[Fault | Mapping[str, Any]] = ()) -> None:
        self.faults = [fault if isinstance(fault, Fault) else Fault.parse(fault) for fault in faults]
        self._lock = threading.Lock()

    @classmethod
    def load(cls, source: FaultPlan | Path | str | Mapping[str, Any] | Sequence[Mapping[str, Any]] | None) -> FaultPlan:
        """From a plan, a YAML file, a parsed document or a list of lines."""
        if source is None:
            return cls()
        if isinstance(source, FaultPlan):
            return source
        if isinstance(source, str | Path):
            import yaml

            document = yaml.safe_load(Path(source).read_text(encoding="utf-8")) or {}
            try:
                return cls.load(document)
            except ValueError as error:
                raise ValueError(f"{source}: {error}") from error
        lines = source.get("faults") if isinstance(source, Mapping) else source
        if not isinstance(lines, Sequence) or not all(isinstance(line, Mapping) for line in lines):
            raise ValueError("fault plan: expected a list of faults, or `faults:` with a list under it")
        return cls(lines)

    def add(self, line: Mapping[str, Any]) -> Fault:
        fault = Fault.parse(line)
        with self._lock:
            self.faults.append(fault)
        return fault

    def clear(self) -> None:
        with self._lock:
            self.faults.clear()

    def pick(self, names: Iterable[str], day: int, request: Request, route: str) -> list[Fault]:
        """Faults that fire on this request."""
        if not self.faults:
            return []
        names = tuple(names)
        with self._lock:
            return [fault for fault in self.faults if fault.applies(names, day, request, route) and fault.due()]


RowFinder = Callable[[Any], list[Any] | None]


def find_rows(body: Any, depth: int = 4) -> list[Any] | None:
    """The longest list of objects in an answer, at most `depth` levels down."""
    if isinstance(body, list):
        return body
    if not isinstance(body, dict) or depth == 0:
        return None
    lists = [rows for value in body.values() if (rows := find_rows(value, depth - 1)) is not None]
    return max(lists, key=len, default=None)


def change_answer(fault: Fault, response: Response, previous: Response | None, rows_of: RowFinder | None) -> Response:
    """The answer with an answer fault applied; row faults leave answers without rows as they are."""
    kind = fault.fault
    if kind == "repeat_cursor":
        return previous if previous is not None else response
    if kind in ("truncate", "cut"):
        body, content_type = response.encode()
        half = body[: max(1, len(body) // 2)]
        headers = response.header_pairs() + ([("X-Estate-Cut", str(len(body)))] if kind == "cut" else [])
        return Response(half, response.status, headers, content_type)
    if not response.is_json:
        return response
    body = orjson.loads(response.encode()[0])
    headers = response.header_pairs()
    if kind == "drop_key" and isinstance(body, dict):
        body.pop(str(fault.settings.get("key", "")), None)
    elif kind == "string_result" and isinstance(body, dict) and body:
        body[max(body, key=lambda name: len(str(body[name])))] = (
            "Transaction cancelled: maximum execution time exceeded"
        )
    elif (rows := (rows_of or find_rows)(body)) is not None and rows:
        if kind == "duplicate_row":
            rows.append(rows[0])
        elif kind == "drop_row":
            rows.pop()
        else:
            rows.clear()
    if kind == "empty":
        headers = [(name, value) for name, value in headers if name.lower() != "link"]
        _forget_next(body)
    return Response(body, response.status, headers, response.content_type)


def _forget_next(body: Any) -> None:
    """Remove what points at a next page, so that an empty answer looks final."""
    if not isinstance(body, dict):
        return
    for name in [n for n in body if any(word in n.lower() for word in ("nextlink", "nextpage", "skiptoken", "cursor"))]:
        del body[name]
    for value in body.values():
        _forget_next(value)
