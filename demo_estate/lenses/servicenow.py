"""ServiceNow CMDB: what people and discovery wrote down about the company, in the Table API's own lax ways.

Every scalar is a string, null is '', references are '' or objects, unknown fields and broken query parts are ignored
instead of refused, and access rules hide records after the limit was applied. Shapes follow the contract sheet.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from demo_estate.kit import Bucket, Refusal, Request, Response, Route, Service, basic_credentials
from demo_estate.kit.buckets import BucketState
from demo_estate.lenses import Answer, Instance, Lens, View
from demo_estate.quirks import spell_mac, vmware_serial
from demo_estate.truth import Account, Device, Ref, Truth

USER = "exposure.integration"

COVERAGE: Mapping[str, float] = {
    "laptop": 0.85,
    "desktop": 0.85,
    "server": 0.95,
    "virtual_machine": 0.88,
    "cloud_vm": 0.6,
    "domain_controller": 1.0,
}
CLASSES: Mapping[str, str] = {
    "laptop": "cmdb_ci_computer",
    "desktop": "cmdb_ci_computer",
    "server": "cmdb_ci_server",
    "virtual_machine": "cmdb_ci_server",
    "cloud_vm": "cmdb_ci_server",
    "domain_controller": "cmdb_ci_win_server",
}
CRITICALITY = ("1 - most critical", "2 - somewhat critical", "3 - less critical", "4 - not critical")

Row = dict[str, Any]


def covers(truth: Truth, index: int) -> bool:
    return truth.chance(COVERAGE.get(truth.device_kind(index), 0.0), "servicenow", "covers", index)


def credentials(view: View) -> dict[str, str]:
    return {"password": f"Pw-{view.truth.hex_id(20, view.instance.name, 'password')}!é"}


def authenticate(request: Request, service: Service) -> None:
    if basic_credentials(request.header("Authorization")) != (USER, service.credentials["password"]):
        raise Refusal(401, "unauthorized", "User Not Authenticated", {"WWW-Authenticate": 'Basic realm="Service-now"'})
    request.caller = USER


def error(request: Request, status: int, reason: str, message: str) -> Response:
    detail = {"unauthorized": "Required to provide Auth information", "throttled": "Rate limit exceeded for Table API"}
    return Response({"error": {"message": message, "detail": detail.get(reason, "")}, "status": "failure"}, status)


def limits(state: BucketState) -> Mapping[str, str]:
    headers = {"X-RateLimit-Limit": str(state.limit), "X-RateLimit-Reset": str(int(state.reset_at))}
    return headers if state.allowed else {**headers, "Retry-After": str(state.retry_after)}


# Keys --------------------------------------------------------------------------------------------------------------


def sys_id(view: View, ref: Ref, part: object = "") -> str:
    return view.truth.hex_id(32, view.instance.name, ref.kind, ref.index, part)


def reference(table: str, key: str) -> Any:
    return {"link": f"https://demo.service-now.example/api/now/table/{table}/{key}", "value": key} if key else ""


def stamp(moment: datetime | None) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S") if moment else ""


# Rows of each table ------------------------------------------------------------------------------------------------


def computer_rows(view: View, index: int) -> Iterator[Row]:
    """The configuration item of a device, and its duplicate where the CMDB holds it twice."""
    device = view.device(index)
    row = computer(view, device)
    yield row
    if "duplicate_ci" in view.truth.quirks(index):
        double = sys_id(view, Ref("device", index), "duplicate")
        yield {
            **row,
            "sys_id": double,
            "duplicate_of": reference("cmdb_ci", row["sys_id"]),
            "name": row["name"].lower(),
        }


def computer(view: View, device: Device) -> Row:
    truth, quirks = view.truth, view.truth.quirks(device.index)
    gone = device.last_day is not None and device.last_day < view.day
    seen = truth.last_activity(device.index, view.day, "servicenow")
    if "stale_ci" in quirks:
        seen = truth.moment(view.day - 130, "servicenow", device.index)
    bare = "name_only_ci" in quirks
    retired = gone or "retired_ci" in quirks
    slow_name = "renamed_host" in quirks and device.old_hostname
    slow_mac = "nic_swapped" in quirks and device.old_mac
    name = (device.old_hostname if slow_name else device.hostname) or ""
    criticality = 3 - device.criticality if "criticality_disagrees" in quirks else device.criticality
    owner = sys_id(view, Ref("person", device.owner)) if device.owner is not None else ""
    application = device.business_application
    mac = (device.old_mac if slow_mac else device.mac) or ""
    return {
        "sys_id": sys_id(view, Ref("device", device.index)),
        "sys_class_name": server_class(device),
        "name": name.upper(),
        "host_name": "",
        "fqdn": "" if bare or "short_name" in quirks or slow_name else device.fqdn or "",
        "dns_domain": "" if bare else device.domain or "",
        "ip_address": "" if bare else device.ip or "",
        "mac_address": "" if bare else spell_mac(mac, "COLON" if "mac_spelling" in quirks else "colon") if mac else "",
        "serial_number": "" if bare else serial(device, quirks),
        "asset_tag": device.asset_tag or "",
        "os": device.os_name or "",
        "os_version": "",
        "os_service_pack": "",
        "os_domain": "",
        "cpu_type": "Intel(R) Xeon(R)" if device.is_server else "Intel(R) Core(TM)",
        "category": "Hardware",
        "classification": "Production" if device.environment == "production" else "Development",
        "used_for": device.environment.capitalize(),
        "environment": "",
        "manufacturer": "" if bare else device.manufacturer,
        "model_id": device.model,
        "object_id": device.cloud.instance_id if device.cloud and not bare else "",
        "correlation_id": "",
        "virtual": "true" if device.kind in ("virtual_machine", "cloud_vm") else "false",
        "internet_facing": "true" if device.internet_facing else "false",
        "discovery_source": "" if bare else "SCCM",
        "install_status": "7" if retired else "1",
        "operational_status": "6" if retired else "1",
        "hardware_status": "",
        "life_cycle_stage": "",
        "life_cycle_stage_status": "",
        "duplicate_of": "",
        "most_frequent_user": owner,
        "assigned_to": reference("sys_user", owner),
        "owned_by": "",
        "managed_by": "",
        "support_group": "",
        "location": "",
        "sys_domain": reference("sys_user_group", "global"),
        "busines_criticality": CRITICALITY[criticality],
        "u_primary_business_application": reference(
            "cmdb_ci_business_app",
            sys_id(view, Ref("business_application", application)) if application is not None else "",
        ),
        "first_discovered": stamp(truth.moment(device.first_day, "servicenow", device.index)),
        "last_discovered": "" if bare else stamp(seen),
        "sys_created_on": stamp(truth.moment(device.first_day, "servicenow", device.index)),
        "sys_updated_on": stamp(seen),
    }


def server_class(device: Device) -> str:
    if device.is_server and device.os_platform:
        return "cmdb_ci_win_server" if device.is_windows else "cmdb_ci_linux_server"
    return CLASSES[device.kind]


def serial(device: Device, quirks: frozenset[str]) -> str:
    if "vmware_serial" in quirks and device.smbios_uuid:
        return device.serial or vmware_serial(device.smbios_uuid)
    return device.serial or ""


def adapter_rows(view: View, index: int) -> Iterator[Row]:
    device = view.device(index)
    quirks = view.truth.quirks(index)
    if "name_only_ci" in quirks:
        return
    for number, nic in enumerate(device.nics):
        mac = device.old_mac if number == 0 and "nic_swapped" in quirks and device.old_mac else nic.mac
        yield {
            "sys_id": sys_id(view, Ref("device", index), f"nic{number}"),
            "sys_class_name": "cmdb_ci_network_adapter",
            "name": nic.name,
            "cmdb_ci": reference("cmdb_ci", sys_id(view, Ref("device", index))),
            "mac_address": spell_mac(mac, "COLON"),
            "ip_address": nic.ip or "",
            "ip_default_gateway": "",
            "install_status": "1",
            "sys_updated_on": stamp(view.truth.last_activity(index, view.day, "servicenow")),
        }


def application_rows(view: View, index: int) -> Iterator[Row]:
    app = view.truth.business_application(index)
    moment = stamp(view.truth.moment(-400 - index % 300, "bap", index))
    yield {
        "sys_id": sys_id(view, Ref("business_application", index)),
        "sys_class_name": "cmdb_ci_business_app",
        "number": app.number,
        "name": app.name,
        "short_description": "",
        "business_criticality": CRITICALITY[app.criticality],
        "busines_criticality": CRITICALITY[app.criticality],
        "owned_by": reference("sys_user", sys_id(view, Ref("person", app.owner))),
        "it_application_owner": "",
        "managed_by": "",
        "department": app.department,
        "vendor": "",
        "version": "",
        "environment": app.environment,
        "url": "",
        "install_status": "7" if app.retired else "1",
        "operational_status": "6" if app.retired else "1",
        "life_cycle_stage": "",
        "duplicate_of": "",
        "active_user_count": str(view.truth.number("users", index) % 900),
        "sys_created_on": moment,
        "sys_updated_on": moment,
    }


def service_rows(view: View, index: int) -> Iterator[Row]:
    service = view.truth.service(index)
    moment = stamp(view.truth.moment(-300 - index % 200, "svc", index))
    yield {
        "sys_id": sys_id(view, Ref("service", index)),
        "sys_class_name": "cmdb_ci_service_auto",
        "number": service.number,
        "name": service.name,
        "short_description": "",
        "busines_criticality": CRITICALITY[service.criticality],
        "owned_by": reference("sys_user", sys_id(view, Ref("person", service.owner))),
        "managed_by": "",
        "used_for": "Production",
        "environment": "",
        "version": "",
        "install_status": "1",
        "operational_status": "1",
        "service_status": "operational",
        "duplicate_of": "",
        "sys_created_on": moment,
        "sys_updated_on": moment,
    }


def relation_rows(view: View, index: int) -> Iterator[Row]:
    relation = relations(view)[index]
    yield {
        "sys_id": view.truth.hex_id(32, view.instance.name, "rel", relation.id),
        "type.name": relation.type,
        "parent.sys_id": sys_id(view, relation.parent),
        "parent.sys_class_name": "cmdb_ci_service_auto"
        if relation.parent.kind == "service"
        else "cmdb_ci_business_app",
        "child.sys_id": sys_id(view, relation.child),
        "child.sys_class_name": "cmdb_ci_business_app"
        if relation.child.kind == "business_application"
        else "cmdb_ci_server",
        "sys_updated_on": stamp(view.truth.moment(-200, "rel", relation.id)),
    }


def relations(view: View) -> Sequence[Any]:
    """The CMDB's relations between items it holds."""
    return [
        relation
        for relation in view.truth.cmdb_relations(view.day)
        if relation.child.kind != "device" or view.covers(relation.child.index)
    ]


