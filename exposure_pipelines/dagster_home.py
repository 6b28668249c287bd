"""Dagster's own folder in the home, and runs of its jobs from this process."""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import shutil
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from exposure_pipelines.errors import ConfigurationError, WorkFailed
from exposure_pipelines.progress import Listener, listening

if TYPE_CHECKING:
    import dagster as dg
    from dagster._core.remote_origin import RemoteRepositoryOrigin

    from exposure_pipelines.home import Home

SETTINGS = """\
# Written by exposure on first use; yours to change from then on.
telemetry: {enabled: false}
nux: {enabled: false}
STORAGE
concurrency:
  pools: {default_limit: 1, granularity: op}
  runs: {max_concurrent_runs: 2}
# a run whose process was killed keeps its instance's place until it is freed here
run_monitoring:
  enabled: true
  start_timeout_seconds: 180
  max_runtime_seconds: 21600
  poll_interval_seconds: 30
  free_slots_after_run_end_seconds: 30
run_retries: {enabled: true, max_retries: 0, retry_on_asset_or_op_failure: false}
retention:
  schedule: {purge_after_days: 90}
  sensor: {purge_after_days: {skipped: 7, failure: 30, success: 90}}
"""

#: Where Dagster keeps runs, events and schedules. The address of a server stays in the environment.
SQLITE = """\
# SQLite in this folder. For a team: set DAGSTER_PG_URL before the first use, or write what deploy/README.md says.
storage:
  custom:
    module: exposure_pipelines.dagster_storage
    class: SqliteStorage
    config: {base_dir: {env: DAGSTER_HOME}}"""
POSTGRES_URL = "DAGSTER_PG_URL"
POSTGRES = f"storage: {{postgres: {{postgres_url: {{env: {POSTGRES_URL}}}}}}}"

RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"

#: Process that a run lives in, as host:pid:start. A run whose process is gone will never end by itself.
PROCESS_TAG = "exposure/process"

#: The code location as workspace.yaml names it: the web UI files runs under it.
CODE_LOCATION, CODE_MODULE, REPOSITORY = "exposure_pipelines", "exposure_pipelines.definitions", "__repository__"

#: A tick this far ahead is no matter of two clocks that differ a little.
CLOCK_SLACK_SECONDS = 600

#: Dagster's own tag: where the code server listens that a run belongs to. On this machine by a socket file.
CODE_SERVER_TAG = ".dagster/grpc_info"


def prepare_dagster_home(home: Home) -> None:
    """Write dagster.yaml where it is missing, and point this process at the folder.

    Raises:
        ConfigurationError: DAGSTER_PG_URL is set and Dagster's part for PostgreSQL is not installed.
    """
    settings = home.dagster / "dagster.yaml"
    home.dagster.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not settings.exists():
        settings.write_text(SETTINGS.replace("STORAGE", storage_settings()), encoding="utf-8")
    address = os.environ.get(POSTGRES_URL, "")
    if address.startswith("postgresql://"):
        # SQLAlchemy from 2.1 on takes another driver for a bare postgresql:// than the one Dagster speaks to
        os.environ[POSTGRES_URL] = address.replace("postgresql://", "postgresql+psycopg2://", 1)
    os.environ["DAGSTER_HOME"] = str(home.dagster.absolute())
    os.environ["DAGSTER_DISABLE_TELEMETRY"] = "1"


def storage_settings() -> str:
    """The storage part of a new dagster.yaml: PostgreSQL where DAGSTER_PG_URL is set, else SQLite."""
    if not os.environ.get(POSTGRES_URL):
        return SQLITE
    if importlib.util.find_spec("dagster_postgres") is None:
        raise ConfigurationError(f"{POSTGRES_URL} is set: install what it needs with pip install -e '.[postgres]'.")
    return POSTGRES


@dataclass
class JobResult:
    """How a job run ended.

    failures: messages of its failed steps. materializations: {asset, partition, metadata} each. checks: {asset, check,
    passed, severity, description} each.
    """

    run_id: str
    success: bool
    failures: list[str] = field(default_factory=list)
    materializations: list[dict[str, Any]] = field(default_factory=list)
    checks: list[dict[str, Any]] = field(default_factory=list)


