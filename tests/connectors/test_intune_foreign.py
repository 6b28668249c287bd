"""Intune by its base address alone: forms of the wire, and what any place of a record may hold instead.

Every test is named after the trap it guards. The recorded records are those of test_intune_replay.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connector_assets.kit.budgets import Allowance

from .microsoft import manifest, states
from .replay import WIRES, Asked, Case, Route, foreign, misread, mutants, suffers, varied
from .test_intune_replay import PHONE, page

OPTIONS = {"tenant_id": "contoso.example", "client_id": "c", "detected_apps": "devices"}
NUMBER = "right(record_id, 5)"
APP: dict[str, Any] = {
    "@odata.type": "#microsoft.graph.detectedApp",
    "id": "0000f5a1b2c300001",
    "displayName": "7-Zip",
    "version": "23.01",
    "sizeInByte": 0,
    "deviceCount": 1,
    "publisher": "Igor Pavlov",
    "platform": "windows",
}


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Allowance, "pause", lambda self, seconds: None)


def estate(devices: Any = None, apps: Any = None) -> list[Route]:
    token = {"token_type": "Bearer", "expires_in": 3599, "access_token": "a-token"}
    return [
        ("POST /contoso.example/oauth2/v2.0/token", token),
        ("GET /v1.0/deviceManagement/managedDevices", devices or page(PHONE)),
        ("GET /v1.0/deviceManagement/detectedApps", apps or page(APP)),
        ("GET /v1.0/deviceManagement/detectedApps/[^/]+/managedDevices", page({"id": PHONE["id"]})),
    ]


@pytest.mark.parametrize("wire", WIRES)
def test_the_answer_is_the_same_in_every_form_of_the_wire(
    wire: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with foreign("intune", estate(), tmp_path, monkeypatch, wire=wire, **OPTIONS) as intune:
        report = intune.sync()
        assert set(states(report).values()) == {"complete"}
        assert [m.records for m in report.streams] == [1, 1, 1]
        assert not any(m.rejected or m.field_issues for m in report.streams)


def renamed(record: Any, number: str) -> None:
    record["id"] = record["id"][:-5] + number


def renamed_app(record: Any, number: str) -> None:
    renamed(record, number)
    record["displayName"] = f"7-Zip {number}"


def test_no_place_of_a_device_is_needed_but_its_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = mutants(PHONE, renamed, keep=["id"])
    with foreign("intune", estate(page(*[m.record for m in given])), tmp_path, monkeypatch, **OPTIONS) as intune:
        found = manifest(intune.sync("managed_devices"), "managed_devices")
        assert (found.state, found.records, found.rejected) == ("complete", len(given), 0)
        with intune.staged() as staged:
            assert staged.failing() == []
            assert suffers(given, staged, "stg_intune__devices", NUMBER) == []


def test_no_place_of_an_application_is_needed_but_id_and_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = mutants(APP, renamed_app, keep=["id", "displayName"])
    with foreign("intune", estate(apps=page(*[m.record for m in given])), tmp_path, monkeypatch, **OPTIONS) as intune:
        found = manifest(intune.sync(), "detected_apps")
        assert (found.state, found.records, found.rejected) == ("complete", len(given), 0)
        with intune.staged() as staged:
            assert staged.failing() == []
            assert suffers(given, staged, "stg_intune__applications", NUMBER) == []


CASES = [
    Case({"userPrincipalName": " ", "emailAddress": "j@corp.example"}, "owner", "j@corp.example"),
    Case({"serialNumber": 12345}, "serial_number", "12345"),
    Case({"imei": 353249104017369}, "imei", "353249104017369"),
    Case({"imei": "0"}, "imei", None),
    Case({"wiFiMacAddress": "0A-1B-2C-3D-4E-5F"}, "mac_addresses", ["0a:1b:2c:3d:4e:5f"]),
    Case({"wiFiMacAddress": "02:00:00:00:00:00"}, "mac_addresses", []),
    Case({"managementState": "wipeFailed"}, "state", "active"),
    Case({"operatingSystem": "Android (AOSP)"}, "device_category", "Mobile"),
    Case({"lastSyncDateTime": "0001-01-01T00:00:00Z"}, "last_seen", None),
]


def test_a_value_in_an_unusual_form_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    routes = estate(page(*varied(PHONE, CASES, renamed)))
    with foreign("intune", routes, tmp_path, monkeypatch, **OPTIONS) as intune:
        intune.sync("managed_devices")
        with intune.staged() as staged:
            assert misread(CASES, staged, "stg_intune__devices", NUMBER) == []


def test_pages_of_the_vendors_own_host_are_asked_at_the_base_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pages(asked: Asked) -> Any:
        if asked.query.get("$skiptoken"):
            return page({**PHONE, "id": "second"})
        link = "https://graph.microsoft.com/v1.0/deviceManagement/managedDevices?$skiptoken=LastDeviceId%3d%271%27"
        return {**page(PHONE), "@odata.count": 2, "@odata.nextLink": link}

    with foreign("intune", estate(pages), tmp_path, monkeypatch, **OPTIONS) as intune:
        found = manifest(intune.sync("managed_devices"), "managed_devices")
        assert (found.state, found.records) == ("complete", 2)
