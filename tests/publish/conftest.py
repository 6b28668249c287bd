"""Small marts on disk, and a real PostgreSQL server of the test's own."""

from __future__ import annotations

import glob
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from exposure_pipelines.publish.tables import PublishedTable

MOMENT = datetime(2026, 11, 20, 12, tzinfo=UTC)

COLUMNS = (
    ("host_id", "VARCHAR"),
    ("display_name", "VARCHAR"),
    ("tags", "VARCHAR[]"),
    ("nic", "STRUCT(mac VARCHAR)"),
    ("risk", "DOUBLE"),
    ("level", "INTEGER"),
    ("bytes", "BIGINT"),
    ("is_managed", "BOOLEAN"),
    ("last_seen", "TIMESTAMP"),
    ("snapshot_date", "DATE"),
    ("owner_id", "VARCHAR"),
)

ROW = """
    'h' || i AS host_id,
    CASE i % 4 WHEN 0 THEN 'plain' WHEN 1 THEN 'quote " comma , backslash \\ tab ' || chr(9) WHEN 2 THEN NULL
        ELSE 'line' || chr(10) || '\\.' || chr(10) || '\\N ' || chr(0) || 'ü' END AS display_name,
    CASE WHEN i % 3 = 0 THEN NULL ELSE ['a"b', 'c'] END AS tags,
    {'mac': 'aa'} AS nic,
    i / 2.0 AS risk, (i % 5)::INTEGER AS level, 5000000000 + i AS bytes, i % 2 = 0 AS is_managed,
    TIMESTAMP '2026-11-20 10:00:00.123456' AS last_seen, DATE '2026-11-20' AS snapshot_date,
    'o' || (i % 7) AS owner_id
"""

MakeTables = Callable[..., list[PublishedTable]]


@pytest.fixture
def make(tmp_path: Path) -> MakeTables:
    """`make(hosts=3, findings=2)`: marts with that many rows, as tables to publish."""

    def tables(extra: str = "", **rows: int) -> list[PublishedTable]:
        made = []
        for name, count in rows.items():
            path = tmp_path / f"{name}-{count}-{len(extra)}.parquet"
            with duckdb.connect() as database:
                database.execute(
                    f"COPY (SELECT {ROW} {extra} FROM range({count}) AS r(i)) TO '{path}' (FORMAT parquet)"
                )
            columns = COLUMNS + ((("added", "VARCHAR"),) if extra else ())
            made.append(PublishedTable(name, str(path), columns, ("host_id",), (("owner_id",),)))
        return made

    return tables


@pytest.fixture
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Address of a throwaway PostgreSQL server; skipped only where its programs are not installed."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
    initdb = found[-1] if found else shutil.which("initdb")
    if initdb is None:
        pytest.skip("PostgreSQL's programs are not installed (apt-get install postgresql)")
    # the server refuses to run as root, and its socket path must be short
    owner = "postgres" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    if owner:
        os.chown(folder, pwd.getpwnam(owner).pw_uid, pwd.getpwnam(owner).pw_gid)
    data, control = folder / "data", Path(initdb).with_name("pg_ctl")
    options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder} -c fsync=off"

    def call(*command: str | Path) -> None:
        subprocess.run(command, check=True, user=owner, cwd=folder, stdout=subprocess.DEVNULL, timeout=300)

    call(initdb, "-D", data, "-U", "exposure", "-A", "trust", "-E", "UTF8")
    call(control, "-D", data, "-w", "-l", folder / "log", "-o", options, "start")
    try:
        yield f"postgresql://exposure@127.0.0.1:{port}/postgres"
    finally:
        call(control, "-D", data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder, ignore_errors=True)
