"""What InsightVM knows of a machine, in the shapes of the cloud API (v4) and of an own console (v3).

One asset id a console: the cloud's id ends in '-default-asset-<n>', where n is the id in the console.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from demo_estate.evidence import machine_evidence
from demo_estate.lenses import Answer, View
from demo_estate.quirks import generic_name, spell_mac
from demo_estate.truth import Cve, Device, Finding, Ref, Truth

Record = dict[str, Any]

COVERAGE: Mapping[str, float] = {
    "laptop": 0.5,
    "desktop": 0.5,
    "server": 0.85,
    "virtual_machine": 0.85,
    "cloud_vm": 0.7,
    "domain_controller": 1.0,
    "printer": 0.5,
    "network_device": 0.7,
    "iot": 0.25,
}
WITH_AGENT = 0.7
AGENT_KINDS = frozenset({"laptop", "desktop", "server", "virtual_machine", "cloud_vm", "domain_controller"})
BLIND = frozenset({"ip_only_scan", "ambiguous_short_name"})
PLANTED = BLIND | {"golden_image_agent", "rebuilt_host", "byte_swapped_uuid"}
SHOWN = PLANTED | frozenset(
    "short_name placeholder_uuid shared_dock_mac cloned_mac virtual_adapter_mac shared_ha_mac reused_name mac_spelling "
    "replaced_instance private_ip_reuse generic_name".split()
)
SEVERITY: Mapping[str, str] = {"critical": "Critical", "high": "Severe", "medium": "Moderate", "low": "Moderate"}
TAGS = ("Very High", "High", "Medium", "Low")
SELF_SIGNED, UNDOCUMENTED = "ssl-self-signed-certificate", "a-check-without-a-document"


class Listed(NamedTuple):
    """One record of a device: its number in the console, and the installation of the agent that reports it."""

    number: int
    device: int
    generation: int


def covers(truth: Truth, index: int) -> bool:
    share = COVERAGE.get(truth.device_kind(index), 0.0)
    return share > 0 and (truth.chance(share, "rapid7", "covers", index) or bool(truth.quirks(index) & PLANTED))


def has_agent(truth: Truth, index: int) -> bool:
    quirks = truth.quirks(index)
    if truth.device_kind(index) not in AGENT_KINDS or quirks & BLIND:
        return False
    return bool(quirks & PLANTED) or truth.chance(WITH_AGENT, "rapid7", "agent", index)


def listed(view: View, index: int) -> Iterator[Listed]:
    """A rebuilt machine is listed twice, under its old agent and its new one."""
    newest = view.device(index).generation
    for generation in range(0 if has_agent(view.truth, index) else newest, newest + 1):
        yield Listed(1 + 2 * index + generation, index, generation)


def all_listed(view: View) -> list[Listed]:
    return [entry for index in view.device_indexes() for entry in listed(view, index)]


def cloud_id(view: View, entry: Listed) -> str:
    return f"{view.truth.guid(view.instance.name, 'console')}-default-asset-{entry.number}"


def host_name(truth: Truth, device: Device) -> str | None:
    """The one name the product shows: the full one where a scan or an agent learned it."""
    quirks = truth.quirks(device.index)
    if "ip_only_scan" in quirks:
        return None
    if "generic_name" in quirks:
        return generic_name(device.kind, device.index)
    return device.hostname if quirks & {"short_name", "ambiguous_short_name"} else device.fqdn or device.hostname


def last_seen(view: View, device: Device, generation: int) -> datetime:
    if generation < device.generation and device.rebuild_day is not None:
        return view.truth.moment(device.rebuild_day - 1, "rapid7", device.index)
    return view.truth.last_activity(device.index, view.day, "rapid7")


def macs(truth: Truth, device: Device) -> list[str]:
    """In capitals, as both APIs write them; a scan from another segment sees none."""
    if truth.quirks(device.index) & BLIND:
        return []
    nics = device.nics if has_agent(truth, device.index) else device.nics[:1]
    return [spell_mac(nic.mac, "COLON") for nic in nics]


def identifiers(view: View, entry: Listed, device: Device) -> list[Record]:
    """The firmware's UUID, from one of three sources, and the agent's id; nothing for what was only scanned."""
    if not has_agent(view.truth, entry.device):
        return []
    source = "CSPRODUCT" if device.is_windows else "dmidecode"
    agent = {"id": view.truth.agent_id("rapid7", entry.device, view.day, entry.generation), "source": "R7 Agent"}
    uuid = device.smbios_uuid
    return [{"id": uuid.upper(), "source": source}, agent] if uuid else [agent]


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


# Findings ------------------------------------------------------------------------------------------------------------


class Weakness(NamedTuple):
    """A vulnerability of the product on a machine, at one place."""

    id: str
    key: str
    port: int | None
    first: datetime
    last: datetime
    is_open: bool
    severity: str


def weaknesses(view: View, entry: Listed) -> Iterator[Weakness]:
    """Of every state; an old installation of a rebuilt machine has none any more."""
    truth, device = view.truth, view.device(entry.device)
    if entry.generation < device.generation:
        return
    seen = last_seen(view, device, entry.generation)
    open_ports_only = bool(truth.quirks(device.index) & BLIND)
    for name, findings in checks(truth, device, view.day, open_ports_only=open_ports_only):
        one = findings[0]
        worst = max((truth.cve_catalogue[finding.cve] for finding in findings), key=lambda cve: cve.cvss)
        first = truth.moment(min(f.first_day for f in findings), "rapid7", one.id)
        last = seen if one.fixed_day is None else truth.moment(one.fixed_day, "rapid7", one.id)
        product = truth.software_catalogue[one.software]
        places = ("C:\\jre8\\lib", "C:\\jre8\\bin") if product.name == "jre" else (product.cpe,)
        for place in places:
            yield Weakness(name, place, one.port or None, first, last, one.is_open, SEVERITY[worst.severity])
    if device.is_server and truth.chance(0.3, "rapid7", "self signed", device.index):
        first = truth.moment(device.first_day, "rapid7", SELF_SIGNED, device.index)
        yield Weakness(SELF_SIGNED, "", 443, first, seen, True, "Moderate")
    if device.index % 50 == 0:
        first = truth.moment(device.first_day, "rapid7", UNDOCUMENTED, device.index)
        yield Weakness(UNDOCUMENTED, "", None, first, seen, True, "Moderate")


def checks(truth: Truth, device: Device, day: int, *, open_ports_only: bool) -> Iterator[tuple[str, Sequence[Finding]]]:
    """Findings by the vulnerability that reports them: an update of an operating system is one with several CVEs."""
    found: dict[str, list[Finding]] = {}
    for finding in truth.findings(device.index, day):
        if not open_ports_only or finding.port:
            found.setdefault(slug(truth, truth.cve_catalogue[finding.cve]), []).append(finding)
    yield from found.items()


def slug(truth: Truth, cve: Cve) -> str:
    software = truth.software_catalogue[cve.software]
    if software.is_os:
        return f"{software.vendor}-{software.name}-update-{cve.fixed_in}".replace("_", "-")
    return f"{software.vendor}-{software.name}-{cve.cve_id.lower()}".replace("_", "-")


def catalogue(truth: Truth) -> dict[str, list[Cve]]:
    """Vulnerability id -> its CVEs; one stands for none."""
    found: dict[str, list[Cve]] = {SELF_SIGNED: []}
    for cve in truth.cve_catalogue:
        found.setdefault(slug(truth, cve), []).append(cve)
    return found


# Cloud ---------------------------------------------------------------------------------------------------------------


def cloud_asset(view: View, entry: Listed, *, since: datetime | None, with_same: bool, severities: Any) -> Record:
    """An asset with its findings, compared with `since` where there is one."""
    truth, device = view.truth, view.device(entry.device)
    seen = stamp(last_seen(view, device, entry.generation))
    name, cards, blind = host_name(truth, device), macs(truth, device), truth.quirks(device.index) & BLIND
    groups: dict[str, list[Record]] = {"same": [], "new": [], "remediated": []}
    for weakness in weaknesses(view, entry):
        if severities is not None and weakness.severity not in severities:
            continue
        group = "new" if since is not None and weakness.first >= since else "same"
        if not weakness.is_open:
            if since is None or weakness.last < since:
                continue
            group = "remediated"
        if group != "same" or with_same:
            groups[group].append(cloud_finding(weakness))
    number = len(groups["same"]) + len(groups["new"])
    record: Record = {
        "id": cloud_id(view, entry),
        "ip": device.ip,
        "mac": cards[0] if cards else None,
        "assessed_for_policies": False,
        "assessed_for_vulnerabilities": True,
        "credential_assessments": [{"port": 445, "protocol": "TCP", "status": "NO_CREDS_SUPPLIED"}],
        "critical_vulnerabilities": number,
        "severe_vulnerabilities": 0,
        "moderate_vulnerabilities": 0,
        "total_vulnerabilities": number,
        "exploits": 0,
        "malware_kits": 0,
        "last_assessed_for_vulnerabilities": seen,
        "last_scan_start": seen,
        "last_scan_end": seen,
        "os_architecture": "x86_64",
        "os_description": None if blind else device.os_name,
        "os_family": "Windows" if device.is_windows else "Linux",
        "os_name": None if blind else device.os_platform,
        "os_system_name": "",
        "os_type": "",
        "os_vendor": "",
        "os_version": None if blind else device.os_version,
        "risk_score": 100.5 + truth.number("rapid7", "risk", entry.device) % 9000,
        "tags": [
            {"name": "rapid7 insight agents", "type": "SITE"},
            {"name": TAGS[device.criticality], "type": "CRITICALITY"},
        ],
        "type": "guest" if device.kind in ("virtual_machine", "cloud_vm") else "physical",
        "unique_identifiers": identifiers(view, entry, device),
        **groups,
    }
    # an asset without a name does not have the attribute
    return {"host_name": name, **record} if name else record


def cloud_finding(weakness: Weakness) -> Record:
    return {
        "check_id": None,
        "vulnerability_id": weakness.id,
        "key": weakness.key,
        "nic": None,
        "port": weakness.port,
        "protocol": "TCP" if weakness.port else None,
        "proof": "<p><p>Vulnerable software installed</p></p>",
        "first_found": weakness.first.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "last_found": stamp(weakness.last),
        "reintroduced": None,
        "solution_id": f"{weakness.id}-upgrade",
        "solution_summary": "Upgrade to the latest version",
        "solution_type": "workaround",
        "solution_fix": "<p>Upgrade</p>",
        "status": "VULNERABLE_EXPL" if weakness.port else "VULNERABLE_VERS",
    }


def cloud_vulnerability(truth: Truth, name: str, cves: list[Cve]) -> Record:
    """Comma-separated texts where one expects lists, and '' for none."""
    worst = max(cves, key=lambda cve: cve.cvss, default=None)
    published = stamp(truth.moment(min((c.published_day for c in cves), default=-900), "rapid7", name))
    return {
        "id": name,
        "title": worst.title if worst else name,
        "description": "<p>A weakness.</p>",
        "added": published,
        "modified": published,
        "published": published,
        "severity": SEVERITY[worst.severity].lower() if worst else "moderate",
        "severity_score": 8,
        "risk_score": 700.1,
        "cvss_v2_score": None,
        "cvss_v3_score": worst.cvss if worst else None,
        "cves": ",".join(cve.cve_id for cve in cves),
        "categories": "Microsoft,Patch" if cves else "",
        "references": "",
        "exploits": [{"id": "1", "source": "metasploit"}] if any(cve.exploit_available for cve in cves) else [],
        "malware_kits": [],
        "links": [],
        "denial_of_service": False,
    }


# Console -------------------------------------------------------------------------------------------------------------


def console_asset(view: View, entry: Listed) -> Record:
    truth, device = view.truth, view.device(entry.device)
    seen = last_seen(view, device, entry.generation)
    name, cards = host_name(truth, device), macs(truth, device)
    agent, blind = has_agent(truth, entry.device), bool(truth.quirks(device.index) & BLIND)
    first = stamp(truth.moment(device.first_day, "rapid7", device.index))
    total = sum(1 for weakness in weaknesses(view, entry) if weakness.is_open)
    record: Record = {
        "id": entry.number,
        "addresses": [{"ip": nic.ip, "mac": mac} for nic, mac in zip(device.nics, cards, strict=False)]
        or [{"ip": device.ip}],
        "history": [
            {"date": stamp(seen), "type": "AGENT-IMPORT" if agent else "SCAN", "version": 2},
            {"date": first, "type": "SCAN", "scanId": 7, "version": 1},
        ],
        "ids": identifiers(view, entry, device),
        "ip": device.ip,
        "os": None if blind else device.os_name,
        "osCertainty": "0.8",
        "osFingerprint": {"family": "Windows" if device.is_windows else "Linux", "version": device.os_version},
        "riskScore": 100.5 + truth.number("rapid7", "risk", entry.device) % 9000,
        "rawRiskScore": 100.5,
        "services": [],
        "software": console_software(view, device) if agent else [],
        "users": [{"id": 500, "name": "Administrator"}] if device.is_windows else [],
        "vulnerabilities": {"critical": total, "severe": 0, "moderate": 0, "total": total, "exploits": 0},
        "links": [],
    }
    if cards:
        record["mac"] = cards[0]
    if name:
        record |= {"hostName": name, "hostNames": [{"name": name, "source": "dns"}]}
    return record


def console_software(view: View, device: Device) -> list[Record]:
    catalogue = view.truth.software_catalogue
    return [
        {
            "id": item.software,
            "description": f"{catalogue[item.software].title} {item.version}",
            "product": catalogue[item.software].title,
            "vendor": catalogue[item.software].vendor,
            "version": item.version,
            "cpe": {
                "part": "a",
                "vendor": catalogue[item.software].vendor,
                "product": catalogue[item.software].name,
                "version": item.version,
                "v2.2": f"{catalogue[item.software].cpe}:{item.version}",
            },
        }
        for item in view.truth.software(device.index, view.day)
        if not catalogue[item.software].is_os
    ]


RESULTS = ("vulnerable", "vulnerable-version", "vulnerable-potential", "vulnerable-version-with-exception-applied")


def console_findings(view: View, entry: Listed) -> list[Record]:
    """Findings by vulnerability, its places as results. What was not found is listed too, as the vendor does."""
    grouped: dict[str, list[Weakness]] = {}
    for weakness in weaknesses(view, entry):
        if weakness.is_open:
            grouped.setdefault(weakness.id, []).append(weakness)
    found = [
        {
            "id": name,
            "instances": len(places),
            "since": stamp(min(place.first for place in places)),
            "status": "vulnerable",
            "results": [
                *(
                    {
                        "port": place.port or -1,
                        "protocol": "tcp",
                        "proof": "<p>Vulnerable software installed</p>",
                        "since": stamp(place.first),
                        "key": place.key,
                        "exceptions": [],
                        "status": RESULTS[entry.device % 4],
                    }
                    for place in places
                ),
                {"port": 1, "protocol": "tcp", "proof": "", "status": "not-vulnerable"},
            ],
        }
        for name, places in sorted(grouped.items())
    ]
    quiet = {"id": "something-that-is-not-there", "instances": 0, "status": "invulnerable", "results": []}
    return [*found, quiet] if found else []


def console_vulnerability(truth: Truth, name: str, cves: list[Cve]) -> Record:
    worst = max(cves, key=lambda cve: cve.cvss, default=None)
    published = truth.date(min((c.published_day for c in cves), default=-900)).isoformat()
    record: Record = {
        "id": name,
        "title": worst.title if worst else name,
        "added": published,
        "modified": published,
        "published": published,
        "severity": SEVERITY[worst.severity] if worst else "Moderate",
        "severityScore": 8,
        "riskScore": 700.1,
        "exploits": sum(cve.exploit_available for cve in cves),
        "malwareKits": 0,
        "categories": [],
        "links": [],
    }
    if worst:
        record |= {"cves": [cve.cve_id for cve in cves], "cvss": {"v2": {"score": 1.0}, "v3": {"score": worst.cvss}}}
    return record


# Answers -------------------------------------------------------------------------------------------------------------


def answer(view: View) -> Iterator[Answer]:
    truth, is_console = view.truth, view.instance.options.get("api") == "console"
    software: set[int] = set()
    for entry in all_listed(view):
        tags, device = truth.quirks(entry.device), view.device(entry.device)
        # a host known by its address alone is nobody's record: it must stay unassigned
        truth_id = "" if "ip_only_scan" in tags else truth.truth_id(Ref("device", entry.device))
        record_id = str(entry.number) if is_console else cloud_id(view, entry)
        yield Answer("device", record_id, truth_id, tags & SHOWN, evidence(view, entry, device))
        if is_console and has_agent(truth, entry.device):
            software.update(item["id"] for item in console_software(view, device))
    for product in (truth.software_catalogue[number] for number in sorted(software)):
        yield Answer("application", product.title.lower(), product.truth_id)


def evidence(view: View, entry: Listed, device: Device) -> frozenset[str]:
    ids = identifiers(view, entry, device)
    return machine_evidence(
        uuid=next((item["id"] for item in ids if item["source"] != "R7 Agent"), None),
        macs=macs(view.truth, device),
        names=[host_name(view.truth, device)],
    )
