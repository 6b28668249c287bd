"""What holds for all tests: how they are shared out under `-n`, and the fault walk.

The walk: tests marked `fault(what, how it recovers)` write docs/reliability.md when they have all passed.

EXPOSURE_FAULT_WALK=1 pytest -m fault -n0
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parent.parent / "docs" / "reliability.md"
HEAD = """# What happens on a bad night

Each line is a test that causes the fault and looks at what is left. Written by `EXPOSURE_FAULT_WALK=1 pytest -m fault -n0` from
the tests that passed; it is not written when one fails.

| fault | lost | how it goes on | shown by |
|---|---|---|---|
"""


#: Long ones go first, so that none is left for the end when one worker runs and the others wait.
FIRST = (
    "tests/demo/",
    "tests/dagster/test_live.py",
    "tests/dagster/test_object_storage.py",
    "tests/cli/test_scaffold.py",
)


def pytest_configure(config: pytest.Config) -> None:
    # four thousand tests and Dagster are hundreds of thousands of objects that stay: looking through them for garbage again
    # and again is a tenth of the time of collecting
    gc.disable()
    config.addinivalue_line("markers", "fault(what, recovery): part of the fault walk, see docs/reliability.md")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        items.sort(
            key=lambda item: next((n for n, first in enumerate(FIRST) if item.nodeid.startswith(first)), len(FIRST))
        )


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Under a plain `-n`: tests of one group run in one worker, in the order in which they were collected."""
    if config.getoption("dist") != "load":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class ByGroup(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid)

    config.option.loadscopereorder = False
    return ByGroup(config, log)


def group_of(nodeid: str) -> str:
    """Tests that share a fixture (one demo is two minutes of work) or what a module keeps: those of a file, mostly."""
    file = nodeid.partition("::")[0]
    if file.startswith("tests/demo/"):
        return "tests/demo"
    if file == "tests/dagster/test_live.py":
        return nodeid  # each waits more than it works
    if file == "tests/connectors/test_conformance.py" and "[" in nodeid:
        return f"{file}/{nodeid.rpartition('[')[2].rstrip(']').rpartition('-')[2]}"  # the product, last in their ids
    return file


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report: Any = yield
    marker = item.get_closest_marker("fault")
    if marker is not None and report.when == "call":
        outcomes = item.config.stash.setdefault(OUTCOMES, {})
        key = line_of(item, marker)
        outcomes[key] = outcomes.get(key, True) and report.outcome != "failed"
    return report


def line_of(item: pytest.Item, marker: pytest.Mark) -> tuple[str, str, str]:
    """Fault, recovery and place of a test of the walk."""
    return marker.args[0], marker.args[1], str(Path(item.path).relative_to(PAGE.parent.parent))


def written(what: str, recovery: str, place: str) -> str:
    return f"| {what} | nothing | {recovery} | `{place}` |"


OUTCOMES: pytest.StashKey[dict[tuple[str, str, str], bool]] = pytest.StashKey()


def pytest_sessionfinish(session: pytest.Session) -> None:
    outcomes = session.config.stash.get(OUTCOMES, {})
    if os.environ.get("EXPOSURE_FAULT_WALK") and outcomes and all(outcomes.values()):
        lines = [written(*outcome) for outcome in sorted(outcomes)]
        PAGE.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")
