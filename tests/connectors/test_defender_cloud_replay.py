"""Defender for Cloud against answers as they were recorded: the shapes, gaps and placeholders that Azure really sends.

Every test is named after the trap it guards. `replay` answers instead of the demo estate, over the same HTTP.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from connector_assets import registry
from connector_assets.kit.budgets import Allowance
from connector_assets.kit.waits import directed_wait
from demo_estate.kit.http import Response

from .microsoft import Bench, bench, holds, manifest, states

GRAPH = "POST /providers/Microsoft.ResourceGraph/resources"
REST = "GET /subscriptions/{subscription}/providers/Microsoft.Security/assessments"
METADATA = "GET /providers/Microsoft.Security/assessmentMetadata"
SUBSCRIPTIONS = "GET /subscriptions"
Open = Callable[..., AbstractContextManager[Bench]]

TENANT = "99999999-9999-9999-9999-999999999999"
ZERO = "00000000-0000-0000-0000-000000000000"
S1, S2 = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
RG = f"/subscriptions/{S1}/resourceGroups/rg1"
VM = f"{RG}/providers/Microsoft.Compute/virtualMachines/vm1"
VAULT = f"{RG}/providers/Microsoft.KeyVault/vaults/kv1"
ENTITY = f"{RG}/providers/Microsoft.Security/securityConnectors/c1/securityentitydata"
KEY = "1195afff-c881-495e-9bc5-1486211ae03f"
CHECK = f"/providers/Microsoft.Security/assessments/{KEY}"
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
#: Which rows a query asks for, by words in it; the first that fits.
QUERIES = {
    "sub_assessments": "assessments/subassessments",
    "foreign_resources": "resourceDetails",
    "assessments": "microsoft.security/assessments'",
    "attack_paths": "microsoft.security/attackpaths",
    "containers": "resourcecontainers",
    "role_definitions": "roledefinitions",
    "role_assignments": "roleassignments",
    "network_interfaces": "networkinterfaces",
    "public_addresses": "publicipaddresses",
    "resources": "resources |",
}


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    def start(**settings: Any) -> AbstractContextManager[Bench]:
        return bench("defender_cloud", tmp_path, monkeypatch, **{"devices": 40, **settings})

    return start


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What is waited, without waiting."""
    found: list[float] = []
    monkeypatch.setattr(Allowance, "pause", lambda self, seconds: found.append(seconds))
    return found


def subscription(ident: str, **more: Any) -> dict[str, Any]:
    return {
        "id": f"/subscriptions/{ident}",
        "subscriptionId": ident,
        "tenantId": TENANT,
        "displayName": ident[:4],
        "state": "Enabled",
        "subscriptionPolicies": {"quotaId": "EnterpriseAgreement_2014-09-01", "spendingLimit": "Off"},
        "managedByTenants": [],
        **more,
    }


def table(rows: list[Any], **more: Any) -> dict[str, Any]:
    """An answer of Azure Resource Graph."""
    return {
        "totalRecords": len(rows),
        "count": len(rows),
        "data": rows,
        "facets": [],
        "resultTruncated": "false",
        **more,
    }


def replay(tenant: Bench, graph: Mapping[str, Any], **routes: Any) -> list[dict[str, Any]]:
    """From now on these answers are given; returns the bodies of the queries that were asked.

    graph: stream -> rows, or a function (body of the request) -> Response. routes: journal name of another route -> body or
    function (request) -> Response; the subscriptions are two if none are given.
    """
    asked: list[dict[str, Any]] = []
    original = type(tenant.service)._serve
    routes.setdefault("subscriptions", {"value": [subscription(S1), subscription(S2)], "count": {"value": 2}})
    named = {"subscriptions": SUBSCRIPTIONS, "rest": REST, "metadata": METADATA}
    given = {named[key]: body for key, body in routes.items()}

    def serve(service: Any, request: Any, matched: Any, key: str) -> Any:
        if matched.name == GRAPH:
            body = request.json()
            asked.append(body)
            stream = next((name for name, words in QUERIES.items() if words in body["query"]), "")
            rows = graph.get(stream, [])
            return rows(body) if callable(rows) else Response(table(rows), 200)
        if matched.name not in given:
            return original(service, request, matched, key)
        found = given[matched.name]
        return found(request) if callable(found) else Response(found, 200)

    tenant.monkeypatch.setattr(type(tenant.service), "_serve", serve)
    return asked


def row(ident: str, type_: str, **more: Any) -> dict[str, Any]:
    """A row of Azure Resource Graph with the columns all tables have."""
    parts = ident.split("/")
    return {
        "id": ident,
        "name": parts[-1],
        "type": type_,
        "tenantId": TENANT,
        "kind": "",
        "location": "westeurope",
        "resourceGroup": "rg1",
        "subscriptionId": parts[2] if ident.lower().startswith("/subscriptions/") else "",
        "sku": None,
        "tags": None,
        "identity": None,
        **more,
    }


def assessment(
    where: str, details: Any, key: str = KEY, *, code: str = "Unhealthy", status: Any = None, **more: Any
) -> dict[str, Any]:
    properties = {
        "displayName": "Machines should have vulnerability findings resolved",
        "resourceDetails": details,
        "status": {"code": code, **(status or {})},
        "metadata": {"severity": "High"},
        **more,
    }
    return row(
        f"{where}/providers/Microsoft.Security/assessments/{key}",
        "microsoft.security/assessments",
        properties=properties,
    )


def findings(staged: Any, model: str = "findings") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = staged.rows(f"select * from stg_defender_cloud__{model} order by record_id")
    return found


# A recorded answer of every stream -----------------------------------------------------------------------------------

