"""The habits of Microsoft Graph: pages by link, page tokens that expire, and batches answered in any order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from connector_assets.kit import Lines, Page, Record
from connector_assets.kit.errors import BadRequest, BrokenAnswer, CursorExpired, NotFound
from connector_assets.kit.pagers import lines_of, next_link_pages, records_of
from connector_assets.kit.waits import as_number, back_off

if TYPE_CHECKING:
    from connector_assets.kit.api import Api

#: Graph's own limit of requests in one batch.
BATCH = 20
#: Times a collection is begun again after its page token expired, and a batch item after it was throttled or failed.
RESTARTS = 2
ITEM_RETRIES = 5
#: Graph gives at most this many related objects with $expand.
EXPANDED = 20
#: Objects come and go while a collection is read; only a larger gap to Graph's own count is a sign of lost pages.
COUNT_TOLERANCE = 0.99
EVENTUAL = {"ConsistencyLevel": "eventual"}
TRANSIENT = frozenset({429, 500, 502, 503, 504})


def collection(
    api: Api, path: str, params: Mapping[str, Any] | None = None, *, counted: bool = False, as_lines: bool = True
) -> Iterator[Page]:
    """All pages of a collection, from its start again when the page token expired (repeated records share their key).

    counted: ask Graph for its own count, an advanced query whose header goes with every page; fewer records than that,
    beyond what comes and goes meanwhile, make the stream partial. as_lines: nobody is to look at the records.
    """
    for restart in range(RESTARTS + 1):
        seen, expected = 0, 0
        try:
            for page, count in _pages(api, path, params, counted, as_lines):
                seen, expected = seen + len(page.records), count or expected
                yield present(page)
        except CursorExpired:
            if restart == RESTARTS:
                raise
            api.note(f"{path}: the page token expired after {seen} records; the collection is read again")
        else:
            if seen < expected * COUNT_TOLERANCE:
                api.partial(f"Graph counts {expected} records of {path}, {seen} came")
            return


def present(page: Page) -> Page:
    """The page without what Graph calls removed: only its delta query does, and recordings of that are replayed here."""
    if isinstance(page.records, Lines) and not page.records.may_name("@removed"):
        return page
    there = [record for record in page.records if not isinstance(record, dict) or "@removed" not in record]
    return page if len(there) == len(page.records) else Page(there, page.scope, page.cursor)


def _pages(
    api: Api, path: str, params: Mapping[str, Any] | None, counted: bool, as_lines: bool
) -> Iterator[tuple[Page, int | None]]:
    """Each page, the first one with Graph's count of the collection where it was asked for."""
    if not counted:
        yield from ((page, None) for page in next_link_pages(api, path, params, as_lines=as_lines))
        return
    answer = api.get(path, {**(params or {}), "$count": "true"}, EVENTUAL, lines=("value",) if as_lines else None)
    count = answer.get("@odata.count") if isinstance(answer, dict) else None
    number = as_number(str(count))
    yield Page(lines_of(answer, "value", path, api.mask)), None if number is None else int(number)
    if following := answer.get("@odata.nextLink"):
        rest = next_link_pages(api, following, headers=EVENTUAL, as_lines=as_lines)
        yield from ((page, None) for page in rest)


def fan_out(api: Api, urls: Iterable[tuple[str, str]], version: str = "v1.0") -> Iterator[list[tuple[str, Record]]]:
    """The collections behind many addresses, asked for in batches: (owner id, record) pairs, one list a batch.

    urls: (owner id, path relative to the root of the version). An owner that is gone meanwhile (404) is left out; one that is
    refused makes the stream partial.
    """
    pending = iter(urls)
    while chunk := list(islice(pending, BATCH)):
        yield list(_batch(api, chunk, f"/{version}"))


