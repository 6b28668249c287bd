"""Advanced hunting: queries whose answers may silently be cut."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from connector_assets.kit import Page, Record
from connector_assets.kit.errors import BadRequest, RetryLater
from connector_assets.kit.pagers import records_of

if TYPE_CHECKING:
    from connector_assets.kit.api import Api

#: Parts that a query is cut into when its answer was, and once more when a part's answer was.
SPLIT = 4
UNKNOWN_TABLE = "failed to resolve table"
#: Words of a refusal that a narrower query may well not meet.
TOO_LARGE = ("exceeded", "timed out", "timeout")


@dataclass(frozen=True, slots=True)
class Hunt:
    """A query over one table. key: KQL expression that names a record; before and after: operators around its cut."""

    table: str
    key: str
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()

    def query(self, number: int, parts: int) -> str:
        """The KQL of one part; all `parts` of them hold every record once."""
        cut = (f"where hash({self.key}, {parts}) == {number}",) if parts > 1 else ()
        return "\n| ".join((self.table, *self.before, *cut, *self.after))

    def pages(self, api: Api) -> Iterator[Page]:
        """The whole answer in one page, or in as many as it takes for none of them to be cut.

        Microsoft ends an answer at 100,000 rows or 50 MB without a word. An answer of that size, or a query that took too
        long, is asked for again in parts by the hash of its key. What cannot be had whole makes the stream partial.
        Raises StreamSkipped where the tenant has no such table.
        """
        waiting: list[tuple[int, int, list[Record]]] = [(0, 1, [])]
        quota = Quota(api)
        while waiting:
            number, parts, before = waiting.pop()
            where = f"{self.table}, part {number + 1} of {parts}"
            found, is_whole = self._ask(api, quota, number, parts)
            if found and ends(found) == ends(before):
                api.partial(
                    f"{where}: the same {len(found)} rows came as for a wider query, so the condition was ignored"
                )
                yield Page(found, cursor=where)
                return
            if is_whole or parts * SPLIT > api.options.hunting_parts:
                if not is_whole:
                    api.partial(f"{where}: {len(found)} rows came and the rest was cut; raise hunting_parts")
                yield Page(found, cursor=where)
                continue
            api.progress(f"{where}: too large for one answer, asked for in {SPLIT} parts")
            waiting += [(number + parts * other, parts * SPLIT, ends(found)) for other in reversed(range(SPLIT))]

    def _ask(self, api: Api, quota: Quota, number: int, parts: int) -> tuple[list[Record], bool]:
        """(rows, whether they are all there are)."""
        options, start = api.options, api.statistics.bytes
        try:
            answer = quota.post({"Query": self.query(number, parts), "Timespan": options.hunting_timespan})
        except BadRequest as error:
            said = error.message.lower()
            if UNKNOWN_TABLE in said:
                api.skip(f"this tenant has no table {self.table}: its licence or the product behind it is missing")
            if any(word in said for word in TOO_LARGE):
                return [], False
            raise
        if answer is None:
            return [], False
        member = "Results" if isinstance(answer, dict) and "Results" in answer else "results"
        rows = records_of(answer, member, self.table, api.mask)
        size = api.statistics.bytes - start
        is_whole = len(rows) < options.hunting_rows and size < options.hunting_megabytes * 1024**2
        return rows, is_whole


class Quota:
    """Posts queries, and waits once for the next window when the processor time of the tenant is used up.

    Microsoft counts it over 15 minutes, together with what people hunt, and does not say when it is free again.
    """

    def __init__(self, api: Api) -> None:
        self._api = api
        self._has_waited = False

    def post(self, body: dict[str, str]) -> Any:
        """The parsed answer, None for a query that took too long. Raises RetryLater after the second window too."""
        path = f"/{self._api.options.api_version}/security/runHuntingQuery"
        try:
            return self._api.post(path, json=body, safe=True, none_on=(504,))
        except RetryLater as error:
            if error.status != 429 or self._has_waited:
                raise
            self._has_waited = True
            self._api.note("hunting was throttled for long; one window of its quota was waited for")
        self._api.wait(60 * self._api.options.quota_minutes)
        return self._api.post(path, json=body, safe=True, none_on=(504,))


def ends(rows: list[Record]) -> list[Record]:
    return [rows[0], rows[-1]] if rows else []
