"""ServiceNow against answers that others recorded or documented: references and values in all their spellings.

Every test is named after the trap it guards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from connector_assets.kit.budgets import Allowance

from .microsoft import manifest, states
from .replay import WIRES, Answer, Asked, Case, Route, foreign, misread, mutants, suffers, varied

SITE = "https://dev1.service-now.com/api/now/table"
USER_ID, GROUP_ID, APP_ID, MODEL_ID = ("f" * 31 + "1", "f" * 31 + "2", "0" * 31 + "3", "a" * 31 + "4")
KEY = "5f3c00000000000000000000000"


def reference(table: str, key: str) -> dict[str, str]:
    return {"link": f"{SITE}/{table}/{key}", "value": key}


# a row as it is given without sysparm_fields: every column, empty ones as '', references with their link
COMPUTER: dict[str, Any] = {
    "sys_id": KEY + "00001",
    "sys_class_name": "cmdb_ci_win_server",
    "sys_class_path": "/!!/!2/!(/!!",
    "name": "LON-FIN-DB02",
    "host_name": "lon-fin-db02",
    "fqdn": "lon-fin-db02.corp.example",
    "dns_domain": "corp.example",
    "os_domain": "CORP",
    "ip_address": "10.20.4.17",
    "mac_address": "00:50:56:A1:22:9C",
    "serial_number": "VMware-42 21 7a 01",
    "asset_tag": "P1002231",
    "manufacturer": {"display_value": "Contoso", "link": f"{SITE}/core_company/c1", "value": "c1"},
    "model_id": {"display_value": "VM 7.1", "link": f"{SITE}/cmdb_model/{MODEL_ID}", "value": MODEL_ID},
    "os": "Windows Server 2019",
    "os_version": "1809",
    "os_service_pack": "",
    "cpu_type": "GenuineIntel",
    "ram": "-1",
    "category": "Hardware",
    "classification": "Production",
    "used_for": "Production",
    "environment": "",
    "object_id": "",
    "correlation_id": "",
    "discovery_source": "SCCM",
    "install_status": "1",
    "operational_status": "1",
    "hardware_status": "installed",
    "life_cycle_stage": {"link": f"{SITE}/life_cycle_stage/Operational", "value": "Operational"},
    "life_cycle_stage_status": {"link": f"{SITE}/life_cycle_stage_status/In%20Use", "value": "In Use"},
    "duplicate_of": "",
    "most_frequent_user": reference("sys_user", USER_ID),
    "assigned_to": reference("sys_user", USER_ID),
    "owned_by": reference("sys_user", USER_ID),
    "managed_by": "",
    "support_group": reference("sys_user_group", GROUP_ID),
    "location": "",
    "sys_domain": {"link": f"{SITE}/sys_user_group/global", "value": "global"},
    "busines_criticality": "2 - somewhat critical",
    "u_primary_business_application": reference("cmdb_ci_business_app", APP_ID),
    "virtual": "true",
    "internet_facing": "false",
    "first_discovered": "2025-01-30 11:22:33",
    "last_discovered": "2026-11-20 04:12:09",
    "sys_created_on": "2025-01-30 11:22:33",
    "sys_updated_on": "2026-11-21 04:12:09",
    "u_custom": "x",
    "x_vendor_thing": {"display_value": "a", "value": "b"},
}
USER: dict[str, Any] = {
    "sys_id": USER_ID,
    "user_name": "jdoe",
    "email": "jdoe@corp.example",
    "name": "J Doe",
    "first_name": "J",
    "last_name": "Doe",
    "employee_number": "E-1",
    "department": {"display_value": "Finance", "link": f"{SITE}/cmn_department/d1", "value": "d1"},
    "manager": "",
    "title": "Analyst",
    "source": "ldap:CN=J Doe,OU=People,DC=corp,DC=example",
    "active": "true",
    "locked_out": "false",
    "vip": "true",
    "last_login_time": "2026-11-20 08:00:00",
    "user_password": "SECRET-HASH",
    "sys_created_on": "2025-01-01 00:00:00",
    "sys_updated_on": "2026-11-01 00:00:00",
}
APP: dict[str, Any] = {
    "sys_id": APP_ID,
    "sys_class_name": "cmdb_ci_business_app",
    "number": "APM0001",
    "name": "Ledger",
    "short_description": "",
    "business_criticality": "1 - most critical",
    "busines_criticality": "",
    "owned_by": reference("sys_user", USER_ID),
    "it_application_owner": "",
    "managed_by": "",
    "department": "",
    "vendor": {"display_value": "Contoso", "link": f"{SITE}/core_company/c1", "value": "c1"},
    "version": "7",
    "environment": "Production",
    "url": "",
    "install_status": "1",
    "operational_status": "1",
    "life_cycle_stage": "",
    "life_cycle_stage_status": "",
    "duplicate_of": "",
    "active_user_count": "2160",
    "sys_created_on": "2025-01-01 00:00:00",
    "sys_updated_on": "2026-11-01 00:00:00",
}
RELATION: dict[str, Any] = {
    "sys_id": "r1",
    "type": {"display_value": "Depends on::Used by", "link": f"{SITE}/cmdb_rel_type/t1", "value": "t1"},
    "parent": reference("cmdb_ci", APP_ID),
    "child": reference("cmdb_ci", COMPUTER["sys_id"]),
    "connection_strength": "always",
    "percent_outage": "",
    "sys_created_on": "2025-01-01 00:00:00",
    "sys_updated_on": "2026-11-01 00:00:00",
}
ADAPTER: dict[str, Any] = {
    "sys_id": "n1",
    "name": "eth0",
    "cmdb_ci": reference("cmdb_ci", COMPUTER["sys_id"]),
    "mac_address": "00:50:56:A1:22:9D",
    "ip_address": "10.20.4.18",
    "ip_default_gateway": "",
    "install_status": "1",
    "sys_updated_on": "2026-11-01 00:00:00",
}
GROUP = {"sys_id": GROUP_ID, "name": "Windows team", "description": "", "email": "", "manager": "", "active": "true"}
MEMBER = {"sys_id": "m1", "user": reference("sys_user", USER_ID), "group": reference("sys_user_group", GROUP_ID)}
TABLES: Mapping[str, Sequence[Any]] = {
    "cmdb_ci_computer": [COMPUTER],
    "cmdb_ci_network_adapter": [ADAPTER],
    "cmdb_ci_business_app": [APP],
    "cmdb_ci_service": [],
    "cmdb_rel_ci": [RELATION],
    "svc_ci_assoc": [],
    "sys_user": [USER],
    "sys_user_group": [GROUP],
    "sys_user_grmember": [MEMBER],
    "sys_choice": [],
}


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Allowance, "pause", lambda self, seconds: None)


def estate(spelling: Callable[[Any], Any] = lambda row: row, **tables: Any) -> list[Route]:
    """Tables that answer every query with all they have, as a recording does: no count, no paging, no order."""
    given = {**TABLES, **tables}

    def rows(asked: Asked) -> Answer:
        table = asked.path.rpartition("/")[2]
        found = [spelling(row) for row in given[table]]
        return Answer({"result": found}, headers={"X-Total-Count": str(len(found))})

    return [("GET /api/now/table/.*", rows)]


def with_displays(row: Any) -> Any:
    """sysparm_display_value=all"""
    return {
        key: value
        if isinstance(value, dict) and "display_value" in value
        else {"display_value": "shown", **value}
        if isinstance(value, dict)
        else {"display_value": value or None, "value": value}
        for key, value in row.items()
    }


def displayed(row: Any) -> Any:
    """sysparm_display_value=true: references have a name and a link, and no value"""
    return {
        key: {"display_value": value.get("display_value", "shown"), "link": value["link"]}
        if isinstance(value, dict) and "link" in value and key not in ("life_cycle_stage", "life_cycle_stage_status")
        else value["value"]
        if isinstance(value, dict)
        else value
        for key, value in row.items()
    }


@pytest.mark.parametrize("wire", WIRES)
def test_the_answer_is_the_same_in_every_form_of_the_wire(
    wire: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with foreign("servicenow", estate(), tmp_path, monkeypatch, wire=wire, username="u") as cmdb:
        report = cmdb.sync("computers", "users", "relationships")
        assert set(states(report).values()) == {"complete"}
        assert [m.records for m in report.streams] == [1, 1, 1]
        assert not any(m.rejected or m.field_issues for m in report.streams)


@pytest.mark.parametrize("spelling", [dict, with_displays, displayed])
def test_a_recorded_row_of_every_table_is_understood_in_every_spelling(
    spelling: Callable[[Any], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with foreign("servicenow", estate(spelling), tmp_path, monkeypatch, username="u") as cmdb:
        report = cmdb.sync()
        assert set(states(report).values()) == {"complete"}
        assert not any(m.rejected or m.field_issues for m in report.streams)
        with cmdb.staged() as staged:
            assert staged.failing() == []
            (device,) = staged.rows("select * from stg_servicenow__devices")
            assert (device["state"], device["device_category"], device["criticality"]) == ("active", "Server", 1)
            assert (device["manufacturer"], device["model"], device["scope"]) == ("Contoso", "VM 7.1", "default")
            assert device["mac_addresses"] == ["00:50:56:A1:22:9C", "00:50:56:A1:22:9D"]
            assert (device["owner"], device["environment"]) == ("jdoe", "Production")
            assert device["last_seen"] == datetime(2026, 11, 21, 4, 12, 9)
            (app,) = staged.rows("select * from stg_servicenow__applications")
            assert (app["cmdb_id"], app["criticality"], app["vendor"], app["owner"]) == (
                "APM0001",
                0,
                "Contoso",
                "jdoe",
            )
            (user,) = staged.rows("select * from stg_servicenow__identities")
            assert (user["department"], user["domain"], user["criticality"]) == ("Finance", "corp.example", 1)
            edges = staged.rows("select * from stg_servicenow__relationships order by relationship, target_kind")
            assert [(e["relationship"], e["source_kind"], e["target_kind"]) for e in edges] == [
                ("depends on", "application", "device"),
                ("manages", "identity", "device"),
                ("member of", "identity", "identity"),
                ("owns", "identity", "application"),
                ("owns", "identity", "device"),
                ("runs on", "application", "device"),
            ]


def renamed(record: Any, number: str) -> None:
    record["sys_id"] = KEY + number


@pytest.mark.parametrize(
    ("table", "stream", "model", "sample"),
    [
        ("cmdb_ci_computer", "computers", "devices", COMPUTER),
        ("cmdb_ci_business_app", "business_applications", "applications", APP),
        ("sys_user", "users", "identities", USER),
    ],
)
def test_no_column_of_a_row_is_needed_but_its_id(
    table: str, stream: str, model: str, sample: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = mutants(sample, renamed, keep=["sys_id"])
    routes = estate(**{table: [m.record for m in given]})
    with foreign("servicenow", routes, tmp_path, monkeypatch, username="u") as cmdb:
        report = cmdb.sync(stream)
        assert (manifest(report, stream).state, manifest(report, stream).records) == ("complete", len(given))
        with cmdb.staged() as staged:
            assert staged.failing() == []
            assert suffers(given, staged, f"stg_servicenow__{model}", "right(record_id, 5)") == []


ARC = "/subscriptions/sub-1/resourceGroups/rg/providers/Microsoft.HybridCompute/machines/srv-a"
UNNAMED = {"host_name": "", "fqdn": ""}
CASES = [
    Case({"install_status": "Retired"}, "state", "retired"),
    Case({"install_status": "7"}, "state", "retired"),
    Case({"operational_status": "Retired"}, "state", "retired"),
    Case({"life_cycle_stage": "End of Life"}, "state", "retired"),
    Case({"duplicate_of": {"link": f"{SITE}/cmdb_ci/d", "value": "d"}}, "state", "retired"),
    Case({"duplicate_of": {"link": "", "value": ""}}, "state", "active"),
    Case({"virtual": "1", "internet_facing": "1"}, "is_internet_facing", True),
    Case({"internet_facing": True}, "is_internet_facing", True),
    Case({"manufacturer": MODEL_ID}, "manufacturer", None),
    Case({"manufacturer": "Contoso"}, "manufacturer", "Contoso"),
    Case({"sys_class_name": "Windows Server"}, "device_category", "Server"),
    Case({"sys_class_name": "Computer"}, "device_category", "Endpoint"),
    Case({"manufacturer": {"display_value": "", "value": ""}}, "manufacturer", None),
    Case({"busines_criticality": ""}, "criticality", None),
    Case({"last_discovered": "2026-11-22T04:12:09Z"}, "last_seen", datetime(2026, 11, 22, 4, 12, 9)),
    Case({"object_id": "i-0123456789abcdef0"}, "cloud_provider", "aws"),
    # Azure Arc names its registration of a machine, not the machine
    Case({"object_id": ARC}, "cloud_provider", None),
    Case({"object_id": ARC}, "cloud_account_id", None),
    Case({"object_id": ARC}, "cloud_resource_id", ARC),
    # the name of an item as Windows writes it, as DNS does, and beside a DNS domain alone
    Case({**UNNAMED, "name": "CORP\\LON-FIN-DB02$"}, "hostnames", ["CORP\\LON-FIN-DB02$"]),
    Case({**UNNAMED, "name": "lon-fin-db02.corp.example.", "dns_domain": ""}, "fqdns", ["lon-fin-db02.corp.example."]),
    Case({**UNNAMED, "name": "LON-FIN-DB02"}, "fqdns", ["LON-FIN-DB02.corp.example"]),
    Case({**UNNAMED, "name": "CORP\\LON-FIN-DB02$"}, "fqdns", ["LON-FIN-DB02.corp.example"]),
    Case({**UNNAMED, "name": "Finance database (old)"}, "fqdns", []),
]


def test_a_value_in_an_unusual_form_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    routes = estate(cmdb_ci_computer=varied(COMPUTER, CASES, renamed))
    with foreign("servicenow", routes, tmp_path, monkeypatch, username="u") as cmdb:
        cmdb.sync("computers")
        with cmdb.staged() as staged:
            assert misread(CASES, staged, "stg_servicenow__devices", "right(record_id, 5)") == []


def test_a_recording_that_knows_no_conditions_is_read_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is asked for, the same rows come, in the order in which they were recorded."""
    rows = [{**COMPUTER, "sys_id": key} for key in ("b1", "c2", "a3")]
    with foreign("servicenow", estate(cmdb_ci_computer=rows), tmp_path, monkeypatch, username="u") as cmdb:
        found = manifest(cmdb.sync("computers"), "computers")
        assert (found.state, found.records) == ("complete", 3)
        assert "came again" in found.notes[0]
        # a full page says nothing about what lies behind it
        found = manifest(cmdb.sync("computers", page_size=3), "computers")
        assert (found.state, found.records, found.error) == ("partial", 3, "RepeatedCursor")


def test_a_lone_row_is_a_list_of_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with foreign(
        "servicenow", [("GET /api/now/table/.*", {"result": COMPUTER})], tmp_path, monkeypatch, username="u"
    ) as cmdb:
        assert manifest(cmdb.sync("computers"), "computers").records == 1
