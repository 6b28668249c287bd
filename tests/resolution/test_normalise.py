"""Every spelling of one identifier has one normal form."""

from __future__ import annotations

import base64
import uuid

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbt_like_transforms.resolution import normalise

DATABASE = duckdb.connect()
normalise.install(DATABASE)


def normalised(macro: str, values: list[str | None]) -> list[str | None]:
    return normalise.normalised(macro, values, DATABASE)


hex_digits = st.text("0123456789abcdef", min_size=12, max_size=12)
uuids = st.uuids().filter(lambda value: value.int not in (0, 2**128 - 1))


def pairs(digits: str, separator: str) -> str:
    return separator.join(digits[i : i + 2] for i in range(0, len(digits), 2))


@settings(max_examples=20, deadline=None)
@given(st.lists(hex_digits, min_size=1, max_size=50))
def test_mac_spellings(macs: list[str]) -> None:
    wanted = macs
    for spell in (
        str,
        str.upper,
        lambda m: pairs(m, ":").upper(),
        lambda m: pairs(m, "-"),
        lambda m: pairs(m, " "),
        lambda m: ".".join((m[:4], m[4:8], m[8:])),
        lambda m: f" {m[:6]}-{m[6:]}\0",
        lambda m: ":".join(part.lstrip("0") or "0" for part in pairs(m, ":").split(":")),
    ):
        assert normalised("n_mac", [spell(mac) for mac in macs]) == wanted


@settings(max_examples=20, deadline=None)
@given(st.lists(uuids, min_size=1, max_size=50))
def test_uuid_byte_orders_and_hypervisor_serials(values: list[uuid.UUID]) -> None:
    straight = normalised("n_uuid", [str(value) for value in values])
    swapped = [uuid.UUID(bytes_le=value.bytes) for value in values]
    assert normalised("n_uuid", [f"{{{value}}}".upper() for value in swapped]) == straight
    assert normalised("n_uuid", [value.hex for value in swapped]) == straight
    for maker in ("VMware", "VirtualBox", "Parallels"):
        serials = [f"{maker}-{pairs(value.hex[:16], ' ')}-{pairs(value.hex[16:], ' ')}" for value in values]
        assert normalised("n_serial_uuid", serials) == straight
        assert normalised("n_serial", serials) == [None] * len(values)


@settings(max_examples=20, deadline=None)
@given(st.lists(uuids, min_size=1, max_size=50))
def test_immutable_id_is_the_object_guid(values: list[uuid.UUID]) -> None:
    encoded = [base64.b64encode(value.bytes_le).decode() for value in values]
    assert normalised("n_base64_guid", encoded) == [value.hex for value in values]
    assert normalised("n_directory_guid", [str(value).upper() for value in values]) == [value.hex for value in values]


@pytest.mark.parametrize(
    "spelling",
    ["CORP\\WEB01$", "web01.corp.local.", "WEB01", " web01 ", "WEB01$@CORP.LOCAL", "host/web01.corp.local", "Web01\0"],
)
def test_host_names(spelling: str) -> None:
    assert normalised("n_host", normalised("n_name", [spelling])) == ["web01"]


@pytest.mark.parametrize("address", ["10.1.2.3", "::1", "2001:db8::5", "fe80::1%eth0", ""])
def test_addresses_are_no_names(address: str) -> None:
    assert normalised("n_name", [address]) == [None]


@pytest.mark.parametrize(
    ("macro", "given_value", "wanted"),
    [
        ("n_guid", "00000000-0000-0000-0000-000000000000", None),
        ("n_guid", "{8F2D1C34-5A6B-4C7D-9E8F-001122334455}", "8f2d1c345a6b4c7d9e8f001122334455"),
        ("n_guid", "not a guid", None),
        ("n_sid", "S-1-5-21-1-2-3-1001", "s-1-5-21-1-2-3-1001"),
        ("n_sid", "S-1-5-18", None),
        ("n_cloud_id", "/subscriptions/A/resourceGroups/B/", "/subscriptions/a/resourcegroups/b"),
        ("n_cloud_id", "aws:///eu-west-1a/i-0ABC", "i-0abc"),
        ("n_cloud_account_of", "arn:aws:ec2:eu-west-1:111111111111:instance/i-0abc", "111111111111"),
        ("n_imei", "49-015420-323751-8", "49015420323751"),
        ("n_imei", "4901542032375186", "49015420323751"),
        ("n_imei", "12", None),
        ("n_serial", "S/N: 5cg 1234abc", "5CG1234ABC"),
        ("n_guest_home", "first_last_partner.com#EXT#@t.onmicrosoft.com", "first_last@partner.com"),
        ("n_guest_home", "bob@partner.com", None),
        ("n_address", "SMTP:J.Smith@CORP.com", "j.smith@corp.com"),
        ("n_base64_guid", "!!!not base64 at all!!==", None),
        ("n_ip", "FE80::1%12", "fe80::1"),
        ("n_mac", "gg:hh:ii:jj:kk:ll", None),
        ("n_mac", "aabbccddeeff00", None),
    ],
)
def test_forms(macro: str, given_value: str, wanted: str | None) -> None:
    assert normalised(macro, [given_value]) == [wanted]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(), min_size=1, max_size=20))
def test_no_text_whatsoever_is_an_error(texts: list[str]) -> None:
    clean = [text.encode("utf-8", "ignore").decode() for text in texts]
    for macro in ("n_mac", "n_uuid", "n_serial", "n_serial_uuid", "n_name", "n_host", "n_dns", "n_sid", "n_imei",
                  "n_cloud_id", "n_directory_guid", "n_address", "n_guest_home", "n_ip", "n_url"):  # fmt: skip
        once = normalised(macro, clean)
        assert len(once) == len(clean)
        if macro in ("n_mac", "n_uuid", "n_serial", "n_sid", "n_address", "n_ip"):
            assert [n for n in normalised(macro, once) if n is not None] == [n for n in once if n is not None]
