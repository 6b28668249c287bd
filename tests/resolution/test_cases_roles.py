"""What only looks like a container, a chassis or a management controller, and what is one."""

# ruff: noqa: E501
from __future__ import annotations

from typing import Any

import pytest
from case_table import Case, CaseTable, Row

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
        {"oneview.c": {"serial_number": "CHS~01", "attributes": {"model": "Synergy 12000 Frame chassis"}}, "cmdb.d": {"serial_number": "CHS~01", "attributes": {"model": "HPE chassis"}}, "edr.a": {"serial_number": "CHS~01", "smbios_uuid": U, "hostnames": ["bl~a"]}, "edr.b": {"serial_number": "CHS~01", "smbios_uuid": V, "hostnames": ["bl~b"]}}, "cd a b", links=("a part of c", "b part of c"), unlinked=("a part of b", "b part of a")
    ),
    "controllers called after the serial number of their server": Case(
        {"edr.a": {"serial_number": "CZJ~4ABC", "hostnames": ["a~"]}, "scan.b": {"hostnames": ["ILOCZJ~4ABC"], "mac_addresses": [A]},
         "edr.c": {"serial_number": "7XK~1Q", "hostnames": ["c~"]}, "scan.d": {"fqdns": ["idrac-7xk~1q.mgmt.example"]},
         "edr.e": {"serial_number": "J3~0ABCD", "hostnames": ["e~"]}, "scan.f": {"hostnames": ["XCC-7X06-J3~0ABCD"]},
         "edr.g": {"serial_number": "APP~0001", "hostnames": ["app~"]}, "scan.h": {"hostnames": ["ilo-app~"]}},
        "a b c d e f g h", links=("b part of a", "d part of c", "f part of e"),
    ),
    "controllers by other names": Case(
        {f"{product}.{x}": {"serial_number": f"CZ~N{i // 2}", "hostnames": [f"pw~{x}"], **more} for i, (product, x, more) in enumerate((
            ("edr", "a", {}), ("scan", "b", {"attributes": {"model": "HPE iLO"}}), ("edr", "c", {}), ("scan", "d", {"attributes": {"os": "OpenBMC"}}),
            ("edr", "e", {}), ("scan", "f", {"attributes": {"model": "Dell DRAC 5"}}), ("edr", "g", {}), ("scan", "h", {"hostnames": ["web~01ilo"]})))},
        "a b c d e f g h", links=("b part of a", "d part of c", "f part of e", "h part of g"),
    ),
    "controllers of cisco, lenovo, huawei and oracle": Case(
        {"edr.a": {"serial_number": "CZ~C1"}, "scan.b": {"serial_number": "CZ~C1", "attributes": {"model": "Cisco Integrated Management Controller"}}, "edr.c": {"serial_number": "CZ~C2"}, "scan.d": {"serial_number": "CZ~C2", "attributes": {"os": "XCC 2"}}, "edr.e": {"serial_number": "CZ~C3"}, "scan.f": {"serial_number": "CZ~C3", "attributes": {"model": "Huawei iBMC"}}, "edr.g": {"serial_number": "CZ~C4"}, "scan.h": {"serial_number": "CZ~C4", "hostnames": ["ORACLESP-CZ~C4"]}, "edr.i": {"serial_number": "CZ~C5"}, "scan.j": {"serial_number": "CZ~C5", "hostnames": ["ibmc-CZ~C5"]}},
        "a b c d e f g h i j", links=("b part of a", "d part of c", "f part of e", "h part of g", "j part of i"),
    ),
    "people and services whose names end like a controller's": Case(
        {"edr.a": {"serial_number": "CZ~N8", "hostnames": ["camilo"]}, "cmdb.b": {"serial_number": "CZ~N8"}, "edr.c": {"serial_number": "CZ~N9", "hostnames": ["k8s-kilo"]}, "cmdb.d": {"serial_number": "CZ~N9"}}, "ab cd"
    ),
    "blades of a chassis that is listed, of which one shows its uuid": Case(
        {"oneview.c": {"serial_number": "CHS~04", "hostnames": ["enc~"], "attributes": {"model": "BladeSystem c7000 Enclosure"}}, "edr.a": {"serial_number": "CHS~04", "smbios_uuid": U, "hostnames": ["bl~a"], "mac_addresses": [A]}, "cmdb.b": {"serial_number": "CHS~04", "hostnames": ["bl~b"], "mac_addresses": [B]}},
        "c a b", links=("a part of c", "b part of c"), review="ab", words={"b": "that of the chassis"},
    ),
    "row of a register with the number of a chassis that is listed and the name of another blade": Case(
        {"oneview.c": {"serial_number": "CHS~05", "hostnames": ["enc~"], "attributes": {"model": "BladeSystem c7000 Enclosure"}}, "edr.a": {"serial_number": "CHS~05", "smbios_uuid": U, "hostnames": ["bl~a"], "mac_addresses": [A]}, "cmdb.b": {"serial_number": "CHS~05", "hostnames": ["bl~b"]}, "cmdb.d": {"serial_number": "CHS~05", "hostnames": ["BL~A"]}},
        "c ad b", review="ab",
    ),
    "blade of a chassis that is listed, renamed, keeps its card": Case(
        {"oneview.c": {"serial_number": "CHS~06", "attributes": {"model": "BladeSystem c7000 Enclosure"}}, "edr.a": {"serial_number": "CHS~06", "hostnames": ["bl~a"], "mac_addresses": [A]}, "cmdb.b": {"serial_number": "CHS~06", "hostnames": ["bl~b"], "mac_addresses": [A]}},
        "c ab",
    ),
    "on which of two blades it sits, the serial number of the chassis does not tell": Case(
        {"edr.a": {"serial_number": "CHS~02", "smbios_uuid": U, "hostnames": ["bl~a"], "mac_addresses": [A]}, "edr.b": {"serial_number": "CHS~02", "smbios_uuid": V, "hostnames": ["bl~b"], "mac_addresses": [B]},
         "edr.c": {"serial_number": "CHS~02", "smbios_uuid": "~000000-1111-4222-8333-0000000000cc", "hostnames": ["aabbccdd02~"]}, "edr.d": {"serial_number": "CHS~02", "smbios_uuid": V, "hostnames": ["aabbccdd03~"]}, "scan.m": {"serial_number": "CHS~02", "hostnames": ["ilo-x~"]}},
        "a b c d m", links=("d runs on b",), unlinked=("c runs on a", "c runs on b", "d runs on a", "m part of a", "m part of b"),
    ),
    "controller called after a server, with the serial number of another": Case(
        {"edr.a": {"serial_number": "CZ~ZABC", "hostnames": ["a~"]}, "edr.b": {"serial_number": "CZ~YABC", "hostnames": ["b~"]}, "scan.m": {"serial_number": "CZ~YABC", "hostnames": ["ilo-cz~zabc"]}}, "a b m", links=("m part of b",), unlinked=("m part of a",)
    ),
    "of two with one serial number the one with a card of its own": Case(
        {"edr.a": {"serial_number": "CZ~CARD", "smbios_uuid": U, "hostnames": ["a~"], "mac_addresses": [A]}, "edr.b": {"serial_number": "CZ~CARD", "smbios_uuid": V, "hostnames": ["b~"], "mac_addresses": ["da:a1:19:~:00:01"]}, "scan.m": {"serial_number": "CZ~CARD", "hostnames": ["ilo-x~"]}}, "a b m", links=("m part of a",), unlinked=("m part of b",)
    ),
    "blades of a maker and of a chassis that is listed": Case(
        {"oneview.c": {"serial_number": "CHS~09", "manufacturer": "HPE", "attributes": {"model": "BladeSystem c7000 Enclosure"}}, "edr.a": {"serial_number": "CHS~09", "manufacturer": "HPE", "hostnames": ["bl~a"], "mac_addresses": [A]}, "cmdb.b": {"serial_number": "CHS~09", "manufacturer": "HPE", "hostnames": ["bl~b"]}}, "c a b"
    ),
    "chassis that tells the uuid of a machine and not its serial number": Case(
        {"oneview.c": {"smbios_uuid": U, "hostnames": ["enc~"], "attributes": {"model": "BladeSystem c7000 Enclosure"}}, "edr.a": {"smbios_uuid": U, "hostnames": ["bl~a"]}}, "c a", unlinked=("a part of c", "c part of a")
    ),
    "camera called by the address of its card": Case(
        {"cmdb.a": {"serial_number": "CAM~1", "hostnames": ["3C7C3F~000A"]}, "nac.b": {"serial_number": "CAM~1", "mac_addresses": [A]}}, "ab"
    ),
}  # fmt: skip

