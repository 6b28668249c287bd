from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from .estate import DAY, Estate, observation, sync

NEXT = DAY + timedelta(days=1)


def device(record: str, serial: str, **values: Any) -> dict[str, Any]:
    return observation(record, serial_number=serial, **values)


@pytest.fixture
def estate(estate: Estate) -> Estate:
    estate.marts = ("asset_changes",)
    return estate


def changes(estate: Estate, *kinds: str) -> list[tuple[Any, ...]]:
    names = ", ".join(f"'{kind}'" for kind in kinds)
    rows = estate.rows(f"select change, field, before, after from asset_changes where change in ({names}) order by all")
    return [tuple(row.values()) for row in rows]


def test_on_the_first_day_every_asset_appears(estate: Estate) -> None:
    estate.build(devices=[device("acme:prod:1", "S1")], identities=[observation("acme:prod:u", identity_type="user")])
    kinds = estate.rows("select asset_kind, change from asset_changes order by all")
    assert kinds == [{"asset_kind": "device", "change": "appeared"}, {"asset_kind": "identity", "change": "appeared"}]


def test_a_day_on_which_nothing_changed_has_no_changes(estate: Estate) -> None:
    for day in (DAY, NEXT):
        estate.build(day, devices=[device("acme:prod:1", "S1")])
    assert estate.rows("from asset_changes") == []


def test_changed_fields_are_told_with_both_values(estate: Estate) -> None:
    estate.build(devices=[device("acme:prod:1", "S1", os_version="10", is_managed=True)])
    estate.build(NEXT, devices=[device("acme:prod:1", "S1", os_version="11", is_managed=True, owner="ann")])
    assert changes(estate, "field") == [("field", "os_version", "10", "11"), ("field", "owner", None, "ann")]


def test_retiring_and_coming_back_are_disappearing_and_appearing(estate: Estate) -> None:
    estate.build(devices=[device("acme:prod:1", "S1")])
    estate.build(NEXT)
    assert changes(estate, "appeared", "disappeared") == [("disappeared", None, None, None)]
    later = NEXT + timedelta(days=1)
    estate.build(later, devices=[device("acme:prod:1", "S1")])
    assert changes(estate, "appeared", "disappeared") == [("appeared", None, None, None)]


def test_an_unproven_absence_is_no_change(estate: Estate) -> None:
    estate.build(devices=[device("acme:prod:1", "S1")])
    estate.build(NEXT, syncs=[sync("acme", NEXT, state="partial")])
    assert estate.rows("from asset_changes") == []


def test_a_merge_names_the_id_that_ended_and_the_one_that_remains(estate: Estate) -> None:
    estate.build(devices=[device("acme:prod:1", "S1"), device("tenable:prod:1", "S2")])
    ids = {row["serial_number"]: row["device_id"] for row in estate.rows("from devices")}
    estate.build(NEXT, devices=[device("acme:prod:1", "S1"), device("tenable:prod:1", "S1")])
    assert changes(estate, "appeared", "disappeared", "merged", "split") == [("merged", None, ids["S2"], ids["S1"])]


def test_a_split_names_the_id_it_came_out_of(estate: Estate) -> None:
    estate.build(devices=[device("acme:prod:1", "S1"), device("tenable:prod:1", "S1")])
    estate.build(NEXT, devices=[device("acme:prod:1", "S1"), device("tenable:prod:1", "S2")])
    ids = {row["serial_number"]: row["device_id"] for row in estate.rows("from devices")}
    assert changes(estate, "appeared", "disappeared", "merged", "split") == [("split", None, ids["S1"], ids["S2"])]
