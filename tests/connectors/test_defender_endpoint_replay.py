"""Defender for Endpoint against answers that others recorded or documented: spellings, gaps, pages, prepared files.

Every test is named after the trap it guards.
"""

from __future__ import annotations

import gzip
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from connector_assets.kit.budgets import Allowance

from .microsoft import manifest, states
from .replay import ABSENT, WIRES, Answer, Asked, Case, Route, foreign, misread, mutants, suffers, varied

KEY = "1e5bc9d7e413ddd7902c2932e418702b84d"
OPTIONS = {"tenant_id": "contoso.example", "client_id": "c"}
NUMBER = "right(record_id, 5)"

MACHINE: dict[str, Any] = {
    "id": KEY + "00001",
    "mergedIntoMachineId": None,
    "isPotentialDuplication": False,
    "isExcluded": False,
    "exclusionReason": None,
    "computerDnsName": "mymachine1.contoso.example",
    "firstSeen": "2025-08-02T14:55:03.7791856Z",
    "lastSeen": "2026-11-20T12:18:45.0743621Z",
    "osPlatform": "WindowsServer2022",
    "osVersion": None,
    "osProcessor": "x64",
    "version": "21H2",
    "lastIpAddress": "172.17.230.209",
    "lastExternalIpAddress": "167.220.196.71",
    "agentVersion": "10.5830.18209.1001",
    "osBuild": 20348,
    "healthStatus": "Active",
    "deviceValue": "High",
    "rbacGroupId": 140,
    "rbacGroupName": "The A Team",
    "riskScore": "Low",
    "exposureLevel": "Medium",
    "isAadJoined": True,
    "aadDeviceId": "80fe8ff8-2624-418e-9591-41f0491218f9",
    "defenderAvStatus": "Updated",
    "machineTags": ["test tag 1", "test tag 2"],
    "onboardingStatus": "onboarded",
    "osArchitecture": "64-bit",
    "managedBy": "Intune",
    "managedByStatus": "Success",
    "ipAddresses": [
        {"ipAddress": "172.17.230.209", "macAddress": "8CEC4B897E73", "type": "Ethernet", "operationalStatus": "Up"},
        {"ipAddress": "127.0.0.1", "macAddress": "", "type": "SoftwareLoopback", "operationalStatus": "Up"},
    ],
    "vmMetadata": {
        "vmId": "8a7b6c5d-1111-4222-8333-944455556666",
        "cloudProvider": "Azure",
        "resourceId": "/subscriptions/sub-1/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm-a",
        "subscriptionId": "sub-1",
    },
    "deviceType": {"new": 1},
}
WEAKNESS: dict[str, Any] = {
    "id": "w_00001",
    "deviceId": MACHINE["id"],
    "rbacGroupName": "hhh",
    "rbacGroupId": 92,
    "deviceName": "mymachine1.contoso.example",
    "osPlatform": "WindowsServer2022",
    "osVersion": "10.0.20348",
    "osArchitecture": "x64",
    "softwareVendor": "microsoft",
    "softwareName": "edge",
    "softwareVersion": "87.0.664.60",
    "cveId": "CVE-2025-12345",
    "vulnerabilitySeverityLevel": "Medium",
    "recommendedSecurityUpdate": None,
    "recommendedSecurityUpdateId": None,
    "recommendedSecurityUpdateUrl": None,
    "diskPaths": ["C:\\Program Files\\edge.exe"],
    "registryPaths": [],
    "lastSeenTimestamp": "2026-11-20 14:04:13",
    "firstSeenTimestamp": "2026-10-30 11:07:15",
    "endOfSupportStatus": "UpcomingEOSVersion",
    "endOfSupportDate": "2027-02-23T00:00:00+00:00",
    "exploitabilityLevel": "NoExploit",
    "recommendationReference": "va-_-microsoft-_-edge",
    "securityUpdateAvailable": True,
    "cvssScore": 6.5,
    "isOnboarded": True,
}
SOFTWARE: dict[str, Any] = {
    "deviceId": MACHINE["id"],
    "rbacGroupId": 92,
    "deviceName": "mymachine1.contoso.example",
    "osPlatform": "WindowsServer2022",
    "softwareVendor": "microsoft",
    "softwareName": "edge",
    "softwareVersion": "87.0.664.60",
    "numberOfWeaknesses": 3,
    "diskPaths": [],
    "registryPaths": ["HKEY_LOCAL_MACHINE\\SOFTWARE\\Edge"],
    "softwareFirstSeenTimestamp": "2026-10-30 11:07:15",
    "endOfSupportStatus": None,
    "endOfSupportDate": None,
}
CVE: dict[str, Any] = {
    "id": "CVE-2025-12345",
    "name": "CVE-2025-12345",
    "description": "text",
    "severity": "Medium",
    "cvssV3": 6.5,
    "cvssVector": "CVSS:3.1/AV:N",
    "exposedMachines": 4,
    "publishedOn": "2025-10-08T00:00:00Z",
    "updatedOn": "2025-12-16T16:20:00Z",
    "firstDetected": "2025-11-01T00:00:00Z",
    "publicExploit": False,
    "exploitVerified": True,
    "exploitInKit": None,
    "exploitTypes": [],
    "exploitUris": [],
    "cveSupportability": "Supported",
    "tags": ["test"],
    "epss": 0.632,
}
LOGON: dict[str, Any] = {
    "id": "contoso\\user1",
    "accountName": "user1",
    "accountDomain": "contoso",
    "accountSid": None,
    "firstSeen": "2026-01-18T08:02:54Z",
    "lastSeen": "2026-11-20T08:01:48Z",
    "mostPrevalentMachineId": MACHINE["id"],
    "logonTypes": "Interactive,Network",
    "logOnMachinesCount": 8,
    "isDomainAdmin": True,
    "isOnlyNetworkUser": False,
}


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Allowance, "pause", lambda self, seconds: None)


