"""Rapid7 InsightVM over real HTTP: the cloud's cursors and a console's page numbers, landed as the same streams."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from connector_assets import registry
from connector_assets.kit.budgets import Allowance
from connector_assets.rapid7.cloud import findings_of
from connector_assets.rapid7.console import BY_ID_MOST, has_next, places, rank
from connector_assets.rapid7.streams import finding_records, names_of, vulnerability_record
from demo_estate.lenses import rapid7 as lens
from demo_estate.lenses.rapid7.records import UNDOCUMENTED, has_agent
from exposure_pipelines.landing.sync import run_sync

from .microsoft import TODAY, Bench, bench, holds, manifest, states

ASSETS, VULNERABILITIES = "POST /vm/v4/integration/assets", "POST /vm/v4/integration/vulnerabilities"
V3_ASSETS, V3_FINDINGS = "GET /api/3/assets", "GET /api/3/assets/{asset}/vulnerabilities"
V3_TAGS, V3_TAGGED = "GET /api/3/tags", "GET /api/3/tags/{tag}/assets"
V3_LIST, V3_ONE = "GET /api/3/vulnerabilities", "GET /api/3/vulnerabilities/{vulnerability}"
STREAMS = ("assets", "findings", "vulnerabilities")


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds the connector would have slept, without sleeping them."""
    slept: list[float] = []
    monkeypatch.setattr(Allowance, "pause", lambda self, seconds: slept.append(seconds))
    return slept


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with bench("rapid7", tmp_path, monkeypatch, devices=200) as found:
        yield found


