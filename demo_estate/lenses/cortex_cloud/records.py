"""What Cortex Cloud knows: machines, resources and accounts of clouds, their weaknesses and issues of their posture.

Names of members are literal, with dots in them. Azure's tags are told with an asset, those of the others are not.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from demo_estate.entities import Cloud, CloudResource, Device
from demo_estate.lenses import View
from demo_estate.written import known_day

Record = dict[str, Any]

PROVIDERS = {"azure": "AZURE", "aws": "AWS", "gcp": "GCP"}
CRITICALITIES = ("critical", "high", "medium", "low")


class Kind(NamedTuple):
    """Type of an asset in Cortex's four words."""

    id: str
    name: str
    of_class: str
    category: str


MACHINES = {
    "azure": Kind("AZURE_VIRTUAL_MACHINE", "Azure Virtual Machine", "Compute", "VM Instance"),
    "aws": Kind("EC2_INSTANCE", "EC2 Instance", "Compute", "VM Instance"),
    "gcp": Kind("GOOGLE_COMPUTE_ENGINE_VM_INSTANCE", "GCP Compute Engine VM Instance", "Compute", "VM Instance"),
}
ACCOUNTS = {
    "azure": Kind("AZURE_SUBSCRIPTION", "Azure Subscription", "Cloud", "Cloud Account"),
    "aws": Kind("AWS_ACCOUNT", "AWS Account", "Cloud", "Cloud Account"),
    "gcp": Kind("GCP_PROJECT", "GCP Project", "Cloud", "Cloud Account"),
}
_IDS = {
    "storage": ("AZURE_STORAGE_ACCOUNT", "S3_BUCKET", "GOOGLE_CLOUD_STORAGE_BUCKET"),
    "key_vault": ("AZURE_KEY_VAULT", "KMS_KEY", "GOOGLE_CLOUD_KMS_KEY"),
    "database": ("AZURE_SQL_SERVER", "RDS_DATABASE_INSTANCE", "GOOGLE_CLOUD_SQL_DB_INSTANCE"),
    "kubernetes": ("AZURE_KUBERNETES_SERVICE", "EKS_CLUSTER", "GOOGLE_KUBERNETES_ENGINE_CLUSTER"),
    "function": ("AZURE_APP_SERVICE_WEB_APPS_FUNCTIONS", "LAMBDA_FUNCTION", "GOOGLE_CLOUD_FUNCTION"),
}
_CATEGORIES = {
    "storage": ("Data", "Storage Bucket"),
    "key_vault": ("Data", "Key Management"),
    "database": ("Data", "Database"),
    "kubernetes": ("Compute", "Kubernetes Cluster"),
    "function": ("Compute", "Serverless Function"),
}
#: Issues by category of asset: name, severity and the share of assets that have it.
RULES = {
    "VM Instance": ("VM exposed to the internet with an exploitable vulnerability", "CRITICAL", 0.15),
    "Storage Bucket": ("Storage is readable by everybody", "HIGH", 0.4),
    "Database": ("Database accepts connections without TLS", "MEDIUM", 0.3),
    "Serverless Function": ("Function runs with more rights than it uses", "LOW", 0.3),
}


def kind_of(found: CloudResource) -> Kind:
    ident = _IDS[found.type][tuple(PROVIDERS).index(found.provider)]
    return Kind(ident, ident.replace("_", " ").title(), *_CATEGORIES[found.type])


def machine_id(view: View, index: int) -> str:
    return view.truth.hex_id(64, "cortex", "machine", index)


def resource_id(view: View, index: int) -> str:
    return view.truth.hex_id(64, "cortex", "resource", index)


def account_id(view: View, account: str) -> str:
    return view.truth.hex_id(64, "cortex", "account", account)


def machine_strong_id(cloud: Cloud) -> str:
    """The name at its cloud; of a machine of Amazon it is the bare id."""
    return cloud.instance_id if cloud.provider == "aws" else cloud.resource_id


def machine_name(device: Device) -> str:
    """The host name; Amazon's machines go by the name that their network gave them."""
    if device.cloud is None or device.cloud.provider != "aws":
        return device.hostname
    return f"ip-{(device.ip or '').replace('.', '-')}.{device.cloud.region}.compute.internal"


