"""Resolution at size: how fast, in how much memory, how right, beside a floor, pandas, Splink and a plain rule in one run.

    python benchmarks/correlation.py --devices 1000
    pip install splink; python benchmarks/correlation.py --devices 1000000

Every contender reads the same Parquet file of staged device records in a process of its own. `floor`: read it, group all
pairs of identifier and value once, write an assignment a record and about as many whole records as there are assets.
`ours`: the project's resolution with ids, survivorship and lists. `pandas`: the rules of the same ladder with their contests
and vetoes, and survivorship, by merge and groupby; with simpler spellings, without the vetoes of blades, of images and of
scanners' numbers, without settling disputed groups one by one and without links, reviews and reasons; see
correlation_pandas.py. `splink`: its deterministic link and clustering on serial
number, UUID, directory id, full name and MAC, no survivorship. `plain`: "same serial number or same host name", which people
write first. Rightness is told for all records and for the pairs that each named disagreement of the estate touches. See
records.py for the records.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from itertools import chain
from pathlib import Path
from typing import Any

from correlation_pandas import by_pandas
from records import LISTS, MORE_LISTS, MORE_SCALARS, SCALARS, estate_records, sources

CONTENDERS = ("floor", "ours", "pandas", "splink", "plain")
#: What DuckDB may hold for ours, so that memory is the algorithm's and not the machine's; what is more goes to disk, as in a
#: build. The floor may take what it wants.
MEMORY = "3GB"


def floor(records: str, out: Path) -> None:
    from dbt_like_transforms.engine.session import open_connection

    con = open_connection(temp_dir=out / "spill")
    pairs = [
        f"SELECT '{name}' AS k, lower({name}) AS v, record FROM '{records}' WHERE {name} IS NOT NULL"
        for name in (*SCALARS, *MORE_SCALARS)
    ]
    pairs += [
        f"SELECT '{name}', scope || lower(unnest({name})), record FROM '{records}'" for name in (*LISTS, *MORE_LISTS)
    ]
    union = " UNION ALL ".join(pairs)
    con.execute(
        f"CREATE TABLE grouped AS SELECT k, v, count(*) AS n, min(record) AS first FROM ({union}) GROUP BY k, v"
    )
    con.execute(
        f"""COPY (SELECT record, product, instance, stream, record_id, md5(record) AS asset_id, state, first_seen, last_seen,
            sync, page, row_number FROM '{records}') TO '{out / "a.parquet"}'"""
    )
    con.execute(f"COPY (SELECT * FROM '{records}' WHERE hash(record) % 4 = 0) TO '{out / 'w.parquet'}'")


def ours(records: str, out: Path) -> None:
    # before pyarrow, which imports numpy: see dbt_like_transforms.resolution
    from dbt_like_transforms.engine.session import open_connection
    from dbt_like_transforms.resolution.fields.survivorship import Survivors
    from dbt_like_transforms.resolution.resolve import resolve

    import pyarrow.parquet as pq  # isort: skip

    con = open_connection(temp_dir=out / "spill", memory_limit=MEMORY)
    con.execute(f"CREATE VIEW observed AS FROM '{records}'")
    outcome = resolve("device", "observed", connection=con, survivors=True)
    outcome.assignments().write_parquet(str(out / "assets.parquet"))
    batches = Survivors(outcome).batches()
    first = next(batches)
    with pq.ParquetWriter(out / "w.parquet", first.schema) as writer:
        for batch in chain([first], batches):
            writer.write_table(batch)


def by_splink(records: str, out: Path) -> None:
    import duckdb
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    con = duckdb.connect(config={"temp_directory": str(out / "spill")})
    frame = con.execute(
        f"""SELECT record, nullif(upper(trim(serial_number)), '') AS serial, lower(smbios_uuid) AS uuid,
            lower(entra_device_id) AS entra, scope || lower(fqdns[1]) AS fqdn,
            scope || regexp_replace(lower(mac_addresses[1]), '[^0-9a-f]', '', 'g') AS mac
        FROM '{records}' WHERE serial_number IS NULL OR length(serial_number) > 4"""
    ).df()
    rules = [block_on(column) for column in ("serial", "uuid", "entra", "fqdn", "mac")]
    settings = SettingsCreator(
        link_type="dedupe_only", unique_id_column_name="record", blocking_rules_to_generate_predictions=rules
    )
    linker = Linker(DuckDBAPI().register(frame), settings, log_level="ERROR")
    pairs = linker.inference.deterministic_link()
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(pairs).as_pandas_dataframe()
    clusters.rename(columns={"cluster_id": "asset_id"})[["record", "asset_id"]].to_parquet(out / "assets.parquet")


def plain(records: str, out: Path) -> None:
    import duckdb
    import numpy as np
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    con = duckdb.connect(config={"temp_directory": str(out / "spill")})
    con.execute(
        f"""CREATE TABLE given AS SELECT row_number() OVER () - 1 AS row, record,
            nullif(upper(trim(serial_number)), '') AS serial,
            nullif(lower(split_part(coalesce(hostnames[1], display_name), '.', 1)), '') AS host FROM '{records}'"""
    )
    found = con.execute(
        """SELECT row, dense_rank() OVER (ORDER BY value) AS value FROM (
            SELECT row, 'serial ' || serial AS value FROM given UNION ALL SELECT row, 'host ' || host FROM given)
        WHERE value IS NOT NULL"""
    ).fetchnumpy()
    ((size,),) = con.execute("SELECT count(*) FROM given").fetchall()
    nodes = size + int(found["value"].max()) + 1
    graph = coo_matrix(
        (np.ones(len(found["row"]), np.int8), (found["row"], found["value"] + size)), shape=(nodes, nodes)
    )
    _, component = connected_components(graph, directed=False)
    con.register("components", {"row": np.arange(size), "asset_id": component[:size]})
    con.execute(f"COPY (SELECT record, asset_id FROM given JOIN components USING (row)) TO '{out / 'assets.parquet'}'")


RUN = {"floor": floor, "ours": ours, "pandas": by_pandas, "splink": by_splink, "plain": plain}


def measure(name: str, records: str, out: Path) -> None:
    """One contender in this process; prints a JSON line."""
    started = time.perf_counter()
    RUN[name](records, out)
    seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "peak": peak_memory()}))


def peak_memory() -> int:
    """Of this process, in MB."""
    status = Path("/proc/self/status")
    if status.exists():
        # ru_maxrss counts what the process that started this one held
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) >> 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> (20 if sys.platform == "darwin" else 10)


#: Precision and recall; NaN where there is no pair.
Rightness = tuple[float, float]


def rightness(assets: Path, records: Path, key: Path) -> dict[str, Rightness]:
    """Pairwise precision, and recall over pairs that shared evidence can prove; '' for all pairs, else for those that a
    named disagreement touches. Counted from the sizes of groups."""
    import duckdb

    con = duckdb.connect()
    con.execute(
        f"""CREATE TABLE told AS SELECT a.asset_id::VARCHAR AS asset, k.truth_id AS truth, k.provable AS provable,
            string_split(coalesce(k.tags, ''), ',') AS tags
        FROM (SELECT record, asset_id FROM '{assets}') AS a JOIN '{records}' AS r USING (record)
            JOIN '{key}' AS k USING (product, instance, record_id)
        WHERE a.asset_id IS NOT NULL AND k.truth_id <> ''"""
    )
    tags = con.execute("SELECT DISTINCT unnest(tags) AS tag FROM told ORDER BY tag").fetchall()

    def pairs(columns: str, tag: str) -> float:
        """Pairs within the groups of which at least one record has the tag."""
        touched = f"count_if(list_contains(tags, '{tag}'))" if tag else "count(*)"
        (row,) = con.execute(
            f"""SELECT sum(n * (n - 1) / 2 - (n - t) * (n - t - 1) / 2)
            FROM (SELECT count(*) AS n, {touched} AS t FROM told GROUP BY {columns})"""
        ).fetchall()
        return float(row[0] or 0)

    def share(part: str, whole: str, tag: str) -> float:
        total = pairs(whole, tag)
        return pairs(part, tag) / total if total else float("nan")

    return {
        tag: (share("asset, truth", "asset", tag), share("asset, provable", "provable", tag))
        for tag in ["", *(tag for (tag,) in tags if tag)]
    }


def show_disagreements(found: dict[str, dict[str, Rightness]]) -> None:
    """Precision / recall a disagreement and contender."""
    print(
        f"\nprecision / recall of the pairs that a disagreement touches\n{'':<28}" + "".join(f"{n:>18}" for n in found)
    )
    for tag in next(iter(found.values())):
        if tag:
            cells = "".join(f"{f'{right[tag][0]:.4f} / {right[tag][1]:.4f}':>18}" for right in found.values())
            print(f"{tag:<28}{cells}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, default=100_000)
    parser.add_argument("--records", type=Path, help="folder that keeps the records from run to run")
    parser.add_argument("--without", nargs="*", default=(), choices=CONTENDERS)
    parser.add_argument("--one", nargs=3, metavar=("NAME", "RECORDS", "OUT"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        measure(arguments.one[0], arguments.one[1], Path(arguments.one[2]))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.records or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        records, key = estate_records(arguments.devices, folder)
        print(f"{arguments.devices:,} machines seen by {', '.join(sources())}\n")
        print(f"{'':<10}{'seconds':>9}{'to floor':>10}{'peak MB':>10}{'precision':>11}{'recall':>9}")
        results: dict[str, Any] = {}
        rights: dict[str, dict[str, Rightness]] = {}
        for name in CONTENDERS:
            if name in arguments.without:
                continue
            out = Path(temporary) / name
            out.mkdir()
            done = subprocess.run(
                [sys.executable, __file__, "--one", name, str(records), str(out)],
                capture_output=True,
                text=True,
                check=False,
            )
            if "ModuleNotFoundError" in done.stderr:
                print(f"{name:<10}{'not installed':>39}")
                continue
            if done.returncode:
                print(f"{name:<10}  failed: {(done.stderr.strip().splitlines() or ['killed'])[-1][:90]}")
                continue
            results[name] = json.loads(done.stdout.strip().splitlines()[-1])
            right = ""
            if (out / "assets.parquet").exists():
                rights[name] = rightness(out / "assets.parquet", records, key)
                precision, recall = rights[name][""]
                right = f"{precision:>11.4f}{recall:>9.4f}"
            ratio = results[name]["seconds"] / results["floor"]["seconds"] if "floor" in results else float("nan")
            print(
                f"{name:<10}{results[name]['seconds']:>9.1f}{ratio:>10.1f}{results[name]['peak']:>10,}{right}",
                flush=True,
            )
        if rights:
            show_disagreements(rights)


if __name__ == "__main__":
    main()
