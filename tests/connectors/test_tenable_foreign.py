"""Tenable in the shapes of the vendor's reference, of its client's cassettes and of others' fixtures, by its base address alone.

Every test is named after the trap it guards. The recorded records are those of test_tenable_replay.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connector_assets.kit.budgets import Allowance

from .microsoft import manifest, states
from .replay import Answer, Case, Route, foreign, misread, varied
from .test_tenable_replay import ASSET, FINDING, ID, JOB, NUMBER, estate, export, renamed

# the second version of the export puts the same things into groups
GROUPED: dict[str, Any] = {
    "id": f"{ID}00002",
    "has_agent": True,
    "has_plugin_results": True,
    "is_licensed": True,
    "is_public": False,
    "types": ["host", "cloud"],
    "system_types": ["aws-ec2-instance"],
    "operating_systems": ["Oracle Linux 8.4"],
    "serial_number": None,
    "tenable_agent_days_since_active": 2,
    "timestamps": {
        "created_at": "2026-09-24T15:01:25.000Z",
        "updated_at": "2026-11-20T09:45:50.000Z",
        "first_seen": "2026-09-24T15:01:25.000Z",
        "last_seen": "2026-11-20T09:45:50.000Z",
    },
    "scan": {"first_scan_time": "2026-09-24T15:01:25.000Z", "last_authenticated_scan_date": None, "last_scan_id": "s"},
    "cloud": {
        "aws": {
            "ec2_instance_id": "i-1234567890abcdef0",
            "owner_id": "111122223333",
            "region": "us-east-1",
            "vpc_id": "vpc-1",
        }
    },
    "network": {
        "network_id": "00000000-0000-0000-0000-000000000000",
        "network_name": "Default",
        "ipv4s": ["10.1.2.9"],
        "ipv6s": [],
        "fqdns": ["vm-b.corp.example"],
        "hostnames": ["vm-b"],
        "mac_addresses": ["00:11:22:33:44:66"],
    },
    "ratings": {"acr": {"score": 9}, "aes": {"score": 600}},
    "sources": [{"name": "NESSUS_AGENT", "first_seen": "2026-09-24T15:01:25.000Z", "last_seen": None}],
    "tags": [],
}


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Allowance, "pause", lambda self, seconds: None)
    monkeypatch.setattr(Allowance, "wait", lambda self, *_: None)


GROUPED_CASES = [
    Case({}, "fqdns", ["vm-b.corp.example"]),
    Case({}, "mac_addresses", ["00:11:22:33:44:66"]),
    Case({}, "cloud_instance_id", "i-1234567890abcdef0"),
    Case({}, "cloud_account_id", "111122223333"),
    Case({}, "criticality", 0),
    Case({"ratings": None}, "criticality", None),
    Case({"cloud": {"azure": {"vm_id": "v-1", "resource_id": "/subscriptions/s-1/x"}}}, "cloud_account_id", "s-1"),
    Case({"cloud": {"gcp": {"instance_id": "1", "project_id": "p-1"}}}, "cloud_account_id", "p-1"),
    Case({"cloud": {}, "network": None, "timestamps": []}, "ip_addresses", []),
    Case({"timestamps.deleted_at": "2026-11-01T00:00:00Z"}, "state", "retired"),
]
ASSET_CASES = [
    # the reference's own asset
    Case({"azure_vm_id": "12", "azure_resource_id": "12"}, "cloud_resource_id", None),
    Case({}, "cloud_resource_id", ASSET["azure_resource_id"]),
    Case({"acr_score": None}, "criticality", 1),
    Case({"acr_score": "3"}, "criticality", 3),
    Case({"aws_owner_id": [], "agent_names": None}, "hostnames", ["vm-a"]),
    # a machine that was renamed has both
    Case({"netbios_names": ["VM-OLD", "VM-A"]}, "netbios_name", "VM-OLD"),
    Case({"netbios_names": ["VM-OLD", "VM-A"], "hostnames": [], "agent_names": []}, "hostnames", ["VM-A"]),
]


def test_an_asset_in_groups_is_as_one_in_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {**GROUPED, "timestamps": {**GROUPED["timestamps"], "deleted_at": None}}
    with foreign("tenable", estate(varied(given, GROUPED_CASES, renamed)), tmp_path, monkeypatch) as tenable:
        assert manifest(tenable.sync("assets"), "assets").field_issues == 0
        with tenable.staged() as staged:
            assert staged.failing() == []
            assert misread(GROUPED_CASES, staged, "stg_tenable__devices", NUMBER) == []


def test_a_value_of_the_reference_is_no_more_than_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with foreign("tenable", estate(varied(ASSET, ASSET_CASES, renamed)), tmp_path, monkeypatch) as tenable:
        tenable.sync("assets")
        with tenable.staged() as staged:
            assert misread(ASSET_CASES, staged, "stg_tenable__devices", NUMBER) == []


def test_no_version_3_score_is_written_as_0_beside_a_score_of_version_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin = {**FINDING["plugin"], "cve": ["CVE-2003-0984"], "cvss3_base_score": 0, "cvss_base_score": 4.6}
    none = {**FINDING["plugin"], "cve": ["CVE-2003-0985"], "cvss3_base_score": 0, "cvss_base_score": 0, "vpr": None}
    found = [{**FINDING, "plugin": plugin}, {**FINDING, "finding_id": "f-2", "plugin": none}]
    with foreign("tenable", estate(findings=found), tmp_path, monkeypatch) as tenable:
        assert manifest(tenable.sync("vulnerabilities"), "vulnerabilities").field_issues == 0
        with tenable.staged() as staged:
            known = staged.rows("select * from stg_tenable__vulnerabilities order by cve_id")
            assert [row["cvss_score"] for row in known] == [4.6, None]


def test_an_export_that_runs_already_is_adopted_from_the_words_of_a_429(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = (
        "Duplicate export not allowed. Please modify request or wait until existing export is complete "
        f"(job_uuid={JOB} container_uuid=93186ec5-a86d-4994-9667-19c9ceddb38b createdAt=2026-11-20T12:12:03.556Z)"
    )
    refusal = Answer({"status": 429, "message": words}, 429, {"Retry-After": "40", "Set-Cookie": "a=b; Secure"})
    routes: list[Route] = [("POST /assets/export", refusal), *export("assets", {2: [ASSET]})]
    with foreign("tenable", routes, tmp_path, monkeypatch) as tenable:
        found = manifest(tenable.sync("assets"), "assets")
        assert (found.state, found.records) == ("complete", 1)


def test_a_recorded_status_without_chunks_is_an_empty_container(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Application/json in capitals, counts beside the lists, the filters repeated in other letters."""
    told = {
        "chunks_cancelled": [],
        "total_chunks": 0,
        "chunks_available_count": 0,
        "empty_chunks_count": 0,
        "finished_chunks": 0,
        "filters": {"state": ["OPEN"], "tags": {}, "since": 1627491750},
        "num_assets_per_chunk": 50,
        "created": 1630515750734,
    }
    routes = [
        (path, Answer(body, content_type="Application/json") if isinstance(body, dict) else body)
        for path, body in [*export("assets", {}, **told), *export("vulns", {}, **told)]
    ]
    with foreign("tenable", routes, tmp_path, monkeypatch) as tenable:
        report = tenable.sync()
        assert set(states(report).values()) == {"complete"}
        assert sum(m.records for m in report.streams) == 0


def test_assets_of_which_only_an_id_is_known_are_no_machines_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with foreign("tenable", estate([{"id": "a-1", "name": "x"}, {"id": "a-2"}, {}]), tmp_path, monkeypatch) as tenable:
        found = manifest(tenable.sync("assets"), "assets")
        assert (found.state, found.records, found.rejected) == ("partial", 2, 1)
        with tenable.staged() as staged:
            assert staged.failing() == []
            assert staged.rows("select distinct authority from stg_tenable__devices") == [{"authority": "update"}]