def member_rows(view: View, index: int) -> Iterator[Row]:
    service = view.truth.service(index)
    for device in view.truth.business_application_devices(service.business_application):
        if view.covers(device):
            yield {
                "sys_id": view.truth.hex_id(32, view.instance.name, "svcci", index, device),
                "service_id": reference("cmdb_ci_service", sys_id(view, Ref("service", index))),
                "ci_id": reference("cmdb_ci", sys_id(view, Ref("device", device))),
                "sys_updated_on": stamp(view.truth.moment(-150, "svcci", index, device)),
            }


def user_rows(view: View, index: int) -> Iterator[Row]:
    person = view.truth.person(index, view.day)
    yield user(view, person)


def user(view: View, person: Account) -> Row:
    quirks = view.truth.person_quirks(person.ref)
    login = (person.old_upn if "renamed_upn" in quirks and person.old_upn else person.upn) or ""
    mail = person.mail or ""
    if "name_case" in quirks:
        login, mail = login.upper(), mail.title()
    moment = stamp(view.truth.moment(person.first_day, "servicenow", "user", person.index))
    return {
        "sys_id": sys_id(view, person.ref),
        "sys_class_name": "sys_user",
        "user_name": login,
        "email": mail,
        "name": person.display_name,
        "first_name": person.given_name or "",
        "last_name": person.surname or "",
        "active": "true" if person.enabled or "stale_account" in quirks else "false",
        "locked_out": "false",
        "employee_number": person.employee_id or "",
        "department": person.department or "",
        "manager": reference(
            "sys_user", sys_id(view, Ref("person", person.manager)) if person.manager is not None else ""
        ),
        "title": person.title or "",
        "vip": "true" if person.criticality == 0 else "false",
        "last_login_time": "",
        "source": "",
        "user_password": f"{{enc}}{view.truth.hex_id(24, 'user_password', person.index)}",
        "sys_created_on": moment,
        "sys_updated_on": moment,
    }


