from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connector_assets import registry
from dbt_like_transforms import MODELS_DIR
from dbt_like_transforms.engine import (
    RUN_SOURCES,
    FolderStorage,
    Project,
    Runner,
    landed_source,
    open_connection,
    register_sources,
    register_table,
)


@pytest.fixture(scope="module")
def project() -> Project:
    declared = [
        landed_source(connector.product, stream.name, stream.fields)
        for connector in registry.load_all()
        for stream in connector.streams
    ]
    return Project.load(MODELS_DIR, dict(declared))


def test_every_model_runs_and_holds_its_tests_before_anything_is_connected(project: Project, tmp_path: Path) -> None:
    con = open_connection()
    landed = {name: columns for name, columns in project.sources.items() if name.startswith("landed.")}
    register_sources(con, landed, {})
    for relation in RUN_SOURCES.keys() - {"run.context"}:
        register_table(con, relation, RUN_SOURCES[relation], [])
    results = Runner(project, con, FolderStorage(tmp_path / "lake"), home=tmp_path).run(date(2026, 11, 20))
    assert [result.name for result in results] == list(project.models)
    failed = [(result.name, check.name) for result in results for check in result.checks if not check.passed]
    assert failed == []


def test_every_model_says_what_it_is_and_every_mart_what_its_columns_are(project: Project) -> None:
    for model in project.models.values():
        assert model.description, model.name
        if model.layer == "marts":
            assert [column.name for column in model.columns if not column.description] == [], model.name


def test_the_sql_of_every_model_parses_and_its_lineage_is_found(project: Project) -> None:
    for model in project.models.values():
        if model.language == "sql" and model.depends_on:
            assert project.lineage(model.name), model.name


def test_loading_reads_each_file_once_because_the_code_location_does_it_on_every_start(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: Counter[Path] = Counter()
    read_text = Path.read_text

    def counted(path: Path, *arguments: Any, **others: Any) -> str:
        read[path] += 1
        return read_text(path, *arguments, **others)

    monkeypatch.setattr(Path, "read_text", counted)
    Project.load(MODELS_DIR, project.sources)
    assert len(read) >= len({model.file for model in project.models.values()})
    # what models import from elsewhere is a part of each of them
    assert [path for path, times in read.items() if times > 1 and path.is_relative_to(MODELS_DIR)] == []
