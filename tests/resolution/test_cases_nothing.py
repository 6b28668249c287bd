"""Words for "nothing" in every field, language and punctuation; and real values that only look like one."""

# ruff: noqa: E501
from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest
from case_table import Case, CaseTable
from resolution_kit import devices, resolved, seen

from dbt_like_transforms.resolution.forms.seeds import ALLOW_LISTS, CLEARED, SEED_FILE, load_seeds
from dbt_like_transforms.resolution.kinds import COLUMNS, LADDERS, Kind

A, B = "3c:d9:2b:~:00:01", "3c:d9:2b:~:00:02"
GUID = "0a1b2c3d-0000-4000-8000-0000000000~"


def machines(**shared: object) -> Case:
    """Two machines that share a value and nothing else."""
    return Case({"edr.a": {"mac_addresses": [A], "hostnames": ["na¤"], **shared}, "cmdb.b": {"mac_addresses": [B], "hostnames": ["nb¤"], **shared}}, "a b")  # fmt: skip


SERIALS = [
    "Zu füllen durch O.E.M.", "Nicht angegeben", "unbekannt", "keine", "k.A.", "nicht verfügbar", "inconnu", "Non spécifié",
    "aucun", "desconocido", "ninguno", "sconosciuto", "nessuno", "não informado", "nao informado", "Geen", "brak",
    "ikke angivet", "ei tiedossa", "нет", "未知", "不明", "無", "none specified", "None Provided", "blank", "tba", "[none]",
    "'none'", "(null)", "<unknown>", "#N/A", "#REF!", "N.A.", "n\\a", "**********", "\u00a0n/a\u200b", "ｎ／ａ", "Filled by OEM",
    "Type1 - Serial Number", "System SN", "Serial No.", "No Enclosure", "not reported by bios", "Asset-1234567890",
    "01234567890123456789", "987654321", "SQUARE", "VMware", "Default",
    "System SKUNumber", "7783-7084-3265-9085-8269-3286-77", "Sys Serial", "123456789012345", "0987654321", "1122334455",
    "False", "TRUE", "No Asset Information", "System Serial No", "Product Serial", "SNxxxxxxxx", "No Asset Tag", "VMware Virtual Platform",
]  # fmt: skip
REAL_SERIALS = [
    "NONE~4X¤",
    "UNKNOWN7~¤",
    "KEINE~9",
    "NA~X¤",
    "1011~A¤",
    "OEM~7G¤",
    "TEST~K¤",
    "12345678~¤7",
    "VMWARE~K¤",
    "BRAK~7",
    "S1234567",
    "A12345678",
    "11111112",
    "PF1234567",
]
UUIDS = [
    "20202020-2020-2020-2020-202020202020", "30303030-3030-3030-3030-303030303030", "02020202-0202-0202-0202-020202020202",
    "12345678-9abc-def0-1234-56789abcdef0", "12345678-90ab-cdef-1234-567890abcdef", "01000000-0000-0000-0000-000000000000",
    "deadbeef-dead-beef-dead-beefdeadbeef", "11223344-5566-7788-99aa-bbccddeeff00", "44332211-6655-8877-99aa-bbccddeeff00",
    "03020100-0504-0706-0809-0a0b0c0d0e0f", "00000000-0000-0000-0000-000000000001", "urn:uuid:00000000-0000-0000-0000-000000000000",
]  # fmt: skip
MACS = [
    "50:50:54:50:30:30",
    "44:45:53:54:42:00",
    "00:00:00:00:00:e0",
    "0x000000000000",
    "20:41:53:59:4e:ff",
    "00:09:0f:aa:00:01",
    "00:05:73:a0:00:01",
    "00:09:0f:09:00:03",
    "e0:23:ff:fc:00:01",
    "00:10:db:ff:20:01",
    "00:1c:7f:00:00:01",
]
DOMAINS = ["N/A", "(none)", "-", "Not Available", "localhost", "default", "GROUPE_TRAVAIL", "GRUPO_TRABAJO", "WERKGROEP", "speedport.ip", "Home.local", "none.local", "hsd1.ca.comcast.net", "DHCP", "unbekannt"]  # fmt: skip
NAMES = ["Johns-iPhone", "iPad-de-Maria", "iPhone von Hans", "ubuntu-server", "ubuntu2204", "debian12", "windows-vm", "template-w10", "new-host-2", "pc-192-168-1-20", "84.9.10.11.static", "localhost-live", "bogon", "unbekannt", "android_1a2b3c", "WORKGROUP", "Mac", "iPhone-12-Pro", "iPad-Air", "ubuntu-22-04", "raspberrypi4", "pfSense", "gold-image", "Irresolvable"]  # fmt: skip
REAL_NAMES = ["ubuntu-22-¤", "iphone-prod¤", "gold-¤", "iphone-mgr¤", "ubuntu-app¤", "debian0¤", "esxi¤", "golden-gate¤", "localhost¤x", "desktop-¤ab", "win-¤abcdefg", "keine-ahnung¤", "dn"]  # fmt: skip


