"""Intune: the whole way from its habits to staging, over real HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from connector_assets.intune import graph
from demo_estate.lenses import intune as lens

from .microsoft import Bench, bench, holds, manifest, states

DEVICES = "GET /v1.0/deviceManagement/managedDevices"
APPS = "GET /v1.0/deviceManagement/detectedApps"
APP_DEVICES = "GET /v1.0/deviceManagement/detectedApps/{id}/managedDevices"
TOKEN = "POST /{tenant}/oauth2/v2.0/token"
Open = Callable[..., AbstractContextManager[Bench]]


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    def start(**settings: Any) -> AbstractContextManager[Bench]:
        return bench("intune", tmp_path, monkeypatch, **settings)

    return start


@pytest.fixture
def tenant(serve: Open) -> Iterator[Bench]:
    with serve(devices=200) as running:
        yield running


def fault(route: str, kind: int | str, **more: Any) -> dict[str, Any]:
    return {"product": "intune", "route": route, "fault": kind, **more}


def keys(tenant: Bench) -> list[lens.Key]:
    return list(lens.device_keys(tenant.service.view))


def test_a_whole_sync_makes_exactly_the_calls_it_needs(tenant: Bench) -> None:
    report = tenant.sync()
    assert states(report) == {
        "managed_devices": "complete",
        "detected_apps": "skipped",
        "detected_app_devices": "skipped",
    }
    assert dict(tenant.requests()) == {TOKEN: 1, DEVICES: 1}
    assert tenant.service.journal.problems == []
    devices = manifest(report, "managed_devices")
    assert devices.records == len(keys(tenant)) > 90
    assert devices.rejected == devices.field_issues == devices.duplicates == 0


def test_everything_served_is_landed_under_the_answer_keys_ids(tenant: Bench) -> None:
    tenant.sync()
    key = tenant.estate.answer_key().frame()
    with tenant.staged() as staged:
        for kind, model in (("device", "devices"), ("identity", "identities")):
            landed = {row["record_id"] for row in staged.rows(f"select record_id from stg_intune__{model}")}
            assert landed == set(key[key["kind"] == kind]["record_id"])


def test_pages_are_followed_to_the_end(serve: Open) -> None:
    with serve(devices=200, page_cap=20) as tenant:
        devices = manifest(tenant.sync("managed_devices"), "managed_devices")
        assert (devices.state, devices.records) == ("complete", len(keys(tenant)))
        assert tenant.requests()[DEVICES] == -(-devices.records // 20)


def test_a_page_that_is_lost_shows_against_the_count(serve: Open) -> None:
    with serve(devices=200, page_cap=20, faults=[fault(DEVICES, "empty", nth=3)]) as tenant:
        devices = manifest(tenant.sync("managed_devices"), "managed_devices")
        assert (devices.state, devices.records) == ("partial", 40)
        assert "Intune counts" in str(devices.reason)


def test_a_repeated_link_ends_partial_instead_of_looping(serve: Open) -> None:
    with serve(devices=200, page_cap=20, faults=[fault(DEVICES, "repeat_cursor", nth=3)]) as tenant:
        devices = manifest(tenant.sync("managed_devices"), "managed_devices")
        assert (devices.state, devices.error) == ("partial", "RepeatedCursor")


def test_an_expired_page_token_starts_the_collection_again(serve: Open) -> None:
    with serve(devices=200, page_cap=40, page_token_seconds=60) as tenant:
        moved = []

        def later(instance: str, stream: str, pages: int, rows: int) -> None:
            if pages == 1 and not moved:
                moved.append(tenant.estate.advance_clock(120))

        devices = manifest(tenant.sync("managed_devices", progress=later), "managed_devices")
        assert (devices.state, devices.records, devices.duplicates) == ("complete", len(keys(tenant)), 40)
        assert "read again" in devices.notes[0]


def test_a_token_that_ends_between_two_pages_is_renewed(serve: Open) -> None:
    with serve(devices=200, page_cap=40, page_token_seconds=99_999) as tenant:

        def later(instance: str, stream: str, pages: int, rows: int) -> None:
            if pages == 1:
                tenant.estate.advance_clock(3700)

        report = tenant.sync("managed_devices", progress=later)
        assert states(report) == {"managed_devices": "complete"}
        assert tenant.requests()[TOKEN] == 2


def test_query_broker_throttling_as_http_500_is_waited_out(serve: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connector_assets.kit.client.back_off", lambda attempt: 0.0)
    monkeypatch.setattr(graph, "BROKER_PAUSES", (0.1, 0.2))
    # the kit's own six tries, and six after each pause but the last
    with serve(faults=[fault(DEVICES, 500, nth=list(range(1, 14)))]) as tenant:
        devices = manifest(tenant.sync("managed_devices"), "managed_devices")
        assert devices.state == "complete"
        assert devices.waited_seconds >= 0.3
        assert tenant.requests()[DEVICES] == 14


def test_query_broker_throttling_that_never_ends_fails_and_says_what_to_do(
    serve: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connector_assets.kit.client.back_off", lambda attempt: 0.0)
    monkeypatch.setattr(graph, "BROKER_PAUSES", (0.01,))
    with serve(faults=[fault(DEVICES, 500, always=True)]) as tenant:
        devices = manifest(tenant.sync("managed_devices"), "managed_devices")
        assert (devices.state, devices.error) == ("failed", "RetryLater")
        assert "query broker" in str(devices.reason)
        assert "lower the cadence" in str(devices.reason)
        assert tenant.requests()[DEVICES] == 12


def test_a_tenant_without_intune_is_skipped_with_its_reason(serve: Open) -> None:
    with serve(licensed=False) as tenant:
        devices = manifest(tenant.sync("managed_devices"), "managed_devices")
        assert devices.state == "skipped"
        assert "has no Intune" in str(devices.reason)


def test_a_missing_permission_for_applications_leaves_the_devices(serve: Open) -> None:
    with serve(without=("DeviceManagementApps.Read.All",)) as tenant:
        assert states(tenant.sync(detected_apps="devices")) == {
            "managed_devices": "complete",
            "detected_apps": "skipped",
            "detected_app_devices": "skipped",
        }
        checks = tenant.check()
        assert checks["DeviceManagementManagedDevices.Read.All"].ok
        assert "not granted, and optional" in checks["DeviceManagementApps.Read.All"].message


def test_detected_applications_with_their_devices_within_the_limit(serve: Open) -> None:
    with serve(devices=40) as tenant:
        catalogue = manifest(tenant.sync("detected_apps", detected_apps="catalogue"), "detected_apps")
        apps = lens.installations(tenant.service.view)
        assert (catalogue.state, catalogue.records) == ("complete", len(apps))
        report = tenant.sync(detected_apps="devices")
        links = manifest(report, "detected_app_devices")
        assert (links.state, links.records) == ("complete", sum(map(len, apps.values())))
        assert tenant.requests()[APP_DEVICES] == len(apps)
        tenant.service.journal.clear()
        few = manifest(
            tenant.sync("detected_app_devices", detected_apps="devices", detected_apps_limit=3), "detected_app_devices"
        )
        assert tenant.requests()[APP_DEVICES] == 3
        assert "beyond detected_apps_limit" in few.notes[0]


def test_an_application_gone_before_its_devices_are_asked_is_left_out(serve: Open) -> None:
    with serve(devices=40, faults=[fault(APP_DEVICES, 404, nth=2)]) as tenant:
        assert states(tenant.sync(detected_apps="devices"))["detected_app_devices"] == "complete"


@pytest.mark.parametrize(("kind", "error"), [("html", "UnexpectedContent"), ("truncate", "BrokenAnswer")])
def test_an_answer_that_is_none_fails_the_stream(serve: Open, kind: str, error: str) -> None:
    with serve(faults=[fault(DEVICES, kind, always=True)]) as tenant:
        devices = manifest(tenant.sync("managed_devices"), "managed_devices")
        assert (devices.state, devices.error) == ("failed", error)


def test_no_secret_no_token_and_no_unlock_code_is_written_anywhere(tenant: Bench) -> None:
    tenant.sync()
    _, secret = tenant.estate.connections()["intune"].credentials["client_secret"]
    view = tenant.service.view
    codes = [lens.device_record(view, key)["activationLockBypassCode"] for key in keys(tenant)]
    assert holds(tenant.home.root, secret, *tenant.service.tokens.values(), *filter(None, codes)) == []
    assert tenant.service.journal.problems_of("secret_in_url") == []


@pytest.mark.parametrize("version", ["v1.0", "beta"])
def test_staging_gives_exactly_the_declared_columns_and_passes_its_tests(serve: Open, version: str) -> None:
    with serve(devices=100) as tenant:
        report = tenant.sync(api_version=version, detected_apps="devices")
        assert set(states(report).values()) == {"complete"}
        with tenant.staged() as staged:
            assert staged.columns_differ() == []
            assert staged.failing() == []
            assert len(staged.results) == 4
            assert staged.one("select count(*) from stg_intune__relationships where relationship = 'runs on'") > 100
            told = staged.one("select count(chassisType) from landed.intune__managed_devices")
            assert (told > 0) == (version == "beta")


def test_retiring_and_wiped_devices_are_retired_and_the_rest_is_not(serve: Open) -> None:
    with serve(devices=400) as tenant:
        tenant.sync()
        view = tenant.service.view
        going = {lens.device_id(view, k) for k in keys(tenant) if lens.management_state(view, k) != "managed"}
        with tenant.staged() as staged:
            retired = staged.rows("select record_id from stg_intune__devices where state = 'retired'")
            assert {row["record_id"] for row in retired} == going
            assert len(going) > 3


def test_null_forms_become_nulls_and_spellings_one_form(tenant: Bench) -> None:
    place = {"_record_id": "a", "managementState": "managed", "operatingSystem": "iOS"}
    rows = [
        {**place, "id": "a", "userId": "", "deviceName": "", "serialNumber": "", "imei": "", "wiFiMacAddress": "",
         "azureADDeviceId": "00000000-0000-0000-0000-000000000000", "userPrincipalName": "", "emailAddress": "",
         "lastSyncDateTime": None, "enrolledDateTime": datetime(9999, 12, 31, 23, 59, 59)},
        {**place, "id": "b", "_record_id": "b", "userId": "U-1", "deviceName": "JD-iPhone", "serialNumber": "C39",
         "imei": "35 324910 401736 9", "wiFiMacAddress": "0a1b2c3d4e5f", "azureADDeviceId": "B",
         "lastSyncDateTime": datetime(2026, 11, 20), "managementState": "wipeCanceled"},
        {**place, "id": "c", "_record_id": "c", "deviceName": "srv", "chassisType": "enterpriseServer",
         "operatingSystem": "Windows", "azureADDeviceId": "D", "managementState": "deletePending"},
    ]  # fmt: skip
    with tenant.staged({"managed_devices": rows}) as staged:
        assert staged.failing() == []
        none, phone, server = staged.rows("select * from stg_intune__devices order by record_id")
        empty = ("serial_number", "imei", "entra_device_id", "owner", "display_name", "first_seen", "last_seen")
        assert {none[name] for name in empty} == {None}
        assert (none["mac_addresses"], none["hostnames"]) == ([], [])
        assert none["observed_at"] == datetime(2026, 11, 23)
        assert (phone["imei"], phone["mac_addresses"]) == ("353249104017369", ["0a:1b:2c:3d:4e:5f"])
        assert (phone["entra_device_id"], phone["state"], phone["device_category"]) == (None, "active", "Mobile")
        assert (server["entra_device_id"], server["state"], server["device_category"]) == ("d", "retired", "Server")
        assert [row["record_id"] for row in staged.rows("select record_id from stg_intune__identities")] == ["u-1"]
