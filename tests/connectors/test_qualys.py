"""Qualys over real HTTP: XML that ends in the address of its next part, refusals by code, three inventories as one."""

from __future__ import annotations

import base64
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import requests

from connector_assets import registry
from connector_assets.kit import UnexpectedContent
from connector_assets.kit.budgets import Allowance
from connector_assets.kit.xml_records import xml_records
from connector_assets.qualys.csam import cloud_of as csam_cloud_of
from connector_assets.qualys.fo import LISTS
from connector_assets.qualys.streams import detection_records, entry_record, host_record
from demo_estate.kit import keyset_slice
from demo_estate.lenses import qualys as lens
from demo_estate.lenses.qualys import USER, markup
from demo_estate.lenses.qualys.records import DEFAULT_SCORE, FIRST_ASSET, UNPUBLISHED, has_agent, is_unscanned

from .microsoft import TODAY, Bench, bench, holds, manifest, states

HOSTS, DETECTIONS = "GET /api/{version}/fo/asset/host/", "GET /api/{version}/fo/asset/host/vm/detection/"
KNOWLEDGE_BASE = "/api/{version}/fo/knowledge_base/vuln/"
HOST_ASSETS, CSAM, SIGN_IN = "POST /qps/rest/2.0/search/am/hostasset", "POST /rest/2.0/search/am/asset", "POST /auth"


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds the connector would have slept, without sleeping them."""
    slept: list[float] = []
    monkeypatch.setattr(Allowance, "pause", lambda self, seconds: slept.append(seconds))
    return slept


@pytest.fixture
def qualys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with bench("qualys", tmp_path, monkeypatch, devices=200) as found:
        yield found


def element(text: str) -> Any:
    ((_, found),) = xml_records([text.encode()], (text[1 : text.index(">")],), "test", LISTS)
    return found


# Pulling -------------------------------------------------------------------------------------------------------------


def test_every_stream_is_complete_with_the_calls_it_needs_and_no_others(qualys: Bench) -> None:
    report = qualys.sync()
    assert set(states(report).values()) == {"complete"}
    assert not any(m.rejected or m.field_issues or m.duplicates for m in report.streams)
    assert manifest(report, "hosts").records > 110
    assert qualys.requests() == Counter(
        {
            HOSTS: 1,
            DETECTIONS: 1,
            f"POST {KNOWLEDGE_BASE}": 1,
            HOST_ASSETS: 2,
            SIGN_IN: 1,
            CSAM: 1,
        }
    )
    assert qualys.service.journal.problems == []


def test_lists_go_on_where_the_warning_says_on_the_own_address(qualys: Bench) -> None:
    """The platform writes its own host into the address; it is called on the configured one."""
    one = manifest(qualys.sync("hosts"), "hosts")
    report = qualys.sync("hosts", "detections", truncation_limit=40)
    assert manifest(report, "hosts").records == one.records == 122
    assert qualys.requests()[HOSTS] == 1 + 4
    found = manifest(report, "detections")
    assert (found.state, found.duplicates) == ("complete", 0)
    assert qualys.requests()[DETECTIONS] > 2


@pytest.mark.parametrize("version", ["2.0", "3.0", "4.0"])
def test_a_warning_without_an_address_is_no_next_page(qualys: Bench, version: str) -> None:
    """Versions near their end say so in a WARNING, before or after the one that goes on."""
    report = qualys.sync(
        "hosts",
        "detections",
        "knowledge_base",
        host_version=version,
        detection_version=version,
        knowledge_base_version="3.0",
        truncation_limit=60,
    )
    assert set(states(report).values()) == {"complete"}
    assert manifest(report, "hosts").records == 122
    assert qualys.requests()[HOSTS] == 3


def test_a_list_without_hosts_is_an_empty_one(qualys: Bench) -> None:
    report = qualys.sync("detections", "knowledge_base", detection_parameters={"id_min": "99999999"})
    assert manifest(report, "detections").records == 0
    assert manifest(report, "detections").state == "complete"
    # nothing was detected, so nothing is asked
    assert manifest(report, "knowledge_base").state == "complete"
    assert not [name for name in qualys.requests() if KNOWLEDGE_BASE in name]


def test_fixed_detections_of_the_window_are_asked_for(qualys: Bench) -> None:
    qualys.sync("hosts", "detections", "knowledge_base")
    with qualys.staged() as staged:
        fixed, oldest = staged.one("select count(*), min(fixed_at) from stg_qualys__findings where status = 'fixed'")
        words = {row["s"] for row in staged.rows("select distinct evidence->>'state' as s from stg_qualys__findings")}
    assert fixed > 100
    assert 60 < (TODAY - oldest.date()).days <= 91
    assert words == {"New", "Active", "Re-Opened", "Fixed"}


def test_the_knowledge_base_is_asked_for_what_was_detected(qualys: Bench) -> None:
    report = qualys.sync("detections", "knowledge_base")
    found = manifest(report, "knowledge_base")
    assert found.notes == ["1 of 241 checks have no entry in the knowledge base"]
    # a long list of ids is posted: in an address it is answered with 414
    assert [name for name in qualys.requests() if KNOWLEDGE_BASE in name] == [f"POST {KNOWLEDGE_BASE}"]


def test_a_few_ids_go_into_the_address(qualys: Bench) -> None:
    qualys.sync("detections", "knowledge_base", detection_parameters={"id_min": "2400390"})
    assert [name for name in qualys.requests() if KNOWLEDGE_BASE in name] == [f"GET {KNOWLEDGE_BASE}"]


def test_the_whole_knowledge_base_is_one_call_without_a_limit(qualys: Bench) -> None:
    """A truncation_limit would be refused with 400, as any other parameter it does not know."""
    found = manifest(qualys.sync("detections", "knowledge_base", knowledge_base="all"), "knowledge_base")
    assert found.state == "complete"
    assert found.records > 241
    assert qualys.requests()[f"GET {KNOWLEDGE_BASE}"] == 1


def test_the_knowledge_base_can_be_asked_with_a_token_at_the_gateway(qualys: Bench) -> None:
    found = manifest(qualys.sync("detections", "knowledge_base", knowledge_base_auth="bearer"), "knowledge_base")
    assert (found.state, found.records) == ("complete", 240)
    assert qualys.requests()[SIGN_IN] == 1


def test_a_knowledge_base_of_any_size_is_read_in_flat_memory() -> None:
    def chunks(entries: int) -> Iterator[bytes]:
        yield b'<?xml version="1.0"?><!-- trial //--><X><RESPONSE><VULN_LIST>'
        for number in range(entries):
            text = b"x" * 20_000
            yield b"<VULN><QID>%d</QID><DIAGNOSIS><![CDATA[%s]]></DIAGNOSIS></VULN>" % (number, text)
        yield b"</VULN_LIST></RESPONSE></X>"

    tracemalloc.start()
    count = sum(1 for _, entry in xml_records(chunks(3000), ("VULN",), "test", LISTS) if entry_record(entry)["QID"])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 3000
    assert peak < 2_000_000  # of 60 MB


# Refusals ------------------------------------------------------------------------------------------------------------


def test_the_password_travels_in_utf8_and_lies_nowhere(qualys: Bench) -> None:
    password = qualys.service.credentials["password"]
    assert not password.isascii()
    with pytest.raises(UnicodeEncodeError):
        requests.get(qualys.service.base_url + "/msp/about.php", auth=(USER, "Ω"), timeout=30)
    report = qualys.sync()
    assert set(states(report).values()) == {"complete"}
    basic = base64.b64encode(f"{USER}:{password}".encode()).decode()
    assert holds(qualys.home.root, password, basic, *qualys.service.tokens.values()) == []


def test_an_answer_may_take_ten_minutes_to_begin(qualys: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list of many hosts takes longer than what other vendors' answers are given."""
    waited: list[float] = []
    sent = requests.Session.send

    def send(session: Any, prepared: Any, **how: Any) -> Any:
        waited.append(how["timeout"][1])
        return sent(session, prepared, **how)

    monkeypatch.setattr(requests.Session, "send", send)
    qualys.sync("hosts")
    assert set(waited) == {600}
    # a person who asks whether the connection works is not kept so long
    waited.clear()
    qualys.check()
    assert set(waited) == {120}


