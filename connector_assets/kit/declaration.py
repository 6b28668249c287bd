"""What a connector says about itself: the whole surface between a product's folder and the kit.

A connector module exposes one `CONNECTOR: Connector`. It holds no session, reads no environment and does no I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from connector_assets.kit.api import Api
    from connector_assets.kit.auth import Auth, Secrets

Record = dict[str, Any]

#: Type of one landed column: a scalar name, a list of one type, or a struct of named types.
FieldType = (
    Literal["text", "integer", "number", "boolean", "timestamp", "json"] | list["FieldType"] | Mapping[str, "FieldType"]
)

AssetKind = Literal["device", "identity", "application", "cloud_resource"]

#: R recorded answer, S vendor specification or documentation, C client code, M mock, K/U unverified.
Evidence = Literal["recorded", "documented", "client_code", "unverified"]


class NoOptions(BaseModel):
    """Options of a connector that has none."""

    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class Page:
    """One vendor answer, as plain records.

    `scope` is the part of the stream that this page enumerates (a subscription, a table); `cursor` the vendor's own
    position, written to the manifest for diagnosis and never a secret; `total` the vendor's claimed number of records
    of the scope where it states one that can be trusted as a completeness proof. `stream` names a later stream of the
    same pull, where one answer holds the records of both: they are kept for it, and its own pull adds to them.
    """

    records: Sequence[Record]
    scope: str = "default"
    cursor: str | None = None
    total: int | None = None
    stream: str | None = None


PullFunction = Callable[["Api"], Iterator[Page]]


@dataclass(frozen=True, slots=True)
class Credential:
    """A secret the connector needs, by name. The value comes from an environment variable or a mounted file."""

    name: str
    description: str
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Permission:
    """A right the connector needs at the vendor; `probe` makes the cheapest call that proves it."""

    name: str
    grants: str
    probe: Callable[[Api], None]
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Incremental:
    """That a stream can be asked for what changed: its pull reads `api.since` (None: everything is wanted).

    The changed records take the place of the earlier ones with the same key; all others are carried over from the sync
    before. What is gone the pull names by `api.remove`, where the vendor tells it; else the next full pull proves it.

    overlap: how far before the start of the sync before it is asked again, for clocks that differ and changes that show
    late. keeps: how far back the vendor knows its changes; an older `since` means a full pull. through: streams whose
    complete result of the same sync the pull needs to know what is gone; without one of them the pull is a full one.
    ages_by: timestamp fields by which a full pull is limited to the window: a record carried over goes when all of those
    it has are before the window.
    """

    overlap: timedelta
    keeps: timedelta | None = None
    through: tuple[str, ...] = ()
    ages_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stream:
    """One inventory of a product.

    fields: landed column -> type. Columns not named stay in the landed pages only. Missing keys become null.
    key: record field(s) that identify a record in this stream, dotted path allowed; several are joined by '|'.
    needs: streams pulled earlier in the same sync whose records `pull` reads through `api.records(name)`.
    optional: a missing permission or licence makes the stream `skipped` with its reason instead of `failed`.
    deletes: what proves that a record is gone: its absence from a complete enumeration, a mark in the record, never.
    activity_field: the vendor's own "last active" field, judged against the instance's window.
    drop_fields: secret-bearing fields removed from every record before anything is written.
    may_be_empty: no records is an ordinary answer even where there were some, as of findings (else an empty enumeration after
        a full one is held as partial).
    incremental: how the vendor can be asked for changes alone; None: every pull is a full one.
    """

    name: str
    pull: PullFunction
    key: str | tuple[str, ...]
    fields: Mapping[str, FieldType]
    description: str
    needs: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()
    optional: bool = False
    deletes: Literal["absence", "marked", "never"] = "absence"
    activity_field: str | None = None
    drop_fields: tuple[str, ...] = ()
    may_be_empty: bool = False
    evidence: Evidence = "documented"
    incremental: Incremental | None = None


@dataclass(frozen=True, slots=True)
class Connector:
    """A product: how to ask it, and nothing else."""

    product: str
    title: str
    description: str
    base_url: str
    """Default base address; '' where every customer has an own one. May hold {option} placeholders."""
    auth: Callable[[Any, Secrets], Auth]
    """(options, secrets) -> Auth. Called once a pull; secrets are resolved on use."""
    streams: tuple[Stream, ...]
    credentials: tuple[Credential, ...]
    permissions: tuple[Permission, ...]
    asset_kinds: tuple[AssetKind, ...]
    billable_kinds: tuple[AssetKind, ...]
    evidence: Evidence
    options: type[BaseModel] = NoOptions
    known_hosts: tuple[str, ...] = ()
    """The vendor's own hosts (a leading '*.' matches subdomains). A link to one of them is followed on the configured
    base address (same path and query), so that regional aliases, gateways and replays work; any other host is refused."""
    default_headers: Mapping[str, str] = field(default_factory=dict)
    troubleshooting: Mapping[str, str] = field(default_factory=dict)
    """Answer per '401', '403', '404', '409', '429', 'dns', 'tls', 'connect': what to do at this product."""
    error_headers: tuple[str, ...] = ()
    """Headers in which the vendor says why it refuses, where the body does not say it."""
    changes: str = ""
    """What the vendor tells of changes alone and of deletions, and what it does not."""
    requests_per_minute: int | None = None
    read_seconds: float = 120
    """How long the next byte of an answer may take; more where the vendor works for minutes before it begins one."""
    default_schedule: str = "0 */4 * * *"
    documentation_url: str = ""

    def stream(self, name: str) -> Stream:
        for stream in self.streams:
            if stream.name == name:
                return stream
        raise KeyError(f"{self.product} has no stream {name!r}; it has {', '.join(s.name for s in self.streams)}")
