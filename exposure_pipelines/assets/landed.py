"""One asset a stream of every connected instance: its pulled inventory, landed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

import dagster as dg

from connector_assets import registry
from connector_assets.kit.declaration import Connector, Stream
from exposure_pipelines.assets.partitions import GRACE, daily
from exposure_pipelines.progress import report as report_progress

if TYPE_CHECKING:
    from exposure_pipelines.connections import Connection
    from exposure_pipelines.landing.manifest import Manifest


class SyncConfig(dg.Config):
    """What a person may change for one launched sync."""

    accept_volume: bool = False


def landed_key(connection: Connection, stream: str) -> dg.AssetKey:
    return dg.AssetKey(["landed", connection.product, connection.instance, stream])


def stream_names(connection: Connection) -> tuple[str, ...]:
    """The streams an instance pulls, with those they need, in order."""
    connector = registry.load(connection.product)
    wanted = set(connection.streams or [stream.name for stream in connector.streams])
    while more := {n for s in connector.streams if s.name in wanted for n in s.needs} - wanted:
        wanted |= more
    return tuple(stream.name for stream in connector.streams if stream.name in wanted)


def landed_asset(connection: Connection) -> dg.AssetsDefinition:
    """The multi-asset of one instance: all its streams in one step, since they share a session and depend in order."""
    connector = registry.load(connection.product)
    names = stream_names(connection)
    specs = [stream_spec(connection, connector, connector.stream(name)) for name in names]
    checks = [
        dg.AssetCheckSpec(name, asset=spec.key, description=description)
        for spec in specs
        for name, description in STREAM_CHECKS.items()
    ]

    @dg.multi_asset(
        name=f"sync_{connection.instance}_streams",
        specs=specs,
        check_specs=checks,
        can_subset=True,
        partitions_def=daily(),
        pool=connection.instance,
        retry_policy=dg.RetryPolicy(
            max_retries=2, delay=30, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS
        ),
        description=f"Pulls {connector.title} instance {connection.instance}.",
    )
    def sync_streams(context: dg.AssetExecutionContext, config: SyncConfig) -> Iterator[Any]:
        wanted = [key.path[-1] for key in context.selected_asset_keys]
        yield from sync_partition(context, connection.instance, wanted, config.accept_volume)

    return sync_streams


STREAM_CHECKS = {
    "complete": "The newest sync read its whole scope: only then is a missing record known to be gone.",
    "quarantine": "No record was unreadable.",
}


def stream_spec(connection: Connection, connector: Connector, stream: Stream) -> dg.AssetSpec:
    columns = [dg.TableColumn(name, column_type(kind)) for name, kind in stream.fields.items()]
    return dg.AssetSpec(
        key=landed_key(connection, stream.name),
        deps=[landed_key(connection, needed) for needed in stream.needs],
        group_name=f"landed_{connection.product}",
        description=f"{stream.description}\n\nFrom {connector.title}, instance `{connection.instance}`.",
        kinds={"parquet"},
        owners=[connection.owner],
        tags={"product": connection.product, "instance": connection.instance},
        metadata={
            "dagster/column_schema": dg.TableSchema(columns),
            "permissions": ", ".join(stream.permissions) or "none",
            "evidence": stream.evidence,
        },
        skippable=True,
    )


def column_type(kind: Any) -> str:
    if isinstance(kind, str):
        return kind
    return f"list of {column_type(kind[0])}" if isinstance(kind, list) else "struct"


def sync_partition(
    context: dg.AssetExecutionContext, instance: str, streams: list[str], accept_volume: bool
) -> Iterator[Any]:
    """Pull into today's partition, or keep what a past one has.

    A vendor cannot be asked for its past: a past date with something landed reports it as kept, one with nothing is
    refused without a retry.
    """
    from exposure_pipelines import clock
    from exposure_pipelines.connections import load_connections
    from exposure_pipelines.home import Home
    from exposure_pipelines.lake import Lake
    from exposure_pipelines.landing.select import select_sync
    from exposure_pipelines.landing.sync import run_sync

    home = Home.from_env().ensure()
    connection = load_connections(home).get(instance)
    connector = registry.load(connection.product)
    lake = Lake.of(home)
    day = date.fromisoformat(context.partition_key)
    if clock.now() >= clock.end_of(day) + GRACE:
        chosen = {stream: select_sync(lake, connection, stream, day) for stream in streams}
        missing = sorted(stream for stream, found in chosen.items() if found is None)
        if missing:
            raise dg.Failure(
                f"{instance}: nothing was landed for {', '.join(missing)} by {day}, and {connector.title} cannot be asked "
                "for a past date. Pull today's partition instead; it keeps from then on.",
                allow_retries=False,
            )
        for stream, found in chosen.items():
            assert found is not None
            yield from stream_events(connection, connector.stream(stream), found.manifest, kept=True)
        return

    report = run_sync(
        connection, connector, home, lake, streams=streams, accept_volume=accept_volume, progress=page_progress
    )
    for manifest in report.streams:
        if manifest.stream in streams:
            yield from stream_events(connection, connector.stream(manifest.stream), manifest)
    if report.failed:
        reasons = "; ".join(f"{manifest.stream}: {manifest.reason}" for manifest in report.failed)
        raise dg.Failure(
            f"{connection.product} instance {instance} failed: {reasons}. What was landed before is kept; nothing is retired.",
            metadata={"failed_streams": [manifest.stream for manifest in report.failed]},
            allow_retries=report.retry_later,
        )


def page_progress(instance: str, stream: str, pages: int, records: int) -> None:
    report_progress(f"{stream}: {records:,} records")


def stream_events(connection: Connection, stream: Stream, manifest: Manifest, *, kept: bool = False) -> Iterator[Any]:
    """A materialisation (unless nothing was landed) and the checks of one stream."""
    key = landed_key(connection, stream.name)
    if manifest.state in ("complete", "partial"):
        yield dg.MaterializeResult(
            asset_key=key,
            metadata=manifest_metadata(manifest, kept),
            data_version=dg.DataVersion(manifest.content_hash[:32]),
        )
    yield dg.AssetCheckResult(
        asset_key=key,
        check_name="complete",
        passed=manifest.state == "complete" or (manifest.state == "skipped" and stream.optional),
        severity=dg.AssetCheckSeverity.ERROR if manifest.state == "failed" else dg.AssetCheckSeverity.WARN,
        description=manifest.reason or f"{manifest.records:,} records, every scope read to its end",
        metadata={"state": manifest.state, "sync": manifest.sync},
    )
    yield dg.AssetCheckResult(
        asset_key=key,
        check_name="quarantine",
        passed=manifest.rejected == 0 and manifest.field_issues == 0,
        severity=dg.AssetCheckSeverity.WARN,
        description=(
            f"{manifest.rejected} records rejected, {manifest.field_issues} fields unreadable: see "
            f"landed/{manifest.instance}/{manifest.stream}/{manifest.sync}/quarantine.parquet in the lake"
            if manifest.rejected or manifest.field_issues
            else "every record was read"
        ),
        metadata={"rejected": manifest.rejected, "field_issues": manifest.field_issues},
    )


def manifest_metadata(manifest: Manifest, kept: bool) -> dict[str, Any]:
    """What the Dagster UI shows of a landed stream: counts and costs, never a record."""
    scopes = "\n".join(
        ["| scope | state | records | reason |", "|---|---|---|---|"]
        + [f"| {n} | {s.state} | {s.records:,} | {s.reason or ''} |" for n, s in list(manifest.scopes.items())[:20]]
    )
    return {
        "dagster/row_count": manifest.records,
        "state": manifest.state,
        "reason": manifest.reason or "",
        "landing": "kept: a past date is never pulled again" if kept else "landed",
        "sync": manifest.sync,
        "scopes": dg.MetadataValue.md(scopes),
        "rejected": manifest.rejected,
        "field_issues": manifest.field_issues,
        "duplicates": manifest.duplicates,
        "pages": manifest.pages,
        "requests": manifest.requests,
        "retries": manifest.retries,
        "waited_seconds": manifest.waited_seconds,
        "received_bytes": manifest.received_bytes,
        "landed_bytes": manifest.landed_bytes,
        "seconds": round(manifest.seconds, 2),
        "notes": "; ".join(manifest.notes),
        "finished_at": dg.MetadataValue.timestamp(manifest.finished_at.timestamp()),
    }
