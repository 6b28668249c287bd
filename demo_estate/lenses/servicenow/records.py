"""Rows of the CMDB's tables: what people and discovery wrote down, in ServiceNow's spelling.

Every scalar is a string, null is '', a reference is '' or {link, value}. A dotted name is what a walk along a reference
gives; it is served only where it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from demo_estate.company import DEPARTMENTS
from demo_estate.lenses import View
from demo_estate.quirks import MacStyle, spell_mac
from demo_estate.truth import CmdbRelation, Device, Nic, Ref

Row = dict[str, Any]

CRITICALITY = ("1 - most critical", "2 - somewhat critical", "3 - less critical", "4 - not critical")
SPELLINGS: tuple[MacStyle, ...] = ("DASH", "dot", "BARE", "dash")
#: Quirks that this product acts out, or that its records show.
SHOWN = frozenset(
    "short_name mac_spelling missing_serial placeholder_serial vmware_serial shared_dock_mac cloned_mac "
    "virtual_adapter_mac shared_ha_mac nic_swapped renamed_host reused_name replaced_instance stale_ci retired_ci "
    "duplicate_ci name_only_ci private_ip_reuse ambiguous_short_name shared_chassis_serial criticality_disagrees".split()
)
SHOWN_OF_PEOPLE = frozenset("same_name renamed_upn mail_differs name_case stale_account admin_pair same_sam".split())
#: Days after which the CMDB learns that a machine is gone.
NOTICED_AFTER = 14
STALE_DAYS = 130
DEVICE_TABLES = ("cmdb_ci_computer", "cmdb_ci_netgear", "cmdb_ci_printer")
STATES = (
    ("install_status", "1", "Installed"),
    ("install_status", "2", "On Order"),
    ("install_status", "3", "In Maintenance"),
    ("install_status", "6", "In Stock"),
    ("install_status", "7", "Retired"),
    ("install_status", "100", "Absent"),
    ("operational_status", "1", "Operational"),
    ("operational_status", "2", "Non-Operational"),
    ("operational_status", "6", "Retired"),
)
SUPPORT_TEAM_SIZE = 5


def sys_id(view: View, ref: Ref, part: str = "") -> str:
    """Key of an entity's row, the same on every day."""
    return view.truth.hex_id(32, view.instance.name, ref.kind, ref.index, part)


def reference(table: str, key: str) -> Any:
    return {"link": f"https://haldenworks.service-now.example/api/now/table/{table}/{key}", "value": key} if key else ""


def flag(value: bool) -> str:
    return "true" if value else "false"


def stamp(moment: datetime | None) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S") if moment else ""


def changed(view: View, created_day: int, *key: object, later: Iterable[int | None] = ()) -> Row:
    """When a row was written. later: days on which what it says changed, those to come included."""
    days = [created_day, *(day for day in later if day is not None and created_day < day <= view.day)]
    created, updated = (stamp(view.truth.moment(day, "servicenow", *key)) for day in (created_day, max(days)))
    return {"sys_created_on": created, "sys_updated_on": updated}


# Devices -------------------------------------------------------------------------------------------------------------


def device_row(view: View, index: int, part: str = "") -> Row:
    """The configuration item of a device; with part 'duplicate' the second one that points at the first."""
    row = first_row(view, view.device(index))
    if part:
        row["duplicate_of"] = reference("cmdb_ci", row["sys_id"])
        row["sys_id"] = sys_id(view, Ref("device", index), part)
        row["name"] = row["name"].lower()
    return row


