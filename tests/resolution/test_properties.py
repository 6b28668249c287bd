"""What must hold for any input: T80 to T89, and what bad input may not do."""

from __future__ import annotations

import itertools
import json
import random
import time
from pathlib import Path
from typing import Any, cast

import duckdb
import pyarrow as pa
import pytest
from case_table import ordinary
from hypothesis import given, settings
from hypothesis import strategies as st
from resolution_kit import Outcome, devices, identities, resolved, seen

from dbt_like_transforms.resolution import intake
from dbt_like_transforms.resolution.jsonl import resolve_jsonl
from dbt_like_transforms.resolution.manual import ContradictoryDecisions, Decision, check_consistent
from dbt_like_transforms.resolution.observations import InvalidObservation, shape_of, to_table
from dbt_like_transforms.resolution.resolve import resolve


def test_t80_a_chain_of_bridges_joins_only_its_strong_link() -> None:
    dock = "00:e0:4c:68:00:01"
    out = devices(
        seen("a:p:A", serial_number="SER00A"),
        seen("b:p:B", serial_number="SER00A", mac_addresses=[dock], smbios_uuid="11f6e606-84d1-4e74-af7c-3b54377d15e3"),
        seen("c:p:C", mac_addresses=[dock], hostnames=["pc80"], smbios_uuid="f2265c3a-1cd7-40a5-80d7-52f0688cf3c8"),
        seen("d:p:D", hostnames=["pc80"]),
    )
    assert out.groups() == {frozenset({"a:p:A", "b:p:B"}), frozenset({"c:p:C"}), frozenset({"d:p:D"})}


@pytest.mark.parametrize(
    "shared",
    [
        {"mac_addresses": ["3c:7c:3f:00:00:81"]},
        {"smbios_uuid": "11f6e606-84d1-4e74-af7c-3b54377d15e3"},
        {"agent_ids": {"aid": "abcd" * 8}},
        {"entra_device_id": "0b5b7a39-0000-4000-8000-000000000081"},
        {"fqdns": ["shared.corp.example"]},
    ],
)
def test_t81_a_value_on_many_machines_is_suppressed_and_reported(shared: dict[str, Any]) -> None:
    out = devices(
        *(seen(f"edr:p:{i}", serial_number=f"SER{i:05}", **shared) for i in range(25)), seen("cmdb:p:x", **shared)
    )
    assert len(out.groups()) == 26
    assert out.suppressed("edr:p:3")
    assert out.held("cmdb:p:x")


def test_t81_an_unlisted_placeholder_serial_shows_by_its_names() -> None:
    out = devices(*(seen(f"edr:p:{i}", serial_number="ACME-BOARD", hostnames=[f"pc-a{i}"]) for i in range(25)))
    assert len(out.groups()) == 25


def observations() -> st.SearchStrategy[list[dict[str, Any]]]:
    """Small estates in which everything collides with everything."""
    pool = {
        "serial_number": ["SER001", "SER002", "SER003"],
        "smbios_uuid": ["11f6e606-84d1-4e74-af7c-3b54377d15e3", "f2265c3a-1cd7-40a5-80d7-52f0688cf3c8"],
        "entra_device_id": ["0b5b7a39-0000-4000-8000-000000000001", "0b5b7a39-0000-4000-8000-000000000002"],
        "manufacturer": ["Dell", "Lenovo"],
    }
    fields: dict[str, st.SearchStrategy[Any]] = {key: st.sampled_from(values) for key, values in pool.items()}
    fields["mac_addresses"] = st.lists(st.sampled_from(["3c:7c:3f:00:00:01", "3c:7c:3f:00:00:02"]), max_size=2)
    fields["hostnames"] = st.lists(st.sampled_from(["web1", "web2"]), max_size=1)
    fields["fqdns"] = st.lists(st.sampled_from(["web1.corp.example", "web2.corp.example"]), max_size=1)
    fields["agent_ids"] = st.dictionaries(st.just("aid"), st.sampled_from(["a1b2", "c3d4"]), max_size=1)
    identifiers = st.fixed_dictionaries({}, optional=fields)
    return st.lists(
        st.tuples(st.sampled_from(["edr", "cmdb", "nac"]), identifiers, st.sampled_from(["2026-11-20", "2026-06-01"])),
        max_size=9,
    ).map(
        lambda rows: [
            seen(f"{product}:p:{i}", observed_at=f"{day}T10:00:00Z", **values)
            for i, (product, values, day) in enumerate(rows)
        ]
    )


