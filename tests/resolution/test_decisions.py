"""What people decide (T85): merges, splits and pairs that never match, over runs, together, and taken back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from resolution_kit import run, seen, table, told

from dbt_like_transforms.resolution.config import ResolutionConfig
from dbt_like_transforms.resolution.decisions.manual import (
    ContradictoryDecisions,
    Decision,
    DecisionError,
    DecisionFile,
    check_consistent,
    load_decisions,
)
from dbt_like_transforms.resolution.resolve import resolve

A = [seen("edr:p:a", serial_number="SER00A", first_seen="2026-01-01T00:00:00Z")]
B = [seen("edr:p:b", smbios_uuid="11f6e606-84d1-4e74-af7c-3b54377d15e3", first_seen="2026-02-01T00:00:00Z")]


def test_decisions_about_records_of_two_kinds_that_go_by_one_name_do_not_contradict_each_other() -> None:
    records = ["a:p:1", "b:p:2"]
    merge = decision("merge", "one", records=records)
    never = Decision.model_validate({"id": "two", "kind": "identity", "action": "never_match", "records": records})
    check_consistent((merge, never))


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


def test_t84_what_a_person_takes_out_of_an_asset_leaves_the_id_behind_though_it_founded_it() -> None:
    rows = [told(f"{product}:p:1", "SERAAA", month) for month, product in enumerate(("cmdb", "edr"), start=1)]
    natural, state, _ = run(rows)
    (asset,) = set(natural.values())
    out = (decision("split", parts=[["edr:p:1"], ["cmdb:p:1"]]),)
    for _ in range(2):
        ids, state, aliases = run(rows, state, out)
        assert ids["edr:p:1"] == asset != ids["cmdb:p:1"]
        assert aliases == {}
    assert run(rows, state)[0] == natural


def test_t84_what_a_person_takes_out_of_a_wrong_merge_keeps_the_id_that_it_brought_into_it() -> None:
    def rows(serial: str) -> list[dict[str, Any]]:
        return [told("cmdb:p:1", "SERAAA", 1), told("edr:p:1", serial, 2)]

    natural, state, _ = run(rows("SERBBB"))
    merged, state, _ = run(rows("SERAAA"), state)
    assert set(merged.values()) == {natural["cmdb:p:1"]}
    for _ in range(2):
        ids, state, aliases = run(rows("SERAAA"), state, (decision("split", parts=[["edr:p:1"], ["cmdb:p:1"]]),))
        assert (ids, aliases) == (natural, {})


@pytest.mark.parametrize(
    "merges", [{"one": ["edr:p:1", "edr:p:0"]}, {"a": ["edr:p:1", "gone"], "one": ["gone", "edr:p:0"]}]
)
def test_a_manual_merge_that_would_join_what_a_person_keeps_apart_is_left_out_and_says_so(
    merges: dict[str, list[str]],
) -> None:
    # of the one machine the one record was seen first, of the other the other one
    since = {"edr:p:0": 1, "edr:p:1": 2, "cmdb:p:1": 3, "cmdb:p:0": 4}
    rows = [told(record, f"SER00{record[-1]}", month) for record, month in since.items()]
    never = decision("never_match", "two", records=["cmdb:p:0", "cmdb:p:1"])
    merge = [decision("merge", name, records=records) for name, records in merges.items()]
    outcome = resolve("device", table(*rows), decisions=(*merge, never))
    ids = dict(outcome.assignments().project("record, asset_id").fetchall())
    assert ids["edr:p:0"] == ids["cmdb:p:0"] != ids["edr:p:1"] == ids["cmdb:p:1"]
    merging = (
        outcome.decisions().filter("rule = 'manual_merge'").project("record, value, other_record, verdict, sentence")
    )
    ((record, value, other, verdict, sentence),) = merging.fetchall()
    assert ({record, other}, value, verdict) == ({"edr:p:0", "edr:p:1"}, "one", "vetoed")
    assert "one by decision one as edr:p:" in sentence
    assert "a person decided that they are different" in sentence


def test_what_could_belong_to_either_of_two_goes_with_them_once_a_person_made_them_one() -> None:
    boards = [{"smbios_uuid": f"11f6e606-84d1-4e74-af7c-3b54377d15{n}3"} for n in "ab"]
    rows = [
        *(seen(f"edr:p:{n}", serial_number=f"SER00{n}", **boards[n > 2]) for n in range(1, 7)),
        # those that tell nothing but the board were seen before all others
        *(seen(f"{product}:p:8", first_seen="2020-01-01T00:00:00Z", **boards[0]) for product in ("nac", "scan")),
        seen("scan:p:9", **boards[1]),
        seen("cmdb:p:0", hostnames=["pc-0"]),
    ]

    def asset_of(*decisions: Decision) -> dict[str, str]:
        return run(rows, None, decisions)[0]

    one = decision("merge", "one", records=["edr:p:1", "edr:p:2"])
    ids = asset_of(
        one,
        decision("merge", "two", records=["edr:p:3", "edr:p:4"]),
        decision("merge", "three", records=["edr:p:5", "edr:p:6"]),
    )
    assert ids["edr:p:1"] == ids["scan:p:8"] == ids["nac:p:8"]
    assert ids["scan:p:9"] is None, "it could still belong to either of what a person made"
    ids = asset_of(decision("merge", "other", records=["edr:p:1", "edr:p:3"]))
    assert ids["scan:p:8"] is None
    # what a person gave to another one, or keeps apart, does not go along
    ids = asset_of(
        one,
        decision("merge", "given", records=["scan:p:8", "cmdb:p:0"]),
        decision("never_match", "never", records=["edr:p:2", "nac:p:8"]),
    )
    assert ids["scan:p:8"] == ids["cmdb:p:0"] != ids["edr:p:1"] != ids["nac:p:8"]


def test_never_match_keeps_two_records_apart_across_clusters() -> None:
    rows = [
        seen("a:p:1", serial_number="SER00N"),
        seen("b:p:2", serial_number="SER00N"),
        seen("c:p:3", serial_number="SER00N"),
    ]
    ids, _, _ = run(rows, None, (decision("never_match", records=["a:p:1", "b:p:2"]),))
    assert ids["a:p:1"] != ids["b:p:2"]


def test_what_a_person_keeps_apart_is_no_question_any_more_and_waits_for_nobody() -> None:
    rows = [
        row
        for name in ("lt-one", "lt-two")
        for row in (
            seen(f"edr:p:{name}", hostnames=[name], serial_number=f"5CG77{name}"),
            seen(f"cmdb:p:{name}", serial_number=f"5CG77{name}"),
            seen(f"scan:p:{name}", hostnames=[name]),
        )
    ]
    # of the machine another record than the one with the name
    never = decision("never_match", records=["cmdb:p:lt-one", "scan:p:lt-one"])
    outcome = resolve("device", table(*rows), decisions=(never,))
    held = outcome.assignments().filter("state = 'held'").project("record").fetchall()
    asked = outcome.review_pairs().fetchall()
    assert held == [("scan:p:lt-two",)]
    assert asked == [("edr:p:lt-two", "scan:p:lt-two")]
    told = outcome.decisions().filter("rule = 'host_alone' AND against = 'apart'").project("sentence").fetchall()
    assert told == [("same short host name lt-one as scan:p:lt-one, but a person decided that they are different",)]


def test_two_invitations_of_one_address_are_no_question_once_a_person_keeps_them_apart() -> None:
    given = {"emails": ["bob@partner.example"]}
    rows = [seen(f"entra:{n}:1", entra_object_id=f"11f6e606-84d1-4e74-af7c-3b54377d150{n}", **given) for n in "12"]
    never = {"id": "d1", "kind": "identity", "action": "never_match", "records": ["entra:1:1", "entra:2:1"]}
    for decisions, asked in (((), 1), ((Decision.model_validate(never),), 0)):
        outcome = resolve("identity", table(*rows, kind="identity"), decisions=decisions)
        assert len(outcome.review_pairs().fetchall()) == asked
        assert len(outcome.links().fetchall()) == 2


def test_split_takes_out_the_later_parts_and_leaves_the_rest_together() -> None:
    rows = [seen(f"s{i}:p:1", serial_number="SER00S") for i in range(5)]
    split = decision("split", parts=[["s0:p:1"], ["s1:p:1", "s2:p:1"]])
    of_accounts = {"id": "d2", "kind": "identity", "action": "never_match", "records": ["s3:p:1", "s4:p:1"]}
    ids, _, _ = run(rows, None, (split, Decision.model_validate(of_accounts)))
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
    # of two that say the same the first by its id, in whatever order they stand
    again = decision("merge", "two-more", records=["s0:p:1", "x:p:1"])
    outcome = resolve("device", table(*rows), decisions=(again, split, merge))
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


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("merge one ab, merge two cd, merge three bc, never_match four ad", "'four' keeps a .* one, three, two makes"),
        ("merge one ab, merge two cd, merge three cb, never_match four da", "'four' keeps d .* one, three, two makes"),
        ("split s ab c, never_match n ab", "'n' keeps a and b apart, but s makes"),
        ("split s ab c, merge m bc", "'s' keeps a and c apart, but m makes"),
        ("split s a b, split t a c", "'s' and 't' both split a: keep"),
    ],
)
def test_decisions_contradict_each_other_through_groups_and_parts_too(told: str, said: str) -> None:
    decisions = []
    for text in told.split(", "):
        action, name, *groups = text.split()
        records = {"parts": [list(part) for part in groups]} if action == "split" else {"records": list(groups[0])}
        decisions.append(decision(action, name, **records))
    with pytest.raises(ContradictoryDecisions, match=said):
        check_consistent(decisions)


def test_the_records_of_a_split_are_parts_of_one() -> None:
    assert decision("split", records=["a", "b"]) == decision("split", parts=[["a"], ["b"]])


def test_a_decision_about_a_record_that_is_gone_waits() -> None:
    outcome = resolve("device", table(*A), decisions=(decision("merge", records=["edr:p:a", "gone:p:1"]),))
    assert ("gone:p:1", "ignored", None) in outcome.decisions().project("record, verdict, against").fetchall()


@pytest.mark.parametrize("without", ["cmdb", "prod"])
def test_a_decision_about_a_source_that_is_left_out_waits_for_it(without: str) -> None:
    merge = decision("merge", records=["edr:p:a", "cmdb:prod:a"])
    outcome = resolve("device", table(*A), decisions=(merge,), config=ResolutionConfig(without=(without,)))
    told = outcome.decisions().filter("verdict = 'ignored'").project("record, against, sentence").fetchall()
    ((record, against, sentence),) = told
    assert (record, against) == ("cmdb:prod:a", "left_out")
    assert f"it waits for {without}" in sentence


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


ONE = "{id: a, kind: device, action: merge, records: [x:y:1, x:y:2]"


def loaded(folder: Path, text: str | bytes) -> DecisionFile:
    file = folder / "decisions.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_decisions(file)


@pytest.mark.parametrize(
    "text", ["", "# none any more\n", "decisions:\nallow:\ngate:\n", "decisions: []\n", b"\xef\xbb\xbfdecisions:\r\n"]
)
def test_a_file_from_which_every_decision_was_taken_out_holds_none(tmp_path: Path, text: str | bytes) -> None:
    assert loaded(tmp_path, text) == DecisionFile()


def test_who_decided_when_and_why_may_be_told_as_a_person_writes_it(tmp_path: Path) -> None:
    told = "\n    ".join(["- id: 4711", "kind: device", "action: merge", "records: [x:y:1, x:y:2]"])
    file = loaded(tmp_path, f"decisions:\n  {told}\n    on: 2026-11-20\n    by: ann\n    reason:\n")
    assert [(one.id, one.on, one.by, one.reason) for one in file.decisions] == [("4711", "2026-11-20", "ann", "")]
    assert file.decisions[0].title == "decision 4711"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"decisions:\n- {ONE}}}\ndecisions:\n- {ONE}}}\n", "`decisions` is given twice\n.*line 3"),
        (f"decisions:\n- {ONE},\n   records: [x:y:3, x:y:4]}}\n", "`records` is given twice\n.*line 3"),
        (f"- {ONE}}}\n", "the file: should have the keys decisions:"),
        ("nothing decided\n", "the file: should have the keys decisions:"),
        ("decisions:\n\t- id: a\n", "line 2"),
        (
            "decisions:\n- {id: a, kind: device, action: merge, records: x:y:1}\n",
            r"decisions.0.records: .* list, such as \[",
        ),
        ("decisions:\n- {id: a, kind: device, action: split, parts: [x:y:1, x:y:2]}\n", "decisions.0.parts.0: .* list"),
        ("decisions:\n-\n", "decisions.0: should have keys"),
        ("decision: []\n", "decision: is no key that is known"),
        ("allow:\n- {identifier: serial_number, value: 1234567}\n", "allow.0.value: .* in quotes.* 1234567"),
        ("allow:\n- {identifier: serial_number, value: ''}\n", "allow.0.value"),
        ("allow:\n- {identifier: serial, value: a}\n", "allow.0: identifier must be one of agent_ids, .*serial_number"),
        (f"decisions:\n- {ONE}}}\n- {ONE}}}\n", "decision id 'a' is used twice"),
        (f"decisions:\n- {ONE}, parts: [[x:y:3]]}}\n", "decisions.0: a merge needs `records`"),
        (f"decisions:\n- {ONE}, x:y:1]}}\n".replace("2], ", "2, "), "decisions.0: a record is named twice"),
        (f"decisions:\n- {ONE}}}\n".replace("y:2", "y:1"), "decisions.0: a merge needs `records`: at least two"),
        (f"decisions:\n- {ONE}, parts: [[x:y:3], [x:y:4]]}}\n".replace("merge", "split"), "a split needs `parts`"),
        (
            "decisions:\n- {id: a, kind: device, action: split, parts: [[x:y:1]]}\n",
            "a split needs `parts`: two or more",
        ),
        ("decisions:\n- {id: a, kind: device, action: split, parts: [[x:y:1], []]}\n", "a split needs `parts`"),
        (f"decisions:\n- {ONE}, reason: für}}\n".encode("latin-1"), "UTF-8"),
        (f"decisions:\n- {ONE}}}\n".encode("utf-16"), "UTF-8"),
    ],
)
def test_a_file_with_a_mistake_is_refused_with_its_place_and_what_should_stand_there(
    tmp_path: Path, text: str | bytes, said: str
) -> None:
    with pytest.raises(DecisionError, match=said):
        loaded(tmp_path, text)


def test_decisions_under_a_name_that_nobody_reads_are_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "decisions.yml").write_text(f"decisions:\n- {ONE}}}\n")
    with pytest.raises(DecisionError, match=r"rename it to decisions\.yaml"):
        load_decisions(tmp_path / "decisions.yaml")
    (tmp_path / "decisions.yaml").mkdir()
    with pytest.raises(DecisionError, match="cannot be read"):
        load_decisions(tmp_path / "decisions.yaml")
