"""The command line as a person calls it: a process of its own, exit code and both outputs looked at."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Exposure = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def exposure(tmp_path: Path) -> Exposure:
    """Call `exposure ...` on a home of the test's own; keyword arguments are further environment variables."""
    home = tmp_path / "home"

    def call(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("EXPOSURE_", "DAGSTER_"))}
        return subprocess.run(
            [sys.executable, "-m", "exposure_pipelines.cli.main", *arguments],
            env={**kept, "EXPOSURE_HOME": str(home), **environment},
            capture_output=True,
            text=True,
            timeout=600,
        )

    return call
