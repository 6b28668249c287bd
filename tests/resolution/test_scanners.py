"""T79: what a scanner tells makes an asset only where it identifies a machine, and a placeholder does not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from resolution_kit import Outcome, devices, seen

ZEROS = "00000000-0000-0000-0000-000000000000"
#: What names no machine; ~ is the number of the record, so that each has a name of its own.
NOTHING: list[dict[str, Any]] = [
    {},
    {"serial_number": "To be filled by O.E.M."},
    {"serial_number": "None"},
    {"smbios_uuid": ZEROS},
    {"smbios_uuid": "03000200-0400-0500-0006-000700080009"},
    {"entra_device_id": ZEROS},
    {"ad_object_guid": ZEROS},
    {"ad_sid": "N/A"},
    {"imei": "000000000000000"},
    {"cloud_instance_id": "none"},
    {"agent_ids": {"qualys": "none"}},
    {"mac_addresses": ["00:00:00:00:00:00"]},
    {"mac_addresses": ["00:50:56:C0:00:08", "02:42:ac:11:00:02"]},
    {"mac_addresses": ["da:a1:19:00:00:01"]},
    {"fqdns": ["localhost.localdomain"]},
    {"fqdns": ["unknown-box~"]},
    {"fqdns": ["unknown-box~."]},
]
SOMETHING: list[dict[str, Any]] = [
    {"serial_number": "5CG0000080"},
    {"serial_number": "VMware-42 02 30 81 33 1b 58 e1-27 30 ca 56 07 89 e5 51"},
    {"smbios_uuid": "11f6e606-84d1-4e74-af7c-3b54377d15e3", "serial_number": "None"},
    {"mac_addresses": ["3c:7c:3f:00:00:01"]},
    {"fqdns": ["unknown-box~.corp.example"], "mac_addresses": ["00:00:00:00:00:00"]},
    {"agent_ids": {"tenable": "abcdef01" * 4}},
    {"cloud_instance_id": "i-0abc0000000000001"},
]


def found(product: str, told: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """A record of the scanner for each."""
    rows = []
    for number, given in enumerate(told):
        own = {
            name: [value.replace("~", str(number)) for value in values] if name == "fqdns" else values
            for name, values in given.items()
        }
        names = {"hostnames": [f"unknown-box{number}"], "ip_addresses": [f"10.9.9.{number + 1}"]}
        rows.append(seen(f"{product}:p:{number}", **names, **own))
    return rows


def held(out: Outcome, rows: list[dict[str, Any]]) -> list[bool]:
    return [out.held(row["record"]) for row in rows]


def test_a_placeholder_makes_no_asset_of_what_a_scanner_found() -> None:
    for product in ("qualys", "tenable"):
        rows = found(product, NOTHING)
        out = devices(*rows, seen("edr:p:2", serial_number="5CG0000079"))
        assert held(out, rows) == [True] * len(NOTHING)
        assert not out.held("edr:p:2")


def test_what_identifies_a_machine_makes_an_asset() -> None:
    rows = found("tenable", SOMETHING)
    assert held(devices(*rows), rows) == [False] * len(SOMETHING)
