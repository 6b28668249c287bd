"""The gate before publishing: what changes more than a person should miss stops the build and says how to go on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from resolution_kit import Runs, seen, told

from dbt_like_transforms.resolution.decisions.manual import DecisionError
from dbt_like_transforms.resolution.gate import Limit, Merge, Split, changes, gate_of
from dbt_like_transforms.resolution.models import PublishGateClosed

#: Forty machines, each in two products.
PAIRS = [
    seen(f"{product}:p:{number}", serial_number=f"SER{number:03}A")
    for product in ("edr", "mdm")
    for number in range(40)
]
WRONG = {
    "decisions": [
        {"id": f"d{n}", "kind": "device", "action": "split", "parts": [[f"edr:p:{n}"], [f"mdm:p:{n}"]]}
        for n in range(30)
    ]
}


def assigned(told: str) -> pa.Table:
    """`a=A` for a record and its asset, `a=` for one that has none."""
    pairs = [item.split("=") for item in told.split()]
    assets = pa.array([asset or None for _, asset in pairs], pa.string())
    return pa.table({"record": pa.array([record for record, _ in pairs], pa.string()), "asset_id": assets})


def test_what_merged_and_what_split_is_told_of_records_that_have_an_asset_before_and_after() -> None:
    found = changes(
        assigned("a=A b=B c=C d=C e=C gone=G held1= held2= lost=L renamed1=R renamed2=R x=X y=Y"),
        assigned("a=A b=A c=C d=D e= new=N held1=H1 held2=H2 lost= renamed1=S renamed2=S x=Z y=Z"),
    )
    assert found.merges == (Merge("A", ("B",), ("b",)), Merge("Z", ("X", "Y"), ("x", "y")))
    assert found.splits == (Split("C", ("C", "D"), ("d",)),)
    assert (found.before, found.touched) == (8, 4)


def test_of_several_earlier_assignments_the_first_that_is_too_far_away_tells_and_one_that_is_near_passes() -> None:
    none, far, further, near = map(assigned, ("", "a=A b=B", "a=A b=B c=C", "a=A b=A c=A"))
    now, limit = assigned("a=A b=A c=A"), Limit(assets=0, share=0)
    assert gate_of([none, none], now, limit).passed
    assert gate_of([none, far, further], now, limit).message.startswith("1 merges and 0 splits touch 1 of 2 assets")
    assert gate_of([further, far], now, limit).message.startswith("1 merges and 0 splits touch 2 of 3 assets")
    assert gate_of([further, near], now, limit).passed
    assert gate_of([far], now, Limit(assets=1, share=0)).passed
    assert not gate_of([further], now, Limit(assets=1, share=0)).passed


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path)


def test_more_splits_than_the_limit_stop_the_build_and_say_how_to_accept_them(runs: Runs) -> None:
    before = runs.build(*PAIRS)
    runs.decide(**WRONG)
    with pytest.raises(
        PublishGateClosed, match=r"30 splits touch 30 of 40 assets: more than the limit of 25"
    ) as refused:
        runs.build(*PAIRS)
    assert "Most of the records that would move: 30 of p." in str(refused.value)
    for way in ("--what-if", "--accept-changes", "--without INSTANCE", "decisions.yaml"):
        assert way in str(refused.value)
    # nothing was published, so that the next run without the decisions goes on with the same ids
    runs.decide()
    assert runs.build(*PAIRS) == before


def test_what_a_person_accepts_is_published_and_going_back_gives_the_ids_back(runs: Runs) -> None:
    before = runs.build(*PAIRS)
    runs.decide(**WRONG)
    after = runs.build(*PAIRS, accept_changes=True)
    assert len(set(after.values())) == 70
    assert runs.build(*PAIRS) == after, "what is published is no change any more"
    runs.decide()
    with pytest.raises(PublishGateClosed, match="30 merges"):
        runs.build(*PAIRS)
    assert runs.build(*PAIRS, accept_changes=True) == before


def test_a_first_date_that_is_built_anew_is_held_against_what_it_had(runs: Runs) -> None:
    before = runs.build(*PAIRS)
    runs.decide(**WRONG)
    with pytest.raises(PublishGateClosed, match="30 splits touch 30 of 40 assets"):
        runs.build(*PAIRS, again=True)
    runs.decide()
    assert runs.build(*PAIRS, again=True) == before


def test_what_a_person_accepted_is_not_asked_again_on_the_same_date_and_may_be_taken_back(runs: Runs) -> None:
    before = runs.build(*PAIRS)
    runs.build(*PAIRS)
    runs.decide(**WRONG)
    after = runs.build(*PAIRS, again=True, accept_changes=True)
    assert runs.build(*PAIRS, again=True) == after
    runs.decide()
    assert runs.build(*PAIRS, again=True) == before, "as on the day before"


def test_the_limit_is_the_larger_of_a_number_and_a_share_and_a_person_sets_it(runs: Runs) -> None:
    runs.build(*PAIRS)
    for gate, passes in (
        ({"assets": 29, "share": 0}, False),
        ({"assets": 0, "share": 0.74}, False),
        ({"assets": 30, "share": 0}, True),
        ({"assets": 0, "share": 0.75}, True),
    ):
        runs.decide(**WRONG, gate=gate)
        if passes:
            runs.build(*PAIRS)
            runs.decide()
            runs.build(*PAIRS, accept_changes=True)
        else:
            with pytest.raises(PublishGateClosed):
                runs.build(*PAIRS)


@pytest.mark.parametrize("gate", [{"assets": -1}, {"share": 5}, {"limit": 3}, {"assets": "many"}])
def test_a_limit_that_is_none_is_refused_by_its_place(runs: Runs, gate: dict[str, Any]) -> None:
    runs.decide(gate=gate)
    with pytest.raises(DecisionError, match=f"gate.{next(iter(gate))}"):
        runs.build(*PAIRS)


def test_new_machines_and_machines_that_go_are_no_merges_and_splits(runs: Runs) -> None:
    runs.build(*PAIRS)
    runs.build(*PAIRS[:4])
    runs.build(*PAIRS)


def test_a_source_left_out_may_split_what_it_joined(runs: Runs) -> None:
    bridges = [
        seen(
            f"bad:p:{number}", serial_number=f"SER{number:03}A", smbios_uuid=f"{number:08x}-84d1-4e74-af7c-3b54377d15e3"
        )
        for number in range(40)
    ]
    uuids = [seen(f"scan:p:{number}", smbios_uuid=f"{number:08x}-84d1-4e74-af7c-3b54377d15e3") for number in range(40)]
    joined = runs.build(*PAIRS, *uuids, *bridges)
    assert len(set(joined.values())) == 40
    left = runs.build(*PAIRS, *uuids, *bridges, without_instances=["bad"])
    assert len(set(left.values())) == 80
    assert not any(record.startswith("bad:") for record in left)


def test_a_resolution_tells_what_it_is_doing(runs: Runs) -> None:
    doing: list[str] = []
    runs.build(told("edr:p:a", "SER00A", 1), told("cmdb:p:a", "SER00A", 1), report=doing.append)
    assert "devices: comparing 2 records" in doing
    assert "devices: giving ids and links to 1 groups of records" in doing