STRONG = ("serial_number", "entra_device_id")


@settings(max_examples=15, deadline=None)
@given(observations(), st.randoms(use_true_random=False))
def test_t82_t83_any_order_gives_the_same_assets(rows: list[dict[str, Any]], dice: random.Random) -> None:
    first = resolved("device", *rows)
    mixed = list(rows)
    dice.shuffle(mixed)
    second = resolved("device", *mixed)
    assert {r: line["asset"] for r, line in first.lines.items()} == {
        r: line["asset"] for r, line in second.lines.items()
    }
    assert {r: sorted(line["review"]) for r, line in first.lines.items()} == {
        r: sorted(line["review"]) for r, line in second.lines.items()
    }


@settings(max_examples=15, deadline=None)
@given(observations())
def test_t88_no_asset_holds_two_serials_or_two_directory_ids(rows: list[dict[str, Any]]) -> None:
    by_record = {row["record"]: row["identifiers"] for row in rows}
    for group in resolved("device", *rows).groups():
        for name in STRONG:
            assert len({by_record[r][name] for r in group if by_record[r].get(name)}) <= 1


@settings(max_examples=10, deadline=None)
@given(observations())
def test_t83_a_run_on_its_own_state_changes_nothing(rows: list[dict[str, Any]]) -> None:
    table = to_table([shape_of("device").validate_python(row) for row in rows], "device")
    first = resolve("device", table)
    before = dict(first.assignments().project("record, asset_id").fetchall())
    state = first.state().to_arrow_table()
    again = resolve("device", table, state=state)
    assert dict(again.assignments().project("record, asset_id").fetchall()) == before
    assert again.aliases().fetchall() == []


def table(*rows: dict[str, Any]) -> pa.Table:
    return to_table([shape_of("device").validate_python(row) for row in rows], "device")


def run(rows: list[dict[str, Any]], state: pa.Table | None = None, decisions: tuple[Decision, ...] = ()) -> Any:
    outcome = resolve("device", table(*rows), state=state, decisions=decisions)
    ids = dict(outcome.assignments().project("record, asset_id").fetchall())
    return ids, outcome.state().to_arrow_table(), dict(outcome.aliases().project("alias_id, asset_id").fetchall())


A = [seen("edr:p:a", serial_number="SER00A", first_seen="2026-01-01T00:00:00Z")]
B = [seen("edr:p:b", smbios_uuid="11f6e606-84d1-4e74-af7c-3b54377d15e3", first_seen="2026-02-01T00:00:00Z")]
OTHER_ID = "22f6e606-84d1-4e74-af7c-3b54377d15e3"
BRIDGE = [seen("x:p:bad", serial_number="SER00A", smbios_uuid="11f6e606-84d1-4e74-af7c-3b54377d15e3")]


TIES = {
    "serial number and UUID, both of one rung": (
        seen("intune:p:a", serial_number="SER00A", entra_device_id="11f6e606-84d1-4e74-af7c-3b54377d15e3"),
        seen("entra_id:p:b", smbios_uuid=B[0]["identifiers"]["smbios_uuid"], entra_device_id=OTHER_ID),
        seen("cmdb:p:c", serial_number="SER00A", smbios_uuid=B[0]["identifiers"]["smbios_uuid"]),
    ),
    "two cards with one rule": (
        seen("edr:p:a", serial_number="SER00A", mac_addresses=["3c:52:82:00:00:01"], hostnames=["pc1"]),
        seen("mdm:p:b", serial_number="SER00B", mac_addresses=["3c:52:82:00:00:02"], hostnames=["pc1"]),
        seen("scan:p:c", mac_addresses=["3c:52:82:00:00:01", "3c:52:82:00:00:02"], hostnames=["pc1"]),
    ),
}


