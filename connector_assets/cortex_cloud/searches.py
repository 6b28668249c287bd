"""Cortex Cloud's searches by window: from and to of an ordered list."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from connector_assets.cortex_cloud.answers import claimed, count, explained, list_name, reply_of
from connector_assets.kit import Page, Record, RetryLater, offset_pages, records_of
from connector_assets.kit.waits import back_off

if TYPE_CHECKING:
    from connector_assets.kit import Api

Ask = dict[str, Any]
#: Tries after the first of a search that a tenant answered with "not now" and HTTP 200.
RETRIES = 4


def search_pages(
    api: Api,
    path: str,
    size: int,
    request: Ask,
    plain: Callable[[Any], Any],
    *,
    scope: str = "default",
    optional: bool = False,
) -> Iterator[Page]:
    """All records of a search in a fixed order. Fewer than its count, or a count that falls, make the scope partial."""
    most = 0
    before: list[Record] | None = None

    def fetch(start: int, length: int) -> tuple[list[Record], int | None]:
        nonlocal most, before
        reply = search(api, path, {**request, "search_from": start, "search_to": start + length}, optional=optional)
        total = claimed(reply, filtered=bool(request.get("filters")))
        if total is not None and total < most:
            # what went from before the window moved the rest up: one of them may have slipped through
            api.partial(f"the list shrank from {most} to {total} records while it was read", scope)
        most = max(most, total or 0)
        found = records_of(reply, list_name(reply), path, api.mask)
        if total is None and found == before and len(found) < length:
            # what answers knows no windows, such as a recording, and it has more room than records
            api.note(f"{path}: the same {len(found)} records came again when those after them were asked for")
            return [], None
        before = found
        beyond = count(reply, "total_count")
        if total is None and beyond is not None and start + len(found) >= beyond:
            # older answers count without the filter: where even those have come, none is missing
            total = start + len(found)
        return [plain(record) for record in found], total

    yield from offset_pages(api, fetch, size=size, scope=scope)


def search(api: Api, path: str, request: Ask, *, optional: bool = False) -> Mapping[str, Any]:
    """One reply of a search. Asking again does no harm, so that a "not now" inside a successful answer is waited for too."""
    with explained(api, path, optional=optional):
        for attempt in range(1, RETRIES + 1):
            try:
                return reply_of(api, api.post(path, json={"request_data": request}, safe=True), path)
            except RetryLater as error:
                # one that came as an HTTP status was waited for by the client
                if error.url is not None:
                    raise
                api.wait(back_off(attempt))
        return reply_of(api, api.post(path, json={"request_data": request}, safe=True), path)
