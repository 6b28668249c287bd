"""Whether what readers have is young enough, told by every build, on request, and by a sensor without any run."""

# no postponed annotations here: Dagster reads that of the context as it stands

from collections.abc import Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING

import dagster as dg

from exposure_pipelines.assets.freshness import FRESH
from exposure_pipelines.assets.publishing import SNAPSHOT, WAREHOUSE

if TYPE_CHECKING:
    from exposure_pipelines.home import Home

#: Past so many times the limit it is no late build any more.
LONG_PAST = 2


def published_check_keys() -> list[dg.AssetCheckKey]:
    return [dg.AssetCheckKey(WAREHOUSE, FRESH), dg.AssetCheckKey(SNAPSHOT, FRESH)]


def published_checks() -> dg.AssetChecksDefinition:
    """The `fresh` checks of both forms that are published, in one step."""
    specs = [
        dg.AssetCheckSpec(
            FRESH,
            asset=key.asset_key,
            description="What readers have is no older than EXPOSURE_SNAPSHOT_MAX_AGE_HOURS (26 without it).",
        )
        for key in published_check_keys()
    ]

    @dg.multi_asset_check(name="published_freshness", specs=specs, can_subset=True)
    def published_freshness(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        from exposure_pipelines.home import Home

        home = Home.from_env().ensure()
        for key in sorted(context.selected_asset_check_keys, key=lambda key: key.asset_key.path):
            yield published_age(home, key.asset_key)

    return published_freshness


def published_age(home: "Home", key: dg.AssetKey) -> dg.AssetCheckResult:
    """The age of one published form, and what to do when it is too old or cannot be told."""
    from exposure_pipelines.errors import ExposureError
    from exposure_pipelines.publish.age import age_hours, limit_hours

    severity, passed = dg.AssetCheckSeverity.WARN, False
    try:
        limit, found = limit_hours(), published(home, key)
        if found is None:
            text = "nothing is published yet; run `exposure build` or switch build_exposure_graph_schedule on"
        else:
            hours = age_hours(*found)
            passed = hours <= limit
            text = f"the snapshot of {found[0]} is {hours:.1f} hours old, {limit:g} are allowed"
            if not passed:
                text += (
                    "; readers keep it until a build publishes: see the last failed run of build_exposure_graph, whether its "
                    "schedule is on and `exposure doctor`, then run `exposure build`"
                )
            if hours > LONG_PAST * limit:
                severity = dg.AssetCheckSeverity.ERROR
    except ExposureError as error:
        severity, text = dg.AssetCheckSeverity.ERROR, str(error)
    return dg.AssetCheckResult(asset_key=key, check_name=FRESH, passed=passed, severity=severity, description=text)


def published(home: "Home", key: dg.AssetKey) -> tuple[date, datetime] | None:
    """Date and moment of the newest publish."""
    if key == WAREHOUSE:
        from exposure_pipelines.publish.warehouse import last_published

        return last_published(home.warehouse_url)
    from exposure_pipelines.publish.snapshot import current_snapshot

    current = current_snapshot(home)
    return (current.snapshot_date, current.published_at) if current else None
