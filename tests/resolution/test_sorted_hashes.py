"""Hashes are sorted in portions and by their first bits: the traps are in what these do not tell apart."""

from __future__ import annotations

import numpy as np
import pytest

from dbt_like_transforms.resolution.clustering import integers
from dbt_like_transforms.resolution.clustering.facts import Edges, shared_values
from dbt_like_transforms.resolution.clustering.findings import Findings, Suppressed
from dbt_like_transforms.resolution.clustering.integers import Keys, among, by_row, places_in_order, repeated


def _expected(keys: Keys) -> list[tuple[int, list[int]]]:
    places: dict[int, list[int]] = {}
    for place, key in enumerate(keys.tolist()):
        places.setdefault(key, []).append(place)
    return [(key, found) for key, found in sorted(places.items()) if len(found) > 1]


def _found(keys: Keys) -> list[tuple[int, list[int]]]:
    places, numbers, values = repeated(keys)
    assert numbers.tolist() == sorted(numbers.tolist())
    return [(int(value), places[numbers == number].tolist()) for number, value in enumerate(values)]


@pytest.mark.parametrize("portion", [4, 64, 1 << 15])
@pytest.mark.parametrize("count", [0, 1, 2, 300])
def test_repeated_hashes_come_by_hash_then_place_however_many_portions(
    monkeypatch: pytest.MonkeyPatch, portion: int, count: int
) -> None:
    monkeypatch.setattr(integers, "PORTION", portion)
    drawn = np.random.default_rng(count).integers(0, 2**64 - 1, max(count // 3, 1), dtype=np.uint64)
    keys = drawn[np.random.default_rng(1).integers(0, len(drawn), count)]
    assert _found(keys) == _expected(keys)


def test_hashes_that_differ_in_their_last_bits_alone_stay_apart() -> None:
    keys = np.array([9, 3, 9, 5, 3, 2**63 + 1, 2**63, 2**63 + 1, 7], np.uint64)
    assert _found(keys) == _expected(keys)


def test_a_record_that_lists_a_value_twice_does_not_share_it_with_itself() -> None:
    rows, keys = np.array([0, 0, 1, 1, 2], np.int32), np.array([8, 8, 6, 6, 6], np.uint64)
    found = shared_values(rows, keys)
    assert (found.rows.tolist(), found.number.tolist(), found.starts.tolist()) == ([1, 2], [0, 0], [0])
    assert found.keys.tolist() == [6]


def test_what_one_cluster_has_to_itself_is_forgotten_and_the_rest_renumbered() -> None:
    edges = Edges(np.array([0, 1, 2, 3], np.int32), np.array([4, 4, 6, 6], np.uint64))
    found = edges.shared_between(np.array([0, 0, 2, 3], np.int32))
    assert (found.rows.tolist(), found.number.tolist(), found.keys.tolist()) == ([2, 3], [0, 0], [6])
    assert edges.shared() is found


def test_numbers_beyond_16_bits_are_sorted_by_all_of_them() -> None:
    numbers = np.array([1 << 16, 1, 1 << 31, 1, 0, (1 << 16) + 1], np.uint32)
    assert places_in_order(numbers).tolist() == [4, 1, 3, 0, 5, 2]


def test_values_that_begin_like_a_wanted_one_are_not_wanted() -> None:
    wanted = np.array([1 << 50, (1 << 50) + 2], np.uint64)
    values = np.array([1 << 50, (1 << 50) + 1, (1 << 50) + 2, (1 << 50) + 3, 5, 1 << 63], np.uint64)
    assert among(values, wanted).tolist() == [True, False, True, False, False, False]


@pytest.mark.parametrize("count", [4, 400])
def test_edges_come_by_row_with_every_value_of_a_row_even_equal_ones_and_zero(count: int) -> None:
    rows, keys = by_row(np.array([2, 0, 2, 2, 0], np.int32), np.array([7, 2**64 - 1, 0, 7, 5], np.uint64), count)
    assert (rows.tolist(), keys.tolist()) == ([0, 0, 2, 2, 2], [2**64 - 1, 5, 7, 0, 7])
    assert [len(column) for column in by_row(np.empty(0, np.int32), np.empty(0, np.uint64), 0)] == [0, 0]


def test_values_that_identify_nothing_are_given_as_they_are_looked_up() -> None:
    findings = Findings()
    for identifier, key in (("serial", 9), ("mac", 5), ("serial", 3), ("serial", 9)):
        findings.suppressed.append(Suppressed("serial_number", identifier, key, 0, "uuid", 2, 2))
    assert findings.suppressed_keys("serial").tolist() == [3, 9]
    assert list(findings.suppressed_of_each()) == ["mac", "serial"]
