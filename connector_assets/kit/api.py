"""What a pull function is given: the vendor's API and the means to say how complete the answer was."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn

from connector_assets.kit.bodies import gunzipped, json_lines, xml_elements
from connector_assets.kit.budgets import Statistics
from connector_assets.kit.declaration import Connector, Record
from connector_assets.kit.errors import CursorExpired, FixConfiguration, StreamSkipped
from connector_assets.kit.settings import Settings
from connector_assets.kit.xml_records import xml_records

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    import requests

    from connector_assets.kit.client import Client

log = logging.getLogger("exposure.connector")

KnownValues = Callable[[str], set[str]]
RecordsReader = Callable[[str], Iterator[Record]]
Progress = Callable[[str], None]


@dataclass
class Verdict:
    """How complete a stream is, per scope: reasons why not, and the totals the vendor claims."""

    partial: dict[str, str] = field(default_factory=dict)
    """scope -> why it is not wholly enumerated"""
    expected: dict[str, int] = field(default_factory=dict)
    """scope -> number of records the vendor claims"""
    scopes: list[str] = field(default_factory=list)
    """scopes the stream enumerates even when they turn out empty"""
    notes: list[str] = field(default_factory=list)
    removed: dict[str, set[str]] = field(default_factory=dict)
    """field -> values whose records are gone at the vendor; '' is the record id"""
    remembered: dict[str, str] = field(default_factory=dict)
    """what the next incremental pull of the stream finds in `api.memory`"""


class Api:
    """One pull of one instance. Streams share the session; `begin` starts a stream's own verdict.

    since: the moment from which changes are wanted, None where everything is (a full pull). memory: what the sync before
    remembered, empty in a full pull. may_be_incremental: whether the next pull of the stream may be an incremental one.
    shared: what a stream leaves for a later one of the same pull, which must do without it where it is not there.
    Paths are relative to the base address; absolute links of the vendor's known hosts are followed on the base address.
    Every call raises the errors of `connector_assets.kit.errors`.
    """

    def __init__(
        self,
        settings: Settings,
        connector: Connector,
        client: Client,
        now: datetime,
        window_start: datetime | None,
        records_reader: RecordsReader | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.settings = settings
        self.connector = connector
        self.client = client
        self.now = now
        self.window_start = window_start
        self.stream = ""
        self.verdict = Verdict()
        self.since: datetime | None = None
        self.memory: Mapping[str, str] = {}
        self.may_be_incremental = False
        self.shared: dict[str, Any] = {}
        self._known: KnownValues | None = None
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

    @property
    def stats(self) -> Statistics:
        """Short for `statistics`."""
        return self.client.statistics

    def begin(
        self,
        stream: str,
        since: datetime | None = None,
        memory: Mapping[str, str] | None = None,
        may_be_incremental: bool = False,
        known: KnownValues | None = None,
    ) -> None:
        """Start a stream: its completeness is judged on its own. known: of an incremental pull, see `known`."""
        self.stream = stream
        self.verdict = Verdict()
        self.since = since
        self.memory = memory or {}
        self.may_be_incremental = may_be_incremental
        self._known = known

    def get(
        self,
        path_or_url: str,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        none_on: tuple[int, ...] = (),
        lines: tuple[str, ...] | None = None,
    ) -> Any:
        """GET and parse JSON; None for a status in `none_on`. lines: where the records are that may come as Lines."""
        return self.client.json("GET", path_or_url, params=params, headers=headers, none_on=none_on, lines=lines)

    def post(
        self,
        path_or_url: str,
        json: Any = None,
        data: Any = None,
        safe: bool = False,
        headers: Mapping[str, str] | None = None,
        none_on: tuple[int, ...] = (),
        params: Mapping[str, Any] | None = None,
        lines: tuple[str, ...] | None = None,
    ) -> Any:
        """POST and parse JSON. `safe` says that repeating it starts nothing twice: only then is it retried.

        lines: where the records are that may come as Lines.
        """
        request: dict[str, Any] = {"params": params, "headers": headers, "safe": safe, "none_on": none_on}
        return self.client.json("POST", path_or_url, json=json, data=data, lines=lines, **request)

    def response(self, method: str, path_or_url: str, *, stream: bool = False, **request: Any) -> requests.Response:
        """A checked answer with its headers; its body read, or with `stream` left to be read. See Client.response."""
        return self.client.response(method, path_or_url, stream=stream, **request)

    def stream_lines(
        self, path_or_url: str, *, method: str = "GET", may_be_empty: bool = False, **request: Any
    ) -> Iterator[Record]:
        """The records of a body of JSON lines, plain or gzip, one at a time. Arguments as of `Client.response`.

        Raises BrokenAnswer, in the middle, for a body that is cut: what was read before it is no whole answer.
        may_be_empty: a body without any byte has no records, instead of being broken.
        """
        limit = self.settings.budgets.stream_bytes
        with self.client.response(method, path_or_url, stream=True, **request) as response:
            url = self.client.where(response.url)
            yield from json_lines(gunzipped(self.client.chunks(response, limit), limit, url), url, may_be_empty)

    def stream_xml(
        self, path_or_url: str, tag: str | tuple[str, ...], *, method: str = "GET", **request: Any
    ) -> Iterator[Element]:
        """Each outermost element named `tag` (or one of several), one at a time; nothing external is ever loaded.

        Arguments as of `Client.response`. A status in `none_on` yields nothing.
        """
        tags = (tag,) if isinstance(tag, str) else tag
        with self.client.response(method, path_or_url, stream=True, **request) as response:
            if response.status_code not in request.get("none_on", ()):
                limit, url = self.settings.budgets.stream_bytes, self.client.where(response.url)
                yield from xml_elements(self.client.chunks(response, limit), tags, url)

    def stream_xml_records(
        self,
        path_or_url: str,
        tags: tuple[str, ...],
        lists: frozenset[str] = frozenset(),
        *,
        method: str = "GET",
        root_ends: str | None = None,
        **request: Any,
    ) -> Iterator[tuple[str, Any]]:
        """As `stream_xml`, each element as (its name, what JSON would have of it), see `xml_records`: in half of the time."""
        with self.client.response(method, path_or_url, stream=True, **request) as response:
            if response.status_code not in request.get("none_on", ()):
                limit, url = self.settings.budgets.stream_bytes, self.client.where(response.url)
                yield from xml_records(self.client.chunks(response, limit), tags, url, lists, root_ends)

    def records(self, stream: str) -> Iterator[Record]:
        """The records of a needed stream, as landed earlier in this sync, one at a time."""
        if self._records_reader is None:
            raise StreamSkipped(f"{stream} was not pulled in this sync")
        return self._records_reader(stream)

    def partial(self, reason: str, scope: str = "default") -> None:
        """The scope is not wholly enumerated: what was read is kept, nothing is deleted by its absence."""
        known = self.verdict.partial.get(scope, "")
        if reason not in known and len(known) < 1000:
            self.verdict.partial[scope] = f"{known}; {reason}" if known else reason
        log.warning("%s %s, scope %s: incomplete, %s", self.instance, self.stream, scope, reason)

    def expect(self, total: int, scope: str = "default") -> None:
        """The vendor claims `total` records in the scope: fewer make it partial."""
        self.verdict.expected[scope] = total

    def enumerates(self, *scopes: str) -> None:
        """Scopes this stream enumerates even when one of them turns out empty."""
        self.verdict.scopes.extend(scopes)

    def known(self, field: str = "") -> set[str]:
        """In an incremental pull: the ids of the records that it goes on from, or what they have in a column."""
        return self._known(field) if self._known else set()

    def remove(self, values: Iterable[str], field: str = "") -> None:
        """In an incremental pull: the records with these ids are gone at the vendor.

        field: of a column (dotted path), where what is gone is named by something else than the record's id. A record
        that the same pull gives is there, whatever was said to be gone.
        """
        self.verdict.removed.setdefault(field, set()).update(values)

    def ask_for_everything(self, reason: str) -> NoReturn:
        """End an incremental pull that cannot tell what is gone: the same sync goes on with a full one."""
        raise CursorExpired(reason)

    def remember(self, name: str, value: str) -> None:
        """Keep a position of the vendor (never a secret) for the next incremental pull, which follows a complete one only."""
        self.verdict.remembered[name] = value

    def skip(self, reason: str) -> NoReturn:
        """Leave the stream out: licence or permission is missing."""
        raise StreamSkipped(reason)

    def note(self, text: str) -> None:
        """Something a person may want to know of this pull; it goes into the manifest."""
        self.verdict.notes.append(text)
        log.info("%s: %s", self.instance, text)

    def progress(self, text: str) -> None:
        """Tell whoever watches how far the stream is."""
        if self._progress:
            self._progress(text)

    def wait(self, seconds: float) -> None:
        """Sleep because the vendor asked for it in a way only the connector understands; counts as throttling."""
        self.client.wait(seconds)

    def pause(self, seconds: float) -> None:
        """Sleep between polls of a vendor's job."""
        self.client.pause(seconds)

    def mask(self, text: str) -> str:
        """A vendor's text, fit for a message: secrets replaced."""
        return self.settings.secrets.mask(text)