RECORDED: Mapping[str, list[dict[str, Any]]] = {
    "containers": [
        row(
            f"/providers/Microsoft.Management/managementGroups/{TENANT}",
            "microsoft.management/managementgroups",
            properties={"displayName": "Tenant Root Group", "details": {"managementGroupAncestorsChain": []}},
        ),
        row(
            f"/subscriptions/{S1}",
            "microsoft.resources/subscriptions",
            name="production",
            properties={
                "state": "Enabled",
                "managementGroupAncestorsChain": [{"name": TENANT, "displayName": "Tenant Root Group"}],
            },
        ),
        row(RG, "microsoft.resources/subscriptions/resourcegroups", properties={"provisioningState": "Succeeded"}),
    ],
    "resources": [
        row(
            VM,
            "microsoft.compute/virtualmachines",
            identity={"type": "SystemAssigned", "principalId": "AAAAAAAA-0000-0000-0000-000000000001"},
            tags={"env": "prod"},
            properties={
                "vmId": "BBBBBBBB-0000-0000-0000-000000000002",
                "timeCreated": "2026-01-02T03:04:05.1234567+00:00",
                "osProfile": {"computerName": "vm1", "adminUsername": "azadmin"},
                "storageProfile": {"osDisk": {"osType": "Linux"}},
            },
        ),
        row(
            VAULT, "microsoft.keyvault/vaults", properties={"enableRbacAuthorization": True, "vaultUri": "https://kv1"}
        ),
    ],
    "network_interfaces": [
        row(
            f"{RG}/providers/Microsoft.Network/networkInterfaces/nic1",
            "microsoft.network/networkinterfaces",
            properties={
                "macAddress": "00-0D-3A-11-22-33",
                "virtualMachine": {"id": VM.upper()},
                "ipConfigurations": [
                    {
                        "id": f"{RG}/providers/Microsoft.Network/networkInterfaces/nic1/ipConfigurations/ip",
                        "properties": {
                            "privateIPAddress": "10.0.0.4",
                            "primary": True,
                            "publicIPAddress": {"id": f"{RG}/providers/microsoft.network/publicipaddresses/pip1"},
                        },
                    }
                ],
            },
        )
    ],
    "public_addresses": [
        row(
            f"{RG}/providers/Microsoft.Network/publicIPAddresses/pip1",
            "microsoft.network/publicipaddresses",
            properties={"ipAddress": "20.30.40.50", "publicIPAllocationMethod": "Static"},
        )
    ],
    "role_definitions": [
        row(
            f"/providers/Microsoft.Authorization/RoleDefinitions/{OWNER}",
            "microsoft.authorization/roledefinitions",
            tenantId="",
            properties={
                "roleName": "Owner",
                "type": "BuiltInRole",
                "permissions": [{"actions": ["*"], "notActions": [], "dataActions": [], "notDataActions": []}],
            },
        )
    ],
    "role_assignments": [
        row(
            f"/subscriptions/{S1}/providers/Microsoft.Authorization/roleAssignments/cccccccc-0000-0000-0000-000000000003",
            "microsoft.authorization/roleassignments",
            properties={
                "roleDefinitionId": f"/subscriptions/{S1}/providers/Microsoft.Authorization/roleDefinitions/{OWNER}",
                "principalId": "AAAAAAAA-0000-0000-0000-000000000001",
                "principalType": "ServicePrincipal",
                "scope": f"/subscriptions/{S1}",
                "condition": None,
                "createdOn": "2025-06-07T08:09:10.1234567Z",
                "updatedOn": "2025-06-07T08:09:10.1234567Z",
                "createdBy": "",
                "updatedBy": "",
            },
        )
    ],
    "assessments": [
        assessment(
            VM.lower().replace("/resourcegroups/", "/resourcegroups/"),
            {"Source": "Azure", "Id": VM},
            status={
                "cause": "",
                "description": "",
                "firstEvaluationDate": "2026-01-02T03:04:05.1Z",
                "statusChangeDate": "2026-01-09T00:00:00Z",
            },
            additionalData={"CVEs": '[{"cve":"CVE-2025-1001"}]'},
        )
    ],
    "foreign_resources": [
        assessment(
            f"{ENTITY}/gcp-subnetworks-x",
            {"Source": "GCP", "Id": f"{ENTITY}/gcp-subnetworks-x", "ConnectorId": "8ce3"},
            "25631aaa-0000-0000-0000-000000000004",
            code="NotApplicable",
            status={"cause": "OffByPolicy"},
            additionalData={
                "Region": "europe-west12",
                "HierarchyId": "1679",
                "ResourceProvider": "Compute",
                "ResourceType": "subnetworks",
                "NativeCloudUniqueIdentifier": "//compute.googleapis.com/projects/p1/regions/r/subnetworks/s",
                "__Tags__": "{}",
            },
        )
    ],
    "sub_assessments": [
        row(
            f"{VM.lower()}{CHECK}/subassessments/dddddddd-0000-0000-0000-000000000005",
            "microsoft.security/assessments/subassessments",
            properties={
                "id": "CVE-2026-2002",
                "displayName": "CVE-2026-2002",
                "timeGenerated": "2026-11-22T13:36:15.0772799Z",
                "resourceDetails": {"id": VM, "source": "Azure"},
                "status": {"code": "Unhealthy", "severity": "High"},
                "additionalData": {
                    "assessedResourceType": "ServerVulnerabilityTvm",
                    "cvssV30Score": 8.8,
                    "vulnerabilityDetails": {"cveId": "CVE-2026-2002", "publishedDate": "2026-05-06T00:00:00Z"},
                },
            },
        )
    ],
    "attack_paths": [
        row(
            f"/subscriptions/{S1}/providers/Microsoft.Security/attackPaths/eeeeeeee-0000-0000-0000-000000000006",
            "microsoft.security/attackpaths",
            properties={
                "displayName": "Internet exposed VM can read a key vault",
                "riskLevel": "High",
                "riskFactors": ["Internet exposure"],
                "entryPoint": {"entityName": "vm1", "entityType": "compute.virtualmachine", "entityInternalId": "1"},
                "target": {"entityName": "kv1", "entityType": "keyvault.vault", "entityInternalId": "2"},
                "attackPathSteps": [],
                "isPartialAttackPath": False,
                "graphComponent": {
                    "insights": [{}],
                    "entities": [
                        {
                            "entityInternalId": "1",
                            "entityName": "vm1",
                            "entityType": "compute.virtualmachine",
                            "entityIdentifiers": {"azureResourceId": VM},
                        },
                        {
                            "entityInternalId": "2",
                            "entityName": "kv1",
                            "entityType": "keyvault.vault",
                            "entityIdentifiers": {"azureResourceId": VAULT.upper()},
                        },
                    ],
                    "connections": [
                        {"sourceEntityInternalId": "1", "targetEntityInternalId": "2", "type": "Has Permission To"}
                    ],
                },
            },
        )
    ],
}


