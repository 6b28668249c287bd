"""Cortex Cloud against answers that others recorded or documented: two envelopes of issues, lists alone, nulls.

Every test is named after the trap it guards.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from connector_assets.kit.budgets import Allowance

from .microsoft import manifest, states
from .replay import ABSENT, WIRES, Answer, Asked, Case, Route, foreign, misread, mutants, suffers, varied

OPTIONS = {"api_key_id": "15"}
ACCOUNT = "123456789012"
SUBSCRIPTION = "8a7b6c5d-1111-4222-8333-944455556666"
NUMBER = "right(record_id, 5)"
ID = "fffd007cff1c15f3a0d152ae630df9630ce00e39bc66811a9fa9b6457a7"
SNAPSHOT = "POST /vulnerability-management/v1/vulnerability-finding/snapshot"
SEARCH = "POST /vulnerability-management/v1/vulnerability-finding/search"
DEVICES, RESOURCES = "stg_cortex_cloud__devices", "stg_cortex_cloud__cloud_resources"
FINDINGS, ISSUES = "stg_cortex_cloud__findings", "stg_cortex_cloud__findings_issues"

# names are paths written as one; the inventory also counts beside them, under names of its own
ASSET: dict[str, Any] = {
    "xdm.asset.id": f"{ID}00001",
    "xdm.asset.strong_id": "i-0d5e8c751a2249637",
    "xdm.asset.external_provider_id": None,
    "xdm.asset.name": "ip-10-0-1-105.eu-west-3.compute.internal",
    "xdm.asset.provider": "AWS",
    "xdm.asset.realm": ACCOUNT,
    "xdm.asset.type.id": "EC2_INSTANCE",
    "xdm.asset.type.name": "EC2 Instance",
    "xdm.asset.type.class": "Compute",
    "xdm.asset.type.category": "VM Instance",
    "xdm.asset.type.is_resource": True,
    "xdm.asset.cloud.region": "eu-west-3",
    "xdm.asset.cloud.account.id": ACCOUNT,
    "xdm.asset.cloud.account.name": "integrations",
    "xdm.asset.tags": {"env": "prod", "Criticality": "high", "Name": "node"},
    "xdm.asset.group_ids": [3, 17],
    "xdm.asset.first_observed": 1747834085000,
    "xdm.asset.last_observed": 1795000000000,
    "xdm.asset.insights.is_inactive": False,
    "xdm.asset.insights.is_publicly_accessible": True,
    "xdm.asset.insights.has_sensitive_data": None,
    "xdm.asset.related_issues.critical_issues": 1,
    "xdm.asset.related_issues.issues_breakdown": {"critical": 1, "high": 0, "low": 0, "medium": 0},
    "xdm.asset.related_cases.cases_breakdown": {"critical": 0},
    "xdm.host.ipv4_addresses": ["10.0.1.105", "203.0.113.9"],
    "xdm.host.mac_addresses": ["0a:ff:ee:dd:cc:bb"],
    "xdm.host.fqdn": "node.corp.example",
    "issues_critical": 0,
    "cases_critical": 0,
    "xdm.asset.of_tomorrow": {"nested": [1]},
}
VAULT: dict[str, Any] = {
    **ASSET,
    "xdm.asset.strong_id": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/v-1",
    "xdm.asset.name": "v-1",
    "xdm.asset.provider": "AZURE",
    "xdm.asset.realm": SUBSCRIPTION,
    "xdm.asset.type.id": "AZURE_KEY_VAULT",
    "xdm.asset.type.name": "Azure Key Vault",
    "xdm.asset.type.class": "Data",
    "xdm.asset.type.category": "Secret Store",
    "xdm.asset.cloud.region": "westeurope",
    "xdm.asset.cloud.account.id": SUBSCRIPTION,
}
# as a tenant answers: an object for what is nested, its own kind of time, a number for an id
ISSUE: dict[str, Any] = {
    "id": 900001,
    "external_id": "7c96737d50f74c7b9487450426e9eafb",
    "name": "Instance is open to all",
    "description": "text",
    "domain": "POSTURE",
    "category": "CONFIGURATION",
    "severity": "HIGH",
    "type": "Network",
    "detection": {"method": "CSPM_SCANNER", "rule_id": "rule-1"},
    "status": {"progress": "New", "resolution_reason": None, "resolution_comment": None},
    "observation_time": 1790000000000,
    "_insert_time": 1790000000001,
    "last_update_timestamp": 1794000000000,
    "is_excluded": False,
    "is_excepted": False,
    "is_starred": False,
    "remediation": "Close it.",
    "asset_ids": [f"{ID}00001"],
    "asset_names": ["node"],
    "case_ids": [7],
    "tags": ["DOM:Posture"],
    "custom_fields": {},
}
# as the vendor documents one: other names for id, status and change, and none of them nested
DOCUMENTED: dict[str, Any] = {
    "_insert_time": "2026-05-15T10:30:00Z",
    "owner": "CWP",
    "external_id": "EXT-12345",
    "name": "Traffic nobody expects",
    "observation_time": 1790000000000,
    "domain": "POSTURE",
    "detection_method": "CSPM_SCANNER",
    "detection_rule_id": "RULE-9876",
    "category": "CONFIGURATION",
    "finding_ids": ["013543ea00ea9893bcde59cbfdc5992f"],
    "asset_ids": [f"{ID}00001"],
    "type": "Identity Security",
    "remediation": "Isolate it.",
    "issue_id": 123,
    "last_modified": 1794000000000,
    "is_excluded": False,
    "assigned_to": "alice@corp.example",
    "status": "Resolved",
    "status_resolution_reason": "RESOLVED_OTHER",
    "severity": "HIGH",
    "resolution_time": 1794000000000,
    "normalized_fields": {"xdm.source.ipv4": "192.0.2.1"},
}
# every key is there, most of them null
FINDING: dict[str, Any] = {
    "cortex_vulnerability_risk_score": 88.5,
    "asset_name": "node",
    "cve_id": "CVE-2024-11477",
    "cve_description": "text",
    "epss_score": 0.00368,
    "cvss_score": 7.7,
    "cvss_severity": "HIGH",
    "fix_versions": ["24.07"],
    "fix_date": None,
    "published_date": 1738713600000,
    "cve_publish_date": 1738713600000,
    "cve_risk_factors": ["Attack vector: network"],
    "affected_software": "7-zip",
    "has_kev": None,
    "exploitable": False,
    "exploit_level": "POC",
    "asset_type": "EC2_INSTANCE",
    "asset_category": "VM Instance",
    "asset_type_class": "Compute",
    "has_issue": True,
    "ipv4_addresses": ["10.0.1.105"],
    "ipv6_addresses": [],
    "operating_system": "Ubuntu 22.04",
    "os_family": "linux",
    "internet_exposed": True,
    "provider": "AWS",
    "finding_sources": ["CORTEX_AGENT"],
    "first_observed": 1790000000000,
    "last_observed": 1795000000000,
    "layer_id": None,
    "package_licenses": [],
    "package_version": "23.01",
    "package_purl": "pkg:generic/7-zip@23.01",
    "platform_id": "c273519c3b61adfb7dc46547fbc00001",
    "asset_id": f"{ID}00001",
    "fix_available": True,
    "package_in_use": None,
    "file_path": "/usr/bin/7z",
    "type_id": "140000000",
    "image_name": None,
    "asset_group_ids": [],
    "remediation": None,
    "issue_id": None,
}


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Allowance, "pause", lambda self, seconds: None)


def listed(*records: Any) -> dict[str, Any]:
    """The inventory's form of a list; it counts what lies beyond the filter too."""
    return {"reply": {"data": list(records), "metadata": {"filter_count": len(records), "total_count": 10_500}}}


