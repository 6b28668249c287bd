"""Values that a person declared to be real, as clustering meets them."""

from __future__ import annotations

from collections.abc import Iterable

import duckdb
import numpy as np

from dbt_like_transforms.resolution.clustering.facts import key_sql, value_sql
from dbt_like_transforms.resolution.clustering.integers import Keys
from dbt_like_transforms.resolution.forms.seeds import compared_forms
from dbt_like_transforms.resolution.ladders.ladder import Ladder


def allowed_keys(
    connection: duckdb.DuckDBPyConnection, ladder: Ladder, allowed: Iterable[tuple[str, str]]
) -> dict[str, Keys]:
    """Of each identifier the hashes (ascending) of the values that a person declared to be real, written in any spelling that
    the seed lists compare or as reports show them. allowed: see `install_seeds`."""
    wanted: dict[str, set[str]] = {}
    for name, value in allowed:
        wanted.setdefault(name, set()).update(form.lower() for form in (value, *compared_forms(name, value)))
    found = {}
    for identifier in ladder.identifiers:
        if texts := wanted.get(identifier.field):
            keys = connection.execute(
                f"SELECT DISTINCT {key_sql(identifier)} AS key FROM ({value_sql(identifier)}) "
                f"WHERE list_contains($texts, lower(value)) OR list_contains($texts, lower({identifier.shown})) ORDER BY key",
                {"texts": sorted(texts)},
            ).fetchnumpy()["key"]
            found[identifier.name] = np.ma.getdata(keys).astype(np.uint64, copy=False)
    return found
