"""The exposure graph in Microsoft's columns, over the project's own models."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import Any

from tests.transforms.estate import DAY, Estate, observation
from tests.transforms.test_marts import edge, finding

WEB = observation(
    "acme:prod:web",
    serial_number="S1",
    display_name="web01",
    device_category="Server",
    cloud_provider="azure",
    cloud_resource_id="/subscriptions/S/resourceGroups/RG/providers/Microsoft.Compute/virtualMachines/web01",
    is_internet_facing=True,
    ip_addresses=["10.0.0.4", "203.0.113.9", "172.20.1.1", "100.70.0.1"],
    agent_ids=["mde=" + "a" * 40],
    properties='{"exposureScore": "High"}',
    criticality=1,
)
ANNA = observation(
    "acme:prod:anna", identity_type="user", upn="anna@corp.example", entra_object_id="o1", entra_tenant_id="t1"
)
VULNERABILITY = {
    "product": "tenable",
    "instance": "prod",
    "cve_id": "CVE-2026-0001",
    "severity": "critical",
    "cvss_score": 9.8,
    "exploit_available": True,
}


def whole(graph: Estate, **more: Any) -> None:
    graph.build(
        devices=[WEB],
        identities=[ANNA],
        findings=[
            finding(
                "tenable:prod:f1",
                asset_record="acme:prod:web",
                cve_id="CVE-2026-0001",
                severity="critical",
                title="nginx remote code execution",
            ),
            finding("acme:prod:f2", asset_record="acme:prod:web", cve_id="cve-2026-0001", severity="high"),
        ],
        vulnerabilities=[VULNERABILITY],
        relationships=[edge("acme:prod:web", "acme:prod:anna", "Frequently logged in by", target_kind="identity")],
        **more,
    )


def node(graph: Estate, label: str) -> dict[str, Any]:
    return graph.row(f"from exposure_graph_nodes where NodeLabel = '{label}'")


def test_a_machine_in_azure_is_a_virtual_machine_node_with_microsofts_properties(graph: Estate) -> None:
    whole(graph)
    found = node(graph, "microsoft.compute/virtualmachines")
    raw = json.loads(found["NodeProperties"])["rawData"]
    assert found["Categories"] == ["compute", "device", "environmentAzure", "environmentCloud", "virtual_machine"]
    assert raw["exposureScore"] == "High"
    assert raw["criticalityLevel"]["criticalityLevel"] == 1
    assert raw["criticalityLevel"]["ruleNames"] == ["Reported by acme"]
    assert raw["exposedToInternet"]["reasons"] == ["acme reports it as internet facing"]
    assert raw["highRiskVulnerabilityInsights"]["vulnerableToRemoteCodeExecution"]["hasHighOrCritical"] is True
    assert raw["highRiskVulnerabilityInsights"]["maxCvssScore"] == 9.8
    ids = {entry["type"]: entry["id"] for entry in json.loads(found["EntityIds"])}
    assert ids["SenseDeviceId"] == ids["DeviceInventoryId"] == "a" * 40
    assert ids["AzureResourceId"] == WEB["cloud_resource_id"].lower()
    assert (found["criticality_level"], found["is_internet_exposed"], found["vulnerable_to_remote_code_execution"]) == (
        1,
        True,
        True,
    )
    user = json.loads(node(graph, "user")["EntityIds"])
    assert user == [{"type": "AadObjectId", "id": "tenantid=t1;objectid=o1"}]


def test_machines_and_cloud_resources_bear_the_ids_that_their_products_give_them(graph: Estate) -> None:
    bucket = {"native_id": "arn:aws:s3:::backups", "resource_type": "s3.bucket", "provider": "AWS"}
    graph.build(
        devices=[{**observation("servicenow:prod:h1", serial_number="S1"), "record": "servicenow:prod:h:1"}],
        cloud_resources=[observation("acme:prod:a1", **bucket), observation("tenable:prod:t1", **bucket)],
    )
    found = {
        row["asset_kind"]: sorted((entry["type"], entry["id"]) for entry in json.loads(row["EntityIds"]))
        for row in graph.rows("from exposure_graph_nodes")
    }
    assert found == {
        "device": [("ServiceNowCmdbAssetId", "h:1")],
        "cloud_resource": [("AcmeAssetId", "a1"), ("CloudResourceId", bucket["native_id"]), ("TenableAssetId", "t1")],
    }


def test_a_weakness_is_one_node_and_an_edge_for_each_product_that_reports_it(graph: Estate) -> None:
    whole(graph)
    assert node(graph, "Cve")["NodeId"] == hashlib.md5(b"Cve:CVE-2026-0001", usedforsecurity=False).hexdigest()
    raws = [
        json.loads(row["EdgeProperties"])["rawData"]
        for row in graph.rows("from exposure_graph_edges where EdgeLabel = 'affecting' order by EdgeId")
    ]
    assert sorted(raw["reportInfo"]["reportedBy"] for raw in raws) == ["acme", "tenable"]
    assert any("tenableReportInfo" in raw for raw in raws)


def test_only_public_addresses_of_an_exposed_machine_lead_to_it(graph: Estate) -> None:
    whole(graph)
    (route,) = graph.rows("from exposure_graph_edges where EdgeLabel = 'routes traffic to'")
    assert (route["SourceNodeName"], route["SourceNodeLabel"], route["TargetNodeName"]) == (
        "203.0.113.9",
        "IP address",
        "web01",
    )


def test_the_address_of_a_load_balancer_leads_to_the_machine_behind_it_that_has_it_not(graph: Estate) -> None:
    behind = {**WEB, "ip_addresses": ["10.0.0.4"], "properties": '{"publicIps": ["203.0.113.20"]}'}
    twice = {**WEB, "properties": '{"publicIps": ["203.0.113.9"]}'}
    for machine, address in ((behind, "203.0.113.20"), (twice, "203.0.113.9")):
        graph.build(devices=[machine])
        (route,) = graph.rows("from exposure_graph_edges where EdgeLabel = 'routes traffic to'")
        assert (route["SourceNodeName"], route["TargetNodeName"]) == (address, "web01")
        web = graph.row("from exposure_graph_nodes where NodeName = 'web01'")
        raw = json.loads(web["NodeProperties"])["rawData"]
        assert raw["exposedToInternet"]["publicIps"] == [address]
        assert raw["ipAddresses"] == machine["ip_addresses"]


def test_labels_of_edges_are_lower_case_and_name_both_ends(graph: Estate) -> None:
    whole(graph)
    (logon,) = graph.rows("from exposure_graph_edges where EdgeLabel = 'frequently logged in by'")
    assert (logon["SourceNodeName"], logon["TargetNodeLabel"]) == ("web01", "user")
    assert logon["TargetNodeCategories"] == ["identities", "identity", "user_account"]


def test_fixed_weaknesses_and_retired_assets_are_not_in_the_graph(graph: Estate) -> None:
    graph.build(
        devices=[{**WEB, "state": "retired"}, observation("acme:prod:2", serial_number="S2")],
        identities=[ANNA],
        findings=[
            finding("tenable:prod:f1", asset_record="acme:prod:web", cve_id="CVE-2026-0001"),
            finding("tenable:prod:f2", asset_record="acme:prod:2", cve_id="CVE-2026-0002", status="fixed"),
        ],
        relationships=[edge("acme:prod:web", "acme:prod:anna", "frequently logged in by", target_kind="identity")],
    )
    assert [row["NodeLabel"] for row in graph.rows("from exposure_graph_nodes order by NodeLabel")] == [
        "device",
        "user",
    ]
    assert graph.rows("from exposure_graph_edges") == []


def test_ids_of_nodes_and_edges_are_the_same_the_next_day(graph: Estate) -> None:
    whole(graph)
    ids = "select NodeId as id from exposure_graph_nodes union all select EdgeId from exposure_graph_edges order by id"
    before = graph.rows(ids)
    whole(graph, day=DAY + timedelta(days=1))
    assert graph.rows(ids) == before


def test_an_empty_estate_has_an_empty_graph_that_keeps_its_contract(graph: Estate) -> None:
    results = graph.build(syncs=[], connections=[])
    assert [(r.name, c.name) for r in results.values() for c in r.checks if not c.passed] == []


def test_hostile_names_stay_text(graph: Estate) -> None:
    name = "<img src=x onerror=alert(1)>\"'; drop table devices; --\n\u202e"
    graph.build(devices=[{**WEB, "display_name": name}])
    found = node(graph, "microsoft.compute/virtualmachines")
    assert found["NodeName"] == name
    assert json.loads(found["NodeProperties"])["rawData"]["deviceName"] == name


def test_links_of_a_table_of_the_graph_lead_to_tables_that_exist() -> None:
    from exposure_pipelines.assets.models import LINKS
    from exposure_pipelines.building import project

    assert {name for one, others in LINKS.items() for name in (one, *others)} <= set(project().models)


def test_products_name_their_own_id_of_an_asset_by_the_type_that_microsoft_uses(graph: Estate) -> None:
    asset = {"serial_number": "S9", "manufacturer": "Dell"}
    graph.build(
        devices=[
            observation("qualys:prod:9911", **asset, properties='{"qualysAssetInfo": {"qualysAssetId": "9911"}}'),
            observation("qualys:prod:9912", **asset, properties='{"qualysAssetInfo": {"qualysAssetId": "9912"}}'),
            observation("servicenow:prod:5f3c", **asset),
            observation("tenable:prod:0d0c", **asset),
        ]
    )
    found = json.loads(node(graph, "device")["EntityIds"])
    # two assets of one product that are one machine keep an id each
    assert sorted((one["type"], one["id"]) for one in found) == [
        ("QualysAssetId", "9911"),
        ("QualysAssetId", "9912"),
        ("ServiceNowCmdbAssetId", "5f3c"),
        ("TenableAssetId", "0d0c"),
    ]


def test_a_recommendation_says_who_reported_it_in_both_ways(graph: Estate) -> None:
    graph.build(
        devices=[WEB],
        findings=[
            finding("defender_cloud:prod:f1", asset_record="acme:prod:web", cve_id=None, title="Bucket is public")
        ],
    )
    edge_of = graph.row("from exposure_graph_edges where EdgeLabel = 'affecting'")
    raw = json.loads(edge_of["EdgeProperties"])["rawData"]
    assert raw["reportInfo"] == {"reportedBy": "defender_cloud"}
    assert raw["defenderCloudReportInfo"]["reportedBy"] == "defender_cloud"
