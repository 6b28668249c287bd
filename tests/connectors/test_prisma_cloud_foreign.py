"""Prisma Cloud by its base address alone: forms of the wire, lists of a recording, and what any place may hold instead.

Every test is named after the trap it guards. The recorded records are those of test_prisma_cloud_replay.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from connector_assets.kit.budgets import Allowance

from .microsoft import manifest, states
from .replay import WIRES, Answer, Asked, Case, Route, foreign, misread, mutants, suffers, varied
from .test_prisma_cloud_replay import ALERT, EC2, HOST, WEAKNESS

OPTIONS: Mapping[str, Any] = {
    "access_key_id": "k",
    "config_apis": ("aws-ec2-describe-instances",),
    "closed_alerts": False,
}
NUMBER = "right(record_id, 5)"
VM_ID = "8a7b6c5d-1111-4222-8333-944455556666"
CONFIGURATION: dict[str, Any] = {
    "rrn": EC2["rrn"],
    "assetId": EC2["unifiedAssetId"],
    "id": EC2["id"],
    "name": EC2["name"],
    "accountId": "111111111111",
    "accountName": "AWS Cloud Account",
    "cloudType": "aws",
    "regionId": "us-east-2",
    "regionName": "AWS Ohio",
    "service": "Amazon EC2",
    "resourceType": "INSTANCE",
    "insertTs": 1794000000000,
    "createdTs": 1694003441966,
    "deleted": False,
    "tags": {"Env": "prod", "Name": "x"},
    "data": {
        "instanceId": EC2["id"],
        "privateDnsName": "ip-10-0-0-1.ec2.internal",
        "privateIpAddress": "10.0.0.1",
        "vpcId": "vpc-1a2b",
        "networkInterfaces": [
            {"macAddress": "0A:00:00:00:00:01", "association": {"publicIp": "198.51.100.7"}, "privateIpAddress": ""}
        ],
        "platformDetails": "Linux/UNIX",
    },
    "of_tomorrow": [1],
}
MACHINE: dict[str, Any] = {
    **HOST,
    "_id": "ip-10-0-0-1.us-east-2.compute.internal",
    "hostname": "ip-10-0-0-1.us-east-2.compute.internal",
    "cloudMetadata": {
        "accountID": "111111111111",
        "provider": "aws",
        "region": "us-east-2",
        "vmID": "i-0e000e0000eb41c10",
        "resourceID": "i-0e000e0000eb41c10",
        "type": "t3.large",
        "name": "x",
        "labels": [{"key": "env", "value": "prod", "sourceType": "aws", "sourceName": "111111111111"}],
    },
    "osDistro": "amzn",
    "osDistroVersion": "2",
    "distro": "Amazon Linux 2",
    "collections": ["All"],
    "clusters": ["c-1"],
    "vulnerabilities": [WEAKNESS],
    "vulnerabilityDistribution": {"critical": 0, "high": 1, "total": 1},
    "firstScanTime": "2026-10-01T11:48:41Z",
}
IMAGE: dict[str, Any] = {
    "_id": "sha256:8d8a5e0b0000000000000000000000000000000000000000000000000000",
    "type": "image",
    "hostname": "",
    "scanTime": "2026-11-20T11:48:41.803Z",
    "distro": "Alpine Linux v3.19",
    "osDistro": "alpine",
    "repoTag": {"registry": "registry.example", "repo": "app", "tag": "1.0"},
    "tags": [{"registry": "registry.example", "repo": "app", "tag": "1.0"}],
    "repoDigests": ["app@sha256:00"],
    "instances": [{"image": "registry.example/app:1.0", "host": MACHINE["_id"], "modified": "2026-11-20T11:48:41Z"}],
    "hosts": {MACHINE["_id"]: {"modified": "2026-11-20T11:48:41Z"}},
    "cloudMetadata": {"accountID": "111111111111", "provider": "aws", "region": "us-east-2"},
    "namespaces": ["default"],
    "clusters": ["c-1"],
    "vulnerabilities": [WEAKNESS],
    "vulnerabilitiesCount": 1,
    "creationTime": "2026-09-01T00:00:00Z",
}
CONTAINER: dict[str, Any] = {
    "_id": "c0ffee",
    "hostname": MACHINE["_id"],
    "scanTime": "2026-11-20T11:48:41.803Z",
    "info": {
        "name": "/app",
        "id": "c0ffee",
        "image": "registry.example/app:1.0",
        "imageID": IMAGE["_id"],
        "imageName": "registry.example/app:1.0",
        "cluster": "c-1",
        "namespace": "default",
        "startTime": "2026-11-01T00:00:00Z",
        "cloudMetadata": {"provider": "aws", "accountID": "111111111111"},
    },
}


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Allowance, "pause", lambda self, seconds: None)


def estate(**given: Any) -> list[Route]:
    """Both interfaces; records by stream."""
    records = {
        "assets": [EC2],
        "configurations": [CONFIGURATION],
        "alerts": [ALERT],
        "hosts": [MACHINE],
        "images": [IMAGE],
        "containers": [CONTAINER],
        **given,
    }

    def listed(name: str) -> Any:
        def answer(asked: Asked) -> Answer:
            first = asked.query["offset"] == "0"
            return Answer(records[name] if first else None, headers={"Total-Count": str(len(records[name]))})

        return answer

    total = {name: len(found) for name, found in records.items()}
    token = {"token": "a-token", "message": "login_successful", "customerNames": [{"customerName": "x"}]}
    return [
        ("POST /login", token),
        ("POST /v2/resource/scan_info", {"resources": records["assets"], "totalMatchedCount": total["assets"]}),
        ("POST /search/api/v2/config", {"totalRows": total["configurations"], "items": records["configurations"]}),
        ("POST /v2/alert", {"totalRows": total["alerts"], "items": records["alerts"], "nextPageToken": None}),
        ("GET /meta_info", lambda asked: {"twistlockUrl": f"{asked.base}/us-1"}),
        ("POST /us-1/api/v1/authenticate", {"token": "another-token"}),
        *((f"GET /us-1/api/v1/{name}", listed(name)) for name in ("hosts", "images", "containers")),
    ]


@pytest.mark.parametrize("wire", WIRES)
def test_the_answer_is_the_same_in_every_form_of_the_wire(
    wire: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with foreign("prisma_cloud", estate(), tmp_path, monkeypatch, wire=wire, **OPTIONS) as prisma:
        report = prisma.sync()
        assert set(states(report).values()) == {"complete"}
        assert [m.records for m in report.streams] == [1] * len(report.streams)
        assert not any(m.rejected or m.field_issues for m in report.streams)


def renamed_asset(record: Any, number: str) -> None:
    for name in ("unifiedAssetId", "assetId"):
        if record.get(name):
            record[name] = number.zfill(32)
    if record.get("rrn"):
        record["rrn"] = f"rrn:aws:instance:us-east-2:111111111111:2c40:i-0e000e000{number}"


def renamed_alert(record: Any, number: str) -> None:
    record["id"] = f"N-{number}"


def renamed_scan(record: Any, number: str) -> None:
    record["_id"] = record["_id"][:-5] + number


@pytest.mark.parametrize(
    ("stream", "sample", "rename", "kept", "model"),
    [
        ("assets", EC2, renamed_asset, ["unifiedAssetId", "assetType"], "devices"),
        ("configurations", CONFIGURATION, renamed_asset, ["assetId"], "devices"),
        ("alerts", ALERT, renamed_alert, ["id", "resource.unifiedAssetId"], "findings_alerts"),
        ("hosts", MACHINE, renamed_scan, ["_id"], "devices_hosts"),
        ("images", IMAGE, renamed_scan, ["_id"], "cloud_resources_images"),
        ("containers", CONTAINER, renamed_scan, ["_id"], ""),
    ],
)
def test_no_place_of_a_record_is_needed_but_its_id(
    stream: str, sample: Any, rename: Any, kept: list[str], model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = mutants(sample, rename, keep=kept)
    with foreign(
        "prisma_cloud", estate(**{stream: [m.record for m in given]}), tmp_path, monkeypatch, **OPTIONS
    ) as prisma:
        report = prisma.sync()
        found = manifest(report, stream)
        assert (found.state, found.records, found.rejected) == ("complete", len(given), 0)
        with prisma.staged() as staged:
            assert staged.failing() == []
            if model:
                assert suffers(given, staged, f"stg_prisma_cloud__{model}", NUMBER) == []


CASES = [
    Case({"tags": {"ENVIRONMENT": "test", "env": ""}}, "environment", "test"),
    Case({"tags": [{"key": "ENV", "value": "test"}]}, "environment", "test"),
    Case({"tags": None}, "environment", None),
    Case({"data": None}, "ip_addresses", []),
    Case({"insertTs": "2026-11-20T11:48:41Z"}, "state", "active"),
    # one of a scale set has a number in it as well
    Case(
        {"cloudType": "azure", "data": {"instanceId": "0", "properties": {"vmId": VM_ID}}}, "cloud_instance_id", VM_ID
    ),
]


GOOGLE = {"provider": "gcp", "accountID": "shop-1", "vmID": ""}
LINK = "https://www.googleapis.com/compute/v1/projects/shop-1/zones/europe-west3-a/instances/node-1"
FULL_NAME = "//compute.googleapis.com/projects/shop-1/zones/europe-west3-a/instances/node-1"
HOST_CASES = [
    # what is told by its path alone is a machine of that cloud all the same
    Case({"cloudMetadata": {**GOOGLE, "resourceID": LINK}}, "cloud_resource_id", FULL_NAME),
    Case({"cloudMetadata": {**GOOGLE, "resourceID": FULL_NAME[2:]}}, "authority", "create"),
    Case({"cloudMetadata": {**GOOGLE, "resourceID": "node-1"}}, "authority", "update"),
    Case({}, "cloud_resource_id", None),
]


def test_a_host_told_by_its_path_in_its_cloud_is_named_by_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = varied(MACHINE, HOST_CASES, renamed_scan)
    with foreign("prisma_cloud", estate(hosts=given, alerts=[]), tmp_path, monkeypatch, **OPTIONS) as prisma:
        prisma.sync("hosts")
        with prisma.staged() as staged:
            assert misread(HOST_CASES, staged, "stg_prisma_cloud__devices_hosts", NUMBER) == []


def test_a_configuration_in_an_unusual_form_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = varied(CONFIGURATION, CASES, renamed_asset)
    with foreign("prisma_cloud", estate(configurations=given, alerts=[]), tmp_path, monkeypatch, **OPTIONS) as prisma:
        prisma.sync("assets", "configurations", "alerts")
        with prisma.staged() as staged:
            assert misread(CASES, staged, "stg_prisma_cloud__devices", NUMBER) == []
