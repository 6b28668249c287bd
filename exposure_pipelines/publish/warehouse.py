"""The marts in a SQL database: real tables, a whole snapshot at once or not at all.

Everything of a publish stands in one transaction: readers see the old snapshot until it ends, a crash leaves it in place,
and nothing is left to sweep. Rows are replaced inside the tables that are there, so that views on them and rights given to
readers survive. Where columns change, PostgreSQL gets the new ones, empty, just before that transaction (see `reshaping`);
SQLite makes the table anew inside it, which hinders no reader there.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from exposure_pipelines import clock
from exposure_pipelines.errors import ConfigurationError, WorkFailed
from exposure_pipelines.publish.reshaping import Reshape, TablesInUse, reshape, when_free
from exposure_pipelines.publish.tables import PublishedTable, is_nested

if TYPE_CHECKING:
    import duckdb

BATCH_ROWS = 10_000

#: PostgreSQL cuts longer names.
LONGEST_NAME = 63

#: Number of the PostgreSQL advisory lock that keeps two publishes of one database apart.
PUBLISH_LOCK = 7_263_118_340_926

#: How long one statement of a publish waits for a lock; only somebody else's maintenance holds one that it needs.
LOCK_SECONDS = 60

METADATA = sa.MetaData()

#: One row a published date; the newest date is the one whose rows the tables hold.
SNAPSHOTS = sa.Table(
    "snapshots",
    METADATA,
    sa.Column("snapshot_date", sa.Date(), primary_key=True),
    sa.Column("published_at", sa.DateTime(), nullable=False),
    sa.Column("tables", sa.Integer(), nullable=False),
    sa.Column("row_count", sa.BigInteger(), nullable=False),
)

#: The tables of the current snapshot. Only tables listed here are ever emptied or dropped.
SNAPSHOT_TABLES = sa.Table(
    "snapshot_tables",
    METADATA,
    sa.Column("table_name", sa.Text(), primary_key=True),
    sa.Column("snapshot_date", sa.Date(), nullable=False),
    sa.Column("row_count", sa.BigInteger(), nullable=False),
    sa.Column("shape", sa.Text(), nullable=False),
)


@dataclass(frozen=True, slots=True)
class Published:
    """What a publish did. `published` is False, with the reason, when a newer date is already there."""

    snapshot_date: date
    published: bool
    rows: dict[str, int]
    reason: str = ""


def publish(
    url: str,
    tables: Sequence[PublishedTable],
    day: date,
    moment: datetime,
    database: duckdb.DuckDBPyConnection,
) -> Published:
    """Make the marts of `day` the content of the warehouse, unless it holds a newer date. `database` reads the lake.

    Raises ConfigurationError when the database cannot be reached or holds foreign tables of these names, WorkFailed when
    loading fails; in both cases its content is unchanged.
    """
    engine = open_warehouse(url)
    driver_errors = getattr(engine.dialect.loaded_dbapi, "Error", sa.exc.DBAPIError)
    try:
        require_own(engine)
        with transaction(engine) as connection:
            METADATA.create_all(connection)
            newest = newest_snapshot(connection, moment.date())
            if newest and newest > day:
                return Published(day, False, {}, f"the warehouse holds {newest}, which is newer")
            if engine.dialect.name == "postgresql":
                widen(connection, tables)
        with transaction(engine) as connection:
            known = prepare_tables(connection, tables)
            changes = reshapes(connection, tables, known)
            rows = {table.name: fill(connection, table, database, changes.get(table.name)) for table in tables}
            record(connection, tables, day, moment, rows, known)
            if engine.dialect.name == "postgresql":
                narrow(connection, changes, sorted(set(known) - {table.name for table in tables}))
        after_publish(engine)
        return Published(day, True, rows)
    except (sa.exc.DBAPIError, driver_errors, TablesInUse) as error:
        why = first_line(error)
        if "depend" in why:
            why += " (views of your own on a column or table that goes: drop them, build, create them again)"
        raise WorkFailed(
            f"Publishing {day} to {shown(engine)} failed: {why}. The last snapshot there is unchanged."
        ) from error
    finally:
        engine.dispose()


def open_warehouse(url: str) -> sa.Engine:
    """An engine for the warehouse address. Raises ConfigurationError for a wrong address, missing driver or no server."""
    # the plain names mean a driver that is not ours to install
    address = re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", url)
    try:
        engine = sa.create_engine(address)
    except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError):
        raise ConfigurationError(
            "EXPOSURE_WAREHOUSE_URL is no database address; expected for example postgresql+psycopg://user@host/database"
        ) from None
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"The database driver {error.name} is not installed; for PostgreSQL: pip install 'exposure-pipelines[postgres]'"
        ) from None
    if engine.dialect.name not in ("sqlite", "postgresql"):
        raise ConfigurationError(
            f"EXPOSURE_WAREHOUSE_URL names a {engine.dialect.name} database; SQLite and PostgreSQL are supported."
        )
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", prepare_sqlite)
    try:
        with engine.connect():
            return engine
    except sa.exc.DBAPIError as error:
        engine.dispose()
        raise ConfigurationError(f"The warehouse {shown(engine)} does not answer: {first_line(error)}") from None


def require_own(engine: sa.Engine) -> None:
    """Raises ConfigurationError when the database is Dagster's, which has a table `snapshots` of its own."""
    inspector = sa.inspect(engine)
    if inspector.has_table(SNAPSHOTS.name) and "snapshot_date" not in {
        column["name"] for column in inspector.get_columns(SNAPSHOTS.name)
    }:
        raise ConfigurationError(
            f"{shown(engine)} holds a table {SNAPSHOTS.name} that exposure did not make (Dagster has one of that name); "
            "point EXPOSURE_WAREHOUSE_URL at a database of its own."
        )


