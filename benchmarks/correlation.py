"""Resolution at size: how fast, in how much memory, how right, beside a floor, pandas, Splink and a plain rule in one run.

    python benchmarks/correlation.py --devices 1000
    pip install splink; python benchmarks/correlation.py --devices 1000000

Every contender reads the same Parquet file of staged device records in a process of its own. `floor`: read it, group all
pairs of identifier and value once, write an assignment a record and about as many whole records as there are assets.
`ours`: the project's resolution with ids, survivorship and lists. `pandas`: the rules of the same ladder with their contests
and vetoes, and survivorship, by merge and groupby; with simpler spellings, without settling disputed groups one by one and
without links, reviews and reasons. `splink`: its deterministic link and clustering on serial number, UUID, directory id, full
name and MAC, no survivorship. `plain`: "same serial number or same host name", which people write first. Rightness is told
for all records and for the pairs that each named disagreement of the estate touches. See records.py for the records.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from hashlib import md5
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from dbt_like_transforms.resolution.ladder import Rule

CONTENDERS = ("floor", "ours", "pandas", "splink", "plain")
SCALARS = ("entra_device_id", "ad_object_guid", "cloud_instance_id", "ad_sid", "serial_number", "smbios_uuid")
LISTS = ("agent_ids", "mac_addresses", "fqdns", "hostnames")
#: What else the ladder reads: the floor groups it as well.
MORE_SCALARS, MORE_LISTS = ("imei", "cloud_resource_id", "netbios_name"), ("ip_addresses",)
#: What DuckDB may hold for ours, so that memory is the algorithm's and not the machine's; what is more goes to disk, as in a
#: build. The floor may take what it wants.
MEMORY = "3GB"
SHOWN = (
    "display_name",
    "manufacturer",
    "model",
    "os_platform",
    "os_version",
    "owner",
    "environment",
    "asset_tag",
    "domain",
)


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
    from dbt_like_transforms.resolution.resolve import resolve
    from dbt_like_transforms.resolution.survivorship import Survivors

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


def by_pandas(records: str, out: Path) -> None:
    import pandas as pd

    from dbt_like_transforms.resolution.devices import LADDER

    frame = pd.read_parquet(records).reset_index(drop=True)
    edges = identifiers(frame)
    source = frame["product"] + ":" + frame["instance"].fillna("")
    source = source.where(frame["state"].fillna("active") != "retired")
    name = edges["host"].drop_duplicates("row").set_index("row")["value"].reindex(frame.index)
    seen = frame[["first_seen", "last_seen"]].fillna(
        {"first_seen": frame["observed_at"], "last_seen": frame["observed_at"]}
    )
    label = frame.index.to_series()
    for rule in LADDER.rules:
        label = joined(label, edges, rule, source, name, seen)
    # as wide as ours, the id of an asset made of the record that was seen first
    names = ["record", "product", "instance", "stream", "record_id", "state", "first_seen", "last_seen", "sync", "page"]
    founder = frame["record"].loc[label.unique()]
    ids = founder.map(lambda record: md5(f"device:{record}".encode(), usedforsecurity=False).hexdigest())
    assigned = frame[[*names, "row_number"]].assign(asset_id=label.map(ids), **seen)
    assigned.to_parquet(out / "assets.parquet")
    survivors(frame, label).to_parquet(out / "w.parquet")


def identifiers(frame: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """What the ladder's rules read, by the ladder's names: row and value, in spellings that do for this estate."""
    import pandas as pd

    def bare(values: pd.Series[str], other: str) -> pd.Series[str]:
        return values.str.replace(other, "", regex=True)

    def elements(name: str) -> pd.Series[str]:
        return frame[name].explode().dropna().str.strip().str.lower()

    def scoped(values: pd.Series[str]) -> pd.Series[str]:
        return frame["scope"].reindex(values.index) + "/" + values

    names = (*SCALARS, *MORE_SCALARS, "cloud_account_id", "manufacturer", "domain")
    text = {name: frame[name].str.strip().str.lower() for name in names}
    guids = {name: bare(text[name], "[^0-9a-f]") for name in ("entra_device_id", "ad_object_guid", "smbios_uuid")}
    guids = {name: values.where(values.str.len().eq(32) & values.ne("0" * 32)) for name, values in guids.items()}
    serial = bare(text["serial_number"], r"\s")
    # a hypervisor hands the guest its UUID as serial number
    guest = serial.str.startswith("vmware-", na=False)
    uuid = pd.concat([guids["smbios_uuid"], bare(serial[guest].str.slice(7), "[^0-9a-f]")]).dropna()
    swapped = [uuid.str.slice(first, last) for first, last in ((6, 8), (4, 6), (2, 4), (0, 2), (10, 12), (8, 10))]
    swapped += [uuid.str.slice(first, last) for first, last in ((14, 16), (12, 14), (16, 32))]
    other = swapped[0].str.cat(swapped[1:])
    uuid = uuid.where(uuid < other, other)
    serial = real(serial.where(~guest), "serial_number")
    cloud, resource = real(text["cloud_instance_id"], "cloud_id"), text["cloud_resource_id"]
    given = pd.concat([elements("hostnames"), elements("fqdns"), text["netbios_name"].dropna()])
    parts = given.str.rstrip(".").str.partition(".")
    host, dns = real(parts[0], "host_name"), real(parts[2].where(parts[2] != ""), "host_domain")
    domain = dns.fillna(text["domain"].reindex(given.index))
    mac = real(bare(elements("mac_addresses"), "[^0-9a-f]"), "mac_address")
    agent = elements("agent_ids")
    agent = agent[real(agent.str.partition("=")[2], "agent_id").notna()]
    values = {
        "entra": guids["entra_device_id"],
        "adguid": guids["ad_object_guid"],
        "dirguid": pd.concat([guids["entra_device_id"], guids["ad_object_guid"]]),
        "cloudq": cloud + " in " + text["cloud_account_id"],
        "cloud": cloud,
        "resource": resource,
        "path": resource.where(resource.str.startswith("/subscriptions/", na=False)),
        "sid": text["ad_sid"],
        "sid_account": text["ad_sid"],
        "serialq": serial + " by " + text["manufacturer"].str.partition(" ")[0],
        "serial": serial,
        "uuid": real(uuid, "uuid"),
        "imei": real(text["imei"], "imei"),
        "imei_model": text["imei"].str.slice(0, 8),
        "agent": agent,
        "mac": scoped(mac.where(~mac.str.slice(1, 2).isin(["2", "6", "a", "e"]))),
        "fqdn": scoped(host + "." + dns),
        "nbname": scoped(domain.str.partition(".")[0] + "\\" + host.str.slice(0, 15)),
        "host": scoped(host.str.slice(0, 15)),
        "longname": scoped(host.where(host.str.len() > 15)),
    }
    return {name: found.dropna().rename("value").rename_axis("row").reset_index() for name, found in values.items()}


def real(values: pd.Series[str], name: str) -> pd.Series[str]:
    """The values that are no placeholders of that list."""
    from dbt_like_transforms.resolution.suppress import load_seeds

    seeds = load_seeds().lists[name]
    known = values.str.replace("[^0-9a-z]", "", regex=True) if seeds.compared_as == "n_alnum" else values
    seeded = known.isin([*seeds.values, *seeds.words, ""])
    if seeds.patterns:
        seeded |= known.str.fullmatch("|".join(f"(?:{pattern[1:-1]})" for pattern in seeds.patterns), na=False)
    if seeds.repeated_character:
        seeded |= known.str.fullmatch(r"(.)\1*", na=False)
    return values.where(~seeded)


def at_odds(told: pd.DataFrame, by: str, seen: pd.DataFrame, limit: int, successive: bool) -> set[Any]:
    """What has more than `limit` values in `told` (row, `by`, value); successive: unless those followed one another."""
    distinct = told.groupby(by)["value"].nunique()
    odd = set(distinct.index[distinct > limit])
    if successive and odd:
        told = told[told[by].isin(odd)].merge(seen, left_on="row", right_index=True)
        spans = told.groupby([by, "value"]).agg({"first_seen": "min", "last_seen": "max"}).reset_index()
        spans = spans.sort_values([by, "first_seen"])
        before = spans.groupby(by)["last_seen"].shift()
        odd = set(spans.loc[spans["first_seen"] <= before, by])
    return odd


def joined(
    label: pd.Series[int],
    edges: dict[str, pd.DataFrame],
    rule: Rule,
    source: pd.Series[str],
    host: pd.Series[str],
    seen: pd.DataFrame,
) -> pd.Series[int]:
    """One rule: values that several stronger ids or many names share are dropped, and groups in which a veto stands."""
    import pandas as pd
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    def held(name: str) -> pd.DataFrame:
        return edges[name].assign(cluster=edges[name]["row"].map(label)).drop_duplicates(["cluster", "value"])

    pairs = held(rule.identifier)
    for weaker in rule.with_agreement:
        both = pairs.merge(held(weaker)[["cluster", "value"]], on="cluster", suffixes=("", "_too"))
        if weaker == rule.identifier:
            both = both[both["value"] < both["value_too"]]
        pairs = both.assign(value=both["value"] + "|" + both["value_too"])[["row", "value", "cluster"]]
    pairs = pairs[pairs["value"].map(pairs["value"].value_counts()) > 1]
    for name in rule.contest:
        if name in edges:
            told = held(name)
            told = told[~told["cluster"].duplicated(keep=False)]
            told = told.merge(pairs[["cluster", "value"]].rename(columns={"value": "joined_by"}), on="cluster")
            odd = at_odds(told, "joined_by", seen, rule.max_distinct, name in rule.successive)
            pairs = pairs[~pairs["value"].isin(odd)]
    if rule.fan_out:
        distinct = pairs.assign(host=pairs["row"].map(host)).groupby("value")["host"].nunique()
        pairs = pairs[~pairs["value"].isin(distinct.index[distinct > rule.fan_out])]
    if not len(pairs):
        return label
    clusters, left = pairs["cluster"].factorize()
    values, right = pairs["value"].factorize()
    size = len(left) + len(right)
    graph = coo_matrix(([1] * len(clusters), (clusters, values + len(left))), shape=(size, size))
    _, component = connected_components(graph, directed=False)
    group = pd.Series(component[: len(left)], index=left)
    group = group[~group.isin(vetoed(label, group, held, edges, rule, source, seen))]
    lowest = group.index.to_series().groupby(group.to_numpy()).min()
    return label.map(pd.Series(group.map(lowest).to_numpy(), index=group.index)).fillna(label).astype(int)


def vetoed(
    label: pd.Series[int],
    group: pd.Series[int],
    held: Callable[[str], pd.DataFrame],
    edges: dict[str, pd.DataFrame],
    rule: Rule,
    source: pd.Series[str],
    seen: pd.DataFrame,
) -> set[int]:
    """Groups of clusters that hold two values of one kind, or that one of the rule's special vetoes forbids."""

    def inside(name: str) -> pd.DataFrame:
        found = held(name)
        return found.assign(group=found["cluster"].map(group)).dropna(subset="group")

    def disjoint(name: str) -> set[int]:
        found = inside(name).groupby("group").agg({"cluster": "nunique", "value": ["nunique", "size"]})
        return set(
            found.index[(found["cluster", "nunique"] > 1) & (found["value", "nunique"] == found["value", "size"])]
        )

    def twice() -> set[int]:
        member = label[source.notna()]
        found = (
            member.rename("cluster").to_frame().assign(source=source, group=member.map(group)).dropna(subset="group")
        )
        clusters = found.groupby(["group", "source"])["cluster"].nunique()
        return set(clusters[clusters > 1].index.get_level_values(0))

    found: set[int] = set()
    for name in rule.vetoes:
        if name in edges:
            found |= at_odds(inside(name), "group", seen, 1, name in rule.successive)
    for special in rule.special:
        if special in ("mac", "fqdn"):
            found |= disjoint(special)
        elif special == "names":
            found |= disjoint("host")
        elif special in ("source", "source_any"):
            found |= twice()
        elif special == "agent":
            # two agents of one product at the same time
            agents = inside("agent")
            agents = agents[agents["row"].map(source).notna()].merge(seen, left_on="row", right_index=True)
            agents = agents.assign(kind=agents["value"].str.partition("=")[0])
            spans = (
                agents.groupby(["group", "kind", "cluster"])
                .agg({"first_seen": "min", "last_seen": "max"})
                .reset_index()
            )
            spans = spans.sort_values(["group", "kind", "first_seen"])
            before = spans.groupby(["group", "kind"])["last_seen"].shift()
            found |= set(spans.loc[spans["first_seen"] <= before, "group"])
        elif special == "clone_unnamed":
            found |= twice() & disjoint("mac")
        elif special == "clone":
            found |= disjoint("host") & disjoint("mac")
        elif special == "clone_same_source":
            found |= disjoint("host") & disjoint("mac") & twice()
    return found


