"""The Compute console (CWPP): another host than the posture API's, with a token of its own for an hour."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from connector_assets.kit import (
    FixConfiguration,
    FixCredentials,
    Page,
    Record,
    UnexpectedContent,
    offset_pages,
    records_of,
)
from connector_assets.kit.hosts import check_base_url, matches
from connector_assets.prisma_cloud.records import ZERO, moment, read_containers, read_hosts, read_scans

if TYPE_CHECKING:
    import requests

    from connector_assets.kit.api import Api
    from connector_assets.kit.client import Client

HOSTS = ("*.prismacloud.io", "*.prismacloud.cn", "*.twistlock.com")
#: The token lives an hour.
RENEW_AFTER = 45 * 60.0
#: The console answers 429 beyond this many requests in as many seconds.
CALLS, SECONDS = 30, 30.0
NO_CONSOLE = "no Compute console is known (option compute_console), so that hosts, images and their CVEs are not read"


class Console:
    """Calls to the console, no more than it allows. Neither its token nor the posture API's is sent to the other."""

    def __init__(self, api: Api, address: str) -> None:
        self.address = check_base_url(address, f"{api.instance}: compute_console")
        self._hosts = (urlsplit(self.address).hostname or "",)
        self._token = ""
        self._renew_at = 0.0
        self._called: deque[float] = deque(maxlen=CALLS)

    def get(self, api: Api, path: str, params: Mapping[str, Any]) -> tuple[Any, requests.Response]:
        """(JSON, the answer itself), with a token that is renewed once when it is refused."""
        if not self._token or api.client.clock() >= self._renew_at:
            self._buy(api)
        try:
            return self._get(api, path, params)
        except FixCredentials:
            self._buy(api)
            return self._get(api, path, params)

    def _get(self, api: Api, path: str, params: Mapping[str, Any]) -> tuple[Any, requests.Response]:
        self._pace(api)
        headers = {"Authorization": f"Bearer {self._token}"}
        url = self._url(api, path)
        return api.client.json_response("GET", url, params=params, headers=headers, anonymous_hosts=self._hosts)

    def _buy(self, api: Api) -> None:
        options, secrets = api.options, api.settings.secrets
        own = bool(options.compute_username)
        body = {
            "username": options.compute_username or options.access_key_id,
            "password": secrets["compute_password" if own else "secret_key"],
        }
        self._pace(api)
        url = self._url(api, "/authenticate")
        api.statistics.auth_refreshes += 1
        answer = api.client.json("POST", url, json=body, safe=True, anonymous_hosts=self._hosts)
        token = answer.get("token") if isinstance(answer, dict) else None
        if not isinstance(token, str) or not token:
            raise UnexpectedContent(
                "the Compute console answered without a token",
                url=api.client.where(url),
                hint="check compute_console: it is the path to console that Runtime Security shows under Manage, System",
            )
        secrets.remember(token)
        self._token = token
        self._renew_at = api.client.clock() + RENEW_AFTER

    def _url(self, api: Api, path: str) -> str:
        return f"{self.address}/api/{api.options.compute_version}{path}"

    def _pace(self, api: Api) -> None:
        now = api.client.clock()
        if len(self._called) == CALLS and now - self._called[0] < SECONDS:
            api.pause(SECONDS - (now - self._called[0]))
            now = api.client.clock()
        self._called.append(now)


#: One console a pull: its streams share the token and what they may call.
consoles: WeakKeyDictionary[Client, Console] = WeakKeyDictionary()


def console(api: Api) -> Console:
    """The console of a pull. Skips the stream where there is none."""
    if api.client not in consoles:
        consoles[api.client] = Console(api, api.options.compute_console or discovered(api))
    return consoles[api.client]


def discovered(api: Api) -> str:
    """The console's address as the posture API names it; one that is not the vendor's never sees the key."""
    if not api.options.discover_compute:
        api.skip(NO_CONSOLE)
    answer = api.get("/meta_info", none_on=(403, 404))
    address = answer.get("twistlockUrl") if isinstance(answer, dict) else None
    if not isinstance(address, str) or not address:
        api.skip(NO_CONSOLE)
    address = address if "://" in address else f"https://{address}"
    host = urlsplit(address).hostname or ""
    if host != urlsplit(api.base_url).hostname and not matches(host, HOSTS):
        raise FixConfiguration(
            f"the Compute console is said to be at {host}, which is no host of Prisma Cloud",
            hint="nothing was sent there; if that address is right, set it as the option compute_console",
        )
    return address.rstrip("/")


def listed(api: Api, path: str, read: Callable[[list[Any]], None], seen_in: str) -> Iterator[Page]:
    """All records of a list, to its first empty page; what was not scanned within the window is left out.

    The console writes `null` past the end, or an empty list. Its count proves that none is missing, and ends nothing.
    """
    asked = console(api)
    size, totals, outside = api.options.compute_page, [], 0
    start = api.window_start.date().isoformat() if api.window_start else ""

    def fetch(offset: int, limit: int) -> tuple[list[Record], None]:
        answer, response = asked.get(api, path, {"offset": offset, "limit": limit})
        told = response.headers.get("Total-Count", "")
        if told.isdecimal():
            totals.append(int(told))
        records = records_of(answer, None, path, api.mask)
        # in here, as the next page is compared with this one
        read(records)
        return records, None

    for page in offset_pages(api, fetch, size=size):
        kept = [one for one in page.records if not (isinstance(one, dict) and is_before(one.get(seen_in), start))]
        outside += len(page.records) - len(kept)
        yield Page(kept, cursor=page.cursor)
        api.progress(f"{page.cursor} of {path}")
        del page, kept
    if totals:
        api.expect(max(totals) - outside)


def is_before(told: Any, day: str) -> bool:
    """Whether a date is before a day; what says none is not."""
    if isinstance(told, str) and told.endswith("Z"):
        return not told.startswith(ZERO) and told[:10] < day
    seen = moment(told)
    return isinstance(seen, str) and seen[:10] < day


def hosts(api: Api) -> Iterator[Page]:
    yield from listed(api, "/hosts", partial(read_hosts, criticality_tag=api.options.criticality_tag), "scanTime")


def images(api: Api) -> Iterator[Page]:
    yield from listed(api, "/images", read_scans, "scanTime")


def containers(api: Api) -> Iterator[Page]:
    yield from listed(api, "/containers", read_containers, "scanTime")


def probe(path: str) -> Callable[[Api], None]:
    def ask_for_one(api: Api) -> None:
        console(api).get(api, path, {"offset": 0, "limit": 1})

    return ask_for_one
