"""Paging: the vendor's own end mark, no page twice, no loop without end, no error taken for an empty estate."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest

from connector_assets.kit import (
    BadRequest,
    Page,
    RepeatedCursor,
    RetryLater,
    UnexpectedContent,
    cursor_pages,
    keyset_pages,
    link_header_pages,
    odata_pages,
    offset_pages,
    xml_continuation,
)

from .conftest import SECRET, Api, Asked, OpenApi, Reply, Site


def ids(pages: Iterator[Page]) -> list[Any]:
    return [record["id"] for page in pages for record in page.records]


def test_odata_follows_links_with_the_same_headers_through_an_empty_page(site: Site, api_of: OpenApi) -> None:
    def answer(asked: Asked) -> Any:
        number = int(asked.query.get("$skiptoken", "0"))
        value = [] if number == 1 else [{"id": number}]
        link = {} if number == 2 else {"@odata.nextLink": f"https://graph.test/v1.0/users?$skiptoken={number + 1}"}
        return {"value": value, **link}

    site.answer = answer
    api = api_of(known_hosts=("graph.test",))
    pages = list(odata_pages(api, "/v1.0/users", {"$top": 999}, {"ConsistencyLevel": "eventual"}))
    assert [len(page.records) for page in pages] == [1, 0, 1]
    assert [asked.headers.get("consistencylevel") for asked in site.asked] == ["eventual"] * 3
    assert [asked.query for asked in site.asked] == [{"$top": "999"}, {"$skiptoken": "1"}, {"$skiptoken": "2"}]
    assert all(page.cursor is None or "=1" not in page.cursor for page in pages)


def test_a_repeated_link_is_an_error_and_no_loop(site: Site, api: Api) -> None:
    site.answer = lambda asked: {"value": [{"id": 1}], "@odata.nextLink": f"{site.url}/x?$skiptoken=a"}
    with pytest.raises(RepeatedCursor):
        ids(odata_pages(api, "/x"))
    assert len(site.asked) == 2


def test_an_error_inside_a_success_is_not_an_empty_collection(site: Site, api: Api) -> None:
    site.replies({"error": {"code": "Oops", "message": "timed out"}}, {"value": {"id": 1}}, {"value": None})
    with pytest.raises(UnexpectedContent, match="Oops timed out"):
        list(odata_pages(api, "/x"))
    with pytest.raises(UnexpectedContent, match="'value'"):
        list(odata_pages(api, "/x"))
    assert ids(odata_pages(api, "/x")) == []


def test_words_of_an_error_inside_a_success_are_masked(site: Site, api: Api) -> None:
    site.replies({"error": f"the key {SECRET} is over its limit"})
    with pytest.raises(UnexpectedContent, match="over its limit") as caught:
        list(odata_pages(api, "/x"))
    assert SECRET not in str(caught.value)


def test_a_status_that_means_empty_counts_on_the_first_page_only(site: Site, api: Api) -> None:
    site.replies(Reply(404, {}))
    assert ids(odata_pages(api, "/x", empty_on=(404,))) == []
    site.replies({"value": [{"id": 1}], "@odata.nextLink": f"{site.url}/x?a=1"}, Reply(404, {}))
    with pytest.raises(Exception, match="HTTP 404"):
        ids(odata_pages(api, "/x", empty_on=(404,)))


def keyset(site: Site, api: Api, table: list[str], size: int = 2) -> Iterator[Page]:
    def answer(asked: Asked) -> Any:
        rows = [row for row in table if row > asked.query.get("after", "")]
        return {"result": [{"id": row} for row in rows[:size]]}

    site.answer = answer
    return keyset_pages(
        api, lambda last: api.get("/t", {"after": last} if last else None)["result"], lambda record: record["id"]
    )


def test_keyset_reads_to_the_first_empty_page(site: Site, api: Api) -> None:
    assert ids(keyset(site, api, ["a", "b", "c", "d", "e"])) == ["a", "b", "c", "d", "e"]
    assert len(site.asked) == 4
    assert api.verdict.partial == {}


def test_a_short_page_is_not_the_end_of_a_keyset(api: Api) -> None:
    pages = iter([["a"], ["b", "c"], []])
    found = keyset_pages(api, lambda last: [{"id": value} for value in next(pages)], lambda record: record["id"])
    assert ids(found) == ["a", "b", "c"]


def test_a_vendor_that_drops_the_condition_is_noticed(site: Site, api: Api) -> None:
    with pytest.raises(RepeatedCursor, match="ignored the condition"):
        ids(keyset_pages(api, lambda last: [{"id": "a"}, {"id": "b"}], lambda record: record["id"]))


def test_a_vendor_that_drops_the_order_makes_the_scope_partial(api: Api) -> None:
    pages = iter([["c", "a"], ["d"], []])
    ids(keyset_pages(api, lambda last: [{"id": v} for v in next(pages)], lambda r: r["id"], scope="table"))
    assert "order" in api.verdict.partial["table"]


def test_offset_ends_at_the_total_and_a_short_end_is_partial(api: Api) -> None:
    data = [{"id": number} for number in range(5)]
    pages = list(offset_pages(api, lambda offset, size: (data[offset : offset + size], 5), size=2))
    assert ids(iter(pages)) == [0, 1, 2, 3, 4]
    assert {page.total for page in pages} == {5}
    assert api.verdict.partial == {}
    ids(offset_pages(api, lambda offset, size: (data[offset : offset + size], 9), size=2, scope="s"))
    assert "claims 9 records" in api.verdict.partial["s"]


def test_offset_without_total_ends_at_an_empty_page_and_notices_an_ignored_offset(api: Api) -> None:
    data = [{"id": number} for number in range(5)]
    assert len(ids(offset_pages(api, lambda offset, size: (data[offset : offset + size], None), size=2))) == 5
    with pytest.raises(RepeatedCursor, match="ignored the offset"):
        ids(offset_pages(api, lambda offset, size: (data[:2], None), size=2))


def test_cursors_are_followed_to_none_or_empty_and_never_twice(api: Api) -> None:
    answers = {None: ([{"id": 1}], "b"), "b": ([], "c"), "c": ([{"id": 2}], "")}
    assert ids(cursor_pages(api, lambda cursor: answers[cursor])) == [1, 2]
    circle = {None: ([{"id": 1}], "b"), "b": ([{"id": 2}], "c"), "c": ([{"id": 3}], "b")}
    found = cursor_pages(api, lambda cursor: circle[cursor])
    assert [page.records[0]["id"] for page in islice(found, 3)] == [1, 2, 3]
    with pytest.raises(RepeatedCursor):
        next(found)


def test_link_headers_with_commas_in_addresses_and_no_header_at_the_end(site: Site, api: Api) -> None:
    def answer(asked: Asked) -> Any:
        offset = int(asked.query.get("offset", "0"))
        base = f"{site.url}/t?fields=a,b,c&offset="
        link = f'<{base}0>;rel="first",<{base}-1>;rel="prev",<{base}{offset + 1}>;rel="next",<{base}2>;rel="last"'
        return Reply(
            200, {"result": [{"id": offset}]}, {"X-Total-Count": "3", **({"Link": link} if offset < 2 else {})}
        )

    site.answer = answer
    pages = list(link_header_pages(api, "/t", {"fields": "a,b,c"}, member="result", total_header="X-Total-Count"))
    assert ids(iter(pages)) == [0, 1, 2]
    assert [page.total for page in pages] == [3, 3, 3]
    assert site.asked[1].query["fields"] == "a,b,c"


XML = """<?xml version="1.0" encoding="UTF-8" ?>
<!DOCTYPE HOST_LIST_OUTPUT SYSTEM "https://qualysapi.example/api/5.0/fo/asset/host/dtd/output.dtd">
<HOST_LIST_OUTPUT><RESPONSE><DATETIME>2026-02-03T04:05:06Z</DATETIME><!-- keep-alive -->
<HOST_LIST>{hosts}</HOST_LIST>{warning}</RESPONSE></HOST_LIST_OUTPUT>
<!-- CONFIDENTIAL -->"""


def xml_page(numbers: list[int], warning: str = "") -> Reply:
    hosts = "".join(f"<HOST><ID>{n}</ID><OS><![CDATA[Windows & more]]></OS></HOST>" for n in numbers)
    return Reply(200, XML.format(hosts=hosts, warning=warning).encode(), {"Content-Type": "application/xml"})


def xml_ids(api: Api) -> Iterator[Page]:
    return xml_continuation(
        api,
        "/api/5.0/fo/asset/host/",
        {"action": "list"},
        tag="HOST",
        record=lambda element: {"id": element.findtext("ID"), "os": element.findtext("OS")},
        batch=2,
    )


def test_xml_goes_on_where_the_warning_says(site: Site, api_of: OpenApi) -> None:
    url = "https://qualysapi.example/api/5.0/fo/asset/host/?action=list&amp;id_min=4"
    warning = f"<WARNING><CODE>1980</CODE><TEXT>more</TEXT><URL>{url}</URL></WARNING>"
    end = "<WARNING><CODE>1</CODE><TEXT>This version will be retired</TEXT></WARNING>"
    site.replies(xml_page([1, 2, 3], warning), xml_page([4], end))
    pages = list(xml_ids(api_of(known_hosts=("qualysapi.example",))))
    assert ids(iter(pages)) == ["1", "2", "3", "4"]
    assert pages[0].records[0]["os"] == "Windows & more"
    assert site.asked[1].query == {"action": "list", "id_min": "4"}
    assert len(site.asked) == 2


def test_xml_that_repeats_its_continuation_ends(site: Site, api_of: OpenApi) -> None:
    warning = "<WARNING><CODE>1980</CODE><URL><![CDATA[https://q.example/x?id_min=4]]></URL></WARNING>"
    site.replies(xml_page([1], warning))
    with pytest.raises(RepeatedCursor):
        ids(xml_ids(api_of(known_hosts=("q.example",))))


@pytest.mark.parametrize(("code", "kind"), [("2001", BadRequest), ("1965", RetryLater)])
def test_a_refusal_inside_status_200_is_no_empty_estate(site: Site, api: Api, code: str, kind: type[Exception]) -> None:
    body = (
        f"<SIMPLE_RETURN><RESPONSE><CODE>{code}</CODE><TEXT>This account has expired.</TEXT></RESPONSE></SIMPLE_RETURN>"
    )
    site.replies(Reply(200, body.encode(), {"Content-Type": "text/xml"}))
    with pytest.raises(kind, match=f"code {code}: This account has expired"):
        ids(xml_ids(api))
