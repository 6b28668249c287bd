"""Errors of the model engine. Every message says what is wrong, in which file and line, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path


class EngineError(Exception):
    """Base of every error that the engine raises on purpose."""


class ProjectError(EngineError):
    """The models or their YAML are wrong as written (no data was touched)."""


class SourceError(EngineError):
    """A source relation was registered wrongly by the caller, or a landed file lacks what it declares."""


class MissingModelData(EngineError):
    """A model that is not part of this run has nothing written for the date, so its readers cannot run."""


class ModelFailed(EngineError):
    """A model did not run, or gave other columns than it declares."""

    def __init__(self, model: str, file: Path, message: str, line: int | None = None) -> None:
        self.model = model
        self.file = file
        self.line = line
        super().__init__(f"model {model} failed ({place(file, line)}): {message}")


def place(file: Path, line: int | None = None) -> str:
    """`models/marts/devices.sql:12`, shortened to start at the models folder where there is one."""
    parts = file.parts
    if "models" in parts:
        last = len(parts) - 1 - parts[::-1].index("models")
        shown = "/".join(parts[last:])
    else:
        shown = file.name
    return f"{shown}:{line}" if line else shown


def nearest(name: str, known: Iterable[str]) -> str:
    """`; did you mean devices?`, or nothing when no known name is close."""
    close = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else ""
