"""The catalogue of planted disagreements: why products do not agree about one machine or account.

`where` says who acts it out: 'truth' quirks are in the device itself (every product sees them), 'lens' quirks are for
the lenses to play. A lens puts the names it acted on into the answer key as tags, so that a wrong merge or split can be
traced to its cause. The helper functions below spell values the way products do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Quirk:
    """One named disagreement. `share` is the approximate part of all devices (or of all people) it applies to."""

    name: str
    description: str
    where: Literal["truth", "lens"]
    kinds: tuple[str, ...]
    share: float


_ANY_COMPUTER = ("laptop", "desktop", "server", "virtual_machine", "cloud_vm", "domain_controller")
_IN_CMDB = ("laptop", "desktop", "server", "virtual_machine")

DEVICE_QUIRKS: tuple[Quirk, ...] = (
    Quirk(
        "short_name",
        "One product knows the host by its short name, the others by its FQDN.",
        "lens",
        _ANY_COMPUTER,
        0.3,
    ),
    Quirk("mac_spelling", "Products spell the MAC as AA:BB, aa-bb, aabb.ccdd or bare hex.", "lens", _ANY_COMPUTER, 0.4),
    Quirk(
        "missing_serial",
        "The firmware answers with no serial number at all.",
        "truth",
        ("laptop", "server", "virtual_machine"),
        0.015,
    ),
    Quirk(
        "placeholder_serial",
        "The maker left a placeholder such as 'To be filled by O.E.M.' as serial number.",
        "truth",
        ("laptop", "desktop"),
        0.02,
    ),
    Quirk(
        "placeholder_uuid",
        "The board carries an SMBIOS UUID that thousands of other boards carry too.",
        "truth",
        ("laptop", "desktop"),
        0.015,
    ),
    Quirk(
        "vmware_serial",
        "The guest's serial number is its SMBIOS UUID in the 'VMware-42 02 ..' spelling.",
        "truth",
        ("virtual_machine", "domain_controller"),
        0.12,
    ),
    Quirk(
        "byte_swapped_uuid",
        "Some tools report the SMBIOS UUID with the bytes of the first three groups swapped.",
        "lens",
        ("laptop", "server", "virtual_machine"),
        0.08,
    ),
    Quirk(
        "shared_dock_mac",
        "Several laptops report the MAC of the one docking station they take turns at.",
        "truth",
        ("laptop",),
        0.02,
    ),
    Quirk(
        "cloned_mac",
        "Copied VirtualBox machines all carry the MAC of the original.",
        "truth",
        ("virtual_machine",),
        0.015,
    ),
    Quirk(
        "virtual_adapter_mac",
        "A host-side virtual adapter has the MAC that it has on every such host.",
        "truth",
        ("laptop", "virtual_machine"),
        0.03,
    ),
    Quirk(
        "shared_ha_mac",
        "Both members of a firewall pair show the pair's virtual MAC and address.",
        "truth",
        ("network_device",),
        0.01,
    ),
    Quirk(
        "nic_swapped",
        "The network card was replaced; slow products still list the old MAC.",
        "truth",
        ("laptop", "server"),
        0.01,
    ),
    Quirk(
        "golden_image_agent",
        "An image was cloned with the agent in it, so all copies report one agent id.",
        "lens",
        ("virtual_machine",),
        0.015,
    ),
    Quirk(
        "rebuilt_host",
        "The machine was reinstalled: agent products hold an old and a new record for it.",
        "truth",
        ("laptop", "virtual_machine", "server"),
        0.02,
    ),
    Quirk(
        "renamed_host",
        "The machine was renamed; slow products still hold the old name.",
        "truth",
        ("laptop", "server"),
        0.015,
    ),
    Quirk(
        "reused_name",
        "A later machine got the name of one that is gone, which products still list.",
        "truth",
        ("laptop",),
        0.01,
    ),
    Quirk(
        "replaced_instance",
        "A cloud machine was replaced by one with the same name and private address.",
        "truth",
        ("cloud_vm",),
        0.01,
    ),
    Quirk(
        "stale_ci",
        "The CMDB has not heard of the machine for 120 days and more and still calls it Installed.",
        "lens",
        _IN_CMDB,
        0.015,
    ),
    Quirk(
        "retired_ci", "The CMDB calls the machine Retired while its EDR agent checked in today.", "lens", _IN_CMDB, 0.01
    ),
    Quirk(
        "duplicate_ci",
        "The CMDB holds the machine twice; the second row points at the first by duplicate_of.",
        "lens",
        _IN_CMDB,
        0.015,
    ),
    Quirk("name_only_ci", "The CMDB row has a name and no other identifier.", "lens", _IN_CMDB, 0.02),
    Quirk("zero_entra_device_id", "Defender reports the all-zero GUID as Entra device id.", "lens", ("laptop",), 0.015),
    Quirk(
        "private_ip_reuse",
        "The same 192.168 address exists at several sites.",
        "truth",
        ("desktop", "printer", "iot", "ot"),
        0.06,
    ),
    Quirk(
        "generic_name",
        "The device calls itself localhost, ubuntu, iPhone or HP LaserJet, as many others do.",
        "lens",
        ("mobile", "virtual_machine", "cloud_vm", "printer", "iot"),
        0.03,
    ),
    Quirk(
        "ip_only_scan",
        "The scanner could not log in and knows nothing but the address.",
        "lens",
        ("virtual_machine", "cloud_vm", "printer", "server"),
        0.02,
    ),
    Quirk(
        "ambiguous_short_name",
        "The short name the scanner holds exists in two domains.",
        "truth",
        ("virtual_machine",),
        0.01,
    ),
    Quirk(
        "shared_chassis_serial",
        "Two blades report the serial number of the chassis they sit in.",
        "truth",
        ("server",),
        0.01,
    ),
    Quirk(
        "criticality_disagrees",
        "The CMDB's criticality contradicts what the machine really is.",
        "lens",
        ("laptop", "server", "cloud_vm"),
        0.02,
    ),
)

ACCOUNT_QUIRKS: tuple[Quirk, ...] = (
    Quirk("same_name", "Two different people have the same display name.", "truth", ("person",), 0.02),
    Quirk(
        "renamed_upn",
        "The user principal name changed (marriage, rebranding); some products hold the old one.",
        "truth",
        ("person",),
        0.02,
    ),
    Quirk("mail_differs", "The mail address differs from the user principal name.", "truth", ("person",), 0.2),
    Quirk("name_case", "Products spell the login in different cases.", "lens", ("person",), 0.2),
    Quirk("sid_history", "The account moved from another domain and carries its old SID.", "truth", ("person",), 0.02),
    Quirk("cloud_only", "The account lives in Entra alone and has no SID.", "truth", ("person",), 0.02),
    Quirk(
        "stale_account",
        "The person left; one product disabled the account, another did not.",
        "lens",
        ("person",),
        0.02,
    ),
    Quirk("admin_pair", "The person has a second account for administration (a-jsmith).", "truth", ("admin",), 1.0),
    Quirk("guest_account", "An outside person's account, named local_domain#EXT#@tenant.", "truth", ("guest",), 1.0),
    Quirk(
        "same_sam",
        "The same logon name exists in two domains (CORP\\svc_sql and DEV\\svc_sql).",
        "truth",
        ("service_account",),
        0.5,
    ),
)

BY_NAME: dict[str, Quirk] = {quirk.name: quirk for quirk in (*DEVICE_QUIRKS, *ACCOUNT_QUIRKS)}

ZERO_GUID = "00000000-0000-0000-0000-000000000000"
PLACEHOLDER_SERIALS = ("To be filled by O.E.M.", "Default string", "System Serial Number", "0123456789", "None", "0")
PLACEHOLDER_UUID = "03000200-0400-0500-0006-000700080009"
CLONED_MAC = "08:00:27:51:56:d8"
VIRTUAL_ADAPTER_MACS = ("00:50:56:c0:00:08", "02:42:ac:11:00:02", "0a:00:27:00:00:00")
HA_MAC = "00:00:5e:00:01:0a"
GENERIC_NAMES = {
    "mobile": ("iPhone", "iPad", "android-device"),
    "virtual_machine": ("localhost", "ubuntu"),
    "cloud_vm": ("ubuntu", "localhost"),
    "printer": ("HP LaserJet", "Printer"),
    "iot": ("raspberrypi", "camera"),
}

MacStyle = Literal["colon", "COLON", "dash", "DASH", "dot", "bare", "BARE"]


def spell_mac(mac: str, style: MacStyle) -> str:
    """'aa:bb:cc:dd:ee:ff' the way a product writes it; an upper-case style name gives upper-case digits."""
    digits = mac.replace(":", "")
    if style.isupper():
        digits = digits.upper()
    match style.lower():
        case "bare":
            return digits
        case "dot":
            return ".".join(digits[i : i + 4] for i in (0, 4, 8))
        case "dash":
            return "-".join(digits[i : i + 2] for i in range(0, 12, 2))
        case _:
            return ":".join(digits[i : i + 2] for i in range(0, 12, 2))


def swap_uuid_bytes(uuid: str) -> str:
    """The other byte order of the first three groups: 564d4cbc-c6a9-1969-.. <-> bc4c4d56-a9c6-6919-.."""
    a, b, c, rest = uuid[0:8], uuid[9:13], uuid[14:18], uuid[18:]
    return f"{a[6:8]}{a[4:6]}{a[2:4]}{a[0:2]}-{b[2:4]}{b[0:2]}-{c[2:4]}{c[0:2]}{rest}"


def vmware_serial(uuid: str) -> str:
    """The serial number a VMware guest shows: 'VMware-42 02 30 81 33 1b 58 e1-27 30 ca 56 07 89 e5 51'."""
    digits = uuid.replace("-", "")
    pairs = [digits[i : i + 2] for i in range(0, 32, 2)]
    return f"VMware-{' '.join(pairs[:8])}-{' '.join(pairs[8:])}"


def generic_name(kind: str, index: int) -> str:
    """What a device with the quirk `generic_name` calls itself."""
    names = GENERIC_NAMES.get(kind, ("localhost",))
    return names[index % len(names)]