def test_a_recorded_answer_of_every_stream_is_landed_whole_and_understood(serve: Open) -> None:
    with serve() as tenant:
        replay(tenant, RECORDED)
        report = tenant.sync()
        told = {m.stream: (m.state, m.records, m.rejected, m.field_issues) for m in report.streams}
        expected = {stream: ("complete", len(rows), 0, 0) for stream, rows in RECORDED.items()}
        assert told == {
            **expected,
            "subscriptions": ("complete", 2, 0, 0),
            "assessment_metadata": ("skipped", 0, 0, 0),
        }
        with tenant.staged() as staged:
            assert staged.failing() == []
            (machine,) = staged.rows("select * from stg_defender_cloud__devices")
            assert machine["mac_addresses"] == ["00:0d:3a:11:22:33"]
            assert machine["ip_addresses"] == ["10.0.0.4", "20.30.40.50"]
            assert machine["is_internet_facing"] is True
            assert (machine["first_seen"], machine["environment"]) == (datetime(2026, 1, 2, 3, 4, 5, 123456), "prod")
            (found,) = findings(staged)
            assert (found["severity"], found["first_seen"]) == ("high", datetime(2026, 1, 2, 3, 4, 5, 100000))
            (weak,) = findings(staged, "findings_sub_assessments")
            assert (weak["cve_id"], weak["severity"]) == ("CVE-2026-2002", "high")
            (subnet, project) = staged.rows(
                "select * from stg_defender_cloud__cloud_resources_foreign order by is_container"
            )
            assert (subnet["resource_type"], subnet["region"]) == ("compute/subnetworks", "europe-west12")
            assert project["native_id"] == "//cloudresourcemanager.googleapis.com/projects/p1"
            edges = {
                (e["relationship"], e["source_kind"], e["target_kind"])
                for e in staged.rows(
                    "select * from stg_defender_cloud__relationships union all "
                    "select * from stg_defender_cloud__relationships_attack_paths"
                )
            }
            assert edges == {
                ("contains", "cloud_resource", "cloud_resource"),
                ("contains", "cloud_resource", "device"),
                ("has role on", "identity", "cloud_resource"),
                ("can authenticate as", "device", "identity"),
                ("has permissions to", "device", "cloud_resource"),
            }


def test_rest_assessments_in_the_recorded_shape_get_their_severity(serve: Open) -> None:
    """No metadata in the rows, no additionalData at all, a chain of links to an empty page, ids in another case."""
    own = "abababab-0000-0000-0000-000000000009"
    first = {
        "value": [
            {
                "type": "Microsoft.Security/assessments",
                "name": KEY,
                "id": f"{VM.lower()}/providers/Microsoft.Security/assessments/{KEY.upper()}",
                "properties": {
                    "resourceDetails": {"Source": "Azure", "Id": VM},
                    "displayName": "Machines should have vulnerability findings resolved",
                    "status": {"code": "Unhealthy"},
                },
            }
        ]
    }
    last: dict[str, Any] = {"value": []}

    def rest(request: Any) -> Response:
        if S2 in request.path:
            return Response({"value": [{**first["value"][0], "name": own, "id": f"{VAULT}{CHECK[:-36]}{own}"}]}, 200)
        link = request.query.get("NextLink")
        following = {None: "_dynamic", "_dynamic": "H4sI+a==_dynamic", "H4sI+a==_dynamic": "x_muliCloud"}.get(link)
        body = first if link is None else last
        if following:
            text = following.replace("+", "%2B").replace("=", "%3D")
            host = f"https://management.azure.com{request.path}"
            body = {**body, "nextLink": f"{host}?api-version=2021-06-01&NextLink={text}"}
        return Response(body, 200)

    told = {
        "id": "x",
        "name": KEY.upper(),
        "properties": {"severity": "Medium", "displayName": "t", "categories": ["Compute"]},
    }
    with serve() as tenant:
        replay(tenant, {"resources": RECORDED["resources"]}, rest=rest, metadata={"value": [told]})
        report = tenant.sync(assessments_via="rest")
        assert (manifest(report, "assessments").state, manifest(report, "assessments").records) == ("complete", 2)
        assert manifest(report, "assessment_metadata").state == "complete"
        with tenant.staged() as staged:
            assert staged.failing() == []
            assert [f["severity"] for f in findings(staged)] == ["medium", None]


# What looks like an empty estate -------------------------------------------------------------------------------------


def test_other_clouds_are_asked_for_in_both_spellings_of_their_source(serve: Open) -> None:
    with serve() as tenant:
        asked = replay(tenant, RECORDED)
        tenant.sync("foreign_resources")
        (text,) = [body["query"] for body in asked if "resourceDetails" in body["query"]]
        assert "resourceDetails.Source)" in text
        assert "resourceDetails.source)" in text


def test_resources_of_other_clouds_in_camel_case_are_not_lost(serve: Open) -> None:
    with serve(devices=400) as tenant:
        tenant.sync()
        with tenant.staged() as staged:
            providers = staged.rows("select distinct provider from stg_defender_cloud__foreign order by 1")
        assert [p["provider"] for p in providers] == ["aws", "gcp"]


def test_a_subscription_that_is_no_longer_in_sight_retires_nothing(serve: Open) -> None:
    with serve() as tenant:
        replay(tenant, RECORDED)
        assert states(tenant.sync())["resources"] == "complete"
        replay(tenant, {**RECORDED, "resources": []}, subscriptions={"value": [subscription(S2)]})
        report = tenant.sync()
        assert not any(m.proves_absence for m in report.streams if m.records or m.stream == "resources")
        assert S1 in str(manifest(report, "subscriptions").reason)


def test_where_subscriptions_may_vanish_one_less_is_taken_for_deleted(serve: Open) -> None:
    with serve() as tenant:
        replay(tenant, RECORDED)
        assert states(tenant.sync(subscriptions_may_vanish=True))["resources"] == "complete"
        replay(tenant, {**RECORDED, "sub_assessments": []}, subscriptions={"value": [subscription(S2)]})
        found = states(tenant.sync(subscriptions_may_vanish=True))
        assert (found["subscriptions"], found["resources"]) == ("complete", "complete")


def test_no_subscription_in_sight_is_no_empty_tenant(serve: Open) -> None:
    with serve() as tenant:
        replay(tenant, {}, subscriptions={"value": []})
        report = tenant.sync()
        assert (manifest(report, "subscriptions").state, manifest(report, "subscriptions").error) == (
            "failed",
            "FixPermission",
        )
        assert "complete" not in states(report).values()


def test_an_empty_page_with_a_token_is_no_end(serve: Open) -> None:
    def resources(body: dict[str, Any]) -> Response:
        token = body["options"].get("$skipToken")
        rows = RECORDED["resources"]
        if token is None:
            return Response(table([], totalRecords=2, **{"$skipToken": "t1"}), 200)
        if token == "t1":
            return Response(table(rows[:1], totalRecords=2, **{"$skipToken": "t2"}), 200)
        return Response(table(rows[1:], totalRecords=2, **{"$skipToken": None}), 200)

    with serve() as tenant:
        replay(tenant, {"resources": resources})
        found = manifest(tenant.sync("resources"), "resources")
        assert (found.state, found.records, found.pages) == ("complete", 2, 3)


