"""Wiz's GraphQL: errors inside successful answers, half answers, and pages by cursor."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from connector_assets.kit import CursorGuard, Page, lines_of
from connector_assets.kit.errors import (
    BadRequest,
    ConnectorError,
    CursorExpired,
    FixCredentials,
    FixPermission,
    RetryLater,
    UnexpectedContent,
)
from connector_assets.kit.waits import as_number, back_off
from connector_assets.wiz.queries import Query, counted, without

if TYPE_CHECKING:
    from connector_assets.kit.api import Api

PATH = "/graphql"
#: Tries after the first of a question that Wiz answered with "not now".
RETRIES = 4
UNKNOWN_FIELD = re.compile(r"Cannot query field [\"'`]?(\w+)[\"'`]?")
#: What an error says, by its code or in words -> what to do. In this order: the first that fits counts.
KINDS: tuple[tuple[type[ConnectorError], re.Pattern[str]], ...] = (
    (
        FixCredentials,
        re.compile(r"unauthenticated|token.{0,20}expired|invalid.{0,10}token|jwt|not authenticated", re.I),
    ),
    (RetryLater, re.compile(r"rate.?limit|too.?many.?requests|throttl", re.I)),
    (FixPermission, re.compile(r"forbidden|unauthorized|access.?denied|permission|not authorized|scope", re.I)),
    (CursorExpired, re.compile(r"cursor.{0,30}(expired|invalid|not valid)|invalid.{0,20}cursor", re.I)),
    (
        BadRequest,
        re.compile(r"validation|bad_user_input|bad_request|cannot query|unknown (argument|type|field)|syntax", re.I),
    ),
)
#: The HTTP status another vendor would have told the same by; a stream that may be left out is, on 403.
STATUSES: dict[type[ConnectorError], int] = {FixCredentials: 401, FixPermission: 403, RetryLater: 429, BadRequest: 400}
REPORT_TO = "the next sync tries again; ask Wiz with the words above if it stays"


def address(api: Api) -> str:
    """The endpoint: Wiz shows tenants their address with and without /graphql."""
    base = api.base_url.rstrip("/")
    return base if base.endswith(PATH) else base + PATH


def pages(api: Api, query: Query, filters: Mapping[str, Any], scope: str = "default") -> Iterator[Page]:
    """All records of a connection. A half answer, a lost cursor or a count that does not hold makes the scope partial."""
    guard, after, seen = CursorGuard(f"{query.root}, {scope}"), None, 0
    total: int | None = None
    text = text_of(api, query)
    while True:
        variables: dict[str, Any] = {"first": api.options.page_size}
        if after:
            variables["after"] = after
        if filters:
            variables["filterBy"] = filters
        text, answer = ask_tolerant(api, query, text, variables)
        found = connection(api, query, answer, scope)
        nodes = lines_of(found, "nodes", query.root, api.mask)
        if None in nodes:
            listed, nodes = len(nodes), [node for node in nodes if node is not None]
            api.partial(f"Wiz left {listed - len(nodes)} records of a page empty", scope)
        seen += len(nodes)
        claimed = found.get("totalCount")
        if isinstance(claimed, int) and not isinstance(claimed, bool):
            total = claimed
        if found.get("maxCountReached") is True:
            api.partial("Wiz cut the result at its greatest count", scope)
            total = None
        yield Page(nodes, scope, cursor=after[:200] if after else None)
        page = found.get("pageInfo")
        if not isinstance(page, dict) or not isinstance(page.get("hasNextPage"), bool):
            api.partial(f"Wiz did not say after {seen} records whether there are more", scope)
            return
        # the last page has a cursor as well: it leads nowhere
        if page["hasNextPage"] is False:
            break
        after = page.get("endCursor")
        if not isinstance(after, str) or not after:
            api.partial(f"Wiz says after {seen} records that there are more, and gives no cursor to them", scope)
            return
        guard.follow(after)
        api.progress(f"{seen} records")
    if total is not None and seen < total:
        api.partial(f"Wiz counts {total} records, {seen} came", scope)


def text_of(api: Api, query: Query) -> str:
    text = query.text
    if not api.options.project_criticality:
        text = text.replace(" riskProfile { businessImpact }", "")
    return counted(text) if api.options.total_count else text


def ask_tolerant(api: Api, query: Query, text: str, variables: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """(query as it was answered, answer). Fields that this tenant does not know are left out, if they may be."""
    while True:
        try:
            return text, ask(api, text, variables, query.name, lines=("data", query.root, "nodes"))
        except BadRequest as error:
            told = UNKNOWN_FIELD.findall(f"{error.message} {error.answer}")
            unknown = sorted(set(told) & set(query.optional))
            shorter = text
            for field in unknown:
                shorter = without(shorter, field)
            if shorter == text:
                raise
            api.note(f"this tenant does not know {', '.join(unknown)} of {query.root}: left out")
            text = shorter


def ask(
    api: Api,
    text: str,
    variables: Mapping[str, Any] | None = None,
    name: str = "",
    lines: tuple[str, ...] | None = None,
) -> Mapping[str, Any]:
    """One answer with data, maybe beside errors. Raises by what its errors say where there is no data.

    What Wiz refuses for the moment is asked for again, a token it no longer takes is renewed once.
    """
    body: dict[str, Any] = {"query": text, "variables": variables or {}}
    renewed = False
    attempt = 0
    while True:
        answer = api.post(address(api), json=body, safe=True, lines=lines)
        if not isinstance(answer, dict):
            raise UnexpectedContent(
                f"{name or 'Wiz'}: answered with something else than an object",
                hint="check base_url: https://api.<data center>.app.wiz.io/graphql",
            )
        errors = as_errors(answer.get("errors"))
        if not errors or has_data(answer.get("data")):
            return answer
        error = refusal(api, errors, name)
        if isinstance(error, FixCredentials) and not renewed and api.client.renew():
            renewed = True
            continue
        if not isinstance(error, RetryLater) or attempt >= RETRIES:
            raise error
        attempt += 1
        api.wait(error.retry_after if error.retry_after is not None else back_off(attempt))


def connection(api: Api, query: Query, answer: Mapping[str, Any], scope: str) -> Mapping[str, Any]:
    """The connection in an answer; errors beside it make the scope partial. Raises UnexpectedContent without one."""
    data = answer.get("data")
    found = data.get(query.root) if isinstance(data, dict) else None
    if found is None and isinstance(data, dict):
        # the name before the second version, which is a common alias; any other list is of other records
        found = data.get(query.root.removesuffix("V2"))
    errors = as_errors(answer.get("errors"))
    if not isinstance(found, dict):
        raise UnexpectedContent(f"{query.root}: the answer holds no such list", hint=REPORT_TO)
    if errors:
        api.partial(f"Wiz answered in part: {words(api, errors)}", scope)
    return found


def as_errors(value: Any) -> list[Any]:
    if not value:
        return []
    return value if isinstance(value, list) else [value]


def has_data(data: Any) -> bool:
    return isinstance(data, dict) and any(value is not None for value in data.values())


def texts(errors: list[Any]) -> Iterator[str]:
    """Codes and words of errors; the inner exception's words are the telling ones."""
    for error in errors:
        if not isinstance(error, dict):
            yield str(error)
            continue
        more = error.get("extensions")
        extensions = more if isinstance(more, dict) else {}
        inner = extensions.get("exception")
        for value in (
            extensions.get("code"),
            error.get("message"),
            inner.get("message") if isinstance(inner, dict) else None,
        ):
            if value:
                yield str(value)


def words(api: Api, errors: list[Any]) -> str:
    return api.mask("; ".join(dict.fromkeys(texts(errors))))[:300]


def refusal(api: Api, errors: list[Any], name: str) -> ConnectorError:
    """The error for an answer without data. What is not understood counts as passing: Wiz calls most of it INTERNAL."""
    said = " ".join(texts(errors))
    kind = next((kind for kind, pattern in KINDS if pattern.search(said)), RetryLater)
    hint = api.client.advice(str(STATUSES.get(kind, 400)), REPORT_TO)
    return kind(
        f"{name}: Wiz refuses: {words(api, errors)}",
        status=STATUSES.get(kind, 200),
        hint=hint,
        answer=errors,
        retry_after=told_wait(errors),
    )


def told_wait(errors: list[Any]) -> float | None:
    """Seconds that an error asks to wait, in the member that GraphQL gateways use."""
    for error in errors:
        extensions = error.get("extensions") if isinstance(error, dict) else None
        for name in ("retryAfter", "retry_after"):
            value = extensions.get(name) if isinstance(extensions, dict) else None
            seconds = as_number(str(value)) if value is not None else None
            if seconds is not None and seconds > 0:
                return seconds
    return None
