"""Conditions as data: tests of columns and JSON properties, read from YAML, turned into SQL. See criticality/rules.yaml."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator


class ConditionError(ValueError):
    """A rule cannot be applied; the message says which, and what was expected."""


class Condition(BaseModel):
    """One test of a column or a property, or several combined."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str | None = None
    property: str | None = None
    is_: bool | int | float | str | None = Field(default=None, alias="is")
    in_: tuple[str, ...] | None = Field(default=None, alias="in")
    at_least: float | None = None
    matches: str | None = None
    has: str | None = None
    any: tuple[Condition, ...] | None = None
    all: tuple[Condition, ...] | None = None

    @field_validator("matches")
    @classmethod
    def _is_pattern(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                re.compile(value)
            except re.error as error:
                raise ValueError(f"{value!r} is no regular expression: {error}") from None
            if re.search(r"\(\?<?[=!]|\\[1-9]", value):
                raise ValueError(f"{value!r} looks around or back, which DuckDB's regular expressions cannot")
        return value

    @model_validator(mode="after")
    def _one_meaning(self) -> Condition:
        subjects = [self.column, self.property, self.any, self.all]
        if sum(subject is not None for subject in subjects) != 1:
            raise ValueError("expected exactly one of column, property, any, all")
        tests = self.tests()
        if self.any is None and self.all is None and len(tests) != 1:
            raise ValueError("expected exactly one of is, in, at_least, matches, has")
        if (self.any is not None or self.all is not None) and (tests or not (self.any or self.all)):
            raise ValueError("any and all hold a list of conditions and no test of their own")
        if self.property is not None and not re.fullmatch(r"[\w.-]+", self.property):
            raise ValueError("property: expected a path such as serviceNowCmdbAssetInfo.sysClassName")
        return self

    def tests(self) -> list[str]:
        """Names of the tests it makes."""
        found = {"is": self.is_, "in": self.in_, "at_least": self.at_least, "matches": self.matches, "has": self.has}
        return [name for name, value in found.items() if value is not None]

    def columns(self) -> list[str]:
        """Columns it reads, also in its parts."""
        own = [self.column] if self.column else []
        return own + [name for part in (*(self.any or ()), *(self.all or ())) for name in part.columns()]


def condition_sql(condition: Condition, columns: dict[str, str], rule: str) -> str:
    """The condition as SQL, true or false, over a relation with `columns` (name -> DuckDB type).

    Raises:
        ConditionError: it reads a column that the relation does not have.
    """
    if condition.any is not None or condition.all is not None:
        word = " OR " if condition.any is not None else " AND "
        parts = condition.any if condition.any is not None else condition.all or ()
        return "(" + word.join(condition_sql(part, columns, rule) for part in parts) + ")"
    if condition.property is not None:
        path = "$." + ".".join(f'"{part}"' for part in condition.property.split("."))
        found = f"json_extract(properties, {_text(path)})"
        text = f"json_extract_string(properties, {_text(path)})"
        as_list = f"CASE WHEN json_type({found}) = 'ARRAY' THEN json_extract_string({found}, '$[*]') ELSE [{text}] END"
        return _test(condition, text, as_list)
    name = condition.column or ""
    if name not in columns:
        raise ConditionError(f"rule {rule!r} reads column {name!r}: {known_columns(name, columns)}")
    column = '"' + name + '"'
    as_list = column if columns[name].endswith("[]") else f"[CAST({column} AS VARCHAR)]"
    return _test(condition, f"CAST({column} AS VARCHAR)", as_list)


def known_columns(name: str, columns: Collection[str]) -> str:
    """What to write instead of a column that is not there."""
    near = difflib.get_close_matches(name, columns, 1)
    return f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(sorted(columns))}"


def _test(condition: Condition, text: str, as_list: str) -> str:
    if condition.matches is not None:
        test = f"len(list_filter({as_list}, lambda v: regexp_matches(v, {_text('(?i)' + condition.matches)}))) > 0"
    elif condition.has is not None:
        test = f"len(list_filter({as_list}, lambda v: lower(v) = {_text(condition.has.lower())})) > 0"
    elif condition.at_least is not None:
        test = f"TRY_CAST({text} AS DOUBLE) >= {condition.at_least}"
    elif condition.in_ is not None:
        test = f"lower({text}) IN ({', '.join(_text(value.lower()) for value in condition.in_)})"
    else:
        value: Any = condition.is_
        test = f"lower({text}) = {_text(str(value).lower())}"
    return f"coalesce({test}, false)"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
