"""What a source listed today may have been silent for years: last_seen tells of the machine, observed_at of the look."""

# ruff: noqa: E501
from __future__ import annotations

import pytest
from case_table import Case, CaseTable
from resolution_kit import devices, seen

SERIAL = {"serial_number": "5CGY~¤", "manufacturer": "HP"}
OLD_ID, NEW_ID = "0a1b2c3d-0000-4000-8000-0000000000~", "0a1b2c3e-0000-4000-8000-0000000000~"
OLD = {"first_seen": "2025-01-01T00:00:00Z", "last_seen": "2026-06-01T00:00:00Z"}
NEW = {"first_seen": "2026-06-03T00:00:00Z", "last_seen": "2026-11-20T00:00:00Z"}
FQDN = {"fqdns": ["lt¤.corp.local"]}
CARDS = {"mac_addresses": ["3c:d9:2b:~:00:01", "3c:d9:2b:~:00:02"]}
UUID = "4c4c4544-00~-3510-8052-b4c04f4a32"


def by_name(until: str, of: str, told: dict[str, str | None]) -> Case:
    """A machine that was last seen at one time, and another record of its name: one up to the limit, two a second later."""
    rows = {
        "cmdb.a": {
            **FQDN,
            "serial_number": "5CGL~¤",
            "first_seen": "2025-01-01T00:00:00Z",
            "observed_at": None,
            "last_seen": until,
        }
    }
    return Case({**rows, "scan.b": {**FQDN, "observed_at": None, **told}}, of, review="ab" if " " in of else "")


def reinstalled(since: str, of: str) -> Case:
    """Two agents of one product on one card: the one OLD, the other since then."""
    card = {"mac_addresses": ["3c:d9:2b:~:00:01"], "hostnames": ["n¤"]}
    rows = {
        "edr.a": {"agent_ids": {"aid": "a~" * 12}, **card, **OLD},
        "edr.b": {"agent_ids": {"aid": "b~" * 12}, **card, **NEW, "first_seen": since},
    }
    return Case(rows, of, review="ab" if " " in of else "")


