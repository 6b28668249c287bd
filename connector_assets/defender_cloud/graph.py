"""Azure Resource Graph: queries paged by token, a quota told in headers, and silence about what may not be seen."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from connector_assets.kit import Page
from connector_assets.kit.answers import said_in
from connector_assets.kit.errors import BadRequest, BrokenAnswer
from connector_assets.kit.pagers import CursorGuard, records_of

if TYPE_CHECKING:
    from connector_assets.kit.api import Api

PATH = "/providers/Microsoft.ResourceGraph/resources"
#: Resources come and go while they are read; only a larger gap to Azure's own count is a sign of lost rows.
COUNT_TOLERANCE = 0.99
#: Most subscriptions one query may name.
MOST_SUBSCRIPTIONS = 1000
CLOCK = re.compile(r"(\d{1,2}):(\d{2}):(\d{2}(?:\.\d+)?)")
QUOTA_SECONDS = 5.0


def query(table: str, where: tuple[str, ...], columns: str) -> str:
    """A query Azure can page: it keeps `id` and is in its order, without which there is no token and no fixed order."""
    return " | ".join([table, *(f"where {condition}" for condition in where), f"project {columns}", "order by id asc"])


def words(values: tuple[str, ...]) -> str:
    return ", ".join(f"'{value}'" for value in values)


def rows(api: Api, text: str) -> Iterator[Page]:
    """All rows of a query over the configured part of Azure. Call `judge_sight` for what may not be seen."""
    for part in scopes(api):
        yield from _rows(api, text, part)


def scopes(api: Api) -> list[dict[str, Any]]:
    """The parts of the request that say where to look; the whole tenant where nothing is configured."""
    options = api.options
    found: list[dict[str, Any]] = [
        {"subscriptions": list(options.subscriptions[start : start + MOST_SUBSCRIPTIONS])}
        for start in range(0, len(options.subscriptions), MOST_SUBSCRIPTIONS)
    ]
    if options.management_groups:
        found.append({"managementGroups": list(options.management_groups)})
    return found or [{}]


def _rows(api: Api, text: str, part: Mapping[str, Any]) -> Iterator[Page]:
    guard, seen, total = CursorGuard(PATH), 0, 0
    token: str | None = None
    while True:
        paging: dict[str, str] = {"$skipToken": token} if token else {}
        answer, headers = ask(
            api,
            {
                **part,
                "query": text,
                "options": {"resultFormat": "objectArray", "$top": api.options.page_size, **paging},
            },
        )
        found = records_of(answer, "data", PATH, api.mask)
        seen, total = seen + len(found), max(total, as_count(answer.get("totalRecords")))
        yield Page(found, cursor=token[:200] if token else None)
        if headers.get("x-ms-tenant-subscription-limit-hit", "").lower() == "true":
            api.partial(
                "there are more subscriptions than Azure Resource Graph looks into; name them in the option subscriptions"
            )
        token = answer.get("$skipToken") or None
        if not token:
            break
        guard.follow(token)
        wait_for_quota(api, headers)
    # the flag is a text, and "true" also stands beside a token that leads on: it only counts at the end
    if str(answer.get("resultTruncated", "")).lower() == "true":
        api.partial(f"Azure cut the result after {seen} rows and gave no way to the rest")
    elif seen < total * COUNT_TOLERANCE:
        api.partial(f"Azure counts {total} rows, {seen} came")


def ask(api: Api, body: Mapping[str, Any]) -> tuple[Any, Mapping[str, str]]:
    """One query's answer with its headers. Raises BrokenAnswer for one that is no object."""
    version = {"api-version": api.options.resource_graph_version}
    try:
        answer, response = api.client.json_response("POST", PATH, json=body, params=version, safe=True)
    except BadRequest as error:
        said = error.answer.get("error") if isinstance(error.answer, dict) else None
        details = said.get("details") if isinstance(said, dict) else None
        # Azure says in general words that it refuses, and why it does only in their details
        error.message += f"; {api.mask(said_in({'errors': details}))}" if details else ""
        raise
    if not isinstance(answer, dict):
        raise BrokenAnswer(
            "Azure Resource Graph answered with something else than an object", hint="the next sync tries again"
        )
    return answer, response.headers


def wait_for_quota(api: Api, headers: Mapping[str, str]) -> None:
    """Wait where the last answer used the quota up: the next query would be refused."""
    if headers.get("x-ms-user-quota-remaining") == "0":
        told = CLOCK.fullmatch(headers.get("x-ms-user-quota-resets-after", ""))
        hours, minutes, seconds = told.groups() if told else (0, 0, QUOTA_SECONDS)
        api.wait(int(hours) * 3600 + int(minutes) * 60 + float(seconds))


def as_count(value: Any) -> int:
    return value if isinstance(value, int) else 0


def judge_sight(api: Api) -> list[str]:
    """The subscriptions in sight, of those configured; one that is named and not in sight makes the stream partial."""
    visible = {str(found.get("subscriptionId") or "").lower() for found in api.records("subscriptions")} - {""}
    wanted = api.options.subscriptions
    for missing in sorted(set(wanted) - visible):
        api.partial(
            f"subscription {missing} is not in sight: it is gone, or the app registration lost its Reader role there",
            missing,
        )
    return sorted(visible & set(wanted) if wanted else visible)