def capitals(*records: Any) -> dict[str, Any]:
    return {"reply": {"DATA": list(records), "TOTAL_COUNT": 9000, "FILTER_COUNT": len(records)}}


def lines(*records: Any) -> Answer:
    body = "".join(json.dumps(record) + "\n" for record in records)
    return Answer(body + "\n", content_type="application/x-ndjson")


def within(given: Sequence[Any], form: Any) -> Any:
    """A search that gives the window asked for."""

    def answer(asked: Asked) -> Any:
        wanted = asked.json()["request_data"]
        reply = form(*given[wanted["search_from"] : wanted["search_to"]])
        counts = reply["reply"].get("metadata", reply["reply"])
        name = "filter_count" if "filter_count" in counts else "FILTER_COUNT"
        counts[name] = len(given)
        return reply

    return answer


def estate(
    assets: Sequence[Any] = (ASSET,), issues: Sequence[Any] = (ISSUE,), findings: Sequence[Any] = (FINDING,)
) -> list[Route]:
    return [
        ("POST /public_api/v1/assets", within(assets, listed)),
        ("POST /public_api/v1/issue/search", within(issues, capitals)),
        (SNAPSHOT, lines(*findings)),
    ]


def instead(stream: str, answer: Any) -> list[Route]:
    """The estate with another answer for one stream."""
    at = {"assets": 0, "issues": 1, "vulnerability_findings": 2}[stream]
    routes = estate()
    routes[at] = (routes[at][0], answer)
    return routes


