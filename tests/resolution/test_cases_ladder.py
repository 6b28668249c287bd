"""The ladder as a promise: what differs on a higher rung forbids every agreement below, what agrees there outweighs what
differs below; and chains of records of which each agrees with the next on another rung."""

# ruff: noqa: E501
from __future__ import annotations

from typing import Any

import pytest
from case_table import Case, CaseTable

A, B, DOCK = "3c:7c:3f:~:00:0a", "3c:7c:3f:~:00:0b", "00:e0:4c:68:~:01"
U, V = "~b4a1c9-12f4-4e74-af7c-3b54377d15~", "~000000-1111-4222-8333-000000000099"
G1, G2 = "0d0000~-12f4-4e74-af7c-3b54377d1501", "0d0000~-12f4-4e74-af7c-3b54377d1502"

DIRECTORY: dict[str, tuple[str, str, str]] = {
    "entra device id": ("entra_device_id", G1, G2),
    "objectGUID": ("ad_object_guid", G1, G2),
    "sid": ("ad_sid", "S-1-5-21-7-7-¤-1101", "S-1-5-21-7-7-¤-1102"),
    "cloud id": ("cloud_instance_id", "i-0ab10000000~", "i-0ab20000000~"),
}
HARDWARE: dict[str, tuple[str, str, str]] = {
    "serial": ("serial_number", "5CGX~A", "5CGX~B"),
    "uuid": ("smbios_uuid", U, V),
    "imei": ("imei", "35209900¤4711", "86209911¤4711"),
}
BELOW: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "cards": ({"mac_addresses": [A]}, {"mac_addresses": [B]}),
    "card and name": ({"mac_addresses": [A], "hostnames": ["r~"]}, {"mac_addresses": [B], "hostnames": ["s~"]}),
    "full name": ({"fqdns": ["m~.corp.example"]}, {"fqdns": ["o~.corp.example"]}),
    "agent": ({"agent_ids": {"aid": "~1" * 16}}, {"agent_ids": {"aid": "~2" * 16}}),
    "address": ({"ip_addresses": ["10.¤.1.1"]}, {"ip_addresses": ["10.¤.1.2"]}),
}

CASES = {
    **{
        f"{high} differs, {low} agrees": Case({"tenable.a": {key: one, low_key: value}, "cmdb.b": {key: other, low_key: value}}, "a b")
        for high, (key, one, other) in DIRECTORY.items()
        for low, (low_key, value, _) in HARDWARE.items()
    },
    **{
        f"{high} agrees, {low} differs": Case({"tenable.a": {key: value, **one}, "cmdb.b": {key: value, **other}}, "ab")
        for high, (key, value, _) in (DIRECTORY | HARDWARE).items()
        for low, (one, other) in BELOW.items()
    },
    "each agrees with the next on a lower rung": Case(
        {"intune.a": {"entra_device_id": G1}, "mde.b": {"entra_device_id": G1, "agent_ids": {"mde": "~9" * 20}}, "siem.c": {"agent_ids": {"mde": "~9" * 20}, "fqdns": ["al~.corp.example"]},
         "tenable.d": {"fqdns": ["al~.corp.example"], "mac_addresses": [A]}, "forescout.e": {"hostnames": ["al~"], "mac_addresses": [A]}},
        "abcde",
    ),
    "the last of a chain differs from the first": Case(
        {"vcenter.a": {"smbios_uuid": U}, "edr.b": {"smbios_uuid": U, "serial_number": "9B~B"}, "cmdb.c": {"serial_number": "9B~B", "fqdns": ["tw~.corp.example"]}, "tenable.d": {"fqdns": ["tw~.corp.example"], "serial_number": "9B~D"}}, "abc d"
    ),
    "the better of two agreements decides": Case(
        {"edr.a": {"serial_number": "HV~1", "agent_ids": {"aid": "~7" * 16}}, "intune.b": {"serial_number": "HV~2", "fqdns": ["hv~.corp.example"]}, "siem.c": {"agent_ids": {"aid": "~7" * 16}, "fqdns": ["hv~.corp.example"]}}, "ac b"
    ),
    "serial of one machine, card and name of another": Case(
        {"edr.a": {"serial_number": "65~A", "hostnames": ["ua~"], "mac_addresses": [A]}, "edr.b": {"serial_number": "65~B", "hostnames": ["ub~"], "mac_addresses": [B]}, "cmdb.c": {"serial_number": "65~A", "hostnames": ["ub~"], "mac_addresses": [B]}}, "ac b"
    ),
    "name of one machine, card of another": Case(
        {"edr.a": {"fqdns": ["la~.corp.example"], "mac_addresses": [A], "serial_number": "PT~A"}, "edr.b": {"fqdns": ["lb~.corp.example"], "mac_addresses": [B], "serial_number": "PT~B"}, "tenable.s": {"fqdns": ["la~.corp.example"], "mac_addresses": [B]}}, "a b s", review="sa sb"
    ),
    "serial, dock, name and address make no chain": Case(
        {"intune.a": {"serial_number": "CH~1", "hostnames": ["ca~"]}, "edr.b": {"serial_number": "CH~1", "mac_addresses": [DOCK, A]}, "edr.c": {"serial_number": "CH~2", "mac_addresses": [DOCK, B], "hostnames": ["cc~"]}, "cmdb.d": {"hostnames": ["cc~"], "ip_addresses": ["10.¤.1.1"]}, "tenable.e": {"ip_addresses": ["10.¤.1.1"]}},
        "ab c d e", held="de", review="cd",
    ),
    "two cards of one name and what has both": Case(
        {"forescout.a": {"fqdns": ["tn~.corp.example"], "mac_addresses": [A]}, "armis.b": {"fqdns": ["tn~.corp.example"], "mac_addresses": [B]}, "edr.c": {"hostnames": ["tn~"], "mac_addresses": [A, B]}}, "abc"
    ),
    "a placeholder or a virtual card is no disagreement": Case(
        {"tenable.a": {"fqdns": ["vd~.corp.example"], "mac_addresses": ["00:50:56:c0:00:08"], "serial_number": "Default string"}, "edr.b": {"fqdns": ["vd~.corp.example"], "mac_addresses": [A], "serial_number": "VM~1"}, "nac.c": {"fqdns": ["vd~.corp.example"], "mac_addresses": ["da:a1:19:~:00:09"]}}, "abc"
    ),
    "three firewalls of one cluster": Case(
        {f"cmdb.{x}": {"serial_number": f"FW~{x}", "mac_addresses": ["00:1b:17:~:01:10"], "ip_addresses": ["10.¤.0.1"], "hostnames": [f"f{x}~"]} for x in "abc"}, "a b c", links=("a member of b", "b member of c", "a member of c")
    ),
}  # fmt: skip

TABLE = CaseTable("device", CASES)


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    TABLE.check(name)
