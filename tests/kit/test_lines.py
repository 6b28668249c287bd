"""Records that stay as the vendor wrote them: the same values as ever, and whatever is odd is parsed as ever."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector_assets.kit import Api, BrokenAnswer, Lines, UnexpectedContent, next_link_pages
from connector_assets.kit.bodies import json_line_pages, json_lines
from connector_assets.kit.lines import Absent, with_lines
from tests.kit.conftest import Reply, Site

PATH = ("value",)
JSON = {"Content-Type": "application/json"}


def lines(*records: bytes) -> Lines:
    return Lines(b"\n".join(records), len(records))


def test_what_nobody_looks_at_is_what_came() -> None:
    answer = with_lines(b'{"next":"x","value":[{"a": 1.10},{"b":"\\u00e9\\/"}, 5,null]}', PATH)
    assert answer is None, "a space after one comma alone is not looked into"
    answer = with_lines(b' {"next":"x","value":[{"a": 1.10},{"b":"\\u00e9\\/"},5,null],"count":4}\n', PATH)
    assert {**answer, "value": ...} == {"next": "x", "value": ..., "count": 4}
    assert isinstance(answer["value"], Lines)
    assert answer["value"].text == b'{"a": 1.10}\n{"b":"\\u00e9\\/"}\n5\nnull'
    assert len(answer["value"]) == 4


def test_after_a_look_it_is_a_list_that_may_be_changed() -> None:
    found = lines(b'{"a":1}', b'{"a":2}')
    found[0]["a"] = 3
    assert found.text is None, "the lines are not what the records are"
    assert found == [{"a": 3}, {"a": 2}]
    assert found[1:] == [{"a": 2}]
    assert [record["a"] for record in found] == [3, 2]


def test_a_record_left_empty_is_found_without_a_look() -> None:
    for found, is_there in ((lines(b"null"), True), (lines(b"{}", b"null"), True), (lines(b'{"a":null}'), False)):
        assert (None in found) is is_there
        assert found.text is not None
    assert {"a": None} in lines(b'{"a":null}')


@pytest.mark.parametrize(
    "body",
    [
        b'{"value":[]}',
        b'{"value":null}',
        b'{"value":{"a":1}}',
        b'{"other":[{"a":1}]}',
        b'[{"a":1}]',
        b"5",
        b"",
        b'{"value":[{"a":1}',
        b'{"value":[{"a":1}]}}',
        b'{"value":[{"a":1}]}\x0c',
        b'\xef\xbb\xbf{"value":[{"a":1}]}',
        json.dumps({"value": [{"a": 1}, {"a": 2}]}, indent=1).encode(),
        b'{"value":[{"a":\n1}]}',
        b'{"value":[{"a":\r1}]}',
        b'{"value":[{"a":"\t"}]}',
        b'{"value":[{"a":NaN}]}',
        b'{"value":[{"a":"\xff"}]}',
        b'{"value":[{"a":"\xed\xa0\x80"}]}',
        b'{"value":[{"a":1}],"x":"\xff"}',
        b'{"value":[{"a":"\\ud800"}]}',
        b'{"value":[{"a":01}]}',
        b'{"value":[{"a":1,"a":2}]}',
        b'{"value":[{"x":[{"a":1,"a":2}]}]}',
        b'{"value":[' + b"[" * 100_000 + b"]" * 100_000 + b"]}",
        b'{"value":[{"a":1}],"value":[]}',
        b'{"value":[{"a":1}],"value":[{"a":1}]}',
        b'{"other":[{"a":1}],"value":[{"a":1}]}',
        b'{"other":[{"a":1},2],"value":[{"a":1}]}',
    ],
)
def test_what_is_out_of_the_ordinary_is_parsed_as_ever(body: bytes) -> None:
    assert with_lines(body, PATH) is None


@pytest.mark.parametrize(
    "body",
    [
        b'{"value":[{"a":1}],"other":[{"a":1}]}',
        b'{"value":[],"value":[{"a":1}]}',
        b'{"value":[1],"x":"[1]"}',
        b'{"value":[1, 2, 3]}',
        b'{"value":[[1],[1],[1]],"x":[[1],[1],[1]]}',
        b'{"value":["a,b","\\n",",",""]}',
        b'{"value":[12345678901234567890123,1e2,-0]}',
    ],
)
def test_twins_of_the_list_and_odd_values_do_not_lead_astray(body: bytes) -> None:
    answer = with_lines(body, PATH)
    assert isinstance(answer["value"], Lines)
    assert answer == orjson.loads(body)


small = st.recursive(
    st.sampled_from([1, None, "", "[1]", ",", 'a"b', "é", "\u2028", True, 0.5]),
    lambda inside: (
        st.lists(inside, max_size=3) | st.dictionaries(st.sampled_from(["value", "a", "x"]), inside, max_size=3)
    ),
    max_leaves=12,
)


@given(small, st.lists(small, max_size=4), st.booleans(), st.sampled_from([(",", ":"), (", ", ": "), (",", ": ")]))
def test_an_answer_has_the_same_value_with_lines_as_without(
    rest: Any, records: list[Any], is_ascii: bool, separators: tuple[str, str]
) -> None:
    for whole in (
        {"x": rest, "value": records, "a": rest},
        {"x": records, "value": records},
        {"value": rest, "a": records},
    ):
        body = json.dumps(whole, ensure_ascii=is_ascii, separators=separators).encode()
        answer = with_lines(body, PATH)
        assert answer is None or answer == whole
    body = json.dumps({"a": {"x": rest, "value": records}, "x": records}, separators=separators).encode()
    answer = with_lines(body, ("a", "value"))
    assert answer is None or answer == orjson.loads(body)
    assert answer is not None or not records or json.dumps(records[0]) in json.dumps(rest)


def test_an_answer_that_is_the_list_itself() -> None:
    answer = with_lines(b'[{"a":1},\t{"a":2}]', ())
    assert answer.text == b'{"a":1}\n{"a":2}'


class Seen(msgspec.Struct):
    at: int
    Id: Absent = msgspec.UNSET


def test_a_glance_tells_some_members_and_leaves_the_lines() -> None:
    found = lines(b'{"id":"a","at":5}', b'{"at" : 6}')
    glanced = found.glance(Seen)
    assert glanced is not None
    assert [one.at for one in glanced] == [5, 6]
    assert found.text is not None
    for odd in (
        b'{"at":"5"}',
        b'{"at":null}',
        b"{}",
        b"null",
        b'[{"at":5}]',
        b'{"at":5,"Id":"x"}',
        b'{"at":5,"Id":null}',
    ):
        assert lines(b'{"at":5}', odd).glance(Seen) is None
    list(found)
    assert found.glance(Seen) is None, "they may have been changed"


def test_a_member_put_first_is_one_more() -> None:
    found = lines(b'{"a":1}', b'{"a":"x,y"}').with_first("id", ['q"', "é"])
    assert found.text == '{"id":"q\\"","a":1}\n{"id":"é","a":"x,y"}'.encode()


def test_an_error_in_place_of_the_records_stays_one(site: Site, api: Api) -> None:
    site.replies({"error": {"code": "Denied"}})
    with pytest.raises(UnexpectedContent, match="Denied"):
        list(next_link_pages(api, "/items", as_lines=True))
    site.replies(Reply(200, b"<html>sign in</html>", {"Content-Type": "text/html"}))
    with pytest.raises(UnexpectedContent, match="text/html"):
        list(next_link_pages(api, "/items", as_lines=True))


def test_a_cut_page_of_lines_is_asked_for_again(site: Site, api: Api) -> None:
    site.replies(Reply(200, b'{"value":[{"a":1},{"a"', JSON), Reply(200, b'{"value":[{"a":1},{"a":2}]}', JSON))
    (page,) = next_link_pages(api, "/items", as_lines=True)
    assert isinstance(page.records, Lines)
    assert page.records == [{"a": 1}, {"a": 2}]
    assert len(site.asked) == 2


def test_records_are_lists_where_nobody_said_that_they_are_only_handed_on(site: Site, api: Api) -> None:
    site.replies(Reply(200, b'{"value":[{"a":1}]}', JSON))
    (page,) = next_link_pages(api, "/items")
    assert page.records == [{"a": 1}]
    assert isinstance(page.records, list)


@pytest.mark.parametrize(
    ("body", "are_lines"),
    [
        (b'{"a":1}\n{"a":2}\n', True),
        (b'{"a":1}\n{"a":2}\n{"a":3}', True),
        (b'{"a":1}', True),
        (b'{"a":1}\n\n{"a":2}', False),
        (b'{"a":1}\r\n{"a":2}\r\n', False),
        (b'{"a":1}\n[{"a":2},{"a":3}]\n', False),
        (b'[{"a":2},{"a":3}]\n{"a":1}', False),
        (b'{"a":1} \n{"a":2}', False),
        (b'{"a":"\xff"}\n{"a":2}', False),
        (b'{"a":1,"a":2}\n{"a":2}', False),
        (b'\xef\xbb\xbf{"a":1}\n{"a":2}', False),
    ],
)
def test_lines_of_json_are_pages_of_lines(body: bytes, are_lines: bool) -> None:
    first, *_ = pages = list(json_line_pages([body], "where"))
    assert isinstance(first, Lines) is are_lines
    assert [record for page in pages for record in page] == list(json_lines([body], "where"))


def test_records_before_a_broken_line_are_kept() -> None:
    kept = []
    pages = json_line_pages([b'{"a":1}\n{"a":2}\n{"a":', b"3\n"], "where")
    with pytest.raises(BrokenAnswer, match="line 3 "):
        kept.extend(record for page in pages for record in page)
    assert kept == [{"a": 1}, {"a": 2}]
    pages = json_line_pages([b'{"a":1}\n{"a"\n{"a":3}\n'], "where")
    assert next(pages) == [{"a": 1}]
    with pytest.raises(BrokenAnswer, match="line 2 "):
        next(pages)
