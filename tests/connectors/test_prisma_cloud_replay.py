"""Prisma Cloud against answers in the forms that were recorded or documented; every test is named after the trap it guards."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from connector_assets.kit.budgets import Allowance
from connector_assets.prisma_cloud.records import machine, moment, read_hosts, tagged
from demo_estate.kit import Response

from .microsoft import Bench, Staged, bench, holds, states

SUBSCRIPTION = "aa8f6595-0000-4444-8fd2-00000004efc3"
ARM = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/user-dev/providers/Microsoft.Compute/virtualMachines/user-win2-dev"
AZURE_VM: dict[str, Any] = {
    "accountId": SUBSCRIPTION,
    "accountName": "Azure Account",
    "alertStatus": {"critical": 0, "high": 0, "informational": 0, "low": 0, "medium": 1},
    "appNames": ["CSPM"],
    "assetType": "Azure Virtual Machine",
    "cloudType": "azure",
    "id": f"0d000c00-000b-42ab-99b0-8db0000000-{ARM}",
    "name": "user-win2-dev",
    "overallPassed": False,
    "regionId": "eastus",
    "regionName": "Azure East US",
    "rrn": f"rrn:azure:instance:eastus:{SUBSCRIPTION}:9f12:0d000c00-000b-42ab-99b0-8db0000000-{ARM.replace('/', '%2F')}",
    "scannedPolicies": [
        {"id": "p1", "name": "no SSH keys", "passed": False, "severity": "low", "labels": ["Attack Path Rule"]},
        {"id": "p2", "name": "disk is encrypted", "passed": True, "severity": "high", "labels": []},
        {"id": "p3", "name": "old rule", "passed": False, "severity": "informational"},
    ],
    "unifiedAssetId": "7fe00fbe0365d3bfd00e00cc8cf0a00e",
    "somethingNew": {"nested": [1, None]},
}
EC2: dict[str, Any] = {
    "id": "i-0e000e0000eb41c10",
    "name": "IS-39814 (Connectors)",
    "accountId": "111111111111",
    "accountName": "AWS Cloud Account",
    "regionId": "us-east-2",
    "cloudType": "aws",
    "rrn": "rrn:aws:instance:us-east-2:111111111111:2c40:i-0e000e0000eb41c10",
    "overallPassed": True,
    "vulnerabilityStatus": {"critical": 0, "high": 2, "medium": 0, "low": 0},
    "unifiedAssetId": "3f0aaa00cde5f8e2ddfc000d00c5ceb3",
    "assetType": "EC2 Instance",
}
GLOBAL: dict[str, Any] = {
    "id": "user-demo",
    "name": "user-demo",
    "accountId": "111111111111",
    "regionId": "",
    "regionName": "AWS Global",
    "cloudType": "aws",
    "rrn": "rrn:aws:iamCredentialReport::111111111111:cdef:user-demo",
    "unifiedAssetId": "00000b97aaa0000aab633ea0bd000c8a",
    "assetType": "AWS IAM Credential Report",
}
BUCKET: dict[str, Any] = {
    "id": "is-3xx75",
    "name": "is-3xx75",
    "accountId": "111111111111",
    "regionId": "eu-north-1",
    "cloudType": "aws",
    # an asset without a unified id
    "rrn": "rrn:aws:storageBucket:eu-north-1:111111111111:c7f9:is-3xx75",
    "assetType": "Amazon S3",
}
ALERT: dict[str, Any] = {
    "id": "N-3910",
    "status": "open",
    "reason": "NEW_ALERT",
    "firstSeen": 1694003441966,
    "lastSeen": "1694003441966",
    "alertTime": 1694003441966,
    "lastUpdated": 1694003441966,
    "policyId": "ad23603d-754e-4499-8988-b80000000898",
    "metadata": None,
    "policy": {
        "policyId": "ad23603d-754e-4499-8988-b80000000898",
        "name": "AWS EC2 instance that is internet reachable with unrestricted access (0.0.0.0/0)",
        "policyType": "network",
        "severity": "high",
        "recommendation": "Restrict it.",
        "labels": ["Prisma_Cloud"],
    },
    "history": [{"modifiedOn": "1694003441966", "modifiedBy": "a", "reason": "NEW_ALERT", "status": "OPEN"}],
    "resource": {
        "rrn": EC2["rrn"],
        "id": EC2["id"],
        "name": EC2["name"],
        "account": "AWS Cloud Account",
        "accountId": "111111111111",
        "regionId": "us-east-2",
        "resourceType": "INSTANCE",
        "resourceApiName": "aws-ec2-describe-instances",
        "cloudType": "aws",
        "data": None,
        "unifiedAssetId": EC2["unifiedAssetId"],
    },
}
HOST: dict[str, Any] = {
    "_id": "DESKTOP-6PQXXMS",
    "type": "host",
    "hostname": "DESKTOP-6PQXXMS",
    "cloudMetadata": {"accountID": "Non-onboarded cloud accounts", "provider": ["aws"], "region": "us-east-1"},
    "scanTime": "2026-11-20T11:48:41.803123456Z",
    "firstScanTime": "0001-01-01T00:00:00Z",
    "creationTime": "0001-01-01T00:00:00Z",
    "Secrets": [],
    "distro": "Microsoft Windows [Version 10.0.19045.2006]",
    "repoTag": None,
    "tags": None,
    "hosts": {},
    "instances": None,
    "riskFactors": {},
    "vulnerabilities": None,
    "hostDevices": [{"ip": "172.17.0.1", "name": "docker0"}, {"ip": "10.0.0.7", "name": "Ethernet"}],
    "agentless": False,
    "err": "",
}
WEAKNESS: dict[str, Any] = {
    "cve": "CVE-2024-11477",
    "cvss": "7.8",
    "severity": "important",
    "status": "fixed in 3.0.2-1",
    "packageName": "openssl",
    "packageVersion": "3.0.1",
    "discovered": "2026-11-01T04:01:49.951Z",
    "published": 1700000000,
    "fixDate": 0,
    "riskFactors": {"Has fix": {}, "Exploit exists - in the wild": {}},
    "exploit": "",
    "description": "x" * 5000,
}


@pytest.fixture
def tenant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr(Allowance, "pause", lambda self, seconds: None)
    with bench("prisma_cloud", tmp_path, monkeypatch, devices=20) as found:
        yield found


def replay(
    tenant: Bench,
    assets: tuple[Any, ...] = (),
    found: tuple[Any, ...] = (),
    alerts: tuple[Any, ...] = (),
    **lists: tuple[Any, ...],
) -> None:
    """Sync against these answers: found of the config search, hosts, images and containers as lists."""
    given: dict[str, Any] = {
        "/v2/resource/scan_info": {"resources": list(assets), "totalMatchedCount": len(assets)},
        "/search/api/v2/config": {"totalRows": str(len(found)), "items": list(found)},
        "/v2/alert": {"totalRows": len(alerts), "items": list(alerts)},
    }
    original = type(tenant.service)._serve

    def serve(service: Any, request: Any, matched: Any, key: str) -> Any:
        name = request.path.rpartition("/")[2]
        if request.path in given:
            return Response(given[request.path])
        if name in ("hosts", "images", "containers"):
            first = request.query["offset"] == "0"
            return Response(
                list(lists.get(name, ())) if first else None, 200, {"Total-Count": str(len(lists.get(name, ())))}
            )
        return original(service, request, matched, key)

    tenant.monkeypatch.setattr(type(tenant.service), "_serve", serve)
    options = {"config_apis": ("aws-ec2-describe-instances",), "closed_alerts": False, "criticality_tag": "Tier"}
    report = tenant.sync(**options)
    assert set(states(report).values()) == {"complete"}, [m.reason for m in report.streams]
    assert not any(m.rejected or m.field_issues for m in report.streams), [
        m.stream for m in report.streams if m.field_issues
    ]


def device(staged: Staged, where: str = "true") -> dict[str, Any]:
    (row,) = staged.rows(f"select * from stg_prisma_cloud__devices where {where}")
    return row


def test_an_azure_machines_name_starts_at_its_subscription_and_a_part_of_a_vm_id_is_none(tenant: Bench) -> None:
    replay(tenant, (AZURE_VM,))
    with tenant.staged() as staged:
        assert staged.failing() == []
        found = device(staged)
        assert (found["cloud_resource_id"], found["cloud_instance_id"]) == (ARM, None)
        assert found["authority"] == "create"


def test_a_whole_vm_id_before_an_azure_machines_name_is_its_instance(tenant: Bench) -> None:
    replay(tenant, ({**AZURE_VM, "id": f"8A7B6C5D-1111-4222-8333-944455556666-{ARM}"},))
    with tenant.staged() as staged:
        assert device(staged)["cloud_instance_id"] == "8a7b6c5d-1111-4222-8333-944455556666"


def test_an_azure_machine_without_an_id_is_known_by_its_encoded_resource_name(tenant: Bench) -> None:
    replay(tenant, ({**AZURE_VM, "id": None},))
    with tenant.staged() as staged:
        assert device(staged)["cloud_resource_id"] == ARM


def test_a_resource_name_that_cannot_be_decoded_stops_nothing(tenant: Bench) -> None:
    replay(
        tenant,
        ({**BUCKET, "id": None, "rrn": "rrn:aws:storageBucket:x:1:2:%E9%zz"}, {**BUCKET, "rrn": "odd", "id": ""}),
    )
    with tenant.staged() as staged:
        assert staged.failing() == []
        assert staged.one("select count(*) from stg_prisma_cloud__cloud_resources") == 2


def test_names_of_aws_follow_from_ids_and_an_empty_region_is_none(tenant: Bench) -> None:
    replay(
        tenant, (EC2, GLOBAL, BUCKET, {**BUCKET, "id": "vpc-1a2b", "name": "net", "rrn": "rrn:aws:vpc:x:1:2:vpc-1a2b"})
    )
    with tenant.staged() as staged:
        assert staged.failing() == []
        assert device(staged)["cloud_resource_id"] == f"arn:aws:ec2:us-east-2:111111111111:instance/{EC2['id']}"
        rows = staged.rows("select display_name, native_id, region from stg_prisma_cloud__cloud_resources order by 1")
        assert [tuple(row.values()) for row in rows] == [
            ("is-3xx75", "arn:aws:s3:::is-3xx75", "eu-north-1"),
            ("net", "arn:aws:ec2:eu-north-1:111111111111:vpc/vpc-1a2b", "eu-north-1"),
            ("user-demo", GLOBAL["rrn"], None),
        ]


def test_only_failed_policies_are_findings_and_none_that_an_alert_tells_of(tenant: Bench) -> None:
    told = {**ALERT, "policyId": "p1", "policy": {"policyId": "p1", "name": "no SSH keys", "severity": "low"}}
    about = {
        "rrn": AZURE_VM["rrn"],
        "id": AZURE_VM["id"],
        "cloudType": "azure",
        "unifiedAssetId": AZURE_VM["unifiedAssetId"],
    }
    replay(tenant, (AZURE_VM,), alerts=({**told, "resource": about},))
    with tenant.staged() as staged:
        assert staged.rows("select title, severity from stg_prisma_cloud__findings_policies") == [
            {"title": "old rule", "severity": "info"}
        ]
        assert staged.one("select count(*) from stg_prisma_cloud__findings_alerts") == 1


def test_dates_of_alerts_are_numbers_or_text_and_a_network_alert_says_that_the_internet_reaches_it(
    tenant: Bench,
) -> None:
    replay(tenant, (EC2,), alerts=(ALERT,))
    with tenant.staged() as staged:
        found = staged.rows("select first_seen, status, severity, asset_kind from stg_prisma_cloud__findings_alerts")
        assert [(row["first_seen"].year, row["status"], row["severity"], row["asset_kind"]) for row in found] == [
            (2023, "open", "high", "device")
        ]
        assert device(staged)["is_internet_facing"] is True


def test_an_alert_that_names_the_resource_alone_finds_the_asset_by_its_resource_name(tenant: Bench) -> None:
    resource = {name: value for name, value in ALERT["resource"].items() if name != "unifiedAssetId"}
    replay(tenant, (EC2,), alerts=({**ALERT, "resource": resource},))
    with tenant.staged() as staged:
        assert staged.one("select count(*) from stg_prisma_cloud__assets") == 1
        assert staged.one("select count(*) from stg_prisma_cloud__findings_alerts") == 1


def test_an_alert_about_what_the_inventory_does_not_list_keeps_its_asset_unless_it_says_that_it_is_gone(
    tenant: Bench,
) -> None:
    gone = {**ALERT, "id": "N-2", "status": "resolved", "reason": "RESOURCE_DELETED"}
    gone["resource"] = {
        **ALERT["resource"],
        "unifiedAssetId": "b" * 32,
        "rrn": "rrn:aws:instance:x:1:2:i-0b",
        "id": "i-0bbbbbbbb",
    }
    gone["history"] = [
        {"modifiedOn": 1694003441966, "status": "open"},
        {"modifiedOn": "1694003541966", "status": "resolved"},
    ]
    replay(tenant, alerts=(ALERT, gone))
    with tenant.staged() as staged:
        rows = staged.rows("select cloud_instance_id, state from stg_prisma_cloud__devices order by state")
        assert [tuple(row.values()) for row in rows] == [(EC2["id"], "active"), ("i-0bbbbbbbb", "retired")]
        fixed = staged.one("select fixed_at from stg_prisma_cloud__findings_alerts where status = 'fixed'")
        assert fixed.isoformat() == "2023-09-06T12:32:21.966000"


def test_what_the_search_tells_of_a_machine_joins_its_asset_and_its_tags_rate_it(tenant: Bench) -> None:
    item = {
        "rrn": EC2["rrn"],
        "assetId": "another-form-of-the-id",
        "id": EC2["id"],
        "accountId": "111111111111",
        "cloudType": "aws",
        "regionId": "us-east-2",
        "insertTs": "1694003441966",
        "deleted": False,
        "tags": [{"key": "tier", "value": "Mission-Critical"}, {"key": "Env", "value": "prod"}],
        "data": {
            "instanceId": EC2["id"],
            "privateDnsName": "ip-10-0-0-1.ec2.internal",
            "privateIpAddress": "10.0.0.1",
            "networkInterfaces": [
                {
                    "macAddress": "0A:00:00:00:00:01",
                    "privateIpAddress": "10.0.0.1",
                    "association": {"publicIp": "198.51.100.7"},
                }
            ],
            "userData": "c2VjcmV0",
        },
    }
    replay(tenant, (EC2,), found=(item,))
    with tenant.staged() as staged:
        assert staged.failing() == []
        row = device(staged)
        assert (row["criticality"], row["environment"]) == (0, "prod")
        assert row["mac_addresses"] == ["0A:00:00:00:00:01"]
        assert row["ip_addresses"] == ["10.0.0.1", "198.51.100.7"]
        assert row["cloud_instance_id"] == EC2["id"]


def test_a_host_in_no_known_account_with_zero_dates_and_nothing_found_only_adds_to_others(tenant: Bench) -> None:
    in_no_cloud = {**HOST, "_id": "srv-1", "hostname": "srv-1", "cloudMetadata": {"provider": "others"}}
    replay(tenant, hosts=(HOST, in_no_cloud))
    with tenant.staged() as staged:
        assert staged.failing() == []
        row, other = staged.rows("select * from stg_prisma_cloud__devices_hosts order by record_id")
        assert (other["record_id"], other["cloud_provider"]) == ("srv-1", None)
        assert (row["cloud_provider"], row["cloud_account_id"], row["authority"]) == ("aws", None, "update")
        assert (row["first_seen"], row["last_seen"].year, row["ip_addresses"]) == (None, 2026, ["10.0.0.7"])
        assert row["is_managed"] is True
        assert staged.one("select count(*) from stg_prisma_cloud__findings") == 0
        assert staged.one("select count(*) from stg_prisma_cloud__accounts") == 0


def test_the_forms_of_a_vulnerability_are_read_and_what_is_not_affected_is_no_finding(tenant: Bench) -> None:
    others = [
        {**WEAKNESS, "cve": "PRISMA-2021-0001", "severity": "moderate", "status": "open", "cvss": 0},
        {**WEAKNESS, "cve": "CVE-2020-1111", "status": "not affected"},
        {
            **WEAKNESS,
            "cve": "cve-2020-2222",
            "severity": "unimportant",
            "discovered": "0001-01-01T00:00:00Z",
            "exploit": ["cisa-kev"],
        },
        {**WEAKNESS, "cve": ""},
        # the same package in another place
        WEAKNESS,
    ]
    replay(tenant, hosts=({**HOST, "vulnerabilities": [WEAKNESS, *others]},))
    with tenant.staged() as staged:
        assert staged.failing() == []
        rows = staged.rows(
            "select title, cve_id, severity, first_seen, evidence from stg_prisma_cloud__findings order by 1"
        )
        assert [(row["title"], row["cve_id"], row["severity"]) for row in rows] == [
            ("CVE-2024-11477 in openssl", "CVE-2024-11477", "high"),
            ("PRISMA-2021-0001 in openssl", None, "medium"),
            ("cve-2020-2222 in openssl", "CVE-2020-2222", "info"),
        ]
        assert '"fixedVersion":"3.0.2-1"' in rows[0]["evidence"]
        assert '"cvssScore":7.8' in rows[0]["evidence"]
        assert rows[2]["first_seen"] is None
        known = staged.rows(
            "select cve_id, exploit_available, published_at from stg_prisma_cloud__vulnerabilities order by 1"
        )
        assert [(row["exploit_available"], row["published_at"].year) for row in known] == [(True, 2023), (True, 2023)]


TAG = {"registry": "docker.io", "repo": "library/nginx", "tag": "1.24"}


@pytest.mark.parametrize("tags", [{"repoTag": TAG, "tags": None}, {"repoTag": None, "tags": [TAG]}, {"tags": [TAG]}])
def test_an_image_names_its_tag_as_an_object_or_in_a_list(tenant: Bench, tags: dict[str, Any]) -> None:
    image = {
        "_id": "sha256:61",
        "hostname": "",
        "scanTime": "2026-11-20T00:00:00Z",
        "vulnerabilities": [WEAKNESS],
        **tags,
    }
    replay(tenant, images=(image,))
    with tenant.staged() as staged:
        (row,) = staged.rows(
            "select display_name, native_id, resource_type from stg_prisma_cloud__cloud_resources_images"
        )
        assert tuple(row.values()) == ("docker.io/library/nginx:1.24", "sha256:61", "container/image")
        assert staged.one("select asset_kind from stg_prisma_cloud__findings") == "cloud_resource"


def test_an_image_runs_on_the_host_of_that_name_and_on_none_where_two_bear_it(tenant: Bench) -> None:
    twins = tuple({**HOST, "_id": name, "hostname": "twin"} for name in ("one", "two"))
    seen = {"scanTime": "2026-11-20T00:00:00Z"}
    image = {
        "_id": "sha256:61",
        **seen,
        "instances": [{"host": "Twin"}, {"host": "desktop-6pqxxms"}],
        "hosts": {"gone": {}},
    }
    info = {"imageID": "sha256:61", "cluster": "demo", "namespace": "system", "cloudMetadata": {"provider": "gcp"}}
    containers = (
        {"_id": "a1", "hostname": HOST["hostname"], **seen, "info": info},
        {"_id": "a2", **seen, "info": None},
    )
    cluster = {
        **GLOBAL,
        "id": "demo",
        "name": "demo",
        "unifiedAssetId": "c" * 32,
        "assetType": "Google GKE Cluster",
        "rrn": "r",
    }
    replay(tenant, (cluster,), hosts=(HOST, *twins), images=(image,), containers=containers)
    with tenant.staged() as staged:
        assert staged.failing() == []
        rows = staged.rows(
            "select * from stg_prisma_cloud__relationships where source_kind = 'cloud_resource' order by relationship"
        )
        edges = [(row["relationship"], row["target_record"].split(":", 2)[2], row["properties"]) for row in rows]
        assert ("contains", "sha256:61", '{"namespaces":["system"]}') in edges
        assert [edge for edge in edges if edge[0] == "runs on"] == [
            ("runs on", "DESKTOP-6PQXXMS", '{"containers":1,"namespaces":["system"],"clusters":["demo"]}')
        ]


def test_the_least_that_a_record_may_hold_is_enough(tenant: Bench) -> None:
    replay(
        tenant,
        ({"rrn": "rrn:x"}, {"unifiedAssetId": "a" * 32, "scannedPolicies": None, "cloudType": None}),
        found=({"rrn": "rrn:y", "data": None, "tags": None},),
        alerts=({"id": "P-1", "resource": None, "history": None, "policy": None},),
        hosts=({"_id": "h"},),
        images=({"_id": "sha256:1"},),
        containers=({"_id": "c"},),
    )
    with tenant.staged() as staged:
        assert staged.failing() == []
        assert staged.one("select count(*) from stg_prisma_cloud__assets") == 3


#: A date as it may come, and as it is meant.
DATES: tuple[tuple[Any, Any], ...] = (
    ("2026-11-01T04:01:49.951Z", "2026-11-01T04:01:49.951000Z"),
    ("2026-11-01T06:01:49+02:00", "2026-11-01T04:01:49Z"),
    ("2026-11-01t04:01:49z", "2026-11-01T04:01:49Z"),
    ("2026-11-01", "2026-11-01T00:00:00Z"),
    ("Oct 31 2025", "2025-10-31T00:00:00Z"),
    (1694003441966, "2023-09-06T12:30:41.966000Z"),
    ("1694003441", "2023-09-06T12:30:41Z"),
    ("0001-01-01T00:00:00Z", None),
    ("", None),
    (0, None),
    (None, None),
    (True, None),
)


@pytest.mark.parametrize(("told", "meant"), [*DATES, ("soon", "soon"), (["soon"], ["soon"])])
def test_every_form_of_a_date_is_one(told: Any, meant: Any) -> None:
    assert moment(told) == meant


def test_every_form_of_a_date_is_one_in_a_weakness_and_in_the_history_of_an_alert(tenant: Bench) -> None:
    odd = [*(told for told, _ in DATES), "soon", ["2026-11-01"], 1e300, "infinity", "nan", -5, "9999999999999999"]
    meant = [said and datetime.fromisoformat(said).replace(tzinfo=None) for _, said in DATES]
    weaknesses = [
        {**WEAKNESS, "cve": f"CVE-2024-{number:05d}", **dict.fromkeys(("discovered", "published", "fixDate"), told)}
        for number, told in enumerate(odd)
    ]
    closed = [
        {
            **ALERT,
            "id": f"N-{number:05d}",
            "status": "resolved",
            "history": [{"modifiedOn": told, "status": "RESOLVED"}],
        }
        for number, told in enumerate(odd)
    ]
    replay(tenant, (EC2,), alerts=tuple(closed), hosts=({**HOST, "vulnerabilities": weaknesses},))
    with tenant.staged() as staged:
        assert staged.failing() == []
        found = staged.rows(
            "select discovered_at, published_at, fix_released_at from stg_prisma_cloud__weaknesses order by name"
        )
        assert [set(row.values()) for row in found] == [{moment} for moment in meant] + [{None}] * 7
        fixed = staged.rows("select fixed_at, last_seen from stg_prisma_cloud__findings_alerts order by record_id")
        # one that is none leaves the alert's own last update
        other = datetime(2023, 9, 6, 12, 30, 41, 966000)
        days = [None if told == "Oct 31 2025" else moment for (told, _), moment in zip(DATES, meant, strict=True)]
        assert [row["fixed_at"] for row in fixed] == [*(day or other for day in days), *[other] * 7]


EXPLOITS = [
    ({}, [], False),
    ({"riskFactors": {"Has fix": {}, "Exploit exists": {}}}, ["Has fix", "Exploit exists"], True),
    ({"riskFactors": ["DoS", "", None]}, ["DoS"], False),
    ({"riskFactors": "exploit exists - POC"}, ["exploit exists - POC"], True),
    ({"riskFactors": None, "exploit": ""}, [], False),
    ({"exploit": "poc"}, [], True),
    ({"exploit": ["", "cisa-kev"]}, [], True),
    ({"exploit": [""], "exploits": []}, [], False),
    ({"exploits": [{"source": "cisa-kev"}]}, [], True),
    ({"exploits": {"source": "x"}}, [], True),
    ({"exploits": [{}, None]}, [], False),
]


def test_an_exploit_is_told_by_a_risk_a_word_or_an_object_each_alone_or_in_a_list(tenant: Bench) -> None:
    bare = {name: value for name, value in WEAKNESS.items() if name not in ("riskFactors", "exploit")}
    given = [{**bare, "cve": f"CVE-2024-{number:05d}", **told} for number, (told, _, _) in enumerate(EXPLOITS)]
    replay(tenant, images=({"_id": "sha256:61", "vulnerabilities": given},))
    with tenant.staged() as staged:
        found = staged.rows("select risk_factors, has_exploit from stg_prisma_cloud__weaknesses order by name")
        assert [tuple(row.values()) for row in found] == [(risks, known) for _, risks, known in EXPLOITS]


def test_risks_that_earlier_versions_landed_as_lists_are_read_yet(tenant: Bench) -> None:
    weakness = {"cve": "CVE-2024-11477", "riskFactors": "[Has fix, 'Exploit exists, in the wild']"}
    with tenant.staged({"hosts": [{"_id": "h", "_record_id": "h", "vulnerabilities": [weakness]}]}) as staged:
        (row,) = staged.rows("select risk_factors, has_exploit from stg_prisma_cloud__weaknesses")
        assert tuple(row.values()) == (["Has fix", "Exploit exists, in the wild"], True)


@pytest.mark.parametrize("hosts", [{"Desktop-6PQXXMS": {}}, ["desktop-6pqxxms", ""], "DESKTOP-6PQXXMS"])
def test_an_image_names_its_hosts_in_a_map_a_list_or_alone(tenant: Bench, hosts: Any) -> None:
    replay(tenant, hosts=(HOST,), images=({"_id": "sha256:61", "hosts": hosts},))
    with tenant.staged() as staged:
        assert staged.one("select count(*) from stg_prisma_cloud__relationships where relationship = 'runs on'") == 1


def test_an_azure_machine_is_read_nested_and_flattened_alike(tenant: Bench) -> None:
    system = {"computerName": "vm1", "adminPassword": "never-land-this", "customData": "never-land-this"}
    cards = [
        {
            "ipConfigurations": [
                {
                    "privateIPAddress": "10.1.1.4",
                    "publicIpAddress": {"id": "/subscriptions/x", "ipAddress": "198.51.100.7"},
                },
                {"privateIpAddress": "/subscriptions/y"},
            ],
            "macAddress": "00-0D-3A-AA-BB-CC",
        }
    ]
    properties: dict[str, Any] = {
        "vmId": "8A7B6C5D-1111-4222-8333-944455556666",
        "osProfile": system,
        "networkProfile": {"networkInterfaces": cards},
        "storageProfile": {"osDisk": {"osType": "Linux"}},
        "hardwareProfile": {"vmSize": "Standard_D2"},
    }
    flat = {f"['properties.{name}']": value for name, value in properties.items()}
    item = {"cloudType": "azure", "resourceType": "Azure Virtual Machine", "deleted": False}
    found = (
        {**item, "assetId": "a" * 32, "data": {"properties": properties, "powerState": "running"}},
        {**item, "assetId": "b" * 32, "data": {**flat, "powerState": "running"}},
    )
    replay(tenant, found=found)
    with tenant.staged() as staged:
        assert staged.failing() == []
        one, other = (row["machine"] for row in staged.rows("select machine from stg_prisma_cloud__assets order by id"))
        assert one == other
        assert (one["id"], one["hostNames"], one["operatingSystem"]) == (properties["vmId"], ["vm1"], "Linux")
        assert (one["size"], one["state"]) == ("Standard_D2", "running")
        assert (one["ipAddresses"], one["publicIpAddresses"]) == (["10.1.1.4", "198.51.100.7"], ["198.51.100.7"])
        assert one["macAddresses"] == ["00-0D-3A-AA-BB-CC"]
    assert holds(tenant.home.root, "never-land-this") == []


def test_of_the_clouds_own_description_only_what_tells_a_machine_is_landed() -> None:
    data = {
        "instanceId": "i-1",
        "userData": "c2VjcmV0",
        "metadata": {"items": []},
        "properties": {"osProfile": {"x": 1}},
    }
    assert set(machine(data)) == {"instanceId", "vmId", "computerName", "osType", "vmSize", "cards"}


def test_tags_are_a_map_or_a_list_of_pairs_and_labels_of_a_host_are_two_lists() -> None:
    assert tagged({"Tier": "high"}, "tier") == tagged([{"key": "tier", "value": "high"}], "TIER") == "high"
    assert tagged({"Tier": "high"}, "") is tagged(None, "tier") is None
    host = {"_id": "a", "cloudMetadata": {"labels": None}, "externalLabels": [{"key": "tier", "value": "low"}]}
    read_hosts([host, "no record", None], "tier")
    assert host["criticality"] == "low"