def test_a_page_too_large_for_azure_is_asked_for_in_smaller_ones(serve: Open) -> None:
    sizes: list[int] = []

    def resources(body: dict[str, Any]) -> Response:
        sizes.append(body["options"]["$top"])
        if sizes[-1] > 100 and body["options"].get("$skipToken"):
            said = "Response payload size is 28128036, and has exceeded the limit of 16777216."
            details = [{"code": "ResponsePayloadTooLarge", "message": said}]
            general = "Please provide below info when asking for support: timestamp = 2026, correlationId = 0."
            return Response({"error": {"code": "BadRequest", "message": general, "details": details}}, 400)
        if not body["options"].get("$skipToken"):
            return Response(table(RECORDED["resources"][:1], totalRecords=2, **{"$skipToken": "t1"}), 200)
        return Response(table(RECORDED["resources"][1:], totalRecords=2), 200)

    with serve() as tenant:
        replay(tenant, {"resources": resources})
        found = manifest(tenant.sync("resources"), "resources")
        assert (found.state, found.records) == ("complete", 2)
        assert sizes == [1000, 1000, 250, 250, 62, 62]
        assert "62 rows a page" in found.notes[-1]


def test_the_flag_of_a_cut_result_counts_only_where_no_token_leads_on(serve: Open) -> None:
    def resources(body: dict[str, Any]) -> Response:
        if not body["options"].get("$skipToken"):
            more = {"totalRecords": 2, "resultTruncated": "true", "$skipToken": "t1"}
            return Response(table(RECORDED["resources"][:1], **more), 200)
        return Response(table(RECORDED["resources"][1:], totalRecords=2), 200)

    with serve() as tenant:
        replay(tenant, {"resources": resources})
        assert states(tenant.sync("resources"))["resources"] == "complete"
        replay(tenant, {"resources": lambda body: Response(table(RECORDED["resources"], resultTruncated="true"), 200)})
        assert states(tenant.sync("resources"))["resources"] == "partial"


def test_the_management_groups_bound_what_is_read_by_defenders_own_interface(serve: Open) -> None:
    asked: list[str] = []

    def rest(request: Any) -> Response:
        asked.append(request.path)
        return Response({"value": []}, 200)

    def containers(body: dict[str, Any]) -> Response:
        assert body["managementGroups"] == ["halden"]
        return Response(table([{"id": f"/subscriptions/{S2}", "subscriptionId": S2.upper()}]), 200)

    with serve() as tenant:
        replay(tenant, {"containers": containers}, rest=rest)
        found = manifest(
            tenant.sync("assessments", assessments_via="rest", management_groups=["halden"]), "assessments"
        )
        assert found.state == "complete"
        assert [path.split("/")[2] for path in asked] == [S2]


def test_a_deleted_subscription_that_is_still_listed_is_not_asked(serve: Open) -> None:
    asked: list[str] = []

    def rest(request: Any) -> Response:
        asked.append(request.path.split("/")[2])
        return Response({"value": []}, 200)

    with serve() as tenant:
        replay(
            tenant,
            {},
            rest=rest,
            subscriptions={"value": [subscription(S1), subscription(S2, state="Deleted")]},
        )
        assert states(tenant.sync("assessments", assessments_via="rest"))["assessments"] == "complete"
        assert asked == [S1]


# Throttling ----------------------------------------------------------------------------------------------------------


def test_a_refusal_that_tells_the_wait_only_as_a_clock_is_waited_out(serve: Open, waits: list[float]) -> None:
    refusals = [1]

    def resources(body: dict[str, Any]) -> Response:
        if refusals:
            refusals.pop()
            headers = {"x-ms-user-quota-remaining": "0", "x-ms-user-quota-resets-after": "00:00:04"}
            said = {"error": {"code": "RateLimiting", "message": "Please provide below info when asking for support"}}
            return Response(said, 429, headers=headers)
        return Response(table(RECORDED["resources"]), 200)

    with serve() as tenant:
        replay(tenant, {"resources": resources})
        assert states(tenant.sync("resources"))["resources"] == "complete"
        assert 4.0 in waits
    assert directed_wait(429, {"x-ms-user-quota-resets-after": "00:01:05"}, datetime(2026, 1, 1)) == 65.0
    assert directed_wait(429, {"x-ms-user-quota-resets-after": "soon"}, datetime(2026, 1, 1)) is None


def test_a_quota_used_up_by_the_last_page_is_kept_before_the_next_stream(serve: Open, waits: list[float]) -> None:
    def resources(body: dict[str, Any]) -> Response:
        headers = {"x-ms-user-quota-remaining": "0", "x-ms-user-quota-resets-after": "00:00:03"}
        return Response(table(RECORDED["resources"]), 200, headers=headers)

    with serve() as tenant:
        replay(tenant, {"resources": resources})
        tenant.sync("resources")
        assert waits == [3.0]


# Dates, GUIDs and names that are none --------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.9999999Z", "soon", None])
def test_a_date_that_is_none_costs_its_value_and_not_the_build(serve: Open, word: str | None) -> None:
    arc = row(
        f"{RG}/providers/Microsoft.HybridCompute/machines/srv1",
        "microsoft.hybridcompute/machines",
        properties={"vmId": ZERO, "vmUuid": ZERO, "status": "Disconnected", "lastStatusChange": word},
    )
    machine = row(VM, "microsoft.compute/virtualmachines", properties={"vmId": ZERO, "timeCreated": word})
    (role,) = RECORDED["role_assignments"]
    (sub,) = RECORDED["sub_assessments"]
    details = {"cveId": "CVE-2026-2002", "publishedDate": word}
    given = {
        **RECORDED,
        "resources": [machine, arc],
        "role_assignments": [{**role, "properties": {**role["properties"], "createdOn": word, "updatedOn": word}}],
        "assessments": [
            assessment(
                VM, {"Source": "Azure", "Id": VM}, status={"firstEvaluationDate": word, "statusChangeDate": word}
            )
        ],
        "sub_assessments": [
            {
                **sub,
                "properties": {
                    **sub["properties"],
                    "timeGenerated": word,
                    "additionalData": {"vulnerabilityDetails": details},
                },
            }
        ],
    }
    with serve() as tenant:
        replay(tenant, given)
        tenant.sync()
        with tenant.staged() as staged:
            assert staged.failing() == []
            for found in staged.rows("select * from stg_defender_cloud__devices"):
                assert found["first_seen"] is None
                assert (found["smbios_uuid"], found["cloud_instance_id"], found["agent_ids"]) == (None, None, [])
                assert found["observed_at"].year == 2026
            assert findings(staged)[0]["first_seen"] is None
            assert findings(staged, "findings_sub_assessments")[0]["last_seen"].year == 2026
            assert staged.one("select published_at from stg_defender_cloud__vulnerabilities") is None
            assert staged.one("select count(first_seen) from stg_defender_cloud__relationships") == 0


def test_dates_with_an_offset_are_told_in_utc(serve: Open) -> None:
    (role,) = RECORDED["role_assignments"]
    given = {"createdOn": "2026-01-02T03:04:05.1234567+02:00"}
    with serve() as tenant:
        replay(tenant, {**RECORDED, "role_assignments": [{**role, "properties": {**role["properties"], **given}}]})
        tenant.sync()
        with tenant.staged() as staged:
            assert staged.one("select first_seen from stg_defender_cloud__role_holders").hour == 1


