"""The lake: landed syncs and built tables as files, on a local folder or any fsspec address.

Local files are written beside and renamed; on object storage a single put is atomic. A sync is visible from the moment its
manifest is there, which is written last.
"""

from __future__ import annotations

import os
import re
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from exposure_pipelines import clock
from exposure_pipelines.errors import ConfigurationError

if TYPE_CHECKING:
    import duckdb
    from duckdb import DuckDBPyRelation
    from fsspec import AbstractFileSystem

    from exposure_pipelines.home import Home
    from exposure_pipelines.landing.manifest import Manifest

MANIFEST = "_manifest.json"
DATA_FILE = "part-0.parquet"
#: Inventories of an estate are for their owner's eyes, wherever the lake lies.
OWN_FILE = 0o600
#: Spilled files that nobody wrote to for so long belong to no process that still runs.
SPILL_SECONDS = 6 * 3600
SYNC_TIME = re.compile(r"\d{8}T\d{6}")
DATE = re.compile(r"snapshot_date=(\d{4}-\d{2}-\d{2})$")


class Lake:
    """Paths and atomic writes of one lake. `root` is what DuckDB and fsspec both understand."""

    def __init__(self, url: str, scratch: Path) -> None:
        """Raises ConfigurationError for an address that no installed driver opens."""
        import fsspec

        self.url = url
        self.scratch = scratch
        self.filesystem: AbstractFileSystem
        try:
            self.filesystem, path = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError) as error:  # no driver for its protocol, or no such protocol
            raise ConfigurationError(
                f"EXPOSURE_LAKE_URL cannot be opened ({error}): expected an address such as s3://bucket/lake, "
                "whose driver pip install 'exposure-pipelines[s3]' brings"
            ) from error
        self.is_local = (
            "file" in self.filesystem.protocol
            if isinstance(self.filesystem.protocol, tuple | list)
            else self.filesystem.protocol == "file"
        )
        self._path = path.rstrip("/")
        protocol = (
            self.filesystem.protocol if isinstance(self.filesystem.protocol, str) else self.filesystem.protocol[0]
        )
        self.root = self._path if self.is_local else f"{protocol}://{self._path}"

    @classmethod
    def of(cls, home: Home) -> Lake:
        return cls(home.lake_url, home.scratch)

    # Landed syncs ------------------------------------------------------------------------------------------------

    def landed(self, instance: str, stream: str) -> str:
        return f"{self.root}/landed/{instance}/{stream}"

    def syncs(self, instance: str, stream: str) -> list[str]:
        """Ids of the closed syncs of a stream, oldest first."""
        self.filesystem.invalidate_cache()  # other processes land syncs while this one lives
        found = self.filesystem.glob(f"{self._path}/landed/{instance}/{stream}/*/{MANIFEST}")
        return sorted(str(path).rsplit("/", 2)[1] for path in found)

    def manifest(self, instance: str, stream: str, sync: str) -> Manifest:
        from exposure_pipelines.landing.manifest import Manifest

        path = f"{self._path}/landed/{instance}/{stream}/{sync}/{MANIFEST}"
        return Manifest.model_validate_json(self.filesystem.cat_file(path))

    def manifests(self, instance: str, stream: str, before: datetime | None = None) -> Iterator[Manifest]:
        """Manifests of the closed syncs of a stream, newest first, read as they are asked for.

        `before` (UTC) leaves out syncs finished at or after it; those whose id says that they began later are not read.
        """
        stamp = f"{before:%Y%m%dT%H%M%S}" if before else ""
        for sync in reversed(self.syncs(instance, stream)):
            began = SYNC_TIME.match(sync)
            if before and began and began[0] > stamp:
                continue
            manifest = self.manifest(instance, stream, sync)
            if before is None or manifest.finished_at < before:
                yield manifest

    def land(self, folder: Path, instance: str, stream: str, sync: str) -> str:
        """Make a spooled sync (a local folder that holds its manifest) visible, at once. Returns its path."""
        target = f"{self._path}/landed/{instance}/{stream}/{sync}"
        if self.is_local:
            Path(target).parent.mkdir(parents=True, exist_ok=True)
            sync_to_disk(folder)
            os.replace(folder, target)
            return target
        files = sorted(file for file in folder.iterdir() if file.name != MANIFEST)
        for file in [*files, folder / MANIFEST]:
            self.filesystem.put_file(str(file), f"{target}/{file.name}")
        shutil.rmtree(folder)
        return f"{self.landed(instance, stream)}/{sync}"

    # Built tables ------------------------------------------------------------------------------------------------

    def model_path(self, layer: str, model: str, day: date) -> str:
        return f"{self.root}/{layer}/{model}/snapshot_date={day.isoformat()}/{DATA_FILE}"

    def model_dates(self, layer: str, model: str) -> list[date]:
        """Dates for which a model is built, oldest first; without those that a clock that ran ahead left."""
        self.filesystem.invalidate_cache()
        found = self.filesystem.glob(f"{self._path}/{layer}/{model}/snapshot_date=*")
        dates = (date.fromisoformat(match[1]) for path in found if (match := DATE.search(str(path).rstrip("/"))))
        today = clock.utc_date()
        return sorted(day for day in dates if day <= today)

    def has_model(self, layer: str, model: str, day: date) -> bool:
        return bool(self.filesystem.exists(f"{self._path}/{layer}/{model}/snapshot_date={day.isoformat()}/{DATA_FILE}"))

    def path(self, layer: str, model: str, date: date) -> str | None:
        """Address of a model built for exactly this date, None when it was not."""
        return self.model_path(layer, model, date) if self.has_model(layer, model, date) else None

    def previous(self, layer: str, model: str, date: date) -> str | None:
        """Address of a model for the newest date before this one, None when there is none."""
        earlier = [day for day in self.model_dates(layer, model) if day < date]
        return self.path(layer, model, earlier[-1]) if earlier else None

    def write(self, layer: str, model: str, date: date, relation: DuckDBPyRelation) -> str:
        """Run a relation and put its rows in place of what was there for the date: all of them or none."""
        self.scratch.mkdir(parents=True, exist_ok=True)
        final = f"{self._path}/{layer}/{model}/snapshot_date={date.isoformat()}/{DATA_FILE}"
        if self.is_local:
            Path(final).parent.mkdir(parents=True, exist_ok=True)
            draft = Path(final).with_name(f".{uuid.uuid4().hex}.tmp")
        else:
            draft = self.scratch / f"{model}-{uuid.uuid4().hex}.parquet"
        try:
            relation.write_parquet(str(draft), compression="zstd")
            draft.chmod(OWN_FILE)
            if self.is_local:
                os.replace(draft, final)
            else:
                self.filesystem.put_file(str(draft), final)
        finally:
            draft.unlink(missing_ok=True)
        return self.model_path(layer, model, date)