#: What names controllers, chassis, blades, containers and their hosts; each word alone makes it one.
CONTROLLER_NAMES = [
    *(f"{word}-srv~" for word in ("ilo", "idrac", "drac", "imm", "imm2", "xcc", "cimc", "ilom", "irmc", "bmc", "ibmc", "ipmi", "oraclesp")),
    *(f"{word}cz3¤abc" for word in ("ilo", "idrac", "drac", "irmc")),
    *(f"srv~-{word}" for word in ("ilo", "idrac", "drac", "imm", "xcc", "cimc", "ilom", "irmc", "bmc", "ipmi", "oob", "lom")),
    *(f"web¤{word}" for word in ("ilo", "idrac", "drac", "xcc", "cimc", "ilom", "irmc", "bmc", "ipmi")),
]  # fmt: skip
CONTROLLERS = [
    "HPE iLO 5", "Dell iDRAC 9", "Dell DRAC 5", "Integrated Lights-Out", "Remote Access Controller", "XClarity Controller",
    "Lenovo XCC", "IBM IMM2", "Integrated Management Module", "Integrated Management Controller", "Baseboard Management Controller",
    "Cisco IMC", "Cisco CIMC", "Fujitsu iRMC S5", "Oracle ILOM", "OpenBMC", "Huawei iBMC", "Supermicro BMC", "IPMI", "MegaRAC SP-X",
]  # fmt: skip
CHASSIS = [
    "HPE chassis", "HPE enclosure", "HP BladeSystem", "IBM BladeCenter H", "HP c7000", "HP c3000", "Dell PowerEdge M1000e",
    "Dell PowerEdge MX7000", "HPE Synergy 12000 Frame", "Dell PowerEdge FX2s", "Cisco UCS 5108", "UCS-5108 Blade Server Chassis",
]  # fmt: skip
BLADES = [
    "NEC Blade Server", "Hitachi Server Blade", "Flex System x240 Compute Node", "ProLiant BL460c Gen10", "Synergy 480 Gen10",
    "UCS B200 M5", "UCSB-B200-M5", "PowerEdge M640", "PowerEdge MX740c", "PowerEdge FC630", "ThinkSystem SN550", "HS22",
    "BladeCenter HS22 -[7870AC1]-", "BladeCenter HX5", "BladeCenter JS22",
]  # fmt: skip
GUEST_CARDS = ["00:50:56", "00:0c:29", "00:05:69", "00:15:5d", "00:16:3e", "00:1c:42", "08:00:27"]
CONTAINERS = ["Container", "containerd", "Docker", "Kubernetes pod", "Podman", "CRI-O"]
CONTAINER_HOSTS = ["Container-Optimized OS", "CoreOS Container Linux", "Container OS", "Container Host"]
CLUSTER_NAMES = [
    *(f"sql~{word}" for word in ("clu", "clus01", "clust1", "cluster", "cno", "wsfc", "vip", "vnn", "fci", "sqlag", "lsnr", "listener", "dag1", "-scan")),
    *(f"{word}-q~" for word in ("clu", "clus", "cluster", "vip")),
]  # fmt: skip