def test_the_all_zero_guid_is_nobody(serve: Open) -> None:
    (role,) = RECORDED["role_assignments"]
    policy = {"tenantId": ZERO, "objectId": ZERO, "permissions": {"secrets": ["get"]}}
    given = {
        **RECORDED,
        "role_assignments": [{**role, "properties": {**role["properties"], "principalId": ZERO}}],
        "resources": [
            row(
                VM,
                "microsoft.compute/virtualmachines",
                tenantId=ZERO,
                identity={"type": "SystemAssigned", "principalId": ZERO},
                properties={"vmId": ZERO},
            ),
            row(VAULT, "microsoft.keyvault/vaults", properties={"accessPolicies": [policy]}),
        ],
    }
    with serve() as tenant:
        replay(tenant, given)
        tenant.sync()
        with tenant.staged() as staged:
            assert staged.rows("select * from stg_defender_cloud__identities") == []
            assert staged.one("select smbios_uuid from stg_defender_cloud__devices") is None


def test_an_empty_name_does_not_hide_the_next_one(serve: Open) -> None:
    settings = {
        "extended": {"instanceView": {"computerName": ""}},
        "osProfile": {"computerName": "WEB01"},
        "dnsFqdn": "",
    }
    with serve() as tenant:
        replay(
            tenant,
            {
                "resources": [
                    row(VM, "microsoft.compute/virtualmachines", properties={**settings, "machineFqdn": "web01.x.y"})
                ]
            },
        )
        tenant.sync()
        with tenant.staged() as staged:
            (found,) = staged.rows("select * from stg_defender_cloud__devices")
            assert (found["hostnames"], found["fqdns"]) == (["WEB01"], ["web01.x.y"])


def test_records_with_nothing_but_an_id_break_nothing(serve: Open) -> None:
    """Unknown fields, missing ones, nulls where objects are expected, in every table."""
    bare = {
        stream: [{"id": found["id"], "type": found["type"], "properties": None, "new": {"x": [1]}} for found in rows]
        for stream, rows in RECORDED.items()
    }
    scalars = {
        stream: [{"id": found["id"], "type": found["type"], "properties": "text"} for found in rows]
        for stream, rows in RECORDED.items()
    }
    with serve() as tenant:
        for given in (bare, scalars):
            replay(tenant, given)
            report = tenant.sync()
            assert {m.rejected for m in report.streams} == {0}
            with tenant.staged() as staged:
                assert staged.failing() == []
                assert staged.one("select count(*) from stg_defender_cloud__devices") == 1


def test_the_same_id_in_another_case_is_the_same_thing(serve: Open) -> None:
    twice = {
        stream: [*rows, *({**found, "id": found["id"].upper()} for found in rows)] for stream, rows in RECORDED.items()
    }
    with serve() as tenant:
        replay(tenant, twice)
        tenant.sync()
        with tenant.staged() as staged:
            assert staged.failing() == []
            assert staged.one("select count(*) from stg_defender_cloud__devices") == 1


# Roles ---------------------------------------------------------------------------------------------------------------


def test_roles_given_above_a_named_subscription_are_asked_for(serve: Open) -> None:
    with serve(devices=400) as tenant:
        wanted = tenant.estate.truth.cloud_accounts[0][1]
        tenant.sync(subscriptions=[wanted])
        with tenant.staged() as staged:
            # the groups above are not in sight of such a query: the subscription names them
            held = staged.rows(
                "select r.* from stg_defender_cloud__relationships r "
                "join stg_defender_cloud__cloud_resources_containers c on c.record = r.target_record "
                "where relationship = 'has role on' and c.resource_type = 'microsoft.management/managementgroups'"
            )
            assert held
            chain = staged.rows(
                "select * from stg_defender_cloud__relationships where relationship = 'contains' "
                "and source_record like '%managementgroups%' and target_record like '%managementgroups%'"
            )
            assert len(chain) == 1


def test_a_role_without_scope_type_or_definition_is_still_a_role(serve: Open) -> None:
    (role,) = RECORDED["role_assignments"]
    gaps = {"scope": None, "principalType": None, "roleDefinitionId": role["properties"]["roleDefinitionId"]}
    with serve() as tenant:
        replay(
            tenant,
            {
                **RECORDED,
                "role_definitions": [],
                "role_assignments": [{**role, "properties": {**role["properties"], **gaps}}],
            },
        )
        tenant.sync()
        with tenant.staged() as staged:
            assert staged.failing() == []
            (edge,) = staged.rows("select * from stg_defender_cloud__relationships where relationship = 'has role on'")
            assert edge["target_record"].endswith(f"/subscriptions/{S1}")
            assert json.loads(edge["properties"])["permissions"]["roles"][0]["name"] == "Owner"


def test_a_role_tells_its_actions(serve: Open) -> None:
    with serve() as tenant:
        replay(tenant, RECORDED)
        tenant.sync()
        with tenant.staged() as staged:
            (edge,) = staged.rows("select * from stg_defender_cloud__relationships where relationship = 'has role on'")
            (told,) = json.loads(edge["properties"])["permissions"]["roles"]
            assert (told["name"], told["id"], told["actions"], told["dataActions"]) == ("Owner", OWNER, ["*"], [])


def test_identities_of_resources_are_found_where_they_are_told_otherwise(serve: Open) -> None:
    """A shared identity told by name alone, the kubelet's of a cluster, and who may read a vault by its own policies."""
    shared = f"{RG}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/shared"
    object_id, kubelet, reader = (f"{letter * 8}-0000-0000-0000-00000000000{n}" for n, letter in enumerate("abc", 1))
    cluster = f"{RG}/providers/Microsoft.ContainerService/managedClusters/aks1"
    resources = [
        row(
            VM,
            "microsoft.compute/virtualmachines",
            identity={"type": "UserAssigned", "userAssignedIdentities": {shared.upper(): {}}},
            properties={},
        ),
        row(
            shared,
            "microsoft.managedidentity/userassignedidentities",
            properties={"principalId": object_id, "clientId": "x"},
        ),
        row(
            cluster,
            "microsoft.containerservice/managedclusters",
            properties={"identityProfile": {"kubeletidentity": {"objectId": kubelet, "clientId": "y"}}},
        ),
        row(
            VAULT,
            "microsoft.keyvault/vaults",
            properties={
                "accessPolicies": [
                    {"tenantId": TENANT, "objectId": reader.upper(), "permissions": {"secrets": ["get", "list"]}}
                ]
            },
        ),
    ]
    with serve() as tenant:
        replay(tenant, {**RECORDED, "resources": resources, "role_assignments": []})
        tenant.sync()
        with tenant.staged() as staged:
            assert staged.failing() == []
            edges = staged.rows("select * from stg_defender_cloud__relationships where relationship <> 'contains'")
            told = {
                (e["relationship"], e["source_record"].rpartition("/")[2], e["target_record"].rpartition(":")[2])
                for e in edges
                if e["relationship"] == "can authenticate as"
            }
            assert told == {("can authenticate as", "vm1", object_id), ("can authenticate as", "aks1", kubelet)}
            (policy,) = [e for e in edges if e["relationship"] == "has permissions to"]
            assert policy["source_record"].endswith(reader)
            assert policy["target_record"].endswith("/kv1")
            assert json.loads(policy["properties"]) == {"permissions": {"secrets": ["get", "list"]}}


