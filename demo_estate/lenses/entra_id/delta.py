"""Graph's delta query: what differs between the day of a link and today, as objects and tombstones over several pages."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from demo_estate.kit import Refusal, Request, Response, Route, Service

if TYPE_CHECKING:
    from demo_estate.lenses.entra_id.routes import Collection

PAGE = 20
#: Days for which Graph knows its changes.
KEPT_DAYS = 7


def route(collection: Collection, root: str) -> Route:
    path = f"{root}{collection.path}/delta"
    return Route("GET", path, partial(answer, collection), ("$select", "$deltatoken", "$skiptoken"), bucket="directory")


def answer(collection: Collection, request: Request, service: Service) -> Response:
    """The link alone for `latest`; else a page. An object may come twice in a round, and a page may be empty.

    Instance option delta_error: (status, code) of the refusal of every link.
    """
    query = request.query
    if query.get("$deltatoken") == "latest":
        select = [name for name in query.get("$select", "").split(",") if name]
        return page(request, [], link(request, service, {"day": service.day, "select": select}, "deltatoken"))
    token = query.get("$deltatoken") or query.get("$skiptoken")
    if token is None:
        raise Refusal(400, "BadRequest", "A round from the start is not emulated; ask for $deltatoken=latest.")
    try:
        state = service.cursors.decode(token)
    except ValueError as error:
        raise Refusal(400, "BadRequest", "The delta token is not valid.") from error
    refused = service.instance.options.get("delta_error")
    if refused:
        raise Refusal(refused[0], refused[1], "The sync state is not known.", {"Location": f"{request.base_url}/"})
    if service.day - state["day"] > KEPT_DAYS:
        raise Refusal(410, "resyncRequired", "The delta token is expired.", {"Location": f"{request.base_url}/"})
    entries = service.cached(
        ("delta", collection.path, state["day"]), lambda: differences(collection, service, request, state)
    )
    start = state.get("offset", 0)
    if start < len(entries):
        following = link(request, service, {**state, "offset": start + PAGE}, "skiptoken")
        return page(request, entries[start : start + PAGE], following)
    return page(request, [], link(request, service, {"day": service.day, "select": state["select"]}, "deltatoken"))


def differences(
    collection: Collection, service: Service, request: Request, state: dict[str, Any]
) -> list[dict[str, Any]]:
    """Tombstones and changed objects, each changed one first as it was before: the last word counts."""
    old = objects_of(collection, service, request, state, state["day"])
    new = objects_of(collection, service, request, state, service.day)
    changed = [ident for ident in new if new[ident] != old.get(ident)]
    gone = [{"id": ident, "@removed": {"reason": "changed"}} for ident in old if ident not in new]
    before = [old.get(ident, {"id": ident, "@removed": {"reason": "changed"}}) for ident in changed]
    return [*before, *gone, *(new[ident] for ident in changed)]


def objects_of(
    collection: Collection, service: Service, request: Request, state: dict[str, Any], day: int
) -> dict[str, dict[str, Any]]:
    view = service.lens.view(service.truth, service.instance, day)
    select = state["select"]
    found = {}
    assert collection.listed is not None
    for key in collection.listed(view):
        record = collection.build(view, key)
        found[record["id"]] = {name: record[name] for name in select if name in record} if select else record
    return found


def link(request: Request, service: Service, state: dict[str, Any], name: str) -> dict[str, str]:
    place = "@odata.deltaLink" if name == "deltatoken" else "@odata.nextLink"
    return {place: f"{request.base_url}{request.path}?${name}={service.cursors.encode(state)}"}


def page(request: Request, value: list[dict[str, Any]], link: dict[str, str]) -> Response:
    return Response({"@odata.context": f"{request.base_url}{request.path}", **link, "value": value})