def choice_rows(view: View, index: int) -> Iterator[Row]:
    element, value, label = CHOICES[index]
    yield {
        "sys_id": view.truth.hex_id(32, view.instance.name, "choice", index),
        "name": "cmdb_ci_computer",
        "element": element,
        "value": value,
        "label": label,
    }


CHOICES = (
    ("install_status", "1", "Installed"),
    ("install_status", "3", "In Maintenance"),
    ("install_status", "6", "In Stock"),
    ("install_status", "7", "Retired"),
    ("install_status", "100", "Absent"),
    ("operational_status", "1", "Operational"),
    ("operational_status", "2", "Non-Operational"),
    ("operational_status", "6", "Retired"),
)


# The Table API -----------------------------------------------------------------------------------------------------

RowsOf = Callable[[View, int], Iterator[Row]]
TABLES: Mapping[str, tuple[RowsOf, Callable[[View], Sequence[int]]]] = {
    "cmdb_ci_computer": (computer_rows, lambda view: view.index_array()),
    "cmdb_ci_network_adapter": (adapter_rows, lambda view: view.index_array()),
    "cmdb_ci_business_app": (application_rows, lambda view: range(view.truth.business_application_count)),
    "cmdb_ci_service": (service_rows, lambda view: range(view.truth.business_application_count)),
    "cmdb_rel_ci": (relation_rows, lambda view: range(len(relations(view)))),
    "svc_ci_assoc": (member_rows, lambda view: range(view.truth.business_application_count)),
    "sys_user": (user_rows, lambda view: range(view.truth.person_count)),
    "sys_user_group": (lambda view, index: iter(()), lambda view: ()),
    "sys_user_grmember": (lambda view, index: iter(()), lambda view: ()),
    "sys_choice": (choice_rows, lambda view: range(len(CHOICES))),
}