# Resources of other clouds -------------------------------------------------------------------------------------------

ARN = "arn:aws:ec2:eu-west-1:123456789012:instance/i-0abc1234def567890"


#: (resource details, more properties): a machine of its own each, all in one sync and one build.
PLACES: list[tuple[Any, Mapping[str, Any]]] = [
    ({"Source": "AWS", "Id": f"{ENTITY}/x", "NativeCloudUniqueIdentifier": ARN}, {}),
    ({"source": "Aws", "id": f"{ENTITY}/x", "nativeCloudUniqueIdentifier": ARN}, {}),
    ({"source": " AWS ", "id": ARN}, {}),
    ({"source": "Aws", "nativeResourceId": ARN, "nativeCloudUniqueIdentifier": ""}, {}),
    (
        {"Source": "AWS"},
        {"environmentDetails": {"nativeResourceId": ARN, "environmentHierarchyId": "123456789012"}},
    ),
    ({}, {"environment": {"source": "AWS", "nativeResourceId": ARN}}),
    ({}, {"environment": "AWS", "additionalData": {"NativeCloudUniqueIdentifier": ARN}}),
    (None, {"additionalData": {"NativeCloudUniqueIdentifier": ARN}}),
]


def test_the_id_of_a_machine_of_aws_is_found_wherever_it_stands(serve: Open) -> None:
    given = []
    for number, place in enumerate(PLACES):
        text = json.dumps(place).replace(ARN, f"{ARN}{number}").replace(f"{ENTITY}/x", f"{ENTITY}/x{number}")
        details, more = json.loads(text)
        given.append(assessment(f"{ENTITY}/aws-ec2-instance-x{number}", details, **more))
    with serve() as tenant:
        replay(tenant, {"foreign_resources": given})
        tenant.sync()
        with tenant.staged() as staged:
            assert staged.failing() == []
            rows = staged.rows("select * from stg_defender_cloud__devices_foreign")
            found = {row["cloud_resource_id"]: row for row in rows}
            assert len(rows) == len(found)
            for number, place in enumerate(PLACES):
                row = found[f"{ARN}{number}"]
                assert (row["cloud_provider"], row["cloud_account_id"]) == ("aws", "123456789012"), place
                assert row["cloud_instance_id"] == f"i-0abc1234def567890{number}", place
            assert sorted(f["asset_record"] for f in findings(staged)) == sorted(row["record"] for row in rows)


def test_a_google_machine_by_its_link_is_a_machine(serve: Open) -> None:
    link = "https://www.googleapis.com/compute/v1/projects/p1/zones/europe-west1-b/instances/web-1"
    with serve() as tenant:
        details = {"Source": "GCP", "Id": f"{ENTITY}/x", "NativeCloudUniqueIdentifier": link}
        replay(tenant, {"foreign_resources": [assessment(f"{ENTITY}/gcp-x", details)]})
        tenant.sync()
        with tenant.staged() as staged:
            (found,) = staged.rows("select * from stg_defender_cloud__devices_foreign")
            assert (found["hostnames"], found["cloud_account_id"]) == (["web-1"], "p1")
            assert (
                found["cloud_resource_id"]
                == "//compute.googleapis.com/projects/p1/zones/europe-west1-b/instances/web-1"
            )


def test_a_machine_of_aws_that_azure_arc_connected_is_one_machine(serve: Open) -> None:
    arc = f"{RG}/providers/Microsoft.HybridCompute/machines/srv1"
    machine = row(
        arc,
        "microsoft.hybridcompute/machines",
        properties={"vmId": "aaaaaaaa-0000-0000-0000-000000000001", "cloudMetadata": {"provider": "AWS"}},
    )
    known = assessment(arc.lower(), {"Source": "AWS", "Id": arc}, additionalData={"NativeCloudUniqueIdentifier": ARN})
    plain = assessment(arc.lower(), {"Source": "AWS", "Id": arc}, "22489c48-27d1-3e40-9420-4303ad9cffef")
    with serve() as tenant:
        replay(tenant, {"resources": [machine], "assessments": [known], "foreign_resources": [plain]})
        tenant.sync()
        with tenant.staged() as staged:
            assert staged.failing() == []
            assert staged.rows("select * from stg_defender_cloud__devices_foreign") == []
            assert (
                staged.one("select count(*) from stg_defender_cloud__cloud_resources_foreign where not is_container")
                == 0
            )
            (found,) = staged.rows("select * from stg_defender_cloud__devices")
            assert (found["cloud_provider"], found["cloud_account_id"]) == ("aws", "123456789012")
            assert found["cloud_instance_id"] == "i-0abc1234def567890"
            assert {f["asset_record"] for f in findings(staged)} == {found["record"]}
            assert len(findings(staged)) == 2


def test_a_type_that_repeats_its_service_is_told_as_microsoft_tells_it(serve: Open) -> None:
    details = {
        "Source": "AWS",
        "Id": f"{ENTITY}/x",
        "NativeCloudUniqueIdentifier": "arn:aws:ec2:eu-west-1:123456789012:subnet/subnet-1",
        "ResourceProvider": "EC2",
        "ResourceType": "microsoft.security/securityconnectors/ec2subnet",
    }
    with serve() as tenant:
        replay(tenant, {"foreign_resources": [assessment(f"{ENTITY}/x", details, code="Healthy")]})
        tenant.sync()
        with tenant.staged() as staged:
            found = staged.one(
                "select resource_type from stg_defender_cloud__cloud_resources_foreign where not is_container"
            )
            assert found == "ec2/subnet"


# Public exposure -----------------------------------------------------------------------------------------------------


