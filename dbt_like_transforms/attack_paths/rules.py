"""The rules of attack paths: where an attacker gets in, which steps are possible, what matters."""

from __future__ import annotations

from pathlib import Path
from string import Formatter
from typing import Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from dbt_like_transforms.conditions import Condition, ConditionError
from dbt_like_transforms.yaml_text import load_yaml

RULES_FILE = Path(__file__).with_name("rules.yaml")
HOME_FILE = "attack_paths.yaml"
LIKELIHOOD = {"high": 1.0, "medium": 0.6, "low": 0.3}
AssetKind = Literal["device", "identity", "application", "cloud_resource"]


class AttackRuleError(ConditionError):
    """The rules cannot be applied; the message says which, and what was expected."""


def _sentence(text: str, names: tuple[str, ...]) -> str:
    allowed = ", ".join("{" + name + "}" for name in names)
    try:
        used = {field for _, field, _, _ in Formatter().parse(text) if field is not None}
    except ValueError:
        used = {""}
    if not used <= set(names):
        raise ValueError(f"{text!r} may name {allowed} and nothing else in braces")
    return text


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Entry(_Strict):
    """Nodes at which an attacker gets in. says, fix: sentences with {entry}."""

    name: str = Field(min_length=1)
    asset_kinds: tuple[AssetKind, ...] = Field(min_length=1)
    likelihood: Literal["high", "medium", "low"]
    when: Condition
    says: str
    fix: str

    @field_validator("says", "fix")
    @classmethod
    def _is_sentence(cls, value: str) -> str:
        return _sentence(value, ("entry",))


class Target(_Strict):
    """Nodes that matter."""

    name: str = Field(min_length=1)
    asset_kinds: tuple[AssetKind, ...] = Field(min_length=1)
    when: Condition


class Step(_Strict):
    """Edges an attacker can follow. says, fix: sentences with {source}, {target}, {roles}, {permissions}."""

    label: str = Field(min_length=1)
    rank: int = Field(default=2, ge=1, le=9)
    reverse: bool = False
    when: Condition | None = None
    says: str
    fix: str = ""

    @field_validator("says", "fix")
    @classmethod
    def _is_sentence(cls, value: str) -> str:
        return _sentence(value, ("source", "target", "roles", "permissions"))

    @property
    def name(self) -> str:
        return self.label


class AttackRules(_Strict):
    """rules.yaml, or the attack_paths.yaml of a home."""

    hop_limit: int | None = Field(default=None, ge=1, le=20)
    disable: tuple[str, ...] = ()
    entries: tuple[Entry, ...] = ()
    targets: tuple[Target, ...] = ()
    steps: tuple[Step, ...] = ()

    @property
    def hops(self) -> int:
        return self.hop_limit or 8


Named = TypeVar("Named", Entry, Target, Step)


def load_attack_rules(home: Path | None, file: Path = RULES_FILE) -> AttackRules:
    """The predefined rules with what a home changes.

    Raises:
        AttackRuleError: a file is not valid; every mistake with its place.
    """
    base = read_attack_rules(file)
    own = read_attack_rules(home / HOME_FILE) if home is not None and (home / HOME_FILE).exists() else AttackRules()
    rules: list[Entry | Target | Step] = [*base.entries, *base.targets, *base.steps]
    known = {rule.name for rule in rules}
    for name in own.disable:
        if name not in known:
            raise AttackRuleError(
                f"{HOME_FILE}: disable: there is no rule {name!r}; there are {', '.join(sorted(known))}"
            )

    def merged(theirs: tuple[Named, ...], ours: tuple[Named, ...]) -> tuple[Named, ...]:
        replaced = {*own.disable, *(rule.name for rule in ours)}
        return ours + tuple(rule for rule in theirs if rule.name not in replaced)

    return AttackRules(
        hop_limit=own.hop_limit or base.hop_limit,
        entries=merged(base.entries, own.entries),
        targets=merged(base.targets, own.targets),
        steps=merged(base.steps, own.steps),
    )


def read_attack_rules(path: Path) -> AttackRules:
    """One file. Raises AttackRuleError."""
    try:
        return AttackRules.model_validate(load_yaml(path.read_text(encoding="utf-8")) or {})
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise AttackRuleError(f"{path.name} is not valid YAML: {error}") from None
    except ValidationError as error:
        found = [f"  {'.'.join(str(part) for part in item['loc']) or 'file'}: {item['msg']}" for item in error.errors()]
        raise AttackRuleError("\n".join([f"{path.name} has {len(found)} mistake(s):", *found])) from None
