"""Building the exposure graph's nodes and edges beside DuckDB reading and writing the same rows, in one run.

    python benchmarks/graph_build.py --copies 100

A demo estate of 500 devices is pulled and built as a newcomer would; its tables are then copied so many times under other ids, and
the project's own SQL builds the graph of all copies.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

MODELS = ("exposure_graph_nodes", "exposure_graph_edges")
INPUTS = (
    "assets criticality exposure_insights business_context devices identities applications cloud_resources vulnerabilities "
    "open_vulnerabilities vulnerability_classes open_recommendations internet_exposure relationships"
).split()
#: Tables about CVEs: the same for every copy.
SHARED = {"vulnerabilities", "vulnerability_classes"}
IDS = {
    "node_id",
    "asset_id",
    "device_id",
    "identity_id",
    "application_id",
    "resource_id",
    "relationship_id",
    "source_id",
    "target_id",
}


def copied(con: duckdb.DuckDBPyConnection, table: str, source: Path, target: Path, copies: int) -> None:
    """The table with every id changed for each copy, and a view of its name."""
    columns = [row[0] for row in con.execute(f"DESCRIBE SELECT * FROM '{source}'").fetchall()]
    changed = [f"md5({name} || '~' || k) AS {name}" for name in columns if name in IDS]
    if table == "internet_exposure":
        changed.append("list_transform(public_ip_addresses, lambda a: a || '.' || k) AS public_ip_addresses")
    if table in SHARED:
        select = f"FROM '{source}'"
    else:
        select = f"SELECT * REPLACE ({', '.join(changed)}) FROM '{source}', range({copies}) AS copies(k)"
    con.execute(f"COPY ({select}) TO '{target}'")
    con.execute(f"CREATE VIEW {table} AS FROM '{target}'")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--copies", type=int, default=100)
    arguments = parser.parse_args()
    import dbt_like_transforms

    models = Path(dbt_like_transforms.__file__).parent / "models" / "marts"
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        environment = {**os.environ, "EXPOSURE_HOME": str(home)}
        command = [sys.executable, "-m", "exposure_pipelines.cli.main", "demo"]
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
        con = duckdb.connect()
        for table in INPUTS:
            (source,) = (home / "lake" / "marts" / table).glob("snapshot_date=*/*.parquet")
            copied(con, table, source, Path(folder) / f"{table}.parquet", arguments.copies)
        print(f"{'':<24}{'rows':>12}{'build s':>10}{'read and write s':>18}{'ratio':>8}")
        total = bare_total = 0.0
        for model in MODELS:
            target = Path(folder) / f"{model}.parquet"
            sql = (models / f"{model}.sql").read_text(encoding="utf-8")
            started = time.perf_counter()
            con.execute(f"COPY ({sql}) TO '{target}' (COMPRESSION zstd)")
            built = time.perf_counter() - started
            con.execute(f"CREATE VIEW {model} AS FROM '{target}'")
            rows = con.execute(f"SELECT count(*) FROM {model}").fetchall()[0][0]
            started = time.perf_counter()
            con.execute(f"COPY (FROM '{target}') TO '{Path(folder) / 'same.parquet'}' (COMPRESSION zstd)")
            bare = time.perf_counter() - started
            print(f"{model:<24}{rows:>12,}{built:>10.2f}{bare:>18.2f}{built / bare:>8.2f}")
            total, bare_total = total + built, bare_total + bare
        print(f"{'both':<24}{'':>12}{total:>10.2f}{bare_total:>18.2f}{total / bare_total:>8.2f}")
        print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10:,} MB")


if __name__ == "__main__":
    main()