@pytest.mark.parametrize("tie", TIES)
def test_t86_of_rules_of_one_rank_the_same_one_wins_in_any_order(tie: str) -> None:
    outcomes = [devices(*rows) for rows in itertools.permutations(TIES[tie])]
    assert {frozenset(outcome.groups()) for outcome in outcomes} == {frozenset(outcomes[0].groups())}
    (third,) = (record for record in outcomes[0].lines if record.endswith("c"))
    assert len({outcome.words(third) for outcome in outcomes}) == 1
    # it may belong to one of them at most, and says what stood against the other
    assert all(outcome.apart(*(record for record in outcome.lines if record != third)) for outcome in outcomes)
    assert all({"vetoed", "suppressed"} & outcome.verdicts(third) for outcome in outcomes)


def test_t84_a_wrong_merge_undone_gives_the_ids_back() -> None:
    apart, state, _ = run(A + B)
    merged, state, aliases = run(A + B + BRIDGE, state)
    assert merged["edr:p:a"] == merged["edr:p:b"] == apart["edr:p:a"]
    assert aliases == {apart["edr:p:b"]: apart["edr:p:a"]}
    after, state, aliases = run(A + B, state)
    assert after == apart
    assert aliases == {}


def told(record: str, serial: str, month: int) -> dict[str, Any]:
    return seen(record, serial_number=serial, first_seen=f"2026-{month:02}-01T00:00:00Z")


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


@settings(max_examples=6, deadline=None)
@given(st.lists(st.lists(st.integers(0, 4), min_size=5, max_size=5), min_size=1, max_size=4))
def test_t84_after_any_wrong_merges_every_machine_has_its_own_id_again(history: list[list[int]]) -> None:
    """history: of each day the serial number that each of five machines reports."""

    def rows(serials: list[int]) -> list[dict[str, Any]]:
        return [told(f"edr:p:{place}", f"SERIAL{serial}", place + 1) for place, serial in enumerate(serials)]

    natural, state, _ = run(rows([0, 1, 2, 3, 4]))
    for serials in history:
        ids, state, aliases = run(rows(serials), state)
        assert set(ids.values()) <= set(natural.values())
        assert set(aliases) == set(natural.values()) - set(ids.values())
        assert run(rows(serials), state)[::2] == (ids, aliases)
    after, _, aliases = run(rows([0, 1, 2, 3, 4]), state)
    assert after == natural
    assert aliases == {}


def test_decisions_about_records_of_two_kinds_that_go_by_one_name_do_not_contradict_each_other() -> None:
    records = ["a:p:1", "b:p:2"]
    merge = decision("merge", "one", records=records)
    never = Decision.model_validate({"id": "two", "kind": "identity", "action": "never_match", "records": records})
    check_consistent((merge, never))


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


def decision(action: str, identity: str = "d1", **given_values: Any) -> Decision:
    return Decision.model_validate({"id": identity, "kind": "device", "action": action, **given_values})


def test_t85_manual_decisions_hold_over_re_runs_and_can_be_withdrawn() -> None:
    rows = A + B + [seen("cmdb:p:a", serial_number="SER00A")]
    natural, state, _ = run(rows)
    merge = decision("merge", records=["edr:p:a", "edr:p:b"])
    split = decision("split", identity="d2", parts=[["edr:p:a"], ["cmdb:p:a"]])
    for _ in range(5):
        ids, state, _ = run(rows, state, (merge, split))
        assert ids["edr:p:a"] == ids["edr:p:b"] == natural["edr:p:a"]
        assert ids["cmdb:p:a"] != ids["edr:p:a"]
    ids, state, _ = run(rows, state)
    assert ids == natural


