"""Intune's own habits beside Graph's: throttling dressed as a server error, counts beside pages, no Intune at all."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from connector_assets.kit import Page
from connector_assets.kit.errors import BadRequest, CursorExpired, FixPermission, RetryLater
from connector_assets.kit.hosts import masked
from connector_assets.kit.pagers import CursorGuard, lines_of

if TYPE_CHECKING:
    from connector_assets.kit.api import Api

#: Words of the HTTP 500 by which Intune throttles, and seconds to leave it alone after the kit's own tries are spent.
QUERY_BROKER = "query broker"
BROKER_PAUSES = (30.0, 60.0, 120.0)
#: Words of the HTTP 400 that names a property which this cloud or version does not have.
UNKNOWN_PROPERTY = re.compile(r"property named (?:\\*'|\\+u0027)(\w+)", re.IGNORECASE)
#: Words of the HTTP 400 (403 in some tenants) of a tenant that has no Intune.
NO_INTUNE = "not applicable to target tenant"
RESTARTS = 2
#: Devices enrol and leave while a collection is read; only a larger gap to Intune's own count is a sign of lost pages.
COUNT_TOLERANCE = 0.99


def collection(api: Api, path: str, params: Mapping[str, Any] | None = None) -> Iterator[Page]:
    """All pages, from the start again when the page token expired (repeated records share their key).

    Fewer records than Intune counts, beyond what comes and goes meanwhile, make the stream partial. A tenant without
    Intune makes it skipped.
    """
    for restart in range(RESTARTS + 1):
        seen = expected = 0
        try:
            for page, count in _pages(api, path, params):
                seen, expected = seen + len(page.records), max(expected, count)
                yield page
        except CursorExpired:
            if restart == RESTARTS:
                raise
            api.note(f"{path}: the page token expired after {seen} records; the collection is read again")
        else:
            if seen < expected * COUNT_TOLERANCE:
                api.partial(f"Intune counts {expected} records of {path}, {seen} came")
            return


def _pages(api: Api, path: str, params: Mapping[str, Any] | None) -> Iterator[tuple[Page, int]]:
    """Each page with the count beside it (0 where there is none)."""
    guard = CursorGuard(path)
    url: str | None = path
    while url:
        answer = first_page(api, path, params) if url is path else patient_get(api, url)
        cursor = None if url is path else masked(url)
        count = answer.get("@odata.count") if isinstance(answer, dict) else None
        yield Page(lines_of(answer, "value", path, api.mask), cursor=cursor), count if isinstance(count, int) else 0
        url = answer.get("@odata.nextLink") or None
        if url:
            guard.follow(url)


def first_page(api: Api, path: str, params: Mapping[str, Any] | None) -> Any:
    """The answer to the first call, without the properties that this tenant's Graph does not know."""
    chosen = dict(params or {})
    wanted = str(chosen.get("$select", "")).split(",")
    while True:
        try:
            return patient_get(api, path, chosen)
        except BadRequest as error:
            unknown = UNKNOWN_PROPERTY.search(error.message)
            if unknown is None or unknown[1] not in wanted or unknown[1] == "id":
                raise
            wanted.remove(unknown[1])
            chosen["$select"] = ",".join(wanted)
            api.note(f"{path}: this Graph has no property {unknown[1]}; it is left out")


def patient_get(api: Api, url: str, params: Mapping[str, Any] | None = None, none_on: tuple[int, ...] = ()) -> Any:
    """GET that knows Intune's HTTP 500 for throttling: it waits longer than for a server that merely failed."""
    for pause in (*BROKER_PAUSES, None):
        try:
            return api.get(url, params, none_on=none_on, lines=("value",))
        except RetryLater as error:
            if pause is None or error.status != 500 or QUERY_BROKER not in error.message.lower():
                raise
            api.progress(f"Intune throttles; waiting {pause:.0f} s")
            api.wait(pause)
        except (BadRequest, FixPermission) as error:
            if NO_INTUNE not in error.message.lower():
                raise
            api.skip(f"the tenant has no Intune: {error.message}")
    raise AssertionError("unreachable: the last try returns or raises")
