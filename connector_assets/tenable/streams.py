"""Tenable's streams: three asset exports (seen, deleted, terminated) and one of vulnerabilities."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from connector_assets.kit import (
    Api,
    ConnectorError,
    Incremental,
    JobState,
    Page,
    Record,
    RetryLater,
    Stream,
    UnexpectedContent,
    export_job,
    records_of,
)

#: The first chunks of a small container are ready in a moment, those of a large one take minutes.
POLL_SECONDS = (0.2, 0.4, 0.8, 1.5, 3, 6, 15, 30)
#: Records that are landed as one page; a chunk of findings may hold a hundred times as many.
PAGE_RECORDS = 500
#: Results of a scan show up some minutes after it ended, agents send theirs when they are back.
OVERLAP = timedelta(hours=1)
#: They name what is gone, as far back as the window.
GONE = ("deleted_assets", "terminated_assets")
#: Groups of an asset's members in the second version of the export.
GROUPS = ("timestamps", "network", "scan")
#: The vendor needs a moment before it knows the job whose start it did not answer.
AFTER_GATEWAY_TIMEOUT = 5.0

ASSET_FIELDS: dict[str, Any] = {
    "id": "text",
    "has_agent": "boolean",
    "has_plugin_results": "boolean",
    "created_at": "timestamp",
    "updated_at": "timestamp",
    "deleted_at": "timestamp",
    "terminated_at": "timestamp",
    "first_seen": "timestamp",
    "last_seen": "timestamp",
    "last_authenticated_scan_date": "timestamp",
    "last_licensed_scan_date": "timestamp",
    "network_id": "text",
    "network_name": "text",
    "azure_vm_id": "text",
    "azure_resource_id": "text",
    "aws_ec2_instance_id": "text",
    "aws_owner_id": "text",
    "aws_region": "text",
    "gcp_instance_id": "text",
    "gcp_project_id": "text",
    "agent_uuid": "text",
    "bios_uuid": "text",
    "servicenow_sysid": "text",
    "serial_number": "text",
    "agent_names": ["text"],
    "installed_software": ["text"],
    "ipv4s": ["text"],
    "ipv6s": ["text"],
    "fqdns": ["text"],
    "mac_addresses": ["text"],
    "netbios_names": ["text"],
    "hostnames": ["text"],
    "operating_systems": ["text"],
    "system_types": ["text"],
    "sources": [{"name": "text"}],
    "tags": [{"key": "text", "value": "text"}],
    "network_interfaces": "json",
    "acr_score": "number",
    "exposure_score": "number",
    # the same scores under newer names
    "ratings": {"acr": {"score": "number"}, "aes": {"score": "number"}},
}

# the host's own attributes are those of the asset export, in another spelling: only its id is needed here
VULNERABILITY_FIELDS: dict[str, Any] = {
    "finding_id": "text",
    "asset": {"uuid": "text"},
    "plugin": {
        "id": "integer",
        "name": "text",
        "family": "text",
        "cve": ["text"],
        "cvss3_base_score": "number",
        "cvss_base_score": "number",
        "vpr": {"score": "number"},
        "epss_score": "number",
        "exploit_available": "boolean",
        "solution": "text",
        "publication_date": "text",
        "vuln_publication_date": "text",
    },
    "port": {"port": "integer", "protocol": "text", "service": "text"},
    "severity": "text",
    "severity_id": "integer",
    "state": "text",
    "first_found": "timestamp",
    "last_found": "timestamp",
    "last_fixed": "timestamp",
    "source": "text",
}


def assets(api: Api) -> Iterator[Page]:
    """Every asset the user may see, without those deleted or terminated; or those changed since."""
    if api.since is None:
        return asset_export(api, {"is_deleted": False, "is_terminated": False})
    whole_container_only(api)
    api.remove(gone_assets(api))
    return asset_export(api, {"is_deleted": False, "is_terminated": False, "updated_at": seconds(api.since)})


def deleted_assets(api: Api) -> Iterator[Page]:
    """Assets deleted within the window."""
    return asset_export(api, {"is_deleted": True, **since(api, "deleted_at")})


def terminated_assets(api: Api) -> Iterator[Page]:
    """Cloud assets terminated within the window."""
    return asset_export(api, {"is_terminated": True, **since(api, "terminated_at")})


def asset_export(api: Api, filters: dict[str, Any]) -> Iterator[Page]:
    if api.options.network_id:
        filters["network_id"] = api.options.network_id
    for page in chunks(api, "assets", {"chunk_size": api.options.chunk_size, "filters": filters}):
        for record in page.records:
            if isinstance(record, dict):
                ungroup(record)
        yield page


def ungroup(asset: Record) -> None:
    """Put what an asset of the export's second version holds in groups under the names of the first."""
    for name in GROUPS:
        for key, value in part(asset, name).items():
            asset.setdefault(key, value)
    for provider, machine in part(asset, "cloud").items():
        for key, value in machine.items() if isinstance(machine, dict) else ():
            asset.setdefault(key if key.startswith(f"{provider}_") else f"{provider}_{key}", value)