def millis(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def asset(ident: str, strong_id: str, name: str, provider: str, account: str, kind: Kind) -> Record:
    return {
        "xdm.asset.id": ident,
        "xdm.asset.strong_id": strong_id,
        "xdm.asset.name": name,
        "xdm.asset.provider": PROVIDERS[provider],
        "xdm.asset.realm": account,
        "xdm.asset.type.id": kind.id,
        "xdm.asset.type.name": kind.name,
        "xdm.asset.type.class": kind.of_class,
        "xdm.asset.type.category": kind.category,
        "xdm.asset.cloud.account.id": account,
        "xdm.asset.tags": None,
        "xdm.asset.group_ids": [],
        "xdm.asset.insights.is_inactive": False,
    }


def tags(provider: str, environment: str, criticality: int) -> list[Record] | None:
    if provider != "azure":
        return None
    return [{"key": "env", "value": environment}, {"key": "Criticality", "value": CRITICALITIES[min(criticality, 3)]}]


def seen_at(view: View, device: Device) -> datetime:
    return view.truth.last_activity(device.index, view.day, "cortex_cloud")


def first_at(view: View, device: Device) -> datetime:
    return min(view.truth.moment(device.first_day, "cortex_cloud", device.index), seen_at(view, device))


def machine(view: View, device: Device, on_demand: frozenset[str] = frozenset()) -> Record:
    cloud = device.cloud
    assert cloud is not None
    kind = MACHINES[cloud.provider]
    strong = machine_strong_id(cloud)
    name = machine_name(device)
    found = asset(machine_id(view, device.index), strong, name, cloud.provider, cloud.account_id, kind)
    found |= {
        "xdm.asset.cloud.region": cloud.region,
        "xdm.asset.cloud.account.name": cloud.account_name,
        "xdm.asset.tags": tags(cloud.provider, device.environment, device.criticality),
        "xdm.asset.first_observed": millis(first_at(view, device)),
        "xdm.asset.last_observed": millis(seen_at(view, device)),
        "xdm.asset.insights.is_publicly_accessible": device.internet_facing,
        "xdm.asset.insights.has_sensitive_data": False,
        "xdm.asset.related_issues.critical_issues": 0,
        "xdm.asset.related_issues.issues_breakdown": {"critical": 0, "high": 0, "medium": 0, "low": 0},
        "xdm.host.ipv4_addresses": list(device.ips),
    }
    if "xdm.host.mac_addresses" in on_demand:
        found["xdm.host.mac_addresses"] = list(device.macs)
    return found


def resource(view: View, found: CloudResource) -> Record:
    truth = view.truth
    record = asset(
        resource_id(view, found.index), found.resource_id, found.name, found.provider, found.account_id, kind_of(found)
    )
    return record | {
        "xdm.asset.cloud.region": found.region,
        "xdm.asset.cloud.account.name": found.account_name,
        "xdm.asset.tags": tags(found.provider, found.environment, found.criticality),
        "xdm.asset.first_observed": millis(truth.moment(0, "cortex_cloud", "first", found.index)),
        "xdm.asset.last_observed": millis(truth.moment(view.day, "cortex_cloud", "seen", found.index)),
        "xdm.asset.insights.is_publicly_accessible": found.internet_facing,
        "xdm.asset.insights.has_sensitive_data": found.sensitive_data,
    }


def account(view: View, provider: str, ident: str, name: str) -> Record:
    strong = f"/subscriptions/{ident}" if provider == "azure" else ident
    record = asset(account_id(view, ident), strong, name, provider, ident, ACCOUNTS[provider])
    return record | {
        "xdm.asset.cloud.account.name": name,
        "xdm.asset.first_observed": millis(view.truth.moment(0, "cortex_cloud", "account", ident)),
        "xdm.asset.last_observed": millis(view.truth.moment(view.day, "cortex_cloud", "account", ident)),
    }


def role(view: View, provider: str, ident: str) -> Record:
    """Who signs in is an asset to Cortex too; of people it tells nothing that would name one elsewhere."""
    kind = Kind("IAM_ROLE", "IAM Role", "Identity", "Cloud Identity")
    record = asset(
        view.truth.hex_id(64, "cortex", "role", ident), f"role/{ident}/auditor", "auditor", provider, ident, kind
    )
    seen = millis(view.truth.moment(view.day, "cortex_cloud", "role", ident))
    return record | {"xdm.asset.first_observed": seen, "xdm.asset.last_observed": seen}


def findings(view: View, device: Device) -> Iterator[Record]:
    """The open CVEs of a machine: a fixed one is no longer listed."""
    cloud, truth = device.cloud, view.truth
    assert cloud is not None
    kind = MACHINES[cloud.provider]
    for finding in truth.findings(device.index, known_day(view, device)):
        if not finding.is_open:
            continue
        cve = truth.cve_catalogue[finding.cve]
        software = truth.software_catalogue[finding.software]
        published = datetime.combine(truth.date(cve.published_day), datetime.min.time(), UTC)
        seen = seen_at(view, device)
        yield {
            "platform_id": truth.hex_id(32, "cortex", "finding", finding.id),
            "asset_id": machine_id(view, device.index),
            "asset_name": machine_name(device),
            "asset_type": kind.id,
            "asset_type_class": kind.of_class,
            "asset_category": kind.category,
            "provider": PROVIDERS[cloud.provider],
            "cve_id": cve.cve_id,
            "cve_description": cve.title,
            "cve_publish_date": millis(published),
            "published_date": millis(published),
            "cvss_score": cve.cvss,
            "cvss_severity": cve.severity.upper(),
            "epss_score": cve.epss,
            "cortex_vulnerability_risk_score": None,
            "has_kev": True if cve.exploit_available and cve.severity == "critical" else None,
            "exploitable": cve.exploit_available,
            "exploit_level": "POC" if cve.exploit_available else "NONE",
            "fix_available": True,
            "fix_versions": [software.versions[cve.fixed_in]],
            "affected_software": software.title,
            "package_purl": f"pkg:generic/{software.name}@{finding.version}",
            "package_version": finding.version,
            "package_in_use": None,
            "file_path": None,
            "remediation": cve.solution,
            "internet_exposed": device.internet_facing,
            "ipv4_addresses": list(device.ips),
            "operating_system": device.os_name,
            "image_name": None,
            "finding_sources": ["CORTEX_XDR_AGENTLESS"],
            "first_observed": millis(min(truth.moment(finding.first_day, "cortex_cloud", finding.id), seen)),
            "last_observed": millis(seen),
            "issue_id": None,
        }


def issues(view: View, found: Record) -> Iterator[Record]:
    """The issue of an asset, if its rule finds fault with it; of some machines an alert, which is none of the posture."""
    truth, ident = view.truth, found["xdm.asset.id"]
    category = found["xdm.asset.type.category"]
    if category in RULES and truth.chance(RULES[category][2], "cortex", "issue", ident):
        name, severity, _ = RULES[category]
        resolved = truth.chance(0.3, "cortex", "closed", ident)
        yield issue(view, found, name, severity, "POSTURE", "CONFIGURATION", resolved)
    if category == "VM Instance" and truth.chance(0.2, "cortex", "alert", ident):
        yield issue(view, found, "Malware was stopped", "HIGH", "SECURITY", "MALWARE", False)


def issue(view: View, found: Record, name: str, severity: str, domain: str, category: str, resolved: bool) -> Record:
    truth, ident = view.truth, found["xdm.asset.id"]
    opened = truth.moment(view.day, "cortex", "issue", name, ident) - timedelta(days=5)
    return {
        "id": truth.number("cortex", "issue", name, ident) % 10**9,
        "external_id": truth.guid("cortex", "issue", name, ident),
        "name": name,
        "description": f"{name}: {found['xdm.asset.name']}",
        "domain": domain,
        "category": category,
        "severity": severity,
        "type": "CONFIG",
        "detection.method": "CSPM_SCANNER",
        "detection.rule_id": truth.guid("cortex", "rule", name),
        "status.progress": "RESOLVED" if resolved else "NEW",
        "status.resolution_reason": "FIXED" if resolved else None,
        "observation_time": millis(opened),
        "last_update_timestamp": millis(opened + timedelta(days=1)),
        "is_excluded": False,
        "is_excepted": False,
        "remediation": "Change the setting.",
        "asset_ids": [ident],
        "asset_names": [found["xdm.asset.name"]],
        "asset_types": [found["xdm.asset.type.id"]],
        "asset_providers": [found["xdm.asset.provider"]],
        "asset_accounts": [found["xdm.asset.realm"]],
    }
