"""Wiz against answers that others recorded or documented: members of unions, maps and lists, ends of pages.

Every test is named after the trap it guards.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from connector_assets.kit.budgets import Allowance

from .microsoft import manifest, states
from .replay import ABSENT, WIRES, Asked, Case, Route, foreign, misread, mutants, suffers, varied

OPTIONS = {"client_id": "c"}
NUMBER = "right(record_id, 5)"
VM_ID = "c828de0d-4c42-5b1c-946b-2edee09"
ARN = "arn:aws:ec2:us-east-1:998231069301:instance/i-0a0f7e1451da5f4a3"

PROJECTS = [
    {
        "id": "p-1",
        "name": "Project 2",
        "slug": "project-2",
        "businessUnit": "",
        "riskProfile": {"businessImpact": "MBI"},
    },
    {
        "id": "p-2",
        "name": "Project 1",
        "slug": "project-1",
        "businessUnit": "Dev",
        "riskProfile": {"businessImpact": "LBI"},
    },
]
RESOURCE: dict[str, Any] = {
    "id": VM_ID + "00001",
    "name": "test-4",
    "externalId": "i-0a0f7e1451da5f4a3",
    "providerUniqueId": ARN,
    "type": "VIRTUAL_MACHINE",
    "nativeType": "ec2#instance",
    "cloudPlatform": "AWS",
    "status": "Active",
    "region": "us-east-1",
    "firstSeen": "2026-05-01T11:36:10.063767Z",
    "lastSeen": "2026-11-20T18:40:57Z",
    "deletedAt": None,
    "isAccessibleFromInternet": True,
    "isOpenToAllInternet": False,
    "hasSensitiveData": True,
    "hasAccessToSensitiveData": False,
    "hasAdminPrivileges": False,
    "hasHighPrivileges": False,
    "tags": [{"key": "env", "value": "prod"}, {"key": "Name", "value": "test-4"}],
    "cloudAccount": {"id": "s-1", "name": "integrations", "externalId": "998231069301", "cloudProvider": "AWS"},
    "resourceGroup": {"name": "rg-1"},
    "projects": PROJECTS,
    "technology": {"name": "Amazon Linux"},
    "typeFields": {
        "__typename": "CloudResourceV2VirtualMachine",
        "instanceType": "t3.large",
        "operatingSystem": "Linux",
        "ipAddresses": ["89.160.20.112", "10.0.0.4"],
        "image": {"name": "ami-1"},
        "kubernetesCluster": {"name": "c-1"},
    },
    "graphEntity": {
        "id": "g-1",
        "type": "VIRTUAL_MACHINE",
        "properties": {"externalId": "i-0a0f7e1451da5f4a3", "_vertexID": "g-1", "operatingSystem": None},
    },
    "newField": {"nested": [1]},
}
FINDING: dict[str, Any] = {
    "id": "5e95ff50-5490-514e-87f7-11e56f300001",
    "portalUrl": "https://app.wiz.io/explorer/x",
    "name": "CVE-2024-11477",
    "CVEDescription": "text",
    "CVSSSeverity": "MEDIUM",
    "score": 5.5,
    "severity": "HIGH",
    "vendorSeverity": "MEDIUM",
    "nvdSeverity": None,
    "exploitabilityScore": 1.8,
    "impactScore": 3.6,
    "dataSourceName": "data source",
    "hasExploit": False,
    "hasCisaKevExploit": True,
    "epssProbability": 0.1,
    "epssPercentile": 46.2,
    "epssSeverity": "LOW",
    "status": "OPEN",
    "firstDetectedAt": "2026-05-01T11:36:10.063767Z",
    "lastDetectedAt": "2026-11-20T18:40:57Z",
    "resolvedAt": None,
    "detailedName": "libtiff",
    "version": "4.0.3-35.amzn2",
    "fixedVersion": "4.0.3-36.amzn2",
    "detectionMethod": "PACKAGE",
    "locationPath": None,
    "remediation": "yum update libtiff",
    "link": "https://alas.example/x",
    "projects": PROJECTS,
    "ignoreRules": {"enabled": True, "expiredAt": None, "id": "r", "name": "abc"},
    "layerMetadata": None,
    "vulnerableAsset": {
        "id": VM_ID + "00001",
        "type": "VIRTUAL_MACHINE",
        "name": "test-4",
        "region": "us-east-1",
        "providerUniqueId": ARN,
        "cloudProviderURL": "https://us-east-1.console.aws.amazon.com/ec2/x",
        "cloudPlatform": "AWS",
        "status": "Active",
        "subscriptionName": "integrations",
        "subscriptionExternalId": "998231069301",
        "subscriptionId": "s-1",
        "tags": {"Name": "test-4", "env": "prod"},
        "hasLimitedInternetExposure": True,
        "hasWideInternetExposure": True,
        "isAccessibleFromVPN": False,
        "operatingSystem": "Linux",
        "ipAddresses": ["89.160.20.112"],
    },
}
ISSUE: dict[str, Any] = {
    "id": "fff9cffd-64a7-412c-9535-cf837f400001",
    "type": "TOXIC_COMBINATION",
    "status": "IN_PROGRESS",
    "severity": "INFORMATIONAL",
    "createdAt": "2026-08-23T07:56:09.903743Z",
    "updatedAt": "2026-11-14T06:06:18.331647Z",
    "dueAt": None,
    "resolvedAt": None,
    "statusChangedAt": "2026-07-31T06:26:08.708199Z",
    "sourceRule": {
        "__typename": "Control",
        "id": "wc-id-1335",
        "name": "Principals assume roles",
        "resolutionRecommendation": "Do not.",
        "securitySubCategories": [],
    },
    "entitySnapshot": {
        "id": VM_ID + "00001",
        "type": "VIRTUAL_MACHINE",
        "nativeType": "ec2#instance",
        "name": "test-4",
        "status": "Active",
        "cloudPlatform": "AWS",
        "providerId": ARN,
        "region": "us-east-1",
        "subscriptionExternalId": "998231069301",
        "subscriptionTags": {},
        "tags": {"kubernetes.io/bootstrapping": "x"},
        "externalId": "i-0a0f7e1451da5f4a3",
    },
    "projects": PROJECTS,
    "serviceTickets": [{"externalId": "t-1", "name": "SIR1", "url": "https://x"}],
    "notes": [{"text": "updated", "serviceAccount": {"name": "x"}}],
}


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Allowance, "pause", lambda self, seconds: None)


def connection(*nodes: Any, **more: Any) -> dict[str, Any]:
    return {"nodes": list(nodes), "pageInfo": {"hasNextPage": False, "endCursor": "eyJmaWVsZHMiOltdfQ=="}, **more}


def estate(resources: Any = None, findings: Any = None, issues: Any = None) -> list[Route]:
    given = {
        "cloudResourcesV2": resources or connection(RESOURCE),
        "vulnerabilityFindings": findings or connection(FINDING),
        "issuesV2": issues or connection(ISSUE),
    }

    def graphql(asked: Asked) -> Any:
        body = asked.json()
        root = next(name for name in given if name in body["query"])
        found = given[root]
        return {"data": {root: found(body["variables"]) if callable(found) else found}}

    token = {"access_token": "xxxx", "expires_in": 3600, "token_type": "Bearer", "refresh_token": "yyyy"}
    return [("POST /oauth/token", token), ("POST /graphql", graphql)]


@pytest.mark.parametrize("wire", WIRES)
def test_the_answer_is_the_same_in_every_form_of_the_wire(
    wire: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with foreign("wiz", estate(), tmp_path, monkeypatch, wire=wire, **OPTIONS) as wiz:
        report = wiz.sync()
        assert set(states(report).values()) == {"complete"}
        assert [m.records for m in report.streams] == [1, 1, 1]
        assert not any(m.rejected or m.field_issues for m in report.streams)


def test_a_recorded_answer_of_every_stream_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with foreign("wiz", estate(), tmp_path, monkeypatch, **OPTIONS) as wiz:
        wiz.sync()
        with wiz.staged() as staged:
            assert staged.failing() == []
            (device,) = staged.rows("select * from stg_wiz__devices")
            assert (device["cloud_provider"], device["cloud_instance_id"]) == ("aws", "i-0a0f7e1451da5f4a3")
            assert (device["cloud_resource_id"], device["cloud_account_id"]) == (ARN, "998231069301")
            assert (device["criticality"], device["environment"]) == (2, "prod")
            (found,) = staged.rows("select * from stg_wiz__findings")
            assert (found["cve_id"], found["severity"], found["asset_record"]) == (
                "CVE-2024-11477",
                "high",
                device["record"],
            )
            (known,) = staged.rows("select * from stg_wiz__vulnerabilities")
            assert (known["severity"], known["epss_score"], known["exploit_available"]) == ("medium", 0.1, True)
            (issue,) = staged.rows("select * from stg_wiz__findings_issues")
            assert (issue["severity"], issue["status"], issue["asset_record"]) == ("info", "open", device["record"])


def renamed(record: Any, number: str) -> None:
    record["id"] = record["id"][:-5] + number


def renamed_snapshot(name: str) -> Any:
    def rename(record: Any, number: str) -> None:
        renamed(record, number)
        record[name]["id"] = VM_ID + number

    return rename


@pytest.mark.parametrize("kind", ["VIRTUAL_MACHINE", "CONTAINER_IMAGE"])
def test_no_field_of_a_resource_is_needed_but_its_id(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = mutants({**RESOURCE, "type": kind}, renamed, keep=["id", "type"])
    routes = estate(resources=connection(*[m.record for m in given]))
    with foreign("wiz", routes, tmp_path, monkeypatch, **OPTIONS) as wiz:
        report = wiz.sync("cloud_resources")
        assert manifest(report, "cloud_resources").records == len(given)
        with wiz.staged() as staged:
            assert staged.failing() == []
            model = "stg_wiz__devices" if kind == "VIRTUAL_MACHINE" else "stg_wiz__cloud_resources"
            assert suffers(given, staged, model, NUMBER) == []


@pytest.mark.parametrize(
    ("stream", "snapshot", "model", "sample"),
    [
        ("vulnerability_findings", "vulnerableAsset", "findings", FINDING),
        ("issues", "entitySnapshot", "findings_issues", ISSUE),
    ],
)
def test_no_field_of_a_finding_is_needed_but_its_asset(
    stream: str, snapshot: str, model: str, sample: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = mutants(sample, renamed_snapshot(snapshot), keep=["id", f"{snapshot}.id"])
    listed = connection(*[m.record for m in given])
    routes = estate(findings=listed) if stream != "issues" else estate(issues=listed)
    with foreign("wiz", routes, tmp_path, monkeypatch, **OPTIONS) as wiz:
        report = wiz.sync(stream)
        assert manifest(report, stream).records == len(given)
        with wiz.staged() as staged:
            assert staged.failing() == []
            ignored = ("asset_kind",)
            assert suffers(given, staged, f"stg_wiz__{model}", NUMBER, but=ignored) == []


ARC = "/subscriptions/sub-1/resourceGroups/rg/providers/Microsoft.HybridCompute/machines/test-4"
AT_ARC = {
    "cloudPlatform": "Azure",
    "externalId": ARC,
    "providerUniqueId": "8a7b6c5d-1111-4222-8333-944455556666",
    "graphEntity": None,
}
CASES = [
    Case({"tags": {"env": "test"}}, "environment", "test"),
    Case({"tags": {"ENVIRONMENT": "test", "env": ""}}, "environment", "test"),
    Case({"tags": [{"key": "env", "value": ""}, {"key": "ENV", "value": "test"}]}, "environment", "test"),
    Case({"tags": []}, "environment", None),
    Case({"tags": "none"}, "environment", None),
    Case({"projects": PROJECTS[0]}, "criticality", 2),
    Case({"projects": [{"id": "x", "riskProfile": None}]}, "criticality", None),
    Case({"typeFields": {"__typename": "CloudResourceV2Other"}}, "ip_addresses", []),
    Case({"typeFields": None}, "os_platform", None),
    Case({"typeFields.ipAddresses": ["", None, "10.0.0.4"]}, "ip_addresses", ["10.0.0.4"]),
    Case({"graphEntity": None, "externalId": None}, "cloud_instance_id", "i-0a0f7e1451da5f4a3"),
    Case({"providerUniqueId": "", "externalId": ABSENT}, "cloud_instance_id", "i-0a0f7e1451da5f4a3"),
    Case({"cloudAccount": None}, "cloud_account_id", None),
    # Azure Arc names its registration of a machine, not the machine
    Case(AT_ARC, "cloud_provider", None),
    Case(AT_ARC, "cloud_account_id", None),
    Case(AT_ARC, "cloud_instance_id", None),
    Case(AT_ARC, "cloud_resource_id", ARC),
    Case(AT_ARC, "hostnames", ["test-4"]),
    Case(
        {"cloudPlatform": "Azure", "providerUniqueId": "8A7B6C5D-1111-4222-8333-944455556666", "externalId": ""},
        "cloud_instance_id",
        "8A7B6C5D-1111-4222-8333-944455556666",
    ),
    Case({"deletedAt": "0001-01-01T00:00:00Z"}, "state", "active"),
    Case({"deletedAt": "2026-11-20T18:40:57.1Z"}, "state", "retired"),
    Case({"lastSeen": "2026-11-20T18:40:57.123456789Z"}, "last_seen", datetime(2026, 11, 20, 18, 40, 57, 123456)),
    Case({"isOpenToAllInternet": None}, "is_internet_facing", True),
]


def test_a_value_in_an_unusual_form_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    routes = estate(resources=connection(*varied(RESOURCE, CASES, renamed)))
    with foreign("wiz", routes, tmp_path, monkeypatch, **OPTIONS) as wiz:
        wiz.sync("cloud_resources")
        with wiz.staged() as staged:
            assert misread(CASES, staged, "stg_wiz__devices", NUMBER) == []


def test_pages_end_where_wiz_says_so_whatever_the_cursor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def pages(variables: dict[str, Any]) -> Any:
        at = int(variables.get("after") or 0)
        return {
            "nodes": [] if at == 1 else [{**RESOURCE, "id": f"r{at}"}],
            "pageInfo": {"hasNextPage": at < 3, **({"endCursor": str(at + 1)} if at < 3 else {})},
            "totalCount": None,
        }

    with foreign("wiz", estate(resources=pages), tmp_path, monkeypatch, **OPTIONS) as wiz:
        found = manifest(wiz.sync("cloud_resources"), "cloud_resources")
        assert (found.state, found.records) == ("complete", 3)


@pytest.mark.parametrize("nodes", [[], None])
def test_a_connection_without_nodes_is_empty(nodes: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = {"nodes": nodes, "pageInfo": {"hasNextPage": False, "endCursor": None}}
    with foreign("wiz", estate(empty, empty, empty), tmp_path, monkeypatch, **OPTIONS) as wiz:
        report = wiz.sync()
        assert {(m.state, m.records) for m in report.streams} == {("complete", 0)}


def test_issues_under_the_older_name_of_their_list_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token = {"access_token": "xxxx", "expires_in": 86400, "token_type": "Bearer"}
    routes: list[Route] = [("POST /oauth/token", token), ("POST /graphql", {"data": {"issues": connection(ISSUE)}})]
    with foreign("wiz", routes, tmp_path, monkeypatch, **OPTIONS) as wiz:
        found = manifest(wiz.sync("issues"), "issues")
        assert (found.state, found.records) == ("complete", 1)


def test_a_list_of_other_records_is_not_taken_for_the_one_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = {"access_token": "xxxx", "expires_in": 86400, "token_type": "Bearer"}
    only: Route = ("POST /graphql", {"data": {"vulnerabilityFindings": connection(FINDING)}})
    with foreign("wiz", [("POST /oauth/token", token), only], tmp_path, monkeypatch, **OPTIONS) as wiz:
        report = wiz.sync()
        assert manifest(report, "cloud_resources").state == "failed"
        assert manifest(report, "vulnerability_findings").records == 1
