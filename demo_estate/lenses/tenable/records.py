"""What a scanner and its agents know of a machine: assets and findings in Tenable's shapes.

Assets are flat with every key present (recorded); findings leave out what is empty. Tenable spells BIOS UUIDs and MAC
addresses in lower case in assets and in upper case in findings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from demo_estate.lenses import View
from demo_estate.quirks import generic_name, swap_uuid_bytes
from demo_estate.truth import Cve, Device, Finding, Truth
from demo_estate.written import known_day, written_day

Record = dict[str, Any]

#: Share of each kind that an agent or a scan reaches; the rest the scanner never sees.
COVERAGE: Mapping[str, float] = {
    "laptop": 0.8,
    "desktop": 0.8,
    "server": 0.92,
    "virtual_machine": 0.9,
    "cloud_vm": 0.85,
    "domain_controller": 1.0,
    "printer": 0.7,
    "network_device": 0.85,
    "iot": 0.4,
    "ot": 0.1,
}
#: Share of the reached computers that carry an agent; the others are scanned over the network.
WITH_AGENT = 0.85
AGENT_KINDS = frozenset({"laptop", "desktop", "server", "virtual_machine", "cloud_vm", "domain_controller"})
#: Machines a scan cannot log in to: it learns an address, or an address and a short name.
BLIND = frozenset({"ip_only_scan", "ambiguous_short_name"})
#: Rows that the product's own quirks are about are always there.
PLANTED = BLIND | {"golden_image_agent", "rebuilt_host", "byte_swapped_uuid"}
#: Quirks that this product acts out, or that its records show.
SHOWN = PLANTED | frozenset(
    "short_name placeholder_uuid shared_dock_mac cloned_mac virtual_adapter_mac shared_ha_mac reused_name "
    "replaced_instance private_ip_reuse generic_name".split()
)
DEFAULT_NETWORK = "00000000-0000-0000-0000-000000000000"
SYSTEM_TYPES: Mapping[str, str] = {"printer": "printer", "iot": "embedded", "ot": "scada"}
SEVERITY_IDS: Mapping[str, int] = {"critical": 4, "high": 3, "medium": 2, "low": 1, "info": 0}
#: What nobody cleaned up the container's rule on age deletes.
DAYS_TO_AGE_OUT = 45
SCAN_INFORMATION, SELF_SIGNED = 19506, 57582


def covers(truth: Truth, index: int) -> bool:
    share = COVERAGE.get(truth.device_kind(index), 0.0)
    return share > 0 and (truth.chance(share, "tenable", "covers", index) or bool(truth.quirks(index) & PLANTED))


def has_agent(truth: Truth, index: int) -> bool:
    quirks = truth.quirks(index)
    if truth.device_kind(index) not in AGENT_KINDS or quirks & BLIND:
        return False
    return bool(quirks & PLANTED) or truth.chance(WITH_AGENT, "tenable", "agent", index)


def asset_ids(view: View, device: Device) -> list[tuple[str, int]]:
    """(asset id, agent generation) of a device: a rebuilt one is listed twice, under its old agent and its new one."""
    truth, name = view.truth, view.instance.name
    generations = range(device.generation + 1) if has_agent(truth, device.index) else [device.generation]
    return [(truth.guid(name, "asset", device.index, number), number) for number in generations]


def fate(view: View, index: int) -> str:
    """'listed', 'deleted' (by a person, or by the rule on age) or 'terminated' (a cloud machine)."""
    if view.truth.is_present(index, view.day):
        return "listed"
    if view.truth.device_kind(index) == "cloud_vm":
        return "terminated"
    return "listed" if gone_day(view, view.device(index)) > view.day else "deleted"


def gone_day(view: View, device: Device) -> int:
    """The day on which a machine that is gone leaves the list: half of them nobody cleans up, until they are too old."""
    if device.last_day is None:
        return view.day
    nobody_cares = device.kind != "cloud_vm" and device.index % 2 == 1
    return device.last_day + (DAYS_TO_AGE_OUT if nobody_cares else 1)


def gone_at(view: View, device: Device) -> datetime:
    """When a machine that is gone was deleted or terminated at the vendor."""
    return view.truth.moment(gone_day(view, device), "tenable", "gone", device.index)


def written_at(view: View, device: Device) -> datetime:
    """When the vendor last wrote down anything of a machine, which is not before it was seen."""
    written = view.truth.moment(written_day(view, device), "tenable", "written", device.index)
    return max(written, last_seen(view, device, device.generation))


def host_name(truth: Truth, device: Device) -> str | None:
    quirks = truth.quirks(device.index)
    if "ip_only_scan" in quirks:
        return None
    return generic_name(device.kind, device.index) if "generic_name" in quirks else device.hostname


def fqdn(truth: Truth, device: Device) -> str | None:
    return None if truth.quirks(device.index) & {"short_name", "generic_name", *BLIND} else device.fqdn


def bios_uuid(truth: Truth, device: Device) -> str | None:
    """What an agent read, in the byte order of its operating system or in the other one."""
    if device.smbios_uuid is None or not has_agent(truth, device.index):
        return None
    swapped = "byte_swapped_uuid" in truth.quirks(device.index)
    return swap_uuid_bytes(device.smbios_uuid) if swapped else device.smbios_uuid


def interfaces(view: View, device: Device) -> list[Record]:
    """The cards an agent lists, or the one a scan in the same network segment sees; the first one is listed twice."""
    truth = view.truth
    if truth.quirks(device.index) & BLIND:
        return []
    nics = device.nics if has_agent(truth, device.index) or device.kind == "network_device" else device.nics[:1]
    found = [
        {
            "name": nic.name,
            "virtual": None,
            "aliased": None,
            "fqdns": [],
            "mac_addresses": [nic.mac],
            "ipv4s": [nic.ip] if nic.ip else [],
            "ipv6s": [],
        }
        for nic in nics
    ]
    return [*found, *({**card, "name": "UNKNOWN"} for card in found[:1])]


def asset_record(view: View, device: Device, asset_id: str, generation: int) -> Record:
    """One asset as the v1 export gives it."""
    truth, index, cloud = view.truth, device.index, device.cloud
    agent, state = has_agent(truth, index), fate(view, index)
    seen = last_seen(view, device, generation)
    first = truth.moment(since_day(device, generation), "tenable", index)
    name, dns, cards = host_name(truth, device), fqdn(truth, device), interfaces(view, device)
    identified = not truth.quirks(index) & BLIND
    at = {provider: cloud if cloud and cloud.provider == provider and identified else None for provider in CLOUDS}
    return {
        "id": asset_id,
        "has_agent": agent,
        "has_plugin_results": True,
        "created_at": stamp(first),
        "terminated_at": stamp(gone_at(view, device)) if state == "terminated" else None,
        "terminated_by": None,
        "updated_at": stamp(written_at(view, device)),
        "deleted_at": stamp(gone_at(view, device)) if state == "deleted" else None,
        "deleted_by": truth.guid("tenable", "administrator") if state == "deleted" else None,
        "first_seen": stamp(first),
        "last_seen": stamp(seen),
        "first_scan_time": stamp(first),
        "last_scan_time": stamp(seen),
        "last_authenticated_scan_date": stamp(seen) if agent else None,
        "last_licensed_scan_date": stamp(seen),
        "last_scan_id": truth.guid("tenable", "scan", written_day(view, device)),
        "last_schedule_id": f"template-{truth.guid('tenable', 'schedule')}",
        "network_id": DEFAULT_NETWORK,
        "network_name": "Default",
        "azure_vm_id": at["azure"].instance_id if at["azure"] else None,
        "azure_resource_id": at["azure"].resource_id.lower() if at["azure"] else None,
        "aws_ec2_instance_id": at["aws"].instance_id if at["aws"] else None,
        "aws_owner_id": at["aws"].account_id if at["aws"] else None,
        "aws_region": at["aws"].region if at["aws"] else None,
        "gcp_instance_id": at["gcp"].instance_id if at["gcp"] else None,
        "gcp_project_id": at["gcp"].account_id if at["gcp"] else None,
        "agent_uuid": truth.agent_id("tenable", index, view.day, generation) if agent else None,
        "bios_uuid": bios_uuid(truth, device),
        "servicenow_sysid": None,
        "mcafee_epo_guid": None,
        "bigfix_asset_id": None,
        "serial_number": device.serial if device.kind == "network_device" else None,
        "agent_names": [name] if agent and name else [],
        "installed_software": software_cpes(view, device) if agent else [],
        "ipv4s": list(device.ips) if agent else list(device.ips[:1]),
        "ipv6s": [],
        "fqdns": [dns] if dns else [],
        "mac_addresses": list(dict.fromkeys(mac for card in cards for mac in card["mac_addresses"])),
        "netbios_names": [name.upper()[:15]] if name and agent and device.is_windows else [],
        "hostnames": [name] if name else [],
        "operating_systems": [device.os_name] if device.os_name and identified else [],
        "system_types": [system_type(device)] if identified else [],
        "ssh_fingerprints": [],
        "qualys_asset_ids": [],
        "qualys_host_ids": [],
        "sources": [
            {"name": "NESSUS_AGENT" if agent else "NESSUS_SCAN", "first_seen": stamp(first), "last_seen": stamp(seen)}
        ],
        "tags": [
            {
                "uuid": truth.guid("tenable", "tag", device.environment),
                "key": "Env",
                "value": device.environment,
                "added_by": truth.guid("tenable", "administrator"),
                "added_at": stamp(first),
            }
        ],
        "network_interfaces": cards,
        "acr_score": acr(device),
        "exposure_score": str(200 + truth.number("aes", index) % 700),
    }


CLOUDS = ("azure", "aws", "gcp")


def acr(device: Device) -> str | int | None:
    """10 is the most critical. One field in four spellings, as recorded; without a licence for it there is none."""
    score = 9 - 2 * device.criticality
    return (f"{score}", f"{score}.0", score, None)[device.index % 4]


def since_day(device: Device, generation: int) -> int:
    """Day from which an agent reported: a rebuilt machine's new one begins when it was rebuilt."""
    if generation > 0 and device.rebuild_day is not None:
        return device.rebuild_day
    return device.first_day


