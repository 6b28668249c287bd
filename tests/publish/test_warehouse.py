"""The SQL warehouse, on SQLite and on a real PostgreSQL server: whole snapshots or none."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
import sqlalchemy as sa

from exposure_pipelines.errors import ConfigurationError, WorkFailed
from exposure_pipelines.publish import reshaping, warehouse
from exposure_pipelines.publish.tables import PublishedTable
from tests.publish.conftest import COLUMNS, MOMENT, MakeTables

DAY = date(2026, 11, 20)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.live)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'warehouse.db'}"
        return
    server = request.getfixturevalue("postgres")
    name = f"t{abs(hash(request.node.name)) % 10**9}"
    admin = sa.create_engine(server.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    admin.dispose()
    yield server.replace("/postgres", f"/{name}")


@pytest.fixture
def engine(url: str) -> Iterator[sa.Engine]:
    opened = warehouse.open_warehouse(url)
    yield opened
    opened.dispose()


def count(engine: sa.Engine, table: str) -> int:
    with engine.connect() as connection:
        return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())


def test_every_value_arrives_as_it_is_in_the_mart(
    url: str, engine: sa.Engine, make: MakeTables, database: duckdb.DuckDBPyConnection
) -> None:
    done = warehouse.publish(url, make(hosts=8), DAY, MOMENT, database)
    assert (done.published, done.rows) == (True, {"hosts": 8})
    table = sa.Table("hosts", sa.MetaData(), autoload_with=engine)
    with engine.connect() as connection:
        rows = {row.host_id: row for row in connection.execute(sa.select(table))}
    assert rows["h0"].display_name == "plain"
    assert rows["h1"].display_name == 'quote " comma , backslash \\ tab \t'
    assert rows["h2"].display_name is None
    assert rows["h3"].display_name == "line\n\\.\n\\N ü"
    assert rows["h0"].tags is None
    assert json.loads(rows["h1"].tags) == ['a"b', "c"]
    assert json.loads(rows["h1"].nic) == {"mac": "aa"}
    assert (rows["h3"].risk, rows["h3"].level, rows["h3"].bytes) == (1.5, 3, 5_000_000_003)
    assert (rows["h2"].is_managed, rows["h3"].is_managed) == (True, False)
    assert rows["h1"].last_seen == datetime(2026, 11, 20, 10, 0, 0, 123456)
    assert rows["h1"].snapshot_date == DAY


def test_tables_have_types_a_primary_key_and_indexes(
    url: str, engine: sa.Engine, make: MakeTables, database: duckdb.DuckDBPyConnection
) -> None:
    warehouse.publish(url, make(hosts=3), DAY, MOMENT, database)
    inspector = sa.inspect(engine)
    assert inspector.get_pk_constraint("hosts")["constrained_columns"] == ["host_id"]
    assert [index["column_names"] for index in inspector.get_indexes("hosts")] == [["owner_id"]]
    kinds = {column["name"]: type(column["type"]).__mro__ for column in inspector.get_columns("hosts")}
    assert sa.BigInteger in kinds["bytes"]
    assert sa.Boolean in kinds["is_managed"]
    assert sa.DateTime in kinds["last_seen"]
    assert sa.Date in kinds["snapshot_date"]
    assert sa.Float in kinds["risk"]


def test_snapshots_tell_the_date_and_a_newer_date_is_never_replaced_by_an_older_one(
    url: str, engine: sa.Engine, make: MakeTables, database: duckdb.DuckDBPyConnection
) -> None:
    warehouse.publish(url, make(hosts=3, findings=2), DAY, MOMENT, database)
    later = DAY + timedelta(days=1)
    warehouse.publish(url, make(hosts=5, findings=4), later, MOMENT + timedelta(days=1), database)
    old = warehouse.publish(url, make(hosts=3), DAY, MOMENT + timedelta(days=1), database)
    assert not old.published
    assert "2026-11-21" in old.reason
    with engine.connect() as connection:
        found = connection.execute(sa.select(warehouse.SNAPSHOTS).order_by("snapshot_date")).all()
    assert [(row.snapshot_date, row.tables, row.row_count) for row in found] == [(DAY, 2, 5), (later, 2, 9)]
    assert count(engine, "hosts") == 5


def test_a_mart_that_is_gone_or_changed_shape_leaves_nothing_of_its_old_form(
    url: str, engine: sa.Engine, make: MakeTables, database: duckdb.DuckDBPyConnection
) -> None:
    warehouse.publish(url, make(hosts=3, findings=2), DAY, MOMENT, database)
    warehouse.publish(url, make(extra=", 'x' AS added", hosts=4), DAY, MOMENT, database)
    inspector = sa.inspect(engine)
    assert sorted(inspector.get_table_names()) == ["hosts", "snapshot_tables", "snapshots"]
    assert [column["name"] for column in inspector.get_columns("hosts")][-1] == "added"
    assert count(engine, "hosts") == 4


def test_a_table_that_is_not_ours_is_never_touched(
    url: str, engine: sa.Engine, make: MakeTables, database: duckdb.DuckDBPyConnection
) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE hosts (precious INTEGER)")
        connection.exec_driver_sql("INSERT INTO hosts VALUES (42)")
    with pytest.raises(ConfigurationError, match="already holds hosts, which exposure did not make"):
        warehouse.publish(url, make(hosts=3), DAY, MOMENT, database)
    assert count(engine, "hosts") == 1


@pytest.mark.fault("a publish fails half way", "the snapshot before stays whole")
def test_a_load_that_fails_half_way_leaves_the_old_snapshot_whole(
    url: str, engine: sa.Engine, make: MakeTables, database: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    warehouse.publish(url, make(hosts=3, findings=2), DAY, MOMENT, database)
    good, bad = make(hosts=7, findings=5)
    twice = tmp_path / "twice.parquet"
    database.execute(f"COPY (FROM '{bad.path}' UNION ALL FROM '{bad.path}') TO '{twice}' (FORMAT parquet)")
    broken = PublishedTable(bad.name, str(twice), bad.columns, bad.primary_key, bad.indexes)
    with pytest.raises(WorkFailed, match="The last snapshot there is unchanged"):
        warehouse.publish(url, [good, broken], DAY, MOMENT, database)
    assert (count(engine, "hosts"), count(engine, "findings")) == (3, 2)
    warehouse.publish(url, [good, bad], DAY, MOMENT, database)
    assert (count(engine, "hosts"), count(engine, "findings")) == (7, 5)


@pytest.mark.fault("reading while publishing", "readers see one whole snapshot, before or after")
def test_readers_see_whole_snapshots_while_publishing_goes_on(
    url: str, engine: sa.Engine, make: MakeTables, database: duckdb.DuckDBPyConnection
) -> None:
    """Both tables always hold the same number of rows: a reader that sees two numbers saw half a snapshot."""
    sizes = (2_000, 3_000)
    published = [make(hosts=size, findings=size) for size in sizes]
    warehouse.publish(url, published[0], DAY, MOMENT, database)
    seen: list[tuple[int, int]] = []
    troubles: list[BaseException] = []
    stop = threading.Event()

    def read() -> None:
        reader = warehouse.open_warehouse(url)
        try:
            while not stop.is_set():
                with reader.connect() as connection:
                    query = "SELECT (SELECT count(*) FROM hosts), (SELECT count(*) FROM findings)"
                    row = connection.exec_driver_sql(query).one()
                    seen.append((row[0], row[1]))
        except BaseException as error:  # noqa: BLE001 - handed to the test
            troubles.append(error)
        finally:
            reader.dispose()

    thread = threading.Thread(target=read)
    thread.start()
    for turn in range(6):
        warehouse.publish(url, published[(turn + 1) % 2], DAY, MOMENT, database)
    stop.set()
    thread.join()
    assert troubles == []
    assert {(size, size) for size in sizes} >= set(seen)
    assert len(seen) > 6


@pytest.mark.fault(
    "kill -9 while the warehouse is written", "the transaction is undone, readers keep the snapshot before"
)
def test_a_publish_that_is_killed_leaves_the_old_snapshot_and_the_next_one_works(
    url: str, engine: sa.Engine, make: MakeTables, database: duckdb.DuckDBPyConnection
) -> None:
    warehouse.publish(url, make(hosts=3, findings=2), DAY, MOMENT, database)
    (hosts, findings) = make(hosts=30_000, findings=2_000)
    code = (
        "import os, signal, duckdb\n"
        "from datetime import date, datetime, UTC\n"
        "from exposure_pipelines.publish import warehouse\n"
        "from exposure_pipelines.publish.tables import PublishedTable\n"
        "batches = warehouse.row_batches\n"
        "def killed(table, database, *, text_times):\n"
        "    for number, rows in enumerate(batches(table, database, text_times=text_times)):\n"
        "        if number == 2: os.kill(os.getpid(), signal.SIGKILL)\n"
        "        yield rows\n"
        "warehouse.row_batches = killed\n"
        f"table = PublishedTable('hosts', {hosts.path!r}, {COLUMNS!r}, ('host_id',), (('owner_id',),))\n"
        f"warehouse.publish({url!r}, [table], date(2026, 11, 21), datetime.now(UTC), duckdb.connect())\n"
    )
    killed = subprocess.run([sys.executable, "-c", code], env=dict(os.environ), timeout=300)
    assert killed.returncode == -signal.SIGKILL
    assert (count(engine, "hosts"), count(engine, "findings")) == (3, 2)
    warehouse.publish(url, [hosts, findings], DAY, MOMENT, database)
    assert (count(engine, "hosts"), count(engine, "findings")) == (30_000, 2_000)


@pytest.mark.live
def test_views_and_rights_of_readers_survive_a_publish(
    postgres: str, make: MakeTables, database: duckdb.DuckDBPyConnection
) -> None:
    warehouse.publish(postgres, make(hosts=3), DAY, MOMENT, database)
    engine = warehouse.open_warehouse(postgres)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE ROLE analyst LOGIN")
        connection.exec_driver_sql("GRANT SELECT ON hosts TO analyst")
        connection.exec_driver_sql("CREATE VIEW managed AS SELECT host_id FROM hosts WHERE is_managed")
        connection.exec_driver_sql("GRANT SELECT ON managed TO analyst")
    warehouse.publish(postgres, make(hosts=9), DAY, MOMENT, database)
    engine.dispose()
    analyst = warehouse.open_warehouse(postgres.replace("exposure@", "analyst@"))
    assert (count(analyst, "hosts"), count(analyst, "managed")) == (9, 5)
    analyst.dispose()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("no address", "EXPOSURE_WAREHOUSE_URL is no database address"),
        ("postgresql://exposure:pa55word@127.0.0.1:1/x", "does not answer"),
        ("sqlite:////nowhere/at/all.db", "does not answer"),
    ],
)
def test_a_warehouse_that_cannot_be_reached_says_so_without_its_password(address: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as caught:
        warehouse.open_warehouse(address)
    assert "pa55word" not in str(caught.value)


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
@pytest.mark.live
def test_a_report_that_never_ends_stops_no_new_reader_and_is_named(
    url: str, make: MakeTables, database: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exclusive lock of a table that changes shape is not to be had while a transaction reads it."""
    monkeypatch.setattr(reshaping, "PATIENCE_SECONDS", 3.0)
    warehouse.publish(url, make(hosts=3), DAY, MOMENT, database)
    report = warehouse.open_warehouse(url + "?application_name=monthly-report")
    with report.connect() as connection, readers_meanwhile(url, "hosts") as slowest:
        connection.exec_driver_sql("SELECT count(*) FROM hosts")
        with pytest.raises(WorkFailed, match=r"hosts must change shape.*process \d+ \(exposure, monthly-report\)"):
            warehouse.publish(url, make(extra=", 'x' AS added", hosts=9), DAY, MOMENT, database)
    assert slowest() < 1.5
    report.dispose()
    warehouse.publish(url, make(extra=", 'x' AS added", hosts=9), DAY, MOMENT, database)
    reader = warehouse.open_warehouse(url)
    assert count(reader, "hosts WHERE added = 'x'") == 9
    reader.dispose()


