"""The manifest that closes a sync of one stream: its presence is what makes the sync visible."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

State = Literal["complete", "partial", "failed", "skipped"]


class ScopeResult(BaseModel):
    """How one scope of a stream went. `expected` is the vendor's claimed total where it states one."""

    model_config = ConfigDict(extra="forbid")

    state: State
    records: int = 0
    expected: int | None = None
    reason: str | None = None


class Merged(BaseModel):
    """What an incremental sync asked for and made of the sync before it. Counts are records."""

    model_config = ConfigDict(extra="forbid")

    since: datetime
    base: str
    """The complete sync whose records were carried over."""
    full: str
    """The full sync that the chain of incremental ones began with."""
    full_started_at: datetime
    changed: int = 0
    """Came anew: changed ones and new ones."""
    removed: int = 0
    """The vendor reports them as gone."""
    aged_out: int = 0
    """No activity within the window any more: a full pull would not have asked for them."""
    carried: int = 0


class Manifest(BaseModel):
    """One stream of one sync. Times are UTC; `records` counts distinct typed records."""

    model_config = ConfigDict(extra="forbid")

    product: str
    instance: str
    stream: str
    sync: str
    started_at: datetime
    finished_at: datetime
    state: State
    reason: str | None = None
    error: str | None = None
    """Class of the error that ended the stream, e.g. FixPermission."""
    scopes: dict[str, ScopeResult] = Field(default_factory=dict)
    records: int = 0
    rejected: int = 0
    field_issues: int = 0
    duplicates: int = 0
    pages: int = 0
    landed_bytes: int = 0
    content_hash: str = ""
    """Hash of the landed records: equal for two syncs that read the same."""
    requests: int = 0
    retries: int = 0
    waited_seconds: float = 0.0
    received_bytes: int = 0
    columns: dict[str, str] = Field(default_factory=dict)
    """Columns of the typed records, name -> DuckDB type, as the connector declared them at the time."""
    evidence: str = ""
    """What the stream's declaration rested on at the time: recorded, documented, client_code, unverified."""
    notes: list[str] = Field(default_factory=list)
    kind: Literal["full", "incremental"] = "full"
    plan: str = ""
    """Hash of all that says what is asked for: declaration, options, address. An incremental sync goes on with the same."""
    memory: dict[str, str] = Field(default_factory=dict)
    """Positions of the vendor that the next incremental pull goes on from; never a secret."""
    merged: Merged | None = None
    """Of an incremental sync: what it went on from, and what it changed."""

    @property
    def proves_absence(self) -> bool:
        """Whether a record that is not in this sync is known to be gone at the vendor."""
        return self.state == "complete"

    @property
    def seconds(self) -> float:
        return (self.finished_at - self.started_at).total_seconds()


class Told(NamedTuple):
    """What several streams of a sync have to say, once."""

    names: tuple[str, ...]
    state: State
    reason: str

    @property
    def streams(self) -> str:
        return ", ".join(self.names)


def told_once(manifests: Iterable[Manifest]) -> list[Told]:
    """States and reasons in the order of the streams, each with all streams that share it: a missing secret is one trouble."""
    sharing: dict[tuple[State, str], list[str]] = {}
    for manifest in manifests:
        sharing.setdefault((manifest.state, manifest.reason or ""), []).append(manifest.stream)
    return [Told(tuple(names), state, reason) for (state, reason), names in sharing.items()]
