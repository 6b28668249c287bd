"""T81 and what follows from it: a value that many machines carry disagrees with nothing, as little as a known placeholder."""

# ruff: noqa: E501
from __future__ import annotations

from typing import Any

import pytest
from case_table import Case, CaseTable

U = "~b4a1c9-12f4-4e74-af7c-3b54377d15~"
OWN = "~000000-1111-4222-8333-0000000000##"
ENTRA, ENTRA_OF_ALL = "~0d0000-12f4-4e74-af7c-3b54377d15##", "~0d0000-12f4-4e74-af7c-3b54377d1500"
FQDN = {"fqdns": ["f#~.corp.example"]}
CARD = {"mac_addresses": ["3c:7c:3f:~:01:##"], "hostnames": ["q~#"]}
INSTANCE, INSTANCE_OF_ALL = "i-0~0000000000000#", "i-0~00000000000000"
ARN = "arn:aws:ec2:eu-west-1:123456789012:instance/"
MACHINES = "abcdef"
PAIRS = " ".join(f"{x}{x.upper()}" for x in MACHINES)
PAIRS_OF_FOUR = PAIRS[:11]


def _of(value: Any, letter: str) -> Any:
    if isinstance(value, str):
        return value.replace("#", letter)
    return (
        {key: _of(item, letter) for key, item in value.items()}
        if isinstance(value, dict)
        else [_of(item, letter) for item in value]
    )


def fleet(one: dict[str, Any], other: dict[str, Any], machines: str = MACHINES) -> dict[str, Any]:
    """Machines of which two products tell one thing each; '#' is the letter of the machine, upper case in the second."""
    return {f"edr.{x}": _of(one, x) for x in machines} | {f"cmdb.{x.upper()}": _of(other, x) for x in machines}


def days(i: int) -> dict[str, str]:
    return {
        "first_seen": f"2026-0{i + 1}-02T00:00:00Z",
        "last_seen": f"2026-0{i + 1}-20T00:00:00Z",
        "observed_at": f"2026-0{i + 1}-20T00:00:00Z",
    }


def named(value: dict[str, Any], letters: str, nameless: str = "") -> dict[str, Any]:
    """One value in as many products as there are letters, each under a name of its own."""
    rows = {f"source{x}.{x}": {**value, "hostnames": [f"n{x}~"]} for x in letters}
    return rows | {f"source{x}.{x}": value for x in nameless}


