"""The records of an answer of either API."""

from __future__ import annotations

from typing import Any

from connector_assets.kit import Api, Record, records_of


def listed(api: Api, answer: Any, member: str, marks: str, what: str) -> list[Record]:
    """The list `member`; none where it is left out and `marks` counts no record. Raises as `records_of`."""
    if isinstance(answer, dict) and member not in answer:
        counts = answer.get(marks)
        if isinstance(counts, dict) and counts.get("totalResources") == 0:
            return []
    return records_of(answer, member, what, api.mask)
