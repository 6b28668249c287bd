"""The state of a home as Prometheus reads it."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from exposure_pipelines.metrics import exposition
from tests.dagster.conftest import Site


def test_every_stream_tells_its_state_and_what_its_newest_sync_cost(site: Site) -> None:
    site.at("2026-11-20T12:00:00Z")
    assert site.sync("alpha_main").success
    assert site.build().success
    site.connect("broken", "product: alpha\nscedule: never\n")
    samples = {
        (
            sample.name,
            sample.labels.get("instance"),
            sample.labels.get("stream"),
            sample.labels.get("state"),
        ): sample.value
        for family in text_string_to_metric_families(exposition(site.home))
        for sample in family.samples
    }
    (newest, *_) = site.manifests("alpha_main")
    assert samples["exposure_sync_records", "alpha_main", "hosts", None] == newest.records == 3
    assert samples["exposure_sync_requests", "alpha_main", "hosts", None] == newest.requests
    assert samples["exposure_sync_state", "alpha_main", "hosts", "complete"] == 1
    assert samples["exposure_sync_state", "beta_main", "hosts", "never"] == 1
    assert ("exposure_sync_records", "beta_main", "hosts", None) not in samples, "no sync, no number"
    assert samples["exposure_broken_connections", None, None, None] == 1
    assert samples["exposure_snapshot_published_timestamp_seconds", None, None, None] > 0