Condition = Callable[[Row], bool]


def parse_query(text: str) -> tuple[list[Condition], str | None]:
    """Conditions and sort field of an encoded query. A part that is not understood is dropped, as the vendor does."""
    conditions: list[Condition] = []
    order = None
    for part in text.split("^"):
        if part.startswith("ORDERBY"):
            order = part.removeprefix("ORDERBYDESC").removeprefix("ORDERBY")
        elif found := re.fullmatch(r"([a-z_.]+)(>=|<=|!=|=|>|<|STARTSWITH|IN)(.*)", part):
            conditions.append(partial(holds, found[1], found[2], found[3]))
    return conditions, order


def holds(field: str, operator: str, wanted: str, row: Row) -> bool:
    value = row.get(field, "")
    text = value["value"] if isinstance(value, dict) else str(value)
    match operator:
        case "=":
            return text == wanted
        case "!=":
            return text != wanted
        case ">":
            return text > wanted
        case ">=":
            return text >= wanted
        case "<":
            return text < wanted
        case "<=":
            return text <= wanted
        case "STARTSWITH":
            return text.startswith(wanted)
    return text in wanted.split(",")


def sorted_keys(service: Service, table: str) -> list[tuple[str, int]]:
    """(sys_id, index of the entity) of every row of a table, by sys_id; made once a day."""
    rows_of, indexes = TABLES[table]
    view = service.view

    def build() -> list[tuple[str, int]]:
        return sorted((row["sys_id"], index) for index in indexes(view) for row in rows_of(view, index))

    return service.cached(("keys", table), build)


def hidden(service: Service, table: str, key: str) -> bool:
    """Access rules keep one record in two hundred from the integration user."""
    return table == "cmdb_ci_computer" and service.truth.chance(0.005, "acl", key)