def prepare_sqlite(connection: Any, _: Any) -> None:
    """Readers are never blocked by the writer, and a busy database is waited for."""
    connection.execute("PRAGMA busy_timeout = 30000")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    # transactions are begun by hand, so that changes of tables stand inside one (the driver would commit before them)
    connection.isolation_level = None


@contextmanager
def transaction(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction that holds schema changes too, on SQLite as on PostgreSQL; one publish at a time."""
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
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(PUBLISH_LOCK)))
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
                yield connection


def newest_snapshot(connection: sa.Connection, today: date) -> date | None:
    """The newest published date; one that has not come was made by a clock that ran ahead and counts for nothing."""
    newest = sa.select(sa.func.max(SNAPSHOTS.c.snapshot_date)).where(SNAPSHOTS.c.snapshot_date <= today)
    found: date | None = connection.execute(newest).scalar()
    return found


def last_published(url: str) -> tuple[date, datetime] | None:
    """Date and moment (UTC) of the newest publish; None before the first. Raises ConfigurationError as `open_warehouse`."""
    engine = open_warehouse(url)
    try:
        require_own(engine)
        if not sa.inspect(engine).has_table(SNAPSHOTS.name):
            return None
        with engine.connect() as connection:
            day = newest_snapshot(connection, clock.utc_date())
            moment = sa.select(SNAPSHOTS.c.published_at).where(SNAPSHOTS.c.snapshot_date == day)
            return (day, connection.execute(moment).scalar_one().replace(tzinfo=UTC)) if day else None
    except sa.exc.DBAPIError as error:
        raise ConfigurationError(f"The warehouse {shown(engine)} cannot be read: {first_line(error)}") from None
    finally:
        engine.dispose()


def prepare_tables(connection: sa.Connection, tables: Sequence[PublishedTable]) -> dict[str, str]:
    """Tables of the wanted shape, empty or with their old rows; returns the shapes there were, by name."""
    known = shapes(connection)
    inspector = sa.inspect(connection)
    existing = {*inspector.get_table_names(), *inspector.get_view_names()}
    foreign = sorted(table.name for table in tables if table.name in existing and table.name not in known)
    if foreign:
        raise ConfigurationError(
            f"The warehouse already holds {', '.join(foreign)}, which exposure did not make and will not replace; "
            "point EXPOSURE_WAREHOUSE_URL at a database of its own."
        )
    in_place = connection.dialect.name == "postgresql"
    for table in tables:
        wanted = sql_table(table)
        if table.name in existing and (in_place or known[table.name] == shape_of(table)):
            connection.execute(sa.delete(wanted))
            continue
        if table.name in existing:
            connection.execute(sa.schema.DropTable(wanted))
        wanted.create(connection)
    known = {name: shape for name, shape in known.items() if name in existing}
    if not in_place:
        for name in sorted(set(known) - {table.name for table in tables}):
            connection.execute(sa.schema.DropTable(sa.Table(name, sa.MetaData())))
    return known


def shapes(connection: sa.Connection) -> dict[str, str]:
    """The shape of every table of the last snapshot, by name."""
    return {
        row.table_name: row.shape
        for row in connection.execute(sa.select(SNAPSHOT_TABLES.c.table_name, SNAPSHOT_TABLES.c.shape))
    }


def reshapes(connection: sa.Connection, tables: Sequence[PublishedTable], known: dict[str, str]) -> dict[str, Reshape]:
    """How each table of the last snapshot that has another shape comes to its new one; PostgreSQL only."""
    if connection.dialect.name != "postgresql":
        return {}
    return {
        table.name: reshape(connection, sql_table(table))
        for table in tables
        if known.get(table.name, shape_of(table)) != shape_of(table)
    }


def widen(connection: sa.Connection, tables: Sequence[PublishedTable]) -> None:
    """Room for the new columns, before the load; readers see them empty until it ends."""
    inspector = sa.inspect(connection)
    existing = set(inspector.get_table_names())
    known = {name: shape for name, shape in shapes(connection).items() if name in existing}
    changes = reshapes(connection, tables, known)
    when_free(
        connection,
        [name for name, change in changes.items() if change.before],
        [statement for change in changes.values() for statement in change.before],
    )


def narrow(connection: sa.Connection, changes: dict[str, Reshape], gone: Sequence[str]) -> None:
    """What is no longer wanted leaves, after the load; indexes are made before, as they hinder no reader."""
    for change in changes.values():
        for statement in change.indexes:
            connection.exec_driver_sql(statement)
    quote = connection.dialect.identifier_preparer.quote
    when_free(
        connection,
        [*(name for name, change in changes.items() if change.after), *gone],
        [
            *(statement for change in changes.values() for statement in change.after),
            *(f"DROP TABLE {quote(name)}" for name in gone),
        ],
    )


def sql_table(table: PublishedTable) -> sa.Table:
    """The SQLAlchemy table of a mart, with its key and indexes."""
    columns = [
        sa.Column(column, sql_type(kind), primary_key=column in table.primary_key, autoincrement=False)
        for column, kind in table.columns
    ]
    built = sa.Table(table.name, sa.MetaData(), *columns)
    for names in table.indexes:
        sa.Index(index_name(table.name, names), *(built.c[name] for name in names))
    return built


def index_name(table: str, columns: Sequence[str]) -> str:
    name = f"ix_{table}_{'_'.join(columns)}"
    if len(name) <= LONGEST_NAME:
        return name
    return f"{name[: LONGEST_NAME - 9]}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def shape_of(table: PublishedTable) -> str:
    """Changes when the table must be made anew."""
    text = repr((table.columns, table.primary_key, table.indexes))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def sql_type(duckdb_type: str) -> sa.types.TypeEngine[Any]:
    """SQL type of a mart column; lists, structs and types without a counterpart become text."""
    if is_nested(duckdb_type):
        return sa.Text()
    match duckdb_type.upper():
        case "BIGINT":
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


def fill(
    connection: sa.Connection, table: PublishedTable, database: duckdb.DuckDBPyConnection, change: Reshape | None = None
) -> int:
    """Load the mart's Parquet into its table. Returns the number of rows."""
    batches = row_batches(table, database, text_times=connection.dialect.name == "sqlite")
    # the driver's own statements: SQLAlchemy's handling of each row costs more than the insert itself
    prepare = connection.dialect.identifier_preparer
    columns = [change.load[column] if change else column for column, _ in table.columns]
    target = f"{prepare.quote(table.name)} ({', '.join(prepare.quote(column) for column in columns)})"
    count = 0
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(table.columns))
        for rows in batches:
            connection.exec_driver_sql(f"INSERT INTO {target} VALUES ({marks})", rows)
            count += len(rows)
        return count
    driver = connection.connection.driver_connection
    assert driver is not None
    with driver.cursor() as cursor, cursor.copy(f"COPY {target} FROM STDIN") as copy:
        for rows in batches:
            for row in rows:
                copy.write_row(row)
            count += len(rows)
    return count


