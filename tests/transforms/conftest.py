from __future__ import annotations

from pathlib import Path

import pytest

from dbt_like_transforms.engine import Project

from .estate import Estate, landed_columns, write_models


@pytest.fixture(scope="session")
def estate_project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project.load(write_models(tmp_path_factory.mktemp("models")), landed_columns())


@pytest.fixture
def estate(estate_project: Project, tmp_path: Path) -> Estate:
    return Estate(estate_project, tmp_path / "lake")
