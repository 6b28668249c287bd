"""What a person declares to be a real value is one, whatever a list of placeholders or the data say."""

from __future__ import annotations

from typing import Any

import pytest
from resolution_kit import seen

from dbt_like_transforms.resolution.config import ResolutionConfig
from dbt_like_transforms.resolution.observations import shape_of, to_table
from dbt_like_transforms.resolution.resolve import resolve

DOCK = "3c:7c:3f:00:00:81"
ENTRA = "0b5b7a39-0000-4000-8000-0000000000{:02}"


def assets(rows: list[dict[str, Any]], *allowed: tuple[str, str]) -> tuple[set[frozenset[str]], set[str]]:
    """The partition, and the values that are no identifiers."""
    table = to_table([shape_of("device").validate_python(row) for row in rows], "device")
    outcome = resolve("device", table, config=ResolutionConfig(allowed=allowed))
    found: dict[str, set[str]] = {}
    for record, asset in outcome.assignments().project("record, asset_id").fetchall():
        found.setdefault(asset, set()).add(record)
    return set(map(frozenset, found.values())), {row[0] for row in outcome.suppressed().project("value").fetchall()}


def test_a_placeholder_that_is_allowed_joins() -> None:
    rows = [seen(f"{product}:p:1", serial_number="1234567", manufacturer="Acme") for product in ("edr", "cmdb")]
    assert assets(rows)[1] == {"1234567"}
    assert assets(rows, ("serial_number", "1234567")) == ({frozenset({"edr:p:1", "cmdb:p:1"})}, set())


@pytest.mark.parametrize("spelling", ["35209900176148", "352099001761481", "IMEI: 35-209900-176148-1"])
def test_an_imei_is_allowed_as_it_stands_on_the_phone(spelling: str) -> None:
    rows = [seen(f"{product}:p:1", imei="352099001761481") for product in ("mdm", "cmdb")]
    assert assets(rows)[1] == {"35209900176148"}
    assert assets(rows, ("imei", spelling)) == ({frozenset({"mdm:p:1", "cmdb:p:1"})}, set())


def test_words_in_the_serial_field_are_one_when_they_are_allowed() -> None:
    rows = [seen(f"{product}:p:1", serial_number="blue whale") for product in ("edr", "cmdb")]
    assert assets(rows)[1] == {"BLUEWHALE"}
    assert assets(rows, ("serial_number", "Blue Whale")) == ({frozenset({"edr:p:1", "cmdb:p:1"})}, set())


@pytest.mark.parametrize("spelling", [DOCK, "3C-7C-3F-00-00-81"])
def test_a_value_that_several_machines_carry_is_used_when_it_is_allowed_and_vetoes_hold(spelling: str) -> None:
    rows = [
        seen("edr:p:1", serial_number="SER001", hostnames=["pc1"], mac_addresses=[DOCK]),
        seen("edr:p:2", serial_number="SER002", hostnames=["pc2"], mac_addresses=[DOCK]),
        seen("scan:p:1", hostnames=["pc1"], mac_addresses=[DOCK]),
    ]
    groups, suppressed = assets(rows)
    assert frozenset({"edr:p:1", "scan:p:1"}) not in groups
    assert suppressed == {DOCK}
    groups, suppressed = assets(rows, ("mac_addresses", spelling))
    assert groups == {frozenset({"edr:p:1", "scan:p:1"}), frozenset({"edr:p:2"})}
    assert suppressed == set()


def test_a_locally_administered_card_is_used_when_it_is_allowed() -> None:
    card = "52:54:00:12:34:56"
    rows = [seen(f"{product}:p:1", hostnames=["guest1"], mac_addresses=[card]) for product in ("edr", "nac")]
    assert assets(rows)[1] == {card}
    assert assets(rows, ("mac_addresses", "5254.0012.3456")) == ({frozenset({"edr:p:1", "nac:p:1"})}, set())


def test_a_serial_number_on_many_machines_is_used_when_it_is_allowed() -> None:
    rows = [seen(f"edr:p:{i}", serial_number="ACME-BOARD", entra_device_id=ENTRA.format(i)) for i in range(6)]
    assert assets(rows)[1] == {"ACME-BOARD"}
    groups, suppressed = assets(rows, ("serial_number", "acme-board"))
    assert len(groups) == 6  # their directory ids still tell them apart
    assert suppressed == set()
