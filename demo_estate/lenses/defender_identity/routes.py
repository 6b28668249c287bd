"""The collections of Defender for Identity over HTTP, and as much of Kusto as a connector's queries need."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Sequence
from typing import Any

from demo_estate.kit import Refusal, Request, Response, Route, Service
from demo_estate.lenses import View
from demo_estate.lenses.defender_identity import records

ROOT = "/v1.0/security"
PAGE, MOST_ROWS = 100, 100_000
TABLES = {
    "IdentityInfo": records.identity_info,
    "ExposureGraphNodes": records.nodes,
    "ExposureGraphEdges": records.edges,
}
CONDITION = re.compile(r"(\w+) in~ \((.*?)\)(?: and |$)")
PART = re.compile(r"where hash\((\w+), (\d+)\) == (\d+)")
NEWEST = "summarize arg_max(Timestamp, *) by AccountKey"


def collection(name: str, build: Callable[[View], Sequence[Any]], shown: Callable[[View, Any], Any]) -> Route:
    """A collection in pages by an opaque link; the last full page links to an empty one."""

    def handler(request: Request, service: Service) -> Any:
        keys = service.cached(name, lambda: build(service.view))
        size = int(service.instance.options.get("page", PAGE))
        start = 0
        if token := request.query.get("$skiptoken"):
            try:
                start = int(service.cursors.decode(token)["offset"])
            except ValueError as error:
                raise Refusal(400, "bad_request", "Invalid skip token.") from error
        page = keys[start : start + size]
        body: dict[str, Any] = {"value": [shown(service.view, key) for key in page]}
        if len(page) == size:
            token = service.cursors.encode({"offset": start + size})
            body["@odata.nextLink"] = f"{request.base_url}{request.path}?$skiptoken={token}"
        return body

    return Route("GET", f"{ROOT}/identities/{name}", handler, ("$skiptoken", "$filter", "$select"), bucket="graph")


def hunt(request: Request, service: Service) -> Any:
    """Rows of a query. An answer ends at the row limit without a word; what takes too long is a 504 with a web page."""
    asked = request.json()
    if not isinstance(asked, dict) or not isinstance(asked.get("Query"), str):
        raise Refusal(400, "bad_request", "The Query parameter is required.")
    table, *operators = [part.strip() for part in asked["Query"].split("|")]
    options = service.instance.options
    if table not in TABLES or table in options.get("without_tables", ()):
        text = f"'where' operator: Failed to resolve table or column expression named '{table}'. Fix semantic errors."
        raise Refusal(400, "bad_request", text)
    rows = service.cached(table, lambda: list(TABLES[table](service.view)))
    for operator in operators:
        rows = applied(operator, rows)
    if len(rows) > int(options.get("slow_rows", len(rows))):
        return Response("<html><body>Gateway timeout</body></html>", 504, content_type="text/html")
    limit = int(options.get("row_limit", MOST_ROWS))
    names = [name for name in (rows[0] if rows else {"Timestamp": ""}) if "@" not in name]
    return {
        "@odata.context": f"{request.base_url}/v1.0/$metadata#microsoft.graph.security.huntingQueryResults",
        "schema": [{"name": name, "type": "String"} for name in names],
        "results": rows[:limit],
    }


def applied(operator: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if part := PART.fullmatch(operator):
        column, parts, number = part[1], int(part[2]), int(part[3])
        return [row for row in rows if zlib.crc32(str(row[column]).encode()) % parts == number]
    if operator.startswith("where ") and CONDITION.match(operator[6:]):
        wanted = [
            (found[1], set(re.findall(r"'(.*?)'", found[2].lower()))) for found in CONDITION.finditer(operator[6:])
        ]
        return [row for row in rows if all(str(row[column]).lower() in labels for column, labels in wanted)]
    if operator.startswith("extend AccountKey = "):
        return [{"AccountKey": row["AccountObjectId"].lower(), **row} for row in rows]
    if operator == NEWEST:
        newest: dict[str, dict[str, Any]] = {}
        for row in rows:
            if row["Timestamp"] >= newest.get(row["AccountKey"], row)["Timestamp"]:
                newest[row["AccountKey"]] = row
        return list(newest.values())
    if operator.startswith("take "):
        return rows[: int(operator[5:])]
    raise Refusal(400, "bad_request", f"Query could not be parsed at '{operator[:40]}'.")


ROUTES = (
    collection("sensors", records.sensor_hosts, lambda view, key: records.sensor(view, *key)),
    collection("healthIssues", records.health_issues, lambda view, issue: issue),
    collection("identityAccounts", records.account_keys, records.identity),
    Route("POST", f"{ROOT}/runHuntingQuery", hunt, bucket="hunting"),
)
