"""The order of sources for each field of an asset, as precedence.yaml gives it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from dbt_like_transforms.resolution.kinds import COLUMNS
from dbt_like_transforms.yaml_text import load_yaml

PRECEDENCE_FILE = Path(__file__).with_name("precedence.yaml")


class FieldRule(BaseModel):
    """Order of sources for one field; None takes the kind's own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    products: tuple[str, ...] | None = None
    effective_days: float | None = Field(default=None, gt=0)


class Precedence(BaseModel):
    """One kind's part of precedence.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    effective_days: float = Field(gt=0)
    products: tuple[str, ...]
    fields: dict[str, FieldRule] = {}
    any: tuple[str, ...] = ()
    union: tuple[str, ...] = ()
    merge: tuple[str, ...] = ()

    def order_of(self, name: str) -> tuple[tuple[str, ...], float]:
        """Products in order, and days of silence after which a record loses its authority."""
        rule = self.fields.get(name, FieldRule())
        return rule.products or self.products, rule.effective_days or self.effective_days


@cache
def load_precedence(path: Path = PRECEDENCE_FILE) -> Mapping[str, Precedence]:
    """Reads the file.

    Raises:
        ValueError: unknown keys or fields.
    """
    found = {kind: Precedence.model_validate(entry) for kind, entry in load_yaml(path.read_text("utf-8")).items()}
    for kind, precedence in found.items():
        unknown = {*precedence.fields, *precedence.any, *precedence.union, *precedence.merge} - set(COLUMNS[kind])
        if unknown:
            raise ValueError(f"{path.name}: {kind} has no field {', '.join(sorted(unknown))}")
    return found