def test_a_manual_merge_of_two_machines_brings_all_their_records_together_and_gives_the_ids_back() -> None:
    uuids = ["11f6e606-84d1-4e74-af7c-3b54377d15e3", "f2265c3a-1cd7-40a5-80d7-52f0688cf3c8"]
    rows = [
        row
        for number, uuid in enumerate(uuids)
        for row in (
            seen(
                f"edr:p:{number}", serial_number=f"SER00{number}", smbios_uuid=uuid, first_seen="2026-01-01T00:00:00Z"
            ),
            seen(f"cmdb:p:{number}", serial_number=f"SER00{number}", first_seen="2026-01-02T00:00:00Z"),
            seen(f"mdm:p:{number}", serial_number=f"SER00{number}", smbios_uuid=uuid, entra_device_id=uuid),
        )
    ]
    natural, state, _ = run(rows)
    assert len(set(natural.values())) == 2
    for named in (["edr:p:0", "edr:p:1"], ["cmdb:p:0", "edr:p:1"], ["mdm:p:0", "cmdb:p:1"]):
        merged, after, aliases = run(rows, state, (decision("merge", records=named),))
        assert set(merged.values()) == set(aliases.values())
        assert len(set(merged.values())) == 1
        assert run(rows, after)[0] == natural


def test_a_record_that_a_person_gave_to_another_machine_takes_no_id_along_and_comes_back_without_one() -> None:
    rows = [
        seen(f"{product}:p:{name}", serial_number=f"SER{name * 3}", first_seen="2026-01-01T00:00:00Z")
        for product in ("edr", "cmdb")
        for name in "ab"
    ]
    natural, first, _ = run(rows)
    # of either machine a record goes to the other one: once that which founded it, once the other
    for gone in ("cmdb:p:a", "edr:p:a", "cmdb:p:b", "edr:p:b"):
        stays = next(row["record"] for row in rows if row["record"] != gone and row["record"][-1] == gone[-1])
        other = next(row["record"] for row in rows if row["record"][-1] != gone[-1])
        told = (decision("split", "s", parts=[[stays], [gone]]), decision("merge", "m", records=[gone, other]))
        state = first
        for _ in range(2):
            ids, state, aliases = run(rows, state, told)
            assert ids == natural | {gone: natural[other]}
            assert aliases == {}
        assert run(rows, state)[0] == natural


def test_a_manual_merge_that_would_join_what_a_person_keeps_apart_is_left_out_and_says_so() -> None:
    rows = [seen(f"{name}:p:{i}", serial_number=f"SER00{i}") for name in ("edr", "cmdb") for i in range(2)]
    merge = decision("merge", "one", records=["edr:p:0", "edr:p:1"])
    never = decision("never_match", "two", records=["cmdb:p:0", "cmdb:p:1"])
    outcome = resolve("device", table(*rows), decisions=(merge, never))
    ids = dict(outcome.assignments().project("record, asset_id").fetchall())
    assert ids["edr:p:0"] == ids["cmdb:p:0"] != ids["edr:p:1"] == ids["cmdb:p:1"]
    sentences = [row[0] for row in outcome.decisions().project("sentence").fetchall()]
    assert any(
        "one by decision as" in text and "a person decided that they are different" in text for text in sentences
    )


def test_never_match_keeps_two_records_apart_across_clusters() -> None:
    rows = [
        seen("a:p:1", serial_number="SER00N"),
        seen("b:p:2", serial_number="SER00N"),
        seen("c:p:3", serial_number="SER00N"),
    ]
    ids, _, _ = run(rows, None, (decision("never_match", records=["a:p:1", "b:p:2"]),))
    assert ids["a:p:1"] != ids["b:p:2"]


def test_split_takes_out_the_later_parts_and_leaves_the_rest_together() -> None:
    rows = [seen(f"s{i}:p:1", serial_number="SER00S") for i in range(5)]
    ids, _, _ = run(rows, None, (decision("split", parts=[["s0:p:1"], ["s1:p:1", "s2:p:1"]]),))
    assert ids["s0:p:1"] == ids["s3:p:1"] == ids["s4:p:1"]
    assert ids["s1:p:1"] == ids["s2:p:1"] != ids["s0:p:1"]


