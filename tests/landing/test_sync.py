"""A sync's verdict, and what is left when it goes wrong."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from connector_assets.kit import Api, FixPermission, Page, RetryLater, Stream
from exposure_pipelines import clock
from exposure_pipelines.errors import WorkFailed
from exposure_pipelines.home import Home
from exposure_pipelines.lake import Lake, duckdb_connection
from exposure_pipelines.landing import spool, sync
from exposure_pipelines.landing.manifest import Manifest, ScopeResult
from exposure_pipelines.landing.select import select_sync, sync_rows
from exposure_pipelines.landing.sync import run_sync
from exposure_pipelines.landing.trace import landed_record
from exposure_pipelines.landing.typed import TypedCounts
from exposure_pipelines.landing.verdict import VolumeGuard, judge_stream
from tests.landing.conftest import Pull, Workbench, pages, stream, utc

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


@pytest.mark.fault(
    "a vendor answers with nothing where there were many",
    "held as partial, nothing is retired; accepted by hand when it is true",
)
def test_t73_an_empty_answer_where_there_were_many_is_held_and_says_how_to_accept_it(bench: Workbench) -> None:
    whole = bench.one(stream(pages(MANY)))
    held = bench.one(stream(pages([])))
    chosen = select_sync(bench.lake, bench.connection(), "things", clock.utc_date())
    assert chosen is not None
    assert chosen.manifest.sync == whole.sync
    assert not held.proves_absence
    assert held.state == "partial"
    assert "--accept-volume" in (held.reason or "")
    assert bench.one(stream(pages([])), accept_volume=True).state == "complete"


def test_an_enumeration_that_lost_most_records_is_held(bench: Workbench) -> None:
    bench.one(stream(pages(MANY)))
    assert bench.one(stream(pages(MANY[:24]))).state == "partial"
    assert bench.one(stream(pages(MANY[:25]))).state == "complete"


def test_what_scopes_have_in_common_is_told_once() -> None:
    def reason(scopes: dict[str, str]) -> str | None:
        judged = {name: ScopeResult(state="partial", reason=said) for name, said in scopes.items()}
        return judge_stream(judged, TypedCounts(0, 0, 0, 0, {}), [], VolumeGuard("acme", 0.5, False, None))[1]

    page = "a sign-in page answers instead of the API"
    assert reason({"default": page}) == page
    assert (
        reason({"east": page, "west": "page 3 is missing", "north": page})
        == f"east, north: {page}; west: page 3 is missing"
    )
    assert reason({f"s{n}": page for n in range(500)}) == f"s0, s1, s2 and 497 more: {page}"
    several = {"a": "1", "b": "2", "c": "3", "d": "4", "e": "4", "f": "5"}
    assert reason(several) == "a: 1; b: 2; c: 3 (and 3 more scopes)"


def test_a_scope_that_is_not_named_any_more_is_held(bench: Workbench) -> None:
    def pull(*scopes: str) -> Pull:
        def scoped(api: Api) -> Iterator[Page]:
            yield from (Page([{"id": f"{scope}{n}"} for n in range(30)], scope) for scope in scopes)

        return scoped

    bench.one(stream(pull("north", "south")))
    held = bench.one(stream(pull("north")))
    assert (held.state, held.scopes["north"].state, held.scopes["south"].state) == ("partial", "complete", "partial")
    assert bench.one(stream(pull("north")), accept_volume=True).state == "complete"
    assert bench.one(stream(pull("north"))).state == "complete"


def test_many_small_scopes_that_all_shrink_are_held_together(bench: Workbench) -> None:
    def pull(each: int) -> Pull:
        def scoped(api: Api) -> Iterator[Page]:
            yield from (Page([{"id": f"{s}-{n}"} for n in range(each)], f"scope{s}") for s in range(10))

        return scoped

    bench.one(stream(pull(10)))
    held = bench.one(stream(pull(1)))
    assert held.state == "partial"
    assert "100" in (held.reason or "")


def test_what_was_read_through_a_partial_stream_is_no_more_than_partial(bench: Workbench) -> None:
    cut = fails_after(RetryLater("no answer"), MANY)
    report = bench.sync(stream(cut, "first"), stream(pages(MANY), "second", needs=("first",)))  # type: ignore[arg-type]
    assert [manifest.state for manifest in report.streams] == ["partial", "partial"]
    assert "read through stream first" in (report.streams[1].reason or "")


def test_what_cannot_be_typed_ends_its_stream_only(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    write = sync.write_typed

    def broken(database: object, folder: Path, typed_stream: Stream, *rest: object) -> object:
        if typed_stream.name == "first":
            raise ValueError("out of order")
        return write(database, folder, typed_stream, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(sync, "write_typed", broken)
    report = bench.sync(stream(pages(MANY), "first"), stream(pages(MANY), "second"))
    assert [manifest.state for manifest in report.streams] == ["failed", "complete"]
    assert "could not be typed" in (report.streams[0].reason or "")


def test_a_database_that_broke_on_one_stream_is_not_given_to_the_next(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, seen = sync.write_typed, []

    def broken(database: duckdb.DuckDBPyConnection, folder: Path, typed_stream: Stream, *rest: object) -> object:
        seen.extend(database.execute("SELECT table_name FROM duckdb_tables()").fetchall())
        if typed_stream.name == "second":
            database.execute("CREATE TABLE left_behind (id INTEGER)")
            raise duckdb.FatalException("the database has been invalidated")
        return write(database, folder, typed_stream, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(sync, "write_typed", broken)
    report = bench.sync(*(stream(pages(MANY), name) for name in ("first", "second", "third")))
    assert [manifest.state for manifest in report.streams] == ["complete", "failed", "complete"]
    assert seen == []


def test_times_without_a_zone_are_utc_wherever_the_machine_stands(tmp_path: Path) -> None:
    code = (
        "from exposure_pipelines.home import Home; from exposure_pipelines.lake import Lake, duckdb_connection; "
        "home = Home.from_env().ensure(); database = duckdb_connection(home, Lake.of(home)); "
        "print(database.cursor().execute(\"SELECT '2026-01-02 03:04:05'::TIMESTAMPTZ = '2026-01-02 03:04:05+00'\").fetchone())"
    )
    environment = {**os.environ, "EXPOSURE_HOME": str(tmp_path / "home"), "TZ": "America/New_York"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "(True,)"


def test_a_disk_that_is_full_at_the_last_flush_is_said_and_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        def __enter__(self) -> Full:
            return self

        def write(self, block: bytes) -> None:
            pass

        def __exit__(self, *error: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(spool.pa, "CompressedOutputStream", lambda *_: Full())
    open_spool = spool.Spool(tmp_path / "spool")
    open_spool.add([{"id": "a"}], "default", None)
    caught: list[OSError] = []

    def close() -> None:
        try:
            open_spool.close()
        except OSError as error:
            caught.append(error)

    closing = threading.Thread(target=close, daemon=True)
    closing.start()
    closing.join(60)
    assert not closing.is_alive(), "close waits for a thread that is done"
    assert [error.errno for error in caught] == [errno.ENOSPC]


def test_a_secret_in_an_unforeseen_error_reaches_neither_log_nor_manifest(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("ACME_TOKEN", "hunter2-secret")

    def pull(api: Api) -> Iterator[Page]:
        token = api.settings.secrets["token"]
        yield Page(MANY)
        raise ValueError(f"unexpected answer to {token}")

    connector = bench.product(stream(pull))
    connection = bench.connection(text="product: acme\ncredentials: {token: {env: ACME_TOKEN}}\n")
    report = run_sync(connection, connector, bench.home, bench.lake)
    assert "unexpected answer" in (report.streams[0].reason or "")
    assert "hunter2" not in caplog.text + (report.streams[0].reason or "")


def test_homes_that_share_a_lake_do_not_sweep_each_others_spools(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("EXPOSURE_LAKE_URL", str(tmp_path / "shared"))
    bench.home = Home.from_env().ensure()
    connector = bench.product(stream(pages(MANY)))

    def pull(api: Api) -> Iterator[Page]:
        yield Page(MANY)
        monkeypatch.setenv("EXPOSURE_HOME", str(tmp_path / "other"))
        other = Home.from_env().ensure()
        with pytest.raises(WorkFailed, match=r"being synced already \(process \d+, since "):
            run_sync(bench.connection(), connector, other, Lake.of(other))

    assert bench.one(stream(pull)).state == "complete"


def test_a_lake_on_an_fsspec_address_lands_selects_and_traces(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPOSURE_LAKE_URL", f"memory://{bench.home.root.name}-{os.getpid()}/lake")
    bench.home = Home.from_env().ensure()

    def through(api: Api) -> Iterator[Page]:
        yield Page([{"id": f"of-{record['id']}"} for record in api.records("things")])

    streams = (stream(pages(MANY)), stream(through, "parts", needs=("things",)))
    report = bench.sync(*streams)
    assert [(manifest.state, manifest.records) for manifest in report.streams] == [("complete", 50), ("complete", 50)]
    chosen = select_sync(bench.lake, bench.connection(), "parts", clock.utc_date())
    assert chosen is not None
    path = f"{bench.lake.landed('acme_main', 'parts')}/{chosen.manifest.sync}/records.parquet"
    with duckdb_connection(bench.home, bench.lake) as database:
        assert database.execute(f"SELECT count(*) FROM read_parquet('{path}')").fetchone() == (50,)
    assert landed_record(bench.lake, "acme_main", "parts", report.sync, 3).record == {"id": "of-3"}
    assert not list((bench.home.scratch / "landed" / ".spool").glob("*")), "spools do not stay behind"


def test_landed_files_are_their_owners_alone(bench: Workbench) -> None:
    folder = bench.folder(bench.one(stream(pages(MANY))))
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_past_date_does_not_read_the_manifests_of_later_syncs(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in range(1, 6):
        bench.at(f"2026-03-0{day}T08:00:00Z")
        bench.one(stream(pages(MANY)))
    read: list[str] = []
    manifest = Lake.manifest

    def counted(lake: Lake, instance: str, stream_name: str, sync_id: str) -> Manifest:
        read.append(sync_id)
        return manifest(lake, instance, stream_name, sync_id)

    monkeypatch.setattr(Lake, "manifest", counted)
    chosen = select_sync(bench.lake, bench.connection(), "things", utc("2026-03-02").date())
    assert chosen is not None
    assert chosen.manifest.finished_at.day == 2
    assert len(read) == 1


def test_every_configured_stream_has_a_status_also_when_never_synced(bench: Workbench) -> None:
    bench.product(stream(pages(MANY)))
    rows = list(sync_rows(bench.lake, (bench.connection(),), clock.utc_date()))
    assert [(row["instance"], row["stream"], row["state"]) for row in rows] == [("acme_main", "things", "never")]


def test_t72_a_pull_that_fails_on_page_7_of_20_is_partial_and_the_rows_before_it_stay(bench: Workbench) -> None:
    twenty = [[{"id": f"{page}-{number}"} for number in range(5)] for page in range(20)]
    bench.at("2026-03-01T08:00:00Z")
    whole = bench.one(stream(pages(*twenty)))
    bench.at("2026-03-01T12:00:00Z")
    cut = bench.one(stream(fails_after(RetryLater("gone"), *twenty[:6])))  # type: ignore[arg-type]
    assert (cut.state, cut.records, cut.proves_absence) == ("partial", 30, False)
    chosen = select_sync(bench.lake, bench.connection(), "things", utc("2026-03-01").date())
    assert chosen is not None
    assert (chosen.manifest.sync, chosen.manifest.records) == (whole.sync, 100)
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


def test_a_sync_looks_seldom_for_cycles_and_leaves_the_collector_as_it_was(bench: Workbench) -> None:
    import gc

    before, within = gc.get_threshold(), []

    def pull(api: Api) -> Iterator[Page]:
        within.append(gc.get_threshold())
        yield Page([{"id": "a"}])

    bench.one(stream(pull))
    assert within[0][0] > before[0]
    assert gc.get_threshold() == before


def test_one_secret_among_many_records_is_found(bench: Workbench) -> None:
    records: list[dict[str, object]] = [{"id": str(number), "name": "password"} for number in range(2500)]
    records[1700]["raw"] = {"password": "hunter2-rare"}
    manifest = bench.one(stream(pages(records), drop_fields=("owner.password", "password")))
    assert [file for file in bench.folder(manifest).iterdir() if b"hunter2" in uncompressed(file)] == []
    assert manifest.records == 2500
    assert landed_record(bench.lake, "acme_main", "things", manifest.sync, 1700).record["raw"] == {}


def test_a_dotted_secret_is_dropped_wherever_its_parts_lie(bench: Workbench) -> None:
    record = {
        "id": "a",
        "owner": {"password": "hunter2-top", "name": "kept"},
        "raw": {"owners": [{"owner": [{"password": "hunter2-deep"}]}]},
        "owner.password": "hunter2-literal",
    }
    manifest = bench.one(stream(pages([record]), drop_fields=("owner.password",)))
    assert [file for file in bench.folder(manifest).iterdir() if b"hunter2" in uncompressed(file)] == []
    assert landed_record(bench.lake, "acme_main", "things", manifest.sync, 0).record["owner"] == {"name": "kept"}


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
        landed = land(self, *arguments)
        if sys.argv[1] == "landed":
            os.kill(os.getpid(), signal.SIGKILL)
        return landed
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
        timeout=300,
    )


@pytest.mark.fault(
    "kill -9 in a sync: while pulling, typing, landing", "the next sync sweeps what was left and lands whole"
)
@pytest.mark.parametrize("stage", ["pulling", "typing", "landing", "landed"])
def test_a_kill_at_any_stage_leaves_nothing_visible_and_the_next_sync_recovers(bench: Workbench, stage: str) -> None:
    before = bench.one(stream(pages(MANY)))
    assert run_killed(stage).returncode == -signal.SIGKILL
    kept = list(bench.lake.manifests("acme_main", "things"))
    assert [(one.state, one.records) for one in kept] == [("complete", 1000)] * (stage == "landed") + [("complete", 50)]
    assert kept[-1].sync == before.sync
    after = bench.one(stream(pages(MANY)), accept_volume=True)
    assert (after.state, after.records) == ("complete", 50)
    assert bench.lake.syncs("acme_main", "things")[-1] == after.sync
    assert len(bench.lake.syncs("acme_main", "things")) == len(kept) + 1
    assert not any((Path(bench.lake.root) / "landed" / ".spool").glob("*")), "what the killed sync left is swept"


@pytest.mark.fault("the disk is full in a sync", "the sync says so and lands nothing; the one before stays")
def test_a_full_disk_is_said_plainly_and_lands_nothing(bench: Workbench) -> None:
    bench.product(stream(pages(MANY)))
    bench.connection()
    outcome = run_killed("full")
    assert outcome.returncode == 1
    assert "disk is full" in outcome.stderr
    assert bench.lake.syncs("acme_main", "things") == []


@pytest.mark.fault("Ctrl-C in a sync", "closed streams stay, the instance is free at once")
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
