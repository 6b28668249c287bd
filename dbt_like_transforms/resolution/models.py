"""Resolution as the build runs it: the relations of the `resolve_<kind>` models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbt_like_transforms.resolution.config import ResolutionConfig
from dbt_like_transforms.resolution.decisions.manual import DecisionFile, load_decisions
from dbt_like_transforms.resolution.fields.survivorship import Survivors
from dbt_like_transforms.resolution.gate import gate_of
from dbt_like_transforms.resolution.kinds import Kind
from dbt_like_transforms.resolution.resolve import resolve

if TYPE_CHECKING:
    import duckdb

    from dbt_like_transforms.engine.context import BuildContext

DECISIONS_FILE = "decisions.yaml"


class PublishGateClosed(RuntimeError):
    """The run would merge or split more assets than the limit; nothing of it is published."""


def resolve_models(
    connection: duckdb.DuckDBPyConnection,
    kind: Kind,
    plural: str,
    context: BuildContext,
) -> dict[str, duckdb.DuckDBPyRelation]:
    """Resolves `stg__<plural>`, in the scopes of `run.connections`, going on with the ids of `run.<kind>_state`, and gives the
    `int_<plural>_...` tables, which read temporary tables that the next resolution on the connection replaces: write them before.

    Options of the build read: `accept_changes` (True once a person has seen them), `without_instances` (sources to leave out).

    Raises:
        DecisionError: decisions.yaml of the home cannot be applied.
        PublishGateClosed: too many merges and splits, against the newest earlier snapshot and against the date's last build.
    """

    def report(doing: str) -> None:
        context.report(f"{plural}: {doing}")

    decisions = load_decisions(context.home / DECISIONS_FILE) if context.home is not None else DecisionFile()
    without = tuple(context.options.get("without_instances", ()))
    config = ResolutionConfig(
        as_of=context.snapshot_end,
        allowed=tuple((allowed.identifier, allowed.value) for allowed in decisions.allow),
        without=without,
    )
    outcome = resolve(
        kind,
        _observed(connection, plural),
        state=f"run.{kind}_state",
        decisions=decisions.decisions,
        config=config,
        connection=connection,
        survivors=True,
        report=report,
    )
    report("comparing with what was published")
    # A rebuild of what a person accepted is near what the date had, going back on it near the snapshot before.
    befores = [
        connection.sql(f"SELECT record, asset_id FROM {name}")
        for name in (f"previous.int_{plural}_assignments", f"run.{kind}_built")
    ]
    # A source left out on purpose changes much, and that is what the person wants to see.
    accepted = bool(context.options.get("accept_changes") or without)
    verdict = gate_of(befores, outcome.assignments().project("record, asset_id"), decisions.gate, accepted)
    if not verdict.passed:
        raise PublishGateClosed(f"{plural}: {verdict.message}")
    report("putting together what their sources say")
    survivors = Survivors(outcome)
    _keep_winners(connection, survivors)
    found = {
        "assignments": outcome.assignments(),
        "decisions": outcome.decisions(),
        "suppressed": outcome.suppressed(),
        "links": outcome.links(),
        "aliases": outcome.aliases(),
        "reviews": outcome.review_pairs(),
        "state": outcome.state(),
        "fields": survivors.fields(),
        "winners": connection.sql("FROM _winners"),
    }
    return {f"int_{plural}_{name}": relation for name, relation in found.items()}


def _observed(connection: duckdb.DuckDBPyConnection, plural: str) -> str:
    """Name of the observations, inside the scopes of their connections. Where all have one scope they are as staging gives
    them: no join of all records."""
    relation = f"stg__{plural}"
    if not connection.sql("FROM run.connections WHERE scope <> 'default' LIMIT 1").fetchall():
        return relation
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP VIEW _scoped AS
        SELECT o.* REPLACE (CASE WHEN coalesce(c.scope, 'default') = 'default' THEN o.scope
            WHEN coalesce(o.scope, 'default') = 'default' THEN c.scope
            ELSE c.scope || ':' || o.scope END AS scope)
        FROM {relation} o LEFT JOIN run.connections c ON c.product = o.product AND c.instance = o.instance
        """
    )
    return "_scoped"


def _keep_winners(connection: duckdb.DuckDBPyConnection, survivors: Survivors) -> None:
    """Makes the temporary table `_winners` batch by batch: unlike Arrow it can leave the memory for the disk."""
    for number, batch in enumerate(survivors.batches()):
        connection.register("_batch", batch)
        verb = "INSERT INTO _winners" if number else "CREATE OR REPLACE TEMP TABLE _winners AS"
        connection.execute(f"{verb} SELECT * FROM _batch")
        connection.unregister("_batch")
