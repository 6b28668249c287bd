"""Azure Resource Graph: queries paged by token, a quota told in headers, and silence about what may not be seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from connector_assets.kit import Page
from connector_assets.kit.answers import said_in
from connector_assets.kit.errors import BadRequest, BrokenAnswer
from connector_assets.kit.pagers import CursorGuard, lines_of
from connector_assets.kit.waits import as_clock

if TYPE_CHECKING:
    from connector_assets.kit.api import Api

PATH = "/providers/Microsoft.ResourceGraph/resources"
#: Resources come and go while they are read; only a larger gap to Azure's own count is a sign of lost rows.
COUNT_TOLERANCE = 0.99
#: Most subscriptions one query may name.
MOST_SUBSCRIPTIONS = 1000
#: The window of the quota, for an answer that does not tell when it ends.
QUOTA_SECONDS = 5.0
#: Code of the refusal of a page beyond 16 MB, and by how much pages are made smaller then.
TOO_LARGE, SHRINK = "responsepayloadtoolarge", 4
#: A query over named subscriptions leaves out the roles that were given further up, unless it is asked for them.
INHERITED = {"authorizationScopeFilter": "AtScopeAboveAndBelow"}


def query(table: str, where: tuple[str, ...], columns: str) -> str:
    """A query Azure can page: it keeps `id` and is in its order, without which there is no token and no fixed order."""
    return " | ".join([table, *(f"where {condition}" for condition in where), f"project {columns}", "order by id asc"])


def words(values: tuple[str, ...]) -> str:
    return ", ".join(f"'{value}'" for value in values)


def either(path: str, values: tuple[str, ...]) -> str:
    """A condition on a property that some answers spell with a capital and others without."""
    parent, _, name = path.rpartition(".")
    spellings = (name[0].upper() + name[1:], name[0].lower() + name[1:])
    return " or ".join(f"tostring({parent}.{spelling}) in~ ({words(values)})" for spelling in spellings)


def rows(api: Api, text: str, options: Mapping[str, Any] | None = None) -> Iterator[Page]:
    """All rows of a query over the configured part of Azure. Call `judge_sight` for what may not be seen.

    options: further options of the query, where subscriptions or management groups are named.
    """
    for part in scopes(api):
        yield from _rows(api, text, part, options if part and options else {})


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


def _rows(api: Api, text: str, part: Mapping[str, Any], more: Mapping[str, Any]) -> Iterator[Page]:
    """As `rows`, of one part; from its start again with smaller pages where a page is more than Azure can answer with."""
    size = api.options.page_size
    while True:
        try:
            yield from _rows_by(api, text, part, more, size)
            return
        except BadRequest as error:
            if TOO_LARGE not in error.message.lower().replace(" ", "") or size == 1:
                raise
            size = max(1, size // SHRINK)
            api.note(f"{size} rows a page from here on: Azure cannot answer with more of them at once")


def _rows_by(api: Api, text: str, part: Mapping[str, Any], more: Mapping[str, Any], size: int) -> Iterator[Page]:
    guard, seen, total = CursorGuard(PATH), 0, 0
    token: str | None = None
    while True:
        paging: dict[str, str] = {"$skipToken": token} if token else {}
        options = {"resultFormat": "objectArray", "$top": size, **more, **paging}
        answer, headers = ask(api, {**part, "query": text, "options": options})
        found = lines_of(by_name(answer), "data", PATH, api.mask)
        seen, total = seen + len(found), max(total, as_count(answer.get("totalRecords")))
        yield Page(found, cursor=token[:200] if token else None)
        if headers.get("x-ms-tenant-subscription-limit-hit", "").lower() == "true":
            api.partial(
                "there are more subscriptions than Azure Resource Graph looks into; name them in the option subscriptions"
            )
        wait_for_quota(api, headers)
        token = answer.get("$skipToken") or None
        if not token:
            break
        guard.follow(token)
    # the flag is a text, and "true" also stands beside a token that leads on: it only counts at the end
    if str(answer.get("resultTruncated", "")).lower() == "true":
        api.partial(f"Azure cut the result after {seen} rows and gave no way to the rest")
    elif seen < total * COUNT_TOLERANCE:
        api.partial(f"Azure counts {total} rows, {seen} came")


def ask(api: Api, body: Mapping[str, Any]) -> tuple[Any, Mapping[str, str]]:
    """One query's answer with its headers. Raises BrokenAnswer for one that is no object."""
    version = {"api-version": api.options.resource_graph_version}
    try:
        answer, response = api.client.json_response("POST", PATH, json=body, params=version, safe=True, lines=("data",))
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


def by_name(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """The answer with rows as objects: the older form names the columns once and gives values in their order."""
    data = answer.get("data")
    if not (isinstance(data, dict) and isinstance(data.get("columns"), list) and isinstance(data.get("rows"), list)):
        return answer
    names = [str(column.get("name") if isinstance(column, dict) else column) for column in data["columns"]]
    return {**answer, "data": [dict(zip(names, row, strict=False)) for row in data["rows"]]}


def wait_for_quota(api: Api, headers: Mapping[str, str]) -> None:
    """Wait where the last answer used the quota up: the next query, of whichever stream, would be refused."""
    if headers.get("x-ms-user-quota-remaining", "").strip() == "0":
        told = as_clock(headers.get("x-ms-user-quota-resets-after"))
        api.wait(QUOTA_SECONDS if told is None else told)


def as_count(value: Any) -> int:
    return value if isinstance(value, int) else 0


def judge_sight(api: Api) -> list[str]:
    """The subscriptions in sight, of those configured; one that is named and not in sight makes the stream partial."""
    visible = {str(found.get("subscriptionId") or "").lower(): found for found in api.records("subscriptions")}
    visible.pop("", None)
    wanted = api.options.subscriptions
    for missing in sorted(set(wanted) - visible.keys()):
        api.partial(
            f"subscription {missing} is not in sight: it is gone, or the app registration lost its Reader role there",
            missing,
        )
    # a deleted one is listed for weeks and answers no more
    alive = {ident for ident, found in visible.items() if str(found.get("state") or "").lower() != "deleted"}
    return sorted(alive & set(wanted) if wanted else alive)


def below_management_groups(api: Api) -> set[str]:
    """Subscriptions below the configured management groups."""
    text = query("resourcecontainers", ("type =~ 'microsoft.resources/subscriptions'",), "id, subscriptionId")
    part = {"managementGroups": list(api.options.management_groups)}
    pages = _rows(api, text, part, {})
    return {str(row.get("subscriptionId") or "").lower() for page in pages for row in page.records} - {""}
