"""The main job end to end, on the emulated vendors over real HTTP."""

from __future__ import annotations

import json
import re
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from demo_estate import attack_paths
from demo_estate.server import EstateServer
from demo_estate.truth import Truth
from tests.demo.conftest import DAYS, DEVICES, Demo


def marts(demo: Demo, table: str) -> list[dict[str, object]]:
    outcome = demo.call("export", table, "--format", "json")
    assert outcome.returncode == 0, outcome.stderr
    rows: list[dict[str, object]] = json.loads(outcome.stdout)
    return rows


def test_the_summary_shows_every_connector_and_the_score(demo: Demo) -> None:
    for word in ("entra_id", "defender_endpoint", "tenable", "servicenow", "precision", "recall", "Billable", "Time:"):
        assert word in demo.output, demo.output


@pytest.mark.parametrize(("kind", "precision", "recall"), [("devices", 0.9995, 0.98), ("identities", 0.9995, 0.99)])
def test_merging_is_as_right_as_promised(demo: Demo, kind: str, precision: float, recall: float) -> None:
    row = next(line for line in demo.output.splitlines() if line.strip().startswith(kind))
    numbers = [float(word) for word in re.findall(r"[01]\.\d{4}", row)]
    assert numbers[0] >= precision, row
    assert numbers[1] >= recall, row


def test_no_secret_reaches_any_output_of_a_run(demo: Demo) -> None:
    """Bytes of every file, and what packed files hold: landed pages, Parquet, DuckDB, blobs of Dagster's databases."""
    with EstateServer(Truth(devices=DEVICES, days=DAYS)) as estate:
        secrets = {value for spec in estate.connections().values() for _, value in spec.credentials.values()}
    assert secrets
    # with them the password hash that ServiceNow gives with every user
    words = [*secrets, "{enc:hash}"]
    files = [file for file in demo.home.rglob("*") if file.is_file()]
    # models only pass on what was landed, and the snapshot holds the marts: their packed files are left out for time
    built = [demo.home / "lake" / layer for layer in ("staging", "intermediate", "marts")]
    with duckdb.connect() as database:
        assert [str(f) for f in files if not set(built) & set(f.parents) and holds(f, words, database)] == []
        for folder, suffix in (("lake/landed", ".zst"), ("lake/landed", ".parquet"), ("snapshots", ".duckdb")):
            samples = [f for f in files if f.is_relative_to(demo.home / folder) and f.suffix == suffix]
            assert any(holds(f, ["corp."], database) for f in samples), f"{suffix} is not really read"
    assert not any(word in demo.output for word in words)
    assert "demo" in demo.commands
    assert not any(word in demo.commands for word in words), "anybody on the machine sees command lines"


def holds(file: Path, words: list[str], database: duckdb.DuckDBPyConnection) -> bool:
    """Whether a file holds one of the words, as it lies there or unpacked."""
    data = file.read_bytes()
    if file.suffix == ".zst":
        data = pa.CompressedInputStream(pa.BufferReader(data), "zstd").read()
    if any(word.encode() in data for word in words):
        return True
    if file.suffix in (".parquet", ".duckdb"):
        tables = [f"read_parquet('{file}', hive_partitioning = false)"]
        if file.suffix == ".duckdb":
            database.execute(f"ATTACH '{file}' AS packed (READ_ONLY)")
            names = database.execute("SELECT table_name FROM duckdb_tables()").fetchall()
            tables = [f'packed."{name}"' for (name,) in names]
        among = " OR ".join(["contains(line, ?)"] * len(words))
        lines = "SELECT CAST(t AS VARCHAR) AS line FROM"
        found = any(
            database.execute(f"SELECT 1 FROM ({lines} {table} AS t) WHERE {among} LIMIT 1", words).fetchone()
            for table in tables
        )
        if file.suffix == ".duckdb":
            database.execute("DETACH packed")
        return found
    if file.suffix == ".db":
        with sqlite3.connect(file) as storage:
            for (body,) in blobs(storage):
                with suppress(zlib.error):
                    if any(word.encode() in zlib.decompress(body) for word in words):
                        return True
    return False


def blobs(storage: sqlite3.Connection) -> Iterator[tuple[bytes]]:
    """What Dagster packs before it stores it."""
    columns = "SELECT m.name, c.name FROM sqlite_master AS m, pragma_table_info(m.name) AS c"
    for table, column in storage.execute(f"{columns} WHERE m.type = 'table' AND c.type = 'BLOB'").fetchall():
        yield from storage.execute(f'SELECT "{column}" FROM "{table}" WHERE typeof("{column}") = \'blob\'')


