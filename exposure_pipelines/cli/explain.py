"""`exposure explain`: why an asset is what it is."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from exposure_pipelines.cli.output import JSON_HELP, heading, print_json, print_table, say

PATHS_SHOWN = 10


class Kind(StrEnum):
    device = "device"
    identity = "identity"
    application = "application"
    cloud_resource = "cloud_resource"


def explain(
    kind: Annotated[Kind, typer.Argument(help="device, identity, application or cloud_resource.")],
    asset: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="Asset id, one it had before, a source record PRODUCT:INSTANCE:ID, or a name that one asset alone has.",
        ),
    ],
    date: Annotated[str | None, typer.Option(help="Snapshot date, YYYY-MM-DD; newest without it.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> None:
    """Show every source record of an asset, what joined each, what was kept apart, which source won each field, how exposed it is.

    Example: `exposure explain device tenable:tenable_prod:0d0c5a7e-3a4f-4e0d-9a49-0b7f1a2c3d4e`
    """
    from exposure_pipelines.cli.asset_story import asset_story
    from exposure_pipelines.home import Home

    story = asset_story(Home.from_env().ensure(), kind.value, asset, date)
    if as_json:
        print_json(story)
        return
    heading(
        f"{kind.value} {story['asset_id']}: {story['display_name'] or 'without a name'} ({story['lifecycle_state']})"
    )
    if story["ids_before"]:
        say(f"Merged into it, and leading to it: {', '.join(story['ids_before'])}")
    section("Source records", story["records"], ("product", "instance", "stream", "record_id", "last_seen", "landed"))
    section(
        "What joined them, and what was kept apart",
        story["decisions"],
        ("verdict", "record", "sentence", "rule"),
    )
    section("Contradictions", story["contradictions"], ("reason",))
    # what a product keeps for itself is a whole document
    fields = [row for row in story["fields"] if row["field"] != "properties"]
    columns = ("field", "value", "product", "record_id", "observed_at", "chosen", "why")
    if kind is Kind.cloud_resource:
        say("\nFields: of each, what the newest active record says that has one.")
    else:
        section("Fields (all with --json)", fields, columns)
    say()
    say_exposure(story["exposure"])


def say_exposure(exposure: dict[str, Any]) -> None:
    """Criticality, insights, paths and reach in a few lines."""
    level = exposure["criticality"] or "nothing rates it"
    because = "; ".join(reason["rule"] for reason in exposure["criticality_reasons"])
    say(f"Criticality: {level}" + (f" ({because})" if because else ""))
    told = [name.replace("_", " ") for name, value in exposure["insights"].items() if value is True]
    say(f"Exposure: {', '.join(told) or 'nothing known against it'}")
    section(
        "Attack paths over it",
        exposure["attack_paths"][:PATHS_SHOWN],
        ("risk_level", "entry_name", "target_name", "explanation"),
    )
    reach = exposure["blast_radius"]
    named = ", ".join(node["name"] for node in reach["critical"][:PATHS_SHOWN])
    more = f" and {len(reach['critical']) - PATHS_SHOWN} more" if len(reach["critical"]) > PATHS_SHOWN else ""
    say(
        f"Whoever holds it reaches {reach['nodes']:,} others, {len(reach['critical'])} of them critical: {named or 'none'}{more}"
    )


def section(title: str, rows: list[dict[str, Any]], columns: tuple[str, ...]) -> None:
    say()
    print_table(rows, columns, title=title, empty=f"{title}: none.")
