"""Where everything of one installation lies."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from exposure_pipelines.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Home:
    """The folders and addresses of an installation; nothing is made before `ensure`."""

    root: Path
    connections: Path
    lake_url: str
    warehouse_url: str

    @classmethod
    def from_env(cls) -> Self:
        """EXPOSURE_HOME (default `.exposure` here), with EXPOSURE_CONNECTIONS, EXPOSURE_LAKE_URL, EXPOSURE_WAREHOUSE_URL."""
        root = Path(os.environ.get("EXPOSURE_HOME") or ".exposure").expanduser().absolute()
        connections = os.environ.get("EXPOSURE_CONNECTIONS")
        return cls(
            root=root,
            connections=Path(connections).expanduser().absolute() if connections else root / "connections",
            lake_url=os.environ.get("EXPOSURE_LAKE_URL") or str(root / "lake"),
            warehouse_url=os.environ.get("EXPOSURE_WAREHOUSE_URL") or f"sqlite:///{root / 'warehouse.db'}",
        )

    @property
    def dagster(self) -> Path:
        return self.root / "dagster"

    @property
    def lake(self) -> Path:
        """The local lake folder; with EXPOSURE_LAKE_URL the lake lies elsewhere and this stays empty."""
        return self.root / "lake"

    @property
    def snapshots(self) -> Path:
        return self.root / "snapshots"

    @property
    def scratch(self) -> Path:
        """Work files of running steps: spools, DuckDB's overflow. Safe to delete when nothing runs."""
        return self.root / "scratch"

    def ensure(self) -> Self:
        """Make the folders, readable by their owner alone. Raises ConfigurationError where that is impossible."""
        for folder in (self.root, self.dagster, self.connections, self.lake, self.snapshots, self.scratch):
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                raise ConfigurationError(
                    f"{folder} cannot be made ({error.strerror}); point EXPOSURE_HOME at a folder you may write to."
                ) from None
        return self

    def require_writable(self, *folders: Path) -> None:
        """Before work that writes into `folders`, those of syncs and builds without any. Raises ConfigurationError for a home
        of another user, or on a disk that is mounted read-only, as systems do with one that fails. What is there can still be
        read."""
        for folder in folders or (self.dagster, self.lake, self.snapshots, self.scratch):
            if not os.access(folder, os.W_OK | os.X_OK):
                raise ConfigurationError(
                    f"{folder} cannot be written: its disk is mounted read-only, or it belongs to another user. Nothing was "
                    "begun, and what is there can be read (`exposure status`, `exposure export`). Make it writable (see "
                    "`exposure doctor`), or point EXPOSURE_HOME at a folder you may write to."
                )
