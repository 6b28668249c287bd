"""Puts the code location together from the connection files and the models, without network and without secrets."""

from __future__ import annotations

import logging
import warnings

import dagster as dg

# every asset here states its backfill policy on purpose; the notice about its beta state would repeat for each
warnings.filterwarnings("ignore", message=".*backfill_policy.*", category=dg.BetaWarning)

from exposure_pipelines.assets.connections import connections, connections_valid  # noqa: E402
from exposure_pipelines.assets.freshness import freshness_checks  # noqa: E402
from exposure_pipelines.assets.landed import landed_asset  # noqa: E402
from exposure_pipelines.assets.models import models_asset  # noqa: E402
from exposure_pipelines.assets.published_age import published_checks  # noqa: E402
from exposure_pipelines.assets.publishing import publish_asset  # noqa: E402
from exposure_pipelines.connections import load_connections  # noqa: E402
from exposure_pipelines.home import Home  # noqa: E402
from exposure_pipelines.jobs import build_job, sync_job  # noqa: E402
from exposure_pipelines.overdue import overdue_sensor  # noqa: E402
from exposure_pipelines.schedules import build_schedule, sync_schedule  # noqa: E402
from exposure_pipelines.sensors import alert_sensor, partial_sensor, usual_status  # noqa: E402

log = logging.getLogger("exposure.definitions")


def build_definitions(home: Home) -> dg.Definitions:
    """Assets, jobs and schedules of every valid connection; broken files are left out and shown by a failing check."""
    loaded = load_connections(home)
    for broken in loaded.broken:
        log.warning("%s is left out: %s", broken.file, "; ".join(broken.errors))
    enabled = [connection for connection in loaded.valid if connection.enabled]
    jobs = {connection.instance: sync_job(connection) for connection in enabled}
    build = build_job(enabled)
    return dg.Definitions(
        assets=[connections, *map(landed_asset, enabled), models_asset(enabled), publish_asset()],
        asset_checks=[connections_valid, *freshness_checks(enabled), published_checks()],
        jobs=[*jobs.values(), build],
        sensors=[alert_sensor(list(jobs)), partial_sensor(list(jobs)), overdue_sensor(usual_status())],
        schedules=[*(sync_schedule(c, jobs[c.instance]) for c in enabled), build_schedule(build)],
        # a step of its own process costs seconds of imports; runs, not steps, are what goes side by side here
        executor=dg.in_process_executor,
    )
