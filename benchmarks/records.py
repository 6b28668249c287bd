"""Staged device records of an estate of any size, with their truth: the input of the correlation benchmark.

An estate of at most 10,000 machines is served over HTTP, pulled and staged as in production. A larger one is that estate
many times over, as the sites of one company: each site is a scope of its own (names, MACs and addresses agree only inside
it), and its serial numbers, UUIDs, directory, cloud and agent ids are made its own in whatever spelling they came. Values
that many machines share (placeholders, cloned ids) stay as they are, so that they grow with the estate.
"""

from __future__ import annotations

import os
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    import duckdb

    from demo_estate.server import EstateServer

#: The streams that staging reads for devices.
STREAMS = {
    "entra_id": ["organization", "devices", "device_owners"],
    "defender_endpoint": ["machines"],
    "tenable": ["assets", "deleted_assets", "terminated_assets"],
    "servicenow": ["computers", "network_adapters", "business_applications", "users", "choices"],
    "intune": ["managed_devices"],
    "qualys": ["hosts", "host_assets"],
}
#: Identifiers of a record, and those that only the ladder reads.
SCALARS = ("entra_device_id", "ad_object_guid", "cloud_instance_id", "ad_sid", "serial_number", "smbios_uuid")
LISTS = ("agent_ids", "mac_addresses", "fqdns", "hostnames")
MORE_SCALARS, MORE_LISTS = ("imei", "cloud_resource_id", "netbios_name"), ("ip_addresses",)
SITE = 10_000
#: A value on more machines than this is no machine's own.
SHARED = 5

#: identifier -> SQL of its value `v` at site `s`; '' for a value that came so.
_HEX = "printf('%04x', s)"
_MOVED = {
    # VMware-42 02 .. e5 51 is a UUID: its last four digits, as the UUID column has them
    "serial_number": rf"""CASE WHEN regexp_matches(v, '(?i)^vmware-') THEN
            left(v, length(v) - 5) || left({_HEX}, 2) || ' ' || right({_HEX}, 2)
        ELSE v || upper(printf('%03x', s)) END""",
    "smbios_uuid": f"left(v, length(v) - 4) || {_HEX}",
    "entra_device_id": f"left(v, length(v) - 4) || {_HEX}",
    "ad_object_guid": f"left(v, length(v) - 4) || {_HEX}",
    "ad_sid": "regexp_replace(v, '(?i)^(s-1-5-21-)', '\\1' || (1000 + s)::VARCHAR)",
    "cloud_instance_id": rf"""CASE WHEN regexp_matches(v, '(?i)[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}$')
        THEN left(v, length(v) - 4) || {_HEX} ELSE v || printf('%04d', s) END""",
    "cloud_resource_id": "v || printf('%04d', s)",
}


def pull(estate: EstateServer) -> None:
    """Land the device streams of every product."""
    from connector_assets import registry
    from exposure_pipelines.connections import load_connections
    from exposure_pipelines.home import Home
    from exposure_pipelines.lake import Lake
    from exposure_pipelines.landing.sync import run_sync

    home = Home.from_env().ensure()
    for name, spec in estate.connections().items():
        if spec.product not in STREAMS:
            continue
        os.environ.update(dict(spec.credentials.values()))
        document = {
            "product": spec.product,
            "base_url": spec.base_url,
            "options": dict(spec.options),
            "credentials": {field: {"env": variable} for field, (variable, _) in spec.credentials.items()},
        }
        (home.connections / f"{name}.yaml").write_text(yaml.safe_dump(document))
    for connection in load_connections(home).valid:
        connector = registry.load(connection.product)
        known = {stream.name for stream in connector.streams}
        wanted = [stream for stream in STREAMS[connection.product] if stream in known]
        report = run_sync(connection, connector, home, Lake.of(home), streams=wanted)
        bad = [f"{m.stream}: {m.reason}" for m in report.streams if m.state not in ("complete", "skipped")]
        if bad:
            raise SystemExit(f"{connection.instance} did not land whole: {'; '.join(bad)}")


