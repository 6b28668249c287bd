"""Jobs: one an instance, one for the build, so that a failing product delays itself alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import dagster as dg

from exposure_pipelines.assets.connections import CONNECTIONS
from exposure_pipelines.assets.freshness import fresh_check_keys
from exposure_pipelines.assets.landed import landed_key, stream_names

if TYPE_CHECKING:
    from exposure_pipelines.connections import Connection

BUILD_JOB = "build_exposure_graph"


def sync_schedule_name(instance: str) -> str:
    return f"{sync_job_name(instance)}_schedule"


def sync_job_name(instance: str) -> str:
    return f"sync_{instance}"


def sync_job(connection: Connection) -> dg.UnresolvedAssetJobDefinition:
    """All streams of an instance, and nothing without a pool: a run with a step that needs no place would start beside a
    hanging sync of the same instance and take a place in the queue."""
    keys = [landed_key(connection, stream) for stream in stream_names(connection)]
    return dg.define_asset_job(
        sync_job_name(connection.instance),
        selection=dg.AssetSelection.assets(*keys),
        description=f"Pull {connection.product} instance {connection.instance} into today's partition.",
        tags={"instance": connection.instance, "product": connection.product},
    )


def build_job(connections: Sequence[Connection]) -> dg.UnresolvedAssetJobDefinition:
    """Models and publishing; with them the checks that tell of broken connection files and of syncs that stay away."""
    selection: dg.AssetSelection = dg.AssetSelection.key_prefixes("staging", "intermediate", "marts", "publish")
    selection |= dg.AssetSelection.assets(CONNECTIONS)
    if fresh := fresh_check_keys(connections):
        selection |= dg.AssetSelection.checks(*fresh)
    return dg.define_asset_job(
        BUILD_JOB,
        selection=selection,
        description="Build every model of a date from what was landed, and publish the newest date.",
    )
