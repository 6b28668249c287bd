"""Every spelling of one identifier has one normal form."""

from __future__ import annotations

import base64
import struct
import uuid
from datetime import datetime

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dbt_like_transforms.resolution.forms import normalise

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
    assert normalised("n_guid", [str(value).upper() for value in values]) == [value.hex for value in values]


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
@example(["\u0339 \u0334"])
@given(st.lists(st.text(), min_size=1, max_size=20))
def test_no_text_whatsoever_is_an_error(texts: list[str]) -> None:
    clean = [text.encode("utf-8", "ignore").decode() for text in texts]
    for macro in ("n_mac", "n_uuid", "n_serial", "n_serial_uuid", "n_name", "n_host", "n_dns", "n_sid", "n_imei",
                  "n_cloud_id", "n_guid", "n_base64_guid", "n_address", "n_guest_home", "n_ip", "n_url"):  # fmt: skip
        once = normalised(macro, clean)
        assert len(once) == len(clean)
        if macro in ("n_mac", "n_uuid", "n_serial", "n_sid", "n_address", "n_ip"):
            assert [n for n in normalised(macro, once) if n is not None] == [n for n in once if n is not None]


@settings(max_examples=20, deadline=None)
@given(st.lists(uuids, min_size=1, max_size=50))
def test_cloud_sid_is_the_object_id(values: list[uuid.UUID]) -> None:
    sids = ["S-1-12-1-" + "-".join(map(str, struct.unpack("<4I", value.bytes_le))) for value in values]
    assert normalised("n_sid_object", sids) == [value.hex for value in values]
    assert normalised("n_sid", sids) == [sid.lower() for sid in sids]


names = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,25}[a-z0-9])?", fullmatch=True)
domains = st.from_regex(r"[a-z][a-z0-9]{0,10}(\.[a-z]{2,6}){1,3}", fullmatch=True)


@settings(max_examples=30, deadline=None)
@given(names, domains)
def test_names_and_domains_in_all_spellings(host: str, domain: str) -> None:
    short = domain.split(".")[0]
    spelled = [
        f"{host}.{domain}", f"{host}.{domain}.".upper(), f" {host}.{domain} ", f"host/{host}.{domain}",
        f"{host.upper()}$@{domain.upper()}", f"CIFS/{host}.{domain}",
    ]  # fmt: skip
    forms = normalised("n_name", spelled)
    assert normalised("n_host", forms) == [host] * len(spelled)
    assert normalised("n_dns", forms) == [domain] * len(spelled)
    logons = normalised("n_name", [f"{short}\\{host}$", f"{short.upper()}\\{host.upper()}"])
    assert normalised("n_host", logons) == [host] * 2
    assert normalised("n_netbios_domain", logons) == [short] * 2


@settings(max_examples=30, deadline=None)
@given(names, names)
def test_netbios_names_are_the_first_fifteen_characters(one: str, other: str) -> None:
    cut = normalised("n_short", [one, one[:15], other])
    assert cut[0] == cut[1]
    assert (cut[0] == cut[2]) is (one[:15] == other[:15])


sid_numbers = st.lists(st.integers(1, 2**32 - 1), min_size=3, max_size=3)


@settings(max_examples=20, deadline=None)
@given(sid_numbers, st.integers(500, 2**31))
def test_sids_compare_without_case_and_well_known_ones_are_nobody(parts: list[int], rid: int) -> None:
    sid = "S-1-5-21-" + "-".join(map(str, [*parts, rid]))
    assert normalised("n_sid", [sid, f" {sid.lower()}\0"]) == [sid.lower()] * 2
    assert normalised("n_sid", [f"S-1-5-32-{rid}", f"S-1-5-21-0-0-0-{rid}", "S-1-1-0", sid + "x"]) == [None] * 4


resource_names = st.from_regex(r"[a-zA-Z][a-zA-Z0-9_-]{0,20}[a-zA-Z0-9]", fullmatch=True)


@settings(max_examples=20, deadline=None)
@given(uuids, resource_names, resource_names)
def test_arm_ids_in_every_case(subscription: uuid.UUID, group: str, name: str) -> None:
    arm = f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines/{name}"
    spelled = [arm, arm.upper(), arm + "/", f"azure://{arm}", f" {arm}"]
    assert normalised("n_cloud_id", spelled) == [arm.lower()] * len(spelled)


