"""The marts as the command line lists and exports them."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exposure_pipelines.errors import ConfigurationError, WorkFailed

if TYPE_CHECKING:
    from exposure_pipelines.home import Home

COPY_OPTIONS = {
    "csv": "FORMAT csv, HEADER true",
    "json": "FORMAT json, ARRAY true",
    "parquet": "FORMAT parquet, COMPRESSION zstd",
}


def mart_rows(home: Home) -> list[dict[str, Any]]:
    """Every mart with its newest date and number of rows."""
    from exposure_pipelines.building import project
    from exposure_pipelines.lake import Lake

    lake = Lake.of(home)
    rows = []
    for model in sorted(project().models.values(), key=lambda model: model.name):
        if model.layer != "marts":
            continue
        dates = lake.model_dates("marts", model.name)
        rows.append(
            {
                "table": model.name,
                "rows": row_count(lake.model_path("marts", model.name, dates[-1])) if dates else None,
                "date": dates[-1].isoformat() if dates else "not built",
                "description": model.description,
            }
        )
    return rows


def row_count(path: str) -> int:
    import fsspec
    import pyarrow.parquet as pq

    with fsspec.open(path, "rb") as file:
        return int(pq.read_metadata(file).num_rows)


def columns_of(table: str) -> list[dict[str, str]]:
    """Columns of a mart as its contract declares them. Raises ConfigurationError for an unknown table."""
    from exposure_pipelines.building import project
    from exposure_pipelines.frames import require_table

    require_table(table)
    model = project().models[table]
    return [{"column": c.name, "type": c.type, "description": c.description} for c in model.columns]


def export_table(home: Home, table: str, format: str, date: str | None, output: Path | None) -> None:
    """Write a mart to a file (beside, then renamed) or to standard output.

    Raises ConfigurationError when the file cannot be written, and as `mart_path` does.
    """
    from exposure_pipelines.frames import mart_path
    from exposure_pipelines.lake import Lake, duckdb_connection

    if output is not None and not output.absolute().parent.is_dir():
        raise ConfigurationError(f"{output.absolute().parent} is not a folder; make it first.")
    if output is not None and output.is_dir():
        raise ConfigurationError(f"{output} is a folder; name a file in it: -o {output / f'{table}.{format}'}")
    path = mart_path(home, table, date).replace("'", "''")
    draft = (
        output.with_name(f".{output.name}.draft") if output else home.scratch / f"export-{table}.{format}"
    ).absolute()
    quoted = str(draft).replace("'", "''")
    try:
        with duckdb_connection(home, Lake.of(home)) as database:
            database.execute(
                f"COPY (SELECT * FROM read_parquet('{path}', hive_partitioning = false)) TO '{quoted}' ({COPY_OPTIONS[format]})"
            )
        if output is not None:
            draft.replace(output)
        else:
            with draft.open("rb") as file:
                shutil.copyfileobj(file, sys.stdout.buffer)
    except BrokenPipeError:
        raise  # the reader of a pipe has seen enough
    except OSError as error:
        raise WorkFailed(f"{table} could not be written: {error}") from error
    finally:
        draft.unlink(missing_ok=True)
