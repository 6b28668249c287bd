"""The records of an answer as the vendor wrote them: most go into the lake unchanged, and nobody needs to take them apart.

Parsing a page and writing its records again costs some five times what finding out where each of them ends does.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Literal, TypeVar

import msgspec
import orjson

from connector_assets.kit.answers import lenient_json, parsed
from connector_assets.kit.errors import BrokenAnswer

Path = tuple[str, ...]
"""Where in an answer the list of records is: the members that lead to it; () where the answer is the list."""

Absent = Literal["\0"] | msgspec.UnsetType
"""Type of a member, UNSET by default, that the records of a glance do not have."""

Raws = list[msgspec.Raw]
LINE = msgspec.json.Decoder(msgspec.Raw)
Glance = TypeVar("Glance", bound=msgspec.Struct)


class Lines(Sequence[Any]):
    """The records of a page, a line of JSON each. The first look at one parses all; from then on it is a list like any other.

    `text` is the lines, an end between any two, None once they were looked at: they may have been changed since.
    """

    __slots__ = ("_count", "_records", "text")

    def __init__(self, text: bytes, count: int) -> None:
        self.text: bytes | None = text
        self._count = count
        self._records: list[Any] = []

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: Any) -> Any:
        return self._looked_at()[index]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._looked_at())

    def __contains__(self, wanted: object) -> bool:
        """Whether a record is among them. For None, which vendors leave in the place of a record, nothing is parsed."""
        if wanted is None and self.text is not None:
            return self.text.startswith(b"null") or b"\nnull" in self.text
        return wanted in self._looked_at()

    def __eq__(self, other: object) -> bool:
        return self._looked_at() == (other._looked_at() if isinstance(other, Lines) else other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Lines({self._count})"

    def may_name(self, member: str) -> bool:
        """Whether one of the records might have a member of that name, at any depth."""
        return self.text is None or orjson.dumps(member) in self.text or b"\\u" in self.text

    def glance(self, kind: type[Glance]) -> list[Glance] | None:
        """Of each record the few members that a Struct names; None where one is not as it says, or all were looked at."""
        if self.text is None:
            return None
        try:
            found: list[Glance] = glancer(kind).decode_lines(self.text)
        except (msgspec.DecodeError, RecursionError):
            return None
        return found

    def with_first(self, name: str, values: Iterable[Any]) -> Lines:
        """The records with one more member each, which none of them has. They are objects with some member, see `glance`."""
        assert self.text is not None
        lines = zip(self.text.split(b"\n"), values, strict=True)
        begin = b"{%b:" % orjson.dumps(name)
        return Lines(
            b"\n".join([b"%b%b,%b" % (begin, orjson.dumps(value), line[1:]) for line, value in lines]), len(self)
        )

    def _looked_at(self) -> list[Any]:
        if self.text is not None:
            try:
                self._records = value_of(b"[%b]" % self.text.replace(b"\n", b","))
            except RecursionError:
                raise BrokenAnswer("a record is nested too deep to be read") from None
            self.text = None
        return self._records


def value_of(body: bytes) -> Any:
    """The value of JSON that is whole, though maybe not strict: a number in it may be beyond all numbers."""
    try:
        return parsed(body)
    except orjson.JSONDecodeError:
        return lenient_json(body)


def with_lines(body: bytes, path: Path) -> Any:
    """The JSON value of an answer whose list at `path` is left as Lines; None where that cannot be, whatever the reason.

    It cannot where the list is missing or empty, where a record goes over several lines, where the text is no strict JSON.
    """
    whole = body.strip(b" \t\r\n")
    if b"\n" in whole or b"\r" in whole:
        return None
    try:
        raws = raws_at(decoder(path).decode(whole), len(path))
    except (msgspec.DecodeError, RecursionError):
        return None
    lines = lines_in(raws, whole)
    return in_its_place(lines, whole, path, raws) if path and lines else lines


def lines_of_body(lines: Sequence[bytes]) -> Lines | None:
    """Some lines of a body as they are; None where not each of them is one value of strict JSON, and no list."""
    text = b"\n".join(lines)
    if b"\n[" in text or text.startswith(b"[") or b"\r" in text:
        return None
    try:
        raws = LINE.decode_lines(text)
    except (msgspec.DecodeError, RecursionError):
        return None
    found = lines_in(raws, text)
    return found if found is not None and found.text == text else None


def lines_in(raws: Raws, body: bytes) -> Lines | None:
    """The records as lines; None where something is odd that the decoder does not see."""
    is_plain = raws and is_utf8(body) and not repeats_a_name(bytes(raws[0]))
    return Lines(b"\n".join(raws), len(raws)) if is_plain else None


def in_its_place(lines: Lines, body: bytes, path: Path, raws: Raws) -> Any:
    """The rest of the answer, parsed, with the lines where their list was. None where the list is not found for sure."""
    assert lines.text is not None
    first, last = bytes(raws[0]), bytes(raws[-1])
    start = body.find(b"[" + first) + 1
    for between in (0, 1):  # spaces after a comma
        end = start + len(lines.text) + between * (len(lines) - 1)
        if start and body[end : end + 1] == b"]" and body.endswith(last, start, end):
            try:
                rest = above = value_of(body[:start] + body[end:])
                for name in path[:-1]:
                    above = above[name]
                # it is the right list that was cut out when it is the one that is empty now
                if above[path[-1]] == []:
                    above[path[-1]] = lines
                    return rest
            except (ValueError, RecursionError, TypeError, KeyError):
                continue
    return None


def is_utf8(body: bytes) -> bool:
    try:
        return body.isascii() or bool(body.decode())
    except UnicodeDecodeError:
        return False


def repeats_a_name(record: bytes) -> bool:
    """Whether an object in it has two members of one name: what writes such objects does so in all of them, so that one tells.

    Where JSON is parsed the last one counts; typing, which reads the lines, would take the first.
    """
    found = False

    def look(members: list[tuple[str, Any]]) -> None:
        nonlocal found
        found = found or len(dict(members)) < len(members)

    try:
        json.loads(record, object_pairs_hook=look)
    except RecursionError:
        return True
    return found


@lru_cache(maxsize=64)
def decoder(path: Path) -> msgspec.json.Decoder[Any]:
    """Reads an answer no further than to the records at `path`."""
    shape: Any = Raws
    for name in reversed(path):
        shape = msgspec.defstruct("Answer", [("inside", shape)], rename={"inside": name})
    return msgspec.json.Decoder(shape)


@lru_cache(maxsize=64)
def glancer(kind: type[Glance]) -> msgspec.json.Decoder[Glance]:
    return msgspec.json.Decoder(kind)


def raws_at(found: Any, depth: int) -> Raws:
    for _ in range(depth):
        found = found.inside
    raws: Raws = found
    return raws
