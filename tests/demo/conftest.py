"""One demo home for all tests of this folder: a whole run over real HTTP, two days of a small company."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

DEVICES, DAYS = 200, 2


@dataclass(frozen=True)
class Demo:
    home: Path
    output: str

    def environment(self) -> dict[str, str]:
        kept = {
            key: value for key, value in os.environ.items() if not key.startswith(("EXPOSURE_", "DAGSTER_", "ESTATE_"))
        }
        return {**kept, "EXPOSURE_HOME": str(self.home), "COLUMNS": "200"}

    def call(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "exposure_pipelines.cli.main", *arguments],
            env={**self.environment(), **environment},
            capture_output=True,
            text=True,
            timeout=600,
        )


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """`exposure demo` as a newcomer calls it."""
    home = tmp_path_factory.mktemp("demo") / "home"
    waiting = Demo(home, "")
    outcome = waiting.call("demo", "--devices", str(DEVICES), "--days", str(DAYS))
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    return Demo(home, outcome.stdout)
