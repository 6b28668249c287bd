"""More of T01 to T09: what boards, vendors and spreadsheets make of serial numbers, UUIDs and makers."""

# ruff: noqa: E501
from __future__ import annotations

import duckdb
import pytest
from case_table import Case, CaseTable
from resolution_kit import devices, seen

from dbt_like_transforms.resolution.forms import normalise
from dbt_like_transforms.resolution.forms.seeds import install_seeds

U = "~b4a1c9-12f4-4e74-af7c-3b54377d15~"
ENTRA = "~b4a1c9-12f4-4e74-af7c-3b54377d16~"

CASES = {
    "dell service tag of a blank board is nobody's uuid": Case(
        {
            "edr.a": {"smbios_uuid": "4C4C4544-0000-2010-8020-80C04F202020", "agent_ids": {"aid": "~" * 16}},
            "edr.b": {"smbios_uuid": "44454c4c-0000-1020-8020-80c04f202020", "agent_ids": {"aid": "~1" * 10}},
        },
        "a b",
    ),
    "uuid written by a script as counting digits": Case(
        {
            "edr.a": {"smbios_uuid": "00112233-4455-6677-8899-aabbccddeeff", "serial_number": "5CG~AA1"},
            "cmdb.b": {"smbios_uuid": "00112233-4455-6677-8899-AABBCCDDEEFF", "serial_number": "5CG~AA2"},
            "scan.c": {"smbios_uuid": "33221100-5544-7766-8899-aabbccddeeff", "fqdns": ["u~.corp.example"]},
        },
        "a b c",
    ),
    "uuid of three boards that no list knows is dropped and serials go on": Case(
        {
            **{f"edr.{x}": {"smbios_uuid": U, "serial_number": f"BRD~00{x}"} for x in "abc"},
            **{f"cmdb.{x}": {"smbios_uuid": U, "serial_number": f"brd~00{y}"} for x, y in zip("def", "abc", strict=True)},
        },
        "ad be cf",
        words={"a": "identifies nothing here"},
    ),
    "a placeholder is told in the byte order in which it came": Case(
        {"edr.a": {"smbios_uuid": "03000200-0400-0500-0006-000700080009", "fqdns": ["po~.corp.example"]}, "cmdb.b": {"smbios_uuid": "00020003-0004-0005-0006-000700080009", "fqdns": ["pp~.corp.example"]}},
        "a b", words={"a": "SMBIOS UUID 03000200-0400-0500-0006-000700080009 identifies nothing", "b": "SMBIOS UUID 00020003-0004-0005-0006-000700080009 identifies nothing"},
    ),
    "what differs is told with both values, to both": Case(
        {"edr.a": {"serial_number": "5CG~DA", "mac_addresses": ["3c:7c:3f:~:00:01"], "hostnames": ["df~"]}, "scan.b": {"serial_number": "5CG~DB", "mac_addresses": ["3c:7c:3f:~:00:01"], "hostnames": ["df~"]},
         "cmdb.c": {"serial_number": "77~DC", "manufacturer": "Dell"}, "cmdb.d": {"serial_number": "77~DC", "manufacturer": "Lenovo"}, "nac.e": {"fqdns": ["dg~.corp.example"], "mac_addresses": ["3c:7c:3f:~:00:02"]}, "scan.f": {"fqdns": ["dg~.corp.example"], "mac_addresses": ["3c:7c:3f:~:00:03"]}},
        "a b c d e f", words={"a": "serial number differs: 5CG", "b": "serial number differs: 5CG", "c": "DC by dell and 77", "f": ":00:02 and 3c:7c:3f:"},
    ),
    "serial broken by a spreadsheet has lost its digits": Case(
        {
            "cmdb.a": {"serial_number": "1.23457E+11", "fqdns": ["x~1.corp.example"]},
            "cmdb.b": {"serial_number": "1.23457E+11", "fqdns": ["x~2.corp.example"]},
        },
        "a b",
        words={"a": "known placeholder"},
    ),
    "serial of letters only, with its label and with a blank before it": Case(
        {"edr.a": {"serial_number": "QWXZ~JK"}, "cmdb.b": {"serial_number": "Service Tag: QWXZ~JK"}, "rmm.c": {"serial_number": "S/N QWXZ~JK"}, "wmi.d": {"serial_number": " qwxz~jk "}}, "abcd"
    ),
    "supermicro puts zeros before the address of its card": Case(
        {"edr.a": {"smbios_uuid": "00000000-0000-0000-0000-ac1f6b~aa01"}, "rmm.b": {"smbios_uuid": "0000000000000000000 0AC1F6B~AA01".replace(" ", "")}, "edr.c": {"smbios_uuid": "00000000-0000-0000-0000-ac1f6b~aa02"}}, "ab c"
    ),
    "words of letters alone, and the label of a serial number": Case(
        {"rmm.a": {"serial_number": "Error: no such key", "hostnames": ["lb~a"]}, "rmm.b": {"serial_number": "Error: no such key", "hostnames": ["lb~b"]}, "edr.c": {"serial_number": "QWXZJKLM"}, "cmdb.d": {"serial_number": "Serial Number: QWXZJKLM"}}, "a b cd"
    ),
    "makers that were bought or carry another name by now": Case(
        {f"{product}.{letter}": {"serial_number": f"9RN~00{n}", "manufacturer": maker}
         for n, (letters, makers) in enumerate({"ab": ("Matsushita Electric Industrial Co.,Ltd.", "Panasonic Corporation"), "cd": ("Symbol Technologies", "Zebra Technologies Corporation"), "ef": ("Fuji Xerox", "FUJIFILM Business Innovation"), "gh": ("Polycom", "Poly"), "ij": ("Schneider Electric", "APC"), "kl": ("GE", "General Electric")}.items())
         for product, letter, maker in zip(("edr", "cmdb"), letters, makers, strict=True)},
        "ab cd ef gh ij kl",
    ),
    "label of lenovo with a hyphen in it": Case(
        {"snipe.a": {"serial_number": "PF-3A~KX"}, "intune.b": {"serial_number": "PF3A~KX", "manufacturer": "LENOVO"}, "edr.c": {"serial_number": "PF-3A~KXY", "manufacturer": "LENOVO"}}, "ab c"
    ),
    "barcode of apple with an s before it": Case(
        {
            "snipe.a": {"serial_number": "SC02XK~JJGH5", "manufacturer": "Apple"},
            "jamf.b": {"serial_number": "C02XK~JJGH5", "manufacturer": "Apple Inc."},
            "snipe.c": {"serial_number": "SC02XQ~JJGH5", "manufacturer": "Dell"},
            "intune.d": {"serial_number": "C02XQ~JJGH5", "manufacturer": "Dell"},
        },
        "ab c d",
    ),
    "serial with its label in words": Case(
        {"snipe.a": {"serial_number": "Service Tag 8X~1ZQ"}, "cmdb.b": {"serial_number": "Serial No. 8x~1zq"}, "rmm.c": {"serial_number": "Ser. Nr. 8X~1ZQ"}, "edr.d": {"serial_number": "8X~1ZQ"}}, "abcd"
    ),
    "serial with its label and the bare one": Case(
        {
            "edr.a": {"serial_number": "Service Tag: 8X~1Z3"},
            "cmdb.b": {"serial_number": "8x~1z3"},
            "rmm.c": {"serial_number": "S/N 8X~1Z3"},
            "wmi.d": {"serial_number": "SN:8X~1Z3  "},
        },
        "abcd",
    ),
    "lenovo label with machine type before the serial": Case(
        {
            "edr.a": {"serial_number": "PF1~2C3", "manufacturer": "LENOVO"},
            "cmdb.b": {"serial_number": "1S20XXS0AB00PF1~2C3", "manufacturer": "Lenovo"},
        },
        "ab",
    ),
    "one serial at two makers and one record without": Case(
        {
            "edr.a": {"serial_number": "77~4567", "manufacturer": "Dell Inc.", "hostnames": ["d~"]},
            "cmdb.b": {"serial_number": "77~4567", "manufacturer": "Apple", "hostnames": ["m~"]},
            "mdm.c": {"serial_number": "77~4567", "manufacturer": "Apple Inc."},
        },
        "a bc",
    ),
    "maker by another name tells nothing where as good an id agrees": Case(
        {
            "mdm.a": {"serial_number": "5CG~71A", "manufacturer": "HP", "entra_device_id": ENTRA},
            "scan.b": {"serial_number": "5CG~71A", "manufacturer": "Quanta", "entra_device_id": ENTRA},
            "scan.c": {"serial_number": "5CG~72A", "manufacturer": "HP", "smbios_uuid": U},
            "edr.d": {"serial_number": "5CG~72A", "manufacturer": "Quanta", "smbios_uuid": U},
            "edr.e": {"serial_number": "5CG~73A", "manufacturer": "HP", "agent_ids": {"aid": "~" * 16}},
            "cmdb.f": {"serial_number": "5CG~73A", "manufacturer": "Quanta", "agent_ids": {"aid": "~" * 16}},
            "mdm.g": {"serial_number": "5CG~74A", "manufacturer": "HMD Global", "imei": "35¤67890¤34"},
            "cmdb.h": {"serial_number": "5CG~74A", "manufacturer": "Quanta", "imei": "35¤67890¤34"},
            "aws.i": {"serial_number": "5CG~75A", "manufacturer": "HP", "cloud_instance_id": "i-0abc12345678~"},
            "edr.j": {"serial_number": "5CG~75A", "manufacturer": "Quanta", "cloud_instance_id": "i-0abc12345678~"},
            "ad.k": {"serial_number": "5CG~76A", "manufacturer": "HP", "ad_sid": "S-1-5-21-¤-7-7-1104"},
            "edr.l": {"serial_number": "5CG~76A", "manufacturer": "Quanta", "ad_sid": "S-1-5-21-¤-7-7-1104"},
        },
        "ab cd ef gh ij kl",
    ),
    "maker of the card or of the label, where serial number, card and name agree": Case(
        {
            "edr.a": {"serial_number": "5CG~77A", "manufacturer": "HP", "mac_addresses": ["3c:7c:3f:~:00:01"], "hostnames": ["mk~"]},
            "forescout.b": {"serial_number": "5CG~77A", "manufacturer": "Intel Corporate", "mac_addresses": ["3c:7c:3f:~:00:01"], "hostnames": ["MK~"]},
            "dell.c": {"serial_number": "12~78A", "manufacturer": "Dell", "mac_addresses": ["3c:7c:3f:~:00:02"], "hostnames": ["ml~"]},
            "cmdb.d": {"serial_number": "12~78A", "manufacturer": "Lenovo", "mac_addresses": ["3c:7c:3f:~:00:03"], "hostnames": ["ml~"]},
        },
        "ab c d",
    ),
    "model where the serial number belongs": Case(
        {
            "cmdb.a": {"serial_number": "Latitude 5¤", "manufacturer": "Dell", "hostnames": ["l~a"], "attributes": {"model": "Latitude 5¤"}},
            "cmdb.b": {"serial_number": "LATITUDE-5¤", "manufacturer": "Dell", "hostnames": ["l~b"], "attributes": {"model": "Latitude 5¤"}},
        },
        "a b",
        words={"a": "placeholder"},
    ),
    "maker where the serial number belongs": Case(
        {"cmdb.a": {"serial_number": "LENOVO", "manufacturer": "Lenovo", "hostnames": ["mk~a"]}, "cmdb.b": {"serial_number": "Lenovo", "manufacturer": "LENOVO", "hostnames": ["mk~b"]}}, "a b", words={"a": "placeholder"}
    ),
    "renamed machine with a new network card keeps its serial": Case(
        {
            "edr.a": {"serial_number": "5CG~43A", "hostnames": ["old~"], "mac_addresses": ["3c:7c:3f:~:00:01"]},
            "cmdb.b": {"serial_number": "5CG~43A", "hostnames": ["new~"], "mac_addresses": ["3c:7c:3f:~:00:02"]},
        },
        "ab",
    ),
    "board swapped, serial not written back": Case(
        {
            "intune.a": {"entra_device_id": U, "serial_number": "5CG~111", "smbios_uuid": U, "last_seen": "2026-09-01T00:00:00Z", "observed_at": "2026-09-01T00:00:00Z"},
            "mde.b": {"entra_device_id": U, "serial_number": "Not Specified", "smbios_uuid": "~000000-1111-4222-8333-000000000099"},
        },
        "ab",
        words={"b": "known placeholder"},
    ),
    "board swapped under one directory id: two serials are for a person": Case(
        {
            "intune.a": {"entra_device_id": U, "serial_number": "5CG~111"},
            "mde.b": {"entra_device_id": U, "serial_number": "5CG~222"},
        },
        "a b",
        review="ab",
        words={"a": "serial number"},
    ),
    "board swapped: the technician wrote the serial into the new board": Case(
        {
            "edr.a": {"serial_number": "5CG~SWP", "manufacturer": "HP", "smbios_uuid": U, "hostnames": ["lt-~"], "first_seen": "2026-01-01T00:00:00Z", "last_seen": "2026-06-01T00:00:00Z", "observed_at": "2026-06-01T00:00:00Z"},
            "edr.b": {"serial_number": "5CG~SWP", "manufacturer": "HP", "smbios_uuid": "~000000-1111-4222-8333-000000000099", "hostnames": ["lt-~"], "first_seen": "2026-06-03T00:00:00Z"},
            "cmdb.c": {"serial_number": "5CG~SWP", "manufacturer": "HP"},
        },
        "abc",
    ),
    "one serial and one name with two uuids at once is a question": Case(
        {"edr.a": {"serial_number": "5CG~2U", "smbios_uuid": U, "hostnames": ["tu~"]}, "sccm.b": {"serial_number": "5CG~2U", "smbios_uuid": "~000000-1111-4222-8333-000000000099", "hostnames": ["TU~"]}},
        "a b",
        review="ab",
    ),
    "serial number of one machine and uuid of another in one record": Case(
        {"edr.a": {"serial_number": "CZ~1X", "smbios_uuid": U}, "edr.b": {"serial_number": "CZ~2X", "smbios_uuid": "~000000-1111-4222-8333-000000000099"}, "cmdb.c": {"serial_number": "CZ~1X", "smbios_uuid": "~000000-1111-4222-8333-000000000099"}},
        "a b c", held="c", review="ca cb",
    ),
    "one uuid and one name with two serials is a question": Case(
        {"edr.a": {"serial_number": "5CG~3U", "smbios_uuid": U, "hostnames": ["tv~"]}, "sccm.b": {"serial_number": "5CG~4U", "smbios_uuid": U, "hostnames": ["TV~"]}},
        "a b",
        review="ab",
    ),
    "two systems on one machine": Case(
        {"edr.a": {"serial_number": "5CG~DB", "hostnames": ["win~"], "agent_ids": {"aid": "~a" * 16}, "mac_addresses": ["3c:7c:3f:~:0d:01"]}, "edr.b": {"serial_number": "5CG~DB", "hostnames": ["lin~"], "agent_ids": {"aid": "~b" * 16}, "mac_addresses": ["3c:7c:3f:~:0d:01"]}},
        "ab",
    ),
    "asset tag is a sticker and identifies nothing": Case(
        {
            "cmdb.a": {"asset_tag": "A00~", "serial_number": "5CG~T01"},
            "cmdb.b": {"asset_tag": "A00~", "serial_number": "5CG~T02"},
            "cmdb.c": {"asset_tag": "A00~"},
        },
        "a b c",
        held="c",
    ),
    "asset tag typed into the serial field vetoes the name": Case(
        {
            "edr.a": {"serial_number": "CND~123", "fqdns": ["at~.corp.example"]},
            "cmdb.b": {"serial_number": "A-00~", "fqdns": ["at~.corp.example"]},
        },
        "a b",
        words={"b": "serial number differs"},
    ),
    "uuid without dashes, in braces, upper case and byte-swapped": Case(
        {
            "dell.a": {"smbios_uuid": "4c4c4544-00~-3510-8052-b4c04f4a3332"},
            "tenable.b": {"smbios_uuid": "4C4C454400~35108052B4C04F4A3332"},
            "sccm.c": {"smbios_uuid": "{44454C4C-~00-1035-8052-B4C04F4A3332}"},
            "nac.d": {"smbios_uuid": "44454c4c~0010358052b4c04f4a3332"},
        },
        "abcd",
    ),
    "phones: meid in two spellings": Case(
        {
            "mdm.c": {"imei": "a1000009~¤a"},
            "intune.d": {"imei": "A1000009~¤A", "serial_number": "F2L~DDD"},
        },
        "cd",
    ),
    "phones: imei with and without check digit and software version": Case(
        {
            "intune.a": {"imei": "35-209900-17¤1-5", "serial_number": "C39~AAA"},
            "mdm.b": {"imei": "3520990017¤1"},
            "carrier.c": {"imei": "3520990017¤178"},
        },
        "abc",
    ),
    "imei of a test handset on three phones": Case(
        {f"mdm.{x}": {"imei": "004999010640000", "serial_number": f"F2L~00{x}"} for x in "abc"},
        "a b c",
    ),
    "tablet without modem: imei of zeros": Case(
        {f"mdm.{x}": {"imei": "000000000000000", "agent_ids": {"mdm": f"~{x}" * 8}} for x in "ab"},
        "a b",
    ),
    "controller with the number of one server and the uuid of another": Case(
        {
            "ilo.a": {"serial_number": "CZ~BMC", "smbios_uuid": "4c4c4544-00~-3510-8052-b4c04f4a9101", "hostnames": ["ilo-x¤"], "attributes": {"model": "iLO 5"}},
            "edr.b": {"serial_number": "CZ~BMC", "hostnames": ["srvb¤"]},
            "edr.c": {"serial_number": "CZ~OTH", "smbios_uuid": "4c4c4544-00~-3510-8052-b4c04f4a9101", "hostnames": ["srvc¤"]},
        },
        "a b c", links=("a part of c",), unlinked=("a part of b",),
    ),
    "only what tells a name and an address runs on the node of its cluster": Case(
        {
            "edr.a": {"serial_number": "CZ~NOD", "hostnames": ["nod~"], "ip_addresses": ["10.50.77.1"]},
            "dns.b": {"hostnames": ["sqlbclu¤"], "ad_object_guid": "8f2d1c34-5a6b-4c7d-9e8f-0000000050~", "ip_addresses": ["10.50.77.1"]},
            "edr.c": {"hostnames": ["sqlcclu¤"], "ip_addresses": ["10.50.77.1"], "agent_ids": {"aid": "e~" * 12}},
            "cmdb.d": {"hostnames": ["sqldclu¤"], "ip_addresses": ["10.50.77.1"], "serial_number": "CZ~CLD"},
            "cmdb.e": {"hostnames": ["sqleclu¤"], "ip_addresses": ["10.50.77.1"], "smbios_uuid": "4c4c4544-00~-3510-8052-b4c04f4a9201"},
            "nmap.f": {"mac_addresses": ["3c:d9:2b:~:91:01"], "ip_addresses": ["10.50.77.1"]},
        },
        "a b c d e f", held="f",
        links=("b runs on a",),
        unlinked=("c runs on a", "d runs on a", "e runs on a", "b runs on f"),
    ),
    "guest with the number and maker of its host, and a machine on the number whose maker nobody tells": Case(
        {
            "edr.a": {"serial_number": "CHS~G", "manufacturer": "Dell", "smbios_uuid": "4c4c4544-00~-3510-8052-b4c04f4a9001", "mac_addresses": ["3c:d9:2b:~:90:01"]},
            "edr.b": {"serial_number": "CHS~G", "manufacturer": "Dell", "smbios_uuid": "4c4c4544-00~-3510-8052-b4c04f4a9002", "mac_addresses": ["00:50:56:~:90:02"]},
            "edr.c": {"serial_number": "CHS~G", "smbios_uuid": "4c4c4544-00~-3510-8052-b4c04f4a9003", "mac_addresses": ["3c:d9:2b:~:90:03"]},
        },
        "a b c", links=("b runs on a", "c part of a"), unlinked=("b part of a", "a part of b"),
    ),
}  # fmt: skip

