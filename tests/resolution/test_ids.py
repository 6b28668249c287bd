"""Ids that last (T84): through merges that are undone, founders that leave and sources that join."""

from __future__ import annotations

from random import Random
from typing import Any, cast

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from resolution_kit import run, seen, table, told

from dbt_like_transforms.resolution.resolve import resolve

A = [seen("edr:p:a", serial_number="SER00A", first_seen="2026-01-01T00:00:00Z")]
B = [seen("edr:p:b", smbios_uuid="11f6e606-84d1-4e74-af7c-3b54377d15e3", first_seen="2026-02-01T00:00:00Z")]
BRIDGE = [seen("x:p:bad", serial_number="SER00A", smbios_uuid="11f6e606-84d1-4e74-af7c-3b54377d15e3")]


def test_t84_a_wrong_merge_undone_gives_the_ids_back() -> None:
    apart, state, _ = run(A + B)
    merged, state, aliases = run(A + B + BRIDGE, state)
    assert merged["edr:p:a"] == merged["edr:p:b"] == apart["edr:p:a"]
    assert aliases == {apart["edr:p:b"]: apart["edr:p:a"]}
    after, state, aliases = run(A + B, state)
    assert after == apart
    assert aliases == {}


def test_an_id_that_was_given_up_leads_to_its_asset_though_nothing_that_brought_it_is_there_any_more() -> None:
    a, c = told("edr:p:a", "SERAAA", 1), told("nac:p:c", "SERCCC", 2)
    ids, state, _ = run([a, told("cmdb:p:b", "SERAAA", 3), c])
    first, third = ids["edr:p:a"], ids["nac:p:c"]
    # the first merge was wrong: the record has an asset of its own, until it turns out to be of the third
    ids, state, aliases = run([a, told("cmdb:p:b", "SERBBB", 3), c], state)
    second = ids["cmdb:p:b"]
    assert len({first, second, third}) == 3
    assert aliases == {}
    for _ in range(2):
        ids, state, aliases = run([a, told("cmdb:p:b", "SERCCC", 3), c], state)
        assert ids["cmdb:p:b"] == third
        assert aliases == {second: third}
    _, state, aliases = run([a, c], state)
    assert aliases == {second: third}, "the record that brought the id is gone"
    both = {second: first, third: first}
    moved = [told("edr:p:a", "SERCCC", 1), c]
    for rows, found in ((moved, both), (moved[:1], both), ([], {}), (moved[:1], both)):
        _, state, aliases = run(rows, state)
        assert aliases == found
    ids, state, aliases = run([a, told("cmdb:p:b", "SERBBB", 3), c], state)
    assert (ids["edr:p:a"], ids["cmdb:p:b"], ids["nac:p:c"], aliases) == (first, second, third, {})


def test_an_id_that_was_given_up_stays_where_its_records_went_though_those_that_founded_it_are_elsewhere() -> None:
    def rows(founders: str, last: str) -> list[dict[str, Any]]:
        moving = [told(f"edr:p:{number}", founders, 3) for number in range(2)]
        return [told("mdm:p:u", "SERUUU", 1), told("nac:p:t", "SERTTT", 2), *moving, told("cmdb:p:q", last, 4)]

    ids, state, _ = run(rows("SERSSS", "SERSSS"))
    given_up = ids["edr:p:0"]
    ids, state, _ = run(rows("SERUUU", "SERSSS"), state)
    assert (ids["edr:p:0"], ids["cmdb:p:q"]) == (ids["mdm:p:u"], given_up)
    for _ in range(3):
        ids, state, aliases = run(rows("SERUUU", "SERTTT"), state)
        assert aliases == {given_up: ids["nac:p:t"]}


def test_an_id_stays_with_what_stays_though_its_founder_went_over_to_another_machine() -> None:
    def rows(serial: str) -> list[dict[str, Any]]:
        return [told("cmdb:p:1", serial, 1), told("edr:p:1", "SERAAA", 2), told("edr:p:2", "SERBBB", 3)]

    natural, state, _ = run(rows("SERAAA"))
    assert natural["cmdb:p:1"] == natural["edr:p:1"] != natural["edr:p:2"]
    for serial, owner in (("SERBBB", "edr:p:2"), ("SERAAA", "edr:p:1"), ("SERBBB", "edr:p:2")):
        for _ in range(2):
            ids, state, aliases = run(rows(serial), state)
            assert ids == natural | {"cmdb:p:1": natural[owner]}
            assert aliases == {}