def _batch(api: Api, chunk: list[tuple[str, str]], root: str) -> Iterator[tuple[str, Record]]:
    waiting = {str(number): item for number, item in enumerate(chunk)}
    for attempt in range(1, ITEM_RETRIES + 2):
        throttled: dict[str, tuple[str, str]] = {}
        delay = 0.0
        for reply in _replies(api, waiting, root):
            owner, url = waiting[reply.id]
            if reply.status in TRANSIENT:
                throttled[reply.id] = (owner, url)
                delay = max(delay, reply.retry_after or back_off(attempt))
            else:
                yield from _rows(api, owner, f"{root}{url}", reply)
        if not throttled:
            return
        waiting = throttled
        if attempt <= ITEM_RETRIES:
            api.wait(delay)
    api.partial(
        f"Graph kept refusing {len(waiting)} requests of a batch, the first at {next(iter(waiting.values()))[1]}"
    )


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer of a batch."""

    id: str
    status: int
    body: Any
    retry_after: float | None


def _replies(api: Api, waiting: Mapping[str, tuple[str, str]], root: str) -> list[Reply]:
    """The replies to the waiting requests, in Graph's order, which is none. All of them, or BrokenAnswer."""
    requests = [{"id": number, "method": "GET", "url": url} for number, (_, url) in waiting.items()]
    try:
        answer = api.post(f"{root}/$batch", json={"requests": requests}, safe=True)
    except (NotFound, BadRequest) as error:
        if error.status not in (404, 405, 501):
            raise
        return _singly(api, waiting, root)
    replies = []
    for item in records_of(answer, "responses", f"{root}/$batch", api.mask):
        headers = {str(name).lower(): value for name, value in (item.get("headers") or {}).items()}
        wait = as_number(str(headers.get("retry-after", "")))
        replies.append(Reply(str(item.get("id")), int(item.get("status") or 0), item.get("body"), wait))
    if {reply.id for reply in replies} != set(waiting):
        raise BrokenAnswer(
            f"a batch of {len(waiting)} requests was answered with {len(replies)} replies or foreign ids",
            hint="the next sync tries again",
        )
    return replies


def _singly(api: Api, waiting: Mapping[str, tuple[str, str]], root: str) -> list[Reply]:
    """What a gateway or a recording without batches answers to each request alone."""
    replies = []
    for number, (_, url) in waiting.items():
        body = api.get(f"{root}{url}", none_on=(404,))
        replies.append(Reply(number, 404 if body is None else 200, body, None))
    return replies


def _rows(api: Api, owner: str, url: str, reply: Reply) -> Iterator[tuple[str, Record]]:
    if reply.status == 404:
        return
    if reply.status != 200:
        error = reply.body.get("error") if isinstance(reply.body, dict) else None
        code = error.get("code") if isinstance(error, dict) else None
        api.partial(f"Graph refused {url.partition('?')[0]} with {reply.status} {code or ''}".rstrip())
        return
    for record in records_of(reply.body, "value", url, api.mask):
        yield owner, record
    following = reply.body.get("@odata.nextLink")
    if following:
        yield from ((owner, record) for record in _rest(api, url, following))


def _rest(api: Api, url: str, link: str) -> Iterator[Record]:
    """What lies behind a link inside a batch reply: pages are followed outside the batch."""
    try:
        for page in next_link_pages(api, link):
            yield from page.records
    except CursorExpired:
        for page in collection(api, url, as_lines=False):
            yield from page.records
    except NotFound:
        return


def named(records: Iterable[Record]) -> Iterator[Record]:
    """The records that have an id: the others are in quarantine and nothing can be asked of them."""
    return (record for record in records if isinstance(record, dict) and record.get("id"))


def related(api: Api, record: Record, name: str, path: str) -> list[Record]:
    """The objects of an expanded relation; where Graph may have cut them, all of them by a call of their own."""
    given = record.get(name)
    if not given:
        return []
    found = [*named(given if isinstance(given, list) else [given])]
    if len(found) < EXPANDED:
        return found
    try:
        pages = collection(api, path, {"$select": "id"}, as_lines=False)
        return [other for page in pages for other in named(page.records)]
    except NotFound:
        return found