def named(name: str, domain: str, assets: str) -> Case:
    """Two agents on machines of one name in one domain."""
    return Case({"edr.a": {"hostnames": [name], "domain": domain, "agent_ids": {"aid": "1~" * 8}}, "mdm.b": {"hostnames": [name.upper()], "domain": domain, "agent_ids": {"mdm": "2~" * 8}}}, assets)  # fmt: skip


DEVICES = {
    **{f"serial {value!r}": machines(serial_number=value) for value in SERIALS},
    **{f"real serial {value!r}": Case({"edr.a": {"serial_number": value}, "cmdb.b": {"serial_number": value.lower()}}, "ab") for value in REAL_SERIALS},
    **{f"uuid {value}": machines(smbios_uuid=value) for value in UUIDS},
    **{f"mac {value}": Case({"edr.a": {"mac_addresses": [value], "hostnames": ["gw¤"]}, "scan.b": {"mac_addresses": [value], "hostnames": ["gw¤"]}}, "a b") for value in MACS},
    **{f"agent id {value!r}": machines(agent_ids={"aid": value}) for value in ["not installed", "unbekannt", "f" * 32, "ffffffff-ffff-ffff-ffff-ffffffffffff"]},
    **{f"imei {value!r}": machines(imei=value) for value in ["1" * 15, "IMEI: 000000000000000", "012345678912345"]},
    **{f"cloud id {value!r}": machines(cloud_provider="aws", cloud_instance_id=value) for value in ["not available", "N.A.", "inconnu", "i-00000000"]},
    "no account is no other account": Case({"aws.a": {"cloud_provider": "aws", "cloud_account_id": "N/A", "cloud_instance_id": "i-0abc12345678900~"}, "edr.b": {"cloud_provider": "aws", "cloud_account_id": "123456789¤", "cloud_instance_id": "i-0abc12345678900~"}}, "ab"),
    **{f"domain {value!r}": named("lap¤", value, "a b") for value in DOMAINS},
    "a machine that is its own domain": named("LAP¤", "LAP¤", "a b"),
    **{f"name {value!r}": named(value, "corp.local", "a b") for value in NAMES},
    **{f"real name {value}": named(value, "corp¤.local", "ab") for value in REAL_NAMES},
}  # fmt: skip


def accounts(**shared: object) -> Case:
    """Two accounts that share a value and nothing else."""
    return Case({"okta.a": {"login_names": ["na¤@corp.com"], **shared}, "hr.b": {"login_names": ["nb¤@corp.com"], **shared}}, "a b")  # fmt: skip


