"""Defender for Cloud and Azure Resource Graph: the whole way from their habits to staging, over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connector_assets.defender_cloud.graph import query
from connector_assets.defender_cloud.options import DefenderCloudOptions
from demo_estate.lenses.defender_cloud import records
from demo_estate.truth import Ref

from .microsoft import Bench, bench, holds, manifest, states

GRAPH = "POST /providers/Microsoft.ResourceGraph/resources"
REST = "GET /subscriptions/{subscription}/providers/Microsoft.Security/assessments"
SUBSCRIPTIONS = "GET /subscriptions"
TOKEN = "POST /{tenant}/oauth2/v2.0/token"
GRAPH_STREAMS = 10
Open = Callable[..., AbstractContextManager[Bench]]


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    def start(**settings: Any) -> AbstractContextManager[Bench]:
        return bench("defender_cloud", tmp_path, monkeypatch, **{"devices": 400, **settings})

    return start


@pytest.fixture
def tenant(serve: Open) -> Iterator[Bench]:
    with serve() as running:
        yield running


def fault(route: str, kind: int | str, **more: Any) -> dict[str, Any]:
    return {"product": "defender_cloud", "route": route, "fault": kind, **more}


def test_a_whole_sync_makes_exactly_the_calls_it_needs(tenant: Bench) -> None:
    report = tenant.sync()
    # how severe the checks are comes with the assessments of Azure Resource Graph
    told = {**states(report), "assessment_metadata": "complete"}
    assert set(told.values()) == {"complete"}, [(m.stream, m.reason) for m in report.streams]
    assert dict(tenant.requests()) == {TOKEN: 1, SUBSCRIPTIONS: 1, GRAPH: GRAPH_STREAMS}
    assert tenant.service.journal.problems == []
    assert all(m.rejected == m.field_issues == m.duplicates == 0 for m in report.streams)


def test_everything_served_is_landed_under_the_answer_keys_ids(tenant: Bench) -> None:
    tenant.sync()
    key = tenant.estate.answer_key().frame()
    kinds = {
        "device": ("devices", "devices_foreign"),
        "cloud_resource": ("cloud_resources", "cloud_resources_containers", "cloud_resources_foreign"),
        "identity": ("identities",),
    }
    with tenant.staged() as staged:
        for kind, models in kinds.items():
            text = " union all ".join(f"select record_id from stg_defender_cloud__{model}" for model in models)
            landed = [row["record_id"] for row in staged.rows(text)]
            assert sorted(landed) == sorted(key[key["kind"] == kind]["record_id"])
            assert len(landed) > 10


# Azure Resource Graph ------------------------------------------------------------------------------------------------


def test_pages_follow_the_token_although_nothing_is_said_to_be_truncated(serve: Open) -> None:
    with serve(page_cap=10) as tenant:
        report = tenant.sync("resources")
        found = manifest(report, "resources")
        assert (found.state, found.duplicates) == ("complete", 0)
        assert found.records > 30
        assert tenant.requests()[GRAPH] == -(-found.records // 10)


def test_a_page_size_of_the_connection_is_asked_for(tenant: Bench) -> None:
    found = manifest(tenant.sync("resources", page_size=7), "resources")
    assert found.state == "complete"
    assert tenant.requests()[GRAPH] == -(-found.records // 7)


def test_every_query_keeps_the_id_and_is_in_its_order() -> None:
    text = query("resources", ("type in~ ('a/b')",), "id, name")
    assert text == "resources | where type in~ ('a/b') | project id, name | order by id asc"


def test_a_result_cut_without_a_token_is_partial(serve: Open) -> None:
    with serve(page_cap=10, truncated=("resources",)) as tenant:
        found = manifest(tenant.sync("resources"), "resources")
        assert (found.state, found.records) == ("partial", 10)
        assert "gave no way to the rest" in str(found.reason)


def test_rows_that_are_lost_show_against_azures_own_count(serve: Open) -> None:
    with serve(page_cap=10, faults=[fault(GRAPH, "empty", nth=2)]) as tenant:
        found = manifest(tenant.sync("resources"), "resources")
        assert (found.state, found.records) == ("partial", 10)
        assert "Azure counts" in str(found.reason)


def test_a_repeated_token_ends_partial_instead_of_looping(serve: Open) -> None:
    with serve(page_cap=10, faults=[fault(GRAPH, "repeat_cursor", nth=3)]) as tenant:
        found = manifest(tenant.sync("resources"), "resources")
        assert (found.state, found.error) == ("partial", "RepeatedCursor")


def test_the_quota_told_in_headers_is_kept(serve: Open) -> None:
    with serve(page_cap=2) as tenant:
        report = tenant.sync("resources", "network_interfaces")
        assert set(states(report).values()) == {"complete"}
        assert sum(m.waited_seconds for m in report.streams) >= 1
        # it is waited for what the last answer says, not for a refusal
        assert sum(m.retries for m in report.streams) == 0


def test_a_refused_query_waits_as_told(serve: Open) -> None:
    with serve(faults=[fault(GRAPH, 429, nth=2, retry_after=0.2)]) as tenant:
        report = tenant.sync("containers", "resources")
        assert set(states(report).values()) == {"complete"}
        assert manifest(report, "resources").waited_seconds >= 0.2
        assert tenant.service.journal.problems == []


def test_more_subscriptions_than_azure_looks_into_are_partial(serve: Open) -> None:
    with serve(too_many=True) as tenant:
        found = manifest(tenant.sync("containers"), "containers")
        assert found.state == "partial"
        assert "more subscriptions" in str(found.reason)


def test_a_subscription_that_is_named_and_not_in_sight_is_partial_and_not_deleted(serve: Open) -> None:
    with serve(hidden=("nonprod",)) as tenant:
        named = [a for provider, a, _ in tenant.estate.truth.cloud_accounts if provider == "azure"]
        found = manifest(tenant.sync("resources", subscriptions=named), "resources")
        assert found.state == "partial"
        assert not found.proves_absence
        assert named[2] in str(found.reason)
        # Azure itself says nothing: without names it looks whole
        assert states(tenant.sync("resources"))["resources"] == "complete"


def test_only_the_named_subscriptions_are_read(tenant: Bench) -> None:
    wanted = tenant.estate.truth.cloud_accounts[1][1]
    tenant.sync("resources", subscriptions=[wanted])
    with tenant.staged() as staged:
        assert staged.rows("select distinct account_id from stg_defender_cloud__items") == [{"account_id": wanted}]


def test_a_query_that_is_refused_fails_with_what_azure_hides_in_the_details(serve: Open) -> None:
    with serve(faults=[fault(GRAPH, 400, always=True)]) as tenant:
        found = manifest(tenant.sync("resources"), "resources")
        assert (found.state, found.error) == ("failed", "BadRequest")
        assert "Planned fault" in str(found.reason)


def test_options_that_would_change_a_query_are_refused() -> None:
    with pytest.raises(ValidationError, match="cannot have"):
        DefenderCloudOptions(tenant_id="t", client_id="c", foreign_clouds=("AWS') | take 1",))
    with pytest.raises(ValidationError, match="no resource type"):
        DefenderCloudOptions(tenant_id="t", client_id="c", resource_types=("x') | take 1",))
    with pytest.raises(ValidationError, match="no subscription id"):
        DefenderCloudOptions(tenant_id="t", client_id="c", subscriptions=("production",))


@pytest.mark.parametrize(("kind", "error"), [("html", "UnexpectedContent"), ("truncate", "BrokenAnswer")])
def test_an_answer_that_is_none_fails_the_stream(serve: Open, kind: str, error: str) -> None:
    with serve(faults=[fault(GRAPH, kind, always=True)]) as tenant:
        found = manifest(tenant.sync("resources"), "resources")
        assert (found.state, found.error) == ("failed", error)


def test_a_token_that_ends_between_two_pages_is_renewed(serve: Open) -> None:
    with serve(page_cap=10) as tenant:

        def later(instance: str, stream: str, pages: int, rows: int) -> None:
            if (stream, pages) == ("resources", 1):
                tenant.estate.advance_clock(3700)

        assert states(tenant.sync("resources", progress=later))["resources"] == "complete"
        assert tenant.requests()[TOKEN] == 2


# Defender's own interface --------------------------------------------------------------------------------------------


def test_the_chain_of_links_is_followed_to_its_empty_tail(tenant: Bench) -> None:
    found = manifest(tenant.sync("assessments", assessments_via="rest"), "assessments")
    served = list(records.assessments(tenant.service.view))
    assert (found.state, found.records) == ("complete", len(served))
    subscriptions = {account for account, _ in records.visible_subscriptions(tenant.service.view)}
    assert set(found.scopes) == subscriptions
    # each chain: irregular pages, and an empty one without a link
    assert tenant.requests()[REST] > len(subscriptions) + 2


def test_both_interfaces_lead_to_the_same_findings(tenant: Bench) -> None:
    shown = "select record_id, asset_record, title, severity from stg_defender_cloud__findings order by record_id"
    tenant.sync()
    with tenant.staged() as staged:
        by_graph = staged.rows(shown)
    tenant.sync("assessments", assessments_via="rest")
    with tenant.staged() as staged:
        assert staged.failing() == []
        assert staged.rows(shown) == by_graph
    assert len(by_graph) > 20


def test_a_subscription_that_refuses_its_assessments_leaves_the_others(serve: Open) -> None:
    with serve() as tenant:
        account = tenant.estate.truth.cloud_accounts[1][1]
        tenant.service.faults.add(fault(REST, 403, always=True, when={"path": account}))
        found = manifest(tenant.sync("assessments", assessments_via="rest"), "assessments")
        assert found.state == "partial"
        assert {name for name, scope in found.scopes.items() if scope.state == "partial"} == {account}
        assert found.records > 10


# Permissions and secrets ---------------------------------------------------------------------------------------------


def test_without_any_role_azure_refuses_nothing_and_the_check_says_so(serve: Open) -> None:
    with serve(hidden=("prod-platform", "prod-apps", "nonprod")) as tenant:
        checks = tenant.check()
        assert not checks["Reader"].ok
        assert "not one subscription" in checks["Reader"].message


def test_without_security_reader_the_check_says_so(serve: Open) -> None:
    with serve(without=("Security Reader",)) as tenant:
        checks = tenant.check()
        assert checks["Reader"].ok
        assert "Security Reader" in checks["Security Reader"].hint
        assert states(tenant.sync("assessments", assessments_via="rest"))["assessments"] == "failed"


def test_no_secret_no_token_and_no_key_of_a_resource_is_written_anywhere(tenant: Bench) -> None:
    tenant.sync()
    _, secret = tenant.estate.connections()["defender_cloud"].credentials["client_secret"]
    assert holds(tenant.home.root, secret, *tenant.service.tokens.values(), "AccountKey=") == []
    assert tenant.service.journal.problems_of("secret_in_url") == []


# Staging -------------------------------------------------------------------------------------------------------------


def test_staging_gives_exactly_the_declared_columns_and_passes_its_tests(tenant: Bench) -> None:
    tenant.sync()
    with tenant.staged() as staged:
        assert staged.columns_differ() == []
        assert staged.failing() == []
        assert len(staged.results) == 26


def test_staging_of_machines_of_three_clouds(tenant: Bench) -> None:
    tenant.sync()
    view = tenant.service.view
    with tenant.staged() as staged:

        def row_of(model: str, name: str) -> dict[str, Any]:
            (row,) = staged.rows(f"select * from stg_defender_cloud__{model} where record_id = '{name.lower()}'")
            return row

        for machine in records.machines(view):
            cloud = machine.cloud
            assert cloud is not None
            if cloud.provider == "azure":
                row = row_of("devices", cloud.resource_id)
                assert row["smbios_uuid"] == row["cloud_instance_id"] == cloud.instance_id
                # the interface names its machine in another case
                assert row["mac_addresses"] == [machine.mac]
                assert set(row["ip_addresses"]) == {machine.ip, *filter(None, [machine.public_ip])}
                assert row["is_internet_facing"] == (machine.public_ip is not None)
                assert row["hostnames"] == [machine.hostname]
            else:
                row = row_of("devices_foreign", cloud.resource_id)
                assert row["cloud_instance_id"] == (cloud.instance_id if cloud.provider == "aws" else None)
            assert row["cloud_resource_id"].lower() == cloud.resource_id.lower()
            assert (row["cloud_provider"], row["cloud_account_id"]) == (cloud.provider, cloud.account_id)


def test_resources_say_whether_the_internet_reaches_them(tenant: Bench) -> None:
    tenant.sync()
    with tenant.staged() as staged:
        rows = {r["record_id"]: r for r in staged.rows("select * from stg_defender_cloud__cloud_resources")}
        containers = staged.rows("select * from stg_defender_cloud__cloud_resources_containers")
    # only what is a subscription says so, under the names Microsoft's graph has for it
    told = {r["record_id"].removeprefix("/subscriptions/"): json.loads(r["properties"] or "{}") for r in containers}
    named = {
        ident: p.get("subscriptionName") for ident, p in told.items() if p.get("hierarchyType") == "subscriptionid"
    }
    assert named == dict(records.visible_subscriptions(tenant.service.view))
    found = [r for r in tenant.estate.truth.cloud_resources() if r.provider == "azure"]
    assert {r.resource_id.lower(): r.internet_facing for r in found} == {
        n: r["is_internet_facing"] for n, r in rows.items()
    }
    one = rows[found[0].resource_id.lower()]
    assert (one["resource_type"], one["region"]) == ("microsoft.storage/storageaccounts", found[0].region)
    assert json.loads(one["properties"])["tags"] == {"environment": found[0].environment}


def test_relationships_lead_from_a_machine_over_its_identity_to_what_it_may_change(tenant: Bench) -> None:
    tenant.sync()
    view = tenant.service.view
    machine = next(d for d in records.azure_machines(view) if d.internet_facing and records.identity_of(view, d))
    assert machine.cloud is not None
    identity = view.truth.service_principal(Ref("managed_identity", machine.index)).object_id
    subscription = f"/subscriptions/{machine.cloud.account_id}"
    group = machine.cloud.resource_id.lower().rpartition("/providers/")[0]
    with tenant.staged() as staged:
        edges = {
            (r["relationship"], r["source_kind"], r["source_record"], r["target_kind"], r["target_record"]): r[
                "properties"
            ]
            for r in staged.rows("select * from stg_defender_cloud__relationships")
        }
        privileged = staged.one(
            f"select is_privileged, identity_type from stg_defender_cloud__identities where record_id = '{identity}'"
        )

    def name(value: str) -> str:
        return f"defender_cloud:defender_cloud:{value.lower()}"

    device, cloud = "device", "cloud_resource"
    role = edges["has role on", "identity", name(identity), cloud, name(subscription)]
    assert json.loads(role)["permissions"]["roles"][0]["name"] == "Contributor"
    assert privileged == (True, "managed_identity")
    assert ("can authenticate as", device, name(machine.cloud.resource_id), "identity", name(identity)) in edges
    assert ("contains", cloud, name(group), device, name(machine.cloud.resource_id)) in edges
    assert ("contains", cloud, name(subscription), cloud, name(group)) in edges
    managed = f"/providers/Microsoft.Management/managementGroups/{records.GROUP_NAME}"
    root = f"/providers/Microsoft.Management/managementGroups/{view.truth.tenant_id}"
    assert ("contains", cloud, name(managed), cloud, name(subscription)) in edges
    assert ("contains", cloud, name(root), cloud, name(managed)) in edges
    # a role over '/' is one over the root; that of somebody deleted leads nowhere
    inherited = name(records.inherited_principal(view, 0))
    assert ("has role on", "identity", inherited, cloud, name(root)) in edges
    assert not any(name(records.inherited_principal(view, 1)) in edge for edge in edges)


def test_sub_assessments_become_cves_of_their_machine(tenant: Bench) -> None:
    tenant.sync()
    view = tenant.service.view
    machine = next(
        d for d in records.azure_machines(view) if any(f.is_open for f in view.truth.findings(d.index, view.day))
    )
    assert machine.cloud is not None
    wanted = sorted(
        view.truth.cve_catalogue[f.cve].cve_id for f in view.truth.findings(machine.index, view.day) if f.is_open
    )
    record = f"defender_cloud:defender_cloud:{machine.cloud.resource_id.lower()}"
    with tenant.staged() as staged:
        rows = staged.rows(
            f"select * from stg_defender_cloud__findings_sub_assessments where asset_record = '{record}' order by cve_id"
        )
        assert [row["cve_id"] for row in rows] == wanted
        assert {row["asset_kind"] for row in rows} == {"device"}
        assert staged.one(
            "select max(cvss_score) <= 10 and min(cvss_score) > 0 from stg_defender_cloud__vulnerabilities"
        )


ARM = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/RG/providers"


def test_documented_shapes_of_assessments_are_understood(tenant: Bench) -> None:
    """PascalCase and camelCase keys, ids in any case, other clouds by either name, a legacy scanner's list of CVEs."""
    entity = f"{ARM}/Microsoft.Security/securityConnectors/c1/securityentitydata/aws-s3-bucket-x"
    check = "/providers/Microsoft.Security/assessments/25631aaa"

    def properties(details: dict[str, Any] | str | None, more: Any = None) -> dict[str, Any]:
        return {
            "displayName": "Public access",
            "status": {"code": "Unhealthy"},
            "metadata": {"severity": "High"},
            "resourceDetails": json.dumps(details) if isinstance(details, dict) else details,
            "additionalData": json.dumps(more) if more is not None else None,
        }

    machine = f"{ARM}/Microsoft.Compute/virtualMachines/VM1"
    nested = f"{ARM}/Microsoft.Sql/servers/s1/databases/d1"
    assessments = [
        {"id": f"{machine}{check}", "properties": properties({"source": "Azure", "id": machine.lower()})},
        {"id": f"{nested}{check}", "properties": properties({"Source": "Azure", "Id": nested})},
        {"id": f"{ARM}/Microsoft.Logic/workflows/w1{check}", "properties": properties("")},
        {
            "id": f"{entity}{check}",
            "properties": properties(
                {"Source": "AWS", "Id": entity, "ConnectorId": "8ce3"},
                {"HierarchyId": "123456789012", "Region": "eu-west-1", "ResourceProvider": "S3", "ResourceType": "Bucket",
                 "NativeCloudUniqueIdentifier": "arn:aws:s3:::x", "__Tags__": "{}"},
            ),
        },
        {"id": f"{entity.replace('aws-s3', 'none')}{check}", "properties": properties({"Source": "AWS", "Id": entity})},
    ]  # fmt: skip
    subs = [
        {
            "id": f"{machine.lower()}{check}/subassessments/1",
            "properties": {
                "id": "90043",
                "displayName": "Legacy scanner",
                "status": {"code": "Unhealthy", "severity": "Medium"},
                "additionalData": json.dumps(
                    {"cve": [{"title": "CVE-2024-1111"}, {"title": "cve-2024-2222"}], "patchable": False}
                ),
            },
        },
        {
            "id": f"{entity}{check}/subassessments/2",
            "properties": {
                "displayName": "No CVE",
                "timeGenerated": datetime(2026, 11, 20),
                "status": {"code": "Unhealthy", "severity": "Low"},
            },
        },
        {
            "id": f"{machine}{check}/subassessments/3",
            "properties": {"displayName": "CVE-2024-3333", "status": {"code": "NotApplicable", "severity": "High"}},
        },
    ]
    resources = [
        {"id": machine, "type": "microsoft.compute/virtualmachines", "name": "VM1", "tags": "", "properties": "{}"},
    ]
    given = {"assessments": assessments, "sub_assessments": subs, "resources": resources}
    with tenant.staged(given) as staged:
        assert staged.failing() == []
        findings = staged.rows("select asset_kind, asset_record, severity from stg_defender_cloud__findings")
        assert {(f["asset_kind"], f["asset_record"].rpartition(":")[2].rpartition("/")[2]) for f in findings} == {
            ("device", "vm1"),
            ("cloud_resource", "d1"),
            ("cloud_resource", "w1"),
            ("cloud_resource", "x"),
            # a resource that is told without its name at its own cloud
            ("cloud_resource", "none-bucket-x"),
        }
        types = staged.rows("select resource_type from stg_defender_cloud__cloud_resources_assessed order by 1")
        assert [t["resource_type"] for t in types] == ["microsoft.logic/workflows", "microsoft.sql/servers/databases"]
        bucket, nameless, account = staged.rows(
            "select * from stg_defender_cloud__cloud_resources_foreign order by is_container, native_id desc"
        )
        assert nameless["native_id"].endswith("/securityentitydata/none-bucket-x")
        assert (bucket["native_id"], bucket["resource_type"], bucket["account_id"]) == (
            "arn:aws:s3:::x",
            "s3/bucket",
            "123456789012",
        )
        assert (account["native_id"], account["is_container"]) == ("arn:aws:iam::123456789012:root", True)
        weak = staged.rows(
            "select cve_id, asset_kind from stg_defender_cloud__findings_sub_assessments order by 1 nulls last"
        )
        assert [(w["cve_id"], w["asset_kind"]) for w in weak] == [
            ("CVE-2024-1111", "device"),
            ("CVE-2024-2222", "device"),
            (None, "cloud_resource"),
        ]


