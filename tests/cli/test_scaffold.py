"""A new connector passes the conformance suite before a line of it is written by hand."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from exposure_pipelines.errors import ConfigurationError
from exposure_pipelines.scaffold import start_connector

ROOT = Path(__file__).parent.parent.parent
PARTS = ("connector_assets", "dbt_like_transforms", "demo_estate", "exposure_pipelines", "tests/connectors")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "checkout"
    for part in PARTS:
        shutil.copytree(ROOT / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", root)
    for folder in ("tests", "connector_assets"):
        (root / folder / "__init__.py").touch()
    return root


def test_a_scaffolded_connector_passes_the_conformance_suite(checkout: Path) -> None:
    written = start_connector("acme_scanner", checkout)
    assert [path.name for path in written][:2] == ["__init__.py", "acme_scanner.py"]
    environment = {**os.environ, "PYTHONPATH": str(checkout), "EXPOSURE_UPDATE_CALLS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n0", "tests/connectors/test_conformance.py",
         "-k", "acme_scanner or demo_lens"],
        cwd=checkout, env=environment, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert "acme_scanner" in (checkout / "tests" / "connectors" / "calls.json").read_text()


def test_a_scaffolded_connector_is_clean_to_ruff_and_mypy(checkout: Path) -> None:
    pytest.importorskip("mypy")
    start_connector("acme_scanner", checkout)
    for command in (
        [
            "ruff",
            "check",
            "connector_assets/acme_scanner",
            "demo_estate/lenses/acme_scanner.py",
            "tests/connectors/conformance.py",
        ],
        ["mypy", "--no-incremental", "-p", "connector_assets.acme_scanner"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", *command], cwd=checkout, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["Acme", "acme-scanner", "../acme", "", "1acme", "acme__x"])
def test_a_name_that_is_no_module_name_is_refused(checkout: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match="snake_case"):
        start_connector(name, checkout)


def test_what_is_there_already_is_never_overwritten(checkout: Path) -> None:
    before = (checkout / "connector_assets" / "tenable" / "__init__.py").read_text()
    with pytest.raises(ConfigurationError, match="there already"):
        start_connector("tenable", checkout)
    assert (checkout / "connector_assets" / "tenable" / "__init__.py").read_text() == before


def test_a_folder_that_is_no_checkout_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no checkout"):
        start_connector("acme", tmp_path)
