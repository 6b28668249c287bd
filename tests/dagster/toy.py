"""Two products and a handful of models of the tests' own. What a vendor does next is told by a file in the home."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from connector_assets import registry
from connector_assets.kit import Api, Connector, Credential, NoAuth, Page, Stream
from connector_assets.kit.errors import FixCredentials, RetryLater, StreamSkipped
from exposure_pipelines import building
from exposure_pipelines.home import Home

MODELS = Path(__file__).parent / "toy_models"
SECRET = "s3cret-of-the-tests"


#: What no vendor should send: no key, another shape, a date that is none, letters that files and terminals choke on, megabytes.
POISON: list[Any] = [
    {"name": "without a key"},
    "no record at all",
    {"id": {"nested": ["in", "place", "of", "text"]}, "name": "a key that is none"},
    {"id": "p1", "name": "nul\x00and\x1b[31mescape", "seen": "0000-99-99T99:99:99Z", "tags": "no list", "state": 7},
    {"id": "p2", "name": "x" * 3_000_000, "tags": [None, {"a": [1]}, "\ud83d\ude00"]},
]


def tell(home: Home, instance: str, **behaviour: Any) -> None:
    """What the vendor behind an instance does from now on: `hosts` records, `fail` a stream, `partial`, `skip`, `hang`,
    `poison`, `slow` seconds after its records."""
    replace(home.root / f"vendor_{instance}.json", json.dumps(behaviour))


def replace(file: Path, text: str) -> None:
    """Another process reads the old text or the new one, never a part."""
    written = file.with_name(f"{file.name}.new")
    written.write_text(text)
    written.replace(file)


def calls(home: Home, instance: str) -> int:
    """How many streams the vendor was asked for so far."""
    file = home.root / f"vendor_{instance}.calls"
    return len(file.read_text()) if file.exists() else 0


def behaviour(api: Api) -> dict[str, Any]:
    home = Home.from_env()
    with (home.root / f"vendor_{api.instance}.calls").open("a") as counter:
        counter.write("x")
    file = home.root / f"vendor_{api.instance}.json"
    return json.loads(file.read_text()) if file.exists() else {}


def pull_hosts(api: Api) -> Iterator[Page]:
    told = behaviour(api)
    fail(told, "hosts")
    hang(api, told)
    if told.get("poison"):
        yield Page(POISON)
    yield Page(
        [
            {"id": f"h{n}", "name": f"host-{n}", "seen": "2026-11-20T10:00:00Z", "tags": ["a", "b"], "state": "active"}
            for n in range(told.get("hosts", 3))
        ]
        + [{"name": "without a key"}] * told.get("malformed", 0)
    )
    if "partial" in told:
        api.partial(told["partial"])
    api.pause(told.get("slow", 0))


def pull_users(api: Api) -> Iterator[Page]:
    told = behaviour(api)
    fail(told, "users")
    yield Page([{"id": "u1", "name": "user"}])


def hang(api: Api, told: dict[str, Any]) -> None:
    """Give no answer until told otherwise. The process that waits is named in the home."""
    root = Home.from_env().root
    if told.get("hang"):
        replace(root / f"vendor_{api.instance}.pid", str(os.getpid()))
    while told.get("hang"):
        time.sleep(0.2)
        told = json.loads((root / f"vendor_{api.instance}.json").read_text())


def fail(told: dict[str, Any], stream: str) -> None:
    if told.get("skip") == stream:
        raise StreamSkipped("no licence for it")
    if told.get("fail") == stream:
        raise FixCredentials("the vendor refused the key", status=401, hint="make a new key")
    if told.get("down") == stream:
        raise RetryLater("the vendor is down", status=503)


def connector(product: str) -> Connector:
    fields: dict[str, Any] = {
        "id": "text",
        "name": "text",
        "seen": "timestamp",
        "tags": ["text"],
        "state": "text",
    }
    return Connector(
        product=product,
        title=product.title(),
        description="A product of the tests.",
        base_url="http://127.0.0.1:9",
        auth=lambda options, secrets: NoAuth(),
        streams=(
            Stream("hosts", pull_hosts, "id", fields, "Hosts."),
            Stream("users", pull_users, "id", {"id": "text", "name": "text"}, "Users.", optional=True),
        ),
        credentials=(Credential("token", "A token.", optional=True),),
        permissions=(),
        asset_kinds=("device",),
        billable_kinds=("device",),
        evidence="unverified",
    )


PRODUCTS = {product: connector(product) for product in ("alpha", "beta")}


def install(models: Path = MODELS) -> None:
    """Put the toy products and models in place of the real ones, in this process."""
    registry.products = lambda: tuple(PRODUCTS)  # type: ignore[assignment]
    registry.load = lambda product: PRODUCTS[product]  # type: ignore[assignment]
    building.MODELS_DIR = models
    building.project.cache_clear()
