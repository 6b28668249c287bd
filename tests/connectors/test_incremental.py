"""Incremental pulls of each vendor: over the days of the demo estate they land what asking for everything lands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from connector_assets import registry
from connector_assets.entra_id import delta
from connector_assets.kit import Api, Page, Secrets, Settings
from connector_assets.kit.budgets import Allowance
from connector_assets.qualys.streams import ids_of
from connector_assets.tenable import streams as tenable_streams
from demo_estate.kit import VirtualClock
from demo_estate.lenses import discover
from demo_estate.lenses.servicenow import records as servicenow_records
from demo_estate.lenses.servicenow.tables import DELETIONS, TABLES
from demo_estate.server import EstateServer
from demo_estate.truth import Truth
from exposure_pipelines.home import Home
from exposure_pipelines.landing.manifest import Manifest
from exposure_pipelines.landing.sync import SyncReport, run_sync

from .microsoft import Bench, manifest

DAYS = 4
LAST = date(2026, 11, 23)


@dataclass
class Nights:
    """One product over several days, synced with full pulls into one home and with incremental ones into another."""

    bench: Bench
    monkeypatch: pytest.MonkeyPatch
    path: Path
    options: dict[str, Any] = field(default_factory=dict)
    hour: int = 6

    def home(self, name: str) -> Home:
        root = self.path / name
        return Home(root, root / "connections", str(root / "lake"), f"sqlite:///{root / 'warehouse.db'}").ensure()

    def at(self, day: int, hour: int = 6) -> None:
        self.bench.estate.advance(day)
        moment = LAST - timedelta(days=DAYS - 1 - day)
        self.monkeypatch.setenv("EXPOSURE_NOW", f"{moment.isoformat()}T{hour:02}:30:00Z")

    def sync(self, *streams: str, full: bool = False, full_every_hours: float | None = 400, **extra: Any) -> SyncReport:
        every = None if full else full_every_hours
        connection = self.bench.connection(**self.options).model_copy(update={"full_every_hours": every, **extra})
        connector = registry.load(connection.product)
        home = self.home("full" if full else "incremental")
        bench = replace(self.bench, home=home)
        return run_sync(connection, connector, home, bench.lake, streams=streams or None)

    def rows(self, found: Manifest, full: bool) -> dict[str, tuple[Any, ...]]:
        lake = replace(self.bench, home=self.home("full" if full else "incremental")).lake
        file = f"{lake.landed(found.instance, found.stream)}/{found.sync}/records.parquet"
        names = ["_record_id", "_scope", *registry.load(found.product).stream(found.stream).fields]
        columns = (column.to_pylist() for column in pq.read_table(file, columns=names).columns)
        return {row[0]: row[1:] for row in zip(*columns, strict=True)}

    def compare(self, incremental: SyncReport, full: SyncReport) -> None:
        """Every stream of the one landed the records of the other, and is as complete."""
        for found in incremental.streams:
            other = manifest(full, found.stream)
            assert (found.state, found.reason) == (other.state, other.reason), found.stream
            if found.state not in ("complete", "partial"):
                continue
            got, expected = self.rows(found, full=False), self.rows(other, full=True)
            assert sorted(set(got) - set(expected))[:5] == [], f"{found.stream}: there no more"
            assert sorted(set(expected) - set(got))[:5] == [], f"{found.stream}: missed"
            differ = [key for key in got if got[key] != expected[key]]
            names = ["_scope", *registry.load(found.product).stream(found.stream).fields]
            values = {
                (key, name): (mine, theirs)
                for key in differ[:2]
                for name, mine, theirs in zip(names, got[key], expected[key], strict=True)
                if mine != theirs
            }
            assert values == {}, f"{found.stream}: {len(differ)} differ"
            assert {n: s.records for n, s in found.scopes.items()} == {n: s.records for n, s in other.scopes.items()}


@contextmanager
def nights(
    product: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    devices: int = 120,
    retention: int | None = None,
    served: dict[str, Any] | None = None,
    **options: Any,
) -> Iterator[Nights]:
    lens = discover([product])[product]
    lens = replace(lens, retention=lens.retention if retention is None else retention)
    instance = replace(lens.all_instances()[0], options=served or {})
    truth = Truth(seed=7, devices=devices, days=DAYS, today=LAST)
    home = Home(tmp_path, tmp_path / "connections", str(tmp_path / "lake"), "sqlite://")
    with EstateServer(truth, lenses=[replace(lens, instances=(instance,))], clock=VirtualClock()) as estate:
        monkeypatch.setattr(Allowance, "pause", lambda self, seconds: estate.advance_clock(seconds))
        yield Nights(Bench(estate, estate.service(instance.name), home, monkeypatch), monkeypatch, tmp_path, options)


def run_nights(found: Nights, *streams: str, idle: bool = True) -> dict[str, list[Manifest]]:
    """A full sync, then an incremental one each day, each held against a full one of that day; and one with no news.

    idle: whether without news nothing comes, which an overlap of a day prevents.
    """
    landed: dict[str, list[Manifest]] = {}
    for day in range(DAYS):
        found.at(day)
        report = found.sync(*streams)
        found.compare(report, found.sync(*streams, full=True))
        for one in report.streams:
            landed.setdefault(one.stream, []).append(one)
    found.at(DAYS - 1, hour=12)
    quiet = found.sync(*streams)
    found.compare(quiet, found.sync(*streams, full=True))
    for one in quiet.streams:
        if one.merged and idle:
            assert (one.merged.changed, one.merged.carried) == (0, one.records), one.stream
    return landed


def merged(manifests: list[Manifest], name: str) -> int:
    return sum(getattr(one.merged, name) for one in manifests if one.merged)


# Tenable -------------------------------------------------------------------------------------------------------------


def test_tenable_lands_each_day_what_a_full_export_lands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with nights("tenable", tmp_path, monkeypatch, devices=120) as found:
        landed = run_nights(found)
    assets, findings = landed["assets"], landed["vulnerabilities"]
    assert [one.kind for one in assets] == [one.kind for one in findings] == ["full", *["incremental"] * (DAYS - 1)]
    assert merged(assets, "removed") > 0
    assert merged(findings, "removed") > 0
    assert 0 < merged(findings, "carried") < sum(one.records for one in findings)


def test_tenable_asks_for_what_was_written_since_and_names_what_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with nights("tenable", tmp_path, monkeypatch, devices=60) as found:
        found.at(0)
        found.sync()
        found.at(1)
        before = len(found.bench.service.exports.all())
        found.sync()
        jobs = {job.kind: job.parameters["filters"] for job in found.bench.service.exports.all()[before:]}
    # 06:30 the day before, less an hour for what shows late
    assert jobs["vulns"]["indexed_at"] == int(datetime(2026, 11, 20, 5, 30, tzinfo=UTC).timestamp())
    assert jobs["vulns"]["since"] < jobs["vulns"]["indexed_at"]


def test_tenable_asks_for_everything_where_it_cannot_know_what_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = "00000000-0000-0000-0000-000000000000"
    with nights("tenable", tmp_path, monkeypatch, devices=60, network_id=network) as found:
        found.at(0)
        found.sync()
        found.at(1)
        report = found.sync()
        alone = found.sync("assets")
    assert {one.stream: (one.kind, one.state) for one in report.streams} == dict.fromkeys(
        ("deleted_assets", "terminated_assets", "assets", "vulnerabilities"), ("full", "complete")
    )
    assert "leave the network" in manifest(report, "assets").notes[-1]
    # without the streams that name what is gone there is no asking for changes
    assert [(one.stream, one.kind) for one in alone.streams] == [("assets", "full")]


def test_tenable_a_check_that_lost_its_cve_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api.__new__(Api)
    api.begin("vulnerabilities", since=datetime(2026, 11, 22, tzinfo=UTC))
    options = registry.load("tenable").options.model_validate({"cve_findings_only": True})
    api.settings = Settings("tenable_prod", "", options, Secrets({}))
    api.window_start = None
    api._records_reader = lambda stream: iter(())
    one = {"finding_id": "f1", "plugin": {"id": 1}}
    monkeypatch.setattr(tenable_streams, "chunks", lambda *arguments: iter([Page([one])]))
    assert [page.records for page in tenable_streams.vulnerabilities(api)] == [[]]
    assert api.verdict.removed[""] == {"f1"}


# ServiceNow ----------------------------------------------------------------------------------------------------------


def test_servicenow_lands_each_day_what_whole_tables_land(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with nights("servicenow", tmp_path, monkeypatch, devices=120, retention=0) as found:
        landed = run_nights(found)
    kinds = {name: [one.kind for one in each] for name, each in landed.items()}
    assert kinds.pop("choices") == ["full"] * DAYS
    assert all(each == ["full", *["incremental"] * (DAYS - 1)] for each in kinds.values())
    removed = {name for name, each in landed.items() if merged(each, "removed")}
    assert {"computers", "network_adapters", "users"} <= removed
    assert merged(landed["users"], "changed") > 0
    assert merged(landed["computers"], "carried") > 0


def test_servicenow_without_its_deletions_keeps_what_is_gone_until_the_next_full_pull(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with nights(
        "servicenow", tmp_path, monkeypatch, devices=120, retention=1, served={"deletions_hidden": True}
    ) as found:
        for day in range(DAYS):
            found.at(day)
            report = found.sync("computers")
            assert manifest(report, "computers").kind == ("full" if day == 0 else "incremental")
        assert "deletions are not readable" in manifest(report, "computers").notes[0]
        got = found.rows(manifest(report, "computers"), full=False)
        there = found.rows(manifest(found.sync("computers", full=True), "computers"), full=True)
        assert set(there) < set(got)
        assert "deletions are not readable" in manifest(report, "computers").notes[0]
        assert manifest(report, "computers").state == "complete"
        due = manifest(found.sync("computers", full_every_hours=1), "computers")
        assert due.kind == "full"
        assert set(found.rows(due, full=False)) == set(there)


def test_servicenow_a_record_that_the_query_asks_for_no_more_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A retired machine is only changed; with `install_status!=7` it is not among the changed records that come."""
    monkeypatch.setattr(servicenow_records, "NOTICED_AFTER", 1)
    with nights("servicenow", tmp_path, monkeypatch, devices=120, computer_query="install_status!=7") as found:
        landed = run_nights(found, "computers")["computers"]
    assert merged(landed, "removed") > 0


