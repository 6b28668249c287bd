"""Which asset `exposure explain` is about, and what it says of ids that are none."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from exposure_pipelines.cli.asset_story import find_asset
from exposure_pipelines.errors import ConfigurationError, WorkFailed


@pytest.fixture
def marts() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as database:
        database.execute(
            """
            CREATE TABLE devices AS FROM (VALUES
                ('d1', 'LT-0417', 'lt-0417.corp.example'), ('d2', 'iPhone', NULL), ('d3', 'iPhone', NULL)
            ) t (device_id, display_name, fqdn);
            CREATE TABLE asset_records AS FROM (VALUES
                ('device', 'd1', 'edr', 'p', '17'), ('device', 'd2', 'mdm', 'p', '4'), ('device', 'd3', 'scan', 'p', '4')
            ) t (asset_kind, asset_id, product, instance, record_id);
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


@pytest.mark.parametrize("wanted", ["d1", "edr:p:17", "17", "d0", "lt-0417", "LT-0417.corp.example"])
def test_an_asset_is_found_by_its_id_one_it_had_before_its_records_and_its_name(
    marts: duckdb.DuckDBPyConnection, wanted: str
) -> None:
    assert find_asset(marts, "device", "devices", "device_id", wanted) == "d1"


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("scan:p:9", "scan:p:9 makes no device .*\n.*a name alone joins nothing"),
        ("scan:p:8", "scan:p:8 makes no device .*\n.*nothing that it tells identifies anything"),
        ("i0", "No device has the id, source record or name 'i0'"),
    ],
)
def test_a_record_that_waits_is_told_with_its_reasons(marts: duckdb.DuckDBPyConnection, wanted: str, said: str) -> None:
    with pytest.raises(WorkFailed, match=said):
        find_asset(marts, "device", "devices", "device_id", wanted)


@pytest.mark.parametrize("wanted", ["iphone", "4"])
def test_what_several_assets_go_by_is_never_taken_for_one_of_them(
    marts: duckdb.DuckDBPyConnection, wanted: str
) -> None:
    with pytest.raises(
        ConfigurationError, match=r"2 devices; give the id of one:\n  d2  iPhone: mdm:p:4\n  d3  .*scan:p:4"
    ):
        find_asset(marts, "device", "devices", "device_id", wanted)
