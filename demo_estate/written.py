"""When a vendor last wrote down anything of a machine: what its filters on changes go by."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from demo_estate.lenses import View
    from demo_estate.truth import Device


def written_day(view: View, device: Device) -> int:
    """The day on which a product last heard of a machine that it watches every day.

    What is gone is not heard of any more; the day after its last one tells how late on that day it was.
    """
    return view.day if device.last_day is None else min(view.day, device.last_day + 1)


def known_day(view: View, device: Device) -> int:
    """The day whose state of a machine a product shows; the timeline knows none before its first."""
    return max(0, view.day if device.last_day is None else min(view.day, device.last_day))
