"""Machines, software, weaknesses and logons as Defender writes them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from demo_estate.entities import Account, Cve, Device, Finding, Logon
from demo_estate.lenses import View
from demo_estate.quirks import ZERO_GUID, generic_name, spell_mac
from demo_estate.truth import Truth

COMPUTERS = frozenset({"laptop", "desktop", "server", "virtual_machine", "cloud_vm", "domain_controller"})
SENSOR, DISCOVERED = 0.92, 0.5
#: An inactive sensor has been silent for longer than this.
INACTIVE_DAYS = 7
LOGON_TYPES = {
    "interactive": "Interactive",
    "remote": "RemoteInteractive,Network",
    "network": "Network",
    "service": "Service",
}


class Key(NamedTuple):
    """A machine record: of a device, of its current installation or the one before."""

    number: int
    generation: int | None


def stamp(moment: datetime, number: int) -> str:
    """With seven digits of a second."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{number % 10**7:07d}Z"


def plain(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def has_sensor(truth: Truth, index: int) -> bool:
    return truth.chance(SENSOR, "defender_endpoint", "sensor", index)


def covers(truth: Truth, index: int) -> bool:
    if truth.device_kind(index) not in COMPUTERS:
        return False
    return has_sensor(truth, index) or truth.chance(DISCOVERED, "defender_endpoint", "discovered", index)


# Machines ------------------------------------------------------------------------------------------------------------


def machine_keys(view: View) -> Iterator[Key]:
    """Copies of a golden image share their machine id: the first of them speaks for all."""
    truth = view.truth
    for index in view.device_indexes():
        quirks = truth.quirks(index)
        if "golden_image_agent" in quirks and has_sensor(truth, index):
            others = truth.quirk_group(index, "golden_image_agent")
            if any(
                o < index and view.covers(o) and has_sensor(truth, o) and truth.is_present(o, view.day) for o in others
            ):
                continue
        yield Key(index, None)
        if "rebuilt_host" in quirks and has_sensor(truth, index) and view.device(index).generation > 0:
            yield Key(index, 0)


def machine_id(view: View, key: Key) -> str:
    """40 hex digits; what was merely discovered has an id of its own."""
    truth = view.truth
    if not has_sensor(truth, key.number):
        return truth.hex_id(40, "defender_endpoint", "discovered", key.number)
    agent = truth.agent_id("defender_endpoint", key.number, view.day, key.generation)
    return agent + truth.hex_id(8, "defender_endpoint", agent)


def dns_name(view: View, device: Device) -> str:
    quirks = view.truth.quirks(device.index)
    if "generic_name" in quirks:
        return generic_name(device.kind, device.index)
    if "short_name" in quirks or device.fqdn is None:
        return device.hostname.lower() if device.is_windows else device.hostname
    return device.fqdn


def last_seen(view: View, key: Key, device: Device) -> datetime:
    if key.generation == 0 and device.rebuild_day is not None:
        return view.truth.moment(device.rebuild_day - 1, "defender_endpoint", key.number)
    return view.truth.last_activity(key.number, view.day, "defender_endpoint")


def is_silent(view: View, key: Key, device: Device) -> bool:
    return view.truth.as_of(view.day) - last_seen(view, key, device) > timedelta(days=INACTIVE_DAYS)


def machine(view: View, key: Key) -> dict[str, Any]:
    truth, index = view.truth, key.number
    device = view.device(index)
    quirks, bits = truth.quirks(index), truth.number("defender_endpoint", "machine", index)
    sensor = has_sensor(truth, index)
    seen = last_seen(view, key, device)
    rebuilt = device.rebuild_day if key.generation is None and device.generation > 0 else None
    first = min(truth.moment(device.first_day if rebuilt is None else rebuilt, "defender_endpoint", index), seen)
    build = (device.os_build or "").split(".")
    return {
        "id": machine_id(view, key),
        "mergedIntoMachineId": None,
        "isPotentialDuplication": key.generation == 0,
        "isExcluded": False,
        "exclusionReason": None,
        "computerDnsName": dns_name(view, device),
        "firstSeen": stamp(first, bits),
        "lastSeen": stamp(seen, bits >> 8),
        "osPlatform": device.os_platform,
        "osVersion": None,
        "osProcessor": "x64",
        "version": device.os_version,
        "osBuild": int(build[2]) if device.is_windows and len(build) > 2 else None,
        "osArchitecture": "64-bit",
        "lastIpAddress": device.ip,
        "lastExternalIpAddress": "203.0.113.250",
        "agentVersion": "10.8792.26100.1" if sensor else None,
        "healthStatus": "NoSensorData" if not sensor else "Inactive" if is_silent(view, key, device) else "Active",
        "deviceValue": {0: "High", 1: "High"}.get(device.criticality, "Normal"),
        "rbacGroupId": 0,
        "rbacGroupName": None,
        "riskScore": ("None", "Low", "Medium")[bits % 3],
        "exposureLevel": "High" if device.internet_facing else ("Low", "Medium")[bits % 2],
        "isAadJoined": device.join in ("hybrid", "entra") if sensor else None,
        "aadDeviceId": ZERO_GUID if "zero_entra_device_id" in quirks else device.entra_device_id if sensor else None,
        "machineTags": [device.environment] if device.is_server else [],
        "onboardingStatus": "Onboarded" if sensor else "CanBeOnboarded",
        "managedBy": "Intune" if device.entra_device_id and sensor else "Unknown",
        "managedByStatus": "Success" if sensor else "Unknown",
        "ipAddresses": addresses(device) if sensor else [],
        "vmMetadata": cloud_of(device),
    }


def addresses(device: Device) -> list[dict[str, Any]]:
    kinds = {"wifi": "Wireless80211"}
    found = [
        {
            "ipAddress": nic.ip or "",
            "macAddress": spell_mac(nic.mac, "BARE"),
            "type": kinds.get(nic.kind, "Ethernet"),
            "operationalStatus": "Up" if nic.ip else "Down",
        }
        for nic in device.nics
    ]
    loopback = {
        "ipAddress": "127.0.0.1",
        "macAddress": "000000000000",
        "type": "SoftwareLoopback",
        "operationalStatus": "Up",
    }
    return [*found, loopback]


def cloud_of(device: Device) -> dict[str, Any] | None:
    if device.cloud is None:
        return None
    return {
        "vmId": device.cloud.instance_id,
        "cloudProvider": {"azure": "Azure", "aws": "AWS", "gcp": "GCP"}[device.cloud.provider],
        "resourceId": device.cloud.resource_id,
        "subscriptionId": device.cloud.account_id,
    }


# Software and weaknesses ---------------------------------------------------------------------------------------------


def software_rows(view: View, key: Key) -> Iterator[dict[str, Any]]:
    if not has_sensor(view.truth, key.number) or key.generation == 0:
        return
    truth, device, ident = view.truth, view.device(key.number), machine_id(view, key)
    open_weaknesses: dict[int, int] = {}
    for finding in truth.findings(key.number, view.day):
        open_weaknesses[finding.software] = open_weaknesses.get(finding.software, 0) + finding.is_open
    for item in truth.software(key.number, view.day):
        product = truth.software_catalogue[item.software]
        yield {
            "deviceId": ident,
            "rbacGroupId": 0,
            "rbacGroupName": "UnassignedGroup",
            "deviceName": dns_name(view, device),
            "osPlatform": device.os_platform,
            "softwareVendor": product.vendor,
            "softwareName": product.name,
            "softwareVersion": item.version,
            "numberOfWeaknesses": open_weaknesses.get(item.software, 0),
            **({"diskPaths": [item.path]} if item.path else {}),
            "registryPaths": [],
            "softwareFirstSeenTimestamp": plain(
                truth.moment(item.installed_day, "software", key.number, item.software)
            ),
            "endOfSupportStatus": None,
            "endOfSupportDate": None,
        }


def vulnerability_rows(view: View, key: Key) -> Iterator[dict[str, Any]]:
    """Open weaknesses, and for software without any one row that names no CVE."""
    if not has_sensor(view.truth, key.number) or key.generation == 0:
        return
    truth, device, ident = view.truth, view.device(key.number), machine_id(view, key)
    seen = plain(last_seen(view, key, device))
    weak = set()
    for finding in truth.findings(key.number, view.day):
        if finding.is_open:
            weak.add(finding.software)
            yield vulnerability_row(view, device, ident, seen, finding.software, finding.version, finding)
    for item in truth.software(key.number, view.day):
        if item.software not in weak:
            yield vulnerability_row(view, device, ident, seen, item.software, item.version, None)


def vulnerability_row(
    view: View, device: Device, ident: str, seen: str, software: int, version: str, finding: Finding | None
) -> dict[str, Any]:
    truth = view.truth
    product = truth.software_catalogue[software]
    cve = truth.cve_catalogue[finding.cve] if finding else None
    first = truth.moment(finding.first_day, "defender", finding.id) if finding else None
    return {
        "id": "_".join([ident, product.vendor, product.name, version, *([cve.cve_id] if cve else [])]),
        "deviceId": ident,
        "deviceName": dns_name(view, device),
        "rbacGroupId": 0,
        "rbacGroupName": "UnassignedGroup",
        "osPlatform": device.os_platform,
        "osVersion": device.os_build,
        "osArchitecture": "x64",
        "softwareVendor": product.vendor,
        "softwareName": product.name,
        "softwareVersion": version,
        "cveId": cve.cve_id if cve else None,
        "vulnerabilitySeverityLevel": cve.severity.capitalize() if cve else None,
        "recommendedSecurityUpdate": f"Update {product.title}" if cve else None,
        "recommendedSecurityUpdateId": None,
        "recommendedSecurityUpdateUrl": None,
        "lastSeenTimestamp": seen,
        "firstSeenTimestamp": plain(first) if first else seen,
        "endOfSupportStatus": None,
        "endOfSupportDate": None,
        "exploitabilityLevel": "ExploitIsPublic" if cve and cve.exploit_available else "NoExploit",
        "recommendationReference": f"va-_-{product.vendor}-_-{product.name}",
        "securityUpdateAvailable": cve is not None,
    }


def cve_record(view: View, cve: Cve) -> dict[str, Any]:
    exposed = view.truth.number("exposed", cve.index) % 90 + 10
    return {
        "id": cve.cve_id,
        "name": cve.cve_id,
        "description": f"{cve.title}.",
        "severity": cve.severity.capitalize(),
        "cvssV3": cve.cvss,
        "cvssVector": cve.vector,
        "exposedMachines": exposed,
        "publishedOn": stamp(view.truth.moment(cve.published_day, "cve", cve.index), 0),
        "updatedOn": stamp(view.truth.moment(cve.published_day + 1, "cve", cve.index), 0),
        "firstDetected": None,
        "publicExploit": cve.exploit_available,
        "exploitVerified": False,
        "exploitInKit": False,
        "exploitTypes": [],
        "exploitUris": [],
        "epss": cve.epss,
    }


def unexposed(view: View, number: int) -> dict[str, Any]:
    """Of the weaknesses Defender knows, most are nobody's."""
    return {
        "id": f"CVE-1999-{10_000 + number}",
        "severity": "Low",
        "cvssV3": 3.1,
        "exposedMachines": 0,
        "publicExploit": False,
    }


def logon_rows(view: View, key: Key) -> list[dict[str, Any]]:
    return [
        {
            "id": login(account),
            "accountName": account.sam,
            "accountDomain": (account.netbios_domain or "").lower(),
            "firstSeen": stamp(logon.last - timedelta(days=20), logon.count),
            "lastSeen": stamp(logon.last, logon.count),
            "logonTypes": LOGON_TYPES[logon.kind],
            "isDomainAdmin": account.kind == "admin" and account.index < 3,
            "isOnlyNetworkUser": logon.kind == "network",
        }
        for account, logon in logged_on(view, key)
    ]


def logged_on(view: View, key: Key) -> Iterator[tuple[Account, Logon]]:
    """Domain accounts alone: Defender names a cloud account by nothing that another product knows."""
    for logon in view.truth.logons(key.number, view.day):
        account = view.truth.account(logon.account, view.day)
        if account.sam is not None and account.netbios_domain is not None:
            yield account, logon


def login(account: Account) -> str:
    return f"{(account.netbios_domain or '').lower()}\\{account.sam}"