def test_servicenow_changes_that_are_all_hidden_are_no_missing_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with nights("servicenow", tmp_path, monkeypatch, devices=60) as found:
        found.at(0)
        first = manifest(found.sync("computers"), "computers")
        found.at(1)
        service = found.bench.service
        hidden = replace(service.instance, options={"hidden_share": 1.0, "hidden_prefixes": tuple("0123456789abcdef")})
        monkeypatch.setattr(service, "instance", hidden)
        changes = manifest(found.sync("computers"), "computers")
    assert first.records > 0
    assert (changes.kind, changes.state) == ("incremental", "complete")
    assert any("hidden by access rules" in note for note in changes.notes)


def test_servicenow_a_record_said_to_be_deleted_that_is_there_again_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with nights("servicenow", tmp_path, monkeypatch, devices=60) as found:
        found.at(0)
        first = found.rows(manifest(found.sync("users"), "users"), full=False)
        key = sorted(first)[0]
        place = servicenow_records.deletion_key(found.bench.service.view, "sys_user", key)
        deletion = (place, ("sys_user", key, 1))
        monkeypatch.setitem(
            TABLES, DELETIONS, replace(TABLES[DELETIONS], keys=lambda view: iter([deletion] if view.day else []))
        )
        found.at(1)
        report = manifest(found.sync("users"), "users")
        assert report.state == "complete", report.reason
        assert key in found.rows(report, full=False)
        assert report.merged is not None
        assert report.merged.changed >= 1


