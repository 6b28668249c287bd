"""What a vendor sends and what is made of it."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.landing.conftest import Workbench, pages, stream


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("2025-11-02T08:11:09.1234567Z", datetime(2025, 11, 2, 8, 11, 9, 123456)),
        ("2025-11-02T08:11:09Z", datetime(2025, 11, 2, 8, 11, 9)),
        ("2025-11-02T10:11:09+02:00", datetime(2025, 11, 2, 8, 11, 9)),
        ("2026-01-30 11:22:33", datetime(2026, 1, 30, 11, 22, 33)),
        ("2026-01-30", datetime(2026, 1, 30)),
        (1767225600, datetime(2026, 1, 1)),
        ("1767225600000", datetime(2026, 1, 1)),
        ("", None),
        (None, None),
        ("0001-01-01T00:00:00Z", None),
        (-1, None),
        (0, None),
    ],
)
def test_every_spelling_of_a_moment_is_utc_and_no_value_is_null(bench: Workbench, sent: object, read: object) -> None:
    manifest = bench.one(stream(pages([{"id": "a", "seen": sent}])))
    assert bench.rows(manifest, "seen") == [(read,)]
    assert manifest.field_issues == 0


def test_a_bad_record_goes_to_quarantine_with_its_place_and_the_rest_go_on(bench: Workbench) -> None:
    manifest = bench.one(stream(pages([{"id": "a"}, "no object"], [{"name": "no key"}, {"id": {"x": 1}}, {"id": "b"}])))
    assert bench.rows(manifest, "_record_id, _page, _row") == [("a", 0, 0), ("b", 1, 4)]
    assert bench.rows(manifest, "page, row, severity, reason", "quarantine.parquet") == [
        (0, 1, "rejected", "not an object"),
        (1, 2, "rejected", "no usable key id"),
        (1, 3, "rejected", "no usable key id"),
    ]
    assert manifest.rejected == 3
    assert manifest.state == "partial", "an unreadable record may be the one that seems gone"


def test_a_field_of_the_wrong_type_costs_the_field_and_not_the_record(bench: Workbench) -> None:
    manifest = bench.one(
        stream(pages([{"id": "a", "count": "many", "seen": "yesterday", "managed": "perhaps", "score": "7.0"}]))
    )
    assert bench.rows(manifest, "id, count, seen, managed, score") == [("a", None, None, None, 7.0)]
    assert {row[0] for row in bench.rows(manifest, "field", "quarantine.parquet")} == {"count", "seen", "managed"}
    assert (manifest.state, manifest.field_issues) == ("complete", 3)


def test_a_scalar_where_a_list_is_declared_becomes_a_list_of_one(bench: Workbench) -> None:
    manifest = bench.one(
        stream(
            pages(
                [
                    {"id": "a", "tags": "one", "nics": {"mac": "x", "ips": None}},
                    {"id": "b", "tags": ["p", "q"], "nics": []},
                ]
            )
        )
    )
    assert bench.rows(manifest, "id, tags, nics") == [
        ("a", ["one"], [{"mac": "x", "ips": None}]),
        ("b", ["p", "q"], []),
    ]


def test_a_record_sent_twice_counts_once_and_the_last_one_wins(bench: Workbench) -> None:
    manifest = bench.one(stream(pages([{"id": "a", "name": "old"}, {"id": "b"}], [{"id": "a", "name": "new"}])))
    assert bench.rows(manifest, "id, name") == [("a", "new"), ("b", None)]
    assert (manifest.records, manifest.duplicates, manifest.state) == (2, 1, "complete")


def test_unknown_fields_stay_on_the_landed_page_and_missing_ones_are_null(bench: Workbench) -> None:
    manifest = bench.one(stream(pages([{"id": "a", "brand_new": {"deep": [1]}}])))
    assert bench.rows(manifest, "id, name, tags, cloud") == [("a", None, None, None)]


def test_nul_surrogates_and_huge_numbers_do_not_break_the_file(bench: Workbench) -> None:
    odd = {"id": "a\x00b", "name": "\ud800", "count": 2**70, "score": float("nan"), "raw": {"big": 2**80}}
    manifest = bench.one(stream(pages([odd, {"id": "c", "name": "x" * 1_000_000}])))
    assert manifest.records == 2


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["id", "name", "seen", "count", "score", "managed", "tags", "nics", "cloud", "raw"]),
            st.recursive(
                st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
                lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
                max_leaves=6,
            ),
        )
        | st.integers()
        | st.none(),
        max_size=12,
    )
)
def test_every_record_is_kept_repeated_or_rejected_whatever_it_holds(bench: Workbench, records: list[object]) -> None:
    manifest = bench.one(stream(pages(records), may_be_empty=True))
    assert manifest.records + manifest.rejected + manifest.duplicates == len(records)