def run_job(
    home: Home,
    job_name: str,
    partitions: Sequence[str],
    *,
    run_config: dict[str, Any] | None = None,
    run_tags: Mapping[str, str] | None = None,
    on_progress: Listener | None = None,
) -> JobResult:
    """Run a job of the code location in this process, recorded in the home's Dagster instance like any other run.

    `partitions` are dates, oldest first; several make one run over their range. `home` must be that of the environment:
    the steps look there. Raises ConfigurationError for a job that is not there and for a home that cannot be written,
    WorkFailed when the same work runs already, KeyboardInterrupt after Ctrl-C (the run is closed as failed by then).
    """
    import dagster as dg
    from dagster._core.execution.plan.objects import ErrorSource  # not public; says that a step ended by Ctrl-C

    home.require_writable()
    prepare_dagster_home(home)
    with quiet_dagster():
        from exposure_pipelines.assembly import build_definitions
        from exposure_pipelines.assets.landed import ATTENDED_TAG

        definitions = build_definitions(home)
        if job_name not in {job.name for job in definitions.jobs or ()}:
            raise ConfigurationError(
                f"There is no job {job_name!r}; is its connection file valid and enabled? See `exposure status`."
            )
        job = definitions.resolve_job_def(job_name)
        tags = {**(run_tags or {}), ATTENDED_TAG: "true", PROCESS_TAG: process_mark(os.getpid())}
        if len(partitions) > 1:
            tags |= {RANGE_START: partitions[0], RANGE_END: partitions[-1]}
        with disk_troubles(home), dg.DagsterInstance.get() as instance, listening(on_progress):
            release_dead_runs(instance)
            require_free_pools(instance, job)
            file_runs_under(instance, job_name)
            outcome = job.execute_in_process(
                instance=instance,
                run_config={**(run_config or {}), "loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
                partition_key=partitions[0] if len(partitions) == 1 else None,
                tags=tags,
                raise_on_error=False,
            )
    result = JobResult(outcome.run_id, outcome.success)
    for event in outcome.all_events:
        collect(event, result)
        if event.is_step_failure and event.step_failure_data.error_source is ErrorSource.INTERRUPT:
            raise KeyboardInterrupt
    return result


def file_runs_under(instance: dg.DagsterInstance, job_name: str) -> None:
    """Make runs that this instance creates stand under their job and on the timeline of the web UI, and be told by sensors.

    A run in process has no code location otherwise: those pages and sensors pass it over, as if nothing had happened.
    """
    from dagster._core.remote_origin import RemoteJobOrigin  # not public; execute_in_process has no parameter for it

    origin = RemoteJobOrigin(served_repository(), job_name)
    instance.create_run_for_job = partial(instance.create_run_for_job, remote_job_origin=origin)  # type: ignore[method-assign]


def served_repository() -> RemoteRepositoryOrigin:
    """The code location as the web UI and the daemon of this home know it."""
    from dagster._core.remote_origin import ManagedGrpcPythonEnvCodeLocationOrigin, RemoteRepositoryOrigin
    from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

    location = ManagedGrpcPythonEnvCodeLocationOrigin(LoadableTargetOrigin(module_name=CODE_MODULE), CODE_LOCATION)
    return RemoteRepositoryOrigin(location, REPOSITORY)


@contextmanager
def disk_troubles(home: Home) -> Iterator[None]:
    """Say it plainly when Dagster cannot write down what a run does; what readers see was not touched."""
    import sqlalchemy as sa

    from exposure_pipelines.landing.reading import is_disk_full

    try:
        yield
    except (OSError, sa.exc.OperationalError) as error:
        said = str(error).lower()
        if is_disk_full(error) or "disk i/o error" in said or "disk is full" in said:
            free = shutil.disk_usage(home.root).free / 1024**2
            raise WorkFailed(
                f"The disk of {home.root} is full or failing ({free:,.0f} MB are free): Dagster could not record the run. "
                "What was landed and published before is whole. Free some space, then run the same command again."
            ) from error
        raise


def release_dead_runs(instance: dg.DagsterInstance, *, launched: bool = False) -> None:
    """Close the runs whose process was killed, and free what they held: a killed sync must not block the next one.

    launched: also those that a daemon launched. Only for who starts the daemon of this instance: seen from another
    machine or container its code servers are not there.
    """
    import dagster as dg

    unfinished = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING])
    for run in instance.get_runs(unfinished):
        gone = dead_process(run) or (launched and dead_code_server(run.tags))
        if gone:
            instance.report_run_failed(run, f"{gone} that ran it is gone (killed, or the machine restarted).")
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)


