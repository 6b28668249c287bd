"""Defender's collections over HTTP: pages, inventories by snapshot token, prepared export files."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson

from demo_estate.kit import Refusal, Request, Response, Service
from demo_estate.lenses import View
from demo_estate.lenses.defender_endpoint.records import (
    Key,
    cve_record,
    logon_rows,
    machine,
    machine_id,
    machine_keys,
    stamp,
    unexposed,
    vulnerability_rows,
)

MACHINES_PAGE, ROWS_PAGE, MOST_ROWS = 10_000, 50_000, 200_000
FILE_MACHINES = 200
SAS_SECONDS = 3600
CHANGES_DAYS = 14


def keys_of(service: Service) -> Sequence[Key]:
    return service.cached("machines", lambda: list(machine_keys(service.view)))


def envelope(request: Request, kind: str, value: list[Any], link: str | None = None) -> dict[str, Any]:
    body: dict[str, Any] = {"@odata.context": f"{request.base_url}/api/$metadata#{kind}", "value": value}
    if link:
        body["@odata.nextLink"] = link
    return body


def machines(request: Request, service: Service) -> Any:
    keys = keys_of(service)
    if not keys:
        raise Refusal(404, "ResourceNotFound", "No machines were found")
    size = int(service.instance.options.get("machines_page", MACHINES_PAGE))
    asked = request.integer("$top", size, 1, MACHINES_PAGE)
    start = request.integer("$skip", 0)
    page = keys[start : start + asked]
    more = "$top" not in request.query and start + asked < len(keys)
    link = f"{request.base_url}/api/machines?$skip={start + asked}" if more else None
    return envelope(request, "Machines", [machine(service.view, key) for key in page], link)


def logon_users(request: Request, service: Service) -> Any:
    index = service.cached("by id", lambda: {machine_id(service.view, key): key for key in keys_of(service)})
    wanted = request.path_args["id"]
    if wanted not in index:
        raise Refusal(404, "ResourceNotFound", f"Machine {wanted} was not found")
    return envelope(
        request, "Collection(microsoft.windowsDefenderATP.api.LogonUser)", logon_rows(service.view, index[wanted])
    )


def inventory(rows: Callable[[View, Key], Iterator[dict[str, Any]]]) -> Callable[[Request, Service], Any]:
    """An inventory by machine: its token names the machine and the row to go on with."""

    def handler(request: Request, service: Service) -> Any:
        names = {name.lower(): value for name, value in request.query.items()}
        size = int(names.get("pagesize", ROWS_PAGE))
        if not 1 <= size <= MOST_ROWS:
            raise Refusal(400, "InvalidInput", "pageSize must be between 1 and 200000")
        number, line = read_token(names.get("$skiptoken"))
        keys, view, value = keys_of(service), service.view, list[dict[str, Any]]()
        while number < len(keys):
            found = list(rows(view, keys[number]))
            taken = found[line : line + size - len(value)]
            value += taken
            line += len(taken)
            if line < len(found):
                break
            number, line = number + 1, 0
        link = None
        if number < len(keys):
            link = f"{request.base_url}{request.path}?pagesize={size}&$skiptoken={write_token(service, number, line)}"
        return envelope(request, "Collection(microsoft.windowsDefenderATP.api.AssetVulnerability)", value, link)

    return handler


def changes(request: Request, service: Service) -> Any:
    """What differs between the rows of a past day and today's. A machine's row that changed shows as Fixed and New."""
    names = {name.lower(): value for name, value in request.query.items()}
    since = datetime.fromisoformat(names["sincetime"].replace("Z", "+00:00"))
    truth = service.truth
    if truth.as_of(service.day) - since > timedelta(days=CHANGES_DAYS):
        raise Refusal(400, "InvalidInput", f"sinceTime must not be more than {CHANGES_DAYS} days ago")
    day = max(0, (since.date() - truth.date(0)).days)
    size, start = int(names.get("pagesize", ROWS_PAGE)), read_token(names.get("$skiptoken"))[1]
    rows = service.cached(("changes", day), lambda: list(changed_rows(service, day)))
    link = None
    if start + size < len(rows):
        query = f"pagesize={size}&sinceTime={names['sincetime']}&$skiptoken={write_token(service, 0, start + size)}"
        link = f"{request.base_url}{request.path}?{query}"
    return envelope(
        request, "Collection(microsoft.windowsDefenderATP.api.DeltaAssetVulnerability)", rows[start:][:size], link
    )


def changed_rows(service: Service, day: int) -> Iterator[dict[str, Any]]:
    """In no order of time, under ids as Microsoft's examples spell them, which are not those of the whole list; rows of
    machines that are not listed today are not told."""
    today = service.view
    before = service.lens.view(service.truth, service.instance, day)
    moment = stamp(service.truth.as_of(service.day), 0)
    for key in keys_of(service):
        old = {row["id"]: row for row in vulnerability_rows(before, key) if row["cveId"]}
        new = {row["id"]: row for row in vulnerability_rows(today, key) if row["cveId"]}
        for ident, row in new.items():
            if without_time(row) != without_time(old.get(ident, {})):
                yield {**row, "id": change_id(row), "status": "New", "eventTimestamp": moment}
                yield {**row, "id": change_id(row), "status": "Fixed", "eventTimestamp": moment}
        for ident, row in old.items():
            if ident not in new:
                yield {**row, "id": change_id(row), "status": "Fixed", "eventTimestamp": moment}


def change_id(row: Mapping[str, Any]) -> str:
    return "_".join([row["deviceId"], row["softwareName"], row["softwareVersion"], row["cveId"], ""])


def without_time(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "lastSeenTimestamp"}


def write_token(service: Service, number: int, line: int) -> str:
    """Position in a snapshot, readable as the product's own tokens are."""
    path = f"{service.truth.date(service.day)}/0301/"
    state = {"ExportDefinition": {"TimePath": path}, "ExportFileIndex": number, "LineStoppedAt": line}
    return base64.urlsafe_b64encode(orjson.dumps(state)).decode()