# Qualys --------------------------------------------------------------------------------------------------------------


def test_qualys_lands_each_day_what_whole_lists_land(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with nights("qualys", tmp_path, monkeypatch, devices=120, retention=0) as found:
        landed = run_nights(found)
    hosts, detections = landed["hosts"], landed["detections"]
    assert [one.kind for one in hosts] == [one.kind for one in detections] == ["full", *["incremental"] * (DAYS - 1)]
    assert merged(hosts, "removed") > 0
    assert merged(detections, "removed") > 0
    assert 0 < merged(detections, "carried") < sum(one.records for one in detections)


def test_qualys_a_host_that_nobody_scanned_is_asked_for_by_its_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host may come into sight by its tag or by the user's scope, long after its last scan."""
    with nights("qualys", tmp_path, monkeypatch, devices=60) as found:
        found.at(0)
        full = manifest(found.sync("hosts"), "hosts")
        everything = sorted(map(int, found.rows(full, full=False)))
        found.at(0, hour=7)
        found.bench.service._cache["host ids"] = everything[3:]
        fewer = manifest(found.sync("hosts"), "hosts")
        assert (fewer.kind, fewer.records) == ("incremental", len(everything) - 3)
        found.at(0, hour=23)
        again = manifest(found.sync("hosts"), "hosts")
        assert (again.kind, again.records) == ("incremental", len(everything))
        assert again.merged is not None
        assert again.merged.changed == 3


def test_qualys_ranges_of_ids_are_ids() -> None:
    assert list(ids_of("123-126")) == ["123", "124", "125", "126"]
    assert list(ids_of("123")) == ["123"]
    assert list(ids_of("")) == []


def test_qualys_with_detection_parameters_asks_for_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with nights("qualys", tmp_path, monkeypatch, devices=60, detection_parameters={"severities": "5"}) as found:
        found.at(0)
        found.sync("detections")
        found.at(0, hour=12)
        report = manifest(found.sync("detections"), "detections")
    assert (report.kind, report.state) == ("full", "complete")
    assert "detection_parameters" in report.notes[0]


# Rapid7 --------------------------------------------------------------------------------------------------------------


def test_rapid7_lands_each_day_what_a_whole_search_lands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with nights("rapid7", tmp_path, monkeypatch, devices=150) as found:
        landed = run_nights(found, idle=False)
    assets, findings = landed["assets"], landed["findings"]
    assert [one.kind for one in assets] == ["full", *["incremental"] * (DAYS - 1)]
    # findings lie inside the assets, so that they are whole with them
    assert [one.kind for one in findings] == ["full"] * DAYS
    assert len({one.content_hash for one in findings}) > 1
    assert 0 < merged(assets, "carried") < sum(one.records for one in assets)


def test_rapid7_asks_for_everything_once_after_assets_that_were_landed_without_their_findings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are, as long as no incremental pull is to follow: findings of assets that are carried over would be lost."""
    with nights("rapid7", tmp_path, monkeypatch, devices=40) as found:
        found.at(0)
        found.sync("assets", "findings", full_every_hours=None)
        for day, kind in ((1, "full"), (2, "incremental")):
            found.at(day)
            report = found.sync("assets", "findings")
            assert manifest(report, "assets").kind == kind
            found.compare(report, found.sync("assets", "findings", full=True))


def test_rapid7_keeps_a_deleted_asset_until_the_next_full_pull(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with nights("rapid7", tmp_path, monkeypatch, devices=150, retention=0) as found:
        for day in range(DAYS):
            found.at(day)
            report = found.sync("assets")
        got = set(found.rows(manifest(report, "assets"), full=False))
        there = set(found.rows(manifest(found.sync("assets", full=True), "assets"), full=True))
        due = manifest(found.sync("assets", full_every_hours=1), "assets")
        assert there < got
        assert (due.kind, set(found.rows(due, full=False))) == ("full", there)


@pytest.mark.parametrize("options", [{"asset_filter": "last_scan_end > 2026-01-01T00:00:00Z"}])
def test_rapid7_asks_for_everything_where_leaving_is_not_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    with nights("rapid7", tmp_path, monkeypatch, devices=60, **options) as found:
        found.at(0)
        found.sync("assets")
        found.at(1)
        report = manifest(found.sync("assets"), "assets")
    assert (report.kind, report.state) == ("full", "complete")
    assert "asset_filter" in report.notes[-1]


# Wiz -----------------------------------------------------------------------------------------------------------------


def test_wiz_lands_each_day_the_findings_that_a_whole_list_lands_and_keeps_those_of_lost_machines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine that is replaced takes its findings with it, of which Wiz tells nothing: the next full pull shows it."""
    stream = "vulnerability_findings"
    with nights("wiz", tmp_path, monkeypatch, devices=300) as found:
        for day in range(DAYS):
            found.at(day)
            report, other = found.sync(), found.sync(full=True)
            got = found.rows(manifest(report, stream), full=False)
            there = found.rows(manifest(other, stream), full=True)
            assert {one.stream: one.kind for one in report.streams} == {
                "cloud_resources": "full",
                stream: "incremental" if day else "full",
                "issues": "full",
            }
            assert {key: got.get(key) for key in there} == there
        changes = manifest(report, stream).merged
        assert changes is not None
        assert 0 < changes.changed < len(got)
        assert set(got) > set(there)
        due = manifest(found.sync(stream, full_every_hours=1), stream)
        assert (due.kind, set(found.rows(due, full=False))) == ("full", set(there))


def test_wiz_with_severities_asks_for_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with nights("wiz", tmp_path, monkeypatch, devices=60, vulnerability_severities=["HIGH"]) as found:
        found.at(0)
        found.sync("vulnerability_findings")
        found.at(1)
        report = manifest(found.sync("vulnerability_findings"), "vulnerability_findings")
    assert (report.kind, report.state) == ("full", "complete")
    assert "severities" in report.notes[-1]


# Entra ID ------------------------------------------------------------------------------------------------------------

CHANGING = ("groups", "devices", "oauth2_permission_grants")


def test_entra_id_lands_each_day_what_whole_collections_land(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with nights("entra_id", tmp_path, monkeypatch, devices=120, retention=0, device_changes=True) as found:
        landed = run_nights(found)
    for name, each in landed.items():
        kinds = ["full", *["incremental" if name in CHANGING else "full"] * (DAYS - 1)]
        assert [one.kind for one in each] == kinds, name
    devices = landed["devices"]
    assert merged(devices, "removed") > 0
    assert merged(devices, "changed") > 0
    assert merged(devices, "carried") > 0


def test_entra_id_goes_on_from_the_link_of_the_last_complete_sync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with nights("entra_id", tmp_path, monkeypatch, devices=60, device_changes=True) as found:
        found.at(0)
        first = manifest(found.sync("devices"), "devices")
        found.at(1)
        found.bench.estate.fault({"route": "GET /v1.0/devices/delta", "fault": 500, "always": True})
        failed = manifest(found.sync("devices"), "devices")
        found.bench.estate.clear_faults()
        found.at(2)
        again = found.sync("devices")
        found.compare(again, found.sync("devices", full=True))
        asked = [one for one in found.bench.service.journal.requests if "delta" in one]
    assert failed.state == "failed"
    second = manifest(again, "devices")
    assert second.merged is not None
    assert second.merged.base == first.sync
    assert first.memory["delta"] != second.memory["delta"]
    assert asked == ["GET /v1.0/devices/delta"]


@pytest.mark.parametrize("refusal", [(410, "resyncRequired"), (400, "syncStateNotFound"), (404, "syncStateNotFound")])
def test_entra_id_reads_everything_when_graph_forgot_the_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: tuple[int, str]
) -> None:
    with nights("entra_id", tmp_path, monkeypatch, devices=60, retention=0, device_changes=True) as found:
        found.at(0)
        found.sync("devices")
        found.at(1)
        service = found.bench.service
        monkeypatch.setattr(service, "instance", replace(service.instance, options={"delta_error": refusal}))
        report = found.sync("devices")
        found.compare(report, found.sync("devices", full=True))
    one = manifest(report, "devices")
    assert (one.kind, one.state) == ("full", "complete")
    assert "everything was asked for" in one.notes[-1]
    # the next one goes on from the link of this one
    assert one.memory["delta"]


def test_entra_id_never_drops_changes_that_are_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delta, "MOST_CHANGES", 3)
    with nights("entra_id", tmp_path, monkeypatch, devices=60, device_changes=True) as found:
        found.at(0)
        found.sync("devices")
        found.at(1)
        report = found.sync("devices")
        found.compare(report, found.sync("devices", full=True))
    assert "more than 3 objects changed" in manifest(report, "devices").notes[-1]


