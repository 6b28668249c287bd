"""The marts in a SQL database: real tables, a whole snapshot at once or not at all.

Rows are loaded into tables of a new generation; one transaction then renames them into place. A crash leaves the old
snapshot readable and some draft tables, which the next publish removes.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from exposure_pipelines.errors import ConfigurationError, WorkFailed
from exposure_pipelines.publish.tables import PublishedTable, is_nested

if TYPE_CHECKING:
    import duckdb

log = logging.getLogger("exposure.publish")

DRAFT = re.compile(r".+__(draft|old)$")
BATCH_ROWS = 20_000

#: Longest names last nowhere: PostgreSQL cuts identifiers at 63 characters.
LONGEST_NAME = 63


@dataclass(frozen=True, slots=True)
class Published:
    """What a publish did. `published` is False when a newer date is already there."""

    snapshot_date: date
    published: bool
    rows: dict[str, int]
    reason: str = ""


def publish(
    url: str,
    tables: list[PublishedTable],
    day: date,
    moment: datetime,
    database: duckdb.DuckDBPyConnection,
    scratch: Path,
) -> Published:
    """Make the marts of `day` the content of the warehouse, unless it holds a newer date.

    Raises ConfigurationError when the database cannot be reached, WorkFailed when loading fails (the old content stays).
    """
    engine = open_warehouse(url)
    try:
        with engine.connect() as connection:
            newest = newest_snapshot(connection)
        if newest and newest > day:
            return Published(day, False, {}, f"the warehouse holds {newest}, which is newer")
        sweep(engine)
        rows = {table.name: load(engine, table, database, scratch) for table in tables}
        switch(engine, tables, day, moment, rows)
        return Published(day, True, rows)
    except sa.exc.OperationalError as error:
        raise WorkFailed(
            f"Publishing to {engine.url.render_as_string(hide_password=True)} failed: {first_line(error)}. "
            "The last snapshot there is unchanged."
        ) from error
    finally:
        engine.dispose()


def open_warehouse(url: str) -> sa.Engine:
    """An engine for the warehouse address. Raises ConfigurationError for a wrong address, missing driver or no server."""
    try:
        engine = sa.create_engine(url)
    except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError):
        raise ConfigurationError(
            "EXPOSURE_WAREHOUSE_URL is no database address; expected for example postgresql+psycopg://user@host/database"
        ) from None
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"The database driver {error.name} is not installed; for PostgreSQL: pip install 'exposure-pipelines[postgres]'"
        ) from None
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", prepare_sqlite)
    try:
        with engine.connect():
            return engine
    except sa.exc.OperationalError as error:
        raise ConfigurationError(
            f"The warehouse {engine.url.render_as_string(hide_password=True)} does not answer: {first_line(error)}"
        ) from None


def prepare_sqlite(connection: Any, _: Any) -> None:
    """Readers are never blocked by the writer, and a busy database is waited for."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA busy_timeout = 30000")
    # transactions are begun by hand, so that renames of tables stand inside one (the driver would commit before DDL)
    connection.isolation_level = None


