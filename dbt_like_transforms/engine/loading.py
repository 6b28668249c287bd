"""Finds the models of a folder, holds them to the rules of the layers, and puts them in order."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path

from dbt_like_transforms.engine.columns import RUN_SOURCES, Column
from dbt_like_transforms.engine.contract import (
    ColumnEntry,
    DataTest,
    ModelEntry,
    ObservationKind,
    Severity,
    as_columns,
    read_models,
)
from dbt_like_transforms.engine.errors import ProjectError, nearest, place
from dbt_like_transforms.engine.models import LAYERS, Layer, Model, ModelTest, SourceFile, read_source_file, version_of
from dbt_like_transforms.engine.project import Project

_NAME = re.compile(r"^[a-z][a-z0-9_]*$")
_SCHEMAS = ("landed", "run", "previous")


class Loader:
    """One load of one folder; `load` gives the project."""

    def __init__(
        self, models_dir: Path, sources: Mapping[str, Sequence[Column]], observations: dict[str, ObservationKind]
    ) -> None:
        self.models_dir = models_dir
        self.observations = observations
        self.sources = {name.lower(): tuple(columns) for name, columns in sources.items()}
        self.sources.update({name: columns for name, columns in RUN_SOURCES.items() if name not in self.sources})
        self.files: dict[str, SourceFile] = {}
        self.unions: dict[str, tuple[str, ...]] = {}

    def load(self) -> Project:
        if not self.models_dir.is_dir():
            raise ProjectError(f"there is no models folder at {self.models_dir}")
        for layer in LAYERS:
            self._discover(layer)
        self.unions = {
            f"stg__{kind}": tuple(sorted(name for name in self.files if self._observation(name) == kind))
            for kind in self.observations
        }
        entries = self._contracts()
        models = {name: self._model(name, entries.get(name)) for name in self.files}
        order = self._order(models)
        references = {name: self.files[name].references for name in models}
        return Project({name: models[name] for name in order}, references, self.unions, self.observations, self.sources)

    def _discover(self, layer: Layer) -> None:
        root = self.models_dir / layer
        for path in sorted([*root.rglob("*.sql"), *root.rglob("*.py")]):
            inside = path.relative_to(root).parts
            if path.name == "__init__.py":
                continue
            if len(inside) != (2 if layer == "staging" else 1):
                where = "staging/<product>/" if layer == "staging" else f"{layer}/"
                raise ProjectError(f"{place(path)}: models of this layer stand directly in {where}")
            product = inside[0] if layer == "staging" else None
            file = read_source_file(path, layer, product)
            for name in file.outputs:
                self._check_name(name, file)
                self.files[name] = file

    def _check_name(self, name: str, file: SourceFile) -> None:
        if not _NAME.match(name):
            raise ProjectError(f"{place(file.path)}: the name {name!r} must be lower-case words joined by '_'")
        if file.product is not None and not name.startswith(f"stg_{file.product}__"):
            raise ProjectError(f"{place(file.path)}: {name} must start with stg_{file.product}__")
        if file.product is None and name.startswith("stg_"):
            raise ProjectError(f"{place(file.path)}: {name} belongs in staging/<product>/")
        if name in self.files:
            raise ProjectError(f"{name} is made twice: by {place(self.files[name].path)} and {place(file.path)}")

    def _observation(self, name: str) -> str | None:
        """Kind of observation that a staging model gives, by its name: `<kind>` or `<kind>_<suffix>`."""
        if self.files[name].product is None:
            return None
        last = name.split("__", 1)[1]
        return next((kind for kind in self.observations if last == kind or last.startswith(f"{kind}_")), None)

    def _contracts(self) -> dict[str, ModelEntry]:
        entries: dict[str, tuple[ModelEntry, Path]] = {}
        for path in sorted([*self.models_dir.rglob("*.yml"), *self.models_dir.rglob("*.yaml")]):
            for entry in read_models(path).models:
                if entry.name not in self.files:
                    raise ProjectError(
                        f"{place(path)} describes {entry.name}, which no file makes{nearest(entry.name, self.files)}"
                    )
                if entry.name in entries:
                    raise ProjectError(
                        f"{entry.name} is described twice: in {place(entries[entry.name][1])} and {place(path)}"
                    )
                entries[entry.name] = (entry, path)
        return {name: entry for name, (entry, _) in entries.items()}

    def _model(self, name: str, entry: ModelEntry | None) -> Model:
        file = self.files[name]
        kind = self._observation(name)
        if kind is None and (entry is None or not entry.columns):
            kinds = f", or name it after a kind of observation ({', '.join(self.observations)})" if file.product else ""
            raise ProjectError(f"{place(file.path)}: describe the columns of {name} in the YAML beside it{kinds}")
        columns, described, model_tests = self._columns(name, entry, kind)
        severity: Severity = entry.config.severity if entry else "error"
        tests = [_test(test, column.name, severity) for column in described for test in column.data_tests] + [
            _test(test, None, severity) for test in model_tests
        ]
        _check_tests(file, name, columns, tests)
        reads = self._reads(name)
        return Model(
            name=name,
            layer=file.layer,
            language=file.language,
            product=file.product,
            file=file.path,
            description=(entry.description if entry and entry.description else self._default_description(file, kind)),
            columns=columns,
            tests=tuple(tests),
            severity=severity,
            tags=entry.config.tags if entry else (),
            depends_on=reads["models"],
            sources=reads["sources"],
            previous=reads["previous"],
            unions=reads["unions"],
            tested_against=self._tested_against(file, name, tests),
            group=file.outputs[0] if file.language == "sql" else file.path.stem,
            observation=kind,
            code_version=version_of(file, columns),
        )

    def _columns(
        self, name: str, entry: ModelEntry | None, kind: str | None
    ) -> tuple[tuple[Column, ...], tuple[ColumnEntry, ...], tuple[DataTest, ...]]:
        """Declared columns, the entries that hold their tests, and the tests of the whole model.

        A staging model of a kind has the columns of the kind; its YAML may add descriptions and tests to them.
        """
        file = self.files[name]
        own = {column.name.lower(): column for column in entry.columns} if entry else {}
        model_tests = entry.data_tests if entry else ()
        if kind is None:
            for column in own.values():
                if column.data_type is None:
                    raise ProjectError(f"{place(file.path)}: column {name}.{column.name} has no data_type in its YAML")
            return as_columns(own.values()), tuple(own.values()), model_tests
        contract = self.observations[kind]
        known = {column.name: column for column in contract.columns}
        for column in own.values():
            if column.name not in known:
                raise ProjectError(
                    f"{place(file.path)}: {name} has the columns of {kind}; {column.name!r} is none of them"
                    f"{nearest(column.name, known)}"
                )
            if column.data_type not in (None, known[column.name].data_type):
                raise ProjectError(
                    f"{place(file.path)}: {name}.{column.name} is {known[column.name].data_type} in every model of "
                    f"{kind}, not {column.data_type}"
                )
        merged = tuple(
            column.model_copy(
                update={
                    "description": own[column.name].description or column.description,
                    "data_tests": column.data_tests + own[column.name].data_tests,
                }
            )
            if column.name in own
            else column
            for column in contract.columns
        )
        return as_columns(merged), merged, contract.data_tests + model_tests

    def _default_description(self, file: SourceFile, kind: str | None) -> str:
        return f"{self.observations[kind].description} From {file.product}." if kind else ""

    def _reads(self, name: str) -> dict[str, tuple[str, ...]]:
        """What the model reads, sorted by sort of relation; unknown and forbidden references are refused."""
        file = self.files[name]
        found: dict[str, dict[str, None]] = {"models": {}, "sources": {}, "previous": {}, "unions": {}}
        for reference in file.references:
            where = place(file.path, reference.line)
            schema, _, last = reference.name.rpartition(".")
            if schema in ("landed", "run"):
                if reference.name not in self.sources:
                    raise ProjectError(f"{where}: {reference.name} is unknown{nearest(reference.name, self.sources)}")
                if schema == "landed":
                    self._may_read_landed(file, last, where)
                found["sources"][reference.name] = None
            elif schema == "previous":
                if last not in self.files:
                    raise ProjectError(f"{where}: previous.{last}: there is no model {last}{nearest(last, self.files)}")
                found["previous"][last] = None
            elif schema:
                raise ProjectError(
                    f"{where}: {reference.name} is unknown; schemas are {', '.join(_SCHEMAS)}, models have none"
                )
            elif last in self.unions:
                if file.layer == "staging":
                    raise ProjectError(f"{where}: staging reads one product, and {last} unites all")
                found["unions"][last] = None
                found["models"].update(dict.fromkeys(self.unions[last]))
            elif last in self.files:
                self._may_read_model(file, last, where)
                found["models"][last] = None
            else:
                known = [*self.files, *self.unions]
                raise ProjectError(f"{where}: {last} is no model{nearest(last, known)}")
        return {sort: tuple(names) for sort, names in found.items()}

    def _may_read_landed(self, file: SourceFile, table: str, where: str) -> None:
        if file.layer != "staging":
            raise ProjectError(f"{where}: only staging reads landed.{table}; give it a staging model and read that")
        if not table.startswith(f"{file.product}__"):
            raise ProjectError(f"{where}: staging/{file.product} reads its own product only, not landed.{table}")

    def _may_read_model(self, file: SourceFile, name: str, where: str) -> None:
        other = self.files[name]
        if LAYERS.index(other.layer) > LAYERS.index(file.layer):
            raise ProjectError(f"{where}: {file.layer} must not read {name}, which is in {other.layer}")
        if file.layer == "staging" and other.product != file.product:
            raise ProjectError(f"{where}: staging/{file.product} reads its own product only, not {name}")

    def _tested_against(self, file: SourceFile, name: str, tests: Sequence[ModelTest]) -> tuple[str, ...]:
        others: dict[str, None] = {}
        for test in tests:
            to = test.test.to
            if to is None:
                continue
            if to not in self.files:
                raise ProjectError(
                    f"{place(file.path)}: a relationships test of {name} names {to}, which is no model"
                    f"{nearest(to, self.files)}"
                )
            if to != name:
                others[to] = None
        return tuple(others)

    def _order(self, models: Mapping[str, Model]) -> list[str]:
        """Models after what they read and after what their tests look into."""
        needs: dict[str, dict[str, None]] = {}
        for model in models.values():
            groups = needs.setdefault(model.group, {})
            groups.update({models[other].group: None for other in model.depends_on})
            tested = (models[other].group for other in model.tested_against)
            groups.update({group: None for group in tested if group != model.group})
        try:
            order = list(TopologicalSorter(needs).static_order())
        except CycleError as error:
            raise ProjectError(self._describe_cycle(error.args[1], models)) from error
        by_group: dict[str, list[str]] = {}
        for name, model in models.items():
            by_group.setdefault(model.group, []).append(name)
        return [name for group in order for name in by_group[group]]

    def _describe_cycle(self, groups: Sequence[str], models: Mapping[str, Model]) -> str:
        """`a (marts/a.sql:3) reads b, b (marts/b.sql:1) reads a`. graphlib lists each group before its readers."""
        steps = []
        for read, reader in pairwise(groups):
            names = {name for name, model in models.items() if model.group == read}
            for model in models.values():
                if model.group != reader or not names.intersection((*model.depends_on, *model.tested_against)):
                    continue
                via = [ref for ref in self.files[model.name].references if self._leads_to(ref.name, names)]
                line = via[0].line if via else None
                verb = "reads" if via else "is tested against"
                target = via[0].name if via else sorted(names.intersection(model.tested_against))[0]
                steps.append(f"{model.name} ({place(model.file, line)}) {verb} {target}")
                break
        return "models read each other in a circle: " + ", ".join(reversed(steps))

    def _leads_to(self, reference: str, names: Collection[str]) -> bool:
        return reference in names or bool(set(self.unions.get(reference, ())).intersection(names))


def _test(test: DataTest, column: str | None, severity: Severity) -> ModelTest:
    name = test.name or "_".join(filter(None, (test.kind, column, *test.columns)))
    return ModelTest(test, column, test.config.severity or severity, name)


def _check_tests(file: SourceFile, name: str, columns: Sequence[Column], tests: list[ModelTest]) -> None:
    """Names of tests are made unique (they become asset checks) and the columns they name must exist."""
    known = {column.name for column in columns}
    seen: dict[str, int] = {}
    for index, test in enumerate(tests):
        for column in (*test.test.columns, *test.test.config.sample):
            if column not in known:
                raise ProjectError(
                    f"{place(file.path)}: a test of {name} names column {column!r}, which it does not declare"
                )
        if test.name in seen:
            seen[test.name] += 1
            tests[index] = ModelTest(test.test, test.column, test.severity, f"{test.name}_{seen[test.name]}")
        else:
            seen[test.name] = 1
