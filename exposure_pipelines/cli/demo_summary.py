"""What the demo shows at its end: numbers taken from the tables it built, measured against the answer key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from exposure_pipelines.cli.output import heading, print_table, say

if TYPE_CHECKING:
    from demo_estate.scoring import Score
    from demo_estate.server import EstateServer
    from exposure_pipelines.home import Home

KINDS = {
    "device": "devices",
    "identity": "identities",
    "application": "applications",
    "cloud_resource": "cloud_resources",
}


@dataclass(frozen=True, slots=True)
class Summary:
    """Everything the demo prints. `kinds` has a row an asset kind: records, assets, truly, precision, recall."""

    connectors: list[dict[str, Any]]
    kinds: list[dict[str, Any]]
    wrong_merges: list[str]
    wrong_splits: list[str]
    billable: list[dict[str, Any]]
    tables: dict[str, int]
    device: str | None
    seconds: float


def summary(home: Home, estate: EstateServer, today: date, seconds: float) -> Summary:
    """Read the marts of `today` and hold them against the estate's answer key, which was never served."""
    from demo_estate.scoring import score_records
    from exposure_pipelines.building import project
    from exposure_pipelines.cli.overview import instance_rows
    from exposure_pipelines.frames import frame
    from exposure_pipelines.lake import Lake

    lake = Lake.of(home)
    records = frame("asset_records", today)
    answers = estate.answer_key().frame()
    scores = {kind: score_records(answers, records, kind) for kind in KINDS}
    tables = {
        model.name: len(frame(model.name, today).index)
        for model in project().models.values()
        if model.layer == "marts" and lake.has_model("marts", model.name, today)
    }
    instances, _ = instance_rows(home)
    return Summary(
        connectors=[
            {
                "instance": row["instance"],
                "state": row["state"],
                "records": row["records"],
                "requests": row["requests"],
                "streams": len(row["streams"]),
            }
            for row in instances
        ],
        kinds=[kind_row(kind, score) for kind, score in scores.items()],
        wrong_merges=[describe(item) for score in scores.values() for item in score.wrong_merges[:3]],
        wrong_splits=[describe(item) for score in scores.values() for item in score.wrong_splits[:3]],
        billable=billable_rows(frame("billable_assets", today)),
        tables=tables,
        device=example_device(records),
        seconds=seconds,
    )


def kind_row(kind: str, score: Score) -> dict[str, Any]:
    return {
        "kind": KINDS[kind],
        "records": score.records,
        "assets": score.assets,
        "truly": score.true_things,
        "precision": f"{score.precision:.4f}",
        "recall": f"{score.recall:.4f}",
        "beyond": score.pairs.beyond,
        "wrong merges": score.wrong_merge_count,
        "wrong splits": score.wrong_split_count,
    }


def describe(item: Any) -> str:
    """A record of each part."""
    return " | ".join(item.examples[:4]) + (f" ({', '.join(sorted(item.tags))})" if item.tags else "")


def billable_rows(billable: Any) -> list[dict[str, Any]]:
    if billable.empty:
        return []
    grouped = billable.groupby(["product", "asset_kind"], as_index=False)[["billable_assets", "reported_assets"]].sum()
    return [dict(row) for row in grouped.to_dict("records")]


def example_device(records: Any) -> str | None:
    """The device that most products know: the one worth explaining."""
    devices = records[records["asset_kind"] == "device"]
    if devices.empty:
        return None
    return str(devices.groupby("asset_id")["product"].nunique().sort_values(kind="stable").index[-1])


def print_summary(result: Summary, serving: bool = False) -> None:
    say()
    print_table(
        result.connectors,
        ("instance", "state", "streams", "records", "requests"),
        empty="No connector ran.",
        title="Connectors",
    )
    print_table(
        result.kinds,
        ("kind", "records", "assets", "truly", "precision", "recall", "wrong merges", "wrong splits", "beyond"),
        empty="Nothing was merged.",
        title="Records before merging, assets after, and the truth (from the answer key, which no product serves)",
    )
    beyond = sum(row["beyond"] for row in result.kinds)
    if beyond:
        say(
            f"  beyond: {beyond} pairs of records are one thing and share nothing that proves it, such as a bare name beside "
            "a serial number. They are kept apart on purpose and do not count in recall."
        )
    for title, items in (("Wrongly merged", result.wrong_merges), ("Wrongly split", result.wrong_splits)):
        for item in items[:5]:
            say(f"  {title}: {item}")
    print_table(
        result.billable,
        ("product", "asset_kind", "billable_assets", "reported_assets"),
        empty="No billable assets.",
        title="Billable assets",
    )
    counts = result.tables
    say(
        f"Tables: {counts.get('findings', 0):,} findings of {counts.get('vulnerabilities', 0):,} vulnerabilities, "
        f"{counts.get('relationships', 0):,} relationships, {counts.get('coverage_gaps', 0):,} coverage gaps."
    )
    say(
        f"Exposure graph: {counts.get('exposure_graph_nodes', 0):,} nodes, {counts.get('exposure_graph_edges', 0):,} edges; "
        f"{counts.get('attack_paths', 0):,} attack paths, {counts.get('recommendations', 0):,} recommendations."
    )
    say(f"Time: {result.seconds:.0f} s.")
    say()
    heading("Try next")
    say("  exposure status                     how each instance is doing")
    say("  exposure tables                     what was built, with columns")
    say("  exposure export devices -o devices.csv")
    if result.device:
        say(f"  exposure explain device {result.device}")
    if not serving:
        say("  exposure demo --serve               the same, with the Dagster UI left running")