WORDS = ["none", "N/A", "null", "0", "unknown", "-", "keine", "(none)"]
LOCAL = [
    "NT SERVICE\\MSSQL",
    "Font Driver Host\\UMFD-0",
    "Window Manager\\DWM-1",
    "IIS APPPOOL\\DefaultAppPool",
    "NT-AUTORITÄT\\SYSTEM",
    "AUTORITE NT\\Système",
    "AUTORIDADE NT\\SISTEMA",
    "VORDEFINIERT\\Administratoren",
    "NT VIRTUAL MACHINE\\vm",
    "User Manager\\ContainerAdministrator",
    "NT TASK\\Backup",
]
MAILS = [
    "test@test.com",
    "noemail@corp.com",
    "no.email@corp.com",
    "nomail@nomail.com",
    "x@x.com",
    "a@a.com",
    "no_reply@corp.com",
    "not.provided@corp.com",
    "noemail1@corp.com",
    "dummy@corp.com",
    "changeme@corp.com",
    "undefined@undefined",
    "test@example.com",
    "xxxx@xxxx.com",
]
ROLES = ["reception", "buchhaltung", "bewerbung", "compta", "orders", "operations", "customer.service", "payroll", "scanner", "it", "finance.dept", "newsletter"]  # fmt: skip
NO_EMPLOYEE = ["NOEMPLOYEEID", "External User", "E00000", "EMP000", "11111111", "1234567890", "shared mailbox", "svc", "non-employee", "bot"]  # fmt: skip
IDENTITIES = {
    **{f"immutable id {value!r}": accounts(immutable_id=value) for value in [*WORDS, "A" * 22 + "==", "00000000-0000-0000-0000-000000000000"]},
    **{f"okta id {value!r}": accounts(okta_id=value) for value in WORDS},
    **{f"mail {value}": accounts(emails=[value]) for value in MAILS},
    **{f"login {value}": Case({"edr.a": {"login_names": [value], "employee_id": "A¤"}, "siem.b": {"login_names": [value], "employee_id": "B¤"}}, "a b") for value in LOCAL},
    **{f"mailbox of a role {value}": Case({"ad.a": {"ad_object_guid": GUID, "sam_account_name": "ra¤", "emails": [f"{value}@r¤.com"]}, "okta.b": {"okta_id": "00uR¤", "login_names": ["rb¤@s¤.com"], "emails": [f"{value}@r¤.com"]}, "entra.c": {"upn": f"{value}@r¤.com"}, "google.d": {"emails": [f"{value}@r¤.com"]}}, "a b cd") for value in ROLES},
    **{f"employee id {value!r}": Case({"okta.a": {"okta_id": "00uN¤", "employee_id": value}, "hr.b": {"login_names": ["n¤@corp.com"], "employee_id": value}}, "a b", unlinked=("a same person b",)) for value in NO_EMPLOYEE},
    "an employee id of six figures is one": Case({"okta.a": {"okta_id": "00uI¤", "employee_id": "123456"}, "hr.b": {"login_names": ["i¤@corp.com"], "employee_id": "123456"}}, "a b", links=("a same person b",)),
    "test@corp.com is somebody": Case({"okta.a": {"okta_id": "00uT¤", "login_names": ["test@corp¤.com"]}, "hr.b": {"emails": ["test@corp¤.com"]}}, "ab"),
    "a source anchor of its own": Case({"entra.a": {"entra_object_id": GUID, "immutable_id": "EMP¤x"}, "okta.b": {"okta_id": "00uE¤", "immutable_id": "EMP¤x"}}, "ab"),
    "no tenant is no other tenant": Case({"entra.a": {"entra_object_id": GUID, "entra_tenant_id": "none"}, "mdi.b": {"entra_object_id": GUID, "entra_tenant_id": "11111111-2222-4333-8444-555555555551"}}, "ab"),
}  # fmt: skip

URLS = [
    "https://login.microsoftonline.com/common/oauth2/nativeclient", "https://jwt.ms/", "urn:ietf:wg:oauth:2.0:oob", "http://localhost:3000/cb",
    "https://signin.aws.amazon.com/saml", "https://login.microsoftonline.com/login.srf", "https://vscode.dev/redirect", "https://oauth.pstmn.io/v1/callback", "https://global.consent.azure-apim.net/redirect", "https://0.0.0.0/cb", "http://app.localhost/cb", "http://[::1]:8080",
    "http://host.docker.internal:3000/cb", "ms-appx-web://Microsoft.AAD.BrokerPlugin/",
]  # fmt: skip
ENTITIES = ["none", "n/a", "test", "urn:example", "api://default", "https://sts.windows.net/", "http://127.0.0.1/", "https://signin.aws.amazon.com/saml#2", "urn:amazon:webservices:govcloud", "zscalertwo.net", "https://falcon.crowdstrike.com/saml/metadata", "https://sso.corp.com/auth/realms/corp", "https://idp.corp.com/idp/shibboleth"]  # fmt: skip
APPLICATIONS = {
    **{f"{field} {value!r}": Case({"cmdb.a": {field: value, "name": "Q¤"}, "leanix.b": {field: value, "name": "R¤"}}, "a b") for value in WORDS for field in ("cmdb_id", "app_id", "object_id")},
    **{f"entity id {value}": Case({"okta.a": {"entity_id": value, "name": "A¤"}, "ping.b": {"entity_id": value, "name": "B¤"}}, "a b") for value in ENTITIES},
    **{f"reply url {value}": Case({"entra.a": {"reply_urls": [value], "name": "Tool ¤"}, "okta.b": {"reply_urls": [value], "name": "tool ¤"}}, "a b") for value in URLS},
    "a reply url of its own": Case({"entra.a": {"reply_urls": ["https://localhost.pay¤.com/cb"], "name": "Pay ¤"}, "okta.b": {"reply_urls": ["https://LOCALHOST.pay¤.com/cb/"], "name": "pay ¤"}}, "ab"),
}  # fmt: skip