#: (type, settings, whether the internet reaches it); all in one build.
REACHED: list[tuple[str, Mapping[str, Any], bool | None]] = [
    # what was never set on these is open
    ("microsoft.storage/storageaccounts", {}, True),
    ("microsoft.storage/storageaccounts", {"publicNetworkAccess": "Enabled", "networkAcls": {"defaultAction": "Deny"}}, False),
    ("microsoft.storage/storageaccounts", {"publicNetworkAccess": "SecuredByPerimeter"}, False),
    ("microsoft.storage/storageaccounts", {"publicNetworkAccess": None, "networkAcls": {"defaultAction": "Allow"}}, True),
    ("microsoft.keyvault/vaults", {"networkAcls": None}, True),
    ("microsoft.keyvault/vaults", {"publicNetworkAccess": "disabled"}, False),
    ("microsoft.sql/servers", {"publicNetworkAccess": "Enabled"}, True),
    ("microsoft.sql/servers/databases", {}, None),
    ("microsoft.sql/managedinstances", {"publicDataEndpointEnabled": False}, False),
    ("microsoft.sql/managedinstances", {"publicDataEndpointEnabled": True}, True),
    ("microsoft.dbforpostgresql/flexibleservers", {"network": {"publicNetworkAccess": "Enabled"}}, True),
    ("microsoft.dbforpostgresql/flexibleservers", {"network": {"publicNetworkAccess": "Disabled"}}, False),
    ("microsoft.documentdb/databaseaccounts", {"publicNetworkAccess": "Enabled", "ipRules": [{"x": 1}]}, False),
    ("microsoft.documentdb/databaseaccounts", {"publicNetworkAccess": "Enabled", "ipRules": []}, True),
    ("microsoft.containerregistry/registries", {"networkRuleSet": {"defaultAction": "Deny"}}, False),
    ("microsoft.containerregistry/registries", {"publicNetworkAccess": "Enabled", "networkRuleSet": None}, True),
    ("microsoft.app/containerapps", {"configuration": {"ingress": {"external": True}}}, True),
    ("microsoft.app/containerapps", {"configuration": {"ingress": {"external": False}}}, False),
    ("microsoft.containerinstance/containergroups", {"ipAddress": {"type": "Public", "ip": "1.2.3.4"}}, True),
    ("microsoft.containerinstance/containergroups", {"ipAddress": {"type": "Private"}}, False),
    ("microsoft.containerservice/managedclusters", {"apiServerAccessProfile": None}, True),
    ("microsoft.containerservice/managedclusters", {"apiServerAccessProfile": {"enablePrivateCluster": True}}, False),
    ("microsoft.containerservice/managedclusters", {"apiServerAccessProfile": {"authorizedIPRanges": ["1.2.3.0/24"]}}, False),
    ("microsoft.containerservice/managedclusters", {"apiServerAccessProfile": {"authorizedIPRanges": ["0.0.0.0/0"]}}, True),
    ("microsoft.web/sites", {"publicNetworkAccess": ""}, None),
]  # fmt: skip


def test_whether_the_internet_reaches_a_resource_is_read_where_its_type_says_it(serve: Open) -> None:
    given = [
        {"id": f"{RG}/providers/{type_}/x{number}", "type": type_, "properties": json.dumps(settings)}
        for number, (type_, settings, _) in enumerate(REACHED)
    ]
    with serve() as tenant, tenant.staged({"resources": given}) as staged:
        rows = staged.rows("select record_id, is_internet_facing from stg_defender_cloud__cloud_resources")
        found = {row["record_id"].rsplit("/", 1)[-1]: row["is_internet_facing"] for row in rows}
        for number, (type_, settings, reached) in enumerate(REACHED):
            assert found[f"x{number}"] is reached, (type_, settings)


@pytest.mark.parametrize(("public", "reached"), [(True, True), (False, None)])
def test_a_machine_behind_a_load_balancer_is_not_said_to_be_out_of_reach(
    serve: Open, public: bool, reached: bool | None
) -> None:
    balancer = f"{RG}/providers/Microsoft.Network/loadBalancers/lb1"
    nic = row(
        f"{RG}/providers/Microsoft.Network/networkInterfaces/nic1",
        "microsoft.network/networkinterfaces",
        properties={
            "macAddress": "00-0D-3A-11-22-33",
            "virtualMachine": {"id": VM},
            "ipConfigurations": [
                {
                    "properties": {
                        "privateIPAddress": "10.0.0.4",
                        "loadBalancerBackendAddressPools": [{"id": f"{balancer}/backendAddressPools/p"}],
                    }
                }
            ],
        },
    )
    address = row(
        f"{RG}/providers/Microsoft.Network/publicIPAddresses/pip",
        "microsoft.network/publicipaddresses",
        properties={
            "ipAddress": "20.30.40.50",
            "ipConfiguration": {"id": f"{balancer.lower()}/frontendIPConfigurations/fe"},
        },
    )
    with serve() as tenant:
        machine = row(VM, "microsoft.compute/virtualmachines", properties={"vmId": "x"})
        replay(
            tenant,
            {"resources": [machine], "network_interfaces": [nic], "public_addresses": [address] if public else []},
        )
        tenant.sync()
        with tenant.staged() as staged:
            (found,) = staged.rows("select * from stg_defender_cloud__devices")
            assert found["is_internet_facing"] is reached
            # the address is the balancer's: several machines share it
            assert found["ip_addresses"] == ["10.0.0.4"]


def test_what_defender_says_of_exposure_and_sensitive_data_counts_in_every_cloud(serve: Open) -> None:
    risk = {
        "level": "Critical",
        "riskFactors": ["Internet exposure", "Sensitive data"],
        "attackPathsReferences": ["p1"],
    }
    bucket = {"Source": "AWS", "Id": f"{ENTITY}/x", "NativeCloudUniqueIdentifier": "arn:aws:s3:::x"}
    database = f"{RG}/providers/Microsoft.Sql/servers/s1/databases/d1"
    with serve() as tenant:
        replay(
            tenant,
            {
                "resources": [row(database, "microsoft.sql/servers/databases", properties={})],
                "assessments": [assessment(database, {"Source": "Azure", "Id": database}, risk=risk)],
                "foreign_resources": [
                    assessment(f"{ENTITY}/x", bucket, risk=risk),
                    assessment(
                        f"{ENTITY}/y",
                        {**bucket, "NativeCloudUniqueIdentifier": ARN},
                        risk={"riskFactors": ["InternetExposure"]},
                    ),
                ],
            },
        )
        tenant.sync()
        with tenant.staged() as staged:
            assert staged.failing() == []
            for model in ("cloud_resources", "cloud_resources_foreign"):
                told = staged.one(
                    f"select is_internet_facing, contains_sensitive_data from stg_defender_cloud__{model} where not is_container"
                )
                assert told == (True, True)
            assert staged.one("select is_internet_facing from stg_defender_cloud__devices_foreign") is True
            evidence = json.loads(findings(staged)[0]["evidence"])
            assert (evidence["riskLevel"], evidence["attackPaths"]) == ("critical", ["p1"])


