"""The check of an instance: each permission, each kind of failure, and what to do about it."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from connector_assets.kit import Permission, Secrets, StreamSkipped
from connector_assets.kit.check import CheckResult, check

from .conftest import SECRET, Asked, Reply, Site, Time, connector, settings

ADVICE = {
    "401": "make a new key in Acme",
    "403": "grant the role",
    "404": "buy the module",
    "409": "wait for the other job",
    "429": "slow down",
    "dns": "copy the address",
    "tls": "import the authority",
    "connect": "open the firewall",
}


def run(
    base_url: str, time: Time, permissions: tuple[Permission, ...] | None = None, **changes: Any
) -> list[CheckResult]:
    declared = connector(**({"permissions": permissions} if permissions else {}), **changes)
    return check(declared, settings(base_url), sleep=time.sleep, clock=time.clock)


def test_all_well(site: Site, time: Time) -> None:
    assert run(site.url, time) == [CheckResult("read", True, 200, "reads things", "")]


@pytest.mark.parametrize("status", [401, 403, 404, 409, 429])
def test_the_connectors_advice_is_given_for_each_status(site: Site, time: Time, status: int) -> None:
    site.replies(Reply(status, {"message": f"no {SECRET}"}))
    [result] = run(site.url, time, troubleshooting=ADVICE)
    assert (result.permission, result.ok, result.status, result.hint) == ("read", False, status, ADVICE[str(status)])
    assert f"HTTP {status}" in result.message
    assert SECRET not in result.message


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 429, 500, 503])
def test_there_is_general_advice_without_the_connectors(site: Site, time: Time, status: int) -> None:
    site.replies(Reply(status, {}))
    [result] = run(site.url, time)
    assert len(result.hint) > 20


def test_failures_below_http_have_their_advice(tls_site: Site, time: Time, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert run(tls_site.url, time, troubleshooting=ADVICE)[0].hint == "import the authority"
    assert run(f"http://127.0.0.1:{port}", time, troubleshooting=ADVICE)[0].hint == "open the firewall"

    def resolve(*arguments: object, **named: object) -> None:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert run("https://x.example", time, troubleshooting=ADVICE)[0].hint == "copy the address"
    assert sum(time.slept) < 10


def permissions(*paths: str, optional: bool = False) -> tuple[Permission, ...]:
    return tuple(Permission(path, f"reads {path}", lambda api, p=path: api.get(f"/{p}"), optional) for path in paths)


def test_one_missing_right_does_not_hide_the_others(site: Site, time: Time) -> None:
    site.answer = lambda asked: Reply(403, {"message": "no role"}) if asked.path == "/b" else {}
    results = run(site.url, time, permissions("a", "b", "c"))
    assert [(result.permission, result.ok) for result in results] == [("a", True), ("b", False), ("c", True)]


def test_wrong_credentials_are_tried_once_and_the_rest_is_marked(site: Site, time: Time) -> None:
    site.replies(Reply(401, {"message": "bad key"}))
    results = run(site.url, time, permissions("a", "b", "c"), troubleshooting=ADVICE)
    assert len(site.asked) == 1
    assert [result.ok for result in results] == [False] * 3
    assert results[2].message == "not tried, because a failed"
    assert results[2].hint == "make a new key in Acme"


def test_an_optional_right_that_is_missing_is_no_failure(site: Site, time: Time) -> None:
    site.replies(Reply(403, {"message": "no role"}))
    [result] = run(site.url, time, permissions("extra", optional=True))
    assert result.ok
    assert "optional" in result.message
    assert "reads extra" in result.hint

    def unlicensed(api: Any) -> None:
        raise StreamSkipped("not licensed")

    [result] = run(site.url, time, (Permission("p2", "P2 data", unlicensed, optional=True),))
    assert result.ok


def test_a_missing_secret_and_a_bad_address_are_results_too(site: Site, time: Time) -> None:
    given = settings(site.url, secrets=Secrets({}))
    [result] = check(connector(), given, sleep=time.sleep)
    assert not result.ok
    assert "'key' is not configured" in result.message
    [result] = run("ftp://x", time)
    assert not result.ok
    assert "not an address" in result.message


def test_a_person_is_not_kept_waiting(site: Site, time: Time) -> None:
    site.replies(Reply(429, {}, {"Retry-After": "600"}))
    [result] = run(site.url, time)
    assert result.status == 429
    assert time.slept == []


def test_a_page_instead_of_the_api_is_said(site: Site, time: Time) -> None:
    def answer(asked: Asked) -> Any:
        return Reply(200, b"<html>hibernating</html>", {"Content-Type": "text/html"})

    site.answer = answer
    [result] = run(site.url, time)
    assert not result.ok
    assert "base_url" in result.hint
