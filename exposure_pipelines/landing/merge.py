"""What changed, and what is carried over of the sync before, as one landed stream that stands alone.

The landed lines themselves are carried over, so that typing, the streams that need this one and `explain` read an incremental
sync like any other, and retention may take the earlier ones. The page index says of each such page which sync got it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from itertools import compress, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from exposure_pipelines.landing.spool import INDEX_FILE, PAGES_FILE, Spool, read_lines
from exposure_pipelines.landing.typed import RECORDS_FILE, escaped, key_sql, line_batches, quoted

if TYPE_CHECKING:
    import duckdb

    from connector_assets.kit.declaration import Stream
    from exposure_pipelines.lake import Lake

#: Carried lines handed on at a time: a page of the vendor may be large.
LINES = 1000


@dataclass(frozen=True, slots=True)
class Base:
    """The landed sync that is gone on from."""

    lake: Lake
    sync: str
    folder: str
    """Its address in the lake."""

    def pages(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = orjson.loads(self.lake.filesystem.cat_file(f"{self.folder}/{INDEX_FILE}"))
        return found

    def lines(self) -> Iterator[bytes]:
        return read_lines(f"{self.folder}/{PAGES_FILE}", None if self.lake.is_local else self.lake.filesystem)

    @property
    def records(self) -> str:
        return f"read_parquet('{escaped(f'{self.folder}/{RECORDS_FILE}')}', hive_partitioning = false)"


def known_values(database: duckdb.DuckDBPyConnection, base: Base, field: str) -> set[str]:
    """The distinct values of a column of the base ('' is the record id) as text."""
    query = (
        f"SELECT DISTINCT CAST({column_of(field)} AS VARCHAR) AS value FROM {base.records} AS r WHERE value IS NOT NULL"
    )
    return {row[0] for row in database.execute(query).fetchall()}


def column_of(field: str) -> str:
    """A column of a record `r` by its dotted path; '' is the record id."""
    return "r." + ".".join(quoted(part) for part in (field or "_record_id").split("."))


@dataclass(frozen=True, slots=True)
class MergeCounts:
    """Distinct records: `came` by scope, as read; `changed` all of them; what became of those of the base."""

    came: Mapping[str, int]
    changed: int
    removed: int
    aged_out: int
    carried: int


def merge(
    database: duckdb.DuckDBPyConnection,
    folder: Path,
    stream: Stream,
    changes: Spool,
    base: Base,
    removed: Mapping[str, Set[str]],
    window_start: datetime | None,
) -> tuple[Spool, MergeCounts]:
    """A closed spool in `folder` with the records of the base that go on, then those that came. `changes` is closed.

    removed: field -> values that are gone ('' is the record id). A record that came is there, whatever is said to be gone.
    Raises OSError where the base cannot be read, ValueError where its lines are fewer than its index says.
    """
    import numpy as np

    came = read_changes(database, stream, changes)
    (changed,) = database.execute("SELECT count(DISTINCT id) FROM changes").fetchone() or (0,)
    fates = f"SELECT _row, {fate_sql(database, stream, removed, window_start)} AS fate FROM {base.records} AS r"
    database.execute(f"CREATE OR REPLACE TEMP TABLE fates AS {fates}")
    counts = dict(database.execute("SELECT fate, count(*) FROM fates GROUP BY fate").fetchall())
    rows = database.execute("SELECT _row FROM fates WHERE fate = 'carried'").fetchnumpy()["_row"]
    pages = base.pages()
    going_on = np.zeros(sum(page["rows"] for page in pages), dtype=bool)
    going_on[rows] = True

    spool = Spool(folder)
    try:
        carry_over(spool, base, pages, going_on)
        lines = read_lines(changes.path)
        for page in changes.pages:
            add_page(spool, lines, page, None)
    finally:
        spool.close()
    return spool, MergeCounts(
        came, int(changed), counts.get("removed", 0), counts.get("aged_out", 0), counts.get("carried", 0)
    )


def read_changes(database: duckdb.DuckDBPyConnection, stream: Stream, changes: Spool) -> dict[str, int]:
    """Fill the table `changes` (id, scope) with what came, and return its distinct records by scope."""
    record_id, missing = key_sql(stream)
    database.register("changed_lines", line_batches(changes.path, changes.pages))
    database.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE changes AS
        SELECT {record_id} AS id, scope FROM (SELECT TRY_CAST(text AS JSON) AS line, scope FROM changed_lines)
        WHERE json_type(line) = 'OBJECT' AND NOT ({missing})
        """
    )
    database.unregister("changed_lines")
    return dict(database.execute("SELECT scope, count(DISTINCT id) FROM changes GROUP BY scope").fetchall())


def fate_sql(
    database: duckdb.DuckDBPyConnection,
    stream: Stream,
    removed: Mapping[str, Set[str]],
    window_start: datetime | None,
) -> str:
    """Expression over a record `r` of the base: changed, removed, aged_out, or carried."""
    database.execute("CREATE OR REPLACE TEMP TABLE removed (field VARCHAR, value VARCHAR)")
    gone = []
    for field, values in removed.items():
        # a list, not a row each: there may be many
        database.execute("INSERT INTO removed SELECT $field, unnest($values)", {"field": field, "values": [*values]})
        values_of_field = f"SELECT value FROM removed WHERE field = '{escaped(field)}'"
        gone.append(f"CAST({column_of(field)} AS VARCHAR) IN ({values_of_field})")
    fates = ["WHEN r._record_id IN (SELECT id FROM changes) THEN 'changed'"]
    if gone:
        fates.append(f"WHEN {' OR '.join(gone)} THEN 'removed'")
    ages_by = stream.incremental.ages_by if stream.incremental else ()
    if ages_by and window_start is not None:
        newest = f"greatest({', '.join(f'r.{quoted(name)}' for name in ages_by)})"
        fates.append(f"WHEN {newest} < TIMESTAMP '{window_start:%Y-%m-%d %H:%M:%S}' THEN 'aged_out'")
    return f"CASE {' '.join(fates)} ELSE 'carried' END"


def carry_over(spool: Spool, base: Base, pages: list[dict[str, Any]], going_on: Any) -> None:
    """The lines of the base that go on, in their order, in the pages in which they came. going_on: a flag a row."""
    lines = base.lines()
    for page in pages:
        place = page.get("landed_by") or {"sync": base.sync, "page": page["page"]}
        first, end = page["first_row"], page["first_row"] + page["rows"]
        add_page(spool, lines, page, place, going_on[first:end])


def add_page(
    spool: Spool, lines: Iterator[bytes], page: dict[str, Any], landed_by: dict[str, Any] | None, chosen: Any = None
) -> None:
    """The next `page["rows"]` lines, or the chosen of them, as a page; a page of which nothing is left is none."""
    texts: list[bytes] = []
    read = 0
    while read < page["rows"]:
        block = list(islice(lines, min(LINES, page["rows"] - read)))
        if not block:
            raise ValueError(
                f"{PAGES_FILE} ends at row {page['first_row'] + read}, before the end of page {page['page']}"
            )
        kept = block if chosen is None else compress(block, chosen[read : read + len(block)])
        texts += [line + b"\n" for line in kept]
        read += len(block)
    if texts or landed_by is None:
        spool.add_lines(texts, page["scope"], page["cursor"], **({"landed_by": landed_by} if landed_by else {}))
