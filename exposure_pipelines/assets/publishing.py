"""Publishing the marts of the newest date: a SQL database and a DuckDB snapshot."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import dagster as dg

from exposure_pipelines.assets.models import OWNER, model_key
from exposure_pipelines.assets.partitions import daily
from exposure_pipelines.building import project

WAREHOUSE = dg.AssetKey(["publish", "warehouse"])
SNAPSHOT = dg.AssetKey(["publish", "snapshot"])


def publish_asset() -> dg.AssetsDefinition:
    """One step that publishes a date after every mart of it was built, unless an error check failed."""
    marts = [model for model in project().models.values() if model.layer == "marts"]
    keys = [model_key(model) for model in marts]
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
    )
    def publish_marts(context: dg.AssetExecutionContext) -> Iterator[Any]:
        yield from publish_newest(context)

    return publish_marts


def publish_newest(context: dg.AssetExecutionContext) -> Iterator[Any]:
    """Publish the newest date of the run; a date older than the published one changes nothing for readers."""
    from exposure_pipelines import clock
    from exposure_pipelines.home import Home
    from exposure_pipelines.lake import Lake, duckdb_connection
    from exposure_pipelines.publish import snapshot, warehouse
    from exposure_pipelines.publish.tables import published_tables

    home = Home.from_env().ensure()
    lake = Lake.of(home)
    day = date.fromisoformat(max(context.partition_keys))
    marts = [model for model in project().models.values() if model.layer == "marts"]
    require_sound(context, [model_key(model) for model in marts], day)
    tables = published_tables(lake, marts, day)
    if not tables:
        raise dg.Failure(
            f"no mart is built for {day}; build it first: exposure build --date {day}", allow_retries=False
        )
    moment = clock.now()
    with duckdb_connection(home, lake) as database:
        if WAREHOUSE in context.selected_asset_keys:
            done = warehouse.publish(home.warehouse_url, tables, day, moment, database, home.scratch)
            yield dg.MaterializeResult(
                asset_key=WAREHOUSE,
                metadata={
                    "snapshot_date": str(day),
                    "published": done.published,
                    "reason": done.reason,
                    "tables": len(done.rows),
                    "dagster/row_count": sum(done.rows.values()),
                },
            )
        if SNAPSHOT in context.selected_asset_keys:
            written = snapshot.publish_snapshot(home, tables, day, moment, database)
            metadata: dict[str, Any] = {"snapshot_date": str(day), "published": written is not None}
            if written:
                metadata |= {
                    "file": dg.MetadataValue.path(str(written.path)),
                    "dagster/row_count": sum(written.rows.values()),
                }
            yield dg.MaterializeResult(asset_key=SNAPSHOT, metadata=metadata)


def require_sound(context: dg.AssetExecutionContext, marts: list[dg.AssetKey], day: date) -> None:
    """Refuse to publish when this run's checks of severity error failed on a mart."""
    records = context.instance.event_log_storage.get_logs_for_run(
        context.run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION
    )
    failed = []
    for record in records:
        evaluation = record.get_dagster_event().asset_check_evaluation_data
        if (
            evaluation.asset_key in marts
            and not evaluation.passed
            and evaluation.severity == dg.AssetCheckSeverity.ERROR
        ):
            failed.append(f"{'/'.join(evaluation.asset_key.path)}: {evaluation.check_name}")
    if failed:
        raise dg.Failure(
            f"{day} is not published, {len(failed)} checks failed: {'; '.join(failed[:5])}. The last snapshot stays.",
            allow_retries=False,
        )
