"""Dagster's own SQLite storage, quicker: named by the dagster.yaml that `prepare_dagster_home` writes.

Dagster makes a new SQLAlchemy engine and connection for every statement it stores: every statement is compiled anew, and
every close and commit waits for the disk. A build stores some nine hundred events. With kept connections the bookkeeping of
one fell from 15 to 7 s of processor time and, on a busy disk, from 34 to 57 s to 7 to 16 s by the clock. Files and tables are
the same, so that a home may change between `storage: {sqlite: ...}` and this at any time. It rests on private names of the
pinned Dagster version.
"""

from __future__ import annotations

import os
import tempfile
import uuid
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SQLITE_BUSY_TIMEOUT_SECONDS, SqliteEventLogStorage
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage, _event_logs_directory
from dagster._serdes import ConfigurableClassData

#: Every run has a database of its own: a webserver that shows many must not keep an engine for each.
ENGINES_KEPT = 16


class SqliteEventLog(SqliteEventLogStorage):
    """SqliteEventLogStorage that keeps its engines and their connections."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: OrderedDict[str, sa.Engine] = OrderedDict()
        self._tables: set[str] = set()
        super().__init__(base_dir, inst_data)

    def _engine(self, shard: str) -> sa.Engine:
        engine = self._engines.pop(shard, None)
        if engine is None:
            engine = sa.create_engine(
                self.conn_string_for_shard(shard), connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS}
            )
            sa.event.listen(engine, "connect", sync_at_checkpoints)
        self._engines[shard] = engine
        while len(self._engines) > ENGINES_KEPT:
            _, oldest = self._engines.popitem(last=False)
            oldest.dispose()
        return engine

    def has_table(self, table_name: str) -> bool:
        # asked with every event of a check; a table that is there stays
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def _initdb(self, engine: sa.Engine, for_index_shard: bool = False) -> None:
        if for_index_shard or not create_database(Path(str(engine.url.database))):
            super()._initdb(engine, for_index_shard)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[sa.Connection]:
        with self._db_lock:
            engine = self._engine(shard)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.begin() as connection:
                yield connection

    def dispose(self) -> None:
        for engine in self._engines.values():
            engine.dispose()
        self._engines.clear()
        super().dispose()


def create_database(file: Path) -> bool:
    """Makes the event log of a run where there is none; False where there is one already, or it could not be made."""
    if file.exists():
        return False
    beside = file.with_name(f".{file.name}.{uuid.uuid4().hex}")
    try:
        beside.write_bytes(empty_database())
        # Two processes may make it at the same time: it appears whole, and once. Not every file system has links: where it
        # has none, Dagster makes its own.
        with suppress(OSError):
            os.link(beside, file)
    finally:
        beside.unlink(missing_ok=True)
    return file.exists()


@cache
def empty_database() -> bytes:
    """The event log of a run as Dagster makes it: its forty statements took 70 ms in every run."""
    with tempfile.TemporaryDirectory() as folder:
        storage = SqliteEventLogStorage(folder)
        storage.get_logs_for_run("run")
        storage.dispose()
        return Path(storage.path_for_shard("run")).read_bytes()


def sync_at_checkpoints(connection: Any, _: Any) -> None:
    """With the write-ahead log a killed process loses nothing by this; a power cut may take the last events of a run."""
    connection.execute("PRAGMA synchronous = NORMAL")


class SqliteStorage(DagsterSqliteStorage):
    """DagsterSqliteStorage with the quicker event log."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(base_dir, inst_data)
        self._event_log_storage = SqliteEventLog(_event_logs_directory(base_dir))

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> Self:
        return cls.from_local(inst_data=inst_data, **config_value)
