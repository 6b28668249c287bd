"""ServiceNow's streams: one a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from connector_assets.kit import Api, Incremental, Page, Stream
from connector_assets.servicenow.table import changed_pages, deletions, table_pages

Fields = Mapping[str, Any]


def fields(text: str, **others: Any) -> Fields:
    """Column -> type, the many text ones by name. A dot is a step along a reference, done by the vendor."""
    return {**dict.fromkeys(text.split(), "text"), **others}


CHANGED: Fields = {"sys_created_on": "timestamp", "sys_updated_on": "timestamp"}

# busines_criticality is the vendor's own spelling, on every class below cmdb_ci
COMPUTER_FIELDS = fields(
    "sys_id sys_class_name name host_name fqdn dns_domain os_domain ip_address mac_address serial_number asset_tag "
    "manufacturer.name model_id.name os os_version os_service_pack cpu_type category classification used_for environment "
    "object_id correlation_id discovery_source install_status operational_status hardware_status life_cycle_stage "
    "life_cycle_stage_status duplicate_of most_frequent_user assigned_to owned_by managed_by support_group location "
    "sys_domain busines_criticality u_primary_business_application",
    virtual="boolean",
    internet_facing="boolean",
    first_discovered="timestamp",
    last_discovered="timestamp",
    **CHANGED,
)
ADAPTER_FIELDS = fields(
    "sys_id name cmdb_ci mac_address ip_address ip_default_gateway install_status", sys_updated_on="timestamp"
)
BUSINESS_APPLICATION_FIELDS = fields(
    "sys_id sys_class_name number name short_description business_criticality busines_criticality owned_by "
    "it_application_owner managed_by support_group department.name vendor.name version environment url install_status "
    "operational_status life_cycle_stage life_cycle_stage_status duplicate_of",
    active_user_count="integer",
    **CHANGED,
)
SERVICE_FIELDS = fields(
    "sys_id sys_class_name number name short_description busines_criticality owned_by managed_by support_group used_for "
    "environment version install_status operational_status life_cycle_stage life_cycle_stage_status service_status "
    "duplicate_of",
    **CHANGED,
)
RELATIONSHIP_FIELDS = fields(
    "sys_id type.name parent.sys_id parent.sys_class_name child.sys_id child.sys_class_name", **CHANGED
)
MEMBER_FIELDS = fields("sys_id service_id ci_id", **CHANGED)
USER_FIELDS = fields(
    "sys_id user_name email name first_name last_name employee_number department.name manager title source",
    active="boolean",
    locked_out="boolean",
    vip="boolean",
    last_login_time="timestamp",
    **CHANGED,
)
GROUP_FIELDS = fields("sys_id name description email manager source", active="boolean", **CHANGED)
GROUP_MEMBER_FIELDS = fields("sys_id user group", **CHANGED)
CHOICE_FIELDS = fields("sys_id name element value label language", inactive="boolean")
CHOICE_QUERY = "nameSTARTSWITHcmdb_ci^elementINinstall_status,operational_status,hardware_status"


def computers(api: Api) -> Iterator[Page]:
    """Devices of every class below the tables, a scope each; columns that only a subclass has come where it has them."""
    tables = api.options.computer_tables
    scopes = {table: table if len(tables) > 1 else "default" for table in tables}
    api.enumerates(*scopes.values())
    columns, query = list(COMPUTER_FIELDS), api.options.computer_query
    # a deletion names the class of the record, which may be any below the table
    deleted = deletions(api, "tablenameSTARTSWITHcmdb_ci") if api.since else []
    for table, scope in scopes.items():
        if api.since is None:
            yield from table_pages(api, table, columns, query, scope)
        else:
            yield from changed_pages(api, table, columns, query, scope, deleted)


def rows(table: str, columns: Fields, query: str = "") -> Callable[[Api], Iterator[Page]]:
    """A pull of one whole table, or of the part a query names."""
    return partial(pull_rows, table=table, columns=list(columns), query=query)


def pull_rows(api: Api, table: str, columns: list[str], query: str) -> Iterator[Page]:
    if api.since is None:
        yield from table_pages(api, table, columns, query)
        return
    named = "STARTSWITHcmdb_ci" if table.startswith("cmdb_ci") else f"={table}"
    deleted = deletions(api, f"tablename{named}")
    yield from changed_pages(api, table, columns, query, deleted=deleted)


# returned by the vendor to whoever may read the user, encrypted or not: never written anywhere
SECRETS = ("user_password", "password", "password2")
#: The instance's clock is not ours, and a long transaction shows its changes only when it ends.
CHANGES = Incremental(timedelta(minutes=15))
CMDB = ("cmdb_read",)
PEOPLE = ("sys_user read",)

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
        incremental=CHANGES,
    ),
    Stream(
        "network_adapters",
        rows("cmdb_ci_network_adapter", ADAPTER_FIELDS),
        "sys_id",
        ADAPTER_FIELDS,
        "Network adapters of computers, with MAC and IP addresses.",
        permissions=CMDB,
        optional=True,
        may_be_empty=True,
        evidence="unverified",
        incremental=CHANGES,
    ),
    Stream(
        "business_applications",
        rows("cmdb_ci_business_app", BUSINESS_APPLICATION_FIELDS),
        "sys_id",
        BUSINESS_APPLICATION_FIELDS,
        "Business applications with their criticality and owners.",
        permissions=CMDB,
        drop_fields=SECRETS,
        incremental=CHANGES,
    ),
    Stream(
        "services",
        rows("cmdb_ci_service", SERVICE_FIELDS),
        "sys_id",
        SERVICE_FIELDS,
        "Business and application services.",
        permissions=CMDB,
        drop_fields=SECRETS,
        incremental=CHANGES,
    ),
    Stream(
        "relationships",
        rows("cmdb_rel_ci", RELATIONSHIP_FIELDS),
        "sys_id",
        RELATIONSHIP_FIELDS,
        "How configuration items depend on, run on and contain each other.",
        permissions=CMDB,
        may_be_empty=True,
        evidence="client_code",
        incremental=CHANGES,
    ),
    Stream(
        "service_members",
        rows("svc_ci_assoc", MEMBER_FIELDS),
        "sys_id",
        MEMBER_FIELDS,
        "Configuration items of each application service.",
        permissions=CMDB,
        optional=True,
        may_be_empty=True,
        evidence="unverified",
        incremental=CHANGES,
    ),
    Stream(
        "users",
        rows("sys_user", USER_FIELDS),
        "sys_id",
        USER_FIELDS,
        "People: the owners and users of configuration items.",
        permissions=PEOPLE,
        drop_fields=SECRETS,
        evidence="recorded",
        incremental=CHANGES,
    ),
    Stream(
        "user_groups",
        rows("sys_user_group", GROUP_FIELDS),
        "sys_id",
        GROUP_FIELDS,
        "Support and assignment groups.",
        permissions=PEOPLE,
        optional=True,
        drop_fields=SECRETS,
        evidence="recorded",
        incremental=CHANGES,
    ),
    Stream(
        "group_members",
        rows("sys_user_grmember", GROUP_MEMBER_FIELDS),
        "sys_id",
        GROUP_MEMBER_FIELDS,
        "Who belongs to which group.",
        permissions=PEOPLE,
        optional=True,
        may_be_empty=True,
        evidence="recorded",
        incremental=CHANGES,
    ),
    Stream(
        "choices",
        rows("sys_choice", CHOICE_FIELDS, CHOICE_QUERY),
        "sys_id",
        CHOICE_FIELDS,
        "Labels of install and operational states, which every instance may define for itself.",
        permissions=("sys_choice read",),
        optional=True,
        may_be_empty=True,
        evidence="unverified",
    ),
)