def first_row(view: View, device: Device) -> Row:
    truth, quirks, ref = view.truth, view.truth.quirks(device.index), Ref("device", device.index)
    created = truth.moment(device.first_day, "servicenow", device.index)
    seen = max(last_heard(view, device, quirks), created)
    retired = is_gone(view, device, NOTICED_AFTER) or "retired_ci" in quirks
    criticality = 3 - device.criticality if "criticality_disagrees" in quirks else device.criticality
    slow_name = device.old_hostname if "renamed_host" in quirks else None
    person = sys_id(view, Ref("person", device.owner)) if device.owner is not None else ""
    application = device.business_application
    row = {
        "sys_id": sys_id(view, ref),
        "sys_class_name": class_of(device),
        "sys_class_path": "/!!/!2/!(/!!",
        "name": (slow_name or device.hostname).upper(),
        "host_name": "",
        "fqdn": "",
        "dns_domain": "",
        "os_domain": "",
        "ip_address": "",
        "mac_address": "",
        "serial_number": "",
        "asset_tag": "",
        "manufacturer": "",
        "manufacturer.name": "",
        "model_id": reference("cmdb_model", truth.hex_id(32, "model", device.model)),
        "model_id.name": device.model,
        "os": device.os_name or "",
        "os_version": "",
        "os_service_pack": "",
        "cpu_type": "Intel(R) Xeon(R)" if device.is_server else "",
        "category": "Hardware",
        "classification": "Production" if device.environment == "production" else "",
        "used_for": device.environment.capitalize() if device.is_server else "",
        "environment": "",
        "object_id": "",
        "correlation_id": "",
        "virtual": flag(device.kind in ("virtual_machine", "cloud_vm", "domain_controller")),
        "internet_facing": flag(device.internet_facing),
        "discovery_source": "",
        "install_status": "7" if retired else "1",
        "operational_status": "6" if retired else "1",
        "hardware_status": "",
        "life_cycle_stage": "",
        "life_cycle_stage_status": "",
        "duplicate_of": "",
        "most_frequent_user": person,
        "assigned_to": reference("sys_user", person),
        "owned_by": "",
        "managed_by": "",
        "support_group": "",
        "location": "",
        "sys_domain": reference("sys_user_group", "global"),
        "busines_criticality": CRITICALITY[criticality],
        "u_primary_business_application": "",
        "u_primary_business_application.number": "",
        "first_discovered": "",
        "last_discovered": "",
        "ram": "-1",
        "sys_created_on": stamp(created),
        "sys_updated_on": stamp(max(seen, written_at(view, device, quirks))),
    }
    if application is not None:
        above = truth.business_application(application)
        key = sys_id(view, Ref("business_application", application))
        row["u_primary_business_application"] = reference("cmdb_ci_business_app", key)
        row["u_primary_business_application.number"] = above.number
        row["owned_by"] = reference("sys_user", sys_id(view, Ref("person", above.owner)))
        row["managed_by"] = reference("sys_user", sys_id(view, Ref("admin", device.index % admins(view))))
    if "name_only_ci" not in quirks:
        row |= identifiers(view, device, quirks, seen, stamp(created))
    return row


def identifiers(view: View, device: Device, quirks: frozenset[str], seen: datetime, created: str) -> Row:
    """What discovery adds to a name. Much of it is missing here and there, as in any CMDB."""
    truth = view.truth
    # half of the rows leave the hardware address to their network adapters
    mac = nic_mac(device, device.nics[0], quirks) if device.nics and truth.chance(0.5, "ci mac", device.index) else ""
    return {
        "fqdn": "" if quirks & {"short_name", "renamed_host"} else device.fqdn or "",
        "dns_domain": device.domain or "",
        "os_domain": device.netbios_domain or "",
        "ip_address": device.ip or "",
        "mac_address": spelled(mac, device.index, quirks),
        "serial_number": device.serial or "",
        "asset_tag": device.asset_tag or "",
        "manufacturer": reference("core_company", truth.hex_id(32, "company", device.manufacturer)),
        "manufacturer.name": device.manufacturer,
        "object_id": device.cloud.instance_id if device.cloud else "",
        "discovery_source": "SCCM" if device.is_windows else "ServiceNow",
        "first_discovered": created,
        "last_discovered": stamp(seen),
    }


def last_heard(view: View, device: Device, quirks: frozenset[str]) -> datetime:
    if "stale_ci" in quirks:
        return view.truth.moment(-STALE_DAYS, "servicenow", device.index)
    return view.truth.last_activity(device.index, view.day, "servicenow")


def written_at(view: View, device: Device, quirks: frozenset[str]) -> datetime:
    """When discovery, or who noticed that the machine is gone, last wrote its row."""
    day = view.day
    if "stale_ci" in quirks:
        day = -STALE_DAYS
    elif device.last_day is not None:
        noticed = device.last_day + NOTICED_AFTER + 1
        # the day after its last one tells how late on that day it was heard
        day = noticed if noticed <= view.day else min(view.day, device.last_day + 1)
    return view.truth.moment(day, "servicenow", device.index)


def is_gone(view: View, device: Device, days: int = 0) -> bool:
    """Whether the machine has been gone for more than some days."""
    return device.last_day is not None and device.last_day + days < view.day


