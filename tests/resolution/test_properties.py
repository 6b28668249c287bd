"""What must hold for any input: T80 to T83, T86 to T89, and what bad input may not do."""

from __future__ import annotations

import itertools
import json
import random
import sys
import tracemalloc
from pathlib import Path
from types import FrameType
from typing import Any

import pyarrow as pa
import pytest
from case_table import ordinary
from hypothesis import given, settings
from hypothesis import strategies as st
from resolution_kit import Outcome, connection, devices, identities, resolved, seen

from dbt_like_transforms.resolution import intake
from dbt_like_transforms.resolution.clustering.settle import settle
from dbt_like_transforms.resolution.jsonl import resolve_jsonl
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
    assert out.review("edr:p:3") <= {"cmdb:p:x"}, "that two of so many machines differ is no question"


def test_t81_an_unlisted_placeholder_serial_shows_by_its_names() -> None:
    out = devices(*(seen(f"edr:p:{i}", serial_number="ACME-BOARD", hostnames=[f"pc-a{i}"]) for i in range(25)))
    assert len(out.groups()) == 25


def observations() -> st.SearchStrategy[list[dict[str, Any]]]:
    """Small estates in which everything collides with everything. Several at once, since a resolution costs the same:
    no two share a value, for the ~ in it is the number of the estate."""
    pool = {
        "serial_number": ["SER~01", "SER~02", "SER~03"],
        "smbios_uuid": ["11f6e606-84d1-4e74-af7c-3b54377d~5e3", "f2265c3a-1cd7-40a5-80d7-52f0688c~3c8"],
        "entra_device_id": ["0b5b7a39-0000-4000-8000-00000000~001", "0b5b7a39-0000-4000-8000-00000000~002"],
        "manufacturer": ["Dell", "Lenovo"],
    }
    fields: dict[str, st.SearchStrategy[Any]] = {key: st.sampled_from(values) for key, values in pool.items()}
    fields["mac_addresses"] = st.lists(st.sampled_from(["3c:7c:3f:0~:00:01", "3c:7c:3f:0~:00:02"]), max_size=2)
    fields["hostnames"] = st.lists(st.sampled_from(["web~1", "web~2"]), max_size=1)
    fields["fqdns"] = st.lists(st.sampled_from(["web~1.corp.example", "web~2.corp.example"]), max_size=1)
    fields["agent_ids"] = st.dictionaries(st.just("aid"), st.sampled_from(["a1b~", "c3d~"]), max_size=1)
    identifiers = st.fixed_dictionaries({}, optional=fields)
    record = st.tuples(
        st.sampled_from(["edr", "cmdb", "nac"]), identifiers, st.sampled_from(["2026-11-20", "2026-06-01"])
    )
    return st.lists(st.lists(record, max_size=9), max_size=8).map(
        lambda estates: [
            seen(f"{product}:p:{number}{i}", observed_at=f"{day}T10:00:00Z", **of_estate(values, number))
            for number, rows in enumerate(estates)
            for i, (product, values, day) in enumerate(rows)
        ]
    )


def of_estate(values: dict[str, Any], number: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(values).replace("~", str(number)))
    return found


STRONG = ("serial_number", "entra_device_id")


@settings(max_examples=5, deadline=None)
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


def test_t82_who_was_seen_first_does_not_decide_who_is_at_work() -> None:
    # 1 is at work and differs from 3 and 4, which are retired, but 2 and 5 go with these and are at work; 0 goes with either
    groups, at_work, differ = [{2, 3, 4, 5}, {1, 3, 4}, {0, 1, 4}], {1, 2, 5}, [{1, 3}, {1, 4}]
    for called in itertools.permutations(range(6)):
        blocks = {number: [called[one] for one in group] for number, group in enumerate(groups)}
        settlement = settle(
            blocks,
            lambda a, b, called=called: "differ" if {called.index(a), called.index(b)} in differ else None,
            lambda a, called=called: called.index(a) in at_work,
        )
        assert [{called.index(one) for one in merged} for merged in settlement.merged] == [{2, 3, 4, 5}]


@settings(max_examples=5, deadline=None)
@given(observations())
def test_t88_no_asset_holds_two_serials_or_two_directory_ids(rows: list[dict[str, Any]]) -> None:
    by_record = {row["record"]: row["identifiers"] for row in rows}
    for group in resolved("device", *rows).groups():
        for name in STRONG:
            assert len({by_record[r][name] for r in group if by_record[r].get(name)}) <= 1