def test_t84_an_id_comes_back_from_what_was_born_into_it_while_its_founder_was_wrongly_with_another_machine() -> None:
    def rows(founder: str, other: str | None) -> list[dict[str, Any]]:
        machine = [told("edr:p:1", founder, 1), told("mdm:p:1", "SERAAA", 2), told("nac:p:1", "SERAAA", 3)]
        return machine + ([told("cmdb:p:2", other, 4), told("edr:p:2", "SERBBB", 5)] if other else [])

    natural, state, _ = run(rows("SERAAA", None))
    (asset,) = set(natural.values())
    ids, state, _ = run(rows("SERXXX", "SERXXX"), state)
    assert ids["edr:p:1"] == ids["cmdb:p:2"] == asset
    parted, second = ids["mdm:p:1"], ids["edr:p:2"]
    assert len({asset, parted, second}) == 3
    for other in ("SERCCC", "SERBBB", "SERCCC"):
        ids, state, aliases = run(rows("SERAAA", other), state)
        assert {ids[record] for record in natural} == {asset}
        assert asset not in (ids["cmdb:p:2"], ids["edr:p:2"])
        assert ids["edr:p:2"] == second
        assert aliases[parted] == asset


def test_t84_a_machine_that_fell_apart_has_its_id_again_though_a_source_joined_a_part_of_it() -> None:
    def rows(name: str, founder: str, *more: str) -> list[dict[str, Any]]:
        others = [told(f"{product}:p:{name}", f"SER{name * 3}", 1) for product in ("edr", "mdm", *more)]
        return [told(f"ad:p:{name}", founder, 1), *others]

    for name in "bcdefg":
        natural, state, _ = run(rows(name, f"SER{name * 3}"))
        (asset,) = set(natural.values())
        ids, state, _ = run(rows(name, "SERXXX", "nac"), state)
        assert ids[f"ad:p:{name}"] == asset != ids[f"nac:p:{name}"]
        parted = ids[f"nac:p:{name}"]
        ids, _, aliases = run(rows(name, f"SER{name * 3}", "nac"), state)
        assert set(ids.values()) == {asset}
        assert aliases == {parted: asset}


def days(**records: str) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """One character a day for every record, older ones first: the machine whose serial number it tells, or . where it is not
    there. Asset and aliases of each day."""
    found: list[dict[str, str]] = []
    led: list[dict[str, str]] = []
    state: pa.Table | None = None
    for told_today in zip(*records.values(), strict=True):
        there = [(place, *item) for place, item in enumerate(zip(records, told_today, strict=True)) if item[1] != "."]
        rows = [told(f"{name[1:]}:p:{name}", f"SERIAL{machine}", place + 1) for place, name, machine in there]
        ids, state, aliases = run(rows, state)
        found.append({record.split(":")[2]: asset for record, asset in ids.items()})
        led.append(aliases)
    return found, led


def test_t84_guests_do_not_outnumber_those_whose_own_an_id_was() -> None:
    found, aliases = days(o1="oooo", d1="dood", d2="dood", d3="deed", e1="eeee", e2="eeee", e3="eeee", e4="..ee")
    natural, last = found[0], found[-1]
    assert last == natural | {"e4": natural["e1"]}
    assert aliases[-1] == {}
    parted, _ = days(f1="x..", g1="xxy", h1="xxx", i1="xxx", m1="mxy", m2="mxy", m3="mmm")
    assert parted[2]["h1"] == parted[0]["h1"] != parted[2]["g1"]


def test_t84_an_id_leaves_its_guests_when_those_whose_own_it_was_are_left_without_one() -> None:
    for history in (
        {"a1": "abaa", "a2": "aaya", "b1": "bbbb", "b2": "baab"},
        {"a1": "aaaa", "a2": "abaa", "b1": "bbab", "o1": "oooo", "o3": "oboo"},
    ):
        found, _ = days(**history)
        assert found[-1] == found[0], history


def test_t84_what_was_born_among_guests_does_not_take_the_id_from_its_last_own_record() -> None:
    found, _ = days(b1="b..", b2="bbb", a1="aba", a2=".ba")
    natural = found[0]
    assert found[2]["b2"] == natural["b2"]
    assert found[2]["a1"] == found[2]["a2"] == natural["a1"]


