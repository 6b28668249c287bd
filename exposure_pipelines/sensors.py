"""Sensors: one that tells people of failed runs."""

from __future__ import annotations

import dagster as dg

from exposure_pipelines.alerts import ALERTS_FILE, Alert, load_alerts, send
from exposure_pipelines.home import Home
from exposure_pipelines.jobs import sync_job_name

#: What Dagster says of a run whose process ended without a word.
FROM_OUTSIDE = "This run has been marked as failed from outside"
KILLED = (
    "Its process ended without a word: killed, out of memory, or the machine restarted. What was landed and published before "
    "is whole and the next run starts anew; give it more memory if this comes again."
)

#: How much of a cause a message holds.
LONGEST = 4000


def alert_sensor(instances: list[str]) -> dg.SensorDefinition:
    """Tells of every failed run by the ways in alerts.yaml. On where that file is there, else off."""
    by_job = {sync_job_name(instance): instance for instance in instances}
    configured = (Home.from_env().root / ALERTS_FILE).exists()
    status = dg.DefaultSensorStatus.RUNNING if configured else dg.DefaultSensorStatus.STOPPED

    @dg.run_failure_sensor(
        name="alert_on_failure",
        default_status=status,
        minimum_interval_seconds=30,
        description=f"Tells of failed runs by webhook and e-mail; {ALERTS_FILE} in the home says whom.",
    )
    def alert_on_failure(context: dg.RunFailureSensorContext) -> None:
        home = Home.from_env()
        send(load_alerts(home.root), alert_of(context, by_job))

    return alert_on_failure


def alert_of(context: dg.RunFailureSensorContext, by_job: dict[str, str]) -> Alert:
    """What failed, in the words of the step that failed."""
    run = context.dagster_run
    causes = []
    for event in context.get_step_failure_events():
        error = event.step_failure_data.error
        # an error that was raised to fail the step carries the words, what is around it carries the step's name
        origin = error.cause if error is not None and error.cause is not None else error
        user = event.step_failure_data.user_failure_data
        words = (user.description if user and user.description else None) or (
            origin.message if origin is not None else ""
        )
        causes.append(words.strip())
    said = context.failure_event.message or ""
    told = "\n".join(dict.fromkeys(filter(None, causes))) or ("" if said.startswith(FROM_OUTSIDE) else said) or KILLED
    ui = load_alerts(Home.from_env().root).ui.rstrip("/")
    return Alert(
        job=run.job_name,
        instance=by_job.get(run.job_name, ""),
        partition=run.tags.get("dagster/partition", ""),
        cause=told[:LONGEST],
        run_id=run.run_id,
        link=f"{ui}/runs/{run.run_id}" if ui else "",
    )
