"""Rules of criticality as data: read from YAML, checked, turned into SQL conditions over a table of assets."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from dbt_like_transforms.conditions import Condition, ConditionError
from dbt_like_transforms.yaml_text import load_yaml

RULES_FILE = Path(__file__).with_name("rules.yaml")
#: The file of a home.
HOME_FILE = "criticality.yaml"

LEVELS = {"very high": 0, "high": 1, "medium": 2, "low": 3, "none": 4}
Kind = Literal["device", "identity", "application", "cloud_resource"]
Level = Literal["very high", "high", "medium", "low", "none"]


class CriticalityError(ConditionError):
    """The rules cannot be applied; the message says which, and what was expected."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


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
        return RuleFile.model_validate(load_yaml(path.read_text(encoding="utf-8")) or {})
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CriticalityError(f"{path.name} is not valid YAML: {error}") from None
    except ValidationError as error:
        found = [f"  {'.'.join(str(part) for part in item['loc']) or 'file'}: {item['msg']}" for item in error.errors()]
        raise CriticalityError("\n".join([f"{path.name} has {len(found)} mistake(s):", *found])) from None
