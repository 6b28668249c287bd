"""ServiceNow over real HTTP: the Table API's lax ways, what proves an end, and what staging makes of a CMDB."""

from __future__ import annotations

import gc
import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
import requests
from pydantic import ValidationError

from connector_assets.kit import Lines
from connector_assets.kit.budgets import Allowance
from connector_assets.servicenow.options import ServiceNowOptions
from connector_assets.servicenow.table import flattened, keys_of, read
from demo_estate.lenses import servicenow as lens
from demo_estate.lenses.servicenow.query import Query
from demo_estate.lenses.servicenow.records import password_hash, sys_id
from demo_estate.lenses.servicenow.tables import sorted_keys, user_refs
from demo_estate.truth import Ref

from .microsoft import Bench, bench, holds, manifest, states

TABLE, COUNT = "GET /api/now/table/{table}", "GET /api/now/stats/{table}"
COMPUTERS = "*/table/*"
STREAMS = (
    "computers network_adapters business_applications services relationships service_members users user_groups "
    "group_members choices"
).split()


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds the connector would have slept, without sleeping them."""
    slept: list[float] = []
    monkeypatch.setattr(Allowance, "pause", lambda self, seconds: slept.append(seconds))
    return slept


@pytest.fixture
def cmdb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with bench("servicenow", tmp_path, monkeypatch, devices=200, hidden_share=0.0) as found:
        yield found


def rows_of(found: Bench, table: str) -> int:
    return len(sorted_keys(found.service, table))


def devices(found: Bench) -> int:
    return sum(rows_of(found, table) for table in lens.ASSET_TABLES)


def raw(found: Bench, table: str, **params: Any) -> requests.Response:
    secret = found.service.credentials["password"].encode()
    user: Any = (lens.USER.encode(), secret)
    return requests.get(f"{found.service.base_url}/api/now/table/{table}", params, auth=user, timeout=30)


def test_every_stream_is_complete_with_the_calls_it_needs_and_no_others(cmdb: Bench) -> None:
    report = cmdb.sync()
    assert states(report) == dict.fromkeys(STREAMS, "complete")
    assert manifest(report, "computers").records == devices(cmdb) > 160
    assert set(manifest(report, "computers").scopes) == set(lens.ASSET_TABLES)
    assert not any(m.rejected or m.field_issues or m.duplicates or m.notes for m in report.streams)
    # each of the twelve tables: a page, the empty page after it, and its count
    assert cmdb.requests() == Counter({TABLE: 24, COUNT: 12})
    assert cmdb.service.journal.problems == []


def test_pages_are_cut_by_key_and_each_record_comes_once(cmdb: Bench) -> None:
    found = manifest(cmdb.sync("network_adapters", page_size=50), "network_adapters")
    adapters = rows_of(cmdb, "cmdb_ci_network_adapter")
    assert (found.state, found.records, found.duplicates) == ("complete", adapters, 0)
    assert cmdb.requests()[TABLE] == -(-adapters // 50) + 1


def test_a_password_outside_latin_1_is_sent_in_utf_8(cmdb: Bench) -> None:
    assert any(ord(letter) > 255 for letter in cmdb.service.credentials["password"])
    assert all(result.ok for result in cmdb.check().values())


def test_no_password_and_no_secret_lies_anywhere_on_disk(cmdb: Bench) -> None:
    cmdb.sync()
    view = cmdb.service.view
    hashes = [password_hash(view, ref) for ref in user_refs(view)]
    assert holds(cmdb.home.root, "user_password", *hashes[:5], *cmdb.service.credentials.values()) == []


def test_a_password_the_vendor_sends_unasked_is_dropped(cmdb: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some instances answer with all columns whatever was asked for."""
    monkeypatch.setattr(lens, "shown", lambda row, names, plain: row)
    cmdb.sync("users")
    assert "user_password" in raw(cmdb, "sys_user", sysparm_limit=1).text
    assert holds(cmdb.home.root, "user_password", "{enc:hash}") == []


