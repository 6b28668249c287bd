"""Defender for Identity and hunting against answers that others recorded or documented: types beside keys, JSON in texts.

Every test is named after the trap it guards.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from connector_assets.kit.budgets import Allowance

from .microsoft import manifest, states
from .replay import WIRES, Answer, Asked, Case, Route, foreign, misread, mutants, suffers, varied

OPTIONS = {"tenant_id": "contoso.example", "client_id": "c"}
GRAPH = {**OPTIONS, "exposure_graph": True}
NUMBER = "right(record_id, 5)"
ENTRA = "0b6c1f2e-1111-4222-8333-4444555566aa"
GUID = "1b6c1f2e-1111-4222-8333-4444555566bb"

SENSOR: dict[str, Any] = {
    "@odata.type": "#microsoft.graph.security.sensor",
    "id": "b3c1b5fc-828c-45fa-a1e1-10d74f600001",
    "displayName": "DC1",
    "sensorType": "domainControllerIntegrated",
    "deploymentStatus": "upToDate",
    "createdDateTime": "2025-07-10T12:00:00Z",
    "domainName": "contoso.example",
    "healthStatus": "healthy",
    "openHealthIssuesCount": 0,
    "version": "2.0.3.19",
    "settings": {
        "description": "DC1 of the site",
        "domainControllerDnsNames": ["DC1.contoso.example"],
        "isDelayedDeploymentEnabled": False,
        "networkAdapters": [{"name": "Ethernet", "isEnabled": True}],
    },
}
ISSUE: dict[str, Any] = {
    "@odata.type": "#microsoft.graph.security.healthIssue",
    "id": "b3c1b5fc-828c-45fa-a1e1-10d74f700001",
    "displayName": "Directory services object auditing is not configured",
    "healthIssueType": "Global",
    "issueTypeId": "1031",
    "severity": "medium",
    "status": "closed",
    "createdDateTime": "2026-07-10T12:00:00Z",
    "lastModifiedDateTime": "2026-11-10T12:00:00Z",
    "domainNames": ["contoso.example"],
    "sensorDNSNames": ["dc1.contoso.example"],
    "description": "text",
    "recommendations": ["do"],
    "recommendedActionCommands": [],
    "additionalInformation": None,
}
ACCOUNT: dict[str, Any] = {
    "@odata.type": "#microsoft.graph.security.identityAccounts",
    "id": "0104216-0539-4838-88b1-55baafd00001",
    "displayName": "Adele Vance",
    "domain": "contoso.example",
    "userPrincipalName": "adelev@contoso.example",
    "emailAddress": "AdeleV@contoso.example",
    "onPremisesSecurityIdentifier": "S-1-5-21-1-2-3-1001",
    "cloudSecurityIdentifier": "S-1-12-1-191635246-1109528849-1145267075-2858833237",
    "isEnabled": True,
    "accounts": [
        {"provider": "activeDirectory", "identifier": GUID.upper(), "actions": ["disable"]},
        {"provider": "entraID", "identifier": ENTRA, "actions": []},
        {"provider": "okta", "identifier": "00u1", "actions": None},
    ],
}
INFO: dict[str, Any] = {
    "Timestamp": "2026-11-20T05:06:07.1234567Z",
    "ReportId": "r-1",
    "AccountObjectId": ENTRA,
    "AccountUpn": "adelev@contoso.example",
    "OnPremSid": "S-1-5-21-1-2-3-1001",
    "OnPremObjectId": GUID,
    "CloudSid": "S-1-12-1-1-2-3-4",
    "AccountDisplayName": "Adele Vance",
    "AccountName": "adelev",
    "AccountDomain": "contoso.example",
    "Type": "User",
    "DistinguishedName": "CN=Adele,DC=contoso,DC=example",
    "CriticalityLevel": 1,
    "EmailAddress": "AdeleV@contoso.example",
    "EmployeeId": "E-1",
    "Department": "Retail",
    "JobTitle": "Manager",
    "CreatedDateTime": "2025-07-10T12:00:00Z",
    "DeletedDateTime": None,
    "IsAccountEnabled": 1,
    "RiskLevel": "None",
    "AssignedRoles@odata.type": "#Collection(String)",
    "AssignedRoles": ["Global Reader"],
    "PrivilegedEntraPimRoles": '["Security Reader"]',
    "Tags": "[]",
    "SourceProvider": "AzureActiveDirectory",
    "IdentityEnvironment": "Hybrid",
    "SourceSystem": "x",
}
NODE: dict[str, Any] = {
    "NodeId": "0123456789abcdef0123456789a00001",
    "NodeLabel": "device",
    "NodeName": "wks-1",
    "Categories@odata.type": "#Collection(String)",
    "Categories": ["device", "compute"],
    "EntityIds@odata.type": "#Collection(String)",
    "EntityIds": [
        '{"type":"DeviceInventoryId","id":"1e5bc9d7e413ddd7902c2932e418702b84d0cc07"}',
        '{"type":"AzureResourceId","id":"/subscriptions/S1/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/v"}',
        {"type": "SecurityIdentifier", "id": "S-1-5-21-1-2-3-2001"},
    ],
    "NodeProperties@odata.type": "#microsoft.graph.Json",
    "NodeProperties": {
        "rawData@odata.type": "x",
        "rawData": {
            "deviceName": "WKS-1.contoso.example",
            "deviceCategory": "Endpoint",
            "osPlatform": "Windows11",
            "osVersion": "10.0.22631",
            "onboardingStatus": "Onboarded",
            "riskScore": "None",
            "aadDeviceId": GUID,
            "firstSeenByInventory": "2025-07-10T12:00:00.0000000Z",
            "lastSeen": "2026-11-20T05:06:07Z",
            "vendor": "Contoso",
            "model": "Laptop",
            "isInternetFacing": False,
            "isExcluded": False,
            "criticalityLevel": {"criticalityLevel": 2, "ruleBasedCriticalityLevel": 2, "ruleNames": ["x"]},
            "tags": {"tags": ["x"]},
        },
    },
}
PERSON: dict[str, Any] = {
    "NodeId": "0123456789abcdef0123456789b00001",
    "NodeLabel": "user",
    "NodeName": "Adele Vance",
    "Categories": '["identity"]',
    "EntityIds": json.dumps(
        [
            {"type": "AadObjectId", "id": f"tenantid={GUID};objectid={ENTRA}"},
            {"type": "SecurityIdentifier", "id": "S-1-12-1-1-2-3-4"},
        ]
    ),
    "NodeProperties": json.dumps(
        {
            "rawData": {
                "accountUpn": "adelev@contoso.example",
                "accountEnabled": True,
                "emailAddress": "",
                "jobTitle": None,
            }
        }
    ),
}
EDGE: dict[str, Any] = {
    "EdgeId": f"{GUID}_0123456789ABCDEF0123456789ABCDEF",
    "EdgeLabel": "Frequently logged in by",
    "SourceNodeId": NODE["NodeId"],
    "SourceNodeName": "wks-1",
    "SourceNodeLabel": "device",
    "SourceNodeCategories": ["device"],
    "TargetNodeId": PERSON["NodeId"],
    "TargetNodeName": "Adele Vance",
    "TargetNodeLabel": "user",
    "TargetNodeCategories": ["identity"],
    "EdgeProperties": {"rawData": {"frequentlyLoggedInBy": {"type": "x"}}},
}


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Allowance, "pause", lambda self, seconds: None)


def collection(*records: Any, **more: Any) -> dict[str, Any]:
    return {"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#x", "value": list(records), **more}


def hunted(*rows: Any, member: str = "results") -> dict[str, Any]:
    return {
        "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#x",
        "schema": [{"name": "Timestamp", "type": "DateTime"}],
        member: list(rows),
    }


def estate(**given: Any) -> list[Route]:
    answers = {
        "sensors": collection(SENSOR),
        "healthIssues": collection(ISSUE),
        "identityAccounts": collection(ACCOUNT),
        "IdentityInfo": hunted(INFO),
        "ExposureGraphNodes": hunted(NODE, PERSON),
        "ExposureGraphEdges": hunted(EDGE),
        **given,
    }

    def hunt(asked: Asked) -> Any:
        return answers[next(name for name in answers if asked.json()["Query"].startswith(name))]

    token = {"token_type": "Bearer", "expires_in": 3599, "access_token": "a-token"}
    return [
        ("POST /contoso.example/oauth2/v2.0/token", token),
        ("POST /v1.0/security/runHuntingQuery", hunt),
        *(
            (f"GET /v1.0/security/identities/{name}", answers[name])
            for name in ("sensors", "healthIssues", "identityAccounts")
        ),
    ]


@pytest.mark.parametrize("wire", WIRES)
def test_the_answer_is_the_same_in_every_form_of_the_wire(
    wire: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with foreign("defender_identity", estate(), tmp_path, monkeypatch, wire=wire, **GRAPH) as identity:
        report = identity.sync()
        assert set(states(report).values()) == {"complete"}
        assert [m.records for m in report.streams] == [1, 1, 1, 1, 2, 1]
        assert not any(m.rejected or m.field_issues for m in report.streams)


def test_a_documented_answer_of_every_stream_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with foreign("defender_identity", estate(), tmp_path, monkeypatch, **GRAPH) as identity:
        identity.sync()
        with identity.staged() as staged:
            assert staged.failing() == []
            (sensor,) = staged.rows("select * from stg_defender_identity__devices")
            assert (sensor["fqdns"], sensor["criticality"]) == (["dc1.contoso.example"], 0)
            (found,) = staged.rows("select * from stg_defender_identity__findings")
            assert (found["status"], found["fixed_at"]) == ("fixed", datetime(2026, 11, 10, 12))
            (account,) = staged.rows("select * from stg_defender_identity__identities")
            assert (account["ad_object_guid"], account["okta_id"]) == (GUID, "00u1")
            (info,) = staged.rows("select * from stg_defender_identity__identities_info")
            assert (info["entra_object_id"], info["criticality"], info["is_enabled"]) == (ENTRA, 1, True)
            (device,) = staged.rows("select * from stg_defender_identity__devices_exposure")
            assert (device["criticality"], device["entra_device_id"], device["ad_sid"]) == (
                2,
                GUID,
                "S-1-5-21-1-2-3-2001",
            )
            assert device["agent_ids"] == ["mde=1e5bc9d7e413ddd7902c2932e418702b84d0cc07"]
            (person,) = staged.rows("select * from stg_defender_identity__identities_exposure")
            assert (person["entra_object_id"], person["is_enabled"], person["emails"]) == (ENTRA, True, [])
            (edge,) = staged.rows("select * from stg_defender_identity__relationships")
            assert (edge["relationship"], edge["source_kind"], edge["target_kind"]) == (
                "frequently logged in by",
                "device",
                "identity",
            )


def renamed(name: str) -> Any:
    def rename(record: Any, number: str) -> None:
        record[name] = record[name][:-5] + number

    return rename


def renamed_info(record: Any, number: str) -> None:
    record["AccountKey"] = f"k-{number}"


SAMPLES = [
    ("sensors", "sensors", "devices", SENSOR, renamed("id"), ("id",), NUMBER),
    ("identityAccounts", "identity_accounts", "identities", ACCOUNT, renamed("id"), ("id",), NUMBER),
    ("IdentityInfo", "identity_info", "identities_info", INFO, renamed_info, (), NUMBER),
    (
        "ExposureGraphNodes",
        "exposure_nodes",
        "devices_exposure",
        NODE,
        renamed("NodeId"),
        ("NodeId", "NodeLabel"),
        NUMBER,
    ),
    (
        "ExposureGraphNodes",
        "exposure_nodes",
        "identities_exposure",
        PERSON,
        renamed("NodeId"),
        ("NodeId", "NodeLabel"),
        NUMBER,
    ),
]


@pytest.mark.parametrize(("source", "stream", "model", "sample", "rename", "keep", "number"), SAMPLES)
def test_no_key_of_a_record_is_needed_but_its_id(
    source: str,
    stream: str,
    model: str,
    sample: Any,
    rename: Any,
    keep: Any,
    number: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = mutants(sample, rename, keep=keep)
    records = [m.record for m in given]
    routes = estate(**{source: collection(*records) if source[0].islower() else hunted(*records)})
    with foreign("defender_identity", routes, tmp_path, monkeypatch, **GRAPH) as identity:
        report = identity.sync(stream)
        assert (manifest(report, stream).state, manifest(report, stream).records) == ("complete", len(given))
        with identity.staged() as staged:
            assert staged.failing() == []
            assert suffers(given, staged, f"stg_defender_identity__{model}", number) == []


ARC = "/subscriptions/s1/resourceGroups/rg/providers/Microsoft.HybridCompute/machines/srv-a"
NODE_CASES = [
    Case({"NodeProperties": json.dumps(NODE["NodeProperties"])}, "criticality", 2),
    Case({"NodeProperties": {"rawData": json.dumps(NODE["NodeProperties"]["rawData"])}}, "os_platform", "Windows11"),
    Case({"NodeProperties.rawData.criticalityLevel": '{"criticalityLevel":0}'}, "criticality", 0),
    Case({"NodeProperties.rawData.criticalityLevel": "3"}, "criticality", 3),
    Case({"NodeProperties.rawData.isExcluded": "True"}, "state", "retired"),
    Case({"NodeProperties.rawData.lastSeen": "soon"}, "last_seen", None),
    Case({"EntityIds": [{"type": "SenseDeviceId", "id": "ABC"}]}, "agent_ids", ["mde=abc"]),
    Case({"EntityIds": "[]"}, "agent_ids", []),
    Case({"NodeLabel": "Microsoft.Compute/virtualMachines"}, "cloud_account_id", "s1"),
    Case({"Categories": "device"}, "criticality", 2),
    # what is called by its owner's name, or by its address, has no domain
    Case({"NodeProperties.rawData.deviceName": "Dr. Smith's iPad"}, "hostnames", ["dr. smith's ipad"]),
    Case({"NodeProperties.rawData.deviceName": "10.1.2.3"}, "fqdns", []),
    # Azure Arc names its registration of a machine, not the machine
    Case({"EntityIds": [{"type": "AzureResourceId", "id": ARC}]}, "cloud_provider", None),
    Case({"EntityIds": [{"type": "AzureResourceId", "id": ARC}]}, "cloud_account_id", None),
]
# an account of the domain that no cloud knows has nothing but its name there
LOCAL = {
    **PERSON,
    "EntityIds": [],
    "NodeProperties": {"rawData": {"accountName": "svc_sql", "accountDomain": "corp.example"}},
}
PERSON_CASES = [
    Case({}, "sam_account_name", "svc_sql"),
    Case({}, "domain", "corp.example"),
    Case({"NodeLabel": "group"}, "sam_account_name", None),
]


def test_a_value_in_an_unusual_form_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = [
        *varied(NODE, NODE_CASES, renamed("NodeId")),
        *varied(LOCAL, PERSON_CASES, renamed("NodeId")),
    ]
    routes = estate(ExposureGraphNodes=hunted(*nodes, member="Results"))
    with foreign("defender_identity", routes, tmp_path, monkeypatch, **GRAPH) as identity:
        identity.sync("exposure_nodes")
        with identity.staged() as staged:
            assert misread(NODE_CASES, staged, "stg_defender_identity__devices_exposure", NUMBER) == []
            assert misread(PERSON_CASES, staged, "stg_defender_identity__identities_exposure", NUMBER) == []


def test_accounts_are_paged_by_skip_token_and_a_table_that_is_not_there_is_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pages(asked: Asked) -> Any:
        at = int(asked.query.get("$skiptoken", 0))
        page = collection(*([] if at == 1 else [{**ACCOUNT, "id": f"i{at}"}]))
        return (
            {**page, "@odata.nextLink": f"https://graph.microsoft.com{asked.path}?$skiptoken={at + 1}"}
            if at < 2
            else page
        )

    message = (
        "'where' operator: Failed to resolve table or column expression named 'ExposureGraphNodes'. Fix semantic errors"
    )
    missing = Answer({"error": {"code": "BadRequest", "message": message, "innerError": {}}}, 400)
    routes = estate(identityAccounts=pages, ExposureGraphNodes=missing)
    with foreign("defender_identity", routes, tmp_path, monkeypatch, **GRAPH) as identity:
        report = identity.sync("identity_accounts", "exposure_nodes")
        assert states(report) == {"identity_accounts": "complete", "exposure_nodes": "skipped"}
        assert manifest(report, "identity_accounts").records == 2
