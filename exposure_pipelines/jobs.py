"""Jobs and schedules: one pair an instance, one for the build, so that a failing product delays itself alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from exposure_pipelines.assets.landed import landed_key, stream_names

if TYPE_CHECKING:
    from exposure_pipelines.connections import Connection

BUILD_JOB = "build_exposure_graph"
#: After the syncs, which start in the first forty minutes of every fourth hour.
BUILD_CRON = "50 */4 * * *"


def sync_job_name(instance: str) -> str:
    return f"sync_{instance}"


def sync_job(connection: Connection) -> dg.UnresolvedAssetJobDefinition:
    keys = [landed_key(connection, stream) for stream in stream_names(connection)]
    return dg.define_asset_job(
        sync_job_name(connection.instance),
        selection=dg.AssetSelection.assets(*keys),
        description=f"Pull {connection.product} instance {connection.instance} into today's partition.",
        tags={"instance": connection.instance, "product": connection.product},
    )


def build_job() -> dg.UnresolvedAssetJobDefinition:
    selection = dg.AssetSelection.key_prefixes("staging", "intermediate", "marts", "publish")
    return dg.define_asset_job(
        BUILD_JOB,
        selection=selection,
        description="Build every model of a date from what was landed, and publish the newest date.",
    )


def daily_schedule(
    name: str, job: dg.UnresolvedAssetJobDefinition, cron: str, description: str
) -> dg.ScheduleDefinition:
    """A schedule that runs a job into the partition of its tick, several times a day. Off until switched on."""

    @dg.schedule(
        name=name,
        job=job,
        cron_schedule=cron,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description=description,
    )
    def into_partition_of_tick(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        day = context.scheduled_execution_time.strftime("%Y-%m-%d")
        return dg.RunRequest(partition_key=day)

    return into_partition_of_tick


def sync_schedule(connection: Connection, job: dg.UnresolvedAssetJobDefinition) -> dg.ScheduleDefinition:
    return daily_schedule(
        f"sync_{connection.instance}_schedule", job, connection.cron, f"Pulls {connection.instance} periodically."
    )


def build_schedule(job: dg.UnresolvedAssetJobDefinition) -> dg.ScheduleDefinition:
    return daily_schedule(f"{BUILD_JOB}_schedule", job, BUILD_CRON, "Builds and publishes after the syncs.")
