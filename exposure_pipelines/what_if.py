"""What building a date anew would change of its assets, before anything of it is stored."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from exposure_pipelines.errors import WorkFailed
from exposure_pipelines.notices import PLURALS, without_effect

if TYPE_CHECKING:
    import duckdb

    from dbt_like_transforms.resolution.gate import Changes, Verdict
    from exposure_pipelines.home import Home

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
    from dbt_like_transforms.resolution.decisions.manual import load_decisions
    from dbt_like_transforms.resolution.gate import changes, gate_of
    from exposure_pipelines.building import open_builder, project
    from exposure_pipelines.progress import report as report_progress

    wanted = [f"int_{plural}_{what}" for plural in PLURALS.values() for what in ("assignments", "suppressed")]
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
        runner = Runner(project(), database, storage, home.root, builder.options, report_progress)
        try:
            runner.run(day, {*wanted, *project().upstream(wanted)})
        except EngineError as error:
            raise WorkFailed(str(error)) from error
        limit = load_decisions(home.root / "decisions.yaml").gate
        found = {}
        for kind, plural in PLURALS.items():
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
        return WhatIf(found, without_effect(database, storage, day))


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


def quoted(text: str) -> str:
    return text.replace("'", "''")
