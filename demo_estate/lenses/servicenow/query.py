"""ServiceNow's encoded queries: conditions joined by ^, and an order. What is not understood is dropped, as there."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

CONDITION = re.compile(
    r"([a-z][a-z0-9_.]*?)(STARTSWITH|ENDSWITH|LIKE|ISEMPTY|ISNOTEMPTY|IN|>=|<=|!=|=|>|<)(.*)", re.DOTALL
)
OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "=": lambda value, wanted: value == wanted,
    "!=": lambda value, wanted: value != wanted,
    ">": lambda value, wanted: value > wanted,
    "<": lambda value, wanted: value < wanted,
    ">=": lambda value, wanted: value >= wanted,
    "<=": lambda value, wanted: value <= wanted,
    "IN": lambda value, wanted: value in wanted.split(","),
    "LIKE": lambda value, wanted: wanted in value,
    "STARTSWITH": lambda value, wanted: value.startswith(wanted),
    "ENDSWITH": lambda value, wanted: value.endswith(wanted),
    "ISEMPTY": lambda value, wanted: not value,
    "ISNOTEMPTY": lambda value, wanted: bool(value),
}


@dataclass(frozen=True, slots=True)
class Condition:
    field: str
    operator: str
    wanted: str

    def holds(self, row: Mapping[str, Any]) -> bool:
        """A column the table does not have makes the condition vanish, not the row."""
        if self.field not in row:
            return True
        value = row[self.field]
        return OPERATORS[self.operator](value["value"] if isinstance(value, dict) else str(value), self.wanted)


@dataclass(frozen=True, slots=True)
class Query:
    """after: the key of a condition `sys_id>`. order: the column of ORDERBY, None without. conditions: all others."""

    after: str
    order: str | None
    conditions: tuple[Condition, ...]


def parse(text: str) -> Query:
    """A query without ^OR and ^NQ, which make the part they stand in be dropped."""
    after, order, conditions = "", None, []
    for part in text.split("^"):
        found = CONDITION.fullmatch(part)
        if part.startswith("ORDERBY"):
            order = part.removeprefix("ORDERBYDESC").removeprefix("ORDERBY")
        elif found and found[1] == "sys_id" and found[2] == ">":
            after = max(after, found[3])
        elif found and not part.startswith(("OR", "NQ")):
            conditions.append(Condition(found[1], found[2], found[3]))
    return Query(after, order, tuple(conditions))
