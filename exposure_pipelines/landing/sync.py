"""One sync of one instance: pull every stream, land it, say how complete it is."""

from __future__ import annotations

import errno
import logging
import os
import secrets
import shutil
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from connector_assets.kit.api import Api, open_api
from connector_assets.kit.client import Statistics
from connector_assets.kit.declaration import Connector, Record, Stream
from connector_assets.kit.errors import ConnectorError, ReportRecord, StreamSkipped
from exposure_pipelines import clock
from exposure_pipelines.errors import ConfigurationError, WorkFailed
from exposure_pipelines.lake import MANIFEST, Lake, duckdb_connection
from exposure_pipelines.landing.lock import instance_lock
from exposure_pipelines.landing.manifest import Manifest, State
from exposure_pipelines.landing.spool import PAGES_FILE, Spool, read_lines
from exposure_pipelines.landing.typed import TypedCounts, landed_columns, write_typed
from exposure_pipelines.landing.verdict import VolumeGuard, judge_scopes, judge_stream

if TYPE_CHECKING:
    from exposure_pipelines.connections import Connection
    from exposure_pipelines.home import Home

log = logging.getLogger("exposure.sync")

#: Typing holds this whatever the machine: every thread has buffers of its own, so that many would outgrow the memory.
TYPING_MEMORY = "256MB"
TYPING_THREADS = 2
#: What typing may hold where single records are too large for that.
LARGE_MEMORY = "1GB"

