"""Defender for Identity and advanced hunting: the whole way from their habits to staging, over real HTTP."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import requests
from pydantic import ValidationError

from connector_assets import registry
from connector_assets.defender_identity import DefenderIdentityOptions, exposure
from connector_assets.defender_identity.exposure import plain
from connector_assets.defender_identity.hunting import Hunt
from connector_assets.defender_identity.streams import keyed, object_id_of, with_ids
from connector_assets.kit.budgets import Allowance
from demo_estate.kit.http import Response
from demo_estate.lenses.defender_identity import records
from demo_estate.lenses.entra_id.objects import cloud_sid

from .microsoft import Bench, bench, holds, manifest, states

HUNT = "POST /v1.0/security/runHuntingQuery"
ACCOUNTS = "GET /v1.0/security/identities/identityAccounts"
SENSORS = "GET /v1.0/security/identities/sensors"
ISSUES = "GET /v1.0/security/identities/healthIssues"
TOKEN = "POST /{tenant}/oauth2/v2.0/token"
Open = Callable[..., AbstractContextManager[Bench]]


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    def start(**settings: Any) -> AbstractContextManager[Bench]:
        return bench("defender_identity", tmp_path, monkeypatch, **settings)

    return start


@pytest.fixture
def tenant(serve: Open) -> Iterator[Bench]:
    with serve() as running:
        yield running


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What is waited, without waiting."""
    found: list[float] = []
    monkeypatch.setattr(Allowance, "pause", lambda self, seconds: found.append(seconds))
    return found


def fault(route: str, kind: int | str, **more: Any) -> dict[str, Any]:
    return {"product": "defender_identity", "route": route, "fault": kind, **more}


def answering(tenant: Bench, route: str, *answers: Any) -> None:
    """From now on a route gives these answers, the last one for ever: (status, body) or a body of status 200."""
    waiting = list(answers)
    original = type(tenant.service)._serve

    def serve(service: Any, request: Any, matched: Any, key: str) -> Any:
        if matched.name != route:
            return original(service, request, matched, key)
        found = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        status, body = found if isinstance(found, tuple) else (200, found)
        return Response(body, status)

    tenant.monkeypatch.setattr(type(tenant.service), "_serve", serve)


def landed(tenant: Bench, report: Any, stream: str) -> list[dict[str, Any]]:
    found = manifest(report, stream)
    return pq.read_table(Path(tenant.lake.landed(found.instance, stream)) / found.sync / "records.parquet").to_pylist()


# The whole way -------------------------------------------------------------------------------------------------------


def test_a_whole_sync_makes_exactly_the_calls_it_needs(tenant: Bench) -> None:
    report = tenant.sync()
    assert set(states(report).values()) == {"complete"}, [(m.stream, m.reason) for m in report.streams]
    assert dict(tenant.requests()) == {TOKEN: 1, SENSORS: 1, ISSUES: 1, ACCOUNTS: 1, HUNT: 3}
    assert tenant.service.journal.problems == []
    assert all(m.rejected == m.field_issues == m.duplicates == 0 for m in report.streams)
    assert all(m.records for m in report.streams)


@pytest.mark.parametrize("devices", [60, 400])
def test_everything_served_is_landed_under_the_answer_keys_ids(serve: Open, devices: int) -> None:
    with serve(devices=devices) as tenant:
        tenant.sync()
        key = tenant.estate.answer_key().frame()
        with tenant.staged() as staged:
            for kind, named in (("device", "devices"), ("identity", "identities"), ("application", "applications")):
                models = [m.name for m in staged.project.models.values() if m.observation == named]
                rows = [row["record_id"] for m in models for row in staged.rows(f"select record_id from {m}")]
                assert sorted(rows) == sorted(key[key["kind"] == kind]["record_id"])


def test_staging_gives_exactly_the_declared_columns_and_passes_its_tests(serve: Open) -> None:
    with serve(devices=150) as tenant:
        tenant.sync()
        with tenant.staged() as staged:
            assert staged.columns_differ() == []
            assert staged.failing() == []
            assert len(staged.results) == 9


