"""Whether a stream is asked for everything or for what changed, and what it goes on from.

A chain begins with a complete full sync. Every incremental sync after it lands the whole state again (see merge.py), so that
whatever reads a sync reads one that stands alone. The chain goes on from its newest complete sync only: a failed or partial
one moves nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import orjson

from connector_assets.kit.errors import ConnectorError, CursorExpired
from exposure_pipelines.landing.manifest import Manifest, Merged

if TYPE_CHECKING:
    from connector_assets.kit.declaration import Connector, Stream
    from exposure_pipelines.connections import Connection

#: How a vendor says that it does not know its changes so far back, or not any more by that position.
TOO_OLD = (400, 410)


def plan_of(connection: Connection, connector: Connector, stream: Stream) -> str:
    """Hash of what a stream is asked for. A change of it makes the next pull a full one: nothing older fits then."""
    asked = {
        "product": connection.product,
        "base_url": connection.base_url or connector.base_url,
        "window_days": connection.window_days,
        "options": connector.options.model_validate(connection.options).model_dump(mode="json"),
        "stream": stream.name,
        "key": stream.key,
        "fields": stream.fields,
        "drop_fields": stream.drop_fields,
        "incremental": repr(stream.incremental),
    }
    return hashlib.sha256(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS, default=dict)).hexdigest()[:32]


def increment_after(
    base: Manifest | None,
    connection: Connection,
    stream: Stream,
    plan: str,
    now: datetime,
    landed: Mapping[str, Manifest],
) -> Merged | None:
    """What an incremental pull goes on from; None: the pull is a full one.

    base: the newest complete sync of the stream. landed: what this sync landed before, by stream.
    """
    declared = stream.incremental
    if declared is None or connection.full_every_hours is None or base is None or base.plan != plan:
        return None
    full, full_started_at = (
        (base.merged.full, base.merged.full_started_at) if base.merged else (base.sync, base.started_at)
    )
    # a clock that went back may have left a sync that begins after this one: its changes would never be asked for
    if not full_started_at <= base.started_at <= now:
        return None
    if now - full_started_at >= timedelta(hours=connection.full_every_hours):
        return None
    if any(name not in landed or landed[name].state != "complete" for name in declared.through):
        return None
    since = base.started_at - declared.overlap
    # what was deleted before the window is not told any more, nor what was changed before the vendor's memory
    window = timedelta(days=connection.window_days) if connection.window_days is not None else None
    if any(reach is not None and now - since > reach for reach in (declared.keeps, window)):
        return None
    return Merged(since=since, base=base.sync, full=full, full_started_at=full_started_at)


def is_too_old(error: ConnectorError) -> bool:
    """Whether the vendor refuses to go on from there, so that everything must be asked for."""
    return isinstance(error, CursorExpired) or error.status in TOO_OLD
