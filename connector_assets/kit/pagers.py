"""The ways vendors cut a collection into pages. Each ends on the vendor's own mark and never follows a cursor twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from connector_assets.kit.answers import said_in
from connector_assets.kit.declaration import Page, Record
from connector_assets.kit.errors import BadRequest, RepeatedCursor, RetryLater, UnexpectedContent
from connector_assets.kit.hosts import masked
from connector_assets.kit.lines import Lines

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from connector_assets.kit.api import Api

#: Codes by which Qualys says "not now" with HTTP 200 or 409.
XML_WAIT_CODES = frozenset({"1960", "1965"})


class CursorGuard:
    """Remembers the cursors followed; a repeated one is an error, since it would loop for ever."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._seen: set[Any] = set()

    def follow(self, cursor: Any) -> Any:
        """The cursor. Raises RepeatedCursor when it was followed before."""
        if cursor in self._seen:
            raise RepeatedCursor(
                f"{self._what}: the vendor handed out the same cursor twice, after {len(self._seen)} pages",
                hint="what was read is kept as partial; report it to the vendor if it stays",
            )
        self._seen.add(cursor)
        return cursor


def records_of(answer: Any, member: str | None, where: str, mask: Callable[[str], str] = str) -> list[Record]:
    """As `lines_of`, as a list."""
    found = lines_of(answer, member, where, mask)
    return found if isinstance(found, list) else [*found]


def lines_of(answer: Any, member: str | None, where: str, mask: Callable[[str], str] = str) -> Sequence[Record]:
    """The records in an answer, a list or Lines: the answer itself, or its `member`; null counts as empty.

    `mask` (api.mask) goes over the vendor's words before they are repeated.

    Raises UnexpectedContent when it is not a list: an error in disguise must not look like an empty estate.
    """
    found = answer if member is None else answer.get(member, ...) if isinstance(answer, dict) else ...
    if found is None:
        return []
    if not isinstance(found, list | Lines):
        keys = ", ".join(map(str, list(answer)[:5])) if isinstance(answer, dict) else type(answer).__name__
        said = mask(said_in(answer)) if isinstance(answer, dict) else ""
        raise UnexpectedContent(
            f"{where}: expected {'a list' if member is None else f'a list {member!r}'}, got {keys or 'nothing'}"
            + (f": {said}" if said else ""),
            hint="the vendor reports an error inside a successful answer; the next sync tries again",
        )
    records: Sequence[Record] = found
    return records


def next_link_pages(
    api: Api,
    path: str,
    params: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
    *,
    member: str = "value",
    link: str = "@odata.nextLink",
    empty_on: tuple[int, ...] = (),
    scope: str = "default",
    as_lines: bool = False,
) -> Iterator[Page]:
    """Collections whose answers carry an absolute, opaque link to the next page (OData, ARM).

    The link is called verbatim with the same headers; a page may be empty and still have a next one. A status in
    `empty_on` on the first page means that there are no records. as_lines: for a connector that hands the pages on
    without a look at the records, see `Lines`.
    """
    lines = (member,) if as_lines else None
    guard = CursorGuard(path)
    url: str | None = path
    while url:
        first = url is path
        answer = api.get(url, params, headers, none_on=empty_on if first else (), lines=lines)
        if answer is None and first:
            yield Page([], scope)
            return
        yield Page(lines_of(answer, member, path, api.mask), scope, cursor=None if first else masked(url))
        url, params = answer.get(link) or None, None
        # no pager keeps a page while it asks for the next one, which is parsed into the same memory then
        del answer
        if url:
            guard.follow(url)


odata_pages = next_link_pages


def keyset_pages(
    api: Api,
    fetch: Callable[[str | None], list[Record]],
    key: Callable[[Record], str],
    *,
    scope: str = "default",
) -> Iterator[Page]:
    """Collections asked for as "the records after this key, in its order", to the first empty page.

    A short page is no end. A page that does not move past the last key means that the vendor ignored the condition:
    RepeatedCursor. A page out of order means that it ignored the order, and records may be missing: partial.
    """
    last: str | None = None
    while True:
        records = fetch(last)
        if not records:
            return
        yield Page(records, scope, cursor=last)
        keys = [key(record) for record in records]
        newest = max(keys)
        if last is not None and newest <= last:
            raise RepeatedCursor(
                f"{scope}: the vendor ignored the condition 'after {last}' and started again",
                hint="what was read is kept as partial; check the filter the instance allows",
            )
        if newest != keys[-1]:
            api.partial("the vendor ignored the order asked for, so records may be missing between pages", scope)
        last = newest
        del records


