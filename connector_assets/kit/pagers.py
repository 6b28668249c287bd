"""The ways vendors cut a collection into pages. Each ends on the vendor's own mark and never follows a cursor twice."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from connector_assets.kit.api import Api
from connector_assets.kit.declaration import Page, Record
from connector_assets.kit.errors import BudgetExceeded, RepeatedCursor, UnexpectedContent
from connector_assets.kit.hosts import masked


class CursorGuard:
    """Remembers the cursors followed; a repeated one is an error, since it would loop for ever."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._seen: set[Any] = set()

    def follow(self, cursor: Any) -> Any:
        if cursor in self._seen:
            raise RepeatedCursor(
                f"{self._what}: the vendor handed out the same cursor twice",
                hint="what was read is kept as partial; report it to the vendor if it stays",
            )
        self._seen.add(cursor)
        return cursor


def records_of(answer: Any, member: str | None, where: str) -> list[Record]:
    """The list of records in an answer: the answer itself, or its `member`; null counts as empty.

    Raises UnexpectedContent when it is not a list: an error in disguise must not look like an empty estate.
    """
    found = answer if member is None else answer.get(member, ...) if isinstance(answer, dict) else ...
    if found is None:
        return []
    if not isinstance(found, list):
        words = ", ".join(list(answer)[:5]) if isinstance(answer, dict) else type(answer).__name__
        raise UnexpectedContent(
            f"{where}: expected {'a list' if member is None else f'a list {member!r}'}, got {words}",
            hint="the vendor reports an error inside a successful answer; the next sync tries again",
        )
    return found


def next_link_pages(
    api: Api,
    path: str,
    params: Mapping[str, Any] | None = None,
    *,
    member: str = "value",
    link: str = "@odata.nextLink",
    headers: Mapping[str, str] | None = None,
    empty_on: tuple[int, ...] = (),
    scope: str = "default",
) -> Iterator[Page]:
    """Collections whose answers carry an absolute, opaque link to the next page (OData, ARM).

    The link is called verbatim with the same headers; a page may be empty and still have a next one.
    """
    guard = CursorGuard(path)
    url: str | None = path
    while url:
        answer = api.get(url, params, headers, none_on=empty_on)
        if answer is None:
            yield Page([], scope)
            return
        yield Page(records_of(answer, member, path), scope, cursor=masked(url) if url != path else None)
        url, params = answer.get(link) or None, None
        if url:
            guard.follow(url)


def keyset_pages(
    api: Api,
    fetch: Callable[[str | None], list[Record]],
    key: Callable[[Record], str],
    *,
    scope: str = "default",
) -> Iterator[Page]:
    """Collections asked for as "the records after this key, in its order", to the first empty page.

    A short page is no end. An answer that does not move past the last key means the vendor ignored the condition.
    """
    last: str | None = None
    while True:
        records = fetch(last)
        if not records:
            return
        yield Page(records, scope, cursor=last)
        newest = max(key(record) for record in records)
        if last is not None and newest <= last:
            raise RepeatedCursor(
                f"{scope}: the vendor ignored the condition 'after {last}' and started again",
                hint="what was read is kept as partial; check the filter the instance allows",
            )
        last = newest


def offset_pages(
    api: Api,
    fetch: Callable[[int, int], tuple[list[Record], int | None]],
    *,
    size: int,
    scope: str = "default",
) -> Iterator[Page]:
    """Collections asked for by offset and limit: (offset, limit) -> (records, total or None).

    With a total it ends there, without one at the first empty page; a total not reached makes the scope partial.
    """
    offset = 0
    while True:
        records, total = fetch(offset, size)
        yield Page(records, scope, cursor=str(offset), total=total)
        offset += len(records)
        if not records or (total is not None and offset >= total):
            return


def cursor_pages(
    api: Api,
    fetch: Callable[[Any], tuple[list[Record], Any]],
    *,
    first: Any = None,
    scope: str = "default",
) -> Iterator[Page]:
    """Collections whose answers carry an opaque cursor for the next call: cursor -> (records, next cursor or None)."""
    guard = CursorGuard(scope)
    cursor = first
    while True:
        records, following = fetch(cursor)
        yield Page(records, scope, cursor=str(cursor) if cursor is not None else None)
        if following in (None, ""):
            return
        cursor = guard.follow(following)


def link_header_pages(
    api: Api, path: str, params: Mapping[str, Any] | None = None, *, member: str | None = None, scope: str = "default"
) -> Iterator[Page]:
    """Collections paged by the Link header (rel=next)."""
    guard = CursorGuard(path)
    url: str | None = path
    while url:
        with api.response("GET", url, params=params) as response:
            body = api.client.body(response)
            api.client.require_json(response, body)
            following = response.links.get("next", {}).get("url")
        from connector_assets.kit.client import parse_json

        yield Page(records_of(parse_json(body, masked(response.url)), member, path), scope)
        url, params = following, None
        if url:
            guard.follow(url)


@dataclass(frozen=True, slots=True)
class JobState:
    """What a vendor says of an export job. `finished`: no further chunk will come. `failed`: chunks that will not."""

    finished: bool
    chunks: tuple[int, ...] = ()
    failed: tuple[int, ...] = ()
    error: str | None = None
    expected: int | None = None


@dataclass
class ExportJob:
    """An export a vendor prepares in chunks: start it, poll it, fetch each chunk once as it appears.

    `start` returns the job's id and adopts a running duplicate itself; `fetch` returns a chunk's records.
    """

    start: Callable[[], str]
    state: Callable[[str], JobState]
    fetch: Callable[[str, int], list[Record]]
    scope: str = "default"
    poll_seconds: Iterable[float] = field(default_factory=lambda: (0.5, 1, 2, 4, 8, 15, 30))
    limit_seconds: float = 3 * 3600

    def pages(self, api: Api) -> Iterator[Page]:
        """The chunks, in the order in which they become available. A failed or missing chunk makes the scope partial."""
        job = self.start()
        pauses = list(self.poll_seconds)
        fetched: set[int] = set()
        idle = 0
        deadline = time.monotonic() + self.limit_seconds
        while True:
            state = self.state(job)
            fresh = [chunk for chunk in state.chunks if chunk not in fetched]
            for chunk in fresh:
                fetched.add(chunk)
                yield Page(self.fetch(job, chunk), self.scope, cursor=f"chunk {chunk}")
            if state.failed:
                api.partial(
                    f"the vendor could not prepare chunk {', '.join(map(str, state.failed))} of its export", self.scope
                )
            if state.error:
                api.partial(f"the vendor ended the export: {state.error}", self.scope)
            if state.finished and not fresh:
                if state.expected is not None and len(fetched) < state.expected:
                    api.partial(f"only {len(fetched)} of {state.expected} chunks of the export came", self.scope)
                return
            if state.finished:
                continue
            if time.monotonic() > deadline:
                raise BudgetExceeded(
                    f"the export was not ready after {self.limit_seconds / 60:.0f} min",
                    hint="what came is kept as partial; the vendor's export queue is busy, sync at another hour",
                )
            idle = 0 if fresh else idle + 1
            api.client.wait(pauses[min(idle, len(pauses) - 1)])
