"""State of a home in Prometheus' text format, for a node exporter's text file collector or a push."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exposure_pipelines.errors import ConfigurationError, WorkFailed

if TYPE_CHECKING:
    from exposure_pipelines.home import Home
    from exposure_pipelines.landing.manifest import Manifest

#: Of the newest sync of a stream: metric, its help, how a manifest tells it.
STREAM_METRICS = (
    ("sync_finished_timestamp_seconds", "End of the newest sync.", lambda m: m.finished_at.timestamp()),
    ("sync_seconds", "Duration of the newest sync.", lambda m: (m.finished_at - m.started_at).total_seconds()),
    ("sync_waited_seconds", "Of it, waited because the vendor asked for it.", lambda m: m.waited_seconds),
    ("sync_requests", "Requests of the newest sync.", lambda m: m.requests),
    ("sync_retries", "Of them, made again.", lambda m: m.retries),
    ("sync_received_bytes", "Bytes received by the newest sync.", lambda m: m.received_bytes),
    ("sync_records", "Records landed by the newest sync.", lambda m: m.records),
    ("sync_quarantined_records", "Records rejected by the newest sync.", lambda m: m.rejected),
)
STATES = ("complete", "partial", "failed", "skipped", "never")


def exposition(home: Home) -> str:
    """The text, one sample a stream and metric; times are unix seconds.

    Raises:
        ConfigurationError: prometheus_client is not installed.
    """
    try:
        from prometheus_client import CollectorRegistry, Gauge, generate_latest
    except ModuleNotFoundError:
        raise ConfigurationError("Metrics need one more package: pip install 'exposure-pipelines[metrics]'") from None
    from exposure_pipelines.connections import load_connections
    from exposure_pipelines.publish.snapshot import current_snapshot

    registry = CollectorRegistry()
    labels = ("product", "instance", "stream")
    gauges = [Gauge(f"exposure_{name}", words, labels, registry=registry) for name, words, _ in STREAM_METRICS]
    state = Gauge("exposure_sync_state", "1 for how the newest sync ended.", (*labels, "state"), registry=registry)
    broken = Gauge("exposure_broken_connections", "Connection files that cannot be used.", registry=registry)
    loaded = load_connections(home)
    broken.set(len(loaded.broken))
    for product, instance, stream, manifest in newest_syncs(home):
        where = (product, instance, stream)
        for name in STATES:
            state.labels(*where, name).set((manifest.state if manifest else "never") == name)
        if manifest:
            for gauge, (_, _, told) in zip(gauges, STREAM_METRICS, strict=True):
                gauge.labels(*where).set(told(manifest))
    try:
        snapshot = current_snapshot(home)
    except WorkFailed:
        snapshot = None
    if snapshot:
        published = Gauge("exposure_snapshot_published_timestamp_seconds", "When it was published.", registry=registry)
        published.set(snapshot.published_at.timestamp())
        rows = Gauge("exposure_snapshot_rows", "Rows of the published tables.", ("table",), registry=registry)
        for table, count in snapshot.rows.items():
            rows.labels(table).set(count)
    return generate_latest(registry).decode()


def newest_syncs(home: Home) -> list[tuple[str, str, str, Manifest | None]]:
    """(product, instance, stream, newest sync or None) of every enabled connection."""
    from exposure_pipelines.assets.landed import stream_names
    from exposure_pipelines.connections import load_connections
    from exposure_pipelines.lake import Lake

    lake = Lake.of(home)
    return [
        (connection.product, connection.instance, stream, next(lake.manifests(connection.instance, stream), None))
        for connection in load_connections(home).valid
        if connection.enabled
        for stream in stream_names(connection)
    ]
