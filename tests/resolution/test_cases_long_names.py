"""Names that differ only behind the 15 characters that NetBIOS keeps are two names, wherever names are compared."""

# ruff: noqa: E501
from __future__ import annotations

import pytest
from case_table import Case, CaseTable
from resolution_kit import devices, seen

ONE, TWO, CUT = "prod-payment~-web-01", "prod-payment~-web-02", "PROD-PAYMENT~-"
A, B, C = "3c:7c:3f:~:00:0a", "3c:7c:3f:~:00:0b", "3c:7c:3f:~:00:0c"
U, V = "~b4a1c9-12f4-4e74-af7c-3b54377d15~", "~000000-1111-4222-8333-000000000099"
AID = "~a" * 16
OLD = {"first_seen": "2026-01-01T00:00:00Z", "last_seen": "2026-05-01T00:00:00Z", "observed_at": "2026-05-01T00:00:00Z"}
NEW = {"first_seen": "2026-05-03T00:00:00Z", "last_seen": "2026-11-20T09:00:00Z"}


def pair(one: str, other: str, **both: object) -> dict[str, dict[str, object]]:
    """Two servers with a card each, their names, and what both tell."""
    return {one: {"hostnames": [ONE], "mac_addresses": [A], **both}, other: {"hostnames": [TWO], "mac_addresses": [B], **both}}  # fmt: skip


CASES = {
    "agent of a golden image": Case(pair("crowdstrike.a", "crowdstrike.b", agent_ids={"aid": AID}), "a b", words={"a": "the agent was probably cloned"}),
    "agent of a golden image in two products": Case(pair("crowdstrike.a", "siem.b", agent_ids={"aid": AID}), "a b"),
    "agent of a machine whose name one product cuts": Case({"crowdstrike.a": {"agent_ids": {"aid": AID}, "hostnames": [ONE], "mac_addresses": [A]}, "siem.b": {"agent_ids": {"aid": AID}, "netbios_name": CUT, "mac_addresses": [B]}}, "ab"),
    "agent of a machine known by its full name and another one": Case({"crowdstrike.a": {"agent_ids": {"aid": AID}, "hostnames": [ONE, TWO], "mac_addresses": [A]}, "siem.b": {"agent_ids": {"aid": AID}, "hostnames": [TWO], "mac_addresses": [B]}}, "ab"),
    "blades that report the serial number of their chassis": Case(pair("oneview.a", "oneview.b", serial_number="USE~¤"), "a b", links=("a part of b",)),
    "a blade by its model": Case({"cmdb.a": {"serial_number": "USE~¤", "hostnames": [ONE], "mac_addresses": [A], "attributes": {"model": "ProLiant BL460c Gen10"}}, "qualys.b": {"serial_number": "USE~¤", "smbios_uuid": V, "hostnames": [TWO], "mac_addresses": [B]}}, "a b", links=("b part of a",)),
    "guests copied with their uuid": Case(pair("edr.a", "edr.b", smbios_uuid=U), "a b"),
    "machine sid of an image": Case(pair("sccm.a", "sccm.b", ad_sid="S-1-5-21-1004336348-1177238915-69~¤"), "a b", words={"a": "one image on two machines"}),
    "number of a scanner that follows the address": Case({f"qualys.{x}": {"agent_ids": {"qualys_host": "47¤"}, "fqdns": [f"{name}.corp.example"], "ip_addresses": ["10.¤.0.1"]} for x, name in (("a", ONE), ("b", TWO))}, "a b", review="ab"),
    "hypervisor that lists the cards of its guest": Case({"edr.a": {"hostnames": [ONE], "mac_addresses": [A, B, C]}, "nac.b": {"hostnames": [TWO], "mac_addresses": [A, B]}}, "a b", review="ab"),
    "another blade in the slot": Case({"edr.a": {"serial_number": "USE~¤", "smbios_uuid": U, "hostnames": [ONE], **OLD}, "edr.b": {"serial_number": "USE~¤", "smbios_uuid": V, "hostnames": [TWO], **NEW}}, "a b"),
    "board swapped under one long name": Case({"edr.a": {"serial_number": "USE~¤", "smbios_uuid": U, "hostnames": [ONE], **OLD}, "edr.b": {"serial_number": "USE~¤", "smbios_uuid": V, "hostnames": [ONE.upper()], **NEW}}, "ab"),
    "a scan waits for the one of its name": Case({"edr.a": {"serial_number": "CZ~1", "hostnames": [ONE]}, "edr.b": {"serial_number": "CZ~2", "hostnames": [TWO]}, "tenable.c": {"hostnames": [ONE]}}, "a b c", held="c", review="ca", words={"b": "full host name differs"}),
    "a scan under the cut name may be of either": Case({"edr.a": {"serial_number": "CZ~1", "hostnames": [ONE]}, "edr.b": {"serial_number": "CZ~2", "hostnames": [TWO]}, "ad.c": {"hostnames": [CUT]}}, "a b c", held="c", review="ca cb"),
}  # fmt: skip

TABLE = CaseTable("device", CASES)


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    TABLE.check(name)


def test_a_scan_is_not_for_review_with_a_machine_of_another_full_name() -> None:
    names = ["prod-payments-web-01", "prod-payments-web-02"]
    out = devices(
        *(seen(f"edr:p:{i}", serial_number=f"5CG0000{i}", hostnames=[name]) for i, name in enumerate(names)),
        seen("tenable:p:s", hostnames=names[:1]),
    )
    assert out.review("tenable:p:s") == {"edr:p:0"}


@pytest.mark.parametrize("form", ["prod-payments-web-{}", "prod-payments-web-{}.corp.example"])
def test_t81_a_serial_number_on_machines_that_only_their_long_names_tell_apart(form: str) -> None:
    out = devices(*(seen(f"edr:p:{i}", serial_number="ACME-BOARD", hostnames=[form.format(i)]) for i in range(25)))
    assert len(out.groups()) == 25
    assert "acme-board" in {value.lower() for value in out.suppressed("edr:p:3")}
