"""Pages on their way into the lake: one JSON record a line, compressed, written as they arrive."""

from __future__ import annotations

import hashlib
import queue
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa

PAGES_FILE = "pages-00000.jsonl.zst"
INDEX_FILE = "pages.json"
#: Blocks in flight to the compressing thread, so that memory stays flat, and most records of one: a large page is compressed
#: while the rest of it is written.
QUEUE_BLOCKS = 4
BLOCK_RECORDS = 1000
#: What lies deeper in a record is replaced: JSON writers and readers give up a little further down.
DEEPEST = 200
TOO_DEEP = "(nested too deep to keep)"
#: A tuple that is made once: this is asked of every value.
NESTED = (dict, list)


class Spool:
    """Writes one stream's pages into a local folder. Compression runs beside the download, in a thread of its own.

    Raises OSError of the disk from `add` or `close`.
    """

    def __init__(self, folder: Path, drop_fields: Sequence[str] = ()) -> None:
        self.folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = folder / PAGES_FILE
        self.pages: list[dict[str, Any]] = []
        self.rows = 0
        self.rows_by_scope: Counter[str] = Counter()
        self._drop = field_dropper(drop_fields)
        self._marks = [orjson.dumps(name.rpartition(".")[2])[1:] for name in drop_fields]
        self._hash = hashlib.sha256()
        self._queue: queue.Queue[bytes | None] = queue.Queue(QUEUE_BLOCKS)
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._compress, name="spool", daemon=True)
        self._thread.start()

    def add(self, records: Sequence[Any], scope: str, cursor: str | None) -> None:
        """Append a page."""
        for start in range(0, len(records), BLOCK_RECORDS):
            self._put(self._block(records[start : start + BLOCK_RECORDS]))
        self._close_page(len(records), scope, cursor)

    def add_lines(self, lines: Sequence[bytes], scope: str, cursor: str | None, **place: Any) -> None:
        """Append a page of written lines, each with its end. place: what else the index is to say of the page."""
        if lines:
            self._put(b"".join(lines))
        self._close_page(len(lines), scope, cursor, **place)

    def _put(self, block: bytes) -> None:
        if self._failure:
            raise self._failure
        self._queue.put(block)

    def _close_page(self, rows: int, scope: str, cursor: str | None, **place: Any) -> None:
        page = {"page": len(self.pages), "scope": scope, "cursor": cursor, "first_row": self.rows, "rows": rows}
        self.pages.append({**page, **place})
        self.rows += rows
        self.rows_by_scope[scope] += rows

    def close(self) -> None:
        """Finish the files; the content hash is known afterwards."""
        self._queue.put(None)
        self._thread.join()
        if self._failure:
            raise self._failure
        (self.folder / INDEX_FILE).write_bytes(orjson.dumps(self.pages))

    @property
    def content_hash(self) -> str:
        return self._hash.hexdigest()

    def _block(self, records: Sequence[Any]) -> bytes:
        """The records as lines, without the unwanted fields: only lines that name one are walked through for them."""
        try:
            lines = [orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE) for record in records]
        except TypeError:
            lines = [line_of(record) for record in records]
        block = b"".join(lines)
        if self._drop is None or not any(mark in block for mark in self._marks):
            return block
        return b"".join(
            line_of(self._drop(record)) if any(mark in line for mark in self._marks) else line
            for record, line in zip(records, lines, strict=True)
        )

    def _compress(self) -> None:
        block: bytes | None = b""
        try:
            # level 1, pyarrow's default for zstd
            with pa.CompressedOutputStream(pa.OSFile(str(self.path), "wb"), "zstd") as stream:
                while (block := self._queue.get()) is not None:
                    self._hash.update(block)
                    stream.write(block)
        except BaseException as error:  # noqa: BLE001 - handed to the writing thread, which raises it
            self._failure = error
            # a full disk may show only in the last flush, when the end mark is taken already: nothing is left to wait for
            while block is not None:
                block = self._queue.get()


def line_of(record: Any) -> bytes:
    """A record as a line of JSON, whatever is in it."""
    try:
        return orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:
        return orjson.dumps(writable(record), option=orjson.OPT_APPEND_NEWLINE)


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
