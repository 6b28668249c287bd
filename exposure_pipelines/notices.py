"""What a build has to tell of its resolution: values that it learned to distrust, decisions of people without effect."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

    from dbt_like_transforms.engine.storage import Storage

#: How the models of a kind are named.
PLURALS = {"device": "devices", "identity": "identities", "application": "applications"}


def newly_suppressed(database: duckdb.DuckDBPyConnection, storage: Storage, day: date) -> list[dict[str, Any]]:
    """Values that the data of a date show to identify nothing, and that did on the date built before; the most frequent
    first. None on a first date."""
    found: list[dict[str, Any]] = []
    for kind, plural in PLURALS.items():
        model = f"int_{plural}_suppressed"
        now, before = storage.path("intermediate", model, day), storage.previous("intermediate", model, day)
        if now is None or before is None:
            continue
        rows = database.execute(
            "SELECT identifier, value, evidence, records FROM read_parquet($now, hive_partitioning = false) n "
            "WHERE cause = 'data' AND NOT EXISTS (FROM read_parquet($before, hive_partitioning = false) b "
            "WHERE b.identifier = n.identifier AND b.value = n.value)",
            {"now": now, "before": before},
        ).fetchall()
        plain = {(identifier, value) for identifier, value, *_ in rows}
        found += [
            {"kind": kind, "identifier": identifier, "value": value, "evidence": evidence, "records": records}
            for identifier, value, evidence, records in rows
            # a serial number is there once more with each maker
            if (identifier, value.rpartition(" by ")[0]) not in plain
        ]
    return sorted(found, key=lambda row: (-row["records"], row["kind"], row["identifier"], row["value"]))


def without_effect(database: duckdb.DuckDBPyConnection, storage: Storage, day: date) -> list[str]:
    """Sentences on what of decisions.yaml joins or parts nothing on a built date, with the likely mistake.

    Records of instances that the build left out are expected to be missing.
    """
    told: list[str] = []
    missing: dict[str, list[str]] = {}
    for plural in PLURALS.values():
        path = storage.path("intermediate", f"int_{plural}_decisions", day)
        if path is None:
            continue
        rows = database.execute(
            "SELECT DISTINCT verdict, record, sentence FROM read_parquet(?, hive_partitioning = false) "
            "WHERE verdict = 'ignored' AND against IS NULL OR verdict = 'vetoed' AND rule = 'manual_merge' ORDER BY ALL",
            [path],
        ).fetchall()
        for verdict, record, sentence in rows:
            if verdict == "vetoed":
                told.append(f"{record}: {sentence}")
            else:
                missing.setdefault(record, []).append(sentence)
    hints = likely_meant(database, storage, day, sorted(missing))
    for record, sentences in missing.items():
        told += [sentence + hints.get(record, "") for sentence in dict.fromkeys(sentences)]
    return told


def likely_meant(database: duckdb.DuckDBPyConnection, storage: Storage, day: date, wanted: list[str]) -> dict[str, str]:
    """For what is no record of its kind: that it is the id of an asset, or a record of another kind."""
    hints: dict[str, str] = {}
    for kind, plural in PLURALS.items() if wanted else ():
        path = storage.path("intermediate", f"int_{plural}_assignments", day)
        if path is None:
            continue
        for name, meant in (
            ("asset_id", f" (it is the id of an asset: name records of it, `exposure explain {kind} ID` lists them)"),
            ("record", f" (it is a record of kind {kind})"),
        ):
            query = (
                f"SELECT DISTINCT {name} FROM read_parquet(?, hive_partitioning = false) WHERE list_contains(?, {name})"
            )
            hints.update((found, meant) for (found,) in database.execute(query, [path, wanted]).fetchall())
    return hints