def test_files_of_the_home_are_for_their_owner_alone(demo: Demo) -> None:
    every = [demo.home, *demo.home.rglob("*")]
    readable = [str(path) for path in every if path.exists() and path.stat().st_mode & 0o077]
    assert readable == []


def test_the_warehouse_holds_the_same_tables_as_the_lake(demo: Demo) -> None:
    listed = {row["table"]: row["rows"] for row in json.loads(demo.call("tables", "--json").stdout)}
    with sqlite3.connect(demo.home / "warehouse.db") as database:
        names = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        counts = {
            name: database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names & set(listed)
        }
        keys = database.execute("SELECT name FROM pragma_table_info('devices') WHERE pk = 1").fetchall()
    assert counts == {name: rows for name, rows in listed.items() if rows is not None}
    assert keys == [("device_id",)]


def test_the_snapshot_opens_read_only_with_every_table(demo: Demo) -> None:
    pointer = json.loads((demo.home / "snapshots" / "current.json").read_text())
    with duckdb.connect(str(demo.home / "snapshots" / pointer["file"]), read_only=True) as database:
        rows = dict(database.execute("SELECT table_name, estimated_size FROM duckdb_tables()").fetchall())
    assert pointer["rows"].items() <= rows.items()


def test_every_planted_attack_path_is_found_and_none_begins_where_the_truth_has_no_way_in(demo: Demo) -> None:
    truth = Truth(devices=DEVICES, days=DAYS)
    with EstateServer(truth) as estate:
        estate.advance(DAYS - 1)
        key = {(row.product, row.instance, row.record_id): row.truth_id for row in estate.answer_key().rows()}
    truly: dict[str, set[str]] = {}
    for row in marts(demo, "asset_records"):
        found = key.get((str(row["product"]), str(row["instance"]), str(row["record_id"])))
        truly.setdefault(str(row["asset_id"]), set()).update({found} if found else ())
    paths = marts(demo, "attack_paths")
    ways_in = attack_paths.entries(truth)
    begun = [truly[str(path["entry_node_id"])] for path in paths]
    assert begun
    assert all(things & ways_in for things in begun)
    planted = list(attack_paths.planted(truth))
    assert planted
    walked = [
        (things, {thing for node in path["node_ids"] for thing in truly[str(node)]})
        for things, path in zip(begun, paths, strict=True)
    ]  # type: ignore[attr-defined]
    for plan in planted:
        mine = [seen for things, seen in walked if plan.entry in things]
        assert mine, plan
        assert not plan.through or any(plan.through in seen for seen in mine), plan
        assert plan.through or any(plan.target in seen for seen in mine), plan


def test_every_label_of_the_graph_is_on_the_page_that_describes_it(demo: Demo) -> None:
    page = (Path(__file__).parent.parent.parent / "docs" / "graph.md").read_text(encoding="utf-8")
    families = re.compile(r"microsoft\.[a-z.]+/.+|[a-z0-9]+\.[a-z_]+|subscriptions|resourcegroups")
    for node in marts(demo, "exposure_graph_nodes"):
        assert f"`{node['NodeLabel']}`" in page or families.fullmatch(str(node["NodeLabel"])), node["NodeLabel"]
    for edge in marts(demo, "exposure_graph_edges"):
        assert f"`{edge['EdgeLabel']}`" in page, edge["EdgeLabel"]


def test_a_device_is_traced_from_its_row_to_the_landed_page(demo: Demo) -> None:
    records = [row for row in marts(demo, "asset_records") if row["asset_kind"] == "device"]
    row = next(record for record in records if record["product"] == "tenable")
    story = json.loads(demo.call("explain", "device", str(row["asset_id"]), "--json").stdout)
    traced = next(record for record in story["records"] if record["record_id"] == row["record_id"])
    folder = demo.home / "lake" / "landed" / str(row["instance"]) / str(row["stream"]) / traced["sync"]
    lines = pa.CompressedInputStream(pa.OSFile(str(folder / "pages-00000.jsonl.zst"), "rb"), "zstd").read().splitlines()
    assert json.loads(lines[traced["row_number"]])["id"] == row["record_id"]
    # what a person reads tells why, in words
    story = demo.call("explain", "device", f"tenable:{row['instance']}:{row['record_id']}", COLUMNS="400").stdout
    assert re.search(r"joined .* same [A-Za-z ]+ \S+ as ", story), story


