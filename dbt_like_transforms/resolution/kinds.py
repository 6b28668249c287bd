"""The kinds of assets that are resolved: the ladder of each, and the columns of its observations."""

from __future__ import annotations

from typing import Literal

from dbt_like_transforms.resolution.ladders import applications, devices, identities
from dbt_like_transforms.resolution.ladders.ladder import Ladder

Kind = Literal["device", "identity", "application"]

LADDERS: dict[str, Ladder] = {
    "device": devices.LADDER,
    "identity": identities.LADDER,
    "application": applications.LADDER,
}
COLUMNS: dict[str, dict[str, str]] = {
    "device": devices.COLUMNS,
    "identity": identities.COLUMNS,
    "application": applications.COLUMNS,
}
