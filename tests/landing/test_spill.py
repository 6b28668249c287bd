"""What a DuckDB of the home cannot hold in memory."""

from __future__ import annotations

import os
import time
from pathlib import Path

import duckdb
import pytest

from exposure_pipelines.lake import SPILL_SECONDS, duckdb_connection

from .conftest import Workbench


def spills_to(database: duckdb.DuckDBPyConnection) -> Path:
    (folder,) = database.execute("SELECT current_setting('temp_directory')").fetchone() or ("",)
    return Path(folder)


def test_a_sync_and_a_build_on_an_older_duckdb_never_spill_into_the_same_files(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes of 1.5.6 that sorted four million rows in 120 MB each, in one folder, both ended by a segmentation fault."""
    monkeypatch.setattr(duckdb, "__version__", "1.5.6")
    with duckdb_connection(bench.home, bench.lake) as sync, duckdb_connection(bench.home, bench.lake) as build:
        assert spills_to(sync) != spills_to(build)


def test_what_a_killed_process_spilled_is_swept_when_it_is_old(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duckdb, "__version__", "1.5.6")
    folders = [bench.home.scratch / "duckdb" / name for name in ("killed", "long_at_work")]
    for folder in folders:
        folder.mkdir(parents=True)
        (folder / "duckdb_temp_storage_DEFAULT-0.tmp").write_bytes(b"rows")
        os.utime(folder, (time.time() - 2 * SPILL_SECONDS,) * 2)
    os.utime(folders[0] / "duckdb_temp_storage_DEFAULT-0.tmp", (time.time() - 2 * SPILL_SECONDS,) * 2)
    duckdb_connection(bench.home, bench.lake).close()
    assert [folder.exists() for folder in folders] == [False, True]
