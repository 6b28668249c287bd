"""The collector of cycles while records are read: they have none, and there are many of them."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

#: Python looks through all that is new after every 700 objects: a page of records is some ten thousand.
THRESHOLDS = (50_000, 20, 50)


@contextmanager
def calm_collector() -> Iterator[None]:
    """Look for cycles seldom, until the end."""
    before = gc.get_threshold()
    gc.set_threshold(*THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
