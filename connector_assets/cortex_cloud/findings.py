"""Vulnerability findings: the snapshot, which a tenant gives ten times in 24 hours, or the search page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec
import orjson

from connector_assets.cortex_cloud.answers import claimed, explained, member, raise_for_error
from connector_assets.cortex_cloud.searches import Ask, search
from connector_assets.cortex_cloud.window import Window, milliseconds
from connector_assets.kit import (
    BrokenAnswer,
    ConnectorError,
    Lines,
    Page,
    Record,
    UnexpectedContent,
    cursor_pages,
    records_of,
)
from connector_assets.kit.bodies import gunzipped, json_line_pages, until_it_breaks
from connector_assets.kit.lines import Absent

if TYPE_CHECKING:
    import requests

    from connector_assets.kit import Api

SNAPSHOT = "/vulnerability-management/v1/vulnerability-finding/snapshot"
SEARCH = "/vulnerability-management/v1/vulnerability-finding/search"


def findings(api: Api) -> Iterator[Page]:
    window = Window.of(api, "last_observed")
    found = snapshot_pages(api) if api.options.findings_source == "snapshot" else search_pages(api)
    yield from window.pages(found)


#: Members of what is no finding, in the spellings seen; looking for others in every key took a third of the pull.
NO_FINDING = ("reply", "err_code", "ERR_CODE")
#: A member of a finding in capitals, see `plain`.
IN_CAPITALS = "PLATFORM_ID"
#: What is a finding, and needs no other names.
Finding = msgspec.defstruct("Finding", [(name, Absent, msgspec.UNSET) for name in (*NO_FINDING, IN_CAPITALS)])


def wanted(api: Api) -> Ask:
    """The filter: findings observed in the window."""
    if api.window_start is None or not api.options.findings_by_last_observed:
        return {"AND": []}
    since = milliseconds(api.window_start)
    return {"AND": [{"SEARCH_FIELD": "LAST_OBSERVED", "SEARCH_TYPE": "GTE", "SEARCH_VALUE": since}]}


def search_pages(api: Api) -> Iterator[Page]:
    """All findings by page tokens. A token ends with time: what was read until then is kept as partial."""
    total: int | None = None

    def fetch(token: str | None) -> tuple[list[Record], Any]:
        nonlocal total
        request: Ask = {"filter": wanted(api), "page_size": api.options.findings_page_size}
        if token:
            request["next_page_token"] = token
        reply = search(api, SEARCH, request, optional=True)
        claim = claimed(reply, filtered=True)
        total = total if claim is None else claim
        found = [plain(record) for record in records_of(reply, member(reply, "data"), SEARCH, api.mask)]
        return found, reply.get(member(reply, "next_page_token"))

    for page in cursor_pages(api, fetch):
        yield Page(page.records, page.scope, cursor=page.cursor, total=total)


def plain(record: Any) -> Any:
    """A finding under names in small letters: the same fields are in capitals where a tenant's own pages ask for them."""
    if isinstance(record, dict) and IN_CAPITALS in record:
        return {name.lower(): value for name, value in record.items()}
    return record


def snapshot_pages(api: Api) -> Iterator[Page]:
    """The snapshot as it comes. Whatever happens, it is not asked for again: that would cost one of ten requests a day.

    An error ends the stream for this sync; what came before it is kept.
    """
    most, seen = api.options.snapshot_limit, 0
    for batch in snapshot(api, most):
        yield Page(batch)
        seen += len(batch)
        api.progress(f"{seen} findings")
    if not seen:
        yield Page([])
    if most is not None and seen >= most:
        api.partial(f"the snapshot ended at the {most} findings asked for: raise the option snapshot_limit")


def snapshot(api: Api, most: int | None) -> Iterator[Sequence[Record]]:
    request: Ask = {"filter": wanted(api)}
    if most is not None:
        request["limit"] = most
    with (
        asked_once(),
        explained(api, SNAPSHOT, optional=True),
        api.response("POST", SNAPSHOT, stream=True, json={"request_data": request}) as response,
    ):
        where = api.client.where(response.url)
        for page in pages_of(api, response, where):
            # nearly every value is a finding by itself
            if isinstance(page, Lines) and page.glance(Finding) is not None:
                yield page
            else:
                found = (record for value in page for record in records_in(api, value, where))
                yield from until_it_breaks(plain(record) for record in found)


@contextmanager
def asked_once() -> Iterator[None]:
    """An error inside is no reason to sync again at once: the quota is gone for hours, not for seconds."""
    try:
        yield
    except ConnectorError as error:
        error.retry_later = False
        raise


def pages_of(api: Api, response: requests.Response, where: str) -> Iterator[Sequence[Any]]:
    """The JSON values of the body: one a line, or, where the tenant says that it is JSON, one altogether."""
    limit = api.settings.budgets.stream_bytes
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if "html" in kind:
        raise UnexpectedContent(
            f"{SNAPSHOT}: a web page where findings were asked for", url=where, hint="check base_url"
        )
    if kind != "application/json":
        yield from json_line_pages(gunzipped(api.client.chunks(response, limit), limit, where), where)
        return
    body = api.client.body(response)
    try:
        whole = orjson.loads(body)
    except orjson.JSONDecodeError:
        # lines under another name
        yield from json_line_pages([body], where)
        return
    yield [whole]


def records_in(api: Api, value: Any, where: str) -> Iterator[Any]:
    """The findings in a value: a list of them, alone or in a reply; one by itself; an error of the tenant raises."""
    if isinstance(value, dict) and value.keys().isdisjoint(NO_FINDING):
        yield value
        return
    if isinstance(value, list):
        yield from value
        return
    reply = value.get("reply") if isinstance(value, Mapping) else None
    if isinstance(reply, list):
        yield from reply
    elif isinstance(reply, Mapping):
        raise_for_error(api, reply, SNAPSHOT)
        yield from records_of(reply, member(reply, "data"), SNAPSHOT, api.mask)
    elif isinstance(value, Mapping) and member(value, "err_code") in value:
        raise_for_error(api, value, SNAPSHOT)
    elif isinstance(value, Mapping):
        yield value
    else:
        raise BrokenAnswer(f"a line holds {type(value).__name__} and no finding", url=where)
