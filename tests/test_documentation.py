"""What is generated from declarations is up to date."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from demo_estate.kit import faults
from demo_estate.kit.faults import FaultPlan
from tests.conftest import PAGE, line_of, written

ROOT = Path(__file__).parent.parent


def test_generated_documentation_matches_the_declarations() -> None:
    outcome = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"], capture_output=True, text=True, timeout=300
    )
    assert outcome.returncode == 0, f"run python docs/generate.py\n{outcome.stdout}{outcome.stderr}"


def test_the_fault_plan_of_the_page_can_be_served_and_every_fault_is_named_there() -> None:
    page = (ROOT / "docs" / "connectors.md").read_text(encoding="utf-8")
    (plan,) = re.findall(r"```yaml\n(faults:\n.*?)```", page, re.DOTALL)
    assert len(FaultPlan.load(yaml.safe_load(plan)).faults) == 3
    assert [fault for fault in (*faults.BEFORE, *faults.ON_ANSWER) if f"`{fault}`" not in page] == []


def test_the_page_of_bad_nights_has_a_line_for_every_fault_that_is_tested_and_no_other(
    request: pytest.FixtureRequest,
) -> None:
    """It is written by the walk: a line by hand, or one whose test has changed or gone since, does not stay unseen."""
    items = request.session.items
    tested = {written(*line_of(item, marker)) for item in items if (marker := item.get_closest_marker("fault"))}
    lines = {line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.endswith("` |")}
    assert tested <= lines
    if not (request.config.option.keyword or request.config.option.markexpr or request.config.option.deselect):
        files = {str(item.path.relative_to(PAGE.parent.parent)) for item in items}
        assert {line for line in lines if line.split("`")[-2] in files} <= tested