def test_no_secret_and_no_token_is_written_or_logged(tenant: Bench, caplog: pytest.LogCaptureFixture) -> None:
    tenant.estate.fault(fault(ACCOUNTS, 400, nth=1))
    with caplog.at_level(logging.DEBUG):
        tenant.sync()
    _, secret = tenant.estate.connections()["defender_identity"].credentials["client_secret"]
    tokens = tenant.service.tokens.values()
    assert holds(tenant.home.root, secret, *tokens) == []
    assert not [value for value in (secret, *tokens) if value in caplog.text]
    assert tenant.service.journal.problems_of("secret_in_url") == []


def test_check_names_the_permission_that_is_missing(serve: Open) -> None:
    with serve(without=("SecurityIdentitiesHealth.Read.All", "ThreatHunting.Read.All")) as tenant:
        results = tenant.check()
        missing = [name for name, result in results.items() if "not granted" in result.message]
        assert missing == ["SecurityIdentitiesHealth.Read.All", "ThreatHunting.Read.All"]
        assert all(result.ok for result in results.values())
        found = states(tenant.sync())
        assert {name for name, state in found.items() if state == "skipped"} == {
            "health_issues", "identity_info", "exposure_nodes", "exposure_edges",
        }  # fmt: skip
        assert found["sensors"] == found["identity_accounts"] == "complete"


# Collections ---------------------------------------------------------------------------------------------------------


def test_accounts_are_paged_to_the_page_without_a_link_which_may_be_empty(serve: Open) -> None:
    with serve(page=13) as tenant:
        accounts = manifest(tenant.sync("identity_accounts"), "identity_accounts")
        assert (accounts.state, accounts.records) == ("complete", 39)
        # three full pages and an empty last one
        assert tenant.requests()[ACCOUNTS] == 4


def test_a_repeated_link_ends_partial_instead_of_looping(serve: Open) -> None:
    with serve(page=10, faults=[fault(ACCOUNTS, "repeat_cursor", nth=3)]) as tenant:
        accounts = manifest(tenant.sync("identity_accounts"), "identity_accounts")
        assert (accounts.state, accounts.error) == ("partial", "RepeatedCursor")
        assert tenant.requests()[ACCOUNTS] == 3


def test_a_token_that_ends_between_two_pages_is_renewed(serve: Open) -> None:
    with serve(page=10) as tenant:

        def later(instance: str, stream: str, pages: int, rows: int) -> None:
            if pages == 1:
                tenant.estate.advance_clock(3700)

        report = tenant.sync("identity_accounts", progress=later)
        accounts = manifest(report, "identity_accounts")
        assert (accounts.state, accounts.records, accounts.duplicates) == ("complete", 39, 0)
        assert tenant.requests()[TOKEN] == 2


@pytest.mark.parametrize(("kind", "error"), [("html", "UnexpectedContent"), ("truncate", "BrokenAnswer")])
@pytest.mark.parametrize(("stream", "route"), [("sensors", SENSORS), ("identity_info", HUNT)])
def test_an_answer_that_is_none_fails_the_stream(
    serve: Open, waits: list[float], kind: str, error: str, stream: str, route: str
) -> None:
    with serve(faults=[fault(route, kind, always=True)]) as tenant:
        found = manifest(tenant.sync(stream), stream)
        assert (found.state, found.error) == ("failed", error)


@pytest.mark.parametrize(("stream", "route"), [("identity_accounts", ACCOUNTS), ("identity_info", HUNT)])
def test_an_error_inside_a_successful_answer_is_no_empty_tenant(tenant: Bench, stream: str, route: str) -> None:
    answering(tenant, route, {"error": {"code": "InternalError", "message": "Please try again."}})
    found = manifest(tenant.sync(stream), stream)
    assert (found.state, found.error) == ("failed", "UnexpectedContent")
    assert "Please try again." in str(found.reason)