Progress = Callable[[str, str, int, int], None]
"""(instance, stream, pages, records) after every page."""


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync landed, a manifest a stream. `retry_later`: a failure that may be gone at the next try."""

    product: str
    instance: str
    sync: str
    streams: tuple[Manifest, ...]
    retry_later: bool = False

    @property
    def failed(self) -> tuple[Manifest, ...]:
        return tuple(manifest for manifest in self.streams if manifest.state == "failed")

    @property
    def partial(self) -> tuple[Manifest, ...]:
        return tuple(manifest for manifest in self.streams if manifest.state == "partial")


def new_sync_id(moment: datetime) -> str:
    """Sortable by time (to the microsecond), unique: 20261123T063000123456Z-1a2b3c4d."""
    return f"{moment:%Y%m%dT%H%M%S%fZ}-{secrets.token_hex(4)}"


def run_sync(
    connection: Connection,
    connector: Connector,
    home: Home,
    lake: Lake,
    *,
    streams: Sequence[str] | None = None,
    accept_volume: bool = False,
    progress: Progress | None = None,
) -> SyncReport:
    """Pull the instance's streams and land each. A failing stream never stops the independent ones.

    Raises WorkFailed when the instance is being synced already or the disk is full, ConfigurationError for an unknown
    stream; failures of the vendor are in the report.
    """
    wanted = ordered(connector, streams or connection.streams)
    started = clock.now()
    run = SyncRun(connection, connector, home, lake, new_sync_id(started), accept_volume, progress)
    with instance_lock(run.local_root / ".locks", connection.instance), run.workspace():
        run.pull(wanted)
    return SyncReport(connector.product, connection.instance, run.sync, tuple(run.manifests.values()), run.retry_later)


def ordered(connector: Connector, names: Sequence[str] | None) -> list[Stream]:
    """The streams asked for, with those they need, each after what it needs."""
    known = {stream.name: stream for stream in connector.streams}
    result: dict[str, Stream] = {}

    def add(name: str, path: tuple[str, ...]) -> None:
        if name in result:
            return
        if name in path:
            raise ConfigurationError(
                f"{connector.product}: streams need each other in a circle: {' -> '.join([*path, name])}"
            )
        if name not in known:
            raise ConfigurationError(f"{connector.product} has no stream {name!r}; it has {', '.join(known)}.")
        for needed in known[name].needs:
            add(needed, (*path, name))
        result[name] = known[name]

    for name in names or known:
        add(name, ())
    return list(result.values())


@dataclass
class SyncRun:
    """State of a running sync."""

    connection: Connection
    connector: Connector
    home: Home
    lake: Lake
    sync: str
    accept_volume: bool
    progress: Progress | None
    manifests: dict[str, Manifest] = field(default_factory=dict)
    landed: dict[str, str] = field(default_factory=dict)
    retry_later: bool = False

    @property
    def local_root(self) -> Path:
        """Where spools and locks lie: beside the landed syncs, so that closing one is a rename and never a copy.

        Homes that share a lake folder share its locks, so that none sweeps the running spool of another.
        """
        base = Path(self.lake.root) if self.lake.is_local else self.home.scratch
        return base / "landed"

    @property
    def spool_root(self) -> Path:
        return self.local_root / ".spool" / self.connection.instance

    @contextmanager
    def workspace(self) -> Iterator[None]:
        """A folder for this sync's spools. What a killed sync of the instance left is swept: it was never visible."""
        shutil.rmtree(self.spool_root, ignore_errors=True)
        try:
            (self.spool_root / self.sync).mkdir(mode=0o700, parents=True)
            yield
        except Exception as error:
            if is_disk_full(error):
                raise WorkFailed(
                    f"{self.connection.instance}: the disk is full ({self.spool_root}); nothing of the open stream became "
                    "visible, earlier syncs are whole. Free some space, then sync again."
                ) from error
            raise
        finally:
            shutil.rmtree(self.spool_root, ignore_errors=True)

    def pull(self, streams: Sequence[Stream]) -> None:
        try:
            api = open_api(
                self.connector, self.connection.settings(), clock.now(), records_reader=self.records, progress=log.info
            )
        except ConnectorError as error:
            for stream in streams:
                self.close_failed(stream, error, clock.now(), Statistics())
            return
        with api.client:
            for stream in streams:
                self.pull_stream(api, stream)

    def records(self, stream: str) -> Iterator[Record]:
        """Records of a stream landed in this sync, for the streams that need them."""
        if stream not in self.landed:
            raise StreamSkipped(f"stream {stream} gave nothing to go on with")
        filesystem = None if self.lake.is_local else self.lake.filesystem
        for line in read_lines(f"{self.landed[stream]}/{PAGES_FILE}", filesystem):
            record = orjson.loads(line)
            if isinstance(record, dict):
                yield record

    def pull_stream(self, api: Api, stream: Stream) -> None:
        started, before = clock.now(), api.statistics.copy()
        missing = next((name for name in stream.needs if name not in self.landed), None)
        if missing:
            reason = f"it needs stream {missing}, which is {self.manifests[missing].state}"
            state: State = "skipped" if self.manifests[missing].state == "skipped" else "failed"
            self.close_empty(stream, state, reason, started, before, api.statistics)
            return
        api.begin(stream.name)
        folder = self.spool_root / self.sync / stream.name
        spool = Spool(folder, stream.drop_fields)
        error: ConnectorError | None = None
        try:
            for page in stream.pull(api):
                spool.add(page.records, page.scope, page.cursor)
                if page.total is not None:
                    api.expect(page.total, page.scope)
                if self.progress:
                    self.progress(self.connection.instance, stream.name, len(spool.pages), spool.rows)
        except ConnectorError as caught:
            error = caught
        except Exception as caught:
            if is_disk_full(caught):
                raise
            # an answer the connector did not foresee ends its stream, not the night
            log.error(
                "%s: stream %s met an answer it does not understand\n%s",
                self.connection.instance,
                stream.name,
                api.mask("".join(traceback.format_exception(caught))),
            )
            error = unforeseen(caught, api)
        finally:
            spool.close()
        if error:
            log.warning("%s: stream %s stopped: %s", self.connection.instance, stream.name, error)
        if error and self.ends_without_records(stream, error, spool):
            skipped = isinstance(error, StreamSkipped) or (stream.optional and error.status in (403, 404))
            if skipped:
                self.close_empty(stream, "skipped", str(error), started, before, api.statistics)
            else:
                self.close_failed(stream, error, started, before, api.statistics)
            return
        self.close(api, stream, spool, error, started, before)

    def ends_without_records(self, stream: Stream, error: ConnectorError, spool: Spool) -> bool:
        return isinstance(error, StreamSkipped) or spool.rows == 0

    def close(
        self,
        api: Api,
        stream: Stream,
        spool: Spool,
        error: ConnectorError | None,
        started: datetime,
        before: Statistics,
    ) -> None:
        """Type what was spooled, judge it, make it visible; what cannot be typed ends its stream, not the others."""
        place: dict[str, Any] = {
            "product": self.connector.product,
            "instance": self.connection.instance,
            "stream": stream.name,
            "sync": self.sync,
        }
        try:
            counts = self.typed(stream, spool, place)
        except Exception as caught:
            if is_disk_full(caught):
                raise
            log.error("%s", api.mask("".join(traceback.format_exception(caught))))
            self.close_failed(stream, untypable(caught, api, spool.rows), started, before, api.statistics)
            return
        guard = VolumeGuard(
            self.connection.instance,
            self.connection.volume_guard,
            stream.may_be_empty,
            None if self.accept_volume else self.last_complete(stream),
        )
        scopes = judge_scopes(api.verdict, spool.rows_by_scope, counts, error, guard)
        needed = [self.manifests[name] for name in stream.needs]
        state, reason = judge_stream(scopes, counts, needed, guard)
        manifest = Manifest(
            **place,
            started_at=started,
            finished_at=clock.now(),
            state=state,
            reason=reason,
            error=type(error).__name__ if error else None,
            scopes=scopes,
            records=counts.records,
            rejected=counts.rejected,
            field_issues=counts.field_issues,
            duplicates=counts.duplicates,
            pages=len(spool.pages),
            landed_bytes=spool.path.stat().st_size,
            content_hash=spool.content_hash,
            columns=landed_columns(stream),
            evidence=stream.evidence,
            notes=api.verdict.notes,
            **cost(before, api.statistics),
        )
        self.retry_later |= bool(error and error.retry_later)
        self.landed[stream.name] = self.publish(spool.folder, manifest)

    def typed(self, stream: Stream, spool: Spool, place: dict[str, Any]) -> TypedCounts:
        import duckdb

        threads = min(TYPING_THREADS, os.cpu_count() or 1)
        try:
            with duckdb_connection(self.home, self.lake, memory_limit=TYPING_MEMORY, threads=threads) as database:
                return write_typed(database, spool.folder, stream, spool.pages, place)
        except duckdb.OutOfMemoryException:  # a record of some megabytes: rare enough to be typed a second time
            with duckdb_connection(self.home, self.lake, memory_limit=LARGE_MEMORY, threads=1) as database:
                return write_typed(database, spool.folder, stream, spool.pages, place)

    def last_complete(self, stream: Stream) -> Manifest | None:
        found = self.lake.manifests(self.connection.instance, stream.name)
        return next((manifest for manifest in found if manifest.state == "complete"), None)

    def close_failed(
        self,
        stream: Stream,
        error: ConnectorError,
        started: datetime,
        before: Statistics,
        after: Statistics | None = None,
    ) -> None:
        self.retry_later |= error.retry_later
        self.close_empty(stream, "failed", str(error), started, before, after or before, type(error).__name__)

    def close_empty(
        self,
        stream: Stream,
        state: State,
        reason: str,
        started: datetime,
        before: Statistics,
        after: Statistics,
        error: str | None = None,
    ) -> None:
        """Land the news that a stream gave nothing: readers keep the sync before it."""
        folder = self.spool_root / self.sync / stream.name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700, parents=True)
        manifest = Manifest(
            product=self.connector.product,
            instance=self.connection.instance,
            stream=stream.name,
            sync=self.sync,
            started_at=started,
            finished_at=clock.now(),
            state=state,
            reason=reason,
            error=error,
            **cost(before, after),
        )
        self.publish(folder, manifest)

    def publish(self, folder: Path, manifest: Manifest) -> str:
        (folder / MANIFEST).write_text(manifest.model_dump_json(indent=1), encoding="utf-8")
        self.manifests[manifest.stream] = manifest
        return self.lake.land(folder, manifest.instance, manifest.stream, manifest.sync)


