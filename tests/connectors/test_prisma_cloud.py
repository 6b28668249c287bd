"""Prisma Cloud over real HTTP: tokens of ten minutes, pages asked for by a token alone, lists that end in null, two hosts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from connector_assets.kit.budgets import Allowance
from connector_assets.prisma_cloud import compute, login, posture
from demo_estate.kit import Response
from demo_estate.lenses.prisma_cloud import CONSOLE

from .microsoft import Bench, bench, holds, manifest, states

ALL = ("assets", "configurations", "alerts", "hosts", "images", "containers")
SMALL = {"page_size": 8, "config_page_size": 5, "alert_page_size": 4, "compute_page": 5}
RECORDS = tuple(
    f"stg_prisma_cloud__{kind}"
    for kind in "devices devices_hosts cloud_resources cloud_resources_accounts cloud_resources_images".split()
)
INVENTORY, ALERTS = "POST /v2/resource/scan_info", "POST /v2/alert"
API = f"{CONSOLE}/api/{{version}}"
HOSTS, SIGN_IN = f"GET {API}/hosts", f"POST {API}/authenticate"


@pytest.fixture
def prisma(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with bench("prisma_cloud", tmp_path, monkeypatch, devices=200) as found:
        yield found


@pytest.fixture(autouse=True)
def waits(prisma: Bench, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds the connector would have slept; they pass on the estate's clock at once."""
    slept: list[float] = []

    def sleep(self: Allowance, seconds: float, *more: Any) -> None:
        slept.append(seconds)
        prisma.estate.advance_clock(max(0.0, seconds))

    monkeypatch.setattr(Allowance, "pause", sleep)
    monkeypatch.setattr(Allowance, "wait", sleep)
    return slept


def answering(found: Bench, route: str, answer: Callable[[Any, Callable[[], Any]], Any]) -> list[Any]:
    """From now on a route answers with `answer(request, the true answer)`; returns the requests, as they come."""
    asked: list[Any] = []
    original = type(found.service)._serve

    def serve(service: Any, request: Any, matched: Any, key: str) -> Any:
        if matched.name != route:
            return original(service, request, matched, key)
        asked.append(request)
        given = answer(request, lambda: original(service, request, matched, key))
        return given if isinstance(given, Response) else Response(given)

    found.monkeypatch.setattr(type(found.service), "_serve", serve)
    return asked


def body_of(response: Response) -> Any:
    return response.body


# What is whole -------------------------------------------------------------------------------------------------------


def test_every_stream_is_complete_and_every_record_is_staged_once(prisma: Bench) -> None:
    report = prisma.sync(**SMALL)
    assert states(report) == dict.fromkeys(ALL, "complete")
    assert not any(m.rejected or m.field_issues or m.duplicates for m in report.streams)
    assert prisma.service.journal.problems == []
    assert prisma.requests()["POST /login"] == prisma.requests()[SIGN_IN] == 1
    with prisma.staged() as staged:
        found = [row for model in RECORDS for row in staged.rows(f"select record_id from {model}")]
    answers = [row.record_id for row in prisma.estate.answer_key().rows()]
    assert sorted(row["record_id"] for row in found) == sorted(answers)
    assert len(answers) > 50


def test_the_models_hold_and_machines_carry_the_ids_of_their_clouds(prisma: Bench) -> None:
    prisma.sync()
    with prisma.staged() as staged:
        assert staged.failing() == []
        assert staged.columns_differ() == []
        lost = "select count(*) from stg_prisma_cloud__devices where cloud_instance_id is null or cloud_resource_id is null"
        assert staged.one(lost) == 0
        assert staged.one("select count(*) from stg_prisma_cloud__devices_hosts where cloud_instance_id is null") == 0
        assert staged.one("select count(distinct criticality) from stg_prisma_cloud__devices") > 2
        assert staged.one("select count(*) from stg_prisma_cloud__devices where is_internet_facing") > 0
        assert staged.one("select count(*) from stg_prisma_cloud__findings where cve_id is not null") > 100
        counts = staged.rows("select status, count(*) as n from stg_prisma_cloud__findings_alerts group by status")
        assert {row["status"] for row in counts} == {"open", "fixed"}
        assert staged.one("select count(*) from stg_prisma_cloud__findings_policies") > 0
        edges = staged.rows(
            "select distinct relationship, source_kind, target_kind from stg_prisma_cloud__relationships"
        )
        assert {tuple(row.values()) for row in edges} == {
            ("contains", "cloud_resource", "cloud_resource"),
            ("contains", "cloud_resource", "device"),
            ("runs on", "cloud_resource", "device"),
        }


