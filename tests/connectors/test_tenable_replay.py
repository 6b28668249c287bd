"""Tenable against answers that others recorded or documented: chunks, spellings, gaps.

Every test is named after the trap it guards.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from connector_assets.kit.budgets import Allowance

from .microsoft import manifest, states
from .replay import WIRES, Answer, Asked, Case, Route, foreign, misread, mutants, suffers, varied

JOB = "11111111-2222-4333-8444-555555555555"
ID = "aaaaaaaa-0000-4000-8000-0000000"
NUMBER = "right(record_id, 5)"

# the keys, types and empty forms of an answer of the first version: every key is there
ASSET: dict[str, Any] = {
    "id": f"{ID}00001",
    "has_agent": True,
    "has_plugin_results": True,
    "created_at": "2025-11-02T08:11:09.120Z",
    "terminated_at": None,
    "terminated_by": None,
    "updated_at": "2026-11-20T04:05:06.789Z",
    "deleted_at": None,
    "deleted_by": None,
    "first_seen": "2025-11-02T08:11:08.000Z",
    "last_seen": "2026-11-20T04:05:06.000Z",
    "first_scan_time": "2025-11-02T08:11:08.000Z",
    "last_scan_time": "2026-11-20T03:40:00.000Z",
    "last_authenticated_scan_date": None,
    "last_licensed_scan_date": "2026-11-20T03:40:00.000Z",
    "last_scan_id": "s-1",
    "last_schedule_id": "template-1",
    "network_id": "00000000-0000-0000-0000-000000000000",
    "network_name": "Default",
    "azure_vm_id": "8a7b6c5d-1111-4222-8333-944455556666",
    "azure_resource_id": "/subscriptions/sub-1/resourcegroups/rg/providers/microsoft.compute/virtualmachines/vm-a",
    "gcp_project_id": None,
    "gcp_zone": None,
    "gcp_instance_id": None,
    "aws_ec2_instance_ami_id": None,
    "aws_ec2_instance_id": None,
    "aws_owner_id": None,
    "aws_region": None,
    "agent_uuid": "aabbccddeeff00112233445566778899",
    "bios_uuid": "4c4c4544-0033-5710-8054-c4c04f564432",
    "mcafee_epo_guid": None,
    "servicenow_sysid": None,
    "bigfix_asset_id": None,
    "agent_names": ["vm-a"],
    "installed_software": ["cpe:/a:vendor:thing:1.2", "cpe:/a:vendor:other"],
    "ipv4s": ["10.1.2.3"],
    "ipv6s": ["fe80::1"],
    "fqdns": ["vm-a.corp.example"],
    "mac_addresses": ["00:0d:3a:aa:bb:cc"],
    "netbios_names": ["VM-A"],
    "operating_systems": ["Microsoft Windows Server 2022 Datacenter"],
    "system_types": ["general-purpose"],
    "hostnames": ["vm-a"],
    "ssh_fingerprints": [],
    "qualys_asset_ids": [],
    "serial_number": "SN-1",
    "sources": [{"name": "NESSUS_AGENT", "first_seen": "2025-11-02T08:11:08.000Z", "last_seen": None}],
    "tags": [{"uuid": "t-1", "key": "Env", "value": "Prod", "added_by": "u-1", "added_at": "2026-01-01T00:00:00Z"}],
    "network_interfaces": [
        {
            "name": "eth0",
            "virtual": None,
            "aliased": None,
            "mac_addresses": ["00:0d:3a:aa:bb:cc"],
            "ipv4s": ["10.1.2.3"],
            "ipv6s": [],
            "fqdns": [],
        }
    ],
    "acr_score": "7",
    "exposure_score": "721",
    "ratings": {"acr": {"score": 7.0}, "aes": {"score": 721.0}},
    "new_property": {"nested": [1]},
}
# empty attributes are left out; the port is a text, the check stands for two CVEs
FINDING: dict[str, Any] = {
    "asset": {
        "uuid": f"{ID}00001",
        "hostname": "10.1.2.3",
        "fqdn": "vm-a.corp.example",
        "ipv4": "10.1.2.3",
        "bios_uuid": "4C4C4544-0033-5710-8054-C4C04F564432",
        "operating_system": ["Microsoft Windows Server 2022 Datacenter"],
        "network_id": "00000000-0000-0000-0000-000000000000",
        "tracked": True,
    },
    "output": "Path : C:\\thing",
    "plugin": {
        "id": 178900,
        "name": "Thing &lt; 2.0",
        "family": "Windows",
        "family_id": 20,
        "cve": ["CVE-2024-11477", "CVE-2024-11478"],
        "cvss_base_score": 7.2,
        "cvss3_base_score": 7.8,
        "cvss_vector": {"access_vector": "Network", "raw": "AV:N"},
        "epss_score": 42.5,
        "exploit_available": False,
        "has_patch": True,
        "see_also": [""],
        "solution": "Upgrade.",
        "publication_date": "2024-11-25T00:00:00Z",
        "vuln_publication_date": "2024-11-20T00:00:00Z",
        "vpr": {"score": 6.7, "drivers": {"age_of_vuln": {"lower_bound": 366}}, "updated": "2026-01-01T00:00:00Z"},
    },
    "port": {"port": "0", "protocol": "TCP"},
    "scan": {"uuid": "s", "started_at": "2026-11-20T03:10:00Z", "completed_at": "2026-11-20T03:20:00Z"},
    "severity": "high",
    "severity_id": 3,
    "severity_default_id": 3,
    "severity_modification_type": "NONE",
    "finding_id": "f-00001",
    "first_found": "2025-12-01T00:00:00Z",
    "last_found": "2026-11-20T03:40:00.000Z",
    "indexed": "2026-11-20T03:55:10.100Z",
    "state": "OPEN",
    "source": "AGENT",
}


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Allowance, "pause", lambda self, seconds: None)


def export(kind: str, chunks: dict[int, Any], **status: Any) -> list[Route]:
    """The routes of an export that gives every job the same chunks."""
    told = {"uuid": JOB, "status": "FINISHED", "chunks_available": list(chunks), "chunks_failed": [], **status}

    def chunk(asked: Asked) -> Any:
        return chunks[int(asked.path.rpartition("/")[2])]

    return [
        (f"POST /{kind}/export", {"export_uuid": JOB}),
        (f"GET /{kind}/export/{JOB}/status", told),
        (f"GET /{kind}/export/{JOB}/chunks/.*", chunk),
    ]


def estate(assets: Sequence[Any] = (ASSET,), findings: Sequence[Any] = (FINDING,)) -> list[Route]:
    return [*export("assets", {1: list(assets)}), *export("vulns", {1: list(findings)})]


@pytest.mark.parametrize("wire", WIRES)
def test_the_answer_is_the_same_in_every_form_of_the_wire(
    wire: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with foreign("tenable", estate(), tmp_path, monkeypatch, wire=wire) as tenable:
        report = tenable.sync()
        assert set(states(report).values()) == {"complete"}
        assert [m.records for m in report.streams] == [1, 1, 1, 1]
        assert not any(m.rejected or m.field_issues for m in report.streams)


def test_a_recorded_asset_and_finding_are_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with foreign("tenable", estate(), tmp_path, monkeypatch) as tenable:
        tenable.sync()
        with tenable.staged() as staged:
            assert staged.failing() == []
            (device,) = staged.rows("select * from stg_tenable__devices")
            # every export of a replay gives the same assets: what is not marked as deleted is not deleted
            assert (device["state"], device["authority"], device["scope"]) == ("active", "create", "default")
            assert device["cloud_account_id"] == "sub-1"
            assert (device["serial_number"], device["environment"], device["criticality"]) == ("SN-1", "Prod", 1)
            assert device["ip_addresses"] == ["10.1.2.3", "fe80::1"]
            found = staged.rows("select * from stg_tenable__findings order by cve_id")
            assert [f["cve_id"] for f in found] == ["CVE-2024-11477", "CVE-2024-11478"]
            assert {(f["asset_record"], f["severity"], f["status"]) for f in found} == {
                (device["record"], "high", "open")
            }
            (first, _) = staged.rows("select * from stg_tenable__vulnerabilities order by cve_id")
            assert (first["cvss_score"], first["epss_score"]) == (7.8, 0.425)
            assert first["published_at"] == datetime(2024, 11, 20)


def renamed(record: Any, number: str) -> None:
    record["id"] = ID + number


def renamed_finding(record: Any, number: str) -> None:
    if record.get("finding_id"):
        record["finding_id"] = f"f-{number}"
    record["asset"]["uuid"] = ID + number


def test_no_key_of_an_asset_is_needed_but_its_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = mutants(ASSET, renamed, keep=["id"])
    with foreign("tenable", estate([m.record for m in given]), tmp_path, monkeypatch) as tenable:
        report = tenable.sync("assets")
        assert (manifest(report, "assets").state, manifest(report, "assets").records) == ("complete", len(given))
        with tenable.staged() as staged:
            assert staged.failing() == []
            assert suffers(given, staged, "stg_tenable__devices", NUMBER) == []


def test_no_key_of_a_finding_is_needed_but_host_and_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = mutants(FINDING, renamed_finding, keep=["asset.uuid", "plugin.id"])
    with foreign("tenable", estate(findings=[m.record for m in given]), tmp_path, monkeypatch) as tenable:
        report = tenable.sync()
        assert manifest(report, "vulnerabilities").records == len(given)
        with tenable.staged() as staged:
            failing = [line for line in staged.failing() if "relationships" not in line]
            assert failing == []
            assert suffers(given, staged, "stg_tenable__findings", "right(asset_record, 5)") == []


ARC = "/subscriptions/sub-1/resourcegroups/rg/providers/microsoft.hybridcompute/machines/srv-a"
ASSET_CASES = [
    Case({"mac_addresses": []}, "mac_addresses", ["00:0d:3a:aa:bb:cc"]),
    Case({"ipv4s": [], "ipv6s": None}, "ip_addresses", ["10.1.2.3"]),
    Case({"mac_addresses": "00:0d:3a:aa:bb:cd", "network_interfaces": {}}, "mac_addresses", ["00:0d:3a:aa:bb:cd"]),
    Case({"hostnames": ["10.1.2.3"], "agent_names": ["fe80::1"]}, "hostnames", []),
    Case({"tags": [{"key": "env", "value": ""}, {"key": "ENVIRONMENT", "value": "Test"}]}, "environment", "Test"),
    Case({"acr_score": 9.0}, "criticality", 0),
    Case({"acr_score": "3.0"}, "criticality", 3),
    Case({"azure_resource_id": "12", "aws_owner_id": "44", "aws_ec2_instance_id": "i-1"}, "cloud_account_id", None),
    Case({"azure_vm_id": "", "aws_ec2_instance_id": "i-1", "aws_owner_id": "44"}, "cloud_account_id", "44"),
    Case({"azure_vm_id": "", "aws_ec2_instance_id": "i-1", "aws_owner_id": "44"}, "cloud_provider", "aws"),
    # Azure Arc names its registration of a machine, not the machine
    Case({"azure_resource_id": ARC}, "cloud_provider", None),
    Case({"azure_resource_id": ARC}, "cloud_resource_id", ARC),
    Case({"azure_resource_id": ARC, "azure_vm_id": "A-1", "agent_uuid": None}, "agent_ids", ["azure_arc=a-1"]),
    Case({"deleted_at": "2026-11-01T00:00:00.000Z"}, "state", "retired"),
    Case({"terminated_at": 1793491200}, "state", "retired"),
    Case({"last_seen": "2026-11-21T04:05:06Z"}, "last_seen", datetime(2026, 11, 21, 4, 5, 6)),
]
FINDING_CASES = [
    Case({"severity": "2"}, "severity", "medium"),
    Case({"severity": 4}, "severity", "critical"),
    Case({"severity": None, "severity_id": "1"}, "severity", "low"),
    Case({"severity": "Critical"}, "severity", "critical"),
    Case({"severity": "none", "severity_id": 9}, "severity", None),
    Case({"state": "Fixed", "last_fixed": "2026-11-19T00:00:00Z"}, "fixed_at", datetime(2026, 11, 19)),
    Case({"state": "REOPENED"}, "status", "open"),
    Case({"plugin.name": "Thing &lt; 2.0"}, "title", "Thing < 2.0"),
]


def test_a_value_in_an_unusual_form_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assets = varied(ASSET, ASSET_CASES, renamed)
    single = {**FINDING, "plugin": {**FINDING["plugin"], "cve": ["CVE-2024-11477"]}}
    with foreign(
        "tenable", estate(assets, varied(single, FINDING_CASES, renamed_finding)), tmp_path, monkeypatch
    ) as tenable:
        tenable.sync("assets", "vulnerabilities")
        with tenable.staged() as staged:
            assert misread(ASSET_CASES, staged, "stg_tenable__devices", NUMBER) == []
            assert misread(FINDING_CASES, staged, "stg_tenable__findings", "right(asset_record, 5)") == []


def test_nested_numbers_written_as_texts_are_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plugin = {
        **FINDING["plugin"],
        "id": "178900",
        "epss_score": "42.5",
        "cvss3_base_score": "7.8",
        "exploit_available": "true",
    }
    with foreign("tenable", estate(findings=[{**FINDING, "plugin": plugin}]), tmp_path, monkeypatch) as tenable:
        tenable.sync("vulnerabilities")
        with tenable.staged() as staged:
            (first, _) = staged.rows("select * from stg_tenable__vulnerabilities order by cve_id")
            assert (first["cvss_score"], first["epss_score"], first["exploit_available"]) == (7.8, 0.425, True)
            assert staged.one("select distinct evidence ->> '$.pluginId' from stg_tenable__findings") == "178900"


@pytest.mark.parametrize(
    "status",
    [
        {"status": "FINISHED"},
        {"status": "FINISHED", "chunks_available": None, "chunks_failed": None},
        {"status": "finished", "chunks_available": []},
    ],
)
def test_an_export_without_a_chunk_is_an_empty_list(
    status: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    routes = [("POST /assets/export", {"export_uuid": JOB}), (f"GET /assets/export/{JOB}/status", status)]
    with foreign("tenable", routes, tmp_path, monkeypatch) as tenable:
        found = manifest(tenable.sync("assets"), "assets")
        assert (found.state, found.records) == ("complete", 0)


def test_chunks_of_every_form_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Answer(
        [{**ASSET, "id": "a-2"}],
        headers={"Content-Disposition": "attachment; filename=chunk"},
        content_type="application/octet-stream",
    )
    routes = export("assets", {7: [ASSET], 2: stream, 3: [], 5: None})
    with foreign("tenable", routes, tmp_path, monkeypatch) as tenable:
        found = manifest(tenable.sync("assets"), "assets")
        assert (found.state, found.records) == ("complete", 2)
        assert len([path for path in tenable.vendor.paths() if "/chunks/" in path]) == 4
