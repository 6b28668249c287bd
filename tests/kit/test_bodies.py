"""Large bodies read piece by piece: JSON lines (plain, gzip) and XML without entities."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import Iterator
from contextlib import nullcontext

import pytest

from connector_assets.kit import BrokenAnswer, BudgetExceeded, Budgets, UnexpectedContent
from connector_assets.kit.bodies import gunzipped, json_lines, xml_elements
from connector_assets.kit.xml_records import xml_records

from .conftest import Api, OpenApi, Reply, Site

LINES = b"".join(b'{"Id":%d,"text":"a\\nb"}\n' % number for number in range(5000))
BINARY = {"Content-Type": "application/octet-stream"}


def pieces(body: bytes, size: int) -> list[bytes]:
    return [body[at : at + size] for at in range(0, len(body), size)]


@pytest.mark.parametrize(
    "body",
    [LINES, gzip.compress(LINES), gzip.compress(LINES[:100]) + gzip.compress(LINES[100:])],
    ids=["plain", "packed", "packed in two"],
)
def test_lines_are_read_plain_packed_and_packed_in_several_members(site: Site, api: Api, body: bytes) -> None:
    site.replies(Reply(200, body, BINARY))
    assert [record["Id"] for record in api.stream_lines("/blob")] == list(range(5000))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_lines_do_not_depend_on_where_the_pieces_end(size: int) -> None:
    text = b'{"Id":1}\n\n  \r\n{"Id":2}\r\n{"Id":3}'
    packed = gzip.compress(text[:10]) + gzip.compress(text[10:])
    for body in (text, packed):
        found = json_lines(gunzipped(pieces(body, size), 1000, "u"), "u")
        assert [record["Id"] for record in found] == [1, 2, 3]


@pytest.mark.parametrize(
    "body",
    [gzip.compress(LINES)[:-20], LINES[:-5], gzip.compress(LINES) + b"junk", b""],
    ids=["packed", "plain", "junk behind it", "nothing"],
)
def test_a_cut_body_is_no_whole_one(site: Site, api: Api, body: bytes) -> None:
    site.replies(Reply(200, body, BINARY))
    with pytest.raises(BrokenAnswer):
        list(api.stream_lines("/blob?sig=hidden"))


@pytest.mark.parametrize("missing", [1, 4, 8])
def test_an_archive_without_its_last_bytes_is_cut_although_every_line_in_it_is_whole(missing: int) -> None:
    with pytest.raises(BrokenAnswer, match="ends early"):
        list(json_lines(gunzipped([gzip.compress(LINES)[:-missing]], 10**9, "u"), "u"))


def test_a_broken_line_is_named_by_number() -> None:
    with pytest.raises(BrokenAnswer, match="line 2 "):
        list(json_lines([b'{"a":1}\n{"a":\n{"a":3}\n'], "u"))


@pytest.mark.parametrize("lines", [b'{"a":1\n"b":2}\n{"a":3}\n', b'{"a":1},{"a":2}\n{"a":3}\n'])
def test_lines_that_are_json_only_together_are_refused_as_single_ones_are(lines: bytes) -> None:
    with pytest.raises(BrokenAnswer, match="line 1 "):
        list(json_lines([lines], "u"))


def test_a_line_that_is_a_list_gives_its_values_among_others_that_give_one() -> None:
    assert list(json_lines([b'{"a":1}\n[{"a":2},{"a":3}]\n{"a":4}\n'], "u")) == [{"a": n} for n in (1, 2, 3, 4)]


def test_a_web_page_instead_of_lines_is_seen(site: Site, api: Api) -> None:
    site.replies(Reply(200, b"<Error><Code>AuthenticationFailed</Code></Error>", BINARY))
    with pytest.raises(UnexpectedContent):
        list(api.stream_lines("/blob"))


def test_a_packed_bomb_ends_at_the_budget(site: Site, api_of: OpenApi) -> None:
    site.replies(Reply(200, gzip.compress(b"[" * 100_000_000), BINARY))
    api = api_of(settings={"budgets": Budgets(stream_bytes=5_000_000)})
    with pytest.raises(BudgetExceeded):
        list(api.stream_lines("/blob"))


def test_xml_elements_come_one_at_a_time_complete(site: Site, api: Api) -> None:
    body = b"<?xml version='1.0'?><!-- first --><R><H a='1'><ID>1</ID><H><ID>inner</ID></H></H>"
    body += b"<X/><H><ID>2</ID></H></R><!-- last -->"
    site.replies(Reply(200, body, {"Content-Type": "text/xml"}))
    found = list(api.stream_xml("/x", "H"))
    assert [element.findtext("ID") for element in found] == ["1", "2"]
    assert found[0].get("a") == "1"


def test_xml_does_not_depend_on_where_the_pieces_end() -> None:
    body = "<R><H><N>Ünïcode &amp; <![CDATA[<x>]]></N></H><H><N>b</N></H></R>".encode()
    for size in (1, 2, 5):
        assert [e.findtext("N") for e in xml_elements(pieces(body, size), ("H",), "u")] == ["Ünïcode & <x>", "b"]


def test_xml_records_are_what_json_would_have_wherever_the_pieces_end() -> None:
    body = "<R>noise<H>\n <N s='1'>Ünïcode &amp; <![CDATA[<x>]]></N><L><I>1</I></L><T>a</T><T>b</T><E/></H><X/><H>t</H></R>"
    expected = [
        ("H", {"N": "Ünïcode & <x>", "N@s": "1", "L": {"I": ["1"]}, "T": ["a", "b"], "E": None}),
        ("H", "t"),
    ]
    for size in (1, 2, 7, 1000):
        assert list(xml_records(pieces(body.encode(), size), ("H",), "u", frozenset({"I"}))) == expected


def test_xml_records_are_the_outermost_wherever_they_lie_in_the_order_of_the_text() -> None:
    body = b"<R><A><B><H>1</H></B><W>2</W></A><H><H>3</H><W/></H><A/><A><A><W> 4\n</W></A></A><H x='y'/><Z/></R>"
    expected = [("H", "1"), ("W", "2"), ("H", {"H": "3", "W": None}), ("W", "4"), ("H", None)]
    for size in (1, 3, 11, 1000):
        assert list(xml_records(pieces(body, size), ("H", "W"), "u")) == expected


def test_an_xml_record_with_children_has_no_text_and_keeps_the_attributes_beside_them() -> None:
    body = b"<R><H>a<N s='1'>b<I t='2'>c</I>d</N><E u='3'/><!-- no --><T>x<!-- y -->z</T><T v='4'>w</T></H></R>"
    expected = {"N": {"I": "c", "I@t": "2"}, "N@s": "1", "E": None, "E@u": "3", "T": ["xz", "w"], "T@v": "4"}
    for size in (1, 1000):
        assert list(xml_records(pieces(body, size), ("H",), "u")) == [("H", expected)]


def test_nothing_of_xml_is_kept_once_it_was_read() -> None:
    def chunks() -> Iterator[bytes]:
        yield b"<R><L>"
        for number in range(3000):
            yield b"<H><ID>%d</ID></H><X><Y>noise</Y></X>" % number * 20
        yield b"</L></R>"

    tracemalloc.start()
    try:
        assert sum(1 for _ in xml_records(chunks(), ("H",), "u")) == 60_000
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


def test_a_name_for_a_character_is_read_though_what_defines_it_is_never_fetched() -> None:
    body = b'<!DOCTYPE R SYSTEM "https://vendor.example/r.dtd"><R><H>a&nbsp;&eacute;b</H></R>'
    assert list(xml_records([body], ("H",), "u")) == [("H", "a\xa0\xe9b")]
    with pytest.raises(BrokenAnswer, match="undefined entity"):
        list(xml_records([body.replace(b"&nbsp;", b"&secret;")], ("H",), "u"))


@pytest.mark.parametrize("size", [7, 4096, 100_000])
def test_entities_are_refused_however_late_they_are_declared(size: int) -> None:
    body = b"<!-- %b --><!DOCTYPE r [<!ENTITY a 'x'>]><r><H>&a;</H></r>" % (b"-" * 9000).replace(b"--", b"- ")
    with pytest.raises(UnexpectedContent, match="entities"):
        list(xml_records(pieces(body, size), ("H",), "u"))


def test_xml_records_have_a_depth_and_an_end() -> None:
    for inside in (b"<R><H>", b"<H>", b"<R>", b"<R><X/>"):
        with pytest.raises(BrokenAnswer, match="deeper"):
            list(xml_records([inside + b"<a>" * 100_000], ("H",), "u"))
    for levels, is_too_deep in ((198, False), (199, True)):
        whole = b"<R><H>" + b"<a>" * levels + b"</a>" * levels + b"</H></R>"
        with pytest.raises(BrokenAnswer, match="deeper") if is_too_deep else nullcontext():
            list(xml_records([whole], ("H",), "u"))
    for deep in (b"<R>", b"<R><X/><X>"):
        with pytest.raises(BrokenAnswer, match="deeper"):
            list(xml_records([deep + b"<a>" * 300 + b"</a>" * 300 + b"<b/>"], ("H",), "u"))
    with pytest.raises(BrokenAnswer, match="not whole"):
        list(xml_records([b"<R><H><a>1</a></H><H><a>"], ("H",), "u"))


@pytest.mark.parametrize(
    "body",
    [
        b'<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><r><H>&b;</H></r>',
        b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r><H>&x;</H></r>',
        b"<!DOCTYPE html><html><body>Sign in</body></html>",
        b"<html><body>Sign in</body></html>",
    ],
)
def test_entities_and_web_pages_are_refused(site: Site, api: Api, body: bytes) -> None:
    site.replies(Reply(200, body, {"Content-Type": "text/xml"}))
    with pytest.raises(UnexpectedContent):
        list(api.stream_xml("/x", "H"))
    with pytest.raises(UnexpectedContent):
        list(xml_records([body], ("H",), "u"))


def test_a_doctype_that_only_names_itself_is_read_and_nothing_is_fetched(
    site: Site, other_site: Site, api: Api
) -> None:
    body = f'<!DOCTYPE R SYSTEM "{other_site.url}/r.dtd"><R><H/></R>'.encode()
    site.replies(Reply(200, body, {"Content-Type": "text/xml"}))
    assert len(list(api.stream_xml("/x", "H"))) == 1
    assert other_site.asked == []


@pytest.mark.parametrize("body", [b"<R><H><ID>1</ID></H><H>", b"<a>" * 300 + b"</a>" * 300, b"", b"no xml"])
def test_cut_and_bottomless_xml_is_broken(site: Site, api: Api, body: bytes) -> None:
    site.replies(Reply(200, body, {"Content-Type": "text/xml"}))
    with pytest.raises(BrokenAnswer):
        list(api.stream_xml("/x", "H"))