TABLES = {
    "device": CaseTable("device", DEVICES),
    "identity": CaseTable("identity", IDENTITIES),
    "application": CaseTable("application", APPLICATIONS),
}


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, table in TABLES.items() for name in table.cases])
def test_case(kind: str, name: str) -> None:
    TABLES[kind].check(name)


def test_a_dropped_word_is_told() -> None:
    out = devices(seen("edr:p:1", serial_number="Nicht verfügbar", hostnames=["pc1"]))
    assert out.suppressed("edr:p:1") == {"NICHTVERFÜGBAR"}


@pytest.mark.parametrize("kind", get_args(Kind))
def test_a_word_for_nothing_and_an_emptied_field_identify_nobody(kind: Kind) -> None:
    rows = []
    for field in ALLOW_LISTS.keys() & {identifier.field for identifier in LADDERS[kind].identifiers}:
        for word in ("n/a", CLEARED):
            told = {"mdm": word} if field == "agent_ids" else [word] if COLUMNS[kind][field].endswith("[]") else word
            rows += [seen(f"{product}:{field}:{word}", **{field: told}) for product in ("edr", "cmdb")]
    out = resolved(kind, *rows)
    assert [record for record in out.lines if not out.held(record) or out.review(record)] == []


ZERO = "00000000-0000-0000-0000-000000000000"


#: A value by itself, and why it is none.
DROPPED = [
    ("device", "entra_device_id", ZERO, "a known placeholder"),
    ("device", "ad_object_guid", ZERO, "a known placeholder"),
    ("device", "ad_sid", "S-1-5-18", "names no single machine"),
    ("device", "mac_addresses", "da:a1:19:00:00:01", "locally administered"),
    ("device", "mac_addresses", "02:00:4e:43:50:49", "a known placeholder"),
    ("device", "smbios_uuid", ZERO, "a known placeholder"),
    ("device", "serial_number", "VMware-00 00 00 00 00 00 00 00-00 00 00 00 00 00 00 00", "a known placeholder"),
    ("device", "imei", "000000000000000", "a known placeholder"),
    ("device", "cloud_instance_id", "unknown", "a known placeholder"),
    ("device", "hostnames", "localhost", "a known placeholder"),
    ("device", "ip_addresses", "127.0.0.1", "a known placeholder"),
    ("device", "agent_ids", "unknown", "a known placeholder"),
    ("device", "mac_addresses", "24:b6:20:52:41:53", "a known placeholder"),
    ("device", "mac_addresses", "00:0b:ca:fe:00:01", "a known placeholder"),
    ("device", "mac_addresses", "00:09:0f:3e:00:01", "a known placeholder"),
    ("device", "mac_addresses", "00:90:4c:c5:12:38", "a known placeholder"),
    ("identity", "entra_object_id", ZERO, "a known placeholder"),
    ("identity", "ad_object_guid", ZERO, "a known placeholder"),
    ("identity", "immutable_id", "AAAAAAAAAAAAAAAAAAAAAA==", "a known placeholder"),
    ("identity", "ad_sid", "S-1-5-32-544", "names no single account"),
    ("identity", "okta_id", "none", "a known placeholder"),
    ("identity", "emails", "noreply@example.com", "a known placeholder"),
    ("identity", "sam_account_name", "unknown", "a known placeholder"),
    ("identity", "employee_id", "n/a", "a known placeholder"),
    ("identity", "okta_id", "System.Object[]", "a known placeholder"),
    ("application", "app_id", ZERO, "a known placeholder"),
    ("application", "object_id", ZERO, "a known placeholder"),
    ("application", "cmdb_id", "n/a", "a known placeholder"),
    ("application", "service_principal_id", ZERO, "a known placeholder"),
    ("application", "entity_id", "unknown", "a known placeholder"),
    ("application", "name", "Test", "a known placeholder"),
    ("application", "cmdb_id", "User-defined error: not set", "a known placeholder"),
    ("application", "entity_id", "https://app.asana.com/", "a known placeholder"),
]


