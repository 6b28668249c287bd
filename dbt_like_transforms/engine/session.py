"""The DuckDB connection that a build runs on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb


def open_connection(
    temp_dir: Path | None = None, memory_limit: str | None = None, threads: int | None = None
) -> duckdb.DuckDBPyConnection:
    """An in-memory connection that spills to `temp_dir` (made if absent) and knows no time zone but UTC.

    memory_limit: as DuckDB writes it, e.g. `4GB`; None keeps DuckDB's own limit (80 % of the machine).
    """
    import duckdb

    con = duckdb.connect(":memory:")
    con.execute("SET preserve_insertion_order = false")
    con.execute("SET TimeZone = 'UTC'")
    if temp_dir is not None:
        temp_dir.mkdir(parents=True, exist_ok=True)
        con.execute("SET temp_directory = $path", {"path": str(temp_dir)})
    if memory_limit is not None:
        con.execute("SET memory_limit = $limit", {"limit": memory_limit})
    if threads is not None:
        con.execute("SET threads = $threads", {"threads": threads})
    return con