def test_a_blade_that_a_person_took_out_stays_linked_to_those_with_its_serial_number() -> None:
    uuids = [f"11f6e606-84d1-4e74-af7c-3b54377d15{number}0" for number in "abc"]
    blades = [
        seen(f"edr:p:{n}", serial_number="USE1234ABC", manufacturer="HP", smbios_uuid=uuid)
        for n, uuid in enumerate(uuids)
    ]
    known_twice = seen("cmdb:p:2", smbios_uuid=uuids[2], serial_number="USE1234ABC", manufacturer="HP")

    split = decision("split", parts=[["cmdb:p:2"], ["edr:p:2"]])
    outcome = resolve("device", table(*blades, known_twice), decisions=(split,))
    linked = {record for (record,) in outcome.links().project("source_record").fetchall()}
    assert linked == {"cmdb:p:2", "edr:p:0", "edr:p:1", "edr:p:2"}


def test_reasons_name_the_decision_that_merged_or_kept_apart_and_say_what_agrees_inside_a_part() -> None:
    rows = [seen(f"s{i}:p:1", serial_number="SER00S") for i in range(4)] + [seen("x:p:1", serial_number="SER00X")]
    split = decision("split", "two-twins", parts=[["s0:p:1"], ["s1:p:1", "s2:p:1"]], reason="ticket 12")
    merge = decision("merge", "one-more", records=["s0:p:1", "x:p:1", "gone:p:1"])
    outcome = resolve("device", table(*rows), decisions=(split, merge))
    told = outcome.decisions().project("verdict, rule, value, record, other_record, sentence").fetchall()
    by_pair = {(verdict, rule, *sorted(pair)): (value, text) for verdict, rule, value, *pair, text in told}
    for pair in (("s0:p:1", "s1:p:1"), ("s0:p:1", "s2:p:1")):
        value, text = by_pair["vetoed", "manual_split", *pair]
        assert value == "two-twins"
        assert text.endswith("are different (decision two-twins: ticket 12)")
    assert by_pair["joined", "manual_merge", "s0:p:1", "x:p:1"][0] == "one-more"
    assert by_pair["joined", "serial_number", "s1:p:1", "s2:p:1"] == ("SER00S", "same serial number SER00S as s1:p:1")
    # whoever asks about the one that is there is told that another one is missing
    assert {pair for verdict, _, *pair in by_pair if verdict == "ignored" for pair in [tuple(pair)]} == {
        ("gone:p:1", "s0:p:1"),
        ("gone:p:1", "x:p:1"),
    }


def test_contradictory_decisions_are_refused_by_name() -> None:
    merge = decision("merge", "one", records=["a:p:1", "b:p:2"])
    chain = decision("merge", "two", records=["b:p:2", "c:p:3"])
    never = decision("never_match", "three", records=["a:p:1", "c:p:3"])
    with pytest.raises(ContradictoryDecisions, match=r"three.*one, two"):
        run([], None, (merge, chain, never))


def test_a_decision_about_a_record_that_is_gone_waits() -> None:
    outcome = resolve("device", table(*A), decisions=(decision("merge", records=["edr:p:a", "gone:p:1"]),))
    assert ("gone:p:1", "ignored") in outcome.decisions().project("record, verdict").fetchall()


def test_merges_through_a_record_that_is_gone_hold() -> None:
    rows = [seen(f"edr:p:{name}", serial_number=f"SER00{name}") for name in "ab"]
    merges = [decision("merge", f"m{name}", records=[f"edr:p:{name}", "gone:p:1"]) for name in "ab"]
    assert len(set(run(rows, decisions=tuple(merges))[0].values())) == 1
    assert len(set(run(rows, decisions=(merges[0],))[0].values())) == 2
    longer = [
        decision("merge", "m1", records=["edr:p:a", "gone:p:1"]),
        decision("merge", "m2", records=["gone:p:2", "gone:p:1"]),
        decision("merge", "m3", records=["gone:p:2", "edr:p:b"]),
    ]
    assert len(set(run(rows, decisions=tuple(longer))[0].values())) == 1