def test_a_cloud_resource_is_traced_to_the_records_that_are_one_by_its_name(demo: Demo) -> None:
    (first, *_) = [row for row in marts(demo, "resolution_decisions") if row["asset_kind"] == "cloud_resource"]
    story = json.loads(demo.call("explain", "cloud_resource", str(first["record"]), "--json").stdout)
    assert {str(first["record"]), str(first["other_record"])} <= {
        f"{record['product']}:{record['instance']}:{record['record_id']}" for record in story["records"]
    }
    assert first["sentence"] in [decision["sentence"] for decision in story["decisions"]]
    told = demo.call("explain", "cloud_resource", str(first["value"]), COLUMNS="400").stdout
    assert told.startswith(f"cloud_resource {story['asset_id']}: "), told


def test_a_rebuild_of_both_days_gives_the_same_rows_and_keeps_the_asset_ids(demo: Demo, tmp_path: Path) -> None:
    today = datetime.now(UTC).date()
    before = {day: contents(demo, day) for day in days(today)}
    outcome = demo.call("build", "--from", min(before), "--to", max(before))
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    for day, tables in before.items():
        after = contents(demo, day)
        assert {name for name in tables if tables[name] != after[name]} == set(), day


def days(today: date) -> list[str]:
    return [date.fromordinal(today.toordinal() - offset).isoformat() for offset in range(DAYS)]


def contents(demo: Demo, day: str) -> dict[str, object]:
    files = (demo.home / "lake" / "marts").glob(f"*/snapshot_date={day}/*.parquet")
    with duckdb.connect() as database:
        return {
            file.parent.parent.name: database.execute(
                f"SELECT count(*), bit_xor(hash(t)) FROM read_parquet('{file}', hive_partitioning = false) AS t"
            ).fetchone()
            for file in files
        }


def test_a_second_demo_of_another_size_starts_over_and_never_mixes(demo: Demo) -> None:
    (demo.home / "connections" / "mine.yaml").write_text("product: tenable\n")
    try:
        outcome = demo.call("demo", "--devices", "20")
        assert outcome.returncode == 2
        assert "mine.yaml" in outcome.stderr
    finally:
        (demo.home / "connections" / "mine.yaml").unlink()


def test_a_persons_decision_is_shown_before_it_is_applied_and_a_wrong_one_is_refused(demo: Demo) -> None:
    rows = [row for row in marts(demo, "asset_records") if row["asset_kind"] == "device"]
    by_asset: dict[object, list[str]] = {}
    for row in rows:
        by_asset.setdefault(row["asset_id"], []).append(str(row["record"]))
    # records of Defender for Identity only add to an asset: alone they are held
    asset, records = next(
        (asset, found)
        for asset, found in by_asset.items()
        if len(found) == 3 and not any(record.startswith("defender_identity:") for record in found)
    )
    left, leaves, stays = next(
        (asset, record, found[found[0] == record])
        for asset, found in by_asset.items()
        for record in found
        if len(found) > 1 and record.startswith("defender_identity:")
    )
    file = demo.home / "decisions.yaml"
    decision = {"id": "one", "kind": "device", "action": "split", "records": records}
    taken_out = {"id": "two", "kind": "device", "action": "split", "parts": [[stays], [leaves]]}
    try:
        file.write_text(json.dumps({"decisions": [decision, taken_out]}))
        shown = json.loads(demo.call("build", "--what-if", "--json").stdout)
        assert [(row["change"], row["asset"]) for row in shown] == [("split", asset), ("held", left)]
        split, held = shown
        assert len(split["with"]) == 3
        assert held["records"] == [leaves]
        file.write_text(json.dumps({"decisions": [{**decision, "action": "sunder"}]}))
        refused = demo.call("build")
        assert refused.returncode == 2
        assert "decisions.0.action" in refused.stderr
    finally:
        file.unlink()
    assert json.loads(demo.call("build", "--what-if", "--json").stdout) == []


def test_status_says_how_each_instance_is_doing(demo: Demo) -> None:
    rows = json.loads(demo.call("status", "--json").stdout)["instances"]
    assert len(rows) >= 4
    assert {row["state"] for row in rows} <= {"complete", "partial"}


def test_a_vendor_that_is_gone_fails_alone_and_the_build_goes_on(demo: Demo) -> None:
    outcome = demo.call(
        "sync", "tenable_prod", ESTATE_TENABLE_PROD_ACCESS_KEY="x" * 8, ESTATE_TENABLE_PROD_SECRET_KEY="y" * 8
    )
    assert outcome.returncode == 1
    assert "the connection is refused" in outcome.stdout
    assert demo.call("build").returncode == 0
    tenable = [row for row in marts(demo, "devices") if "tenable" in json.dumps(row["discovery_sources"])]
    assert tenable, "the last complete sync is carried forward"