@pytest.mark.parametrize("kind", ["device", "identity", "application"])
def test_a_dropped_id_is_told_whatever_kind_it_is(kind: str) -> None:
    rows, reasons = [], {}
    for number, (_, field, value, reason) in enumerate(one for one in DROPPED if one[0] == kind):
        given: Any = [value] if field in ("mac_addresses", "hostnames", "ip_addresses", "emails") else value
        given = {"aid": value} if field == "agent_ids" else given
        rows += [seen(f"{product}:p:{number}", **{field: given}) for product in "ab"]
        reasons |= {f"{product}:p:{number}": reason for product in "ab"}
    out = resolved(kind, *rows)
    for record, reason in reasons.items():
        assert out.held(record)
        assert out.group(record) == {record}
        assert reason in out.words(record)
        assert len(out.suppressed(record)) == 1


def test_ids_are_told_as_their_record_writes_them() -> None:
    """Compared is the lesser of the two byte orders of a UUID, which nobody would find in his console."""
    uuids = ["11F6E606-84D1-4E74-AF7C-3B54377D15E3", "F2265C3A-1CD7-40A5-80D7-52F0688CF3C8"]
    serial = "VMware-f2 26 5c 3a 1c d7 40 a5-80 d7 52 f0 68 8c f3 c8"
    out = devices(
        *(seen(f"edr:p:{n}", smbios_uuid=uuid, mac_addresses=["501ac5feaa8c"]) for n, uuid in enumerate(uuids)),
        seen("cmdb:p:2", serial_number=serial),
        seen("wiz:p:3", cloud_provider="azure", cloud_instance_id="8A7B6C5D-1111-4222-8333-444455556666"),
        seen("scan:p:4", smbios_uuid="8a7b6c5d-1111-4222-8333-444455556666"),
    )
    assert uuids[0].lower() in out.words("edr:p:0")
    assert uuids[1].lower() in out.words("edr:p:0")
    for record, uuid in (
        ("cmdb:p:2", uuids[1]),
        ("edr:p:1", uuids[1]),
        ("scan:p:4", "8A7B6C5D-1111-4222-8333-444455556666"),
    ):
        assert uuid.lower() in {d["value"] for d in out.lines[record]["decisions"] if d["verdict"] == "joined"}


def test_a_held_record_says_why() -> None:
    out = devices(
        seen("edr:p:1", serial_number="5CG00HB", fqdns=["hb.corp.example"]),
        seen("cmdb:p:2", hostnames=["hb"]),
        seen("nmap:p:3", mac_addresses=["3c:d9:2b:00:00:77"]),
        seen("cmdb:p:4", serial_number="n/a"),
    )
    why = {record: line.get("held_because", "") for record, line in out.lines.items()}
    assert not why["edr:p:1"]
    assert "a person has to decide" in why["cmdb:p:2"]
    assert "adds to assets without making any" in why["nmap:p:3"]
    assert "nothing that it tells" in why["cmdb:p:4"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        # a number to base 60: the address would never be found
        ('"50:50:54:50:30:30"', "50:50:54:50:30:30", "of mac_address is a number to YAML"),
        # real values would be lost by containing a placeholder
        ("'^((i|vm|host)-)?[0-]+$'", "'((i|vm|host)-)?[0-]+$'", r"of cloud_id must start with \^ and end with \$"),
        ("'^((i|vm|host)-)?[0-]+$'", "'^((i|vm|host)-)?[0-]+'", r"of cloud_id must start with \^ and end with \$"),
    ],
)
def test_a_seed_that_would_miss_its_value_or_take_real_ones_is_refused(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    broken = tmp_path / "seeds.yaml"
    text = SEED_FILE.read_text(encoding="utf-8")
    assert old in text
    broken.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        load_seeds(broken)