def test_t89_a_placeholder_on_many_records_costs_linear_time() -> None:
    def cost(count: int) -> float:
        rows = pa.table(
            {
                "record": [f"edr:p:{i}" for i in range(count)],
                "product": ["edr"] * count,
                "instance": ["p"] * count,
                "serial_number": ["ACME BOARD"] * count,
                "smbios_uuid": [f"aaaaaaaa-bbbb-4ccc-8ddd-{i:012x}" for i in range(count)],
                "mac_addresses": [["3c:7c:3f:00:00:01"]] * count,
                "hostnames": [[f"pc-{i}"] for i in range(count)],
            }
        )
        started = time.process_time()
        outcome = resolve("device", rows)
        assert len(set(outcome.clusterer.partition.label.tolist())) == count
        return time.process_time() - started

    cost(1000)
    assert cost(30_000) < 12 * max(cost(6_000), 0.2)


# -- bad input ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["device", "identity", "application"])
def test_nothing_in_gives_nothing_out(kind: str) -> None:
    assert resolved(kind).lines == {}


@pytest.mark.parametrize("kind", ["device", "identity", "application"])
def test_a_record_without_any_identifier_is_held(kind: str) -> None:
    out = resolved(kind, {"record": "a:p:1", "product": "a"}, {"record": "a:p:2", "product": "a", "identifiers": None})
    assert out.held("a:p:1")
    assert out.apart("a:p:1", "a:p:2")