def class_of(device: Device) -> str:
    match device.kind:
        case "printer":
            return "cmdb_ci_printer"
        case "network_device":
            return "cmdb_ci_ip_firewall" if device.manufacturer == "Fortinet" else "cmdb_ci_ip_switch"
        case "laptop" | "desktop":
            return "cmdb_ci_computer"
    if not device.os_platform:
        return "cmdb_ci_server"
    return "cmdb_ci_win_server" if device.is_windows else "cmdb_ci_linux_server"


def nic_mac(device: Device, nic: Nic, quirks: frozenset[str]) -> str:
    """Address of a card; the CMDB has not heard of an exchanged one."""
    is_first = nic is device.nics[0]
    return device.old_mac if is_first and "nic_swapped" in quirks and device.old_mac else nic.mac


def spelled(mac: str, index: int, quirks: frozenset[str]) -> str:
    if not mac:
        return ""
    return spell_mac(mac, SPELLINGS[index % len(SPELLINGS)] if "mac_spelling" in quirks else "COLON")


def adapter_row(view: View, index: int, number: int) -> Row:
    device, quirks = view.device(index), view.truth.quirks(index)
    nic = device.nics[number]
    return {
        "sys_id": sys_id(view, Ref("device", index), f"nic{number}"),
        "sys_class_name": "cmdb_ci_network_adapter",
        "name": nic.name,
        "cmdb_ci": reference("cmdb_ci", sys_id(view, Ref("device", index))),
        "mac_address": spelled(nic_mac(device, nic, quirks), index, quirks),
        "ip_address": nic.ip or "",
        "ip_default_gateway": "",
        "install_status": "1",
        **changed(view, device.first_day, "nic", index, later=(device.nic_swap_day,)),
    }


# Applications, services, relations -----------------------------------------------------------------------------------


def application_row(view: View, index: int) -> Row:
    app = view.truth.business_application(index)
    return {
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
        "department": reference("cmn_department", view.truth.hex_id(32, "department", app.department)),
        "department.name": app.department,
        "vendor": "",
        "vendor.name": "",
        "version": "",
        "environment": app.environment,
        "url": "",
        "install_status": "7" if app.retired else "1",
        "operational_status": "6" if app.retired else "1",
        "life_cycle_stage": "End of Life" if app.retired else "Operational",
        "life_cycle_stage_status": "Retired" if app.retired else "In Use",
        "duplicate_of": "",
        "active_user_count": str(view.truth.number("users", index) % 900),
        **changed(view, -400 - index % 300, "bap", index),
    }


def service_row(view: View, index: int) -> Row:
    service = view.truth.service(index)
    return {
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
        "life_cycle_stage": "Operational",
        "life_cycle_stage_status": "In Use",
        "service_status": "operational",
        "duplicate_of": "",
        **changed(view, -300 - index % 200, "svc", index),
    }


CLASSES: Mapping[str, str] = {"service": "cmdb_ci_service_auto", "business_application": "cmdb_ci_business_app"}


def relation_row(view: View, relation: CmdbRelation) -> Row:
    parent, child = sys_id(view, relation.parent), sys_id(view, relation.child)
    return {
        "sys_id": relation_key(view, relation),
        "type": reference("cmdb_rel_type", view.truth.hex_id(32, "type", relation.type)),
        "type.name": relation.type,
        "parent": reference("cmdb_ci", parent),
        "parent.sys_id": parent,
        "parent.sys_class_name": CLASSES.get(relation.parent.kind, "cmdb_ci_server"),
        "child": reference("cmdb_ci", child),
        "child.sys_id": child,
        "child.sys_class_name": CLASSES.get(relation.child.kind, "cmdb_ci_server"),
        **changed(
            view, max(-200, *(present_from(view, ref) for ref in (relation.parent, relation.child))), "rel", relation.id
        ),
    }


def present_from(view: View, ref: Ref) -> int:
    """The first day of a device; what is no device was always there."""
    return view.device(ref.index).first_day if ref.kind == "device" else -10000


def relation_key(view: View, relation: CmdbRelation) -> str:
    return view.truth.hex_id(32, view.instance.name, "relation", relation.id)