def last_seen(view: View, device: Device, generation: int) -> datetime:
    if generation < device.generation and device.rebuild_day is not None:
        return view.truth.moment(device.rebuild_day - 1, "tenable", device.index)
    return view.truth.last_activity(device.index, view.day, "tenable")


def system_type(device: Device) -> str:
    if device.kind == "network_device":
        return "firewall" if device.manufacturer == "Fortinet" else "switch"
    return f"{device.cloud.provider}-instance" if device.cloud else SYSTEM_TYPES.get(device.kind, "general-purpose")


def software_cpes(view: View, device: Device) -> list[str]:
    catalogue = view.truth.software_catalogue
    installed = view.truth.software(device.index, known_day(view, device))
    return [f"{catalogue[item.software].cpe}:{item.version}" for item in installed]


# Findings ------------------------------------------------------------------------------------------------------------


def finding_records(view: View, device: Device) -> Iterator[Record]:
    """Findings of one host, of every state."""
    truth = view.truth
    asset_id, generation = asset_ids(view, device)[-1]
    seen = last_seen(view, device, generation)
    host = host_part(view, device, asset_id)
    scan = {"uuid": truth.guid("tenable", "scan", written_day(view, device)), "started_at": stamp(seen)}
    indexed = stamp(written_at(view, device))
    source = "AGENT" if has_agent(truth, device.index) else "NESSUS"
    blind = bool(truth.quirks(device.index) & BLIND)
    for key, findings in checks(view, device, open_ports_only=blind):
        one = findings[0]
        cves = [truth.cve_catalogue[finding.cve] for finding in findings]
        worst = max(cves, key=lambda cve: SEVERITY_IDS[cve.severity])
        last = seen if one.fixed_day is None else truth.moment(one.fixed_day, "tenable", key)
        record = {
            "asset": host,
            "finding_id": truth.guid(view.instance.name, "finding", key),
            "output": f"Installed version : {one.version}\n",
            "plugin": plugin_part(view, device, cves, worst),
            "port": {"port": one.port, "protocol": one.protocol.upper()},
            "scan": scan,
            "severity": worst.severity,
            "severity_id": SEVERITY_IDS[worst.severity],
            "severity_default_id": SEVERITY_IDS[worst.severity],
            "severity_modification_type": "NONE",
            "first_found": stamp(truth.moment(min(f.first_day for f in findings), "tenable", key)),
            "last_found": stamp(last),
            "state": "OPEN" if one.is_open else "FIXED",
            "indexed": indexed if one.is_open else stamp(fixed_written_at(view, device, one, key)),
            "source": source,
        }
        if not one.is_open:
            record["last_fixed"] = stamp(last)
        yield record
    yield plain_check(view, device, host, scan, source, seen, SCAN_INFORMATION, "Nessus Scan Information", "info")
    if device.is_server and truth.chance(0.3, "tenable", "self signed", device.index):
        yield plain_check(view, device, host, scan, source, seen, SELF_SIGNED, "SSL Self-Signed Certificate", "medium")