def row_batches(
    table: PublishedTable, database: duckdb.DuckDBPyConnection, *, text_times: bool
) -> Iterator[list[tuple[Any, ...]]]:
    """The mart's rows as SQL databases take them: nested values as JSON text, no NUL characters."""
    selected = ", ".join(value_sql(name, kind, text_times) for name, kind in table.columns)
    path = table.path.replace("'", "''")
    cursor = database.execute(f"SELECT {selected} FROM read_parquet('{path}', hive_partitioning = false)")
    while rows := cursor.fetchmany(BATCH_ROWS):
        yield rows


def value_sql(name: str, duckdb_type: str, text_times: bool) -> str:
    column = '"' + name.replace('"', '""') + '"'
    kind = duckdb_type.upper()
    if is_nested(duckdb_type):
        return f"CAST(to_json({column}) AS VARCHAR)"
    if kind == "TIMESTAMP":
        return f"strftime({column}, '%Y-%m-%d %H:%M:%S.%f')" if text_times else column
    if kind == "DATE":
        return f"strftime({column}, '%Y-%m-%d')" if text_times else column
    if isinstance(sql_type(duckdb_type), sa.Text):
        return f"replace(CAST({column} AS VARCHAR), chr(0), '')"
    return column


def record(
    connection: sa.Connection,
    tables: Sequence[PublishedTable],
    day: date,
    moment: datetime,
    rows: dict[str, int],
    known: dict[str, str],
) -> None:
    """Write down what the database now holds."""
    # the newest date listed is the one that the tables hold
    connection.execute(sa.delete(SNAPSHOTS).where(SNAPSHOTS.c.snapshot_date >= day))
    connection.execute(
        sa.insert(SNAPSHOTS).values(
            snapshot_date=day,
            published_at=moment.replace(tzinfo=None),
            tables=len(rows),
            row_count=sum(rows.values()),
        )
    )
    if known:
        connection.execute(sa.delete(SNAPSHOT_TABLES))
    connection.execute(
        sa.insert(SNAPSHOT_TABLES),
        [{"table_name": t.name, "snapshot_date": day, "row_count": rows[t.name], "shape": shape_of(t)} for t in tables],
    )


def after_publish(engine: sa.Engine) -> None:
    """Fold SQLite's log into the file, and let the database plan by what is there now."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA optimize")
            # a reader that still sees older rows keeps the log from being cut; the next publish cuts it
            connection.exec_driver_sql("PRAGMA busy_timeout = 0")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            for (name,) in connection.execute(sa.select(SNAPSHOT_TABLES.c.table_name)).all():
                connection.exec_driver_sql(f"ANALYZE {engine.dialect.identifier_preparer.quote(name)}")


def shown(engine: sa.Engine) -> str:
    return engine.url.render_as_string(hide_password=True)


def first_line(error: BaseException) -> str:
    lines = str(getattr(error, "orig", None) or error).strip().splitlines() or [type(error).__name__]
    # of a refused DROP the second line names what stands in the way
    return " ".join(lines[: 2 if "depend" in lines[0] else 1])
