"""Columns as a table of the connection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb
import pyarrow as pa

#: Types of columns as SQL and Arrow call them.
TYPES: dict[str, pa.DataType] = {
    "VARCHAR": pa.string(),
    "VARCHAR[]": pa.list_(pa.string()),
    "TIMESTAMP": pa.timestamp("us"),
    "INTEGER": pa.int32(),
    "BIGINT": pa.int64(),
    "BOOLEAN": pa.bool_(),
}


def show_columns(connection: duckdb.DuckDBPyConnection, name: str, columns: Mapping[str, Any]) -> None:
    """Makes the temporary table `name` of columns of one length: lists, arrays of numpy or Arrow.

    A registered table would do for DuckDB from 2.0 on; before, a join on a hash beyond 2^63 asks pyarrow to filter by a
    number that it cannot hold.
    """
    connection.register("_shown", pa.table(dict(columns)))
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM _shown")
    connection.unregister("_shown")
