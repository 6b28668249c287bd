"""What a served record lets anybody prove about the machine it describes.

Some records of one machine share nothing that identifies it: a configuration item with a bare name, a directory entry
beside a scan. That they are one machine is true and cannot be known from what is served; whoever joined them would join
other machines by the same reasoning. The answer key therefore asks only for pairs that a chain of shared evidence
connects, and says how many true pairs lie beyond it. Read from the served values, never from a resolver.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

from demo_estate.quirks import (
    CLONED_MAC,
    GENERIC_NAMES,
    HA_MAC,
    PLACEHOLDER_SERIALS,
    PLACEHOLDER_UUID,
    VIRTUAL_ADAPTER_MACS,
    ZERO_GUID,
    swap_uuid_bytes,
)

NOT_A_MACHINE = frozenset(
    mac.replace(":", "") for mac in (CLONED_MAC, HA_MAC, *VIRTUAL_ADAPTER_MACS, "00:00:00:00:00:00")
)
NO_SERIAL = frozenset(serial.lower() for serial in PLACEHOLDER_SERIALS)
NO_NAME = frozenset(name.lower() for names in GENERIC_NAMES.values() for name in names)


def machine_evidence(
    *,
    serial: str | None = None,
    uuid: str | None = None,
    macs: Iterable[str | None] = (),
    names: Iterable[str | None] = (),
    domain: str | None = None,
    ids: Iterable[str | None] = (),
) -> frozenset[str]:
    """Items of evidence in a record; two records of a machine that share one can be known to be one.

    A serial number, an SMBIOS UUID in either byte order, a directory or cloud id, a full name, a name in its domain, a MAC
    together with a name or with another MAC. A short name alone and an IP address are no evidence.
    """
    found: set[str] = set()
    if serial and serial.lower().startswith("vmware-"):
        uuid, serial = uuid_of(serial), None
    if serial and serial.lower() not in NO_SERIAL:
        found.add(f"serial {serial.lower()}")
    if uuid and uuid.lower() != PLACEHOLDER_UUID:
        found.add(f"uuid {min(uuid.lower(), swap_uuid_bytes(uuid.lower()))}")
    cards = sorted({bare for mac in macs if mac and (bare := digits(mac)) not in NOT_A_MACHINE})
    spelled = {name.lower() for name in names if name}
    hosts = sorted({name.split(".")[0][:15] for name in spelled} - NO_NAME)
    found.update(f"mac {mac} of {host}" for mac in cards for host in hosts)
    found.update(f"macs {one} {other}" for one, other in combinations(cards, 2))
    found.update(f"name {name}" for name in spelled if "." in name)
    if domain and "." in domain:
        found.update(f"name {name}.{domain.lower()}" for name in spelled - NO_NAME if "." not in name)
    found.update(f"id {value.lower()}" for value in ids if value and value != ZERO_GUID)
    return frozenset(found)


def digits(mac: str) -> str:
    return "".join(letter for letter in mac.lower() if letter in "0123456789abcdef")


def uuid_of(serial: str) -> str:
    """The UUID in a guest's serial number, 'VMware-42 02 30 81 ...'."""
    text = digits(serial[len("VMware-") :])
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
