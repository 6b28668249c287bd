"""Builds models for one date: each is run, held to its contract, written, and read back by what comes after it."""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterator, Mapping
from datetime import date as Date
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from dbt_like_transforms.engine.checks import run_checks
from dbt_like_transforms.engine.columns import RUN_SOURCES, empty_select, literal, quoted, select_list
from dbt_like_transforms.engine.conform import conformed
from dbt_like_transforms.engine.context import BuildContext
from dbt_like_transforms.engine.errors import MissingModelData, ModelFailed, place
from dbt_like_transforms.engine.models import Model
from dbt_like_transforms.engine.project import Project
from dbt_like_transforms.engine.results import ModelResult
from dbt_like_transforms.engine.sources import register_table
from dbt_like_transforms.engine.storage import Storage
from dbt_like_transforms.reporting import Report, silent

if TYPE_CHECKING:
    import duckdb
    from duckdb import DuckDBPyRelation

_LINE = re.compile(r"LINE (\d+):")


class Runner:
    """Runs the models of a project on one connection, on which `landed.*` and `run.*` are registered already.

    home, options, report: handed to Python models in their BuildContext.
    """

    def __init__(
        self,
        project: Project,
        con: duckdb.DuckDBPyConnection,
        storage: Storage,
        home: Path | None = None,
        options: Mapping[str, Any] | None = None,
        report: Report = silent,
    ) -> None:
        self.project = project
        self.con = con
        self.storage = storage
        self.home = home
        self.options = dict(options or {})
        self.report = report

    def run(self, date: Date, select: Collection[str] | None = None) -> list[ModelResult]:
        """Builds the selected models (all when None) for a date.

        Raises:
            MissingModelData: a model that is read but not selected has nothing written for the date.
            ModelFailed: a model does not run, or gives other columns than it declares. What was written stays.
        """
        return list(self.iterate(date, select))

    def iterate(self, date: Date, select: Collection[str] | None = None) -> Iterator[ModelResult]:
        """As `run`, one result at a time: a result is given as soon as its model is written.

        Failing checks stop nothing: the caller decides. Selecting one output of a Python file builds all of them.
        """
        selected = set(self.project.models) if select is None else {self.project.model(name).name for name in select}
        build = _Build(self, date)
        for outputs in self.project.groups.values():
            if selected.intersection(outputs):
                yield from build.group(outputs, selected)


