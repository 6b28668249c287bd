"""Rapid7's streams, the same ones whichever API gives them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from connector_assets.kit import Api, Incremental, Page, Record, Stream
from connector_assets.rapid7 import cloud, console

PAGE_RECORDS = 1000
#: What the findings are of, for the stream that reads it: reading the findings again would take a third of the pull.
NAMED = "ids of vulnerabilities"
#: A scan of a day may end, and the platform take it over from a console, long after single assets were done.
OVERLAP = timedelta(hours=24)

# the cloud writes names with underscores, the console in camel case; ip, mac, tags and type are the same in both
ASSET_FIELDS: dict[str, Any] = {
    **dict.fromkeys(
        "id host_name hostName ip mac os os_description os_family os_name os_system_name os_vendor os_version type".split(),
        "text",
    ),
    "hostNames": [{"name": "text", "source": "text"}],
    "addresses": [{"ip": "text", "mac": "text"}],
    "unique_identifiers": [{"id": "text", "source": "text"}],
    "ids": [{"id": "text", "source": "text"}],
    "tags": [{"name": "text", "type": "text"}],
    "osFingerprint": {"family": "text", "product": "text", "systemName": "text", "vendor": "text", "version": "text"},
    "software": [{"product": "text", "description": "text", "vendor": "text", "version": "text"}],
    "vulnerabilities": {"total": "integer"},
    "total_vulnerabilities": "integer",
    "risk_score": "number",
    "riskScore": "number",
    "assessed_for_vulnerabilities": "boolean",
    "assessedForVulnerabilities": "boolean",
    "last_assessed_for_vulnerabilities": "timestamp",
    "last_scan_start": "timestamp",
    "last_scan_end": "timestamp",
    "last_seen": "timestamp",
}
FINDING_FIELDS: dict[str, Any] = {
    **dict.fromkeys(
        "id asset_id vulnerability_id check_id state status protocol nic key solution_id solution_summary "
        "solution_type".split(),
        "text",
    ),
    "port": "integer",
    "first_found": "timestamp",
    "last_found": "timestamp",
    "reintroduced": "timestamp",
}
VULNERABILITY_FIELDS: dict[str, Any] = {
    **dict.fromkeys("id title severity".split(), "text"),
    "cve_ids": ["text"],
    "exploit_count": "integer",
    "severity_score": "number",
    "cvss_v3_score": "number",
    "cvss_v2_score": "number",
    "cvss": {"v2": {"score": "number"}, "v3": {"score": "number"}},
    "published": "timestamp",
    "added": "timestamp",
    "modified": "timestamp",
}


def assets(api: Api) -> Iterator[Page]:
    """Every asset; from the cloud those scanned within the window or since, with their findings."""
    if api.options.api == "cloud":
        yield from cloud.assets(api)
        return
    if api.since is not None:
        api.ask_for_everything("a console does not tell what changed")
    yield from console.assets(api)


def findings(api: Api) -> Iterator[Page]:
    """What the assets are vulnerable to; from the console in one call an asset that has something and is in the window."""
    batch: list[Record] = []
    named: set[str] = set()
    for number, asset in enumerate(api.records("assets")):
        identifier = asset.get("id")
        if identifier in (None, ""):
            continue
        if api.options.api == "cloud":
            found = (finding_record(identifier, state, item) for state, item in cloud.findings_of(asset))
        elif is_quiet(api, asset):
            continue
        else:
            found = (finding_record(identifier, "open", item) for item in console.asset_findings(api, asset))
        batch.extend(found)
        if len(batch) >= PAGE_RECORDS:
            named.update(str(record["vulnerability_id"]) for record in batch if record.get("vulnerability_id"))
            for start in range(0, len(batch), PAGE_RECORDS):
                yield Page(batch[start : start + PAGE_RECORDS])
            batch = []
            api.progress(f"findings of {number + 1} assets")
    named.update(str(record["vulnerability_id"]) for record in batch if record.get("vulnerability_id"))
    api.shared[NAMED] = named
    yield Page(batch)


def is_quiet(api: Api, asset: Record) -> bool:
    """Whether a console's asset has no findings by its own count, or was not seen in the window."""
    counts = asset.get("vulnerabilities")
    if isinstance(counts, dict) and counts.get("total") == 0:
        return True
    seen = asset.get("last_seen")
    start = api.window_start
    return bool(start and seen and str(seen)[:10] < start.strftime("%Y-%m-%d"))