def offset_pages(
    api: Api,
    fetch: Callable[[int, int], tuple[list[Record], int | None]],
    *,
    size: int,
    scope: str = "default",
) -> Iterator[Page]:
    """Collections asked for by offset and limit: (offset, limit) -> (records, total or None).

    With a total it ends there, without one at the first empty page. An empty page before the total makes the scope
    partial; the same page again means that the vendor ignored the offset: RepeatedCursor.
    """
    offset, previous = 0, None
    while True:
        records, total = fetch(offset, size)
        if records and previous == (records[0], records[-1], len(records)):
            raise RepeatedCursor(
                f"{scope}: the vendor ignored the offset {offset} and sent the same page again",
                hint="what was read is kept as partial; report it to the vendor if it stays",
            )
        yield Page(records, scope, cursor=str(offset), total=total)
        offset += len(records)
        if total is not None and offset >= total:
            return
        if not records:
            if total is not None:
                api.partial(f"the vendor claims {total} records but its pages ended after {offset}", scope)
            return
        previous = (records[0], records[-1], len(records))
        del records


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
        yield Page(records, scope, cursor=None if cursor is None else str(cursor)[:200])
        del records
        if following in (None, ""):
            return
        cursor = guard.follow(following)


def link_header_pages(
    api: Api,
    path: str,
    params: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
    *,
    member: str | None = None,
    total_header: str | None = None,
    scope: str = "default",
) -> Iterator[Page]:
    """Collections paged by the Link header (rel=next). `total_header` names the header that claims the total."""
    guard = CursorGuard(path)
    url: str | None = path
    while url:
        answer, response = api.client.json_response("GET", url, params=params, headers=headers)
        total = response.headers.get(total_header, "") if total_header else ""
        yield Page(
            records_of(answer, member, path, api.mask),
            scope,
            cursor=None if url is path else masked(url),
            total=int(total) if total.isdecimal() else None,
        )
        url, params = response.links.get("next", {}).get("url"), None
        del answer, response
        if url:
            guard.follow(url)


def xml_continuation(
    api: Api,
    path: str,
    params: Mapping[str, Any] | None = None,
    *,
    tag: str,
    record: Callable[[Element], Record],
    headers: Mapping[str, str] | None = None,
    batch: int = 1000,
    scope: str = "default",
) -> Iterator[Page]:
    """XML collections that end in a WARNING with the URL of the next part (Qualys): elements `tag`, as `record` reads them.

    A WARNING without URL is no continuation. A SIMPLE_RETURN is the vendor's refusal, also with HTTP 200: one that says
    "not now" raises RetryLater, any other BadRequest, both with the vendor's code and text.
    """
    guard = CursorGuard(path)
    url: str | None = path
    while url:
        current, url = url, None
        records: list[Record] = []
        cursor = None if current is path else masked(current)
        for element in api.stream_xml(current, (tag, "WARNING", "SIMPLE_RETURN"), params=params, headers=headers):
            if element.tag == "SIMPLE_RETURN":
                raise simple_return(api, element, path)
            if element.tag == "WARNING":
                url = (element.findtext("URL") or "").strip() or None
                continue
            records.append(record(element))
            if len(records) >= batch:
                yield Page(records, scope, cursor=cursor)
                records = []
        yield Page(records, scope, cursor=cursor)
        params = None
        if url:
            guard.follow(url)


def simple_return(api: Api, element: Element, path: str) -> Exception:
    code = (element.findtext(".//CODE") or "").strip()
    text = api.mask((element.findtext(".//TEXT") or "").strip())[:300]
    kind = RetryLater if code in XML_WAIT_CODES else BadRequest
    return kind(f"{path}: the vendor refuses with code {code or 'none'}: {text}", hint=api.client.advice("409"))
