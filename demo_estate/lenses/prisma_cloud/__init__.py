"""Prisma Cloud: the posture API, and below /console the Compute console, with the odd ways of both.

The posture API takes a token of ten minutes in a header of its own, asks for the next page of alerts by a body that holds the
token and nothing else, gives a token after the last alert too, and often refuses with an empty body and the reason in a header.
The console lists arrays with their number in a header, and `null` past the end. `service.state`: "refusal" is an (HTTP status,
headers, body) with which the next call of the posture API is answered; "twistlock" the console's address in its answers;
"total" what is added to every total of the vendor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson

from demo_estate.evidence import machine_evidence
from demo_estate.kit import Bucket, BucketState, Refusal, Request, Response, Route, Service, bearer_token
from demo_estate.lenses import Answer, Lens, View
from demo_estate.lenses.prisma_cloud import records, scans
from demo_estate.lenses.prisma_cloud.records import Record
from demo_estate.truth import Truth

CONSOLE = "/console/us-2-158257908"
SHOWN = frozenset({"replaced_instance"})
MOST = {"inventory": 10_000, "search": 100, "alerts": 10_000}
QUERY = "config from cloud.resource where api.name = '"
TOKEN_SECONDS, CONSOLE_TOKEN_SECONDS = 600.0, 3600.0
OPEN, CLOSED = {"open", "snoozed", "pending_resolution"}, {"resolved", "dismissed"}


def covers(truth: Truth, index: int) -> bool:
    return truth.device_kind(index) == "cloud_vm"


def credentials(view: View) -> Mapping[str, str]:
    return {"secret_key": view.truth.hex_id(28, view.instance.name, "secret key")}


def key_id(view: View) -> str:
    return view.truth.guid(view.instance.name, "access key")


def options(view: View, base_url: str) -> Mapping[str, Any]:
    return {"access_key_id": key_id(view), "criticality_tag": "business-criticality"}


# Signing in ----------------------------------------------------------------------------------------------------------


def require_key(request: Request, service: Service) -> None:
    body = request.json() or {}
    good = body.get("username") == key_id(service.view) and body.get("password") == service.credentials["secret_key"]
    if not good:
        raise Refusal(401, "unauthorized", "invalid_credentials")


def login(request: Request, service: Service) -> Any:
    require_key(request, service)
    return signed_in(service)


def signed_in(service: Service) -> Any:
    issued = service.tokens.issue("posture", ttl=TOKEN_SECONDS)
    customer = {"customerName": "Halden", "prismaId": "806775452401234944", "tosAccepted": True}
    return {"token": issued.value, "message": "login_successful", "customerNames": [customer]}


def extend(request: Request, service: Service) -> Any:
    return signed_in(service)


def console_login(request: Request, service: Service) -> Any:
    require_key(request, service)
    return {"token": service.tokens.issue("console", ttl=CONSOLE_TOKEN_SECONDS).value}


def authenticate(request: Request, service: Service) -> None:
    """Each side knows its own tokens only."""
    is_console = request.path.startswith(CONSOLE)
    given = bearer_token(request.header("Authorization")) if is_console else request.header("x-redlock-auth")
    found = service.tokens.find(given)
    if found is None or found.subject != ("console" if is_console else "posture"):
        raise Refusal(401, "unauthorized", "unauthorized")
    request.caller = found.subject


def error(request: Request, status: int, reason: str, message: str) -> Response:
    """The console says why in {"err"}, the posture API in a header beside an empty body."""
    if request.path.startswith(CONSOLE):
        return Response({"err": message}, status)
    told = [{"i18nKey": reason, "severity": "error", "subject": message}]
    return Response(b"", status, {"x-redlock-status": orjson.dumps(told).decode()}, "application/json")


# The posture API -----------------------------------------------------------------------------------------------------


def refusing(handler: Callable[[Request, Service], Any]) -> Callable[[Request, Service], Any]:
    """The handler, but for a refusal that the test wants in its place."""

    def handle(request: Request, service: Service) -> Any:
        planned = service.state.pop("refusal", None)
        if planned is None:
            return handler(request, service)
        status, headers, body = planned
        return Response(body, status, headers, "application/json")

    return handle


def body_of(request: Request, known: str, required: str = "") -> Record:
    body = request.json()
    unknown = sorted(set(body or {}) - set(known.split()))
    missing = sorted(set(required.split()) - set(body or {}))
    if not isinstance(body, dict) or unknown or missing:
        raise Refusal(400, "invalid_parameter_value", ", ".join([*unknown, *missing]) or "body")
    return body


def size(body: Mapping[str, Any], what: str) -> int:
    limit = body.get("limit")
    if not isinstance(limit, int) or not 1 <= limit <= MOST[what]:
        raise Refusal(400, "invalid_parameter_value", "limit")
    return limit


def position(service: Service, token: str, what: str) -> Record:
    try:
        state = service.cursors.decode(token)
    except ValueError as wrong:
        raise Refusal(400, "invalid_page_token", "pageToken") from wrong
    if state.get("what") != what:
        raise Refusal(400, "invalid_page_token", "pageToken")
    return state


def filtered(body: Mapping[str, Any], known: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Values wanted by filter name. Refuses a name or a value that is not known."""
    found: dict[str, set[str]] = {}
    for one in body.get("filters") or []:
        if one.get("operator") != "=" or one.get("value") not in known.get(one.get("name"), ()):
            raise Refusal(400, "invalid_filter", str(one.get("name")))
        found.setdefault(one["name"], set()).add(one["value"])
    return found


