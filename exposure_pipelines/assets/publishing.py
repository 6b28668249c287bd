"""Publishing the marts of the newest date: a SQL database and a DuckDB snapshot."""

# no postponed annotations here: Dagster reads that of the context as it stands

from collections.abc import Iterator
from datetime import date
from typing import Any

import dagster as dg

from exposure_pipelines.assets.models import OWNER, model_key
from exposure_pipelines.assets.partitions import daily
from exposure_pipelines.building import project
from exposure_pipelines.progress import report as report_progress

WAREHOUSE = dg.AssetKey(["publish", "warehouse"])
SNAPSHOT = dg.AssetKey(["publish", "snapshot"])


def publish_asset() -> dg.AssetsDefinition:
    """One step that publishes a date after every mart of it was built, unless a mart breaks a promise."""
    keys = [model_key(model) for model in project().models.values() if model.layer == "marts"]
    specs = [
        dg.AssetSpec(
            WAREHOUSE,
            deps=keys,
            group_name="publish",
            description="The marts as tables of a SQL database: the whole snapshot at once or not at all.",
            kinds={"sql"},
            owners=[OWNER],
        ),
        dg.AssetSpec(
            SNAPSHOT,
            deps=keys,
            group_name="publish",
            description="The marts as one read-only DuckDB file, swapped atomically; a snapshot that is open stays readable.",
            kinds={"duckdb"},
            owners=[OWNER],
        ),
    ]

    @dg.multi_asset(
        name="publish_marts",
        specs=specs,
        can_subset=True,
        partitions_def=daily(),
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool="publish_marts",
        description="Publishes the newest date of the run.",
    )
    def publish_marts(context: dg.AssetExecutionContext) -> Iterator[Any]:
        day = date.fromisoformat(max(context.partition_keys))
        yield from publish_events(day, context.selected_asset_keys)

    return publish_marts


def publish_events(day: date, selected: set[dg.AssetKey] | frozenset[dg.AssetKey]) -> Iterator[dg.MaterializeResult]:
    """Publish a date; one older than what readers have changes nothing for them.

    Raises dg.Failure when a mart is not built, a test of severity error fails on one, or the database refuses.
    """
    from exposure_pipelines import clock
    from exposure_pipelines.errors import ExposureError
    from exposure_pipelines.home import Home
    from exposure_pipelines.lake import Lake, duckdb_connection
    from exposure_pipelines.publish import snapshot, warehouse
    from exposure_pipelines.publish.tables import sound_tables

    home = Home.from_env().ensure()
    lake = Lake.of(home)
    moment = clock.now()
    try:
        with duckdb_connection(home, lake) as database:
            tables = sound_tables(database, lake, project().models, day)
            if WAREHOUSE in selected:
                report_progress(f"{day}: publishing to the warehouse")
                done = warehouse.publish(home.warehouse_url, tables, day, moment, database)
                yield dg.MaterializeResult(
                    asset_key=WAREHOUSE, metadata=metadata(day, done.rows, "" if done.published else done.reason)
                )
            if SNAPSHOT in selected:
                report_progress(f"{day}: publishing the snapshot")
                written = snapshot.publish_snapshot(home, tables, day, moment, database)
                shown = metadata(day, written.rows if written else {}, "" if written else "a newer date is published")
                if written:
                    shown["file"] = f"{home.snapshots.name}/{written.path.name}"
                yield dg.MaterializeResult(asset_key=SNAPSHOT, metadata=shown)
    except ExposureError as error:
        raise dg.Failure(str(error), allow_retries=False) from error


def metadata(day: date, rows: dict[str, int], reason: str) -> dict[str, Any]:
    """What the UI shows of a publish; `reason` says why nothing was published, where that is so."""
    listed = ["| table | rows |", "|---|---|", *(f"| {name} | {count:,} |" for name, count in rows.items())]
    found: dict[str, Any] = {"snapshot_date": day.isoformat(), "published": not reason}
    if reason:
        return {**found, "reason": reason}
    return {**found, "dagster/row_count": sum(rows.values()), "tables": dg.MetadataValue.md("\n".join(listed))}