CASES = {
    "set up anew, the old directory object still listed": Case({"mdm.a": {"entra_device_id": OLD_ID, **SERIAL, **OLD}, "mdm.b": {"entra_device_id": NEW_ID, **SERIAL, **NEW}}, "ab"),
    "two directory objects alive side by side": Case({"mdm.a": {"entra_device_id": OLD_ID, **SERIAL, **OLD, "last_seen": "2026-09-01T00:00:00Z"}, "mdm.b": {"entra_device_id": NEW_ID, **SERIAL, **NEW}}, "a b", review="ab", unlinked=("a part of b", "b part of a")),
    "name of a machine long gone": Case({"cmdb.a": {**FQDN, "last_seen": "2025-01-01T00:00:00Z"}, "scan.b": {**FQDN, "mac_addresses": ["3c:d9:2b:~:00:01"], **NEW}}, "a b", held="a", review="ab"),
    "name of a machine long gone whose entry somebody wrote to since": Case({"cmdb.a": {**FQDN, "observed_at": "2025-01-01T00:00:00Z", "last_seen": "2026-11-19T00:00:00Z"}, "scan.b": {**FQDN, "mac_addresses": ["3c:d9:2b:~:00:01"], **NEW}}, "a b", held="a", review="ab"),
    "a machine under the name of a retired one has taken it": Case({"cmdb.a": {"serial_number": "5CGR~¤", "hostnames": ["rt¤"], "state": "retired"}, "mdm.b": {"hostnames": ["rt¤"], "mac_addresses": ["3c:d9:2b:~:00:01"]}}, "a b", review="ab"),
    "a name alone of a retired machine waits, and so does its card": Case({"cmdb.a": {"serial_number": "5CGR~¤", "hostnames": ["rt¤"], "mac_addresses": ["3c:d9:2b:~:00:01"], "state": "retired"}, "mdm.b": {"hostnames": ["rt¤"]}, "nac.c": {"mac_addresses": ["3c:d9:2b:~:00:01"]}}, "a b c", held="bc", review="ab ac"),
    "a retired machine under the name of a retired one may be the same one": Case({"cmdb.a": {"serial_number": "5CGR~¤", "hostnames": ["rt¤"], "state": "retired"}, "mdm.b": {"hostnames": ["rt¤"], "mac_addresses": ["3c:d9:2b:~:00:01"], "state": "retired"}}, "a b", held="b", review="ab"),
    "a machine at work of that name may be the same one": Case({"cmdb.a": {"serial_number": "5CGR~¤", "hostnames": ["rt¤"]}, "mdm.b": {"hostnames": ["rt¤"], "mac_addresses": ["3c:d9:2b:~:00:01"]}}, "a b", held="b", review="ab"),
    "full name of a machine long gone that was known better": Case({"cmdb.a": {**FQDN, "serial_number": "5CGR~¤", "last_seen": "2025-01-01T00:00:00Z"}, "scan.b": {**FQDN, **NEW}}, "a b", review="ab", words={"b": "the name was probably used again"}),
    "reinstalled agent on the same card": Case({"edr.a": {"agent_ids": {"aid": "a~" * 12}, "mac_addresses": ["3c:d9:2b:~:00:01"], "hostnames": ["n¤"], **OLD}, "edr.b": {"agent_ids": {"aid": "b~" * 12}, "mac_addresses": ["3c:d9:2b:~:00:01"], "hostnames": ["n¤"], **NEW}}, "ab"),
    "reinstalled agent, the old one's entry was written to since": Case({"edr.a": {"agent_ids": {"aid": "a~" * 12}, "mac_addresses": ["3c:d9:2b:~:00:01"], "hostnames": ["n¤"], **OLD, "observed_at": "2026-06-01T00:00:00Z", "last_seen": "2026-11-20T00:00:00Z"}, "edr.b": {"agent_ids": {"aid": "b~" * 12}, "mac_addresses": ["3c:d9:2b:~:00:01"], "hostnames": ["n¤"], **NEW}}, "ab"),
    "name of a machine long gone, the next one tells its beginning alone": Case({"cmdb.a": {**FQDN, "observed_at": None, "last_seen": "2026-03-01T00:00:00Z"}, "edr.b": {**FQDN, "observed_at": None, "first_seen": "2026-11-01T00:00:00Z", "serial_number": "5CGR~¤"}}, "a b", held="a", review="ab", words={"b": "used again"}),
    "what tells its beginning alone is there still": Case({"cmdb.a": {**FQDN, "observed_at": None, "first_seen": "2019-03-01T00:00:00Z"}, "edr.b": {**FQDN, **NEW}}, "ab"),
    "what tells its beginning alone may be of the one that is gone and of the next one": Case({"cmdb.a": {**FQDN, "observed_at": None, "first_seen": "2019-03-01T00:00:00Z"}, "dns.b": {**FQDN, "observed_at": None, "last_seen": "2025-01-01T00:00:00Z"}, "edr.c": {**FQDN, "observed_at": None, "first_seen": "2026-11-01T00:00:00Z", "serial_number": "5CGR~¤"}}, "a b c", held="ab", review="ab ac bc"),
    "what one source knows since long ago and another since yesterday is no next one of the name": Case({"cmdb.a": {**FQDN, "last_seen": "2026-06-01T00:00:00Z"}, "mdm.b": {**FQDN, **SERIAL, "first_seen": "2026-03-01T00:00:00Z"}, "edr.c": {**FQDN, **SERIAL, "first_seen": "2026-11-19T00:00:00Z"}}, "abc"),
    "what one product has retired may be of either of two that others tell apart": Case({"cmdb.a": {**FQDN, "serial_number": "5CGA~¤"}, "cmdb.b": {**FQDN, "state": "retired"}, "edr.c": {**FQDN, "serial_number": "5CGB~¤"}}, "a b c", held="b", review="ab bc"),
    "what one product lists no more may be of either of two with other agents": Case({"nac.a": {**CARDS, **OLD, "observed_at": OLD["last_seen"]}, "nac.b": {**CARDS, "agent_ids": {"aid": "e~" * 12}}, "edr.c": {**CARDS, "agent_ids": {"aid": "f~" * 12}}}, "a b c", held="a", review="ab ac bc"),
    "never is no date": Case({"cmdb.a": {**FQDN, "first_seen": "0001-01-01T00:00:00Z", "last_seen": "9999-12-31T23:59:59Z"}, "scan.b": {**FQDN, **NEW}}, "ab"),
    "the epoch is no date": Case({"cmdb.a": {**FQDN, "first_seen": "1970-01-01T00:00:00Z", "last_seen": "1970-01-01T00:00:00Z"}, "scan.b": {**FQDN, **NEW}}, "ab"),
    "windows' epoch is no date": Case({"cmdb.a": {**FQDN, "last_seen": "1601-01-01T00:00:00Z"}, "scan.b": {**FQDN, **NEW}}, "ab"),
    "a clock far ahead": Case({"cmdb.a": {**FQDN, "last_seen": "2038-01-19T00:00:00Z"}, "scan.b": {**FQDN, **NEW}}, "ab"),
    "a clock far ahead, and nothing else of its time": Case({"cmdb.a": {**FQDN, "observed_at": None, "last_seen": "2099-01-19T00:00:00Z"}, "scan.b": {**FQDN, **NEW}}, "ab"),
    "containers with the uuid of their host": Case({"edr.a": {"serial_number": "CNX~", "smbios_uuid": f"{UUID}01", "hostnames": ["host¤"]}, "edr.b": {"smbios_uuid": f"{UUID}01", "hostnames": ["aaaabbbbcc~"]}, "edr.c": {"smbios_uuid": f"{UUID}01", "hostnames": ["aaaabbbbdd~"]}}, "a b c", links=("b runs on a", "c runs on a")),
    "containers of a host that nobody lists": Case({"edr.b": {"smbios_uuid": f"{UUID}01", "hostnames": ["aaaabbbbee~"]}, "edr.c": {"smbios_uuid": f"{UUID}01", "hostnames": ["aaaabbbbff~"]}}, "b c"),
    "one container in two products": Case({"edr.b": {"smbios_uuid": f"{UUID}01", "hostnames": ["aaaabbbbab~"]}, "cnapp.c": {"smbios_uuid": f"{UUID}01", "hostnames": ["AAAABBBBAB~"]}}, "bc"),
    "controller by its model": Case({"edr.a": {**SERIAL, "hostnames": ["h¤"]}, "snmp.b": {**SERIAL, "hostnames": ["x¤"], "attributes": {"model": "MegaRAC SP"}}, "snmp.c": {"serial_number": "CIMC~¤", "attributes": {"model": "Cisco IMC"}}, "edr.d": {"serial_number": "CIMC~¤"}}, "a b c d", links=("b part of a", "c part of d")),
    "reinstalled agent, only the last sign of each is known": Case({"edr.a": {"agent_ids": {"aid": "a~" * 12}, "mac_addresses": ["3c:d9:2b:~:00:01"], "hostnames": ["n¤"], "last_seen": "2026-06-01T00:00:00Z", "observed_at": None}, "edr.b": {"agent_ids": {"aid": "b~" * 12}, "mac_addresses": ["3c:d9:2b:~:00:01"], "hostnames": ["n¤"], "last_seen": "2026-11-20T00:00:00Z", "observed_at": None}}, "ab"),
    "two agents, the last sign of both is of today": Case({"edr.a": {"agent_ids": {"aid": "a~" * 12}, "mac_addresses": ["3c:d9:2b:~:00:01"], "hostnames": ["n¤"], "last_seen": "2026-11-20T08:00:00Z", "observed_at": None}, "edr.b": {"agent_ids": {"aid": "b~" * 12}, "mac_addresses": ["3c:d9:2b:~:00:01"], "hostnames": ["n¤"], "last_seen": "2026-11-20T09:00:00Z", "observed_at": None}}, "a b", review="ab", words={"a": "same time", "b": "same time"}),
    "a desktop on one card that gets a new agent every morning": Case({f"mde.{x}": {"agent_ids": {"mde": f"~{i}" * 13}, "mac_addresses": ["00:50:56:a9:~:01"], "hostnames": ["pvs~"], "first_seen": f"2026-11-1{i}T10:00:00Z", "last_seen": f"2026-11-1{i}T18:00:00Z", "observed_at": f"2026-11-1{i}T18:00:00Z"} for i, x in enumerate("abc")}, "abc"),
    "a desktop that gets a new agent every morning, each seen once": Case({f"mde.{x}": {"agent_ids": {"mde": f"~{i}" * 13}, "mac_addresses": ["00:50:56:a9:~:01"], "hostnames": ["pvs~"], "observed_at": f"2026-11-1{i}T10:00:00Z"} for i, x in enumerate("abc")}, "abc"),
    "two agents, last signs of both less than a day apart": Case({f"mde.{x}": {"agent_ids": {"mde": f"~{i}" * 13}, "mac_addresses": ["00:50:56:a9:~:01"], "hostnames": ["pvs~"], "observed_at": f"2026-11-1{i}T1{2 - i}:00:00Z"} for i, x in enumerate("ab")}, "a b", review="ab", words={"a": "same time"}),
    "what has no date may be of any time, and a source of today stands beside": Case({"cmdb.a": {**FQDN, "observed_at": None}, "edr.b": {**FQDN, "serial_number": "5CGU~¤", "observed_at": "2026-01-05T00:00:00Z"}}, "ab"),
    "retired without a date and at work without a date": Case({"cmdb.a": {**FQDN, "state": "retired", "observed_at": None}, "edr.b": {**FQDN, "serial_number": "5CGV~¤", "observed_at": None}}, "ab"),
    "two agents of one kind, of one nobody knows when it was at work": Case({"edr.a": {"agent_ids": {"aid": "a~" * 12}, "mac_addresses": ["3c:d9:2b:~:00:01"], "hostnames": ["n¤"], "observed_at": None}, "edr.b": {"agent_ids": {"aid": "b~" * 12}, "mac_addresses": ["3c:d9:2b:~:00:01"], "hostnames": ["n¤"], "observed_at": "2026-01-05T00:00:00Z"}}, "a b", review="ab", words={"a": "same time"}),
    "two made from one image, last signs of both a day apart": Case({f"edr.{x}": {"agent_ids": {"aid": "c~" * 12}, "mac_addresses": [f"3c:d9:2b:~:00:0{x}"], "hostnames": [f"im{x}¤"], "observed_at": f"2026-11-1{i}T10:00:00Z"} for i, x in enumerate("ab")}, "a b"),
    "one under another name and with another card, the record of what it was is retired": Case({f"edr.{x}": {"agent_ids": {"aid": "d~" * 12}, "mac_addresses": [f"3c:d9:2b:~:00:0{x}"], "hostnames": [f"in{x}¤"], "state": state} for x, state in (("a", "retired"), ("b", "active"))}, "ab"),
    "reinstalled agent, at work from the second on in which the old one fell silent": reinstalled("2026-06-01T00:00:00Z", "ab"),
    "two agents, one at work a second before the other fell silent": reinstalled("2026-05-31T23:59:59Z", "a b"),
    "the next one of a name begins two weeks later": by_name("2026-06-01T00:00:00Z", "ab", {"first_seen": "2026-06-15T00:00:00Z", "last_seen": "2026-07-01T00:00:00Z"}),
    "the next one of a name begins more than two weeks later": by_name("2026-06-01T00:00:00Z", "a b", {"first_seen": "2026-06-15T00:00:01Z", "last_seen": "2026-07-01T00:00:00Z"}),
    "a name is seen once, three months later": by_name("2026-03-01T00:00:00Z", "ab", {"last_seen": "2026-05-30T00:00:00Z"}),
    "a name is seen once, more than three months later": by_name("2026-03-01T00:00:00Z", "a b", {"last_seen": "2026-05-30T00:00:01Z"}),
    "what tells its beginning alone begins three months later": by_name("2026-03-01T00:00:00Z", "ab", {"first_seen": "2026-05-30T00:00:00Z"}),
    "what tells its beginning alone begins more than three months later": by_name("2026-03-01T00:00:00Z", "a b", {"first_seen": "2026-05-30T00:00:01Z"}),
    "half a year after the last sign of one there is one of the other": by_name("2026-03-01T00:00:00Z", "ab", {"first_seen": "2026-02-01T00:00:00Z", "last_seen": "2026-08-28T00:00:00Z"}),
    "more than half a year after the last sign of one there is one of the other": by_name("2026-03-01T00:00:00Z", "a b", {"first_seen": "2026-02-01T00:00:00Z", "last_seen": "2026-08-28T00:00:01Z"}),
}  # fmt: skip

