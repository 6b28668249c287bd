"""Where things are planted: devices come in blocks of 200 with the same mix, scrambled inside each block.

The position of a device in its block fixes its kind and its quirks; machines that share a quirk (one dock, one chassis)
have positions of one block, so every one of them is found by arithmetic, without a table of the estate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from demo_estate.entities import DeviceKind

if TYPE_CHECKING:
    from demo_estate.truth import Truth

BLOCK = 200
PEOPLE_PER_BLOCK = 110
APPLICATIONS_PER_BLOCK = 4
_STRIDE, _INVERSE = 73, 137  # 73 * 137 = 1 modulo 200

_MIX: tuple[tuple[DeviceKind, int], ...] = (
    ("laptop", 80),
    ("desktop", 20),
    ("mobile", 12),
    ("server", 10),
    ("virtual_machine", 28),
    ("cloud_vm", 24),
    ("domain_controller", 1),
    ("printer", 7),
    ("network_device", 7),
    ("iot", 7),
    ("ot", 4),
)
KINDS: tuple[DeviceKind, ...] = tuple(kind for kind, count in _MIX for _ in range(count))
SERVERS = range(112, 174)
CLOUD = range(150, 174)
DOMAIN_CONTROLLER = 174

#: Machines that share one occurrence of a quirk. For reused_name and replaced_instance: the old one, then the new one.
GROUPS: dict[str, tuple[tuple[int, ...], ...]] = {
    "shared_dock_mac": ((0, 1, 2, 25),),
    "reused_name": ((7, 8), (26, 27)),
    "shared_chassis_serial": ((112, 113),),
    "golden_image_agent": ((122, 123, 124),),
    "cloned_mac": ((125, 126, 127),),
    "ambiguous_short_name": ((128, 129),),
    "replaced_instance": ((150, 151), (158, 159)),
    "shared_ha_mac": ((182, 183),),
}
_SINGLE: dict[str, tuple[int, ...]] = {
    "placeholder_serial": (3, 19, 80, 81),
    "missing_serial": (4, 25, 120, 137),
    "placeholder_uuid": (20, 80, 82),
    "vmware_serial": (122, 123, 124, *range(128, 137), *range(138, 150), DOMAIN_CONTROLLER),
    "byte_swapped_uuid": (6, 32, 33, 34, 35, 36, 115, 116, 117, 130, 132, 133, 134, 135, 136, 138),
    "virtual_adapter_mac": (17, 37, 38, 39, 142, 143),
    "nic_swapped": (14, 121),
    "rebuilt_host": (5, 22, 24, 118, 135),
    "renamed_host": (6, 23, 24, 121),
    "stale_ci": (9, 84, 134),
    "retired_ci": (10, 133),
    "duplicate_ci": (11, 117, 136),
    "name_only_ci": (40, 83, 118, 137),
    "zero_entra_device_id": (12, 21, 41),
    "private_ip_reuse": (82, 85, 175, 176, 177, 189, 190, 191, 192, 196, 197),
    "generic_name": (100, 101, 102, 130, 152, 175, 193),
    "ip_only_scan": (114, 131, 154, 178),
    "criticality_disagrees": (13, 42, 114, 155),
}
RENAMES = frozenset(_SINGLE["renamed_host"])
REBUILDS = frozenset(_SINGLE["rebuilt_host"])
NIC_SWAPS = frozenset(_SINGLE["nic_swapped"])
#: Positions whose event falls into the timeline when it has several days; the others had it before.
LATE = frozenset((22, 23, 26, 27, 121, 135, 158, 159))
ARRIVALS = frozenset((30, 90, 140))
DEPARTURES = frozenset((31, 91, 141))
#: Open to the internet, with an unpatched weakness that is being exploited.
INTERNET_FACING = frozenset((119, 156, 160, 162))
MANAGED_IDENTITIES = frozenset((160, 161, 168, 169))
#: Owned by people with privileged roles, and badly patched.
RISKY_LAPTOPS = frozenset((43, 44))
#: Laptops whose owner is a local administrator, and machines on which a global administrator is logged on.
LOCAL_ADMIN_OWNERS = frozenset((43, 44, 45, 46, 47, 48, 86, 87))
ADMIN_SESSIONS = frozenset((44, 112, 160))

PARTNERS: dict[int, tuple[str, tuple[int, ...]]] = {
    position: (quirk, group) for quirk, groups in GROUPS.items() for group in groups for position in group
}
QUIRKS: tuple[frozenset[str], ...] = tuple(
    frozenset(
        {name for name, places in _SINGLE.items() if position in places}
        | {name for name, groups in GROUPS.items() if any(position in group for group in groups)}
    )
    for position in range(BLOCK)
)
#: Positions that are not simply there on every day.
EVENTFUL = ARRIVALS | DEPARTURES | {p for q in ("reused_name", "replaced_instance") for g in GROUPS[q] for p in g}


def block_offset(seed: int, block: int) -> int:
    return ((block * 2654435761 + seed * 40503 + 12345) >> 7) % BLOCK


def place(truth: Truth, index: int) -> tuple[int, int]:
    """(block, position in the block) of a device."""
    block, rest = divmod(index, BLOCK)
    return block, (rest * _STRIDE + block_offset(truth.seed, block)) % BLOCK


def index_at(truth: Truth, block: int, position: int) -> int | None:
    """The device at a position; None where the last block is not full."""
    index = block * BLOCK + (position - block_offset(truth.seed, block)) * _INVERSE % BLOCK
    return index if index < truth.device_count else None


def block_count(truth: Truth) -> int:
    return -(-truth.device_count // BLOCK)
