"""Resolution of observations in a JSON lines file; nothing is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb

from dbt_like_transforms.reporting import Report, silent
from dbt_like_transforms.resolution.clustering.strength import HELD_WORDS
from dbt_like_transforms.resolution.kinds import Kind
from dbt_like_transforms.resolution.observations import AnyObservation, read_observations, to_table
from dbt_like_transforms.resolution.reasons.contradictions import contradictions
from dbt_like_transforms.resolution.resolution import Resolution
from dbt_like_transforms.resolution.resolve import resolve

#: Records of an asset up to which all are named as possible matches, and as ends of links.
MEMBERS_SHOWN = 32


def resolve_jsonl(
    path: Path | str,
    kind: Kind,
    explain: bool = False,
    connection: duckdb.DuckDBPyConnection | None = None,
    report: Report = silent,
) -> Iterator[dict[str, Any]]:
    """Resolves the observations of a file: one result a record, in the order of the file. connection, report: see
    `resolve`.

    Each result: record, asset, state (resolved, or held when the record makes no asset; `asset` is then the id it would
    get), review (records it might belong with), links; with `explain` also decisions, contradictions and, when held, why.

    Raises:
        InvalidObservation: a line is no observation of the kind.
    """
    report("reading the file")
    observations = read_observations(Path(path), kind)
    return _results(observations, kind, explain, connection, report)


def _results(
    observations: Sequence[AnyObservation],
    kind: Kind,
    explain: bool,
    connection: duckdb.DuckDBPyConnection | None,
    report: Report,
) -> Iterator[dict[str, Any]]:
    """See `resolve_jsonl`; apart from it, so that a line that is no observation is refused at once."""
    if not observations:
        return
    outcome = resolve(kind, to_table(observations, kind), connection=connection, report=report)
    report("telling the result")
    con = outcome.connection
    rows = con.execute(
        "SELECT r.record, r.idx, a.asset_id, a.held FROM _records r JOIN _clusters USING (idx) JOIN _assets a USING (cluster)"
    ).fetchall()
    by_record = {record: (idx, asset, held) for record, idx, asset, held in rows}
    name_of = {idx: record for record, idx, _, _ in rows}
    reviews = _reviews(outcome)
    links = _links(outcome, name_of, explain)
    decisions = _decisions(outcome) if explain else {}
    contradicted = contradictions(outcome.connection) if explain else {}
    for record in dict.fromkeys(observation["record"] for observation in observations):
        idx, asset, held = by_record[record]
        line: dict[str, Any] = {
            "record": record,
            "asset": asset,
            "state": "held" if held else "resolved",
            "review": [name_of[other] for other in sorted(reviews.get(idx, ()))],
            "links": links.get(record, []),
        }
        if explain:
            line["decisions"] = decisions.get(record, [])
            line["contradictions"] = contradicted.get(record, [])
            if held:
                line["held_because"] = HELD_WORDS[int(outcome.clusterer.findings.waits[idx])]
        yield line


def _reviews(outcome: Resolution) -> dict[int, set[int]]:
    """Possible matches of every record: all records of the asset that one of its own might belong with."""
    pairs = outcome.reviews()
    shown = _assets_of(outcome, pairs)
    found: dict[int, set[int]] = {}
    for row, others in pairs.items():
        for other in others:
            for own in shown(row):
                found.setdefault(own, set()).update(shown(other))
    return found


def _links(outcome: Resolution, name_of: dict[int, str], explain: bool) -> dict[str, list[dict[str, str]]]:
    """Links of every record: those of its asset, to all records of the other asset."""
    shown = _assets_of(outcome, (row for link in outcome.link_list for row in (link.source, link.target)))
    found: dict[str, dict[tuple[str, str], dict[str, str]]] = {}
    for link in outcome.link_list:
        for source in shown(link.source):
            for target in shown(link.target):
                entry = {"record": name_of[target], "relationship": link.relationship}
                if explain:
                    entry["reason"] = link.reason
                found.setdefault(name_of[source], {}).setdefault((name_of[target], link.relationship), entry)
    return {record: list(entries.values()) for record, entries in found.items()}


def _assets_of(outcome: Resolution, rows: Iterable[int]) -> Callable[[int], list[int]]:
    """Gives for each of the rows all records of its asset; the row alone where these are more than MEMBERS_SHOWN."""
    label = outcome.clusterer.partition.label.tolist()
    wanted = {label[row] for row in rows}
    members: dict[int, list[int]] = {}
    for row, cluster in enumerate(label):
        if cluster in wanted:
            members.setdefault(cluster, []).append(row)

    def shown(row: int) -> list[int]:
        found = members[label[row]]
        return found if len(found) <= MEMBERS_SHOWN else [row]

    return shown


def _decisions(outcome: Resolution) -> dict[str, list[dict[str, Any]]]:
    """Decisions by record; a pair is told from both sides."""
    found: dict[str, list[dict[str, Any]]] = {}
    query = outcome.decisions(with_seeds=True).order("record, verdict, rule, value, other_record, sentence")
    for record, rule, value, other, verdict, against, sentence in query.fetchall():
        entry = {"rule": rule, "value": value, "other_record": other, "verdict": verdict, "reason": sentence}
        if against is not None:
            entry["against"] = against
        found.setdefault(record, []).append(entry)
        if other is not None:
            mirrored = {**entry, "other_record": record, "reason": sentence.replace(f" as {other}", f" as {record}")}
            found.setdefault(other, []).append(mirrored)
    return found
