"""How long vendors ask to be left alone, in each dialect; through real answers where the client is concerned."""

from __future__ import annotations

import time as real_time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from connector_assets.kit import BudgetExceeded, Budgets, RetryLater
from connector_assets.kit.waits import back_off, directed_wait

from .conftest import OpenApi, Reply, Site, Time

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (429, {"Retry-After": "30"}, 30),
        (429, {"Retry-After": format_datetime(NOW + timedelta(seconds=90), usegmt=True)}, 90),
        (503, {"Retry-After": "7"}, 7),
        (429, {"X-RateLimit-Reset": str(NOW.timestamp() + 12)}, 12),
        (429, {"X-RateLimit-Reset": str((NOW.timestamp() + 12) * 1000)}, 12),
        (429, {"X-RateLimit-RetryAfter": str(NOW.timestamp() + 5)}, 5),
        (429, {"X-RateLimit-Reset": "25"}, 25),
        (409, {"X-RateLimit-ToWait-Sec": "23"}, 23),
        (429, {"x-ms-user-quota-resets-after": "00:01:05"}, 65),
        (429, {"x-ms-user-quota-resets-after": "00:00:00"}, None),
        (503, {"x-ms-user-quota-resets-after": "00:00:05"}, None),
        (429, {"Retry-After": "soon"}, None),
        (429, {"Retry-After": "nan"}, None),
        (429, {"Retry-After": "0"}, None),
        (429, {"Retry-After": "-5"}, None),
        (429, {"X-RateLimit-Reset": str(NOW.timestamp() - 60)}, None),
        (429, {}, None),
    ],
)
def test_each_dialect_is_understood(status: int, headers: dict[str, str], seconds: float | None) -> None:
    assert directed_wait(status, headers, NOW) == (None if seconds is None else pytest.approx(seconds))


def test_an_hourly_reset_beside_a_passing_502_is_no_order_to_wait_an_hour() -> None:
    headers = {"X-RateLimit-Reset": str(NOW.timestamp() + 3000), "X-RateLimit-ToWait-Sec": "3000"}
    assert directed_wait(502, headers, NOW) is None


def test_the_vendors_own_clock_counts_not_ours() -> None:
    vendor_now = NOW + timedelta(hours=2)
    headers = {"Date": format_datetime(vendor_now, usegmt=True), "X-RateLimit-Reset": str(vendor_now.timestamp() + 10)}
    assert directed_wait(429, headers, NOW) == pytest.approx(10)


def test_back_off_grows_and_is_bounded() -> None:
    assert 0.75 <= back_off(1) <= 1.25
    assert back_off(30) <= 75


def test_retry_after_is_slept_and_counted(site: Site, time: Time, api_of: OpenApi) -> None:
    site.replies(Reply(429, {}, {"Retry-After": "30"}), {"ok": True})
    api = api_of()
    assert api.get("/x") == {"ok": True}
    assert time.slept == [30]
    assert (api.stats.waited_seconds, api.stats.retries, api.stats.requests) == (30, 1, 2)


def test_an_http_date_and_an_epoch_are_slept(site: Site, time: Time, api_of: OpenApi) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=40)
    date = Reply(503, {}, {"Retry-After": format_datetime(soon, usegmt=True)})
    epoch = Reply(
        429, b"<html>nginx</html>", {"X-RateLimit-Reset": str(int(real_time.time()) + 50), "Content-Type": "text/html"}
    )
    site.replies(date, epoch, {"ok": True})
    assert api_of().get("/x") == {"ok": True}
    assert time.slept == [pytest.approx(40, abs=3), pytest.approx(50, abs=3)]


def test_a_wait_longer_than_allowed_is_left_to_the_next_sync(site: Site, time: Time, api_of: OpenApi) -> None:
    site.replies(Reply(429, {}, {"Retry-After": "100000"}))
    with pytest.raises(RetryLater) as caught:
        api_of().get("/x")
    assert time.slept == []
    assert caught.value.retry_after == 100000
    assert caught.value.status == 429


def test_many_small_waits_end_at_the_budget(site: Site, time: Time, api_of: OpenApi) -> None:
    site.replies(Reply(429, {}, {"Retry-After": "40"}))
    api = api_of(settings={"budgets": Budgets(wait_seconds=100, retries=50)})
    with pytest.raises(BudgetExceeded) as caught:
        api.get("/x")
    assert time.slept == [40, 40]
    assert "budget of 100 s" in str(caught.value)


def test_polling_does_not_use_up_the_budget_for_throttling(time: Time, api_of: OpenApi) -> None:
    api = api_of(settings={"budgets": Budgets(wait_seconds=10)})
    for _ in range(5):
        api.pause(8)
    assert api.stats.waited_seconds == 40


def test_the_pull_ends_when_its_time_is_over(time: Time, api_of: OpenApi) -> None:
    api = api_of(settings={"budgets": Budgets(pull_seconds=60)})
    api.get("/x")
    time.now += 61
    with pytest.raises(BudgetExceeded, match="pull ran longer"):
        api.get("/x?token=abc")
    with pytest.raises(BudgetExceeded):
        api.pause(1)


def test_the_connectors_own_request_rate_is_kept(time: Time, api_of: OpenApi) -> None:
    api = api_of(requests_per_minute=60)
    for _ in range(4):
        api.get("/x")
    assert sum(time.slept) == pytest.approx(3)