CASES = {
    "serial number of a board maker, real one elsewhere, full names agree": Case(fleet({"serial_number": "ACME~1", "smbios_uuid": OWN, **FQDN}, {"serial_number": "5CG~#", **FQDN}), PAIRS, words={"a": "identifies nothing here: seen with 6 different values of SMBIOS UUID"}),
    "the same by uuid": Case(fleet({"serial_number": "ACME~2", "smbios_uuid": OWN}, {"serial_number": "5CG~#", "smbios_uuid": OWN}), PAIRS),
    "the same by card and name": Case(fleet({"serial_number": "ACME~3", "smbios_uuid": OWN, **CARD}, {"serial_number": "5CG~#", **CARD}), PAIRS),
    "the same by directory id": Case(fleet({"serial_number": "ACME~4", "entra_device_id": ENTRA}, {"serial_number": "5CG~#", "entra_device_id": ENTRA}), PAIRS),
    "the same with a maker in some of them": Case(
        {**fleet({"serial_number": "ACME~5", "smbios_uuid": OWN, **FQDN}, {"serial_number": "5CG~#", "manufacturer": "Dell", **FQDN}), "edr.a": {"serial_number": "ACME~5", "manufacturer": "Dell", "smbios_uuid": OWN.replace("#", "a"), "fqdns": ["fa~.corp.example"]}}, PAIRS
    ),
    "serial number that only names tell apart": Case({**{f"edr.{chr(0x100 + i)}": {"serial_number": "ACME~6", "fqdns": [f"z{i}-~.corp.example"]} for i in range(12)}, **{f"cmdb.{chr(0x200 + i)}": {"serial_number": f"5CG~{i:02}", "fqdns": [f"z{i}-~.corp.example"]} for i in range(12)}}, " ".join(f"{chr(0x100 + i)}{chr(0x200 + i)}" for i in range(12))),
    "uuid of a board, real one elsewhere, serial numbers agree": Case(fleet({"smbios_uuid": U, "serial_number": "5CG~#"}, {"smbios_uuid": OWN, "serial_number": "5CG~#"}), PAIRS),
    "uuid and serial number of an image, full names agree": Case(fleet({"smbios_uuid": U, "serial_number": "ACME~7", "entra_device_id": ENTRA, **FQDN}, {"smbios_uuid": OWN, "serial_number": "5CG~#", **FQDN}), PAIRS),
    "directory id baked into an image": Case(fleet({"entra_device_id": ENTRA_OF_ALL, "serial_number": "5CG~#"}, {"entra_device_id": ENTRA, "serial_number": "5CG~#"}), PAIRS),
    "sid of an image": Case({**{f"edr.{x}": {"ad_sid": "S-1-5-21-1-2-¤-1001", "serial_number": f"5CG~{x}"} for x in MACHINES}, **{f"ad.{x.upper()}": {"ad_sid": f"S-1-5-21-9-9-¤-110{i}", "serial_number": f"5CG~{x}"} for i, x in enumerate(MACHINES)}}, PAIRS),
    "blades of one chassis and their own serial numbers": Case(fleet({"serial_number": "CHS~1", "smbios_uuid": OWN, "mac_addresses": ["3c:7c:3f:~:03:##"]}, {"serial_number": "BL~#", "smbios_uuid": OWN}), PAIRS, links=("a part of b",)),
    "a row that knows nothing else waits": Case({**{f"edr.{x}": {"serial_number": "ACME~8", "smbios_uuid": OWN.replace("#", x)} for x in MACHINES}, "cmdb.z": {"serial_number": "acme~8"}}, "a b c d e f z", held="z", review="za"),
    "name of many machines, a register that knows nothing else": Case({**{f"edr.{chr(0x100 + i)}": {"hostnames": ["kiosk~"], "serial_number": f"5CG~{i:02}"} for i in range(20)}, "cmdb.z": {"hostnames": ["KIOSK~"]}, "rest.y": {"netbios_name": "Kiosk~"}}, " ".join([*(chr(0x100 + i) for i in range(20)), "z", "y"]), held="zy", words={"z": "short host name kiosk", "y": "identifies nothing here: seen with 20 different assets"}),
    "name of many entries that know nothing else is all that tells them apart": Case({f"cmdb.{chr(0x100 + i)}": {"hostnames": ["room~"]} for i in range(22)}, " ".join(chr(0x100 + i) for i in range(22))),
    "name of a few machines is a question with each of them": Case({**{f"edr.{chr(0x100 + i)}": {"hostnames": ["desk~"], "serial_number": f"5CGD~{i:02}"} for i in range(19)}, "cmdb.z": {"hostnames": ["DESK~"]}}, " ".join([*(chr(0x100 + i) for i in range(19)), "z"]), held="z", review=" ".join("z" + chr(0x100 + i) for i in range(19))),
    "name of many machines still confirms a card": Case({**{f"edr.{chr(0x100 + i)}": {"hostnames": ["kiosk~"], "mac_addresses": [f"3c:7c:3f:~:04:{i:02x}"]} for i in range(24)}, "nac.z": {"hostnames": ["kiosk~"], "mac_addresses": ["3c:7c:3f:~:04:07"]}}, " ".join(chr(0x100 + i) + ("z" if i == 7 else "") for i in range(24)), words={"z": "seen with 24 different assets"}),
    "on three machines it may be right on one and goes on to disagree": Case({**{f"edr.{x}": {"serial_number": "ACME~9", "smbios_uuid": OWN.replace("#", x), "fqdns": [f"f{x}~.corp.example"]} for x in "abc"}, "cmdb.d": {"serial_number": "5CG~", "fqdns": ["fa~.corp.example"]}}, "a b c d"),
    "three serial numbers under one directory id are three questions": Case({f"{product}.{x}": {"entra_device_id": ENTRA_OF_ALL, "serial_number": f"5CG~{x}"} for product, x in (("intune", "a"), ("mde", "b"), ("cmdb", "c"))}, "a b c", review="ab bc ac"),
    "imei under ten names, and once without any": Case(named({"imei": "35209900¤4711"}, "abcdefghij", "k"), "abcdefghijk"),
    "imei under eleven names": Case(named({"imei": "35209900¤4711"}, "abcdefghijk"), "a b c d e f g h i j k"),
    "agent id under ten names, and once without any": Case(named({"agent_ids": {"aid": "~f" * 16}}, "abcdefghij", "k"), "abcdefghijk"),
    "agent id under eleven names": Case(named({"agent_ids": {"aid": "~f" * 16}}, "abcdefghijk"), "a b c d e f g h i j k"),
    "what tells one number of two machines and no name goes with neither, though another record goes with one": Case({"edr.a": {"serial_number": "CLN~1", "hostnames": ["cla~"], "mac_addresses": ["3c:7c:3f:~:05:01"]}, "edr.b": {"serial_number": "CLN~1", "hostnames": ["clb~"], "mac_addresses": ["3c:7c:3f:~:05:02"]}, "mdm.x": {"serial_number": "CLN~1"}, "scan.c": {"serial_number": "CLN~1", "hostnames": ["cla~"], "mac_addresses": ["3c:7c:3f:~:05:01"]}}, "ac b x", review="xa xb"),
    "the same by uuid, and two without a name": Case({"edr.a": {"smbios_uuid": U, "hostnames": ["cua~"], "mac_addresses": ["3c:7c:3f:~:06:01"]}, "edr.b": {"smbios_uuid": U, "hostnames": ["cub~"], "mac_addresses": ["3c:7c:3f:~:06:02"]}, "mdm.x": {"smbios_uuid": U}, "cmdb.y": {"smbios_uuid": U}, "scan.c": {"smbios_uuid": U, "hostnames": ["cua~"], "mac_addresses": ["3c:7c:3f:~:06:01"]}}, "ac b xy", review="xa yb"),
    "two of the same number that go by a name of their own are one": Case({"edr.a": {"serial_number": "CLN~2", "hostnames": ["cna~"], "mac_addresses": ["3c:7c:3f:~:07:01"]}, "edr.b": {"serial_number": "CLN~2", "hostnames": ["cnb~"], "mac_addresses": ["3c:7c:3f:~:07:02"]}, "mdm.c": {"serial_number": "CLN~2", "hostnames": ["cnc~"]}, "cmdb.d": {"serial_number": "CLN~2", "hostnames": ["cnc~"]}}, "a b cd"),
    "a desktop set up daily under one directory object is one machine": Case({**{f"mde.{x}": {"ad_object_guid": ENTRA_OF_ALL, "serial_number": "CZ~VD", "smbios_uuid": OWN.replace("#", x), "observed_at": f"2026-11-1{i}T10:00:00Z"} for i, x in enumerate(MACHINES)}, "cmdb.z": {"serial_number": "CZ~VD"}}, "abcdefz"),
    "a laptop set up anew five times is one machine": Case({f"intune.{x}": {"serial_number": "5CG~5", "entra_device_id": ENTRA.replace("#", x), **days(i)} for i, x in enumerate("abcde")}, "abcde"),
    "boards swapped four times under one name are one machine": Case({f"edr.{x}": {"serial_number": "5CG~4", "hostnames": ["fu~"], "smbios_uuid": OWN.replace("#", x), **days(i)} for i, x in enumerate("abcd")}, "abcd"),
    "the sid of a machine and that of its account are two kinds": Case({"edr.a": {"ad_sid": "S-1-5-21-77-2-¤", "serial_number": "5CG~6"}, "ad.b": {"ad_sid": "S-1-5-21-9-8-¤-1105", "serial_number": "5CG~6"}}, "ab"),
    "two sids of machines under one full name": Case({"edr.a": {"ad_sid": "S-1-5-21-77-3-¤", **FQDN}, "mdm.b": {"ad_sid": "S-1-5-21-77-4-¤", **FQDN}}, "a b", words={"a": "machine SID differs"}),
    "two accounts of the directory on one serial number": Case({"ad.a": {"ad_sid": "S-1-5-21-9-7-¤-1106", "serial_number": "5CG~7"}, "ad.b": {"ad_sid": "S-1-5-21-9-8-¤-1105", "serial_number": "5CG~7"}}, "a b", review="ab"),
    "instance id of one cloud machine written into all": Case(fleet({"cloud_instance_id": INSTANCE_OF_ALL, "serial_number": "5CG~#", **CARD}, {"cloud_instance_id": INSTANCE, **CARD}), PAIRS, words={"a": "identifies nothing here: seen with 6 different"}),
    "resource id of one cloud machine written into all": Case(fleet({"cloud_resource_id": ARN + INSTANCE_OF_ALL, "serial_number": "5CG~#", **CARD}, {"cloud_resource_id": ARN + INSTANCE, **CARD}), PAIRS),
    "agent id of one machine written into all": Case(fleet({"agent_ids": {"aid": "~e" * 16}, **FQDN}, {"agent_ids": {"aid": "~e" * 15 + "##"}, "smbios_uuid": OWN, **FQDN}), PAIRS, words={"a": "identifies nothing here: seen with 6 different"}),
    "imei of another model written into all": Case({**{f"edr.{x}": {"imei": "35209900¤4711", "fqdns": [f"i{x}~.corp.example"]} for x in MACHINES}, **{f"mdm.{x.upper()}": {"imei": f"35330011¤471{i}", "fqdns": [f"i{x}~.corp.example"]} for i, x in enumerate(MACHINES)}}, PAIRS),
    "serial number that one product lists under four names": Case(fleet({"serial_number": "ACME~10", **FQDN}, {"serial_number": "5CG~#", **FQDN}, "abcd"), PAIRS_OF_FOUR, words={"a": "identifies nothing here: seen with 4 different names"}),
    "directory id that one product lists under four names": Case(fleet({"entra_device_id": ENTRA_OF_ALL, **FQDN}, {"entra_device_id": ENTRA, "serial_number": "5CG~#", **FQDN}, "abcd"), PAIRS_OF_FOUR),
    "instance id that one product lists under four names": Case(fleet({"cloud_instance_id": INSTANCE_OF_ALL, **FQDN}, {"cloud_instance_id": INSTANCE, **FQDN}, "abcd"), PAIRS_OF_FOUR),
    "directory id that one product lists with four boards": Case(fleet({"entra_device_id": ENTRA_OF_ALL, "smbios_uuid": OWN}, {"smbios_uuid": OWN}, "abcd"), PAIRS_OF_FOUR),
    "four names one after the other are one machine": Case({f"cmdb.{x}": {"serial_number": "5CG~3", "hostnames": [f"o{x}~"], **days(i)} for i, x in enumerate("abcd")}, "abcd"),
    "four names in four products are one machine": Case(named({"serial_number": "5CG~2"}, "abcd"), "abcd"),
    "three names in one product are one machine": Case({f"cmdb.{x}": {"serial_number": "5CG~1", "hostnames": [f"p{x}~"]} for x in "abc"}, "abc"),
    "one name of four that is retired is one of three": Case({f"cmdb.{x}": {"serial_number": "5CG~0", "hostnames": [f"r{x}~"], **({"state": "retired"} if x == "d" else {})} for x in "abcd"}, "abcd"),
    "four cards without a name are one machine": Case({f"nac.{x}": {"serial_number": "5CG~8", "mac_addresses": [f"3c:7c:3f:~:08:0{x}"]} for x in "abcd"}, "abcd"),
}  # fmt: skip
TABLE = CaseTable("device", CASES)


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    TABLE.check(name)


