"""Defender for Endpoint in the shapes of recordings, fixtures and others' mocks, by its base address alone.

Every test is named after the trap it guards. The recorded records are those of test_defender_endpoint_replay.
"""

from __future__ import annotations

import gzip
import json
import zlib
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from connector_assets.kit.budgets import Allowance

from .microsoft import manifest, states
from .replay import Answer, Asked, Case, foreign, misread, varied
from .test_defender_endpoint_replay import (
    CVE,
    KEY,
    LOGON,
    MACHINE,
    NUMBER,
    OPTIONS,
    SOFTWARE,
    WEAKNESS,
    collection,
    estate,
    renamed,
)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Allowance, "pause", lambda self, seconds: None)


def raw_deflate(text: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(text) + packer.flush()


@pytest.mark.parametrize("pack", [raw_deflate, zlib.compress])
def test_the_answer_of_a_recording_is_deflated_in_either_way(
    pack: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = Answer(
        pack(json.dumps(collection(MACHINE)).encode()),
        headers={"Content-Encoding": "deflate", "OData-Version": "4.0"},
        content_type="application/json; odata.metadata=minimal; odata.streaming=true; charset=utf-8",
    )
    with foreign("defender_endpoint", estate(machines=body), tmp_path, monkeypatch, **OPTIONS) as defender:
        found = manifest(defender.sync("machines"), "machines")
        assert (found.state, found.records) == ("complete", 1)


def card(address: str, mac: str | None, kind: str = "Ethernet") -> dict[str, Any]:
    return {"ipAddress": address, "macAddress": mac, "type": kind, "operationalStatus": "Up"}


VM = "/subscriptions/193F89DC-0000-4A80-BACB-96B32FBF6DD0/resourceGroups/RG/providers/Microsoft.Compute/virtualMachines/VM"
CASES = [
    # what a tunnel has in the place of an address is the same on every machine
    Case(
        {
            "ipAddresses": [
                card("10.15.0.9", "00224831745C"),
                card("fe80::5efe:10.15.0.9", "00000000000000E0", "Tunnel"),
            ]
        },
        "mac_addresses",
        ["00:22:48:31:74:5c"],
    ),
    Case(
        {"ipAddresses": [card("", "00005E005301"), card("10.0.0.1", "00-00-5E-00-53-02")]},
        "mac_addresses",
        ["00-00-5e-00-53-02", "00:00:5e:00:53:01"],
    ),
    Case({"ipAddresses": [card("", "00005E005301")], "lastIpAddress": "10.0.0.1"}, "ip_addresses", ["10.0.0.1"]),
    # the subscription of a machine in Azure may be told by its resource alone
    Case(
        {"vmMetadata": {"vmId": "v", "cloudProvider": "Azure", "resourceId": VM, "subscriptionId": None}},
        "cloud_account_id",
        "193f89dc-0000-4a80-bacb-96b32fbf6dd0",
    ),
    Case(
        {"vmMetadata": {"vmId": "i-1", "cloudProvider": "AWS", "resourceId": None, "subscriptionId": None}},
        "cloud_account_id",
        None,
    ),
    Case({"osPlatform": "WindowsServer2012R2", "osVersion": None, "version": "6.3"}, "device_category", "Server"),
    Case({"osPlatform": "RedHatEnterpriseLinux", "osBuild": None, "vmMetadata": None}, "device_category", "Server"),
    Case({"computerDnsName": "C-Lab-31", "lastExternalIpAddress": "2a02:cf40::"}, "hostnames", ["c-lab-31"]),
    Case({"onboardingStatus": "CanBeOnboarded", "healthStatus": "Active"}, "is_managed", False),
]


def test_what_recorded_machines_have_in_odd_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = {"id": KEY + "99999", "healthStatus": "Inactive"}
    twice = {**MACHINE, "id": KEY + "88888"}
    records = [*varied(MACHINE, CASES, renamed), bare, twice, twice]
    routes = estate(machines=collection(*records))
    with foreign("defender_endpoint", routes, tmp_path, monkeypatch, **OPTIONS) as defender:
        found = manifest(defender.sync("machines"), "machines")
        assert (found.state, found.records, found.field_issues) == ("complete", len(CASES) + 2, 0)
        with defender.staged() as staged:
            assert staged.failing() == []
            assert misread(CASES, staged, "stg_defender_endpoint__devices", NUMBER) == []


def test_a_machine_that_was_merged_into_another_bears_the_id_of_that_one_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = {**MACHINE, "id": KEY + "00001", "computerDnsName": "before", "mergedIntoMachineId": KEY + "00002"}
    routes = estate(machines=collection(old, {**MACHINE, "id": KEY + "00002"}))
    with foreign("defender_endpoint", routes, tmp_path, monkeypatch, **OPTIONS) as defender:
        defender.sync("machines")
        with defender.staged() as staged:
            found = staged.rows("select * from stg_defender_endpoint__devices order by record_id")
    assert [row["state"] for row in found] == ["retired", "active"]
    assert [row["agent_ids"] for row in found] == [[f"mde={KEY}00001", f"mde={KEY}00002"], [f"mde={KEY}00002"]]


def test_an_element_that_is_nothing_ends_no_stream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    routes = estate(
        machines=collection(None, MACHINE),
        software=collection(None, SOFTWARE),
        weaknesses=collection(WEAKNESS, None),
        cves=collection(None, CVE, "x"),
        logons=collection(None, LOGON),
    )
    with foreign("defender_endpoint", routes, tmp_path, monkeypatch, **OPTIONS) as defender:
        report = defender.sync()
        assert {m.stream: m.records for m in report.streams} == dict.fromkeys(states(report), 1)
        assert "failed" not in states(report).values()


def test_kinds_of_a_logon_are_told_from_each_other_whatever_parts_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = {
        **LOGON,
        "id": "testmachine1\\administrator1",
        "accountDomain": "testmachine1",
        "logonTypes": "Network, RemoteInteractive",
        "mostPrevalentMachineId": None,
        "logOnMachinesCount": None,
        "isOnlyNetworkUser": None,
    }
    with foreign("defender_endpoint", estate(logons=collection(local)), tmp_path, monkeypatch, **OPTIONS) as defender:
        defender.sync("machines", "logon_users")
        with defender.staged() as staged:
            (edge,) = staged.rows("select * from stg_defender_endpoint__relationships")
            assert json.loads(edge["properties"])["logonTypes"] == ["Network", "RemoteInteractive"]


def test_a_score_of_nought_is_no_score(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Weaknesses that nobody rated yet come with 0, or with nothing at all."""
    listed = {**CVE, "cvssV3": 0, "epss": None, "severity": "", "exposedMachines": None}
    fresh = {**WEAKNESS, "id": "w2", "cveId": "CVE-2025-2", "cvssScore": 0, "vulnerabilitySeverityLevel": None}
    routes = estate(cves=collection(listed), weaknesses=collection(WEAKNESS, fresh))
    with foreign("defender_endpoint", routes, tmp_path, monkeypatch, **OPTIONS) as defender:
        defender.sync()
        with defender.staged() as staged:
            assert staged.failing() == []
            known = staged.rows("select * from stg_defender_endpoint__vulnerabilities order by cve_id")
            assert [(row["cve_id"], row["cvss_score"]) for row in known] == [(CVE["id"], 6.5), ("CVE-2025-2", None)]


def test_documented_rows_name_no_cve_or_write_numbers_as_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stamp = "2026-11-03 10:13:34.8476880"
    rows = [
        {**WEAKNESS, "id": "w_edge_1__", "cveId": None, "vulnerabilitySeverityLevel": None, "cvssScore": None},
        {**WEAKNESS, "id": "w_edge_2__", "cveId": "", "cvssScore": ""},
        {**WEAKNESS, "id": "123ABG55_573AG&mnp!", "cvssScore": "6.2", "firstSeenTimestamp": stamp},
    ]
    routes = estate(weaknesses=collection(*rows), cves=collection())
    with foreign("defender_endpoint", routes, tmp_path, monkeypatch, **OPTIONS) as defender:
        found = manifest(defender.sync("machines", "vulnerabilities", "cves"), "vulnerabilities")
        assert (found.state, found.records, found.field_issues) == ("complete", 3, 0)
        with defender.staged() as staged:
            assert staged.failing() == []
            (row,) = staged.rows("select * from stg_defender_endpoint__findings")
            assert row["first_seen"] == datetime(2026, 11, 3, 10, 13, 34, 847688)
            (known,) = staged.rows("select * from stg_defender_endpoint__vulnerabilities")
            assert known["cvss_score"] == 6.2


def pascal(record: dict[str, Any]) -> dict[str, Any]:
    def cased(key: str) -> str:
        return "OS" + key[2:] if key.startswith("os") else key[:1].upper() + key[1:]

    return {cased(key): value for key, value in record.items()}


def export(*files: Answer) -> Any:
    def answer(asked: Asked) -> Any:
        links = [f"{asked.base}/path/to/{number}" for number in range(len(files))]
        return {"@odata.context": "x", "exportFiles": links, "generatedTime": "2026-11-20T00:00:00Z"}

    return [
        *estate(),
        ("GET /api/machines/SoftwareVulnerabilitiesExport", answer),
        *((f"GET /path/to/{number}", file) for number, file in enumerate(files)),
    ]


ROWS = [
    {**pascal(WEAKNESS), "Status": "New", "EventTimestamp": "2026-11-20 12:00:00", "CveBatchTitle": "t"},
    {**pascal(WEAKNESS), "Id": "w_2", "CveId": "CVE-2025-2", "Status": "Fixed", "RbacGroupId": 0},
    {**WEAKNESS, "id": "w_3", "cveId": "CVE-2025-3", "status": "Updated", "recommendedSecurityUpdateUrl": None},
]
LINES = Answer(gzip.compress("\n".join(map(json.dumps, ROWS)).encode()), content_type="application/octet-stream")
NOTHING = [Answer(b"", content_type="text/plain"), Answer(gzip.compress(b""), content_type="application/octet-stream")]


@pytest.mark.parametrize("empty", NOTHING)
def test_a_prepared_file_of_nothing_beside_one_of_rows_is_nothing(
    empty: Answer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Microsoft hands out such files, as others found; one that is empty while none has a row proves nothing."""
    with foreign("defender_endpoint", export(empty, LINES, empty), tmp_path, monkeypatch, **OPTIONS) as defender:
        found = manifest(defender.sync("machines", "vulnerabilities", vulnerabilities_via="export"), "vulnerabilities")
        assert (found.state, found.records, found.rejected) == ("complete", 3, 0)
        with defender.staged() as staged:
            rows = staged.rows("select * from stg_defender_endpoint__findings order by cve_id")
            assert [row["status"] for row in rows] == ["open", "fixed", "open"]
    with foreign("defender_endpoint", export(empty), tmp_path / "x", monkeypatch, **OPTIONS) as defender:
        found = manifest(defender.sync("vulnerabilities", vulnerabilities_via="export"), "vulnerabilities")
        assert (found.state, found.error) == ("failed", "BrokenAnswer")
