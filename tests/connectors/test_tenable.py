"""Tenable over real HTTP: export jobs and what goes wrong inside them, and what staging makes of the records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import requests

from connector_assets import registry
from connector_assets.kit.budgets import Allowance
from demo_estate.lenses import discover
from demo_estate.lenses.tenable.records import BLIND
from demo_estate.server import EstateServer
from demo_estate.truth import Truth
from exposure_pipelines import clock
from exposure_pipelines.landing.sync import run_sync

from .microsoft import TODAY, Bench, bench, holds, manifest, states

ASSETS = {"chunk_size": 1000, "filters": {"is_deleted": False, "is_terminated": False}}
STATUS, CHUNK = "GET /{kind}/export/{job}/status", "GET /{kind}/export/{job}/chunks/{chunk}"


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds the connector would have slept, without sleeping them."""
    slept: list[float] = []
    monkeypatch.setattr(Allowance, "pause", lambda self, seconds: slept.append(seconds))
    return slept


@pytest.fixture
def tenable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with bench("tenable", tmp_path, monkeypatch, devices=200) as found:
        yield found


def keys(found: Bench) -> dict[str, str]:
    good = found.service.credentials
    return {"X-ApiKeys": f"accessKey={good['access_key']};secretKey={good['secret_key']}"}


def start(found: Bench, kind: str, body: dict[str, Any]) -> str:
    answer = requests.post(f"{found.service.base_url}/{kind}/export", json=body, headers=keys(found), timeout=30)
    return str(answer.json()["export_uuid"])


def test_every_stream_is_complete_with_the_calls_it_needs_and_no_others(tenable: Bench) -> None:
    report = tenable.sync()
    assert states(report) == dict.fromkeys(
        ("assets", "deleted_assets", "terminated_assets", "vulnerabilities"), "complete"
    )
    answers = [a for a in tenable.estate.answer_key().rows() if a.product == "tenable" and a.kind == "device"]
    assert sum(m.records for m in report.streams[:3]) == len(answers) > 130
    assert manifest(report, "deleted_assets").records == 1
    assert not any(m.rejected or m.field_issues or m.duplicates for m in report.streams)
    assert tenable.requests() == Counter(
        {
            "POST /assets/export": 3,
            STATUS.format(kind="assets", job="{job}"): 9,
            CHUNK.format(kind="assets", job="{job}", chunk="{chunk}"): 3,
            "POST /vulns/export": 1,
            STATUS.format(kind="vulns", job="{job}"): 3,
            CHUNK.format(kind="vulns", job="{job}", chunk="{chunk}"): 2,
        }
    )
    assert tenable.service.journal.problems == []


def test_both_api_keys_travel_in_one_header_and_lie_nowhere_on_disk(tenable: Bench) -> None:
    tenable.sync()
    assert holds(tenable.home.root, *tenable.service.credentials.values()) == []


def test_permissions_are_proved_without_starting_an_export(tenable: Bench) -> None:
    results = tenable.check()
    assert all(result.ok for result in results.values())
    assert set(tenable.requests()) == {"GET /assets/export/status", "GET /vulns/export/status"}


