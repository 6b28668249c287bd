"""The lake on object storage, against a local server that speaks S3."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from exposure_pipelines.home import Home
from exposure_pipelines.retention import Rules, plan, remove
from tests.dagster.conftest import Site

pytest.importorskip("s3fs")
server = pytest.importorskip("moto.server")


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "lake-key-id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "lake-secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    name = f"estate-{port}"
    s3fs.S3FileSystem().mkdir(name)
    yield f"s3://{name}/lake"
    running.stop()
    s3fs.S3FileSystem.clear_instance_cache()


@pytest.fixture
def remote(site: Site, bucket: str) -> Site:
    site.monkeypatch.setenv("EXPOSURE_LAKE_URL", bucket)
    site.home = Home.from_env().ensure()
    return site


def test_syncs_builds_and_snapshots_work_with_the_lake_on_object_storage(remote: Site) -> None:
    for day in ("2026-11-19", "2026-11-20"):
        remote.at(f"{day}T12:00:00Z")
        assert remote.sync("alpha_main").success
        result = remote.build()
        assert result.success, result.failures
    assert [str(day) for day in remote.lake.model_dates("marts", "hosts")] == ["2026-11-19", "2026-11-20"]
    assert len(remote.manifests("alpha_main")) == 2
    assert not any((remote.home.root / "lake").rglob("*.parquet")), "nothing lies in the local lake"


def test_a_rebuild_of_an_earlier_date_and_retention_work_there_too(remote: Site) -> None:
    for day in ("2026-08-01", "2026-08-02", "2026-08-03", "2026-11-20"):
        remote.at(f"{day}T12:00:00Z")
        assert remote.sync("alpha_main").success
        assert remote.build().success
    assert remote.build("2026-08-02").success
    remove(remote.home, remote.lake, plan(remote.home, remote.lake, Rules(days=30, mart_days=30)))
    assert [str(day) for day in remote.lake.model_dates("marts", "hosts")] == ["2026-08-03", "2026-11-20"]
    assert len(remote.manifests("alpha_main")) == 3