def sources() -> list[str]:
    """The products of the comparison that this installation has."""
    from connector_assets import registry

    return [product for product in STREAMS if product in registry.products()]


def served(seed: int, devices: int, folder: Path) -> tuple[Path, Path]:
    """Parquet files of the staged device records of an estate and of its answer key."""
    from demo_estate.server import EstateServer
    from demo_estate.truth import Truth
    from exposure_pipelines.building import open_builder, project
    from exposure_pipelines.home import Home

    records, key = folder / f"records-{devices}.parquet", folder / f"key-{devices}.parquet"
    with tempfile.TemporaryDirectory() as home, EstateServer(Truth(seed, devices), sources()) as estate:
        os.environ["EXPOSURE_HOME"] = home
        pull(estate)
        day = datetime.now(UTC).date()
        with open_builder(Home.from_env()) as builder:
            list(builder.iterate(day, project().upstream(["int_devices_assignments"])))
            list(builder.iterate(day, {"int_devices_assignments"}))
            builder.database.execute(f"COPY (FROM stg__devices) TO '{records}' (FORMAT parquet, COMPRESSION zstd)")
        frame = estate.answer_key().frame()
        frame[frame["kind"] == "device"].to_parquet(key, index=False)
    return records, key


def repeated(
    connection: duckdb.DuckDBPyConnection, records: Path, key: Path, sites: int, folder: Path
) -> tuple[Path, Path]:
    """The estate in `records` and `key` at so many sites, written beside them."""
    target, target_key = folder / f"records-x{sites}.parquet", folder / f"key-x{sites}.parquet"
    connection.execute(f"CREATE OR REPLACE TEMP TABLE base AS FROM '{records}'")
    connection.execute(f"CREATE OR REPLACE TEMP TABLE base_key AS FROM '{key}'")
    for name in _MOVED:
        connection.execute(
            f"""CREATE OR REPLACE TEMP TABLE shared_{name} AS SELECT {name} AS v FROM base
            JOIN base_key USING (product, instance, record_id) GROUP BY 1 HAVING count(DISTINCT truth_id) > {SHARED}"""
        )
    for name, sql in _MOVED.items():
        connection.execute(f"CREATE OR REPLACE TEMP MACRO moved_{name}(v, s) AS {sql}")
    moved = ", ".join(
        f"CASE WHEN s = 0 OR b.{name} IN (FROM shared_{name}) THEN b.{name} ELSE moved_{name}(b.{name}, s) END AS {name}"
        for name in _MOVED
    )
    agents = f"""CASE WHEN s = 0 THEN agent_ids ELSE list_transform(agent_ids,
        lambda a: left(a, length(a) - 4) || {_HEX}) END AS agent_ids"""
    connection.execute(
        f"""COPY (SELECT b.* REPLACE (record || '~' || s AS record, record_id || '~' || s AS record_id,
            scope || '/' || s AS scope, {moved}, {agents})
        FROM base AS b, range({sites}) AS sites(s)) TO '{target}' (FORMAT parquet, COMPRESSION zstd)"""
    )
    connection.execute(
        f"""COPY (SELECT * REPLACE (record_id || '~' || s AS record_id, truth_id || '~' || s AS truth_id,
            provable || '~' || s AS provable) FROM base_key, range({sites}) AS sites(s)) TO '{target_key}' (FORMAT parquet)"""
    )
    return target, target_key


def estate_records(devices: int, folder: Path, seed: int = 7) -> tuple[Path, Path]:
    """Staged records and answer key of an estate of so many machines (a multiple of 10,000 above that)."""
    import duckdb

    if devices <= SITE:
        return served(seed, devices, folder)
    if devices % SITE:
        sys.exit(f"--devices above {SITE:,} must be a multiple of it")
    records, key = folder / f"records-{SITE}.parquet", folder / f"key-{SITE}.parquet"
    if not records.exists():
        served(seed, SITE, folder)
    with duckdb.connect() as connection:
        return repeated(connection, records, key, devices // SITE, folder)
