"""Sensors that tell people: of failed runs, and of syncs that become partial and complete again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from exposure_pipelines.alerts import ALERTS_FILE, Alert, load_alerts, send
from exposure_pipelines.assets.landed import COMPLETE
from exposure_pipelines.home import Home
from exposure_pipelines.jobs import sync_job_name

if TYPE_CHECKING:
    from exposure_pipelines.lake import Lake

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

    @dg.run_failure_sensor(
        name="alert_on_failure",
        default_status=usual_status(),
        minimum_interval_seconds=30,
        description=f"Tells of failed runs by webhook and e-mail; {ALERTS_FILE} in the home says whom.",
    )
    def alert_on_failure(context: dg.RunFailureSensorContext) -> None:
        home = Home.from_env()
        send(load_alerts(home.root), alert_of(context, by_job))

    return alert_on_failure


def usual_status() -> dg.DefaultSensorStatus:
    configured = (Home.from_env().root / ALERTS_FILE).exists()
    return dg.DefaultSensorStatus.RUNNING if configured else dg.DefaultSensorStatus.STOPPED


def partial_sensor(instances: list[str]) -> dg.SensorDefinition:
    """Tells once of a stream that becomes partial, and once when it is complete again; of a failed run the other tells."""
    by_job = {sync_job_name(instance): instance for instance in instances}

    @dg.run_status_sensor(
        run_status=dg.DagsterRunStatus.SUCCESS,
        name="alert_on_partial",
        default_status=usual_status(),
        minimum_interval_seconds=30,
        description=f"Tells when a stream becomes partial or complete again; {ALERTS_FILE} in the home says whom.",
    )
    def alert_on_partial(context: dg.RunStatusSensorContext) -> None:
        if news := partial_alert(context, by_job):
            send(load_alerts(Home.from_env().root), news)

    return alert_on_partial


def partial_alert(context: dg.RunStatusSensorContext, by_job: dict[str, str]) -> Alert | None:
    """What a sync that succeeded changed about its streams; None when nothing."""
    run = context.dagster_run
    if run.job_name not in by_job:
        return None
    changes = stream_changes(context.instance, run.run_id)
    if not changes:
        return None
    state = "partial" if "partial" in changes.values() else "complete"
    return alert(run, by_job, "\n".join(changes), state)


def stream_changes(instance: dg.DagsterInstance, run_id: str) -> dict[str, str]:
    """A sentence for each stream that became partial or complete again in a run, with its new state.

    What a stream was before is read from the manifest of the sync before: nothing needs to be remembered here, and a sync that
    is partial night after night is told once.
    """
    from exposure_pipelines.lake import Lake

    lake = Lake.of(Home.from_env())
    ended: dict[tuple[str, str], tuple[str, str]] = {}
    syncs: dict[tuple[str, str], set[str]] = {}
    records = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION).records
    for record in records:
        event = record.event_log_entry.dagster_event
        if event is None:
            continue
        check = event.asset_check_evaluation_data
        kept = check.metadata.get("kept")  # not there in runs of an earlier release
        if check.check_name != COMPLETE or (kept is not None and kept.value):
            continue
        _, _, name, stream = check.asset_key.path
        # a step that was tried again: its last word counts, against what was before its first
        ended[name, stream] = (str(check.metadata["state"].value), check.description or "")
        syncs.setdefault((name, stream), set()).add(str(check.metadata["sync"].value))
    changes = {}
    for (name, stream), (state, reason) in ended.items():
        before = state_before(lake, name, stream, min(syncs[name, stream]))
        if state == "partial" and before != "partial":
            changes[
                f"{name}, stream {stream} became partial: {reason}. What is missing is not retired and readers keep the last "
                f"complete sync; see `exposure status`, mend the cause, then `exposure sync {name}`."
            ] = state
        elif state == "complete" and before in ("partial", "failed"):
            changes[f"{name}, stream {stream} is complete again, after it was {before}: {reason}."] = state
    return changes


def state_before(lake: Lake, instance: str, stream: str, sync: str) -> str | None:
    """How the sync before this one ended; None when there was none."""
    return next((manifest.state for manifest in lake.manifests(instance, stream) if manifest.sync < sync), None)


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
    changes = stream_changes(context.instance, run.run_id) if run.job_name in by_job else {}
    return alert(run, by_job, "\n".join([told, *changes]), "failed")


def alert(run: dg.DagsterRun, by_job: dict[str, str], cause: str, state: str) -> Alert:
    ui = load_alerts(Home.from_env().root).ui.rstrip("/")
    return Alert(
        job=run.job_name,
        instance=by_job.get(run.job_name, ""),
        partition=run.tags.get("dagster/partition", ""),
        cause=cause[:LONGEST],
        run_id=run.run_id,
        link=f"{ui}/runs/{run.run_id}" if ui else "",
        state=state,
    )
