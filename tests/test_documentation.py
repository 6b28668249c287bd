"""What is generated from declarations is up to date."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_generated_documentation_matches_the_declarations() -> None:
    outcome = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"], capture_output=True, text=True, timeout=120
    )
    assert outcome.returncode == 0, f"run python docs/generate.py\n{outcome.stdout}{outcome.stderr}"
