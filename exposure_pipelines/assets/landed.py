"""One asset a stream of every connected instance: its pulled inventory, landed."""

# no postponed annotations here: Dagster reads that of the step's configuration as it stands

from collections.abc import Collection, Iterator, Sequence
from datetime import date
from typing import Any

import dagster as dg

from connector_assets import registry
from connector_assets.kit.declaration import Connector, Stream
from exposure_pipelines.assets.partitions import GRACE, daily
from exposure_pipelines.connections import Connection
from exposure_pipelines.lake import Lake
from exposure_pipelines.landing.manifest import Manifest, told_once
from exposure_pipelines.progress import report as report_progress

#: Tag of a run that a person waits for at a terminal: it answers at once instead of trying again by itself.
ATTENDED_TAG = "exposure/attended"

#: The step's own tries, after those of single requests: a vendor that is down for a minute costs no sync. Asked for by the
#: step itself and not given to Dagster as its retry policy, under which Ctrl-C and a termination start the step again.
RETRIES = dg.RetryPolicy(max_retries=2, delay=30, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)

#: Dagster's own tag of a materialisation: what it holds.
DATA_VERSION = "dagster/data_version"

COMPLETE, QUARANTINE = "complete", "quarantine"
STREAM_CHECKS = {
    COMPLETE: "The sync read its whole scope: only then is a missing record known to be gone.",
    QUARANTINE: "No record was unreadable.",
}

SCOPES_SHOWN = 20

#: Dates of a backfill in one run. Each run waits for a place in the queue (5 s) and starts a process (3 s); past dates are only
#: looked up. Another policy than that of the models, so that a stream that gives nothing keeps no model out of its run.
DATES_A_RUN = 31


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
    specs = [stream_spec(connection, connector, connector.stream(name)) for name in stream_names(connection)]
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
        backfill_policy=dg.BackfillPolicy.multi_run(DATES_A_RUN),
        pool=connection.instance,
        description=f"Pulls {connector.title} instance {connection.instance}.",
    )
    def sync_streams(context: dg.AssetExecutionContext, config: SyncConfig) -> Iterator[Any]:
        wanted = [spec.key.path[-1] for spec in specs if spec.key in context.selected_asset_keys]
        days = sorted(date.fromisoformat(key) for key in context.partition_keys)
        checks = context.selected_asset_check_keys
        try:
            for event in range_events(connection.instance, days, wanted, config.accept_volume):
                if isinstance(event, dg.AssetMaterialization):
                    context.log_event(event)
                elif not isinstance(event, dg.AssetCheckResult) or check_key(event) in checks:
                    yield event
        except dg.Failure as failure:
            attended = context.run.tags.get(ATTENDED_TAG) == "true"
            if attended or not failure.allow_retries or context.retry_number >= RETRIES.max_retries:
                raise
            wait = RETRIES.calculate_delay(context.retry_number + 1)
            raise dg.RetryRequested(max_retries=RETRIES.max_retries, seconds_to_wait=wait) from failure

    return sync_streams


def check_key(result: dg.AssetCheckResult) -> dg.AssetCheckKey:
    assert result.asset_key is not None
    assert result.check_name is not None
    return dg.AssetCheckKey(result.asset_key, result.check_name)


