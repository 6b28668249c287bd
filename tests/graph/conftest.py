from __future__ import annotations

from pathlib import Path

import pytest

from dbt_like_transforms.engine import Project
from tests.transforms.estate import GRAPH_MARTS, MARTS, Estate, landed_columns, write_models

ALL = (*MARTS, *GRAPH_MARTS)
BUILT = (*ALL, "attack_path_steps", "choke_points", "recommendations", "attack_path_preconditions")


@pytest.fixture(scope="session")
def graph_project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project.load(write_models(tmp_path_factory.mktemp("models"), ALL), landed_columns())


@pytest.fixture
def graph(graph_project: Project, tmp_path: Path) -> Estate:
    (tmp_path / "home").mkdir()
    return Estate(graph_project, tmp_path / "lake", BUILT, tmp_path / "home")
