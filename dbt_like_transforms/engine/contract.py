"""The YAML beside the models, in dbt's shape: descriptions, types and tests of every column."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from dbt_like_transforms.engine.columns import Column
from dbt_like_transforms.engine.errors import ProjectError, place
from dbt_like_transforms.yaml_text import load_yaml

Severity = Literal["error", "warn"]
DataTestKind = Literal["unique", "not_null", "accepted_values", "relationships", "row_condition", "unique_combination"]

_COLUMN_TESTS = ("unique", "not_null", "accepted_values", "relationships", "row_condition")
_MODEL_TESTS = ("row_condition", "unique_combination")


_Shape = TypeVar("_Shape", bound=BaseModel)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DataTestConfig(_Strict):
    """`config:` of one test. `where` limits the rows that are tested; `severity` overrides the model's; `sample` names the
    columns by which rows that fail are shown, instead of the model's key."""

    severity: Severity | None = None
    where: str | None = None
    sample: tuple[str, ...] = ()


class DataTest(_Strict):
    """One data test.

    unique, not_null: on a column. accepted_values: `values`; null passes. relationships: every value is found in
    column `field` of model `to`; null passes. row_condition: `expression` holds on every row; a null result passes,
    as in a CHECK constraint. unique_combination: `columns` together are unique.
    """

    kind: DataTestKind
    name: str | None = None
    values: tuple[str | int | float | bool, ...] = ()
    to: str | None = None
    field: str | None = None
    expression: str | None = None
    columns: tuple[str, ...] = ()
    config: DataTestConfig = DataTestConfig()

    @model_validator(mode="before")
    @classmethod
    def _from_dbt(cls, value: Any) -> Any:
        """`unique`, or `{accepted_values: {values: [...]}}`."""
        if isinstance(value, str):
            return {"kind": value}
        if isinstance(value, Mapping) and "kind" not in value:
            if len(value) != 1:
                raise ValueError(f"a test is a name or one mapping of name to arguments, not {dict(value)!r}")
            ((kind, arguments),) = value.items()
            if arguments is not None and not isinstance(arguments, Mapping):
                raise ValueError(f"the arguments of {kind} must be a mapping, e.g. {{{kind}: {{...}}}}")
            return {"kind": kind, **(arguments or {})}
        return value

    @model_validator(mode="after")
    def _complete(self) -> DataTest:
        needs: dict[str, tuple[str, ...]] = {
            "accepted_values": ("values",),
            "relationships": ("to", "field"),
            "row_condition": ("expression",),
            "unique_combination": ("columns",),
        }
        wanted = needs.get(self.kind, ())
        for argument in ("values", "to", "field", "expression", "columns"):
            given = bool(getattr(self, argument))
            if argument in wanted and not given:
                raise ValueError(f"{self.kind} needs {argument!r}")
            if argument not in wanted and given:
                raise ValueError(f"{self.kind} does not take {argument!r}")
        return self


class ColumnEntry(_Strict):
    """One column of a model. `data_type` is a DuckDB type."""

    name: str
    data_type: str | None = None
    description: str = ""
    data_tests: tuple[DataTest, ...] = ()

    @model_validator(mode="after")
    def _tests_fit(self) -> ColumnEntry:
        for test in self.data_tests:
            if test.kind not in _COLUMN_TESTS:
                raise ValueError(f"{test.kind} is a test of a model, not of column {self.name}")
        return self


class ModelConfig(_Strict):
    """`config:` of a model: severity of its tests, and tags."""

    severity: Severity = "error"
    tags: tuple[str, ...] = ()


class ModelEntry(_Strict):
    """One model's contract."""

    name: str
    description: str = ""
    columns: tuple[ColumnEntry, ...] = ()
    data_tests: tuple[DataTest, ...] = ()
    config: ModelConfig = ModelConfig()

    @model_validator(mode="after")
    def _columns_once(self) -> ModelEntry:
        seen: set[str] = set()
        for column in self.columns:
            if column.name.lower() in seen:
                raise ValueError(f"column {column.name} is described twice")
            seen.add(column.name.lower())
        for test in self.data_tests:
            if test.kind not in _MODEL_TESTS:
                raise ValueError(f"{test.kind} is a test of one column: move it under columns")
        return self


class ModelFile(_Strict):
    """A `_name.yml` file."""

    version: Literal[2] = 2
    models: tuple[ModelEntry, ...] = ()


class ObservationKind(_Strict):
    """The exact columns of one kind of observation."""

    description: str
    columns: tuple[ColumnEntry, ...] = Field(min_length=1)
    data_tests: tuple[DataTest, ...] = ()


class ObservationFile(_Strict):
    """`contracts/observations.yml`: `prefix` stands before the columns of the kinds named in `prefixed`."""

    prefix: tuple[ColumnEntry, ...]
    prefixed: tuple[str, ...]
    kinds: dict[str, ObservationKind]


def as_columns(entries: Iterable[ColumnEntry]) -> tuple[Column, ...]:
    """The entries as plain columns, descriptions on one line."""
    return tuple(Column(entry.name, entry.data_type or "", " ".join(entry.description.split())) for entry in entries)


def read_models(file: Path) -> ModelFile:
    """The contracts in one YAML file.

    Raises:
        ProjectError: the file is no YAML or not of this shape; every problem with its line.
    """
    return _read(file, ModelFile)


def read_observations(file: Path) -> dict[str, ObservationKind]:
    """The observation kinds with their full columns, by name (`devices`, `findings`, ...)."""
    content = _read(file, ObservationFile)
    return {
        name: kind.model_copy(update={"columns": content.prefix + kind.columns}) if name in content.prefixed else kind
        for name, kind in content.kinds.items()
    }


def _read(file: Path, shape: type[_Shape]) -> _Shape:
    text = file.read_text(encoding="utf-8")
    try:
        raw = load_yaml(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else None
        problem = getattr(error, "problem", None) or str(error)
        raise ProjectError(f"{place(file, line)} is not valid YAML: {problem}") from error
    try:
        return shape.model_validate(raw or {})
    except ValidationError as error:
        problems = [
            f"  {place(file, _line_of(text, problem['loc']))} {_path(problem['loc'])}: {problem['msg']}"
            for problem in error.errors()
        ]
        raise ProjectError("\n".join([f"{place(file)} has {len(problems)} mistake(s):", *problems])) from error


def _path(location: Sequence[str | int]) -> str:
    return ".".join(str(part) for part in location)


def _line_of(text: str, location: Sequence[str | int]) -> int | None:
    """Line of the YAML node at a pydantic error path; the deepest part of the path that exists."""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    line: int | None = None
    for part in location:
        if node is None:
            break
        line = node.start_mark.line + 1
        if isinstance(node, yaml.MappingNode):
            pair = next(((key, value) for key, value in node.value if key.value == str(part)), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    return line
