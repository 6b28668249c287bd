"""What Qualys scans and its agents know of a machine: hosts, detections, host assets and CSAM assets in its own shapes.

A host scanned by address is known by that address and whatever name it answers with; one with an agent by everything.
A machine that a cloud connector told of and nobody scanned is a host asset without a host.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from demo_estate.evidence import machine_evidence
from demo_estate.lenses import Answer, View
from demo_estate.quirks import generic_name
from demo_estate.truth import Cve, Device, Finding, Ref, Software, Truth
from demo_estate.written import known_day, written_day

Record = dict[str, Any]

#: Share of each kind that an agent or a scan reaches.
COVERAGE: Mapping[str, float] = {
    "laptop": 0.55,
    "desktop": 0.6,
    "server": 0.9,
    "virtual_machine": 0.88,
    "cloud_vm": 0.8,
    "domain_controller": 1.0,
    "printer": 0.6,
    "network_device": 0.8,
    "iot": 0.3,
}
WITH_AGENT = 0.75
AGENT_KINDS = frozenset({"laptop", "desktop", "server", "virtual_machine", "cloud_vm", "domain_controller"})
#: Machines a scan cannot log in to: it learns an address, or an address and a short name.
BLIND = frozenset({"ip_only_scan", "ambiguous_short_name"})
PLANTED = BLIND | {"golden_image_agent", "rebuilt_host"}
#: Quirks that this product acts out, or that its records show.
SHOWN = PLANTED | frozenset(
    "short_name placeholder_serial missing_serial placeholder_uuid vmware_serial shared_dock_mac cloned_mac "
    "virtual_adapter_mac shared_ha_mac reused_name replaced_instance private_ip_reuse generic_name "
    "shared_chassis_serial".split()
)
#: Share of cloud machines that only a connector knows.
UNSCANNED = 0.1
FIRST_HOST, FIRST_ASSET = 2_400_000, 9_000_000
SEVERITY: Mapping[str, int] = {"critical": 5, "high": 4, "medium": 3, "low": 2}
SELF_SIGNED, HOST_NAME_FOUND = 38173, 45039
#: The check of an update of an operating system stands for several CVEs.
FIRST_UPDATE = 370_000
#: A check that a scanner has and the knowledge base does not know (yet).
UNPUBLISHED = 999_999


class Listed(NamedTuple):
    """One record of a device: the host's number, the asset's, and the installation of the agent that reports it."""

    host_id: int | None
    asset_id: int
    device: int
    generation: int


def covers(truth: Truth, index: int) -> bool:
    share = COVERAGE.get(truth.device_kind(index), 0.0)
    return share > 0 and (truth.chance(share, "qualys", "covers", index) or bool(truth.quirks(index) & PLANTED))


def has_agent(truth: Truth, index: int) -> bool:
    quirks = truth.quirks(index)
    if truth.device_kind(index) not in AGENT_KINDS or quirks & BLIND or is_unscanned(truth, index):
        return False
    return bool(quirks & PLANTED) or truth.chance(WITH_AGENT, "qualys", "agent", index)


def is_unscanned(truth: Truth, index: int) -> bool:
    return (
        truth.device_kind(index) == "cloud_vm"
        and not truth.quirks(index)
        and truth.chance(UNSCANNED, "qualys", "unscanned", index)
    )


def listed(view: View, index: int) -> Iterator[Listed]:
    """A rebuilt machine is listed twice, under its old agent and its new one."""
    truth = view.truth
    newest = view.device(index).generation
    first = 0 if has_agent(truth, index) else newest
    for generation in range(first, newest + 1):
        number = 2 * index + generation
        host_id = None if is_unscanned(truth, index) else FIRST_HOST + number
        yield Listed(host_id, FIRST_ASSET + number, index, generation)


def all_listed(view: View) -> list[Listed]:
    return [entry for index in view.device_indexes() for entry in listed(view, index)]


def host_name(truth: Truth, device: Device) -> str | None:
    quirks = truth.quirks(device.index)
    if "ip_only_scan" in quirks:
        return None
    return generic_name(device.kind, device.index) if "generic_name" in quirks else device.hostname


def fqdn(truth: Truth, device: Device) -> str | None:
    return None if truth.quirks(device.index) & {"short_name", "generic_name", *BLIND} else device.fqdn


def last_seen(view: View, device: Device, generation: int) -> datetime:
    if generation < device.generation and device.rebuild_day is not None:
        return view.truth.moment(device.rebuild_day - 1, "qualys", device.index)
    return view.truth.last_activity(device.index, view.day, "qualys")


def processed_at(view: View, device: Device) -> datetime:
    """When the platform last worked through what was found of a machine, which is not before it was seen."""
    processed = view.truth.moment(written_day(view, device), "qualys", "processed", device.index)
    return max(processed, last_seen(view, device, device.generation))


def first_seen(view: View, device: Device, generation: int) -> datetime:
    day = device.rebuild_day if generation > 0 and device.rebuild_day is not None else device.first_day
    return view.truth.moment(day, "qualys", device.index)


def agent_uuid(view: View, entry: Listed) -> str | None:
    if not has_agent(view.truth, entry.device):
        return None
    text = view.truth.agent_id("qualys", entry.device, view.day, entry.generation)
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


# Hosts ---------------------------------------------------------------------------------------------------------------


def host_record(
    view: View, entry: Listed, *, with_assets: bool = True, with_tags: bool = True, with_risk: bool = False
) -> Record:
    """A host as the host list has it, in the order of its elements. None leaves an element out."""
    truth, device = view.truth, view.device(entry.device)
    agent, name, dns = agent_uuid(view, entry), host_name(truth, device), fqdn(truth, device)
    seen, cloud = stamp(last_seen(view, device, entry.generation)), device.cloud
    blind = bool(truth.quirks(device.index) & BLIND)
    return {
        "ID": entry.host_id,
        "ASSET_ID": entry.asset_id if with_assets else None,
        "IP": device.ip,
        "TRACKING_METHOD": "AGENT" if agent else "DNS" if dns and device.index % 3 == 0 else "IP",
        "NETWORK_ID": 0,
        "DNS": dns or name,
        "DNS_DATA": {"HOSTNAME": name, "DOMAIN": device.domain if dns else "", "FQDN": dns or ""} if name else None,
        "CLOUD_PROVIDER": {"azure": "Azure", "aws": "AWS", "gcp": "GCP"}[cloud.provider] if cloud and agent else None,
        "CLOUD_SERVICE": {"azure": "VM", "aws": "EC2", "gcp": "Compute Engine"}[cloud.provider]
        if cloud and agent
        else None,
        "CLOUD_RESOURCE_ID": cloud.instance_id if cloud and agent else None,
        "EC2_INSTANCE_ID": cloud.instance_id if cloud and agent and cloud.provider == "aws" else None,
        "NETBIOS": name.upper()[:15] if name and agent and device.is_windows else None,
        "OS": device.os_name if not blind else None,
        "QG_HOSTID": agent,
        "TAGS": {"TAG": [{"TAG_ID": 7, "NAME": f"Env:{device.environment}"}]} if with_tags else None,
        "METADATA": metadata(device) if cloud and agent else None,
        "FIRST_FOUND_DATE": stamp(first_seen(view, device, entry.generation)),
        "LAST_VULN_SCAN_DATETIME": seen,
        "LAST_VM_SCANNED_DATE": seen,
        "LAST_VM_AUTH_SCANNED_DATE": seen if agent else None,
        "LAST_ACTIVITY": seen if agent else None,
        "ASSET_CRITICALITY_SCORE": criticality_score(device) if with_risk else None,
        "TRURISK_SCORE": risk_score(truth, device.index) if with_risk else None,
    }


#: What the vendor gives to an asset that nobody rated.
DEFAULT_SCORE = 2


def is_rated(device: Device) -> bool:
    return device.index % 4 != 0


def criticality_score(device: Device) -> int:
    return 5 - device.criticality if is_rated(device) else DEFAULT_SCORE


def risk_score(truth: Truth, index: int) -> int:
    return 100 + truth.number("qualys", "risk", index) % 800


def metadata(device: Device) -> Record:
    """Cloud metadata. Every fifth Azure machine's resource group could not be read and still shows an old value."""
    cloud = device.cloud
    if cloud is None:
        return {}
    stale = device.index % 5 == 0
    names = {
        "azure": {
            "vmId": cloud.instance_id,
            "subscriptionId": cloud.account_id,
            "resourceGroupName": "rg-of-another-time" if stale else cloud.resource_group,
            "name": cloud.resource_id.rsplit("/", 1)[-1],
            "publicIpAddress": "null",
        },
        "aws": {
            "latest/dynamic/instance-identity/document/instanceId": cloud.instance_id,
            "latest/dynamic/instance-identity/document/accountId": cloud.account_id,
            "latest/dynamic/instance-identity/document/region": cloud.region,
        },
        "gcp": {"instanceId": cloud.instance_id, "projectId": cloud.account_id},
    }[cloud.provider]
    failed = {"resourceGroupName"} if stale else set()
    attributes = [
        {
            "NAME": name,
            "LAST_STATUS": "Fail" if name in failed else "Success",
            "VALUE": value,
            "LAST_ERROR_DATE": "2026-01-01T00:00:00Z" if name in failed else "",
            "LAST_ERROR": "404 - Not Found" if name in failed else "",
        }
        for name, value in names.items()
    ]
    return {{"azure": "AZURE", "aws": "EC2", "gcp": "GOOGLE"}[cloud.provider]: {"ATTRIBUTE": attributes}}


