"""What staging makes of Cortex Cloud, and documented answers replayed over the same HTTP: names, nulls, kinds of assets."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from demo_estate.kit import Response

from .microsoft import Bench, bench, manifest, states

ACCOUNT = "123456789012"
DEVICES, RESOURCES = "stg_cortex_cloud__devices", "stg_cortex_cloud__cloud_resources"
EDGES, FINDINGS, ISSUES = (
    "stg_cortex_cloud__relationships",
    "stg_cortex_cloud__findings",
    "stg_cortex_cloud__findings_issues",
)


@pytest.fixture
def cortex(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with bench("cortex_cloud", tmp_path, monkeypatch, devices=200) as found:
        yield found


def asset(ident: str, **more: Any) -> dict[str, Any]:
    return {"id": ident, "provider": "AWS", "type_class": "Compute", "realm": ACCOUNT, **more}


def vm(ident: str, strong_id: str | None, **more: Any) -> dict[str, Any]:
    return asset(ident, strong_id=strong_id, type_id="EC2_INSTANCE", type_category="VM Instance", **more)


def later(found: Bench, hour: int) -> None:
    """The newest of two syncs of one moment would be the one with the greater random end."""
    found.monkeypatch.setenv("EXPOSURE_NOW", f"2026-11-23T{hour:02}:30:00Z")


def by_id(rows: list[dict[str, Any]], column: str, key: str = "record_id") -> dict[str, Any]:
    return {row[key]: row[column] for row in rows}


# the emulated vendor through the models ----------------------------------------------------------------------------


def test_the_models_hold_and_machines_carry_the_names_of_their_clouds(cortex: Bench) -> None:
    cortex.sync()
    with cortex.staged() as staged:
        assert staged.failing() == []
        assert staged.columns_differ() == []
        assert staged.one(f"select count(*) from {DEVICES}") > 20
        assert staged.one(f"select count(*) from {DEVICES} where cloud_resource_id is null") == 0
        instances = staged.rows(f"select cloud_instance_id as i from {DEVICES} where cloud_provider = 'aws'")
        assert instances
        assert all(row["i"].startswith("i-") for row in instances)
        assert staged.one(f"select count(distinct criticality) from {DEVICES}") > 1
        assert staged.one(f"select count(*) from {FINDINGS} where cve_id is not null and status = 'open'") > 0
        assert staged.one(f"select count(*) from {FINDINGS} where status <> 'open'") == 0
        assert staged.one(f"select count(*) from {ISSUES} where status = 'fixed' and fixed_at is not null") > 0
        assert 0 < staged.one("select max(epss_score) from stg_cortex_cloud__vulnerabilities") <= 1
        kinds = staged.rows(f"select distinct source_kind, target_kind from {EDGES} where relationship = 'contains'")
        assert {(row["source_kind"], row["target_kind"]) for row in kinds} == {
            ("cloud_resource", "device"),
            ("cloud_resource", "cloud_resource"),
        }


def test_every_asset_of_the_answer_key_is_a_record_and_identities_are_none(cortex: Bench) -> None:
    cortex.sync()
    answers = {(a.kind, a.record_id) for a in cortex.estate.answer_key().rows() if a.product == "cortex_cloud"}
    with cortex.staged() as staged:
        found = {("device", row["record_id"]) for row in staged.rows(f"select record_id from {DEVICES}")}
        found |= {("cloud_resource", row["record_id"]) for row in staged.rows(f"select record_id from {RESOURCES}")}
        assert found == answers
        assert staged.one("select count(*) from stg_cortex_cloud__assets where kind is null") > 0


def test_what_is_inactive_is_retired_and_in_no_account(cortex: Bench) -> None:
    cortex.sync("assets")
    with cortex.staged() as staged:
        gone = staged.one(f"select min(record_id) from {DEVICES}")
        edges = staged.one(f"select count(*) from {EDGES}")
    cortex.service.state["inactive"] = {gone}
    later(cortex, 7)
    cortex.sync("assets")
    with cortex.staged() as staged:
        assert staged.rows(f"select record_id from {DEVICES} where state = 'retired'") == [{"record_id": gone}]
        assert staged.one(f"select count(*) from {EDGES}") == edges - 1


def test_criticality_is_taken_from_tags_and_not_where_that_is_not_wished(cortex: Bench) -> None:
    cortex.sync("assets")
    with cortex.staged() as staged:
        assert staged.one("select count(criticality) from stg_cortex_cloud__assets where provider = 'azure'") > 0
        assert staged.one("select count(criticality) from stg_cortex_cloud__assets where provider <> 'azure'") == 0
    later(cortex, 7)
    cortex.sync("assets", tag_criticality=False)
    with cortex.staged() as staged:
        assert staged.one("select count(criticality) from stg_cortex_cloud__assets") == 0
    later(cortex, 8)
    cortex.sync("assets", criticality_tags=["ENV"])
    with cortex.staged() as staged:
        told = staged.rows(
            "select distinct told_criticality as t from landed.cortex_cloud__assets where tags is not null"
        )
        assert {row["t"] for row in told} == {"production", "test", "development"}


# names and kinds ---------------------------------------------------------------------------------------------------


def test_a_bare_id_of_a_machine_becomes_its_full_name_and_one_without_its_parts_makes_no_asset(cortex: Bench) -> None:
    rows = [
        vm("a", "i-0123456789abcdef0", cloud_region="eu-west-1b"),
        vm("b", "i-0123456789abcdef1", cloud_region="us-gov-west-1", realm="mg-root", cloud_account_id=ACCOUNT),
        vm("c", "i-0123456789abcdef2"),
        vm("d", None),
    ]
    with cortex.staged({"assets": rows}) as staged:
        found = staged.rows(f"select * from {DEVICES}")
    assert by_id(found, "cloud_resource_id") == {
        "a": f"arn:aws:ec2:eu-west-1:{ACCOUNT}:instance/i-0123456789abcdef0",
        "b": f"arn:aws-us-gov:ec2:us-gov-west-1:{ACCOUNT}:instance/i-0123456789abcdef1",
        "c": None,
        "d": None,
    }
    assert by_id(found, "authority") == {"a": "create", "b": "create", "c": "create", "d": "update"}
    assert by_id(found, "cloud_account_id") == {"a": ACCOUNT, "b": ACCOUNT, "c": ACCOUNT, "d": ACCOUNT}
    assert all(row["hostnames"] == [] for row in found)


def test_a_bare_name_never_joins_resources_of_two_accounts(cortex: Bench) -> None:
    def function(ident: str, realm: str) -> dict[str, Any]:
        return asset(
            ident, strong_id="send-mail", type_id="LAMBDA_FUNCTION", type_category="Serverless Function", realm=realm
        )

    rows = [
        function("a", ACCOUNT),
        function("b", "999999999999"),
        asset(
            "c",
            strong_id="logs-of-ours",
            type_id="S3_BUCKET",
            type_category="Storage Bucket",
            cloud_region="cn-north-1",
        ),
        asset("d", strong_id="arn:aws:kms:eu-west-1:1:key/k", type_id="KMS_KEY", type_category="Key"),
    ]
    with cortex.staged({"assets": rows}) as staged:
        found = by_id(staged.rows(f"select record_id, native_id from {RESOURCES}"), "native_id")
    assert found == {"a": "a", "b": "b", "c": "arn:aws-cn:s3:::logs-of-ours", "d": "arn:aws:kms:eu-west-1:1:key/k"}


def test_accounts_without_an_id_are_not_one_account(cortex: Bench) -> None:
    def account(ident: str, **more: Any) -> dict[str, Any]:
        return {"id": ident, "provider": "AZURE", "type_id": "AZURE_SUBSCRIPTION", "realm": "mg-root", **more}

    told = "/subscriptions/8a7b6c5d-1111-4222-8333-944455556666"
    rows = [account("a"), account("b"), account("c", strong_id=told), {**account("d"), "provider": "AWS"}]
    rows[3] |= {"type_id": None, "type_name": "AWS Account", "strong_id": ACCOUNT}
    with cortex.staged({"assets": rows}) as staged:
        found = by_id(staged.rows(f"select record_id, native_id from {RESOURCES}"), "native_id")
    assert found == {"a": "a", "b": "b", "c": told, "d": f"arn:aws:iam::{ACCOUNT}:root"}


def test_names_of_azure_and_google_are_taken_in_the_forms_they_have(cortex: Bench) -> None:
    subscription = "8a7b6c5d-1111-4222-8333-944455556666"
    arm = f"/subscriptions/{subscription}/resourceGroups/RG/providers/Microsoft.Compute/virtualMachines/vm-a"
    link = "https://www.googleapis.com/compute/v1/projects/our-data/zones/europe-west1-b/instances/vm-b"
    rows = [
        {
            "id": "a",
            "provider": "AZURE",
            "strong_id": arm,
            "type_category": "VM Instance",
            "name": "vm-a",
            "realm": subscription,
        },
        {
            "id": "b",
            "provider": "GCP",
            "strong_id": link,
            "type_category": "VM Instance",
            "name": "vm-b",
            "realm": "our-data",
        },
        {
            "id": "c",
            "provider": "AZURE",
            "strong_id": f"/subscriptions/{subscription}/resourceGroups/rg",
            "type_id": "AZURE_RESOURCE_GROUP",
            "realm": "mg-root",
        },
        {
            "id": "d",
            "provider": "AZURE",
            "strong_id": subscription,
            "type_name": "Azure Subscription",
            "realm": subscription,
        },
    ]
    rows[1]["external_provider_id"] = "4567890123456789012"
    with cortex.staged({"assets": rows}) as staged:
        devices = staged.rows(f"select * from {DEVICES}")
        resources = staged.rows(f"select * from {RESOURCES}")
        edges = staged.rows(f"select source_record, target_record from {EDGES}")
    assert by_id(devices, "cloud_resource_id") == {
        "a": arm,
        "b": "//compute.googleapis.com/projects/our-data/zones/europe-west1-b/instances/vm-b",
    }
    assert by_id(devices, "cloud_instance_id") == {"a": None, "b": "4567890123456789012"}
    assert by_id(devices, "hostnames") == {"a": ["vm-a"], "b": ["vm-b"]}
    assert by_id(resources, "native_id")["d"] == f"/subscriptions/{subscription}"
    assert by_id(resources, "is_container") == {"c": True, "d": True}
    assert by_id(resources, "resource_type")["c"] == "microsoft.resources/subscriptions/resourcegroups"
    assert {(e["source_record"][-1], e["target_record"][-1]) for e in edges} == {("c", "a")}


def test_only_machines_and_resources_of_clouds_are_assets(cortex: Bench) -> None:
    rows = [
        asset("role", type_class="Identity", type_category="Cloud Identity"),
        asset("repository", type_class="Code", provider="GITHUB", type_category="Repository"),
        asset("package", type_class="Software", type_category="Software Package"),
        asset("service", type_class="External Surface", type_category="Service", provider="ON_PREM"),
        asset("image", type_category="Container Image", provider="DOCKER_HUB", strong_id="app@sha256:00"),
        asset("laptop", type_category="Device", provider="ON_PREM", realm="Other", name="LAP-1.corp.example"),
    ]
    with cortex.staged({"assets": rows}) as staged:
        found = staged.rows("select id, kind from stg_cortex_cloud__assets")
        device = staged.rows(f"select * from {DEVICES}")[0]
    assert {row["id"]: row["kind"] for row in found} == {
        "role": None,
        "repository": None,
        "package": None,
        "service": None,
        "image": "cloud_resource",
        "laptop": "device",
    }
    # a name alone makes no machine: it only adds to one that others know
    assert (device["authority"], device["cloud_provider"], device["hostnames"]) == ("update", None, ["LAP-1"])
    assert device["fqdns"] == ["lap-1.corp.example"]


@pytest.mark.parametrize(
    ("tags", "environment"),
    [
        ([{"key": "Env", "value": "prod"}], "prod"),
        ([{"Key": "environment", "Value": "prod"}], "prod"),
        ({"env": "prod"}, "prod"),
        (["env:prod"], "prod"),
        ("no JSON at all", None),
        (None, None),
    ],
)
def test_tags_come_in_many_forms_and_none_breaks_the_models(cortex: Bench, tags: Any, environment: str | None) -> None:
    told = tags if isinstance(tags, str) or tags is None else json.dumps(tags)
    rows = [asset("a", tags=told, related_issues_issues_breakdown="3 high", type_category="Database")]
    with cortex.staged({"assets": rows}) as staged:
        assert staged.failing() == []
        assert staged.one("select environment from stg_cortex_cloud__assets") == environment
        assert json.loads(staged.one(f"select properties from {RESOURCES}"))["cortexCloudAssetInfo"]["id"] == "a"


@pytest.mark.parametrize(
    ("word", "level"),
    [("Critical", 0), ("tier 0", 0), ("HIGH", 1), ("business-critical", 1), ("2", 2), ("low", 3), ("rather", None)],
)
def test_words_for_criticality_are_read_by_the_rule_on_the_page(cortex: Bench, word: str, level: int | None) -> None:
    with cortex.staged({"assets": [asset("a", told_criticality=word)]}) as staged:
        assert staged.one("select criticality from stg_cortex_cloud__assets") == level


# findings and issues -----------------------------------------------------------------------------------------------


def finding(ident: str, **more: Any) -> dict[str, Any]:
    return {"_record_id": ident, "platform_id": ident, "asset_id": "m", "cve_id": "CVE-2026-0001", **more}


def test_a_finding_carries_package_fix_and_exploitation(cortex: Bench) -> None:
    rows = [
        finding(
            "f",
            cve_id="cve-2026-0001",
            cvss_severity="SEV_060_HIGH",
            affected_software=["openssl"],
            package_version="3.0.1",
            fix_versions=["3.0.2", "3.1.0"],
            fix_available=True,
            has_kev=True,
        ),
        finding("g", cve_id="GHSA-xxxx", cvss_severity="UNKNOWN", exploit_level="NONE", exploitable=False),
    ]
    with cortex.staged({"assets": [vm("m", "i-0123456789abcdef0")], "vulnerability_findings": rows}) as staged:
        first, second = staged.rows(f"select * from {FINDINGS} order by record_id")
        known = staged.rows("select * from stg_cortex_cloud__vulnerabilities")
    told = json.loads(first["evidence"])
    assert (first["cve_id"], first["severity"], first["asset_kind"]) == ("CVE-2026-0001", "high", "device")
    assert (told["software"], told["version"], told["fixedVersion"]) == ("openssl", "3.0.1", "3.0.2, 3.1.0")
    assert (told["fixAvailable"], told["hasCisaKevExploit"]) == (True, True)
    assert (second["cve_id"], second["title"], second["severity"]) == (None, "GHSA-xxxx", "info")
    assert [(row["cve_id"], row["severity"], row["exploit_available"]) for row in known] == [
        ("CVE-2026-0001", "high", True)
    ]


def test_a_finding_on_an_asset_the_inventory_does_not_list_keeps_its_asset(cortex: Bench) -> None:
    more = {
        "asset_type": "EC2_INSTANCE",
        "asset_category": "VM Instance",
        "provider": "AWS",
        "operating_system": "Ubuntu",
    }
    rows = [finding("f", last_observed="2026-11-20", **more), finding("g", **more)]
    with cortex.staged({"assets": [], "vulnerability_findings": rows}) as staged:
        device = staged.rows(f"select * from {DEVICES}")
        assert [(row["record_id"], row["authority"], row["os_platform"]) for row in device] == [
            ("m", "update", "Ubuntu")
        ]
        assert staged.one(f"select count(*) from {FINDINGS} where asset_record = 'cortex_cloud:test:m'") == 2


def test_an_issue_on_two_assets_is_two_findings_and_an_alert_is_none(cortex: Bench) -> None:
    rows = [
        {
            "id": "1",
            "name": "Open to all",
            "domain": "POSTURE",
            "severity": "HIGH",
            "asset_ids": ["m", "b", "m", "unknown"],
        },
        {"id": "2", "name": "Malware", "domain": "SECURITY", "severity": "HIGH", "asset_ids": ["m"]},
        {
            "id": "3",
            "name": "CVE-2026-0002 in curl",
            "category": "VULNERABILITY",
            "asset_ids": ["m"],
            "is_excepted": True,
        },
        {"id": "4", "name": "Nothing known of it", "asset_ids": None},
    ]
    assets = [vm("m", "i-0123456789abcdef0"), asset("b", type_id="S3_BUCKET", strong_id="b")]
    with cortex.staged({"assets": assets, "issues": rows}) as staged:
        assert staged.failing() == []
        found = staged.rows(f"select record_id, asset_kind, cve_id, status from {ISSUES} order by record_id")
    assert [tuple(row.values()) for row in found] == [
        ("1|b", "cloud_resource", None, "open"),
        ("1|m", "device", None, "open"),
        ("3|m", "device", "CVE-2026-0002", "open"),
    ]


# documented answers, replayed --------------------------------------------------------------------------------------

#: A device as the tenant's own tools show one: without a name, its address for an id, counts without their prefix.
ON_PREMISES: Mapping[str, Any] = {
    "issues_breakdown": {"critical": 0, "high": 0, "low": 0, "medium": 0},
    "xdm.asset.first_observed": 1747834085000,
    "xdm.asset.cloud.region": None,
    "xdm.asset.last_observed": 1795000000000,
    "issues_critical": 0,
    "xdm.asset.strong_id": "172.16.33.51",
    "xdm.asset.type.category": "Device",
    "xdm.asset.name": None,
    "xdm.asset.type.name": "Generic Device",
    "xdm.asset.provider": "ON_PREM",
    "xdm.asset.type.class": "Compute",
    "xdm.asset.id": "ff" * 32,
    "xdm.asset.type.id": "GENERIC_DEVICE",
    "xdm.asset.group_ids": [],
    "xdm.asset.realm": "Other",
    "xdm.host.ipv4_addresses": ["172.16.33.51"],
    "xdm.asset.of_tomorrow": {"nested": [1]},
}
#: The same names as objects in objects, and hardly any of them.
NESTED: Mapping[str, Any] = {
    "xdm": {
        "asset": {
            "id": "ee" * 32,
            "strong_id": "i-0d5e8c751a2249637",
            "name": "ip-10-0-1-105.eu-west-3.compute.internal",
            "type": {"id": "EC2_INSTANCE", "category": "VM Instance"},
            "cloud": {"region": "eu-west-3", "account": {"id": ACCOUNT}},
            "provider": "AWS",
        }
    }
}
#: A finding on a service of the external surface, with the nulls of one that no scanner of packages made.
ON_A_SERVICE: Mapping[str, Any] = {
    "cortex_vulnerability_risk_score": None,
    "asset_name": "SNMP Server at 203.0.113.9:161",
    "cve_id": "CVE-2025-20169",
    "epss_score": 0.00368,
    "cvss_score": 7.7,
    "cvss_severity": "HIGH",
    "fix_versions": [],
    "fix_date": None,
    "published_date": 1738713600000,
    "affected_software": None,
    "has_kev": None,
    "exploitable": False,
    "exploit_level": "NONE",
    "asset_type": "SERVICE",
    "asset_category": "Service",
    "asset_type_class": "External Surface",
    "ipv4_addresses": ["203.0.113.9"],
    "operating_system": None,
    "internet_exposed": True,
    "provider": "ON_PREM",
    "finding_sources": ["CORTEX_ATTACK_SURFACE_MANAGEMENT"],
    "first_observed": 1764890719158,
    "last_observed": 1795000000000,
    "package_licenses": [],
    "platform_id": "c273519c3b61adfb7dc46547fbcbfa32",
    "asset_id": "dd" * 32,
    "type_id": "140000000",
    "issue_id": None,
}


def replay(cortex: Bench, *answers: Any) -> None:
    cortex.service.state["answers"] = list(answers)


def test_documented_assets_are_read_with_literal_and_with_nested_names(cortex: Bench) -> None:
    counts = {"filter_count": 3, "total_count": 10_500}
    bare = {"xdm.asset.id": "cc" * 32}
    replay(cortex, {"reply": {"data": [ON_PREMISES, NESTED, bare], "metadata": counts, "of_tomorrow": True}})
    found = manifest(cortex.sync("assets"), "assets")
    assert (found.state, found.records, found.field_issues) == ("complete", 3, 0)
    with cortex.staged() as staged:
        assert staged.failing() == []
        devices = {row["record_id"][:2]: row for row in staged.rows(f"select * from {DEVICES}")}
        assert staged.one("select kind from stg_cortex_cloud__assets where starts_with(id, 'cc')") is None
    assert set(devices) == {"ff", "ee"}
    assert devices["ee"]["cloud_resource_id"] == f"arn:aws:ec2:eu-west-3:{ACCOUNT}:instance/i-0d5e8c751a2249637"
    assert (devices["ff"]["authority"], devices["ff"]["hostnames"]) == ("update", [])
    assert devices["ff"]["ip_addresses"] == ["172.16.33.51"]
    assert devices["ff"]["display_name"] == "172.16.33.51"


def test_documented_findings_of_the_search_are_read_and_what_is_no_asset_has_none(cortex: Bench) -> None:
    on_a_machine = {
        "platform_id": "a" * 32,
        "asset_id": "ee" * 32,
        "cve_id": "CVE-2024-11477",
        "asset_category": "VM Instance",
        "asset_type": "EC2_INSTANCE",
        "provider": "AWS",
        "affected_software": "7-zip",
        "of_tomorrow": {},
    }
    page = {"data": [ON_A_SERVICE, on_a_machine], "filter_count": 2, "total_count": 10_500, "next_page_token": None}
    replay(cortex, {"reply": page})
    report = cortex.sync("vulnerability_findings", findings_source="search")
    found = manifest(report, "vulnerability_findings")
    assert (found.state, found.records, found.field_issues) == ("complete", 2, 0)
    with cortex.staged() as staged:
        assert staged.failing() == []
        assert [row["cve_id"] for row in staged.rows(f"select cve_id from {FINDINGS}")] == ["CVE-2024-11477"]
        known = staged.rows("select * from stg_cortex_cloud__vulnerabilities where cve_id = 'CVE-2025-20169'")[0]
    assert (known["cvss_score"], known["epss_score"], known["exploit_available"]) == (7.7, 0.00368, False)
    assert str(known["published_at"]) == "2025-02-05 00:00:00"


def test_a_documented_issue_with_nested_and_with_literal_names_is_one(cortex: Bench) -> None:
    literal = {
        "id": 17,
        "name": "A",
        "status.progress": "RESOLVED",
        "detection.method": "CSPM_SCANNER",
        "asset_ids": "aa",
    }
    nested = {
        "id": 18,
        "name": "B",
        "status": {"progress": "Resolved"},
        "detection": {"method": "X"},
        "severity": "LOW",
    }
    replay(cortex, {"reply": {"DATA": [literal, nested], "TOTAL_COUNT": 2, "FILTER_COUNT": 2}})
    report = cortex.sync("issues")
    assert states(report) == {"issues": "complete"}
    with cortex.staged() as staged:
        columns = "id, status_progress, detection_method, asset_ids"
        rows = staged.rows(f"select {columns} from landed.cortex_cloud__issues order by id")
    assert [tuple(row.values()) for row in rows] == [
        ("17", "RESOLVED", "CSPM_SCANNER", ["aa"]),
        ("18", "Resolved", "X", None),
    ]


def test_records_that_are_no_objects_go_to_quarantine(cortex: Bench) -> None:
    replay(cortex, {"reply": {"data": [NESTED, "not an asset", None], "metadata": {"filter_count": 3}}})
    found = manifest(cortex.sync("assets"), "assets")
    assert (found.state, found.records, found.rejected) == ("partial", 1, 2)


def test_a_documented_refusal_is_told_in_its_own_words(cortex: Bench) -> None:
    body = {"reply": {"err_code": 401, "err_msg": "Unauthorized - missing or invalid API key", "err_extra": None}}
    replay(cortex, Response(body, 401))
    report = cortex.sync("assets")
    assert "missing or invalid API key" in (manifest(report, "assets").reason or "")