# Findings ------------------------------------------------------------------------------------------------------------


def test_cves_listed_in_a_text_of_the_assessment_become_findings_once(serve: Open) -> None:
    given = {
        **RECORDED,
        "assessments": [
            assessment(
                VM,
                {"Source": "Azure", "Id": VM},
                additionalData={"CVEs": '[{"cve":"CVE-2025-1001"},{"cve":"cve-2026-2002"}]'},
            )
        ],
    }
    with serve() as tenant:
        replay(tenant, given)
        tenant.sync()
        with tenant.staged() as staged:
            assert staged.failing() == []
            listed = [f["cve_id"] for f in findings(staged, "findings_assessed_cves")]
            single = [f["cve_id"] for f in findings(staged, "findings_sub_assessments")]
            assert (listed, single) == (["CVE-2025-1001"], ["CVE-2026-2002"])


def test_attack_paths_of_both_shapes_become_findings_and_edges(serve: Open) -> None:
    (modern,) = RECORDED["attack_paths"]
    legacy = {
        **modern,
        "id": modern["id"].replace("eeeeeeee", "ffffffff"),
        "properties": {
            "displayName": "VM has high permissions to a vault",
            "attackPathType": "type-1",
            "potentialImpact": "Data exposure",
            "riskCategories": ["Data exposure"],
            "entryPointEntityInternalID": "1",
            "targetEntityInternalID": "2",
            "attackPathId": "ffffffff-0000-0000-0000-000000000006",
            "graphComponent": {
                **modern["properties"]["graphComponent"],
                "entities": [
                    {"entityInternalId": "0", "entityName": "Internet", "entityType": "internet"},
                    *modern["properties"]["graphComponent"]["entities"],
                ],
                "connections": [
                    {"sourceEntityInternalId": "0", "targetEntityInternalId": "1", "title": "Is exposed to"},
                    {"sourceEntityInternalId": "1", "targetEntityInternalId": "2", "title": "Has permission to"},
                    {"sourceEntityInternalId": "1", "targetEntityInternalId": "9", "title": "contains"},
                ],
            },
        },
    }
    with serve() as tenant:
        replay(
            tenant,
            {**RECORDED, "attack_paths": [modern, legacy], "public_addresses": [], "network_interfaces": []},
        )
        tenant.sync()
        with tenant.staged() as staged:
            assert staged.failing() == []
            found = findings(staged, "findings_attack_paths")
            assert [(f["asset_kind"], f["severity"]) for f in found] == [
                ("device", "high"),
                ("cloud_resource", "high"),
                ("device", None),
                ("cloud_resource", None),
            ]
            roles = [(json.loads(f["evidence"])["isEntryPoint"], json.loads(f["evidence"])["isTarget"]) for f in found]
            assert roles == [(True, False), (False, True)] * 2
            (edge,) = staged.rows("select * from stg_defender_cloud__relationships_attack_paths")
            assert (edge["relationship"], edge["source_kind"]) == ("has permissions to", "device")
            assert len(json.loads(edge["properties"])["attackPaths"]) == 2
            # it begins at the internet, whatever the machine's own addresses say
            assert staged.one("select is_internet_facing from stg_defender_cloud__devices") is True


def test_what_lies_three_levels_deep_has_its_whole_type_and_its_container(serve: Open) -> None:
    server = f"{RG}/providers/Microsoft.Sql/servers/s1"
    blob = f"{RG}/providers/Microsoft.Storage/storageAccounts/a1/blobServices/default/containers/c1"
    with serve() as tenant:
        replay(
            tenant,
            {
                **RECORDED,
                "resources": [
                    row(server, "microsoft.sql/servers", properties={}),
                    row(f"{server}/databases/d1", "microsoft.sql/servers/databases", properties={}),
                ],
                "assessments": [assessment(blob, {"Source": "Azure", "Id": blob})],
            },
        )
        tenant.sync()
        with tenant.staged() as staged:
            assert staged.failing() == []
            assert staged.one("select resource_type from stg_defender_cloud__cloud_resources_assessed") == (
                "microsoft.storage/storageaccounts/blobservices/containers"
            )
            parents = {
                e["target_record"].rpartition("/")[2]: e["source_record"].rpartition("/")[2]
                for e in staged.rows("select * from stg_defender_cloud__relationships where relationship = 'contains'")
            }
            assert (parents["d1"], parents["s1"], parents["c1"]) == ("s1", "rg1", "rg1")


def test_settings_keep_their_json_types_under_azures_names(serve: Open) -> None:
    account = f"{RG}/providers/Microsoft.Storage/storageAccounts/a1"
    settings = {"allowBlobPublicAccess": True, "supportsHttpsTrafficOnly": False, "publicNetworkAccess": "Enabled"}
    with serve() as tenant:
        replay(tenant, {"resources": [row(account, "microsoft.storage/storageaccounts", properties=settings)]})
        tenant.sync()
        with tenant.staged() as staged:
            told = json.loads(staged.one("select properties from stg_defender_cloud__cloud_resources"))
            assert told["allowBlobPublicAccess"] is True
            assert told["supportsHttpsTrafficOnly"] is False
            assert told["publicNetworkAccess"] == "Enabled"


def test_what_somebody_wrote_into_a_workflow_is_not_kept(serve: Open) -> None:
    flow = row(
        f"{RG}/providers/Microsoft.Logic/workflows/w1",
        "microsoft.logic/workflows",
        properties={
            "state": "Enabled",
            "definition": {"actions": {"call": {"inputs": {"headers": {"x-api-key": "SecretValue1"}}}}},
            "parameters": {"$connections": {"value": "SecretValue2"}},
        },
    )
    site = row(
        f"{RG}/providers/Microsoft.Web/sites/s1",
        "microsoft.web/sites",
        properties={
            "siteConfig": {"publishingPassword": "SecretValue3", "machineKey": {"validationKey": "SecretValue4"}}
        },
    )
    app = row(
        f"{RG}/providers/Microsoft.App/containerApps/a1",
        "microsoft.app/containerapps",
        properties={
            "configuration": {"secrets": [{"name": "k", "value": "SecretValue5"}]},
            "template": {"containers": [{"env": [{"name": "K", "value": "SecretValue6"}]}]},
        },
    )
    with serve() as tenant:
        replay(tenant, {"resources": [flow, site, app]})
        tenant.sync()
        assert holds(tenant.home.root, *(f"SecretValue{n}" for n in range(1, 7))) == []


def test_every_trouble_has_an_answer_of_this_product() -> None:
    told = registry.load("defender_cloud").troubleshooting
    assert {"400", "401", "403", "404", "409", "429", "dns", "tls", "connect"} <= set(told)
    assert "Conditional Access" in told["401"]
