"""No page of records is kept while the next one is asked for.

An answer is parsed into the memory of the one before it where that is free, which the processor has at hand yet; a page that a
variable holds a little longer costs a third of the time of reading the next one, and twice the memory.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from connector_assets.kit.budgets import Allowance
from connector_assets.kit.client import Client
from exposure_pipelines.landing.spool import Spool

from .conformance import CONNECTORS, Conformant
from .microsoft import bench, states

PRODUCTS = ("prisma_cloud", "qualys", "rapid7", "servicenow")
#: References to a record that nobody holds but this test: its list, and the call that counts them.
OURS = 2


@pytest.mark.parametrize("line", [one for one in CONNECTORS if one.product in PRODUCTS], ids=lambda line: line.product)
def test_a_page_is_let_go_before_the_next_one_is_asked_for(
    line: Conformant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[Any] = []
    kept: list[str] = []
    asked = 0
    add, send = Spool.add, Client._send

    def remember(spool: Spool, records: Any, *place: Any) -> None:
        add(spool, records, *place)
        # neither the first nor the last, which pagers compare with those of the next page
        held[:] = records[1:2] if len(records) > 2 else []

    def look(client: Client, call: Any, url: str, params: Any) -> Any:
        nonlocal asked
        if held:
            asked += 1
            if sys.getrefcount(held[0]) > OURS:
                kept.append(url)
        return send(client, call, url, params)

    with bench(line.product, tmp_path, monkeypatch, devices=200, **line.served) as found:
        monkeypatch.setattr(Allowance, "pause", lambda self, seconds: found.estate.advance_clock(seconds))
        monkeypatch.setattr(Spool, "add", remember)
        monkeypatch.setattr(Client, "_send", look)
        assert set(states(found.sync(**line.options)).values()) == {"complete"}
    assert asked > 10
    assert kept == []
