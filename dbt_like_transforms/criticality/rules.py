"""Rules of criticality as data: read from YAML, checked, turned into SQL conditions over a table of assets."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

RULES_FILE = Path(__file__).with_name("rules.yaml")
#: The file of a home.
HOME_FILE = "criticality.yaml"

LEVELS = {"very high": 0, "high": 1, "medium": 2, "low": 3, "none": 4}
Kind = Literal["device", "identity", "application", "cloud_resource"]
Level = Literal["very high", "high", "medium", "low", "none"]


class CriticalityError(ValueError):
    """The rules cannot be applied; the message says which, and what was expected."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Condition(_Strict):
    """One test of a column or a property, or several combined."""

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


class Rule(_Strict):
    """Assets of a kind that meet the condition have at least this level."""

    name: str = Field(min_length=1)
    kind: Kind
    level: Level
    when: Condition


class ManualLevel(_Strict):
    """A level that a person set; it wins over everything. The asset is named by its id or by one of its records."""

    asset: str = ""
    record: str = ""
    level: Level
    reason: str = ""
    by: str = ""

    @model_validator(mode="after")
    def _one_name(self) -> ManualLevel:
        if bool(self.asset) == bool(self.record):
            raise ValueError("expected exactly one of asset (an id) and record (product:instance:record id)")
        return self


class RuleFile(_Strict):
    """rules.yaml, or the criticality.yaml of a home. A level is 0 (very high) to 4 (none)."""

    imports: dict[str, bool | dict[int, int]] = {}
    inherit_from_business: bool | None = None
    disable: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    levels: tuple[ManualLevel, ...] = ()

    @field_validator("imports")
    @classmethod
    def _levels_in_range(cls, value: dict[str, bool | dict[int, int]]) -> dict[str, bool | dict[int, int]]:
        for product, mapping in value.items():
            if isinstance(mapping, dict) and not all(0 <= number <= 4 for pair in mapping.items() for number in pair):
                raise ValueError(f"{product}: levels go from 0 (very high) to 4 (none)")
        return value

    @model_validator(mode="after")
    def _names_once(self) -> RuleFile:
        seen: set[str] = set()
        for rule in self.rules:
            if rule.name in seen:
                raise ValueError(f"rule name {rule.name!r} is used twice")
            seen.add(rule.name)
        return self


def load_rules(home: Path | None, file: Path = RULES_FILE) -> RuleFile:
    """The predefined rules with what a home adds, disables and sets.

    Raises:
        CriticalityError: a file is not valid; every mistake with its place.
    """
    base = read_rules(file)
    own = read_rules(home / HOME_FILE) if home is not None and (home / HOME_FILE).exists() else RuleFile()
    names = {rule.name for rule in base.rules}
    for name in own.disable:
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise CriticalityError(f"{HOME_FILE}: disable: there is no predefined rule {name!r}{hint}")
    replaced = {rule.name for rule in own.rules}
    kept = tuple(rule for rule in base.rules if rule.name not in {*own.disable, *replaced})
    inherit = base.inherit_from_business if own.inherit_from_business is None else own.inherit_from_business
    return RuleFile(
        imports={**base.imports, **own.imports},
        inherit_from_business=inherit,
        rules=kept + own.rules,
        levels=base.levels + own.levels,
    )


def read_rules(path: Path) -> RuleFile:
    """One file. Raises CriticalityError."""
    try:
        return RuleFile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CriticalityError(f"{path.name} is not valid YAML: {error}") from None
    except ValidationError as error:
        found = [f"  {'.'.join(str(part) for part in item['loc']) or 'file'}: {item['msg']}" for item in error.errors()]
        raise CriticalityError("\n".join([f"{path.name} has {len(found)} mistake(s):", *found])) from None


def condition_sql(condition: Condition, columns: dict[str, str], rule: str) -> str:
    """The condition as SQL, true or false, over a relation with `columns` (name -> DuckDB type).

    Raises:
        CriticalityError: it reads a column that the relation does not have.
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
        raise CriticalityError(f"rule {rule!r} reads column {name!r}: {known_columns(name, columns)}")
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
