"""Intune against answers as they were recorded: its null forms, its throttling, its ids and names that are none.

Every test is named after the trap it guards. `replay` answers instead of the demo estate, over the same HTTP.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from connector_assets import registry
from connector_assets.kit.budgets import Allowance
from demo_estate.kit.http import Response

from .microsoft import Bench, bench, holds, manifest, states

DEVICES = "GET /v1.0/deviceManagement/managedDevices"
BETA = "GET /beta/deviceManagement/managedDevices"
APPS = "GET /v1.0/deviceManagement/detectedApps"
APP_DEVICES = "GET /v1.0/deviceManagement/detectedApps/{id}/managedDevices"
Open = Callable[..., AbstractContextManager[Bench]]
ZERO = "00000000-0000-0000-0000-000000000000"

PHONE: dict[str, Any] = {
    "id": "683dbff1-0000-0000-0000-000000000001",
    "userId": "001d35fc-0000-0000-0000-00000000000a",
    "deviceName": "JD-iPhone",
    "managedDeviceOwnerType": "personal",
    "managementState": "managed",
    "enrolledDateTime": "2025-02-17T16:24:45Z",
    "lastSyncDateTime": "2026-11-10T00:24:15Z",
    "operatingSystem": "iOS",
    "osVersion": "18.2",
    "complianceState": "noncompliant",
    "jailBroken": "False",
    "managementAgent": "mdm",
    "azureADRegistered": None,
    # an old enrolment: its own id
    "azureADDeviceId": "683DBFF1-0000-0000-0000-000000000001",
    "deviceEnrollmentType": "userEnrollment",
    "userPrincipalName": "jdoe@corp.example",
    "emailAddress": "jdoe@corp.example",
    "userDisplayName": "J Doe",
    "model": "iPhone 15",
    "manufacturer": "Apple",
    "serialNumber": "C39AAAAAAA",
    "imei": "35 324910 401736 9",
    "meid": "",
    "wiFiMacAddress": "0a1b2c3d4e5f",
    "ethernetMacAddress": None,
    "isEncrypted": True,
    "isSupervised": False,
    "totalStorageSpaceInBytes": 68719476736,
    "easActivationDateTime": "0001-01-01T00:00:00Z",
    "complianceGracePeriodExpirationDateTime": "9999-12-31T23:59:59Z",
    "partnerReportedThreatState": "unknown",
    "deviceCategoryDisplayName": "Unknown",
    "phoneNumber": "+49170000001",
    "activationLockBypassCode": "SECRET-UNLOCK-CODE",
    "hardwareInformation": {"serialNumber": "", "wiredIPv4Addresses": []},
    "newProperty": {"nested": [1, 2]},
}
MAC: dict[str, Any] = {
    "id": "1f75329e-0000-0000-0000-000000000002",
    "userId": "",
    "userPrincipalName": "",
    "emailAddress": "",
    "azureADDeviceId": ZERO,
    "managementState": "retireIssued",
    "complianceState": "unknown",
    "operatingSystem": "macOS",
    "serialNumber": "",
    "wiFiMacAddress": "",
    "enrolledDateTime": "2025-02-17T16:38:03Z",
}


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    def start(**settings: Any) -> AbstractContextManager[Bench]:
        return bench("intune", tmp_path, monkeypatch, **{"devices": 20, **settings})

    return start


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What is waited, without waiting."""
    found: list[float] = []
    monkeypatch.setattr(Allowance, "pause", lambda self, seconds: found.append(seconds))
    return found


def replay(tenant: Bench, **routes: Any) -> list[str]:
    """From now on these answers are given (devices, beta, apps, app_devices -> body or function (request) -> Response);
    returns the addresses that were asked."""
    asked: list[str] = []
    named = {"devices": DEVICES, "beta": BETA, "apps": APPS, "app_devices": APP_DEVICES}
    given = {named[key]: body for key, body in routes.items()}
    original = type(tenant.service)._serve

    def serve(service: Any, request: Any, matched: Any, key: str) -> Any:
        if matched.name not in given:
            return original(service, request, matched, key)
        asked.append(request.path + "?" + "&".join(f"{k}={v}" for k, v in request.query.items()))
        found = given[matched.name]
        return found(request) if callable(found) else Response(found, 200)

    tenant.monkeypatch.setattr(type(tenant.service), "_serve", serve)
    return asked


def page(*records: Any, **more: Any) -> dict[str, Any]:
    return {
        "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#deviceManagement/managedDevices",
        "@odata.count": len(records),
        "value": list(records),
        **more,
    }