def open_client(connector: Connector, settings: Settings, **client_options: Any) -> Client:
    """The session of one pull of a connector. `client_options`: sleep, clock, wall.

    Placeholders of the connector's base address are filled from the options. Raises FixConfiguration.
    """
    from connector_assets.kit.client import Client

    return Client(
        replace(settings, base_url=base_url_of(connector, settings)),
        connector.auth(settings.options, settings.secrets),
        known_hosts=connector.known_hosts,
        headers=connector.default_headers,
        error_headers=connector.error_headers,
        requests_per_minute=connector.requests_per_minute,
        troubleshooting=connector.troubleshooting,
        **client_options,
    )


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
    client = open_client(connector, settings, **client_options)
    return Api(settings, connector, client, now, settings.window_start(now), records_reader, progress)


def base_url_of(connector: Connector, settings: Settings) -> str:
    """The configured base address, else the connector's own, its {option} placeholders filled."""
    base_url = settings.base_url or connector.base_url
    if "{" not in base_url:
        return base_url
    values = settings.options.model_dump() if hasattr(settings.options, "model_dump") else {}
    try:
        return base_url.format_map(values)
    except (KeyError, ValueError):
        raise FixConfiguration(
            f"{settings.instance}: the base address {base_url} needs an option that is not set",
            hint=f"options there are: {', '.join(values) or 'none'}",
        ) from None
