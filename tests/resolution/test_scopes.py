"""Scopes of connections: what two companies or sites in one home share by chance joins nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from resolution_kit import Runs, seen

CARD = "3c:7c:3f:00:00:0a"
NAMED = {"fqdns": ["web01.corp.local"], "mac_addresses": [CARD]}
#: One scanner that divides networks, and an EDR.
ROWS = [
    seen("scan:p:1", **NAMED),
    seen("scan:p:2", **NAMED, scope="branch"),
    seen("scan:p:3", serial_number="SER001A", manufacturer="Dell"),
    seen("edr:p:1", **NAMED),
    seen("edr:p:3", serial_number="SER001A", manufacturer="Dell"),
]


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path)


def test_names_and_cards_join_inside_the_scope_of_the_connection_and_serial_numbers_everywhere(runs: Runs) -> None:
    found = runs.build(*ROWS)
    assert found["scan:p:1"] == found["edr:p:1"] != found["scan:p:2"]
    runs.scopes(scan="plant_a", edr="plant_b")
    found = runs.build(*ROWS)
    assert len({found["scan:p:1"], found["scan:p:2"], found["edr:p:1"]}) == 3
    assert found["scan:p:3"] == found["edr:p:3"]


def test_connections_of_one_scope_agree_and_networks_of_a_product_divide_it(runs: Runs) -> None:
    runs.scopes(scan="plant_a", edr="plant_a")
    found = runs.build(*ROWS)
    assert found["scan:p:1"] == found["edr:p:1"] != found["scan:p:2"]


def test_a_scope_that_is_taken_away_joins_what_it_parted_with_its_ids(runs: Runs) -> None:
    natural = runs.build(*ROWS)
    runs.scopes(scan="plant_a", edr="plant_b")
    runs.build(*ROWS)
    runs.scopes(scan="default", edr="default")
    assert runs.build(*ROWS) == natural
