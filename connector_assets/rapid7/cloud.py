"""The Integrations API of the Insight platform: searches paged by cursor, findings inside the assets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from connector_assets.kit import Api, Page, Record, cursor_pages, records_of
from connector_assets.rapid7.answers import listed

#: Ids in one criterion: it must fit into what the vendor's parser takes.
IDS_IN_CRITERION = 100
#: Findings make assets wide; what is typed at once must fit into memory.
PAGE_RECORDS = 100
SEEN = ("last_scan_end", "last_assessed_for_vulnerabilities")


def path(api: Api, what: str) -> str:
    return f"/vm/{api.options.cloud_version}/integration/{what}"


def assets(api: Api) -> Iterator[Page]:
    """Assets of the window with their findings: those there before it (same), since (new), and gone since (remediated).

    What changed are the assets scanned since, whole and with all their findings. A deleted asset is told by nothing: it stays
    until the next full pull.
    """
    options = api.options
    if api.since is not None and options.asset_filter is not None:
        api.ask_for_everything("what leaves the option asset_filter is not named")
    params: dict[str, Any] = {"includeSame": "true", "includeUniqueIdentifiers": "true"}
    body: dict[str, str] = {}
    since = stamp(api.window_start)
    criterion = options.asset_filter
    if criterion is None and (seen_after := stamp(api.since) or since):
        criterion = f"last_scan_end > {seen_after}"
    if criterion:
        body["asset"] = criterion
    if options.vulnerability_filter:
        body["vulnerability"] = options.vulnerability_filter
    if options.remediated and since:
        params["comparisonTime"] = since
    for page in search(api, "assets", params, body, options.page_size):
        for record in page.records:
            if isinstance(record, dict):
                record["last_seen"] = last_seen(record)
        for start in range(0, len(page.records) or 1, PAGE_RECORDS):
            yield Page(page.records[start : start + PAGE_RECORDS], cursor=page.cursor)
        # the next page is parsed into the memory of this one
        del page


def stamp(moment: datetime | None) -> str | None:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def last_seen(asset: Record) -> str | None:
    """The newer of its last scan and its agent's last assessment."""
    return max((str(asset[name]) for name in SEEN if asset.get(name)), default=None)


def search(api: Api, what: str, params: dict[str, Any], body: dict[str, str], size: int) -> Iterator[Page]:
    """Every page of a search; it ends where the vendor gives no cursor, never at a count or a short page.

    An answer without metadata says neither that there is more nor that this is all: a full page of it is kept as partial.
    A cursor given a second time, after as many records as the vendor counts, is the end too.
    """
    seen, followed = 0, {""}

    def fetch(cursor: str | None) -> tuple[list[Record], str | None]:
        place = {"page": 0} if cursor is None else {"cursor": cursor}
        answer = api.post(path(api, what), json=body, params={**params, "size": size, **place}, safe=True)
        records = listed(api, answer, "data", "metadata", what)
        nonlocal seen
        metadata = answer.get("metadata")
        if not isinstance(metadata, dict):
            if len(records) >= size:
                api.partial(f"{what}: a full page came without metadata, which would say whether there is more")
            return records, None
        following, total = str(metadata.get("cursor") or ""), metadata.get("totalResources")
        if following in followed and isinstance(total, int) and seen >= total:
            return [], None
        seen += len(records)
        followed.add(following)
        return records, following or None

    return cursor_pages(api, fetch, scope="default")


#: Remediated first: where a finding is named twice, the one that is open is the one to keep.
GROUPS = (("remediated", "fixed"), ("same", "open"), ("new", "open"))


def findings_of(asset: Record) -> Iterator[tuple[str, list[Any]]]:
    """(state, findings) of an asset's three lists."""
    for group, state in GROUPS:
        found = asset.get(group)
        if found and isinstance(found, list):
            yield state, found


def leave_findings(asset: Record) -> None:
    """Take the findings out of an asset."""
    for group, _ in GROUPS:
        asset.pop(group, None)


def vulnerabilities(api: Api, ids: Sequence[str] | None) -> Iterator[Page]:
    """The vulnerabilities with these ids, or all of them."""
    find = partial(search, api, "vulnerabilities", {}, size=api.options.vulnerability_page_size)
    if ids is None:
        yield from find({})
        return
    # how a quote inside an id would be written is not known
    asked = [name for name in ids if "'" not in name]
    for start in range(0, len(asked), IDS_IN_CRITERION):
        names = ",".join(f"'{name}'" for name in asked[start : start + IDS_IN_CRITERION])
        yield from find({"vulnerability": f"id IN [{names}]"})


def probe(what: str, api: Api) -> None:
    records_of(api.post(path(api, what), json={}, params={"size": 1, "page": 0}, safe=True), "data", what)
