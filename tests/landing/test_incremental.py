"""Incremental syncs: what they ask for, what they carry over, and every way in which they must not be believed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from connector_assets.kit import Api, BadRequest, ConnectorError, CursorExpired, Incremental, Page, RetryLater, Stream
from exposure_pipelines import clock, retention
from exposure_pipelines.assets.landed import pulled
from exposure_pipelines.cli.asset_story import landed_place
from exposure_pipelines.home import Home
from exposure_pipelines.landing.manifest import Manifest
from exposure_pipelines.landing.select import select_sync
from exposure_pipelines.landing.trace import Origin, landed_record
from tests.landing.conftest import Workbench, stream, utc

TEXT = "product: acme\nfull_every_hours: 24\n"
OVERLAP = timedelta(minutes=5)


@dataclass
class Vendor:
    """Things with the moment of their last change, given page by page."""

    things: dict[str, tuple[dict[str, Any], datetime]] = field(default_factory=dict)
    deleted: dict[str, datetime] = field(default_factory=dict)
    asked: list[datetime | None] = field(default_factory=list)
    memories: list[dict[str, str]] = field(default_factory=list)
    reports_deletes: bool = True
    fails: Callable[[Api], ConnectorError | None] = lambda api: None
    extra: Callable[[Api], None] = lambda api: None

    def put(self, *ids: str, scope: str = "default", **fields: Any) -> None:
        for key in ids:
            self.things[key] = ({"id": key, "scope": scope, **fields}, clock.now())

    def drop(self, *ids: str) -> None:
        for key in ids:
            del self.things[key]
            self.deleted[key] = clock.now()

    def pull(self, api: Api) -> Iterator[Page]:
        since = api.since
        self.asked.append(since)
        self.memories.append(dict(api.memory))
        self.extra(api)
        wanted = [thing for thing, changed in self.things.values() if since is None or changed >= since]
        wanted = [t for t in wanted if api.window_start is None or "seen" not in t or utc_of(t) >= api.window_start]
        for start in range(0, len(wanted), 10):
            for scope in dict.fromkeys(thing["scope"] for thing in wanted[start : start + 10]):
                yield Page([t for t in wanted[start : start + 10] if t["scope"] == scope], scope)
        if since is not None and self.reports_deletes:
            api.remove(key for key, moment in self.deleted.items() if moment >= since)
        error = self.fails(api)
        if error:
            raise error

    def stream(self, **settings: Any) -> Stream:
        return stream(self.pull, incremental=Incremental(OVERLAP, **settings.pop("incremental", {})), **settings)


def utc_of(thing: dict[str, Any]) -> datetime:
    return utc(thing["seen"])


@dataclass
class Acme:
    """The workbench with one incremental stream over a vendor."""

    bench: Workbench
    vendor: Vendor
    settings: dict[str, Any] = field(default_factory=dict)
    text: str = TEXT

    def sync(self, moment: str, **options: Any) -> Manifest:
        self.bench.at(moment)
        return self.bench.one(self.vendor.stream(**self.settings), text=self.text, **options)

    def ids(self, manifest: Manifest) -> set[str]:
        return {row[0] for row in self.bench.rows(manifest, "_record_id")}

    def same_as_a_full_pull(self, manifest: Manifest) -> None:
        """Every record is the one that asking for everything, now, gives."""
        columns = "* EXCLUDE (_page, _row)"
        merged = self.bench.rows(manifest, columns)
        full = self.sync(clock.now().isoformat(), accept_volume=True)
        assert full.kind == "full"
        assert merged == self.bench.rows(full, columns)
        assert {n: s.records for n, s in manifest.scopes.items()} == {n: s.records for n, s in full.scopes.items()}


@pytest.fixture
def acme(bench: Workbench) -> Acme:
    bench.at("2026-11-20T06:00:00Z")
    vendor = Vendor()
    vendor.put(*(f"a{n}" for n in range(30)), name="old")
    vendor.put(*(f"b{n}" for n in range(30)), name="old", scope="south")
    return Acme(bench, vendor)


def kinds(*manifests: Manifest) -> list[str]:
    return [manifest.kind for manifest in manifests]


# What is asked for ---------------------------------------------------------------------------------------------------


def test_without_the_setting_every_sync_is_a_full_one(acme: Acme) -> None:
    acme.text = "product: acme\n"
    assert kinds(acme.sync("2026-11-20T06:30:00Z"), acme.sync("2026-11-20T08:30:00Z")) == ["full", "full"]
    assert acme.vendor.asked == [None, None]


def test_changes_are_asked_for_from_the_start_of_the_sync_before_minus_the_overlap(acme: Acme) -> None:
    first = acme.sync("2026-11-20T06:30:00Z")
    second = acme.sync("2026-11-20T08:30:00Z")
    third = acme.sync("2026-11-20T10:30:00Z")
    assert kinds(first, second, third) == ["full", "incremental", "incremental"]
    assert acme.vendor.asked == [None, first.started_at - OVERLAP, second.started_at - OVERLAP]
    assert second.merged is not None
    assert third.merged is not None
    assert (third.merged.base, third.merged.full, third.merged.full_started_at) == (
        second.sync,
        first.sync,
        first.started_at,
    )


def test_a_change_made_while_the_sync_before_ran_is_not_lost(acme: Acme) -> None:
    """`since` is the start of the sync before: its end comes after what it could not see any more."""

    def meanwhile(api: Api) -> None:
        if api.since is None:
            acme.vendor.extra = lambda api: None
            acme.bench.at("2026-11-20T07:00:00Z")

    acme.vendor.extra = meanwhile
    first = acme.sync("2026-11-20T06:30:00Z")
    assert first.finished_at == utc("2026-11-20T07:00:00")
    acme.bench.at("2026-11-20T06:45:00Z")
    acme.vendor.put("a0", name="changed meanwhile")
    second = acme.sync("2026-11-20T08:30:00Z")
    assert ("a0", "changed meanwhile") in acme.bench.rows(second, "_record_id, name")


def test_a_full_pull_is_due_after_full_every_hours_counted_from_the_start_of_the_chain(acme: Acme) -> None:
    found = [acme.sync(f"2026-11-{20 + h // 24}T{h % 24:02}:30:00Z") for h in (6, 18, 29, 30, 31)]
    assert kinds(*found) == ["full", "incremental", "incremental", "full", "incremental"]


def test_a_change_of_the_options_or_of_the_declaration_asks_for_everything(acme: Acme) -> None:
    acme.sync("2026-11-20T06:30:00Z")
    acme.text = TEXT + "window_days: 30\n"
    assert acme.sync("2026-11-20T07:30:00Z").kind == "full"
    acme.settings = {"drop_fields": ("secret",)}
    assert kinds(acme.sync("2026-11-20T08:30:00Z"), acme.sync("2026-11-20T09:30:00Z")) == ["full", "incremental"]
    acme.text += "base_url: http://127.0.0.1:10\n"
    assert acme.sync("2026-11-20T10:30:00Z").kind == "full"


def test_a_vendor_that_forgets_its_changes_is_not_asked_beyond_that(acme: Acme) -> None:
    acme.settings = {"incremental": {"keeps": timedelta(hours=3)}}
    found = [acme.sync(f"2026-11-20T{hour:02}:30:00Z") for hour in (6, 9, 10)]
    assert kinds(*found) == ["full", "full", "incremental"]


def test_a_sync_older_than_the_window_is_not_gone_on_from(acme: Acme) -> None:
    """What a vendor deleted before the window is in none of its lists of deletions."""
    acme.text = "product: acme\nfull_every_hours: 744\nwindow_days: 2\n"
    found = [acme.sync(f"2026-11-{day}T06:30:00Z") for day in (20, 21, 24)]
    assert kinds(*found) == ["full", "incremental", "full"]


def test_a_sync_from_the_future_is_not_gone_on_from(acme: Acme) -> None:
    acme.sync("2026-11-20T12:30:00Z")
    assert acme.sync("2026-11-20T06:30:00Z").kind == "full"


def test_accepting_a_volume_asks_for_everything(acme: Acme) -> None:
    acme.sync("2026-11-20T06:30:00Z")
    assert acme.sync("2026-11-20T07:30:00Z", accept_volume=True).kind == "full"


# What is landed ------------------------------------------------------------------------------------------------------


def test_changed_new_and_deleted_records_give_what_a_full_pull_gives(acme: Acme) -> None:
    acme.sync("2026-11-20T06:30:00Z")
    for hour in (8, 10, 12):
        acme.bench.at(f"2026-11-20T{hour:02}:00:00Z")
        acme.vendor.put(f"a{hour}", name=f"changed at {hour}")
        acme.vendor.put(f"new{hour}", name="new", scope="south")
        acme.vendor.drop(f"b{hour}")
        found = acme.sync(f"2026-11-20T{hour:02}:30:00Z")
        assert (found.kind, found.state, found.records) == ("incremental", "complete", 60)
        assert found.merged is not None
        assert (found.merged.changed, found.merged.removed, found.merged.carried) == (2, 1, 58)
    acme.same_as_a_full_pull(found)


def test_a_record_that_moves_to_another_scope_is_there_once(acme: Acme) -> None:
    acme.sync("2026-11-20T06:30:00Z")
    acme.bench.at("2026-11-20T07:00:00Z")
    acme.vendor.put("a0", scope="south")
    found = acme.sync("2026-11-20T07:30:00Z")
    assert {name: scope.records for name, scope in found.scopes.items()} == {"default": 29, "south": 31}
    acme.same_as_a_full_pull(found)


def test_a_sync_without_any_change_lands_the_same_records(acme: Acme) -> None:
    first, second = acme.sync("2026-11-20T06:30:00Z"), acme.sync("2026-11-20T08:30:00Z")
    assert (second.kind, second.records, second.content_hash) == ("incremental", 60, first.content_hash)
    assert acme.bench.rows(second, "* EXCLUDE (_page, _row)") == acme.bench.rows(first, "* EXCLUDE (_page, _row)")


def test_a_record_that_is_gone_and_there_again_is_there(acme: Acme) -> None:
    acme.sync("2026-11-20T06:30:00Z")
    acme.bench.at("2026-11-20T07:00:00Z")
    acme.vendor.drop("a1")
    acme.vendor.put("a1", name="back")
    assert ("a1", "back") in acme.bench.rows(acme.sync("2026-11-20T07:30:00Z"), "_record_id, name")


def test_a_record_twice_among_the_changes_counts_once_and_its_last_form_wins(acme: Acme) -> None:
    acme.sync("2026-11-20T06:30:00Z")
    acme.bench.at("2026-11-20T07:00:00Z")

    def twice(api: Api) -> Iterator[Page]:
        if api.since is None:
            yield from acme.vendor.pull(api)
        else:
            yield Page([{"id": "a0", "name": "first"}, {"id": "a0", "name": "last"}])

    acme.vendor.stream = lambda **settings: stream(twice, incremental=Incremental(OVERLAP))  # type: ignore[method-assign]
    found = acme.sync("2026-11-20T07:30:00Z")
    assert (found.kind, found.records, found.duplicates) == ("incremental", 60, 1)
    assert ("a0", "last") in acme.bench.rows(found, "_record_id, name")


def test_records_may_be_gone_by_another_field_than_their_id(acme: Acme) -> None:
    acme.vendor.put("c1", "c2", cloud={"id": "gone"})
    acme.sync("2026-11-20T06:30:00Z")
    acme.vendor.extra = lambda api: api.remove(["gone"], "cloud.id") if api.since else None
    found = acme.sync("2026-11-20T07:30:00Z")
    assert found.merged is not None
    assert (found.records, found.merged.removed) == (60, 2)


def test_records_carried_over_leave_with_the_window_by_the_vendors_own_field(acme: Acme) -> None:
    acme.settings = {"incremental": {"ages_by": ("seen",)}}
    acme.text += "window_days: 1\n"
    acme.vendor.put("a0", seen="2026-11-19T07:00:00")
    acme.vendor.put("a1", seen="2026-11-19T08:00:00")
    first = acme.sync("2026-11-20T06:30:00Z")
    found = acme.sync("2026-11-20T07:30:00Z")
    assert acme.ids(first) - acme.ids(found) == {"a0"}
    assert found.merged is not None
    assert found.merged.aged_out == 1
    acme.same_as_a_full_pull(found)


def test_streams_that_need_it_read_the_whole_state(acme: Acme) -> None:
    """A stream that asks for each record of another would else ask for the changed ones only, and call itself complete."""
    seen: list[int] = []

    def children(api: Api) -> Iterator[Page]:
        seen.append(len(list(api.records("things"))))
        yield Page([{"id": "x"}])

    acme.sync("2026-11-20T06:30:00Z")
    acme.bench.at("2026-11-20T07:30:00Z")
    acme.vendor.put("a0", name="changed")
    report = acme.bench.sync(acme.vendor.stream(), stream(children, "children", needs=("things",)), text=TEXT)
    assert kinds(*report.streams) == ["incremental", "full"]
    assert seen == [60]


# What it proves ------------------------------------------------------------------------------------------------------


def test_only_the_next_full_pull_proves_what_a_vendor_deleted_without_a_word(acme: Acme) -> None:
    acme.vendor.reports_deletes = False
    acme.sync("2026-11-20T06:30:00Z")
    acme.bench.at("2026-11-20T07:00:00Z")
    acme.vendor.drop("a0", "b0")
    assert {"a0", "b0"} <= acme.ids(acme.sync("2026-11-20T07:30:00Z"))
    full = acme.sync("2026-11-21T07:30:00Z")
    assert full.kind == "full"
    assert not {"a0", "b0"} & acme.ids(full)


@pytest.mark.parametrize("ending", ["broken", "partial", "rejected", "fewer than counted"])
def test_what_ends_incomplete_never_moves_since_forward(acme: Acme, ending: str) -> None:
    first = acme.sync("2026-11-20T06:30:00Z")
    acme.bench.at("2026-11-20T07:00:00Z")
    acme.vendor.put("a0", name="changed")
    if ending == "broken":
        acme.vendor.fails = lambda api: RetryLater("no answer")
    elif ending == "partial":
        acme.vendor.extra = lambda api: api.partial("chunk 2 cannot be read")
    elif ending == "fewer than counted":
        # sixty are there when the carried ones count as well
        acme.vendor.extra = lambda api: api.expect(3)
    else:
        acme.vendor.things[""] = ({"name": "no id", "scope": "default"}, clock.now())
    held = acme.sync("2026-11-20T07:30:00Z")
    assert (held.kind, held.state) == ("incremental", "partial")
    chosen = select_sync(acme.bench.lake, acme.bench.connection(text=TEXT), "things", date(2026, 11, 20))
    assert chosen is not None
    assert chosen.manifest.sync == first.sync
    acme.vendor.fails, acme.vendor.extra = (lambda api: None), (lambda api: None)
    acme.vendor.things.pop("", None)
    again = acme.sync("2026-11-20T08:30:00Z")
    assert acme.vendor.asked[-1] == first.started_at - OVERLAP
    assert ("a0", "changed") in acme.bench.rows(again, "_record_id, name")


def test_a_failed_incremental_sync_changes_nothing(acme: Acme) -> None:
    first = acme.sync("2026-11-20T06:30:00Z")
    acme.vendor.fails = lambda api: RetryLater("no answer")
    acme.vendor.things.clear()
    assert acme.sync("2026-11-20T07:30:00Z").state == "failed"
    acme.vendor.fails = lambda api: None
    acme.vendor.put("a0", name="changed")
    found = acme.sync("2026-11-20T08:30:00Z")
    assert acme.vendor.asked[-1] == first.started_at - OVERLAP
    assert found.records == 60


def test_a_partial_full_pull_does_not_begin_a_chain_nor_renew_the_old_one(acme: Acme) -> None:
    acme.sync("2026-11-20T06:30:00Z")
    acme.vendor.extra = lambda api: api.partial("a page is missing")
    assert acme.sync("2026-11-21T06:30:00Z").kind == "full"
    acme.vendor.extra = lambda api: None
    assert acme.sync("2026-11-21T07:30:00Z").kind == "full"


@pytest.mark.parametrize(
    "error", [CursorExpired("gone"), BadRequest("too old", status=400), ConnectorError("gone", status=410)]
)
def test_a_since_that_is_too_old_for_the_vendor_falls_back_to_everything_in_the_same_sync(
    acme: Acme, error: ConnectorError
) -> None:
    acme.sync("2026-11-20T06:30:00Z")
    acme.bench.at("2026-11-20T07:00:00Z")
    del acme.vendor.things["a0"]
    acme.vendor.put("a1", name="changed")
    acme.vendor.fails = lambda api: error if api.since else None
    found = acme.sync("2026-11-20T07:30:00Z")
    assert (found.kind, found.state, found.records) == ("full", "complete", 59)
    assert acme.vendor.asked[1] is not None
    assert acme.vendor.asked[2] is None
    assert any("everything was asked for" in note and error.message in note for note in found.notes)


def test_the_volume_guard_compares_the_merged_state(acme: Acme) -> None:
    """A handful of changes is no collapse, and a vendor that reports most records as gone is one."""
    acme.sync("2026-11-20T06:30:00Z")
    acme.bench.at("2026-11-20T07:00:00Z")
    acme.vendor.put("a0", name="changed")
    assert acme.sync("2026-11-20T07:30:00Z").state == "complete"
    acme.bench.at("2026-11-20T08:00:00Z")
    acme.vendor.drop(*(f"a{n}" for n in range(20)), *(f"b{n}" for n in range(25)))
    held = acme.sync("2026-11-20T08:30:00Z")
    assert (held.kind, held.state, held.records) == ("incremental", "partial", 15)
    assert "--accept-volume" in (held.reason or "")
    accepted = acme.sync("2026-11-20T09:30:00Z", accept_volume=True)
    assert (accepted.kind, accepted.state, accepted.records) == ("full", "complete", 15)


def test_a_scope_without_changes_stays_enumerated(acme: Acme) -> None:
    acme.sync("2026-11-20T06:30:00Z")
    acme.bench.at("2026-11-20T07:00:00Z")
    acme.vendor.put("a0", name="changed")
    found = acme.sync("2026-11-20T07:30:00Z")
    assert {name: (scope.state, scope.records) for name, scope in found.scopes.items()} == {
        "default": ("complete", 30),
        "south": ("complete", 30),
    }


# What else it goes by ------------------------------------------------------------------------------------------------


def test_a_vendors_position_is_remembered_by_complete_syncs_only(acme: Acme) -> None:
    acme.vendor.extra = lambda api: api.remember("link", f"position {len(acme.vendor.asked)}")
    acme.sync("2026-11-20T06:30:00Z")
    acme.vendor.fails = lambda api: RetryLater("no answer")
    acme.vendor.put("a0")
    acme.sync("2026-11-20T07:30:00Z")
    acme.vendor.fails = lambda api: None
    acme.sync("2026-11-20T08:30:00Z")
    acme.sync("2026-11-20T09:30:00Z")
    assert [memory.get("link") for memory in acme.vendor.memories] == [None, "position 1", "position 1", "position 3"]


@pytest.mark.parametrize("state", ["complete", "partial", "not pulled"])
def test_a_stream_that_another_one_tells_what_is_gone_needs_it_complete(bench: Workbench, state: str) -> None:
    bench.at("2026-11-20T06:30:00Z")
    asked: list[datetime | None] = []

    def things(api: Api) -> Iterator[Page]:
        asked.append(api.since)
        yield Page([{"id": "a"}])
        if api.since is not None:
            api.remove(record["id"] for record in api.records("gone"))

    def gone(api: Api) -> Iterator[Page]:
        yield Page([{"id": "b"}])
        if state == "partial":
            api.partial("a page is missing")

    declared = (
        stream(things, "things", incremental=Incremental(OVERLAP, through=("gone",))),
        stream(gone, "gone", may_be_empty=True),
    )

    wanted = ["things"] if state == "not pulled" else None
    for moment in ("2026-11-20T06:30:00Z", "2026-11-20T07:30:00Z"):
        bench.at(moment)
        report = bench.sync(*declared, text=TEXT, streams=wanted)
    assert [m.stream for m in report.streams] == (["things"] if wanted else ["gone", "things"])
    assert (asked[-1] is not None) == (state == "complete")


# Where it lies -------------------------------------------------------------------------------------------------------


def test_a_record_that_was_carried_over_names_the_sync_and_page_that_got_it(acme: Acme) -> None:
    first = acme.sync("2026-11-20T06:30:00Z")
    acme.bench.at("2026-11-20T07:00:00Z")
    acme.vendor.put("a0", name="changed")
    second = acme.sync("2026-11-20T07:30:00Z")
    third = acme.sync("2026-11-20T08:30:00Z")
    places = {row[0]: row[1:] for row in acme.bench.rows(third, "_record_id, _row, _page")}
    origins = {}
    for key in ("a0", "a15", "b29"):
        row, page = places[key]
        found = landed_record(acme.bench.lake, "acme_main", "things", third.sync, row)
        assert (found.record["id"], found.page) == (key, page)
        origins[key] = found.landed_by
    earlier = {row[0]: row[1] for row in acme.bench.rows(first, "_record_id, _page")}
    assert origins["a0"] is not None
    assert origins["a0"].sync == second.sync
    assert origins["a15"] == Origin(first.sync, earlier["a15"])
    assert origins["b29"] == Origin(first.sync, earlier["b29"])
    assert landed_record(acme.bench.lake, "acme_main", "things", first.sync, 0).landed_by is None


def test_retention_may_take_every_sync_before_the_newest(acme: Acme) -> None:
    """Each landed sync stands alone: nothing of a chain is needed to read, explain or go on from its newest."""
    acme.text = "product: acme\nfull_every_hours: 744\n"
    for day in range(1, 7):
        acme.sync(f"2026-11-{day:02}T06:30:00Z")
    newest = acme.sync("2026-11-07T06:30:00Z")
    folder = acme.bench.folder(newest)
    acme.bench.at("2026-11-20T06:30:00Z")
    removals = retention.plan(acme.bench.home, acme.bench.lake, retention.Rules(days=5))
    assert len([r for r in removals if r.kind == "landed"]) == 4
    retention.remove(acme.bench.home, acme.bench.lake, removals)
    for other in folder.parent.iterdir():
        if other != folder:
            shutil.rmtree(other)
    assert landed_record(acme.bench.lake, "acme_main", "things", newest.sync, 59).record["id"] == "b29"
    found = acme.sync("2026-11-20T06:30:00Z")
    assert (found.kind, found.records) == ("incremental", 60)


@pytest.mark.parametrize("file", ["records.parquet", "pages.json", "pages-00000.jsonl.zst"])
def test_a_base_that_cannot_be_read_any_more_falls_back_to_everything(acme: Acme, file: str) -> None:
    first = acme.sync("2026-11-20T06:30:00Z")
    (acme.bench.folder(first) / file).unlink()
    found = acme.sync("2026-11-20T07:30:00Z")
    assert (found.kind, found.state, found.records) == ("full", "complete", 60)
    assert any("cannot be gone on from" in note for note in found.notes)


def test_secret_fields_stay_out_of_what_is_carried_over(acme: Acme) -> None:
    acme.settings = {"drop_fields": ("password",)}
    acme.vendor.put("a0", password="s3cret-value")
    acme.sync("2026-11-20T06:30:00Z")
    acme.bench.at("2026-11-20T07:00:00Z")
    acme.vendor.put("a1", password="s3cret-value")
    found = acme.sync("2026-11-20T07:30:00Z")
    assert found.kind == "incremental"
    for row in range(60):
        record = landed_record(acme.bench.lake, "acme_main", "things", found.sync, row).record
        assert "password" not in record


def test_an_incremental_sync_goes_on_from_a_lake_on_object_storage(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsspec = pytest.importorskip("fsspec")
    fsspec.filesystem("memory").store.clear()
    monkeypatch.setenv("EXPOSURE_LAKE_URL", "memory://lake")
    bench.home = Home.from_env().ensure()
    bench.at("2026-11-20T06:00:00Z")
    vendor = Vendor()
    vendor.put(*(f"a{n}" for n in range(30)), cloud={"id": "c"})
    acme = Acme(bench, vendor)
    acme.sync("2026-11-20T06:30:00Z")
    bench.at("2026-11-20T07:00:00Z")
    vendor.put("a1", name="changed")
    vendor.drop("a2")
    found = acme.sync("2026-11-20T07:30:00Z")
    assert found.merged is not None
    assert (found.state, found.records, found.notes) == ("complete", 29, [])
    assert (found.merged.changed, found.merged.removed, found.merged.carried) == (1, 1, 28)
    assert landed_record(bench.lake, "acme_main", "things", found.sync, 0).landed_by is not None
    fsspec.filesystem("memory").store.clear()


def test_known_values_are_those_that_would_be_carried_over(acme: Acme) -> None:
    seen: list[set[str]] = []
    acme.vendor.put("c1", cloud={"id": "one"})
    acme.vendor.extra = lambda api: seen.append(api.known("cloud.id") | {str(len(api.known()))})
    acme.sync("2026-11-20T06:30:00Z")
    acme.sync("2026-11-20T07:30:00Z")
    assert seen == [{"0"}, {"one", "61"}]


def test_a_scope_that_is_empty_stays_enumerated(bench: Workbench) -> None:
    def pull(api: Api) -> Iterator[Page]:
        if api.since is None:
            api.enumerates("north", "south")
            yield Page([{"id": "a"}], "north")

    for hour in (6, 7):
        bench.at(f"2026-11-20T{hour:02}:30:00Z")
        found = bench.one(stream(pull, incremental=Incremental(OVERLAP)), text=TEXT)
    assert found.kind == "incremental"
    assert {name: (scope.state, scope.records) for name, scope in found.scopes.items()} == {
        "north": ("complete", 1),
        "south": ("complete", 0),
    }


def test_explain_says_which_sync_got_a_record_from_the_vendor(acme: Acme) -> None:
    first = acme.sync("2026-11-20T06:30:00Z")
    second = acme.sync("2026-11-20T07:30:00Z")
    record = {"instance": "acme_main", "stream": "things", "sync": second.sync, "page": 0, "row_number": 0}
    place = f"acme_main/things/{second.sync} page 0 row 0"
    assert landed_place(acme.bench.lake, record) == f"{place} (carried over; got by {first.sync} page 0)"
    shutil.rmtree(acme.bench.folder(first))
    assert "carried over" in landed_place(acme.bench.lake, record)
    shutil.rmtree(acme.bench.folder(second))
    assert landed_place(acme.bench.lake, record) == f"{place} (removed by retention)"


def test_dagster_shows_what_was_asked_for_and_what_became_of_it(acme: Acme) -> None:
    first = acme.sync("2026-11-20T06:30:00Z")
    acme.bench.at("2026-11-20T07:00:00Z")
    acme.vendor.put("a0", name="changed")
    acme.vendor.drop("a1")
    second = acme.sync("2026-11-20T07:30:00Z")
    assert pulled(first) == "everything"
    assert pulled(second) == (
        "changes since 2026-11-20 06:25:00 UTC: 1 changed, 1 gone, 0 out of the window, "
        f"58 carried over from sync {first.sync}; the last full one is {first.sync}"
    )