def read_token(token: str | None) -> tuple[int, int]:
    if token is None:
        return 0, 0
    try:
        state = orjson.loads(base64.urlsafe_b64decode(token))
        return int(state["ExportFileIndex"]), int(state["LineStoppedAt"])
    except (ValueError, KeyError, TypeError) as error:
        raise Refusal(400, "InvalidInput", "The skip token is not valid") from error


def cves(request: Request, service: Service) -> Any:
    catalogue = service.truth.cve_catalogue
    found = [cve_record(service.view, cve) for cve in catalogue]
    return envelope(request, "Vulnerabilities", [*found, *(unexposed(service.view, n) for n in range(200))])


def export(request: Request, service: Service) -> Any:
    """Links to prepared files. A link is its own permission, for a while."""
    count = -(-len(keys_of(service)) // FILE_MACHINES)
    ends = int(service.clock.time()) + SAS_SECONDS * request.integer("sasValidHours", 1, 1, 6)
    links = ((n, f"sv=2022-11-02&se={ends}&sig={signature(service, n, ends)}") for n in range(count))
    files = [f"{request.base_url}/tvmexport/{n}.json.gz?{query}" for n, query in links]
    generated = stamp(service.truth.as_of(service.day), 0)
    return {"@odata.context": f"{request.base_url}/api/$metadata", "exportFiles": files, "generatedTime": generated}


def signature(service: Service, number: int, ends: int) -> str:
    return service.truth.hex_id(40, "sas", service.name, number, ends)


def export_file(request: Request, service: Service) -> Response:
    """Gzipped JSON lines in PascalCase. Storage knows signatures only: a token beside one is refused."""
    number, query = int(request.path_args["number"]), request.query
    ends = request.integer("se", 0)
    good = query.get("sig") == signature(service, number, ends) and service.clock.time() < ends
    if not good or request.header("Authorization"):
        text = "Server failed to authenticate the request. Signature not valid in the specified time frame."
        xml = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>AuthenticationFailed</Code><Message>{text}</Message></Error>'
        return Response(xml, 403, content_type="application/xml")
    if service.instance.options.get("empty_exports"):
        return Response(b"")
    keys = keys_of(service)[number * FILE_MACHINES : (number + 1) * FILE_MACHINES]
    lines = (orjson.dumps(pascal(row)) for key in keys for row in vulnerability_rows(service.view, key))
    return Response(gzip.compress(b"\n".join(lines) + b"\n", 1), content_type="application/octet-stream")


def pascal(row: Mapping[str, Any]) -> dict[str, Any]:
    """Export files spell their keys in PascalCase, all but two."""
    renamed = {
        name if name in ("cveId", "diskPaths") else name[:1].upper() + name[1:]: value for name, value in row.items()
    }
    return {**renamed, "IsOnboarded": True}