TABLE = CaseTable("device", CASES)


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    TABLE.check(name)


PLACEHOLDERS = (
    "Chassis Serial Number", "Base Board Serial Number", "Default_String", "To Be Filled By O.E.M", "$(DEFAULT_STRING)",
    "123456789ABCDEF", "0123456789ABCDEF", "ABCDEFGH", "(null)", "<none>", "[Unknown]", "#N/A", "N/A.", "-", "--", "*****",
    "0x00000000", "FFFFFFFF", "00 00 00 00", "TEST", "no serial", "Not Available", "To Be Determined", "SerNum0",
    "Serial#", "SN12345678", "System Serial", "Unknown Serial", "Not Present", "Not Settable", "9876543210", "VirtualBox",
    "QEMU", "None None", "n.a.",
    "Virtual Server", "pending", "not used", "None available", "no serial available", "Not Readable", "see label", "N/A - VM",
    "Not set by OEM", "not_specified_by_oem", "Unspecified System Serial", "No Serial Number Found", "Manufacturer Default", "Unknown (VM)",
    "ABCD1234", "Sample", "TBD", "O.E.M.", "oem", "INVALID SERIAL", "default serial number", "BSN12345678901234567",
    "Type2 - Board Serial Number", "Type3 - Chassis Serial Number", "SN0000000000", "MB-0000000",
    "SSN12345678901234567", "BSS-0123456789", "EmptySerial", "NULL_SERIAL", "Placeholder", "SystemSerialNumb", "CZCXXXXXXX",
    "01234567890123456789AB", "0123456789ABCDEFGH", "ABCDEFGHIJKL", "1122334455667788", "Default string000", "Default string 2",
    "Unknown-1", "UNKNOWN SERIAL 1", "none1", "Serial Number N/A", "deadbeef", "Laptop", "Error", "System.String", "System.Object[]",
    "System.__ComObject", "System.Byte[]", "[object Object]", "User-defined error: not set", "Singular expression refers to nonexistent object.",
    "dmidecode: command not found", "/dev/mem: Permission denied", "# SMBIOS implementations newer than version 2.7 are not",
    "IATPASS", "Tulip Computers", "SN-123456fvgv3i0b8o5n6n7k", "SYS-9876543210", "123456789000",
    "0123456789000", "NotSupport", "OEM_Define1", "SerNum03", "NB-1234567890", "123490EN400015",
)  # fmt: skip


