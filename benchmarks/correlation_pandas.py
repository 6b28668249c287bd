"""The resolution of devices in pandas, for comparison: the rules of the ladder by merge, groupby and connected components."""

from __future__ import annotations

from hashlib import md5
from pathlib import Path
from typing import TYPE_CHECKING, Any

from records import LISTS, MORE_SCALARS, SCALARS

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from dbt_like_transforms.resolution.ladders.ladder import Rule

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


def by_pandas(records: str, out: Path) -> None:
    import pandas as pd

    from dbt_like_transforms.resolution.ladders.devices import LADDER

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
    from dbt_like_transforms.resolution.forms.seeds import load_seeds

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
    """Groups of clusters that hold two values of one kind, or that one of the rule's special vetoes forbids.

    Not those of blades, images and scanners' numbers (clone_blade, enclosed, clone_image, counted), and clones are told apart
    by the first 15 characters of their names.
    """

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