def rows_from(service: Service, table: str, start: int) -> Iterator[Row]:
    rows_of, _ = TABLES[table]
    view = service.view
    for key, index in sorted_keys(service, table)[start:]:
        yield next(row for row in rows_of(view, index) if row["sys_id"] == key)


def selected(service: Service, table: str, query: str) -> Iterator[Row]:
    """Rows of a table that a query asks for, by sys_id. 'sys_id>' is answered by position, so a page costs a page."""
    from bisect import bisect_right

    after = next((part.removeprefix("sys_id>") for part in query.split("^") if re.match(r"sys_id>[^=]", part)), None)
    keys = sorted_keys(service, table)
    start = bisect_right(keys, (after, 1 << 60)) if after else 0
    conditions, _ = parse_query(query)
    for row in rows_from(service, table, start):
        if all(condition(row) for condition in conditions):
            yield row


def table_rows(request: Request, service: Service) -> Any:
    table = request.path_args["table"]
    if table not in TABLES:
        return Response({"error": {"message": f"Invalid table {table}", "detail": None}, "status": "failure"}, 400)
    query = request.query.get("sysparm_query", "")
    limit = request.integer("sysparm_limit", 10000, 1, 10000, clamp=True)
    offset = request.integer("sysparm_offset", 0, 0)
    fields = [name for name in request.query.get("sysparm_fields", "").split(",") if name]
    bare = request.query.get("sysparm_exclude_reference_link") == "true"
    found: list[Row] = []
    for number, row in enumerate(selected(service, table, query)):
        if number >= offset + limit:
            break
        if number >= offset and not hidden(service, table, row["sys_id"]):
            found.append(shown(row, fields, bare))
    headers = {}
    if request.query.get("sysparm_no_count") != "true":
        headers["X-Total-Count"] = str(len(sorted_keys(service, table)))
    return Response({"result": found}, headers=headers)


def shown(row: Row, fields: list[str], bare: bool) -> Row:
    """The asked fields; a name the table does not have is left out without a word."""
    chosen = {name: row[name] for name in fields if name in row} if fields else row
    if not bare:
        return chosen
    return {name: value["value"] if isinstance(value, dict) else value for name, value in chosen.items()}


def table_count(request: Request, service: Service) -> Any:
    table = request.path_args["table"]
    if table not in TABLES:
        return Response({"error": {"message": f"Invalid table {table}", "detail": None}, "status": "failure"}, 400)
    count = sum(1 for _ in selected(service, table, request.query.get("sysparm_query", "")))
    return {"result": {"stats": {"count": str(count)}}}


TABLE_PARAMS = frozenset(
    "sysparm_query sysparm_fields sysparm_limit sysparm_offset sysparm_display_value sysparm_exclude_reference_link "
    "sysparm_no_count sysparm_suppress_pagination_header sysparm_query_no_domain sysparm_view".split()
)


def answer(view: View) -> Iterator[Answer]:
    truth = view.truth
    for device in view.devices():
        tags = truth.quirks(device.index)
        yield Answer("device", sys_id(view, Ref("device", device.index)), device.truth_id, tags)
        if "duplicate_ci" in tags:
            yield Answer("device", sys_id(view, Ref("device", device.index), "duplicate"), device.truth_id, tags)
    for index in range(truth.person_count):
        person = truth.person(index, view.day)
        yield Answer("identity", sys_id(view, person.ref), person.truth_id, truth.person_quirks(person.ref))
    for index in range(truth.business_application_count):
        for ref in (Ref("business_application", index), Ref("service", index)):
            yield Answer("application", sys_id(view, ref), truth.truth_id(ref))


LENS = Lens(
    product="servicenow",
    routes=[
        Route("GET", "/api/now/table/{table}", table_rows, TABLE_PARAMS, bucket="table"),
        Route("GET", "/api/now/stats/{table}", table_count, ("sysparm_query", "sysparm_count"), bucket="table"),
    ],
    answer=answer,
    credentials=credentials,
    options=lambda view, base_url: {"username": USER},
    covers=covers,
    retention=60,
    authenticate=authenticate,
    error=error,
    buckets=lambda: {"table": Bucket(20000, 3600, limits)},
    instances=(Instance("servicenow_cmdb"),),
)