GUID, GUID_OF_ALL = "~c4a1c9-12f4-4e74-af7c-3b54377d15##", "~c4a1c9-12f4-4e74-af7c-3b54377d1500"
LETTERS = [chr(0x100 + i) for i in range(11)]
BOTH = " ".join(f"{x}{x.upper()}" for x in "abcdefghijkm")


def accounts(wrong: dict[str, Any], right: dict[str, Any], letters: str = "abcdefghijkm") -> Case:
    """Accounts of Okta that were all given one value, and those of the directory with the values that are theirs."""
    rows: dict[str, Any] = {}
    for number, x in enumerate(letters):
        own = {key: value.replace("##", f"{number:02x}").replace("%", str(number)) for key, value in right.items()}
        rows[f"okta.{x}"] = {"upn": f"u{x}~@corp.example", "okta_id": f"00u~{x}", **wrong}
        rows[f"ad.{x.upper()}"] = {"upn": f"u{x}~@corp.example", **own}
    both = BOTH[: 3 * len(letters) - 1]
    return Case(rows, both, words={"a": f"identifies nothing here: seen with {len(letters)} different"})


def anchored(letters: str, last: str) -> dict[str, Any]:
    """Accounts of a directory, and what tells each of them with the objectGUID of the next as its anchor."""
    rows: dict[str, Any] = {}
    for x, following in zip(letters, letters[1:] + last, strict=True):
        own, anchor = (GUID.replace("15##", f"17{letter * 2}") for letter in (x, following))
        rows[f"hr.{x}"] = {"ad_object_guid": own, "immutable_id": anchor, "emails": [f"c{x}~@corp.example"]}
        rows[f"ad.{x.upper()}"] = {"ad_object_guid": own, "upn": f"c{x}~@corp.example"}
    return rows


