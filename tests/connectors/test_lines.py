"""Pages that connectors hand on as the vendor wrote them, and what makes them take a closer look."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from connector_assets.cortex_cloud.window import Window
from connector_assets.defender_endpoint.streams import VULNERABILITY, normalised, plain_rows
from connector_assets.kit import Lines

ROW = {"deviceId": "d", "softwareVendor": "v", "softwareName": "n", "softwareVersion": "1", "cveId": "CVE-1", "more": 1}


def lines(*records: Any) -> Lines:
    return Lines(b"\n".join(orjson.dumps(record) for record in records), len(records))


@pytest.mark.parametrize(
    ("rows", "stay"),
    [
        ([{"id": "a", **ROW}, {"id": "b"}], True),
        ([ROW, {**ROW, "cveId": None}, {**ROW, "cveId": ""}, {"deviceId": "d"}], True),
        ([{"id": "a", **ROW}, ROW], False),
        ([{"id": "", **ROW}], False),
        ([{"id": None, **ROW}], False),
        ([{"id": 5, **ROW}], False),
        ([{**ROW, "softwareVersion": 1}], False),
        ([{"more": 1}], False),
        ([{"id": "a", "CveId": "CVE-1"}], False),
        ([{"id": "a", **ROW}, {"Id": "b", "DeviceId": "d"}], False),
        ([None, 5, [], {"id": "a"}], False),
    ],
)
def test_rows_of_defender_are_the_same_whether_looked_at_or_not(rows: list[Any], stay: bool) -> None:
    found = plain_rows(VULNERABILITY)(lines(*rows))
    assert (isinstance(found, Lines) and found.text is not None) is stay
    assert found == [normalised(VULNERABILITY)(orjson.loads(orjson.dumps(row))) for row in rows]


START = 1_770_000_000_000


@pytest.mark.parametrize(
    ("seen", "kept", "stay"),
    [
        ([START, START + 5], 2, True),
        ([START, START - 1], 1, False),
        ([START, None], 2, False),
        ([START // 1000, START], 2, False),
        ([str(START), START], 2, False),
        ([START + 0.5, START], 2, False),
    ],
)
def test_findings_of_cortex_outside_the_window_are_left_out_of_lines_too(
    seen: list[Any], kept: int, stay: bool
) -> None:
    window = Window(START, "last_observed")
    found = window.keep(lines(*({"last_observed": moment} for moment in seen)))
    assert (isinstance(found, Lines) and found.text is not None) is stay
    assert (len(found), window.left_out) == (kept, len(seen) - kept)
    assert len(window.keep(lines({"last_observed": START}, {}))) == 2
