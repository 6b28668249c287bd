"""Qualys VMDR and CSAM: XML lists that end in the address of their next part, two JSON inventories, refusals by code.

What may go wrong beside the fault plan is told by `service.state`: "refusals" is a list of (HTTP status, code, text)
that the XML APIs answer with, one a call; "qps_error" is a (responseCode, message) inside HTTP 200; "qps_format" "xml"
keeps to XML; "no_csam" refuses the gateway's assets with 403.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import groupby, islice
from typing import Any
from urllib.parse import urlencode

from demo_estate.kit import (
    Bucket,
    BucketState,
    Refusal,
    Request,
    Response,
    Route,
    Service,
    basic_credentials,
    bearer_token,
    keyset_slice,
)
from demo_estate.lenses import Instance, Lens, View
from demo_estate.lenses.qualys import markup
from demo_estate.lenses.qualys.inventories import csam_asset, host_asset
from demo_estate.lenses.qualys.records import (
    Listed,
    all_listed,
    answer,
    covers,
    detections,
    has_agent,
    host_record,
    knowledge_base,
    processed_at,
    stamp,
)
from demo_estate.truth import Cve, Truth

USER = "svc_exposure"
#: The platform writes its own host into the address of a next part, whatever host was asked.
PLATFORM = "https://qualysapi.qg9.apps.qualys.eu"
HOST_VERSIONS, DETECTION_VERSIONS = ("2.0", "3.0", "4.0", "5.0"), ("2.0", "3.0", "4.0", "5.0")
KNOWLEDGE_BASE_VERSIONS = ("2.0", "3.0", "4.0")
HOST_PARAMETERS = frozenset(
    "action details show_asset_id show_tags truncation_limit ids id_min id_max ips host_metadata show_ars "
    "vm_scan_since vm_processed_after use_tags network_ids show_trurisk".split()
)
DETECTION_PARAMETERS = frozenset(
    "action status show_igs show_results show_qds truncation_limit ids id_min id_max qids severities host_metadata "
    "show_asset_id show_tags detection_updated_since detection_processed_after include_ignored include_disabled "
    "output_format filter_superseded_qids network_ids use_tags".split()
)
KNOWLEDGE_BASE_PARAMETERS = frozenset(
    "action details ids id_min id_max last_modified_after last_modified_before published_after".split()
)
LONGEST_ADDRESS = 8000


def credentials(view: View) -> dict[str, str]:
    # not every letter of a password is Latin
    return {"password": f"pässwörd-Ω-{view.truth.hex_id(24, view.instance.name, 'password')}"}


def authenticate(request: Request, service: Service) -> None:
    """The user with the password; the gateway and the knowledge base take a token too."""
    token = bearer_token(request.header("Authorization"))
    if token is not None and (request.path.startswith("/rest/") or "/knowledge_base/" in request.path):
        if service.tokens.find(token) is None:
            raise Refusal(401, "unauthorized", "Bad Login/Password")
        request.caller = USER
        return
    given = basic_credentials(request.header("Authorization"))
    if given != (USER, service.credentials["password"]) or request.path.startswith("/rest/"):
        raise Refusal(401, "unauthorized", "Bad Login/Password")
    request.caller = USER
    if not request.header("X-Requested-With"):
        raise Refusal(400, "bad_request", "Missing required header: X-Requested-With")


CODES = {"unauthorized": 2000, "throttled": 1965, "unknown_parameter": 1901, "bad_request": 1905, "unknown_route": 1905}


def error(request: Request, status: int, reason: str, message: str) -> Response:
    """A SIMPLE_RETURN; too many calls are refused with 409, as is whatever a fault plan refuses with 409."""
    if status in (409, 429) and not request.path.startswith("/rest/"):
        status, reason, message = 409, "throttled", "This API cannot be run again for another 23 seconds."
    if status == 414:
        return Response(
            "<html><head><title>414 Request-URI Too Large</title></head></html>", 414, content_type="text/html"
        )
    if request.path.startswith("/rest/"):
        return Response({"responseCode": "ERROR", "responseMessage": message}, status)
    body = markup.simple_return(datetime.now(UTC), CODES.get(reason, 999), message)
    return Response(body, status, content_type="text/xml")


def limits(state: BucketState) -> Mapping[str, str]:
    return {
        "X-RateLimit-Limit": str(state.limit),
        "X-RateLimit-Window-Sec": "3600",
        "X-RateLimit-Remaining": str(state.remaining),
        "X-RateLimit-ToWait-Sec": "0" if state.allowed else str(state.retry_after),
        "X-Concurrency-Limit-Limit": "2",
        "X-Concurrency-Limit-Running": "0",
    }


# XML lists -----------------------------------------------------------------------------------------------------------


def parameters(request: Request, known: frozenset[str]) -> dict[str, str]:
    """Query and form together. Raises Refusal for one the vendor does not know, and without action=list."""
    if len(request.target) > LONGEST_ADDRESS:
        raise Refusal(414, "bad_request", "too long")
    given = {**request.query, **(request.form() if request.method == "POST" else {})}
    unknown = sorted(set(given) - known)
    if unknown:
        raise Refusal(400, "unknown_parameter", f"Unrecognized parameter(s): {', '.join(unknown)}")
    if given.get("action") != "list":
        raise Refusal(400, "bad_request", "Invalid value for 'action'")
    return given


def planned_refusal(service: Service) -> Response | None:
    planned = service.state.get("refusals")
    if not planned:
        return None
    status, code, text = planned.pop(0)
    return Response(markup.simple_return(service.clock.now(), code, text), status, content_type="text/xml")


def known_version(version: str, versions: tuple[str, ...]) -> list[str]:
    """Warnings of an answer of that version: older ones are near their end. Raises Refusal for one there never was."""
    if version not in versions:
        raise Refusal(404, "unknown_route", f"There is no version {version}")
    if version == versions[-1]:
        return []
    return [markup.warning(1990, f"API version {version} will reach its end of support. Use {versions[-1]}.")]


def numbered(service: Service) -> dict[int, Listed]:
    """Hosts by id, in rising order."""

    def build() -> dict[int, Listed]:
        return {entry.host_id: entry for entry in all_listed(service.view) if entry.host_id is not None}

    return service.cached("hosts", build)


def number(given: Mapping[str, str], name: str, default: int) -> int:
    text = given.get(name)
    if text is None:
        return default
    if not text.isdecimal():
        raise Refusal(400, "bad_request", f"Invalid value for '{name}'")
    return int(text)


def after(service: Service, given: Mapping[str, str]) -> Iterator[tuple[int, Listed]]:
    hosts = service.cached("host ids", lambda: sorted(numbered(service)))
    for host_id in keyset_slice(hosts, number(given, "id_min", 0) - 1, len(hosts)):
        yield host_id, numbered(service)[host_id]


def next_part(path: str, given: Mapping[str, str], limit: int, host_id: int) -> str:
    query = urlencode({**given, "id_min": host_id})
    return markup.warning(
        1980, f"{limit} record limit exceeded. Use URL to get next batch of results.", f"{PLATFORM}{path}?{query}"
    )


def host_list(request: Request, service: Service) -> Any:
    if (refused := planned_refusal(service)) is not None:
        return refused
    warnings = known_version(request.path_args["version"], HOST_VERSIONS)
    given = parameters(request, HOST_PARAMETERS)
    limit = number(given, "truncation_limit", 1000) or 10**9
    since = given.get("vm_processed_after", "")
    wanted = qids(given["ids"]) if "ids" in given else None
    hosts = (
        pair
        for pair in after(service, given)
        if (wanted is None or pair[0] in wanted)
        and (not since or stamp(processed_at(service.view, service.view.device(pair[1].device))) >= since)
    )
    page = list(islice(hosts, limit + 1))
    if len(page) > limit:
        warnings = [next_part(request.path, given, limit, page[limit][0]), *warnings]
    if given.get("details") == "None":
        items = id_set([host_id for host_id, _ in page[:limit]])
        body = markup.output("HOST_LIST_OUTPUT", service.clock.now(), "ID_SET", items, warnings)
        return Response(body, content_type="application/xml")
    items = []
    for _, entry in page[:limit]:
        record = host_record(
            service.view,
            entry,
            with_assets=given.get("show_asset_id") == "1",
            with_tags=given.get("show_tags") == "1",
            with_risk=given.get("show_trurisk") == "1",
        )
        if given.get("host_metadata") is None:
            record["METADATA"] = None
        items.append(markup.tag("HOST", record))
    body = markup.output("HOST_LIST_OUTPUT", service.clock.now(), "HOST_LIST", items, warnings)
    return Response(body, content_type="application/xml")


def id_set(ids: list[int]) -> list[str]:
    """Ids, and ranges of those that follow each other."""
    items: list[str] = []
    for _, run in groupby(enumerate(ids), key=lambda pair: pair[1] - pair[0]):
        numbers = [number for _, number in run]
        one = len(numbers) == 1
        items.append(markup.tag("ID", numbers[0]) if one else markup.tag("ID_RANGE", f"{numbers[0]}-{numbers[-1]}"))
    return items


def detection_list(request: Request, service: Service) -> Any:
    if (refused := planned_refusal(service)) is not None:
        return refused
    warnings = known_version(request.path_args["version"], DETECTION_VERSIONS)
    given = parameters(request, DETECTION_PARAMETERS)
    limit = number(given, "truncation_limit", 1000) or 10**9
    items: list[str] = []
    for host_id, entry in after(service, given):
        found = wanted_detections(service.view, entry, given)
        if not found:
            continue
        if len(items) == limit:
            warnings = [*warnings, next_part(request.path, given, limit, host_id)]
            break
        host = host_record(service.view, entry, with_assets=given.get("show_asset_id") == "1")
        shown = {name: host[name] for name in ("ID", "ASSET_ID", "IP", "TRACKING_METHOD", "OS", "DNS", "QG_HOSTID")}
        items.append(markup.tag("HOST", {**shown, "DETECTION_LIST": {"DETECTION": found}}))
    body = markup.output("HOST_LIST_VM_DETECTION_OUTPUT", service.clock.now(), "HOST_LIST", items, warnings)
    return Response(body, content_type="application/xml")


QDS_WORDS = ((90, "CRITICAL"), (70, "HIGH"), (40, "MEDIUM"), (0, "LOW"))


def wanted_detections(view: View, entry: Listed, given: Mapping[str, str]) -> list[dict[str, Any]]:
    statuses = given.get("status", "New,Active,Re-Opened").split(",")
    since = given.get("detection_updated_since", "")
    found = []
    for record in detections(view, entry):
        if record["STATUS"] not in statuses or record["LAST_UPDATE_DATETIME"] < since:
            continue
        if record["TYPE"] == "Info" and given.get("show_igs") != "1":
            continue
        score = record["QDS"]
        word = next(word for least, word in QDS_WORDS if score >= least)
        record["QDS"] = {"@severity": word, "#text": score} if given.get("show_qds") == "1" else None
        if given.get("show_results") == "0":
            record["RESULTS"] = None
        found.append(record)
    return found


def knowledge_base_list(request: Request, service: Service) -> Any:
    if (refused := planned_refusal(service)) is not None:
        return refused
    warnings = known_version(request.path_args["version"], KNOWLEDGE_BASE_VERSIONS)
    given = parameters(request, KNOWLEDGE_BASE_PARAMETERS)
    truth = service.truth
    entries = service.cached("knowledge base", lambda: knowledge_base(truth))
    wanted = qids(given["ids"]) if "ids" in given else None
    items = (
        markup.tag("VULN", entry(truth, qid, cves))
        for qid, cves in sorted(entries.items())
        if wanted is None or qid in wanted
    )
    body = markup.output("KNOWLEDGE_BASE_VULN_LIST_OUTPUT", service.clock.now(), "VULN_LIST", items, warnings)
    return Response(body, content_type="application/xml")


def qids(text: str) -> set[int]:
    """Ids and ranges of ids, such as 12,20-22."""
    found: set[int] = set()
    for part in text.split(","):
        if not re.fullmatch(r"\d+(-\d+)?", part):
            raise Refusal(400, "bad_request", "Invalid value for 'ids'")
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return found


LEVELS = {"critical": 5, "high": 4, "medium": 3, "low": 2}


def entry(truth: Truth, qid: int, cves: list[Cve]) -> dict[str, Any]:
    """An entry of the knowledge base; one that stands for no CVE has no CVE_LIST at all."""
    worst = max(cves, key=lambda cve: cve.cvss) if cves else None
    software = truth.software_catalogue[worst.software] if worst else None
    published = stamp(truth.moment(min(c.published_day for c in cves), "kb", qid)) if cves else "2010-01-01T00:00:00Z"
    exploited = any(cve.exploit_available for cve in cves)
    return {
        "QID": qid,
        "VULN_TYPE": "Vulnerability",
        "SEVERITY_LEVEL": max((LEVELS[cve.severity] for cve in cves), default=2),
        "TITLE": worst.title if worst else f"Check {qid}",
        "CATEGORY": "Windows" if cves else "General remote services",
        "LAST_SERVICE_MODIFICATION_DATETIME": published,
        "PUBLISHED_DATETIME": published,
        "PATCHABLE": 1 if cves else 0,
        "SOFTWARE_LIST": {"SOFTWARE": [{"PRODUCT": software.name, "VENDOR": software.vendor}]} if software else None,
        "CVE_LIST": {"CVE": [{"ID": cve.cve_id, "URL": f"http://cve.example/{cve.cve_id}"} for cve in cves]}
        if cves
        else None,
        "DIAGNOSIS": "<P>A weakness.",
        "CONSEQUENCE": "<P>It may be used.",
        "SOLUTION": worst.solution if worst else "<P>None.",
        "CVSS": {"BASE": {"@source": "service", "#text": worst.cvss}, "TEMPORAL": 1.0} if worst else None,
        "CVSS_V3": {"BASE": worst.cvss, "TEMPORAL": 1.0} if worst else None,
        "PCI_FLAG": 0,
        "THREAT_INTELLIGENCE": {"THREAT_INTEL": [{"@id": 2, "#text": "Exploit_Public"}]} if exploited else None,
        "CORRELATION": {"EXPLOITS": {"EXPLT_SRC": {"EXPLT_LIST": {"EXPLT": [{"REF": "x", "DESC": "y"}]}}}}
        if exploited
        else None,
        "DISCOVERY": {"REMOTE": 1},
    }


# Host assets ---------------------------------------------------------------------------------------------------------


def search_host_assets(request: Request, service: Service) -> Any:
    body = request.body.decode("utf-8", "replace")
    if (planned := service.state.get("qps_error")) is not None:
        code, message = planned
        details = {"errorMessage": message, "errorResolution": "Contact your manager."}
        return {"ServiceResponse": {"responseCode": code, "responseErrorDetails": details}}
    limit, start = in_body(body, "limitResults", 100), in_body(body, "startFromId", 0)
    if not 1 <= limit <= 1000:
        details = {"errorMessage": "limitResults is out of range", "errorResolution": "1..1000"}
        return {"ServiceResponse": {"responseCode": "INVALID_REQUEST", "responseErrorDetails": details}}
    entries = service.cached("assets", lambda: {entry.asset_id: entry for entry in all_listed(service.view)})
    ids = service.cached("asset ids", lambda: sorted(entries))
    page = keyset_slice(ids, start - 1, limit + 1)
    found: dict[str, Any] = {"responseCode": "SUCCESS", "count": len(page[:limit])}
    if len(page) > limit:
        found |= {"hasMoreRecords": "true", "lastId": page[limit - 1]}
    elif page:
        found["hasMoreRecords"] = "false"
    assets = [host_asset(service.view, entries[number]) for number in page[:limit]]
    if service.state.get("qps_format") == "xml" or "json" not in request.header("Accept"):
        text = markup.PROLOG + markup.tag(
            "ServiceResponse", {**found, "data": {"HostAsset": [in_xml(a) for a in assets]}}
        )
        return Response(text, content_type="application/xml")
    if assets:
        found["data"] = [{"HostAsset": asset} for asset in assets]
    return {"ServiceResponse": found}


def in_body(body: str, name: str, default: int) -> int:
    found = re.search(rf"<{name}>(\d+)</{name}>", body)
    return int(found[1]) if found else default


def in_xml(value: Any) -> Any:
    """The wrapped lists of the JSON notation, as XML has them: <list><TagSimple/><TagSimple/></list>."""
    if not isinstance(value, dict):
        return value
    if set(value) == {"list"}:
        grouped: dict[str, list[Any]] = {}
        for item in value["list"]:
            for kind, inner in item.items():
                grouped.setdefault(kind, []).append(inner)
        return {"list": grouped}
    return {key: in_xml(item) for key, item in value.items()}


# Gateway -------------------------------------------------------------------------------------------------------------


def sign_in(request: Request, service: Service) -> Any:
    form = request.form()
    if (form.get("username"), form.get("password")) != (USER, service.credentials["password"]):
        return Response("", 401, content_type="text/plain")
    if form.get("token") != "true":
        return Response("", 400, content_type="text/plain")
    return Response(service.tokens.issue(USER).value, 201, content_type="text/plain;charset=UTF-8")


def csam_assets(request: Request, service: Service) -> Any:
    size, last = request.integer("pageSize", 100, 1, 300), request.integer("lastSeenAssetId", 0)
    if service.state.get("no_csam"):
        raise Refusal(403, "forbidden", "The subscription does not include GAV/CSAM")
    view = service.view

    def build() -> dict[int, Listed]:
        return {e.asset_id: e for e in all_listed(view) if has_agent(view.truth, e.device)}

    entries = service.cached("csam", build)
    ids = service.cached("csam ids", lambda: sorted(entries))
    page = keyset_slice(ids, last, size)
    if not page:
        return Response(b"", 204)
    # the vendor says that there is more for as long as the page is full
    more = 1 if len(page) == size else 0
    return {
        "responseMessage": "Valid API Access",
        "count": len(page),
        "responseCode": "SUCCESS",
        "lastSeenAssetId": page[-1],
        "hasMore": more,
        "assetListData": {"asset": [csam_asset(view, entries[number]) for number in page]},
    }


def about(request: Request, service: Service) -> Any:
    return Response("<ABOUT><API-VERSION>8.21</API-VERSION></ABOUT>", content_type="text/xml")


def xml_routes(path: str, handler: Any) -> list[Route]:
    return [Route(method, path, handler, params=None, bucket="fo") for method in ("GET", "POST")]


LENS = Lens(
    product="qualys",
    routes=[
        *xml_routes("/api/{version}/fo/asset/host/", host_list),
        *xml_routes("/api/{version}/fo/asset/host/vm/detection/", detection_list),
        *xml_routes("/api/{version}/fo/knowledge_base/vuln/", knowledge_base_list),
        Route("POST", "/qps/rest/2.0/search/am/hostasset", search_host_assets),
        Route("POST", "/auth", sign_in, public=True),
        Route("POST", "/rest/2.0/search/am/asset", csam_assets, params=("pageSize", "lastSeenAssetId")),
        Route("GET", "/msp/about.php", about),
    ],
    answer=answer,
    credentials=credentials,
    options=lambda view, base_url: {"username": USER, "gateway_url": base_url},
    covers=covers,
    retention=60,
    authenticate=authenticate,
    error=error,
    # a premium subscription: the standard one has 300 an hour, which a demo of many days would use up
    buckets=lambda: {"fo": Bucket(2000, 3600, limits)},
    token_ttl=4 * 3600.0,
    instances=(Instance("qualys_prod"),),
)
