"""Settings of a resolution; the defaults are the reference."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from dbt_like_transforms.resolution.clustering.activity import Clocks


@dataclass(frozen=True, slots=True)
class ResolutionConfig:
    """How to resolve.

    as_of: the moment for which survivorship judges how old a source is (naive UTC); None takes the newest activity.
    allowed: (identifier, value) pairs that are real although they look like placeholders or several machines carry them,
    e.g. ("serial_number", "1234").
    without: instances (or products) left out, to see the estate without a poisoned source.
    """

    as_of: datetime | None = None
    clocks: Clocks = field(default_factory=Clocks)
    allowed: Collection[tuple[str, str]] = ()
    without: Collection[str] = ()
