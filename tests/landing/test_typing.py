"""What a vendor sends and what is made of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector_assets.kit import Api, Page
from tests.landing.conftest import Workbench, pages, stream


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("2025-11-02T08:11:09.1234567Z", datetime(2025, 11, 2, 8, 11, 9, 123456)),
        ("2025-11-02T08:11:09Z", datetime(2025, 11, 2, 8, 11, 9)),
        ("2025-11-02T10:11:09+02:00", datetime(2025, 11, 2, 8, 11, 9)),
        ("2026-01-30 11:22:33", datetime(2026, 1, 30, 11, 22, 33)),
        ("2026-01-30", datetime(2026, 1, 30)),
        ("2026-01-30t11:22:33z ", datetime(2026, 1, 30, 11, 22, 33)),
        ("2026-01-30T11:22:33.000+0000", datetime(2026, 1, 30, 11, 22, 33)),
        (1767225600, datetime(2026, 1, 1)),
        ("1767225600000", datetime(2026, 1, 1)),
        ("", None),
        (None, None),
        ("0001-01-01T00:00:00Z", None),
        (-1, None),
        (0, None),
        ("9999-12-31T23:59:59Z", datetime(9999, 12, 31, 23, 59, 59)),
    ],
)
def test_every_spelling_of_a_moment_is_utc_and_no_value_is_null(bench: Workbench, sent: object, read: object) -> None:
    manifest = bench.one(stream(pages([{"id": "a", "seen": sent}])))
    assert bench.rows(manifest, "seen") == [(read,)]
    assert manifest.field_issues == 0


@pytest.mark.parametrize(
    "sent", ["NaN", "inf", "infinity", "epoch", 1e300, 2**70, 1767225600000000000, "294247-01-10", "12:30:00", "now"]
)
def test_what_is_no_moment_costs_the_field_and_never_the_sync(bench: Workbench, sent: object) -> None:
    manifest = bench.one(stream(pages([{"id": "a", "seen": sent}, {"id": "b", "seen": "2026-01-30"}])))
    assert bench.rows(manifest, "id, seen") == [("a", None), ("b", datetime(2026, 1, 30))]
    assert bench.rows(manifest, "record_id, field, severity", "quarantine.parquet") == [("a", "seen", "field")]


@pytest.mark.parametrize(("field", "sent"), [("cloud", "text"), ("cloud", [1]), ("nics", "text")])
def test_a_scalar_where_a_struct_is_declared_is_null_and_said(bench: Workbench, field: str, sent: object) -> None:
    manifest = bench.one(stream(pages([{"id": "a", field: sent}, {"id": "b", field: None}, {"id": "c"}])))
    assert bench.rows(manifest, f"id, {field}") == [("a", None), ("b", None), ("c", None)]
    assert bench.rows(manifest, "record_id, field", "quarantine.parquet") == [("a", field)]


def test_a_struct_without_the_declared_parts_is_no_issue(bench: Workbench) -> None:
    manifest = bench.one(stream(pages([{"id": "a", "cloud": {}}, {"id": "b", "cloud": {"other": 1}, "nics": [{}]}])))
    assert manifest.field_issues == 0


@pytest.mark.parametrize("sent", ["", None, [], {}])
def test_nothing_said_is_null_in_whatever_form(bench: Workbench, sent: object) -> None:
    """An empty text taken for a value made machines of a cloud, and names of nothing."""
    empty = dict.fromkeys(("name", "seen", "count", "managed", "cloud"), sent)
    manifest = bench.one(stream(pages([{"id": "a", **empty}])))
    assert bench.rows(manifest, "name, seen, count, managed") == [(None, None, None, None)]
    # a list is nothing in the place of a text or a number; in that of a struct it is not what was agreed
    assert manifest.field_issues == (1 if sent == [] else 0)


def test_empty_texts_in_lists_and_structs_are_nothing(bench: Workbench) -> None:
    record = {"id": "a", "tags": ["", None, "x"], "nics": [{"mac": ""}, {"mac": "m", "ips": [""]}], "cloud": {"id": ""}}
    manifest = bench.one(stream(pages([record])))
    nics = [{"mac": None, "ips": None}, {"mac": "m", "ips": []}]
    assert bench.rows(manifest, "tags, nics, cloud") == [(["x"], nics, {"id": None})]


@pytest.mark.parametrize(
    ("sent", "read"),
    [("", None), ("text", '"text"'), ('{"a":1}', '{"a":1}'), ({"a": 1}, '{"a":1}'), ([], "[]"), (7, "7")],
)
def test_a_field_of_json_is_json_whatever_is_sent(bench: Workbench, sent: object, read: object) -> None:
    """A text in the place of an object ended the build of every model that read it."""
    manifest = bench.one(stream(pages([{"id": "a", "raw": sent}])))
    assert bench.rows(manifest, "raw") == [(read,)]


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


def test_a_record_nested_deeper_than_json_writers_go_is_kept(bench: Workbench) -> None:
    deep: dict[str, object] = {"id": "a"}
    inner = deep
    for _ in range(500):
        inner["raw"] = inner = {}
    for dropped in ((), ("password",)):
        manifest = bench.one(stream(pages([deep, {"id": "b"}]), drop_fields=dropped))
        assert (manifest.state, manifest.records) == ("complete", 2)


@pytest.mark.parametrize(("records", "size"), [(3000, 30_000), (60, 1_000_000), (8, 6_000_000)])
def test_large_records_fit_the_memory_of_a_sync(bench: Workbench, records: int, size: int) -> None:
    batches = [[{"id": f"{start + n}", "name": "x" * size} for n in range(4)] for start in range(0, records, 4)]
    manifest = bench.one(stream(pages(*batches)))
    assert (manifest.state, manifest.records) == ("complete", records)


def test_a_record_of_two_scopes_counts_in_both(bench: Workbench) -> None:
    def pull(api: Api) -> Iterator[Page]:
        yield Page([{"id": str(n)} for n in range(10)], "north", total=10)
        yield Page([{"id": str(n)} for n in range(5, 15)], "south", total=10)

    manifest = bench.one(stream(pull))
    assert (manifest.state, manifest.records, manifest.duplicates) == ("complete", 15, 5)
    assert {name: scope.records for name, scope in manifest.scopes.items()} == {"north": 10, "south": 10}


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