def gone_assets(api: Api) -> set[str]:
    """Ids of the assets deleted or terminated within the window, as landed earlier in this sync."""
    return {str(record.get("id")) for stream in GONE for record in api.records(stream)}


def whole_container_only(api: Api) -> None:
    """An asset that moves to another network is not told: with a filter on one, everything is asked for."""
    if api.options.network_id:
        api.ask_for_everything("with the option network_id, assets that leave the network are not named")


def vulnerabilities(api: Api) -> Iterator[Page]:
    """Findings seen or fixed within the window; without a time filter the vendor gives thirty days only.

    Changes are asked for by the time at which the vendor wrote them down: by the time of the scan, which its other filters
    go by, what is still being worked on when a sync comes would never be read. Findings of an asset go with it.
    """
    filters: dict[str, Any] = {"state": ["OPEN", "REOPENED", "FIXED"], **since(api, "since")}
    if api.since is not None:
        whole_container_only(api)
        filters["indexed_at"] = seconds(api.since)
        api.remove(gone_assets(api), "asset.uuid")
    if api.options.network_id:
        filters["network_id"] = api.options.network_id
    body = {
        "num_assets": api.options.assets_per_chunk,
        "include_unlicensed": api.options.include_unlicensed,
        "filters": filters,
    }
    without_cve = 0
    for page in chunks(api, "vulns", body):
        kept = [with_id(record) for record in page.records]
        others = [record for record in kept if is_without_cve(record)]
        without_cve += len(others)
        if others and api.options.cve_findings_only:
            kept = [record for record in kept if not is_without_cve(record)]
            if api.since is not None:
                # a check may lose its CVE
                api.remove(str(record.get("finding_id")) for record in others if isinstance(record, dict))
        yield Page(kept, page.scope, page.cursor)
    if without_cve:
        fate = "left out (option cve_findings_only)" if api.options.cve_findings_only else "kept"
        api.note(f"{without_cve} findings stand for no CVE and are {fate}")


def is_without_cve(record: Any) -> bool:
    check = record.get("plugin") if isinstance(record, dict) else None
    return not (isinstance(check, dict) and check.get("cve"))


def with_id(record: Any) -> Any:
    """The record with an id of its own where the vendor sends none (older exports): host, check, port."""
    if not isinstance(record, dict) or record.get("finding_id"):
        return record
    host, check, port = (part(record, name) for name in ("asset", "plugin", "port"))
    if not host.get("uuid") or not check.get("id"):
        return record
    key = (host["uuid"], check["id"], port.get("port", 0), port.get("protocol", ""))
    return {**record, "finding_id": "-".join(map(str, key))}


def part(record: Any, name: str) -> Mapping[str, Any]:
    """A nested object of a record; empty where it is anything else, which landing then judges."""
    value = record.get(name) if isinstance(record, dict) else None
    return value if isinstance(value, dict) else {}


def since(api: Api, name: str) -> dict[str, int]:
    """A filter in unix seconds: the window's start, or all of time."""
    start: datetime | None = api.window_start
    return {name: seconds(start) if start else 0}


def seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def chunks(api: Api, kind: str, body: dict[str, Any]) -> Iterator[Page]:
    """One export job of a kind (assets, vulns).

    A chunk is cut into several pages: findings are wide, and what is typed at once must fit into memory.
    """
    pages = export_job(
        api,
        start=partial(start_job, api, kind, body),
        status=partial(job_state, api, kind),
        fetch=lambda job, chunk: records_of(api.get(f"/{kind}/export/{job}/chunks/{chunk}"), None, f"{kind} export"),
        adopt=running_job,
        poll_seconds=POLL_SECONDS,
    )
    for page in pages:
        for start in range(0, len(page.records) or 1, PAGE_RECORDS):
            yield Page(page.records[start : start + PAGE_RECORDS], page.scope, page.cursor)


def start_job(api: Api, kind: str, body: dict[str, Any]) -> str:
    """The id of a new job.

    A 504 leaves open whether the job exists. Asking once more is safe here, and only here, because the vendor refuses a
    second job of the same request and names the first one, which is then adopted.
    """
    try:
        answer = api.post(f"/{kind}/export", json=body)
    except RetryLater as error:
        if error.status != 504:
            raise
        api.wait(AFTER_GATEWAY_TIMEOUT)
        answer = api.post(f"/{kind}/export", json=body)
    job = answer.get("export_uuid") if isinstance(answer, dict) else None
    if not job:
        raise UnexpectedContent(
            f"{kind}: the export was accepted without an export_uuid", hint="the next sync starts a new one"
        )
    return str(job)


def job_state(api: Api, kind: str, job: str) -> JobState:
    said = api.get(f"/{kind}/export/{job}/status")
    return JobState(
        state=str(said.get("status") or ""),
        chunks=tuple(said.get("chunks_available") or ()),
        failed=(*(said.get("chunks_failed") or ()), *(said.get("chunks_cancelled") or ())),
        reason=said.get("reason"),
    )


JOB_IN_TEXT = re.compile(r"job_uuid=([0-9a-fA-F-]{36})")


def running_job(error: ConnectorError) -> str | None:
    """The export that runs already: a duplicate is answered by 409 with its id, or by 429 with the id in its text."""
    answer = error.answer if isinstance(error.answer, dict) else {}
    if error.status == 409 and answer.get("active_job_id"):
        return str(answer["active_job_id"])
    if error.status in (409, 429):
        found = JOB_IN_TEXT.search(str(error.answer or ""))
        return found[1] if found else None
    return None


def probe_assets(api: Api) -> None:
    api.get("/assets/export/status")


def probe_vulnerabilities(api: Api) -> None:
    api.get("/vulns/export/status")


STREAMS = (
    Stream(
        name="assets",
        pull=assets,
        key="id",
        fields=ASSET_FIELDS,
        description="Hosts known to the scanner, one record each, with every identifier it saw. Web applications are not read.",
        permissions=("VM export: assets",),
        activity_field="updated_at",
        evidence="recorded",
        incremental=Incremental(OVERLAP, through=GONE),
    ),
    Stream(
        name="deleted_assets",
        pull=deleted_assets,
        key="id",
        fields=ASSET_FIELDS,
        description="Hosts a person deleted at the vendor.",
        permissions=("VM export: assets",),
        deletes="marked",
        may_be_empty=True,
    ),
    Stream(
        name="terminated_assets",
        pull=terminated_assets,
        key="id",
        fields=ASSET_FIELDS,
        description="Cloud hosts whose instance was terminated.",
        permissions=("VM export: assets",),
        deletes="marked",
        may_be_empty=True,
    ),
    Stream(
        name="vulnerabilities",
        pull=vulnerabilities,
        key="finding_id",
        fields=VULNERABILITY_FIELDS,
        description="Findings of checks on hosts: open, reopened and fixed ones.",
        permissions=("VM export: vulnerabilities",),
        deletes="never",
        activity_field="last_found",
        evidence="recorded",
        incremental=Incremental(OVERLAP, through=GONE, ages_by=("last_found", "last_fixed")),
    ),
)
