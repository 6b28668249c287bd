"""What changed in a collection, by Graph's delta query: a link that Graph gives, kept from one complete sync to the next."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from connector_assets.entra_id.graph import collection
from connector_assets.kit import CursorGuard, Page, Record
from connector_assets.kit.errors import BadRequest, FixPermission, NotFound
from connector_assets.kit.hosts import masked
from connector_assets.kit.pagers import records_of

if TYPE_CHECKING:
    from connector_assets.kit.api import Api

LINK = "@odata.deltaLink"
#: The name under which the link is remembered.
POSITION = "delta"
#: Objects a round may hold before everything is asked for instead: the last word on each counts, so that all are held.
MOST_CHANGES = 20_000
PAGE_RECORDS = 1000


def with_changes(api: Api, path: str, params: dict[str, Any], *, counted: bool = False) -> Iterator[Page]:
    """A whole collection, or what changed in it since the link of the sync before.

    The link is asked for before the collection is read: what changes meanwhile is told a second time instead of never.
    """
    if api.since is not None:
        yield from changes(api, path)
        return
    if api.may_be_incremental:
        begin(api, path, str(params.get("$select", "")))
    yield from collection(api, path, params, counted=counted)


def begin(api: Api, path: str, select: str) -> None:
    """Remember the link from which the next sync goes on. Without it that one asks for everything, which is no failure."""
    wanted = {"$deltatoken": "latest", **({"$select": select} if select else {})}
    try:
        answer = api.get(f"{path}/delta", wanted)
    except (BadRequest, FixPermission, NotFound) as error:
        api.note(
            f"{path}: Graph gives no link to what will change ({error.message}), so the next pull is a full one too"
        )
        return
    if isinstance(answer, dict) and answer.get(LINK):
        api.remember(POSITION, str(answer[LINK]))


def changes(api: Api, path: str) -> Iterator[Page]:
    """The objects of a round as they are at its end, once it is whole; those that are gone are named."""
    url: str | None = api.memory.get(POSITION)
    if not url:
        api.ask_for_everything("no link to what changed was kept")
    guard = CursorGuard(f"{path}/delta")
    found: dict[str, Record | None] = {}
    while url:
        guard.follow(url)
        try:
            answer = api.get(url)
        except NotFound as error:
            api.ask_for_everything(f"Graph does not know the link any more: {error.message}")
        for record in records_of(answer, "value", f"{path}/delta", api.mask):
            ident = str(record.get("id") or "") if isinstance(record, dict) else ""
            if not ident:
                api.ask_for_everything("a changed object came without its id")
            # an object comes as often as it changed: the last word counts
            found[ident] = None if "@removed" in record else record
        if len(found) > MOST_CHANGES:
            api.ask_for_everything(f"more than {MOST_CHANGES} objects changed")
        url, end = answer.get("@odata.nextLink"), answer.get(LINK)
        if not url and not end:
            api.ask_for_everything("the round ended without a link to the next one")
        if end:
            api.remember(POSITION, str(end))
        api.progress(f"{len(found)} changed objects, at {masked(url or end)}")
    api.remove(ident for ident, record in found.items() if record is None)
    kept = [record for record in found.values() if record is not None]
    for start in range(0, len(kept), PAGE_RECORDS):
        yield Page(kept[start : start + PAGE_RECORDS])
