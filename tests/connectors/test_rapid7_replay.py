"""Rapid7 against answers that others recorded or documented: the cloud's cursors, the console's links, both spellings.

Every test is named after the trap it guards.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from connector_assets.kit.budgets import Allowance

from .microsoft import manifest, states
from .replay import ODD, WIRES, Answer, Asked, Case, Route, changed, foreign, misread, mutants, suffers, varied

PREFIX = "8ba0c1d2-5678-4678-9234-cabc0def0123-default-asset-"
NUMBER = "right(record_id, 5)"
CONSOLE = {"api": "console", "username": "u"}

FINDING: dict[str, Any] = {
    "check_id": None,
    "vulnerability_id": "thing-cve-2025-21502",
    "key": "C:\\jre\\lib",
    "nic": None,
    "port": 443,
    "protocol": "TCP",
    "proof": "<p>text</p>",
    "first_found": "2026-05-14T13:52:10Z",
    "last_found": "2026-11-20T03:54:43.777Z",
    "reintroduced": None,
    "solution_id": "thing-upgrade-latest",
    "solution_summary": "Upgrade",
    "solution_type": "workaround",
    "solution_fix": "<p>text</p>",
    "status": "VULNERABLE_VERS",
}
ASSET: dict[str, Any] = {
    "id": PREFIX + "7",
    "host_name": "vm-a.corp.example",
    "ip": "10.1.2.3",
    "mac": "00:0D:3A:AA:BB:CC",
    "assessed_for_policies": False,
    "assessed_for_vulnerabilities": True,
    "credential_assessments": [{"port": 445, "protocol": "TCP", "status": "NO_CREDS_SUPPLIED"}],
    "critical_vulnerabilities": 1,
    "total_vulnerabilities": 1,
    "exploits": 0,
    "last_assessed_for_vulnerabilities": "2026-11-20T03:54:43.777Z",
    "last_scan_start": "2026-11-20T03:40:00.000Z",
    "last_scan_end": "2026-11-20T03:50:00.000Z",
    "os_architecture": "x86_64",
    "os_description": "Microsoft Windows Server 2022 21H2",
    "os_family": "Windows",
    "os_name": "Windows Server 2022",
    "os_system_name": "Microsoft Windows",
    "os_type": "",
    "os_vendor": "Microsoft",
    "os_version": "21H2",
    "risk_score": 5656.5,
    "tags": [{"name": "rapid7 insight agents", "type": "SITE"}, {"name": "High", "type": "CRITICALITY"}],
    "type": "guest",
    "unique_identifiers": [
        {"id": "4C4C4544-0033-5710-8054-C4C04F564432", "source": "CSPRODUCT"},
        {"id": "c5cf46abcdef0123456789291c7d554a", "source": "R7 Agent"},
    ],
    "same": [FINDING],
    "new": [],
    "remediated": [],
}
VULNERABILITY: dict[str, Any] = {
    "id": "thing-cve-2025-21502",
    "title": "Thing: CVE-2025-21502",
    "description": "text",
    "added": "2025-05-16T00:00:00Z",
    "modified": "2025-06-16T00:00:00Z",
    "published": "2025-05-06T00:00:00Z",
    "severity": "severe",
    "severity_score": 4,
    "risk_score": 123.69,
    "cvss_v2_score": 4.4,
    "cvss_v2_vector": "AV:L",
    "cvss_v3_score": 7.8,
    "cvss_v3_vector": None,
    "cves": "CVE-2025-21502, cve-2025-21503",
    "categories": "Thing,Other",
    "references": "",
    "exploits": [{"id": "1", "name": "x", "rank": "normal", "source": "metasploit"}],
    "malware_kits": [],
    "links": [{"href": "https://x", "id": "CVE-2025-21502", "source": "cve"}],
    "denial_of_service": False,
    "pci_fail": True,
}
CONSOLE_ASSET: dict[str, Any] = {
    "id": 7,
    "addresses": [{"ip": "10.1.2.3", "mac": "00:0D:3A:AA:BB:CC"}, {"ip": "fe80::1"}],
    "assessedForPolicies": False,
    "assessedForVulnerabilities": True,
    "history": [
        {"date": "2026-11-19T03:54:43Z", "scanId": 3, "type": "SCAN", "version": 1},
        {"date": "2026-11-20T03:54:43.777Z", "type": "AGENT-IMPORT", "version": 2},
    ],
    "hostName": "vm-a.corp.example",
    "hostNames": [{"name": "VM-A", "source": "netbios"}, {"name": "vm-a.corp.example", "source": "dns"}],
    "ids": [{"id": "4c4c4544-0033-5710-8054-c4c04f564432", "source": "dmidecode"}],
    "ip": "10.1.2.3",
    "links": [{"href": "https://console:3780/api/3/assets/7", "rel": "self"}],
    "mac": "00:0D:3A:AA:BB:CC",
    "os": "Microsoft Windows Server 2022",
    "osCertainty": "0.8",
    "osFingerprint": {
        "cpe": {"part": "o"},
        "family": "Windows",
        "id": 35,
        "product": "Windows Server 2022",
        "systemName": "Microsoft Windows",
        "vendor": "Microsoft",
        "version": "21H2",
    },
    "rawRiskScore": 31214.3,
    "riskScore": 37457.16,
    "services": [{"port": 443, "protocol": "tcp", "databases": []}],
    "software": [
        {
            "id": 1,
            "product": "7-Zip",
            "vendor": "Igor Pavlov",
            "version": "23.01",
            "description": "7-Zip 23.01",
            "cpe": {"part": "a", "vendor": "7-zip", "product": "7-zip", "v2.2": "cpe:/a:7-zip:7-zip:23.01"},
        }
    ],
    "type": "virtual",
    "userGroups": [],
    "users": [{"name": "root"}],
    "vulnerabilities": {"critical": 1, "exploits": 0, "malwareKits": 0, "moderate": 0, "severe": 0, "total": 1},
}
CONSOLE_FINDING: dict[str, Any] = {
    "id": "thing-cve-2025-21502",
    "instances": 1,
    "links": [{"href": "https://console:3780/x", "rel": "self"}],
    "results": [
        {
            "checkId": "thing-check",
            "exceptions": [],
            "key": "C:\\jre",
            "port": 443,
            "proof": "<p>text</p>",
            "protocol": "tcp",
            "since": "2026-05-14T13:52:10Z",
            "status": "vulnerable-version",
        }
    ],
    "since": "2026-05-14T13:52:10Z",
    "status": "vulnerable",
}
CONSOLE_VULNERABILITY: dict[str, Any] = {
    "id": "thing-cve-2025-21502",
    "title": "Thing: CVE-2025-21502",
    "severity": "Severe",
    "severityScore": 4,
    "cves": ["CVE-2025-21502"],
    "cvss": {"v2": {"score": 4.4, "vector": "AV:L"}, "v3": {"score": 7.8}, "links": []},
    "exploits": 1,
    "added": "2025-05-16",
    "modified": "2025-06-16",
    "published": "2025-05-06",
    "description": {"html": "<p>", "text": "t"},
    "links": [],
}


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Allowance, "pause", lambda self, seconds: None)


def page(*records: Any, cursor: str | None = None, total: int | None = None) -> dict[str, Any]:
    count = len(records) if total is None else total
    return {
        "data": list(records),
        "metadata": {"number": 0, "size": 200, "totalResources": count, "totalPages": 1, "cursor": cursor},
        "links": [{"href": "https://us.api.insight.rapid7.com:443/vm/v4/integration/assets?page=0", "rel": "self"}],
    }


def resources(*records: Any, **more: Any) -> dict[str, Any]:
    return {
        "resources": list(records),
        "page": {"number": 0, "size": 200, "totalResources": len(records), "totalPages": 1},
        "links": [{"href": "https://console:3780/api/3/x", "rel": "self"}],
        **more,
    }


def cloud(assets: Any = None, vulnerabilities: Any = None) -> list[Route]:
    return [
        ("POST /vm/v4/integration/assets", page(ASSET) if assets is None else assets),
        ("POST /vm/v4/integration/vulnerabilities", vulnerabilities or page(VULNERABILITY)),
    ]


def console(assets: Any = None, findings: Any = None, vulnerability: Any = None) -> list[Route]:
    return [
        ("GET /api/3/assets", assets or resources(CONSOLE_ASSET)),
        ("GET /api/3/assets/[0-9]+/vulnerabilities", findings or resources(CONSOLE_FINDING)),
        ("GET /api/3/vulnerabilities/.*", vulnerability or CONSOLE_VULNERABILITY),
    ]


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("api", ["cloud", "console"])
def test_the_answer_is_the_same_in_every_form_of_the_wire(
    api: str, wire: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    routes = cloud() if api == "cloud" else console()
    with foreign("rapid7", routes, tmp_path, monkeypatch, wire=wire, api=api, username="u") as rapid7:
        report = rapid7.sync()
        assert set(states(report).values()) == {"complete"}
        assert [m.records for m in report.streams] == [1, 1, 1]
        assert not any(m.rejected or m.field_issues for m in report.streams)


@pytest.mark.parametrize("api", ["cloud", "console"])
def test_a_recorded_answer_of_either_api_is_understood(
    api: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    routes = cloud() if api == "cloud" else console()
    with foreign("rapid7", routes, tmp_path, monkeypatch, api=api, username="u") as rapid7:
        rapid7.sync()
        with rapid7.staged() as staged:
            assert staged.failing() == []
            (device,) = staged.rows("select * from stg_rapid7__devices")
            assert device["fqdns"] == ["vm-a.corp.example"]
            assert device["smbios_uuid"].lower() == "4c4c4544-0033-5710-8054-c4c04f564432"
            assert (device["mac_addresses"], device["device_category"]) == (["00:0D:3A:AA:BB:CC"], "Server")
            assert device["last_seen"] == datetime(2026, 11, 20, 3, 54, 43, 777000)
            found = staged.rows("select * from stg_rapid7__findings order by cve_id")
            assert found[0]["cve_id"] == "CVE-2025-21502"
            assert {(f["severity"], f["status"], f["asset_record"]) for f in found} == {
                ("high", "open", device["record"])
            }
            known = staged.rows("select * from stg_rapid7__vulnerabilities order by cve_id")
            assert (known[0]["cvss_score"], known[0]["exploit_available"]) == (7.8, True)
            assert known[0]["published_at"] == datetime(2025, 5, 6)
            assert len(found) == len(known) == (2 if api == "cloud" else 1)
            software = staged.rows("select name, cpe from stg_rapid7__applications")
            expected = [] if api == "cloud" else [("7-Zip", "7-zip:7-zip")]
            assert [(row["name"], row["cpe"]) for row in software] == expected


def renamed(record: Any, number: str) -> None:
    record["id"] = PREFIX + number


def renamed_console(record: Any, number: str) -> None:
    record["id"] = int(number)


@pytest.mark.parametrize("api", ["cloud", "console"])
def test_no_key_of_an_asset_is_needed_but_its_id(api: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sample, rename = (ASSET, renamed) if api == "cloud" else (CONSOLE_ASSET, renamed_console)
    given = mutants(sample, rename, keep=["id"])
    listed = [m.record for m in given]
    routes = cloud(page(*listed)) if api == "cloud" else console(resources(*listed))
    with foreign("rapid7", routes, tmp_path, monkeypatch, api=api, username="u") as rapid7:
        report = rapid7.sync("assets", *(["findings"] if api == "cloud" else []))
        assert (manifest(report, "assets").state, manifest(report, "assets").records) == ("complete", len(given))
        assert "failed" not in states(report).values()
        with rapid7.staged() as staged:
            assert staged.failing() == []
            assert suffers(given, staged, "stg_rapid7__devices", NUMBER) == []


def test_no_key_of_a_finding_is_needed_but_its_vulnerability(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def rename(record: Any, number: str) -> None:
        record["port"] = int(number)

    given = mutants(FINDING, rename, keep=["vulnerability_id", "port"])
    routes = cloud(page({**ASSET, "same": [m.record for m in given]}))
    with foreign("rapid7", routes, tmp_path, monkeypatch) as rapid7:
        assert manifest(rapid7.sync(), "findings").records == len(given)
        with rapid7.staged() as staged:
            assert staged.failing() == []
            found = suffers(given, staged, "stg_rapid7__findings", "evidence ->> '$.port'", but=("record", "record_id"))
            assert found == []


def test_no_key_of_a_vulnerability_is_needed_but_its_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def rename(record: Any, number: str) -> None:
        record["id"] = number

    given = mutants(VULNERABILITY, rename, keep=["id"])
    found = [{**FINDING, "vulnerability_id": m.number} for m in given]
    with foreign(
        "rapid7", cloud(page({**ASSET, "same": found}), page(*[m.record for m in given])), tmp_path, monkeypatch
    ) as rapid7:
        rapid7.sync()
        with rapid7.staged() as staged:
            assert staged.failing() == []
            number = "evidence ->> '$.vulnerabilityId'"
            assert suffers(given, staged, "stg_rapid7__findings", number, but=("record", "record_id")) == []


CASES = [
    Case({"host_name": "10.1.2.3"}, "fqdns", []),
    Case({"host_name": "VM-A"}, "hostnames", ["VM-A"]),
    Case({"unique_identifiers": {"id": "x", "source": "R7 Agent"}}, "agent_ids", ["rapid7_agent=x"]),
    Case({"unique_identifiers": [], "mac": ""}, "smbios_uuid", None),
    Case({"tags": [{"name": "Very High", "type": "CRITICALITY"}]}, "criticality", 0),
    Case({"last_scan_end": None, "last_assessed_for_vulnerabilities": None}, "last_seen", None),
    Case({"os_description": "", "os_name": "Ubuntu Linux"}, "os_platform", "Ubuntu Linux"),
    Case({"os_description": None, "os_name": None}, "device_category", "Unknown"),
]


def test_a_value_in_an_unusual_form_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with foreign("rapid7", cloud(page(*varied(ASSET, CASES, renamed))), tmp_path, monkeypatch) as rapid7:
        assert manifest(rapid7.sync("assets"), "assets").field_issues == 0
        with rapid7.staged() as staged:
            assert misread(CASES, staged, "stg_rapid7__devices", NUMBER) == []


# Pages ---------------------------------------------------------------------------------------------------------------


def test_the_cloud_goes_on_by_cursor_to_the_page_without_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def pages(asked: Asked) -> Any:
        at = int(asked.query.get("cursor", "0:::x").partition(":")[0])
        found = [{**ASSET, "id": f"{PREFIX}{at}"}] if at < 2 else []
        return page(*found, cursor=f"{at + 1}:::_S:::{PREFIX}{at}" if at < 2 else None, total=2 if at < 2 else 0)

    with foreign("rapid7", cloud(pages), tmp_path, monkeypatch) as rapid7:
        found = manifest(rapid7.sync("assets"), "assets")
        assert (found.state, found.records) == ("complete", 2)


def test_a_recording_that_gives_its_cursor_again_has_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with foreign("rapid7", cloud(page(ASSET, cursor="1:::_S:::x")), tmp_path, monkeypatch) as rapid7:
        found = manifest(rapid7.sync("assets"), "assets")
        assert (found.state, found.records) == ("complete", 1)
    with foreign("rapid7", cloud(page(ASSET, cursor="1:::_S:::x", total=9)), tmp_path, monkeypatch) as rapid7:
        found = manifest(rapid7.sync("assets"), "assets")
        assert (found.state, found.error) == ("partial", "RepeatedCursor")


@pytest.mark.parametrize("metadata", [{}, {"cursor": None}, {"cursor": ""}, None])
def test_a_page_without_a_cursor_is_the_last(metadata: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with foreign("rapid7", cloud({"data": [ASSET], "metadata": metadata}), tmp_path, monkeypatch) as rapid7:
        found = manifest(rapid7.sync("assets"), "assets")
        assert (found.state, found.records) == ("complete", 1)


@pytest.mark.parametrize("marks", ["links", "page"])
def test_the_console_goes_on_by_link_or_by_number(marks: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def pages(asked: Asked) -> Any:
        at = int(asked.query["page"])
        answer = resources({**CONSOLE_ASSET, "id": at})
        if marks == "links":
            here = f"https://console:3780/api/3/assets?page={at}"
            answer["links"] = [
                {"href": here, "rel": rel} for rel in ["first", "self", *(["next"] if at < 2 else []), "last"]
            ]
            return {key: value for key, value in answer.items() if key != "page"}
        return {**answer, "page": {"number": at, "size": 1, "totalResources": 3, "totalPages": 3}, "links": None}

    with foreign("rapid7", console(pages), tmp_path, monkeypatch, **CONSOLE) as rapid7:
        found = manifest(rapid7.sync("assets"), "assets")
        assert (found.state, found.records) == ("complete", 3)


def test_findings_that_are_none_and_vulnerabilities_without_a_document_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet = [
        {**CONSOLE_FINDING, "id": "a", "status": "invulnerable"},
        {**CONSOLE_FINDING, "id": "b", "status": "no-results", "results": []},
        {**CONSOLE_FINDING, "id": "c", "results": None},
    ]
    gone = Answer({"status": "404", "message": "not found", "links": []}, 404)
    with foreign(
        "rapid7", console(findings=resources(*quiet), vulnerability=gone), tmp_path, monkeypatch, **CONSOLE
    ) as r:
        report = r.sync()
        assert [m.records for m in report.streams] == [1, 1, 0]
        with r.staged() as staged:
            assert staged.one("select title from stg_rapid7__findings") == "c"


@pytest.mark.parametrize(
    "member", ["page", "links", "links.0.rel", "links.0.href", "page.totalPages", "page.totalResources"]
)
def test_no_mark_of_a_console_page_is_needed(member: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tuple(int(step) if step.isdecimal() else step for step in member.split("."))
    for count, value in enumerate(ODD.values()):
        answer = changed(resources(CONSOLE_ASSET), place, value)
        with foreign("rapid7", console(answer), tmp_path / str(count), monkeypatch, **CONSOLE) as rapid7:
            found = manifest(rapid7.sync("assets"), "assets")
            assert (found.state, found.records) == ("complete", 1)