@pytest.mark.parametrize("wire", WIRES)
def test_the_answer_is_the_same_in_every_form_of_the_wire(
    wire: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with foreign("cortex_cloud", estate(), tmp_path, monkeypatch, wire=wire, **OPTIONS) as cortex:
        report = cortex.sync()
        assert set(states(report).values()) == {"complete"}
        assert [m.records for m in report.streams] == [1, 1, 1]
        assert not any(m.rejected or m.field_issues for m in report.streams)


def test_a_recorded_answer_of_every_stream_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with foreign(
        "cortex_cloud", estate([ASSET, {**VAULT, "xdm.asset.id": "v"}]), tmp_path, monkeypatch, **OPTIONS
    ) as cortex:
        cortex.sync()
        with cortex.staged() as staged:
            assert staged.failing() == []
            (device,) = staged.rows(f"select * from {DEVICES}")
            assert (device["cloud_provider"], device["cloud_instance_id"]) == ("aws", "i-0d5e8c751a2249637")
            assert (device["environment"], device["criticality"], device["is_internet_facing"]) == ("prod", 1, True)
            assert device["os_platform"] == "Ubuntu 22.04"
            assert (device["fqdns"], device["ip_addresses"]) == (["node.corp.example"], ["10.0.1.105", "203.0.113.9"])
            told = json.loads(device["properties"])["cortexCloudAssetInfo"]
            assert (told["groupIds"], told["issuesBreakdown"]["critical"]) == (["3", "17"], 1)
            (vault,) = staged.rows(f"select * from {RESOURCES}")
            assert (vault["resource_type"], vault["account_id"]) == ("microsoft.keyvault/vaults", SUBSCRIPTION)
            (found,) = staged.rows(f"select * from {FINDINGS}")
            assert (found["cve_id"], found["severity"]) == ("CVE-2024-11477", "high")
            assert (found["asset_kind"], found["asset_record"]) == ("device", device["record"])
            (known,) = staged.rows("select * from stg_cortex_cloud__vulnerabilities")
            assert (known["epss_score"], known["exploit_available"]) == (0.00368, True)
            assert known["published_at"] == datetime(2025, 2, 5)
            (issue,) = staged.rows(f"select * from {ISSUES}")
            assert (issue["severity"], issue["status"], issue["asset_record"]) == ("high", "open", device["record"])
            assert json.loads(issue["evidence"])["detectionMethod"] == "CSPM_SCANNER"


def renamed_asset(record: Any, number: str) -> None:
    record["xdm.asset.id"] = ID + number


def renamed_finding(record: Any, number: str) -> None:
    record["platform_id"] = record["platform_id"][:-5] + number
    record["asset_id"] = ID + number


def renamed_issue(record: Any, number: str) -> None:
    record["id" if "id" in record else "issue_id"] = int(number)
    record["asset_ids"] = [ID + number]


@pytest.mark.parametrize(
    ("sample", "model", "kind"),
    [
        (ASSET, DEVICES, ("xdm.asset.type.category",)),
        (VAULT, RESOURCES, ("xdm.asset.provider",)),
    ],
)
def test_no_key_of_an_asset_is_needed_but_its_id_and_what_it_is(
    sample: Mapping[str, Any], model: str, kind: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = mutants(sample, renamed_asset, keep=["xdm.asset.id", *kind])
    with foreign("cortex_cloud", estate([m.record for m in given]), tmp_path, monkeypatch, **OPTIONS) as cortex:
        found = manifest(cortex.sync("assets"), "assets")
        assert (found.state, found.records) == ("complete", len(given))
        with cortex.staged() as staged:
            assert staged.failing() == []
            assert suffers(given, staged, model, NUMBER) == []


def test_no_key_of_a_finding_is_needed_but_its_ids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = mutants(FINDING, renamed_finding, keep=["platform_id", "asset_id", "asset_category"])
    with foreign(
        "cortex_cloud", estate(findings=[m.record for m in given]), tmp_path, monkeypatch, **OPTIONS
    ) as cortex:
        found = manifest(cortex.sync("vulnerability_findings"), "vulnerability_findings")
        assert (found.state, found.records) == ("complete", len(given))
        with cortex.staged() as staged:
            assert staged.failing() == []
            assert suffers(given, staged, FINDINGS, NUMBER) == []
            assert suffers(given, staged, DEVICES, NUMBER) == []


@pytest.mark.parametrize("sample", [ISSUE, DOCUMENTED], ids=["recorded", "documented"])
def test_no_key_of_an_issue_is_needed_but_its_id_and_assets(
    sample: Mapping[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = mutants(sample, renamed_issue, keep=["id", "issue_id", "asset_ids.0", "domain"])
    assets = [{**ASSET, "xdm.asset.id": ID + m.number} for m in given]
    routes = estate(assets, [m.record for m in given])
    with foreign("cortex_cloud", routes, tmp_path, monkeypatch, **OPTIONS) as cortex:
        report = cortex.sync("assets", "issues")
        assert set(states(report).values()) == {"complete"}
        assert manifest(report, "issues").records == len(given)
        with cortex.staged() as staged:
            assert staged.failing() == []
            assert suffers(given, staged, ISSUES, NUMBER) == []


IN_THE_OFFICE = {"xdm.asset.provider": "ON_PREM", "xdm.asset.type.category": "Device", "xdm.host.fqdn": None}
ASSET_CASES = [
    Case({"xdm.host.ipv4_addresses": "10.0.1.106"}, "ip_addresses", ["10.0.1.106"]),
    Case({"xdm.host.ipv4_addresses": ["", None, "10.0.1.106"]}, "ip_addresses", ["10.0.1.106"]),
    Case({"xdm.host.mac_addresses": None}, "mac_addresses", []),
    Case({"xdm.host.fqdn": "node"}, "fqdns", []),
    # what is called by its owner's name has no domain
    Case({**IN_THE_OFFICE, "xdm.asset.name": "Dr. Smith's iPad"}, "hostnames", ["Dr. Smith's iPad"]),
    Case({**IN_THE_OFFICE, "xdm.asset.name": "Dr. Smith's iPad"}, "fqdns", []),
    Case({**IN_THE_OFFICE, "xdm.asset.name": "pc-1.corp.example"}, "hostnames", ["pc-1"]),
    Case({**IN_THE_OFFICE, "xdm.asset.name": "pc-1.corp.example"}, "fqdns", ["pc-1.corp.example"]),
    Case({"xdm.asset.tags": [{"Key": "ENV", "Value": "test"}]}, "environment", "test"),
    Case({"xdm.asset.tags": [{"key": "criticality", "value": 0}]}, "criticality", 0),
    Case({"xdm.asset.tags": ["env:test", "criticality: low"]}, "criticality", 3),
    Case({"xdm.asset.tags": ["env:test", "criticality: low"]}, "environment", "test"),
    Case({"xdm.asset.tags": {"ENVIRONMENT": "test"}}, "environment", "test"),
    Case({"xdm.asset.tags": {"env": "", "environment": "test"}}, "environment", "test"),
    Case({"xdm.asset.tags": '{"env": "test"}'}, "environment", "test"),
    Case({"xdm.asset.first_observed": "1747834085000"}, "first_seen", datetime(2025, 5, 21, 13, 28, 5)),
    Case({"xdm.asset.first_observed": 0}, "first_seen", None),
    Case(
        {"xdm.asset.last_observed": "2026-11-20T18:40:57.123Z"}, "last_seen", datetime(2026, 11, 20, 18, 40, 57, 123000)
    ),
    Case({"xdm.asset.insights.is_inactive": "true"}, "state", "retired"),
    Case({"xdm.asset.insights.is_publicly_accessible": 0}, "is_internet_facing", False),
    Case({"xdm.asset.provider": "aws"}, "cloud_instance_id", "i-0d5e8c751a2249637"),
    Case({"xdm.asset.provider": "Amazon Web Services"}, "cloud_provider", "aws"),
    Case({"xdm.asset.cloud.account.id": ABSENT, "xdm.asset.realm": ACCOUNT}, "cloud_account_id", ACCOUNT),
    Case({"xdm.asset.cloud.account.id": 123456789012}, "cloud_account_id", ACCOUNT),
    Case({"xdm.asset.cloud.region": ""}, "cloud_resource_id", None),
    Case(
        {"xdm.asset.strong_id": f"arn:aws:ec2:eu-west-3:{ACCOUNT}:instance/i-0d5e8c751a2249637"},
        "cloud_instance_id",
        "i-0d5e8c751a2249637",
    ),
    Case({"xdm.asset.strong_id": None, "xdm.asset.name": " node "}, "display_name", "node"),
]
FINDING_CASES = [
    Case({"cvss_severity": "SEV_070_CRITICAL"}, "severity", "critical"),
    Case({"cvss_severity": "Medium"}, "severity", "medium"),
    Case({"cvss_severity": None}, "severity", "info"),
    Case({"cve_id": " cve-2024-11477"}, "cve_id", "CVE-2024-11477"),
    Case({"cve_id": "PRISMA-2021-0001"}, "cve_id", None),
    Case({"cve_id": "", "affected_software": ["7-zip"]}, "title", "7-zip"),
    Case({"first_observed": "2026-09-21T14:13:20Z"}, "first_seen", datetime(2026, 9, 21, 14, 13, 20)),
]
ISSUE_CASES = [
    Case({"severity": "SEV_020_LOW"}, "severity", "low"),
    Case({"severity": "Informational"}, "severity", "info"),
    Case({"status.progress": "STATUS_060_RESOLVED_FALSE_POSITIVE"}, "status", "fixed"),
    Case({"status.progress": "Resolved"}, "fixed_at", datetime(2026, 11, 6, 21, 20)),
    Case({"status.progress": "UNDER_INVESTIGATION"}, "status", "open"),
    Case({"status": "Resolved"}, "status", "fixed"),
    Case({"category": "Vulnerability", "name": "cve-2024-11477 in 7-zip"}, "cve_id", "CVE-2024-11477"),
    Case({"name": None}, "title", "Network"),
]


def test_a_value_in_an_unusual_form_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assets = varied(ASSET, ASSET_CASES, renamed_asset)
    findings = varied(FINDING, FINDING_CASES, renamed_finding)
    issues = varied(ISSUE, ISSUE_CASES, renamed_issue)
    with foreign("cortex_cloud", estate(assets, issues, findings), tmp_path, monkeypatch, **OPTIONS) as cortex:
        cortex.sync()
        with cortex.staged() as staged:
            assert staged.failing() == []
            assert misread(ASSET_CASES, staged, DEVICES, NUMBER) == []
            assert misread(FINDING_CASES, staged, FINDINGS, NUMBER) == []
            assert misread(ISSUE_CASES, staged, ISSUES, NUMBER) == []


@pytest.mark.parametrize(
    "reply",
    [
        {"total_count": 1, "result_count": 1, "issues": [DOCUMENTED]},
        {"TOTAL_COUNT": 1, "RESULT_COUNT": 1, "ISSUES": [DOCUMENTED]},
        [DOCUMENTED],
    ],
    ids=["documented", "capitals", "list alone"],
)
def test_issues_in_the_documented_envelope_are_read(
    reply: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with foreign("cortex_cloud", instead("issues", {"reply": reply}), tmp_path, monkeypatch, **OPTIONS) as cortex:
        found = manifest(cortex.sync("assets", "issues"), "issues")
        assert (found.state, found.records, found.rejected, found.field_issues) == ("complete", 1, 0, 0)
        with cortex.staged() as staged:
            assert staged.failing() == []
            (issue,) = staged.rows(f"select * from {ISSUES}")
    assert (issue["record_id"], issue["status"]) == (f"123|{ID}00001", "fixed")
    assert (issue["fixed_at"], issue["first_seen"]) == (
        datetime(2026, 11, 6, 21, 20),
        datetime(2026, 9, 21, 14, 13, 20),
    )
    assert json.loads(issue["evidence"])["detectionMethod"] == "CSPM_SCANNER"


@pytest.mark.parametrize(
    "reply",
    [
        {"data": [ASSET], "total_count": 1, "result_count": 1},
        {"data": [ASSET], "metadata": None},
        {"data": [ASSET], "metadata": {"filter_count": "1", "total_count": "10500"}},
        [ASSET],
    ],
    ids=["older counts", "no counts", "counts as text", "list alone"],
)
def test_the_inventory_in_every_envelope_is_whole(reply: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with foreign("cortex_cloud", instead("assets", {"reply": reply}), tmp_path, monkeypatch, **OPTIONS) as cortex:
        found = manifest(cortex.sync("assets"), "assets")
        assert (found.state, found.records, found.field_issues) == ("complete", 1, 0)


@pytest.mark.parametrize("nothing", [[], None])
def test_an_estate_with_nothing_in_it_is_empty(nothing: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    none = {"reply": {"data": nothing, "metadata": {"filter_count": 0, "total_count": 0}}}
    routes: list[Route] = [("POST .*", none)]
    with foreign("cortex_cloud", routes, tmp_path, monkeypatch, **OPTIONS) as cortex:
        report = cortex.sync()
        assert {(m.state, m.records) for m in report.streams} == {("complete", 0)}


@pytest.mark.parametrize(
    "answer",
    [
        Answer([FINDING]),
        Answer({"reply": {"data": [FINDING], "filter_count": 1, "total_count": 1}}),
        Answer({"reply": [FINDING]}),
        Answer(json.dumps(FINDING), content_type="application/json"),
        Answer(json.dumps(FINDING) + "\r\n\r\n", content_type="application/octet-stream"),
        Answer({name.upper(): value for name, value in FINDING.items()}, content_type="application/x-ndjson"),
    ],
    ids=["list", "reply", "list in a reply", "one object", "one line", "names in capitals"],
)
def test_a_snapshot_is_read_in_every_form(answer: Answer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with foreign("cortex_cloud", instead("vulnerability_findings", answer), tmp_path, monkeypatch, **OPTIONS) as cortex:
        found = manifest(cortex.sync("vulnerability_findings"), "vulnerability_findings")
        assert (found.state, found.records, found.rejected, found.field_issues) == ("complete", 1, 0, 0)
        with cortex.staged() as staged:
            assert staged.one(f"select cve_id from {FINDINGS}") == "CVE-2024-11477"


def test_the_search_goes_on_by_token_to_the_page_without_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def page(asked: Asked) -> Any:
        token = asked.json()["request_data"].get("next_page_token")
        number = {None: 1, "eyJsYXN0X2VsZW1lbnQiOiA1Njc4fQ==": 2}[token]
        record = {**FINDING, "platform_id": f"p-{number}"}
        more = {"next_page_token": "eyJsYXN0X2VsZW1lbnQiOiA1Njc4fQ=="} if number == 1 else {}
        return {"reply": {"data": [record], "filter_count": 2, "total_count": 10_500, **more}}

    with foreign(
        "cortex_cloud", [(SEARCH, page)], tmp_path, monkeypatch, **OPTIONS, findings_source="search"
    ) as cortex:
        found = manifest(cortex.sync("vulnerability_findings"), "vulnerability_findings")
        assert (found.state, found.records) == ("complete", 2)


EXTRA = "Public API request unauthorized"


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (
            Answer({"reply": {"err_code": 401, "err_msg": "Unauthorized", "err_extra": EXTRA}}, 401),
            "FixCredentials",
            EXTRA,
        ),
        (Answer({"reply": {"err_code": 403, "err_msg": "Forbidden", "err_extra": None}}, 403), "FixPermission", "role"),
        (Answer("<html><body>403 Forbidden</body></html>", 403, content_type="text/html"), "FixPermission", "role"),
        (Answer({"reply": {"err_code": 402, "err_msg": "no licence"}}, 402), "FixPermission", "licence"),
        (
            Answer({"reply": {"err_code": 400, "err_msg": "Bad Request", "err_extra": {"field": "sort"}}}, 400),
            "BadRequest",
            "sort",
        ),
        (Answer({"message": "Not Found"}, 404), "NotFound", "api-"),
        (
            Answer("<!DOCTYPE html><html><title>Cortex</title></html>", content_type="text/html"),
            "UnexpectedContent",
            "base_url",
        ),
        (
            Answer({"reply": {"err_code": "500", "err_msg": "An error occurred", "err_extra": "x"}}, 500),
            "RetryLater",
            "occurred",
        ),
        (Answer({"reply": "error"}), "BrokenAnswer", "reply"),
    ],
)
def test_a_documented_refusal_has_its_class_and_its_advice(
    answer: Answer, kind: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with foreign("cortex_cloud", instead("assets", answer), tmp_path, monkeypatch, **OPTIONS) as cortex:
        found = manifest(cortex.sync("assets"), "assets")
        assert (found.state, found.error) == ("failed", kind)
        assert words in (found.reason or "")
