"""What a pull function is given: the vendor's API and the means to say how complete the answer was."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import requests

from connector_assets.kit.client import Client, Statistics
from connector_assets.kit.declaration import Connector, Record
from connector_assets.kit.errors import StreamSkipped
from connector_assets.kit.settings import Settings

log = logging.getLogger("exposure.connector")

RecordsReader = Callable[[str], Iterator[Record]]
Progress = Callable[[str], None]


@dataclass
class Verdict:
    """How complete a stream is, per scope: reasons why not, and the totals the vendor claims."""

    partial: dict[str, str] = field(default_factory=dict)
    expected: dict[str, int] = field(default_factory=dict)
    scopes: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Api:
    """One pull of one instance. Streams share the session; `begin` starts a stream's own verdict.

    Every call raises the errors of `connector_assets.kit.errors`.
    """

    def __init__(
        self,
        settings: Settings,
        client: Client,
        now: datetime,
        records_reader: RecordsReader | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.settings = settings
        self.client = client
        self.now = now
        self.window_start = settings.window_start(now)
        self.verdict = Verdict()
        self._records_reader = records_reader
        self._progress = progress

    @property
    def options(self) -> Any:
        return self.settings.options

    @property
    def instance(self) -> str:
        return self.settings.instance

    @property
    def base_url(self) -> str:
        return self.client.base_url

    @property
    def statistics(self) -> Statistics:
        return self.client.statistics

    def begin(self, stream: str) -> None:
        """Start a stream: its completeness is judged on its own."""
        self.verdict = Verdict()

    def get(
        self,
        path_or_url: str,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        none_on: tuple[int, ...] = (),
    ) -> Any:
        """GET and parse JSON; None for a status in `none_on`."""
        return self.client.json("GET", path_or_url, params=params, headers=headers, none_on=none_on)

    def post(
        self,
        path_or_url: str,
        json: Any = None,
        *,
        data: Any = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        safe: bool = False,
        none_on: tuple[int, ...] = (),
    ) -> Any:
        """POST and parse JSON. `safe` says that repeating it starts nothing twice: only then is it retried."""
        return self.client.json(
            "POST", path_or_url, json=json, data=data, params=params, headers=headers, safe=safe, none_on=none_on
        )

    def response(
        self, method: str, path_or_url: str, **request: Any
    ) -> contextlib.AbstractContextManager[requests.Response]:
        """A successful answer with its body unread, for large or unusual bodies; see Client.response."""
        return self.client.response(method, path_or_url, **request)

    def records(self, stream: str) -> Iterator[Record]:
        """The records of a needed stream, as landed earlier in this sync, one at a time."""
        if self._records_reader is None:
            raise StreamSkipped(f"{stream} was not pulled in this sync")
        return self._records_reader(stream)

    def partial(self, reason: str, scope: str = "default") -> None:
        """The scope is not wholly enumerated: what was read is kept, nothing is deleted by its absence."""
        self.verdict.partial.setdefault(scope, reason)

    def expect(self, total: int, scope: str = "default") -> None:
        """The vendor claims `total` records in the scope: fewer make it partial."""
        self.verdict.expected[scope] = total

    def enumerates(self, *scopes: str) -> None:
        """Scopes this stream enumerates even when one of them turns out empty."""
        self.verdict.scopes.extend(scopes)

    def skip(self, reason: str) -> None:
        """Leave the stream out: licence or permission is missing."""
        raise StreamSkipped(reason)

    def note(self, text: str) -> None:
        """Something a person may want to know of this pull; it goes into the manifest."""
        self.verdict.notes.append(text)
        log.info("%s: %s", self.instance, text)

    def progress(self, text: str) -> None:
        if self._progress:
            self._progress(text)


def open_api(
    connector: Connector,
    settings: Settings,
    now: datetime,
    *,
    records_reader: RecordsReader | None = None,
    progress: Progress | None = None,
    **client_options: Any,
) -> Api:
    """An Api for one pull of a connector; close its `client` at the end."""
    client = Client(
        settings,
        connector.auth(settings.options, settings.secrets),
        known_hosts=connector.known_hosts,
        headers=connector.default_headers,
        requests_per_minute=connector.requests_per_minute,
        troubleshooting=connector.troubleshooting,
        **client_options,
    )
    return Api(settings, client, now, records_reader, progress)
