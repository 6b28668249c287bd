"""What a run reports about each model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dbt_like_transforms.engine.columns import Column
from dbt_like_transforms.engine.contract import Severity


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One test on one model.

    failing: rows (for uniqueness: values) that fail. sample: up to five of them, key columns and the tested column
    only when it is a key, so that no personal data reaches logs or the Dagster pages.
    """

    name: str
    column: str | None
    passed: bool
    severity: Severity
    failing: int
    sample: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class ModelResult:
    """One model as written. `selected` is False for a sibling output that the same file had to write as well."""

    name: str
    layer: str
    rows: int
    seconds: float
    path: str
    columns: tuple[Column, ...]
    checks: tuple[CheckResult, ...]
    selected: bool = True

    @property
    def failed_checks(self) -> tuple[CheckResult, ...]:
        """Checks of severity `error` that did not pass."""
        return tuple(check for check in self.checks if not check.passed and check.severity == "error")
