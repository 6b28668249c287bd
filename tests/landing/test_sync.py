"""A sync's verdict, and what is left when it goes wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector_assets.kit import Api, FixPermission, Page, RetryLater
from exposure_pipelines.errors import WorkFailed
from exposure_pipelines.landing.select import select_sync
from exposure_pipelines.landing.trace import landed_record
from tests.landing.conftest import Workbench, pages, stream, utc

MANY = [{"id": str(number)} for number in range(50)]


def fails_after(error: Exception, *batches: list[dict[str, str]]) -> object:
    def pull(api: Api) -> Iterator[Page]:
        yield from (Page(batch) for batch in batches)
        raise error

    return pull


def test_a_whole_enumeration_is_complete_and_proves_absence(bench: Workbench) -> None:
    manifest = bench.one(stream(pages(MANY)))
    assert (manifest.state, manifest.records, manifest.proves_absence) == ("complete", 50, True)


def test_a_failure_in_the_middle_keeps_what_came_as_partial(bench: Workbench) -> None:
    manifest = bench.one(stream(fails_after(RetryLater("no answer", hint="later"), MANY)))  # type: ignore[arg-type]
    assert (manifest.state, manifest.records) == ("partial", 50)
    assert "no answer" in (manifest.reason or "")


def test_a_failure_at_the_start_is_failed_and_the_independent_streams_go_on(bench: Workbench) -> None:
    refused = fails_after(FixPermission("HTTP 403", status=403, hint="grant Things.Read"))
    report = bench.sync(
        stream(refused, "first"),  # type: ignore[arg-type]
        stream(pages(MANY), "second"),
        stream(pages(MANY), "third", needs=("first",)),
    )
    states = {manifest.stream: manifest.state for manifest in report.streams}
    assert states == {"first": "failed", "second": "complete", "third": "failed"}
    assert "grant Things.Read" in (report.streams[0].reason or "")
    assert "needs stream first" in (report.streams[2].reason or "")


def test_an_answer_the_connector_does_not_understand_ends_its_stream_only(bench: Workbench) -> None:
    def pull(api: Api) -> Iterator[Page]:
        yield Page(MANY)
        answer: dict[str, str] = {}
        yield Page([{"id": answer["export_uuid"]}])

    report = bench.sync(stream(pull, "first"), stream(pages(MANY), "second"))
    assert [manifest.state for manifest in report.streams] == ["partial", "complete"]
    assert "export_uuid" in (report.streams[0].reason or "")
    assert "report it" in (report.streams[0].reason or "")


def test_an_optional_stream_without_permission_is_skipped(bench: Workbench) -> None:
    refused = fails_after(FixPermission("HTTP 403", status=403))
    manifest = bench.one(stream(refused, optional=True))  # type: ignore[arg-type]
    assert manifest.state == "skipped"


def test_fewer_records_than_the_vendor_counts_is_partial(bench: Workbench) -> None:
    def pull(api: Api) -> Iterator[Page]:
        yield Page(MANY, total=51)

    manifest = bench.one(stream(pull))
    assert manifest.state == "partial"
    assert "51" in (manifest.reason or "")


def test_one_scope_cut_short_leaves_the_others_complete(bench: Workbench) -> None:
    def pull(api: Api) -> Iterator[Page]:
        yield Page([{"id": "a"}], "north")
        yield Page([{"id": "b"}], "south")
        api.partial("chunk 3 failed", "south")

    manifest = bench.one(stream(pull))
    assert {name: scope.state for name, scope in manifest.scopes.items()} == {"north": "complete", "south": "partial"}
    assert manifest.state == "partial"


def test_an_empty_answer_where_there_were_many_is_held_and_says_how_to_accept_it(bench: Workbench) -> None:
    bench.one(stream(pages(MANY)))
    held = bench.one(stream(pages([])))
    assert held.state == "partial"
    assert "--accept-volume" in (held.reason or "")
    assert bench.one(stream(pages([])), accept_volume=True).state == "complete"


def test_an_enumeration_that_lost_most_records_is_held(bench: Workbench) -> None:
    bench.one(stream(pages(MANY)))
    assert bench.one(stream(pages(MANY[:24]))).state == "partial"
    assert bench.one(stream(pages(MANY[:25]))).state == "complete"


def test_a_partial_sync_never_replaces_a_complete_one(bench: Workbench) -> None:
    bench.at("2026-03-01T08:00:00Z")
    whole = bench.one(stream(pages(MANY)))
    bench.at("2026-03-01T12:00:00Z")
    bench.one(stream(fails_after(RetryLater("gone"), MANY[:5])))  # type: ignore[arg-type]
    chosen = select_sync(bench.lake, bench.connection(), "things", utc("2026-03-01").date())
    assert chosen is not None
    assert chosen.manifest.sync == whole.sync
    assert chosen.newest.state == "partial"


def test_a_date_reads_the_newest_complete_sync_before_its_end(bench: Workbench) -> None:
    syncs = {}
    for moment in ("2026-03-01T08:00:00", "2026-03-01T23:59:59", "2026-03-02T00:00:00"):
        bench.at(moment)
        syncs[moment] = bench.one(stream(pages(MANY))).sync
    connection = bench.connection()
    first = select_sync(bench.lake, connection, "things", utc("2026-03-01").date())
    second = select_sync(bench.lake, connection, "things", utc("2026-03-02").date())
    assert first is not None
    assert second is not None
    assert first.manifest.sync == syncs["2026-03-01T23:59:59"]
    assert second.manifest.sync == syncs["2026-03-02T00:00:00"]
    assert select_sync(bench.lake, connection, "things", utc("2026-02-28").date()) is None


def test_an_old_sync_is_carried_forward_and_marked_stale(bench: Workbench) -> None:
    bench.at("2026-03-01T08:00:00Z")
    bench.one(stream(pages(MANY)))
    bench.at("2026-03-09T08:00:00Z")
    chosen = select_sync(bench.lake, bench.connection(), "things", utc("2026-03-09").date())
    assert chosen is not None
    assert chosen.stale


def test_secret_bearing_fields_never_reach_the_disk(bench: Workbench) -> None:
    record = {"id": "a", "user_password": "hunter2-plain", "raw": {"inner": [{"user_password": "hunter2-deep"}]}}
    manifest = bench.one(stream(pages([record, {"user_password": "hunter2-rejected"}]), drop_fields=("user_password",)))
    found = [file for file in bench.folder(manifest).iterdir() if b"hunter2" in uncompressed(file)]
    assert found == []


def uncompressed(file: Path) -> bytes:
    import duckdb
    import pyarrow as pa

    if file.suffix == ".zst":
        return bytes(pa.CompressedInputStream(pa.OSFile(str(file), "rb"), "zstd").read())
    if file.suffix == ".parquet":
        with duckdb.connect() as database:
            return str(database.execute(f"FROM '{file}'").fetchall()).encode()
    return file.read_bytes()


def test_a_row_is_traced_back_to_the_page_it_was_landed_on(bench: Workbench) -> None:
    manifest = bench.one(stream(pages([{"id": "a"}, {"id": "b"}], [{"id": "c", "extra": 7}])))
    page, row = bench.rows(manifest, "_page, _row")[-1]
    traced = landed_record(bench.lake, "acme_main", "things", manifest.sync, row)
    assert (traced.page, traced.record) == (page, {"id": "c", "extra": 7})


def test_two_instances_of_one_product_do_not_mix(bench: Workbench) -> None:
    bench.one(stream(pages(MANY)), name="acme_north")
    manifest = bench.one(stream(pages(MANY[:1])), name="acme_south")
    assert manifest.state == "complete", "the other instance's count is no yardstick"


def test_a_second_sync_of_an_instance_is_refused_while_the_first_runs(bench: Workbench) -> None:
    def pull(api: Api) -> Iterator[Page]:
        yield Page(MANY)
        with pytest.raises(WorkFailed, match="is being synced already"):
            bench.sync(stream(pages(MANY)))

    assert bench.one(stream(pull)).state == "complete"


KILLED = """
    import os, signal, sys
    from collections.abc import Iterator
    from connector_assets import registry
    from connector_assets.kit import Connector, NoAuth, Page, Stream
    from exposure_pipelines.connections import load_connections
    from exposure_pipelines.home import Home
    from exposure_pipelines.lake import Lake
    from exposure_pipelines.landing import sync

    def pull(api):
        yield Page([{"id": str(n)} for n in range(1000)])
        if sys.argv[1] == "pulling":
            os.kill(os.getpid(), signal.SIGKILL)

    stream = Stream(name="things", pull=pull, key="id", fields={"id": "text"}, description="")
    connector = Connector(
        product="acme", title="", description="", base_url="http://127.0.0.1:9", auth=lambda o, s: NoAuth(), streams=(stream,),
        credentials=(), permissions=(), asset_kinds=(), billable_kinds=(), evidence="unverified",
    )
    registry.products, registry.load = (lambda: ("acme",)), (lambda product: connector)
    typed = sync.write_typed
    def killed_typing(*arguments):
        counts = typed(*arguments)
        if sys.argv[1] == "typing":
            os.kill(os.getpid(), signal.SIGKILL)
        return counts
    sync.write_typed = killed_typing
    land = Lake.land
    def killed_landing(self, *arguments):
        if sys.argv[1] == "landing":
            os.kill(os.getpid(), signal.SIGKILL)
        return land(self, *arguments)
    Lake.land = killed_landing
    if sys.argv[1] == "full":
        import resource
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    home = Home.from_env().ensure()
    sync.run_sync(load_connections(home).get("acme_main"), connector, home, Lake.of(home))
