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
TAG: dict[str, Any] = dict.fromkeys(("registry", "repo", "tag", "digest", "id"), "text")
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
            **dict.fromkeys("cve severity status packageName packageVersion link vecStr".split(), "text"),
            "cvss": "number",
            # dates in any form: staging reads them
            **dict.fromkeys(("discovered", "published", "fixDate"), "text"),
            # names in a list, a map by name, or one name alone
            "riskFactors": "json",
            "exploit": "json",
            "exploits": "json",
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
            # of the cloud's own JSON what tells a machine, each cloud with names of its own
            "machine": {
                **dict.fromkeys(
                    "instanceId vmId id arn selfLink computerName hostname privateDnsName publicDnsName osType "
                    "platformDetails instanceType vmSize machineType powerState status vpcId subnetId".split(),
                    "text",
                ),
                **dict.fromkeys("state networkInterfaces cards privateIpAddress publicIpAddress".split(), "json"),
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
            "history": [dict.fromkeys(("modifiedOn", "status", "reason"), "text")],
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
            # one tag as an object, several as a list
            "repoTag": [TAG],
            "tags": [TAG],
            "repoDigests": ["text"],
            "instances": [
                {**dict.fromkeys(("host", "image", "registry", "repo", "tag"), "text"), "modified": "timestamp"}
            ],
            "hosts": "json",
        },
        description="Deployed container images, with their vulnerabilities and the hosts that run them.",
        permissions=("compute images",),
        optional=True,
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
