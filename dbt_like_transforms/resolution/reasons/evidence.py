"""What clustering noted as tables of the connection, from which reports read the texts of values."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike

from dbt_like_transforms.resolution.clustering.facts import key_sql, on_island, value_sql
from dbt_like_transforms.resolution.clustering.findings import Suppressed
from dbt_like_transforms.resolution.clustering.integers import Keys, Rows
from dbt_like_transforms.resolution.columns import show_columns
from dbt_like_transforms.resolution.decisions.applied import Applied
from dbt_like_transforms.resolution.ladders.ladder import Identifier, Ladder
from dbt_like_transforms.resolution.reasons.words import copied_words, counted_words


def quoted(text: str) -> str:
    """The text in SQL."""
    return "'" + text.replace("'", "''") + "'"


def texts(identifier: Identifier) -> str:
    """SELECT giving idx, room, `value` and `text`, what a person reads, for every value."""
    return value_sql(identifier, f"idx, room, {identifier.written or identifier.shown} AS text")


class Evidence:
    """Findings as tables. Reads `norm` and the other tables of the ladder."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, ladder: Ladder, records: int, applied: Applied) -> None:
        self.connection = connection
        self.ladder = ladder
        #: Of each row the number of its island, 0 for none.
        self._island = np.zeros(records, np.uint64)
        self._island[np.array(list(applied.islands), np.int32)] = list(applied.islands.values())

    def show_pairs(
        self, rows: ArrayLike, others: ArrayLike, keys: ArrayLike, confirming: ArrayLike | None = None
    ) -> None:
        """Makes `_pairs` (row, other, key, confirming)."""
        rows = np.asarray(rows, np.int32)
        columns = {"row": rows, "other": np.asarray(others, np.int32), "key": self._everywhere(keys, rows)}
        if confirming is not None:
            columns["confirming"] = self._everywhere(confirming, rows)
        show_columns(self.connection, "_pairs", columns)

    def text_of(self, identifier: Identifier) -> str:
        """Sub-query (idx, key, text) of the identifier's values on the rows in `_pairs`."""
        return (
            f"(SELECT DISTINCT ON (idx, key) idx, {key_sql(identifier)} AS key, text FROM ({texts(identifier)}) "
            "WHERE idx IN (SELECT row FROM _pairs))"
        )

    def show_suppressed(self, found: Sequence[Suppressed]) -> None:
        """Makes `_learned` (key, rule, against, distinct, records, words) of values of one identifier."""
        rows = np.array([item.row for item in found], np.int32)
        show_columns(
            self.connection,
            "_learned",
            {
                "key": self._everywhere([item.key for item in found], rows),
                "rule": pa.array([item.rule for item in found], pa.string()),
                "against": pa.array([item.against for item in found], pa.string()),
                "distinct": pa.array([item.distinct for item in found], pa.int64()),
                "records": pa.array([item.records for item in found], pa.int64()),
                "words": pa.array(map(self._words, found), pa.string()),
            },
        )

    def _words(self, item: Suppressed) -> str:
        copied = copied_words(self.ladder, item.identifier, item.against)
        return (
            f"identifies nothing here: seen with {item.distinct} different {counted_words(self.ladder, item.against)} "
            f"on {item.records} records" + (f" ({copied})" if copied else "")
        )

    def _everywhere(self, keys: ArrayLike, rows: Rows) -> Keys:
        """The keys that values of the rows have, whatever island they were clustered on."""
        return on_island(np.asarray(keys, np.uint64), self._island[rows])
