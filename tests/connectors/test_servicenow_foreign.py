"""ServiceNow in the shapes of recordings and of feeds that others made, by its base address alone.

Every test is named after the trap it guards. The recorded records are those of test_servicenow_replay.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from connector_assets.kit.budgets import Allowance

from .microsoft import manifest, states
from .replay import Answer, Case, Route, foreign, misread, varied
from .test_servicenow_replay import APP, COMPUTER, SITE, USER, displayed, estate, renamed


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Allowance, "pause", lambda self, seconds: None)


def named(row: Any) -> Any:
    """sysparm_display_value=true with sysparm_exclude_reference_link=true: references are nothing but names."""
    return {
        key: value["display_value"] if isinstance(value, dict) and "display_value" in value else value
        for key, value in displayed(row).items()
    }


def test_a_reference_that_is_a_name_alone_names_the_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    computer = {
        **COMPUTER,
        "sys_class_name": "Windows Server",
        "assigned_to": {"display_value": "Carol Invented", "link": f"{SITE}/sys_user/{USER['sys_id']}"},
        "install_status": "Installed",
        "operational_status": "Operational",
        "residual": "$509.95",
        "sys_mod_count": "2,000",
        "due_in": None,
    }
    app = {**APP, "owned_by": {"display_value": "Carol Invented", "link": f"{SITE}/sys_user/{USER['sys_id']}"}}
    routes = estate(named, cmdb_ci_computer=[computer], cmdb_ci_business_app=[app])
    with foreign("servicenow", routes, tmp_path, monkeypatch, username="u") as cmdb:
        report = cmdb.sync()
        assert set(states(report).values()) == {"complete"}
        assert not any(m.rejected or m.field_issues for m in report.streams)
        with cmdb.staged() as staged:
            assert staged.failing() == []
            (device,) = staged.rows("select * from stg_servicenow__devices")
            assert (device["owner"], device["manufacturer"], device["model"]) == ("Carol Invented", "Contoso", "VM 7.1")
            assert (device["state"], device["device_category"]) == ("active", "Server")
            assert staged.one("select owner from stg_servicenow__applications") == "Carol Invented"


CASES = [
    # a user who is no more is known by no name
    Case({"assigned_to": {"link": f"{SITE}/sys_user/{'e' * 32}", "value": "e" * 32}}, "owner", None),
    # which of the two is the month is not told
    Case({"last_discovered": "07/06/2026 11:59:27"}, "last_seen", datetime(2026, 11, 21, 4, 12, 9)),
    Case({"last_discovered": "UNKNOWN", "sys_updated_on": "24.10.2026 7:07:31"}, "last_seen", None),
    Case({"object_id": "AQUAAAAAAAUVAAAAFFKfpdAwM8xbt9EJGesFAA=="}, "cloud_provider", None),
    Case({"name": "San Diego Gateway", "host_name": "", "fqdn": ""}, "hostnames", []),
    Case({"sys_class_name": "cmdb_ci_netgear"}, "device_category", "NetworkDevice"),
    Case({"hardware_status": "retired", "install_status": "7", "operational_status": "6"}, "state", "retired"),
]


def test_a_value_of_a_recording_is_no_more_than_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    routes = estate(cmdb_ci_computer=varied(COMPUTER, CASES, renamed))
    with foreign("servicenow", routes, tmp_path, monkeypatch, username="u") as cmdb:
        found = manifest(cmdb.sync("computers", "users"), "computers")
        assert (found.records, found.rejected) == (len(CASES), 0)
        # a date that is none is said to be none
        assert found.field_issues == 3
        with cmdb.staged() as staged:
            assert staged.failing() == []
            assert misread(CASES, staged, "stg_servicenow__devices", "right(record_id, 5)") == []


def test_rows_of_which_only_ids_and_names_are_recorded_are_items(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"sys_id": f"{letter * 32}", "name": f"Test record {letter}"} for letter in "abc"]
    with foreign("servicenow", estate(cmdb_ci_computer=rows), tmp_path, monkeypatch, username="u") as cmdb:
        found = manifest(cmdb.sync("computers"), "computers")
        assert (found.state, found.records, found.field_issues) == ("complete", 3, 0)
        with cmdb.staged() as staged:
            assert staged.failing() == []
            assert len(staged.rows("select * from stg_servicenow__devices")) == 3


def test_a_link_header_of_every_page_is_not_followed_beside_the_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = ",".join(
        f'<http://elsewhere.example/api/now/table/sys_user?sysparm_offset={at}>;rel="{rel}"'
        for at, rel in ((0, "first"), (-1, "prev"), (1, "next"), (2, "last"))
    )
    headers = {
        "Link": link,
        "x-total-count": "3",
        "Set-Cookie": "glide_session_store=x; Max-Age=1800; Secure; HttpOnly",
        "server-timing": "sem_wait;dur=0, sesh_wait;dur=0",
    }
    answer = Answer({"result": [USER]}, headers=headers, content_type="application/json;charset=UTF-8")
    routes: list[Route] = [("GET /api/now/table/.*", answer)]
    with foreign("servicenow", routes, tmp_path, monkeypatch, username="u") as cmdb:
        found = manifest(cmdb.sync("users"), "users")
        assert (found.state, found.records) == ("complete", 1)