def test_what_splits_off_is_no_older_than_what_it_was_part_of_however_old_the_records_are() -> None:
    found, aliases = days(o1="oxoo", a1="ayaa", a2="axaa", a3=".xaa", o2="oooo")
    natural = found[0]
    for day in (2, 3):
        assert {found[day][name] for name in ("a1", "a2", "a3")} == {natural["a1"]}
        assert found[day]["o1"] == found[day]["o2"] == natural["o1"]
        assert found[1]["a2"] in aliases[day] or found[1]["a2"] in natural.values()


def test_t84_an_id_whose_records_are_away_for_a_day_is_no_alias_of_what_split_off_and_given_to_nobody_else() -> None:
    histories = {
        "the first record is away when a part comes back": {"a1": "aaa.aaa", "a2": "aadaaaa"},
        "the part that split off is left alone": {"m1": "mmmmmmm", "n1": "nom.nnn", "n2": "nnnnnnn", "m2": "mm.mmmm"},
        "two founders leave together, then one goes on": {
            "q1": "qxpypyq",
            "q2": "qqqqqqq",
            "p1": "pxxxx.x",
            "p2": "ppppppp",
        },
    }
    records = {name: told_of for history in histories.values() for name, told_of in history.items()}
    found, aliases = days(**records)
    for day, ids in enumerate(found):
        assert len(set(ids.values())) == len({told_of[day] for told_of in records.values()} - {"."}), (
            "one id, one machine"
        )
    assert found[-1] == found[0] | {"p1": found[1]["p1"]}
    assert found[3]["q1"] == found[5]["q1"], "what goes away again and again does not use up an id each time"
    assert found[0]["a1"] not in aliases[3]


def test_t84_what_was_merged_goes_back_to_its_own_id_though_the_one_it_was_merged_into_went_further() -> None:
    def rows(**serials: str) -> list[dict[str, Any]]:
        return [
            told(f"edr:p:{name}", serials.get(name, f"SER{name * 3}"), place) for place, name in enumerate("abc", 1)
        ]

    natural, state, _ = run(rows())
    first, second, third = natural.values()
    _, state, aliases = run(rows(c="SERbbb"), state)
    assert aliases == {third: second}
    for _ in range(2):
        ids, state, aliases = run(rows(b="SERaaa"), state)
        assert ids == {"edr:p:a": first, "edr:p:b": first, "edr:p:c": third}
        assert aliases == {second: first}
    assert run(rows(), state)[0] == natural


def test_t84_an_id_that_split_off_leads_to_its_own_machine_again_when_that_was_wrongly_in_another_one() -> None:
    def rows(serial: str, part: str) -> list[dict[str, Any]]:
        return [told("nac:p:c", "SERCCC", 1), told("edr:p:a", serial, 2), told("mdm:p:b", part, 3)]

    natural, state, _ = run(rows("SERAAA", "SERAAA"))
    first, other = natural["edr:p:a"], natural["nac:p:c"]
    ids, state, _ = run(rows("SERAAA", "SERBBB"), state)
    part = ids["mdm:p:b"]
    assert len({first, other, part}) == 3
    _, state, aliases = run(rows("SERAAA", "SERAAA"), state)
    assert aliases == {part: first}
    for _ in range(2):
        _, state, aliases = run(rows("SERCCC", "SERCCC"), state)
        assert aliases == {part: other, first: other}
    for _ in range(2):
        ids, state, aliases = run(rows("SERAAA", "SERAAA"), state)
        assert (ids, aliases) == (natural, {part: first})


def test_t84_an_id_that_split_off_leads_to_its_own_machine_though_its_record_was_with_another_one_meanwhile() -> None:
    def rows(part: str) -> list[dict[str, Any]]:
        return [told("nac:p:c", "SERCCC", 1), told("edr:p:a", "SERAAA", 2), told("mdm:p:b", part, 3)]

    natural, state, _ = run(rows("SERAAA"))
    first, other = natural["edr:p:a"], natural["nac:p:c"]
    ids, state, _ = run(rows("SERBBB"), state)
    part = ids["mdm:p:b"]
    for serial, asset in (("SERCCC", other), ("SERAAA", first), ("SERCCC", other), ("SERAAA", first)):
        for _ in range(2):
            ids, state, aliases = run(rows(serial), state)
            assert (ids["mdm:p:b"], aliases) == (asset, {part: asset})
    _, state, aliases = run(rows("SERAAA")[:2], state)
    assert aliases == {part: first}, "its record is away"