@settings(max_examples=20, deadline=None)
@given(st.from_regex(r"i-[0-9a-f]{17}", fullmatch=True), st.from_regex(r"[0-9]{12}", fullmatch=True))
def test_ec2_ids_in_every_wrapping(instance: str, account: str) -> None:
    arn = f"arn:aws:ec2:eu-west-1:{account}:instance/{instance}"
    spelled = [instance, instance.upper(), arn, f"aws:///eu-west-1a/{instance}"]
    assert normalised("n_cloud_id", spelled) == [instance] * len(spelled)
    assert normalised("n_cloud_account_of", [arn, instance]) == [account, None]
    assert normalised("n_cloud_account", [account, f"{account[:4]}-{account[4:8]}-{account[8:]}"]) == [account] * 2


projects = st.from_regex(r"[a-z][a-z0-9-]{4,20}[a-z0-9]", fullmatch=True)


@settings(max_examples=20, deadline=None)
@given(projects, projects, st.integers(10**17, 10**19))
def test_google_ids_by_number_and_by_name_in_a_project(project: str, name: str, number: int) -> None:
    path = f"projects/{project}/zones/europe-west1-b/instances/"
    links = ["https://www.googleapis.com/compute/v1/", "//compute.googleapis.com/", ""]
    assert normalised("n_cloud_id", [f"{link}{path}{number}" for link in links]) == [str(number)] * 3
    named = [*(f"{link}{path}{name}" for link in links), f"gce://{project}/europe-west1-b/{name}"]
    assert normalised("n_cloud_id", named) == [f"{path}{name}"] * 4


@settings(max_examples=20, deadline=None)
@given(st.from_regex(r"[1-9][0-9]{13}", fullmatch=True), st.integers(0, 9), st.integers(10, 99))
def test_imei_spellings(body: str, check: int, version: int) -> None:
    dashed = f"{body[:2]}-{body[2:8]}-{body[8:]}-{check}"
    assert normalised("n_imei", [body, f"{body}{check}", f"{body}{version}", dashed, f" {body} "]) == [body] * 5
    assert normalised("n_imei", [body[:13], f"{body}{version}1", f"x{body}"]) == [None] * 3


locals_ = st.from_regex(r"[a-z0-9][a-z0-9._+-]{0,15}[a-z0-9]", fullmatch=True)


@settings(max_examples=30, deadline=None)
@given(locals_, domains)
def test_upn_and_guest_forms(local: str, domain: str) -> None:
    address = f"{local}@{domain}"
    spelled = [address, address.upper(), f"SMTP:{address}", f"smtp:{address} ", f"{address}."]
    assert normalised("n_address", spelled) == [address] * 5
    guest = f"{local}_{domain}#EXT#@corp.onmicrosoft.com"
    assert normalised("n_guest_home", [guest, guest.upper(), address]) == [address, address, None]


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(["00000000-0000-0000-0000-000000000000", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF"]))
def test_guids_that_mean_nothing(value: str) -> None:
    for spelled in (value, value.lower(), value.replace("-", ""), f"{{{value}}}", f" {value} "):
        assert normalised("n_guid", [spelled]) == [None]
        assert normalised("n_guid", [spelled]) == normalised("n_base64_guid", [spelled]) == [None]


@settings(max_examples=20, deadline=None)
@given(st.datetimes(min_value=datetime(1, 1, 1), max_value=datetime(9999, 12, 31)))
def test_dates_before_computers_and_after_them_mean_nothing(moment: datetime) -> None:
    row = DATABASE.execute("SELECT n_time(?::TIMESTAMP)", [moment]).fetchone()
    assert row == ((moment if datetime(1970, 1, 2) < moment < datetime(2200, 1, 1) else None),)


@settings(max_examples=20, deadline=None)
@given(st.from_regex(r"[A-Z0-9]{5,15}", fullmatch=True).filter(lambda serial: serial[:2] not in ("1S", "SN")))
def test_serial_labels(serial: str) -> None:
    spelled = [serial, serial.lower(), f"S/N: {serial}", f"SN={serial}", f"S/N {serial}", f"Serial Number: {serial}",
               f"service tag:{serial}", f" {serial[:3]} {serial[3:]}\0"]  # fmt: skip
    assert normalised("n_serial", spelled) == [serial] * len(spelled)
    assert normalised("n_serial", [f"1S20XXS0AB00{serial[:5]}ABC"]) == [f"{serial[:5]}ABC"]
