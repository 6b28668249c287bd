"""What is read of Prisma Cloud: the inventory, configurations and alerts; hosts, images and containers of Compute."""

from __future__ import annotations

from typing import Any

from connector_assets.kit import Stream
from connector_assets.prisma_cloud.compute import containers, hosts, images
from connector_assets.prisma_cloud.posture import alerts, assets, configurations

#: Secrets that a scan found, and where others hide: environments, commands, raw configurations.
SECRETS = ("Secrets", "foundSecrets", "secret", "image.env", "image.entrypoint", "image.healthcheck", "image.history")

COUNTS: dict[str, Any] = dict.fromkeys(("critical", "high", "medium", "low"), "integer")
CLOUD: dict[str, Any] = {
    **dict.fromkeys(
        ("provider", "accountID", "region", "resourceID", "resourceURL", "vmID", "vmImageID", "name", "image", "type"),
        "text",
    ),
    "labels": [{"key": "text", "value": "text"}],
}
SCANNED: dict[str, Any] = {
    "_id": "text",
    "hostname": "text",
    "type": "text",
    "distro": "text",
    "osDistro": "text",
    "osDistroVersion": "text",
    "osDistroRelease": "text",
    "cloudMetadata": CLOUD,
    "externalLabels": [{"key": "text", "value": "text"}],
    "criticality": "text",
    "agentless": "boolean",
    "err": "text",
    "collections": ["text"],
    "clusters": ["text"],
    "namespaces": ["text"],
    "firstScanTime": "timestamp",
    "scanTime": "timestamp",
    "creationTime": "timestamp",
    "riskFactors": "json",
    "vulnerabilitiesCount": "integer",
    "complianceIssuesCount": "integer",
    "vulnerabilityDistribution": COUNTS,
    "complianceDistribution": COUNTS,
    "vulnerabilities": [
        {
            **dict.fromkeys(("cve", "severity", "status", "packageName", "packageVersion", "link", "vecStr"), "text"),
            "cvss": "number",
            "discovered": "timestamp",
            "published": "timestamp",
            "fixDate": "timestamp",
            "riskFactors": ["text"],
            "hasExploit": "boolean",
        }
    ],
}

STREAMS = (
    Stream(
        name="assets",
        pull=assets,
        key="asset_key",
        fields={
            **dict.fromkeys(
                "asset_key rrn unifiedAssetId id name accountId accountName regionId regionName cloudType assetType".split(),
                "text",
            ),
            "snapshot": "timestamp",
            "overallPassed": "boolean",
            "vulnerabilityStatus": COUNTS,
            "alertStatus": {**COUNTS, "informational": "integer"},
            "appNames": ["text"],
            "failedPolicies": [{"id": "text", "name": "text", "severity": "text", "labels": ["text"]}],
        },
        description="The asset inventory of all clouds, with the policies each asset fails; a snapshot one to two hours old.",
        permissions=("asset inventory",),
        evidence="recorded",
    ),
    Stream(
        name="configurations",
        pull=configurations,
        key="asset_key",
        fields={
            **dict.fromkeys(
                "asset_key api_name rrn assetId id name accountId accountName cloudType regionId regionName service "
                "resourceType vpcId vpcName criticality".split(),
                "text",
            ),
            "deleted": "boolean",
            "insertTs": "timestamp",
            "createdTs": "timestamp",
            "tags": "json",
            "machine": {
                **dict.fromkeys(
                    "id arn selfLink publicDnsName operatingSystem size state vpcId subnetId".split(), "text"
                ),
                "hostNames": ["text"],
                "ipAddresses": ["text"],
                "publicIpAddresses": ["text"],
                "macAddresses": ["text"],
            },
        },
        description="Machines in detail by the config search: cards, addresses, names, systems, tags.",
        permissions=("config search",),
        optional=True,
        may_be_empty=True,
        evidence="client_code",
    ),
    Stream(
        name="alerts",
        pull=alerts,
        key="id",
        fields={
            **dict.fromkeys("id asset_key policyId status reason".split(), "text"),
            **dict.fromkeys("firstSeen lastSeen alertTime lastUpdated".split(), "timestamp"),
            "policy": {
                **dict.fromkeys("policyId name policyType severity description recommendation".split(), "text"),
                "labels": ["text"],
            },
            "resource": dict.fromkeys(
                "rrn id name account accountId region regionId resourceType resourceApiName cloudServiceName cloudType "
                "unifiedAssetId url".split(),
                "text",
            ),
            "history": [{"modifiedOn": "timestamp", "status": "text", "reason": "text"}],
        },
        description="Alerts: policies that a resource violates; all that hold, and those of the window that are closed.",
        permissions=("alerts",),
        optional=True,
        may_be_empty=True,
        drop_fields=("resource.data", "resource.additionalInfo"),
        activity_field="alertTime",
        evidence="recorded",
    ),
    Stream(
        name="hosts",
        pull=hosts,
        key="_id",
        fields={**SCANNED, "hostDevices": [{"ip": "text", "name": "text"}]},
        description="Hosts that a Defender or an agentless scan looked into, with their vulnerabilities.",
        permissions=("compute hosts",),
        optional=True,
        may_be_empty=True,
        drop_fields=SECRETS,
        activity_field="scanTime",
        evidence="client_code",
    ),
    Stream(
        name="images",
        pull=images,
        key="_id",
        fields={
            **SCANNED,
            "tags": [dict.fromkeys(("registry", "repo", "tag", "digest", "id"), "text")],
            "repoDigests": ["text"],
            "instances": [
                {**dict.fromkeys(("host", "image", "registry", "repo", "tag"), "text"), "modified": "timestamp"}
            ],
            "hostNames": ["text"],
        },
        description="Deployed container images, with their vulnerabilities and the hosts that run them.",
        permissions=("compute images",),
        optional=True,
        may_be_empty=True,
        drop_fields=SECRETS,
        activity_field="scanTime",
        evidence="client_code",
    ),
    Stream(
        name="containers",
        pull=containers,
        key="_id",
        fields={
            "_id": "text",
            "hostname": "text",
            "scanTime": "timestamp",
            "agentless": "boolean",
            "info": {
                **dict.fromkeys(
                    "name image imageID imageName cluster clusterType namespace app id startTime".split(), "text"
                ),
                "infra": "boolean",
                "cloudMetadata": CLOUD,
            },
        },
        description="Running containers: which image runs on which host, in which cluster and namespace.",
        permissions=("compute containers",),
        optional=True,
        may_be_empty=True,
        activity_field="scanTime",
        evidence="client_code",
    ),
)