# Detections ----------------------------------------------------------------------------------------------------------


def detections(view: View, entry: Listed) -> Iterator[Record]:
    """Detections of a host, of every status."""
    truth, device = view.truth, view.device(entry.device)
    day, rebuilt = known_day(view, device), device.rebuild_day if device.generation > 0 else None
    seen, processed = last_seen(view, device, entry.generation), processed_at(view, device)
    if entry.generation < device.generation:
        # under its old agent the machine keeps what was found to the last; what lies before the timeline was cleaned up
        if rebuilt is None or rebuilt < 1:
            return
        day, processed = rebuilt - 1, truth.moment(rebuilt, "qualys", "processed", device.index)
        rebuilt = None
    blind = bool(truth.quirks(device.index) & BLIND)
    for qid, findings in checks(truth, device, day, open_ports_only=blind):
        one = findings[0]
        cves = [truth.cve_catalogue[finding.cve] for finding in findings]
        worst = max(cves, key=lambda cve: SEVERITY[cve.severity])
        last = seen if one.fixed_day is None else truth.moment(one.fixed_day, "qualys", one.id)
        status = "Fixed"
        if one.is_open:
            status = "New" if entry.device % 5 == 0 else "Re-Opened" if entry.device % 7 == 0 else "Active"
        first = truth.moment(min(f.first_day for f in findings), "qualys", one.id)
        if one.fixed_day is not None and rebuilt is not None and one.fixed_day < rebuilt:
            # it was fixed on another host
            continue
        updated = processed if one.fixed_day is None else last
        port = one.port or None
        yield detection(truth, entry, qid, SEVERITY[worst.severity], status, first, last, updated, port, one.version)
    if device.is_server and truth.chance(0.3, "qualys", "self signed", device.index):
        first = truth.moment(device.first_day, "qualys", SELF_SIGNED, device.index)
        yield detection(truth, entry, SELF_SIGNED, 2, "Active", first, seen, processed, 443, "a certificate")
    if device.index % 50 == 0:
        first = truth.moment(device.first_day, "qualys", UNPUBLISHED, device.index)
        yield detection(truth, entry, UNPUBLISHED, 3, "Active", first, seen, processed, None, "something new")
    yield detection(truth, entry, HOST_NAME_FOUND, 1, "Active", seen, seen, processed, None, "a host name", kind="Info")


