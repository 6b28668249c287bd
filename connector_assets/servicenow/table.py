"""The Table API, read by keyset: stable under concurrent writes, and honest about its end."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from itertools import chain, islice, repeat
from operator import ge, itemgetter
from typing import Any

import msgspec

from connector_assets.kit import (
    Api,
    BadRequest,
    BrokenAnswer,
    ConnectorError,
    FixPermission,
    Lines,
    NotFound,
    Page,
    RepeatedCursor,
    RetryLater,
    UnexpectedContent,
    lines_of,
)

#: Where the instance writes down what was deleted; most tables are, some are kept out by an attribute of theirs.
DELETIONS = "sys_audit_delete"
SYS_ID = re.compile(r"[0-9a-f]{32}")
#: Keys in one query: an address may not be much longer than eight kilobytes.
KEYS_A_QUERY = 100
#: A page that was not finished is asked for again, this many times smaller, once.
SMALLER = 10


class Unfinished(RetryLater):
    """The instance gave up in the middle of a page: HTTP 200 with an error beside or instead of the records."""


def changed_pages(
    api: Api, table: str, fields: Sequence[str], query: str = "", scope: str = "default", deleted: Sequence[str] = ()
) -> Iterator[Page]:
    """What a table shows since `api.since`: records that were changed, and those said to be deleted that are there again.

    A changed record that the query does not ask for any more is named as gone. deleted: keys from `deletions`.
    """
    assert api.since is not None
    changed = f"sys_updated_on>={stamp(api.since)}"
    if query:
        for page in table_pages(api, table, ("sys_id",), changed, must_show=False):
            api.remove(str(record["sys_id"]) for record in page.records)
    yield from table_pages(api, table, fields, "^".join(filter(None, (query, changed))), scope, must_show=False)
    keys = iter(deleted)
    while some := list(islice(keys, KEYS_A_QUERY)):
        again = f"sys_idIN{','.join(some)}"
        yield from table_pages(api, table, fields, "^".join(filter(None, (query, again))), scope, must_show=False)


def deletions(api: Api, tables: str) -> list[str]:
    """Keys of the known records deleted since `api.since`, named as gone; none where the user may not read them.

    tables: condition on the table they were deleted from.
    """
    assert api.since is not None
    query = f"{tables}^sys_created_on>={stamp(api.since)}"
    known = api.known()
    keys: list[str] = []
    try:
        for page in table_pages(api, DELETIONS, ("sys_id", "tablename", "documentkey"), query):
            keys += [key for record in page.records if (key := str(record.get("documentkey"))) in known]
    except (FixPermission, NotFound) as error:
        api.note(f"deletions are not readable, so that only the next full pull shows them ({error.message})")
    api.remove(keys)
    return keys


def stamp(moment: datetime) -> str:
    """A time as queries and answers have it: UTC without saying so."""
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def table_pages(
    api: Api, table: str, fields: Sequence[str], query: str = "", scope: str = "default", *, must_show: bool = True
) -> Iterator[Page]:
    """Every record of a table (subclasses included) that the user may see, by rising sys_id.

    The vendor drops a part of a query that it does not understand instead of refusing it, so the order and the condition
    are checked on every page. Access rules remove records after the limit was applied, so a short page is no end, and an
    empty one is only an end when the count of the table leaves no room for a page that is hidden whole.

    must_show: records that exist while none is visible mean a missing right; not so of a few changed ones.
    Raises RepeatedCursor when the condition was ignored, FixPermission when records exist and none is visible.
    """
    last, seen, offset = "", 0, 0
    total: int | None = None
    before: list[str] = []
    while True:
        records, keys = read(table_page(api, table, fields, query, last, offset), tuple(fields))
        count = len(records)
        if before and keys == before and count < api.options.page_size:
            # what answers knows no conditions, such as a recording, and it has more room than records
            api.note(f"{table}: the same {count} records came again when those after them were asked for")
            return
        if before != sorted(before):
            api.partial(f"table {table}: the instance ignored the order asked for, records may be missing", scope)
        before = keys
        if not records:
            if total is None:
                total = table_count(api, table, query)
            # hidden records count as well: no more of them than this can lie ahead
            offset += api.options.page_size
            if offset < total - seen:
                continue
            judge_end(api, table, seen, total, must_show)
            return
        last = checked(table, keys, last, seen)
        seen, offset = seen + count, 0
        yield Page(records, scope, cursor=last)
        # the next page is parsed into the memory of this one
        del records


def table_page(api: Api, table: str, fields: Sequence[str], query: str, last: str, offset: int) -> Sequence[Any]:
    """Records after a key. A page that the instance did not finish in time is asked for again, smaller."""
    size = api.options.page_size
    try:
        return ask(api, table, fields, query, last, offset, size)
    except (RetryLater, BrokenAnswer) as error:
        if offset or size < SMALLER or not gave_up(error):
            raise
        api.progress(f"{table}: the instance did not finish a page in time, a smaller one is tried")
        return ask(api, table, fields, query, last, offset, size // SMALLER)


def gave_up(error: ConnectorError) -> bool:
    """Whether the instance broke off in the middle of a page, which it says with HTTP 200 or 500."""
    return isinstance(error, Unfinished | BrokenAnswer) or "transaction cancelled" in error.message.lower()


def ask(api: Api, table: str, fields: Sequence[str], query: str, last: str, offset: int, size: int) -> Sequence[Any]:
    path = f"/api/now/table/{table}"
    parts = [part for part in (query, f"sys_id>{last}" if last else "", "ORDERBYsys_id") if part]
    params: dict[str, Any] = {
        "sysparm_query": "^".join(parts),
        "sysparm_fields": ",".join(fields),
        "sysparm_limit": size,
        "sysparm_display_value": "false",
        "sysparm_exclude_reference_link": "true",
        "sysparm_no_count": "true",
        # a Link header that repeats a long query is refused by proxies
        "sysparm_suppress_pagination_header": "true",
    }
    if offset:
        params["sysparm_offset"] = offset
    try:
        answer = api.get(path, params, lines=("result",))
    except NotFound as error:
        # version 1 of the API says 404 where version 2 says []
        if "no record" in error.message.lower():
            return []
        raise
    except BadRequest as error:
        if "invalid table" in error.message.lower():
            hint = "activate the plugin that brings the table, or leave the stream out"
            raise NotFound(f"the instance has no table {table}", status=404, url=error.url, hint=hint) from None
        raise
    if answer is None:
        raise BrokenAnswer(f"table {table}: the answer is empty", hint="the next sync tries again")
    trouble = answer.get("error") if isinstance(answer, dict) else None
    result = answer.get("result") if isinstance(answer, dict) else None
    if trouble or isinstance(result, str):
        # the records beside an error are cut somewhere, so none of them is used
        raise Unfinished(
            f"table {table}: {api.mask(words(trouble or result))}",
            hint="what was read is kept as partial; a smaller page_size helps an instance that is slow",
        )
    if isinstance(result, dict) and "sys_id" in result:
        return [result]
    return lines_of(answer, "result", f"table {table}")


def words(trouble: Any) -> str:
    """The vendor's message, at most 300 characters."""
    if isinstance(trouble, dict):
        trouble = " ".join(str(part) for part in (trouble.get("message"), trouble.get("detail")) if part)
    return str(trouble)[:300]


