"""How right resolution is on the demo estate, quirk by quirk, beside the rules people usually write.

    python benchmarks/accuracy.py --devices 1000
    pip install splink; python benchmarks/accuracy.py --devices 1000 --splink

The estate is served over HTTP, pulled and staged as in production; the same staged records then go to (a) this project's
resolution, (b) "same serial number or same host name", and (c), with --splink, Splink's deterministic link on serial number,
UUID, directory id, MAC and full name. Each is held against the answer key in this run.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    import pandas as pd

    from demo_estate.scoring import Score
    from demo_estate.server import EstateServer

#: The streams that staging reads for devices.
STREAMS = {
    "entra_id": ["organization", "devices", "device_owners"],
    "defender_endpoint": ["machines"],
    "tenable": ["assets", "deleted_assets", "terminated_assets"],
    "servicenow": ["computers", "network_adapters", "business_applications", "users", "choices"],
}
MODEL = "int_devices_assignments"


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


def resolved(results: dict[str, pd.DataFrame], seconds: dict[str, float]) -> pd.DataFrame:
    """Stage and resolve as a build does; returns the staged records for the other rules."""
    from exposure_pipelines.building import open_builder, project
    from exposure_pipelines.home import Home

    with open_builder(Home.from_env()) as builder:
        staging = project().upstream([MODEL])
        day = datetime.now(UTC).date()
        builder.build(day, staging)
        started = time.perf_counter()
        builder.build(day, {MODEL})
        seconds["ours"] = time.perf_counter() - started
        path = builder.lake.model_path("intermediate", MODEL, day)
        results["ours"] = builder.database.execute(
            f"SELECT 'device' AS kind, asset_id, product, instance, record_id FROM read_parquet('{path}', "
            "hive_partitioning = false) WHERE asset_id IS NOT NULL"
        ).df()
        return builder.database.execute(
            """
            SELECT record, product, instance, record_id,
                nullif(upper(trim(serial_number)), '') AS serial,
                lower(smbios_uuid) AS uuid,
                lower(entra_device_id) AS entra,
                lower(coalesce(cloud_instance_id, '')) AS cloud,
                lower(split_part(coalesce(hostnames[1], display_name), '.', 1)) AS host,
                lower(fqdns[1]) AS fqdn,
                nullif(regexp_replace(lower(mac_addresses[1]), '[^0-9a-f]', '', 'g'), '') AS mac
            FROM stg__devices
            """
        ).df()


def linked(records: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    """Connected components over records that agree on any of the columns."""
    import pandas as pd
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    rows, values = [], []
    offset = len(records)
    for column in columns:
        codes, uniques = pd.factorize(records[column].where(records[column] != ""))
        present = codes >= 0
        rows.append(records.index.to_numpy()[present])
        values.append(codes[present] + offset)
        offset += len(uniques)
    left, right = pd.Series(rows).explode().astype(int), pd.Series(values).explode().astype(int)
    graph = coo_matrix(([1] * len(left), (left, right)), shape=(offset, offset))
    _, component = connected_components(graph, directed=False)
    return records.assign(kind="device", asset_id=component[: len(records)].astype(str))


def splink_link(records: pd.DataFrame) -> pd.DataFrame:
    """Splink's deterministic link and its clusters."""
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    rules = [block_on(column) for column in ("serial", "uuid", "entra", "fqdn", "mac")]
    settings = SettingsCreator(
        link_type="dedupe_only", unique_id_column_name="record", blocking_rules_to_generate_predictions=rules
    )
    linker = Linker(DuckDBAPI().register(records), settings, log_level="ERROR")
    pairs = linker.inference.deterministic_link()
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(pairs).as_pandas_dataframe()
    return clusters.assign(kind="device", asset_id=clusters["cluster_id"].astype(str))


def show(scores: dict[str, Score], seconds: dict[str, float]) -> None:
    names = list(scores)
    print(f"\n{'':<24}" + "".join(f"{name:>26}" for name in names))
    line = lambda label, cell: print(f"{label:<24}" + "".join(f"{cell(name):>26}" for name in names))  # noqa: E731
    line("precision", lambda name: f"{scores[name].precision:.4f}")
    line("recall", lambda name: f"{scores[name].recall:.4f}")
    line("wrong merges / splits", lambda n: f"{scores[n].wrong_merge_count} / {scores[n].wrong_split_count}")
    line("seconds", lambda name: f"{seconds[name]:.1f}")
    print("\nprecision / recall of the pairs a quirk touches")
    for quirk in sorted(scores["ours"].by_quirk):
        cells = {name: score.by_quirk[quirk] for name, score in scores.items()}
        line(quirk, lambda name, cells=cells: f"{cells[name].precision:.4f} / {cells[name].recall:.4f}")
    ours = scores["ours"]
    print(
        f"\n{ours.records:,} records of {ours.true_things:,} machines; {ours.pairs.beyond:,} true pairs lie beyond the evidence"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--splink", action="store_true", help="compare with Splink too (must be installed)")
    arguments = parser.parse_args()
    from demo_estate.server import EstateServer
    from demo_estate.truth import Truth

    results: dict[str, Any] = {}
    seconds: dict[str, float] = {}
    with (
        tempfile.TemporaryDirectory() as home,
        EstateServer(Truth(arguments.seed, arguments.devices), list(STREAMS)) as estate,
    ):
        os.environ["EXPOSURE_HOME"] = home
        started = time.perf_counter()
        pull(estate)
        print(f"pulled in {time.perf_counter() - started:.0f} s")
        records = resolved(results, seconds)
        key = estate.answer_key()
        started = time.perf_counter()
        results["serial or host name"] = linked(records, ("serial", "host"))
        seconds["serial or host name"] = time.perf_counter() - started
        if arguments.splink:
            started = time.perf_counter()
            results["Splink, deterministic"] = splink_link(records)
            seconds["Splink, deterministic"] = time.perf_counter() - started
        show({name: key.score(found, "device") for name, found in results.items()}, seconds)


if __name__ == "__main__":
    main()
