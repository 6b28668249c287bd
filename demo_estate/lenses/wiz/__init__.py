"""Wiz: one GraphQL endpoint and a token endpoint, strict about fields, arguments, filters and cursors.

Errors of a query come with HTTP 200, refusals of the query itself with 400. What may go wrong is told by `service.state`:
"graphql" is a list of answers given instead, in turn (None: the true one; a function changes the true one); "unknown" names
fields that this tenant does not know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from demo_estate.evidence import machine_evidence
from demo_estate.kit import Bucket, Refusal, Request, Response, Route, Service, bearer_token
from demo_estate.lenses import Answer, Lens, View
from demo_estate.lenses.wiz import records, schema
from demo_estate.truth import Truth

MOST_ROWS = 1000
SHOWN = frozenset({"replaced_instance"})
AUDIENCE = "wiz-api"


def covers(truth: Truth, index: int) -> bool:
    return truth.device_kind(index) == "cloud_vm"


def credentials(view: View) -> Mapping[str, str]:
    return {"client_secret": view.truth.hex_id(64, view.instance.name, "secret")}


def client_id(view: View) -> str:
    return view.truth.hex_id(52, view.instance.name, "client")


def options(view: View, base_url: str) -> Mapping[str, Any]:
    return {"client_id": client_id(view)}


def token(request: Request, service: Service) -> Any:
    form = request.form()
    if form.get("grant_type") != "client_credentials" or form.get("audience") != AUDIENCE:
        return Response({"error": "invalid_request", "error_description": "audience or grant_type is wrong"}, 400)
    good = form.get("client_id") == client_id(service.view)
    if not good or form.get("client_secret") != service.credentials["client_secret"]:
        return Response({"error": "invalid_client", "error_description": "Client authentication failed"}, 401)
    issued = service.tokens.issue(form["client_id"])
    return {"access_token": issued.value, "expires_in": int(service.tokens.ttl), "token_type": "Bearer"}


def authenticate(request: Request, service: Service) -> None:
    found = service.tokens.find(bearer_token(request.header("Authorization")))
    if found is None:
        raise Refusal(401, "unauthorized", "Unauthorized")
    request.caller = found.subject


def error(request: Request, status: int, reason: str, message: str) -> Response:
    code = {"bad_request": "GRAPHQL_VALIDATION_FAILED", "throttled": "RATE_LIMIT_EXCEEDED"}.get(reason, reason.upper())
    return Response({"errors": [{"message": message, "extensions": {"code": code}}]}, status)


def graphql(request: Request, service: Service) -> Any:
    planned = service.state.get("graphql") or []
    plan = planned.pop(0) if planned else None
    if plan is not None and not callable(plan):
        return plan
    body = request.json() or {}
    try:
        selections = schema.parse(str(body.get("query") or ""), body.get("variables") or {})
    except schema.Invalid as wrong:
        raise Refusal(400, "bad_request", str(wrong)) from wrong
    for name in sorted(schema.names(selections) & set(service.state.get("unknown", ()))):
        raise Refusal(400, "bad_request", f'Cannot query field "{name}" on type "Node".')
    answer = {"data": {chosen.name: connection(service, chosen) for chosen in selections}}
    return plan(answer) if plan is not None else answer


def connection(service: Service, chosen: schema.Selection) -> Any:
    first = chosen.arguments.get("first")
    if not isinstance(first, int) or not 1 <= first <= MOST_ROWS:
        raise Refusal(400, "bad_request", f"first must be between 1 and {MOST_ROWS}")
    rows, fits = ROOTS[chosen.name]
    wanted = checked(chosen.arguments.get("filterBy") or {}, fits)
    unit, row = 0, 0
    if after := chosen.arguments.get("after"):
        try:
            state = service.cursors.decode(after)
        except ValueError as wrong:
            raise Refusal(400, "bad_request", "The cursor is not valid") from wrong
        unit, row = int(state["unit"]), int(state["row"])
    nodes: list[records.Record] = []
    following: tuple[int, int] | None = None
    units = unit_list(service)
    while unit < len(units) and following is None:
        found = [one for one in rows(service.view, units[unit]) if all(test(one) for test in wanted)]
        room = first - len(nodes)
        nodes += found[row : row + room]
        if len(found) - row > room:
            following = unit, row + room
        else:
            unit, row = unit + 1, 0
            if len(nodes) == first and unit < len(units):
                following = unit, 0
    at = following or (unit, row)
    # the last page has a cursor too
    page = {"hasNextPage": following is not None, "endCursor": service.cursors.encode({"unit": at[0], "row": at[1]})}
    return schema.cut({"nodes": nodes, "pageInfo": page}, chosen.below)


Unit = tuple[str, Any]
Test = Callable[[records.Record], bool]


def unit_list(service: Service) -> list[Unit]:
    truth = service.truth
    return [
        *(("account", account) for account in truth.cloud_accounts),
        *(("resource", number) for number in range(truth.cloud_resource_count)),
        *(("machine", index) for index in service.device_indexes()),
    ]


def resources(view: View, unit: Unit) -> Iterator[records.Record]:
    kind, what = unit
    if kind == "account":
        yield records.account(view, *what)
    elif kind == "resource":
        yield records.resource(view, view.truth.cloud_resource(what))
    elif (device := view.device(what)).cloud is not None:
        yield records.machine(view, device)


def findings(view: View, unit: Unit) -> Iterator[records.Record]:
    if unit[0] == "machine" and (device := view.device(unit[1])).cloud is not None:
        yield from records.findings(view, device)


def issues(view: View, unit: Unit) -> Iterator[records.Record]:
    for found in resources(view, unit):
        yield from records.issue(view, found)


def within(name: str) -> Callable[[Any], Test]:
    return lambda values: lambda row: row[name] in values


def since(name: str) -> Callable[[Any], Test]:
    return lambda value: lambda row: str(row[name]) > value["after"]


def of_type(value: Any) -> Test:
    return lambda row: row["type"] in value["equals"]


def of_project(value: Any) -> Test:
    return lambda row: any(project["id"] == value["idV2"]["equals"] for project in row["projects"])


Fits = Mapping[str, Callable[[Any], Test]]
ROOTS: Mapping[str, tuple[Callable[[View, Unit], Iterator[records.Record]], Fits]] = {
    "cloudResourcesV2": (resources, {"type": of_type, "updatedAt": since("lastSeen"), "project": of_project}),
    "vulnerabilityFindings": (
        findings,
        {"status": within("status"), "severity": within("severity"), "updatedAt": since("updatedAt")},
    ),
    "issuesV2": (
        issues,
        {"status": within("status"), "severity": within("severity"), "statusChangedAt": since("statusChangedAt")},
    ),
}


def checked(filters: Any, fits: Fits) -> list[Test]:
    if not isinstance(filters, dict):
        raise Refusal(400, "bad_request", 'Variable "$filterBy" got invalid value; expected an object.')
    unknown = sorted(set(filters) - set(fits))
    if unknown:
        raise Refusal(
            400, "bad_request", f'Variable "$filterBy" got invalid value; Field "{unknown[0]}" is not defined.'
        )
    return [fits[name](value) for name, value in filters.items()]


def answer(view: View) -> Iterator[Answer]:
    truth = view.truth
    for device in records.machines(view):
        cloud = device.cloud
        assert cloud is not None
        proof = machine_evidence(
            uuid=cloud.instance_id if cloud.provider == "azure" else None,
            names=[device.hostname] if cloud.provider != "aws" else [],
            ids=[cloud.instance_id],
        )
        tags = truth.quirks(device.index) & SHOWN
        yield Answer("device", records.machine_id(view, device), device.truth_id, tags, proof)
    for found in truth.cloud_resources():
        yield Answer("cloud_resource", records.resource_id(view, found), found.truth_id)
    for _, account, _ in truth.cloud_accounts:
        yield Answer("cloud_resource", records.account_id(view, account), f"acc-{account}")


def rows(body: Any) -> list[Any] | None:
    data = body.get("data") if isinstance(body, dict) else None
    found = next(iter(data.values()), None) if isinstance(data, dict) else None
    return found.get("nodes") if isinstance(found, dict) else None


LENS = Lens(
    product="wiz",
    routes=(
        Route("POST", "/oauth/token", token, public=True),
        Route("POST", "/graphql", graphql, bucket="api"),
    ),
    answer=answer,
    credentials=credentials,
    options=options,
    covers=covers,
    retention=30,
    authenticate=authenticate,
    error=error,
    rows=rows,
    # the burst a client measured; Wiz tells nothing of it in headers
    buckets=lambda: {"api": Bucket(300, 60.0, lambda state: {})},
)
