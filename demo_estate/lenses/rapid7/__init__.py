"""Rapid7 InsightVM: the Insight platform's Integrations API, and a console's own API.

`service.state["removed_on_page"]` is {page: number of assets a person removes at the console just before that page}.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from demo_estate.kit import Bucket, Refusal, Request, Response, Route, Service, basic_credentials, keyset_slice
from demo_estate.lenses import Instance, Lens, View
from demo_estate.lenses.rapid7.records import (
    TAGS,
    Listed,
    all_listed,
    answer,
    catalogue,
    cloud_asset,
    cloud_id,
    cloud_vulnerability,
    console_asset,
    console_findings,
    console_vulnerability,
    covers,
    last_seen,
)

USER = "svc_exposure"
REGION = "https://us.api.insight.rapid7.com:443"
CONSOLE = "https://console.corp.example:3780"
CLOUD, V3 = "/vm/v4/integration", "/api/3"


def is_console(view: View) -> bool:
    return view.instance.options.get("api") == "console"


def credentials(view: View) -> dict[str, str]:
    truth, name = view.truth, view.instance.name
    if is_console(view):
        return {"password": f"pässwörd-{truth.hex_id(24, name, 'password')}"}
    return {"api_key": truth.guid(name, "api key")}


def options(view: View, base_url: str) -> Mapping[str, Any]:
    return {"api": "console", "username": USER} if is_console(view) else {"api": "cloud"}


def authenticate(request: Request, service: Service) -> None:
    if is_console(service.view):
        if basic_credentials(request.header("Authorization")) != (USER, service.credentials["password"]):
            raise Refusal(401, "unauthorized", "Unauthorized")
        request.caller = USER
        return
    if request.header("X-Api-Key") != service.credentials["api_key"]:
        raise Refusal(401, "unauthorized", "Unauthorized")
    request.caller = request.header("X-Api-Key")


def error(request: Request, status: int, reason: str, message: str) -> Response:
    if request.path.startswith(V3):
        if status >= 500:
            return Response({"error": "Internal Server Error", "status": status, "message": message}, status)
        return Response({"status": str(status), "message": message, "links": []}, status)
    if status == 401:
        return Response({"message": message}, 401)
    kind = "com.rapid7.spring.rest.error.resource.ErrorResource"
    return Response({"_type": kind, "status": status, "localized_message": None, "message": message}, status)


# Cloud ---------------------------------------------------------------------------------------------------------------


def search_assets(request: Request, service: Service) -> Any:
    view, size = service.view, request.integer("size", 10, 1, 500)
    body = request.json() or {}
    after = criterion(body.get("asset"), r"last_scan_end > (\S+)")
    severities = criterion(body.get("vulnerability"), r"severity IN \[(.*)\]")
    wanted = None if severities is None else [part.strip(" '") for part in severities.split(",")]
    since = moment(request.query.get("comparisonTime"))
    least = moment(after)

    def build() -> dict[str, Listed]:
        found = {cloud_id(view, entry): entry for entry in all_listed(view)}
        return dict(sorted(found.items()))

    entries = service.cached("assets", build)
    ids = [
        name
        for name, entry in entries.items()
        if least is None or last_seen(view, view.device(entry.device), entry.generation) > least
    ]
    with_same = request.query.get("includeSame", "true") == "true"
    page = paged(request, ids, size)
    records = [cloud_asset(view, entries[name], since=since, with_same=with_same, severities=wanted) for name in page]
    if request.query.get("includeUniqueIdentifiers") != "true":
        for record in records:
            record.pop("unique_identifiers")
    return envelope("assets", records, page, size, len(ids))


def search_vulnerabilities(request: Request, service: Service) -> Any:
    size = request.integer("size", 10, 1, 500)
    listed = criterion((request.json() or {}).get("vulnerability"), r"id IN \[(.*)\]")
    documents = service.cached("catalogue", lambda: dict(sorted(catalogue(service.truth).items())))
    ids = list(documents)
    if listed is not None:
        asked = {part.strip(" '") for part in listed.split(",")}
        ids = [name for name in ids if name in asked]
    page = paged(request, ids, size)
    records = [cloud_vulnerability(service.truth, name, documents[name]) for name in page]
    return envelope("vulnerabilities", records, page, size, len(ids))


def criterion(text: Any, form: str) -> str | None:
    """The one value of a criterion; None for none."""
    if text in (None, ""):
        return None
    found = re.fullmatch(form, str(text))
    if found is None:
        message = "Your query string format is not valid. It has 1 error: the criterion is not understood"
        raise Refusal(400, "bad_request", message)
    return found[1]


def moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text.replace("Z", "+00:00")) if text else None


CURSOR = ":::_S:::"


def paged(request: Request, ids: Sequence[str], size: int) -> Sequence[str]:
    cursor = request.query.get("cursor")
    if cursor is None:
        start = request.integer("page", 0) * size
        return ids[start : start + size]
    if CURSOR not in cursor:
        raise Refusal(400, "bad_request", "The cursor is not valid")
    return keyset_slice(ids, cursor.split(CURSOR)[1], size)


def envelope(what: str, records: list[Any], ids: Sequence[str], size: int, total: int) -> Any:
    """A full page has a cursor, also when it is the last one."""
    cursor = f"1770091506{CURSOR}{ids[-1]}" if len(ids) == size else None
    return {
        "data": records,
        "metadata": {
            "number": 0,
            "size": size,
            "totalResources": total if records else 0,
            "totalPages": -(-total // size),
            "cursor": cursor,
        },
        "links": [{"href": f"{REGION}{CLOUD}/{what}?page=0&size={size}", "rel": "self"}],
    }


# Console -------------------------------------------------------------------------------------------------------------


def entries(service: Service) -> dict[int, Listed]:
    return service.cached("numbers", lambda: {entry.number: entry for entry in all_listed(service.view)})


def list_assets(request: Request, service: Service) -> Any:
    if request.query.get("sort") not in (None, "id,asc"):
        raise Refusal(400, "bad_request", "The sort is not known")
    numbers = sorted(entries(service))
    removed = service.state.get("removed_on_page", {})
    gone = sum(count for page, count in removed.items() if page <= request.integer("page", 0))
    return collection(request, numbers[gone:], lambda n: console_asset(service.view, entries(service)[n]))


def list_findings(request: Request, service: Service) -> Any:
    number = request.path_args["asset"]
    entry = entries(service).get(int(number)) if number.isdecimal() else None
    if entry is None:
        raise Refusal(404, "not_found", "The resource does not exist or access is prohibited.")
    return collection(request, console_findings(service.view, entry), lambda record: record)


def list_vulnerabilities(request: Request, service: Service) -> Any:
    documents = service.cached("catalogue", lambda: dict(sorted(catalogue(service.truth).items())))
    return collection(
        request, list(documents), lambda name: console_vulnerability(service.truth, name, documents[name])
    )


def one_vulnerability(request: Request, service: Service) -> Any:
    documents = service.cached("catalogue", lambda: dict(sorted(catalogue(service.truth).items())))
    name = request.path_args["vulnerability"]
    if name not in documents:
        raise Refusal(404, "not_found", "The resource does not exist or access is prohibited.")
    return console_vulnerability(service.truth, name, documents[name])


def list_tags(request: Request, service: Service) -> Any:
    """The criticality tags, and one of another type which a console lists unless it is asked for a type."""
    wanted = request.query.get("type")
    tags = [{"id": number, "name": name, "type": "criticality"} for number, name in enumerate(TAGS, 1)]
    tags.append({"id": len(TAGS) + 1, "name": "London", "type": "location"})
    return collection(request, [tag for tag in tags if wanted in (None, tag["type"])], lambda tag: tag)


def tagged_assets(request: Request, service: Service) -> Any:
    """Ids alone and all at once, with what gave them the tag."""
    view, tag = service.view, int(request.path_args["tag"])
    numbers = sorted(entry.number for entry in all_listed(view) if view.device(entry.device).criticality == tag - 1)
    return {"resources": [{"id": number, "sources": ["criteria"]} for number in numbers], "links": []}


def collection(request: Request, keys: Sequence[Any], make: Any) -> Any:
    """A page by number; one beyond the last is not found. Links name the console's own host."""
    number, size = request.integer("page", 0), request.integer("size", 10, 1, 500)
    count = max(1, -(-len(keys) // size))
    if number >= count:
        raise Refusal(404, "not_found", "The page does not exist.")
    places = {"first": 0, "prev": number - 1, "self": number, "next": number + 1, "last": count - 1}
    if number == 0:
        del places["prev"]
    if number + 1 >= count:
        del places["next"]
    return {
        "resources": [make(key) for key in keys[number * size : (number + 1) * size]],
        "page": {"number": number, "size": size, "totalResources": len(keys), "totalPages": count},
        "links": [
            {"href": f"{CONSOLE}{request.path}?page={place}&size={size}", "rel": rel} for rel, place in places.items()
        ],
    }


PAGED = ("page", "size", "sort")
SEARCHED = (
    "page",
    "size",
    "sort",
    "cursor",
    "includeSame",
    "includeUniqueIdentifiers",
    "comparisonTime",
    "currentTime",
)

LENS = Lens(
    product="rapid7",
    routes=[
        Route("POST", f"{CLOUD}/assets", search_assets, SEARCHED, bucket="api"),
        Route("POST", f"{CLOUD}/vulnerabilities", search_vulnerabilities, SEARCHED, bucket="api"),
        Route("GET", f"{V3}/assets", list_assets, PAGED),
        Route("GET", f"{V3}/assets/{{asset}}/vulnerabilities", list_findings, PAGED),
        Route("GET", f"{V3}/tags", list_tags, (*PAGED, "type")),
        Route("GET", f"{V3}/tags/{{tag}}/assets", tagged_assets),
        Route("GET", f"{V3}/vulnerabilities", list_vulnerabilities, PAGED),
        Route("GET", f"{V3}/vulnerabilities/{{vulnerability}}", one_vulnerability),
    ],
    answer=answer,
    credentials=credentials,
    options=options,
    covers=covers,
    retention=60,
    authenticate=authenticate,
    error=error,
    buckets=lambda: {"api": Bucket(600, 60)},
    rows=lambda body: body.get("data", body.get("resources")) if isinstance(body, dict) else None,
    instances=(
        Instance("rapid7_cloud"),
        Instance("rapid7_console", options={"api": "console"}, by_default=False),
    ),
)