def stream_spec(connection: Connection, connector: Connector, stream: Stream) -> dg.AssetSpec:
    columns = [dg.TableColumn(name, column_type(kind)) for name, kind in stream.fields.items()]
    return dg.AssetSpec(
        key=landed_key(connection, stream.name),
        deps=[landed_key(connection, needed) for needed in stream.needs],
        group_name=f"landed_{connection.product}",
        description=f"{stream.description}\n\nFrom {connector.title}, instance `{connection.instance}`.",
        kinds={connection.product, "parquet"},
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


def range_events(instance: str, days: Sequence[date], streams: Collection[str], accept_volume: bool) -> Iterator[Any]:
    """As `partition_events` over the dates of a run, oldest first; of a range the checks are those of its newest date.

    A range has no one output: each date is reported as a materialisation of its own. A date that fails keeps none of the others
    from being reported; one failure names them all.
    """
    if len(days) == 1:
        yield from partition_events(instance, days[0], streams, accept_volume)
        return
    failures: list[dg.Failure] = []
    for day in days:
        try:
            for event in partition_events(instance, day, streams, accept_volume):
                if isinstance(event, dg.MaterializeResult):
                    yield dated(event, day)
                elif day == days[-1]:
                    yield event
        except dg.Failure as failure:
            failures.append(failure)
    if failures:
        said = [failure.description or "" for failure in failures[:SCOPES_SHOWN]]
        if len(failures) > SCOPES_SHOWN:
            said.append(f"and {len(failures) - SCOPES_SHOWN} dates more")
        raise dg.Failure("\n".join(said), allow_retries=any(failure.allow_retries for failure in failures))


def dated(result: dg.MaterializeResult, day: date) -> dg.AssetMaterialization:
    """What a step reports of one date of its range."""
    assert result.asset_key is not None
    version = result.data_version.value if result.data_version else ""
    return dg.AssetMaterialization(
        asset_key=result.asset_key,
        partition=day.isoformat(),
        metadata=result.metadata,
        tags={DATA_VERSION: version} if version else None,
    )


def partition_events(instance: str, day: date, streams: Collection[str], accept_volume: bool) -> Iterator[Any]:
    """Materialisations and checks of an instance's streams for a date.

    Today (and shortly after midnight still yesterday) is pulled. A vendor cannot be asked for its past: of an earlier
    date what was landed is reported as kept, and no call is made. Raises dg.Failure after everything that went well
    was reported, `allow_retries` only where a later try may succeed without anybody doing anything.
    """
    from exposure_pipelines import clock
    from exposure_pipelines.connections import load_connections
    from exposure_pipelines.errors import ExposureError
    from exposure_pipelines.home import Home
    from exposure_pipelines.landing.sync import run_sync

    try:
        home = Home.from_env().ensure()
        connection = load_connections(home).get(instance)
        connector = registry.load(connection.product)
        lake = Lake.of(home)
        if clock.now() >= clock.end_of(day) + GRACE:
            yield from kept_events(lake, connection, connector, day, streams)
            return
        report = run_sync(
            connection,
            connector,
            home,
            lake,
            streams=list(streams),
            accept_volume=accept_volume,
            progress=page_progress,
        )
    except ExposureError as error:
        raise dg.Failure(str(error), allow_retries=False) from error
    for manifest in report.streams:
        if manifest.stream in streams:
            yield from stream_events(connection, connector.stream(manifest.stream), manifest)
    if report.failed:
        reasons = "; ".join(f"{told.streams}: {told.reason}" for told in told_once(report.failed))
        raise dg.Failure(
            f"{connection.product} instance {instance} failed: {reasons}. What was landed before is kept; nothing is retired.",
            metadata={"failed_streams": [manifest.stream for manifest in report.failed]},
            allow_retries=report.retry_later,
        )


def kept_events(
    lake: Lake, connection: Connection, connector: Connector, day: date, streams: Collection[str]
) -> Iterator[Any]:
    """What a past date has; raises dg.Failure for streams of which nothing was landed by then."""
    from exposure_pipelines.landing.select import newest_sync, select_sync

    missing = []
    for name in streams:
        chosen = select_sync(lake, connection, name, day)
        manifest = chosen.manifest if chosen else newest_sync(lake, connection, name, day)
        if manifest is None or manifest.state == "failed":
            missing.append(name)
        else:
            yield from stream_events(connection, connector.stream(name), manifest, kept=True)
    if missing:
        raise dg.Failure(
            f"{connection.instance}: nothing was landed for {', '.join(sorted(missing))} by {day}, and {connector.title} "
            "cannot be asked for a past date. Pull today's partition instead; it keeps from then on.",
            allow_retries=False,
        )


def page_progress(instance: str, stream: str, pages: int, records: int) -> None:
    report_progress(f"{stream}: {records:,} records")


def stream_events(connection: Connection, stream: Stream, manifest: Manifest, *, kept: bool = False) -> Iterator[Any]:
    """A materialisation (unless nothing was landed) and the checks of one stream."""
    key = landed_key(connection, stream.name)
    landed = manifest.state in ("complete", "partial")
    if landed:
        yield dg.MaterializeResult(
            asset_key=key,
            metadata=manifest_metadata(manifest, kept),
            data_version=dg.DataVersion(manifest.content_hash[:32] or manifest.sync),
        )
    yield dg.AssetCheckResult(
        asset_key=key,
        check_name=COMPLETE,
        passed=manifest.state == "complete" or (manifest.state == "skipped" and stream.optional),
        severity=dg.AssetCheckSeverity.ERROR if manifest.state == "failed" else dg.AssetCheckSeverity.WARN,
        description=manifest.reason or f"{manifest.records:,} records, every scope read to its end",
        metadata={"state": manifest.state, "sync": manifest.sync, "kept": kept},
    )
    unread = manifest.rejected + manifest.field_issues
    yield dg.AssetCheckResult(
        asset_key=key,
        check_name=QUARANTINE,
        passed=unread == 0,
        severity=dg.AssetCheckSeverity.WARN,
        description=(
            f"{manifest.rejected} records rejected, {manifest.field_issues} fields unreadable: see "
            f"{landed_path(manifest)}/quarantine.parquet in the lake"
            if unread
            else ("every record was read" if landed else "nothing was landed")
        ),
        metadata={"rejected": manifest.rejected, "field_issues": manifest.field_issues},
    )


def landed_path(manifest: Manifest) -> str:
    """Place of a landed sync, from the root of the lake."""
    return f"landed/{manifest.instance}/{manifest.stream}/{manifest.sync}"


def manifest_metadata(manifest: Manifest, kept: bool) -> dict[str, Any]:
    """What the Dagster UI shows of a landed stream: counts and costs, never a record."""
    scopes = ["| scope | state | records | reason |", "|---|---|---|---|"]
    scopes += [
        f"| {cell(name)} | {scope.state} | {scope.records:,} | {cell(scope.reason or '')} |"
        for name, scope in list(manifest.scopes.items())[:SCOPES_SHOWN]
    ]
    if len(manifest.scopes) > SCOPES_SHOWN:
        scopes.append(f"| and {len(manifest.scopes) - SCOPES_SHOWN:,} more | | | |")
    return {
        "dagster/row_count": manifest.records,
        "state": manifest.state,
        "reason": manifest.reason or "",
        "landing": "kept: a past date is never pulled again" if kept else "landed",
        "landed_in": landed_path(manifest),
        "sync": manifest.sync,
        "pulled": pulled(manifest),
        "scopes": dg.MetadataValue.md("\n".join(scopes)),
        "quarantined": manifest.rejected,
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


def pulled(manifest: Manifest) -> str:
    """Whether everything was asked for, or what changed since when."""
    merged = manifest.merged
    if merged is None:
        return "everything"
    return (
        f"changes since {merged.since:%Y-%m-%d %H:%M:%S} UTC: {merged.changed:,} changed, {merged.removed:,} gone, "
        f"{merged.aged_out:,} out of the window, {merged.carried:,} carried over from sync {merged.base}; "
        f"the last full one is {merged.full}"
    )


def cell(text: str) -> str:
    """Text that stays inside its cell of a Markdown table."""
    return text.replace("|", "\\|").replace("\n", " ")