def survivors(frame: pd.DataFrame, label: pd.Series[int]) -> pd.DataFrame:
    """The best source's value of every field, lists of all values and objects put together, for each asset."""
    order = {"intune": 0, "defender_endpoint": 1, "entra_id": 2, "servicenow": 3, "qualys": 4, "tenable": 5}
    ranked = frame.assign(asset=label, rank=frame["product"].map(order)).sort_values(["asset", "rank", "last_seen"])
    scalars = [name for name in ranked.columns if ranked[name].dtype != object or name in (*SCALARS, *SHOWN)]
    first = ranked[[*dict.fromkeys([*scalars, "asset"])]].groupby("asset").first()
    for name in (*LISTS, "ip_addresses"):
        values = ranked[["asset", name]].explode(name).dropna().drop_duplicates()
        first[name] = values.groupby("asset")[name].agg(list)
    first["discovery_sources"] = ranked[["asset", "product"]].drop_duplicates().groupby("asset")["product"].agg(list)
    first["source_records"] = ranked.groupby("asset")["record"].agg(list)
    told = ranked.loc[ranked["properties"].notna(), ["asset", "properties"]]
    first["properties"] = told.groupby("asset")["properties"].agg(put_together)
    return first.drop(columns="rank", errors="ignore")


def put_together(objects: pd.Series[str]) -> str:
    """The JSON objects of an asset, best first, as one; null is no value."""
    import orjson

    whole: dict[str, Any] = {}
    for text in reversed(objects.to_list()):
        patch(whole, orjson.loads(text))
    return orjson.dumps(whole).decode()


def patch(whole: dict[str, Any], better: dict[str, Any]) -> None:
    for key, value in better.items():
        if isinstance(value, dict):
            below = whole[key] if isinstance(whole.get(key), dict) else {}
            patch(below, value)
            whole[key] = below
        elif value is not None:
            whole[key] = value


def by_splink(records: str, out: Path) -> None:
    import duckdb
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    con = duckdb.connect()
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

    con = duckdb.connect()
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
    from records import estate_records, sources

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
