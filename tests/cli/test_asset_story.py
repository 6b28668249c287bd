"""Which asset `exposure explain` is about, and what it says of ids that are none."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from exposure_pipelines.cli.asset_story import find_asset
from exposure_pipelines.errors import WorkFailed


@pytest.fixture
def marts() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as database:
        database.execute(
            """
            CREATE TABLE devices AS SELECT 'd1' AS device_id;
            CREATE TABLE asset_records AS
                SELECT 'device' AS asset_kind, 'd1' AS asset_id, 'edr' AS product, 'p' AS instance, '17' AS record_id;
            CREATE TABLE resolution_changes AS FROM (VALUES
                ('device', 'alias', NULL, 'd0', 'd1'), ('device', 'held', 'scan:p:9', NULL, NULL),
                ('device', 'held', 'scan:p:8', NULL, NULL), ('identity', 'alias', NULL, 'i0', 'd1')
            ) t (asset_kind, change, record, asset_before, asset_after);
            CREATE TABLE resolution_decisions AS FROM (VALUES
                ('device', 'scan:p:9', 'edr:p:17', 'vetoed', 'same name as edr:p:17, but a name alone joins nothing')
            ) t (asset_kind, record, other_record, verdict, sentence);
            """
        )
        yield database


@pytest.mark.parametrize("wanted", ["d1", "edr:p:17", "17", "d0"])
def test_an_asset_is_found_by_its_id_one_it_had_before_and_its_records(
    marts: duckdb.DuckDBPyConnection, wanted: str
) -> None:
    assert find_asset(marts, "device", "devices", "device_id", wanted) == "d1"


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("scan:p:9", "scan:p:9 makes no device .*\n.*a name alone joins nothing"),
        ("scan:p:8", "scan:p:8 makes no device .*\n.*nothing that it tells identifies anything"),
        ("i0", "No device has the id or source record 'i0'"),
    ],
)
def test_a_record_that_waits_is_told_with_its_reasons(marts: duckdb.DuckDBPyConnection, wanted: str, said: str) -> None:
    with pytest.raises(WorkFailed, match=said):
        find_asset(marts, "device", "devices", "device_id", wanted)
