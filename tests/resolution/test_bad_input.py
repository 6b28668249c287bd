"""Bad input: a clear error or a clean result, never a crash, never a silent merge."""

from __future__ import annotations

from typing import Any

import pytest
from resolution_kit import resolved, seen
from test_properties import run, table

from dbt_like_transforms.resolution.manual import Decision
from dbt_like_transforms.resolution.survivorship import Survivors

MANY = 10_000


def mac(number: int) -> str:
    digits = f"{0x3C22FB000000 + number:012x}"
    return ":".join(digits[place : place + 2] for place in range(0, 12, 2))


def poisoned() -> dict[str, Any]:
    """A record that claims every name, address and agent of the estate."""
    return seen(
        "edr:p:all",
        serial_number="SER000",
        hostnames=[f"host{number}" for number in range(MANY)],
        fqdns=[f"host{number}.corp.example" for number in range(MANY)],
        mac_addresses=[mac(number) for number in range(MANY)],
        ip_addresses=[f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}" for number in range(MANY)],
    )


@pytest.mark.fault("a record that claims every name and address", "it joins nothing")
def test_ten_thousand_values_in_one_list_join_nothing() -> None:
    others = [
        seen(
            f"cmdb:p:{number}", serial_number=f"SN{number:06}", hostnames=[f"host{number}"], mac_addresses=[mac(number)]
        )
        for number in range(500)
    ]
    ids, _, _ = run([poisoned(), *others])
    assert len(set(ids.values())) == len(ids) == 501


def test_ten_thousand_values_do_not_swallow_records_that_have_nothing_else() -> None:
    weak = [seen(f"scan:p:{number}", hostnames=[f"host{number}"], mac_addresses=[mac(number)]) for number in range(50)]
    groups = resolved("device", poisoned(), *weak).groups()
    assert all(len(group) == 1 for group in groups)


@pytest.mark.parametrize(
    "name",
    [
        "na\x00me",
        "\x00",
        "\u202egnp.exe",
        "\U0001f600",
        " ",
        "a" * 100_000,
        "\ud800".encode("utf-8", "replace").decode(),
        "'; drop table _records; --",
    ],
)
def test_strange_names_are_kept_as_text_and_join_nothing_they_should_not(name: str) -> None:
    ids, _, _ = run(
        [
            seen("edr:p:1", serial_number="SER001", hostnames=[name]),
            seen("edr:p:2", serial_number="SER002", hostnames=[name]),
            seen("cmdb:p:1", serial_number="SER001"),
        ]
    )
    assert ids["edr:p:1"] == ids["cmdb:p:1"] != ids["edr:p:2"]


def test_nothing_at_all_is_no_asset() -> None:
    from dbt_like_transforms.resolution.resolve import resolve

    outcome = resolve("device", table())
    assert outcome.assignments().fetchall() == []
    assert Survivors(outcome).winners().num_rows == 0


def test_a_merge_of_a_record_that_is_gone_joins_nothing_and_waits() -> None:
    rows = [seen("edr:p:1", serial_number="SER001"), seen("edr:p:2", serial_number="SER002")]
    merge = Decision.model_validate(
        {"id": "d", "kind": "device", "action": "merge", "records": ["edr:p:1", "edr:p:gone"]}
    )
    ids, state, _ = run(rows, None, (merge,))
    assert len(set(ids.values())) == 2
    back = seen("edr:p:gone", serial_number="SER003")
    ids, _, _ = run([*rows, back], state, (merge,))
    assert ids["edr:p:1"] == ids["edr:p:gone"] != ids["edr:p:2"]
