"""What an installation brings with it."""

from __future__ import annotations

import importlib.metadata
import re

import pytest
from packaging.requirements import Requirement

#: Licences that would reach into what is built with the project. LGPL does not: psycopg is used as it is.
REACHING = re.compile(r"(?<!L)(?<!Lesser )\b(A?GPL|GNU (Affero )?General Public)", re.IGNORECASE)


def closure(extras: set[str]) -> set[str]:
    """Every distribution that the project with these extras needs, by name."""
    found: set[str] = set()
    waiting = [("exposure-pipelines", frozenset(extras))]
    while waiting:
        name, wanted = waiting.pop()
        for text in importlib.metadata.requires(name) or ():
            needed = Requirement(text)
            if needed.marker and not any(needed.marker.evaluate({"extra": extra}) for extra in (wanted or {""})):
                continue
            key = needed.name.lower().replace("_", "-")
            if key not in found:
                found.add(key)
                waiting.append((needed.name, frozenset(needed.extras)))
    return found


@pytest.mark.parametrize("extras", [set(), {"postgres", "s3", "metrics"}], ids=["core", "team"])
def test_no_dependency_has_a_licence_that_reaches_into_the_project(extras: set[str]) -> None:
    needed = closure({""} | extras)
    assert {"dagster", "duckdb", "pandas"} <= needed
    reaching = {}
    for name in sorted(needed):
        told = importlib.metadata.metadata(name)
        licences = [told.get("License-Expression") or "", (told.get("License") or "")[:120]]
        licences += [line for line in told.get_all("Classifier") or () if line.startswith("License")]
        if any(REACHING.search(text) for text in licences):
            reaching[name] = licences
    assert not reaching
