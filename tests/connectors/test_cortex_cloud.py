"""Cortex Cloud over real HTTP: signed requests, windows, counts, errors inside replies, a snapshot asked for once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connector_assets.cortex_cloud import CONNECTOR, AdvancedKey, StandardKey
from connector_assets.cortex_cloud.auth import signature
from connector_assets.kit import Secrets
from connector_assets.kit.budgets import Allowance
from demo_estate.kit import Response

from .microsoft import Bench, bench, holds, manifest, states

ALL = ("assets", "issues", "vulnerability_findings")
FINDINGS = "POST /vulnerability-management/v1/vulnerability-finding"
SNAPSHOT, SEARCH = f"{FINDINGS}/snapshot", f"{FINDINGS}/search"
ASSETS, ISSUES = "POST /public_api/v1/assets", "POST /public_api/v1/issue/search"


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds the connector would have slept, without sleeping them."""
    slept: list[float] = []
    monkeypatch.setattr(Allowance, "pause", lambda self, seconds: slept.append(seconds))
    monkeypatch.setattr(Allowance, "wait", lambda self, seconds, *more: slept.append(seconds))
    return slept


@pytest.fixture
def cortex(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with bench("cortex_cloud", tmp_path, monkeypatch, devices=200) as found:
        yield found


def plan(found: Bench, *answers: Any) -> None:
    found.service.state["answers"] = list(answers)


def refused(code: Any, message: str = "no", status: int = 200, **more: Any) -> Response:
    return Response({"reply": {"err_code": code, "err_msg": message, "err_extra": None, **more}}, status)


def changed(change: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The true answer after a change to its reply."""

    def answer(body: dict[str, Any]) -> dict[str, Any]:
        change(body["reply"])
        return body

    return answer


def reason(report: Any, stream: str) -> str:
    return manifest(report, stream).reason or ""


# keys ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "nonce", "timestamp", "expected"),
    [
        (
            "secret",
            "N" * 64,
            "1700000000000",
            "43696d58de62c1bdac6a7a82611cae334db541f197fea8910a46573519758c09",
        ),
        ("k", "n", "1", "bf1d27bee1bfcf5e622f10c7e17d3625229c9b149783fce7a5d171ee3458d082"),
    ],
)
def test_an_advanced_key_signs_key_nonce_and_milliseconds_in_this_order(
    key: str, nonce: str, timestamp: str, expected: str
) -> None:
    assert signature(key, nonce, timestamp) == expected
    headers: dict[str, str] = {}
    seconds = int(timestamp) / 1000
    AdvancedKey("7", Secrets({"api_key": lambda: key}), lambda: seconds, lambda: nonce).apply(headers)
    assert headers == {
        "Authorization": expected,
        "x-xdr-auth-id": "7",
        "x-xdr-nonce": nonce,
        "x-xdr-timestamp": timestamp,
    }


def test_no_two_requests_of_an_advanced_key_are_alike() -> None:
    auth, seen = AdvancedKey("7", Secrets({"api_key": lambda: "secret"})), set()
    for _ in range(50):
        headers: dict[str, str] = {}
        auth.apply(headers)
        assert len(headers["x-xdr-nonce"]) == 64
        assert "secret" not in str(headers)
        seen.add((headers["x-xdr-nonce"], headers["Authorization"]))
    assert len(seen) == 50
    assert "secret" not in repr(auth)


def test_a_standard_key_is_the_header_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    headers: dict[str, str] = {}
    StandardKey("7", Secrets({"api_key": lambda: "secret"})).apply(headers)
    assert headers == {"Authorization": "secret", "x-xdr-auth-id": "7"}
    with bench("cortex_cloud", tmp_path, monkeypatch, devices=60, key_type="standard") as found:
        assert states(found.sync()) == dict.fromkeys(ALL, "complete")
        assert set(states(found.sync(key_type="advanced")).values()) == {"failed"}


def test_the_id_of_a_key_may_be_written_as_a_number() -> None:
    assert CONNECTOR.options.model_validate({"api_key_id": 7}).model_dump()["api_key_id"] == "7"


def test_wrong_credentials_fail_with_advice_and_lie_nowhere(cortex: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    cortex.sync()
    assert holds(cortex.home.root, *cortex.service.credentials.values()) == []
    variable = next(iter(cortex.estate.connections()[cortex.service.name].credentials.values()))[0]
    monkeypatch.setenv(variable, "wrong-secret")
    report = cortex.sync()
    assert set(states(report).values()) == {"failed"}
    for stream in ALL:
        assert "key_type" in reason(report, stream)
        assert "Public API request unauthorized" in reason(report, stream)
        assert "wrong-secret" not in reason(report, stream)


# windows and counts ----------------------------------------------------------------------------------------------


def test_every_stream_is_complete_and_every_asset_is_there_once(cortex: Bench) -> None:
    report = cortex.sync(asset_page_size=7, issue_page_size=2)
    assert states(report) == dict.fromkeys(ALL, "complete")
    answers = [a for a in cortex.estate.answer_key().rows() if a.product == "cortex_cloud"]
    roles = len(cortex.estate.truth.cloud_accounts)
    assert manifest(report, "assets").records == len(answers) + roles > 40
    assert not any(m.rejected or m.field_issues or m.duplicates for m in report.streams)
    assert cortex.service.journal.problems == []
    assert cortex.requests()[ASSETS] == -(-manifest(report, "assets").records // 7)


def test_a_window_of_1001_is_refused_by_the_tenant_and_can_not_be_configured(cortex: Bench) -> None:
    for option in ({"asset_page_size": 1001}, {"issue_page_size": 101}, {"findings_page_size": 10_001}):
        with pytest.raises(ValidationError):
            CONNECTOR.options.model_validate({"api_key_id": "7", **option})
    cortex.monkeypatch.setattr("demo_estate.lenses.cortex_cloud.MOST_ASSETS", 999)
    report = cortex.sync("assets")
    assert states(report) == {"assets": "failed"}
    assert "must span 1 to 999 records" in reason(report, "assets")
    assert "asset_page_size" in reason(report, "assets")


def test_the_order_of_assets_may_be_another_and_a_refused_one_is_told(cortex: Bench) -> None:
    whole = manifest(cortex.sync("assets", asset_page_size=20), "assets")
    other = manifest(cortex.sync("assets", asset_page_size=20, asset_order="xdm.asset.strong_id"), "assets")
    assert (other.state, other.records, other.duplicates) == ("complete", whole.records, 0)
    refused = manifest(cortex.sync("assets", asset_order="xdm.asset.realm"), "assets")
    assert refused.state == "failed"
    assert "asset_order" in (refused.reason or "")


def test_more_records_claimed_than_came_are_partial(cortex: Bench) -> None:
    plan(cortex, changed(lambda reply: reply["metadata"].update(filter_count=900)))
    report = cortex.sync("assets")
    assert states(report) == {"assets": "partial"}
    assert "900" in reason(report, "assets")


def test_the_count_is_the_one_of_the_filter_and_not_of_the_whole_inventory(cortex: Bench) -> None:
    found = manifest(cortex.sync("assets", asset_categories=["VM Instance", "Database"]), "assets")
    assert found.state == "complete"
    assert set(found.scopes) == {"VM Instance", "Database"}
    assert 0 < found.scopes["Database"].records < found.scopes["VM Instance"].records
    assert found.scopes["VM Instance"].expected == found.scopes["VM Instance"].records


def test_a_list_that_shrinks_between_windows_is_partial(cortex: Bench) -> None:
    plan(cortex, None, changed(lambda reply: reply["metadata"].update(filter_count=40)))
    report = cortex.sync("assets", asset_page_size=20)
    assert states(report) == {"assets": "partial"}
    assert "shrank" in reason(report, "assets")


def test_the_same_window_again_ends_the_pull_as_partial(cortex: Bench) -> None:
    first: list[Any] = []
    plan(cortex, changed(lambda reply: first.extend(reply["data"])), changed(lambda reply: reply.update(data=first)))
    report = cortex.sync("assets", asset_page_size=10)
    assert states(report) == {"assets": "partial"}
    assert "same page again" in reason(report, "assets")


def respelled(body: dict[str, Any]) -> dict[str, Any]:
    """lower case for upper case and the other way round."""
    return {"reply": {key.swapcase(): value for key, value in body["reply"].items()}}


def test_names_of_a_reply_are_taken_in_capitals_and_in_small_letters(cortex: Bench) -> None:
    whole = {m.stream: m.records for m in cortex.sync().streams}
    plan(cortex, respelled, respelled)
    report = cortex.sync("assets", "issues")
    assert states(report) == {"assets": "complete", "issues": "complete"}
    assert {m.stream: m.records for m in report.streams} == {name: whole[name] for name in ("assets", "issues")}
    assert manifest(report, "issues").scopes["default"].expected == whole["issues"]


def test_a_reply_without_a_list_is_no_empty_inventory(cortex: Bench) -> None:
    cortex.sync()
    plan(cortex, {"reply": {"metadata": {"filter_count": 0}}})
    assert states(cortex.sync("assets")) == {"assets": "failed"}
    plan(cortex, *[{"data": []}] * 9)
    assert states(cortex.sync("assets")) == {"assets": "failed"}


def test_only_issues_of_the_domains_asked_for_come(cortex: Bench) -> None:
    posture = manifest(cortex.sync("issues"), "issues").records
    everything = manifest(cortex.sync("issues", issue_domains=[]), "issues").records
    assert 0 < posture < everything


def test_fields_on_demand_are_asked_for_and_give_hardware_addresses(cortex: Bench) -> None:
    cortex.sync("assets", on_demand_fields=["xdm.host.mac_addresses"])
    with cortex.staged() as staged:
        assert staged.one("select count(*) from stg_cortex_cloud__devices where len(mac_addresses) = 0") == 0


# the window of activity --------------------------------------------------------------------------------------------


def aged(body: dict[str, Any]) -> dict[str, Any]:
    """One asset was last observed in January, one never, one does not say."""
    rows, field = body["reply"]["data"], "xdm.asset.last_observed"
    rows[0][field], rows[1][field], rows[2][field] = 1_767_323_045_000, 0, None
    rows[3][field] = "1767323045000"
    return body


def test_what_was_not_observed_within_the_window_is_left_out_and_the_rest_is_still_whole(cortex: Bench) -> None:
    whole = manifest(cortex.sync("assets"), "assets").records
    plan(cortex, aged)
    found = manifest(cortex.sync("assets"), "assets")
    assert (found.state, found.records) == ("complete", whole - 2)
    plan(cortex, aged, None)
    assert manifest(cortex.sync("assets", asset_page_size=10), "assets").records == whole - 2


def test_the_tenant_is_asked_for_the_window_where_that_is_wished(cortex: Bench) -> None:
    whole = manifest(cortex.sync("assets"), "assets").records
    found = manifest(cortex.sync("assets", assets_by_last_observed=True), "assets")
    assert (found.state, found.records) == ("complete", whole)


def test_open_issues_stay_however_old_and_resolved_ones_do_not(cortex: Bench) -> None:
    def age(reply: dict[str, Any]) -> None:
        for row, status in zip(reply["DATA"], ("RESOLVED", "NEW"), strict=False):
            row["status.progress"], row["last_update_timestamp"] = status, 1_767_323_045_000

    whole = manifest(cortex.sync("issues"), "issues").records
    plan(cortex, changed(age))
    found = manifest(cortex.sync("issues"), "issues")
    assert (found.state, found.records) == ("complete", whole - 1)


# findings --------------------------------------------------------------------------------------------------------


def line(number: int, **more: Any) -> str:
    return json.dumps({"platform_id": f"p{number}", "asset_id": "a", "cve_id": f"CVE-2026-{number:04}", **more})


def lines(*texts: str, kind: str = "application/x-ndjson") -> Response:
    return Response("\n".join(texts).encode(), content_type=kind)


@pytest.mark.parametrize(
    "answer",
    [
        lines(line(1), "", "  ", line(2), ""),
        lines(f"[{line(1)}, {line(2)}]", kind="application/json"),
        lines(f"[\n{line(1)},\n{line(2)}\n]", kind="application/json; charset=utf-8"),
        lines(f'{{"reply": {{"data": [{line(1)}, {line(2)}]}}}}', kind="application/json"),
        lines(f'{{"reply": [{line(1)}, {line(2)}]}}'),
        lines(line(1), line(2), kind="application/json"),
    ],
    ids=["blank lines", "list", "list over lines", "reply with data", "reply in a line", "lines called JSON"],
)
def test_a_snapshot_is_lines_or_a_list(cortex: Bench, answer: Response) -> None:
    plan(cortex, answer)
    found = manifest(cortex.sync("vulnerability_findings"), "vulnerability_findings")
    assert (found.state, found.records) == ("complete", 2)


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        (lines(line(1), line(2), '{"platform_id": "p3", "ass'), 2),
        (lines(line(1), "42", line(2)), 1),
        (lines(line(1), '{"reply": {"err_code": 500, "err_msg": "query failed"}}'), 1),
    ],
    ids=["cut line", "number", "error between"],
)
def test_a_snapshot_that_breaks_keeps_what_came_and_is_not_asked_for_again(
    cortex: Bench, answer: Response, kept: int
) -> None:
    plan(cortex, answer)
    report = cortex.sync("vulnerability_findings")
    found = manifest(report, "vulnerability_findings")
    assert (found.state, found.records) == ("partial", kept)
    assert found.reason
    assert report.retry_later is False
    assert cortex.requests()[SNAPSHOT] == 1


def test_a_snapshot_of_no_bytes_is_no_estate_without_findings(cortex: Bench) -> None:
    plan(cortex, lines(""))
    assert states(cortex.sync("vulnerability_findings")) == {"vulnerability_findings": "failed"}
    plan(cortex, lines("[]", kind="application/json"))
    assert states(cortex.sync("vulnerability_findings")) == {"vulnerability_findings": "complete"}


@pytest.mark.parametrize("fault", ["cut", "truncate"])
def test_a_connection_that_breaks_in_the_snapshot_leaves_it_partial(cortex: Bench, fault: str) -> None:
    whole = manifest(cortex.sync("vulnerability_findings"), "vulnerability_findings").records
    # the real one is read as it comes; a small one would come as a single piece
    cortex.monkeypatch.setattr("connector_assets.kit.client.CHUNK", 4096)
    cortex.estate.fault({"product": "cortex_cloud", "route": SNAPSHOT, "fault": fault})
    report = cortex.sync("vulnerability_findings")
    found = manifest(report, "vulnerability_findings")
    assert (found.state, found.error) == ("partial", "BrokenAnswer")
    assert 0 < found.records < whole
    assert report.retry_later is False
    assert cortex.requests()[SNAPSHOT] == 2


@pytest.mark.parametrize("fault", [429, 503, "reset", "html"])
def test_a_refused_snapshot_fails_at_once_and_wishes_no_second_try(cortex: Bench, fault: Any) -> None:
    cortex.estate.fault({"product": "cortex_cloud", "route": SNAPSHOT, "fault": fault})
    report = cortex.sync("vulnerability_findings")
    assert states(report) == {"vulnerability_findings": "failed"}
    assert report.retry_later is False
    assert cortex.requests()[SNAPSHOT] == 1


def test_the_eleventh_snapshot_of_a_day_is_told_as_the_quota(cortex: Bench) -> None:
    assert {states(cortex.sync("vulnerability_findings"))["vulnerability_findings"] for _ in range(10)} == {"complete"}
    report = cortex.sync("vulnerability_findings")
    assert states(report) == {"vulnerability_findings": "failed"}
    assert "10 times in 24 hours" in reason(report, "vulnerability_findings")
    assert states(cortex.sync("vulnerability_findings", findings_source="search")) == {
        "vulnerability_findings": "complete"
    }
    # the next day of the estate's timeline has a quota of its own, though no time passes on its clock
    cortex.service.set_day(0)
    assert states(cortex.sync("vulnerability_findings")) == {"vulnerability_findings": "complete"}


def test_a_snapshot_as_large_as_asked_for_is_partial(cortex: Bench) -> None:
    report = cortex.sync("vulnerability_findings", snapshot_limit=50)
    found = manifest(report, "vulnerability_findings")
    assert (found.state, found.records) == ("partial", 50)
    assert "snapshot_limit" in (found.reason or "")


def test_findings_before_the_window_are_left_out_where_the_tenant_gives_them(cortex: Bench) -> None:
    old = line(1, last_observed=1_767_323_045_000)
    plan(cortex, lines(old, line(2, last_observed=None), line(3, last_observed=1_795_000_000_000)))
    found = manifest(cortex.sync("vulnerability_findings"), "vulnerability_findings")
    assert (found.state, found.records) == ("complete", 2)


@pytest.mark.parametrize("filtered", [True, False])
def test_the_search_gives_the_findings_of_the_snapshot_page_by_page(cortex: Bench, filtered: bool) -> None:
    whole = manifest(cortex.sync("vulnerability_findings"), "vulnerability_findings").records
    options = {"findings_source": "search", "findings_page_size": 50, "findings_by_last_observed": filtered}
    found = manifest(cortex.sync("vulnerability_findings", **options), "vulnerability_findings")
    assert (found.state, found.records, found.scopes["default"].expected) == ("complete", whole, whole)
    assert cortex.requests()[SEARCH] == -(-whole // 50)
    assert cortex.requests()[SNAPSHOT] == 1


def searched(cortex: Bench) -> Any:
    return cortex.sync("vulnerability_findings", findings_source="search", findings_page_size=100)


def test_a_page_token_that_ended_leaves_the_findings_partial_and_the_next_sync_is_whole(cortex: Bench) -> None:
    def late(body: dict[str, Any]) -> dict[str, Any]:
        cortex.estate.advance_clock(3600)
        return body

    plan(cortex, None, late)
    report = searched(cortex)
    found = manifest(report, "vulnerability_findings")
    assert (found.state, found.records, found.error) == ("partial", 200, "CursorExpired")
    assert "expired page token" in (found.reason or "")
    assert report.retry_later is True
    assert states(searched(cortex)) == {"vulnerability_findings": "complete"}


def test_a_repeated_page_token_ends_the_search_as_partial(cortex: Bench) -> None:
    same = changed(lambda reply: reply.update(next_page_token="again"))
    plan(cortex, same, {"reply": {"data": [], "next_page_token": "again"}})
    report = searched(cortex)
    assert states(report) == {"vulnerability_findings": "partial"}
    assert "same cursor twice" in reason(report, "vulnerability_findings")


def test_a_search_that_ends_before_its_count_is_partial(cortex: Bench) -> None:
    plan(cortex, changed(lambda reply: reply.update(next_page_token=None)))
    report = searched(cortex)
    assert states(report) == {"vulnerability_findings": "partial"}
    assert manifest(report, "vulnerability_findings").records == 100


# errors inside replies ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 401])
def test_a_refused_key_is_told_as_such_inside_a_successful_answer_too(cortex: Bench, status: int) -> None:
    key = cortex.service.credentials["api_key"]
    plan(cortex, refused(401, f"Unauthorized {key}", status))
    report = cortex.sync("assets")
    found = manifest(report, "assets")
    assert (found.state, found.error) == ("failed", "FixCredentials")
    assert "key_type" in (found.reason or "")
    assert key not in (found.reason or "")


@pytest.mark.parametrize("code", [429, 500, "500"])
def test_not_now_inside_a_successful_answer_is_waited_for(cortex: Bench, code: Any, no_waiting: list[float]) -> None:
    plan(cortex, refused(code), refused(code))
    assert states(cortex.sync("assets")) == {"assets": "complete"}
    assert cortex.requests()[ASSETS] == 3
    assert no_waiting
    plan(cortex, *[refused(code, "still busy")] * 5)
    report = cortex.sync("assets")
    assert states(report) == {"assets": "failed"}
    assert "still busy" in reason(report, "assets")


def test_an_error_in_capitals_is_an_error(cortex: Bench) -> None:
    plan(cortex, {"reply": {"ERR_CODE": 403, "ERR_MSG": "Forbidden", "ERR_EXTRA": "role", "data": []}})
    found = manifest(cortex.sync("assets"), "assets")
    assert (found.state, found.error) == ("failed", "FixPermission")
    assert "Forbidden role" in (found.reason or "")


@pytest.mark.parametrize("status", [200, 402])
def test_a_missing_licence_skips_what_may_be_missing_and_fails_the_assets(cortex: Bench, status: int) -> None:
    plan(cortex, *[refused(402, "No license", status)] * 3)
    report = cortex.sync()
    assert states(report) == {"assets": "failed", "issues": "skipped", "vulnerability_findings": "skipped"}
    assert manifest(report, "assets").error == "FixPermission"
    for stream in ALL:
        assert "No license" in reason(report, stream)
        assert "Cortex Cloud Runtime Security" in reason(report, stream)


def test_a_missing_right_skips_what_may_be_missing_and_is_named(cortex: Bench) -> None:
    plan(cortex, None, refused(403, "Forbidden", 403))
    report = cortex.sync("assets", "issues")
    assert states(report) == {"assets": "complete", "issues": "skipped"}
    assert "role" in reason(report, "issues")


def test_a_refusal_says_what_the_tenant_said_and_its_details(cortex: Bench) -> None:
    plan(cortex, refused(400, "Invalid request", 400, err_extra={"field": "search_to"}))
    report = cortex.sync("assets")
    assert states(report) == {"assets": "failed"}
    assert "Invalid request" in reason(report, "assets")
    assert "search_to" in reason(report, "assets")


# permissions, secrets ----------------------------------------------------------------------------------------------


def test_permissions_are_proved_without_a_snapshot(cortex: Bench) -> None:
    assert all(result.ok for result in cortex.check().values())
    assert cortex.requests() == {ASSETS: 1, SEARCH: 1, ISSUES: 1}


def test_a_missing_right_is_told_by_check_and_one_that_may_be_missing_is_no_failure(cortex: Bench) -> None:
    plan(cortex, refused(403, "Forbidden", 403), refused(402, "No license", 402))
    inventory, findings, issues = cortex.check().values()
    assert not inventory.ok
    assert "role" in inventory.hint
    assert findings.ok
    assert "No license" in findings.message
    assert issues.ok


def test_members_that_may_hold_secrets_are_landed_nowhere(cortex: Bench) -> None:
    def spoil(reply: dict[str, Any]) -> None:
        row = reply.get("data", reply.get("DATA"))[0]
        row["xdm.asset.raw_fields"] = {"Platform Discovery": {"UserData": "hunter2-raw"}}
        row["xdm.serverless_function.environment_variables"] = {"DB": "hunter2-env"}
        row["xdm.database.admin_password"] = "hunter2-password"
        row["normalized_fields"] = {"xdm.finding": "hunter2-normalized"}
        row["details"] = [{"evidence": "hunter2-nested", "raw_fields": {"a": "hunter2-deep"}}]
        row["harmless"] = "hunter2-kept"

    plan(cortex, changed(spoil), changed(spoil))
    assert states(cortex.sync("assets", "issues")) == {"assets": "complete", "issues": "complete"}
    assert holds(cortex.home.root, "hunter2-kept")
    for secret in ("raw", "env", "password", "normalized", "nested", "deep"):
        assert holds(cortex.home.root, f"hunter2-{secret}") == [], secret
