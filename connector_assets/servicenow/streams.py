"""ServiceNow's streams: one a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connector_assets.kit import Api, Page, Stream
from connector_assets.servicenow.table import table_pages

COMPUTER_FIELDS: dict[str, Any] = {
    **dict.fromkeys(
        (
            "sys_id",
            "sys_class_name",
            "name",
            "host_name",
            "fqdn",
            "dns_domain",
            "ip_address",
            "mac_address",
            "serial_number",
            "asset_tag",
            "os",
            "os_version",
            "os_service_pack",
            "os_domain",
            "cpu_type",
            "category",
            "classification",
            "used_for",
            "environment",
            "manufacturer",
            "model_id",
            "object_id",
            "correlation_id",
            "discovery_source",
            "install_status",
            "operational_status",
            "hardware_status",
            "life_cycle_stage",
            "life_cycle_stage_status",
            "duplicate_of",
            "most_frequent_user",
            "assigned_to",
            "owned_by",
            "managed_by",
            "support_group",
            "location",
            "sys_domain",
            "busines_criticality",
            "u_primary_business_application",
        ),
        "text",
    ),
    "virtual": "boolean",
    "internet_facing": "boolean",
    "first_discovered": "timestamp",
    "last_discovered": "timestamp",
    "sys_created_on": "timestamp",
    "sys_updated_on": "timestamp",
}

ADAPTER_FIELDS: dict[str, Any] = {
    **dict.fromkeys(
        ("sys_id", "name", "cmdb_ci", "mac_address", "ip_address", "ip_default_gateway", "install_status"), "text"
    ),
    "sys_updated_on": "timestamp",
}

BUSINESS_APPLICATION_FIELDS: dict[str, Any] = {
    **dict.fromkeys(
        (
            "sys_id",
            "sys_class_name",
            "number",
            "name",
            "short_description",
            "business_criticality",
            "busines_criticality",
            "owned_by",
            "it_application_owner",
            "managed_by",
            "department",
            "vendor",
            "version",
            "environment",
            "url",
            "install_status",
            "operational_status",
            "life_cycle_stage",
            "duplicate_of",
        ),
        "text",
    ),
    "active_user_count": "integer",
    "sys_created_on": "timestamp",
    "sys_updated_on": "timestamp",
}

SERVICE_FIELDS: dict[str, Any] = {
    **dict.fromkeys(
        (
            "sys_id",
            "sys_class_name",
            "number",
            "name",
            "short_description",
            "busines_criticality",
            "owned_by",
            "managed_by",
            "used_for",
            "environment",
            "version",
            "install_status",
            "operational_status",
            "service_status",
            "duplicate_of",
        ),
        "text",
    ),
    "sys_created_on": "timestamp",
    "sys_updated_on": "timestamp",
}

RELATIONSHIP_FIELDS: dict[str, Any] = {
    "sys_id": "text",
    "type.name": "text",
    "parent.sys_id": "text",
    "parent.sys_class_name": "text",
    "child.sys_id": "text",
    "child.sys_class_name": "text",
    "sys_updated_on": "timestamp",
}

MEMBER_FIELDS: dict[str, Any] = {"sys_id": "text", "service_id": "text", "ci_id": "text", "sys_updated_on": "timestamp"}

USER_FIELDS: dict[str, Any] = {
    **dict.fromkeys(
        (
            "sys_id",
            "user_name",
            "email",
            "name",
            "first_name",
            "last_name",
            "employee_number",
            "department",
            "manager",
            "title",
            "source",
        ),
        "text",
    ),
    "active": "boolean",
    "locked_out": "boolean",
    "vip": "boolean",
    "last_login_time": "timestamp",
    "sys_created_on": "timestamp",
    "sys_updated_on": "timestamp",
}

GROUP_FIELDS: dict[str, Any] = {
    **dict.fromkeys(("sys_id", "name", "description", "email", "manager"), "text"),
    "active": "boolean",
    "sys_created_on": "timestamp",
    "sys_updated_on": "timestamp",
}

GROUP_MEMBER_FIELDS: dict[str, Any] = {"sys_id": "text", "user": "text", "group": "text", "sys_updated_on": "timestamp"}

CHOICE_FIELDS: dict[str, Any] = {"sys_id": "text", "name": "text", "element": "text", "value": "text", "label": "text"}


def computers(api: Api) -> Iterator[Page]:
    """Computers of every class below the table; columns that only a subclass has come where it has them."""
    yield from table_pages(api, api.options.computer_table, list(COMPUTER_FIELDS), api.options.computer_query)


def network_adapters(api: Api) -> Iterator[Page]:
    yield from table_pages(api, "cmdb_ci_network_adapter", list(ADAPTER_FIELDS))


def business_applications(api: Api) -> Iterator[Page]:
    yield from table_pages(api, "cmdb_ci_business_app", list(BUSINESS_APPLICATION_FIELDS))


def services(api: Api) -> Iterator[Page]:
    yield from table_pages(api, "cmdb_ci_service", list(SERVICE_FIELDS))


def relationships(api: Api) -> Iterator[Page]:
    yield from table_pages(api, "cmdb_rel_ci", list(RELATIONSHIP_FIELDS))


def service_members(api: Api) -> Iterator[Page]:
    yield from table_pages(api, "svc_ci_assoc", list(MEMBER_FIELDS))


def users(api: Api) -> Iterator[Page]:
    yield from table_pages(api, "sys_user", list(USER_FIELDS))


def user_groups(api: Api) -> Iterator[Page]:
    yield from table_pages(api, "sys_user_group", list(GROUP_FIELDS))


def group_members(api: Api) -> Iterator[Page]:
    yield from table_pages(api, "sys_user_grmember", list(GROUP_MEMBER_FIELDS))


def choices(api: Api) -> Iterator[Page]:
    """Labels of the states that an instance may name as it likes."""
    query = "nameSTARTSWITHcmdb_ci^elementINinstall_status,operational_status,hardware_status"
    yield from table_pages(api, "sys_choice", list(CHOICE_FIELDS), query)


def probe_table(table: str, api: Api) -> None:
    """One record of a table: the cheapest proof that it may be read."""
    api.get(f"/api/now/table/{table}", {"sysparm_limit": 1, "sysparm_fields": "sys_id"})


# returned by the vendor to whoever may read the user, encrypted or not: never written anywhere
SECRETS = ("user_password", "password", "password2")
CMDB = ("cmdb_read",)

STREAMS = (
    Stream(
        "computers",
        computers,
        "sys_id",
        COMPUTER_FIELDS,
        "Computers: laptops, servers and virtual machines, one configuration item each.",
        permissions=CMDB,
        activity_field="sys_updated_on",
        drop_fields=SECRETS,
        evidence="recorded",
    ),
    Stream(
        "network_adapters",
        network_adapters,
        "sys_id",
        ADAPTER_FIELDS,
        "Network adapters of computers, with MAC and IP addresses.",
        permissions=CMDB,
        optional=True,
        may_be_empty=True,
        evidence="unverified",
    ),
    Stream(
        "business_applications",
        business_applications,
        "sys_id",
        BUSINESS_APPLICATION_FIELDS,
        "Business applications with their criticality and owners.",
        permissions=CMDB,
        may_be_empty=True,
        drop_fields=SECRETS,
    ),
    Stream(
        "services",
        services,
        "sys_id",
        SERVICE_FIELDS,
        "Business and application services.",
        permissions=CMDB,
        may_be_empty=True,
        drop_fields=SECRETS,
    ),
    Stream(
        "relationships",
        relationships,
        "sys_id",
        RELATIONSHIP_FIELDS,
        "How configuration items depend on, run on and contain each other.",
        permissions=CMDB,
        may_be_empty=True,
        evidence="client_code",
    ),
    Stream(
        "service_members",
        service_members,
        "sys_id",
        MEMBER_FIELDS,
        "Configuration items of each application service.",
        permissions=CMDB,
        optional=True,
        may_be_empty=True,
        evidence="unverified",
    ),
    Stream(
        "users",
        users,
        "sys_id",
        USER_FIELDS,
        "People: the owners and users of configuration items.",
        permissions=("sys_user read",),
        drop_fields=SECRETS,
        evidence="recorded",
    ),
    Stream(
        "user_groups",
        user_groups,
        "sys_id",
        GROUP_FIELDS,
        "Support and assignment groups.",
        permissions=("sys_user read",),
        optional=True,
        may_be_empty=True,
        drop_fields=SECRETS,
        evidence="recorded",
    ),
    Stream(
        "group_members",
        group_members,
        "sys_id",
        GROUP_MEMBER_FIELDS,
        "Who belongs to which group.",
        permissions=("sys_user read",),
        optional=True,
        may_be_empty=True,
        evidence="recorded",
    ),
    Stream(
        "choices",
        choices,
        "sys_id",
        CHOICE_FIELDS,
        "Labels of install and operational states, which every instance may define for itself.",
        permissions=("sys_choice read",),
        optional=True,
        may_be_empty=True,
        evidence="unverified",
    ),
)