def test_the_required_header_is_sent(qualys: Bench) -> None:
    answer = requests.get(
        f"{qualys.service.base_url}/api/5.0/fo/asset/host/?action=list",
        headers={
            "Authorization": "Basic "
            + base64.b64encode(f"{USER}:{qualys.service.credentials['password']}".encode()).decode()
        },
        timeout=30,
    )
    assert (answer.status_code, "X-Requested-With" in answer.text) == (400, True)
    assert manifest(qualys.sync("hosts"), "hosts").state == "complete"


def test_a_wrong_password_fails_with_the_vendors_words_and_advice(
    qualys: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ESTATE_QUALYS_PROD_PASSWORD", "wrong-password")
    report = qualys.sync()
    assert set(states(report).values()) <= {"failed", "skipped"}
    reason = manifest(report, "hosts").reason or ""
    assert "2000 Bad Login/Password" in reason
    assert "API access" in reason
    assert "wrong-password" not in reason


@pytest.mark.parametrize("stream", ["hosts", "detections"])
def test_too_many_calls_are_waited_out_as_long_as_the_header_says(
    qualys: Bench, no_waiting: list[float], stream: str
) -> None:
    route = HOSTS if stream == "hosts" else DETECTIONS
    headers = {"X-RateLimit-ToWait-Sec": "17", "X-RateLimit-Remaining": "0"}
    qualys.estate.fault({"route": route, "fault": 409, "nth": [1, 2], "headers": headers})
    found = manifest(qualys.sync(stream), stream)
    assert found.state == "complete"
    assert no_waiting == [17, 17]
    assert qualys.requests()[route] == 3


def test_a_wait_without_its_header_is_read_from_the_text(qualys: Bench, no_waiting: list[float]) -> None:
    qualys.service.state["refusals"] = [
        (409, 1965, "This API cannot be run again for another 23 seconds."),
        (409, 1960, "This API cannot be run again until 1 currently running instance has finished."),
        (200, 1965, "This API cannot be run again for another 5 seconds."),
    ]
    assert manifest(qualys.sync("hosts"), "hosts").state == "complete"
    assert no_waiting == [23, 15, 5]


def test_throttling_in_the_middle_of_a_list_goes_on_at_its_place(qualys: Bench, no_waiting: list[float]) -> None:
    qualys.estate.fault({"route": HOSTS, "fault": 409, "nth": 3})
    found = manifest(qualys.sync("hosts", truncation_limit=40), "hosts")
    assert (found.state, found.records, found.duplicates) == ("complete", 122, 0)
    assert no_waiting == [23]


def test_throttling_that_never_ends_ends_the_stream(qualys: Bench) -> None:
    qualys.estate.fault({"route": HOSTS, "fault": 409, "always": True})
    report = qualys.sync("hosts")
    assert manifest(report, "hosts").state == "failed"
    assert "1965" in (manifest(report, "hosts").reason or "")
    assert report.retry_later
    assert qualys.requests()[HOSTS] == 21


def test_a_wait_longer_than_allowed_is_left_to_the_next_sync(qualys: Bench, no_waiting: list[float]) -> None:
    headers = {"X-RateLimit-ToWait-Sec": "3000"}
    qualys.estate.fault({"route": HOSTS, "fault": 409, "always": True, "headers": headers})
    report = qualys.sync("hosts")
    assert (manifest(report, "hosts").state, report.retry_later, no_waiting) == ("failed", True, [])
    assert qualys.requests()[HOSTS] == 1


@pytest.mark.parametrize(
    ("status", "code", "text"),
    [
        (409, 2003, "Registration must be completed before API requests will be served."),
        (409, 2012, "User license is not authorized to run this API."),
        (200, 2001, "This account has expired."),
    ],
)
def test_a_refusal_for_good_is_not_waited_for(
    qualys: Bench, no_waiting: list[float], status: int, code: int, text: str
) -> None:
    qualys.service.state["refusals"] = [(status, code, text)]
    report = qualys.sync("hosts")
    reason = manifest(report, "hosts").reason or ""
    assert manifest(report, "hosts").state == "failed"
    assert str(code) in reason
    assert text.rstrip(".") in reason
    assert "Asset View" in reason
    assert (no_waiting, qualys.requests()[HOSTS], report.retry_later) == ([], 1, False)


@pytest.mark.parametrize("status", [404, 410])
def test_a_version_that_has_ended_is_told_as_such(qualys: Bench, status: int) -> None:
    """Which of the two the vendor answers with is not verified."""
    qualys.estate.fault({"route": HOSTS, "fault": status, "always": True})
    found = manifest(qualys.sync("hosts", host_version="2.0"), "hosts")
    assert found.state == "failed"
    assert "options *_version" in (found.reason or "")


def test_a_parameter_the_vendor_does_not_know_is_said(qualys: Bench) -> None:
    reason = manifest(qualys.sync("hosts", host_parameters={"colour": "blue"}), "hosts").reason or ""
    assert "1901" in reason
    assert "colour" in reason


@pytest.mark.parametrize("fault", ["truncate", "cut", "reset"])
def test_xml_that_breaks_off_is_asked_for_again(qualys: Bench, fault: str) -> None:
    qualys.estate.fault({"route": HOSTS, "fault": fault, "nth": 1})
    found = manifest(qualys.sync("hosts"), "hosts")
    assert (found.state, found.records) == ("complete", 122)
    assert qualys.requests()[HOSTS] == 2


def test_xml_that_stays_broken_is_no_complete_list(qualys: Bench) -> None:
    qualys.estate.fault({"route": HOSTS, "fault": "truncate", "always": True})
    found = manifest(qualys.sync("hosts"), "hosts")
    assert found.state in ("failed", "partial")
    assert not found.proves_absence


def test_a_web_page_is_no_empty_list(qualys: Bench) -> None:
    qualys.estate.fault({"route": HOSTS, "fault": "html", "always": True})
    found = manifest(qualys.sync("hosts"), "hosts")
    assert found.state == "failed"
    assert "web page" in (found.reason or "")


def test_xml_of_something_else_is_no_empty_list(qualys: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every answer has its date, an empty one too: without it somebody else has answered."""
    monkeypatch.setattr(markup, "output", lambda *_: "<?xml version='1.0'?><portal><welcome/></portal>")
    for stream in ("hosts", "detections"):
        found = manifest(qualys.sync(stream), stream)
        assert (found.state, found.proves_absence) == ("failed", False)
        assert "neither records nor the name of a list" in (found.reason or "")


def test_an_address_given_out_twice_ends_the_list(qualys: Bench) -> None:
    qualys.estate.fault({"route": HOSTS, "fault": "repeat_cursor", "after": 2})
    found = manifest(qualys.sync("hosts", truncation_limit=30), "hosts")
    assert found.state == "partial"
    assert not found.proves_absence


# Host assets and CSAM ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("notation", ["json", "xml"])
def test_host_assets_are_read_in_either_notation(qualys: Bench, notation: str) -> None:
    qualys.service.state["qps_format"] = notation
    found = manifest(qualys.sync("host_assets", host_assets_page=50), "host_assets")
    assert (found.state, found.records, found.rejected, found.field_issues) == ("complete", 123, 0, 0)
    assert qualys.requests()[HOST_ASSETS] == 3
    with qualys.staged() as staged:
        software = staged.one("select count(*) from stg_qualys__relationships")
        agents = staged.one("select count(*) from stg_qualys__devices where len(agent_ids) = 1")
        broken = staged.one("select count(*) from stg_qualys__devices where contains(agent_ids[1], chr(10))")
    assert (software > 300, agents > 60, broken) == (True, True, 0)


def test_assets_in_another_order_are_the_same_estate(qualys: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last id is the vendor's to name: the order within a page means nothing, nor does what is no record."""
    honest = lens.host_asset
    monkeypatch.setattr(lens, "keyset_slice", lambda *given: Backwards(keyset_slice(*given)))
    found = manifest(qualys.sync("host_assets", host_assets_page=50), "host_assets")
    assert (found.state, found.records, found.duplicates) == ("complete", 123, 0)
    monkeypatch.setattr(lens, "host_asset", lambda view, entry: "?" if entry.device % 9 == 0 else honest(view, entry))
    broken = manifest(qualys.sync("host_assets", host_assets_page=50), "host_assets")
    assert broken.rejected > 0
    assert not broken.proves_absence


class Backwards(list[int]):
    """A page whose records come in reverse; its last id is still the last one."""

    def __getitem__(self, place: Any) -> Any:
        found = super().__getitem__(place)
        return found[::-1] if isinstance(place, slice) else found


def test_an_error_inside_http_200_is_no_empty_estate(qualys: Bench) -> None:
    qualys.service.state["qps_error"] = ("INVALID_REQUEST", "The request is not valid.")
    found = manifest(qualys.sync("host_assets"), "host_assets")
    assert found.state == "failed"
    assert "INVALID_REQUEST inside HTTP 200: The request is not valid." in (found.reason or "")


def test_a_missing_right_to_host_assets_leaves_the_rest(qualys: Bench) -> None:
    qualys.service.state["qps_error"] = ("UNAUTHORIZED", "You are not authorized.")
    report = qualys.sync()
    assert states(report)["host_assets"] == "skipped"
    assert states(report)["hosts"] == "complete"
    assert qualys.check()["asset management"].message.startswith("not granted, and optional")


def test_csam_ends_at_204_as_well_as_at_its_mark(qualys: Bench) -> None:
    """A last page that is full still says that there is more; what comes then is HTTP 204 without a body."""
    found = manifest(qualys.sync("csam_assets", csam_page=42), "csam_assets")
    assert (found.state, found.records) == ("complete", 84)
    assert qualys.requests()[CSAM] == 3
    assert qualys.service.journal.statuses[f"{CSAM} 204"] == 1


def test_a_token_that_ends_in_mid_pull_is_bought_again(qualys: Bench) -> None:
    qualys.estate.fault({"route": CSAM, "fault": "expire_tokens", "nth": 2})
    found = manifest(qualys.sync("csam_assets", csam_page=42), "csam_assets")
    assert (found.state, found.records) == ("complete", 84)
    assert qualys.requests()[SIGN_IN] == 2


def test_blank_rate_limit_headers_are_none(qualys: Bench, no_waiting: list[float]) -> None:
    blank = {"x-ratelimit-limit": "", "x-ratelimit-remaining": "", "x-ratelimit-reset": ""}
    qualys.estate.fault({"route": CSAM, "fault": 429, "nth": 1, "headers": blank})
    assert manifest(qualys.sync("csam_assets"), "csam_assets").state == "complete"
    assert len(no_waiting) == 1
    assert no_waiting[0] < 2


def test_csam_without_a_licence_or_an_address_is_left_out(qualys: Bench) -> None:
    without = qualys.sync("csam_assets", gateway_url="")
    qualys.service.state["no_csam"] = True
    unlicensed = qualys.sync("csam_assets")
    assert (states(without), states(unlicensed)) == ({"csam_assets": "skipped"}, {"csam_assets": "skipped"})
    assert "gateway_url" in (manifest(without, "csam_assets").reason or "")


def test_the_gateway_never_sees_the_users_basic_header(qualys: Bench) -> None:
    """The emulated gateway refuses Basic, so a complete stream proves that the token was sent instead."""
    assert manifest(qualys.sync("csam_assets"), "csam_assets").state == "complete"
    assert qualys.requests()[SIGN_IN] == 1


def test_permissions_are_proved_cheaply(qualys: Bench) -> None:
    assert all(result.ok for result in qualys.check().values())
    assert sum(qualys.requests().values()) == 6


def test_a_gateway_needs_an_address_and_a_bearer_needs_a_gateway() -> None:
    options = registry.load("qualys").options
    with pytest.raises(ValueError, match="needs gateway_url"):
        options(username="u", knowledge_base_auth="bearer")
    with pytest.raises(ValueError, match="https"):
        options(username="u", gateway_url="http://gateway.example")


# Records -------------------------------------------------------------------------------------------------------------


def test_an_attribute_stands_beside_its_element() -> None:
    record = element('<D><QDS severity="HIGH">78</QDS><EMPTY/></D>')
    assert record == {"QDS": "78", "QDS@severity": "HIGH", "EMPTY": None}


def test_text_is_taken_out_of_its_white_space_and_a_list_of_one_is_a_list() -> None:
    """As recorded answers are laid out: CDATA on lines of its own, one CVE, an attribute on the score."""
    entry = entry_record(
        element(
            "<VULN>\n <QID>11830</QID>\n <TITLE>\n  <![CDATA[A <b>header</b>]]>\n </TITLE>\n <CVE_LIST><CVE>"
            "<ID>\n<![CDATA[CVE-2022-31629]]>\n</ID></CVE></CVE_LIST>\n <DIAGNOSIS><![CDATA[long]]></DIAGNOSIS>\n"
            '<CVSS><BASE source="service">5.4</BASE></CVSS>\n<THREAT_INTELLIGENCE><THREAT_INTEL id="8">\n'
            "<![CDATA[No_Patch]]></THREAT_INTEL></THREAT_INTELLIGENCE></VULN>"
        )
    )
    assert (entry["QID"], entry["TITLE"], entry["cves"]) == ("11830", "A <b>header</b>", ["CVE-2022-31629"])
    assert (entry["cvss_base"], entry["cvss_v3_base"], entry["threats"], entry["exploits"]) == (
        "5.4",
        None,
        ["No_Patch"],
        0,
    )
    assert "DIAGNOSIS" not in entry


def test_a_dtd_is_named_and_never_fetched_and_entities_are_refused() -> None:
    body = '<!DOCTYPE X SYSTEM "http://127.0.0.1:1/never.dtd"{0}><X><HOST><ID>{1}</ID></HOST></X>'
    assert list(xml_records([body.format("", "7").encode()], ("HOST",), "test")) == [("HOST", {"ID": "7"})]
    with pytest.raises(UnexpectedContent, match="entities"):
        list(xml_records([body.format(' [<!ENTITY e "boom">]', "&e;").encode()], ("HOST",), "test"))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("AWS", {"provider": "aws"}),
        ("", None),
        (None, None),
        ({"aws": {"tags": [], "ec2": {"instanceId": "i-1", "accountId": "1"}}, "azure": None}, ("aws", "i-1", "1")),
        ({"azure": {"vm": {"vmId": "v", "subscriptionId": "s"}}}, ("azure", "v", "s")),
        ({"aws": None, "gcp": {}}, None),
    ],
)
def test_the_cloud_of_csam_is_an_object_or_a_name(given: Any, expected: Any) -> None:
    if isinstance(expected, tuple):
        expected = dict(zip(("provider", "instance_id", "account_id"), expected, strict=True))
    assert csam_cloud_of(given) == expected


