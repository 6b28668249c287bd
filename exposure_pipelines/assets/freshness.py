"""Whether each landed stream is as young as its instance promises, told by every build: also when no sync runs any more."""

# no postponed annotations here: Dagster reads that of the context as it stands

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import dagster as dg

from exposure_pipelines.assets.landed import landed_key, stream_names
from exposure_pipelines.connections import Connection
from exposure_pipelines.lake import Lake

if TYPE_CHECKING:
    from exposure_pipelines.landing.select import Chosen

FRESH = "fresh"


def fresh_check_keys(connections: Sequence[Connection]) -> list[dg.AssetCheckKey]:
    return [dg.AssetCheckKey(landed_key(c, stream), FRESH) for c in connections for stream in stream_names(c)]


def freshness_checks(connections: Sequence[Connection]) -> list[dg.AssetChecksDefinition]:
    """The `fresh` checks of all landed assets in one step; none without a connection.

    They read manifests and never Dagster's records: rebuilding a past date must not make an old stream look young.
    """
    limits = {connection.instance: connection.max_age_hours for connection in connections}
    specs = [
        dg.AssetCheckSpec(
            FRESH,
            asset=key.asset_key,
            description=f"The last complete sync is at most {limits[key.asset_key.path[2]]:g} hours old.",
        )
        for key in fresh_check_keys(connections)
    ]
    if not specs:
        return []

    @dg.multi_asset_check(name="landed_freshness", specs=specs, can_subset=True)
    def landed_freshness(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        from exposure_pipelines.connections import load_connections
        from exposure_pipelines.home import Home

        home = Home.from_env().ensure()
        lake = Lake.of(home)
        configured = {connection.instance: connection for connection in load_connections(home).valid}
        for key in sorted(context.selected_asset_check_keys, key=lambda key: key.asset_key.path):
            _, _, instance, stream = key.asset_key.path
            passed, text = freshness(lake, configured.get(instance), stream)
            yield dg.AssetCheckResult(
                asset_key=key.asset_key,
                check_name=FRESH,
                passed=passed,
                severity=dg.AssetCheckSeverity.WARN,
                description=text,
            )

    return [landed_freshness]


def freshness(lake: Lake, connection: Connection | None, stream: str) -> tuple[bool, str]:
    """Whether the stream is fresh now, and why."""
    from exposure_pipelines import clock
    from exposure_pipelines.landing.select import newest_sync, select_sync

    if connection is None:
        return False, "its connection file is gone or broken since Dagster loaded; reload the code location"
    today = clock.utc_date()
    chosen = select_sync(lake, connection, stream, today)
    if chosen is None:
        newest = newest_sync(lake, connection, stream, today)
        if newest is not None and newest.state == "skipped":
            return True, f"skipped: {newest.reason}"
        return False, f"never landed; run `exposure sync {connection.instance}` or switch its schedule on"
    return not chosen.stale, age_text(chosen, connection)


def stale_streams(lake: Lake, connection: Connection) -> Iterator[str]:
    """What is said of each stream whose last usable sync is too old. One that was never landed is not late yet."""
    from exposure_pipelines import clock
    from exposure_pipelines.landing.select import select_sync

    for stream in stream_names(connection):
        chosen = select_sync(lake, connection, stream, clock.utc_date())
        if chosen is not None and chosen.stale:
            yield f"{stream}: {age_text(chosen, connection)}"


def age_text(chosen: "Chosen", connection: Connection) -> str:
    """How old the sync is that is read, how old it may be, and what makes it young again."""
    from exposure_pipelines import clock

    age = (clock.now() - chosen.manifest.finished_at).total_seconds() / 3600
    text = f"the newest {chosen.manifest.state} sync is {age:.1f} hours old, {connection.max_age_hours:g} are allowed"
    if chosen.stale:
        text += (
            f"; its records are carried forward and marked stale until `exposure sync {connection.instance}` succeeds"
        )
    return text
