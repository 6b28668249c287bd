"""Where models are written: the protocol that the lake fulfils, and a plain folder for tests and small uses."""

from __future__ import annotations

import os
import uuid
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from duckdb import DuckDBPyRelation


class Storage(Protocol):
    """Keeps one Parquet address for every (layer, model, date). Addresses are what DuckDB's `read_parquet` takes."""

    def write(self, layer: str, model: str, date: date, relation: DuckDBPyRelation) -> str:
        """Runs the relation, writes it in place of what was there, and gives its address. All or nothing."""
        ...

    def path(self, layer: str, model: str, date: date) -> str | None:
        """Address of the model for exactly this date, None when it was not written."""
        ...

    def previous(self, layer: str, model: str, date: date) -> str | None:
        """Address of the model for the newest date before this one, None when there is none."""
        ...


class FolderStorage:
    """`<root>/<layer>/<model>/snapshot_date=YYYY-MM-DD/data.parquet`, written beside and renamed."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def _file(self, layer: str, model: str, day: date) -> Path:
        return self.root / layer / model / f"snapshot_date={day.isoformat()}" / "data.parquet"

    def write(self, layer: str, model: str, date: date, relation: DuckDBPyRelation) -> str:
        target = self._file(layer, model, date)
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.parent / f".{uuid.uuid4().hex}.tmp"
        try:
            relation.write_parquet(str(beside), compression="zstd")
            os.replace(beside, target)
        finally:
            beside.unlink(missing_ok=True)
        return str(target)

    def path(self, layer: str, model: str, date: date) -> str | None:
        file = self._file(layer, model, date)
        return str(file) if file.is_file() else None

    def previous(self, layer: str, model: str, date: date) -> str | None:
        days = sorted(
            folder.name.removeprefix("snapshot_date=")
            for folder in (self.root / layer / model).glob("snapshot_date=*")
            if (folder / "data.parquet").is_file()
        )
        earlier = [day for day in days if day < date.isoformat()]
        if not earlier:
            return None
        return str(self.root / layer / model / f"snapshot_date={earlier[-1]}" / "data.parquet")