def test_entra_id_without_full_every_hours_asks_for_no_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with nights("entra_id", tmp_path, monkeypatch, devices=60, device_changes=True) as found:
        found.at(0)
        found.sync("devices", "groups", full_every_hours=None)
        assert not [one for one in found.bench.requests() if "delta" in one]
        found.at(1)
        report = manifest(found.sync("devices"), "devices")
    assert (report.kind, report.state) == ("full", "complete")
    assert "no link to what changed was kept" in report.notes[-1]


# Defender for Endpoint -----------------------------------------------------------------------------------------------


def test_defender_endpoint_lands_each_day_the_weaknesses_that_a_whole_list_lands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Except when each was last seen, and rows without a CVE: changes tell neither."""
    streams, name = ("machines", "vulnerabilities"), "vulnerabilities"
    fields = [*registry.load("defender_endpoint").stream(name).fields]
    cve, seen = fields.index("cveId") + 1, fields.index("lastSeenTimestamp") + 1

    def weaknesses(found: Nights, report: SyncReport, full: bool) -> dict[str, tuple[Any, ...]]:
        rows = found.rows(manifest(report, name), full)
        return {key: (*row[:seen], *row[seen + 1 :]) for key, row in rows.items() if row[cve] is not None}

    landed = []
    with nights("defender_endpoint", tmp_path, monkeypatch, devices=150, retention=0) as found:
        for day in range(DAYS):
            found.at(day)
            report, other = found.sync(*streams), found.sync(*streams, full=True)
            assert weaknesses(found, report, False) == weaknesses(found, other, True)
            landed.append(manifest(report, name))
    assert [one.kind for one in landed] == ["full", *["incremental"] * (DAYS - 1)]
    assert merged(landed, "changed") > 0
    assert merged(landed, "removed") > 0
    assert merged(landed, "carried") > 0


def test_defender_endpoint_reads_all_weaknesses_without_its_machines_and_after_two_weeks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with nights("defender_endpoint", tmp_path, monkeypatch, devices=60) as found:
        found.at(0)
        found.sync("machines", "vulnerabilities")
        found.at(1)
        alone = manifest(found.sync("vulnerabilities"), "vulnerabilities")
        monkeypatch.setattr("demo_estate.lenses.defender_endpoint.routes.CHANGES_DAYS", 0)
        refused = manifest(found.sync("machines", "vulnerabilities"), "vulnerabilities")
    assert (alone.kind, alone.state) == ("full", "complete")
    assert (refused.kind, refused.state) == ("full", "complete")
    assert "sinceTime" in refused.notes[-1]