def dead_process(run: dg.DagsterRun) -> str:
    """The process of a run of the command line, where it is gone; else nothing."""
    if run.parent_run_id is not None:
        return ""  # executed again from the web UI, which copies the tags of the run before
    mark = run.tags.get(PROCESS_TAG, "")
    host, _, rest = mark.partition(":")
    pid, _, _ = rest.partition(":")
    lives = host != socket.gethostname() or not pid.isdigit() or process_mark(int(pid)) == mark
    return "" if lives else f"The process {pid}"


def dead_code_server(tags: Mapping[str, str]) -> str:
    """The code server of a run that the daemon launched, where nobody listens there any more; else nothing.

    A run's process is its child: on a machine that lost power neither comes back, and Dagster itself would wait for the
    run's longest time, hours in which its instance is blocked.
    """
    address = json.loads(tags.get(CODE_SERVER_TAG, "{}")).get("socket")
    if not address:
        return ""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(address)
        except (FileNotFoundError, ConnectionRefusedError):
            return "The code server"
        except OSError:
            return ""
    return ""


def require_free_pools(instance: dg.DagsterInstance, job: dg.JobDefinition) -> None:
    """Refuse work that runs already: the step would wait for the other run, silently and without an end in sight."""
    for definition in job.all_node_defs:
        pool = getattr(definition, "pool", None)
        if pool is None:
            continue
        holders = instance.event_log_storage.get_concurrency_info(pool).active_run_ids
        if holders:
            raise WorkFailed(
                f"{pool} is at work already in Dagster run {min(holders)[:8]}; wait for it to end, or cancel it in the web UI."
            )


def process_mark(pid: int) -> str:
    """Name of a process that no later process has: its number is used again, its start time is not."""
    return f"{socket.gethostname()}:{pid}:{started_at(pid)}"


def started_at(pid: int) -> str:
    """Start of a process in clock ticks since boot; '' when it is gone, its number alone where /proc does not exist."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as status:
            # the name in brackets may hold spaces; the start time is the 20th field after it
            return status.read().rpartition(")")[2].split()[19]
    except (FileNotFoundError, ProcessLookupError):
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        pass
    return "alive"


def collect(event: dg.DagsterEvent, result: JobResult) -> None:
    """Sort one event of a run into its result."""
    if event.is_step_failure:
        result.failures.append(failure_message(event))
    elif event.is_step_materialization:
        materialization = event.step_materialization_data.materialization
        result.materializations.append(
            {
                "asset": "/".join(materialization.asset_key.path),
                "partition": materialization.partition,
                "metadata": {key: value.value for key, value in materialization.metadata.items()},
            }
        )
    elif event.event_type_value == "ASSET_CHECK_EVALUATION":
        check = event.asset_check_evaluation_data
        result.checks.append(
            {
                "asset": "/".join(check.asset_key.path),
                "check": check.check_name,
                "passed": check.passed,
                "severity": check.severity.value,
                "description": check.description or "",
            }
        )


def failure_message(event: dg.DagsterEvent) -> str:
    """The message a person needs: what the step raised on purpose, else the innermost error."""
    failure = event.step_failure_data
    if failure.user_failure_data is not None and failure.user_failure_data.description:
        return str(failure.user_failure_data.description)
    error = failure.error
    while error is not None and error.cause is not None:
        error = error.cause
    return error.message.strip() if error else event.message or "failed"


def forget_future_ticks(instance: dg.DagsterInstance) -> list[str]:
    """Let schedules go on that a clock which ran ahead has carried away; returns their names.

    Dagster starts nothing before a schedule's last tick: one of next year would keep it silent until then.
    """
    from dagster._core.definitions.run_request import InstigatorType
    from dagster._core.scheduler.instigation import ScheduleInstigatorData

    now = time.time()
    mended = []
    for state in instance.all_instigator_state(instigator_type=InstigatorType.SCHEDULE):
        data = state.instigator_data
        if not isinstance(data, ScheduleInstigatorData):
            continue
        ticks = instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=1)
        last = max(
            ticks[0].timestamp if ticks else 0.0, data.last_iteration_timestamp or 0.0, data.start_timestamp or 0.0
        )
        if last > now + CLOCK_SLACK_SECONDS:
            instance.purge_ticks(state.instigator_origin_id, state.selector_id, before=last + 1)
            instance.update_instigator_state(
                state.with_data(ScheduleInstigatorData(data.cron_schedule, start_timestamp=now))
            )
            mended.append(state.instigator_name)
    return mended


@contextmanager
def quiet_dagster() -> Iterator[None]:
    """Keep Dagster's own log off the terminal: the command prints its progress itself."""
    logger = logging.getLogger("dagster")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)