ACCOUNTS = {
    "one sid written into all accounts": accounts({"ad_sid": "S-1-5-21-7-1-¤-1104"}, {"ad_sid": "S-1-5-21-7-2-¤-11%"}),
    "one object guid": accounts({"ad_object_guid": GUID_OF_ALL}, {"ad_object_guid": GUID.replace("15##", "16##")}),
    "one immutable id": accounts({"immutable_id": GUID_OF_ALL}, {"ad_object_guid": GUID.replace("15##", "16##")}),
    "one anchor that is no guid": accounts({"immutable_id": "HR-ANCHOR~"}, {"immutable_id": "HR~-%"}),
    "one object id of the cloud": accounts({"entra_object_id": GUID_OF_ALL}, {"entra_object_id": GUID.replace("15##", "16##")}),
    "one former sid": Case({f"okta.{x}": {"upn": f"f{i}~@corp.example", "ad_sid": f"S-1-5-21-7-3-¤-11{i:02}", "sid_history": ["S-1-5-21-7-4-¤-1104"]} for i, x in enumerate(LETTERS)}, " ".join(LETTERS)),
    "one object id in five tenants is an account in each": Case({f"{product}.{x}": {"entra_object_id": GUID_OF_ALL, "entra_tenant_id": f"~77a1c9-12f4-4e74-af7c-3b54377d16{x}{x}".lower()} for product, xs in (("idm", "abcde"), ("pam", "ABCDE")) for x in xs}, "aA bB cC dD eE"),
    "one sid written into four accounts": accounts({"ad_sid": "S-1-5-21-7-5-¤-1104"}, {"ad_sid": "S-1-5-21-7-6-¤-11%"}, "abcd"),
    "one object guid of four": accounts({"ad_object_guid": GUID_OF_ALL}, {"ad_object_guid": GUID.replace("15##", "16##")}, "abcd"),
    "one immutable id of four": accounts({"immutable_id": GUID_OF_ALL}, {"ad_object_guid": GUID.replace("15##", "16##")}, "abcd"),
    "one object id of the cloud of four": accounts({"entra_object_id": GUID_OF_ALL}, {"entra_object_id": GUID.replace("15##", "16##")}, "abcd"),
    "one okta id of four": Case({f"scim.{x}": {"upn": f"v{x}~@corp.example", "okta_id": "00u~all"} for x in "abcd"} | {f"okta.{x.upper()}": {"upn": f"v{x}~@corp.example", "okta_id": f"00u~{x}"} for x in "abcd"}, BOTH[:11]),
    "one former sid of four": Case({f"okta.{x}": {"upn": f"g{x}~@corp.example", "sid_history": ["S-1-5-21-7-8-¤-1104"]} for x in "abcd"} | {f"ad.{x.upper()}": {"upn": f"g{x}~@corp.example", "ad_sid": f"S-1-5-21-7-7-¤-11{i}"} for i, x in enumerate("abcd")} | {"old.z": {"ad_sid": "S-1-5-21-7-8-¤-1104"}}, BOTH[:11] + " z"),
    "one object guid of accounts that only a sid tells apart": Case({f"siem.{x}": {"ad_sid": f"S-1-5-21-7-9-¤-11{i}", "ad_object_guid": GUID_OF_ALL} for i, x in enumerate(BOTH[::3])} | {f"ad.{x.upper()}": {"ad_sid": f"S-1-5-21-7-9-¤-11{i}", "upn": f"w{i}~@corp.example"} for i, x in enumerate(BOTH[::3])}, BOTH),
    "three names in one product are one account": Case({f"scim.{x}": {"upn": f"x{x}~@corp.example", "ad_object_guid": GUID_OF_ALL} for x in "abc"}, "abc"),
    "the anchor of each is the object guid of the next": Case(anchored("abcdef", "a"), PAIRS),
    "a migrated account keeps its former object guid as its anchor": Case(anchored("a", "b") | {"old.c": {"ad_object_guid": GUID.replace("15##", "17bb")}, "entra.d": {"immutable_id": GUID.replace("15##", "17bb")}}, "aAcd"),
    "an account has many names in its time": Case({f"p{i}.{x}": {"upn": f"n{min(i, 9)}~@corp.example", "ad_object_guid": GUID_OF_ALL} for i, x in enumerate(LETTERS)}, "".join(LETTERS)),
    "a mail that very many tell and nothing parts": Case({f"saas.{chr(0x200 + i)}": {"emails": ["one~@corp.example"]} for i in range(70)}, "".join(chr(0x200 + i) for i in range(70))),
}  # fmt: skip
ACCOUNT_TABLE = CaseTable("identity", ACCOUNTS)