# Hunting -------------------------------------------------------------------------------------------------------------


def test_an_answer_at_the_row_limit_is_asked_for_in_parts_and_nothing_is_lost(serve: Open) -> None:
    with serve(row_limit=60) as tenant:
        report = tenant.sync("exposure_nodes", "exposure_edges", "identity_info", hunting_rows=60)
        assert set(states(report).values()) == {"complete"}
        assert manifest(report, "exposure_nodes").records == 134
        assert manifest(report, "exposure_edges").records == 216
        assert all(m.duplicates == 0 for m in report.streams)
        # 41 accounts fit; nodes in 1 + 4 queries; edges in 1 + 4, of which parts above the limit take 4 more each
        assert manifest(report, "identity_info").pages == 1
        assert manifest(report, "exposure_nodes").pages == 4
        assert tenant.requests()[HUNT] == sum((m.pages * 4 - 1) // 3 for m in report.streams)


def test_parts_are_cut_again_into_parts_that_hold_every_record_once() -> None:
    hunt = Hunt("T", "Id", ("where A",), ("summarize b",))
    assert hunt.query(0, 1) == "T\n| where A\n| summarize b"
    assert hunt.query(5, 16) == "T\n| where A\n| where hash(Id, 16) == 5\n| summarize b"
    parts, halves = {n % 4 for n in range(1000)}, [(n, [n + 4 * k for k in range(4)]) for n in range(4)]
    assert parts == {0, 1, 2, 3}
    for value in range(1000):
        assert [n for n, finer in halves if value % 16 in finer] == [value % 4]


def test_what_cannot_be_cut_small_enough_is_partial_and_says_so(serve: Open) -> None:
    with serve(row_limit=20) as tenant:
        nodes = manifest(tenant.sync("exposure_nodes", hunting_rows=20, hunting_parts=4), "exposure_nodes")
        assert nodes.state == "partial"
        assert "hunting_parts" in str(nodes.reason)
        assert 0 < nodes.records < 134


def test_an_answer_of_the_size_limit_is_taken_as_cut(tenant: Bench) -> None:
    rows = [{"NodeId": str(n), "NodeLabel": "user", "NodeName": "x" * 1000} for n in range(1200)]
    answering(tenant, HUNT, {"schema": [], "results": rows}, *({"schema": [], "results": [row]} for row in rows[:4]))
    nodes = manifest(tenant.sync("exposure_nodes", hunting_megabytes=1), "exposure_nodes")
    assert (nodes.state, nodes.records) == ("complete", 4)
    assert tenant.requests()[HUNT] == 5


def test_a_vendor_that_ignores_the_cut_is_noticed_and_not_asked_for_ever(tenant: Bench) -> None:
    rows = [{"NodeId": str(n), "NodeLabel": "user"} for n in range(10)]
    answering(tenant, HUNT, {"schema": [], "results": rows})
    nodes = manifest(tenant.sync("exposure_nodes", hunting_rows=10), "exposure_nodes")
    assert (nodes.state, nodes.records) == ("partial", 10)
    assert "ignored" in str(nodes.reason)
    assert tenant.requests()[HUNT] == 2


def test_a_query_that_takes_too_long_is_narrowed_and_not_repeated(serve: Open) -> None:
    with serve(slow_rows=100) as tenant:
        nodes = manifest(tenant.sync("exposure_nodes"), "exposure_nodes")
        assert (nodes.state, nodes.records, nodes.retries) == ("complete", 134, 0)
        assert tenant.requests()[HUNT] == 5


def test_a_query_is_given_the_three_minutes_that_microsoft_gives_it(tenant: Bench) -> None:
    # given up earlier it would be sent again, at the cost of the processor time that people hunt with too
    patience: list[float] = []
    send = requests.Session.send

    def sent(self: requests.Session, request: requests.PreparedRequest, **given: Any) -> requests.Response:
        patience.append(given["timeout"][1])
        return send(self, request, **given)

    tenant.monkeypatch.setattr(requests.Session, "send", sent)
    assert manifest(tenant.sync("identity_info"), "identity_info").state == "complete"
    assert min(patience) > 180


def test_a_refusal_for_its_size_is_narrowed_and_any_other_fails(tenant: Bench) -> None:
    refusal = (400, {"error": {"code": "BadRequest", "message": "Query execution has exceeded the allowed limits."}})
    parts = [{"schema": [], "results": [{"NodeId": str(n), "NodeLabel": "user"}]} for n in range(4)]
    answering(tenant, HUNT, refusal, *parts)
    assert manifest(tenant.sync("exposure_nodes"), "exposure_nodes").records == 4
    wrong = "'where' operator: Failed to resolve column or scalar expression named 'x'."
    answering(tenant, HUNT, (400, {"error": {"code": "BadRequest", "message": wrong}}))
    nodes = manifest(tenant.sync("exposure_nodes"), "exposure_nodes")
    assert (nodes.state, nodes.error) == ("failed", "BadRequest")
    assert wrong in str(nodes.reason)


def test_a_table_the_tenant_does_not_have_skips_its_streams_alone(serve: Open) -> None:
    with serve(without_tables=("ExposureGraphNodes", "ExposureGraphEdges")) as tenant:
        report = tenant.sync()
        found = states(report)
        assert (found["exposure_nodes"], found["exposure_edges"]) == ("skipped", "skipped")
        assert "licence" in str(manifest(report, "exposure_nodes").reason)
        assert found["identity_info"] == "complete"


def test_throttling_waits_as_told(serve: Open, waits: list[float]) -> None:
    with serve(faults=[fault(HUNT, 429, nth=[1, 3], retry_after=7)]) as tenant:
        report = tenant.sync("identity_info", "exposure_nodes")
        assert set(states(report).values()) == {"complete"}
        assert waits == [7, 7]


def test_a_used_up_quota_is_waited_for_once_and_then_left_to_the_next_sync(serve: Open, waits: list[float]) -> None:
    with serve(faults=[fault(HUNT, 429, always=True, times=6)]) as tenant:
        info = manifest(tenant.sync("identity_info"), "identity_info")
        assert info.state == "complete"
        assert waits.count(15 * 60) == 1
        assert "quota" in info.notes[0]
    with serve(faults=[fault(HUNT, 429, always=True)]) as tenant:
        info = manifest(tenant.sync("identity_info", quota_minutes=1), "identity_info")
        assert (info.state, info.error) == ("failed", "RetryLater")
        assert tenant.requests()[HUNT] == 12
        assert waits.count(60) == 1


def test_no_rows_are_no_error_and_both_spellings_of_the_answer_are_read(tenant: Bench) -> None:
    answering(tenant, HUNT, {"schema": [{"Name": "NodeId", "Type": "String"}], "results": []})
    nodes = manifest(tenant.sync("exposure_nodes"), "exposure_nodes")
    assert (nodes.state, nodes.records) == ("complete", 0)
    answering(tenant, HUNT, {"Schema": [], "Results": [{"NodeId": "1", "NodeLabel": "user"}]})
    assert manifest(tenant.sync("exposure_nodes"), "exposure_nodes").records == 1


def test_the_newest_row_of_an_account_stays_whatever_the_order(tenant: Bench) -> None:
    new = {"Timestamp": "2026-11-20T00:00:00.1234567Z", "AccountObjectId": "A", "JobTitle": "new"}
    old = {"Timestamp": "2026-11-01T00:00:00.1234567Z", "AccountObjectId": "A", "JobTitle": "old"}
    answering(tenant, HUNT, {"schema": [], "results": [new, old]})
    report = tenant.sync("identity_info")
    assert [(row["AccountKey"], row["JobTitle"]) for row in landed(tenant, report, "identity_info")] == [("a", "new")]


def test_a_column_without_a_value_comes_as_an_empty_object(tenant: Bench) -> None:
    nothing: Any = {"@odata.type": "#microsoft.graph.security.dynamicColumnValue"}
    row = {
        "Timestamp": "2026-11-20T00:00:00.1234567Z",
        "AccountObjectId": "A",
        "IsAccountEnabled": 1,
        "DeletedDateTime": {},
        "EmployeeId": {},
        "CriticalityLevel": {},
        "AssignedRoles": {},
        "PrivilegedEntraPimRoles": nothing,
        "Tags": ["VIP"],
    }
    answering(tenant, HUNT, {"schema": [], "results": [row]})
    report = tenant.sync("identity_info")
    assert manifest(report, "identity_info").field_issues == 0
    (found,) = landed(tenant, report, "identity_info")
    assert (found["IsAccountEnabled"], found["Tags"]) == (True, ["VIP"])
    assert not any(found[name] for name in row if row[name] in ({}, nothing))
    assert exposure.node({"NodeId": "1", "EntityIds": {}, "Categories": nothing})["Categories"] == []


def test_accounts_without_an_object_id_are_not_taken_for_one(tenant: Bench) -> None:
    rows: list[dict[str, Any]] = [
        {"OnPremSid": "S-1-5-21-1", "AccountObjectId": ""},
        {"OnPremSid": "S-1-5-21-2"},
        {"AccountName": "jo", "AccountDomain": "corp"},
        {"AccountDisplayName": "nobody"},
    ]
    assert [keyed(row)["AccountKey"] for row in rows] == ["s-1-5-21-1", "s-1-5-21-2", "corp/jo", None]


def test_the_exposure_graph_is_off_by_default_and_pruned_when_on(tenant: Bench) -> None:
    assert DefenderIdentityOptions(tenant_id="t", client_id="c").exposure_graph is False
    off = tenant.sync("exposure_nodes", "exposure_edges", exposure_graph=False)
    assert set(states(off).values()) == {"skipped"}
    assert tenant.requests()[HUNT] == 0
    labels = {row["NodeLabel"] for row in landed(tenant, tenant.sync("exposure_nodes"), "exposure_nodes")}
    assert {"device", "user", "group"} <= labels
    assert "Cve" not in labels
    users = tenant.sync("exposure_nodes", exposure_node_labels=["User"])
    assert {row["NodeLabel"] for row in landed(tenant, users, "exposure_nodes")} == {"user"}


def test_labels_cannot_break_out_of_the_query() -> None:
    assert exposure.one_of("L", ["a'b", "c\\"]) == "L in~ ('a\\'b', 'c\\\\')"
    with pytest.raises(ValidationError, match="is no label"):
        DefenderIdentityOptions(tenant_id="t", client_id="c", exposure_node_labels=("device\n| take 1",))


# Forms ---------------------------------------------------------------------------------------------------------------


def test_the_notes_on_types_are_dropped_at_every_depth() -> None:
    row = {"A@odata.type": "x", "A": [{"@odata.type": "y", "b": 1}], "C": {"d@odata.type": "z", "d": {"e": None}}}
    assert plain(row) == {"A": [{"b": 1}], "C": {"d": {"e": None}}}


@pytest.mark.parametrize(
    ("value", "level"),
    [
        ({"criticalityLevel": 1, "ruleBasedCriticalityLevel": 2}, 1),
        ('{"criticalityLevel": 0}', 0),
        (3, 3),
        ("2", 2),
        (9, None),
        (True, None),
        ({}, None),
        (None, None),
    ],
)
def test_criticality_comes_in_three_forms(value: Any, level: int | None) -> None:
    assert exposure.criticality(value) == level


@pytest.mark.parametrize(
    "ids",
    [
        ['{"type":"AadObjectId","id":"tenantid=t;objectid=o"}'],
        [{"type": "AadObjectId", "id": "tenantid=t;objectid=o"}],
        '[{"type":"AadObjectId","id":"tenantid=t;objectid=o"}]',
        {"type": "AadObjectId", "id": "tenantid=t;objectid=o"},
        [{"type": "AadObjectId", "id": "tenantid=t;objectid=o"}, "{broken", None, 7],
    ],
)
def test_entity_ids_come_as_objects_or_as_text(ids: Any) -> None:
    assert exposure.node({"NodeId": "1", "EntityIds": ids})["EntityIds"] == [
        {"type": "AadObjectId", "id": "tenantid=t;objectid=o"}
    ]


def test_the_object_id_is_read_out_of_the_cloud_sid() -> None:
    ident = "9cd2e093-2b45-4b68-ab69-84e5bd802fe8"
    assert object_id_of(cloud_sid(ident)) == ident
    for other in ("S-1-12-4-2492432728-1225839317-3974870967-847981844", "S-1-12-1-1-2-3-99999999999", "", None):
        assert object_id_of(other) is None


DOCUMENTED: dict[str, Any] = {
    "id": "00104216-0539-4838-88b1-55baafdc296b",
    "displayName": "accoundJon",
    "domain": "domain1.test.local",
    "onPremisesSecurityIdentifier": "S-1-5-21-989687458-3461180213-172365591-281652",
    "cloudSecurityIdentifier": "S-1-12-4-2492432728-1225839317-3974870967-847981844",
    "isEnabled": True,
    "accounts": [
        {"provider": "ActiveDirectory", "identifier": "256DB173-930a-4991-9061-0d51a9a93ba5", "actions": []},
        {"identityProvider": "entraID", "identifier": "69dfa3ea-1295-4e2c-b469-59564581143d", "actions": []},
        {"provider": "Okta", "identifier": "00u1abcd", "actions": []},
        {"provider": "unknownFutureValue", "identifier": "x"},
        None,
    ],
}


def test_identifiers_of_accounts_are_taken_unless_told_otherwise() -> None:
    found = with_ids(DOCUMENTED, True)
    assert found["adObjectGuid"] == "256db173-930a-4991-9061-0d51a9a93ba5"
    assert found["entraObjectId"] == "69dfa3ea-1295-4e2c-b469-59564581143d"
    assert found["oktaId"] == "00u1abcd"
    assert with_ids(DOCUMENTED, False) == DOCUMENTED
    named = {"accounts": [{"provider": "activeDirectory", "identifier": "CORP\\jo"}]}
    assert "adObjectGuid" not in with_ids(named, True)


def test_documented_answers_nulls_and_unknown_fields_land(tenant: Bench) -> None:
    empty: dict[str, Any] = {"id": "2", "accounts": None, "onPremisesSecurityIdentifier": None, "new": {"deep": [1]}}
    answering(tenant, ACCOUNTS, {"value": [DOCUMENTED, empty], "@odata.count": 2, "future": True})
    report = tenant.sync("identity_accounts")
    accounts = manifest(report, "identity_accounts")
    assert (accounts.state, accounts.records, accounts.field_issues) == ("complete", 2, 0)
    with tenant.staged() as staged:
        known, unknown = staged.rows("select * from stg_defender_identity__identities order by record_id")
        assert (known["ad_sid"], known["domain"]) == (DOCUMENTED["onPremisesSecurityIdentifier"], "domain1.test.local")
        assert (known["okta_id"], known["authority"]) == ("00u1abcd", "create")
        # nothing tells it from an account that a directory reports
        assert (unknown["ad_sid"], unknown["authority"]) == (None, "update")
        assert staged.failing() == []


def test_what_is_no_object_is_kept_in_quarantine(tenant: Bench) -> None:
    answering(tenant, ACCOUNTS, {"value": [DOCUMENTED, "text", {"displayName": "no id"}]})
    accounts = manifest(tenant.sync("identity_accounts"), "identity_accounts")
    assert (accounts.state, accounts.records, accounts.rejected) == ("partial", 1, 2)


# Staging -------------------------------------------------------------------------------------------------------------


def test_a_sensors_host_adds_to_a_machine_and_makes_none(tenant: Bench) -> None:
    sensors: list[dict[str, Any]] = [
        {"id": "1", "displayName": "DC1", "domainName": "domain1.test.local", "sensorType": "domainControllerIntegrated",
         "settings": {"domainControllerDnsNames": ["DC1.domain1.test.local"]}},
        {"id": "2", "displayName": "FS1", "domainName": "domain1.test.local", "sensorType": "adfsIntegrated",
         "settings": {"domainControllerDnsNames": ["DC1.domain1.test.local"]}},
        {"id": "3", "displayName": "fs2.other.example", "domainName": "domain1.test.local"},
        {"id": "4", "displayName": None, "domainName": None, "settings": None},
    ]  # fmt: skip
    with tenant.staged({"sensors": sensors}) as staged:
        rows = staged.rows("select * from stg_defender_identity__devices order by record_id")
        assert [row["fqdns"] for row in rows] == [
            ["dc1.domain1.test.local"], ["fs1.domain1.test.local"], ["fs2.other.example"], [],
        ]  # fmt: skip
        assert [row["criticality"] for row in rows] == [0, 1, None, None]
        assert {row["authority"] for row in rows} == {"update"}
        assert rows[0]["agent_ids"] == ["mdi=1"]
        assert staged.failing() == []


def test_health_issues_are_findings_of_the_hosts_they_name(serve: Open) -> None:
    with serve(devices=400) as tenant:
        tenant.sync("sensors", "health_issues")
        with tenant.staged() as staged:
            found = staged.rows(
                "select title, status, severity, count(*) as n from stg_defender_identity__findings group by all"
            )
            by_title = {row["title"]: (row["status"], row["severity"], row["n"]) for row in found}
            assert by_title[records.ISSUES[0][0]] == ("open", "medium", 2)
            assert by_title[records.ISSUES[1][0]] == ("fixed", "high", 1)
            assert by_title[records.ISSUES[2][0]] == ("open", "low", 1)


def test_nodes_and_edges_of_the_graph_become_records_that_add_and_groups_that_no_directory_lists(serve: Open) -> None:
    with serve(devices=400) as tenant:
        tenant.sync()
        view = tenant.service.view
        with tenant.staged() as staged:
            for model in ("devices_exposure", "applications_exposure", "identities_info"):
                assert (
                    staged.one(f"select count(*) from stg_defender_identity__{model} where authority <> 'update'") == 0
                )
            made = staged.rows(
                "select display_name, identity_type, ad_sid from stg_defender_identity__identities_exposure "
                "where authority = 'create'"
            )
            assert "Domain Admins" in {row["display_name"] for row in made}
            assert all(row["identity_type"] == "group" and row["ad_sid"] for row in made)
            (user,) = staged.rows(
                "select * from stg_defender_identity__identities_exposure "
                f"where record_id = '{records.node_id(view, 'person', 0)}'"
            )
            person = view.truth.person(0)
            assert (user["entra_object_id"], user["ad_sid"]) == (person.entra_object_id, person.sid)
            assert user["entra_tenant_id"] == view.truth.tenant_id
            azure = staged.rows(
                "select * from stg_defender_identity__devices_exposure where cloud_provider = 'azure' limit 1"
            )[0]
            assert azure["cloud_resource_id"].startswith(f"/subscriptions/{azure['cloud_account_id']}/")
            assert len(azure["agent_ids"][0]) == len("mde=") + 40
            assert (
                staged.one(
                    "select count(*) from stg_defender_identity__applications_exposure where service_principal_id is null"
                )
                == 0
            )
            edges = staged.rows(
                "select relationship, source_kind, target_kind from stg_defender_identity__relationships group by all"
            )
            assert {(e["relationship"], e["source_kind"], e["target_kind"]) for e in edges} == {
                ("member of", "identity", "identity"),
                ("has role on", "identity", "application"),
                ("can authenticate as", "application", "identity"),
                ("can authenticate to", "identity", "device"),
                ("frequently logged in by", "device", "identity"),
            }
            owner = staged.one(
                "select properties from stg_defender_identity__relationships where relationship = 'has role on' limit 1"
            )
            assert json.loads(owner)["roles"]["rolePermissions"] == ['{"roleValue":"Owner"}']


def test_a_sensor_finds_its_host_in_the_graph_by_full_name_or_as_the_one_controller_of_its_name(tenant: Bench) -> None:
    kind = "domainControllerIntegrated"
    sensors = [
        {"id": n, "displayName": n, "domainName": "a.example", "sensorType": kind} for n in ("dc1", "dc2", "dc3", "dc4")
    ]

    def machine(ident: str, name: str, is_controller: str | None) -> dict[str, Any]:
        ids = [{"type": "SenseDeviceId", "id": ident}]
        raw = {"deviceName": name, "isDomainController": is_controller}
        return {
            "NodeId": ident,
            "_record_id": ident,
            "NodeLabel": "device",
            "EntityIds": ids,
            "NodeProperties": {"rawData": raw},
        }

    nodes = [
        machine("1", "DC1.a.example", None),
        machine("2", "dc2", "true"),
        # a short name alone is no evidence, and neither is one that two have
        machine("3", "dc3", "false"),
        machine("4", "dc4", "true"),
        machine("5", "dc4", "true"),
    ]
    with tenant.staged({"sensors": sensors, "exposure_nodes": nodes}) as staged:
        rows = staged.rows("select agent_ids from stg_defender_identity__devices order by record_id")
        assert [row["agent_ids"] for row in rows] == [
            ["mdi=dc1", "mde=1"],
            ["mdi=dc2", "mde=2"],
            ["mdi=dc3"],
            ["mdi=dc4"],
        ]


def test_odd_nodes(tenant: Bench) -> None:
    nodes: list[dict[str, Any]] = [
        {"NodeId": "1", "_record_id": "1", "NodeLabel": "user", "EntityIds": None, "NodeProperties": None},
        {"NodeId": "2", "_record_id": "2", "NodeLabel": "new.thing", "Categories": ["device"], "NodeName": "srv-1"},
        {"NodeId": "3", "_record_id": "3", "NodeLabel": "new.thing", "Categories": None},
        {"NodeId": "4", "_record_id": "4", "NodeLabel": "User",
         "EntityIds": [{"type": "SecurityIdentifier", "id": "s-1-12-1-1-2-3-4"}]},
    ]  # fmt: skip
    edges: list[dict[str, Any]] = [
        {
            "EdgeId": "a",
            "_record_id": "a",
            "EdgeLabel": "Can Authenticate To",
            "SourceNodeId": "1",
            "TargetNodeId": "2",
        },
        {"EdgeId": "b", "_record_id": "b", "EdgeLabel": "has credentials of", "SourceNodeId": "2", "TargetNodeId": "1"},
        {"EdgeId": "c", "_record_id": "c", "EdgeLabel": "member of", "SourceNodeId": "1", "TargetNodeId": "3"},
        {"EdgeId": "d", "_record_id": "d", "EdgeLabel": "member of", "SourceNodeId": "1", "TargetNodeId": "99"},
    ]
    with tenant.staged({"exposure_nodes": nodes, "exposure_edges": edges}) as staged:
        kinds = staged.rows("select node_id, kind, ad_sid from stg_defender_identity__exposure_nodes order by node_id")
        assert [(n["node_id"], n["kind"]) for n in kinds] == [
            ("1", "identity"), ("2", "device"), ("3", None), ("4", "identity"),
        ]  # fmt: skip
        # the SID of the cloud is none of Active Directory
        assert kinds[3]["ad_sid"] is None
        (edge,) = staged.rows("select * from stg_defender_identity__relationships")
        assert (edge["relationship"], edge["source_kind"], edge["target_kind"]) == (
            "can authenticate to",
            "identity",
            "device",
        )
        assert staged.failing() == []


def test_every_declared_stream_names_a_permission_that_is_checked() -> None:
    connector = registry.load("defender_identity")
    checked = {permission.name for permission in connector.permissions}
    assert all(set(stream.permissions) <= checked for stream in connector.streams)
