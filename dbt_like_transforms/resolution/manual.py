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
    action: never_match        # no two of these records may ever share an asset
    records: [okta:main:00u1, okta:main:00u2]
allow:
  - {identifier: serial_number, value: "1234567"}   # real here although it looks like a placeholder or many carry it
gate: {assets: 25, share: 0.05}   # a build that merges or splits more assets than the larger of the two stops
```
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import duckdb
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from dbt_like_transforms.resolution.gate import Limit
from dbt_like_transforms.resolution.suppress import ALLOW_LISTS
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


@dataclass(slots=True)
class Applied:
    """Decisions as rows. together: pairs to join. apart: pairs never to join. islands: row -> island number.

    merged_by, apart_by: the decision of each of these pairs. gone: decision, record that is not among the records, rows of
    the others that it names.
    """

    together: list[tuple[int, int]] = field(default_factory=list)
    apart: tuple[tuple[int, int], ...] = ()
    islands: dict[int, int] = field(default_factory=dict)
    merged_by: dict[tuple[int, int], Decision] = field(default_factory=dict)
    apart_by: dict[tuple[int, int], Decision] = field(default_factory=dict)
    gone: list[tuple[Decision, str, tuple[int, ...]]] = field(default_factory=list)


def check_consistent(decisions: Sequence[Decision]) -> None:
    """Looks for decisions that cannot both hold, also where records are named that do not exist (yet).

    Raises:
        ContradictoryDecisions: records that are to be merged and to be kept apart; names both decisions.
    """
    # a device and an account may go by one name
    for kind in sorted({decision.kind for decision in decisions}):
        _check_consistent([decision for decision in decisions if decision.kind == kind])


def _check_consistent(decisions: Sequence[Decision]) -> None:
    parent: dict[str, str] = {}
    reasons: dict[str, set[str]] = {}

    def root(record: str) -> str:
        while parent.setdefault(record, record) != record:
            record = parent[record]
        return record

    def join(records: Iterable[str], decision: Decision) -> None:
        first, *others = records
        for other in others:
            one, two = root(first), root(other)
            merged = reasons.pop(one, set()) | reasons.pop(two, set()) | {decision.id}
            parent[two] = one
            reasons[one] = merged

    islands: dict[str, str] = {}
    for decision in decisions:
        if decision.action == "merge":
            join(decision.records, decision)
        for part in decision.parts:
            if len(part) > 1:
                join(part, decision)
            for record in part:
                if islands.setdefault(record, decision.id) != decision.id:
                    raise ContradictoryDecisions(
                        f"decisions {islands[record]!r} and {decision.id!r} both split {record}: keep one of them"
                    )
    for decision in decisions:
        for one, other in _kept_apart(decision):
            if root(one) == root(other):
                merging = ", ".join(sorted(reasons.get(root(one), set()) - {decision.id})) or decision.id
                raise ContradictoryDecisions(
                    f"decision {decision.id!r} keeps {one} and {other} apart, but {merging} makes them one: "
                    "withdraw one of them"
                )


def _made_one(decision: Decision) -> list[tuple[str, ...]]:
    """The lists of records that it declares to be one asset each."""
    return [decision.records] if decision.action == "merge" else list(decision.parts)


def _chains(groups: Sequence[tuple[str, ...]]) -> dict[str, str]:
    """For each record: one name for all that these lists make one with it."""
    parent: dict[str, str] = {}
    for group in groups:
        for record in group:
            root, top = record, group[0]
            while parent.setdefault(root, root) != root:
                root = parent[root]
            while parent.setdefault(top, top) != top:
                top = parent[top]
            parent[root] = top
    found = {}
    for record in parent:
        root = record
        while parent[root] != root:
            root = parent[root]
        found[record] = root
    return found


def _kept_apart(decision: Decision) -> list[tuple[str, str]]:
    if decision.action == "never_match":
        groups: Sequence[tuple[str, ...]] = [(record,) for record in decision.records]
    else:
        groups = decision.parts
    return [
        (one, other)
        for place, group in enumerate(groups)
        for rest in groups[place + 1 :]
        for one in group
        for other in rest
    ]


def apply_decisions(connection: duckdb.DuckDBPyConnection, kind: str, decisions: Sequence[Decision]) -> Applied:
    """Turns the decisions of a kind into rows of `_records`. Records that are gone are noted and left out.

    Raises:
        ContradictoryDecisions: two of them cannot both hold.
    """
    mine = [decision for decision in decisions if decision.kind == kind]
    check_consistent(mine)
    applied = Applied()
    if not mine:
        return applied
    named = sorted({record for decision in mine for record in decision.named()})
    rows = dict(
        connection.execute(
            "SELECT record, idx FROM _records WHERE record IN (SELECT unnest(?::VARCHAR[]))", [named]
        ).fetchall()
    )
    apart: set[tuple[int, int]] = set()
    chain = _chains([group for decision in mine for group in _made_one(decision)])
    heads: dict[str, int] = {}
    island = 0
    for decision in sorted(mine, key=lambda item: item.id):
        there = tuple(sorted(rows[record] for record in decision.named() if record in rows))
        applied.gone.extend((decision, record, there) for record in decision.named() if record not in rows)
        groups = _made_one(decision)
        for number, group in enumerate(groups):
            present = sorted(rows[record] for record in group if record in rows)
            pairs = [(present[0], row) for row in present[1:]]
            # Who was declared one through records that are gone stays one.
            if present and heads.setdefault(chain[group[0]], present[0]) != present[0]:
                head = heads[chain[group[0]]]
                pairs.append((min(head, present[0]), max(head, present[0])))
            for pair in pairs:
                applied.together.append(pair)
                applied.merged_by.setdefault(pair, decision)
            # The first part of a split stays where its identifiers put it; the others are taken out.
            if decision.action == "split" and number > 0:
                island += 1
                applied.islands.update(dict.fromkeys(present, island))
        for one, other in _kept_apart(decision):
            if one in rows and other in rows:
                pair = (min(rows[one], rows[other]), max(rows[one], rows[other]))
                apart.add(pair)
                applied.apart_by.setdefault(pair, decision)
    applied.apart = tuple(sorted(apart))
    return applied