def total(service: Service, rows: list[Any]) -> int:
    return len(rows) + int(service.state.get("total", 0))


def inventory_of(view: View) -> list[Record]:
    present = (device for device in view.devices() if view.truth.is_present(device.index, view.day))
    machines = [records.machine(view, device) for device in present if device.cloud is not None]
    return [*(records.resource(view, found) for found in view.truth.cloud_resources()), *machines]


def inventory(request: Request, service: Service) -> Any:
    body = body_of(request, "timeRange filters limit pageToken", "timeRange limit")
    limit = size(body, "inventory")
    clouds = filtered(body, {"scan.status": {"all"}, "cloud.type": set(records.MACHINE_TYPES)}).get("cloud.type")
    rows = service.cached("inventory", lambda: inventory_of(service.view))
    rows = [row for row in rows if clouds is None or row["cloudType"] in clouds]
    token = body.get("pageToken") or ""
    start = int(position(service, token, "inventory")["row"]) if token else 0
    answer = {
        "resources": rows[start : start + limit],
        "pageSize": limit,
        "totalMatchedCount": total(service, rows),
        "timestamp": records.millis(service.truth.as_of(service.day)) - 5_400_000,
    }
    if start + limit < len(rows):
        answer["nextPageToken"] = service.cursors.encode({"what": "inventory", "row": start + limit})
    return answer


def search(request: Request, service: Service) -> Any:
    body = body_of(request, "query limit withResourceJson startTime skipResult sort", "query limit")
    query = str(body["query"])
    name = query.removeprefix(QUERY).removesuffix("'")
    if query != f"{QUERY}{name}'" or name not in records.MACHINE_APIS.values():
        raise Refusal(400, "invalid_rql", query)
    return found(service, name, 0, size(body, "search"))


def search_page(request: Request, service: Service) -> Any:
    body = body_of(request, "limit pageToken withResourceJson", "limit pageToken")
    state = position(service, str(body["pageToken"]), "search")
    # the page comes wrapped
    return {"data": found(service, state["name"], int(state["row"]), size(body, "search"))}


def found(service: Service, name: str, start: int, limit: int) -> Record:
    view = service.view
    machines = [device for device in view.devices() if device.cloud is not None]
    rows = [device for device in machines if device.cloud and records.MACHINE_APIS[device.cloud.provider] == name]
    items = [records.configuration(view, device) for device in rows[start : start + limit]]
    answer: Record = {"totalRows": total(service, rows), "items": items, "dynamicColumns": [], "nextPageToken": None}
    if start + limit < len(rows):
        state = {"what": "search", "name": name, "row": start + limit}
        answer["nextPageToken"] = service.cursors.encode(state)
    return answer


def alerts_of(view: View) -> list[Record]:
    rows: list[Record] = []
    for device in view.devices():
        if device.cloud is not None and view.truth.is_present(device.index, view.day):
            asset = records.machine(view, device) | {"exposed": device.internet_facing}
            rows += records.alerts(view, asset, "machine")
    for resource in view.truth.cloud_resources():
        rows += records.alerts(view, records.resource(view, resource), resource.type)
    return sorted(rows, key=lambda row: (row["alertTime"], row["id"]))


def alerts(request: Request, service: Service) -> Any:
    """The next page is asked for by its token alone; the last alert is followed by a token to an empty page."""
    body = body_of(request, "detailed timeRange filters limit sortBy pageToken")
    if body.get("pageToken"):
        if len(body) > 1:
            raise Refusal(400, "conflicting_time_range", "pageToken")
        state = position(service, str(body["pageToken"]), "alerts")
    else:
        wanted = filtered(body, {"alert.status": OPEN | CLOSED}).get("alert.status") or OPEN | CLOSED
        window = body.get("timeRange") or {}
        days = window["value"]["amount"] if window.get("type") == "relative" else 0
        state = {"row": 0, "limit": size(body, "alerts"), "statuses": sorted(wanted), "days": days, "what": "alerts"}
    since = records.millis(service.truth.as_of(service.day)) - state["days"] * 86_400_000 if state["days"] else 0
    rows = [
        row
        for row in service.cached("alerts", lambda: alerts_of(service.view))
        if row["status"] in state["statuses"] and row["alertTime"] >= since
    ]
    start, limit = int(state["row"]), int(state["limit"])
    answer: Record = {
        "totalRows": total(service, rows),
        "items": rows[start : start + limit],
        "sortBy": ["alertTime:asc"],
    }
    if start < len(rows):
        answer["nextPageToken"] = service.cursors.encode({**state, "row": start + limit})
    return answer


