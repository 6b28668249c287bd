"""Tenable Vulnerability Management, served through export jobs as the contract sheet describes them.

What may go wrong inside a job is told by `service.state`: "failed_chunks" ({"vulns": {2}}) are never ready, "job_ends"
({"assets": "ERROR"}) replaces FINISHED, "null_chunks" ({"assets": {1}}) answer with null.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from demo_estate.evidence import machine_evidence
from demo_estate.kit import Bucket, BucketState, ExportJob, Refusal, Request, Response, Route, Service
from demo_estate.lenses import Answer, Instance, Lens, View
from demo_estate.lenses.tenable.records import (
    DEFAULT_NETWORK,
    SHOWN,
    asset_ids,
    asset_record,
    covers,
    fate,
    finding_records,
    gone_at,
    has_agent,
    known_day,
    stamp,
    written_at,
)
from demo_estate.truth import Ref

#: Exports of one kind that may run at the same time.
MOST_JOBS = 10
LOOK_BACK = 30 * 86400
LAB_SITE = 7

ASSET_FILTERS = frozenset(
    "created_at updated_at terminated_at deleted_at first_scan_time last_authenticated_scan_time last_assessed is_deleted "
    "is_terminated is_licensed has_plugin_results servicenow_sysid last_scan_id network_id sources".split()
)
FINDING_FILTERS = frozenset(
    "since first_found last_found last_fixed indexed_at resurfaced_date state severity cve_id plugin_id plugin_family "
    "cidr_range network_id scan_uuid source vpr_score".split()
)


def credentials(view: View) -> dict[str, str]:
    truth, name = view.truth, view.instance.name
    return {"access_key": truth.hex_id(64, name, "access"), "secret_key": truth.hex_id(64, name, "secret")}


def authenticate(request: Request, service: Service) -> None:
    keys = dict(part.strip().split("=", 1) for part in request.header("X-ApiKeys").split(";") if "=" in part)
    good = service.credentials
    if keys.get("accessKey") != good["access_key"] or keys.get("secretKey") != good["secret_key"]:
        raise Refusal(401, "unauthorized", "Invalid credentials.")
    request.caller = keys["accessKey"]


NGINX = (
    "<html>\r\n<head><title>429 Too Many Requests</title></head>\r\n<body>\r\n"
    "<center><h1>429 Too Many Requests</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)


def error(request: Request, status: int, reason: str, message: str) -> Response:
    if status == 429:
        return Response(NGINX, 429, content_type="text/html")
    names = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 504: "Gateway Timeout"}
    return Response({"statusCode": status, "error": names.get(status, reason), "message": message}, status)


def retry_after(state: BucketState) -> Mapping[str, str]:
    return {} if state.allowed else {"retry-after": str(state.retry_after)}


# Starting an export --------------------------------------------------------------------------------------------------

Chunks = dict[int, Callable[[], Any]]


def start_assets(request: Request, service: Service) -> Any:
    body = request.json() or {}
    size = body.get("chunk_size")
    if not isinstance(size, int) or not 100 <= size <= 10000:
        raise Refusal(400, "bad_request", "chunk_size must be between 100 and 10000")
    filters = checked_filters(body, ASSET_FILTERS)
    indexes = [index for index in service.device_indexes() if asset_passes(service.view, index, filters)]
    return start_job(service, "assets", body, cut(indexes, size, partial(asset_chunk, service)))


def asset_passes(view: View, index: int, filters: Mapping[str, Any]) -> bool:
    state = fate(view, index)
    if filters.get("is_deleted", state == "deleted") != (state == "deleted"):
        return False
    if filters.get("is_terminated", state == "terminated") != (state == "terminated"):
        return False
    if filters.get("network_id", DEFAULT_NETWORK) != DEFAULT_NETWORK:
        return False
    times = {f"{state}_at": gone_at, "updated_at": written_at}
    return all(
        name not in filters or moment(view, view.device(index)).timestamp() >= filters[name]
        for name, moment in times.items()
    )


def asset_chunk(service: Service, indexes: list[int]) -> Any:
    view = service.view
    return [
        asset_record(view, device, asset_id, generation)
        for device in map(view.device, indexes)
        for asset_id, generation in asset_ids(view, device)
    ]


def start_findings(request: Request, service: Service) -> Any:
    body = request.json() or {}
    filters = checked_filters(body, FINDING_FILTERS)
    times = {"first_found", "last_found", "last_fixed"} & set(filters)
    if "since" in filters and times:
        raise Refusal(400, "bad_request", f"since cannot be combined with {', '.join(sorted(times))}")
    # without a time filter the product looks back thirty days only
    since = float(filters.get("since", service.truth.as_of(service.day).timestamp() - LOOK_BACK))
    indexed = float(filters.get("indexed_at", 0))
    states = frozenset(state.upper() for state in filters.get("state", ["OPEN", "REOPENED"]))
    # out of range is clamped here, where the asset export refuses it
    size = min(max(int(body.get("num_assets", 50)), 50), 5000)
    indexes = [index for index in service.device_indexes() if fate(service.view, index) == "listed"]
    return start_job(
        service, "vulns", body, cut(indexes, size, partial(finding_chunk, service, since, indexed, states))
    )


def finding_chunk(service: Service, since: float, indexed: float, states: frozenset[str], indexes: list[int]) -> Any:
    view = service.view
    limit, indexed_limit = (stamp(datetime.fromtimestamp(moment, UTC)) for moment in (since, indexed))
    return [
        record
        for device in map(view.device, indexes)
        for record in finding_records(view, device)
        if record["state"] in states and record["last_found"] >= limit and record["indexed"] >= indexed_limit
    ]


def cut(indexes: list[int], size: int, make: Callable[[list[int]], Any]) -> Chunks:
    """Chunks that are made when they are fetched. Their ids have gaps."""
    starts = range(0, len(indexes), size)
    return {
        number * 3 // 2: partial(make, indexes[start : start + size]) for number, start in enumerate(starts, start=1)
    }


def checked_filters(body: Mapping[str, Any], known: frozenset[str]) -> Mapping[str, Any]:
    filters: Mapping[str, Any] = body.get("filters") or {}
    unknown = [name for name in filters if name not in known and not name.startswith("tag.")]
    if unknown:
        raise Refusal(400, "bad_request", f"filter not supported: {', '.join(unknown)}")
    return filters


def start_job(service: Service, kind: str, body: Mapping[str, Any], chunks: Chunks) -> Any:
    """A new job, or the refusal of a second one of the same request: 409 for findings, 429 with a text for assets."""
    running = service.exports.running(kind, body)
    if running is not None and kind == "vulns":
        reason = "The request could not be completed due to a conflict with the ongoing export"
        return Response({"active_job_id": running.id, "failure_reason": reason}, 409)
    if running is not None:
        text = (
            "Duplicate export not allowed. Please modify request or wait until existing export is complete "
            f"(job_uuid={running.id} container_uuid={service.truth.guid('tenable', 'container')} createdAt=0)"
        )
        return Response({"status": 429, "message": text}, 429)
    open_jobs = [job for job in service.exports.all() if job.kind == kind and job.status in ("QUEUED", "PROCESSING")]
    if len(open_jobs) >= MOST_JOBS:
        raise Refusal(429, "throttled", "too many exports", {"retry-after": "30"})
    job_id = service.truth.guid(service.name, kind, len(service.exports.all()), service.day)
    # the last ones are ready first
    job = service.exports.start(job_id, kind, body, chunks, sorted(chunks, reverse=True))
    job.failed_chunks |= service.state.get("failed_chunks", {}).get(kind, set())
    return {"export_uuid": job_id}


# Following it --------------------------------------------------------------------------------------------------------


def find_job(job: ExportJob | None, kind: str) -> ExportJob | None:
    return job if job is not None and job.kind == kind else None


def status(kind: str, request: Request, service: Service) -> Any:
    job = find_job(service.exports.poll(request.path_args["job"]), kind)
    if job is None:
        return Response({"status": 404, "message": "Export expired or not found"}, 404)
    state = job.status
    ends = service.state.get("job_ends", {}).get(kind)
    answer: dict[str, Any] = {"status": ends if ends and state == "FINISHED" else state}
    if ends == "ERROR" and state == "FINISHED":
        answer["reason"] = "Export failed, please contact support"
    if kind == "vulns":
        answer |= counts(job)
    elif state != "QUEUED":
        answer["chunks_available"] = job.available
        if job.failed_chunks:
            answer["chunks_failed"] = sorted(job.failed_chunks)
    return answer


def counts(job: ExportJob) -> dict[str, Any]:
    return {
        "uuid": job.id,
        "chunks_available": job.available,
        "chunks_failed": sorted(job.failed_chunks) if job.status == "FINISHED" else [],
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
    job = find_job(service.exports.find(request.path_args["job"]), kind)
    if job is None:
        return Response({"status": 404, "message": "Export expired or not found"}, 404)
    text = request.path_args["chunk"]
    number = int(text) if text.isdecimal() else -1
    if number not in job.chunks:
        return Response({"error": "Chunk does not exist"}, 404)
    if number not in job.available:
        raise Refusal(400, "bad_request", "Chunk is not ready")
    records = None if number in service.state.get("null_chunks", {}).get(kind, ()) else job.chunks[number]()
    if kind == "vulns":
        # findings come as a file to download
        disposition = {"Content-Disposition": f'attachment; filename="{number}.json"'}
        return Response(records, headers=disposition, content_type="application/octet-stream")
    return Response(records)


def cancel(kind: str, request: Request, service: Service) -> Any:
    job = find_job(service.exports.cancel(request.path_args["job"]), kind)
    if job is None:
        return Response({"status": 404, "message": "Export expired or not found"}, 404)
    return {"status": "CANCELLED"}


def jobs(kind: str, request: Request, service: Service) -> Any:
    return {"exports": [{"uuid": job.id, "status": job.status} for job in service.exports.all() if job.kind == kind]}


def routes_of(kind: str, start: Callable[[Request, Service], Any]) -> list[Route]:
    base = f"/{kind}/export"
    return [
        Route("POST", base, start, bucket="api"),
        Route("GET", f"{base}/status", partial(jobs, kind), bucket="api"),
        Route("GET", f"{base}/{{job}}/status", partial(status, kind), bucket="api"),
        Route("GET", f"{base}/{{job}}/chunks/{{chunk}}", partial(chunk, kind), bucket="api"),
        Route("POST", f"{base}/{{job}}/cancel", partial(cancel, kind), bucket="api"),
    ]


def answer(view: View) -> Iterator[Answer]:
    software: set[int] = set()
    for index in view.device_indexes():
        tags = view.truth.quirks(index)
        # a host known by its address alone is nobody's record: it must stay unassigned
        truth_id = "" if "ip_only_scan" in tags else view.truth.truth_id(Ref("device", index))
        device = view.device(index)
        for asset_id, generation in asset_ids(view, device):
            yield Answer(
                "device", asset_id, truth_id, tags & SHOWN, evidence(asset_record(view, device, asset_id, generation))
            )
        if has_agent(view.truth, index) and fate(view, index) == "listed":
            software.update(item.software for item in view.truth.software(index, known_day(view, device)))
    for product in (view.truth.software_catalogue[number] for number in sorted(software)):
        if product.cpe.startswith("cpe:/a:"):
            vendor, name = (text.replace("_", " ") for text in (product.vendor, product.name))
            yield Answer("application", f"{vendor}-_-{name}", product.truth_id)


def evidence(record: Mapping[str, Any]) -> frozenset[str]:
    return machine_evidence(
        uuid=record["bios_uuid"],
        macs=record["mac_addresses"],
        names=[*record["hostnames"], *record["agent_names"], *record["netbios_names"], *record["fqdns"]],
        ids=[record["azure_vm_id"], record["aws_ec2_instance_id"], record["gcp_instance_id"]],
    )


LENS = Lens(
    product="tenable",
    routes=[*routes_of("assets", start_assets), *routes_of("vulns", start_findings)],
    answer=answer,
    credentials=credentials,
    covers=covers,
    retention=60,
    authenticate=authenticate,
    error=error,
    buckets=lambda: {"api": Bucket(600, 60, retry_after)},
    rows=lambda body: body if isinstance(body, list) else None,
    instances=(
        Instance("tenable_prod"),
        # a container of its own that a laboratory runs; the production one scans it as well
        Instance("tenable_lab", sites=frozenset({LAB_SITE}), by_default=False),
    ),
)
