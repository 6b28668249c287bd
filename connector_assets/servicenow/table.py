"""The Table API, read by keyset: stable under concurrent writes, and honest about its end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from connector_assets.kit import Api, ConnectorError, Page, Record, RepeatedCursor, records_of


def table_pages(api: Api, table: str, fields: Sequence[str], query: str = "", scope: str = "default") -> Iterator[Page]:
    """Every record of a table (subclasses included) that the user may see, by rising sys_id.

    Access rules remove records after the limit was applied, so a short page is no end; only an empty one is, and an
    access rule that hides a whole page would look like it: then the count of the table says that more must come.

    The vendor ignores a part of a query it does not understand instead of refusing it. The order and the condition are
    therefore checked on every page. Raises RepeatedCursor when they were not honoured.
    """
    last = ""
    seen = 0
    while True:
        parts = [query] if query else []
        if last:
            parts.append(f"sys_id>{last}")
        parts.append("ORDERBYsys_id")
        answer = api.get(
            f"/api/now/table/{table}",
            {
                "sysparm_query": "^".join(parts),
                "sysparm_fields": ",".join(fields),
                "sysparm_limit": api.options.page_size,
                "sysparm_display_value": "false",
                "sysparm_exclude_reference_link": "true",
                "sysparm_no_count": "true",
                "sysparm_suppress_pagination_header": "true",
            },
            none_on=(404,) if last else (),
        )
        records = records_of(answer, "result", table) if answer is not None else []
        if not records:
            check_end(api, table, query, last, seen, scope)
            return
        keys = [str(record.get("sys_id") or "") for record in records]
        if last and min(keys) <= last:
            raise RepeatedCursor(
                f"table {table}: the instance ignored 'sys_id>' and began again after {seen} records",
                hint="what was read is kept as partial; check that the user may query by sys_id",
            )
        seen += len(records)
        last = max(keys)
        yield Page([flat(record) for record in records], scope, cursor=last)


def check_end(api: Api, table: str, query: str, last: str, seen: int, scope: str) -> None:
    """Tell an end from a page whose records are all hidden: by the vendor's own count after the last key.

    The count knows hidden records too, so it proves an end when it is zero and nothing when it is not; then one record
    further on is looked for, and only if there is one the enumeration is not complete.
    """
    condition = "^".join(part for part in (query, f"sys_id>{last}" if last else "") if part)
    try:
        answer = api.get(f"/api/now/stats/{table}", {"sysparm_query": condition, "sysparm_count": "true"})
        left = int(answer["result"]["stats"]["count"])
    except (ConnectorError, TypeError, KeyError, ValueError) as error:
        api.note(f"{table}: the count of the table cannot be read, so hidden records are not counted ({error})")
        return
    if left == 0:
        return
    if left > api.options.page_size:
        api.partial(
            f"{left} records of {table} after {last or 'the start'} did not come: access rules hide a page of them",
            scope,
        )
    else:
        api.note(f"{table}: {left} records are hidden by access rules")


def flat(record: Record) -> Record:
    """References as plain ids, however the instance spells them; '' becomes null."""
    return {key: plain(value) for key, value in record.items()}


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        value = value.get("value")
    return None if value == "" else value