def sync_to_disk(folder: Path) -> None:
    """Flush a folder's files, so that a power cut after the rename finds whole files behind it; readable by the owner."""
    for file in folder.iterdir():
        file.chmod(OWN_FILE)
        descriptor = os.open(file, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def duckdb_connection(
    home: Home, lake: Lake, *, memory_limit: str = "", threads: int | None = None
) -> duckdb.DuckDBPyConnection:
    """A DuckDB of this process alone, in memory, spilling into the home; reads the lake wherever it lies.

    memory_limit: such as "256MB"; without one EXPOSURE_MEMORY_LIMIT, else DuckDB's own. threads: None is all cores.
    """
    import duckdb

    is_old = int(duckdb.__version__.split(".", 1)[0]) < 2
    folder = spill_folder(home.scratch / "duckdb", shared=not is_old)
    connection = duckdb.connect(config={"temp_directory": str(folder), "preserve_insertion_order": False})
    connection.execute("SET GLOBAL TimeZone = 'UTC'")  # for its cursors as well
    limit = memory_limit or os.environ.get("EXPOSURE_MEMORY_LIMIT", "")
    if limit:
        connection.execute("SET memory_limit = $limit", {"limit": limit})
    if threads:
        connection.execute(f"SET threads = {int(threads)}")
    if not lake.is_local:
        connection.register_filesystem(lake.filesystem)
        if is_old:
            # its threads read through Python and wait for the lock that a relation being bound holds: it hangs
            connection.execute("SET threads = 1")
    return connection


def spill_folder(root: Path, *, shared: bool) -> Path:
    """Where a DuckDB writes what does not fit the memory.

    From 2.0 on each names its files by its process and sweeps those of dead ones: they share a folder. Before, all use the same
    names: a sync and a build that spill at once read each other's files and crash. DuckDB makes a folder of its own when it
    spills and takes it away at its end; what a killed process left is swept when it is old.
    """
    root.mkdir(parents=True, exist_ok=True)
    for left in filter(Path.is_dir, root.iterdir()):
        with suppress(FileNotFoundError):  # its DuckDB has just ended
            written = max(path.stat().st_mtime for path in (left, *left.iterdir()))
            if time.time() - written > SPILL_SECONDS:
                shutil.rmtree(left)
    return root if shared else root / uuid.uuid4().hex