@pytest.mark.parametrize("tags", [1, 2])
def test_one_tag_and_many_are_a_list(tags: int) -> None:
    text = "<HOST><ID>1</ID><TAGS>" + "<TAG><NAME>a</NAME></TAG>" * tags + "</TAGS></HOST>"
    assert len(host_record(element(text))["TAGS"]["TAG"]) == tags


def test_a_detection_without_a_number_of_its_own_is_told_by_its_place() -> None:
    text = (
        "<HOST><ID>7</ID><DETECTION_LIST><DETECTION><QID>38170</QID><PORT>443</PORT><PROTOCOL>tcp</PROTOCOL></DETECTION>"
        "<DETECTION><QID>38170</QID><PORT>8443</PORT><PROTOCOL>tcp</PROTOCOL></DETECTION></DETECTION_LIST></HOST>"
    )
    assert [r["id"] for r in detection_records(element(text))] == ["7-38170-443-tcp-0-0", "7-38170-8443-tcp-0-0"]


def test_metadata_that_failed_to_read_is_not_believed() -> None:
    attribute = "<ATTRIBUTE><NAME>{0}</NAME><LAST_STATUS>{1}</LAST_STATUS><VALUE>{2}</VALUE></ATTRIBUTE>"
    ec2 = "latest/dynamic/instance-identity/document/"
    text = "<HOST><ID>1</ID><METADATA><EC2>{}{}{}</EC2></METADATA></HOST>".format(
        attribute.format(ec2 + "instanceId", "Success", "i-1"),
        attribute.format(ec2 + "accountId", "Fail", "old"),
        attribute.format("name", "Success", "null"),
    )
    assert host_record(element(text))["cloud"] == {"instance_id": "i-1"}


