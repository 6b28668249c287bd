"""Decisions of people: merge, split, never match. Data, applied on every run, gone as soon as they are removed.

```yaml
decisions:
  - id: one-laptop-two-boards
    kind: device
    action: merge              # these records are one asset, whatever their identifiers say
    records: [intune:corp:17, servicenow:cmdb:4711]
    reason: mainboard replaced, ticket 1234
  - id: cloned-lab
    kind: device
    action: split              # each part becomes an asset of its own, joined by nothing else
    parts: [[tenable:prod:1], [tenable:prod:2, qualys:eu:9]]
  - id: twins
    kind: identity
    action: never_match        # no two of these records may ever share an asset, and nobody is asked about them again
    records: [okta:main:00u1, okta:main:00u2]
allow:
  - {identifier: serial_number, value: "1234567"}   # real here although it looks like a placeholder or many carry it
gate: {assets: 25, share: 0.05}   # a build that merges or splits more assets than the larger of the two stops
```
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from dbt_like_transforms.resolution.forms.seeds import ALLOW_LISTS
from dbt_like_transforms.resolution.gate import Limit
from dbt_like_transforms.yaml_text import load_handwritten

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

#: A label, such as the number of a ticket.
Label = Annotated[str, Field(coerce_numbers_to_str=True)]


class DecisionError(ValueError):
    """The decisions cannot be applied; the message says which, and what to change."""


class ContradictoryDecisions(DecisionError):
    """Two decisions cannot both hold."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _left_blank(cls, value: object) -> object:
        """A key with nothing behind it, as it stays when the last decision is taken out, says nothing."""
        return {key: told for key, told in value.items() if told is not None} if isinstance(value, dict) else value


class Decision(_Strict):
    """One decision about records (`product:instance:record_id`)."""

    id: Label = Field(min_length=1)
    kind: Literal["device", "identity", "application"]
    action: Literal["merge", "split", "never_match"]
    records: tuple[str, ...] = ()
    parts: tuple[tuple[str, ...], ...] = ()
    reason: Label = ""
    by: Label = ""
    on: str = ""

    @field_validator("on", mode="before")
    @classmethod
    def _date_as_text(cls, value: object) -> str:
        return str(value)

    @model_validator(mode="after")
    def _complete(self) -> Decision:
        if self.action == "split":
            if self.records and not self.parts:
                # `records` of a split: each of them apart.
                object.__setattr__(self, "parts", tuple((record,) for record in self.records))
                object.__setattr__(self, "records", ())
            if self.records or len(self.parts) < 2 or not all(self.parts):
                raise ValueError("a split needs `parts`: two or more lists of records (or `records`, each apart)")
        elif self.parts or len(set(self.records)) < 2:
            raise ValueError(f"a {self.action} needs `records`: at least two different ones, and no `parts`")
        named = self.named()
        if len(set(named)) != len(named):
            raise ValueError("a record is named twice")
        return self

    def named(self) -> tuple[str, ...]:
        """All records it names."""
        return self.records + tuple(record for part in self.parts for record in part)

    def made_one(self) -> list[tuple[str, ...]]:
        """The lists of records that it declares to be one asset each."""
        return [self.records] if self.action == "merge" else list(self.parts)

    def kept_apart(self) -> list[tuple[str, str]]:
        """The pairs of records that it keeps from sharing an asset."""
        groups = [(record,) for record in self.records] if self.action == "never_match" else self.parts
        return [(one, other) for group, rest in combinations(groups, 2) for one in group for other in rest]

    @property
    def title(self) -> str:
        """What to call it in a sentence."""
        return f"decision {self.id}: {self.reason}" if self.reason else f"decision {self.id}"


class Allowed(_Strict):
    """A value that is real although it looks like a placeholder, or the data show it with several machines."""

    identifier: str
    value: str = Field(min_length=1)
    reason: Label = ""

    @model_validator(mode="after")
    def _known(self) -> Allowed:
        if self.identifier not in ALLOW_LISTS:
            raise ValueError(f"identifier must be one of {', '.join(sorted(ALLOW_LISTS))}")
        return self


