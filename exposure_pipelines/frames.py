"""The tables for notebooks: one line each."""

from __future__ import annotations

from datetime import date as Date
from typing import TYPE_CHECKING

from exposure_pipelines.errors import ConfigurationError, WorkFailed
from exposure_pipelines.home import Home

if TYPE_CHECKING:
    import pandas as pd


def tables() -> list[str]:
    """Names of the marts."""
    from exposure_pipelines.building import project

    return sorted(model.name for model in project().models.values() if model.layer == "marts")


def mart_path(home: Home, table: str, date: str | Date | None = None) -> str:
    """Parquet address of a mart, newest without a date.

    Raises ConfigurationError for an unknown table or a date that is no date, WorkFailed when nothing is built for it.
    """
    from exposure_pipelines.lake import Lake

    require_table(table)
    try:
        wanted = Date.fromisoformat(date) if isinstance(date, str) else date
    except ValueError:
        raise ConfigurationError(f"{date!r} is not a date; expected YYYY-MM-DD.") from None
    lake = Lake.of(home)
    if wanted is not None:
        if not lake.has_model("marts", table, wanted):
            raise WorkFailed(not_built(table, wanted, lake.model_dates("marts", table)))
        return lake.model_path("marts", table, wanted)
    for day in reversed(lake.model_dates("marts", table)):
        if lake.has_model("marts", table, day):
            return lake.model_path("marts", table, day)
    raise WorkFailed(
        f"{table} is not built in {home.root}: run `exposure sync` and `exposure build`, or `exposure demo`; "
        "EXPOSURE_HOME names another home."
    )


def require_table(table: str) -> None:
    """Raises ConfigurationError for an unknown table, with the one that may be meant."""
    import difflib

    known = tables()
    if table not in known:
        close = difflib.get_close_matches(table, known, n=1)
        hint = f" Did you mean {close[0]}?" if close else ""
        raise ConfigurationError(f"There is no table {table!r}.{hint} See `exposure tables`.")


def not_built(table: str, wanted: Date, days: list[Date]) -> str:
    """What to do about a date that a table is not built for."""
    if not days:
        return f"{table} is not built for {wanted}, nor for any date: run `exposure sync` and `exposure build`."
    dates = f"{len(days)} dates from {days[0]} to {days[-1]}" if len(days) > 1 else f"{days[0]}"
    return (
        f"{table} is not built for {wanted}, only for {dates}. "
        f"`exposure build --date {wanted}` builds it where something was landed by then."
    )


def frame(table: str, date: str | Date | None = None) -> pd.DataFrame:
    """A mart as a pandas frame, newest snapshot without a date: `exposure_pipelines.frame("devices")`.

    Times are naive UTC, lists NumPy arrays. Raises as `mart_path` does.
    """
    from exposure_pipelines.lake import Lake, duckdb_connection

    home = Home.from_env()
    path = mart_path(home, table, date).replace("'", "''")
    with duckdb_connection(home, Lake.of(home)) as database:
        return database.execute(f"SELECT * FROM read_parquet('{path}', hive_partitioning = false)").df()
