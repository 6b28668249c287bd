"""Places that keep secrets: the environment, mounted files, and what an installation adds by an entry point.

A package adds a secret manager under the name that connection files use:

    [project.entry-points."exposure_pipelines.secrets"]
    vault = "our_package:Vault"
"""

from __future__ import annotations

import importlib.metadata
import os
from pathlib import Path
from typing import Protocol

GROUP = "exposure_pipelines.secrets"


class SecretSource(Protocol):
    """A place that keeps secrets; made without arguments, once a read."""

    def read(self, key: str) -> str:
        """The secret under `key`, which a connection file names. Raises LookupError saying why there is none."""


class Environment:
    """Environment variables."""

    def read(self, key: str) -> str:
        if not os.environ.get(key):
            raise LookupError(f"the environment variable {key} is not set")
        return os.environ[key]


class MountedFile:
    """Files that hold one secret each."""

    def read(self, key: str) -> str:
        path = Path(key)
        if not (path.is_file() and os.access(path, os.R_OK)):
            raise LookupError(f"{path} is not a readable file")
        return path.read_text(encoding="utf-8").strip()


def source(name: str) -> SecretSource:
    """The source of that name. Raises LookupError where no installed package brings it."""
    if name in ("env", "file"):
        return Environment() if name == "env" else MountedFile()
    for found in importlib.metadata.entry_points(group=GROUP, name=name):
        made: SecretSource = found.load()()
        return made
    raise LookupError(f"no installed package brings a secret manager {name} (entry point group {GROUP})")