def test_serials_that_identify_nothing_in_more_spellings() -> None:
    rows = {}
    for place, serial in enumerate(PLACEHOLDERS):
        for product in ("edr", "cmdb"):
            rows[f"{product}.{place}"] = {"serial_number": serial, "agent_ids": {product: f"{place + 1:032x}"}}
    out = devices(*(seen(name.replace(".", ":p:"), **given) for name, given in rows.items()))
    joined = [serial for place, serial in enumerate(PLACEHOLDERS) if out.together(f"edr:p:{place}", f"cmdb:p:{place}")]
    assert joined == []


@pytest.mark.parametrize(
    "makers",
    [
        (
            "HP",
            "Hewlett-Packard",
            "HP Inc.",
            "HPE",
            "Hewlett Packard Enterprise",
            "HewlettPackard",
            "HP(R)",
            "hewlett_packard",
        ),
        (
            "Dell Inc.",
            "DELL",
            "Dell Computer Corporation",
            "Dell EMC",
            '"Dell Inc."',
            "Dell-Inc",
            "Alienware",
            "Wyse Technology",
        ),
        ("LENOVO", "IBM", "Lenovo Group Ltd.", "Lenovo(Beijing) Limited", "LENOVO_MT_20Y3"),
        ("ASUSTeK COMPUTER INC.", "ASUS"),
        ("Micro-Star International Co., Ltd.", "Micro Star International", "MSI"),
        ("Gigabyte Technology Co., Ltd.", "GIGABYTE", "GIGA-BYTE TECHNOLOGY"),
        ("TOSHIBA", "Dynabook Inc."),
        ("Intel(R) Client Systems", "Intel Corporation"),
        ("Super Micro Computer, Inc.", "Supermicro"),
        ("FUJITSU", "FUJITSU // Fujitsu Siemens", "Fujitsu Client Computing Limited"),
        ("Cisco Systems, Inc.", "Cisco", "cisco", "Cisco Meraki", "Meraki"),
        ("Rockwell Automation", "Rockwell Automation/Allen-Bradley", "Allen-Bradley"),
        ("Hangzhou Hikvision", "hangzhou hikvision digital technology", "HIKVISION"),
        ("Zhejiang Dahua Technology Co., Ltd.", "Dahua"),
        ("华为技术有限公司", " 华为技术有限公司 "),
        ("New H3C Technologies Co., Ltd.", "H3C"),
        ("Hon Hai Precision Ind. Co.,Ltd.", "Foxconn"),
        ("Apple Inc.", "Apple"),
        ("Microsoft Corporation", "Microsoft"),
        ("Palo Alto Networks", "paloalto"),
        ("Samsung Electronics", "SAMSUNG ELECTRONICS CO., LTD.", "samsung"),
    ],
)
def test_one_maker_under_several_names(makers: tuple[str, ...]) -> None:
    with duckdb.connect() as connection:
        normalise.install(connection)
        install_seeds(connection)
        assert len(set(normalise.normalised("n_maker", makers, connection))) == 1