def fixed_written_at(view: View, device: Device, one: Finding, key: str) -> datetime:
    """When a fixed finding was written down: with its fix, or when the machine went on under a new agent."""
    days = [day for day in (one.fixed_day, device.rebuild_day) if day is not None and day <= view.day]
    return max(view.truth.moment(day, "tenable", key) for day in days)


def checks(view: View, device: Device, open_ports_only: bool) -> Iterator[tuple[str, Sequence[Finding]]]:
    """Findings by the check that reports them: an update of an operating system is one check with several CVEs.

    With a key of the check on this machine, which stays when it learns of another CVE.
    """
    catalogue = view.truth.software_catalogue
    updates: dict[str, list[Finding]] = {}
    for finding in view.truth.findings(device.index, known_day(view, device)):
        if open_ports_only and not finding.port:
            continue
        if catalogue[finding.software].is_os:
            key = f"{device.index}-os-{finding.software}-{view.truth.cve_catalogue[finding.cve].fixed_in}"
            updates.setdefault(key, []).append(finding)
        else:
            yield finding.id, [finding]
    yield from updates.items()


def host_part(view: View, device: Device, asset_id: str) -> Record:
    truth = view.truth
    cards = interfaces(view, device)
    return without_empty(
        {
            "uuid": asset_id,
            "agent_uuid": truth.agent_id("tenable", device.index, view.day) if has_agent(truth, device.index) else None,
            "bios_uuid": (bios_uuid(truth, device) or "").upper(),
            "device_type": system_type(device) if cards else None,
            "hostname": host_name(truth, device) or device.ip,
            "fqdn": fqdn(truth, device),
            "ipv4": device.ip,
            "mac_address": cards[0]["mac_addresses"][0].upper() if cards else None,
            "operating_system": [device.os_name] if device.os_name and cards else None,
            "network_id": DEFAULT_NETWORK,
            "tracked": True,
        }
    )


