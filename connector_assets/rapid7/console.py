"""The API of an own console: pages by number without a snapshot, findings asset by asset."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from connector_assets.kit import (
    Api,
    BadRequest,
    FixConfiguration,
    FixPermission,
    NotFound,
    Page,
    Record,
    RepeatedCursor,
    UnexpectedContent,
    records_of,
)
from connector_assets.rapid7.answers import listed

#: The list of vulnerabilities is the whole catalogue, some 300 pages: fewer than this are asked for one by one.
BY_ID_MOST = 300
CLOUD_HOST = ".api.insight.rapid7.com"
VULNERABLE = "vulnerable"
EXCEPTION = "EXCEPTION"
CRITICALITY = "criticality"
#: Levels of a console, the highest first: an asset that bears several has that one.
LEVELS = ("very high", "high", "medium", "low", "very low")
#: Results of a check that is otherwise vulnerable: here nothing was found.
NO_RESULT = frozenset({"not-vulnerable", "unknown", "no-results", "invulnerable", "skipped", "error"})


def path(api: Api, what: str) -> str:
    """Raises FixConfiguration where no console is configured: its user must not be shown to the cloud."""
    if CLOUD_HOST in api.base_url:
        raise FixConfiguration(
            f"{api.instance}: api: console needs the address of the console",
            hint="set base_url, such as https://console.example:3780, and ca_file where its certificate is self-signed",
        )
    return f"/api/{api.options.console_version}/{what}"


def pages(api: Api, what: str, size: int, *, sort: str | None = None, kind: str | None = None) -> Iterator[Page]:
    """Every page of a collection, to the one without a link to a next one.

    The console takes no snapshot: what is removed while it is read moves the rest forward, past the next page.
    """
    number, total, previous = 0, None, None
    while True:
        params: dict[str, Any] = {"page": number, "size": size}
        if sort:
            params["sort"] = sort
        if kind:
            params["type"] = kind
        try:
            answer = api.get(path(api, what), params)
        except NotFound:
            if number == 0:
                raise
            # the collection shrank by a page, and a page beyond the last one is not found
            api.partial(f"{what}: the console removed records while they were read, some may be missing")
            return
        records = listed(api, answer, "resources", "page", what)
        first = records[0] if records else None
        if first is not None and first == previous:
            raise RepeatedCursor(
                f"{what}: the console ignored page {number} and sent the same one again",
                hint="what was read is kept as partial; report it to the vendor if it stays",
            )
        previous = first
        yield Page(records, cursor=str(number))
        page = answer.get("page") if isinstance(answer.get("page"), dict) else {}
        known = page.get("totalResources")
        if isinstance(known, int):
            if total is not None and known < total:
                api.partial(f"{what}: the console removed records while they were read, some may be missing")
            total = known
        if not has_next(answer, page, number):
            return
        number += 1


def has_next(answer: Record, page: Record, number: int) -> bool:
    """By the vendor's link; by its number of pages where it gives no links."""
    links = answer.get("links")
    relations = {str(link.get("rel")) for link in links if isinstance(link, dict)} if isinstance(links, list) else set()
    if relations & {"next", "first", "last", "prev"}:
        return "next" in relations
    count = page.get("totalPages")
    return isinstance(count, int) and number + 1 < count


def assets(api: Api) -> Iterator[Page]:
    """Every asset of the console, by rising id, with `last_seen`, the newest date of its history, and its criticality tag."""
    levels = criticality_levels(api) if api.options.criticality_tags else {}
    for page in pages(api, "assets", api.options.page_size, sort="id,asc"):
        yield Page([described(r, levels) for r in page.records], "default", page.cursor)


def described(record: Any, levels: Mapping[str, str]) -> Any:
    if not isinstance(record, dict):
        return record
    found = {**record, "last_seen": last_seen(record)}
    level = levels.get(str(record.get("id")))
    return {**found, "tags": [{"name": level, "type": CRITICALITY}]} if level else found