def checked(table: str, keys: list[str], last: str, seen: int) -> str:
    """The key after which the next page begins, once the page is what was asked for."""
    if not keys:
        raise UnexpectedContent(
            f"table {table}: records came without sys_id", hint="give the integration user read access to sys_id"
        )
    if min(keys) <= last:
        raise RepeatedCursor(
            f"table {table}: the instance ignored 'sys_id>' and began again after {seen} records",
            hint="what was read is kept as partial; the user must be allowed to query by sys_id",
        )
    return max(keys)


def keys_of(records: list[Any]) -> list[str]:
    """The keys of the records that have one."""
    try:
        keys = [*map(itemgetter("sys_id"), records)]
    except (KeyError, TypeError):
        keys = [record.get("sys_id") for record in records if isinstance(record, dict)]
    return keys if all(keys) and {str}.issuperset(map(type, keys)) else [str(key) for key in keys if key]


def table_count(api: Api, table: str, query: str) -> int:
    """The table's records by the vendor's own count, hidden ones included; 0 where it cannot be had."""
    params = {"sysparm_count": "true", **({"sysparm_query": query} if query else {})}
    try:
        answer = api.get(f"/api/now/stats/{table}", params)
        return int(answer["result"]["stats"]["count"])
    except (ConnectorError, TypeError, KeyError, ValueError) as error:
        api.note(f"{table}: its count cannot be read, so records hidden by access rules are not known ({error})")
        return 0


