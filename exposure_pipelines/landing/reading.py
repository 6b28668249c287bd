"""What a stream's pull gives, as one closed spool: everything, or what changed merged with the sync before."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from connector_assets.kit.declaration import Connector, Page, Stream
from connector_assets.kit.errors import ConnectorError, CursorExpired, ReportRecord, StreamSkipped
from exposure_pipelines.lake import Lake, duckdb_connection
from exposure_pipelines.landing.incremental import increment_after, is_too_old, plan_of
from exposure_pipelines.landing.manifest import Manifest, Merged
from exposure_pipelines.landing.merge import Base, MergeCounts, known_values, merge
from exposure_pipelines.landing.spool import Spool

if TYPE_CHECKING:
    import duckdb

    from connector_assets.kit.api import Api
    from exposure_pipelines.connections import Connection
    from exposure_pipelines.home import Home

T = TypeVar("T")

log = logging.getLogger("exposure.sync")

#: Typing holds this whatever the machine: every thread has buffers of its own, so that many would outgrow the memory.
TYPING_MEMORY = "256MB"
TYPING_THREADS = 2
#: What typing may hold where single records are too large for that.
LARGE_MEMORY = "1GB"

Progress = Callable[[str, str, int, int], None]
"""(instance, stream, pages, records) after every page."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a stream's pull gave. spool: closed, the whole state; error: what ended the pull before its end.

    merged: where changes alone were asked for, what they were merged with; came: its distinct records by scope, as read.
    """

    spool: Spool
    error: ConnectorError | None
    merged: Merged | None = None
    came: Mapping[str, int] | None = None

    @property
    def has_nothing(self) -> bool:
        """Whether the pull ended without any record to land."""
        return self.error is not None and (isinstance(self.error, StreamSkipped) or self.spool.rows == 0)


@dataclass(slots=True)
class Ahead:
    """What earlier streams of a sync gave for one that is to come. spool: open; totals: claimed by the vendor, by scope."""

    spool: Spool
    givers: set[str] = field(default_factory=set)
    totals: dict[str, int] = field(default_factory=dict)


@dataclass
class Reader:
    """A running sync, as far as it reads."""

    connection: Connection
    connector: Connector
    home: Home
    lake: Lake
    sync: str
    accept_volume: bool
    progress: Progress | None
    manifests: dict[str, Manifest] = field(default_factory=dict)
    wanted: frozenset[str] = frozenset()
    """names of the streams of this sync"""
    ahead: dict[str, Ahead] = field(default_factory=dict)
    """by the name of the stream that is to come"""
    given_by: dict[str, set[str]] = field(default_factory=dict)
    """stream -> those that gave pages for it"""
    database: duckdb.DuckDBPyConnection | None = None
    """opened where the first stream needs one: opening costs as much as typing a small stream"""

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

    def read_stream(self, api: Api, stream: Stream, started: datetime) -> Reading:
        """What changed, merged with the sync before, where that can be had; else everything."""
        base = None if self.accept_volume else self.last_complete(stream)
        plan = plan_of(self.connection, self.connector, stream)
        increment = increment_after(base, self.connection, stream, plan, started, self.manifests)
        # what was given ahead is of a whole enumeration: it cannot be told apart from what did not change
        if increment is None or base is None or stream.name in self.ahead:
            return self.read_pages(api, stream)
        changes = self.read_pages(api, stream, increment, base)
        if changes.error and is_too_old(changes.error):
            return self.read_everything(api, stream, f"the vendor cannot tell what changed ({changes.error})")
        if changes.has_nothing:
            return changes
        try:
            return self.merged(api, stream, increment, base, changes)
        except Exception as caught:
            if is_disk_full(caught):
                raise
            log.error("%s", api.mask("".join(traceback.format_exception(caught))))
            return self.read_everything(
                api, stream, f"sync {base.sync} cannot be gone on from ({api.mask(str(caught))})"
            )

    def read_everything(self, api: Api, stream: Stream, reason: str) -> Reading:
        """A full pull in place of an incremental one that could not be had."""
        reading = self.read_pages(api, stream)
        api.note(f"everything was asked for: {reason}")
        return reading

    def read_pages(
        self, api: Api, stream: Stream, increment: Merged | None = None, base: Manifest | None = None
    ) -> Reading:
        """Spool what the stream's pull gives: what changed after `base`, or everything."""
        may_be_incremental = stream.incremental is not None and self.connection.full_every_hours is not None
        if increment and base:
            known = partial(self.known, base)
            api.begin(stream.name, increment.since, base.memory, may_be_incremental, known)
        else:
            api.begin(stream.name, may_be_incremental=may_be_incremental)
        # of a pull that is repeated, what it gave the first time comes again
        self.drop_ahead(giver=stream.name)
        spool = self.spool_of(api, stream, f"{stream.name}.changes" if increment else stream.name)
        error: ConnectorError | None = None
        try:
            for page in stream.pull(api):
                self.keep(api, page, stream.name, spool)
                # the next answer takes the memory of this one, which is in the processor's cache: a third of its time
                del page
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
        return Reading(spool, error)

    def spool_of(self, api: Api, stream: Stream, name: str) -> Spool:
        """The stream's spool: the one with what was given for it ahead, or a new one."""
        given = self.ahead.pop(stream.name, None)
        if given is None:
            return self.new_spool(stream, name)
        self.given_by[stream.name] = given.givers
        for scope, total in given.totals.items():
            api.expect(total, scope)
        return given.spool

    def new_spool(self, stream: Stream, name: str) -> Spool:
        folder = self.spool_root / self.sync / name
        shutil.rmtree(folder, ignore_errors=True)
        return Spool(folder, stream.drop_fields)

    def keep(self, api: Api, page: Page, name: str, spool: Spool) -> None:
        """Spool a page for the stream it is of."""
        if page.stream not in (None, name):
            self.keep_ahead(page, str(page.stream), name)
            return
        spool.add(page.records, page.scope, page.cursor)
        if page.total is not None:
            api.expect(page.total, page.scope)
        if self.progress:
            self.progress(self.connection.instance, name, len(spool.pages), spool.rows)

    def keep_ahead(self, page: Page, name: str, giver: str) -> None:
        """Spool a page for a stream that is to come, if this sync pulls it.

        Raises KeyError for a stream there is none of, ValueError for one that was read before: its page would be lost.
        """
        stream = self.connector.stream(name)
        if name in self.manifests:
            raise ValueError(f"a page for stream {name}, which was read before {giver}")
        if name not in self.wanted:
            return
        if name not in self.ahead:
            self.ahead[name] = Ahead(self.new_spool(stream, name))
        given = self.ahead[name]
        given.givers.add(giver)
        given.spool.add(page.records, page.scope, page.cursor)
        if page.total is not None:
            given.totals[page.scope] = page.total

    def drop_ahead(self, name: str | None = None, giver: str | None = None) -> None:
        """Close what was kept, for the stream of that name or by that giver, or all of it: it is not read after all."""
        for one, given in list(self.ahead.items()):
            if (name is None and giver is None) or one == name or giver in given.givers:
                del self.ahead[one]
                # left, its folder may be gone, or the disk full, which has ended the sync already
                with suppress(OSError):
                    given.spool.close()

    def base(self, manifest: Manifest) -> Base:
        folder = f"{self.lake.landed(manifest.instance, manifest.stream)}/{manifest.sync}"
        return Base(self.lake, manifest.sync, folder)

    def known(self, base: Manifest, field: str) -> set[str]:
        """Values of a column of the base. Raises CursorExpired where it cannot be read: everything is asked for then."""
        try:
            return self.in_database(lambda database: known_values(database, self.base(base), field))
        except Exception as caught:
            raise CursorExpired(f"sync {base.sync} cannot be gone on from ({caught})") from caught

    def merged(self, api: Api, stream: Stream, increment: Merged, base: Manifest, changes: Reading) -> Reading:
        """The whole state of a stream of which only changes were read."""
        landed = self.base(base)
        folder = self.spool_root / self.sync / stream.name

        def run(database: duckdb.DuckDBPyConnection) -> tuple[Spool, MergeCounts]:
            shutil.rmtree(folder, ignore_errors=True)
            removed, window = api.verdict.removed, api.window_start
            return merge(database, folder, stream, changes.spool, landed, removed, window)

        spool, counts = self.in_database(run)
        shutil.rmtree(changes.spool.folder)
        # a scope without a change is enumerated all the same
        api.enumerates(*base.scopes)
        update = {name: getattr(counts, name) for name in ("changed", "removed", "aged_out", "carried")}
        return Reading(spool, changes.error, increment.model_copy(update=update), counts.came)

    def in_database(self, run: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        """`run` in a DuckDB of little memory, a second time in one of more where that was not enough.

        What it makes in temporary tables goes with it.
        """
        import duckdb

        if self.database is None:
            threads = min(TYPING_THREADS, os.cpu_count() or 1)
            self.database = duckdb_connection(self.home, self.lake, memory_limit=TYPING_MEMORY, threads=threads)
        try:
            with self.database.cursor() as cursor:
                return run(cursor)
        except duckdb.OutOfMemoryException:  # a record of some megabytes: rare enough to be typed a second time
            self.close_database()
            with duckdb_connection(self.home, self.lake, memory_limit=LARGE_MEMORY, threads=1) as database:
                return run(database)
        except Exception:  # it may be of no use from now on, and the next stream has nothing to do with this one
            self.close_database()
            raise

    def close_database(self) -> None:
        """Give back the memory of what was opened for this sync."""
        if self.database is not None:
            self.database.close()
            self.database = None

    def last_complete(self, stream: Stream) -> Manifest | None:
        found = self.lake.manifests(self.connection.instance, stream.name)
        return next((manifest for manifest in found if manifest.state == "complete"), None)


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


def is_disk_full(error: BaseException) -> bool:
    """Whether an error of the system, or of DuckDB writing a file, says that no room is left."""
    codes = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    if isinstance(error, OSError):
        return error.errno in codes
    return type(error).__module__ == "_duckdb" and any(os.strerror(code) in str(error) for code in codes)