# Staging -------------------------------------------------------------------------------------------------------------


def test_staging_gives_exact_columns_and_passes_its_tests(qualys: Bench) -> None:
    qualys.sync()
    with qualys.staged() as staged:
        assert staged.columns_differ() == []
        assert staged.failing() == []


@pytest.mark.parametrize("kind", ["device", "application"])
def test_every_record_is_in_the_answer_key_under_its_record_id(qualys: Bench, kind: str) -> None:
    qualys.sync()
    with qualys.staged() as staged:
        rows = staged.rows(f"select record_id from stg_qualys__{kind}s")
    key = [answer.record_id for answer in qualys.estate.answer_key().rows() if answer.kind == kind]
    assert sorted(row["record_id"] for row in rows) == sorted(key)


def test_a_host_known_by_its_address_alone_makes_no_asset(qualys: Bench) -> None:
    qualys.sync()
    with qualys.staged() as staged:
        update = {
            row["record_id"]
            for row in staged.rows("select record_id from stg_qualys__devices where authority = 'update'")
        }
    blind = {a.record_id: a.truth_id for a in qualys.estate.answer_key().rows() if "ip_only_scan" in a.tags}
    assert update == set(blind)
    assert set(blind.values()) == {""}


def test_staged_values_are_what_the_truth_says(qualys: Bench) -> None:
    qualys.sync()
    truth = qualys.service.truth
    key = {answer.record_id: answer for answer in qualys.estate.answer_key().rows()}
    with qualys.staged() as staged:
        rows = staged.rows("select * from stg_qualys__devices where len(agent_ids) > 0")
    checked = 0
    for row in rows:
        answer = key[row["record_id"]]
        device = truth.device(int(answer.truth_id.removeprefix("dev-")))
        if answer.tags & {"generic_name", "short_name", "rebuilt_host"}:
            continue
        assert row["smbios_uuid"] == device.smbios_uuid
        assert row["serial_number"] == device.serial
        assert row["mac_addresses"] == sorted(set(device.macs))
        assert row["hostnames"] == [device.hostname]
        assert row["fqdns"] == ([device.fqdn] if device.fqdn else [])
        assert row["cloud_instance_id"] == (device.cloud.instance_id if device.cloud else None)
        assert row["cloud_provider"] == (device.cloud.provider if device.cloud else None)
        assert row["cloud_account_id"] == (device.cloud.account_id if device.cloud else None)
        assert row["criticality"] == (None if device.index % 4 == 0 else device.criticality)
        if row["cloud_resource_id"]:
            assert device.cloud is not None
            assert row["cloud_resource_id"].lower() == device.cloud.resource_id.lower()
        assert set(device.ips) <= set(row["ip_addresses"])
        checked += 1
    assert checked > 50