def test_what_scans_and_configurations_hold_of_secrets_is_landed_nowhere(prisma: Bench) -> None:
    prisma.sync()
    assert holds(prisma.home.root, "never-land-this", "bmV2ZXIgbGFuZCB0aGlz") == []
    assert holds(prisma.home.root, *prisma.service.credentials.values(), *prisma.service.tokens.values()) == []


def test_a_deleted_machine_is_retired_and_in_no_account(prisma: Bench) -> None:
    prisma.sync()
    with prisma.staged() as staged:
        gone = {
            row["record"] for row in staged.rows("select record from stg_prisma_cloud__devices where state = 'retired'")
        }
        assert gone
        held = {
            row["target_record"] for row in staged.rows("select target_record from stg_prisma_cloud__relationships")
        }
        assert not gone & held


# Tokens --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("route", "stream"), [(INVENTORY, "assets"), (ALERTS, "alerts"), (HOSTS, "hosts")])
def test_a_token_that_ends_between_two_pages_is_renewed(prisma: Bench, route: str, stream: str) -> None:
    def outlive(request: Any, true: Callable[[], Any]) -> Any:
        response = true()
        if len(asked) == 1:
            prisma.service.clock.advance(3601)
        return response

    asked = answering(prisma, route, outlive)
    report = prisma.sync(stream, **SMALL)
    assert states(report) == {stream: "complete"}
    assert prisma.service.journal.statuses[f"{route} 401"] == 1


def test_a_token_is_extended_before_its_end_and_bought_anew_where_that_is_refused(
    prisma: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login, "RENEW_AT", 0.0)
    assert states(prisma.sync("assets", **SMALL)) == {"assets": "complete"}
    assert prisma.requests()["GET /auth_token/extend"] > 1
    assert prisma.requests()["POST /login"] == 1
    answering(prisma, "GET /auth_token/extend", lambda request, true: Response(b"", 400))
    assert states(prisma.sync("assets", **SMALL)) == {"assets": "complete"}
    assert prisma.requests()["POST /login"] > 2


def test_the_token_travels_in_its_own_header_without_a_scheme(prisma: Bench) -> None:
    asked = answering(prisma, INVENTORY, lambda request, true: true())
    prisma.sync("assets")
    assert asked[0].header("x-redlock-auth") in prisma.service.tokens.values()
    assert not asked[0].header("Authorization")


def test_the_tenant_is_named_where_a_key_may_sign_in_to_several(prisma: Bench) -> None:
    asked = answering(prisma, "POST /login", lambda request, true: true())
    prisma.sync("assets", prisma_id="806775452401234944")
    assert asked[0].json()["prismaId"] == "806775452401234944"


def test_neither_host_sees_the_others_token(prisma: Bench) -> None:
    asked = answering(prisma, HOSTS, lambda request, true: true())
    prisma.sync("hosts")
    assert asked
    assert not any(request.header("x-redlock-auth") for request in asked)


