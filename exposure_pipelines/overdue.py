"""What stays away without any run failing: syncs and builds that nobody starts. A sensor looks; each thing is told once."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from datetime import date
from typing import TYPE_CHECKING

import dagster as dg

from exposure_pipelines.alerts import ALERTS_FILE, Alert, load_alerts, send
from exposure_pipelines.errors import ExposureError, WorkFailed
from exposure_pipelines.jobs import BUILD_JOB, sync_job_name

if TYPE_CHECKING:
    from exposure_pipelines.connections import Connection
    from exposure_pipelines.home import Home

INTERVAL_SECONDS = 600
#: A message that cannot be sent is tried so often at most: the way that works must not repeat it every ten minutes.
TRIES = 3

#: Stands for the build among the instances.
BUILD = ""


def overdue_sensor(default_status: dg.DefaultSensorStatus) -> dg.SensorDefinition:
    """Tells once of an instance, and of what readers have, when it grows older than allowed, and once when it is well again."""

    @dg.sensor(
        name="alert_on_overdue",
        default_status=default_status,
        minimum_interval_seconds=INTERVAL_SECONDS,
        description=f"Tells of syncs and builds that stay away, also when nothing runs; {ALERTS_FILE} in the home says whom.",
    )
    def alert_on_overdue(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        from exposure_pipelines.connections import load_connections
        from exposure_pipelines.home import Home

        home = Home.from_env().ensure()
        connections = [connection for connection in load_connections(home).valid if connection.enabled]
        failed: dict[str, int] = json.loads(context.cursor or "{}")
        told, said = tell(home, overdue(home, connections), failed, {c.instance for c in connections} | {BUILD})
        for trouble in said:
            context.log.error(trouble)
        names = ", ".join(name or BUILD_JOB for name in told) or "nothing"
        return dg.SensorResult(
            skip_reason=dg.SkipReason("; ".join([f"overdue: {names}", *said])), cursor=json.dumps(told, sort_keys=True)
        )

    return alert_on_overdue


def overdue(home: Home, connections: Collection[Connection]) -> dict[str, str]:
    """What is older than allowed now, each with what to do: instances by name, the build as BUILD."""
    from exposure_pipelines.assets.freshness import stale_streams
    from exposure_pipelines.lake import Lake

    lake = Lake.of(home)
    found = {c.instance: "\n".join(old) for c in connections if (old := list(stale_streams(lake, c)))}
    if old := list(old_publishes(home)):
        found[BUILD] = "\n".join(old)
    return found


def old_publishes(home: Home) -> Iterator[str]:
    """Published forms that are too old. A home whose first landing is younger than that is only waiting for its first build."""
    from exposure_pipelines.assets.published_age import published_age, published_check_keys

    results = [published_age(home, key.asset_key) for key in published_check_keys()]
    old = [f"{r.asset_key.to_user_string()}: {r.description}" for r in results if r.asset_key and not r.passed]
    if old and not waits_for_first_build(home):
        yield from old


def waits_for_first_build(home: Home) -> bool:
    """Nothing is published, and nothing landed that is older than a publish may be."""
    from exposure_pipelines import clock
    from exposure_pipelines.assets.published_age import published, published_check_keys
    from exposure_pipelines.landing.select import first_landed
    from exposure_pipelines.publish.age import age_hours, limit_hours

    try:
        if any(published(home, key.asset_key) for key in published_check_keys()):
            return False
        first = first_landed(home, date.min)
        return first is None or age_hours(first, clock.end_of(first)) <= limit_hours()
    except ExposureError:  # said by the age itself
        return False


def tell(
    home: Home, now: dict[str, str], before: dict[str, int], known: Collection[str]
) -> tuple[dict[str, int], list[str]]:
    """Tell what changed. Returns what is told, each with how often that failed (0: somebody knows), and what failed now.

    before: what was told at the last look. known: what is configured still; what is not any more did not become well.
    """
    alerts = load_alerts(home.root)
    told: dict[str, int] = {}
    trouble: list[str] = []

    def sent(name: str, cause: str, state: str) -> bool:
        job = sync_job_name(name) if name != BUILD else BUILD_JOB
        try:
            send(alerts, Alert(job, name, "", cause, "", state=state))
        except WorkFailed as error:
            trouble.append(str(error))
            return False
        return True

    for name, cause in now.items():
        tries = before.get(name)
        if tries in (0, TRIES):
            told[name] = tries
        else:
            told[name] = 0 if sent(name, cause, "overdue") else (tries or 0) + 1
    for name in sorted((before.keys() - now.keys()) & set(known)):
        sent(name, "It is no older than allowed any more.", "on time")
    return told, trouble
