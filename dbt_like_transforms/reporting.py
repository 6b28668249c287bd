"""Telling what long work is doing, to whoever wants to hear it."""

from collections.abc import Callable

Report = Callable[[str], None]


def silent(doing: str) -> None:
    """Nobody listens."""
