"""Placeholder and malformed identifiers: T01 to T09."""

from __future__ import annotations

import pytest
from resolution_kit import devices, seen

ZERO = "00000000-0000-0000-0000-000000000000"


def test_t01_oem_placeholder_serial_joins_no_whiteboxes() -> None:
    out = devices(
        seen(
            "edr:p:1", serial_number="To be filled by O.E.M.", mac_addresses=["3c:7c:3f:00:00:01"], hostnames=["box1"]
        ),
        seen(
            "edr:p:2", serial_number="To be filled by O.E.M.", mac_addresses=["3c:7c:3f:00:00:02"], hostnames=["box2"]
        ),
    )
    assert out.apart("edr:p:1", "edr:p:2")
    assert out.suppressed("edr:p:1") == {"TOBEFILLEDBYO.E.M."}


SERIALS = [
    " default string",
    "SYSTEM SERIAL NUMBER",
    "n/a",
    "None",
    "0",
    "xxxxxxxxxxx",
    "0000000000",
    "1111111",
    "101010",
    "Not Specified",
    "INVALID",
    "empty",
    "null",
    "eval",
    "OEM_Serial",
    "0123456789",
    "12345678",
    "nnnnnnn",
    "SYS-1234567890",
    "MB-1234567890",
    "SN-1234567890",
    "AB",
    "NOT APPLICABLE",
    "unknown",
    "........",
]


def test_t02_t03_placeholder_serials_are_dropped() -> None:
    rows = []
    for number, serial in enumerate(SERIALS):
        rows.append(seen(f"edr:p:{number}", serial_number=serial, agent_ids={"aid": f"a{number:02}" * 10}))
        rows.append(seen(f"cmdb:p:{number}", serial_number=serial, fqdns=[f"pc{number}.corp.example"]))
    out = devices(*rows)
    assert out.apart(*(row["record"] for row in rows))
    assert [row["record"] for row in rows if not out.suppressed(row["record"])] == []


def test_t04_board_uuid_of_forty_pcs_is_dropped_and_serials_still_join() -> None:
    uuid = "03000200-0400-0500-0006-000700080009"
    fleet = [seen(f"edr:p:{i}", serial_number=f"REAL{i:04}", smbios_uuid=uuid) for i in range(40)]
    cmdb = [seen(f"cmdb:p:{i}", serial_number=f"real{i:04}", smbios_uuid=uuid) for i in range(40)]
    out = devices(*fleet, *cmdb)
    assert out.apart(*(f"edr:p:{i}" for i in range(40)))
    assert all(out.together(f"edr:p:{i}", f"cmdb:p:{i}") for i in range(40))
    assert uuid in out.suppressed("edr:p:3") or out.suppressed("edr:p:3")


UUIDS = [
    ZERO,
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
    "00020003-0004-0005-0006-000700080009",
    "c4c4c4c4-c4c4-c4c4-c4c4-c4c4c4c4c4c4",
    "80808080-8080-8080-8080-808080808080",
    "00000000-0000-0000-ffff-ffffffffffff",
    "ffffffff-ffff-ffff-ffff-000000000000",
    "04030201-0605-0807-090a-0b0c0d0e0f10",
    "AABBCCDD-EEFF-0011-2233-445566778899",
    "4C4C4544-0000-1010-8010-C4C04F313233",
]


def test_t05_uuids_of_one_byte_or_the_other_order_are_dropped() -> None:
    rows = []
    for number, uuid in enumerate(UUIDS):
        rows.append(seen(f"edr:p:{number}", smbios_uuid=uuid, agent_ids={"aid": f"a{number:02}" * 10}))
        rows.append(seen(f"scan:p:{number}", smbios_uuid=uuid, agent_ids={"tenable": f"b{number:02}" * 10}))
    assert devices(*rows).apart(*(row["record"] for row in rows))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("1234567", "Dell"), ("PF1234567", "Lenovo")),
        (("1234567", "Dell"), ("1234567", "Lenovo")),
        (("8XK21Z3", "Dell Inc."), ("8XK21Z3", "LENOVO")),
    ],
)
def test_t06_equal_serials_of_two_makers_stay_apart(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert devices(
        seen("edr:p:1", serial_number=one[0], manufacturer=one[1]),
        seen("cmdb:p:2", serial_number=other[0], manufacturer=other[1]),
    ).apart("edr:p:1", "cmdb:p:2")


def test_t06_one_maker_under_several_names_or_unknown_joins() -> None:
    others = [None, "Dell", "DELL INC", "Dell EMC", "To be filled by O.E.M."]
    rows = []
    for number, other in enumerate(others):
        rows.append(seen(f"edr:p:{number}", serial_number=f"8XK21Z{number}", manufacturer="Dell Inc."))
        rows.append(seen(f"cmdb:p:{number}", serial_number=f"8XK21Z{number}", manufacturer=other))
    out = devices(*rows)
    assert [other for n, other in enumerate(others) if not out.together(f"edr:p:{n}", f"cmdb:p:{n}")] == []


def test_t06_a_row_without_maker_bridges_no_two_makers() -> None:
    out = devices(
        seen("edr:p:1", serial_number="8XK21Z3", manufacturer="Dell"),
        seen("edr:p:2", serial_number="8XK21Z3", manufacturer="Lenovo"),
        seen("cmdb:p:3", serial_number="8XK21Z3"),
    )
    assert out.apart("edr:p:1", "edr:p:2", "cmdb:p:3")
    assert out.review("cmdb:p:3") == {"edr:p:1", "edr:p:2"}


def test_t08_zero_entra_id_on_300_rows_joins_nothing() -> None:
    out = devices(*(seen(f"mde:p:{i}", entra_device_id=ZERO, agent_ids={"mde": f"{i:040x}"}) for i in range(1, 301)))
    assert len(out.groups()) == 300
    assert out.suppressed("mde:p:1") == {ZERO}


def test_t09_serials_differing_in_case_and_spaces_join() -> None:
    assert devices(seen("edr:p:1", serial_number="5cg 1234abc"), seen("cmdb:p:2", serial_number="5CG1234ABC")).together(
        "edr:p:1", "cmdb:p:2"
    )