def finding_record(asset_id: Any, state: str, finding: Record) -> Record:
    """A finding with its asset and an id that stays while its place does; its proof, a page of HTML, stays behind."""
    name, find = finding.get("vulnerability_id"), finding.get
    place = f"{find('check_id') or ''}|{find('nic') or ''}|{find('port') or ''}|{find('protocol') or ''}|{find('key') or ''}"
    digest = hashlib.sha1(place.encode(), usedforsecurity=False).hexdigest()[:12]
    record = {
        **finding,
        "id": f"{asset_id}:{name}:{digest}" if name else None,
        "asset_id": str(asset_id),
        "state": state,
    }
    record.pop("proof", None)
    record.pop("solution_fix", None)
    return record


def vulnerabilities(api: Api) -> Iterator[Page]:
    """What the findings stand for, or the whole catalogue."""
    wanted: list[str] | None = None
    if api.options.catalogue == "detected":
        named: set[str] | None = api.shared.get(NAMED)
        if named is None:
            named = {str(r["vulnerability_id"]) for r in api.records("findings") if r.get("vulnerability_id")}
        wanted = sorted(named)
    source = cloud if api.options.api == "cloud" else console
    found = 0
    for page in source.vulnerabilities(api, wanted):
        found += len(page.records)
        yield Page([vulnerability_record(record) for record in page.records], "default", page.cursor)
    if wanted is not None and found < len(wanted):
        api.note(f"{len(wanted) - found} of {len(wanted)} vulnerabilities have no document at the vendor")


def vulnerability_record(record: Any) -> Any:
    """A vulnerability with `cve_ids`, a list however the vendor writes it, and `exploit_count`."""
    if not isinstance(record, dict):
        return record
    cves, exploits = record.get("cves"), record.get("exploits")
    listed = cves.split(",") if isinstance(cves, str) else cves if isinstance(cves, list) else []
    return {
        **record,
        "cve_ids": [cve.strip() for cve in map(str, listed) if cve.strip()],
        "exploit_count": len(exploits) if isinstance(exploits, list) else exploits,
    }


def probe_assets(api: Api) -> None:
    (cloud if api.options.api == "cloud" else console).probe("assets", api)


def probe_vulnerabilities(api: Api) -> None:
    (cloud if api.options.api == "cloud" else console).probe("vulnerabilities", api)


STREAMS = (
    Stream(
        "assets",
        assets,
        "id",
        ASSET_FIELDS,
        "Assets that were scanned or carry an agent, one record each.",
        permissions=("assets",),
        activity_field="last_seen",
        evidence="recorded",
        incremental=Incremental(OVERLAP, ages_by=("last_scan_end",)),
    ),
    Stream(
        "findings",
        findings,
        "id",
        FINDING_FIELDS,
        "What assets are vulnerable to, one record a place; from the cloud also what was remediated.",
        needs=("assets",),
        permissions=("assets",),
        deletes="never",
        may_be_empty=True,
        evidence="recorded",
    ),
    Stream(
        "vulnerabilities",
        vulnerabilities,
        "id",
        VULNERABILITY_FIELDS,
        "What the findings stand for, with CVE ids and scores.",
        needs=("findings",),
        permissions=("vulnerabilities",),
        deletes="never",
        may_be_empty=True,
        evidence="client_code",
    ),
)