def detection(
    truth: Truth,
    entry: Listed,
    qid: int,
    severity: int,
    status: str,
    first: datetime,
    last: datetime,
    updated: datetime,
    port: int | None,
    results: str,
    kind: str = "Confirmed",
) -> Record:
    return {
        "UNIQUE_VULN_ID": truth.number("qualys", entry.host_id, qid) % 10**10,
        "QID": qid,
        "TYPE": kind,
        "SEVERITY": severity,
        "PORT": port,
        "PROTOCOL": "tcp" if port else None,
        "SSL": 0,
        "RESULTS": f"Version\t{results}\nPath\tC:\\x",
        "STATUS": status,
        "FIRST_FOUND_DATETIME": stamp(first),
        "LAST_FOUND_DATETIME": stamp(last),
        "QDS": 19 * severity,
        "TIMES_FOUND": 9,
        "LAST_TEST_DATETIME": stamp(last),
        "LAST_UPDATE_DATETIME": stamp(updated),
        "LAST_FIXED_DATETIME": stamp(last) if status == "Fixed" else None,
        "IS_IGNORED": 0,
        "IS_DISABLED": 0,
        "LAST_PROCESSED_DATETIME": stamp(updated),
    }


def checks(truth: Truth, device: Device, day: int, *, open_ports_only: bool) -> Iterator[tuple[int, Sequence[Finding]]]:
    """Findings by the check that reports them: an update of an operating system is one check."""
    catalogue = truth.software_catalogue
    updates: dict[int, list[Finding]] = {}
    for finding in truth.findings(device.index, day):
        if open_ports_only and not finding.port:
            continue
        cve = truth.cve_catalogue[finding.cve]
        if catalogue[finding.software].is_os:
            updates.setdefault(update_qid(cve), []).append(finding)
        else:
            yield cve.qid, [finding]
    yield from updates.items()


