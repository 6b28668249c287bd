"""Schedules: one an instance and one for the build. All are off until a person switches them on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from exposure_pipelines.jobs import BUILD_JOB, sync_schedule_name

if TYPE_CHECKING:
    from exposure_pipelines.connections import Connection

#: After the syncs, which by default start in the first forty minutes of every fourth hour.
BUILD_CRON = "45 */4 * * *"


def into_partition_of_tick(
    name: str, job: dg.UnresolvedAssetJobDefinition, cron: str, description: str
) -> dg.ScheduleDefinition:
    """A schedule that runs a job several times a day, each time into the partition of the tick's UTC date."""

    @dg.schedule(
        name=name,
        job=job,
        cron_schedule=cron,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description=description,
    )
    def request(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        return dg.RunRequest(partition_key=context.scheduled_execution_time.strftime("%Y-%m-%d"))

    return request


def sync_schedule(connection: Connection, job: dg.UnresolvedAssetJobDefinition) -> dg.ScheduleDefinition:
    name = sync_schedule_name(connection.instance)
    return into_partition_of_tick(name, job, connection.cron, f"Pulls {connection.instance} periodically.")


def build_schedule(job: dg.UnresolvedAssetJobDefinition) -> dg.ScheduleDefinition:
    return into_partition_of_tick(f"{BUILD_JOB}_schedule", job, BUILD_CRON, "Builds and publishes after the syncs.")
