"""One sync of one instance: pull every stream, land it, say how complete it is."""

from __future__ import annotations

import logging
import secrets
import shutil
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connector_assets.kit.api import Api, open_api
from connector_assets.kit.client import Statistics
from connector_assets.kit.declaration import Connector, Record, Stream
from connector_assets.kit.errors import ConnectorError, ReportRecord, StreamSkipped
from exposure_pipelines import clock
from exposure_pipelines.errors import ConfigurationError, WorkFailed
from exposure_pipelines.lake import MANIFEST, Lake
from exposure_pipelines.landing.collector import calm_collector
from exposure_pipelines.landing.incremental import plan_of
from exposure_pipelines.landing.lock import instance_lock
from exposure_pipelines.landing.manifest import Manifest, State
from exposure_pipelines.landing.reading import Progress, Reader, Reading, is_disk_full
from exposure_pipelines.landing.spool import PAGES_FILE, Spool, read_lines, value_of
from exposure_pipelines.landing.typed import TypedCounts, landed_columns, write_typed
from exposure_pipelines.landing.verdict import VolumeGuard, judge_scopes, judge_stream

if TYPE_CHECKING:
    from exposure_pipelines.connections import Connection
    from exposure_pipelines.home import Home

log = logging.getLogger("exposure.sync")


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
    with instance_lock(run.local_root / ".locks", connection.instance), run.workspace(), calm_collector():
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

    wanted = [*(names or known)]
    for name in wanted:
        # what an incremental pull goes by comes before it, where it is pulled at all
        incremental = known[name].incremental if name in known else None
        for earlier in incremental.through if incremental else ():
            if earlier in wanted:
                add(earlier, ())
        add(name, ())
    return list(result.values())


@dataclass
class SyncRun(Reader):
    """State of a running sync."""

    landed: dict[str, str] = field(default_factory=dict)
    retry_later: bool = False

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
            self.drop_ahead()
            self.close_database()
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
        self.wanted = frozenset(stream.name for stream in streams)
        with api.client:
            for stream in streams:
                self.pull_stream(api, stream)

    def records(self, stream: str) -> Iterator[Record]:
        """Records of a stream landed in this sync, for the streams that need them."""
        if stream not in self.landed:
            raise StreamSkipped(f"stream {stream} gave nothing to go on with")
        filesystem = None if self.lake.is_local else self.lake.filesystem
        for line in read_lines(f"{self.landed[stream]}/{PAGES_FILE}", filesystem):
            record = value_of(line)
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
        reading = self.read_stream(api, stream, started)
        error = reading.error
        if isinstance(error, StreamSkipped):
            log.info("%s: stream %s is skipped: %s", self.connection.instance, stream.name, error)
        elif error:
            log.warning("%s: stream %s stopped: %s", self.connection.instance, stream.name, error)
        if error and reading.has_nothing:
            skipped = isinstance(error, StreamSkipped) or (stream.optional and error.status in (403, 404))
            if skipped:
                self.close_empty(stream, "skipped", str(error), started, before, api.statistics)
            else:
                self.close_failed(stream, error, started, before, api.statistics)
            return
        self.close(api, stream, reading, started, before)

    def close(
        self,
        api: Api,
        stream: Stream,
        reading: Reading,
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
        spool, error = reading.spool, reading.error
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
            self.connection.volume_guard.share(stream.name),
            stream.may_be_empty,
            None if self.accept_volume else self.last_complete(stream),
        )
        scopes = judge_scopes(api.verdict, spool.rows_by_scope, counts, error, guard, reading.came)
        needed = [self.manifests[name] for name in sorted({*stream.needs, *self.given_by.get(stream.name, ())})]
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
            kind="incremental" if reading.merged else "full",
            plan=plan_of(self.connection, self.connector, stream),
            memory=api.verdict.remembered,
            merged=reading.merged,
            **cost(before, api.statistics),
        )
        self.retry_later |= bool(error and error.retry_later)
        self.landed[stream.name] = self.publish(spool.folder, manifest)

    def typed(self, stream: Stream, spool: Spool, place: dict[str, Any]) -> TypedCounts:
        return self.in_database(lambda database: write_typed(database, spool.folder, stream, spool.pages, place))

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
        self.drop_ahead(stream.name)
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


def untypable(error: Exception, api: Api, rows: int) -> ConnectorError:
    """An error of typing what was read, as one that a person can report."""
    said = (api.mask(str(error)).splitlines() or [""])[0][:200]
    return ReportRecord(
        f"the {rows} records read could not be typed ({type(error).__name__}: {said})",
        hint="report it with this message: a record may be too large, or the connector declares it wrongly; "
        "earlier syncs and the other streams are whole",
    )


def cost(before: Statistics, after: Statistics) -> dict[str, Any]:
    return {
        "requests": after.requests - before.requests,
        "retries": after.retries - before.retries,
        "waited_seconds": round(after.waited_seconds - before.waited_seconds, 3),
        "received_bytes": after.bytes - before.bytes,
    }
