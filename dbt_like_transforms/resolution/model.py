"""Resolution as a model of the project: observations of a kind in, its assets with their reasons out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dbt_like_transforms.resolution.config import ResolutionConfig
from dbt_like_transforms.resolution.manual import load_decisions
from dbt_like_transforms.resolution.resolve import Kind, resolve
from dbt_like_transforms.resolution.survivorship import Survivors

if TYPE_CHECKING:
    import duckdb

    from dbt_like_transforms.engine.context import BuildContext

DECISIONS_FILE = "decisions.yaml"


def resolved(con: duckdb.DuckDBPyConnection, context: BuildContext, kind: Kind, plural: str) -> dict[str, Any]:
    """All outputs of a kind, by model name. Reads `stg__<plural>` and `run.<kind>_state`.

    Raises DecisionError when the home's decisions.yaml cannot be applied.
    """
    decided = load_decisions(context.home / DECISIONS_FILE) if context.home else None
    config = ResolutionConfig(
        as_of=context.snapshot_end,
        allowed=[(item.identifier, item.value) for item in decided.allow] if decided else (),
    )
    decisions = [decision for decision in decided.decisions if decision.kind == kind] if decided else []
    outcome = resolve(
        kind, f"stg__{plural}", state=f"run.{kind}_state", decisions=decisions, config=config, connection=con
    )
    survivors = Survivors(outcome)
    made: dict[str, Any] = {f"int_{plural}_winners": survivors.winners()}
    # the tables of a resolution are reused by the next one on this connection: keep this one's
    tables = {
        "fields": survivors.fields(),
        "assignments": outcome.assignments(),
        "decisions": outcome.decisions(),
        "suppressed": outcome.suppressed(),
        "links": outcome.links(),
        "aliases": outcome.aliases(),
        "state": outcome.state(),
    }
    for name, relation in tables.items():
        model = f"int_{plural}_{name}"
        con.execute(f"DROP TABLE IF EXISTS _made_{model}")
        relation.create(f"_made_{model}")
        made[model] = con.sql(f"SELECT * FROM _made_{model}")
    return made
