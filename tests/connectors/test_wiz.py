"""Wiz over real HTTP: errors inside successful answers, half answers, cursors that lie, and what staging makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector_assets import registry
from connector_assets.kit.budgets import Allowance
from demo_estate.kit import Response
from exposure_pipelines.landing.sync import run_sync

from .microsoft import Bench, bench, holds, manifest, states

ALL = ("cloud_resources", "vulnerability_findings", "issues")


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds the connector would have slept, without sleeping them."""
    slept: list[float] = []
    monkeypatch.setattr(Allowance, "pause", lambda self, seconds: slept.append(seconds))
    monkeypatch.setattr(Allowance, "wait", lambda self, seconds, *more: slept.append(seconds))
    return slept


@pytest.fixture
def wiz(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with bench("wiz", tmp_path, monkeypatch, devices=200) as found:
        yield found


def refused(message: str, code: str = "", **extensions: Any) -> dict[str, Any]:
    return {"errors": [{"message": message, "extensions": {"code": code, **extensions}}], "data": None}


def plan(found: Bench, *answers: Any) -> None:
    found.service.state["graphql"] = list(answers)


def test_every_stream_is_complete_and_every_asset_is_there_once(wiz: Bench) -> None:
    report = wiz.sync(page_size=10)
    assert states(report) == dict.fromkeys(ALL, "complete")
    answers = [a for a in wiz.estate.answer_key().rows() if a.product == "wiz"]
    assert manifest(report, "cloud_resources").records == len(answers) > 10
    assert not any(m.rejected or m.field_issues or m.duplicates for m in report.streams)
    assert wiz.requests()["POST /oauth/token"] == 1
    assert wiz.service.journal.problems == []


def test_the_models_hold_and_machines_carry_the_ids_of_their_clouds(wiz: Bench) -> None:
    wiz.sync()
    with wiz.staged() as staged:
        assert staged.failing() == []
        assert staged.columns_differ() == []
        lost = "select count(*) from stg_wiz__devices where cloud_instance_id is null or cloud_resource_id is null"
        assert staged.one(lost) == 0
        assert staged.one("select count(*) from stg_wiz__devices") > 5
        assert staged.one("select count(distinct criticality) from stg_wiz__devices") > 1
        assert staged.one("select count(*) from stg_wiz__findings where cve_id is not null and status = 'fixed'") > 0
        assert staged.one("select count(*) from stg_wiz__findings_issues where status = 'open'") > 0
        epss = staged.one("select max(epss_score) from stg_wiz__vulnerabilities")
        assert 0 < epss <= 1
        kinds = staged.rows("select distinct target_kind from stg_wiz__relationships where relationship = 'contains'")
        assert {row["target_kind"] for row in kinds} == {"device", "cloud_resource"}


def test_what_wiz_saw_deleted_is_retired_and_in_no_account(wiz: Bench) -> None:
    row = {
        "id": "a",
        "name": "vm",
        "type": "VIRTUAL_MACHINE",
        "cloudPlatform": "AWS",
        "deletedAt": "2026-11-01T00:00:00.123456Z",
    }
    with wiz.staged({"cloud_resources": [row]}) as staged:
        assert staged.one("select state from stg_wiz__devices") == "retired"
        assert staged.one("select count(*) from stg_wiz__relationships") == 0


def test_the_business_impact_is_not_asked_for_when_the_mapping_is_off(wiz: Bench) -> None:
    wiz.sync("cloud_resources", project_criticality=False)
    with wiz.staged() as staged:
        assert staged.one("select count(criticality) from stg_wiz__assets") == 0


def test_tags_are_a_list_of_pairs_or_a_map(wiz: Bench) -> None:
    rows = [
        {"id": "a", "type": "BUCKET", "tags": '[{"key":"Environment","value":"prod"}]'},
        {"id": "b", "type": "BUCKET", "tags": '{"env":"test"}'},
        {"id": "c", "type": "BUCKET"},
    ]
    with wiz.staged({"cloud_resources": rows}) as staged:
        found = staged.rows("select id, environment from stg_wiz__assets order by id")
        assert [row["environment"] for row in found] == ["prod", "test", None]


def test_a_finding_on_an_asset_the_inventory_does_not_list_keeps_its_asset(wiz: Bench) -> None:
    asset = {
        "id": "m",
        "type": "VIRTUAL_MACHINE",
        "name": "vm-a",
        "cloudPlatform": "Azure",
        "providerUniqueId": "8a7b6c5d-1111-4222-8333-944455556666",
        "tags": '{"env":"prod"}',
    }
    rows = [{"id": "f", "name": "CVE-2024-11477", "status": "OPEN", "severity": "HIGH", "vulnerableAsset": asset}]
    rows.append({**rows[0], "id": "g", "name": "GHSA-xxxx"})
    with wiz.staged({"vulnerability_findings": rows}) as staged:
        assert staged.one("select cloud_instance_id from stg_wiz__devices") == asset["providerUniqueId"]
        found = staged.rows("select cve_id, asset_record from stg_wiz__findings order by record_id")
        assert [row["cve_id"] for row in found] == ["CVE-2024-11477", None]
        assert {row["asset_record"] for row in found} == {"wiz:test:m"}


def test_an_error_inside_a_successful_answer_is_tried_again_and_then_fails(wiz: Bench, no_waiting: list[float]) -> None:
    broken = refused("oh no", "INTERNAL", exception={"message": "timeout", "path": ["cloudResourcesV2"]})
    plan(wiz, broken)
    assert states(wiz.sync("cloud_resources")) == {"cloud_resources": "complete"}
    plan(wiz, *[broken] * 5)
    report = wiz.sync("cloud_resources")
    assert states(report) == {"cloud_resources": "failed"}
    assert "timeout" in (manifest(report, "cloud_resources").reason or "")


def test_a_rate_limit_told_in_the_answer_is_waited_for(wiz: Bench, no_waiting: list[float]) -> None:
    plan(wiz, refused("Rate limit exceeded", "RATE_LIMIT_EXCEEDED", retryAfter=7))
    assert states(wiz.sync("issues")) == {"issues": "complete"}
    assert 7 in no_waiting


def test_a_token_that_ends_in_the_middle_is_renewed(wiz: Bench) -> None:
    plan(wiz, None, refused("token is expired", "UNAUTHENTICATED"))
    assert states(wiz.sync("cloud_resources", page_size=5)) == {"cloud_resources": "complete"}
    assert wiz.requests()["POST /oauth/token"] == 2


def test_a_token_refused_with_401_between_pages_is_renewed(wiz: Bench) -> None:
    def outlive(answer: dict[str, Any]) -> dict[str, Any]:
        wiz.service.tokens.clock.advance(2 * wiz.service.tokens.ttl)
        return answer

    plan(wiz, outlive)
    report = wiz.sync("cloud_resources", page_size=20)
    assert states(report) == {"cloud_resources": "complete"}
    assert wiz.service.journal.statuses["POST /graphql 401"] == 1
    assert wiz.requests()["POST /oauth/token"] == 2


def test_a_429_without_any_header_is_waited_for_and_asked_again(wiz: Bench, no_waiting: list[float]) -> None:
    plan(wiz, Response(refused("Too many requests"), 429))
    assert states(wiz.sync("issues")) == {"issues": "complete"}
    assert no_waiting


def test_a_lacking_scope_is_named_and_leaves_the_other_streams_alone(wiz: Bench) -> None:
    plan(wiz, None, refused("access denied, requires read:issues", "FORBIDDEN"))
    report = wiz.sync("cloud_resources", "issues")
    assert states(report) == {"cloud_resources": "complete", "issues": "skipped"}
    assert "read:issues" in (manifest(report, "issues").reason or "")


def half(answer: dict[str, Any]) -> dict[str, Any]:
    nodes = next(iter(answer["data"].values()))["nodes"]
    nodes[0] = None
    return {**answer, "errors": [{"message": "one shard did not answer"}]}


def test_errors_beside_data_keep_the_data_and_make_it_partial(wiz: Bench) -> None:
    whole = manifest(wiz.sync("cloud_resources"), "cloud_resources").records
    plan(wiz, half)
    found = manifest(wiz.sync("cloud_resources"), "cloud_resources")
    assert (found.state, found.records) == ("partial", whole - 1)
    assert "one shard did not answer" in (found.reason or "")


def paging(**change: Any) -> Any:
    def changed(answer: dict[str, Any]) -> dict[str, Any]:
        next(iter(answer["data"].values()))["pageInfo"].update(change)
        return answer

    return changed


def test_a_repeated_cursor_ends_the_pull_as_partial(wiz: Bench) -> None:
    first: list[str] = []

    def remember(answer: dict[str, Any]) -> dict[str, Any]:
        first.append(next(iter(answer["data"].values()))["pageInfo"]["endCursor"])
        return answer

    def repeat(answer: dict[str, Any]) -> dict[str, Any]:
        next(iter(answer["data"].values()))["pageInfo"]["endCursor"] = first[0]
        return answer

    plan(wiz, remember, repeat)
    report = wiz.sync("cloud_resources", page_size=5)
    assert states(report) == {"cloud_resources": "partial"}
    assert "same cursor twice" in (manifest(report, "cloud_resources").reason or "")


@pytest.mark.parametrize("change", [{"hasNextPage": True, "endCursor": None}, {"hasNextPage": None}])
def test_more_pages_without_a_way_to_them_are_partial(wiz: Bench, change: dict[str, Any]) -> None:
    plan(wiz, paging(**change))
    assert states(wiz.sync("cloud_resources")) == {"cloud_resources": "partial"}


def test_a_resource_not_seen_within_the_window_is_kept_and_ages_as_those_of_other_products(wiz: Bench) -> None:
    whole = manifest(wiz.sync("cloud_resources"), "cloud_resources").records

    def age(answer: dict[str, Any]) -> dict[str, Any]:
        nodes = answer["data"]["cloudResourcesV2"]["nodes"]
        nodes[0]["lastSeen"], nodes[1]["lastSeen"], nodes[2]["lastSeen"] = (
            "2026-01-02T03:04:05.1Z",
            None,
            "0001-01-01T00:00:00Z",
        )
        return answer

    plan(wiz, age)
    assert manifest(wiz.sync("cloud_resources"), "cloud_resources").records == whole


def test_each_named_project_is_a_scope_of_its_own(wiz: Bench) -> None:
    ids = [wiz.estate.truth.guid("wiz", "project", name) for name in ("production-hbi", "test-lbi")]
    found = manifest(wiz.sync("cloud_resources", project_ids=ids), "cloud_resources")
    assert found.state == "complete"
    assert set(found.scopes) == set(ids)
    assert all(scope.records for scope in found.scopes.values())


def test_a_total_that_is_not_reached_is_partial(wiz: Bench) -> None:
    def claim(answer: dict[str, Any]) -> dict[str, Any]:
        answer["data"]["cloudResourcesV2"]["totalCount"] = 100_000
        return answer

    plan(wiz, claim)
    report = wiz.sync("cloud_resources")
    assert states(report) == {"cloud_resources": "partial"}
    assert "100000" in (manifest(report, "cloud_resources").reason or "")


def test_fields_a_tenant_does_not_know_are_left_out_if_they_may_be(wiz: Bench) -> None:
    wiz.service.state["unknown"] = {"epssProbability", "epssSeverity"}
    assert states(wiz.sync("vulnerability_findings")) == {"vulnerability_findings": "complete"}
    wiz.service.state["unknown"] = {"hasExploit"}
    report = wiz.sync("vulnerability_findings")
    assert states(report) == {"vulnerability_findings": "failed"}
    assert "hasExploit" in (manifest(report, "vulnerability_findings").reason or "")


def test_wrong_credentials_fail_with_advice_and_lie_nowhere(wiz: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    wiz.sync()
    assert holds(wiz.home.root, *wiz.service.credentials.values()) == []
    variable = next(iter(wiz.estate.connections()[wiz.service.name].credentials.values()))[0]
    monkeypatch.setenv(variable, "wrong-secret")
    report = wiz.sync()
    assert set(states(report).values()) == {"failed"}
    reason = manifest(report, "cloud_resources").reason or ""
    assert "audience" in reason
    assert "wrong-secret" not in reason


def test_permissions_are_proved_with_one_record_each(wiz: Bench) -> None:
    assert all(result.ok for result in wiz.check().values())
    assert wiz.requests()["POST /graphql"] == 3


def test_the_base_address_is_taken_with_and_without_its_path(wiz: Bench) -> None:
    connection = wiz.connection()
    for tail in ("/graphql", "/graphql/", "/"):
        changed = connection.model_copy(update={"base_url": f"{connection.base_url}{tail}"})
        report = run_sync(changed, registry.load("wiz"), wiz.home, wiz.lake, streams=("issues",))
        assert states(report) == {"issues": "complete"}, tail