def judge_end(api: Api, table: str, seen: int, total: int, must_show: bool = True) -> None:
    """Say what the count leaves open. It is an upper bound: access rules hide records from pages, not from counts."""
    if total and not seen and must_show:
        raise FixPermission(
            f"table {table}: {total} records exist and none is visible",
            status=403,
            hint=api.client.advice("403"),
        )
    if total > seen:
        api.note(f"{table}: {total - seen} of {total} records are hidden by access rules")


class Keyed(msgspec.Struct):
    """What is looked at of a record that is flat."""

    sys_id: str


def read(records: Sequence[Any], fields: tuple[str, ...]) -> tuple[Sequence[Any], list[str]]:
    """The records, flat, and the keys of those that have one. Lines that are flat already are handed on as they are."""
    if isinstance(records, Lines) and has_flat_text(records, fields) and (found := records.glance(Keyed)):
        keys = [one.sys_id for one in found]
        if all(keys):
            return records, keys
    flat_ones = flattened([*records], fields)
    return flat_ones, keys_of(flat_ones)


def has_flat_text(lines: Lines, fields: tuple[str, ...]) -> bool:
    """Whether, for sure, no record holds a reference and every step along one was done."""
    text, count = lines.text or b"", len(lines)
    return text.count(b"{") == count and all(text.count(f'"{name}":'.encode()) == count for name, _, _ in steps(fields))


def flattened(records: list[Any], fields: tuple[str, ...]) -> list[Any]:
    """The records, flat: a page that is so already, as most are, as it came."""
    return records if are_flat(records, fields) else [flat(record, fields) for record in records]


def are_flat(records: list[Any], fields: tuple[str, ...]) -> bool:
    """Whether no record holds a reference, and every step along one was done."""
    if not {dict}.issuperset(map(type, records)):
        return False
    # until Python 3.14 the collector of cycles does not track a dict of texts, numbers and nulls alone: nothing tells it faster
    if any(map(gc.is_tracked, records)) and dict in set(map(type, chain.from_iterable(map(dict.values, records)))):
        return False
    stepped = frozenset(field for field, _, _ in steps(fields))
    return not stepped or all(map(ge, map(dict.keys, records), repeat(stepped)))


def flat(record: Any, fields: tuple[str, ...]) -> Any:
    """References as plain ids, however the instance spells them.

    A step along a reference that was not done is read from the reference itself: its id, and its name where it has one.
    """
    if not isinstance(record, dict):
        return record
    found = {key: plain(value) if isinstance(value, dict) else value for key, value in record.items()}
    for field, reference, part in steps(fields):
        if field in record or reference not in record:
            continue
        given = record[reference]
        if part == "sys_id":
            found[field] = plain(given)
        elif part == "name" and isinstance(given, dict):
            found[field] = given.get("display_value") or None
        elif part == "name" and isinstance(given, str) and not SYS_ID.fullmatch(given):
            found[field] = given or None
    return found


@cache
def steps(fields: tuple[str, ...]) -> tuple[tuple[str, str, str], ...]:
    """(field, reference, part) of the fields that step along a reference."""
    parts = (field.partition(".") for field in fields)
    return tuple((f"{reference}.{part}", reference, part) for reference, dot, part in parts if dot)


def plain(value: Any) -> Any:
    """The value of a field: as it is, or out of {value, link}, {value, display_value} or {display_value, link}."""
    if isinstance(value, dict):
        link = str(value.get("link") or "")
        value = (
            value["value"] if "value" in value else link.rstrip("/").rpartition("/")[2] or value.get("display_value")
        )
    return None if value == "" else value


def probe_table(table: str, api: Api) -> None:
    """The cheapest proof that a table may be read. Raises FixPermission when it holds records and shows none."""
    if not ask(api, table, ("sys_id",), "", "", 0, 1):
        judge_end(api, table, 0, table_count(api, table, ""))
