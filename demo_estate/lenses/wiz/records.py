"""What an agentless scanner of clouds knows: machines, resources, accounts, their vulnerabilities and issues."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from demo_estate.entities import CloudResource, Device
from demo_estate.lenses import View
from demo_estate.written import known_day

Record = dict[str, Any]

PLATFORMS = {"azure": "Azure", "aws": "AWS", "gcp": "GCP"}
TYPES = {
    "storage": "BUCKET",
    "key_vault": "SECRET",
    "database": "DB_SERVER",
    "kubernetes": "KUBERNETES_CLUSTER",
    "function": "SERVERLESS",
}
NATIVE = {"azure": "microsoft.compute/virtualmachines", "aws": "instance", "gcp": "compute#instance"}
IMPACT = ("HBI", "HBI", "MBI", "LBI")
#: Issues by type of resource: the rule's kind, its name, its severity and the share of resources it finds fault with.
RULES = {
    "VIRTUAL_MACHINE": ("Control", "Publicly exposed VM with a critical vulnerability", "CRITICAL", 0.15),
    "BUCKET": ("CloudConfigurationRule", "Bucket should not be open to everybody", "HIGH", 0.4),
    "DB_SERVER": ("CloudConfigurationRule", "Database server should require TLS", "MEDIUM", 0.3),
    "SERVERLESS": ("CloudEventRule", "Function changed by an unusual principal", "LOW", 0.3),
}


def machines(view: View) -> Iterator[Device]:
    return (device for device in view.devices() if device.cloud is not None)


def machine_id(view: View, device: Device) -> str:
    assert device.cloud is not None
    return view.truth.guid("wiz", "machine", device.cloud.provider, device.cloud.instance_id)


def resource_id(view: View, found: CloudResource) -> str:
    return view.truth.guid("wiz", "resource", found.truth_id)


def account_id(view: View, account: str) -> str:
    return view.truth.guid("wiz", "subscription", account)


def project(view: View, environment: str, criticality: int) -> Record:
    impact = IMPACT[min(criticality, 3)]
    name = f"{environment}-{impact.lower()}"
    return {
        "id": view.truth.guid("wiz", "project", name),
        "name": name,
        "slug": name,
        "riskProfile": {"businessImpact": impact},
    }


def provider_id(device: Device) -> str:
    """Azure's id of the machine itself, the ARN of Amazon, Google's number."""
    assert device.cloud is not None
    return device.cloud.resource_id if device.cloud.provider == "aws" else device.cloud.instance_id


def account_part(view: View, provider: str, account: str, name: str) -> Record:
    cloud = PLATFORMS[provider]
    return {"id": account_id(view, account), "name": name, "externalId": account, "cloudProvider": cloud}


def seen_at(view: View, device: Device) -> datetime:
    return view.truth.last_activity(device.index, view.day, "wiz")


def first_at(view: View, device: Device) -> datetime:
    return min(view.truth.moment(device.first_day, "wiz", device.index), seen_at(view, device))


def machine(view: View, device: Device) -> Record:
    cloud = device.cloud
    assert cloud is not None
    gone = device.last_day is not None
    return {
        "id": machine_id(view, device),
        "name": device.hostname,
        "externalId": cloud.resource_id,
        "providerUniqueId": provider_id(device),
        "type": "VIRTUAL_MACHINE",
        "nativeType": NATIVE[cloud.provider],
        "cloudPlatform": PLATFORMS[cloud.provider],
        "status": "Inactive" if gone else "Active",
        "region": cloud.region,
        "firstSeen": stamp(first_at(view, device)),
        "lastSeen": stamp(seen_at(view, device)),
        "deletedAt": stamp(seen_at(view, device) + timedelta(hours=12)) if gone else None,
        "isAccessibleFromInternet": device.internet_facing,
        "isOpenToAllInternet": device.internet_facing,
        "hasSensitiveData": False,
        "hasAccessToSensitiveData": False,
        "hasAdminPrivileges": False,
        "hasHighPrivileges": cloud.has_managed_identity,
        "tags": [{"key": "env", "value": device.environment}],
        "cloudAccount": account_part(view, cloud.provider, cloud.account_id, cloud.account_name),
        "resourceGroup": {"name": cloud.resource_group} if cloud.provider == "azure" else None,
        "projects": [project(view, device.environment, device.criticality)],
        "technology": {"name": "Virtual Machine"},
        "typeFields": {
            "__types": ("CloudResourceV2VirtualMachine",),
            "instanceType": "Standard_D4s_v5",
            "operatingSystem": "Windows" if device.is_windows else "Linux",
            "ipAddresses": list(device.ips),
            "image": {"name": device.os_name},
            "kubernetesCluster": None,
        },
        "graphEntity": {
            "id": machine_id(view, device),
            "type": "VIRTUAL_MACHINE",
            "properties": {"_vertexID": machine_id(view, device), "operatingSystem": device.os_name},
        },
    }


def resource(view: View, found: CloudResource) -> Record:
    seen = view.truth.moment(view.day, "wiz", "scan", found.index)
    return {
        "id": resource_id(view, found),
        "name": found.name,
        "externalId": found.resource_id,
        "providerUniqueId": found.resource_id,
        "type": TYPES[found.type],
        "nativeType": found.type,
        "cloudPlatform": PLATFORMS[found.provider],
        "status": "Active",
        "region": found.region,
        "firstSeen": stamp(view.truth.moment(0, "wiz", "first", found.index)),
        "lastSeen": stamp(seen),
        "deletedAt": None,
        "isAccessibleFromInternet": found.internet_facing,
        "isOpenToAllInternet": found.internet_facing,
        "hasSensitiveData": found.sensitive_data,
        "hasAccessToSensitiveData": False,
        "hasAdminPrivileges": False,
        "hasHighPrivileges": False,
        "tags": [{"key": "env", "value": found.environment}],
        "cloudAccount": account_part(view, found.provider, found.account_id, found.account_name),
        "resourceGroup": {"name": found.resource_group} if found.provider == "azure" else None,
        "projects": [project(view, found.environment, found.criticality)],
        "technology": None,
        "typeFields": None,
        "graphEntity": {"id": resource_id(view, found), "type": TYPES[found.type], "properties": {}},
    }


def account(view: View, provider: str, ident: str, name: str) -> Record:
    external = f"/subscriptions/{ident}" if provider == "azure" else ident
    return {
        "id": account_id(view, ident),
        "name": name,
        "externalId": ident,
        "providerUniqueId": external,
        "type": "SUBSCRIPTION",
        "nativeType": {"azure": "subscription", "aws": "account", "gcp": "project"}[provider],
        "cloudPlatform": PLATFORMS[provider],
        "status": "Active",
        "firstSeen": stamp(view.truth.moment(0, "wiz", "account", ident)),
        "lastSeen": stamp(view.truth.moment(view.day, "wiz", "account", ident)),
        "deletedAt": None,
        "tags": [],
        "projects": [],
        "cloudAccount": account_part(view, provider, ident, name),
    }


def findings(view: View, device: Device) -> Iterator[Record]:
    cloud, truth = device.cloud, view.truth
    assert cloud is not None
    for finding in truth.findings(device.index, known_day(view, device)):
        cve = truth.cve_catalogue[finding.cve]
        software = truth.software_catalogue[finding.software]
        fixed = finding.fixed_day if not finding.is_open else None
        last = seen_at(view, device) if fixed is None else truth.moment(fixed, "wiz", finding.id)
        yield {
            "id": truth.guid("wiz", "finding", finding.id, cloud.instance_id),
            "portalUrl": "https://app.wiz.io/explorer/vulnerability-findings",
            "name": cve.cve_id,
            "CVEDescription": cve.title,
            "CVSSSeverity": cve.severity.upper(),
            "score": cve.cvss,
            "severity": cve.severity.upper(),
            "vendorSeverity": cve.severity.upper(),
            "nvdSeverity": None,
            "exploitabilityScore": 1.8,
            "impactScore": 5.9,
            "hasExploit": cve.exploit_available,
            "hasCisaKevExploit": False,
            "epssProbability": cve.epss,
            "epssPercentile": round(cve.epss * 100, 1),
            "epssSeverity": "LOW",
            "status": "OPEN" if fixed is None else "RESOLVED",
            "firstDetectedAt": stamp(min(truth.moment(finding.first_day, "wiz", finding.id), last)),
            "lastDetectedAt": stamp(last),
            "resolvedAt": None if fixed is None else stamp(last),
            "updatedAt": stamp(last),
            "detailedName": software.title,
            "version": finding.version,
            "fixedVersion": software.versions[cve.fixed_in],
            "detectionMethod": "PACKAGE",
            "locationPath": None,
            "remediation": cve.solution,
            "link": f"https://nvd.nist.gov/vuln/detail/{cve.cve_id}",
            "projects": [project(view, device.environment, device.criticality)],
            "vulnerableAsset": {
                "__types": ("VulnerableAssetVirtualMachine", "VulnerableAssetBase"),
                "id": machine_id(view, device),
                "type": "VIRTUAL_MACHINE",
                "name": device.hostname,
                "region": cloud.region,
                "providerUniqueId": provider_id(device),
                "cloudPlatform": PLATFORMS[cloud.provider],
                "status": "Active",
                "subscriptionName": cloud.account_name,
                "subscriptionExternalId": cloud.account_id,
                "subscriptionId": account_id(view, cloud.account_id),
                "tags": {"env": device.environment},
                "hasLimitedInternetExposure": False,
                "hasWideInternetExposure": device.internet_facing,
                "operatingSystem": "Windows" if device.is_windows else "Linux",
                "ipAddresses": list(device.ips),
            },
        }


def issue(view: View, found: Record) -> Iterator[Record]:
    """The issue of a resource or machine, if its rule finds fault with it."""
    if found["type"] not in RULES:
        return
    kind, name, severity, share = RULES[found["type"]]
    truth = view.truth
    if not truth.chance(share, "wiz", "issue", found["id"]):
        return
    closed = found["deletedAt"] is not None or truth.chance(0.2, "wiz", "closed", found["id"])
    yield {
        "id": truth.guid("wiz", "issue", found["id"]),
        "type": "TOXIC_COMBINATION" if kind == "Control" else "CLOUD_CONFIGURATION",
        "status": "RESOLVED" if closed else "OPEN",
        "severity": severity,
        "createdAt": found["firstSeen"],
        "updatedAt": found["lastSeen"],
        "resolvedAt": found["lastSeen"] if closed else None,
        "statusChangedAt": found["lastSeen"] if closed else found["firstSeen"],
        "sourceRule": {
            "__types": (kind,),
            "id": truth.guid("wiz", "rule", name),
            "name": name,
            "resolutionRecommendation": "Close it to the internet and update it.",
            "remediationInstructions": "Change the setting.",
        },
        "entitySnapshot": {
            "id": found["id"],
            "type": found["type"],
            "nativeType": found["nativeType"],
            "name": found["name"],
            "status": found["status"],
            "cloudPlatform": found["cloudPlatform"],
            "providerId": found["providerUniqueId"],
            "region": found["region"],
            "subscriptionExternalId": found["cloudAccount"]["externalId"],
            "tags": {tag["key"]: tag["value"] for tag in found["tags"]},
            "externalId": found["externalId"],
        },
        "projects": found["projects"],
        "serviceTickets": [],
    }


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