def collection(*records: Any, **more: Any) -> dict[str, Any]:
    return {
        "@odata.context": "https://api.security.microsoft.com/api/$metadata#Machines",
        "value": list(records),
        **more,
    }


def estate(**given: Any) -> list[Route]:
    answers = {
        "machines": collection(MACHINE),
        "software": collection(SOFTWARE),
        "weaknesses": collection(WEAKNESS),
        "cves": collection(CVE),
        "logons": collection(LOGON),
        **given,
    }
    token = {"token_type": "Bearer", "expires_in": "3599", "ext_expires_in": 3599, "access_token": "a-token"}
    return [
        ("POST /contoso.example/oauth2/v2.0/token", token),
        ("GET /api/machines", answers["machines"]),
        ("GET /api/machines/SoftwareInventoryByMachine", answers["software"]),
        ("GET /api/machines/SoftwareVulnerabilitiesByMachine", answers["weaknesses"]),
        ("GET /api/vulnerabilities", answers["cves"]),
        ("GET /api/machines/.*/logonusers", answers["logons"]),
    ]


@pytest.mark.parametrize("wire", WIRES)
def test_the_answer_is_the_same_in_every_form_of_the_wire(
    wire: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with foreign("defender_endpoint", estate(), tmp_path, monkeypatch, wire=wire, **OPTIONS) as defender:
        report = defender.sync()
        assert set(states(report).values()) == {"complete"}
        assert [m.records for m in report.streams] == [1, 1, 1, 1, 1]
        assert not any(m.rejected or m.field_issues for m in report.streams)


def test_a_documented_answer_of_every_stream_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with foreign("defender_endpoint", estate(), tmp_path, monkeypatch, **OPTIONS) as defender:
        defender.sync()
        with defender.staged() as staged:
            assert staged.failing() == []
            (device,) = staged.rows("select * from stg_defender_endpoint__devices")
            assert (device["is_managed"], device["criticality"], device["device_category"]) == (True, 1, "Server")
            assert (device["mac_addresses"], device["ip_addresses"]) == (["8c:ec:4b:89:7e:73"], ["172.17.230.209"])
            assert (device["cloud_provider"], device["cloud_account_id"]) == ("azure", "sub-1")
            (found,) = staged.rows("select * from stg_defender_endpoint__findings")
            assert (found["cve_id"], found["severity"], found["asset_record"]) == (
                CVE["id"],
                "medium",
                device["record"],
            )
            assert found["first_seen"] == datetime(2026, 10, 30, 11, 7, 15)
            (known,) = staged.rows("select * from stg_defender_endpoint__vulnerabilities")
            assert (known["cvss_score"], known["epss_score"], known["exploit_available"]) == (6.5, 0.632, True)
            edges = staged.rows("select * from stg_defender_endpoint__relationships order by relationship")
            assert [e["relationship"] for e in edges] == ["frequently logged in by", "runs on"]
            (account,) = staged.rows("select * from stg_defender_endpoint__identities")
            assert (account["sam_account_name"], account["domain"], account["is_privileged"]) == (
                "user1",
                "contoso",
                True,
            )


def test_a_weakness_of_a_machine_that_is_not_listed_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with foreign("defender_endpoint", estate(machines=collection()), tmp_path, monkeypatch, **OPTIONS) as defender:
        defender.sync("machines", "vulnerabilities")
        with defender.staged() as staged:
            assert staged.one("select asset_record from stg_defender_endpoint__findings").endswith(MACHINE["id"])


def renamed(record: Any, number: str) -> None:
    record["id"] = KEY + number


def test_no_key_of_a_machine_is_needed_but_its_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = mutants(MACHINE, renamed, keep=["id"])
    routes = estate(machines=collection(*[m.record for m in given]))
    with foreign("defender_endpoint", routes, tmp_path, monkeypatch, **OPTIONS) as defender:
        report = defender.sync("machines")
        assert (manifest(report, "machines").state, manifest(report, "machines").records) == ("complete", len(given))
        with defender.staged() as staged:
            assert staged.failing() == []
            assert suffers(given, staged, "stg_defender_endpoint__devices", NUMBER) == []


def test_no_key_of_a_weakness_is_needed_but_device_and_cve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def rename(record: Any, number: str) -> None:
        record["deviceId"] = KEY + number
        if record.get("id"):
            record["id"] = f"w_{number}"

    given = mutants(WEAKNESS, rename, keep=["deviceId", "cveId"])
    routes = estate(weaknesses=collection(*[m.record for m in given]))
    with foreign("defender_endpoint", routes, tmp_path, monkeypatch, **OPTIONS) as defender:
        report = defender.sync("vulnerabilities")
        assert manifest(report, "vulnerabilities").records == len(given)
        with defender.staged() as staged:
            failing = [line for line in staged.failing() if "relationships" not in line]
            assert failing == []
            model = "stg_defender_endpoint__findings"
            assert suffers(given, staged, model, "right(asset_record, 5)") == []


def test_no_key_of_a_logon_is_needed_but_its_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def rename(record: Any, number: str) -> None:
        record["id"] = f"contoso\\user{number}"

    given = mutants(LOGON, rename, keep=["id"])
    routes = estate(logons=collection(*[m.record for m in given]))
    with foreign("defender_endpoint", routes, tmp_path, monkeypatch, **OPTIONS) as defender:
        defender.sync("machines", "logon_users")
        with defender.staged() as staged:
            assert staged.failing() == []
            assert suffers(given, staged, "stg_defender_endpoint__identities", NUMBER) == []


SUBSCRIPTION = "0b5b7a39-1111-4222-8333-944455556666"
ARC = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.HybridCompute/machines/srv-a"
AT_AMAZON = {"cloudProvider": "AWS", "vmId": "i-0123456789abcdef0"}
CASES = [
    Case({"onboardingStatus": "Onboarded"}, "is_managed", True),
    Case({"onboardingStatus": ABSENT}, "is_managed", True),
    Case({"onboardingStatus": "CanBeOnboarded"}, "is_managed", False),
    Case({"onboardingStatus": "InsufficientInfo"}, "authority", "update"),
    Case({"aadDeviceId": "00000000-0000-0000-0000-000000000000"}, "entra_device_id", None),
    Case({"aadDeviceId": None}, "entra_device_id", None),
    Case({"vmMetadata": None}, "cloud_instance_id", None),
    Case({"vmMetadata": {"cloudProvider": "Unknown", "vmId": ""}}, "cloud_provider", None),
    Case({"computerDnsName": "MYMACHINE1"}, "hostnames", ["mymachine1"]),
    Case({"computerDnsName": ""}, "hostnames", []),
    Case({"vmMetadata.cloudProvider": "unknownFutureValue"}, "cloud_provider", None),
    # what is called by its owner's name, or by its address, has no domain
    Case({"computerDnsName": "Dr. Smith's iPad"}, "hostnames", ["dr. smith's ipad"]),
    Case({"computerDnsName": "Dr. Smith's iPad"}, "domain", None),
    Case({"computerDnsName": "10.1.2.3"}, "fqdns", []),
    Case({"computerDnsName": "10.1.2.3"}, "domain", None),
    # Azure Arc names its registration of a machine, not the machine
    Case({"vmMetadata.resourceId": ARC}, "cloud_provider", None),
    Case({"vmMetadata.resourceId": ARC}, "cloud_account_id", None),
    Case({"vmMetadata.resourceId": ARC}, "cloud_instance_id", None),
    Case({"vmMetadata": {**AT_AMAZON, "resourceId": ARC}}, "cloud_instance_id", "i-0123456789abcdef0"),
    Case({"vmMetadata": {**AT_AMAZON, "subscriptionId": "123456789012"}}, "cloud_account_id", "123456789012"),
    # the subscription that Azure knows it in is no account of Amazon
    Case({"vmMetadata": {**AT_AMAZON, "subscriptionId": SUBSCRIPTION}}, "cloud_account_id", None),
    Case({"machineTags": "one tag"}, "is_managed", True),
    Case({"ipAddresses": MACHINE["ipAddresses"][0]}, "mac_addresses", ["8c:ec:4b:89:7e:73"]),
    Case({"ipAddresses": [None, MACHINE["ipAddresses"][0]]}, "mac_addresses", ["8c:ec:4b:89:7e:73"]),
    Case(
        {
            "ipAddresses": [
                {"ipAddress": "127.0.0.1", "macAddress": "000000000000", "type": "Other", "operationalStatus": "Up"},
                {"ipAddress": "::1", "macAddress": "000000000000", "type": "Other", "operationalStatus": "Up"},
                {"ipAddress": "192.0.2.40", "macAddress": "00005E0053FF", "type": "Other", "operationalStatus": "Up"},
            ],
            "lastIpAddress": None,
        },
        "ip_addresses",
        ["192.0.2.40"],
    ),
    Case({"osBuild": "20348", "rbacGroupId": "140", "isExcluded": "true"}, "state", "retired"),
    Case({"lastSeen": "2026-11-20T12:18:45+00:00"}, "last_seen", datetime(2026, 11, 20, 12, 18, 45)),
    Case({"deviceValue": "high"}, "criticality", 1),
    Case({"osPlatform": "Linux"}, "device_category", "Server"),
]


def test_a_value_in_an_unusual_form_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    routes = estate(machines=collection(*varied(MACHINE, CASES, renamed)))
    with foreign("defender_endpoint", routes, tmp_path, monkeypatch, **OPTIONS) as defender:
        assert manifest(defender.sync("machines"), "machines").field_issues == 0
        with defender.staged() as staged:
            assert misread(CASES, staged, "stg_defender_endpoint__devices", NUMBER) == []


def test_a_machine_without_an_id_does_not_end_the_logons_of_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nameless = {key: value for key, value in MACHINE.items() if key != "id"}
    routes = estate(machines=collection(nameless, {**MACHINE, "id": None}, MACHINE))
    with foreign("defender_endpoint", routes, tmp_path, monkeypatch, **OPTIONS) as defender:
        report = defender.sync("machines", "logon_users")
        assert manifest(report, "logon_users").records == 1


# Pages and files -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host", ["https://api.securitycenter.microsoft.com", "https://eu.api.security.microsoft.com", ""]
)
def test_pages_are_followed_by_their_links_on_the_base_address(
    host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pages(asked: Asked) -> Any:
        start = int(asked.query.get("$skip", 0))
        page = collection({**MACHINE, "id": f"{KEY}{start:05d}"})
        if start < 3:
            page["@odata.nextLink"] = f"{host or asked.base}{asked.path}?pageSize=1&$skip={start + 1}"
        elif start == 3:
            page = collection(**{"@odata.nextLink": None})
        return page

    with foreign("defender_endpoint", estate(machines=pages), tmp_path, monkeypatch, **OPTIONS) as defender:
        found = manifest(defender.sync("machines"), "machines")
        assert (found.state, found.records, found.pages) == ("complete", 3, 4)


def test_an_empty_collection_is_one_in_every_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = Answer({"error": {"code": "ResourceNotFound", "message": "No machine was found", "target": "x"}}, 404)
    routes = estate(machines=gone, software=collection(), weaknesses={"value": None}, cves=collection())
    with foreign("defender_endpoint", routes, tmp_path, monkeypatch, **OPTIONS) as defender:
        report = defender.sync()
        assert {(m.stream, m.state, m.records) for m in report.streams} == {
            (name, "complete", 0) for name in ("machines", "software", "vulnerabilities", "cves", "logon_users")
        }


@pytest.mark.parametrize("form", ["gzip", "plain", "list"])
def test_prepared_files_of_a_recording_are_read_from_its_own_address(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows in PascalCase and in camelCase, a line each, without an id."""
    pascal = {key[:1].upper() + key[1:]: value for key, value in WEAKNESS.items() if key != "id"}
    rows = [pascal, {**WEAKNESS, "cveId": "CVE-2025-2"}]
    lines = "".join(json.dumps(row) + "\r\n" for row in (rows if form != "list" else [rows])).encode() + b"\n"
    body = gzip.compress(lines) if form == "gzip" else lines

    def export(asked: Asked) -> Any:
        files = [f"{asked.base.replace('127.0.0.1', 'localhost')}/files/{n}.json.gz?sv=2020&sig=x" for n in range(2)]
        return {"@odata.context": "x", "exportFiles": files, "generatedTime": "2026-11-20T11:00:00Z"}

    routes = [
        *estate(),
        ("GET /api/machines/SoftwareVulnerabilitiesExport", export),
        ("GET /files/.*", Answer(body, content_type="application/octet-stream")),
    ]
    with foreign("defender_endpoint", routes, tmp_path, monkeypatch, **OPTIONS) as defender:
        found = manifest(defender.sync("machines", "vulnerabilities", vulnerabilities_via="export"), "vulnerabilities")
        assert (found.state, found.records, found.rejected) == ("complete", 2, 0)
        asked = [one for one in defender.vendor.asked if one.path.startswith("/files/")]
        assert [one.headers.get("Authorization") for one in asked] == [None, None]
        with defender.staged() as staged:
            cves = "select list(cve_id order by cve_id) from stg_defender_endpoint__findings"
            assert staged.one(cves) == ["CVE-2025-12345", "CVE-2025-2"]


def test_an_export_file_on_another_host_is_never_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = {"exportFiles": ["https://files.other.example/1.json.gz?sig=x"], "generatedTime": "2026-11-20T11:00:00Z"}
    routes = [*estate(), ("GET /api/machines/SoftwareVulnerabilitiesExport", answer)]
    with foreign("defender_endpoint", routes, tmp_path, monkeypatch, **OPTIONS) as defender:
        found = manifest(defender.sync("vulnerabilities", vulnerabilities_via="export"), "vulnerabilities")
        assert (found.state, found.error) == ("failed", "ForeignHost")
        assert "export_hosts" in str(found.reason)


def test_a_cve_that_is_not_listed_is_rated_as_the_machines_row_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kit = {**WEAKNESS, "id": "w2", "cveId": "CVE-2025-2", "exploitabilityLevel": "ExploitIsInKit", "cvssScore": 7}
    routes = estate(weaknesses=collection(WEAKNESS, kit))
    with foreign("defender_endpoint", routes, tmp_path, monkeypatch, **OPTIONS) as defender:
        defender.sync("machines", "vulnerabilities", "cves")
        with defender.staged() as staged:
            assert staged.failing() == []
            known = staged.rows("select * from stg_defender_endpoint__vulnerabilities order by cve_id")
            assert [(k["cve_id"], k["severity"], k["cvss_score"], k["exploit_available"]) for k in known] == [
                ("CVE-2025-12345", "medium", 6.5, True),
                ("CVE-2025-2", "medium", 7.0, True),
            ]
