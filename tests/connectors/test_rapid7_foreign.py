"""Rapid7 in the shapes of the vendor's reference and of others' mock servers, by its base address alone.

Every test is named after the trap it guards. The recorded records are those of test_rapid7_replay.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from connector_assets.kit.budgets import Allowance

from .microsoft import manifest, states
from .replay import Answer, Case, foreign, misread, varied
from .test_rapid7_replay import (
    ASSET,
    CONSOLE,
    CONSOLE_ASSET,
    FINDING,
    PREFIX,
    VULNERABILITY,
    cloud,
    console,
    page,
    renamed_console,
    resources,
)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Allowance, "pause", lambda self, seconds: None)


def test_no_version_3_score_is_written_as_0_beside_a_score_of_version_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = {**VULNERABILITY, "cvss_v2_score": 10, "cvss_v3_score": 0, "cvss_v3_vector": None, "exploits": []}
    with foreign("rapid7", cloud(vulnerabilities=page({**old, "cves": "CVE-2008-6536"})), tmp_path, monkeypatch) as r:
        r.sync()
        with r.staged() as staged:
            (known,) = staged.rows("select * from stg_rapid7__vulnerabilities")
            assert (known["cvss_score"], known["exploit_available"]) == (10.0, False)
            assert staged.one("select evidence ->> '$.cvss' from stg_rapid7__findings") == "10.0"


def test_what_was_remediated_has_the_date_of_its_remediation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reference's finding: its place twice, once in an object; a remediated one that says little else."""
    finding = {**FINDING, "endpoint": {"port": 443, "protocol": "TCP"}, "remediation_date": None}
    gone = {"vulnerability_id": "gone", "status": "NOT_VULNERABLE", "remediation_date": "2026-11-19T00:00:00Z"}
    asset = {
        **ASSET,
        "unique_identifiers": {"id": "10.0.0.1", "source": "Endpoint Agent"},
        "same": [],
        "new": [finding],
        "remediated": [gone, {**gone, "vulnerability_id": "gone-too", "remediation_date": None}],
    }
    answer = {**page(asset), "effectiveTime": "2026-11-20T00:00:00Z"}
    with foreign("rapid7", cloud(answer), tmp_path, monkeypatch) as r:
        report = r.sync()
        assert [m.field_issues for m in report.streams] == [0, 0, 0]
        with r.staged() as staged:
            assert staged.failing() == []
            found = staged.rows("select title, status, fixed_at from stg_rapid7__findings order by lower(title)")
            assert [(f["title"], f["status"]) for f in found][:2] == [("gone", "fixed"), ("gone-too", "fixed")]
            assert found[0]["fixed_at"] == datetime(2026, 11, 19)
            assert found[1]["fixed_at"] is not None
            assert {f["status"] for f in found[2:]} == {"open"}


HISTORY = [
    {"date": "2026-04-20T13:56:34.818Z", "scanId": 10, "type": "SCAN", "version": 1},
    {"date": "2026-06-02T14:54:19.04Z", "type": "VULNERABILITY_EXCEPTION_UNAPPLIED", "version": 3, "description": "u"},
]
CASES = [
    Case({"history": HISTORY}, "last_seen", datetime(2026, 4, 20, 13, 56, 34, 818000)),
    Case({"history": HISTORY[1:]}, "last_seen", None),
    Case({"history": [{"date": "2026-04-20T13:56:34Z"}]}, "last_seen", datetime(2026, 4, 20, 13, 56, 34)),
    Case({"hostName": None, "hostNames": None, "osFingerprint": {}, "mac": None}, "fqdns", []),
    Case({"os": None, "osFingerprint": None, "type": None, "addresses": [{"ip": "10.1.2.3"}]}, "mac_addresses", []),
]


def test_a_person_who_excepts_a_finding_has_not_seen_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = {**CONSOLE_ASSET, "mac": None}
    routes = console(resources(*varied(sample, CASES, renamed_console)))
    with foreign("rapid7", routes, tmp_path, monkeypatch, **CONSOLE) as r:
        assert manifest(r.sync("assets"), "assets").field_issues == 0
        with r.staged() as staged:
            assert misread(CASES, staged, "stg_rapid7__devices", "right(record_id, 5)") == []


@pytest.mark.parametrize("api", ["cloud", "console"])
def test_a_collection_of_none_may_leave_out_its_list(api: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    marks = {"number": 0, "size": 10, "totalResources": 0, "totalPages": 0}
    empty = {"links": [], "page": marks} if api == "console" else {"links": [], "metadata": {**marks, "cursor": None}}
    routes = console(findings=empty) if api == "console" else cloud(empty)
    with foreign("rapid7", routes, tmp_path, monkeypatch, api=api, username="u") as r:
        report = r.sync()
        assert set(states(report).values()) == {"complete"}
        assert manifest(report, "findings").records == 0


@pytest.mark.parametrize("api", ["cloud", "console"])
def test_an_answer_without_its_list_that_counts_records_is_no_empty_one(
    api: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = {"page": {"totalResources": 3}, "metadata": {"totalResources": 3}, "message": "something else"}
    routes = console(odd) if api == "console" else cloud(odd)
    with foreign("rapid7", routes, tmp_path, monkeypatch, api=api, username="u") as r:
        assert manifest(r.sync("assets"), "assets").state == "failed"


def test_the_page_of_the_reference_is_kept_for_all_that_it_claims_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Page 6 of 13 whatever is asked for, with a link to itself alone."""
    marks = {"number": 6, "size": 10, "totalPages": 13, "totalResources": 123}
    whole: dict[str, Any] = {**resources(CONSOLE_ASSET), "page": marks}
    with foreign("rapid7", console(whole), tmp_path, monkeypatch, **CONSOLE) as r:
        found = manifest(r.sync("assets"), "assets")
        assert (found.state, found.records) == ("partial", 1)


def test_the_same_asset_twice_on_a_page_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = {k: v for k, v in ASSET.items() if k not in ("host_name", "same", "new", "remediated", "unique_identifiers")}
    routes = cloud(page({**bare, "ip": "2001:db8:1:1:1:1:1:1", "os_architecture": ""}, bare, {"id": PREFIX + "8"}))
    with foreign("rapid7", routes, tmp_path, monkeypatch) as r:
        assert manifest(r.sync(), "assets").records == 2
        with r.staged() as staged:
            assert staged.failing() == []
            rows = staged.rows("select record_id, hostnames, fqdns, authority from stg_rapid7__devices order by 1")
            assert [(row["hostnames"], row["fqdns"]) for row in rows] == [([], []), ([], [])]


def test_a_refusal_in_the_vendors_words_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = {"status": 404, "localized_message": "It is not there.", "message": "It is not there."}
    with foreign("rapid7", cloud(Answer(words, 404)), tmp_path, monkeypatch) as r:
        found = manifest(r.sync("assets"), "assets")
        assert found.state == "failed"
        assert "It is not there." in str(found.reason)
