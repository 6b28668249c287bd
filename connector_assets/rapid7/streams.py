"""Rapid7's streams, the same ones whichever API gives them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from operator import itemgetter
from typing import Any

from connector_assets.kit import Api, Incremental, Page, Record, Stream
from connector_assets.rapid7 import cloud, console

PAGE_RECORDS = 1000
#: What the findings are of, for the stream that reads it: reading the findings again would take a third of the pull.
NAMED = "ids of vulnerabilities"
#: Whether the findings came with the assets: reading them out of those again would take as long as the whole pull.
PASSED = "findings passed"
#: What a finding is of, and the place on the asset where it was found.
PLACE = ("vulnerability_id", "check_id", "nic", "port", "protocol", "key")
place_of = itemgetter(*PLACE)
#: What is remembered of assets that were landed with the findings in them, from which an incremental pull can go on.
INSIDE = "findings inside"
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
    "software": [
        {
            "product": "text",
            "description": "text",
            "vendor": "text",
            "version": "text",
            "cpe": {"vendor": "text", "product": "text"},
        }
    ],
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
    "remediation_date": "timestamp",
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
        if api.since is not None:
            if INSIDE not in api.memory:
                api.ask_for_everything("the assets were landed without their findings")
            api.remember(INSIDE, "yes")
            yield from cloud.assets(api)
        else:
            yield from with_findings(api, cloud.assets(api))
        return
    if api.since is not None:
        api.ask_for_everything("a console does not tell what changed")
    yield from console.assets(api)


def with_findings(api: Api, pages: Iterator[Page]) -> Iterator[Page]:
    """The pages of assets, beside each one the findings in it, for the stream of those.

    Changed assets alone do not have all the findings: after an incremental pull they are read out of what was landed. Only
    then the assets have to keep them, and everything is written twice.
    """
    api.shared[PASSED] = True
    if api.may_be_incremental:
        api.remember(INSIDE, "yes")
    named: set[Any] = set()
    for page in pages:
        if api.may_be_incremental:
            # written before the findings in it are made records in place
            yield page
        found: list[Record] = []
        for asset in page.records:
            if isinstance(asset, dict):
                found += cloud_findings(asset)
                if not api.may_be_incremental:
                    cloud.leave_findings(asset)
        if not api.may_be_incremental:
            yield page
        if found:
            named.update(names_of(found))
            yield Page(found, stream="findings")
        del page, found
    api.shared[NAMED] = named


def cloud_findings(asset: Record) -> list[Record]:
    identifier = asset.get("id")
    records: list[Record] = []
    if identifier not in (None, ""):
        for state, found in cloud.findings_of(asset):
            records += finding_records(identifier, state, found)
    return records


def names_of(findings: Sequence[Record]) -> set[Any]:
    """The ids of the vulnerabilities that findings name."""
    try:
        return {name for record in findings if (name := record.get("vulnerability_id"))}
    except TypeError:  # a list or an object in its place, which no set can hold
        return {str(name) for record in findings if (name := record.get("vulnerability_id"))}


def findings(api: Api) -> Iterator[Page]:
    """What the assets are vulnerable to; from the console in one call an asset that has something and is in the window."""
    if api.shared.get(PASSED):
        return
    is_cloud = api.options.api == "cloud"
    batch: list[Record] = []
    named: set[Any] = set()
    for number, asset in enumerate(api.records("assets")):
        identifier = asset.get("id")
        if identifier in (None, ""):
            continue
        if is_cloud:
            batch += cloud_findings(asset)
        elif not is_quiet(api, asset):
            batch += finding_records(identifier, "open", console.asset_findings(api, asset))
        if len(batch) >= PAGE_RECORDS:
            named.update(names_of(batch))
            yield Page(batch)
            batch = []
            api.progress(f"findings of {number + 1} assets")
    named.update(names_of(batch))
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


def finding_records(asset_id: Any, state: str, findings: Iterable[Any]) -> list[Record]:
    """The findings, made records in place: with their asset and an id that stays while the place does."""
    asset, records = str(asset_id), []
    for finding in findings:
        try:
            name, check, nic, port, protocol, key = place_of(finding)
        except (KeyError, TypeError):
            if not isinstance(finding, dict):
                continue
            name, check, nic, port, protocol, key = map(finding.get, PLACE)
        finding["id"] = (
            f"{asset}:{name}:{check or ''}|{nic or ''}|{port or ''}|{protocol or ''}|{key or ''}" if name else None
        )
        finding["asset_id"] = asset
        finding["state"] = state
        # a page of HTML, and the text of the solution
        finding.pop("proof", None)
        finding.pop("solution_fix", None)
        records.append(finding)
    return records


def vulnerabilities(api: Api) -> Iterator[Page]:
    """What the findings stand for, or the whole catalogue."""
    wanted: list[str] | None = None
    if api.options.catalogue == "detected":
        named: set[Any] | None = api.shared.get(NAMED)
        if named is None:
            named = {str(r["vulnerability_id"]) for r in api.records("findings") if r.get("vulnerability_id")}
        wanted = sorted({str(name) for name in named})
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
