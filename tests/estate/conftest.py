from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
import requests

from demo_estate.kit import VirtualClock
from demo_estate.server import EstateServer
from demo_estate.truth import Truth

from .toy import TOY

TODAY = date(2026, 6, 30)


class Client:
    """A requests session that holds a token of one toy instance."""

    def __init__(self, estate: EstateServer, instance: str = "toy_main") -> None:
        self.spec = estate.connections()[instance]
        self.base_url = self.spec.base_url
        self.session = requests.Session()
        self.authenticate()

    def authenticate(self) -> None:
        _, secret = self.spec.credentials["client_secret"]
        answer = self.session.post(self.spec.options["token_url"], data={"client_secret": secret}, timeout=30)
        self.session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def get(self, path: str, **options: object) -> requests.Response:
        return self.session.get(self.base_url + path, timeout=30, **options)  # type: ignore[arg-type]


@pytest.fixture
def truth() -> Truth:
    return Truth(seed=7, devices=500, days=5, today=TODAY)


@pytest.fixture
def estate(truth: Truth) -> Iterator[EstateServer]:
    with EstateServer(truth, lenses=[TOY], clock=VirtualClock(1_780_000_000, frozen=True)) as running:
        yield running


@pytest.fixture
def client(estate: EstateServer) -> Client:
    return Client(estate)