@pytest.mark.parametrize("seed", range(2))
def test_t84_an_id_that_is_none_any_more_leads_to_a_record_that_it_was_last_given_to(seed: int) -> None:
    """Wrong merges, splits and absences of the records of three machines a site, at eight sites at once."""
    site = {
        f"{source}:p:{site}{machine}": site
        for site in range(8)
        for machine in range(3)
        for source in ("edr", "mdm", "nac")
    }
    random = Random(seed)
    own = {record: f"SER{record[-2:]}X" for record in site}
    month = {record: random.randint(1, 9) for record in site}
    ids, state, _ = run([told(record, own[record], month[record]) for record in site])
    natural, of_record, had = ids, dict(ids), dict[str, set[str]]()
    serials = dict(own)
    for day in range(9):
        for record in site if day < 7 else ():
            if random.random() < 0.25:
                serials[record] = f"SER{site[record]}{random.choice('01234')}X"
        if day == 7:
            serials = own
        there = [record for record in site if day >= 7 or random.random() < 0.85]
        ids, state, aliases = run([told(record, serials[record], month[record]) for record in there], state)
        # what is away is of what its asset went to
        of_record = {record: aliases.get(asset, asset) for record, asset in of_record.items()} | ids
        had |= {asset: {record for record in site if of_record[record] == asset} for asset in ids.values()}
        for asset, records in had.items():
            places = {ids[record] for record in records if record in ids}
            assert asset in ids.values() or not places or aliases[asset] in places
    assert ids == natural


@settings(max_examples=3, deadline=None)
@given(
    st.lists(
        st.lists(st.lists(st.integers(0, 4), min_size=5, max_size=5), min_size=6, max_size=6), min_size=1, max_size=4
    )
)
def test_t84_after_any_wrong_merges_every_machine_has_its_own_id_again(history: list[list[list[int]]]) -> None:
    """history: of each day and of each of six estates the serial number that each of its five machines reports."""

    def rows(estates: list[list[int]]) -> list[dict[str, Any]]:
        return [
            told(f"edr:p:{number}{place}", f"SERIAL{number}{serial}", place + 1)
            for number, serials in enumerate(estates)
            for place, serial in enumerate(serials)
        ]

    natural, state, _ = run(rows([[0, 1, 2, 3, 4]] * 6))
    for serials in history:
        ids, state, aliases = run(rows(serials), state)
        assert set(ids.values()) <= set(natural.values())
        assert set(aliases) == set(natural.values()) - set(ids.values())
        assert run(rows(serials), state)[::2] == (ids, aliases)
    after, _, aliases = run(rows([[0, 1, 2, 3, 4]] * 6), state)
    assert after == natural
    assert aliases == {}


class Counting:
    """A connection that counts statements."""

    def __init__(self) -> None:
        self.connection, self.statements = duckdb.connect(), 0

    def execute(self, *arguments: Any) -> duckdb.DuckDBPyConnection:
        self.statements += 1
        return self.connection.execute(*arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connection, name)


def test_t84_ids_of_many_machines_come_back_at_once() -> None:
    def statements(machines: int) -> int:
        """How many it takes to give the ids of so many pairs back after a wrong merge."""
        state: pa.Table | None = None
        found: list[dict[str, str]] = []
        for serial in ("", "same", ""):
            connection = Counting()
            rows = [
                told(f"edr:p:{side}{number}", f"{serial or side}-{number:07}", 1)
                for side in "ab"
                for number in range(machines)
            ]
            outcome = resolve("device", table(*rows), state=state, connection=cast(Any, connection))
            state = outcome.state().to_arrow_table()
            found.append(dict(outcome.assignments().project("record, asset_id").fetchall()))
        assert found[2] == found[0]
        assert len(set(found[1].values())) == machines
        return connection.statements

    assert statements(3) == statements(60)


def test_an_asset_keeps_its_id_when_its_founder_leaves_and_when_an_older_source_joins() -> None:
    rows = [seen(f"s{i}:p:1", serial_number="SER0ID", first_seen=f"2026-0{i}-01T00:00:00Z") for i in range(2, 6)]
    ids, state, _ = run(rows)
    (asset,) = set(ids.values())
    ids, state, _ = run(rows[1:], state)
    assert set(ids.values()) == {asset}
    older = seen("old:p:1", serial_number="SER0ID", first_seen="2020-01-01T00:00:00Z")
    ids, state, _ = run([older, *rows[2:]], state)
    assert set(ids.values()) == {asset}
    renamed = [{**row, "identifiers": {"serial_number": "OTHER1"}} for row in (older, *rows[2:])]
    ids, state, _ = run(renamed, state)
    assert set(ids.values()) == {asset}
    ids, state, _ = run([], state)
    ids, state, _ = run(rows, state)
    assert set(ids.values()) == {asset}


