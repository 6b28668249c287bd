"""Tables whose columns are made of each other, as SQL in as few steps as that takes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_TEXT = re.compile(r"'(?:[^']|'')*'")
#: No function, no field of a struct, and no name that a field is given.
_NAME = re.compile(r"(?<![\w.])[a-z_]\w*(?![\w(]|\s*:=)")


@dataclass(frozen=True, slots=True)
class Derived:
    """A table with one row a record, whose columns are made of what the record tells and of each other.

    source: what stands behind FROM: records, and `always`, which are columns of all of them. columns: name -> SQL over columns
    of the source and over those before it. A macro copies its argument (see `normalise`), so each column is made once, in a
    SELECT beneath those that read it. Names that begin with `_` are steps on the way, which the table does not have. kept:
    columns of the source that it has.

    A column that reads nothing but what no record tells is not looked for: it is NULL; [] where it is one of `lists`, of
    texts; and what `untold` says where that is something else.
    """

    source: str
    columns: Mapping[str, str]
    lists: frozenset[str] = frozenset()
    untold: Mapping[str, str] = field(default_factory=dict)
    always: tuple[str, ...] = ("product", "instance")
    kept: tuple[str, ...] = ("idx", "room")

    def sql(self, told: Mapping[str, bool]) -> str:
        """The SELECT that gives the table. told: column of a record -> whether any record tells it."""
        silent = {column for column, known in told.items() if not known}
        made: dict[str, str] = {}
        read: dict[str, list[str]] = {}
        step: dict[str, int] = {}
        for column, sql in self.columns.items():
            names = dict.fromkeys(_NAME.findall(_TEXT.sub("", sql)))
            from_records = {name for name in names if name in told or name in made}
            if from_records and from_records <= silent:
                silent.add(column)
                empty = "[]::VARCHAR[]" if column in self.lists else "NULL::VARCHAR"
                names, sql = {}, self.untold.get(column, empty)
            read[column] = [name for name in names if name in {*told, *made, *self.always, *self.kept}]
            step[column] = max((step[name] + 1 for name in read[column] if name in made), default=0)
            made[column] = sql
        columns = [*self.kept, *(column for column in made if not column.startswith("_"))]
        # column -> the last step that reads it
        last = dict.fromkeys(columns, len(made))
        for column in reversed(made):
            if column in last:
                last |= {name: max(last.get(name, 0), step[column]) for name in read[column]}
        query = self.source
        for number in range(1 + max(step[column] for column in made if column in last)):
            carried = [name for name in last if last[name] > number and step.get(name, -1) < number]
            fresh = [f"{sql} AS {name}" for name, sql in made.items() if name in last and step[name] == number]
            query = f"(SELECT {', '.join([*carried, *fresh])} FROM {query})"
        return f"SELECT {', '.join(columns)} FROM {query}"