@pytest.mark.parametrize("asked", [True, False])
def test_criticality_of_a_host_without_an_agent_comes_with_trurisk_or_not_at_all(qualys: Bench, asked: bool) -> None:
    truth = qualys.service.truth
    qualys.sync("hosts", show_trurisk=asked)
    with qualys.staged() as staged:
        rows = staged.rows("select record_id, criticality, properties from stg_qualys__devices")
    checked = 0
    for row in rows:
        device = truth.device((int(row["record_id"]) - FIRST_ASSET) // 2)
        score = (5 - device.criticality if device.index % 4 else DEFAULT_SCORE) if asked else None
        assert row["criticality"] == (None if score is None else min(5 - score, 3))
        assert orjson.loads(row["properties"])["qualysAssetInfo"]["criticalityScore"] == score
        checked += not has_agent(truth, device.index)
    assert checked > 20


def test_findings_reach_the_asset_even_of_a_host_that_is_not_listed(qualys: Bench) -> None:
    """A host purged between two calls, or a sync of detections alone: the detection names the asset itself."""
    qualys.sync("detections")
    with qualys.staged() as staged:
        alone = {row["asset_record"] for row in staged.rows("select distinct asset_record from stg_qualys__findings")}
    qualys.sync()
    with qualys.staged() as staged:
        listed = {row["asset_record"] for row in staged.rows("select distinct asset_record from stg_qualys__findings")}
        devices = {row["record"] for row in staged.rows("select record from stg_qualys__devices")}
    assert alone == listed <= devices
    assert len(listed) > 100


HOST = {"ID": "5", "IP": "10.0.0.5", "NETBIOS": "PC5", "last_seen": "2026-11-20T00:00:00Z"}


@pytest.mark.parametrize(
    ("hosts", "assets", "expected"),
    [
        ([{"ASSET_ID": "91"}], [], ["91"]),
        ([{"ASSET_ID": None}], [{"id": "91", "qwebHostId": "5"}], ["91"]),
        ([{"ASSET_ID": "91"}], [{"id": "92", "qwebHostId": "5"}], ["91"]),
        ([{"ASSET_ID": None}], [{"id": "92", "qwebHostId": None}], ["92", "host-5"]),
        ([{"ASSET_ID": "91"}, {"ID": "6", "ASSET_ID": "91", "last_seen": "2026-11-22T00:00:00Z"}], [], ["91"]),
    ],
)
def test_hosts_and_assets_are_joined_by_what_either_says_of_the_other(
    qualys: Bench, hosts: list[dict[str, Any]], assets: list[dict[str, Any]], expected: list[str]
) -> None:
    listed = [{**HOST, **host} for host in hosts]
    with qualys.staged(
        {
            "hosts": [{"_record_id": host["ID"], **host} for host in listed],
            "host_assets": [{"_record_id": asset["id"], **asset} for asset in assets],
            "detections": [{"_record_id": "d", "id": "d", "HOST_ID": host["ID"], "QID": "1"} for host in listed[:1]],
        }
    ) as staged:
        rows = staged.rows("select * from stg_qualys__devices order by length(record_id)")
        (finding,) = staged.rows("select asset_record from stg_qualys__findings")
        assert staged.failing() == []
    assert [row["record_id"] for row in rows] == expected
    assert finding["asset_record"] == f"qualys:test:{expected[-1]}"
    if len(hosts) == 2:
        assert orjson.loads(rows[0]["properties"])["qualysAssetInfo"]["hostId"] == "6"


def test_an_asset_nobody_scanned_is_a_device_of_its_own(qualys: Bench) -> None:
    qualys.sync()
    truth = qualys.service.truth
    unscanned = [i for i in qualys.service.device_indexes() if is_unscanned(truth, i)]
    with qualys.staged() as staged:
        rows = staged.rows(
            "select * from stg_qualys__devices where (properties->'$.qualysAssetInfo'->>'hostId') is null"
        )
    assert {row["record_id"] for row in rows} == {str(FIRST_ASSET + 2 * i) for i in unscanned}
    assert len(rows) == len(unscanned) > 0
    assert {row["cloud_instance_id"] for row in rows} == {
        cloud.instance_id for i in unscanned if (cloud := truth.device(i).cloud)
    }
    assert {row["stream"] for row in rows} == {"host_assets"}


def test_business_applications_that_csam_tells_run_on_their_machines(qualys: Bench) -> None:
    """A machine that the host list knows too is one device; words that rate nothing rate nothing."""
    shop = {"id": "B-1", "name": "Shop", "businessCriticality": "1 - most critical"}
    rows = [
        {"_record_id": "11", "assetId": "11", "hostId": "5", "businessAppListData": {"businessApp": [shop]}},
        {
            "_record_id": "12",
            "assetId": "12",
            "businessAppListData": {
                "businessApp": [{**shop, "name": "Old"}, {"id": "B-2", "name": "Blog", "businessCriticality": "low"}]
            },
        },
        {"_record_id": "13", "assetId": "13", "businessAppListData": {"businessApp": [{"name": "no id"}]}},
    ]
    hosts = [{"_record_id": "5", "ID": "5", "ASSET_ID": "11"}]
    with qualys.staged({"csam_assets": rows, "hosts": hosts}) as staged:
        apps = staged.rows("select record, name, application_type, criticality from stg_qualys__applications_business")
        edges = staged.rows("select relationship, source_record, target_record from stg_qualys__relationships_business")
        devices = {row["record"] for row in staged.rows("select record from stg_qualys__devices")}
        assert staged.failing() == []
    one, two = "qualys:test:business-B-1", "qualys:test:business-B-2"
    assert sorted(tuple(row.values()) for row in apps) == [
        (one, "Shop", "business_application", 0),
        (two, "Blog", "business_application", None),
    ]
    assert sorted(tuple(row.values()) for row in edges) == [
        ("runs on", one, "qualys:test:11"),
        ("runs on", one, "qualys:test:12"),
        ("runs on", two, "qualys:test:12"),
    ]
    assert {row["target_record"] for row in edges} <= devices


def test_a_rebuilt_machine_keeps_both_agents_apart(qualys: Bench) -> None:
    qualys.sync("hosts")
    truth = qualys.service.truth
    with qualys.staged() as staged:
        agents = {
            row["record_id"]: row["agent_ids"][0]
            for row in staged.rows("select record_id, agent_ids from stg_qualys__devices where len(agent_ids) > 0")
        }
    twice = [i for i in qualys.service.device_indexes() if truth.device(i).generation and has_agent(truth, i)]
    assert twice
    for index in twice:
        assert agents[str(FIRST_ASSET + 2 * index)] != agents[str(FIRST_ASSET + 2 * index + 1)]


def test_a_check_without_cves_or_without_an_entry_is_still_a_finding(qualys: Bench) -> None:
    qualys.sync()
    with qualys.staged() as staged:
        bare = staged.rows("select distinct title, cve_id from stg_qualys__findings where cve_id is null order by 1")
        several = staged.one(
            "select max(n) from (select count(*) as n from stg_qualys__findings group by instance, page, row_number)"
        )
        severities = {row["severity"] for row in staged.rows("select distinct severity from stg_qualys__findings")}
    assert [row["title"] for row in bare] == ["Check 38173", f"QID {UNPUBLISHED}"]
    assert several > 1
    assert severities == {"critical", "high", "medium", "low"}


def test_cves_carry_score_and_exploit_but_no_epss(qualys: Bench) -> None:
    qualys.sync("detections", "knowledge_base")
    truth = {cve.cve_id: cve for cve in qualys.service.truth.cve_catalogue}
    with qualys.staged() as staged:
        rows = staged.rows("select * from stg_qualys__vulnerabilities")
    assert len(rows) > 200
    for row in rows:
        assert row["epss_score"] is None
        assert row["cvss_score"] >= truth[row["cve_id"]].cvss
        if truth[row["cve_id"]].exploit_available:
            assert row["exploit_available"]


def test_staging_runs_with_nothing_landed(qualys: Bench) -> None:
    with qualys.staged() as staged:
        assert {result.rows for result in staged.results.values()} == {0}
        assert staged.columns_differ() == []


def test_unknown_and_missing_fields_do_not_matter(qualys: Bench) -> None:
    """As an older version answers: no asset id, no split name, one date; and a field nobody has heard of."""
    record = host_record(
        element("<HOST><ID>5</ID><IP>10.0.0.5</IP><NETBIOS>OLD</NETBIOS><NEW_THING><A>1</A></NEW_THING></HOST>")
    )
    record = {"_record_id": "5", **{k: v for k, v in record.items() if k != "NEW_THING"}}
    with qualys.staged({"hosts": [record]}) as staged:
        (row,) = staged.rows("select * from stg_qualys__devices")
    assert (row["record_id"], row["netbios_name"], row["authority"]) == ("host-5", "OLD", "create")
    assert orjson.loads(row["properties"])["qualysAssetInfo"]["hostId"] == "5"
