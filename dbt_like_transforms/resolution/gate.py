"""What a run would change against the last published one, and the gate that stops a change too large to be true."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import duckdb
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from dbt_like_transforms.resolution.record_names import record_parts


@dataclass(frozen=True, slots=True)
class Merge:
    """Assets `gone` are now part of `into`; records: those that moved."""

    into: str
    gone: tuple[str, ...]
    records: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Split:
    """Records of asset `source` are now in other assets: `into`."""

    source: str
    into: tuple[str, ...]
    records: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """Differences of two assignments. before: how many assets there were."""

    merges: tuple[Merge, ...] = ()
    splits: tuple[Split, ...] = ()
    before: int = 0

    @property
    def touched(self) -> int:
        """How many of the earlier assets were merged or split."""
        return len({asset for merge in self.merges for asset in merge.gone} | {split.source for split in self.splits})


class Limit(BaseModel):
    """How much may change without a person: the larger of `assets` and `share` (0..1) of the earlier assets."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    assets: int = Field(default=25, ge=0)
    share: float = Field(default=0.05, ge=0, le=1)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a run may be published, and what to say when not."""

    passed: bool
    message: str
    changes: Changes = field(default_factory=Changes)


def changes(
    previous: pa.Table | duckdb.DuckDBPyRelation,
    current: pa.Table | duckdb.DuckDBPyRelation,
) -> Changes:
    """Compares two assignments (columns record and asset_id; rows without asset are left out)."""
    con = duckdb.connect()
    # Relations keep to their own connection; as Arrow they can be read from any.
    for name, table in (("_gate_previous", previous), ("_gate_current", current)):
        con.register(name, table if isinstance(table, pa.Table) else table.to_arrow_table())
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE _gate AS
        SELECT p.record, p.asset_id AS was, c.asset_id AS is
        FROM _gate_previous p JOIN _gate_current c USING (record)
        WHERE p.asset_id IS NOT NULL AND c.asset_id IS NOT NULL
        """
    )
    merges = con.execute(
        """
        WITH lost AS (SELECT * FROM _gate WHERE was NOT IN (SELECT asset_id FROM _gate_current WHERE asset_id IS NOT NULL))
        SELECT "is", list_sort(list(DISTINCT was)), list_sort(list(record)) FROM lost GROUP BY "is"
        -- one alone that is called anew is no merge
        HAVING count(DISTINCT was) > 1 OR "is" IN (SELECT was FROM _gate) ORDER BY "is"
        """
    ).fetchall()
    splits = con.execute(
        """
        WITH parts AS (SELECT was FROM _gate GROUP BY was HAVING count(DISTINCT "is") > 1)
        SELECT was, list_sort(list(DISTINCT "is")), list_sort(list(record) FILTER ("is" <> was))
        FROM _gate JOIN parts USING (was) GROUP BY was ORDER BY was
        """
    ).fetchall()
    ((before,),) = con.execute("SELECT count(DISTINCT asset_id) FROM _gate_previous").fetchall()
    return Changes(
        tuple(Merge(into, tuple(lost), tuple(records)) for into, lost, records in merges),
        tuple(Split(source, tuple(into), tuple(records or ())) for source, into, records in splits),
        before,
    )


def gate(found: Changes, limit: Limit, accepted: bool) -> Verdict:
    """Whether the changes are small enough to publish without a person. accepted: a person has seen them."""
    allowed = max(limit.assets, limit.share * found.before)
    summary = (
        f"{len(found.merges)} merges and {len(found.splits)} splits touch {found.touched} of {found.before} assets"
    )
    if found.touched <= allowed:
        return Verdict(True, summary, found)
    if accepted:
        return Verdict(True, f"{summary}: more than the limit of {allowed:.0f}, accepted", found)
    examples = [f"{', '.join(merge.gone)} into {merge.into}" for merge in found.merges[:3]]
    examples += [f"{split.source} into {', '.join(split.into)}" for split in found.splits[:3]]
    records = [record for merge in found.merges for record in merge.records]
    records += [record for split in found.splits for record in split.records]
    moved = Counter(map(instance_of, records))
    sources = ", ".join(f"{count} of {instance}" for instance, count in moved.most_common(3))
    return Verdict(
        False,
        f"{summary}: more than the limit of {allowed:.0f}, so they are not stored and nothing is published "
        f"(for example {'; '.join(examples)}). Most of the records that would move: {sources}. "
        "`exposure build --what-if` lists them all (a past date with its --date); then accept them with "
        "`exposure build --accept-changes`, or leave out the source at fault with `exposure build --without INSTANCE`. "
        "The limit is `gate` in decisions.yaml.",
        found,
    )


def instance_of(record: str) -> str:
    """The instance that the name of a record tells."""
    return [*record_parts(record), record][1]


def gate_of(
    befores: Sequence[pa.Table | duckdb.DuckDBPyRelation],
    current: pa.Table | duckdb.DuckDBPyRelation,
    limit: Limit,
    accepted: bool = False,
) -> Verdict:
    """Passes where the changes are small against one of `befores`. One without assets measures nothing; when none lets it
    pass, the first one tells."""
    current = current if isinstance(current, pa.Table) else current.to_arrow_table()
    told: list[Verdict] = []
    for before in befores:
        verdict = gate(changes(before, current), limit, accepted)
        if verdict.passed and verdict.changes.before:
            return verdict
        told.append(verdict)
    return next((verdict for verdict in told if not verdict.passed), told[0])
