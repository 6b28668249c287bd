"""What is known of every configured instance, from manifests and Dagster's own records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from exposure_pipelines.connections import Connection
    from exposure_pipelines.home import Home
    from exposure_pipelines.lake import Lake
    from exposure_pipelines.landing.manifest import Manifest


def instance_rows(home: Home) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """One row a configured instance, and the files that are no connection."""
    from exposure_pipelines.connections import load_connections
    from exposure_pipelines.lake import Lake

    loaded = load_connections(home)
    lake = Lake.of(home)
    broken = [{"file": str(item.file), "error": "; ".join(item.errors)} for item in loaded.broken]
    return [instance_row(lake, connection) for connection in loaded.valid], broken


def instance_row(lake: Lake, connection: Connection) -> dict[str, Any]:
    from exposure_pipelines import clock
    from exposure_pipelines.assets.landed import stream_names
    from exposure_pipelines.cli.status import age, troubles

    streams = stream_names(connection)
    newest = {stream: next(lake.manifests(connection.instance, stream), None) for stream in streams}
    complete = {stream: newest_complete(lake, connection, stream) for stream in streams}
    synced = [manifest for manifest in newest.values() if manifest]
    moments = [m.finished_at for m in complete.values() if m]
    last = min(moments) if moments else None
    seconds = (clock.now() - last).total_seconds() if last else None
    return {
        "instance": connection.instance,
        "product": connection.product,
        "state": overall_state(connection, synced, seconds),
        "last_complete": last,
        "age": age(seconds),
        "age_seconds": seconds,
        "records": sum(m.records for m in complete.values() if m),
        "quarantined": sum(m.rejected for m in synced),
        "requests": sum(m.requests for m in synced),
        "next_tick": next_tick(connection),
        "streams": {
            stream: {
                "state": m.state if m else "never",
                "records": m.records if m else 0,
                "reason": m.reason if m else None,
            }
            for stream, m in newest.items()
        },
        "troubles": troubles(synced),
    }


def newest_complete(lake: Lake, connection: Connection, stream: str) -> Manifest | None:
    return next((m for m in lake.manifests(connection.instance, stream) if m.state == "complete"), None)


def overall_state(connection: Connection, synced: list[Manifest], seconds: float | None) -> str:
    """One word for an instance: the worst that is true of it."""
    if not connection.enabled:
        return "disabled"
    if not synced:
        return "never synced"
    states = {manifest.state for manifest in synced}
    for state in ("failed", "partial"):
        if state in states:
            return state
    if seconds is not None and seconds > connection.max_age_hours * 3600:
        return "stale"
    return "complete"


def next_tick(connection: Connection) -> str | None:
    """Time of the next scheduled pull, were the schedule on."""
    from dagster._utils.schedules import schedule_execution_time_iterator

    from exposure_pipelines import clock

    if not connection.enabled:
        return None
    ticks = schedule_execution_time_iterator(clock.now().timestamp(), connection.cron, "UTC", ascending=True)
    return next(iter(ticks)).strftime("%Y-%m-%d %H:%MZ")


def schedules_on(home: Home) -> set[str] | None:
    """Names of the schedules that are switched on; None where Dagster's records cannot be read."""
    import dagster as dg
    from dagster._core.definitions.run_request import InstigatorType

    from exposure_pipelines.dagster_home import prepare_dagster_home, quiet_dagster

    if not (home.dagster / "dagster.yaml").exists():
        return set()
    try:
        prepare_dagster_home(home)
        with quiet_dagster(), dg.DagsterInstance.get() as instance:
            known = instance.all_instigator_state(instigator_type=InstigatorType.SCHEDULE)
            return {state.instigator_name for state in known if state.is_running}
    except Exception:  # noqa: BLE001 - a server that is down, a file that is broken: doctor tells; status tells the rest
        return None


def daemon_states(home: Home) -> dict[str, bool]:
    """Dagster daemons that ever reported, and whether each is alive now."""
    import dagster as dg

    from exposure_pipelines.dagster_home import prepare_dagster_home

    prepare_dagster_home(home)
    from dagster._daemon.controller import get_daemon_statuses

    with dg.DagsterInstance.get() as instance:
        statuses = get_daemon_statuses(instance, instance.get_required_daemon_types())
        return {name: bool(status.healthy) for name, status in statuses.items() if status.last_heartbeat}
