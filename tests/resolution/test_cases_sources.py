"""More of T61 to T79: agents, directories, inventories and their records over time."""

# ruff: noqa: E501
from __future__ import annotations

import pytest
from case_table import Case, CaseTable

A, B = "3c:7c:3f:~:00:0a", "3c:7c:3f:~:00:0b"
G1, G2 = "~b4a1c9-12f4-4e74-af7c-3b54377d15~", "~000000-1111-4222-8333-000000000099"
AID, AID2 = "~a" * 16, "~b" * 16
OLD = {"first_seen": "2025-01-01T00:00:00Z", "last_seen": "2026-05-01T00:00:00Z", "observed_at": "2026-05-01T00:00:00Z"}
NEW = {"first_seen": "2026-05-03T00:00:00Z", "last_seen": "2026-11-20T09:00:00Z"}
HW = {"serial_number": "5CG~RE", "manufacturer": "HP"}

CASES = {
    "laptop set up anew: new directory id, same serial, the old one silent": Case(
        {"intune.a": {"entra_device_id": G1, "hostnames": ["LT-~"], **HW, **OLD}, "intune.b": {"entra_device_id": G2, "hostnames": ["DESKTOP-~"], **HW, **NEW}, "edr.c": {"serial_number": "5CG~RE", "agent_ids": {"aid": AID}, **NEW}, "cmdb.d": {**HW}},
        "abcd", words={"b": "set up anew"},
    ),
    "directory object retired, the laptop has a new one": Case(
        {"intune.a": {"entra_device_id": G1, "state": "retired", **HW}, "intune.b": {"entra_device_id": G2, **HW}, "edr.c": {"serial_number": "5CG~RE", "agent_ids": {"aid": AID}}}, "abc"
    ),
    "one serial under two directory ids that both work today": Case(
        {"intune.a": {"entra_device_id": G1, **HW}, "intune.b": {"entra_device_id": G2, **HW}}, "a b", review="ab", words={"a": "Entra device id"}
    ),
    "moved to the other tenant: both objects alive": Case(
        {"intune.old.a": {"entra_device_id": G1, "serial_number": "5CG~TN", "manufacturer": "Lenovo", "scope": "old"}, "intune.new.b": {"entra_device_id": G2, "serial_number": "5CG~TN", "manufacturer": "Lenovo", "scope": "new"}}, "a b", review="ab"
    ),
    "registered and joined: two directory objects, the management knows one": Case(
        {"entra.a": {"entra_device_id": G1, "hostnames": ["RJ-~"]}, "entra.b": {"entra_device_id": G2, "hostnames": ["RJ-~"]}, "intune.c": {"entra_device_id": G2, "hostnames": ["RJ-~"], "serial_number": "5CG~RJ"}}, "a bc"
    ),
    "hybrid join pending: the device id is the objectGUID": Case(
        {"entra.a": {"entra_device_id": G1, "hostnames": ["HJ-~"]}, "ad.b": {"ad_object_guid": G1.upper(), "fqdns": ["hj-~.corp.example"], "ad_sid": "S-1-5-21-7-7-7-1¤"}}, "ab"
    ),
    "directory ids written by four products": Case(
        {"entra.a": {"entra_device_id": G1}, "mde.b": {"entra_device_id": "{" + G1.upper() + "}"}, "intune.c": {"entra_device_id": G1.replace("-", "")}, "okta.d": {"entra_device_id": " " + G1 + " "}}, "abcd"
    ),
    "agent installed again after a wipe, nothing but name and card": Case(
        {"crowdstrike.a": {"agent_ids": {"aid": AID}, "hostnames": ["w~"], "mac_addresses": [A], **OLD}, "crowdstrike.b": {"agent_ids": {"aid": AID2}, "hostnames": ["w~"], "mac_addresses": [A], **NEW}}, "ab"
    ),
    "two agents of one product at work on one name and card are two machines": Case(
        {"crowdstrike.a": {"agent_ids": {"aid": AID}, "hostnames": ["x~"], "mac_addresses": [A]}, "crowdstrike.b": {"agent_ids": {"aid": AID2}, "hostnames": ["x~"], "mac_addresses": [A]}}, "a b", review="ab"
    ),
    "agents of two products on one box": Case(
        {"crowdstrike.a": {"agent_ids": {"aid": AID}, "hostnames": ["y~"], "mac_addresses": [A]}, "tenable.b": {"agent_ids": {"tenable": AID2}, "hostnames": ["y~"], "mac_addresses": [A]}}, "ab"
    ),
    "two installations and one serial": Case(
        {"crowdstrike.a": {"agent_ids": {"aid": AID}, "serial_number": "5CG~2A"}, "crowdstrike.b": {"agent_ids": {"aid": AID2}, "serial_number": "5CG~2A"}}, "ab"
    ),
    "scan and agent of one scanner on one host": Case(
        {"tenable.a": {"agent_ids": {"tenable": AID}, "hostnames": ["sa~"], "mac_addresses": [A]}, "tenable.b": {"hostnames": ["sa~"], "mac_addresses": [A]}}, "ab"
    ),
    "clone beside the original, a scan of the clone": Case(
        {"edr.a": {"smbios_uuid": G1, "hostnames": ["oc~"], "mac_addresses": [A]}, "edr.b": {"smbios_uuid": G1, "hostnames": ["cc~"], "mac_addresses": [B]}, "tenable.c": {"smbios_uuid": G1, "hostnames": ["cc~"], "mac_addresses": [B]}}, "a bc"
    ),
    "disk with the agent moved into another machine": Case(
        {"crowdstrike.a": {"agent_ids": {"aid": AID}, "serial_number": "5CG~D1", "hostnames": ["d~"]}, "crowdstrike.b": {"agent_ids": {"aid": AID}, "serial_number": "5CG~D2", "hostnames": ["d~"]}}, "a b", words={"a": "agent cloned"}
    ),
    "agent keeps its id over a rename": Case(
        {"crowdstrike.a": {"agent_ids": {"aid": AID}, "hostnames": ["n~a"], **OLD}, "siem.b": {"agent_ids": {"AID": AID.upper()}, "hostnames": ["n~b"], **NEW}}, "ab"
    ),
    "cmdb holds one serial twice, once retired": Case(
        {"servicenow.a": {"serial_number": "5CG~R2", "state": "retired", "hostnames": ["r~old"], **OLD}, "servicenow.b": {"serial_number": "5CG~R2", "hostnames": ["r~"]}, "edr.c": {"serial_number": "5CG~R2"}}, "abc"
    ),
    "cmdb duplicates by name, one with the serial": Case(
        {"servicenow.a": {"fqdns": ["cd~.corp.example"], "serial_number": "CZ~1"}, "servicenow.b": {"fqdns": ["cd~.corp.example"]}, "edr.c": {"fqdns": ["cd~.corp.example"], "serial_number": "CZ~1"}}, "ac b", held="b", review="ab"
    ),
    "stale ci with the name of a machine of today": Case(
        {"servicenow.a": {"hostnames": ["PROD~"], "observed_at": "2026-02-20T00:00:00Z"}, "edr.b": {"hostnames": ["PROD~"], "serial_number": "CZ~S"}}, "a b", held="a", review="ab"
    ),
    "stale ci with the full name of a machine of today": Case(
        {"servicenow.a": {"fqdns": ["st~.corp.example"], "observed_at": "2026-02-20T00:00:00Z"}, "edr.b": {"fqdns": ["st~.corp.example"], "serial_number": "CZ~S", "first_seen": "2026-08-01T00:00:00Z", "last_seen": "2026-11-20T00:00:00Z"}}, "a b", held="a", review="ab"
    ),
    "ci without any identifier but a name nobody has": Case({"servicenow.a": {"hostnames": ["ONLY~"]}}, "a"),
    "virtual desktop under one objectGUID with new agents every day": Case(
        {f"mde.{x}": {"ad_object_guid": G1, "hostnames": ["VDI-~"], "agent_ids": {"mde": f"~{x}" * 10}, "observed_at": f"2026-11-1{i}T10:00:00Z"} for i, x in enumerate("abcde")}, "abcde"
    ),
    "phone with two radios": Case(
        {"intune.a": {"imei": "35672011¤0011", "serial_number": "C39~X"}, "mdm.b": {"imei": "35672011¤0029", "serial_number": "C39~X"}, "carrier.c": {"imei": "35672011¤0029"}}, "abc"
    ),
    "phone enrolled anew: new directory id, same imei, the old one silent or retired": Case(
        {"intune.a": {"imei": "35672013¤0011", "entra_device_id": G1, **OLD}, "intune.b": {"imei": "35672013¤0011", "entra_device_id": G2, **NEW}, "mdm.c": {"imei": "35672014¤0011", "entra_device_id": G1[:-3] + "f1" + G1[-1:], "state": "retired"}, "mdm.d": {"imei": "35672014¤0011", "entra_device_id": G2[:-3] + "f2" + G2[-1:]}}, "ab cd"
    ),
    "one imei under two directory ids that both work today": Case(
        {"intune.a": {"imei": "35672015¤0011", "entra_device_id": G1}, "intune.b": {"imei": "35672015¤0011", "entra_device_id": G2}}, "a b", review="ab"
    ),
    "refurbished phone: the board came from another": Case(
        {"intune.a": {"imei": "35672012¤0011", "serial_number": "C39~P"}, "mdm.b": {"imei": "35672012¤0011", "serial_number": "C39~Q"}, "carrier.c": {"imei": "35672012¤0011"}}, "a b c", held="c", review="ca cb"
    ),
    "phone replaced: number of the owner is not the phone": Case(
        {"intune.a": {"serial_number": "C39~1", "attributes": {"owner": "anna"}, "hostnames": ["Annas iPhone ~"]}, "intune.b": {"serial_number": "C39~2", "attributes": {"owner": "anna"}, "hostnames": ["Annas iPhone ~"]}}, "a b"
    ),
    "two identical lines of two products are one machine": Case(
        {"edr.a": {"serial_number": "5CG~II", "hostnames": ["ii~"]}, "edr2.b": {"serial_number": "5CG~II", "hostnames": ["ii~"]}}, "ab"
    ),
    "bridge record with the serial of one and the directory id of another": Case(
        {"edr.a": {"serial_number": "5CG~B1", "hostnames": ["br~a"]}, "intune.b": {"entra_device_id": G2, "serial_number": "5CG~B2"}, "cmdb.x": {"serial_number": "5CG~B1", "entra_device_id": G2}}, "ax b", review="xb"
    ),
    "sid of the domain computer and of the machine alone": Case(
        {"ad.a": {"ad_sid": "S-1-5-21-5-5-5-2¤", "ad_object_guid": G1, "fqdns": ["sd~.corp.example"]}, "mdi.b": {"ad_sid": "s-1-5-21-5-5-5-2¤"}, "edr.c": {"fqdns": ["sd~.corp.example"], "serial_number": "5CG~S"}}, "abc"
    ),
    "computer moved to another domain with new objectGUID and sid": Case(
        {"ad.old.a": {"ad_object_guid": G1, "ad_sid": "S-1-5-21-5-5-6-2¤", "smbios_uuid": "~b4a1c9-12f4-4e74-af7c-3b5437700001", **OLD}, "ad.new.b": {"ad_object_guid": G2, "ad_sid": "S-1-5-21-5-5-7-2¤", "smbios_uuid": "~b4a1c9-12f4-4e74-af7c-3b5437700001", **NEW}}, "ab"
    ),
    "agent id bare, with dashes and in braces": Case(
        {"edr.a": {"agent_ids": {"aid": "~aaaaaa-1111-4222-8333-00000000000b"}, "hostnames": ["g~"]}, "siem.b": {"agent_ids": {"aid": "~AAAAAA1111422283330000000000 0B".replace(" ", "")}}, "cmdb.c": {"agent_ids": {"AID": "{~aaaaaa-1111-4222-8333-00000000000b}"}}}, "abc"
    ),
    "clones without a name of their own, three cards under one agent at once": Case(
        {f"edr.{x}": {"agent_ids": {"machine_id": AID}, "hostnames": ["localhost.localdomain"], "mac_addresses": [f"00:50:56:a4:~:0{x}"]} for x in "abc"}, "a b c", review="ab bc", words={"a": "no name in common"}
    ),
    "two names under one agent in one product at once on one card, and one after the other": Case(
        {"edr.a": {"agent_ids": {"machine_id": AID}, "hostnames": ["ny~1"], "mac_addresses": [A]}, "edr.b": {"agent_ids": {"machine_id": AID}, "hostnames": ["ny~2"], "mac_addresses": [A]},
         "edr.c": {"agent_ids": {"machine_id": AID2}, "hostnames": ["nz~1"], **OLD}, "edr.d": {"agent_ids": {"machine_id": AID2}, "hostnames": ["nz~2"], **NEW}}, "ab cd"
    ),
    "one id under two agents at work under two names, and one agent after the other": Case(
        {f"edr.{x}": {"agent_ids": {"machine_guid": AID, "aid": f"{i}~" * 8, "cid": "c~" * 8}, "hostnames": [f"nx~{x}"]} for i, x in enumerate("abc")}
        | {"edr.d": {"agent_ids": {"machine_guid": AID2, "aid": "e~" * 16}, "hostnames": ["nw~1"], **OLD}, "edr.e": {"agent_ids": {"machine_guid": AID2, "aid": "f~" * 16}, "hostnames": ["nw~2"], **NEW}},
        "a b c de", words={"b": "two other installations of one agent"},
    ),
    "one agent: two products, two cards; or one product and one name": Case(
        {"edr.a": {"agent_ids": {"machine_id": AID}, "hostnames": ["localhost"], "mac_addresses": [A]}, "siem.b": {"agent_ids": {"machine_id": AID}, "mac_addresses": [B]},
         "edr.c": {"agent_ids": {"machine_id": AID2}, "hostnames": ["nc~"], "mac_addresses": ["3c:7c:3f:~:00:0c"]}, "edr.d": {"agent_ids": {"machine_id": AID2}, "hostnames": ["nc~"], "mac_addresses": ["3c:7c:3f:~:00:0d"]}}, "ab cd"
    ),
}  # fmt: skip

TABLE = CaseTable("device", CASES)


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    TABLE.check(name)
