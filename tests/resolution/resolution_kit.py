"""Builds observations and resolves them the way `exposure resolve` does."""

from __future__ import annotations

import atexit
import json
import tempfile
from collections.abc import Iterable
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from dbt_like_transforms.engine.columns import RUN_SOURCES, empty_select
from dbt_like_transforms.engine.context import BuildContext
from dbt_like_transforms.reporting import Report, silent
from dbt_like_transforms.resolution.decisions.manual import Decision
from dbt_like_transforms.resolution.jsonl import resolve_jsonl
from dbt_like_transforms.resolution.kinds import Kind
from dbt_like_transforms.resolution.models import resolve_models
from dbt_like_transforms.resolution.observations import shape_of, to_table
from dbt_like_transforms.resolution.resolve import resolve

TODAY = "2026-11-20T10:00:00Z"
_TOP = {"observed_at", "first_seen", "last_seen", "scope", "state", "attributes"}


@cache
def connection() -> duckdb.DuckDBPyConnection:
    """One for all: what an earlier resolution left on it is what a build leaves."""
    return duckdb.connect()


# DuckDB complains of one that is left when Python ends
atexit.register(connection.cache_clear)


def seen(record: str, product: str | None = None, **given: Any) -> dict[str, Any]:
    """One observation: top-level keys by name, every other key is an identifier. The product is the record's prefix."""
    top = {key: given.pop(key) for key in list(given) if key in _TOP}
    return {
        "record": record,
        "product": product or record.split(":")[0],
        "observed_at": TODAY,
        **top,
        "identifiers": given,
    }


class Outcome:
    """Lines of `exposure resolve` by record."""

    def __init__(self, lines: Iterable[dict[str, Any]]) -> None:
        self.lines = {line["record"]: line for line in lines}
        members: dict[str, set[str]] = {}
        for record, line in self.lines.items():
            key = line["asset"] if line["state"] == "resolved" else f"held {record}"
            members.setdefault(key, set()).add(record)
        self._group = {record: frozenset(group) for group in members.values() for record in group}

    def group(self, record: str) -> frozenset[str]:
        """The records of one asset with it; a held record stands alone."""
        return self._group[record]

    def groups(self) -> set[frozenset[str]]:
        """The partition: sets of records with one asset."""
        return set(self._group.values())

    def together(self, *records: str) -> bool:
        """All resolved into one asset."""
        return set(records) <= self.group(records[0])

    def apart(self, *records: str) -> bool:
        """No two in one asset."""
        return len({self.group(record) for record in records}) == len(records) and len(
            {self.lines[record]["asset"] for record in records}
        ) == len(records)

    def held(self, record: str) -> bool:
        return bool(self.lines[record]["state"] == "held")

    def review(self, record: str) -> set[str]:
        return set(self.lines[record]["review"])

    def links(self, record: str) -> set[tuple[str, str]]:
        return {(link["relationship"], link["record"]) for link in self.lines[record]["links"]}

    def verdicts(self, record: str) -> set[str]:
        return {decision["verdict"] for decision in self.lines[record]["decisions"]}

    def suppressed(self, record: str) -> set[str]:
        """Values of the record that were dropped."""
        return {d["value"] for d in self.lines[record]["decisions"] if d["verdict"] == "suppressed"}

    def words(self, record: str) -> str:
        return "\n".join(decision["reason"] for decision in self.lines[record]["decisions"])


def resolved(kind: str, *observations: dict[str, Any]) -> Outcome:
    """Writes the observations to a file and resolves it with explanations."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "observations.jsonl"
        path.write_text("".join(json.dumps(item) + "\n" for item in observations), encoding="utf-8")
        return Outcome(resolve_jsonl(path, kind, explain=True, connection=connection()))  # type: ignore[arg-type]


def devices(*observations: dict[str, Any]) -> Outcome:
    return resolved("device", *observations)


def identities(*observations: dict[str, Any]) -> Outcome:
    return resolved("identity", *observations)


def applications(*observations: dict[str, Any]) -> Outcome:
    return resolved("application", *observations)


def table(*rows: dict[str, Any], kind: Kind = "device") -> pa.Table:
    """Observations as the API takes them."""
    return to_table([shape_of(kind).validate_python(row) for row in rows], kind)


def run(
    rows: list[dict[str, Any]],
    state: pa.Table | None = None,
    decisions: tuple[Decision, ...] = (),
    kind: Kind = "device",
) -> Any:
    """One day of a kind: the asset of each record, the state for the next day, and the aliases."""
    outcome = resolve(kind, table(*rows, kind=kind), state=state, decisions=decisions, connection=connection())
    ids = dict(outcome.assignments().project("record, asset_id").fetchall())
    return ids, outcome.state().to_arrow_table(), dict(outcome.aliases().project("alias_id, asset_id").fetchall())


def told(record: str, serial: str, month: int) -> dict[str, Any]:
    """A machine known by its serial number since the first of that month of 2026."""
    return seen(record, serial_number=serial, first_seen=f"2026-{month:02}-01T00:00:00Z")


class Runs:
    """Builds of one estate, one after the other, each over what the last one published."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.connection = duckdb.connect()
        self.connection.execute("CREATE SCHEMA run; CREATE SCHEMA previous")
        for name in ("run.device_state", "run.device_built", "run.connections"):
            self.connection.execute(f"CREATE TABLE {name} AS {empty_select(RUN_SOURCES[name])}")
        self.connection.execute("CREATE TABLE previous.int_devices_assignments AS FROM run.device_built")

    def scopes(self, **scopes: str) -> None:
        """The scope that the connection of each product gives."""
        self.connection.execute("DELETE FROM run.connections")
        rows = [(product, "p", scope) for product, scope in scopes.items()]
        self.connection.executemany("INSERT INTO run.connections (product, instance, scope) VALUES (?, ?, ?)", rows)

    def decide(self, **told: Any) -> None:
        (self.home / "decisions.yaml").write_text(json.dumps(told))

    def build(
        self, *rows: dict[str, Any], again: bool = False, report: Report = silent, **options: Any
    ) -> dict[str, str]:
        """Asset of each record; what is refused leaves everything as it was. again: the last date anew, not the next."""
        if not again and self.connection.execute("FROM run.device_built").fetchone():
            self.connection.execute(
                "DELETE FROM previous.int_devices_assignments; "
                "INSERT INTO previous.int_devices_assignments FROM run.device_built; DELETE FROM run.device_built"
            )
        observed = to_table([shape_of("device").validate_python(row) for row in rows], "device")
        self.connection.register("stg__devices", observed)
        context = BuildContext.for_date(date(2026, 11, 20), self.home, options, report)
        found = resolve_models(self.connection, "device", "devices", context)
        assignments = found["int_devices_assignments"].project("record, asset_id").fetchall()
        self.connection.register("_new_ids", found["int_devices_state"].to_arrow_table())
        self.connection.execute("CREATE OR REPLACE TABLE run.device_state AS FROM _new_ids")
        self.connection.execute("DELETE FROM run.device_built")
        self.connection.executemany("INSERT INTO run.device_built VALUES (?, ?)", assignments)
        return dict(assignments)
