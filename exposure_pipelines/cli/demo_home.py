"""What tells a home of the demo, and a connection of it, from those of a real estate."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from exposure_pipelines.home import Home

MARKER = "demo.json"
HEADER = "# Written by `exposure demo`: an emulated vendor on this machine. The next demo run writes it anew.\n"

SERVED = "the demo's vendors answer only while `exposure demo` runs"
OWN_HOME = "Give your own products a home of their own: EXPOSURE_HOME=.exposure-own"


def is_demo_home(home: Home) -> bool:
    return (home.root / MARKER).exists()


def is_of_demo(file: Path) -> bool:
    """Whether a connection file was written by the demo."""
    return file.exists() and file.read_text(encoding="utf-8", errors="replace").startswith(HEADER)


def demo_instances(home: Home, instances: Iterable[str]) -> list[str]:
    """Those of some instances that the demo connected."""
    return [instance for instance in instances if is_of_demo(home.connections / f"{instance}.yaml")]
