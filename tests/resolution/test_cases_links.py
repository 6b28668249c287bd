"""T23, T36 and T50: who has an address or a serial number in common and is no one machine: pairs, names of clusters, blades."""

# ruff: noqa: E501
from __future__ import annotations

from typing import Any

import pytest
from case_table import Case, CaseTable

AT, A = {"ip_addresses": ["10.¤.7.1"]}, "00:1b:17:~:07:10"
NAME, NODE = {"hostnames": ["sqlclu~"], **AT}, {"serial_number": "CZ~N", **AT}
U, V = "~b4a1c9-12f4-4e74-af7c-3b54377d15~", "~000000-1111-4222-8333-000000000099"
B, BRIDGE = "00:1b:17:~:07:11", "02:42:ac:11:00:02"
#: One more than a list of one record may have.
MANY = {"ip_addresses": ["10.¤.7.1", *(f"10.¤.8.{number}" for number in range(64))]}


def blade(uuid: str, name: str, cards: list[str]) -> dict[str, Any]:
    """A machine that tells a serial number which others tell as well."""
    return {"serial_number": "USE~BL", "smbios_uuid": uuid, "hostnames": [f"bl{name}~"], "mac_addresses": cards}


def on_nodes(letters: str, linked: bool) -> Case:
    """The name of a cluster on an address on which so many machines answer."""
    rows: dict[str, dict[str, Any]] = {
        f"edr.{x}": {"serial_number": f"CZ~N{x}", "hostnames": [f"n{x}~"], **AT} for x in letters
    }
    told = tuple(f"z runs on {x}" for x in letters)
    return Case({"ad.z": NAME, **rows}, " ".join(f"z{letters}"), **{"links" if linked else "unlinked": told})


CASES = {
    "cluster name on the address of eight machines": on_nodes("abcdefgh", linked=True),
    "cluster name on the address of nine machines is that of a router": on_nodes("abcdefghi", linked=False),
    "cluster name that has very many addresses": Case({"ad.z": {**NAME, **MANY}, "edr.a": {**NODE, "hostnames": ["n~"]}}, "z a", unlinked=("z runs on a",)),
    "virtual machine that is called like a cluster": Case({"edr.z": {**NAME, "serial_number": "VMware-~ b4 a1 c9 12 f4 4e 74-af 7c 3b 54 37 7d 15 ~"}, "edr.a": {**NODE, "hostnames": ["n~"]}}, "z a", unlinked=("z runs on a", "a runs on z")),
    "machine whose only name is that of everyone may be the cluster name": Case({"ad.z": NAME, "edr.a": {**NODE, "hostnames": ["localhost"]}}, "z a", unlinked=("z runs on a",)),
    "cluster name in two products": Case({"cmdb.y": NAME, "ad.z": NAME}, "y z", review="yz", unlinked=("y runs on z", "z runs on y")),
    "pair of switches of which one is in two products under two names": Case(
        {"nms.a": {"serial_number": "SWA~", "mac_addresses": [A], "hostnames": ["sw~"], **AT}, "cmdb.b": {"serial_number": "SWA~", "mac_addresses": [A], "hostnames": ["core~"], **AT}, "nms.c": {"serial_number": "SWB~", "mac_addresses": [A], "hostnames": ["dist~"], **AT}},
        "ab c", links=("a member of c", "b member of c"),
    ),
    "pair of which one has a second name": Case({"nms.a": {"serial_number": "FWA~", "hostnames": ["fw~a", "fw~"], **AT}, "nms.b": {"serial_number": "FWB~", "hostnames": ["fw~"], **AT}}, "a b", links=("a member of b", "b member of a")),
    "pair of which one has very many addresses": Case({"nms.a": {"serial_number": "FWA~", "mac_addresses": [A], **MANY}, "nms.b": {"serial_number": "FWB~", "mac_addresses": [A], **AT}}, "a b", unlinked=("a member of b", "b member of a")),
    "machine without a card that its maker gave it is a guest of the one that has one": Case({"edr.a": blade(U, "a", [A]), "edr.b": blade(V, "b", ["da:a1:19:~:00:01"])}, "a b", links=("b runs on a",)),
    "blade with containers on it is no container": Case({"edr.a": blade(U, "a", [A, BRIDGE]), "edr.b": blade(V, "b", [B])}, "a b", links=("a part of b", "b part of a")),
    "blade of which one product tells the bridge of its containers alone": Case({"edr.a": blade(U, "a", [A]), "cnapp.c": blade(U, "a", [BRIDGE]), "edr.b": blade(V, "b", [B])}, "ac b", links=("a part of b", "b part of a")),
}  # fmt: skip

TABLE = CaseTable("device", CASES)


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    TABLE.check(name)
