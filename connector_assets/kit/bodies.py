"""Bodies too large to hold: JSON lines and XML, read piece by piece within bounds."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from xml.etree import ElementTree

import orjson

from connector_assets.kit.answers import BYTE_ORDER_MARK, lenient_json
from connector_assets.kit.declaration import Record
from connector_assets.kit.errors import BrokenAnswer, BudgetExceeded, UnexpectedContent
from connector_assets.kit.lines import lines_of_body
from connector_assets.kit.xml_records import feed, guarded_parser, refuse_web_page

GZIP_MAGIC = b"\x1f\x8b"
GZIP_PIECE = 1024 * 1024
LINE_BYTES = 64 * 1024**2


def gunzipped(chunks: Iterable[bytes], limit: int, url: str) -> Iterator[bytes]:
    """The pieces of a body, decompressed if it is gzip by its first bytes, at most `limit` bytes of them.

    Raises BrokenAnswer for a damaged or cut archive, BudgetExceeded beyond the limit.
    """
    unpacker, head, size = None, b"", 0
    for chunk in chunks:
        rest = head + chunk
        if unpacker is None and not size:
            if len(rest) < len(GZIP_MAGIC):
                head = rest
                continue
            unpacker = new_unpacker() if rest.startswith(GZIP_MAGIC) else None
        head = b""
        while rest:
            if unpacker is None:
                piece, rest = rest, b""
            else:
                if unpacker.eof:
                    unpacker = new_unpacker()
                try:
                    piece = unpacker.decompress(rest, GZIP_PIECE)
                except zlib.error as error:
                    raise BrokenAnswer(f"the archive is damaged after {size} bytes: {error}", url=url) from None
                rest = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
            size += len(piece)
            if size > limit:
                raise BudgetExceeded(f"the answer is larger than {limit / 1024**2:.0f} MB unpacked", url=url)
            if piece:
                yield piece
    if head:
        yield head
    if unpacker is not None and not unpacker.eof:
        raise BrokenAnswer(f"the archive ends early, after {size} bytes", url=url, hint="the next sync tries again")


def new_unpacker() -> zlib._Decompress:
    return zlib.decompressobj(zlib.MAX_WBITS | 16)


def json_lines(chunks: Iterable[bytes], url: str, may_be_empty: bool = False) -> Iterator[Record]:
    """The JSON value of each line, of a line that is a list each of its values; empty lines do not count.

    Raises as `pieces_of_lines`, and BrokenAnswer with the number of a line that is no JSON: the last one, when the body was cut.
    """
    for lines, before in pieces_of_lines(chunks, url, may_be_empty):
        yield from values_of_lines(lines, before, url)


def json_line_pages(chunks: Iterable[bytes], url: str) -> Iterator[Sequence[Record]]:
    """As `json_lines`, the records of some hundred KB at a time: as Lines where they can be."""
    for lines, before in pieces_of_lines(chunks, url):
        page: Sequence[Record] | None = lines_of_body(lines)
        if page is None:
            yield from until_it_breaks(values_of_lines(lines, before, url))
        else:
            yield page


def until_it_breaks(records: Iterator[Record]) -> Iterator[Sequence[Record]]:
    """The records as one page, also where an error ends them, which is raised after it."""
    page: list[Record] = []
    try:
        page.extend(records)
    finally:
        if page:
            yield page


def pieces_of_lines(chunks: Iterable[bytes], url: str, may_be_empty: bool = False) -> Iterator[tuple[list[bytes], int]]:
    """The whole lines of each piece of a body, with the number of lines before them.

    Raises UnexpectedContent for markup, BrokenAnswer for a line without end and for a body without any byte: a pre-signed
    link that has gone bad answers so, and that is no empty estate (may_be_empty: the caller sees to that).
    """
    number, size, rest = 0, 0, b""
    for chunk in chunks:
        if not size and chunk[:64].lstrip()[:1] == b"<":
            raise UnexpectedContent(
                "markup where JSON lines were asked for", url=url, hint="the link has expired or a proxy answers"
            )
        size += len(chunk)
        *lines, rest = (rest + chunk).split(b"\n")
        if lines:
            yield lines, number
        number += len(lines)
        if len(rest) > LINE_BYTES:
            raise BrokenAnswer(f"line {number + 1} is longer than {LINE_BYTES // 1024**2} MB", url=url)
    if rest:
        yield [rest], number
    if not size and not may_be_empty:
        raise BrokenAnswer("the answer is empty", url=url, hint="the link may have expired; the next sync tries again")


def values_of_lines(lines: Sequence[bytes], before: int, url: str) -> Iterator[Record]:
    """The JSON values of some lines, parsed at once where each is one value that is no list. before: lines before them."""
    try:
        values = orjson.loads(b"[%b]" % b",".join(lines))
    except orjson.JSONDecodeError:
        values = None
    if values is not None and len(values) == len(lines) and list not in map(type, values):
        yield from values
        return
    for number, line in enumerate(lines, start=before + 1):
        if line and not line.isspace():
            yield from json_values(line, number, url)


def json_values(line: bytes, number: int, url: str) -> list[Record]:
    try:
        value: Any = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        try:
            # what marks the order of bytes stands before the first line where a file was written with it
            value = lenient_json(line.removeprefix(BYTE_ORDER_MARK))
        except (ValueError, RecursionError):
            raise BrokenAnswer(
                f"line {number} is no JSON ({error.msg})", url=url, hint="the answer was cut; the next sync tries again"
            ) from None
    return value if isinstance(value, list) else [value]


def xml_elements(chunks: Iterable[bytes], tags: Iterable[str], url: str) -> Iterator[ElementTree.Element]:
    """Each outermost element with one of the tags, complete, one at a time.

    Nothing is fetched, and declarations of entities are refused: a DOCTYPE may only name itself, as some vendors' do.
    Raises BrokenAnswer for XML that is malformed, cut or too deep; UnexpectedContent for a web page or entities.
    """
    wanted = frozenset(tags)
    ready: list[ElementTree.Element] = []
    builder: ElementTree.TreeBuilder | None = None
    depth = captured_at = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth, builder, captured_at
        depth += 1
        refuse_web_page(tag, depth, url)
        if builder is None and tag in wanted:
            builder, captured_at = ElementTree.TreeBuilder(), depth
        if builder is not None:
            builder.start(tag, attributes)

    def data(text: str) -> None:
        if builder is not None:
            builder.data(text)

    def end(tag: str) -> None:
        nonlocal depth, builder
        if builder is not None:
            builder.end(tag)
            if depth == captured_at:
                ready.append(builder.close())
                builder = None
        depth -= 1

    parser = guarded_parser(url)
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, data
    for chunk in chunks:
        feed(parser, chunk, False, url)
        yield from ready
        ready.clear()
    feed(parser, b"", True, url)
    yield from ready