def too_large(request: Request, service: Service) -> Any:
    """What a long page token does to an address."""
    return Response(
        "<html><head><title>413 Request Entity Too Large</title></head></html>", 413, content_type="text/html"
    )


def meta_info(request: Request, service: Service) -> Any:
    return {"twistlockUrl": service.state.get("twistlock", f"{service.base_url}{CONSOLE}"), "licenseType": "ENTERPRISE"}


def spending(state: BucketState) -> Mapping[str, str]:
    """The limit as the vendor tells it: what is left, and never until when."""
    return {
        "X-RateLimit-Remaining": str(state.remaining),
        "X-RateLimit-Burst-Capacity": str(state.limit),
        "X-RateLimit-Replenish-Rate": "2",
        "X-RateLimit-Requested-Tokens": "1",
    }


# The console ---------------------------------------------------------------------------------------------------------


def scanned_devices(view: View) -> list[Any]:
    present = (device for device in view.devices() if view.truth.is_present(device.index, view.day))
    return [device for device in present if scans.has_scan(view, device)]


def hosts_of(view: View) -> list[Record]:
    return [scans.host(view, device) for device in scanned_devices(view)]


def images_of(view: View) -> list[Record]:
    devices = scanned_devices(view)
    numbers = range(len(scans.IMAGES))
    return [scans.image(view, number, [d for d in devices if scans.runs(view, number, d)]) for number in numbers]


def containers_of(view: View) -> list[Record]:
    return [row for device in scanned_devices(view) for row in scans.containers(view, device)]


def listing(name: str, rows_of: Callable[[View], list[Record]]) -> Callable[[Request, Service], Any]:
    def handle(request: Request, service: Service) -> Any:
        offset, limit = request.integer("offset", 0), request.integer("limit", 50, 1, 50)
        rows = service.cached(name, lambda: rows_of(service.view))
        page = rows[offset : offset + limit]
        # past the end there is no list at all
        return Response(page or None, 200, {"Total-Count": str(total(service, rows))})

    return handle


def answer(view: View) -> Iterator[Answer]:
    truth = view.truth
    for device in view.devices():
        cloud = device.cloud
        if cloud is None:
            continue
        tags = truth.quirks(device.index) & SHOWN
        names = [device.hostname] if cloud.provider != "aws" else []
        proof = machine_evidence(names=names, ids=[cloud.instance_id, cloud.resource_id])
        yield Answer("device", records.machine_key(view, device), device.truth_id, tags, proof)
    for device in scanned_devices(view):
        ids = [device.cloud.instance_id, device.cloud.resource_id if device.cloud.provider == "azure" else None]
        proof = machine_evidence(names=[device.hostname], ids=ids)
        yield Answer("device", scans.host_id(device), device.truth_id, truth.quirks(device.index) & SHOWN, proof)
    for found_ in truth.cloud_resources():
        yield Answer("cloud_resource", records.resource_key(view, found_), found_.truth_id)
    for number in range(len(scans.IMAGES)):
        yield Answer("cloud_resource", scans.image_id(view, number), f"img-{number:06d}")
    used = {(one.provider, one.account_id) for one in truth.cloud_resources()}
    used |= {(device.cloud.provider, device.cloud.account_id) for device in view.devices() if device.cloud is not None}
    for provider, account in sorted(used):
        yield Answer("cloud_resource", f"account|{provider}|{account}", f"acc-{account}")


def rows(body: Any) -> list[Any] | None:
    inner = body.get("data", body) if isinstance(body, dict) else body
    if isinstance(inner, dict):
        inner = inner.get("resources", inner.get("items"))
    return inner if isinstance(inner, list) else None


API = f"{CONSOLE}/api/{{version}}"
LENS = Lens(
    product="prisma_cloud",
    routes=(
        Route("POST", "/login", login, public=True),
        Route("GET", "/auth_token/extend", extend),
        Route("GET", "/meta_info", meta_info),
        Route("POST", "/v2/resource/scan_info", refusing(inventory)),
        Route("POST", "/search/api/v2/config", search),
        Route("POST", "/search/config/page", search_page),
        Route("POST", "/v2/alert", alerts, bucket="alert"),
        Route("GET", "/v2/alert", too_large, params=None),
        Route("POST", f"{API}/authenticate", console_login, public=True),
        Route("GET", f"{API}/hosts", listing("hosts", hosts_of), params=("offset", "limit"), bucket="console"),
        Route("GET", f"{API}/images", listing("images", images_of), params=("offset", "limit"), bucket="console"),
        Route(
            "GET",
            f"{API}/containers",
            listing("containers", containers_of),
            params=("offset", "limit"),
            bucket="console",
        ),
    ),
    answer=answer,
    credentials=credentials,
    options=options,
    covers=covers,
    # the config search goes on to show what is deleted
    retention=30,
    authenticate=authenticate,
    error=error,
    rows=rows,
    buckets=lambda: {"alert": Bucket(10, 5.0, spending), "console": Bucket(30, 30.0, lambda state: {})},
    token_ttl=TOKEN_SECONDS,
)