class DecisionFile(_Strict):
    """The whole file."""

    decisions: tuple[Decision, ...] = ()
    allow: tuple[Allowed, ...] = ()
    gate: Limit = Limit()

    @model_validator(mode="after")
    def _ids_once(self) -> DecisionFile:
        seen: set[str] = set()
        for decision in self.decisions:
            if decision.id in seen:
                raise ValueError(f"decision id {decision.id!r} is used twice")
            seen.add(decision.id)
        return self


def load_decisions(path: Path) -> DecisionFile:
    """Reads `decisions.yaml` (or JSON, which is YAML). A file that is not there holds no decisions.

    Raises:
        DecisionError: not valid; every mistake with its place in the file. Or `decisions.yml` is there in its place.
    """
    if not path.exists():
        misnamed = path.with_suffix(".yml")
        if misnamed.exists():
            raise DecisionError(f"{misnamed.name} would not be read: rename it to {path.name}")
        return DecisionFile()
    try:
        return DecisionFile.model_validate(load_handwritten(path.read_text(encoding="utf-8-sig")) or {})
    except (OSError, UnicodeDecodeError) as error:
        raise DecisionError(f"{path.name} cannot be read, it should be a text file in UTF-8: {error}") from error
    except yaml.YAMLError as error:
        raise DecisionError(f"{path.name} is not valid YAML: {error}") from error
    except ValidationError as error:
        problems = [f"  {_place(problem)}: {_expected(problem)}" for problem in error.errors()]
        raise DecisionError("\n".join([f"{path.name} has {len(problems)} mistake(s):", *problems])) from error


def _place(problem: ErrorDetails) -> str:
    return ".".join(str(part) for part in problem["loc"]) or "the file"


def _expected(problem: ErrorDetails) -> str:
    """What should stand there, in words of YAML."""
    match problem["type"]:
        case "tuple_type":
            return "should be a list, such as [a, b]"
        case "string_type":
            return (
                f"should be text: write it in quotes, as it is spelled in the source; here it is {problem['input']!r}"
            )
        case "model_type" | "dict_type" if not problem["loc"]:
            return "should have the keys decisions:, allow: or gate:, such as `decisions:` above the list"
        case "model_type" | "dict_type":
            return "should have keys, such as {id: ..., kind: device}"
        case "extra_forbidden":
            return "is no key that is known here"
    return problem["msg"].removeprefix("Value error, ")


def check_consistent(decisions: Sequence[Decision]) -> None:
    """Looks for decisions that cannot both hold, also where records are named that do not exist (yet).

    Raises:
        ContradictoryDecisions: records that are to be merged and to be kept apart; names both decisions.
    """
    # a device and an account may go by one name
    for kind in sorted({decision.kind for decision in decisions}):
        _check_consistent([decision for decision in decisions if decision.kind == kind])


def _check_consistent(decisions: Sequence[Decision]) -> None:
    made_one = [(group, decision) for decision in decisions for group in decision.made_one()]
    chain = chains([group for group, _ in made_one])
    joining: dict[str, set[str]] = {}
    for group, decision in made_one:
        if len(group) > 1:
            joining.setdefault(chain[group[0]], set()).add(decision.id)
    split: dict[str, str] = {}
    for decision in decisions:
        for record in (record for part in decision.parts for record in part):
            if split.setdefault(record, decision.id) != decision.id:
                raise ContradictoryDecisions(
                    f"decisions {split[record]!r} and {decision.id!r} both split {record}: keep one of them"
                )
    for decision in decisions:
        for one, other in decision.kept_apart():
            if chain.get(one, one) == chain.get(other, other):
                merging = ", ".join(sorted(joining[chain[one]] - {decision.id}))
                raise ContradictoryDecisions(
                    f"decision {decision.id!r} keeps {one} and {other} apart, but {merging} makes them one: "
                    "withdraw one of them"
                )


def chains(groups: Iterable[Sequence[str]]) -> dict[str, str]:
    """For each record of lists that make one asset each: one name for all that they make one with it."""
    parent: dict[str, str] = {}

    def root(record: str) -> str:
        while parent.setdefault(record, record) != record:
            record = parent[record]
        return record

    for group in groups:
        for record in group:
            parent[root(record)] = root(group[0])
    return {record: root(record) for record in parent}