def test_a_wrong_key_fails_every_stream_with_advice(tenable: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESTATE_TENABLE_PROD_SECRET_KEY", "wrong-secret-key")
    report = tenable.sync()
    assert set(states(report).values()) == {"failed"}
    reason = manifest(report, "assets").reason or ""
    assert "Invalid credentials" in reason
    assert "generate a new API key pair" in reason
    assert "wrong-secret-key" not in reason


def test_fixed_findings_of_the_whole_window_are_asked_for(tenable: Bench) -> None:
    """Without state and time filter the vendor gives open findings of thirty days."""
    tenable.sync("vulnerabilities")
    with tenable.staged() as staged:
        fixed, oldest = staged.one("select count(*), min(fixed_at) from stg_tenable__findings where status = 'fixed'")
    assert fixed > 100
    assert (TODAY - oldest.date()).days > 60


def test_chunks_come_out_of_order_with_gaps_and_while_the_job_runs(tenable: Bench) -> None:
    report = tenable.sync("vulnerabilities", assets_per_chunk=50)
    assert manifest(report, "vulnerabilities").state == "complete"
    paths = [entry["path"] for entry in tenable.service.journal.recent]
    chunks = [int(path.rsplit("/", 1)[1]) for path in paths if "/chunks/" in path]
    assert chunks == [4, 3, 1]
    assert paths.index(next(p for p in paths if p.endswith("/chunks/4"))) < max(
        number for number, path in enumerate(paths) if path.endswith("/status")
    )


def test_a_running_export_is_adopted_by_the_id_in_the_text_of_a_429(tenable: Bench) -> None:
    job = start(tenable, "assets", ASSETS)
    report = tenable.sync("assets")
    assert manifest(report, "assets").state == "complete"
    assert tenable.service.journal.statuses["POST /assets/export 429"] == 1
    assert [entry["path"] for entry in tenable.service.journal.recent if job in entry["path"]]


def test_a_running_export_is_adopted_by_the_id_of_a_409(tenable: Bench) -> None:
    window = int(tenable.connection().settings().window_start(clock.now()).timestamp())  # type: ignore[union-attr]
    filters = {"state": ["OPEN", "REOPENED", "FIXED"], "since": window}
    start(tenable, "vulns", {"num_assets": 100, "include_unlicensed": True, "filters": filters})
    report = tenable.sync("vulnerabilities")
    assert manifest(report, "vulnerabilities").state == "complete"
    assert tenable.service.journal.statuses["POST /vulns/export 409"] == 1


def test_a_start_lost_behind_a_gateway_timeout_is_adopted_and_not_doubled(tenable: Bench) -> None:
    start(tenable, "assets", ASSETS)  # what the vendor did before its gateway gave up
    tenable.estate.fault({"route": "POST /assets/export", "fault": 504})
    report = tenable.sync("assets")
    assert manifest(report, "assets").state == "complete"
    assert tenable.service.journal.statuses["POST /assets/export 504"] == 1
    assert tenable.service.journal.statuses["POST /assets/export 429"] == 1
    assert len(tenable.service.exports.all()) == 1


def test_any_other_failure_of_a_start_is_not_repeated(tenable: Bench) -> None:
    tenable.estate.fault({"product": "tenable", "route": "POST /assets/export", "always": True, "fault": 502})
    report = tenable.sync("assets")
    assert manifest(report, "assets").state == "failed"
    assert tenable.requests()["POST /assets/export"] == 1
    assert report.retry_later


def test_throttling_with_an_nginx_page_is_waited_out(tenable: Bench, no_waiting: list[float]) -> None:
    tenable.estate.fault({"route": "GET /vulns/export/*/status", "fault": 429, "retry_after": 30, "nth": 1})
    tenable.estate.fault({"route": "POST /vulns/export", "fault": 429, "retry_after": 30, "nth": 1})
    report = tenable.sync("vulnerabilities")
    assert manifest(report, "vulnerabilities").state == "complete"
    assert no_waiting.count(30) == 2


@pytest.mark.parametrize("kind", ["assets", "vulns"])
def test_a_failed_chunk_makes_the_stream_partial_and_keeps_the_others(tenable: Bench, kind: str) -> None:
    stream = "assets" if kind == "assets" else "vulnerabilities"
    tenable.service.state["failed_chunks"] = {kind: {1}}
    report = tenable.sync(stream, chunk_size=100, assets_per_chunk=50)
    found = manifest(report, stream)
    assert found.state == "partial"
    assert "could not prepare chunk 1" in (found.reason or "")
    assert found.records > 0
    assert not found.proves_absence


@pytest.mark.parametrize("end", ["ERROR", "CANCELLED"])
def test_an_export_that_ends_badly_keeps_what_came(tenable: Bench, end: str) -> None:
    tenable.service.state["job_ends"] = {"vulns": end}
    found = manifest(tenable.sync("vulnerabilities"), "vulnerabilities")
    assert (found.state, found.records > 0) == ("partial", True)
    assert end in (found.reason or "")


def test_an_export_that_ends_badly_without_data_fails(tenable: Bench) -> None:
    tenable.service.state["job_ends"] = {"assets": "ERROR"}
    tenable.service.state["failed_chunks"] = {"assets": {1}}
    found = manifest(tenable.sync("assets"), "assets")
    assert (found.state, found.records) == ("failed", 0)


def test_a_chunk_gone_midway_makes_the_stream_partial(tenable: Bench) -> None:
    tenable.estate.fault({"route": "GET /vulns/export/*/chunks/*", "fault": 404, "nth": 2})
    found = manifest(tenable.sync("vulnerabilities", assets_per_chunk=50), "vulnerabilities")
    assert (found.state, found.pages > 1) == ("partial", True)


@pytest.mark.parametrize("fault", ["truncate", "cut", "reset", "html"])
def test_a_broken_chunk_is_asked_for_again(tenable: Bench, fault: str) -> None:
    line: dict[str, Any] = {"route": "GET /assets/export/*/chunks/*", "fault": fault, "nth": [1, 2]}
    tenable.estate.fault({**line, "status": 502} if fault == "html" else line)
    found = manifest(tenable.sync("assets"), "assets")
    assert found.state == "complete"
    assert tenable.requests()[CHUNK.format(kind="assets", job="{job}", chunk="{chunk}")] == 3


def test_a_chunk_that_stays_truncated_makes_the_stream_partial(tenable: Bench) -> None:
    tenable.estate.fault(
        {"route": "GET /vulns/export/*/chunks/*", "fault": "truncate", "when": {"path": "chunks/3"}, "always": True}
    )
    found = manifest(tenable.sync("vulnerabilities", assets_per_chunk=50), "vulnerabilities")
    assert found.state == "partial"
    assert "chunk 3 of the export cannot be read" in (found.reason or "")


@pytest.mark.parametrize("empty", ["null", "[]"])
def test_an_empty_chunk_is_no_error(tenable: Bench, empty: str) -> None:
    if empty == "null":
        tenable.service.state["null_chunks"] = {"assets": {1}}
    else:
        tenable.estate.fault({"route": "GET /assets/export/*/chunks/*", "fault": "drop_page", "nth": 1})
    found = manifest(tenable.sync("assets", chunk_size=100), "assets")
    assert (found.state, found.records > 0) == ("complete", True)


def test_findings_without_a_cve_are_counted_and_kept_or_left_out_by_option(tenable: Bench) -> None:
    kept = manifest(tenable.sync("vulnerabilities"), "vulnerabilities")
    left_out = manifest(tenable.sync("vulnerabilities", cve_findings_only=True), "vulnerabilities")
    without = kept.records - left_out.records
    assert without > 100
    assert kept.notes == [f"{without} findings stand for no CVE and are kept"]
    assert left_out.notes == [f"{without} findings stand for no CVE and are left out (option cve_findings_only)"]


def test_a_second_instance_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with bench("tenable", tmp_path, monkeypatch, devices=200) as one:
        one.sync("assets")
        lens = discover(["tenable"])["tenable"]
        truth = Truth(seed=7, devices=200, days=1, today=TODAY)
        with EstateServer(truth, lenses=[lens], instances=["tenable_lab"]) as other:
            lab = Bench(other, other.service("tenable_lab"), one.home, monkeypatch)
            run_sync(lab.connection(), registry.load("tenable"), lab.home, lab.lake, streams=["assets"])
            with one.staged(None, one.connection(), lab.connection()) as staged:
                counted = staged.rows("select instance, count(*) as n from stg_tenable__devices group by 1 order by 1")
                shared = staged.one("select count(*) - count(distinct record) from stg_tenable__devices")
    assert [row["instance"] for row in counted] == ["tenable_lab", "tenable_prod"]
    assert 0 < counted[0]["n"] < counted[1]["n"]
    assert shared == 0


# Staging -------------------------------------------------------------------------------------------------------------


def test_staging_gives_exact_columns_and_passes_its_tests(tenable: Bench) -> None:
    tenable.sync()
    with tenable.staged() as staged:
        assert staged.columns_differ() == []
        assert staged.failing() == []


@pytest.mark.parametrize("kind", ["device", "application"])
def test_every_asset_is_in_the_answer_key_under_its_record_id(tenable: Bench, kind: str) -> None:
    tenable.sync("assets", "deleted_assets", "terminated_assets")
    with tenable.staged() as staged:
        records = {row["record_id"] for row in staged.rows(f"select record_id from stg_tenable__{kind}s")}
    assert records == {answer.record_id for answer in tenable.estate.answer_key().rows() if answer.kind == kind}
    assert records


def test_software_is_told_by_its_cpe_in_every_spelling_and_runs_on_its_host(tenable: Bench) -> None:
    cpes = [
        "cpe:/a:google:chrome",
        "cpe:/a:google:chrome:120.0",
        "CPE:/a:notepad-plus-plus:notepad%2b%2b:8.1",
        "cpe:2.3:a:microsoft:sql_server:2019:*:*:*:*:*:*:*",
        "cpe:/o:microsoft:windows_server_2019",
        "cpe:/h:cisco:router",
        "cpe:/a:nameless",
        "cpe:/a:caf%e9:menu:1%e9",
        "",
        None,
    ]
    records = [asset(installed_software=cpes), asset(_record_id="a2", id="a2", installed_software=cpes[:1])]
    with tenable.staged({"assets": records}) as staged:
        found = staged.rows("select record_id, name, vendor, cpe from stg_tenable__applications order by 1")
        edges = staged.rows(
            "select relationship, split_part(source_record, ':', 3) as source, target_record, properties "
            "from stg_tenable__relationships order by all"
        )
        assert staged.failing() == []
    assert [tuple(row.values()) for row in found] == [
        ("caf%e9-_-menu", "menu", "caf%e9", "cpe:/a:caf%e9:menu:1%e9"),
        ("google-_-chrome", "chrome", "google", cpes[0]),
        ("microsoft-_-sql server", "sql server", "microsoft", "cpe:2.3:a:microsoft:sql_server:2019:*:*:*:*:*:*:*"),
        (
            "notepad-plus-plus-_-notepad++",
            "notepad++",
            "notepad-plus-plus",
            "CPE:/a:notepad-plus-plus:notepad%2b%2b:8.1",
        ),
    ]
    assert {row["relationship"] for row in edges} == {"runs on"}
    assert [(row["source"], row["target_record"].rpartition(":")[2]) for row in edges] == [
        ("caf%e9-_-menu", "a1"),
        ("google-_-chrome", "a1"),
        ("google-_-chrome", "a2"),
        ("microsoft-_-sql server", "a1"),
        ("notepad-plus-plus-_-notepad++", "a1"),
    ]


def test_a_host_known_by_its_address_alone_makes_no_asset(tenable: Bench) -> None:
    tenable.sync("assets")
    with tenable.staged() as staged:
        update = {
            row["record_id"]
            for row in staged.rows("select record_id from stg_tenable__devices where authority = 'update'")
        }
    blind = {a.record_id: a.truth_id for a in tenable.estate.answer_key().rows() if "ip_only_scan" in a.tags}
    assert update == set(blind)
    assert set(blind.values()) == {""}


def test_staged_values_are_what_the_truth_says(tenable: Bench) -> None:
    tenable.sync("assets")
    truth = tenable.service.truth
    key = {answer.record_id: answer for answer in tenable.estate.answer_key().rows()}
    with tenable.staged() as staged:
        rows = staged.rows("select * from stg_tenable__devices where state = 'active' and len(agent_ids) > 0")
    checked = 0
    for row in rows:
        answer = key[row["record_id"]]
        device = truth.device(int(answer.truth_id.removeprefix("dev-")))
        if answer.tags & {*BLIND, "generic_name", "byte_swapped_uuid", "rebuilt_host"}:
            continue
        assert row["smbios_uuid"] == device.smbios_uuid
        assert row["mac_addresses"] == sorted(set(device.macs))
        assert row["hostnames"] == [device.hostname]
        assert row["agent_ids"] == [f"tenable_agent={truth.agent_id('tenable', device.index)}"]
        assert row["cloud_instance_id"] == (device.cloud.instance_id if device.cloud else None)
        assert row["cloud_account_id"] == (device.cloud.account_id if device.cloud else None)
        assert row["criticality"] in (device.criticality, None)
        assert (row["scope"], row["environment"]) == ("default", device.environment)
        info = orjson.loads(row["properties"])["tenableAssetInfo"]
        # the product lists the first card twice, once without its name
        assert [card["name"] for card in info["networkInterfaces"]] == [*(n.name for n in device.nics), "UNKNOWN"]
        checked += 1
    assert checked > 60


def asset(**values: Any) -> dict[str, Any]:
    return {"id": "a1", "_record_id": values.get("id", "a1"), "hostnames": ["h1"], **values}


def finding(**values: Any) -> dict[str, Any]:
    plugin = {
        "id": 10,
        "name": "A check",
        "cve": ["cve-2024-0001", "CVE-2024-0002"],
        "epss_score": 42.0,
        **values.pop("plugin", {}),
    }
    place = {"port": 443, "protocol": "TCP", "service": None}
    return {
        "_record_id": "f1",
        "finding_id": "f1",
        "asset": {"uuid": "a1"},
        "plugin": plugin,
        "port": place,
        "state": "OPEN",
        "severity": "high",
        **values,
    }


def full(kind: str, record: dict[str, Any]) -> dict[str, Any]:
    """Structs as DuckDB wants them: with every declared field."""
    from connector_assets.tenable.streams import ASSET_FIELDS, VULNERABILITY_FIELDS

    fields = ASSET_FIELDS if kind == "assets" else VULNERABILITY_FIELDS
    whole = dict(record)
    for name, shape in fields.items():
        if isinstance(shape, dict) and isinstance(record.get(name), dict):
            given = record[name]
            whole[name] = {key: given.get(key) for key in shape}
    return whole


@pytest.mark.parametrize(
    ("score", "criticality"), [(10, 0), (9, 0), (8, 1), (7, 1), (6, 2), (4, 2), (3, 3), (1, 3), (None, None)]
)
def test_the_acr_becomes_a_criticality(tenable: Bench, score: int | None, criticality: int | None) -> None:
    with tenable.staged({"assets": [asset(acr_score=score)]}) as staged:
        assert staged.one("select criticality from stg_tenable__devices") == criticality


def test_scores_under_their_newer_names_are_the_same_scores(tenable: Bench) -> None:
    ratings = {"acr": {"score": 9.0}, "aes": {"score": 721.0}}
    with tenable.staged({"assets": [asset(ratings=ratings), asset(id="a2", acr_score=3, ratings=ratings)]}) as staged:
        rows = staged.rows(
            "select criticality, properties->'$.tenableAssetInfo'->>'exposureScore' as score from stg_tenable__devices "
            "order by record_id"
        )
    assert [tuple(row.values()) for row in rows] == [(0, "721.0"), (3, "721.0")]


def test_an_own_network_is_a_scope_of_its_own(tenable: Bench) -> None:
    network = "AB0C5A7E-3A4F-4E0D-9A49-0B7F1A2C3D4E"
    records = [
        asset(),
        asset(id="a2", network_id=network),
        asset(id="a3", network_id="00000000-0000-0000-0000-000000000000"),
    ]
    with tenable.staged({"assets": records}) as staged:
        scopes = [row["scope"] for row in staged.rows("select scope from stg_tenable__devices order by record_id")]
    assert scopes == ["default", network.lower(), "default"]


def test_a_host_in_two_exports_is_retired_once(tenable: Bench) -> None:
    deleted = asset(deleted_at="2026-11-20 10:00:00")
    with tenable.staged({"assets": [asset()], "deleted_assets": [deleted]}) as staged:
        assert staged.rows("select record_id, state from stg_tenable__devices") == [
            {"record_id": "a1", "state": "retired"}
        ]


def test_a_check_of_several_cves_becomes_a_finding_each(tenable: Bench) -> None:
    plain = finding(
        _record_id="f2", finding_id="f2", plugin={"cve": None}, state="FIXED", last_found="2026-11-01", severity="info"
    )
    records = [full("vulnerabilities", finding()), full("vulnerabilities", plain)]
    with tenable.staged({"vulnerabilities": records}) as staged:
        rows = staged.rows(
            "select record_id, cve_id, status, severity, asset_record, fixed_at from stg_tenable__findings order by 1"
        )
        scores = staged.rows("select cve_id, epss_score, severity from stg_tenable__vulnerabilities order by 1")
    assert [(row["record_id"], row["cve_id"], row["status"]) for row in rows] == [
        ("f1:CVE-2024-0001", "CVE-2024-0001", "open"),
        ("f1:CVE-2024-0002", "CVE-2024-0002", "open"),
        ("f2", None, "fixed"),
    ]
    assert rows[2]["fixed_at"] is not None
    assert {row["asset_record"] for row in rows} == {"tenable:test:a1"}
    assert [row["epss_score"] for row in scores] == [0.42, 0.42]


def test_staging_runs_with_nothing_landed(tenable: Bench) -> None:
    with tenable.staged() as staged:
        assert {result.rows for result in staged.results.values()} == {0}
        assert staged.columns_differ() == []
