"""What lies within the window, and what a scope still owes when the rest is left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from connector_assets.kit import Lines, Page, Record

if TYPE_CHECKING:
    from connector_assets.kit import Api

#: Beyond this a number is milliseconds: in seconds it would be the year 5138.
MILLISECONDS_FROM = 100_000_000_000


def milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def as_milliseconds(told: Any) -> float | None:
    """Milliseconds since 1970 of what a field says: a number or a text of it, seconds or milliseconds, or ISO 8601."""
    if isinstance(told, bool) or told is None:
        return None
    try:
        value = float(told)
    except (TypeError, ValueError):
        try:
            moment = datetime.fromisoformat(str(told))
        except ValueError:
            return None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return None if moment.year == 1 else moment.timestamp() * 1000
    if value <= 0:
        return None
    return value if value >= MILLISECONDS_FROM else value * 1000


@dataclass(slots=True)
class Window:
    """Records active since a moment; None: all of them. `left_out` counts the others."""

    start: float | None
    field: str
    left_out: int = 0

    @classmethod
    def of(cls, api: Api, field: str) -> Window:
        return cls(None if api.window_start is None else milliseconds(api.window_start), field)

    def keep(self, records: Sequence[Record]) -> Sequence[Record]:
        """The records within the window. One that does not say when it was active, or in no way we read, is."""
        if self.start is None or (isinstance(records, Lines) and self.holds(records)):
            return records
        kept = [record for record in records if not self.is_before(record)]
        self.left_out += len(records) - len(kept)
        return kept

    def holds(self, lines: Lines) -> bool:
        """Whether all of them say in milliseconds that they are within the window. False where it takes a closer look."""
        seen = lines.glance(msgspec.defstruct("Seen", [(self.field, int)]))
        least = max(self.start or 0, MILLISECONDS_FROM)
        return seen is not None and all(getattr(one, self.field) >= least for one in seen)

    def is_before(self, record: Any) -> bool:
        if not isinstance(record, dict) or self.start is None:
            return False
        told = record.get(self.field)
        if type(told) is not int or told < MILLISECONDS_FROM:
            told = as_milliseconds(told)
        return told is not None and told < self.start

    def pages(self, found: Iterator[Page]) -> Iterator[Page]:
        """The pages without what lies before the window; a claimed total is less by what was left out."""
        for page in found:
            kept = self.keep(page.records)
            total = None if page.total is None else max(0, page.total - self.left_out)
            yield Page(kept, page.scope, cursor=page.cursor, total=total)
