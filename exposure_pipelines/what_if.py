"""What building a date anew would change of its assets, before anything of it is stored."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exposure_pipelines.errors import WorkFailed

if TYPE_CHECKING:
    import duckdb

    from dbt_like_transforms.engine.storage import Storage
    from dbt_like_transforms.resolution.gate import Changes, Verdict
    from exposure_pipelines.home import Home

KINDS = {"device": "devices", "identity": "identities", "application": "applications"}

NO_ASSET = "SELECT NULL::VARCHAR AS record, NULL::VARCHAR AS asset_id WHERE false"


@dataclass(frozen=True, slots=True)
class Comparison:
    """held: records, and the asset each leaves to belong to none. taken: records that belonged to none, and their asset.
    suppressed: values that identify nothing any more. used: those that identify again. verdict: what the gate says."""

    changes: Changes
    held: tuple[tuple[str, str], ...]
    taken: tuple[tuple[str, str], ...]
    suppressed: tuple[str, ...]
    used: tuple[str, ...]
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class WhatIf:
    """By kind what changes, and what of decisions.yaml has no effect."""

    kinds: dict[str, Comparison]
    without_effect: list[str]


def what_if(home: Home, day: date, without: Sequence[str] = ()) -> WhatIf:
    """What resolving `day` anew would change against its last build. Nothing is stored.

    It reads the rules as installed and the home's decisions.yaml as it is now; `without` leaves instances out.
    Raises WorkFailed when the date was never built.
    """
    from dbt_like_transforms.engine.errors import EngineError
    from dbt_like_transforms.engine.runner import Runner
    from dbt_like_transforms.engine.storage import FolderStorage
    from dbt_like_transforms.resolution.gate import changes, gate_of
    from dbt_like_transforms.resolution.manual import load_decisions
    from exposure_pipelines.building import open_builder, project

    wanted = [f"int_{plural}_{what}" for plural in KINDS.values() for what in ("assignments", "suppressed")]
    with (
        tempfile.TemporaryDirectory(dir=home.scratch) as folder,
        open_builder(home, {"without_instances": list(without), "accept_changes": True}) as builder,
    ):
        missing = [name for name in wanted if not builder.lake.has_model("intermediate", name, day)]
        if missing:
            raise WorkFailed(f"{day} is not built, so there is nothing to compare with: exposure build --date {day}")
        builder.register_sources(day)
        storage = FolderStorage(Path(folder))
        database = builder.database
        runner = Runner(project(), database, storage, home.root, builder.options)
        try:
            runner.run(day, {*wanted, *project().upstream(wanted)})
        except EngineError as error:
            raise WorkFailed(str(error)) from error
        limit = load_decisions(home.root / "decisions.yaml").gate
        found = {}
        for kind, plural in KINDS.items():
            model = f"int_{plural}_assignments"
            before = assignments(database, builder.lake.path("intermediate", model, day), without)
            now = assignments(database, storage.path("intermediate", model, day), without)
            earlier = assignments(database, builder.lake.previous("intermediate", model, day), without)
            values = [
                suppressed(database, at.path("intermediate", f"int_{plural}_suppressed", day))
                for at in (builder.lake, storage)
            ]
            found[kind] = Comparison(
                changes(before, now),
                held=turned(before, now),
                taken=turned(now, before),
                suppressed=tuple(sorted(values[1] - values[0])),
                used=tuple(sorted(values[0] - values[1])),
                verdict=gate_of([earlier, before], now, limit, accepted=bool(without)),
            )
        return WhatIf(found, without_effect(database, storage, day, without))


def assignments(
    database: duckdb.DuckDBPyConnection, path: str | None, without: Sequence[str]
) -> duckdb.DuckDBPyRelation:
    """record and asset_id of a built model, without the instances that are left out: what they lose is no change."""
    if path is None:
        return database.sql(NO_ASSET)
    kept = "".join(f" AND instance <> '{quoted(name)}'" for name in without)
    return database.sql(
        f"SELECT record, asset_id FROM read_parquet('{quoted(path)}', hive_partitioning = false) WHERE true{kept}"
    )


def turned(resolved: duckdb.DuckDBPyRelation, unresolved: duckdb.DuckDBPyRelation) -> tuple[tuple[str, str], ...]:
    """Records that have an asset on the one side and are there without one on the other."""
    both = resolved.set_alias("a").join(unresolved.set_alias("b"), "a.record = b.record")
    rows = both.filter("a.asset_id IS NOT NULL AND b.asset_id IS NULL").project("a.record, a.asset_id").order("ALL")
    return tuple(rows.fetchall())


def suppressed(database: duckdb.DuckDBPyConnection, path: str | None) -> set[str]:
    """The values that identify nothing, each with its identifier."""
    if path is None:
        return set()
    values = "SELECT DISTINCT identifier || ' ' || value FROM read_parquet(?, hive_partitioning = false)"
    return {text for (text,) in database.execute(values, [path]).fetchall()}


def newly_suppressed(database: duckdb.DuckDBPyConnection, storage: Storage, day: date) -> list[dict[str, Any]]:
    """Values that the data of a date show to identify nothing, and that did on the date built before; the most frequent
    first. None on a first date."""
    found: list[dict[str, Any]] = []
    for kind, plural in KINDS.items():
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


def without_effect(
    database: duckdb.DuckDBPyConnection, storage: Storage, day: date, without: Sequence[str] = ()
) -> list[str]:
    """Sentences on what of decisions.yaml joins or parts nothing on a built date, with the likely mistake.

    Records of instances that are left out are expected to be missing.
    """
    from dbt_like_transforms.resolution.gate import instance_of

    told: list[str] = []
    missing: dict[str, list[str]] = {}
    for plural in KINDS.values():
        path = storage.path("intermediate", f"int_{plural}_decisions", day)
        if path is None:
            continue
        rows = database.execute(
            "SELECT DISTINCT verdict, record, sentence FROM read_parquet(?, hive_partitioning = false) "
            "WHERE verdict = 'ignored' OR (verdict = 'vetoed' AND rule = 'manual_merge') ORDER BY ALL",
            [path],
        ).fetchall()
        for verdict, record, sentence in rows:
            if verdict == "vetoed":
                told.append(f"{record}: {sentence}")
            elif instance_of(record) not in without:
                missing.setdefault(record, []).append(sentence)
    hints = likely_meant(database, storage, day, sorted(missing))
    for record, sentences in missing.items():
        told += [sentence + hints.get(record, "") for sentence in dict.fromkeys(sentences)]
    return told


def likely_meant(database: duckdb.DuckDBPyConnection, storage: Storage, day: date, wanted: list[str]) -> dict[str, str]:
    """For what is no record of its kind: that it is the id of an asset, or a record of another kind."""
    hints: dict[str, str] = {}
    for kind, plural in KINDS.items() if wanted else ():
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


def quoted(text: str) -> str:
    return text.replace("'", "''")
