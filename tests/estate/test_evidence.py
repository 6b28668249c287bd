"""The key asks for what can be known, and for all of it."""

from __future__ import annotations

import pandas as pd

from demo_estate.answer_key import provable
from demo_estate.evidence import machine_evidence
from demo_estate.scoring import score_records


def test_spellings_of_one_identifier_are_the_same_evidence() -> None:
    guest = machine_evidence(serial="VMware-42 02 30 81 33 1b 58 e1-27 30 ca 56 07 89 e5 51")
    assert guest == machine_evidence(uuid="42023081-331b-58e1-2730-ca560789e551")
    assert guest == machine_evidence(uuid="81300242-1B33-E158-2730-CA560789E551")
    one = machine_evidence(macs=["AABBCCDDEEFF"], names=["WEB01.corp.example"])
    assert one & machine_evidence(macs=["aa-bb-cc-dd-ee-ff"], names=["web01"])
    assert one & machine_evidence(names=["WEB01"], domain="corp.example")


def test_what_many_machines_share_is_no_evidence() -> None:
    assert machine_evidence(names=["web01"]) == frozenset()
    assert machine_evidence(serial="To be filled by O.E.M.", uuid="03000200-0400-0500-0006-000700080009") == frozenset()
    assert machine_evidence(macs=["08:00:27:51:56:d8"], names=["localhost"]) == frozenset()
    assert machine_evidence(ids=["00000000-0000-0000-0000-000000000000"]) == frozenset()


def test_a_chain_of_evidence_connects_and_a_bare_name_does_not() -> None:
    chain = [frozenset({"serial a", "uuid b"}), frozenset({"uuid b"}), frozenset({"serial a"}), frozenset[str]()]
    assert provable(["dev-1"] * 4, chain) == ["dev-1/1", "dev-1/1", "dev-1/1", "dev-1/2"]
    assert provable(["dev-1", "dev-2"], [frozenset({"uuid b"}), frozenset({"uuid b"})]) == ["dev-1/1", "dev-2/1"]
    assert provable(["per-1", "per-1"], [None, None]) == ["per-1/1", "per-1/1"]


def test_an_unprovable_pair_costs_no_recall_and_merging_it_is_no_error() -> None:
    key = pd.DataFrame(
        [("p", "i", "device", str(n), "dev-1", "", part) for n, part in enumerate(["dev-1/1", "dev-1/1", "dev-1/2"])],
        columns=["product", "instance", "kind", "record_id", "truth_id", "tags", "provable"],
    )
    apart = score_records(key, [("device", asset, "p", "i", str(n)) for n, asset in enumerate("aab")])
    assert (apart.precision, apart.recall, apart.pairs.beyond, apart.wrong_split_count) == (1.0, 1.0, 2, 0)
    lucky = score_records(key, [("device", "a", "p", "i", str(n)) for n in range(3)])
    assert (lucky.precision, lucky.recall) == (1.0, 1.0)
    missed = score_records(key, [("device", asset, "p", "i", str(n)) for n, asset in enumerate("abc")])
    assert missed.recall == 0.0