def update_qid(cve: Cve) -> int:
    return FIRST_UPDATE + cve.software * 10 + cve.fixed_in


def knowledge_base(truth: Truth) -> dict[int, list[Cve]]:
    """QID -> its CVEs; a check that stands for none has an empty list."""
    found: dict[int, list[Cve]] = {SELF_SIGNED: [], HOST_NAME_FOUND: []}
    for cve in truth.cve_catalogue:
        is_os = truth.software_catalogue[cve.software].is_os
        found.setdefault(update_qid(cve) if is_os else cve.qid, []).append(cve)
    return found


# Answers -------------------------------------------------------------------------------------------------------------


def answer(view: View) -> Iterator[Answer]:
    truth = view.truth
    for entry in all_listed(view):
        tags = truth.quirks(entry.device)
        device = view.device(entry.device)
        # a host known by its address alone is nobody's record: it must stay unassigned
        truth_id = "" if "ip_only_scan" in tags else truth.truth_id(Ref("device", entry.device))
        yield Answer("device", str(entry.asset_id), truth_id, tags & SHOWN, evidence(view, entry, device))
    for software in installed_software(view):
        yield Answer("application", software.title.lower(), software.truth_id)


def evidence(view: View, entry: Listed, device: Device) -> frozenset[str]:
    """Evidence in what the host list, the host assets and CSAM say of one machine together."""
    truth, cloud = view.truth, device.cloud
    agent = has_agent(truth, entry.device)
    known = agent or is_unscanned(truth, entry.device)
    return machine_evidence(
        serial=device.serial if agent else None,
        uuid=device.smbios_uuid if agent else None,
        macs=device.macs if agent else (),
        names=[host_name(truth, device), fqdn(truth, device)],
        ids=[cloud.instance_id if cloud and known else None],
    )


def installed_software(view: View) -> list[Software]:
    """The software on machines with an agent."""
    catalogue = view.truth.software_catalogue
    used = {
        item.software
        for index in view.device_indexes()
        if has_agent(view.truth, index)
        for item in view.truth.software(index, view.day)
    }
    return [catalogue[number] for number in sorted(used) if not catalogue[number].is_os]
