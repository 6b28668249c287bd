"""What a build reads, held against what the date before it read: a loss too large to be true stops it before it begins.

The guard of a sync sees one step. Several syncs that each lose a little, a loss that was accepted by mistake, or a folder of
connections that is not there lose more than any one step shows.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import astuple, dataclass
from datetime import date
from typing import TYPE_CHECKING

from dbt_like_transforms.engine.columns import Column, literal
from exposure_pipelines.connections import Connection, VolumeLimits
from exposure_pipelines.errors import WorkFailed
from exposure_pipelines.landing.verdict import GUARDED_FROM

if TYPE_CHECKING:
    import duckdb

    from exposure_pipelines.lake import Lake

#: Where a build writes down what it read, beside the models and kept as long.
LAYER, NAME = "intermediate", "syncs_read"
COLUMNS = (
    Column("instance", "VARCHAR"),
    Column("stream", "VARCHAR"),
    Column("sync", "VARCHAR"),
    Column("records", "BIGINT"),
)

log = logging.getLogger("exposure.build")


@dataclass(frozen=True, slots=True)
class Read:
    """What a date was built from, of one stream."""

    instance: str
    stream: str
    sync: str
    records: int


Reads = dict[tuple[str, str], Read]


@dataclass(frozen=True, slots=True)
class Loss:
    """A stream of which a build would keep too little. sync: '' when nothing of it is read any more."""

    before: Read
    day_before: date
    records: int
    sync: str
    share: float
    connected: bool

    def __str__(self) -> str:
        was = self.before
        now = f"{self.records:,} records of sync {self.sync}" if self.sync else "nothing"
        why = "" if self.connected else " (its connection file is gone or broken: `exposure connectors list`)"
        return (
            f"instance {was.instance}, stream {was.stream}: it would read {now} where {self.day_before} read "
            f"{was.records:,} of sync {was.sync}, and at least {self.share:.0%} must remain{why}"
        )


@dataclass(frozen=True, slots=True)
class BuildGuard:
    """The guard of one open build. left_out: instances that a person left out, whose absence is no loss."""

    lake: Lake
    database: duckdb.DuckDBPyConnection
    connections: Sequence[Connection]
    left_out: Collection[str]
    accepted: bool

    def check(self, day: date, reads: Sequence[Read]) -> None:
        """Raises WorkFailed naming each stream that would lose too much, and how to accept it."""
        losses = list(self.losses(day, reads))
        if not losses:
            return
        said = "; ".join(map(str, losses))
        if self.accepted:
            log.warning("%s: a loss was accepted: %s", day, said)
            return
        names = dict.fromkeys(loss.before.instance for loss in losses if loss.connected)
        without = f", or build with {' '.join(f'--without {name}' for name in names)}" if names else ""
        raise WorkFailed(
            f"too much would be lost, so nothing is built or published: {said}. If it is really gone, accept it once with "
            f"`exposure build --date {day} --accept-loss` (in Dagster: run config ops.build_models.config.accept_loss: true). "
            f"If not, see `exposure status` and sync again{without}; volume_guard in the connection file says for each stream "
            "how much must remain."
        )

    def losses(self, day: date, reads: Sequence[Read]) -> Iterator[Loss]:
        found = self.before(day)
        if found is None:
            return
        day_before, before = found
        own, now = self.kept(day), by_stream(reads)
        connections = {connection.instance: connection for connection in self.connections}
        for key, was in before.items():
            connection, read = connections.get(was.instance), now.get(key)
            share = (connection.volume_guard if connection else VolumeLimits()).share(was.stream)
            records = read.records if read else 0
            if was.instance in self.left_out or was.records < GUARDED_FROM or records >= was.records * share:
                continue
            # a rebuild that loses nothing against the date as it stands: it was plausible then, or a person accepted it
            if own is not None and records >= (own[key].records if key in own else 0):
                continue
            yield Loss(was, day_before, records, read.sync if read else "", share, connection is not None)

    def keep(self, day: date, reads: Sequence[Read]) -> None:
        """Write down what the date was built from; of instances left out what was read before, which they come back to."""
        from dbt_like_transforms.engine.sources import register_table

        earlier = self.before(day)
        known = {**(earlier[1] if earlier else {}), **(self.kept(day) or {})}
        carried = [read for read in known.values() if read.instance in self.left_out]
        names = [column.name for column in COLUMNS]
        rows = [dict(zip(names, astuple(read), strict=True)) for read in (*reads, *carried)]
        register_table(self.database, f"run.{NAME}", COLUMNS, rows)
        self.lake.write(LAYER, NAME, day, self.database.sql(f"FROM run.{NAME} ORDER BY instance, stream"))

    def before(self, day: date) -> tuple[date, Reads] | None:
        """The newest date before this one that was built, with what it read; None for a first build."""
        for earlier in reversed(self.lake.model_dates(LAYER, NAME)):
            if earlier < day and (reads := self.kept(earlier)) is not None:
                return earlier, reads
        return None

    def kept(self, day: date) -> Reads | None:
        path = self.lake.path(LAYER, NAME, day)
        if path is None:
            return None
        rows = self.database.execute(
            f"SELECT instance, stream, sync, records FROM read_parquet({literal(path)}, hive_partitioning = false)"
        ).fetchall()
        return by_stream([Read(*row) for row in rows])


def by_stream(reads: Sequence[Read]) -> Reads:
    return {(read.instance, read.stream): read for read in reads}
