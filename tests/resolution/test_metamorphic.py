"""What may change in the records of many small estates without any asset changing, T82 and the normal forms taken together.

Estates are drawn at random, each in scopes and values of its own, and hundreds are resolved in one run: so each of them also has
to fit in company.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import chain
from typing import Any

import pytest
from resolution_kit import devices, resolved, seen

ESTATES = 100
Estate = list[dict[str, Any]]


def _hex(dice: random.Random, digits: int) -> str:
    return f"{dice.getrandbits(4 * digits):0{digits}x}"


def _guid(dice: random.Random) -> str:
    return f"{_hex(dice, 8)}-{_hex(dice, 4)}-4{_hex(dice, 3)}-a{_hex(dice, 3)}-{_hex(dice, 12)}"


def estate(dice: random.Random, number: int) -> Estate:
    """Two to six records of which any two may share anything."""
    pool: dict[str, list[Any]] = {
        "serial_number": [f"5CG{dice.randrange(10**7):07}X" for _ in range(3)],
        "smbios_uuid": [_guid(dice) for _ in range(2)],
        "entra_device_id": [_guid(dice) for _ in range(2)],
        "ad_object_guid": [_guid(dice) for _ in range(2)],
        "mac_addresses": [f"3c7c3f{_hex(dice, 6)}" for _ in range(3)],
        "hostnames": [f"web{number}a", f"web{number}b", f"prod-payments{number}-01", f"prod-payments{number}-02"],
        "agent_ids": [_hex(dice, 32) for _ in range(2)],
    }
    pool["fqdns"] = [f"{name}.corp.example" for name in pool["hostnames"]]
    rows = []
    for place in range(dice.randrange(2, 7)):
        told: dict[str, Any] = {}
        for name, values in pool.items():
            if dice.random() < 0.4:
                told[name] = [dice.choice(values)] if name in LISTS else dice.choice(values)
        if "agent_ids" in told:
            told["agent_ids"] = {"aid": told["agent_ids"]}
        product = dice.choice(["edr", "cmdb", "mdm", "tenable"])
        first, last = sorted(dice.sample(range(1, 12), 2))
        if dice.random() < 0.5:
            told |= {"first_seen": f"2026-{first:02}-03T00:00:00Z", "last_seen": f"2026-{last:02}-20T00:00:00Z"}
        state = dice.choice(["active", "active", "active", "retired"])
        rows.append(seen(f"{product}:p:{number}-{place}", scope=f"site {number}", state=state, **told))
    return rows


LISTS = ("mac_addresses", "hostnames", "fqdns")


def _changed(rows: Estate, change: Callable[[str, str], str]) -> Estate:
    """The rows with every identifier changed: change(name, value)."""
    changed = []
    for row in rows:
        told = {}
        for name, value in row["identifiers"].items():
            if isinstance(value, dict):
                told[name] = {key: change(name, item) for key, item in value.items()}
            else:
                told[name] = [change(name, item) for item in value] if isinstance(value, list) else change(name, value)
        changed.append({**row, "identifiers": told})
    return changed


def _swapped(uuid: str) -> str:
    """The UUID in the byte order of the other half of all tools."""
    first, second, third, rest = uuid.split("-", 3)
    return "-".join(bytes.fromhex(part)[::-1].hex() for part in (first, second, third)) + f"-{rest}"


def in_other_spellings(dice: random.Random, rows: Estate) -> Estate:
    """Case, blanks, braces, dashes, byte order, dots."""

    def change(name: str, value: str) -> str:
        if name == "mac_addresses":
            between, size = dice.choice([("-", 2), (":", 2), (".", 4), ("", 2)])
            value = between.join(value[i : i + size] for i in range(0, 12, size))
        elif name == "smbios_uuid":
            value = dice.choice([value, _swapped(value), value.replace("-", ""), f"{{{value}}}"])
        elif name in ("entra_device_id", "ad_object_guid"):
            value = dice.choice([value, value.replace("-", ""), f"{{{value}}}"])
        elif name == "fqdns":
            value = dice.choice([value, f"{value}."])
        elif name == "serial_number":
            value = dice.choice([value, f" {value} ", f"{value[:4]} {value[4:]}"])
        return dice.choice([value, value.upper(), value.lower()])

    return _changed(rows, change)


PLACEHOLDERS: dict[str, list[Any]] = {
    "serial_number": ["To be filled by O.E.M.", "None", "0", " "],
    "smbios_uuid": ["00000000-0000-0000-0000-000000000000", "03000200-0400-0500-0006-000700080009"],
    "entra_device_id": ["00000000-0000-0000-0000-000000000000"],
    "ad_object_guid": ["{00000000-0000-0000-0000-000000000000}"],
    "imei": ["000000000000000", "N/A"],
    "ad_sid": ["N/A", ""],
    "cloud_instance_id": ["none", ""],
    "manufacturer": ["System manufacturer"],
    "asset_tag": ["No Asset Tag"],
    "mac_addresses": [["00:00:00:00:00:00"], ["00:50:56:C0:00:08", "02:42:ac:11:00:02"], [""]],
    "hostnames": [["localhost"]],
    "fqdns": [["localhost.localdomain"]],
    "ip_addresses": [["127.0.0.1", "fe80::1"]],
}


def with_placeholders(dice: random.Random, rows: Estate) -> Estate:
    """What a record does not tell is filled with what says nothing; what it lists has such a value in front."""
    filled = []
    for row in rows:
        told = dict(row["identifiers"])
        for name, values in PLACEHOLDERS.items():
            if dice.random() < 0.5:
                value = dice.choice(values)
                told[name] = value + told.get(name, []) if isinstance(value, list) else told.get(name, value)
        filled.append({**row, "identifiers": told})
    return filled


def a_year_later(dice: random.Random, rows: Estate) -> Estate:
    """All dates."""
    dates = ("observed_at", "first_seen", "last_seen")
    return [{**row, **{name: f"2027{row[name][4:]}" for name in dates if row.get(name)}} for row in rows]


def told(rows: Estate) -> dict[str, tuple[frozenset[str], str, tuple[str, ...]]]:
    """Of each record: with which it is one asset, whether it makes one, and its possible matches."""
    out = resolved("device", *rows)
    together: dict[str, set[str]] = {}
    for record, line in out.lines.items():
        together.setdefault(line["asset"], set()).add(record)
    return {
        record: (frozenset(together[line["asset"]]), line["state"], tuple(sorted(line["review"])))
        for record, line in out.lines.items()
    }


@pytest.mark.parametrize("change", [in_other_spellings, with_placeholders, a_year_later])
@pytest.mark.parametrize("seed", [3, 4])
def test_what_says_the_same_gives_the_same(change: Callable[[random.Random, Estate], Estate], seed: int) -> None:
    dice = random.Random(seed)
    estates = [estate(dice, number) for number in range(ESTATES)]
    before, after = told(list(chain(*estates))), told(list(chain(*(change(dice, rows) for rows in estates))))
    for rows in estates:
        records = [row["record"] for row in rows]
        assert {r: before[r] for r in records} == {r: after[r] for r in records}, rows


@pytest.mark.parametrize("seed", [5, 6])
def test_what_fits_alone_fits_in_company(seed: int) -> None:
    dice = random.Random(seed)
    estates = [estate(dice, number) for number in range(ESTATES)]
    company = told(list(chain(*estates)))
    for rows in dice.sample(estates, 6):
        assert told(rows) == {row["record"]: company[row["record"]] for row in rows}


@pytest.mark.parametrize("seed", [8, 9])
def test_every_reason_fits_what_was_decided(seed: int) -> None:
    dice = random.Random(seed)
    out = devices(*(row for number in range(ESTATES) for row in estate(dice, number)))
    for record, line in out.lines.items():
        one = {other for other, told in out.lines.items() if told["asset"] == line["asset"]}
        for decision in line["decisions"]:
            if other := decision["other_record"]:
                assert (other in one) == (decision["verdict"] == "joined"), (record, decision)
        assert len(one) == 1 or "joined" in out.verdicts(record), record
        assert not out.review(record) & one
        assert all(record in out.review(other) for other in out.review(record)), record
        assert (line["state"] == "held") == ("held_because" in line), record


def test_a_value_that_an_asset_has_anew_splits_nothing() -> None:
    dice = random.Random(7)
    rows = [row for number in range(ESTATES) for row in estate(dice, number)]
    groups = devices(*rows).groups()
    new = {record: f"i-0{_hex(dice, 16)}" for group in groups for record in [min(group)]}
    owner = {record: new[min(group)] for group in groups for record in group}
    tagged = [{**row, "identifiers": {**row["identifiers"], "cloud_instance_id": owner[row["record"]]}} for row in rows]
    assert devices(*tagged).groups() == groups