"""


def run_killed(stage: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(KILLED), stage],
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("stage", ["pulling", "typing", "landing"])
def test_a_kill_at_any_stage_leaves_nothing_visible_and_the_next_sync_recovers(bench: Workbench, stage: str) -> None:
    before = bench.one(stream(pages(MANY)))
    assert run_killed(stage).returncode == -signal.SIGKILL
    assert bench.lake.syncs("acme_main", "things") == [before.sync]
    after = bench.one(stream(pages(MANY)))
    assert bench.lake.syncs("acme_main", "things") == [before.sync, after.sync]
    assert not any((Path(bench.lake.root) / "landed" / ".spool").glob("*")), "what the killed sync left is swept"


def test_a_full_disk_is_said_plainly_and_lands_nothing(bench: Workbench) -> None:
    bench.product(stream(pages(MANY)))
    bench.connection()
    outcome = run_killed("full")
    assert outcome.returncode == 1
    assert "disk is full" in outcome.stderr
    assert bench.lake.syncs("acme_main", "things") == []


def test_ctrl_c_keeps_the_closed_streams_and_lets_go_of_the_instance(bench: Workbench) -> None:
    def interrupted(api: Api) -> Iterator[Page]:
        yield Page(MANY)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bench.sync(stream(pages(MANY), "first"), stream(interrupted, "second"))
    assert len(bench.lake.syncs("acme_main", "first")) == 1
    assert bench.lake.syncs("acme_main", "second") == []
    assert bench.one(stream(pages(MANY), "second")).state == "complete"


def test_a_manifest_is_readable_json_with_what_the_sync_cost(bench: Workbench) -> None:
    manifest = bench.one(stream(pages(MANY)))
    written = json.loads((bench.folder(manifest) / "_manifest.json").read_text())
    assert {"requests", "waited_seconds", "content_hash", "scopes", "state"} <= set(written)
