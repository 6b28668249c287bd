"""The posture API (CSPM): the asset inventory, the config search and alerts.

The list of deleted assets is not read: absence from a whole inventory proves the same, and that list wants a right of its
own and 80 calls a minute at most.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from connector_assets.kit import CursorGuard, Page, UnexpectedContent, records_of
from connector_assets.prisma_cloud.records import read_alerts, read_assets, read_configurations

if TYPE_CHECKING:
    from connector_assets.kit.api import Api

INVENTORY = "/v2/resource/scan_info"
SEARCH, SEARCH_PAGE = "/search/api/v2/config", "/search/config/page"
ALERTS = "/v2/alert"
EVER: Mapping[str, Any] = {"type": "to_now", "value": "epoch"}
CLOSED = ("resolved", "dismissed")
#: Results beyond this the config search leaves out without a word, as a client found.
MOST_RESULTS = 100_000


def ask(api: Api, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """One answer. Every call is a POST that only reads: the GET forms break on long tokens (413, 414)."""
    answer = api.post(path, json=body, safe=True)
    if not isinstance(answer, dict):
        raise UnexpectedContent(
            f"{path}: answered with something else than an object",
            hint="check base_url: it is the API's address (https://api2.eu.prismacloud.io), not the console's (app...)",
        )
    return answer


def count(answer: Mapping[str, Any], name: str) -> int | None:
    """A total the vendor states, None where it states none."""
    told = answer.get(name)
    if isinstance(told, str) and told.isdecimal():
        return int(told)
    return told if isinstance(told, int) and not isinstance(told, bool) else None


def token_in(answer: Mapping[str, Any]) -> str:
    token = answer.get("nextPageToken")
    return token if isinstance(token, str) else ""


def filters(wanted: Mapping[str, Any]) -> list[dict[str, str]]:
    return [{"name": name, "operator": "=", "value": value} for name, values in wanted.items() for value in values]


def assets(api: Api) -> Iterator[Page]:
    """The whole inventory, a snapshot of an hour or two ago; its records carry no date, so no window can apply."""
    guard, seen, token = CursorGuard("asset inventory"), 0, ""
    body = {"timeRange": EVER, "filters": filters(api.options.asset_filters), "limit": api.options.page_size}
    while True:
        answer = ask(api, INVENTORY, {**body, "pageToken": token} if token else body)
        records = records_of(answer, "resources", "asset inventory", api.mask)
        seen += len(records)
        read_assets(records, answer.get("timestamp"))
        yield Page(records, cursor=token[:200] or None, total=count(answer, "totalMatchedCount"))
        token = token_in(answer)
        if not token or not records:
            return
        del answer, records
        guard.follow(token)
        api.progress(f"{seen} assets")


def configurations(api: Api) -> Iterator[Page]:
    """Resources with their own configuration, a scope an API."""
    if not api.options.config_apis:
        api.skip("no config_apis are set: no resource is read in detail")
    for name in api.options.config_apis:
        yield from search(api, name)


def search(api: Api, name: str) -> Iterator[Page]:
    guard, seen, token = CursorGuard(f"config search, {name}"), 0, ""
    size = {"limit": api.options.config_page_size, "withResourceJson": True}
    query = f"config from cloud.resource where api.name = '{name}'"
    order = [{"field": "id", "direction": "asc"}]
    answer = ask(api, SEARCH, {"query": query, **size, "skipResult": False, "sort": order})
    total = count(answer, "totalRows")
    while True:
        # a later page may come wrapped
        inner = answer.get("data")
        page = inner if isinstance(inner, dict) and "items" not in answer else answer
        records = records_of(page, "items", f"config search, {name}", api.mask)
        seen += len(records)
        read_configurations(records, name, api.options.criticality_tag)
        yield Page(records, name, cursor=token[:200] or None, total=total)
        token = token_in(page)
        if not token or not records:
            break
        del answer, inner, page, records
        guard.follow(token)
        api.progress(f"{seen} of {name}")
        answer = ask(api, SEARCH_PAGE, {**size, "pageToken": token})
    if seen >= MOST_RESULTS:
        api.partial(f"the search ends silently after {MOST_RESULTS} results, and {seen} came", name)


def alerts(api: Api) -> Iterator[Page]:
    """All alerts that hold, however old, and those of the window that are closed by now."""
    options = api.options
    yield from alert_pages(api, "open", options.open_alert_statuses, EVER)
    if options.closed_alerts:
        days = api.settings.window_days
        window = EVER if days is None else {"type": "relative", "value": {"unit": "day", "amount": days}}
        yield from alert_pages(api, "closed", CLOSED, window)


def alert_pages(api: Api, scope: str, statuses: tuple[str, ...], window: Mapping[str, Any]) -> Iterator[Page]:
    """The next page is asked for by its token alone: beside anything else the vendor sees a second time window.

    A token is given until a page is empty, sometimes.
    """
    guard, seen, token = CursorGuard(f"alerts, {scope}"), 0, ""
    body: dict[str, Any] = {
        "detailed": True,
        "timeRange": window,
        "filters": filters({"alert.status": statuses}),
        "limit": api.options.alert_page_size,
        "sortBy": ["alertTime:asc"],
    }
    total: int | None = None
    while True:
        answer = ask(api, ALERTS, {"pageToken": token} if token else body)
        total = total if token else count(answer, "totalRows")
        records = records_of(answer, "items", f"alerts, {scope}", api.mask)
        seen += len(records)
        read_alerts(records)
        yield Page(records, scope, cursor=token[:200] or None, total=total)
        token = token_in(answer)
        if not token or not records:
            return
        del answer, records
        guard.follow(token)
        api.progress(f"{seen} alerts")


def probe_assets(api: Api) -> None:
    ask(api, INVENTORY, {"timeRange": EVER, "filters": filters(api.options.asset_filters), "limit": 1})


def probe_search(api: Api) -> None:
    if not api.options.config_apis:
        api.skip("no config_apis are set")
    query = f"config from cloud.resource where api.name = '{api.options.config_apis[0]}'"
    ask(api, SEARCH, {"query": query, "limit": 1, "withResourceJson": False})


def probe_alerts(api: Api) -> None:
    wanted = filters({"alert.status": api.options.open_alert_statuses})
    ask(api, ALERTS, {"detailed": False, "timeRange": EVER, "filters": wanted, "limit": 1})