def test_references_come_as_ids_in_every_spelling(cmdb: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = manifest(cmdb.sync("group_members"), "group_members")
    monkeypatch.setattr(lens, "shown", lambda row, names, plain: {n: v for n, v in row.items() if n in names})
    linked = manifest(cmdb.sync("group_members"), "group_members")
    assert plain.records == linked.records == rows_of(cmdb, "sys_user_grmember")
    assert plain.content_hash == linked.content_hash


# Where an enumeration ends -------------------------------------------------------------------------------------------


def test_short_pages_are_no_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with bench("servicenow", tmp_path, monkeypatch, devices=200, hidden_share=0.3) as cmdb:
        found = manifest(cmdb.sync("computers", computer_tables=["cmdb_ci_computer"], page_size=20), "computers")
        total = rows_of(cmdb, "cmdb_ci_computer")
        visible = sum(1 for a in cmdb.estate.answer_key().rows() if a.kind == "device")
        visible -= rows_of(cmdb, "cmdb_ci_netgear") + rows_of(cmdb, "cmdb_ci_printer")
    assert (found.state, found.records) == ("complete", visible)
    assert visible < total
    assert found.notes == [f"cmdb_ci_computer: {total - visible} of {total} records are hidden by access rules"]


def test_pages_that_are_hidden_whole_are_stepped_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hidden = ("4", "5", "6", "7")
    with bench("servicenow", tmp_path, monkeypatch, devices=200, hidden_prefixes=hidden, hidden_share=0.0) as cmdb:
        found = manifest(cmdb.sync("computers", computer_tables=["cmdb_ci_computer"], page_size=10), "computers")
        keys = [key for key, _ in sorted_keys(cmdb.service, "cmdb_ci_computer")]
    assert (found.state, found.records) == ("complete", sum(not key.startswith(hidden) for key in keys))


def test_a_table_whose_records_are_all_hidden_is_no_empty_estate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bench("servicenow", tmp_path, monkeypatch, devices=60, hidden_prefixes=tuple("0123456789abcdef")) as cmdb:
        report = cmdb.sync("computers", "users", "network_adapters")
        found = manifest(report, "computers")
        checks = cmdb.check()
    assert (found.state, found.error) == ("failed", "FixPermission")
    assert "none is visible" in (found.reason or "")
    assert "give the integration user the role cmdb_read" in (found.reason or "")
    assert manifest(report, "users").state == "complete"
    assert not checks["cmdb_read"].ok
    assert checks["sys_user read"].ok


def test_a_count_that_is_refused_leaves_a_note(cmdb: Bench) -> None:
    cmdb.estate.fault({"route": COUNT, "fault": 403, "always": True})
    found = manifest(cmdb.sync("users"), "users")
    assert found.state == "complete"
    assert "its count cannot be read" in found.notes[0]


def test_an_instance_of_version_1_says_404_where_there_is_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bench("servicenow", tmp_path, monkeypatch, devices=60, api_version=1, hidden_share=0.0) as cmdb:
        report = cmdb.sync("users", "choices")
        assert set(states(report).values()) == {"complete"}
        assert cmdb.service.journal.statuses[f"{TABLE} 404"] == 2


def test_a_table_that_is_not_there_skips_an_optional_stream(cmdb: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lens, "TABLES", {k: v for k, v in lens.TABLES.items() if k != "svc_ci_assoc"})
    report = cmdb.sync("service_members", "services")
    assert states(report) == {"service_members": "skipped", "services": "complete"}
    assert "svc_ci_assoc" in (manifest(report, "service_members").reason or "")


def test_an_ignored_condition_is_found_out(cmdb: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The vendor drops a part of a query that it does not understand, and the rest runs."""
    monkeypatch.setattr(lens, "parse", lambda text: Query("", None, ()))
    found = manifest(cmdb.sync("users", page_size=50), "users")
    assert (found.state, found.error, found.records) == ("partial", "RepeatedCursor", 50)


def test_an_ignored_order_is_found_out(cmdb: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def shuffled(service: Any, table: str) -> Any:
        keys = list(sorted_keys(service, table))
        random.Random(1).shuffle(keys)
        return keys

    monkeypatch.setattr(lens, "sorted_keys", shuffled)
    found = manifest(cmdb.sync("users", page_size=1000), "users")
    assert found.state == "partial"
    assert "ignored the order" in (found.reason or "")


# Trouble -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 500])
def test_a_page_given_up_in_the_middle_is_asked_for_again_smaller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    limits = {"most_rows": 20, "most_rows_status": status}
    with bench("servicenow", tmp_path, monkeypatch, devices=60, hidden_share=0.0, **limits) as cmdb:
        found = manifest(cmdb.sync("computers", page_size=100), "computers")
        assert (found.state, found.records) == ("complete", devices(cmdb))


def test_records_beside_an_error_are_not_taken_for_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with bench("servicenow", tmp_path, monkeypatch, devices=60, most_rows=1, hidden_share=0.0) as cmdb:
        report = cmdb.sync("computers", page_size=100)
        found = manifest(report, "computers")
    assert (found.state, found.records) == ("failed", 0)
    assert "Transaction cancelled" in (found.reason or "")
    assert report.retry_later


@pytest.mark.parametrize("fault", ["string_result", "truncate"])
def test_a_page_that_stays_broken_keeps_those_before_it(cmdb: Bench, fault: str) -> None:
    cmdb.estate.fault({"route": TABLE, "fault": fault, "after": 2})
    report = cmdb.sync("users", page_size=20)
    found = manifest(report, "users")
    assert (found.state, found.records) == ("partial", 40)
    assert report.retry_later


def test_a_body_cut_once_is_asked_for_again(cmdb: Bench) -> None:
    cmdb.estate.fault({"route": TABLE, "fault": "truncate"})
    assert manifest(cmdb.sync("users"), "users").state == "complete"


def test_a_sleeping_instance_answers_with_a_web_page_and_nothing_is_lost(cmdb: Bench) -> None:
    cmdb.sync("computers")
    cmdb.estate.fault({"route": TABLE, "fault": "html", "always": True})
    found = manifest(cmdb.sync("computers"), "computers")
    assert (found.state, found.error) == ("failed", "UnexpectedContent")
    assert "sleeping instance" in (found.reason or "")
    with cmdb.staged() as staged:
        assert staged.one("select count(*) from stg_servicenow__devices") == devices(cmdb)


def test_a_wrong_password_says_what_to_do(cmdb: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESTATE_SERVICENOW_CMDB_PASSWORD", "not-the-password")
    found = manifest(cmdb.sync("users"), "users")
    assert (found.state, found.error) == ("failed", "FixCredentials")
    assert "User Not Authenticated" in (found.reason or "")
    assert "not-the-password" not in (found.reason or "")


def test_the_hourly_limit_is_waited_out_as_told(cmdb: Bench, no_waiting: list[float]) -> None:
    cmdb.estate.fault({"route": TABLE, "fault": 429, "retry_after": 120})
    assert manifest(cmdb.sync("users"), "users").state == "complete"
    assert 120 in no_waiting


def test_a_limit_that_lasts_too_long_ends_the_stream_until_later(cmdb: Bench) -> None:
    cmdb.estate.fault({"route": TABLE, "fault": 429, "retry_after": 3000, "after": 1})
    report = cmdb.sync("users", page_size=20)
    assert (manifest(report, "users").state, manifest(report, "users").records) == ("partial", 20)
    assert report.retry_later


@pytest.mark.parametrize("grant", ["oauth", "oauth_password"])
def test_oauth_fetches_one_token_and_a_new_one_after_a_401(
    grant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bench("servicenow", tmp_path, monkeypatch, devices=60, auth=grant) as cmdb:
        cmdb.estate.fault({"route": TABLE, "fault": "expire_tokens", "nth": 2})
        assert manifest(cmdb.sync("users"), "users").state == "complete"
        assert cmdb.requests()["POST /oauth_token.do"] == 2
        assert holds(cmdb.home.root, *cmdb.service.credentials.values(), *cmdb.service.tokens.values()) == []
        assert cmdb.service.journal.problems_of("secret_in_url") == []


def test_a_key_of_the_api_is_a_header_of_its_own_and_lies_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bench("servicenow", tmp_path, monkeypatch, devices=60, auth="api_key") as cmdb:
        assert manifest(cmdb.sync("users"), "users").state == "complete"
        assert holds(cmdb.home.root, *cmdb.service.credentials.values()) == []
        assert "POST /oauth_token.do" not in cmdb.requests()


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({}, "username"),
        ({"auth": "oauth"}, "client_id"),
        ({"auth": "oauth_password", "client_id": "c"}, "username"),
        ({"auth": "oauth_password", "username": "u"}, "client_id"),
        ({"username": "u", "x": 1}, "x"),
    ],
)
def test_options_say_what_is_missing(given: dict[str, Any], missing: str) -> None:
    with pytest.raises(ValidationError, match=missing):
        ServiceNowOptions.model_validate(given)


def test_the_emulation_pages_as_recorded(cmdb: Bench) -> None:
    """Link only where there is more than one page; the total counts what access rules hide; unknown names vanish."""
    one = raw(cmdb, "sys_user_group", sysparm_fields="sys_id,no_such_column", sysparm_query="no_such_column=x^nonsense")
    assert "Link" not in one.headers
    assert one.headers["X-Total-Count"] == "12"
    assert set(one.json()["result"][0]) == {"sys_id"}
    several = raw(cmdb, "sys_user_group", sysparm_limit=5, sysparm_fields="sys_id,name").headers["Link"]
    assert several.count('rel="') == 3
    assert ", <" not in several
    assert "sysparm_fields=sys_id,name" in several


# Staging -------------------------------------------------------------------------------------------------------------


def test_staging_gives_exact_columns_and_passes_its_tests(cmdb: Bench) -> None:
    cmdb.sync()
    with cmdb.staged() as staged:
        assert staged.columns_differ() == []
        assert staged.failing() == []
        answers = {(a.kind, a.record_id) for a in cmdb.estate.answer_key().rows()}
        rows = staged.rows(
            "select 'device' as kind, record_id from stg_servicenow__devices union all "
            "select 'identity', record_id from stg_servicenow__identities union all "
            "select 'identity', record_id from stg_servicenow__identities_groups union all "
            "select 'application', record_id from stg_servicenow__applications"
        )
        assert {(row["kind"], row["record_id"]) for row in rows} == answers


def test_staging_runs_with_nothing_landed(cmdb: Bench) -> None:
    with cmdb.staged() as staged:
        assert {result.rows for result in staged.results.values()} == {0}
        assert staged.columns_differ() == []


def test_staged_devices_are_what_the_truth_says(cmdb: Bench) -> None:
    cmdb.sync()
    truth = cmdb.service.truth
    key = {answer.record_id: answer for answer in cmdb.estate.answer_key().rows()}
    with cmdb.staged() as staged:
        rows = staged.rows("select * from stg_servicenow__devices where state = 'active'")
    slow = {"nic_swapped", "renamed_host", "criticality_disagrees", "name_only_ci", "short_name"}
    checked = 0
    for row in rows:
        answer = key[row["record_id"]]
        device = truth.device(int(answer.truth_id.removeprefix("dev-")))
        assert row["scope"] == "default"
        if answer.tags & slow:
            continue
        assert row["serial_number"] == device.serial
        assert row["manufacturer"] == device.manufacturer
        assert row["hostnames"] == [device.hostname.upper()]
        assert row["fqdns"] == ([device.fqdn] if device.fqdn else [])
        assert {plain(mac) for mac in row["mac_addresses"]} == {plain(mac) for mac in device.macs}
        assert set(row["ip_addresses"]) == set(device.ips)
        assert row["cloud_instance_id"] == (device.cloud.instance_id if device.cloud else None)
        assert row["cloud_provider"] == (device.cloud.provider if device.cloud else None)
        assert row["criticality"] == device.criticality
        checked += 1
    assert checked > 60


def plain(mac: str) -> str:
    return mac.lower().translate(str.maketrans("", "", ":-."))


def test_retired_duplicate_stale_and_nameless_items_are_seen_for_what_they_are(cmdb: Bench) -> None:
    cmdb.sync("computers", "choices", "network_adapters")
    tags = {answer.record_id: answer.tags for answer in cmdb.estate.answer_key().rows()}
    with cmdb.staged() as staged:
        rows = {row["record_id"]: row for row in staged.rows("select * from stg_servicenow__devices")}
    of = {name: [row for key, row in rows.items() if name in tags[key]] for name in ("retired_ci", "stale_ci")}
    assert {row["state"] for row in of["retired_ci"]} == {"retired"}
    assert all((datetime(2026, 11, 23) - row["observed_at"]).days > 120 for row in of["stale_ci"])
    assert {row["state"] for row in of["stale_ci"]} == {"active"}
    doubles = [row for key, row in rows.items() if "duplicate_ci" in tags[key]]
    assert Counter(row["state"] for row in doubles) == {"active": 3, "retired": 3}
    bare = [row for key, row in rows.items() if "name_only_ci" in tags[key]]
    assert bare
    for row in bare:
        assert row["serial_number"] is row["manufacturer"] is row["cloud_instance_id"] is None
        assert row["mac_addresses"] == row["ip_addresses"] == row["fqdns"] == []
        assert row["hostnames"]


def test_properties_carry_microsofts_names(cmdb: Bench) -> None:
    cmdb.sync()
    server = next(i for i in cmdb.service.view.device_indexes() if cmdb.service.truth.device_kind(i) == "server")
    key = sys_id(cmdb.service.view, Ref("device", server))
    with cmdb.staged() as staged:
        text = staged.one(f"select properties from stg_servicenow__devices where record_id = '{key}'")
    info = orjson.loads(text)["serviceNowCmdbAssetInfo"]
    wanted = "os osVersion assetTag virtual serviceNowCriticality usedFor sysClassName networkAdapters mostFrequentUser"
    assert set(wanted.split()) <= set(info)
    assert info["uPrimaryBusinessApplication"]["number"].startswith("APM")
    assert {"name", "sysId", "macAddress", "ipAddress", "ipDefaultGateway"} == set(info["networkAdapters"][0])


def test_people_are_matched_by_login_and_domain_mail_and_number(cmdb: Bench) -> None:
    cmdb.sync("users")
    truth = cmdb.service.truth
    person = next(a for a in truth.accounts() if a.kind == "person" and a.sam and a.mail == a.upn and not a.old_upn)
    key = sys_id(cmdb.service.view, person.ref)
    with cmdb.staged() as staged:
        row = staged.rows(f"select * from stg_servicenow__identities where record_id = '{key}'")[0]
    assert row["sam_account_name"].lower() == person.sam
    assert (row["domain"], row["upn"], row["employee_id"]) == (person.domain, None, person.employee_id)
    assert [mail.lower() for mail in row["emails"]] == [person.mail]
    assert row["department"] == person.department


def item(**values: Any) -> dict[str, Any]:
    key = values.get("sys_id", "c1")
    return {"_record_id": key, "sys_id": key, "name": "HOST1", "sys_class_name": "cmdb_ci_computer", **values}


@pytest.mark.parametrize(
    ("values", "state"),
    [
        ({"install_status": "1"}, "active"),
        ({"install_status": "7"}, "retired"),
        ({"install_status": "100"}, "retired"),
        ({"install_status": "6"}, "active"),
        ({"duplicate_of": "c0"}, "retired"),
        ({"life_cycle_stage": "End of Life"}, "retired"),
        ({"operational_status": "6"}, "retired"),
    ],
)
def test_states_that_mean_retired(cmdb: Bench, values: dict[str, Any], state: str) -> None:
    with cmdb.staged({"computers": [item(**values)]}) as staged:
        assert staged.one("select state from stg_servicenow__devices") == state


def test_an_instance_that_renamed_its_states_is_taken_at_its_word(cmdb: Bench) -> None:
    choices = [
        {"name": "cmdb_ci", "element": "install_status", "value": value, "label": label, "language": "en"}
        for value, label in (("7", "Pending Repair"), ("9", "Retired"))
    ]
    computers = [item(install_status="7"), item(sys_id="c2", install_status="9")]
    with cmdb.staged({"computers": computers, "choices": choices}) as staged:
        rows = staged.rows("select record_id, state from stg_servicenow__devices order by 1")
    assert [row["state"] for row in rows] == ["active", "retired"]


@pytest.mark.parametrize(
    ("object_id", "provider", "instance_id"),
    [
        ("i-0abc12345def67890", "aws", "i-0abc12345def67890"),
        ("8a7b6c5d-1111-4222-8333-944455556666", "azure", "8a7b6c5d-1111-4222-8333-944455556666"),
        ("7429871234567890123", "gcp", "7429871234567890123"),
        ("vm-4711", None, None),
    ],
)
def test_an_object_id_is_a_cloud_id_only_where_it_looks_like_one(
    cmdb: Bench, object_id: str, provider: str | None, instance_id: str | None
) -> None:
    with cmdb.staged({"computers": [item(object_id=object_id)]}) as staged:
        row = staged.rows("select cloud_provider, cloud_instance_id from stg_servicenow__devices")[0]
    assert row == {"cloud_provider": provider, "cloud_instance_id": instance_id}


@pytest.mark.parametrize(
    ("name", "hostnames", "fqdns"),
    [("WEB01", ["WEB01"], []), ("web01.corp.example", [], ["web01.corp.example"]), ("Mary's laptop", [], [])],
)
def test_only_a_name_that_could_be_a_host_name_is_one(
    cmdb: Bench, name: str, hostnames: list[str], fqdns: list[str]
) -> None:
    with cmdb.staged({"computers": [item(name=name)]}) as staged:
        row = staged.rows("select hostnames, fqdns, display_name from stg_servicenow__devices")[0]
    assert row == {"hostnames": hostnames, "fqdns": fqdns, "display_name": name}


def test_an_item_of_a_separated_domain_is_in_a_scope_of_its_own(cmdb: Bench) -> None:
    with cmdb.staged({"computers": [item(sys_domain="global"), item(sys_id="c2", sys_domain="d7")]}) as staged:
        assert [
            row["scope"] for row in staged.rows("select scope from stg_servicenow__devices order by record_id")
        ] == [
            "default",
            "d7",
        ]


def relation(words: str, parent: str, child: str) -> dict[str, Any]:
    key = f"{parent}-{child}-{words}"
    return {"_record_id": key, "sys_id": key, "type.name": words, "parent.sys_id": parent, "child.sys_id": child}


def test_relations_keep_their_direction_and_say_nothing_that_was_not_said(cmdb: Bench) -> None:
    computers = [item(), item(sys_id="c2"), item(sys_id="gone", install_status="7")]
    apps = [{"_record_id": "a1", "sys_id": "a1", "name": "App"}]
    relations = [
        relation("Runs on::Runs", "a1", "c1"),
        relation("Runs on::Runs", "a1", "gone"),
        relation("Managed by::Manages", "c1", "c2"),
        relation("Cools::Cooled by", "c1", "c2"),
        relation("Depends on::Used by", "a1", "database"),
    ]
    landed = {"computers": computers, "business_applications": apps, "relationships": relations}
    with cmdb.staged(landed) as staged:
        rows = staged.rows(
            "select relationship, split_part(source_record, ':', 3) as source, split_part(target_record, ':', 3) as target, "
            "is_active from stg_servicenow__relationships order by 1, 3"
        )
        failing = staged.failing()
    assert [tuple(row.values()) for row in rows] == [
        ("cools", "c1", "c2", True),
        ("manages", "c2", "c1", True),
        ("runs on", "a1", "c1", True),
        ("runs on", "a1", "gone", False),
    ]
    # a label of the instance's own is a warning, no failure
    assert failing == ["stg_servicenow__relationships.accepted_values_relationship: 1"]
    model = staged.results["stg_servicenow__relationships"]
    assert model.failed_checks == ()


def test_the_business_application_a_device_names_and_the_group_that_supports_it_are_relations(cmdb: Bench) -> None:
    """No relation table needs to say it: what a device serves gives it its criticality."""
    computers = [
        item(u_primary_business_application="a1", support_group="g1"),
        item(sys_id="c2", u_primary_business_application="a9", support_group="nobody", install_status="7"),
        item(sys_id="c3", u_primary_business_application="a1", install_status="7"),
    ]
    apps = [{"_record_id": "a1", "sys_id": "a1", "name": "App", "support_group": "g1", "owned_by": "u1"}]
    landed = {
        "computers": computers,
        "business_applications": apps,
        "user_groups": [{"_record_id": "g1", "sys_id": "g1", "name": "Wintel"}],
        "users": [{"_record_id": "u1", "sys_id": "u1", "user_name": "jdoe"}],
    }
    with cmdb.staged(landed) as staged:
        rows = staged.rows(
            "select relationship, source_kind, split_part(source_record, ':', 3) as source, "
            "split_part(target_record, ':', 3) as target, is_active from stg_servicenow__relationships order by all"
        )
        assert staged.failing() == []
    assert [tuple(row.values()) for row in rows] == [
        ("manages", "identity", "g1", "a1", True),
        ("manages", "identity", "g1", "c1", True),
        ("owns", "identity", "u1", "a1", True),
        ("runs on", "application", "a1", "c1", True),
        ("runs on", "application", "a1", "c3", False),
    ]


def test_a_group_is_known_by_its_name_and_an_imported_one_in_its_domain(cmdb: Bench) -> None:
    groups = [
        {"sys_id": "g1", "name": "Wintel"},
        {"sys_id": "g2", "name": "DBA", "source": "ldap:CN=DBA,OU=Groups,DC=Corp,DC=example"},
    ]
    with cmdb.staged({"user_groups": [{"_record_id": group["sys_id"], **group} for group in groups]}) as staged:
        rows = staged.rows(
            "select identity_type, sam_account_name, domain from stg_servicenow__identities_groups order by 2"
        )
        assert staged.failing() == []
    assert [tuple(row.values()) for row in rows] == [("group", "DBA", "corp.example"), ("group", "Wintel", None)]


@pytest.mark.parametrize(
    "other",
    [
        {"sys_id": "b", "model.name": "X", "owned_by": {"link": "https://x/api/now/table/sys_user/u1", "value": "u1"}},
        {"sys_id": "b", "model": "X", "owned_by": "u1"},
    ],
)
def test_one_record_that_is_not_flat_in_a_page_of_flat_ones_is_flattened(other: dict[str, Any]) -> None:
    flat = {"sys_id": "a", "model.name": "", "owned_by": None}
    first, second = flattened([flat, other], ("sys_id", "model.name", "owned_by"))
    assert first == flat
    assert (second["model.name"], second["owned_by"]) == ("X", "u1")


@pytest.mark.parametrize("is_tracked", [gc.is_tracked, lambda record: True])
def test_flat_pages_are_handed_on_as_they_came_also_where_every_record_is_tracked(
    is_tracked: Callable[[Any], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python 3.14 and later track every dict: which page is flat must not hang on it."""
    monkeypatch.setattr(gc, "is_tracked", is_tracked)
    flat = [{"sys_id": "a", "owned_by": None}, {"sys_id": "b", "owned_by": "u1"}]
    assert flattened(flat, ("sys_id", "owned_by")) is flat
    nested = [*flat, {"sys_id": "c", "owned_by": {"value": "u2"}}]
    assert [record["owned_by"] for record in flattened(nested, ("sys_id", "owned_by"))] == [None, "u1", "u2"]


@pytest.mark.parametrize("key", ["sys_id", "sys_name"])
def test_records_without_a_key_do_not_hide_those_that_have_one(key: str) -> None:
    assert keys_of([{"sys_id": "b"}, {key: ""}, {key: None}, "no record", {"sys_id": 7}, {"sys_id": "a"}]) == [
        "b",
        "7",
        "a",
    ]
    assert keys_of([{"sys_id": "b"}, {key: None}]) == ["b"]


FLAT = {"sys_id": "b", "model.name": "X", "owned_by": "u1", "text": 'a "model.name": [1]'}


@pytest.mark.parametrize(
    ("record", "stays"),
    [
        (FLAT, True),
        ({**FLAT, "active": True, "count": 5, "parent": None}, True),
        ({**FLAT, "owned_by": {"value": "u1", "link": "https://x/api/now/table/sys_user/u1"}}, False),
        ({"sys_id": "b", "model": {"link": "https://x/m", "display_value": "X"}, "owned_by": "u1"}, False),
        ({"sys_id": "b", "model": "X", "owned_by": "u1", "text": '"model.name":'}, False),
        ({**FLAT, "text": "{braces}"}, False),
        ({**FLAT, "sys_id": ""}, False),
        ({**FLAT, "sys_id": None}, False),
        ({**FLAT, "sys_id": 7}, False),
        ({"model.name": "X"}, False),
        ("no record", False),
        (None, False),
    ],
)
def test_flat_lines_are_handed_on_and_all_others_read_as_a_list_is(record: Any, stays: bool) -> None:
    page = [{"sys_id": "a", "model.name": None, "owned_by": None}, record]
    fields = ("sys_id", "model.name", "owned_by")
    lines = Lines(b"\n".join(map(orjson.dumps, page)), 2)
    records, keys = read(lines, fields)
    assert (records is lines and lines.text is not None) is stays
    assert (list(records), keys) == read(page, fields)


def test_the_number_of_an_application_is_an_id_where_one_instance_counts(cmdb: Bench) -> None:
    """APM0001001 is the first application of every instance; a copy of an instance has its sys_ids too."""

    def application(instance: str, sys_id: str, number: str) -> dict[str, Any]:
        return {"_instance": instance, "_record_id": sys_id, "sys_id": sys_id, "number": number, "name": number}

    rows = [
        application("group", "a" * 32, "APM0001001"),
        application("bought", "b" * 32, "APM0001001"),
        application("group", "c" * 32, "APM0001002"),
        application("copy", "a" * 32, "APM0001001"),
    ]
    with cmdb.staged({"business_applications": rows}) as staged:
        found = staged.rows("select instance, cmdb_id from stg_servicenow__applications order by all")
    assert [(row["instance"], row["cmdb_id"]) for row in found] == [
        ("bought", "b" * 32),
        ("copy", "a" * 32),
        ("group", "APM0001002"),
        ("group", "a" * 32),
    ]