class _Build:
    """One date being built."""

    def __init__(self, runner: Runner, date: Date) -> None:
        self.project = runner.project
        self.con = runner.con
        self.storage = runner.storage
        self.date = date
        self.context = BuildContext.for_date(date, runner.home, runner.options, runner.report)
        self.ready: set[str] = set()
        self.con.execute("SET TimeZone = 'UTC'")
        self.con.execute("CREATE SCHEMA IF NOT EXISTS previous")
        register_table(
            self.con,
            "run.context",
            RUN_SOURCES["run.context"],
            [{"snapshot_date": date, "snapshot_end": self.context.snapshot_end}],
        )

    def group(self, outputs: tuple[str, ...], selected: set[str]) -> Iterator[ModelResult]:
        """Builds the models of one file."""
        models = [self.project.model(name) for name in outputs]
        started = time.perf_counter()
        self._prepare(models[0])
        relations = self._relations(models)
        for model in models:
            path = self._write(model, relations[model.name])
            self._expose(model.name, path)
            for other in model.tested_against:
                self._need(other, model, "is tested against")
            rows, checks = self._checked(model)
            seconds = time.perf_counter() - started
            yield ModelResult(
                model.name, model.layer, rows, seconds, path, model.columns, checks, model.name in selected
            )
            started = time.perf_counter()

    def _prepare(self, model: Model) -> None:
        """Makes everything the model reads a relation of the connection."""
        for name in model.depends_on:
            self._need(name, model, "reads")
        for name in model.previous:
            self._expose_previous(self.project.model(name))
        for union in model.unions:
            self._expose_union(union)

    def _need(self, name: str, reader: Model, verb: str) -> None:
        if name in self.ready:
            return
        needed = self.project.model(name)
        path = self.storage.path(needed.layer, name, self.date)
        if path is None:
            line = self.project.line_of(reader.name, name)
            raise MissingModelData(
                f"model {reader.name} ({place(reader.file, line)}) {verb} {name}, which is not part of this run and has "
                f"nothing written for {self.date}: select {name} as well, or build that date first"
            )
        self._expose(name, path)

    def _expose(self, name: str, path: str) -> None:
        self.con.execute(f"CREATE OR REPLACE VIEW {quoted(name)} AS SELECT * FROM {_scan(path)}")
        self.ready.add(name)

    def _expose_previous(self, model: Model) -> None:
        """The newest earlier snapshot in today's columns: what it did not have yet is NULL."""
        path = self.storage.previous(model.layer, model.name, self.date)
        if path is None:
            select = empty_select(model.columns)
        else:
            found = self.con.execute(f"DESCRIBE SELECT * FROM {_scan(path)}").fetchall()
            present = {row[0].lower(): row[0] for row in found}
            select = f"SELECT {select_list(model.columns, present)} FROM {_scan(path)}"
        self.con.execute(f"CREATE OR REPLACE VIEW previous.{quoted(model.name)} AS {select}")

    def _expose_union(self, union: str) -> None:
        if union in self.ready:
            return
        columns = self.project.columns_of(union)
        names = ", ".join(quoted(column.name) for column in columns)
        selects = [f"SELECT {names} FROM {quoted(member)}" for member in self.project.unions[union]]
        select = " UNION ALL ".join(selects) or empty_select(columns)
        self.con.execute(f"CREATE OR REPLACE VIEW {quoted(union)} AS {select}")
        self.ready.add(union)

    def _relations(self, models: list[Model]) -> dict[str, DuckDBPyRelation]:
        """What the file gives, by model; for SQL nothing has run yet, it runs as it is written."""
        import duckdb

        first = models[0]
        if first.language == "python":
            return self._python(first, tuple(model.name for model in models))
        sql = first.file.read_text(encoding="utf-8")
        try:
            return {first.name: self.con.sql(sql)}
        except duckdb.Error as error:
            raise _failed(first, self._placed(sql, error)) from error

    def _placed(self, sql: str, error: Exception) -> Exception:
        """The same mistake told with its line, which `sql()` leaves out and EXPLAIN gives."""
        import duckdb

        try:
            self.con.execute(f"EXPLAIN {sql}").fetchall()
        except duckdb.Error as with_line:
            return with_line
        return error

    def _python(self, model: Model, outputs: tuple[str, ...]) -> dict[str, DuckDBPyRelation]:
        try:
            made = _load(model).build(self.con, self.context)
        except Exception as error:
            raise ModelFailed(
                model.name, model.file, f"{type(error).__name__}: {error}", _raised_at(error, model)
            ) from error
        if set(made) != set(outputs):
            raise ModelFailed(
                model.name,
                model.file,
                f"build gave {', '.join(sorted(made)) or 'nothing'}, OUTPUTS names {', '.join(sorted(outputs))}",
            )
        return {
            name: relation if hasattr(relation, "project") else self.con.from_arrow(relation)
            for name, relation in made.items()
        }

    def _write(self, model: Model, relation: DuckDBPyRelation) -> str:
        import duckdb

        try:
            return self.storage.write(model.layer, model.name, self.date, conformed(self.con, model, relation))
        except duckdb.Error as error:
            raise _failed(model, error) from error

    def _checked(self, model: Model) -> tuple[int, Any]:
        import duckdb

        try:
            return run_checks(self.con, model)
        except duckdb.Error as error:
            names = ", ".join(test.name for test in model.tests)
            raise ModelFailed(model.name, model.file, f"its tests ({names}) do not run: {error}") from error


def _scan(path: str) -> str:
    # the folder snapshot_date=... must not come back as a column
    return f"read_parquet({literal(path)}, hive_partitioning = false)"


def _failed(model: Model, error: Exception) -> ModelFailed:
    line = _LINE.search(str(error)) if model.language == "sql" else None
    return ModelFailed(model.name, model.file, str(error), int(line.group(1)) if line else None)


def _load(model: Model) -> ModuleType:
    module = ModuleType(f"dbt_like_transforms_model_{model.group}")
    module.__file__ = str(model.file)
    # as it stands now: what was compiled to disk is told from a newer file by its size and the second alone
    exec(compile(model.file.read_bytes(), model.file, "exec"), module.__dict__)
    return module


def _raised_at(error: BaseException, model: Model) -> int | None:
    """Deepest line of the model's own file in the traceback."""
    line = None
    trace = error.__traceback__
    while trace is not None:
        if Path(trace.tb_frame.f_code.co_filename) == model.file:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