def member_row(view: View, service: int, device: int) -> Row:
    return {
        "sys_id": member_key(view, service, device),
        "service_id": reference("cmdb_ci_service", sys_id(view, Ref("service", service))),
        "ci_id": reference("cmdb_ci", sys_id(view, Ref("device", device))),
        **changed(view, max(-150, present_from(view, Ref("device", device))), "svc_ci", service, device),
    }


def member_key(view: View, service: int, device: int) -> str:
    return view.truth.hex_id(32, view.instance.name, "svc_ci", service, device)


# People --------------------------------------------------------------------------------------------------------------


def admins(view: View) -> int:
    """Number of administration accounts: every twelfth person has one."""
    return max(1, view.truth.person_count // len(DEPARTMENTS))


def user_row(view: View, ref: Ref) -> Row:
    account, quirks = view.truth.account(ref, view.day), view.truth.person_quirks(ref)
    login, mail = account.sam or account.upn, account.mail or ""
    if "renamed_upn" in quirks and account.old_upn and mail == account.upn:
        mail = account.old_upn
    if "name_case" in quirks:
        login, mail = login.upper(), mail.title()
    manager = sys_id(view, Ref("person", account.manager)) if account.manager is not None else ""
    parts = ",".join(f"DC={part}" for part in account.domain.split(".")) if account.domain else ""
    return {
        "sys_id": sys_id(view, ref),
        "sys_class_name": "sys_user",
        "user_name": login,
        "email": mail,
        "name": account.display_name,
        "first_name": account.given_name or "",
        "last_name": account.surname or "",
        "active": flag(account.enabled or "stale_account" in quirks),
        "locked_out": "false",
        "employee_number": account.employee_id or "",
        "department": reference("cmn_department", view.truth.hex_id(32, "department", account.department)),
        "department.name": account.department or "",
        "manager": reference("sys_user", manager),
        "title": account.title or "",
        "vip": flag(account.criticality == 0),
        "last_login_time": "",
        "source": f"ldap:CN={account.display_name},OU=Accounts,{parts}" if parts else "",
        # the product gives this to whoever may read the user and does not name the fields it wants
        "user_password": password_hash(view, ref),
        **changed(
            view,
            account.first_day,
            "user",
            ref.kind,
            ref.index,
            later=(account.upn_day, None if account.last_day is None else account.last_day + 1),
        ),
    }


def password_hash(view: View, ref: Ref) -> str:
    return "{enc:hash}" + view.truth.hex_id(40, view.instance.name, "user_password", ref.kind, ref.index)


def group_key(view: View, index: int) -> str:
    return view.truth.hex_id(32, view.instance.name, "support group", index)


def group_row(view: View, index: int) -> Row:
    return {
        "sys_id": group_key(view, index),
        "name": f"{DEPARTMENTS[index]} Support",
        "description": "",
        "email": "",
        "source": "",
        "manager": reference("sys_user", sys_id(view, Ref("person", index))),
        "active": "true",
        **changed(view, -700, "support group", index),
    }


def group_member_key(view: View, group: int, person: int) -> str:
    return view.truth.hex_id(32, view.instance.name, "support group member", group, person)


def group_member_row(view: View, group: int, person: int) -> Row:
    return {
        "sys_id": group_member_key(view, group, person),
        "user": reference("sys_user", sys_id(view, Ref("person", person))),
        "group": reference("sys_user_group", group_key(view, group)),
        **changed(view, -600, "support group member", group, person),
    }


def choice_key(view: View, index: int) -> str:
    return view.truth.hex_id(32, view.instance.name, "choice", index)


def choice_row(view: View, index: int) -> Row:
    element, value, label = STATES[index]
    return {
        "sys_id": choice_key(view, index),
        "name": "cmdb_ci",
        "element": element,
        "value": value,
        "label": label,
        "language": "en",
        "inactive": "false",
    }


def deletion_row(view: View, table: str, key: str, day: int, *arguments: Any) -> Row:
    """What the instance writes down of a deleted row: the class it had, its key, and when."""
    return {
        "sys_id": deletion_key(view, table, key),
        "tablename": class_of(view.device(arguments[0])) if table in DEVICE_TABLES else table,
        "documentkey": key,
        "display_value": "",
        "sys_created_on": stamp(view.truth.moment(day, "servicenow", "deleted", key)),
    }


def deletion_key(view: View, table: str, key: str) -> str:
    return view.truth.hex_id(32, view.instance.name, "deletion", table, key)
