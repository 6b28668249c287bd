"""Dagster's own folder in the home, and runs of its jobs from this process."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from exposure_pipelines.progress import Listener, listening

if TYPE_CHECKING:
    import dagster as dg

    from exposure_pipelines.home import Home

SETTINGS = """\
# Written by exposure on first use; yours to change from then on.
telemetry: {enabled: false}
nux: {enabled: false}
storage: {sqlite: {base_dir: {env: DAGSTER_HOME}}}
concurrency:
  pools: {default_limit: 1, granularity: op}
  runs: {max_concurrent_runs: 2}
run_monitoring: {enabled: true, start_timeout_seconds: 180, max_runtime_seconds: 21600}
run_retries: {enabled: true, max_retries: 0, retry_on_asset_or_op_failure: false}
retention:
  schedule: {purge_after_days: 90}
  sensor: {purge_after_days: {skipped: 7, failure: 30, success: 90}}
"""

RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"


def prepare_dagster_home(home: Home) -> None:
    """Write dagster.yaml where it is missing, and point this process at the folder."""
    settings = home.dagster / "dagster.yaml"
    home.dagster.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not settings.exists():
        settings.write_text(SETTINGS, encoding="utf-8")
    os.environ["DAGSTER_HOME"] = str(home.dagster)
    os.environ["DAGSTER_DISABLE_TELEMETRY"] = "1"


@dataclass
class JobResult:
    """How a job run ended. `failures` are the messages of its failed steps; `events` its materialisations and checks."""

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
    on_progress: Listener | None = None,
) -> JobResult:
    """Run a job of the code location in this process, recorded in the home's Dagster instance like any other run.

    `partitions` are dates, oldest first; several make one run over their range.
    """
    import dagster as dg

    prepare_dagster_home(home)
    with quiet_dagster():
        from exposure_pipelines.definitions import build_definitions

        job = build_definitions(home).resolve_job_def(job_name)
        tags: dict[str, str] = {}
        if len(partitions) > 1:
            tags = {RANGE_START: partitions[0], RANGE_END: partitions[-1]}
        with dg.DagsterInstance.get() as instance, listening(on_progress):
            outcome = job.execute_in_process(
                instance=instance,
                run_config=run_config,
                partition_key=partitions[0] if len(partitions) == 1 else None,
                tags=tags,
                raise_on_error=False,
            )
    result = JobResult(outcome.run_id, outcome.success)
    for event in outcome.all_events:
        collect(event, result)
    return result


def collect(event: dg.DagsterEvent, result: JobResult) -> None:
    """Sort one event of a run into its result."""
    if event.is_step_failure:
        result.failures.append(failure_message(event))
    elif event.is_step_materialization:
        materialization = event.step_materialization_data.materialization
        result.materializations.append(
            {
                "asset": "/".join(materialization.asset_key.path),
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
    """The message a person needs: that of the innermost error the step raised on purpose."""
    error = event.step_failure_data.error
    while error is not None and error.cause is not None:
        error = error.cause
    text = error.message.strip() if error else event.message or "failed"
    return text.split(": ", 1)[1] if text.startswith("dagster._core.definitions.events.Failure: ") else text


@contextmanager
def quiet_dagster() -> Iterator[None]:
    """Keep Dagster's own log off the terminal: the command prints its progress itself."""
    logger = logging.getLogger("dagster")
    before, propagate = logger.level, logger.propagate
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)
        logger.propagate = propagate