def plugin_part(view: View, device: Device, cves: Sequence[Cve], worst: Cve) -> Record:
    truth = view.truth
    software = truth.software_catalogue[worst.software]
    several = len(cves) > 1
    fixed = software.versions[worst.fixed_in]
    return without_empty(
        {
            "id": 800_000 + worst.software * 10 + worst.fixed_in if software.is_os else worst.plugin_id,
            "name": f"{software.title} < {fixed} multiple vulnerabilities" if several else worst.title,
            "family": "Windows" if device.is_windows else "General",
            "type": "local" if has_agent(truth, device.index) else "remote",
            "cve": sorted(cve.cve_id for cve in cves),
            "cpe": [software.cpe],
            "cvss3_base_score": worst.cvss,
            "cvss3_vector": {"raw": worst.vector.removeprefix("CVSS:3.1/")},
            "vpr": {"score": min(10.0, round(worst.cvss * 0.9, 1)), "drivers": {}},
            "epss_score": round(max(cve.epss for cve in cves) * 100, 3),
            "exploit_available": any(cve.exploit_available for cve in cves),
            "has_patch": True,
            "risk_factor": worst.severity.capitalize(),
            "solution": worst.solution,
            "synopsis": "The remote host is missing an update.",
            "see_also": [""],
            "vuln_publication_date": stamp(truth.moment(min(cve.published_day for cve in cves), "cve", worst.index)),
            "publication_date": stamp(truth.moment(worst.published_day, "plugin", worst.index)),
        }
    )


def plain_check(
    view: View,
    device: Device,
    host: Record,
    scan: Record,
    source: str,
    seen: datetime,
    plugin_id: int,
    name: str,
    severity: str,
) -> Record:
    """A check that stands for no CVE: the attribute is absent."""
    truth = view.truth
    return {
        "asset": host,
        "finding_id": truth.guid(view.instance.name, "finding", device.index, plugin_id),
        "plugin": {
            "id": plugin_id,
            "name": name,
            "family": "General",
            "has_patch": False,
            "exploit_available": False,
            "risk_factor": "None" if severity == "info" else severity.capitalize(),
        },
        "port": {"port": 0, "protocol": "TCP"},
        "scan": scan,
        "severity": severity,
        "severity_id": SEVERITY_IDS[severity],
        "severity_default_id": SEVERITY_IDS[severity],
        "severity_modification_type": "NONE",
        "first_found": stamp(truth.moment(device.first_day, "tenable", plugin_id, device.index)),
        "last_found": stamp(seen),
        "state": "OPEN",
        "indexed": stamp(written_at(view, device)),
        "source": source,
    }


def without_empty(record: Record) -> Record:
    return {key: value for key, value in record.items() if value not in (None, "", [], {})}


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")
