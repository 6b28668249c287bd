"""Tenable Vulnerability Management: what a scanner and its agents see, served through export jobs.

Shapes and mechanics follow the contract sheet (recorded and documented answers): flat assets with every key present,
vulnerability records that omit what is empty, chunks out of order, upper-case BIOS UUIDs in vulnerabilities only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from demo_estate.kit import Bucket, ExportJob, Refusal, Request, Response, Route, Service
from demo_estate.kit.buckets import BucketState
from demo_estate.lenses import Answer, Instance, Lens, View
from demo_estate.quirks import generic_name, spell_mac, swap_uuid_bytes
from demo_estate.truth import Device, Truth

#: Share of each kind that an agent or a scan reaches; the rest the scanner never sees.
COVERAGE: Mapping[str, float] = {
    "laptop": 0.8,
    "desktop": 0.8,
    "server": 0.9,
    "virtual_machine": 0.88,
    "cloud_vm": 0.85,
    "domain_controller": 1.0,
    "printer": 0.5,
    "network_device": 0.6,
    "iot": 0.25,
}
AGENT_KINDS = frozenset({"laptop", "desktop", "server", "virtual_machine", "cloud_vm", "domain_controller"})
DEFAULT_NETWORK = "00000000-0000-0000-0000-000000000000"


def covers(truth: Truth, index: int) -> bool:
    return truth.chance(COVERAGE.get(truth.device_kind(index), 0.0), "tenable", "covers", index)


def credentials(view: View) -> dict[str, str]:
    truth, name = view.truth, view.instance.name
    return {"access_key": truth.hex_id(64, name, "access"), "secret_key": truth.hex_id(64, name, "secret")}


def authenticate(request: Request, service: Service) -> None:
    keys = dict(part.strip().split("=", 1) for part in request.header("X-ApiKeys").split(";") if "=" in part)
    good = service.credentials
    if keys.get("accessKey") != good["access_key"] or keys.get("secretKey") != good["secret_key"]:
        raise Refusal(401, "unauthorized", "Invalid credentials.")
    request.caller = keys["accessKey"]


def error(request: Request, status: int, reason: str, message: str) -> Response:
    if status == 429 and reason == "throttled":
        page = "<html><head><title>429 Too Many Requests</title></head><body><center>nginx</center></body></html>"
        return Response(page, 429, content_type="text/html")
    names = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found"}
    return Response({"statusCode": status, "error": names.get(status, reason), "message": message}, status)


def retry_after(state: BucketState) -> Mapping[str, str]:
    return {} if state.allowed else {"retry-after": str(state.retry_after)}


# Records -----------------------------------------------------------------------------------------------------------


def asset_ids(view: View, device: Device) -> list[tuple[str, int]]:
    """(asset id, agent generation) of a device: a rebuilt one is listed twice, under its old agent and its new one."""
    truth, name = view.truth, view.instance.name
    newest = (truth.guid(name, "asset", device.index, device.generation), device.generation)
    if device.generation > 0 and has_agent(truth, device):
        return [(truth.guid(name, "asset", device.index, 0), 0), newest]
    return [newest]


def has_agent(truth: Truth, device: Device) -> bool:
    return device.kind in AGENT_KINDS and "ip_only_scan" not in truth.quirks(device.index)


def asset_record(view: View, device: Device, asset_id: str, generation: int) -> dict[str, Any]:
    """One asset as the v1 export gives it."""
    truth, index = view.truth, device.index
    quirks = truth.quirks(index)
    agent = has_agent(truth, device)
    blind = "ip_only_scan" in quirks
    seen = truth.last_activity(index, view.day, "tenable")
    if generation < device.generation and device.rebuild_day is not None:
        seen = truth.moment(device.rebuild_day - 1, "tenable", index)
    first = truth.moment(device.first_day, "tenable", index)
    macs = [] if blind else [spell_mac(mac, "colon") for mac in device.macs]
    if device.kind in ("laptop", "server") and "nic_swapped" in quirks and device.old_mac:
        macs = [device.old_mac, *macs[1:]]
    name = host_name(truth, device)
    cloud = device.cloud
    gone = device.last_day is not None and device.last_day < view.day
    interfaces = [
        {
            "name": nic.name,
            "virtual": None,
            "aliased": None,
            "fqdns": [],
            "mac_addresses": [nic.mac],
            "ipv4s": [nic.ip] if nic.ip else [],
            "ipv6s": [],
        }
        for nic in device.nics
    ]
    # the same card is listed a second time without its name
    interfaces += [{**interface, "name": "UNKNOWN"} for interface in interfaces[:1]]
    return {
        "id": asset_id,
        "has_agent": agent,
        "has_plugin_results": True,
        "created_at": stamp(first),
        "terminated_at": stamp(seen) if gone and cloud else None,
        "terminated_by": None,
        "updated_at": stamp(seen),
        "deleted_at": stamp(seen) if gone and not cloud else None,
        "deleted_by": None,
        "first_seen": stamp(first),
        "last_seen": stamp(seen),
        "first_scan_time": stamp(first),
        "last_scan_time": stamp(seen),
        "last_authenticated_scan_date": stamp(seen) if agent else None,
        "last_licensed_scan_date": stamp(seen),
        "last_scan_id": truth.guid("tenable", "scan", view.day),
        "network_id": DEFAULT_NETWORK,
        "network_name": "Default",
        "azure_vm_id": cloud.instance_id if cloud and cloud.provider == "azure" else None,
        "azure_resource_id": cloud.resource_id.lower() if cloud and cloud.provider == "azure" else None,
        "aws_ec2_instance_id": cloud.instance_id if cloud and cloud.provider == "aws" else None,
        "aws_owner_id": cloud.account_id if cloud and cloud.provider == "aws" else None,
        "gcp_instance_id": cloud.instance_id if cloud and cloud.provider == "gcp" else None,
        "gcp_project_id": cloud.account_id if cloud and cloud.provider == "gcp" else None,
        "agent_uuid": truth.agent_id("tenable", index, view.day, generation) if agent else None,
        "bios_uuid": bios_uuid(truth, device) if agent else None,
        "servicenow_sysid": None,
        "agent_names": [name] if agent and name else [],
        "installed_software": software_cpes(view, device) if agent else [],
        "ipv4s": list(device.ips),
        "ipv6s": [],
        "fqdns": [device.fqdn] if device.fqdn and not blind and uses_fqdn(truth, device) else [],
        "mac_addresses": macs,
        "netbios_names": [name.upper()[:15]] if name and agent and device.is_windows else [],
        "hostnames": [name] if name and not blind else [],
        "operating_systems": [device.os_name] if device.os_name and not blind else [],
        "system_types": [system_type(device)],
        "ssh_fingerprints": [],
        "sources": [
            {"name": "NESSUS_AGENT" if agent else "NESSUS_SCAN", "first_seen": stamp(first), "last_seen": stamp(seen)}
        ],
        "tags": [
            {
                "uuid": truth.guid("tenable", "tag", device.environment),
                "key": "Env",
                "value": device.environment,
                "added_by": truth.guid("tenable", "admin"),
                "added_at": stamp(first),
            }
        ],
        "network_interfaces": [] if blind else interfaces,
        # one field, four spellings
        "acr_score": (
            f"{9 - 2 * device.criticality}",
            f"{9 - 2 * device.criticality}.0",
            9 - 2 * device.criticality,
            None,
        )[index % 4],
        "exposure_score": str(200 + truth.number("aes", index) % 700),
    }


def host_name(truth: Truth, device: Device) -> str | None:
    if "ip_only_scan" in truth.quirks(device.index):
        return None
    if "generic_name" in truth.quirks(device.index):
        return generic_name(device.kind, device.index)
    return device.hostname


def uses_fqdn(truth: Truth, device: Device) -> bool:
    quirks = truth.quirks(device.index)
    return not quirks & {"short_name", "generic_name", "ambiguous_short_name"}


def bios_uuid(truth: Truth, device: Device) -> str | None:
    if device.smbios_uuid and "byte_swapped_uuid" in truth.quirks(device.index):
        return swap_uuid_bytes(device.smbios_uuid)
    return device.smbios_uuid


def system_type(device: Device) -> str:
    if device.kind == "printer":
        return "printer"
    if device.kind == "network_device":
        return "switch"
    return f"{device.cloud.provider}-instance" if device.cloud else "general-purpose"


def software_cpes(view: View, device: Device) -> list[str]:
    catalogue = view.truth.software_catalogue
    return [f"{catalogue[item.software].cpe}:{item.version}" for item in view.truth.software(device.index, view.day)]


def vulnerability_records(view: View, device: Device, since: float, states: frozenset[str]) -> Iterator[dict[str, Any]]:
    """Findings of one host; empty attributes are left out, as the product does."""
    truth = view.truth
    asset_id = asset_ids(view, device)[-1][0]
    agent = has_agent(truth, device)
    seen = truth.last_activity(device.index, view.day, "tenable")
    for finding in truth.findings(device.index, view.day):
        state = "OPEN" if finding.is_open else "FIXED"
        last = (
            seen
            if finding.is_open or finding.fixed_day is None
            else truth.moment(finding.fixed_day, "tenable", finding.id)
        )
        if state not in states or last.timestamp() < since:
            continue
        cve = truth.cve_catalogue[finding.cve]
        software = truth.software_catalogue[finding.software]
        record: dict[str, Any] = {
            "asset": without_empty(
                {
                    "uuid": asset_id,
                    "agent_uuid": truth.agent_id("tenable", device.index, view.day) if agent else None,
                    "bios_uuid": (bios_uuid(truth, device) or "").upper() if agent else None,
                    "device_type": system_type(device),
                    "hostname": host_name(truth, device),
                    "fqdn": device.fqdn if uses_fqdn(truth, device) else None,
                    "ipv4": device.ips[0] if device.ips else None,
                    "mac_address": device.macs[0].upper() if device.macs else None,
                    "operating_system": [device.os_name] if device.os_name else None,
                    "network_id": DEFAULT_NETWORK,
                    "tracked": True,
                }
            ),
            "finding_id": truth.guid(view.instance.name, "finding", finding.id),
            "output": f"Path : {software.title}\nInstalled version : {finding.version}\n",
            "plugin": without_empty(
                {
                    "id": cve.plugin_id,
                    "name": cve.title,
                    "family": "Windows" if device.is_windows else "General",
                    "cve": [cve.cve_id],
                    "cpe": [software.cpe],
                    "cvss3_base_score": cve.cvss,
                    "cvss3_vector": {"raw": cve.vector},
                    "vpr": {"score": min(10.0, round(cve.cvss * 0.9, 1))},
                    "epss_score": round(cve.epss * 100, 3),
                    "exploit_available": cve.exploit_available,
                    "has_patch": True,
                    "risk_factor": cve.severity.capitalize(),
                    "solution": cve.solution,
                    "vuln_publication_date": stamp(truth.moment(cve.published_day, "cve", cve.index)),
                    "publication_date": stamp(truth.moment(cve.published_day, "plugin", cve.index)),
                }
            ),
            "port": {"port": finding.port, "protocol": finding.protocol.upper()},
            "scan": {"uuid": truth.guid("tenable", "scan", view.day), "started_at": stamp(seen)},
            "severity": cve.severity,
            "severity_id": {"critical": 4, "high": 3, "medium": 2, "low": 1}[cve.severity],
            "severity_modification_type": "NONE",
            "first_found": stamp(truth.moment(finding.first_day, "tenable", finding.id)),
            "last_found": stamp(last),
            "state": state,
            "indexed": stamp(last),
            "source": "AGENT" if agent else "NESSUS",
        }
        if state == "FIXED":
            record["last_fixed"] = stamp(last)
        yield record


def without_empty(record: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if value not in (None, "", [], {})}


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


# Export jobs -------------------------------------------------------------------------------------------------------

ASSET_FILTERS = frozenset(
    "created_at updated_at terminated_at deleted_at first_scan_time last_authenticated_scan_time last_assessed is_deleted "
    "is_terminated is_licensed has_plugin_results servicenow_sysid last_scan_id network_id sources".split()
)
VULNERABILITY_FILTERS = frozenset(
    "since first_found last_found last_fixed indexed_at resurfaced_date state severity cve_id plugin_id plugin_family "
    "cidr_range network_id scan_uuid source vpr_score".split()
)


def start_assets(request: Request, service: Service) -> Any:
    body = request.json() or {}
    size = body.get("chunk_size")
    if not isinstance(size, int) or not 100 <= size <= 10000:
        raise Refusal(400, "bad_request", "chunk_size must be between 100 and 10000")
    filters = checked_filters(body, ASSET_FILTERS)
    indexes = [i for i in service.device_indexes() if asset_passes(service.view.device(i), service.day, filters)]
    chunks = {
        number: partial(asset_chunk, service, indexes[start : start + size])
        for number, start in enumerate(range(0, len(indexes), size), 1)
    }
    return start_job(service, "assets", body, chunks)


def asset_passes(device: Device, day: int, filters: Mapping[str, Any]) -> bool:
    gone = device.last_day is not None and device.last_day < day
    terminated, deleted = gone and device.cloud is not None, gone and device.cloud is None
    wanted = filters.get("network_id")
    return (
        filters.get("is_deleted", deleted) == deleted
        and filters.get("is_terminated", terminated) == terminated
        and (wanted is None or wanted == DEFAULT_NETWORK)
    )


def asset_chunk(service: Service, indexes: list[int]) -> Any:
    view = service.view
    return [
        asset_record(view, device, asset_id, generation)
        for device in map(view.device, indexes)
        for asset_id, generation in asset_ids(view, device)
    ]


def start_vulnerabilities(request: Request, service: Service) -> Any:
    body = request.json() or {}
    filters = checked_filters(body, VULNERABILITY_FILTERS)
    times = {"first_found", "last_found", "last_fixed"} & set(filters)
    if "since" in filters and times:
        raise Refusal(400, "bad_request", f"since cannot be combined with {', '.join(sorted(times))}")
    # without a time filter the product looks back thirty days only
    since = float(filters.get("since", service.truth.as_of(service.day).timestamp() - 30 * 86400))
    states = frozenset(state.upper() for state in filters.get("state", ["OPEN", "REOPENED"]))
    size = min(max(int(body.get("num_assets", 50)), 50), 5000)
    indexes = service.device_indexes()
    chunks = {
        number: partial(vulnerability_chunk, service, list(indexes[start : start + size]), since, states)
        for number, start in enumerate(range(0, len(indexes), size), 1)
    }
    return start_job(service, "vulns", body, chunks)


def vulnerability_chunk(service: Service, indexes: list[int], since: float, states: frozenset[str]) -> Any:
    view = service.view
    return [record for index in indexes for record in vulnerability_records(view, view.device(index), since, states)]


def checked_filters(body: Mapping[str, Any], known: frozenset[str]) -> Mapping[str, Any]:
    filters: Mapping[str, Any] = body.get("filters") or {}
    unknown = [name for name in filters if name not in known and not name.startswith("tag.")]
    if unknown:
        raise Refusal(400, "bad_request", f"filter not supported: {', '.join(unknown)}")
    return filters


def start_job(service: Service, kind: str, body: Mapping[str, Any], chunks: dict[int, Any]) -> Any:
    running = service.exports.running(kind, body)
    if running is not None:
        if kind == "vulns":
            reason = "The request could not be completed due to a conflict with the ongoing export"
            return Response({"active_job_id": running.id, "failure_reason": reason}, 409)
        text = (
            "Duplicate export not allowed. Please modify request or wait until existing export is complete "
            f"(job_uuid={running.id} container_uuid={service.truth.guid('tenable', 'container')} createdAt=0)"
        )
        return Response({"status": 429, "message": text}, 429)
    job_id = service.truth.guid(service.name, kind, len(service.exports.all()), service.day)
    # chunks become available from both ends
    order = sorted(chunks, key=lambda number: (number % 2, number))
    service.exports.start(job_id, kind, body, chunks, order)
    return {"export_uuid": job_id}


def status(kind: str, request: Request, service: Service) -> Any:
    job = service.exports.poll(request.path_args["job"])
    if job is None or job.kind != kind:
        return Response({"status": 404, "message": "Export expired or not found"}, 404)
    answer: dict[str, Any] = {"status": job.status}
    if kind == "vulns":
        answer |= vulnerability_status(job)
    elif job.status != "QUEUED":
        answer["chunks_available"] = job.available
    return answer


def vulnerability_status(job: ExportJob) -> dict[str, Any]:
    return {
        "uuid": job.id,
        "chunks_available": job.available,
        "chunks_failed": sorted(job.failed_chunks),
        "chunks_cancelled": [],
        "total_chunks": len(job.chunks),
        "chunks_available_count": len(job.available),
        "empty_chunks_count": 0,
        "finished_chunks": len(job.available),
        "filters": job.parameters.get("filters", {}),
        "num_assets_per_chunk": job.parameters.get("num_assets", 50),
        "created": int(job.created_at * 1000),
    }


def chunk(kind: str, request: Request, service: Service) -> Any:
    job = service.exports.find(request.path_args["job"])
    if job is None or job.kind != kind:
        return Response({"status": 404, "message": "Export expired or not found"}, 404)
    number = int(request.path_args["chunk"]) if request.path_args["chunk"].isdigit() else -1
    if number not in job.chunks:
        return Response({"error": "Chunk does not exist"}, 404)
    if number not in job.available:
        raise Refusal(400, "bad_request", "Chunk is not ready")
    records = job.chunks[number]()
    return Response(records, headers={"Content-Disposition": "attachment"} if kind == "vulns" else {})


def jobs(kind: str, request: Request, service: Service) -> Any:
    return {"exports": [{"uuid": job.id, "status": job.status} for job in service.exports.all() if job.kind == kind]}


def routes_of(kind: str, start: Any) -> list[Route]:
    base = f"/{kind}/export"
    return [
        Route("POST", base, start, bucket="api"),
        Route("GET", f"{base}/status", partial(jobs, kind), bucket="api"),
        Route("GET", f"{base}/{{job}}/status", partial(status, kind), bucket="api"),
        Route("GET", f"{base}/{{job}}/chunks/{{chunk}}", partial(chunk, kind), bucket="api"),
    ]


def answer(view: View) -> Iterator[Answer]:
    for device in view.devices():
        tags = view.truth.quirks(device.index)
        for asset_id, _ in asset_ids(view, device):
            # a host known by its address alone is nobody's record: it must stay unassigned
            truth_id = "" if "ip_only_scan" in tags else device.truth_id
            yield Answer("device", asset_id, truth_id, tags)


LENS = Lens(
    product="tenable",
    routes=[*routes_of("assets", start_assets), *routes_of("vulns", start_vulnerabilities)],
    answer=answer,
    credentials=credentials,
    covers=covers,
    retention=30,
    authenticate=authenticate,
    error=error,
    buckets=lambda: {"api": Bucket(600, 60, retry_after)},
    instances=(Instance("tenable_prod"),),
)
