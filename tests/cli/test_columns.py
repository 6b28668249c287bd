"""A table fits its terminal: every character is there, no line is wider, words break where a reader expects it."""

from __future__ import annotations

import io
import re
from collections import Counter

import pytest
from rich.console import Console

from exposure_pipelines.cli import output
from exposure_pipelines.cli.columns import layout, lines

STATUS = [
    {
        "instance": f"{product}_prod",
        "product": product,
        "state": "complete",
        "last_complete": "2026-11-29 22:21:18Z",
        "age": "17 min",
        "records": 10893,
        "quarantined": 0,
        "next_tick": "2026-11-30 00:13Z",
    }
    for product in ("defender_endpoint", "servicenow", "wiz")
]
EXPLAINED = [
    {
        "field": "cloud_resource_id",
        "value": "/subscriptions/a78e1cc0-cb6d-4f7c-a69a-41f73ef38ca7/resourcegroups/rg-db",
        "product": "defender_endpoint",
        "record_id": "626e0f853db69e4b5964c366e26e241882b0c47c",
        "observed_at": "2026-11-28 03:35:38Z",
        "chosen": True,
        "why": "defender_endpoint comes before; 工作站-東京-0001 and [bold]brackets[/bold]",
    }
]


def printed(rows: list[dict[str, object]], width: int, monkeypatch: pytest.MonkeyPatch) -> str:
    out = io.StringIO()
    monkeypatch.setattr(output, "console", Console(file=out, width=width, highlight=False))
    output.print_table(rows, list(rows[0]), empty="")
    return out.getvalue()


@pytest.mark.parametrize("rows", [STATUS, EXPLAINED], ids=["status", "explain"])
@pytest.mark.parametrize("width", [40, 60, 80, 100, 160])
def test_no_character_of_a_table_is_cut_off_in_a_narrow_terminal(
    rows: list[dict[str, object]], width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = printed(rows, width, monkeypatch)
    expected = Counter("".join([*rows[0], *(output.cell(value) for row in rows for value in row.values())]))
    found = Counter(text.replace("─", ""))
    assert {sign: n for sign, n in expected.items() if sign != " "} == {
        sign: n for sign, n in found.items() if not sign.isspace()
    }
    assert all(len(line) <= width for line in text.splitlines())


def test_states_names_and_dates_of_a_status_stay_readable_in_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    words = set(re.split(r"\s+", printed(STATUS, 80, monkeypatch)))
    assert {"complete", "defender_", "endpoint", "2026-11-29", "22:21:18Z", "2026-11-30", "next_tick"} <= words


def test_a_column_that_needs_a_little_gets_it_before_long_ones_share_the_rest() -> None:
    assert layout([["a" * 8, "b"], ["c d"], ["e" * 30, "f g h"]], 36).widths == (8, 3, 17)
    assert layout([["c d"], ["e " * 40], ["f " * 30]], 45).widths == (3, 17, 17)


def test_words_stay_apart_after_a_word_that_had_to_be_cut() -> None:
    assert lines(20 * "a" + " page 0", 14) == [14 * "a", "aaaaaa page 0"]


def test_a_name_is_broken_only_where_it_has_no_room_in_a_line() -> None:
    assert lines("sign in to muc-c000124.eu.corp.example.", 30) == ["sign in to", "muc-c000124.eu.corp.example."]
    assert lines("to muc-server.eu.corp.example", 12) == ["to muc-", "server.eu.", "corp.example"]
    assert lines("dd125f00-0c8d-40c0-a88a-51fa22a0de0e", 17) == ["dd125f00-0c8d-", "40c0-a88a-", "51fa22a0de0e"]
    assert lines("https://cloud.tenable.com", 16) == ["https://cloud.", "tenable.com"]


def test_a_table_that_fits_is_not_wrapped(monkeypatch: pytest.MonkeyPatch) -> None:
    text = printed(STATUS, 160, monkeypatch)
    assert " defender_endpoint_prod   defender_endpoint   complete   2026-11-29 22:21:18Z   17 min    10,893 " in text


def test_a_description_that_ends_with_a_line_break_leaves_no_empty_row(monkeypatch: pytest.MonkeyPatch) -> None:
    text = printed([{"table": "a", "description": "one\n"}, {"table": "b", "description": "two"}], 80, monkeypatch)
    assert [line.split() for line in text.splitlines()[-3:-1]] == [["a", "one"], ["b", "two"]]