ACCOUNTS = {
    "an account with an old entry beside that at work has the name of a retired one": Case({"entra.a": {"entra_object_id": OLD_ID, "upn": "nm¤@corp.com", "state": "retired"}, "entra.b": {"entra_object_id": NEW_ID, "upn": "nm¤@corp.com"}, "aad.c": {"entra_object_id": NEW_ID, "state": "retired"}, "snow.d": {"upn": "nm¤@corp.com"}}, "a bcd"),
    "former sid of another domain": Case({"ad.a": {"ad_object_guid": OLD_ID, "ad_sid": "S-1-5-21-1-2-3-1¤"}, "ad.b": {"ad_object_guid": NEW_ID, "ad_sid": "S-1-5-21-9-9-9-2¤", "sid_history": ["S-1-5-21-1-2-3-1¤"]}}, "ab"),
    "sid of an administrator put into the history of an account beside it": Case({"ad.a": {"ad_object_guid": OLD_ID, "ad_sid": "S-1-5-21-1-2-¤-500"}, "ad.b": {"ad_object_guid": NEW_ID, "ad_sid": "S-1-5-21-1-2-¤-1105", "sid_history": ["S-1-5-21-1-2-¤-500"]}}, "a b"),
    "an account nobody signs in to is still there": Case({"entra.a": {"entra_object_id": OLD_ID, "upn": "svc¤@corp.com", "last_seen": "2024-01-01T00:00:00Z"}, "okta.b": {"okta_id": "00u¤", "login_names": ["svc¤@corp.com"], **NEW}}, "ab"),
    "a retired account is not there though it is still listed": Case({"entra.a": {"entra_object_id": OLD_ID, "upn": "su¤@corp.com", "state": "retired", "first_seen": "2024-01-01T00:00:00Z", "last_seen": "2025-03-01T00:00:00Z"}, "entra.b": {"entra_object_id": NEW_ID, "upn": "su¤@corp.com", **NEW}, "okta.c": {"okta_id": "00u¤", "login_names": ["su¤@corp.com"], **NEW}}, "a bc"),
}  # fmt: skip

TABLES = {"device": CaseTable("device", CASES), "identity": CaseTable("identity", ACCOUNTS)}


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, table in TABLES.items() for name in table.cases])
def test_case(kind: str, name: str) -> None:
    TABLES[kind].check(name)


def test_a_look_of_long_ago_at_one_record_says_nothing_of_those_that_tell_no_look() -> None:
    untold = {"observed_at": None, "last_seen": "2026-11-20T09:00:00Z"}
    old = {"first_seen": "2025-01-01T00:00:00Z", "observed_at": "2026-03-01T00:00:00Z"}
    out = devices(
        seen("cmdb:p:1", fqdns=["used-again.corp.example"], **old),
        seen("edr:p:2", fqdns=["used-again.corp.example"], first_seen="2026-05-03T00:00:00Z", **untold),
        seen("edr:p:3", fqdns=["srv.corp.example"], serial_number="CZ7000", **untold),
        seen("tenable:p:4", fqdns=["srv.corp.example"], **untold),
    )
    assert out.together("edr:p:3", "tenable:p:4")
    assert out.apart("cmdb:p:1", "edr:p:2")
    assert out.review("edr:p:2") == {"cmdb:p:1"}
