"""The order of sources for each field of an asset, as precedence.yaml gives it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

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
        ValueError: what it says cannot be meant, such as an unknown field or product; names the place and what is expected.
    """
    raw = load_yaml(path.read_text("utf-8"))
    given = set(raw) if isinstance(raw, Mapping) else set()
    if given != set(COLUMNS):
        odd = f"{', '.join(map(str, given - set(COLUMNS)))} is no kind; " if given - set(COLUMNS) else ""
        raise ValueError(f"{path.name}: {odd}expected are {', '.join(COLUMNS)}, each with its own part")
    found = {}
    for kind, entry in raw.items():
        try:
            found[kind] = Precedence.model_validate(entry)
        except ValidationError as error:
            raise ValueError(f"{path.name}: {'; '.join(_told(kind, problem) for problem in error.errors())}") from None
        if problem := next(_problems(kind, found[kind]), ""):
            raise ValueError(f"{path.name}: {kind}{problem}")
    return found


def _told(kind: str, problem: Any) -> str:
    """One mistake in the form of the file."""
    place = ".".join(map(str, (kind, *problem["loc"])))
    if problem["type"] == "extra_forbidden":
        known = FieldRule.model_fields if len(problem["loc"]) > 1 else Precedence.model_fields
        return f"{place} is unknown; expected are {', '.join(known)}"
    return f"{place}: {problem['msg'][0].lower()}{problem['msg'][1:]}"


def _problems(kind: str, precedence: Precedence) -> Iterator[str]:
    """What is wrong with a well-formed part, to follow the name of its kind."""
    columns = COLUMNS[kind]
    lists = [name for name, type_ in columns.items() if type_.endswith("[]")]
    fitting = {
        "any": [name for name, type_ in columns.items() if type_ == "BOOLEAN"],
        "union": lists,
        "merge": [name for name, type_ in columns.items() if type_ == "VARCHAR"],
        "fields": [name for name in columns if name not in {*precedence.union, *precedence.merge}],
    }
    for part, names in fitting.items():
        for name in getattr(precedence, part):
            if name not in columns:
                yield f".{part} has no field {name}; expected are {', '.join(columns)}"
            elif name not in names:
                yield f".{part} cannot hold {name}; expected are {', '.join(names)}"
    if missing := [name for name in lists if name not in precedence.union]:
        yield f".union lacks {', '.join(missing)}: values of a list are put together"
    orders = {"": precedence.products} | {f".fields.{name}": rule.products for name, rule in precedence.fields.items()}
    for place, products in orders.items():
        if products is not None and not products:
            yield f"{place}.products is empty; leave it out for the order of the kind"
        for number, product in enumerate(products or ()):
            if product in (products or ())[:number]:
                yield f"{place}.products names {product} twice"
            if product not in precedence.products:
                yield f"{place}.products names {product}; expected are those of the kind: {', '.join(precedence.products)}"
