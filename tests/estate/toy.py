"""A small emulated vendor for the tests of the kit: one token endpoint, one paged list, one limited route."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from demo_estate.kit import Bucket, Refusal, Request, Response, Route, Service, bearer_token, page_bounds
from demo_estate.lenses import Answer, Instance, Lens, View


def token(request: Request, service: Service) -> Any:
    if request.form().get("client_secret") != service.credentials["client_secret"]:
        raise Refusal(401, "unauthorized", "wrong secret")
    return {"access_token": service.tokens.issue("client").value, "expires_in": int(service.tokens.ttl)}


def authenticate(request: Request, service: Service) -> None:
    if service.tokens.find(bearer_token(request.header("authorization"))) is None:
        raise Refusal(401, "unauthorized", "token missing or expired")


def machines(request: Request, service: Service) -> Any:
    indexes = service.device_indexes()
    limit = request.integer("limit", 100, 1, 1000)
    start, stop, following = page_bounds(len(indexes), request.integer("offset", 0), limit)
    body: dict[str, Any] = {
        "value": [{"id": f"m-{i}", "name": service.view.device(i).hostname} for i in indexes[start:stop]]
    }
    if following is not None:
        body["nextLink"] = f"{service.base_url}/machines?offset={following}&limit={limit}"
    return body


def machine(request: Request, service: Service) -> Any:
    index = int(request.path_args["id"].removeprefix("m-"))
    if not service.view.lists(index):
        raise Refusal(404, "not_found", "no such machine")
    return {"id": f"m-{index}"}


def limited(request: Request, service: Service) -> Any:
    return Response({"ok": True})


def answer(view: View) -> Iterator[Answer]:
    for index in view.device_indexes():
        yield Answer("device", f"m-{index}", f"dev-{index:06d}", view.truth.quirks(index))


def credentials(view: View) -> Mapping[str, str]:
    return {"client_secret": view.truth.hex_id(32, view.instance.name, "secret")}


TOY = Lens(
    product="toy",
    routes=(
        Route("POST", "/token", token, public=True),
        Route("GET", "/machines", machines, params=("offset", "limit")),
        Route("GET", "/machines/{id}", machine),
        Route("GET", "/limited", limited, bucket="few"),
    ),
    answer=answer,
    credentials=credentials,
    options=lambda view, base_url: {"token_url": f"{base_url}/token"},
    authenticate=authenticate,
    buckets=lambda: {"few": Bucket(2, 60)},
    retention=30,
    token_ttl=600,
    instances=(
        Instance("toy_main", sites=frozenset(range(7))),
        Instance("toy_lab", sites=frozenset((6, 7)), by_default=False),
    ),
)
