"""What a build knows besides its relations: the date it builds and where it may keep files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from dbt_like_transforms.reporting import Report, silent


@dataclass(frozen=True, slots=True)
class BuildContext:
    """The frame of one snapshot date, handed to Python models and shown to SQL as `run.context`.

    snapshot_end: first instant after the date, naive UTC like every timestamp in the models.
    home: folder of the installation for files a model keeps across runs (manual decisions); None in tests.
    options: free settings of the build, e.g. thresholds; a model documents the keys it reads.
    report: hears what a model that takes long is doing now.
    """

    snapshot_date: date
    snapshot_end: datetime
    home: Path | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    report: Report = silent

    @classmethod
    def for_date(
        cls,
        snapshot_date: date,
        home: Path | None = None,
        options: Mapping[str, Any] | None = None,
        report: Report = silent,
    ) -> BuildContext:
        """The context of a UTC date, ending at the following midnight."""
        end = datetime.combine(snapshot_date, time()) + timedelta(days=1)
        return cls(snapshot_date, end, home, dict(options or {}), report)