def test_wrong_credentials_fail_with_advice_and_lie_nowhere(prisma: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    variable = next(iter(prisma.estate.connections()[prisma.service.name].credentials.values()))[0]
    monkeypatch.setenv(variable, "wrong-secret")
    report = prisma.sync()
    assert set(states(report).values()) == {"failed"}
    reason = manifest(report, "assets").reason or ""
    assert "access_key_id" in reason
    assert "invalid_credentials" in reason
    assert holds(prisma.home.root, "wrong-secret") == []


# Pages ---------------------------------------------------------------------------------------------------------------


def test_the_next_page_of_alerts_is_asked_for_by_its_token_alone(prisma: Bench) -> None:
    asked = answering(prisma, ALERTS, lambda request, true: true())
    assert states(prisma.sync("alerts", alert_page_size=3)) == {"alerts": "complete"}
    later = [request.json() for request in asked if "pageToken" in request.json()]
    assert len(later) > 2
    assert all(set(body) == {"pageToken"} for body in later)
    assert "GET /v2/alert" not in prisma.requests()


def test_a_token_after_the_last_alert_ends_at_the_empty_page(prisma: Bench) -> None:
    def endless(request: Any, true: Callable[[], Any]) -> Any:
        answer = body_of(true())
        return {"nextPageToken": prisma.service.cursors.encode({"what": "alerts", "n": len(asked)}), **answer}

    asked = answering(prisma, ALERTS, endless)
    report = prisma.sync("alerts", closed_alerts=False)
    assert states(report) == {"alerts": "complete"}
    assert manifest(report, "alerts").records > 0
    assert len(asked) == 2


@pytest.mark.parametrize("stream", ["assets", "configurations", "alerts", "hosts", "images", "containers"])
def test_a_total_that_is_not_reached_is_partial(prisma: Bench, stream: str) -> None:
    prisma.service.state["total"] = 3
    report = prisma.sync(stream, **SMALL)
    assert states(report) == {stream: "partial"}
    assert "the vendor counts" in (manifest(report, stream).reason or "")


def test_a_count_that_is_too_small_ends_no_list(prisma: Bench) -> None:
    whole = manifest(prisma.sync("hosts", compute_page=5), "hosts").records
    prisma.service.state["total"] = 1 - whole
    report = prisma.sync("hosts", compute_page=5)
    assert (states(report), manifest(report, "hosts").records) == ({"hosts": "complete"}, whole)


@pytest.mark.parametrize("end", [None, []])
def test_a_list_ends_in_null_or_in_an_empty_list(prisma: Bench, end: Any) -> None:
    asked = answering(prisma, HOSTS, lambda request, true: true() if len(asked) == 1 else Response(end))
    assert states(prisma.sync("hosts")) == {"hosts": "complete"}
    assert [request.query["offset"] for request in asked] == ["0", str(asked_rows(prisma))]


def asked_rows(prisma: Bench) -> int:
    return len([row for row in prisma.estate.answer_key().rows() if row.kind == "device" and "-" in row.record_id])


def test_null_in_place_of_the_first_page_is_an_empty_console(prisma: Bench) -> None:
    answering(prisma, HOSTS, lambda request, true: Response(None, 200, {"Total-Count": "0"}))
    report = prisma.sync("hosts")
    assert (states(report), manifest(report, "hosts").records) == ({"hosts": "complete"}, 0)


def test_a_console_that_ignores_the_offset_ends_the_list_as_partial(prisma: Bench) -> None:
    first: list[Any] = []
    answering(prisma, HOSTS, lambda request, true: first[0] if first else first.append(true()) or first[0])
    report = prisma.sync("hosts", compute_page=5)
    assert states(report) == {"hosts": "partial"}
    assert "ignored the offset" in (manifest(report, "hosts").reason or "")


def test_a_search_that_reaches_the_silent_end_is_partial(prisma: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posture, "MOST_RESULTS", 2)
    report = prisma.sync("configurations")
    assert states(report) == {"configurations": "partial"}
    assert "ends silently" in (manifest(report, "configurations").reason or "")


def test_each_api_is_a_scope_of_its_own_and_none_at_all_leaves_the_stream_out(prisma: Bench) -> None:
    found = manifest(prisma.sync("configurations"), "configurations")
    assert set(found.scopes) == {"aws-ec2-describe-instances", "azure-vm-list", "gcloud-compute-instances-list"}
    assert states(prisma.sync("configurations", config_apis=())) == {"configurations": "skipped"}


def test_open_alerts_are_read_however_old_and_closed_ones_within_the_window(prisma: Bench) -> None:
    asked = answering(prisma, ALERTS, lambda request, true: true())
    found = manifest(prisma.sync("alerts"), "alerts")
    assert {name: scope.records > 0 for name, scope in found.scopes.items()} == {"open": True, "closed": True}
    windows = [request.json()["timeRange"] for request in asked if "timeRange" in request.json()]
    assert windows == [
        {"type": "to_now", "value": "epoch"},
        {"type": "relative", "value": {"unit": "day", "amount": 90}},
    ]


# Refusals ------------------------------------------------------------------------------------------------------------


def refuse(found: Bench, status: int, body: Any = b"", **headers: str) -> None:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    found.service.state["refusal"] = (status, named, body)


TOLD = '[{"i18nKey":"invalid_time_range","severity":"error","subject":"timeRange"}]'


@pytest.mark.parametrize(
    ("status", "body", "headers", "said"),
    [
        (400, b"", {"x_redlock_status": TOLD}, "invalid_time_range timeRange"),
        (400, {"error": {"code": "bad_filter", "message": "no such filter", "target": None}}, {}, "no such filter"),
        (400, {"status": 400, "timestamp": "2026-11-23", "message": "Bad Request"}, {}, "Bad Request"),
        (400, {"code": "UVE-1", "message": "page size too big", "target": "limit"}, {}, "UVE-1 page size too big"),
        (403, b"", {"x_redlock_status": '[{"i18nKey":"forbidden"}]'}, "System Admin"),
        (404, b"", {}, "base_url must be the API's address"),
        (413, b"", {}, "ask for smaller pages"),
    ],
)
def test_a_refusal_is_told_in_the_vendors_words_with_what_to_do(
    prisma: Bench, status: int, body: Any, headers: dict[str, str], said: str
) -> None:
    refuse(prisma, status, body, **headers)
    report = prisma.sync("assets")
    assert states(report) == {"assets": "failed"}
    assert said in (manifest(report, "assets").reason or "")


def test_a_status_header_that_is_no_json_is_told_as_it_is(prisma: Bench) -> None:
    refuse(prisma, 400, b"", x_redlock_status="not json")
    assert "not json" in (manifest(prisma.sync("assets"), "assets").reason or "")


def test_a_503_is_waited_for_as_long_as_it_says(prisma: Bench, waits: list[float]) -> None:
    refuse(prisma, 503, b"", Retry_After="7")
    assert states(prisma.sync("assets")) == {"assets": "complete"}
    assert 7 in waits


def test_a_429_without_a_time_to_wait_is_tried_again(prisma: Bench, waits: list[float]) -> None:
    refuse(prisma, 429, b"", **{"X_RateLimit_Remaining": "0", "X_RateLimit_Replenish_Rate": "2"})
    assert states(prisma.sync("assets")) == {"assets": "complete"}
    assert any(0 < seconds < 10 for seconds in waits)


def test_alerts_that_the_key_may_not_see_leave_the_rest_alone(prisma: Bench) -> None:
    answering(prisma, ALERTS, lambda request, true: Response(b"", 403))
    assert states(prisma.sync("assets", "alerts")) == {"assets": "complete", "alerts": "skipped"}


# The console ---------------------------------------------------------------------------------------------------------


def test_no_more_calls_than_the_console_allows(
    prisma: Bench, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    report = prisma.sync("hosts", "containers", compute_page=1)
    assert set(states(report).values()) == {"complete"}
    assert len(prisma.service.journal.statuses) > 0
    assert not any(" 429" in name for name in prisma.service.journal.statuses)
    assert any(25 < seconds <= compute.SECONDS for seconds in waits)


def test_without_a_console_its_streams_are_left_out_with_the_reason(prisma: Bench) -> None:
    report = prisma.sync("assets", "hosts", "images", discover_compute=False)
    assert states(report) == {"assets": "complete", "hosts": "skipped", "images": "skipped"}
    assert "compute_console" in (manifest(report, "hosts").reason or "")
    prisma.service.state["twistlock"] = None
    assert states(prisma.sync("hosts")) == {"hosts": "skipped"}
    answering(prisma, "GET /meta_info", lambda request, true: Response(b"", 404))
    assert states(prisma.sync("hosts")) == {"hosts": "skipped"}


def test_a_console_at_a_foreign_host_never_sees_the_key(prisma: Bench) -> None:
    # another name for the same machine, so that the key would arrive
    prisma.service.state["twistlock"] = prisma.service.base_url.replace("127.0.0.1", "localhost") + CONSOLE
    report = prisma.sync("hosts")
    assert states(report) == {"hosts": "failed"}
    assert "localhost, which is no host of Prisma Cloud" in (manifest(report, "hosts").reason or "")
    assert prisma.requests()[SIGN_IN] == 0


def test_a_console_and_its_version_may_be_named(prisma: Bench) -> None:
    prisma.service.state["twistlock"] = "https://console.evil.example"
    asked = answering(prisma, HOSTS, lambda request, true: true())
    address = f"{prisma.service.base_url}{CONSOLE}/"
    assert states(prisma.sync("hosts", compute_console=address, compute_version="v34.04")) == {"hosts": "complete"}
    assert asked[0].path == f"{CONSOLE}/api/v34.04/hosts"
    assert prisma.requests()["GET /meta_info"] == 0


def test_a_self_hosted_console_has_a_user_of_its_own(prisma: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    from connector_assets import registry
    from exposure_pipelines.connections import SecretReference
    from exposure_pipelines.landing.sync import run_sync

    def sign_in(request: Any, true: Callable[[], Any]) -> Any:
        return {"token": prisma.service.tokens.issue("console").value}

    monkeypatch.setenv("CONSOLE_PASSWORD", "console-password")
    asked = answering(prisma, SIGN_IN, sign_in)
    connection = prisma.connection(compute_username="exposure")
    credentials = {**connection.credentials, "compute_password": SecretReference(env="CONSOLE_PASSWORD")}
    changed = connection.model_copy(update={"credentials": credentials})
    report = run_sync(changed, registry.load("prisma_cloud"), prisma.home, prisma.lake, streams=("hosts",))
    assert states(report) == {"hosts": "complete"}
    assert asked[0].json() == {"username": "exposure", "password": "console-password"}
    assert holds(prisma.home.root, "console-password") == []


def test_a_host_not_scanned_within_the_window_is_left_out_and_one_that_does_not_say_is_kept(prisma: Bench) -> None:
    whole = manifest(prisma.sync("hosts"), "hosts").records

    def aged(request: Any, true: Callable[[], Any]) -> Any:
        response = true()
        if response.body:
            old, unsaid, *rest = response.body
            response.body = [
                {**old, "scanTime": "2026-01-02T03:04:05Z"},
                {**unsaid, "scanTime": "0001-01-01T00:00:00Z"},
                *rest,
            ]
        return response

    answering(prisma, HOSTS, aged)
    report = prisma.sync("hosts")
    assert (states(report), manifest(report, "hosts").records) == ({"hosts": "complete"}, whole - 1)


def test_permissions_are_proved_with_one_record_each(prisma: Bench) -> None:
    found = prisma.check()
    assert len(found) == 6
    assert all(result.ok for result in found.values())
    prisma.service.state["twistlock"] = None
    assert "not granted" in prisma.check()["compute hosts"].message
    refuse(prisma, 403, b"")
    refused = prisma.check()["asset inventory"]
    assert (refused.ok, refused.status) == (False, 403)
    assert "System Admin" in refused.hint
