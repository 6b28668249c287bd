"""Another shape for a PostgreSQL table that people read: changed in place, with the table to itself for moments only.

Whoever waits for the exclusive lock of a table makes every new reader wait behind. So the lock is asked for a fifth of a
second at a time, and what happens under it touches no row: columns are added empty before the load, and dropped or renamed
after it. Rights, views, policies and a transaction that still sees the old rows all survive, which a table made anew (empty
to such a transaction) would not give them.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

#: How long one attempt may make new readers wait.
ASKING_MILLISECONDS = 200
PAUSE_SECONDS = 2.0
#: How long a publish goes on asking before it gives up.
PATIENCE_SECONDS = 600.0

QUERY_CANCELED, LOCK_NOT_AVAILABLE = "57014", "55P03"

HOLDERS = sa.text("""
    SELECT DISTINCT held.pid, activity.usename, activity.application_name
    FROM pg_locks AS held LEFT JOIN pg_stat_activity AS activity ON activity.pid = held.pid
    WHERE held.granted AND held.pid <> pg_backend_pid() AND held.relation = ANY(CAST(:names AS regclass[]))
      AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    ORDER BY held.pid
""")


class TablesInUse(Exception):
    """Open transactions read tables that have to change."""


@dataclass(slots=True)
class Reshape:
    """What brings one table into its wanted shape. `load` maps a column to the name its values are loaded under."""

    load: dict[str, str]
    before: list[str] = field(default_factory=list)
    indexes: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)


def reshape(connection: sa.Connection, wanted: sa.Table) -> Reshape:
    """The steps from the table that is there to the one that is wanted; safe to work out again after a crash."""
    dialect, inspector = connection.dialect, sa.inspect(connection)
    quote = dialect.identifier_preparer.quote
    name = quote(wanted.name)
    there = {column["name"]: column["type"].compile(dialect=dialect) for column in inspector.get_columns(wanted.name)}
    kinds = {column.name: column.type.compile(dialect=dialect) for column in wanted.columns}
    load = {
        column: loading_name(column, kind) if there.get(column, kind) != kind else column
        for column, kind in kinds.items()
    }
    steps = Reshape(load)
    steps.before += [
        f"ALTER TABLE {name} ADD COLUMN {quote(target)} {kinds[column]}"
        for column, target in load.items()
        if target not in there
    ]
    retyped = {column: target for column, target in load.items() if target != column}
    gone = [column for column in there if column not in kinds and column not in retyped.values()]

    old_key = inspector.get_pk_constraint(wanted.name)
    key = [column.name for column in wanted.primary_key.columns]
    if old_key["constrained_columns"] != [load[column] for column in key]:
        if old_key["constrained_columns"]:
            # before the load: the new rows need not keep the old promise
            steps.before.append(f"ALTER TABLE {name} DROP CONSTRAINT {quote(old_key['name'] or '')}")
            steps.before += [
                f"ALTER TABLE {name} ALTER COLUMN {quote(column)} DROP NOT NULL"
                for column in old_key["constrained_columns"]
            ]
        if key:
            index = quote(free_name("pk", wanted.name, [load[column] for column in key]))
            listed = ", ".join(quote(load[column]) for column in key)
            steps.indexes.append(f"CREATE UNIQUE INDEX {index} ON {name} ({listed})")
            steps.after.append(f"ALTER TABLE {name} ADD CONSTRAINT {index} PRIMARY KEY USING INDEX {index}")

    # an index is ours by its name; those that people made stay
    ours = {
        tuple(index["column_names"]): index["name"]
        for index in inspector.get_indexes(wanted.name)
        if (index["name"] or "").startswith("ix_")
    }
    indexed = {tuple(load[column.name] for column in index.columns): index for index in wanted.indexes}
    for columns in indexed.keys() - ours.keys():
        listed = ", ".join(quote(column) for column in columns)
        steps.indexes.append(f"CREATE INDEX {quote(free_name('ix', wanted.name, columns))} ON {name} ({listed})")
    steps.after += [f"DROP INDEX {quote(ours[columns] or '')}" for columns in ours.keys() - indexed.keys()]
    steps.after += [f"ALTER TABLE {name} DROP COLUMN {quote(column)}" for column in [*gone, *retyped]]
    steps.after += [
        f"ALTER TABLE {name} RENAME COLUMN {quote(target)} TO {quote(column)}" for column, target in retyped.items()
    ]
    return steps


def loading_name(column: str, kind: str) -> str:
    """Where values of another type are loaded while the old column is still read."""
    return f"{column[:50]}__{hashlib.sha256(f'{column} {kind}'.encode()).hexdigest()[:8]}"


def free_name(prefix: str, table: str, columns: Iterable[str]) -> str:
    """A name that no index has that was made together with its table."""
    digest = hashlib.sha256(repr((table, tuple(columns))).encode()).hexdigest()[:8]
    return f"{prefix}_{table[:44]}_{digest}"


def when_free(connection: sa.Connection, tables: Sequence[str], statements: Sequence[str]) -> None:
    """Run statements that need tables to themselves, asking for all of them at once, shortly and again.

    Raises TablesInUse, with who reads them, when they are never free at the same moment.
    """
    if not statements:
        return
    names = [connection.dialect.identifier_preparer.quote(table) for table in tables]
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            # a savepoint that is undone gives its locks back
            with connection.begin_nested():
                connection.exec_driver_sql(f"SET LOCAL statement_timeout = {ASKING_MILLISECONDS}")
                connection.exec_driver_sql(f"LOCK TABLE {', '.join(names)} IN ACCESS EXCLUSIVE MODE")
                connection.exec_driver_sql("SET LOCAL statement_timeout TO DEFAULT")
                for statement in statements:
                    connection.exec_driver_sql(statement)
            return
        except sa.exc.DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) not in (QUERY_CANCELED, LOCK_NOT_AVAILABLE):
                raise
            if time.monotonic() > until:
                raise TablesInUse(in_use(connection, tables, names)) from None
        time.sleep(PAUSE_SECONDS)


def in_use(connection: sa.Connection, tables: Sequence[str], names: Sequence[str]) -> str:
    held = connection.execute(HOLDERS, {"names": list(names)}).all()
    who = ", ".join(f"process {pid} ({user or 'unknown'}, {program or 'no name'})" for pid, user, program in held[:5])
    return (
        f"{', '.join(tables)} must change shape and an open transaction has read one of them for more than "
        f"{PATIENCE_SECONDS:.0f} s: {who or 'it ended just now'}; end it there, or with "
        f"SELECT pg_terminate_backend(NUMBER), and build again"
    )