def beside(**given: Any) -> dict[str, Row]:
    """A server, and what shows its serial number as well."""
    server = {"serial_number": "CZ~W¤", "hostnames": ["w~a"], "mac_addresses": [A]}
    return {"edr.a": server, "cmdb.b": {"serial_number": "CZ~W¤", **given}}


def called(model: str, **given: Any) -> dict[str, Row]:
    return beside(attributes={"model": model}, **given)


WORDS = {
    **{f"controller named {name}": Case(beside(hostnames=[name]), "a b", links=("b part of a",), unlinked=("a part of b",)) for name in CONTROLLER_NAMES},
    **{f"controller {model}": Case(called(model), "a b", links=("b part of a",)) for model in CONTROLLERS},
    **{f"chassis {model}": Case(called(model), "a b", links=("a part of b",), unlinked=("b part of a",)) for model in CHASSIS},
    **{f"blade {model}": Case(called(model), "ab") for model in BLADES},
    **{f"blade {model}, another one": Case(called(model, hostnames=["w~b"], mac_addresses=[B]), "a b") for model in BLADES},
    **{f"blade {model} of a maker, another one": Case({key: {**row, "manufacturer": "Maker"} for key, row in called(model, hostnames=["w~b"], mac_addresses=[B]).items()}, "a b") for model in BLADES[:1]},
    **{f"controller called after its server by {word}": Case({"edr.a": {"serial_number": "CZ¤KABC", "hostnames": ["w~a"]}, "scan.b": {"hostnames": [f"{word}-cz¤kabc"], "mac_addresses": [B]}}, "a b", links=("b part of a",)) for word in ("ilo", "idrac", "drac", "irmc", "imm", "imm2", "xcc", "cimc", "ilom", "bmc", "ibmc", "ipmi")},
    **{f"container {model}": Case(called(model, hostnames=["c~"]), "a b", links=("b runs on a",)) for model in CONTAINERS},
    **{f"controller of a host, not of its guest on {card}": Case({"edr.a": {"serial_number": "CZ~G¤", "smbios_uuid": U, "hostnames": ["w~a"], "mac_addresses": [A]}, "edr.b": {"serial_number": "CZ~G¤", "smbios_uuid": V, "hostnames": ["w~b"], "mac_addresses": [f"{card}:~:00:01"]}, "scan.m": {"serial_number": "CZ~G¤", "hostnames": ["ilo-w~"]}}, "a b m", links=("m part of a",), unlinked=("m part of b",)) for card in GUEST_CARDS},
    **{f"host of containers {model}": Case(called(model), "ab") for model in CONTAINER_HOSTS},
    **{f"cluster {name}": Case({"edr.a": {"serial_number": "CZ~W¤", "hostnames": ["w~a"], "ip_addresses": ["10.9.¤.1"]}, "ad.b": {"hostnames": [name], "ip_addresses": ["10.9.¤.1"]}}, "a b", links=("b runs on a",)) for name in CLUSTER_NAMES},
    "no cluster": Case({"edr.a": {"serial_number": "CZ~W¤", "hostnames": ["w~a"], "ip_addresses": ["10.9.¤.1"]}, "ad.b": {"hostnames": ["sql~"], "ip_addresses": ["10.9.¤.1"]}}, "a b", unlinked=("b runs on a",)),
}  # fmt: skip

TABLE = CaseTable("device", CASES)
NAMED = CaseTable("device", WORDS)


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    TABLE.check(name)


@pytest.mark.parametrize("name", WORDS)
def test_each_word_that_names_a_role(name: str) -> None:
    NAMED.check(name)