def unforeseen(error: Exception, api: Api) -> ConnectorError:
    """An error of the connector itself, as one that a person can report."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "unknown place"
    return ReportRecord(
        f"the connector does not understand an answer ({api.mask(repr(error))[:200]}, {place})",
        hint="this is a defect of the connector: report it with this message; the other streams go on",
    )


def untypable(error: Exception, api: Api, rows: int) -> ConnectorError:
    """An error of typing what was read, as one that a person can report."""
    said = (api.mask(str(error)).splitlines() or [""])[0][:200]
    return ReportRecord(
        f"the {rows} records read could not be typed ({type(error).__name__}: {said})",
        hint="report it with this message: a record may be too large, or the connector declares it wrongly; "
        "earlier syncs and the other streams are whole",
    )


def is_disk_full(error: BaseException) -> bool:
    """Whether an error of the system, or of DuckDB writing a file, says that no room is left."""
    codes = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    if isinstance(error, OSError):
        return error.errno in codes
    return type(error).__module__ == "_duckdb" and any(os.strerror(code) in str(error) for code in codes)


def cost(before: Statistics, after: Statistics) -> dict[str, Any]:
    return {
        "requests": after.requests - before.requests,
        "retries": after.retries - before.retries,
        "waited_seconds": round(after.waited_seconds - before.waited_seconds, 3),
        "received_bytes": after.bytes - before.bytes,
    }