def criticality_levels(api: Api) -> dict[str, str]:
    """Asset id -> the name of its criticality tag. A console's assets come without tags: those of this type are asked for
    their assets, one call a level."""
    levels: dict[str, str] = {}
    try:
        # some consoles may not know the parameter
        tags = [
            tag
            for page in pages(api, "tags", api.options.vulnerability_page_size, kind=CRITICALITY)
            for tag in page.records
            if isinstance(tag, dict) and str(tag.get("type")).lower() == CRITICALITY and tag.get("id") is not None
        ]
        for tag in sorted(tags, key=rank):
            what = f"tags/{quote(str(tag['id']), safe='')}/assets"
            for reference in records_of(api.get(path(api, what)), "resources", what, api.mask):
                bearer = reference.get("id") if isinstance(reference, dict) else reference
                levels.setdefault(str(bearer), str(tag.get("name")))
    except (BadRequest, FixPermission, NotFound, RepeatedCursor, UnexpectedContent) as error:
        api.note(f"criticality tags cannot be read, so that the assets have no criticality ({error.message})")
    return levels


def rank(tag: Record) -> int:
    name = str(tag.get("name")).lower()
    return LEVELS.index(name) if name in LEVELS else len(LEVELS)


def last_seen(asset: Record) -> str | None:
    """The newest scan or import: a person who excepts a finding from the counts writes into the history too."""
    history = asset.get("history")
    events = [h for h in history if isinstance(h, dict) and h.get("date")] if isinstance(history, list) else []
    return max((str(h["date"]) for h in events if EXCEPTION not in str(h.get("type")).upper()), default=None)


def asset_findings(api: Api, asset: Record) -> Iterator[Record]:
    """What an asset is vulnerable to, a record a place, with `first_found` and `status` as the cloud names them."""
    identifier = quote(str(asset.get("id")), safe="")
    try:
        for page in pages(api, f"assets/{identifier}/vulnerabilities", api.options.vulnerability_page_size):
            for finding in page.records:
                if isinstance(finding, dict) and str(finding.get("status")).lower().startswith(VULNERABLE):
                    yield from places(asset, finding)
    except NotFound:
        api.note("an asset was removed while findings were read")


def places(asset: Record, finding: Record) -> Iterator[Record]:
    results = finding.get("results")
    found = (
        [r for r in results if isinstance(r, dict) and r.get("status") not in NO_RESULT]
        if isinstance(results, list)
        else []
    )
    for result in found or [{}]:
        yield {
            "vulnerability_id": finding.get("id"),
            "check_id": result.get("checkId"),
            "status": result.get("status") or finding.get("status"),
            "port": result.get("port"),
            "protocol": result.get("protocol"),
            "key": result.get("key"),
            "first_found": result.get("since") or finding.get("since"),
            "last_found": asset.get("last_seen"),
        }


def vulnerabilities(api: Api, ids: Sequence[str] | None) -> Iterator[Page]:
    """The vulnerabilities with these ids, or all of them. Many are read from the whole list: those are fewer calls."""
    if ids is not None and len(ids) <= BY_ID_MOST:
        found = (one(api, name) for name in ids)
        yield Page([record for record in found if record is not None])
        return
    wanted = None if ids is None else frozenset(ids)
    for page in pages(api, "vulnerabilities", api.options.vulnerability_page_size):
        kept = [r for r in page.records if wanted is None or not isinstance(r, dict) or r.get("id") in wanted]
        yield Page(kept, cursor=page.cursor)


def one(api: Api, name: str) -> Record | None:
    """A vulnerability; None where the console has no document of that id."""
    found: Record | None = api.get(path(api, f"vulnerabilities/{quote(name, safe='')}"), none_on=(404,))
    return found


def probe(what: str, api: Api) -> None:
    records_of(api.get(path(api, what), {"page": 0, "size": 1}), "resources", what)