@pytest.mark.parametrize("name", ACCOUNTS)
def test_account(name: str) -> None:
    ACCOUNT_TABLE.check(name)


APPLICATIONS = {
    "one application id of all": Case({f"saas.{x}": {"app_id": GUID_OF_ALL, "name": f"App {i}x~"} for i, x in enumerate(LETTERS)}, " ".join(LETTERS), words={LETTERS[0]: "seen with 11 different names"}),
    "one object id of all": Case({f"saas.{x}": {"object_id": GUID_OF_ALL, "name": f"App {i}x~"} for i, x in enumerate(LETTERS)}, " ".join(LETTERS)),
    "one cmdb id of all": Case({f"saas.{x}": {"cmdb_id": "9d385017c611228701d22104cc95c3~", "name": f"App {i}x~"} for i, x in enumerate(LETTERS)}, " ".join(LETTERS)),
    "one application id of four in one product": Case({f"saas.{x}": {"app_id": GUID_OF_ALL, "name": f"App {x} 1x~", "entity_id": f"https://a{x}~.example/saml"} for x in "abcd"} | {f"okta.{x.upper()}": {"name": f"App {x} 1x~", "entity_id": f"https://a{x}~.example/saml"} for x in "abcd"}, BOTH[:11], words={"a": "seen with 4 different names"}),
    "one object id of four": Case({f"saas.{x}": {"object_id": GUID_OF_ALL, "name": f"App {x} 2x~"} for x in "abcd"}, "a b c d"),
    "one cmdb id of four": Case({f"saas.{x}": {"cmdb_id": "9d385017c611228701d22104cc95c3~", "name": f"App {x} 3x~"} for x in "abcd"}, "a b c d"),
    "one application id of those that only an entity id tells apart": Case({f"saas.{x}": {"app_id": GUID_OF_ALL, "entity_id": f"https://b{i}~.example/saml"} for i, x in enumerate(LETTERS)}, " ".join(LETTERS)),
    "one entity id of all, the right ones elsewhere": Case({f"saas.{x}": {"entity_id": "https://gate~.example/saml", "name": f"App {x} 4x~", "reply_urls": [f"https://c{x}~.example/acs"]} for x in "abcd"} | {f"okta.{x.upper()}": {"entity_id": f"https://c{x}~.example/saml", "name": f"App {x} 4x~", "reply_urls": [f"https://c{x}~.example/acs"]} for x in "abcd"}, BOTH[:11]),
    "three names of one product are one application": Case({f"saas.{x}": {"app_id": GUID_OF_ALL, "name": f"App {x} 5x~"} for x in "abc"}, "abc"),
    "ten names are few": Case({f"p{i}.{x}": {"app_id": GUID_OF_ALL, "name": f"App {min(i, 9)}x~"} for i, x in enumerate(LETTERS)}, "".join(LETTERS)),
}  # fmt: skip
APPLICATION_TABLE = CaseTable("application", APPLICATIONS)


@pytest.mark.parametrize("name", APPLICATIONS)
def test_application(name: str) -> None:
    APPLICATION_TABLE.check(name)