def test_an_arc_machine_keeps_its_own_names(tenant: Bench) -> None:
    settings = {
        "vmId": "AAAAAAAA-0000-0000-0000-000000000001",
        "vmUuid": "BBBBBBBB-0000-0000-0000-000000000002",
        "displayName": "srv1",
        "dnsFqdn": "SRV1.corp.example",
        "status": "Disconnected",
        "lastStatusChange": "2026-10-01T02:03:04.5Z",
        "cloudMetadata": {"provider": "N/A"},
        "detectedProperties": {"manufacturer": "Dell Inc.", "model": "R640", "serialNumber": "ABC"},
    }
    shared = {
        "type": "UserAssigned",
        "userAssignedIdentities": {"/x/y": {"principalId": "CCCCCCCC-0000-0000-0000-000000000003", "clientId": "d"}},
    }
    row = {
        "id": f"{ARM}/Microsoft.HybridCompute/machines/srv1",
        "type": "microsoft.hybridcompute/machines",
        "name": "srv1",
        "identity": json.dumps(shared),
        "properties": json.dumps(settings),
    }
    with tenant.staged({"resources": [row]}) as staged:
        assert staged.failing() == []
        (found,) = staged.rows("select * from stg_defender_cloud__devices")
        assert (found["smbios_uuid"], found["cloud_instance_id"]) == ("bbbbbbbb-0000-0000-0000-000000000002", None)
        assert found["agent_ids"] == ["azure_arc=aaaaaaaa-0000-0000-0000-000000000001"]
        assert (found["fqdns"], found["serial_number"]) == (["srv1.corp.example"], "ABC")
        assert found["observed_at"] == datetime(2026, 10, 1, 2, 3, 4, 500000)
        assert (found["cloud_provider"], found["cloud_account_id"]) == (None, None)
        edge = staged.one(
            "select relationship, target_record from stg_defender_cloud__relationships where target_kind = 'identity'"
        )
        assert edge == ("can authenticate as", "defender_cloud:test:cccccccc-0000-0000-0000-000000000003")