@pytest.mark.parametrize("founder", ["a_directory", "workday", "siem"])
def test_the_id_of_an_account_stays_with_it_though_all_that_knows_its_name_alone_follows_the_name(founder: str) -> None:
    def listed(number: int, state: str) -> dict[str, Any]:
        guid = f"0b5b7a39-0000-4000-8000-{number:012}"
        names = {"upn": "jdoe@corp.com", "sam_account_name": "jdoe", "domain": "CORP"}
        return seen(f"a_directory:p:{number}", ad_object_guid=guid, state=state, **names)

    follow = [
        seen("workday:p:1", employee_id="E1", emails=["jdoe@corp.com"]),
        seen("siem:p:1", login_names=["CORP\\jdoe"]),
        seen("snow:p:1", upn="jdoe@corp.com"),
    ]

    def day(state: pa.Table | None, *rows: dict[str, Any]) -> tuple[dict[str, str], pa.Table, dict[str, str]]:
        first = [{**row, "first_seen": "2026-01-01T00:00:00Z"} if row["product"] == founder else row for row in rows]
        return run(first, state, kind="identity")

    natural, state, _ = day(None, listed(1, "active"), *follow)
    (asset,) = set(natural.values())
    for _ in range(2):
        ids, state, aliases = day(state, listed(1, "retired"), listed(2, "active"), *follow)
        assert ids["a_directory:p:1"] == asset
        assert len({ids["a_directory:p:2"], *(ids[row["record"]] for row in follow)} - {asset}) == 1
        assert asset not in (ids["a_directory:p:2"], ids["siem:p:1"])
        assert aliases == {}
    assert day(state, listed(1, "active"), *follow)[0] == natural


def test_the_id_of_a_machine_stays_with_its_serial_number_though_all_that_knows_its_name_follows_the_name() -> None:
    def listed(number: int, state: str) -> dict[str, Any]:
        return seen(f"sccm:p:{number}", serial_number=f"5CG00{number}", fqdns=["web-1.corp.example"], state=state)

    follow = [
        seen(f"{product}:p:1", fqdns=["web-1.corp.example"], first_seen=f"2026-0{month}-01T00:00:00Z")
        for month, product in enumerate(("scan", "dns"), start=1)
    ]
    natural, state, _ = run([listed(1, "active"), *follow])
    (asset,) = set(natural.values())
    ids, _, _ = run([listed(1, "retired"), listed(2, "active"), *follow], state)
    assert ids["sccm:p:1"] == asset
    assert len({ids[record] for record in ("sccm:p:2", "scan:p:1", "dns:p:1")} - {asset}) == 1


def test_what_waits_for_a_person_leaves_the_id_to_the_machine_that_it_was_a_part_of_though_it_founded_it() -> None:
    def rows(**scanned: list[str]) -> list[dict[str, Any]]:
        scan = seen("scan:p:1", first_seen="2026-01-01T00:00:00Z", **scanned)
        return [scan, seen("cmdb:p:1", fqdns=["web-1.corp.example"])]

    natural, state, _ = run(rows(fqdns=["web-1.corp.example"]))
    (asset,) = set(natural.values())
    for _ in range(2):
        ids, state, aliases = run(rows(hostnames=["web-1"]), state)
        assert (ids, aliases) == ({"scan:p:1": None, "cmdb:p:1": asset}, {})
    assert run(rows(fqdns=["web-1.corp.example"]), state)[0] == natural


def test_ids_of_two_that_fell_apart_do_not_change_places_while_the_source_of_one_is_away() -> None:
    def rows(name: str) -> list[dict[str, Any]]:
        guid = "0b5b7a39-0000-4000-8000-000000000001"
        return [
            seen("ad:p:1", ad_object_guid=guid, upn="old@corp.com"),
            seen("github:p:1", login_names=["octo", f"{name}@corp.com"]),
        ]

    natural, state, _ = run(rows("old"), kind="identity")
    fell_apart, state, _ = run(rows("new"), state, kind="identity")
    assert fell_apart["ad:p:1"] == natural["ad:p:1"] != fell_apart["github:p:1"]
    without, state, _ = run(rows("new")[1:], state, kind="identity")
    assert without["github:p:1"] == fell_apart["github:p:1"]
    again, _, aliases = run(rows("new"), state, kind="identity")
    assert (again, aliases) == (fell_apart, {})