@pytest.fixture
def console(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with bench("rapid7", tmp_path, monkeypatch, devices=200, api="console") as found:
        yield found


@pytest.fixture(params=["cloud", "console"])
def either(request: pytest.FixtureRequest) -> Bench:
    found: Bench = request.getfixturevalue(request.param)
    return found


# Cloud ---------------------------------------------------------------------------------------------------------------


def test_the_cloud_is_read_with_the_calls_it_needs_and_no_others(cloud: Bench) -> None:
    report = cloud.sync()
    assert states(report) == dict.fromkeys(STREAMS, "complete")
    assert [m.records for m in report.streams] == [133, 2758, 236]
    assert not any(m.rejected or m.field_issues or m.duplicates for m in report.streams)
    # a hundred ids fit into one criterion
    assert cloud.requests() == Counter({ASSETS: 1, VULNERABILITIES: 3})
    assert cloud.service.journal.problems == []


def test_the_cursor_alone_ends_a_search(cloud: Bench) -> None:
    """The last page of assets is full and has a cursor: what comes after it is empty and has none."""
    found = manifest(cloud.sync("assets", page_size=19), "assets")
    assert (found.state, found.records) == ("complete", 133)
    assert cloud.requests()[ASSETS] == 133 // 19 + 1


@pytest.mark.parametrize(("size", "calls"), [(200, 1), (100, 2), (133, 2), (20, 7)])
def test_every_size_of_page_gives_every_asset_once(cloud: Bench, size: int, calls: int) -> None:
    found = manifest(cloud.sync("assets", page_size=size), "assets")
    assert (found.records, found.duplicates, cloud.requests()[ASSETS]) == (133, 0, calls)


def test_a_cursor_given_out_twice_ends_the_search(cloud: Bench) -> None:
    cloud.estate.fault({"route": ASSETS, "fault": "repeat_cursor", "after": 2})
    found = manifest(cloud.sync("assets", page_size=20), "assets")
    assert (found.state, found.proves_absence) == ("partial", False)
    assert "same cursor twice" in (found.reason or "")


def test_remediated_findings_of_the_window_come_with_the_others(cloud: Bench) -> None:
    cloud.sync()
    with cloud.staged() as staged:
        counts = {
            row["status"]: row["n"]
            for row in staged.rows("select status, count(*) as n from stg_rapid7__findings group by 1")
        }
        oldest = staged.one("select min(fixed_at) from stg_rapid7__findings")
    assert counts["fixed"] > 300
    assert counts["open"] > 1000
    assert 60 < (TODAY - oldest.date()).days <= 91


def test_without_a_comparison_there_is_nothing_remediated(cloud: Bench) -> None:
    cloud.sync(remediated=False)
    with cloud.staged() as staged:
        words = {row["status"] for row in staged.rows("select distinct status from stg_rapid7__findings")}
    assert words == {"open"}


def test_findings_of_before_and_since_are_both_there(cloud: Bench) -> None:
    """Compared with the window's start: what was there then is `same`, what came since is `new`."""
    compared = cloud.sync("findings")
    with cloud.staged() as staged:
        first = staged.one("select count(*) from stg_rapid7__findings where status = 'open'")
    cloud.sync("findings", remediated=False)
    with cloud.staged() as staged:
        second = staged.one("select count(*) from stg_rapid7__findings where status = 'open'")
    assert states(compared)["findings"] == "complete"
    assert first == second


def test_both_criteria_travel_in_fields_of_their_own(cloud: Bench) -> None:
    cloud.sync("assets", "findings", "vulnerabilities", vulnerability_filter="severity IN ['Critical']")
    with cloud.staged() as staged:
        words = {row["severity"] for row in staged.rows("select distinct severity from stg_rapid7__findings")}
    assert words == {"critical"}


def test_a_criterion_that_is_not_understood_is_said(cloud: Bench) -> None:
    found = manifest(cloud.sync("assets", asset_filter="colour = blue"), "assets")
    assert found.state == "failed"
    assert "Your query string format is not valid" in (found.reason or "")
    assert "asset_filter" in (found.reason or "")


def test_the_whole_catalogue_is_read_by_option(cloud: Bench) -> None:
    found = manifest(cloud.sync("vulnerabilities", catalogue="all", vulnerability_page_size=100), "vulnerabilities")
    assert (found.state, found.records > 240) == ("complete", True)
    assert cloud.requests()[VULNERABILITIES] == 3


def test_vulnerabilities_without_a_document_are_counted(either: Bench) -> None:
    found = manifest(either.sync(), "vulnerabilities")
    (note,) = found.notes
    assert note.startswith("1 of ")
    assert found.state == "complete"


def test_a_full_page_without_metadata_may_not_be_all(cloud: Bench) -> None:
    cloud.estate.fault({"route": ASSETS, "fault": "drop_key", "key": "metadata", "nth": 1})
    found = manifest(cloud.sync("assets", page_size=50), "assets")
    assert (found.state, found.records, found.proves_absence) == ("partial", 50, False)
    assert "without metadata" in (found.reason or "")


def test_pages_in_another_order_are_the_same_estate(cloud: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cursor alone says where to go on: the order of a page's records means nothing."""
    honest = lens.paged

    def shuffled(*arguments: Any) -> Any:
        page = honest(*arguments)
        return Backwards(page)

    monkeypatch.setattr(lens, "paged", shuffled)
    found = manifest(cloud.sync("assets", page_size=20), "assets")
    assert (found.state, found.records, found.duplicates, cloud.requests()[ASSETS]) == ("complete", 133, 0, 7)


class Backwards(list[str]):
    """A page whose records come in reverse, its last key still being the one the cursor is made of."""

    def __iter__(self) -> Iterator[str]:
        return super().__reversed__()


@pytest.mark.parametrize("fault", [500, 503, "truncate", "cut", "reset"])
def test_a_search_that_fails_is_repeated_since_it_starts_nothing(cloud: Bench, fault: Any) -> None:
    cloud.estate.fault({"route": ASSETS, "fault": fault, "nth": 1})
    assert manifest(cloud.sync("assets"), "assets").state == "complete"
    assert cloud.requests()[ASSETS] == 2


def test_throttling_is_waited_out(cloud: Bench, no_waiting: list[float]) -> None:
    cloud.estate.fault({"route": ASSETS, "fault": 429, "retry_after": 30, "nth": 1})
    assert manifest(cloud.sync("assets"), "assets").state == "complete"
    assert no_waiting == [30]


def test_the_gateways_minute_is_named_with_what_helps(cloud: Bench) -> None:
    cloud.estate.fault({"route": ASSETS, "fault": 504, "always": True})
    report = cloud.sync("assets")
    assert manifest(report, "assets").state == "failed"
    assert "lower the option page_size" in (manifest(report, "assets").reason or "")
    assert report.retry_later


def test_the_streams_after_a_failed_one_are_not_called_complete(cloud: Bench) -> None:
    cloud.estate.fault({"route": ASSETS, "fault": 504, "always": True})
    assert set(states(cloud.sync()).values()) & {"complete"} == set()


def test_answers_without_data_are_no_empty_estate(cloud: Bench) -> None:
    cloud.estate.fault({"route": ASSETS, "fault": "drop_key", "key": "data", "always": True})
    assert manifest(cloud.sync("assets"), "assets").state == "failed"


# Console -------------------------------------------------------------------------------------------------------------


def test_a_console_is_asked_once_an_asset_that_has_something(console: Bench) -> None:
    report = console.sync()
    assert states(report) == dict.fromkeys(STREAMS, "complete")
    assert [m.records for m in report.streams] == [133, 1752, 226]
    assert not any(m.rejected or m.field_issues or m.duplicates for m in report.streams)
    assert console.requests() == Counter({V3_TAGS: 1, V3_TAGGED: 4, V3_ASSETS: 1, V3_FINDINGS: 112, V3_ONE: 227})
    assert console.service.journal.problems == []


def test_a_consoles_pages_end_without_a_link_and_not_beyond(console: Bench) -> None:
    """A page beyond the last one is answered with 404: it must not be asked for."""
    found = manifest(console.sync("assets", page_size=19), "assets")
    assert (found.state, found.records, console.requests()[V3_ASSETS]) == ("complete", 133, 7)
    assert not [status for status in console.service.journal.statuses if status.endswith("404")]


@pytest.mark.parametrize("refused", [403, 404])
def test_a_console_that_does_not_tell_its_tags_still_tells_its_assets(console: Bench, refused: int) -> None:
    console.estate.fault({"route": V3_TAGS, "fault": refused, "always": True})
    report = console.sync("assets")
    found = manifest(report, "assets")
    assert (found.state, found.records) == ("complete", 133)
    assert any("criticality" in note for note in found.notes)


def test_criticality_tags_are_not_asked_for_where_that_is_not_wished(console: Bench) -> None:
    console.sync("assets", criticality_tags=False)
    assert console.requests() == Counter({V3_ASSETS: 1})
    with console.staged() as staged:
        assert staged.one("select count(criticality) from stg_rapid7__devices") == 0


def test_of_several_criticality_tags_the_highest_counts_and_others_are_no_criticality() -> None:
    assert sorted(
        [{"name": "Low"}, {"name": "Odd"}, {"name": "very high"}, {"name": None}, {"name": "Medium"}], key=rank
    ) == [{"name": "very high"}, {"name": "Medium"}, {"name": "Low"}, {"name": "Odd"}, {"name": None}]


def test_links_to_the_consoles_own_name_are_not_followed(console: Bench) -> None:
    """They name a host this machine may not know: pages are counted instead, and no foreign host is asked."""
    assert manifest(console.sync("assets", page_size=50), "assets").records == 133


def test_assets_removed_while_they_are_read_make_the_list_partial(console: Bench) -> None:
    console.service.state["removed_on_page"] = {2: 30}
    found = manifest(console.sync("assets", page_size=40), "assets")
    assert (found.state, found.proves_absence) == ("partial", False)
    assert "removed records" in (found.reason or "")


def test_a_page_that_is_gone_is_the_end_and_no_failure(console: Bench) -> None:
    console.service.state["removed_on_page"] = {3: 60}
    found = manifest(console.sync("assets", page_size=40), "assets")
    assert (found.state, found.records) == ("partial", 120)


def test_the_same_page_again_ends_the_list(console: Bench) -> None:
    console.estate.fault({"route": V3_ASSETS, "fault": "repeat_cursor", "after": 1})
    found = manifest(console.sync("assets", page_size=40), "assets")
    assert found.state == "partial"
    assert "sent the same one again" in (found.reason or "")


def test_an_asset_gone_before_its_findings_were_read_is_no_failure(console: Bench) -> None:
    console.estate.fault({"route": V3_FINDINGS, "fault": 404, "nth": 5})
    found = manifest(console.sync("findings"), "findings")
    assert found.state == "complete"
    assert found.notes == ["an asset was removed while findings were read"]


def test_many_vulnerabilities_are_read_from_the_whole_list(console: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list is some hundred calls; asking one by one is as many as there are vulnerabilities."""
    assert BY_ID_MOST == 300
    monkeypatch.setattr("connector_assets.rapid7.console.BY_ID_MOST", 10)
    found = manifest(console.sync(vulnerability_page_size=100), "vulnerabilities")
    assert (found.state, found.records) == ("complete", 226)
    assert console.requests()[V3_LIST] == 3
    assert console.requests()[V3_ONE] == 0


def test_what_was_not_found_is_no_finding() -> None:
    found = {
        "id": "v",
        "status": "vulnerable",
        "results": [{"status": "not-vulnerable", "port": 1}, {"status": "vulnerable"}],
    }
    assert [p["port"] for p in places({"last_seen": "2026-01-01"}, found)] == [None]
    assert len(list(places({}, {"id": "v", "status": "vulnerable", "results": []}))) == 1


@pytest.mark.parametrize(
    ("answer", "page", "number", "expected"),
    [
        ({"links": [{"rel": "next"}]}, {}, 0, True),
        ({"links": [{"rel": "first"}, {"rel": "last"}]}, {"totalPages": 9}, 0, False),
        ({"links": [{"rel": "self"}]}, {"totalPages": 2}, 0, True),
        ({}, {"totalPages": 2}, 1, False),
        ({}, {}, 0, False),
    ],
)
def test_the_end_is_the_missing_link_or_the_number_of_pages(
    answer: dict[str, Any], page: dict[str, Any], number: int, expected: bool
) -> None:
    assert has_next(answer, page, number) is expected


def test_a_consoles_user_is_never_shown_to_the_cloud(console: Bench) -> None:
    """Without base_url the connector's own address, the cloud's, would be asked."""
    connection = console.connection().model_copy(update={"base_url": ""})
    report = run_sync(connection, registry.load("rapid7"), console.home, console.lake)
    assert "needs the address of the console" in (manifest(report, "assets").reason or "")
    assert report.streams[0].requests == 0


# Both ----------------------------------------------------------------------------------------------------------------


def test_secrets_lie_nowhere_on_disk(either: Bench) -> None:
    either.sync()
    assert holds(either.home.root, *either.service.credentials.values()) == []


def test_permissions_are_proved_in_two_calls(either: Bench) -> None:
    assert all(result.ok for result in either.check().values())
    assert sum(either.requests().values()) == 2


def test_a_wrong_credential_fails_with_advice(either: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("API_KEY", "PASSWORD"):
        monkeypatch.setenv(f"ESTATE_RAPID7_CLOUD_{name}", "wrong-credential")
    reason = manifest(either.sync("assets"), "assets").reason or ""
    assert "401" in reason
    assert "Unauthorized" in reason
    assert "check the key" in reason
    assert "wrong-credential" not in reason


def test_a_console_needs_a_user() -> None:
    with pytest.raises(ValueError, match="username is required"):
        registry.load("rapid7").options(api="console")


def test_a_sign_in_page_is_no_empty_estate(either: Bench) -> None:
    either.estate.fault({"route": "*assets", "fault": "html", "always": True})
    assert manifest(either.sync("assets"), "assets").state == "failed"


# Records -------------------------------------------------------------------------------------------------------------


def test_a_finding_keeps_its_id_while_its_place_stays() -> None:
    one = {"vulnerability_id": "v", "port": 443, "key": "", "proof": "<p>long</p>", "last_found": "2026-01-01"}
    same, other = {**one, "last_found": "2026-02-01"}, {**one, "port": 8443}
    records = [*finding_records("a", "open", [one, same, other])]
    assert records[0]["id"] == records[1]["id"] != records[2]["id"]
    assert "proof" not in records[0]


def test_a_finding_named_as_remediated_and_as_open_stays_open() -> None:
    finding = {"vulnerability_id": "v"}
    assert [state for state, _ in findings_of({"same": [finding], "remediated": [finding], "new": None})] == [
        "fixed",
        "open",
    ]


@pytest.mark.parametrize(
    ("cves", "expected"),
    [("CVE-2024-1,CVE-2024-2", 2), ("", 0), (None, 0), (["CVE-2024-1"], 1), (" CVE-2024-1 , ", 1)],
)
def test_cves_are_a_list_however_they_are_written(cves: Any, expected: int) -> None:
    assert len(vulnerability_record({"id": "v", "cves": cves})["cve_ids"]) == expected


def test_a_vulnerability_is_named_once_whatever_stands_in_the_place_of_an_id() -> None:
    told = ["v", "v", None, "", 7]
    assert names_of([{"vulnerability_id": name} for name in told]) == {"v", 7}
    assert names_of([{"vulnerability_id": name} for name in [*told, ["w"], {}]]) == {"v", "7", "['w']"}
    assert names_of([{}]) == set()


@pytest.mark.parametrize(("exploits", "expected"), [([{"id": 1}], 1), ([], 0), (3, 3), (None, None)])
def test_exploits_are_counted_or_a_count(exploits: Any, expected: Any) -> None:
    assert vulnerability_record({"exploits": exploits})["exploit_count"] == expected


# Staging -------------------------------------------------------------------------------------------------------------


def test_staging_gives_exact_columns_and_passes_its_tests(either: Bench) -> None:
    either.sync()
    with either.staged() as staged:
        assert staged.columns_differ() == []
        assert staged.failing() == []
        # a row without a title would be a finding nobody can act on
        assert staged.one("select count(*) from stg_rapid7__findings where title is null") == 0


@pytest.mark.parametrize("kind", ["device", "application"])
def test_every_record_is_in_the_answer_key_under_its_record_id(either: Bench, kind: str) -> None:
    either.sync("assets")
    with either.staged() as staged:
        rows = staged.rows(f"select record_id from stg_rapid7__{kind}s")
    key = [answer.record_id for answer in either.estate.answer_key().rows() if answer.kind == kind]
    assert sorted(row["record_id"] for row in rows) == sorted(key)


def test_a_host_known_by_its_address_alone_makes_no_asset(either: Bench) -> None:
    either.sync("assets")
    with either.staged() as staged:
        update = {
            row["record_id"]
            for row in staged.rows("select record_id from stg_rapid7__devices where authority = 'update'")
        }
    blind = {a.record_id: a.truth_id for a in either.estate.answer_key().rows() if "ip_only_scan" in a.tags}
    assert update == set(blind)
    assert set(blind.values()) == {""}


def test_staged_values_are_what_the_truth_says(either: Bench) -> None:
    either.sync("assets")
    truth = either.service.truth
    key = {answer.record_id: answer for answer in either.estate.answer_key().rows()}
    is_console = either.service.instance.options.get("api") == "console"
    with either.staged() as staged:
        rows = staged.rows("select * from stg_rapid7__devices where len(agent_ids) > 0")
    checked = 0
    for row in rows:
        answer = key[row["record_id"]]
        device = truth.device(int(answer.truth_id.removeprefix("dev-")))
        if answer.tags & {"generic_name", "short_name", "ambiguous_short_name", "rebuilt_host"}:
            continue
        assert (row["smbios_uuid"] or "").lower() == (device.smbios_uuid or "")
        cards = [mac.upper() for mac in device.macs]
        assert row["mac_addresses"] == (sorted(set(cards)) if is_console else cards[:1])
        assert row["fqdns"] == ([device.fqdn] if device.fqdn else [])
        assert row["criticality"] == device.criticality
        assert row["agent_ids"] == [f"rapid7_agent={truth.agent_id('rapid7', device.index)}"]
        info = orjson.loads(row["properties"])["rapid7AssetInfo"]
        assert info["consoleAssetId"] == str(1 + 2 * device.index + device.generation)
        checked += 1
    assert checked > 30


def test_a_rebuilt_machine_is_listed_under_both_agents(either: Bench) -> None:
    either.sync("assets")
    truth = either.service.truth
    twice = [i for i in either.service.device_indexes() if truth.device(i).generation and has_agent(truth, i)]
    with either.staged() as staged:
        rows = staged.rows(
            "select properties->'rapid7AssetInfo'->>'consoleAssetId' as id, agent_ids[1] as agent from stg_rapid7__devices"
        )
    agents = {row["id"]: row["agent"] for row in rows}
    assert twice
    for index in twice:
        assert agents[str(1 + 2 * index)] != agents[str(2 + 2 * index)]


def test_one_vulnerability_at_two_places_is_two_findings(either: Bench) -> None:
    either.sync()
    with either.staged() as staged:
        two = staged.one(
            """select count(*) from (
                select asset_record, cve_id from stg_rapid7__findings
                where contains(evidence->>'path', 'jre8') group by all having count(*) = 2)"""
        )
        bare = staged.rows("select distinct title from stg_rapid7__findings where cve_id is null order by 1")
        severities = {row["severity"] for row in staged.rows("select distinct severity from stg_rapid7__findings")}
    assert two > 0
    assert [row["title"] for row in bare] == [UNDOCUMENTED, "ssl-self-signed-certificate"]
    assert {"critical", "high", "medium"} <= severities


def test_cves_carry_score_and_exploit(either: Bench) -> None:
    either.sync()
    truth = {cve.cve_id: cve for cve in either.service.truth.cve_catalogue}
    with either.staged() as staged:
        rows = staged.rows("select * from stg_rapid7__vulnerabilities")
    assert len(rows) > 200
    for row in rows:
        assert row["cvss_score"] >= truth[row["cve_id"]].cvss
        assert row["published_at"] is not None
        if truth[row["cve_id"]].exploit_available:
            assert row["exploit_available"]


def test_unknown_and_missing_fields_do_not_matter(cloud: Bench) -> None:
    """An id is all that must be there; what comes as null, or as something nobody has heard of, changes nothing."""
    records: list[dict[str, Any]] = [
        {"id": "a"},
        {"id": "b", "host_name": None, "unique_identifiers": None, "tags": None, "mac": "", "ip": "10.0.0.1"},
        {"id": "c", "host_name": "10.0.0.2", "ip": "10.0.0.2", "tags": [{"name": "Odd", "type": "CRITICALITY"}]},
        {"id": "d", "host_name": "vm-d", "unique_identifiers": [{"id": None, "source": None}, {"id": "x"}]},
    ]
    with cloud.staged({"assets": [{"_record_id": r["id"], **r} for r in records]}) as staged:
        rows = {row["record_id"]: row for row in staged.rows("select * from stg_rapid7__devices")}
        assert staged.failing() == []
    assert {name: row["authority"] for name, row in rows.items()} == {
        "a": "update",
        "b": "update",
        "c": "update",
        "d": "create",
    }
    assert [row["criticality"] for row in rows.values()] == [None] * 4
    # the address that stands for a missing name names nothing
    assert (rows["c"]["hostnames"], rows["c"]["fqdns"], rows["c"]["ip_addresses"]) == ([], [], ["10.0.0.2"])


@pytest.mark.parametrize(
    ("source", "believed"), [("CSPRODUCT", True), ("dmidecode", True), ("WQL", True), ("Endpoint Agent", False)]
)
def test_only_the_firmwares_uuid_is_one(cloud: Bench, source: str, believed: bool) -> None:
    """Anything may come in the form of a UUID, and two machines must not be one by it."""
    uuid = "4C4C4544-0033-5710-8054-C4C04F564432"
    asset = {"_record_id": "a", "id": "a", "unique_identifiers": [{"id": uuid, "source": source}]}
    with cloud.staged({"assets": [asset]}) as staged:
        (row,) = staged.rows("select * from stg_rapid7__devices")
    assert row["smbios_uuid"] == (uuid if believed else None)


@pytest.mark.parametrize("word", ["Very High", "High", "Medium", "Low", "Very Low"])
def test_the_criticality_tag_is_the_criticality(cloud: Bench, word: str) -> None:
    tags = [{"name": "London", "type": "LOCATION"}, {"name": word, "type": "CRITICALITY"}]
    with cloud.staged({"assets": [{"_record_id": "a", "id": "a", "tags": tags}]}) as staged:
        (row,) = staged.rows("select * from stg_rapid7__devices")
    assert row["criticality"] == {"Very High": 0, "High": 1, "Medium": 2, "Low": 3, "Very Low": 3}[word]
    assert orjson.loads(row["properties"])["rapid7AssetInfo"]["tags"][1]["name"] == word


def test_staging_runs_with_nothing_landed(cloud: Bench) -> None:
    with cloud.staged() as staged:
        assert {result.rows for result in staged.results.values()} == {0}
        assert staged.columns_differ() == []