@contextmanager
def transaction(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction that holds schema changes too, on SQLite as on PostgreSQL."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.exec_driver_sql("ROLLBACK")
                raise
            connection.exec_driver_sql("COMMIT")
        else:
            with connection.begin():
                yield connection


def newest_snapshot(connection: sa.Connection) -> date | None:
    if not sa.inspect(connection).has_table("snapshots"):
        return None
    value = connection.execute(sa.select(sa.func.max(snapshots_table().c.snapshot_date))).scalar()
    return date.fromisoformat(value) if isinstance(value, str) else value


def sweep(engine: sa.Engine) -> None:
    """Remove the draft tables that a killed publish left."""
    with engine.connect() as connection:
        left = [name for name in sa.inspect(connection).get_table_names() if DRAFT.fullmatch(name)]
    if left:
        log.info("removing %d draft tables of a publish that did not end", len(left))
        with transaction(engine) as connection:
            for name in left:
                connection.execute(sa.schema.DropTable(sa.Table(name, sa.MetaData())))


def sql_table(table: PublishedTable, name: str) -> sa.Table:
    """The SQLAlchemy table of a mart under a given name."""
    columns = [
        sa.Column(column, sql_type(kind), primary_key=column in table.primary_key, autoincrement=False)
        for column, kind in table.columns
    ]
    return sa.Table(name, sa.MetaData(), *columns)


def sql_type(duckdb_type: str) -> sa.types.TypeEngine[Any]:
    """SQL type of a mart column; lists and structs become JSON text."""
    if is_nested(duckdb_type):
        return sa.Text()
    match duckdb_type.upper():
        case "BIGINT" | "HUGEINT" | "UBIGINT":
            return sa.BigInteger()
        case "INTEGER" | "SMALLINT" | "TINYINT":
            return sa.Integer()
        case "DOUBLE" | "FLOAT":
            return sa.Double()
        case "BOOLEAN":
            return sa.Boolean(create_constraint=False)
        case "TIMESTAMP":
            return sa.DateTime()
        case "DATE":
            return sa.Date()
    return sa.Text()


def load(engine: sa.Engine, table: PublishedTable, database: duckdb.DuckDBPyConnection, scratch: Path) -> int:
    """Fill `<name>__draft` from the mart's Parquet, then its indexes. Returns the number of rows."""
    draft = sql_table(table, f"{table.name}__draft")
    with transaction(engine) as connection:
        connection.execute(sa.schema.CreateTable(draft))
        if engine.dialect.name == "postgresql":
            count = copy_rows(connection, draft, table, database, scratch)
        else:
            count = insert_rows(connection, draft, table, database)
    return count


def select_sql(table: PublishedTable, *, text_times: bool) -> str:
    """The mart's rows as SQL databases take them: nested values as JSON text, no NUL characters."""
    parts = []
    for name, kind in table.columns:
        column = '"' + name.replace('"', '""') + '"'
        if is_nested(kind):
            parts.append(f"CAST(to_json({column}) AS VARCHAR)")
        elif kind.upper() == "VARCHAR":
            parts.append(f"replace({column}, chr(0), '')")
        elif text_times and kind.upper() == "TIMESTAMP":
            parts.append(f"strftime({column}, '%Y-%m-%d %H:%M:%S.%f')")
        elif text_times and kind.upper() == "DATE":
            parts.append(f"strftime({column}, '%Y-%m-%d')")
        else:
            parts.append(column)
    path = table.path.replace("'", "''")
    return f"SELECT {', '.join(parts)} FROM read_parquet('{path}', hive_partitioning = false)"


def insert_rows(
    connection: sa.Connection, draft: sa.Table, table: PublishedTable, database: duckdb.DuckDBPyConnection
) -> int:
    # plain driver statements: SQLAlchemy's per-row handling costs more than the insert itself
    marks = ", ".join("?" * len(table.columns))
    statement = f"INSERT INTO {connection.dialect.identifier_preparer.format_table(draft)} VALUES ({marks})"
    cursor = database.execute(select_sql(table, text_times=True))
    count = 0
    while rows := cursor.fetchmany(BATCH_ROWS):
        connection.exec_driver_sql(statement, rows)
        count += len(rows)
    return count


def copy_rows(
    connection: sa.Connection,
    draft: sa.Table,
    table: PublishedTable,
    database: duckdb.DuckDBPyConnection,
    scratch: Path,
) -> int:
    """PostgreSQL's COPY, fed from a CSV file in the scratch folder."""
    file = scratch / f"{draft.name}.csv"
    quoted = str(file).replace("'", "''")
    try:
        database.execute(
            f"COPY ({select_sql(table, text_times=False)}) TO '{quoted}' (FORMAT csv, HEADER false, NULLSTR '\\N', FORCE_QUOTE *)"
        )
        name = connection.dialect.identifier_preparer.format_table(draft)
        driver = connection.connection.driver_connection
        assert driver is not None
        with (
            driver.cursor() as cursor,
            cursor.copy(f"COPY {name} FROM STDIN (FORMAT csv, NULL '\\N')") as copy,
            file.open("rb") as rows,
        ):
            while block := rows.read(1 << 20):
                copy.write(block)
        return int(connection.execute(sa.select(sa.func.count()).select_from(draft)).scalar_one())
    finally:
        file.unlink(missing_ok=True)


def snapshots_table() -> sa.Table:
    return sa.Table(
        "snapshots",
        sa.MetaData(),
        sa.Column("snapshot_date", sa.Date(), primary_key=True),
        sa.Column("published_at", sa.DateTime(), nullable=False),
        sa.Column("tables", sa.Integer(), nullable=False),
        sa.Column("row_count", sa.BigInteger(), nullable=False),
    )


def switch(engine: sa.Engine, tables: list[PublishedTable], day: date, moment: datetime, rows: dict[str, int]) -> None:
    """Put every draft in place of its table, in one transaction: readers see all old tables or all new ones."""
    snapshots = snapshots_table()
    with transaction(engine) as connection:
        existing = set(sa.inspect(connection).get_table_names())
        preparer = connection.dialect.identifier_preparer
        for table in tables:
            name, draft = preparer.quote(table.name), preparer.quote(f"{table.name}__draft")
            if table.name in existing:
                connection.exec_driver_sql(f"DROP TABLE {name}")
            connection.exec_driver_sql(f"ALTER TABLE {draft} RENAME TO {name}")
            for columns in table.indexes:
                index = f"ix_{table.name}_{'_'.join(columns)}"[:LONGEST_NAME]
                listed = ", ".join(preparer.quote(column) for column in columns)
                connection.exec_driver_sql(f"CREATE INDEX {preparer.quote(index)} ON {name} ({listed})")
        snapshots.create(connection, checkfirst=True)
        connection.execute(sa.delete(snapshots).where(snapshots.c.snapshot_date == day))
        connection.execute(
            sa.insert(snapshots).values(
                snapshot_date=day,
                published_at=moment.replace(tzinfo=None),
                tables=len(rows),
                row_count=sum(rows.values()),
            )
        )


def first_line(error: BaseException) -> str:
    return str(getattr(error, "orig", error)).strip().splitlines()[0]
