"""Pages on their way into the lake: one JSON record a line, compressed, written as they arrive."""

from __future__ import annotations

import hashlib
import io
import queue
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import repeat
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa

from connector_assets.kit.answers import lenient_json
from connector_assets.kit.lines import Lines

PAGES_FILE = "pages-00000.jsonl.zst"
INDEX_FILE = "pages.json"
#: Records written at once.
BATCH_RECORDS = 1000
#: What the compressing thread takes at once, about: it has to wait for the downloading one between any two, which parses a
#: page as long as it takes. And such blocks in flight to it, so that memory stays flat.
BLOCK_BYTES = 4 * 1024**2
QUEUE_BLOCKS = 4
#: What lies deeper in a record is replaced: JSON writers and readers give up a little further down.
DEEPEST = 200
TOO_DEEP = "(nested too deep to keep)"
#: A tuple that is made once: this is asked of every value.
NESTED = (dict, list)


class Spool:
    """Writes one stream's pages into a local folder. Compression runs beside the download, in a thread of its own, where
    there is more than a block of it: most streams are smaller, and end before a thread would have begun.

    Raises OSError of the disk from `add` or `close`.
    """

    def __init__(self, folder: Path, drop_fields: Sequence[str] = ()) -> None:
        self.folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = folder / PAGES_FILE
        self.pages: list[dict[str, Any]] = []
        self.rows = 0
        self.rows_by_scope: Counter[str] = Counter()
        self._clean = line_cleaner(drop_fields)
        self._hash = hashlib.sha256()
        self._block = io.BytesIO()
        self._queue: queue.Queue[bytes | None] = queue.Queue(QUEUE_BLOCKS)
        self._failure: BaseException | None = None
        self._thread: threading.Thread | None = None

    def add(self, records: Sequence[Any], scope: str, cursor: str | None) -> None:
        """Append a page. Records that are lines already are written as they are."""
        if isinstance(records, Lines) and records.text is not None:
            self._write_text(records.text)
        else:
            for start in range(0, len(records), BATCH_RECORDS):
                self._write(records[start : start + BATCH_RECORDS])
                self._hand_over(BLOCK_BYTES)
        self._close_page(len(records), scope, cursor)

    def add_lines(self, lines: Sequence[bytes], scope: str, cursor: str | None, **place: Any) -> None:
        """Append a page of written lines, each with its end. place: what else the index is to say of the page."""
        self._block.writelines(lines)
        self._hand_over(BLOCK_BYTES)
        self._close_page(len(lines), scope, cursor, **place)

    def _hand_over(self, least: int) -> None:
        """Give what was written to the compressing thread, if it is so much."""
        if self._failure:
            raise self._failure
        if self._block.tell() >= least:
            if self._thread is None:
                self._thread = threading.Thread(target=self._compress, name="spool", daemon=True)
                self._thread.start()
            self._queue.put(self._block.getvalue())
            self._block = io.BytesIO()

    def _close_page(self, rows: int, scope: str, cursor: str | None, **place: Any) -> None:
        page = {"page": len(self.pages), "scope": scope, "cursor": cursor, "first_row": self.rows, "rows": rows}
        self.pages.append({**page, **place})
        self.rows += rows
        self.rows_by_scope[scope] += rows

    def close(self) -> None:
        """Finish the files; the content hash is known afterwards."""
        if self._thread is None:
            self._write_file([self._block.getvalue()])
        else:
            try:
                self._hand_over(1)
            finally:
                self._queue.put(None)
                self._thread.join()
            if self._failure:
                raise self._failure
        (self.folder / INDEX_FILE).write_bytes(orjson.dumps(self.pages))

    @property
    def content_hash(self) -> str:
        return self._hash.hexdigest()

    def _write(self, records: Sequence[Any]) -> None:
        """The records as lines."""
        start = self._block.tell()
        try:
            # a line is copied into the block before the next one is made: a thousand small ones kept until they are joined
            # leave the allocator so torn that making them can take ten times as long
            self._block.writelines(map(orjson.dumps, records, repeat(None), repeat(orjson.OPT_APPEND_NEWLINE)))
        except TypeError:
            self._block.seek(start)
            self._block.truncate()
            self._block.writelines(map(line_of, records))

    def _write_text(self, text: bytes) -> None:
        """Lines, in blocks that end with a line."""
        view, start = memoryview(text), 0
        while start < len(text):
            end = text.find(b"\n", start + BLOCK_BYTES)
            end = len(text) if end < 0 else end
            self._block.write(view[start:end])
            self._block.write(b"\n")
            self._hand_over(BLOCK_BYTES)
            start = end + 1

    def _compress(self) -> None:
        is_over = False

        def blocks() -> Iterator[bytes]:
            nonlocal is_over
            while (block := self._queue.get()) is not None:
                yield block
            is_over = True

        try:
            self._write_file(blocks())
        except BaseException as error:  # noqa: BLE001 - handed to the writing thread, which raises it
            self._failure = error
            # a full disk may show only in the last flush, when the end mark is taken already: nothing is left to wait for
            while not is_over:
                is_over = self._queue.get() is None

    def _write_file(self, blocks: Iterable[bytes]) -> None:
        # level 1, pyarrow's default for zstd
        with pa.CompressedOutputStream(pa.OSFile(str(self.path), "wb"), "zstd") as stream:
            for block in blocks:
                kept = self._clean(block) if self._clean else block
                self._hash.update(kept)
                stream.write(kept)


