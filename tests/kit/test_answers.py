"""Answers that are not what they seem: cut, markup, bombs, errors with status 200."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
import time
import zlib
from dataclasses import replace
from typing import Any

import pytest

from connector_assets.kit import (
    BadRequest,
    BrokenAnswer,
    BudgetExceeded,
    Budgets,
    CursorExpired,
    FixPermission,
    NotFound,
    RetryLater,
    UnexpectedContent,
    open_api,
)
from connector_assets.kit.answers import vendor_words

from .conftest import NOW, Api, Asked, OpenApi, Reply, Site, Time, connector, settings

JSON = {"Content-Type": "application/json"}
POISONED = pytest.mark.fault(
    "a poisoned answer: a gzip bomb, JSON that is too deep, a body without end",
    "it ends within the budget and says why",
)


def test_a_sign_in_page_with_status_200_is_no_empty_answer(site: Site, api: Api) -> None:
    site.replies(Reply(200, b"<html>Sign in</html>", {"Content-Type": "text/html; charset=utf-8"}))
    with pytest.raises(UnexpectedContent) as caught:
        api.get("/things", {"a": "hidden"})
    assert f"{site.url}/things?a=..." in str(caught.value)
    assert "text/html" in str(caught.value)
    assert "base_url" in str(caught.value)
    assert len(site.asked) == 1


def test_markup_that_calls_itself_json_is_seen_through(site: Site, api: Api) -> None:
    site.replies(Reply(200, b"\xef\xbb\xbf  <!DOCTYPE html><html></html>", JSON))
    with pytest.raises(UnexpectedContent):
        api.get("/x")


@pytest.mark.parametrize(
    "broken", [Reply(200, b'{"a": [1, 2', JSON), Reply(200, {"a": [1, 2]}, cut=3), Reply(200, b"", JSON)]
)
def test_a_cut_answer_is_asked_for_again(site: Site, time: Time, api: Api, broken: Reply) -> None:
    site.replies(broken, {"ok": 1})
    assert api.get("/x") == {"ok": 1}
    assert len(time.slept) == 1


def test_an_answer_cut_for_ever_is_broken_and_not_tried_for_ever(site: Site, api: Api) -> None:
    site.replies(Reply(200, b'{"value": [{"id": 1}, {"id"', JSON))
    with pytest.raises(BrokenAnswer, match="not whole JSON") as caught:
        api.get("/x?cursor=hidden")
    assert len(site.asked) == 3
    assert "hidden" not in str(caught.value)


def test_a_cut_answer_to_an_unsafe_post_is_not_repeated(site: Site, api: Api) -> None:
    site.replies(Reply(200, b'{"job":', JSON))
    with pytest.raises(BrokenAnswer):
        api.post("/jobs", {})
    assert len(site.asked) == 1


@POISONED
def test_a_depth_bomb_is_a_broken_answer(site: Site, api: Api) -> None:
    site.replies(Reply(200, b"[" * 100_000 + b"]" * 100_000, JSON))
    with pytest.raises(BrokenAnswer):
        api.get("/x")


@POISONED
def test_a_large_body_ends_at_the_budget(site: Site, api_of: OpenApi) -> None:
    site.replies(Reply(200, b'"' + b"a" * 3_000_000 + b'"', JSON))
    api = api_of(settings={"budgets": Budgets(answer_bytes=1_000_000)})
    with pytest.raises(BudgetExceeded, match="larger than 1 MB"):
        api.get("/x")


@POISONED
def test_a_gzip_bomb_ends_at_the_budget(site: Site, api_of: OpenApi) -> None:
    bomb = gzip.compress(b"0" * 300_000_000, 9)
    site.replies(Reply(200, bomb, {**JSON, "Content-Encoding": "gzip"}))
    api = api_of(settings={"budgets": Budgets(answer_bytes=10_000_000)})
    with pytest.raises(BudgetExceeded):
        api.get("/x")
    assert api.stats.bytes < 50_000_000


def test_gzip_and_deflate_and_a_byte_order_mark_are_read(site: Site, api: Api) -> None:
    site.replies(
        Reply(200, gzip.compress(b'{"a":1}'), {**JSON, "Content-Encoding": "gzip"}),
        Reply(200, zlib.compress(b'{"a":1}'), {**JSON, "Content-Encoding": "deflate"}),
        Reply(200, b'\xef\xbb\xbf{"a":1}', JSON),
    )
    assert [api.get("/x") for _ in range(3)] == [{"a": 1}] * 3


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (b'{"text": "a raw\n line and\ta tab"}', {"text": "a raw\n line and\ta tab"}),
        (b'{"text": "half a pair \\ud83d"}', {"text": "half a pair \ud83d"}),
        (b'{"text": "Latin \xe4"}', {"text": "Latin \ufffd"}),
        (b'\xef\xbb\xbf{"score": Infinity}', {"score": float("inf")}),
    ],
)
def test_whole_json_that_is_not_strict_costs_no_page(site: Site, api: Api, sent: bytes, read: Any) -> None:
    site.replies(Reply(200, sent, JSON))
    assert api.get("/things") == read
    assert len(site.asked) == 1


def test_damaged_gzip_is_a_broken_answer(site: Site, api: Api) -> None:
    site.replies(Reply(200, b"\x1f\x8b\x08garbage", {**JSON, "Content-Encoding": "gzip"}))
    with pytest.raises(BrokenAnswer, match="broke off"):
        api.get("/x")


def test_status_in_none_on_is_none_and_204_is_none(site: Site, api: Api) -> None:
    site.replies(Reply(404, {"error": "no"}), Reply(204), Reply(202))
    assert api.get("/x", none_on=(404,)) is None
    assert api.get("/x") is None
    assert api.get("/x") is None


def test_a_refusal_with_an_empty_body_is_told_by_the_header_that_says_why(site: Site, api_of: OpenApi) -> None:
    told = '[{"i18nKey":"invalid_filter","severity":"error","subject":"cloud.type"}]'
    site.replies(Reply(400, b"", {"X-Why": told}), Reply(400, {"message": "no"}, {"X-Why": told}), Reply(400, b""))
    api = api_of(error_headers=("x-why",))
    for said in ("HTTP 400: invalid_filter cloud.type", "HTTP 400: no", "HTTP 400"):
        with pytest.raises(BadRequest) as refused:
            api.get("/x")
        assert refused.value.message == said


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (
            403,
            {"error": {"code": "Forbidden", "message": "Missing role Machine.Read.All"}},
            FixPermission,
            "Machine.Read.All",
        ),
        (404, {"status": 404, "message": "Export expired or not found"}, NotFound, "Export expired"),
        (400, {"error": {"code": "Directory_ExpiredPageToken", "message": "x"}}, CursorExpired, "ExpiredPageToken"),
        (410, {"error": {"code": "syncStateNotFound"}}, CursorExpired, "syncStateNotFound"),
        (
            409,
            {"active_job_id": "j-1", "failure_reason": "conflict with the ongoing export"},
            BadRequest,
            "ongoing export",
        ),
        (
            400,
            {"error": {"message": "Invalid table x", "detail": None}, "status": "failure"},
            BadRequest,
            "Invalid table x",
        ),
        (400, {"errors": [{"code": 400, "message": "bad filter"}]}, BadRequest, "400 bad filter"),
    ],
)
def test_the_status_decides_and_the_vendors_words_are_kept(
    site: Site, api: Api, status: int, body: Any, kind: type[Exception], said: str
) -> None:
    site.replies(Reply(status, body))
    with pytest.raises(kind) as caught:
        api.get("/x")
    assert type(caught.value) is kind
    assert said in str(caught.value)
    assert f"HTTP {status}" in str(caught.value)
    assert caught.value.answer == body  # type: ignore[attr-defined]


def test_a_web_page_as_error_body_is_not_quoted_and_long_words_are_cut(site: Site, api: Api) -> None:
    site.replies(
        Reply(403, b"<html>" + b"x" * 5000, {"Content-Type": "text/html"}), Reply(403, {"message": "y" * 5000})
    )
    for _ in range(2):
        with pytest.raises(FixPermission) as caught:
            api.get("/x")
        assert len(str(caught.value)) < 700


def test_words_of_xml_errors() -> None:
    body = b"<?xml version='1.0'?><Error><Code>AuthenticationFailed</Code><Message>Signature expired</Message></Error>"
    assert vendor_words(body, "application/xml") == "AuthenticationFailed Signature expired"


def test_the_connectors_own_advice_comes_before_the_general_one(site: Site, api_of: OpenApi) -> None:
    site.replies(Reply(403, {}))
    with pytest.raises(FixPermission, match="ask the Acme administrator"):
        api_of(troubleshooting={"403": "ask the Acme administrator"}).get("/x")


@pytest.mark.parametrize("failure", [Reply(504, {"error": "Gateway Timeout"}), Reply(500, {}), Reply(drop=True)])
def test_a_post_that_may_have_begun_a_job_is_not_repeated(site: Site, api: Api, failure: Reply) -> None:
    site.replies(failure)
    with pytest.raises(RetryLater, match="not repeated") as caught:
        api.post("/export", {"a": 1})
    assert len(site.asked) == 1
    assert caught.value.retry_later


def test_a_safe_post_is_repeated_with_its_body(site: Site, api: Api) -> None:
    site.replies(Reply(503, {}), Reply(drop=True), {"ok": 1})
    assert api.post("/query", {"q": 1}, safe=True) == {"ok": 1}
    assert [asked.body for asked in site.asked] == [b'{"q":1}'] * 3


def test_retries_end(site: Site, api_of: OpenApi) -> None:
    site.replies(Reply(503, {"message": "down"}))
    with pytest.raises(RetryLater, match="HTTP 503: down"):
        api_of(settings={"budgets": Budgets(retries=3)}).get("/x")
    assert len(site.asked) == 4


@pytest.mark.fault("a vendor that hangs", "the call ends at its timeout and the stream is left for later")
def test_a_slow_answer_is_left_for_later(site: Site, api_of: OpenApi) -> None:
    import threading

    from connector_assets.kit import Timeouts

    gate = threading.Event()

    def slow(asked: Asked) -> Any:
        gate.wait(60)
        return {}

    site.answer = slow
    api = api_of(settings={"timeouts": Timeouts(1, 0.2), "budgets": Budgets(retries=0)})
    with pytest.raises(RetryLater, match="no answer within"):
        api.get("/x")
    gate.set()


def test_stopping_by_hand_gets_through(site: Site, api_of: OpenApi) -> None:
    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    site.replies(Reply(503, {}))
    api = api_of()
    api.client.allowance._sleep = interrupted
    with pytest.raises(KeyboardInterrupt):
        api.get("/x")
    assert len(site.asked) == 1


@pytest.mark.fault(
    "a vendor whose answer drips a byte at a time", "the pull ends with its time; what came before is kept"
)
@pytest.mark.parametrize(
    "start",
    [
        b"HTTP/1.1 200 OK\r\nX-Endless: ",
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n",
        b"HTTP/1.1 503 Busy\r\nContent-Type: text/plain\r\nContent-Length: 900000\r\n\r\n",
    ],
    ids=["headers", "body", "chunk", "until closed", "error"],
)
def test_an_answer_that_drips_ends_with_the_pulls_time(start: bytes) -> None:
    """Each byte comes long before the read timeout, so that no single read ever fails."""
    given = settings("", budgets=Budgets(pull_seconds=0.4, retries=2))
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=drip, args=(server, start), daemon=True).start()
        given = replace(given, base_url=f"http://127.0.0.1:{server.getsockname()[1]}")
        api = open_api(connector(), given, NOW)
        began = time.monotonic()
        with pytest.raises(BudgetExceeded, match="ran longer"):
            api.get("/x")
        assert time.monotonic() - began < 5
        api.client.close()


def drip(server: socket.socket, start: bytes) -> None:
    connection, _ = server.accept()
    with connection, contextlib.suppress(OSError):
        connection.recv(65536)
        connection.sendall(start)
        for _ in range(400):
            connection.sendall(b"1")
            time.sleep(0.05)
