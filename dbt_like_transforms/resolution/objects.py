"""JSON objects of all sources of an asset put together: on a shared member the best source wins, and null is no value."""

from __future__ import annotations

import duckdb
import pyarrow as pa

#: Objects of one asset that are put together in one call, the best ones; what more there are come before, one by one.
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
        # a column for each of the best places: a list of all would be sorted and copied for every asset
        best = ", ".join(f"any_value(told) FILTER (place = {place}) AS told_{place}" for place in range(_AT_ONCE))
        # a patch wins over what stands before it
        patches = ", ".join(f"coalesce(told_{place}, '{{}}')" for place in reversed(range(_AT_ONCE)))
        return (
            self.connection.sql(
                f"""
                SELECT CAST(CASE WHEN known THEN json_merge_patch(coalesce(rest, '{{}}'), {patches}) END AS VARCHAR) AS whole
                FROM range({first}, {last}) AS assets(asset) LEFT JOIN (
                    SELECT asset, true AS known, {best}, list_reduce(
                        list(told ORDER BY place DESC) FILTER (place >= {_AT_ONCE}),
                        lambda low, high: json_merge_patch(low, high)) AS rest
                    FROM {self.table} JOIN _giving USING (idx)
                    WHERE asset BETWEEN {first} AND {last - 1} AND told IS NOT NULL GROUP BY asset) USING (asset)
                ORDER BY assets.asset
                """
            )
            .to_arrow_table()
            .column("whole")
        )
