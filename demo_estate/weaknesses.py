"""Installed software and open weaknesses of a device, from its index and the day."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from demo_estate import devices, layout
from demo_estate.catalogue import PORTS, Catalogue
from demo_estate.entities import Finding, Installed
from demo_estate.hashing import digest

if TYPE_CHECKING:
    from demo_estate.truth import Truth

#: A fixed weakness stays listed for this many days.
FIXED_DAYS = 90
_NEWEST = 3


class _History(NamedTuple):
    """A software on a device over time: `old` version index until `patch_day` (None: never patched), then the newest."""

    software: int
    old: int
    patch_day: int | None
    installed_day: int


def software(truth: Truth, index: int, day: int) -> tuple[Installed, ...]:
    catalogue = truth.catalogue
    found = []
    for history in _histories(truth, index):
        product = catalogue.software[history.software]
        patched = history.patch_day is not None and history.patch_day <= day
        version = _NEWEST if patched else history.old
        path = (
            f"C:\\Program Files\\{product.title}"
            if product.platform in ("windows", "any") and not product.is_os
            else None
        )
        found.append(Installed(product.index, product.versions[version], version, path, history.installed_day))
    return tuple(found)


def findings(truth: Truth, index: int, day: int) -> tuple[Finding, ...]:
    catalogue = truth.catalogue
    found = []
    for history in _histories(truth, index):
        if history.old == _NEWEST:
            continue
        fixed_day = history.patch_day
        if fixed_day is not None and fixed_day < day - FIXED_DAYS:
            continue
        is_open = fixed_day is None or fixed_day > day
        product = catalogue.software[history.software]
        for cve in catalogue.of_software[product.index]:
            first = max(cve.published_day, history.installed_day)
            if cve.fixed_in > history.old and first <= day and (fixed_day is None or first < fixed_day):
                found.append(
                    Finding(
                        id=f"{index}-{cve.index}",
                        device=index,
                        cve=cve.index,
                        software=product.index,
                        version=product.versions[history.old],
                        first_day=first,
                        fixed_day=fixed_day if not is_open else None,
                        is_open=is_open,
                        port=PORTS.get(product.name, 0),
                        protocol="tcp",
                    )
                )
    return tuple(found)


def _histories(truth: Truth, index: int) -> Iterator[_History]:
    block, position = layout.place(truth, index)
    first_day, _ = devices.lifespan(truth, index, block, position)
    kind = layout.KINDS[position]
    always, choice = _profile(truth.catalogue, kind, devices.platform(truth, index))
    bits = digest(truth.seed, "software", index)
    neglected = position in layout.INTERNET_FACING or position in layout.RISKY_LAPTOPS
    for slot, product in enumerate((*always, *choice)):
        roll = int(bits[slot * 4 : slot * 4 + 4], 16)
        if slot >= len(always) and roll % 100 >= 45 and not neglected:
            continue
        patch_day: int | None = roll // 7 % (truth.days + 240) - 120
        old = roll // 5 % 4
        if neglected:
            patch_day, old = None, 0
        yield _History(product, old, patch_day, max(first_day, -400 + roll % 200))


@lru_cache(maxsize=256)
def _profile(catalogue: Catalogue, kind: str, platform: str | None) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """(software on every such machine, software on some). At most 32 together: each has its 4 digits of the digest."""
    places = catalogue.platforms

    def of(*words: str) -> tuple[int, ...]:
        return tuple(i for word in words for i in places.get(word, ()))

    if platform is None:
        return (), of(kind)
    system = of(platform)
    if kind in ("laptop", "desktop"):
        extra = (
            of("any-client", "windows", "any-computer")
            if platform.startswith("Windows")
            else of("any-client", "any-computer")
        )
        return system, extra
    if kind == "mobile":
        return (), ()
    extra = of("windows-server", "any-computer") if platform.startswith("Windows") else of("linux", "any-computer")
    return system, (*extra, *of("any-server"))
