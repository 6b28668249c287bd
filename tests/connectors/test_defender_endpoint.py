"""Defender for Endpoint: the whole way from its API's habits to staging, over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connector_assets.defender_endpoint import DefenderOptions
from connector_assets.defender_endpoint.streams import VULNERABILITY, by_parts, is_fixed, normalised
from demo_estate.lenses.defender_endpoint import records, routes

from .microsoft import Bench, bench, holds, manifest, states

MACHINES = "GET /api/machines"
LOGONS = "GET /api/machines/{id}/logonusers"
SOFTWARE = "GET /api/machines/SoftwareInventoryByMachine"
WEAKNESSES = "GET /api/machines/SoftwareVulnerabilitiesByMachine"
FILE = "GET /tvmexport/{number}.json.gz"
TOKEN = "POST /{tenant}/oauth2/v2.0/token"
Open = Callable[..., AbstractContextManager[Bench]]


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    def start(**settings: Any) -> AbstractContextManager[Bench]:
        return bench("defender_endpoint", tmp_path, monkeypatch, **settings)

    return start


@pytest.fixture
def tenant(serve: Open) -> Iterator[Bench]:
    with serve() as running:
        yield running


def fault(route: str, kind: int | str, **more: Any) -> dict[str, Any]:
    return {"product": "defender_endpoint", "route": route, "fault": kind, **more}


def with_sensor(tenant: Bench) -> list[records.Key]:
    view = tenant.service.view
    return [key for key in records.machine_keys(view) if records.has_sensor(view.truth, key.number)]


def test_a_whole_sync_makes_exactly_the_calls_it_needs(tenant: Bench) -> None:
    report = tenant.sync()
    assert set(states(report).values()) == {"complete"}, [(m.stream, m.reason) for m in report.streams]
    view = tenant.service.view
    reporting = [k for k in with_sensor(tenant) if not records.is_silent(view, k, view.device(k.number))]
    assert dict(tenant.requests()) == {
        TOKEN: 1,
        MACHINES: 1,
        SOFTWARE: 1,
        WEAKNESSES: 1,
        "GET /api/vulnerabilities": 1,
        LOGONS: len(reporting),
    }
    assert tenant.service.journal.problems == []
    assert all(m.rejected == m.field_issues == m.duplicates == 0 for m in report.streams)


def test_everything_served_is_landed_under_the_answer_keys_ids(tenant: Bench) -> None:
    tenant.sync()
    key = tenant.estate.answer_key().frame()
    with tenant.staged() as staged:
        for kind, model in (("device", "devices"), ("identity", "identities"), ("application", "applications")):
            landed = {row["record_id"] for row in staged.rows(f"select record_id from stg_defender_endpoint__{model}")}
            assert landed == set(key[key["kind"] == kind]["record_id"])


def test_machines_are_paged_without_top_which_would_suppress_the_next_link(serve: Open) -> None:
    with serve(machines_page=10) as tenant:
        machines = manifest(tenant.sync("machines"), "machines")
        assert machines.state == "complete"
        assert machines.records == len(list(records.machine_keys(tenant.service.view)))
        assert tenant.requests()[MACHINES] == machines.records // 10 + 1


def test_a_repeated_link_ends_partial_instead_of_looping(serve: Open) -> None:
    with serve(machines_page=10, faults=[fault(MACHINES, "repeat_cursor", nth=3)]) as tenant:
        machines = manifest(tenant.sync("machines"), "machines")
        assert (machines.state, machines.error) == ("partial", "RepeatedCursor")
        assert tenant.requests()[MACHINES] == 3


def test_a_404_of_the_collection_is_an_empty_estate_and_a_404_of_the_address_is_not(serve: Open) -> None:
    with serve(faults=[fault(MACHINES, 404, nth=1)]) as tenant:
        assert states(tenant.sync("machines")) == {"machines": "complete"}
        wrong = tenant.connection().model_copy(update={"base_url": f"{tenant.service.base_url}/api"})
        tenant.connection = lambda **_: wrong  # type: ignore[method-assign]
        machines = manifest(tenant.sync("machines", authority_url=tenant.service.base_url), "machines")
        assert (machines.state, machines.error) == ("failed", "NotFound")


def test_the_check_of_a_tenant_without_machines_is_no_failure_and_a_wrong_address_is(serve: Open) -> None:
    with serve(faults=[fault(route, 404, always=True) for route in (MACHINES, SOFTWARE, WEAKNESSES)]) as tenant:
        assert all(result.ok for result in tenant.check().values())
        wrong = tenant.connection().model_copy(update={"base_url": f"{tenant.service.base_url}/api"})
        tenant.connection = lambda **_: wrong  # type: ignore[method-assign]
        assert not tenant.check()["Machine.Read.All"].ok


def test_a_404_in_the_middle_is_not_the_end(serve: Open) -> None:
    with serve(machines_page=10, faults=[fault(MACHINES, 404, nth=2)]) as tenant:
        machines = manifest(tenant.sync("machines"), "machines")
        assert (machines.state, machines.records) == ("partial", 10)


def test_inventories_are_paged_to_the_end(serve: Open) -> None:
    with serve() as tenant:
        whole = {m.stream: m for m in tenant.sync("software", "vulnerabilities").streams}
        tenant.service.journal.clear()
        paged = {m.stream: m for m in tenant.sync("software", "vulnerabilities", page_size=50).streams}
        for stream, route in (("software", SOFTWARE), ("vulnerabilities", WEAKNESSES)):
            assert paged[stream].records == whole[stream].records > 100
            assert tenant.requests()[route] == -(-whole[stream].records // 50)


def test_a_token_that_ends_between_two_pages_is_renewed(serve: Open) -> None:
    with serve() as tenant:

        def later(instance: str, stream: str, pages: int, rows: int) -> None:
            if pages == 1:
                tenant.estate.advance_clock(3700)

        report = tenant.sync("vulnerabilities", page_size=200, progress=later)
        assert states(report) == {"vulnerabilities": "complete"}
        assert tenant.requests()[TOKEN] == 2
        assert manifest(report, "vulnerabilities").duplicates == 0


def test_the_export_gives_the_same_rows_as_the_pages(serve: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "FILE_MACHINES", 20)
    columns = ", ".join(f'"{name}"' for name in VULNERABILITY)
    with serve() as tenant:
        tenant.sync("vulnerabilities", "machines")
        with tenant.staged() as staged:
            paged = staged.rows(f"select {columns} from landed.defender_endpoint__vulnerabilities order by id")
        # storage refuses a request that carries the token, so that nothing but the link was sent
        report = tenant.sync("vulnerabilities", vulnerabilities_via="export")
        assert states(report) == {"vulnerabilities": "complete"}
        assert tenant.requests()[FILE] == 3
        with tenant.staged() as staged:
            assert staged.rows(f"select {columns} from landed.defender_endpoint__vulnerabilities order by id") == paged
            assert holds(tenant.home.root, "sig=") == []


def test_an_export_link_that_ended_keeps_what_came_before(serve: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "FILE_MACHINES", 20)
    with serve() as tenant:
        report = tenant.sync(
            "vulnerabilities", vulnerabilities_via="export", progress=lambda *_: tenant.estate.advance_clock(7 * 3600)
        )
        found = manifest(report, "vulnerabilities")
        assert (found.state, found.error) == ("partial", "BrokenAnswer")
        assert found.records > 0
        assert "the link had ended" in str(found.reason)
        assert "AuthenticationFailed" in str(found.reason)


def test_an_empty_export_file_is_no_estate_without_weaknesses(serve: Open) -> None:
    with serve(empty_exports=True) as tenant:
        found = manifest(tenant.sync("vulnerabilities", vulnerabilities_via="export"), "vulnerabilities")
        assert (found.state, found.error) == ("failed", "BrokenAnswer")


def test_export_hosts_must_be_hosts() -> None:
    with pytest.raises(ValidationError, match="is no host"):
        DefenderOptions(tenant_id="t", client_id="c", export_hosts=("*",))


def test_export_rows_get_the_apis_names_and_an_id() -> None:
    row = normalised(VULNERABILITY)(
        {
            "DeviceId": "m1",
            "CveId": "CVE-2025-1",
            "SoftwareName": "prod",
            "OSPlatform": "Windows11",
            "IsOnboarded": True,
        }
    )
    assert row == {
        "deviceId": "m1",
        "cveId": "CVE-2025-1",
        "softwareName": "prod",
        "osPlatform": "Windows11",
        "isOnboarded": True,
        "id": "m1_prod_CVE-2025-1",
    }


def test_a_change_is_known_by_what_it_is_about_and_fixed_in_any_case() -> None:
    what = {"deviceId": "m1", "softwareVendor": "mozilla", "softwareName": "firefox", "softwareVersion": "83.0"}
    listed = {**what, "id": "m1_mozilla_firefox_83.0_CVE-2020-26971", "cveId": "CVE-2020-26971"}
    changed = {**what, "id": "m1_firefox_83.0_CVE-2020-26971_", "cveId": "CVE-2020-26971"}
    assert by_parts(dict(listed))["id"] == by_parts(changed)["id"] == listed["id"]
    assert [is_fixed({"status": status}) for status in ("Fixed", "FIXED", "New", None)] == [True, True, False, False]


def test_a_machine_gone_before_its_users_are_asked_is_left_out(serve: Open) -> None:
    with serve(faults=[fault(LOGONS, 404, nth=3)]) as tenant:
        report = tenant.sync("logon_users")
        assert states(report)["logon_users"] == "complete"


def test_throttling_of_single_calls_waits_as_told(serve: Open) -> None:
    with serve(faults=[fault(LOGONS, 429, nth=[2, 9], retry_after=0.2)]) as tenant:
        logons = manifest(tenant.sync("logon_users"), "logon_users")
        assert logons.state == "complete"
        assert logons.waited_seconds >= 0.4
        assert tenant.service.journal.problems == []


def test_logon_users_are_asked_of_servers_within_the_limit(serve: Open) -> None:
    with serve() as tenant:
        logons = manifest(tenant.sync("logon_users", logon_users="all", logon_users_limit=7), "logon_users")
        assert tenant.requests()[LOGONS] == 7
        assert logons.state == "complete"
        assert "beyond logon_users_limit 7" in logons.notes[0]
        tenant.service.journal.clear()
        view = tenant.service.view
        servers = [
            key
            for key in with_sensor(tenant)
            if view.device(key.number).is_server and not records.is_silent(view, key, view.device(key.number))
        ]
        tenant.sync("logon_users", logon_users="servers")
        assert tenant.requests()[LOGONS] == len(servers)
        skipped = manifest(tenant.sync("logon_users", logon_users="none"), "logon_users")
        assert skipped.state == "skipped"


def test_a_missing_licence_fails_its_streams_alone(serve: Open) -> None:
    with serve(without=("Software.Read.All", "User.Read.All")) as tenant:
        found = states(tenant.sync())
        assert found == {
            "machines": "complete",
            "software": "failed",
            "vulnerabilities": "complete",
            "cves": "complete",
            "logon_users": "skipped",
        }
        checks = tenant.check()
        assert [name for name, result in checks.items() if not result.ok] == ["Software.Read.All"]
        assert "admin consent" in checks["Software.Read.All"].hint


@pytest.mark.parametrize(("kind", "error"), [("html", "UnexpectedContent"), ("truncate", "BrokenAnswer")])
def test_an_answer_that_is_none_fails_the_stream(serve: Open, kind: str, error: str) -> None:
    with serve(faults=[fault(SOFTWARE, kind, always=True)]) as tenant:
        software = manifest(tenant.sync("software"), "software")
        assert (software.state, software.error) == ("failed", error)


def test_cves_nobody_has_are_left_out_unless_asked_for(tenant: Bench) -> None:
    some = manifest(tenant.sync("cves"), "cves").records
    everything = manifest(tenant.sync("cves", all_cves=True), "cves").records
    assert everything == some + 200


def test_no_secret_and_no_token_is_written_anywhere(tenant: Bench) -> None:
    tenant.sync()
    _, secret = tenant.estate.connections()["defender_endpoint"].credentials["client_secret"]
    assert holds(tenant.home.root, secret, *tenant.service.tokens.values()) == []
    assert tenant.service.journal.problems_of("secret_in_url") == []


def test_staging_gives_exactly_the_declared_columns_and_passes_its_tests(tenant: Bench) -> None:
    tenant.sync()
    with tenant.staged() as staged:
        assert staged.columns_differ() == []
        assert staged.failing() == []
        assert len(staged.results) == 6


def test_staging_of_a_laptop_and_a_cloud_machine(serve: Open) -> None:
    with serve(devices=400) as tenant:
        tenant.sync("machines")
        view = tenant.service.view
        current = [key for key in with_sensor(tenant) if key.generation is None]
        devices = {key: view.device(key.number) for key in current if not view.truth.quirks(key.number)}
        with tenant.staged() as staged:

            def row_of(key: records.Key) -> dict[str, Any]:
                ident = records.machine_id(view, key)
                (row,) = staged.rows(f"select * from stg_defender_endpoint__devices where record_id = '{ident}'")
                return row

            key, laptop = next((k, d) for k, d in devices.items() if d.kind == "laptop" and d.join == "hybrid")
            row = row_of(key)
            assert row["mac_addresses"] == sorted(laptop.macs)
            assert row["ip_addresses"] == sorted(laptop.ips)
            assert row["fqdns"] == [laptop.fqdn]
            assert row["hostnames"] == [laptop.hostname.lower()]
            assert row["domain"] == laptop.domain
            assert row["entra_device_id"] == laptop.entra_device_id
            assert row["agent_ids"] == [f"mde={row['record_id']}"]
            assert len(row["record_id"]) == 40
            assert row["observed_at"] == row["last_seen"]
            assert (row["state"], row["is_managed"], row["device_category"]) == ("active", True, "Endpoint")
            assert json.loads(row["properties"])["osBuild"] == int((laptop.os_build or "").split(".")[2])
            key, machine = next((k, d) for k, d in devices.items() if d.cloud and d.cloud.provider == "azure")
            row, cloud = row_of(key), machine.cloud
            assert cloud is not None
            assert (row["cloud_provider"], row["cloud_instance_id"]) == ("azure", cloud.instance_id)
            assert (row["cloud_resource_id"], row["cloud_account_id"]) == (cloud.resource_id, cloud.account_id)
            assert (row["device_category"], row["entra_device_id"]) == ("Server", None)


def test_a_rebuilt_machine_is_listed_twice_and_copies_of_an_image_once(serve: Open) -> None:
    with serve(devices=400) as tenant:
        tenant.sync("machines")
        key = tenant.estate.answer_key().frame()
        rebuilt = key[key["tags"].str.contains("rebuilt_host")].groupby("truth_id")["record_id"].nunique()
        assert rebuilt.max() == 2
        golden = key[key["tags"].str.contains("golden_image_agent")]
        assert len(golden) == golden["record_id"].nunique() > 0


ODD_MACHINES: list[dict[str, Any]] = [
    {"id": "a" * 40, "computerDnsName": "wks-1.corp.example", "aadDeviceId": "00000000-0000-0000-0000-000000000000"},
    {"id": "b" * 40, "mergedIntoMachineId": "a" * 40},
    {"id": "c" * 40, "isExcluded": True, "onboardingStatus": "InsufficientInfo"},
    {
        "id": "d" * 40,
        "computerDnsName": "LNX-DB2",
        "osPlatform": "Ubuntu",
        "healthStatus": "Inactive",
        "ipAddresses": None,
    },
]


def test_odd_machines(tenant: Bench) -> None:
    with tenant.staged({"machines": ODD_MACHINES}) as staged:
        zero, merged, excluded, silent = staged.rows("select * from stg_defender_endpoint__devices order by record_id")
        assert zero["entra_device_id"] is None
        assert (zero["hostnames"], zero["fqdns"], zero["domain"]) == (["wks-1"], ["wks-1.corp.example"], "corp.example")
        assert (merged["state"], merged["hostnames"], merged["device_category"]) == ("retired", [], "Unknown")
        assert (excluded["state"], excluded["authority"]) == ("retired", "update")
        assert (silent["state"], silent["hostnames"], silent["fqdns"]) == ("active", ["lnx-db2"], [])
        assert silent["mac_addresses"] == silent["ip_addresses"] == []
        assert staged.columns_differ() == []


def test_findings_are_cves_also_of_machines_that_are_not_listed(tenant: Bench) -> None:
    rows: list[dict[str, Any]] = [
        {
            "id": "1",
            "deviceId": "a" * 40,
            "cveId": "cve-2025-1",
            "vulnerabilitySeverityLevel": "Critical",
            "softwareName": "x",
        },
        {"id": "2", "deviceId": "a" * 40, "cveId": "TVM-2025-0001", "vulnerabilitySeverityLevel": "None"},
        {"id": "3", "deviceId": "a" * 40, "cveId": None, "softwareName": "x"},
        {"id": "4", "deviceId": "f" * 40, "cveId": "CVE-2025-1"},
    ]
    with tenant.staged({"machines": ODD_MACHINES, "vulnerabilities": rows}) as staged:
        found = staged.rows("select * from stg_defender_endpoint__findings order by record_id")
        assert [(f["record_id"], f["cve_id"], f["severity"], f["status"]) for f in found] == [
            ("1", "CVE-2025-1", "critical", "open"),
            ("2", None, "info", "open"),
            # a machine not listed is counted as an unresolved reference, which a missing row would hide
            ("4", "CVE-2025-1", None, "open"),
        ]
        assert found[0]["asset_record"] == f"defender_endpoint:test:{'a' * 40}"
        assert json.loads(found[0]["evidence"])["softwareName"] == "x"


def test_one_account_of_many_machines_is_one_record_that_makes_no_asset(tenant: Bench) -> None:
    first, fourth = "a" * 40, "d" * 40
    user = {"id": "CORP\\jdoe", "accountName": "jdoe", "accountDomain": "corp", "logonTypes": "Interactive,Network"}
    rows: list[dict[str, Any]] = [
        {**user, "machineId": first, "_record_id": "1", "isDomainAdmin": False, "isOnlyNetworkUser": False},
        {**user, "machineId": fourth, "_record_id": "2", "isDomainAdmin": True, "isOnlyNetworkUser": True},
    ]
    with tenant.staged({"machines": ODD_MACHINES, "logon_users": rows}) as staged:
        (account,) = staged.rows("select * from stg_defender_endpoint__identities")
        assert (account["record_id"], account["authority"], account["is_privileged"]) == ("corp\\jdoe", "update", True)
        assert (account["sam_account_name"], account["domain"]) == ("jdoe", "corp")
        edges = staged.rows("select * from stg_defender_endpoint__relationships order by relationship")
        record, place = account["record"], "defender_endpoint:test:"
        # a network logon is access to the machine, not its use
        assert [(e["relationship"], e["source_record"], e["target_record"]) for e in edges] == [
            ("can authenticate to", record, place + fourth),
            ("frequently logged in by", place + first, record),
        ]


def test_software_is_one_record_a_product_and_runs_on_its_machines(tenant: Bench) -> None:
    product = {"softwareVendor": "Acme", "softwareName": "Tool"}
    rows: list[dict[str, Any]] = [
        {**product, "id": "1", "deviceId": "a" * 40, "softwareVersion": "1.0"},
        {**product, "id": "2", "deviceId": "a" * 40, "softwareVersion": "2.0"},
        {**product, "id": "3", "deviceId": "d" * 40, "softwareVersion": None},
        {"softwareVendor": None, "softwareName": "lonely", "id": "4", "deviceId": "e" * 40, "softwareVersion": "1"},
    ]
    with tenant.staged({"machines": ODD_MACHINES, "software": rows}) as staged:
        lonely, tool = staged.rows("select * from stg_defender_endpoint__applications order by record_id")
        assert (lonely["record_id"], lonely["cpe"]) == ("-_-lonely", None)
        assert (tool["record_id"], tool["vendor"], tool["cpe"]) == ("acme-_-tool", "Acme", "Acme:Tool")
        assert json.loads(tool["properties"])["defenderEndpointSoftwareInfo"]["devices"] == 2
        edges = staged.rows("select * from stg_defender_endpoint__relationships order by target_record")
        assert [(e["relationship"], e["source_record"]) for e in edges] == [("runs on", tool["record"])] * 2
        assert json.loads(edges[0]["properties"]) == {"versions": ["1.0", "2.0"]}
