"""JSON objects of all sources of an asset put together: on a shared member the best source wins, and null is no value."""

from __future__ import annotations

import duckdb
import pyarrow as pa

#: Objects of one asset that are read at once; what more there are come before, one by one.
_AT_ONCE = 6


def show_objects(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Makes the temporary table `_told_<name>` (idx, told): what the records say in the column `name`, without nulls.

    A null in a patch would take away what a weaker source knows: nulls go before the objects are put together.
    """
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE _told_{name} AS
        SELECT idx, TRY(json_merge_patch('{{}}', {name})) AS told FROM _observed WHERE starts_with(ltrim({name}), '{{')
        """
    )


class Objects:
    """The column `name` of assets, of `_told_<name>` and `_giving`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, name: str) -> None:
        self.connection = connection
        self.table = f"_told_{name}"

    def drop(self) -> None:
        """Gives the memory back."""
        self.connection.execute(f"DROP TABLE {self.table}")

    def of(self, first: int, last: int) -> pa.ChunkedArray:
        """The objects of the assets first..last-1, NULL where no source tells one."""
        merged = " ".join(f"WHEN {size} THEN json_merge_patch({_patches(size)})" for size in range(2, _AT_ONCE + 1))
        return (
            self.connection.sql(
                f"""
                SELECT CAST(CASE len(told) WHEN 1 THEN told[1] {merged}
                    ELSE list_reduce(list_reverse(told), lambda low, high: json_merge_patch(low, high)) END AS VARCHAR) AS whole
                FROM range({first}, {last}) AS assets(asset) LEFT JOIN (
                    SELECT asset, list(told ORDER BY place) AS told FROM {self.table} JOIN _giving USING (idx)
                    WHERE asset BETWEEN {first} AND {last - 1} AND told IS NOT NULL GROUP BY asset) USING (asset)
                ORDER BY assets.asset
                """
            )
            .to_arrow_table()
            .column("whole")
        )


def _patches(size: int) -> str:
    """The objects of an asset, best last: a patch wins over what stands before it."""
    return ", ".join(f"told[{place}]" for place in range(size, 0, -1))
