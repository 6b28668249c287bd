"""What building a date anew would merge and split, before anything of it is stored."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from exposure_pipelines.errors import WorkFailed

if TYPE_CHECKING:
    import duckdb

    from dbt_like_transforms.resolution.gate import Changes
    from exposure_pipelines.home import Home

KINDS = {"device": "devices", "identity": "identities", "application": "applications"}


def what_if(home: Home, day: date, without: Sequence[str] = ()) -> dict[str, Changes]:
    """What resolving `day` anew would merge and split against its last build, by kind. Nothing is stored.

    It reads the rules as installed and the home's decisions.yaml as it is now; `without` leaves instances out.
    Raises WorkFailed when the date was never built.
    """
    from dbt_like_transforms.engine.errors import EngineError
    from dbt_like_transforms.engine.runner import Runner
    from dbt_like_transforms.engine.storage import FolderStorage
    from dbt_like_transforms.resolution.gate import changes
    from exposure_pipelines.building import open_builder, project

    wanted = [f"int_{plural}_assignments" for plural in KINDS.values()]
    with (
        tempfile.TemporaryDirectory(dir=home.scratch) as folder,
        open_builder(home, {"without_instances": list(without), "accept_changes": True}) as builder,
    ):
        missing = [name for name in wanted if not builder.lake.has_model("intermediate", name, day)]
        if missing:
            raise WorkFailed(f"{day} is not built, so there is nothing to compare with: exposure build --date {day}")
        builder.register_sources(day)
        storage = FolderStorage(Path(folder))
        runner = Runner(project(), builder.database, storage, home.root, builder.options)
        try:
            runner.run(day, {*wanted, *project().upstream(wanted)})
        except EngineError as error:
            raise WorkFailed(str(error)) from error
        found = {}
        for kind, model in zip(KINDS, wanted, strict=True):
            before = assignments(builder.database, builder.lake.model_path("intermediate", model, day), without)
            now = assignments(builder.database, storage.path("intermediate", model, day) or "", without)
            found[kind] = changes(before, now)
        return found


def assignments(database: duckdb.DuckDBPyConnection, path: str, without: Sequence[str]) -> duckdb.DuckDBPyRelation:
    """record and asset_id of a built model, without the instances that are left out: what they lose is no change."""
    kept = "".join(f" AND instance <> '{quoted(name)}'" for name in without)
    return database.sql(
        f"SELECT record, asset_id FROM read_parquet('{quoted(path)}', hive_partitioning = false) WHERE true{kept}"
    )


def quoted(text: str) -> str:
    return text.replace("'", "''")