@contextmanager
def readers_meanwhile(url: str, *tables: str) -> Iterator[Callable[[], float]]:
    """Readers that come one after the other; gives the longest time that one of them took."""
    stop, times = threading.Event(), [0.0]

    def read() -> None:
        engine = warehouse.open_warehouse(url)
        while not stop.is_set():
            started = time.monotonic()
            for table in tables:
                count(engine, table)
            times.append(time.monotonic() - started)
            stop.wait(0.01)
        engine.dispose()

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield lambda: max(times)
    finally:
        stop.set()
        thread.join()
        assert len(times) > 10


@pytest.mark.fault(
    "an upgrade changes a table while people read it",
    "their transaction keeps its rows, new readers come in, rights and views stay",
)
@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
@pytest.mark.live
def test_a_table_changes_its_shape_under_readers(
    url: str, make: MakeTables, database: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """A column comes, one goes, one gets another type, the key and an index change; a transaction is open all the while."""
    warehouse.publish(url, make(hosts=3, findings=2), DAY, MOMENT, database)
    owner = warehouse.open_warehouse(url)
    with owner.begin() as connection:
        for statement in (
            "DROP ROLE IF EXISTS looker",
            "CREATE ROLE looker LOGIN",
            "GRANT SELECT ON hosts TO looker",
            "CREATE VIEW managed AS SELECT host_id FROM hosts WHERE is_managed",
            "ALTER TABLE hosts ENABLE ROW LEVEL SECURITY",
            "CREATE POLICY own ON hosts FOR SELECT TO looker USING (is_managed)",
            "CREATE INDEX of_a_person ON hosts (display_name)",
        ):
            connection.exec_driver_sql(statement)
    path = tmp_path / "hosts-2.parquet"
    database.execute(
        f"COPY (SELECT 'h' || i AS host_id, 'n' || i AS display_name, i % 2 = 0 AS is_managed, i AS owner_id, "
        f"'2.' || i AS level, NULL::VARCHAR AS bytes, 'x' AS added FROM range(5000) AS r(i)) TO '{path}' (FORMAT parquet)"
    )
    columns = (
        ("host_id", "VARCHAR"), ("display_name", "VARCHAR"), ("is_managed", "BOOLEAN"), ("owner_id", "BIGINT"),
        ("level", "VARCHAR"), ("bytes", "VARCHAR"), ("added", "VARCHAR"),
    )  # fmt: skip
    wanted = PublishedTable("hosts", str(path), columns, ("owner_id",), (("host_id",), ("added",)))

    open_report = owner.connect().execution_options(isolation_level="REPEATABLE READ")
    begun = threading.Timer(3.0, open_report.commit)
    # as a report would: its view of the data is fixed before it comes to this table
    open_report.exec_driver_sql("SELECT count(*) FROM snapshots")
    old_view = owner.connect().execution_options(isolation_level="REPEATABLE READ")
    old_view.exec_driver_sql("SELECT count(*) FROM snapshots")
    assert open_report.exec_driver_sql("SELECT count(*) FROM hosts").scalar_one() == 3
    with readers_meanwhile(url, "hosts", "snapshots") as slowest:
        begun.start()
        done = warehouse.publish(url, [wanted], DAY + timedelta(days=1), MOMENT, database)
    assert done.published
    assert slowest() < 1.5
    open_report.close()
    assert old_view.exec_driver_sql("SELECT count(*) FROM hosts").scalar_one() == 3, "its snapshot, not an empty table"
    old_view.close()

    inspector = sa.inspect(owner)
    assert {column["name"]: column["type"].compile(owner.dialect) for column in inspector.get_columns("hosts")} == {
        "host_id": "TEXT", "display_name": "TEXT", "is_managed": "BOOLEAN", "owner_id": "BIGINT",
        "level": "TEXT", "bytes": "TEXT", "added": "TEXT",
    }  # fmt: skip
    assert inspector.get_pk_constraint("hosts")["constrained_columns"] == ["owner_id"]
    found = {index["name"]: index["column_names"] for index in inspector.get_indexes("hosts")}
    assert found.pop("of_a_person") == ["display_name"]
    assert sorted(found.values()) == [["added"], ["host_id"]]
    assert "findings" not in inspector.get_table_names()
    looker = warehouse.open_warehouse(url.replace("exposure@", "looker@"))
    assert (count(looker, "hosts"), count(owner, "hosts"), count(owner, "managed")) == (2500, 5000, 2500)
    looker.dispose()

    # and back again, with the names of indexes and keys that are there now
    back = make(hosts=4, findings=3)
    warehouse.publish(url, back, DAY + timedelta(days=1), MOMENT, database)
    warehouse.publish(url, back, DAY + timedelta(days=1), MOMENT, database)
    inspector = sa.inspect(owner)
    assert inspector.get_pk_constraint("hosts")["constrained_columns"] == ["host_id"]
    assert ["owner_id"] in [index["column_names"] for index in inspector.get_indexes("hosts")]
    assert {column["name"] for column in inspector.get_columns("hosts")} == {name for name, _ in COLUMNS}
    with owner.begin() as connection:
        connection.exec_driver_sql("DROP OWNED BY looker")
        connection.exec_driver_sql("DROP ROLE looker")
    owner.dispose()


def test_a_reader_of_the_file_keeps_its_rows_while_a_table_changes_its_shape(
    tmp_path: Path, make: MakeTables, database: duckdb.DuckDBPyConnection
) -> None:
    url = f"sqlite:///{tmp_path / 'warehouse.db'}"
    warehouse.publish(url, make(hosts=3), DAY, MOMENT, database)
    engine = warehouse.open_warehouse(url)
    with engine.connect() as report:
        report.exec_driver_sql("BEGIN")
        assert report.exec_driver_sql("SELECT count(*) FROM hosts").scalar_one() == 3
        started = time.monotonic()
        warehouse.publish(url, make(extra=", 'x' AS added", hosts=9), DAY, MOMENT, database)
        assert time.monotonic() - started < 10
        assert report.exec_driver_sql("SELECT count(*) FROM hosts").scalar_one() == 3
        assert count(engine, "hosts WHERE added = 'x'") == 9
    engine.dispose()


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
@pytest.mark.live
def test_a_publish_killed_between_new_columns_and_their_rows_is_mended_by_the_next(
    url: str, engine: sa.Engine, make: MakeTables, database: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse.publish(url, make(hosts=3), DAY, MOMENT, database)
    wider = make(extra=", 'x' AS added", hosts=9)

    def killed(*_: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(warehouse, "fill", killed)
        with pytest.raises(KeyboardInterrupt):
            warehouse.publish(url, wider, DAY, MOMENT, database)
    assert count(engine, "hosts WHERE added IS NULL") == 3
    warehouse.publish(url, wider, DAY, MOMENT, database)
    assert count(engine, "hosts WHERE added = 'x'") == 9


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
@pytest.mark.live
def test_a_view_of_a_person_on_a_column_that_goes_is_kept_and_the_fix_is_said(
    url: str, engine: sa.Engine, make: MakeTables, database: duckdb.DuckDBPyConnection
) -> None:
    warehouse.publish(url, make(extra=", 'x' AS added", hosts=9), DAY, MOMENT, database)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE VIEW mine AS SELECT added FROM hosts")
    with pytest.raises(WorkFailed, match=r"mine depends on column added.*drop them, build, create them again"):
        warehouse.publish(url, make(hosts=3), DAY, MOMENT, database)
    assert count(engine, "mine") == 9


@pytest.mark.fault(
    "a build publishes while another one does", "one waits for the other; the tables hold one of the two whole"
)
def test_two_publishes_at_once_come_one_after_the_other(
    url: str, engine: sa.Engine, make: MakeTables, database: duckdb.DuckDBPyConnection
) -> None:
    sizes = (4_000, 6_000)
    made = [make(hosts=size, findings=size) for size in sizes]
    troubles: list[BaseException] = []

    def publish(tables: list[PublishedTable]) -> None:
        try:
            with duckdb.connect() as own:
                warehouse.publish(url, tables, DAY, MOMENT, own)
        except BaseException as error:  # noqa: BLE001 - handed to the test
            troubles.append(error)

    for _ in range(3):
        threads = [threading.Thread(target=publish, args=(tables,)) for tables in made]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert troubles == []
        assert (count(engine, "hosts"), count(engine, "findings")) in {(size, size) for size in sizes}