@settings(max_examples=5, deadline=None)
@given(observations())
def test_t83_a_run_on_its_own_state_changes_nothing(rows: list[dict[str, Any]]) -> None:
    table = to_table([shape_of("device").validate_python(row) for row in rows], "device")
    first = resolve("device", table, connection=connection())
    before = dict(first.assignments().project("record, asset_id").fetchall())
    state = first.state().to_arrow_table()
    again = resolve("device", table, state=state, connection=connection())
    assert dict(again.assignments().project("record, asset_id").fetchall()) == before
    assert again.aliases().fetchall() == []


BOARD, OTHER_ID = "11f6e606-84d1-4e74-af7c-3b54377d15e3", "22f6e606-84d1-4e74-af7c-3b54377d15e3"
TIES = {
    "serial number and UUID, both of one rung": (
        seen("intune:p:a", serial_number="SER00A", entra_device_id=BOARD),
        seen("entra_id:p:b", smbios_uuid=BOARD, entra_device_id=OTHER_ID),
        seen("cmdb:p:c", serial_number="SER00A", smbios_uuid=BOARD),
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


def test_t89_a_placeholder_on_many_records_costs_linear_work_and_memory() -> None:
    def cost(count: int) -> tuple[int, int]:
        """Calls of functions, and bytes held at most."""
        rows = pa.table(
            {
                "record": [f"edr:p:{i}" for i in range(count)],
                "product": ["edr"] * count,
                "instance": ["p"] * count,
                "serial_number": ["QX7Z41BB"] * count,
                "smbios_uuid": [f"aaaaaaaa-bbbb-4ccc-8ddd-{i:012x}" for i in range(count)],
                "mac_addresses": [["3c:7c:3f:00:00:01"]] * count,
                "hostnames": [[f"pc-{i}"] for i in range(count)],
            }
        )
        calls = 0

        def counted(_frame: FrameType, event: str, _argument: object) -> None:
            nonlocal calls
            calls += event in ("call", "c_call")

        tracemalloc.start()
        sys.setprofile(counted)
        try:
            outcome = resolve("device", rows, connection=connection())
        finally:
            sys.setprofile(None)
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        assert len(set(outcome.clusterer.partition.label.tolist())) == count
        return calls, peak

    cost(100)
    (few, _), (many, _) = cost(150), cost(900)
    assert many <= 6 * few
    (_, little), (_, much) = cost(2_000), cost(12_000)
    assert much <= 7 * little


@pytest.mark.parametrize(("chassis", "linked"), [(1, 1), (50, 0)])
def test_t89_a_serial_number_of_many_chassis_and_blades_links_no_two_of_them(chassis: int, linked: int) -> None:
    number = {"serial_number": "USE1234ABC"}
    rows = [
        seen(f"ome:p:{i}", hostnames=[f"enclosure{i}"], attributes={"model": "BladeSystem c7000 enclosure"}, **number)
        for i in range(chassis)
    ]
    blades = [seen(f"edr:p:{i}", hostnames=[f"node{i}"], **number) for i in range(50)]
    out = devices(*rows, *blades)
    assert all(
        len([link for link in out.links(blade["record"]) if link[1].startswith("ome")]) == linked for blade in blades
    )


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


def test_a_directory_id_that_comes_back_after_another_was_not_followed_by_it() -> None:
    old, new = (f"0b5b7a39-0000-4000-8000-00000000000{i}" for i in (1, 2))

    def told(record: str, serial: str, directory_id: str, month: int) -> dict[str, Any]:
        times = {"first_seen": f"2026-{month:02}-02T00:00:00Z", "last_seen": f"2026-{month:02}-20T00:00:00Z"}
        return seen(record, serial_number=serial, entra_device_id=directory_id, observed_at=times["last_seen"], **times)

    out = resolved(
        "device",
        told("edr:p:image", "SER002", old, 1),
        told("edr:p:first", "SER001", old, 1),
        told("edr:p:between", "SER001", new, 5),
        told("edr:p:again", "SER001", old, 6),
    )
    assert out.apart("edr:p:first", "edr:p:between", "edr:p:again")
    assert out.review("edr:p:between") == {"edr:p:first", "edr:p:again"}


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
