"""ServiceNow CMDB by its Table API, lax where the vendor is: unknown fields and broken query parts are ignored instead
of refused, and access rules hide records after the limit was applied. Shapes follow the contract sheet.

Instance options: auth ('basic', 'oauth', 'oauth_password', 'api_key'), api_version (1 says 404 where there is nothing),
most_rows (a page with more is given up in the middle, with most_rows_status), hidden_share and hidden_prefixes (see
tables.is_hidden).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from demo_estate.evidence import machine_evidence
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
    link_header,
    page_bounds,
)
from demo_estate.lenses import Answer, Instance, Lens, View
from demo_estate.lenses.servicenow import records
from demo_estate.lenses.servicenow.query import parse
from demo_estate.lenses.servicenow.records import Row
from demo_estate.lenses.servicenow.tables import TABLES, Key, covers, is_hidden, keys_of, sorted_keys, user_refs
from demo_estate.truth import Ref

USER = "exposure.integration"
TOKEN_SECONDS = 1799.0
DEFAULT_LIMIT = 10000
TABLE_PARAMS = (
    "sysparm_query sysparm_fields sysparm_limit sysparm_offset sysparm_display_value sysparm_exclude_reference_link "
    "sysparm_no_count sysparm_suppress_pagination_header sysparm_query_no_domain sysparm_view"
).split()


# Who asks ------------------------------------------------------------------------------------------------------------


def kind_of_auth(view: View) -> str:
    return str(view.instance.options.get("auth") or "basic")


def client_id(view: View) -> str:
    return view.truth.hex_id(32, view.instance.name, "client")


def credentials(view: View) -> dict[str, str]:
    secrets = {
        "client_secret": view.truth.hex_id(40, view.instance.name, "client secret"),
        # not in Latin-1, as passwords need not be
        "password": f"Pẃ-{view.truth.hex_id(20, view.instance.name, 'password')}!é",
        "api_key": view.truth.hex_id(40, view.instance.name, "api key"),
    }
    return {name: secrets[name] for name in NEEDED[kind_of_auth(view)]}


NEEDED: Mapping[str, tuple[str, ...]] = {
    "basic": ("password",),
    "oauth": ("client_secret",),
    "oauth_password": ("client_secret", "password"),
    "api_key": ("api_key",),
}


def options(view: View, base_url: str) -> Mapping[str, Any]:
    kind = kind_of_auth(view)
    who = {"username": USER} if "password" in NEEDED[kind] else {}
    client = {"client_id": client_id(view)} if "client_secret" in NEEDED[kind] else {}
    return {
        **({} if kind == "basic" else {"auth": kind}),
        **who,
        **client,
        "computer_tables": ["cmdb_ci_computer", "cmdb_ci_netgear", "cmdb_ci_printer"],
    }


def authenticate(request: Request, service: Service) -> None:
    header, kind = request.header("Authorization"), kind_of_auth(service.view)
    if kind == "api_key":
        known = request.header("x-sn-apikey") == service.credentials["api_key"]
    elif kind != "basic":
        known = service.tokens.find(bearer_token(header)) is not None
    else:
        known = basic_credentials(header) == (USER, service.credentials["password"])
    if not known:
        raise Refusal(401, "unauthorized", "User Not Authenticated", {"WWW-Authenticate": 'Basic realm="Service-now"'})
    request.caller = USER


def token(request: Request, service: Service) -> Any:
    """POST /oauth_token.do with a form."""
    form = request.form()
    wanted = {"client_id": client_id(service.view), "client_secret": service.credentials.get("client_secret")}
    match kind_of_auth(service.view):
        case "oauth":
            wanted |= {"grant_type": "client_credentials"}
        case "oauth_password":
            wanted |= {"grant_type": "password", "username": USER, "password": service.credentials["password"]}
        case _:
            wanted |= {"grant_type": "none is taken"}
    if any(form.get(name) != value for name, value in wanted.items()):
        return Response({"error_description": "access_denied", "error": "server_error"}, 401)
    issued = service.tokens.issue(USER)
    return {
        "access_token": issued.value,
        "scope": "useraccount",
        "token_type": "Bearer",
        "expires_in": int(TOKEN_SECONDS),
    }


def error(request: Request, status: int, reason: str, message: str) -> Response:
    details = {
        "unauthorized": "Required to provide Auth information",
        "throttled": "Rate limit of 20000 requests per hour for Table API exceeded",
    }
    said = "Rate limit exceeded" if reason == "throttled" else message
    return Response({"error": {"message": said, "detail": details.get(reason, "")}, "status": "failure"}, status)


def limits(state: BucketState) -> Mapping[str, str]:
    headers = {
        "X-RateLimit-Limit": str(state.limit),
        "X-RateLimit-Reset": str(int(state.reset_at) + 1),
        "X-RateLimit-Rule": "e4a1f2c0db0a3300b5d6f3c51d96190a",
    }
    return headers if state.allowed else {**headers, "Retry-After": str(state.retry_after)}


# The Table API -------------------------------------------------------------------------------------------------------


def invalid_table(table: str) -> Response:
    return Response({"error": {"message": f"Invalid table {table}", "detail": None}, "status": "failure"}, 400)


def matching(service: Service, table: str, text: str) -> Iterator[tuple[str, Key, Row | None]]:
    """Rows that a query asks for, by sys_id, hidden ones included; the row is built where a condition needs it.

    `sys_id>` is answered by position, so that a page costs a page however large the table is.
    """
    query, view = parse(text), service.view
    keys = sorted_keys(service, table)
    start = bisect_right(keys, query.after, key=lambda pair: pair[0]) if query.after else 0
    for key, arguments in islice(keys, start, None):
        row = TABLES[table].row(view, *arguments) if query.conditions else None
        if row is None or all(condition.holds(row) for condition in query.conditions):
            yield key, arguments, row


def table_rows(request: Request, service: Service) -> Response:
    table, view = request.path_args["table"], service.view
    if table not in TABLES:
        return invalid_table(table)
    text = request.query.get("sysparm_query", "")
    limit = request.integer("sysparm_limit", DEFAULT_LIMIT, 1, DEFAULT_LIMIT, clamp=True)
    offset = request.integer("sysparm_offset", 0, 0)
    names = [name for name in request.query.get("sysparm_fields", "").split(",") if name]
    plain = request.query.get("sysparm_exclude_reference_link") == "true"
    found = []
    for key, arguments, row in islice(matching(service, table, text), offset, offset + limit):
        # the limit counts what access rules then take away
        if not is_hidden(view, table, key):
            found.append(shown(row or TABLES[table].row(view, *arguments), names, plain))
    headers = {}
    if request.query.get("sysparm_no_count") != "true":
        total = count(service, table, text)
        headers["X-Total-Count"] = str(total)
        if request.query.get("sysparm_suppress_pagination_header") != "true" and total > limit:
            headers["Link"] = links(request, total, offset, limit)
    if not found and view.instance.options.get("api_version") == 1:
        said = {"message": "No Record found", "detail": "Records matching query not found"}
        return Response({"error": said, "status": "failure"}, 404, headers)
    most = view.instance.options.get("most_rows", len(found))
    if len(found) > most:
        said = {"message": "Transaction cancelled: maximum execution time exceeded", "detail": "Check logs for details"}
        status = view.instance.options.get("most_rows_status", 200)
        return Response({"result": found[:most], "error": said, "status": "failure"}, status, headers)
    return Response({"result": found}, headers=headers)


def shown(row: Row, names: list[str], plain: bool) -> Row:
    """The asked columns; one the table does not have is left out without a word."""
    chosen = (
        {name: row[name] for name in names if name in row} if names else {n: v for n, v in row.items() if "." not in n}
    )
    if not plain:
        return chosen
    return {name: value["value"] if isinstance(value, dict) else value for name, value in chosen.items()}


def links(request: Request, total: int, offset: int, limit: int) -> str:
    def at(place: int) -> str:
        query = {**request.query, "sysparm_offset": str(place)}
        return f"{request.base_url}{request.path}?{urlencode(query, safe=',^')}"

    following = page_bounds(total, offset, limit)[2]
    found = {"first": at(0)}
    if following is not None:
        found["next"] = at(following)
    return link_header({**found, "last": at((total - 1) // limit * limit)})


def count(service: Service, table: str, text: str) -> int:
    return sum(1 for _ in matching(service, table, text))


def table_count(request: Request, service: Service) -> Any:
    """The Aggregate API, which counts before access rules."""
    table = request.path_args["table"]
    if table not in TABLES:
        return invalid_table(table)
    return {"result": {"stats": {"count": str(count(service, table, request.query.get("sysparm_query", "")))}}}


# The answer key ------------------------------------------------------------------------------------------------------

ASSET_TABLES = records.DEVICE_TABLES


def answer(view: View) -> Iterator[Answer]:
    truth = view.truth
    for index in view.device_indexes():
        table = table_of(truth.device_kind(index))
        tags = truth.quirks(index) & records.SHOWN
        for key, (_, *part) in keys_of(view, index):
            if not is_hidden(view, table, key):
                proof = evidence(view, index, *map(str, part))
                yield Answer("device", key, truth.truth_id(Ref("device", index)), tags, proof)
    for ref in user_refs(view):
        tags = truth.person_quirks(ref) & records.SHOWN_OF_PEOPLE
        yield Answer("identity", records.sys_id(view, ref), truth.truth_id(ref), tags)
    for key, arguments in TABLES["sys_user_group"].keys(view):
        # a support group is no directory group, whatever its name
        yield Answer("identity", key, f"itg-{arguments[0]:06d}")
    for index in range(truth.business_application_count):
        for ref, table in (
            (Ref("business_application", index), "cmdb_ci_business_app"),
            (Ref("service", index), "cmdb_ci_service"),
        ):
            key = records.sys_id(view, ref)
            if not is_hidden(view, table, key):
                yield Answer("application", key, truth.truth_id(ref))


def evidence(view: View, index: int, part: str = "") -> frozenset[str]:
    """From the item and its network adapters, which belong to the first row of a machine."""
    row = records.device_row(view, index, part)
    bare = "name_only_ci" in view.truth.quirks(index)
    cards = [] if part or bare else [records.adapter_row(view, index, n) for n in range(len(view.device(index).nics))]
    return machine_evidence(
        serial=row["serial_number"],
        macs=[row["mac_address"], *(card["mac_address"] for card in cards)],
        names=[row["name"], row["host_name"], row["fqdn"]],
        domain=row["dns_domain"],
        ids=[row["object_id"]],
    )


def table_of(kind: str) -> str:
    return {"network_device": "cmdb_ci_netgear", "printer": "cmdb_ci_printer"}.get(kind, "cmdb_ci_computer")


LENS = Lens(
    product="servicenow",
    routes=[
        Route("POST", "/oauth_token.do", token, public=True),
        Route("GET", "/api/now/table/{table}", table_rows, TABLE_PARAMS, bucket="table"),
        Route("GET", "/api/now/stats/{table}", table_count, ("sysparm_query", "sysparm_count"), bucket="table"),
    ],
    answer=answer,
    credentials=credentials,
    options=options,
    covers=covers,
    retention=60,
    authenticate=authenticate,
    error=error,
    buckets=lambda: {"table": Bucket(20000, 3600, limits)},
    rows=lambda body: body.get("result") if isinstance(body, dict) and isinstance(body.get("result"), list) else None,
    token_ttl=TOKEN_SECONDS,
    instances=(
        Instance("servicenow_cmdb"),
        Instance("servicenow_oauth", options={"auth": "oauth"}, by_default=False),
    ),
)