def refusal(code: str, message: str) -> dict[str, Any]:
    """Graph's error, with Intune's own as JSON in its message."""
    inner = json.dumps({"_version": 3, "Message": f"{message} - Operation ID (for customer support): {ZERO}"})
    return {"error": {"code": code, "message": inner, "innerError": {"date": "2026-01-02T03:04:05", "request-id": "r"}}}


def devices(staged: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = staged.rows("select * from stg_intune__devices order by record_id desc")
    return found


def test_a_recorded_answer_of_every_stream_is_landed_whole_and_understood(serve: Open) -> None:
    app = {"id": "0000f5", "displayName": "7-Zip", "version": "23.01", "sizeInByte": 0, "deviceCount": 1, "publisher": "", "platform": "windows"}  # fmt: skip  # noqa: E501
    with serve() as tenant:
        replay(tenant, devices=page(PHONE, MAC), apps=page(app), app_devices=page({"id": PHONE["id"]}))
        report = tenant.sync(detected_apps="devices")
        told = {m.stream: (m.state, m.records, m.rejected, m.field_issues) for m in report.streams}
        assert told == {
            "managed_devices": ("complete", 2, 0, 0),
            "detected_apps": ("complete", 1, 0, 0),
            "detected_app_devices": ("complete", 1, 0, 0),
        }
        assert holds(tenant.home.root, "SECRET-UNLOCK-CODE", "+49170000001") == []
        with tenant.staged() as staged:
            assert staged.failing() == []
            phone, mac = devices(staged)
            assert (phone["serial_number"], phone["imei"], phone["mac_addresses"]) == (
                "C39AAAAAAA",
                "353249104017369",
                ["0a:1b:2c:3d:4e:5f"],
            )
            assert (phone["entra_device_id"], phone["device_category"], phone["owner"]) == (
                None,
                "Mobile",
                "jdoe@corp.example",
            )
            assert phone["last_seen"] == phone["observed_at"] == datetime(2026, 11, 10, 0, 24, 15)
            assert (mac["state"], mac["serial_number"], mac["entra_device_id"], mac["owner"]) == (
                "retired",
                None,
                None,
                None,
            )
            edges = staged.rows("select * from stg_intune__relationships order by relationship")
            assert [e["relationship"] for e in edges] == ["frequently logged in by", "runs on"]
            assert [e["source_kind"] for e in edges] == ["device", "application"]


# Completeness --------------------------------------------------------------------------------------------------------


def test_an_empty_page_with_a_link_is_no_end(serve: Open) -> None:
    def pages(request: Any) -> Response:
        token = request.query.get("$skiptoken")
        link = f"https://graph.microsoft.com{request.path}?$skiptoken="
        bodies = {
            None: page(PHONE, **{"@odata.count": 2, "@odata.nextLink": link + "a"}),
            "a": {"value": [], "@odata.nextLink": link + "b"},
            "b": {"value": [MAC], "@odata.nextLink": link + "c"},
            "c": {"value": [], "@odata.nextLink": ""},
        }
        return Response(bodies[token], 200)

    with serve() as tenant:
        replay(tenant, devices=pages)
        found = manifest(tenant.sync("managed_devices"), "managed_devices")
        assert (found.state, found.records, found.pages) == ("complete", 2, 4)


@pytest.mark.parametrize("status", [400, 403])
def test_a_tenant_without_intune_is_skipped_whatever_status_says_so(serve: Open, status: int) -> None:
    with serve() as tenant:
        body = refusal("BadRequest", "Request not applicable to target tenant.")
        replay(tenant, devices=lambda request: Response(body, status))
        found = manifest(tenant.sync("managed_devices"), "managed_devices")
        assert found.state == "skipped"
        assert "has no Intune" in str(found.reason)


@pytest.mark.parametrize("quote", ["'", "\\u0027"])
def test_a_property_this_cloud_does_not_have_is_left_out_and_named(serve: Open, quote: str) -> None:
    def answer(request: Any) -> Response:
        if "managementState" in request.query.get("$select", ""):
            said = f"Could not find a property named {quote}managementState{quote} on type 'microsoft.graph.managedDevice'."
            return Response({"error": {"code": "BadRequest", "message": said}}, 400)
        return Response(page(PHONE), 200)

    with serve() as tenant:
        replay(tenant, devices=answer)
        found = manifest(tenant.sync("managed_devices"), "managed_devices")
        assert (found.state, found.records) == ("complete", 1)
        assert "managementState" in found.notes[0]


def test_a_refused_request_that_names_no_property_still_fails(serve: Open) -> None:
    with serve() as tenant:
        replay(tenant, devices=lambda request: Response(refusal("BadRequest", "Invalid filter clause"), 400))
        assert states(tenant.sync("managed_devices"))["managed_devices"] == "failed"


def test_throttling_with_429_waits_as_told_and_with_500_longer(serve: Open, waits: list[float]) -> None:
    broker = "Rate limit reached because of too many requests to query broker. Please retry after sometime."
    answers = [
        Response(refusal("TooManyRequests", "slow"), 429, headers={"Retry-After": "17"}),
        *[Response({"error": {"code": "InternalServerError", "message": broker}}, 500)] * 6,
    ]

    def answer(request: Any) -> Response:
        return answers.pop(0) if answers else Response(page(PHONE), 200)

    with serve() as tenant:
        replay(tenant, devices=answer)
        found = manifest(tenant.sync("managed_devices"), "managed_devices")
        assert found.state == "complete"
        assert 17.0 in waits
        assert 30.0 in waits


def test_an_application_without_an_id_does_not_end_the_others(serve: Open) -> None:
    apps = [
        {"displayName": "No id", "deviceCount": 3},
        {"id": None, "displayName": "Null id"},
        {"id": "a b?1", "displayName": "Odd id", "deviceCount": None},
        {"id": "unused", "displayName": "On nothing", "deviceCount": 0},
    ]
    with serve() as tenant:
        asked = replay(tenant, devices=page(PHONE), apps=page(*apps), app_devices=page({"id": PHONE["id"]}))
        report = tenant.sync(detected_apps="devices")
        # the two in quarantine make it partial, and say so
        assert (manifest(report, "detected_apps").state, manifest(report, "detected_apps").rejected) == ("partial", 2)
        assert manifest(report, "detected_app_devices").records == 1
        assert len([path for path in asked if "/detectedApps/" in path]) == 1


def test_the_same_applications_are_asked_within_the_limit_whatever_the_order(serve: Open) -> None:
    apps = [{"id": f"app{n}", "displayName": f"App {n}", "deviceCount": count} for n, count in enumerate((1, 9, 5, 9))]
    with serve() as tenant:
        for order in (apps, apps[::-1]):
            asked = replay(tenant, devices=page(PHONE), apps=page(*order), app_devices=page({"id": PHONE["id"]}))
            report = tenant.sync(detected_apps="devices", detected_apps_limit=3)
            paths = [path.split("/")[4] for path in asked if "/detectedApps/" in path]
            assert paths == ["app1", "app3", "app2"]
            assert "1 more are beyond detected_apps_limit" in manifest(report, "detected_app_devices").notes[0]


# Null forms and names ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "soon", None])
def test_a_logon_date_that_is_none_costs_its_value_and_not_the_build(serve: Open, word: str | None) -> None:
    logons = [
        {"userId": "U-1", "lastLogOnDateTime": word},
        {"userId": ZERO, "lastLogOnDateTime": word},
        {"userId": None},
    ]
    with serve() as tenant:
        replay(tenant, beta=page({**PHONE, "userId": ZERO, "usersLoggedOn": logons, "lastSyncDateTime": word}))
        report = tenant.sync("managed_devices", api_version="beta")
        assert manifest(report, "managed_devices").state == "complete"
        with tenant.staged() as staged:
            assert staged.failing() == []
            (edge,) = staged.rows("select * from stg_intune__relationships")
            assert edge["target_record"].endswith(":u-1")
            assert edge["last_seen"] is None
            (found,) = devices(staged)
            assert (found["last_seen"], found["observed_at"].year) == (None, 2026)


def test_the_newest_logon_counts_in_utc(serve: Open) -> None:
    logons = [
        {"userId": "u-1", "lastLogOnDateTime": "2026-11-01T10:00:00.1234567Z"},
        {"userId": "U-1", "lastLogOnDateTime": "2026-11-02T01:00:00+02:00"},
    ]
    with serve() as tenant:
        replay(tenant, beta=page({**PHONE, "userId": "", "usersLoggedOn": logons}))
        tenant.sync("managed_devices", api_version="beta")
        with tenant.staged() as staged:
            (edge,) = staged.rows("select * from stg_intune__relationships")
            assert edge["last_seen"] == datetime(2026, 11, 1, 23, 0)


#: (member, what it holds, column, what that must be); a record each, all in one sync and one build.
FORMS: list[tuple[str, Any, str, Any]] = [
    ("imei", "0", "imei", None),
    ("imei", "000000000000000", "imei", None),
    ("imei", "Unknown", "imei", None),
    ("imei", "35-324910-401736-9", "imei", "353249104017369"),
    ("wiFiMacAddress", "020000000000", "mac_addresses", []),
    ("wiFiMacAddress", "02:00:00:00:00:00", "mac_addresses", []),
    ("wiFiMacAddress", "FFFFFFFFFFFF", "mac_addresses", []),
    ("wiFiMacAddress", "0A-1B-2C-3D-4E-5F", "mac_addresses", ["0a:1b:2c:3d:4e:5f"]),
    ("deviceName", "Dr. Smith's iPad", "fqdns", []),
    ("deviceName", "Dr. Smith's iPad", "hostnames", ["Dr. Smith's iPad"]),
    ("deviceName", "10.1.2.3", "fqdns", []),
    ("deviceName", "WKS-014.corp.example", "fqdns", ["wks-014.corp.example"]),
    ("azureADDeviceId", ZERO, "entra_device_id", None),
    ("azureADDeviceId", None, "entra_device_id", None),
    (
        "azureADDeviceId",
        "AAAAAAAA-0000-0000-0000-000000000001",
        "entra_device_id",
        "aaaaaaaa-0000-0000-0000-000000000001",
    ),
    ("operatingSystem", "WindowsServer", "device_category", "Server"),
    ("managementState", "", "is_managed", True),
    ("managementState", "discovered", "is_managed", False),
    ("managementState", "retireFailed", "state", "active"),
    ("managementState", "wipePending", "state", "retired"),
    ("userPrincipalName", " ", "owner", "jdoe@corp.example"),
    ("enrolledDateTime", "0001-01-01T00:00:00Z", "first_seen", None),
]


def test_a_null_form_of_intune_is_null(serve: Open) -> None:
    given = [
        {**PHONE, "id": f"683dbff1-0000-0000-0000-{number:012}", field: value}
        for number, (field, value, _, _) in enumerate(FORMS)
    ]
    with serve() as tenant:
        replay(tenant, devices=page(*given))
        tenant.sync("managed_devices")
        with tenant.staged() as staged:
            assert staged.failing() == []
            found = {row["record_id"]: row for row in devices(staged)}
            for record, (field, value, column, expected) in zip(given, FORMS, strict=True):
                assert found[record["id"]][column] == expected, (field, value)


def test_placeholders_do_not_show_as_properties(serve: Open) -> None:
    empty = dict.fromkeys(("managementAgent", "deviceEnrollmentType", "jailBroken", "deviceRegistrationState"), "")
    with serve() as tenant:
        replay(
            tenant, devices=page({**PHONE, **empty, "deviceCategoryDisplayName": "", "partnerReportedThreatState": ""})
        )
        tenant.sync("managed_devices")
        with tenant.staged() as staged:
            told = json.loads(devices(staged)[0]["properties"])
            assert {name: value for name, value in told.items() if value in ("", "unknown", "Unknown")} == {}


def test_records_with_nothing_but_an_id_break_nothing(serve: Open) -> None:
    with serve() as tenant:
        replay(tenant, devices=page({"id": "a"}, {"id": "b", "usersLoggedOn": "text", "userId": None, "imei": 5}))
        assert manifest(tenant.sync("managed_devices"), "managed_devices").records == 2
        with tenant.staged() as staged:
            assert staged.failing() == []
            assert len(devices(staged)) == 2


def test_the_same_id_in_another_case_is_the_same_device(serve: Open) -> None:
    app = {"id": "F5", "displayName": "7-Zip", "deviceCount": 1}
    with serve() as tenant:
        replay(
            tenant,
            devices=page(PHONE, {**PHONE, "id": PHONE["id"].upper()}),
            apps=page(app),
            app_devices=page({"id": PHONE["id"].upper()}),
        )
        tenant.sync(detected_apps="devices")
        with tenant.staged() as staged:
            assert staged.failing() == []
            assert [found["record_id"] for found in devices(staged)] == [PHONE["id"]]
            assert staged.one("select count(*) from stg_intune__relationships where relationship = 'runs on'") == 1


def test_every_trouble_has_an_answer_of_this_product() -> None:
    told = registry.load("intune").troubleshooting
    assert {"400", "401", "403", "404", "409", "429", "500", "503", "dns", "tls", "connect"} <= set(told)
    assert "Conditional Access" in told["401"]
