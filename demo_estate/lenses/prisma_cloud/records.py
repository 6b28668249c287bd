"""What the posture API knows: machines and resources, their configurations, and the policies they violate."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import quote

from demo_estate.entities import CloudResource, Device
from demo_estate.lenses import View

Record = dict[str, Any]

MACHINE_TYPES = {"azure": "Azure Virtual Machine", "aws": "EC2 Instance", "gcp": "Compute Instance"}
MACHINE_APIS = {"azure": "azure-vm-list", "aws": "aws-ec2-describe-instances", "gcp": "gcloud-compute-instances-list"}
#: Type of resource: Prisma Cloud's own words for its type by cloud, and the kind in its resource name.
TYPES = {
    "storage": ({"azure": "Azure Storage Account", "aws": "Amazon S3", "gcp": "Google Cloud Storage"}, "storageBucket"),
    "key_vault": (
        {"azure": "Azure Key Vault", "aws": "AWS KMS Key", "gcp": "Google Cloud KMS Keyring"},
        "encryptionKey",
    ),
    "database": (
        {"azure": "Azure SQL Server", "aws": "AWS RDS Instance", "gcp": "Google Cloud SQL"},
        "managedDatabase",
    ),
    "kubernetes": (
        {"azure": "Azure AKS Cluster", "aws": "AWS EKS Cluster", "gcp": "Google GKE Cluster"},
        "managedCluster",
    ),
    "function": (
        {"azure": "Azure App Service", "aws": "AWS Lambda", "gcp": "Google Cloud Function"},
        "serverlessFunction",
    ),
}
#: Kind of asset: policy, its type, severity, and the share of assets that violate it.
POLICIES = {
    "machine": ("Virtual machine does not encrypt its disks with a key of its own", "config", "low", 0.3),
    "storage": ("Storage is open to everybody", "config", "high", 0.4),
    "database": ("Database server does not require TLS", "config", "medium", 0.3),
    "kubernetes": ("Cluster's control plane is reachable from everywhere", "config", "medium", 0.5),
}
EXPOSED = ("Instance that is internet reachable with unrestricted access (0.0.0.0/0)", "network", "high")
CRITICALITY = ("mission-critical", "high", "medium", "low")


def asset_id(view: View, *key: object) -> str:
    return view.truth.hex_id(32, "prisma_cloud", *key)


def machine_key(view: View, device: Device) -> str:
    assert device.cloud is not None
    return asset_id(view, "machine", device.cloud.provider, device.cloud.instance_id)


def resource_key(view: View, found: CloudResource) -> str:
    return asset_id(view, "resource", found.truth_id)


def machine_id(device: Device) -> str:
    """Azure's machines are known by a part of their vmId, a dash and their ARM id, in one text."""
    cloud = device.cloud
    assert cloud is not None
    return f"{cloud.instance_id[:-2]}-{cloud.resource_id}" if cloud.provider == "azure" else cloud.instance_id


def resource_name(view: View, provider: str, kind: str, region: str, account: str, native: str) -> str:
    digest = view.truth.hex_id(40, "prisma_cloud", "rrn", native)
    return f"rrn:{provider}:{kind}:{region}:{account}:{digest}:{quote(native, safe='')}"


def machine(view: View, device: Device) -> Record:
    cloud = device.cloud
    assert cloud is not None
    name = MACHINE_TYPES[cloud.provider]
    found = listed(view, machine_key(view, device), cloud.provider, "instance", cloud, machine_id(device), name)
    violated = policies(view, "machine", found["unifiedAssetId"], device.internet_facing)
    return found | posture(view, violated) | {"name": device.hostname}


def resource(view: View, found: CloudResource) -> Record:
    words, kind = TYPES[found.type]
    key = resource_key(view, found)
    asset = listed(view, key, found.provider, kind, found, found.resource_id, words[found.provider])
    if found.provider == "aws" and found.type == "storage":
        # what is global has no region
        asset |= {"regionId": "", "regionName": "AWS Global"}
    return asset | posture(view, policies(view, found.type, key, False)) | {"name": found.name}


def listed(view: View, key: str, provider: str, kind: str, place: Any, native: str, words: str) -> Record:
    return {
        "rrn": resource_name(view, provider, kind, place.region, place.account_id, native),
        "id": native,
        "accountId": place.account_id,
        "accountName": place.account_name,
        "regionId": place.region,
        "regionName": f"{provider.upper()} {place.region}",
        "cloudType": provider,
        "assetType": words,
        "unifiedAssetId": key,
        "appNames": ["CSPM"],
        "resourceDetailsAvailable": True,
        "resourceConfigJsonAvailable": True,
    }


Violation = tuple[str, str, str, str, bool]


def policies(view: View, kind: str, key: str, exposed: bool) -> list[Violation]:
    """(policy id, name, type, severity, whether it passes) of an asset."""
    found: list[Violation] = []
    if kind in POLICIES:
        name, type_, severity, share = POLICIES[kind]
        fails = view.truth.chance(share, "prisma_cloud", "policy", name, key)
        found.append((view.truth.guid("prisma_cloud", "policy", name), name, type_, severity, not fails))
    if kind == "machine":
        found.append((view.truth.guid("prisma_cloud", "policy", EXPOSED[0]), *EXPOSED, not exposed))
    return found


def posture(view: View, violated: list[Violation]) -> Record:
    failed = [severity for _, _, _, severity, passes in violated if not passes]
    counts = {name: failed.count(name) for name in ("critical", "high", "medium", "low")}
    scanned = [
        {"id": id_, "name": name, "severity": severity, "labels": [], "passed": passes}
        for id_, name, _, severity, passes in violated
    ]
    record: Record = {"overallPassed": not failed, "alertStatus": {**counts, "informational": 0}}
    return record | {"scannedPolicies": scanned}