def test_ten_thousand_values_nul_and_unicode() -> None:
    many = [f"host-{i}.corp.example" for i in range(10_000)]
    macs = [f"3c:7c:3f:{i >> 16 & 255:02x}:{i >> 8 & 255:02x}:{i & 255:02x}" for i in range(10_000)]
    out = devices(
        seen("a:p:1", fqdns=many, mac_addresses=macs, serial_number="SER\u0000001"),
        seen("b:p:2", hostnames=["名前\u0000\U0001f600"], serial_number="ser\u00a0001"),
        seen("c:p:\u0000\u202e3", hostnames=many, ip_addresses=["1.1.1.1"] * 10_000),
    )
    assert out.together("a:p:1", "b:p:2")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 2 is not valid JSON"),
        ("[1]", "line 2"),
        ('{"record":"a:p:2"}', "product"),
        ('{"record":"","product":"a"}', "record"),
        ('{"record":"a:p:2","product":"a","colour":"red"}', "colour"),
        ('{"record":"a:p:2","product":"a","identifiers":{"mac":"x"}}', "identifiers.mac"),
        ('{"record":"a:p:2","product":"a","state":"asleep"}', "state"),
        ('{"record":"a:p:2","product":"a","observed_at":"yesterday"}', "observed_at"),
        ('{"record":"a:p:2","product":"a","identifiers":{"serial_number":"\\ud800"}}', "line 2"),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_resolved(line: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "observations.jsonl"
    path.write_text(json.dumps(seen("a:p:1")) + "\n" + line + "\n", encoding="utf-8")
    with pytest.raises(InvalidObservation, match=message):
        list(resolve_jsonl(path, "device"))


def test_one_line_a_record_in_the_order_of_the_file() -> None:
    rows = [
        seen("z:p:1", serial_number="SER001"),
        seen("a:p:1", serial_number="SER001"),
        seen("z:p:1", serial_number="SER001"),
    ]
    assert list(resolved("device", *rows).lines) == ["z:p:1", "a:p:1"]


def test_the_same_account_in_any_order() -> None:
    rows = [
        seen("entra:p:1", entra_object_id="0b5b7a39-0000-4000-8000-000000000001", upn="a@corp.com"),
        seen("okta:p:2", upn="A@corp.com"),
        seen("ad:p:3", upn="a@corp.com", ad_sid="S-1-5-21-1-2-3-1001"),
    ]
    assert isinstance(identities(*rows), Outcome)
    assert identities(*rows).groups() == identities(*reversed(rows)).groups() == {frozenset(r["record"] for r in rows)}


def spans() -> st.SearchStrategy[list[dict[str, Any]]]:
    """Machines set up anew, now and then at the same time as their twin."""
    months = st.tuples(st.integers(1, 6), st.integers(0, 5))
    row = st.fixed_dictionaries(
        {"serial_number": st.sampled_from(["SER001", "SER002"])},
        optional={
            "entra_device_id": st.sampled_from([f"0b5b7a39-0000-4000-8000-00000000000{i}" for i in (1, 2, 3)]),
            "manufacturer": st.just("Dell"),
            "hostnames": st.lists(st.sampled_from(["web1", "web2"]), max_size=1),
        },
    )
    return st.lists(st.tuples(st.sampled_from(["edr", "cmdb", "mdm"]), row, months), max_size=7).map(
        lambda rows: [
            seen(
                f"{product}:p:{i}",
                observed_at=f"2026-{first + length:02}-20T00:00:00Z",
                first_seen=f"2026-{first:02}-02T00:00:00Z",
                last_seen=f"2026-{first + length:02}-20T00:00:00Z",
                **values,
            )
            for i, (product, values, (first, length)) in enumerate(rows)
        ]
    )


def test_a_directory_id_that_another_record_knows_for_longer_is_no_earlier_one() -> None:
    old, new = (f"0b5b7a39-0000-4000-8000-00000000000{i}" for i in (1, 2))

    def told(record: str, serial: str, directory_id: str, since: str, until: str, **more: Any) -> dict[str, Any]:
        times = {
            "first_seen": f"{since}T00:00:00Z",
            "last_seen": f"{until}T00:00:00Z",
            "observed_at": f"{until}T00:00:00Z",
        }
        return seen(record, serial_number=serial, entra_device_id=directory_id, **times, **more)

    out = resolved(
        "device",
        told("edr:p:other", "SER001", old, "2026-01-02", "2026-01-20"),
        told("edr:p:before", "SER002", old, "2026-01-02", "2026-01-20", manufacturer="Dell"),
        told("edr:p:longer", "SER002", old, "2026-01-02", "2026-02-20"),
        told("edr:p:after", "SER002", new, "2026-02-02", "2026-02-20", manufacturer="Dell"),
    )
    assert out.apart("edr:p:after", "edr:p:longer")


@settings(max_examples=8, deadline=None)
@given(spans(), st.randoms(use_true_random=False))
def test_two_directory_ids_in_one_asset_only_one_after_the_other(
    rows: list[dict[str, Any]], dice: random.Random
) -> None:
    out = resolved("device", *rows)
    by_record = {row["record"]: row for row in rows}
    for group in out.groups():
        lives: dict[str, tuple[str, str]] = {}
        for record in group:
            row = by_record[record]
            asset_id = row["identifiers"].get("entra_device_id")
            if asset_id:
                first, last = lives.get(asset_id, (row["first_seen"], row["last_seen"]))
                lives[asset_id] = (min(first, row["first_seen"]), max(last, row["last_seen"]))
        ordered = sorted(lives.values())
        assert all(one[1] < other[0] for one, other in itertools.pairwise(ordered))
    mixed = list(rows)
    dice.shuffle(mixed)
    assert resolved("device", *mixed).groups() == out.groups()


@pytest.mark.parametrize("kind", ["device", "identity", "application"])
def test_records_that_are_too_many_to_hold_are_read_with_the_same_result(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = ordinary(kind)
    held = resolved(kind, *rows).lines
    monkeypatch.setattr(intake, "HELD", 0)
    assert resolved(kind, *rows).lines == held