def line_cleaner(names: Sequence[str]) -> Callable[[bytes], bytes] | None:
    """A function that removes fields from lines of JSON, or None when there is nothing to remove. See `field_dropper`.

    Lines are searched for the fields as text, outside Python's lock; only those that name one are parsed.
    """
    drop = field_dropper(names)
    if drop is None:
        return None
    keys = "|".join(re.escape(orjson.dumps(name.rpartition(".")[2])[1:-1].decode()) for name in names)
    # what is written as it came may have room before the colon, and a letter of a name as a number
    is_simple = all(name.isascii() and "/" not in name for name in names)
    pattern = rf'"(?:{keys})"\s*:|' + (r"\\u00[2-7]" if is_simple else r"\\[u/]")

    def clean(block: bytes) -> bytes:
        import pyarrow.compute as pc

        if not pc.match_substring_regex(pa.array([block]), pattern)[0].as_py():
            return block
        lines = block.splitlines(keepends=True)
        found = pc.match_substring_regex(pa.array(lines), pattern).to_pylist()
        return b"".join(
            line_of(drop(value_of(line))) if is_found else line for line, is_found in zip(lines, found, strict=True)
        )

    return clean


def line_of(record: Any) -> bytes:
    """A record as a line of JSON, whatever is in it."""
    try:
        return orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:
        return orjson.dumps(writable(record), option=orjson.OPT_APPEND_NEWLINE)


def value_of(line: bytes) -> Any:
    """The value of a landed line. Of one that came so from the vendor a number may be too large, or it may be nested too deep."""
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        try:
            return orjson.loads(line_of(lenient_json(line)))
        except RecursionError:
            return TOO_DEEP


def writable(value: Any, depth: int = 0) -> Any:
    """A record that JSON has no form for, as close as JSON comes: huge integers as text, broken characters replaced."""
    if isinstance(value, dict | list | tuple | set | frozenset) and depth > DEEPEST:
        return TOO_DEEP
    if isinstance(value, dict):
        return {writable(str(key)): writable(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [writable(item, depth + 1) for item in value]
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return str(value)
    return value if isinstance(value, int | float | bool | None) else str(value)


def field_dropper(names: Sequence[str]) -> Callable[[Any], Any] | None:
    """A function that removes fields at any depth, or None when there is nothing to remove.

    A name removes every field so called; a dotted path (`owner.password`) its last part where it lies below the others,
    through lists too.
    """
    if not names:
        return None
    unwanted = frozenset(names)
    paths = [tuple(name.split(".")) for name in names if "." in name]

    def drop(value: Any, depth: int = 0) -> Any:
        if isinstance(value, NESTED) and depth > DEEPEST:
            return TOO_DEEP
        if isinstance(value, dict):
            kept = {
                key: drop(item, depth + 1) if isinstance(item, NESTED) else item
                for key, item in value.items()
                if key not in unwanted
            }
            for path in paths:
                if path[0] in kept:
                    remove(kept, path)
            return kept
        if isinstance(value, list):
            return [drop(item, depth + 1) if isinstance(item, NESTED) else item for item in value]
        return value

    return drop


def remove(value: Any, path: tuple[str, ...]) -> None:
    """Take what lies at `path` out of a value in place, in every element of a list."""
    if isinstance(value, list):
        for item in value:
            remove(item, path)
    elif isinstance(value, dict) and path[0] in value:
        if len(path) == 1:
            del value[path[0]]
        else:
            remove(value[path[0]], path[1:])


def read_lines(path: Path | str, filesystem: Any = None) -> Iterator[bytes]:
    """The landed lines of a pages file, one at a time."""
    source = filesystem.open(str(path), "rb") if filesystem else pa.OSFile(str(path), "rb")
    rest = b""
    with pa.CompressedInputStream(source, "zstd") as stream:
        while block := stream.read(1 << 20):
            *lines, rest = (rest + block).split(b"\n")
            yield from lines
    if rest:
        yield rest