def configuration(view: View, device: Device) -> Record:
    """A machine as the config search shows it, with its cloud's own JSON: flat in Azure, and with what nobody should land."""
    cloud = device.cloud
    assert cloud is not None
    gone = device.last_day is not None
    seen = view.truth.last_activity(device.index, view.day, "prisma_cloud")
    native = machine_id(device)
    tags = {"env": device.environment, "business-criticality": CRITICALITY[min(device.criticality, 3)]}
    return {
        "rrn": resource_name(view, cloud.provider, "instance", cloud.region, cloud.account_id, native),
        "assetId": machine_key(view, device),
        "id": native,
        "name": device.hostname,
        "accountId": cloud.account_id,
        "accountName": cloud.account_name,
        "cloudType": cloud.provider,
        "regionId": cloud.region,
        "regionName": f"{cloud.provider.upper()} {cloud.region}",
        "service": "Compute",
        "resourceType": MACHINE_TYPES[cloud.provider],
        "insertTs": millis(seen),
        "createdTs": str(millis(view.truth.moment(device.first_day, "prisma_cloud", device.index))),
        "deleted": gone,
        "vpcId": f"vpc-{view.truth.hex_id(17, 'vpc', cloud.account_id)}" if cloud.provider == "aws" else None,
        "tags": [{"key": key, "value": value} for key, value in tags.items()] if cloud.provider == "aws" else tags,
        "hasNetwork": True,
        "data": RAW[cloud.provider](device),
    }


def azure_json(device: Device) -> Record:
    assert device.cloud is not None
    cards = [
        {"macAddress": device.mac, "ipConfigurations": [{"privateIpAddress": ip, "publicIpAddress": device.public_ip}]}
        for ip in device.ips
    ]
    system = {"computerName": device.hostname, "adminPassword": "never-land-this", "customData": "bmV2ZXIgbGFuZCB0aGlz"}
    return {
        "id": device.cloud.resource_id,
        "['properties.vmId']": device.cloud.instance_id,
        "['properties.osProfile']": system,
        "['properties.networkProfile']": {"networkInterfaces": cards},
        "['properties.storageProfile']": {"osDisk": {"osType": "Windows" if device.is_windows else "Linux"}},
        "['properties.hardwareProfile']": {"vmSize": "Standard_D4s_v5"},
        "powerState": "VM running",
    }


def aws_json(device: Device) -> Record:
    assert device.cloud is not None
    return {
        "instanceId": device.cloud.instance_id,
        "privateIpAddress": device.ip,
        "publicIpAddress": device.public_ip,
        "networkInterfaces": [{"macAddress": device.mac, "privateIpAddress": device.ip}],
        "instanceType": "m5.xlarge",
        "platformDetails": "Windows" if device.is_windows else "Linux/UNIX",
        "state": {"name": "running"},
        "userData": "never-land-this",
    }


def gcp_json(device: Device) -> Record:
    assert device.cloud is not None
    link = device.cloud.resource_id.replace("//compute.googleapis.com/", "https://www.googleapis.com/compute/v1/")
    return {
        "id": device.cloud.instance_id,
        "name": device.hostname.lower(),
        "selfLink": link,
        "networkInterfaces": [{"networkIP": device.ip, "accessConfigs": [{"natIP": device.public_ip}]}],
        "machineType": "https://www.googleapis.com/compute/v1/projects/p/zones/z/machineTypes/n2-standard-4",
        "status": "RUNNING",
        "metadata": {"items": [{"key": "startup-script", "value": "never-land-this"}]},
    }


RAW = {"azure": azure_json, "aws": aws_json, "gcp": gcp_json}


def alerts(view: View, asset: Record, kind: str) -> Iterator[Record]:
    """The alert of each violated policy; some violations are so new that there is none yet, some alerts are closed."""
    truth, key = view.truth, asset["unifiedAssetId"]
    for id_, name, type_, severity, passes in policies(view, kind, key, bool(asset.get("exposed"))):
        what = ("prisma_cloud", "alert", name, key)
        closed = passes and truth.chance(0.2, *what, "closed")
        if (passes and not closed) or (not passes and truth.chance(0.1, *what, "late")):
            continue
        opened = truth.moment(-20 if closed else -200, *what)
        changed = truth.moment(view.day, *what) if closed else opened
        status, reason = ("resolved", "RESOURCE_UPDATED") if closed else ("open", "NEW_ALERT")
        yield {
            "id": f"P-{truth.number(*what) % 10_000_000}",
            "status": status,
            "reason": reason,
            "firstSeen": millis(opened),
            "lastSeen": millis(changed),
            "alertTime": millis(opened),
            "lastUpdated": millis(changed),
            "policyId": id_,
            "policy": {
                "policyId": id_,
                "name": name,
                "policyType": type_,
                "severity": severity,
                "description": name,
                "recommendation": "Change the setting.",
                "labels": [],
            },
            "resource": {
                **{name: asset[name] for name in ("rrn", "id", "name", "accountId", "regionId", "cloudType")},
                "unifiedAssetId": key,
                "account": asset["accountName"],
                "region": asset["regionName"],
                "resourceType": "INSTANCE" if kind == "machine" else "OTHER",
                "resourceApiName": MACHINE_APIS[asset["cloudType"]] if kind == "machine" else "other",
                "data": {"secretString": "never-land-this"} if closed else None,
            },
            # a number here, text there
            "history": [
                {"modifiedOn": str(millis(opened)), "status": "open", "reason": "NEW_ALERT"},
                {"modifiedOn": millis(changed), "status": status, "reason": reason},
            ],
        }


def millis(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
