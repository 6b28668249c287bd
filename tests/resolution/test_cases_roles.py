"""What only looks like a container, a chassis or a management controller, and what is one."""

# ruff: noqa: E501
from __future__ import annotations

import pytest
from case_table import Case, CaseTable

A, B = "3c:7c:3f:~:00:0a", "3c:7c:3f:~:00:0b"
U, V = "~b4a1c9-12f4-4e74-af7c-3b54377d15~", "~000000-1111-4222-8333-000000000099"

CASES = {
    "kubernetes node on container-optimized os is a machine": Case(
        {"edr.a": {"serial_number": "GoogleCloud-~B4A1C912F44E74AF7C3B54377D15~", "hostnames": ["gke-n~"], "attributes": {"os": "Container-Optimized OS from Google"}}, "scan.b": {"smbios_uuid": U}, "cmdb.c": {"serial_number": "CZ~COS"}, "edr.d": {"serial_number": "CZ~COS", "attributes": {"os": "CoreOS Container Linux"}}}, "ab cd"
    ),
    "oracle cluster node has rac in its name": Case({"edr.a": {"serial_number": "CZ~RAC", "hostnames": ["db~-rac1"]}, "cmdb.b": {"serial_number": "CZ~RAC", "hostnames": ["db~"]}}, "ab"),
    "blade of a flex system is no chassis": Case({"edr.a": {"serial_number": "06~FX", "hostnames": ["flex~"]}, "cmdb.b": {"serial_number": "06~FX", "attributes": {"model": "IBM Flex System x240 Compute Node"}}}, "ab"),
    "server of bmc software and people called ilona": Case(
        {"edr.a": {"serial_number": "CZ~BMC", "hostnames": ["bmcapp01"]}, "cmdb.b": {"serial_number": "CZ~BMC"}, "edr.c": {"serial_number": "CZ~ILO", "hostnames": ["ilonapc1"]}, "cmdb.d": {"serial_number": "CZ~ILO"}, "edr.e": {"serial_number": "CZ~IMM", "hostnames": ["immoweb~"]}, "cmdb.f": {"serial_number": "CZ~IMM"}}, "ab cd ef"
    ),
    "pod by its name, with the firmware of its node": Case(
        {"edr.a": {"serial_number": "CNX~20", "smbios_uuid": U, "hostnames": ["n~"]}, "edr.b": {"serial_number": "CNX~20", "smbios_uuid": V, "hostnames": ["cart-7d9c5b6f48-x2xkq"]}}, "a b", links=("b runs on a",)
    ),
    "container that shares name, card and agent of its host": Case(
        {"edr.a": {"serial_number": "CNX~21", "hostnames": ["h~"], "fqdns": ["h~.corp.example"], "mac_addresses": [A], "agent_ids": {"aid": "~" * 16}}, "edr.b": {"serial_number": "CNX~21", "hostnames": ["h~"], "fqdns": ["h~.corp.example"], "mac_addresses": [A], "agent_ids": {"aid": "~" * 16}, "attributes": {"model": "Docker container"}}}, "a b", links=("b runs on a",)
    ),
    "controller listed under the name of its server": Case(
        {"edr.a": {"serial_number": "CZ~B5", "fqdns": ["s~.corp.example"], "hostnames": ["s~"]}, "oneview.b": {"serial_number": "CZ~B5", "fqdns": ["s~.corp.example"], "hostnames": ["s~"], "mac_addresses": [B], "attributes": {"model": "iDRAC9"}}}, "a b", links=("b part of a",)
    ),
    "controller in two products": Case(
        {"scan.a": {"hostnames": ["idrac-~K21Z3"], "mac_addresses": [B]}, "nac.b": {"hostnames": ["iDRAC-~K21Z3"], "mac_addresses": [B]}}, "ab"
    ),
    "chassis and its two blades in two products": Case(
        {"oneview.c": {"serial_number": "CHS~01", "attributes": {"model": "Synergy 12000 Frame chassis"}}, "cmdb.d": {"serial_number": "CHS~01", "attributes": {"model": "HPE chassis"}}, "edr.a": {"serial_number": "CHS~01", "smbios_uuid": U, "hostnames": ["bl~a"]}, "edr.b": {"serial_number": "CHS~01", "smbios_uuid": V, "hostnames": ["bl~b"]}}, "cd a b", links=("a part of c", "b part of c")
    ),
}  # fmt: skip

TABLE = CaseTable("device", CASES)


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    TABLE.check(name)
