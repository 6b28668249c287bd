"""Decisions of people as rows of one resolution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import duckdb

from dbt_like_transforms.resolution.decisions.manual import Decision, chains, check_consistent


@dataclass(slots=True)
class Applied:
    """Decisions as rows. together: pairs to join. apart: pairs never to join. islands: row -> island number.

    merged_by, apart_by: the decision of each of these pairs. gone: decision, record that is not among the records, rows of
    the others that it names.
    """

    together: list[tuple[int, int]] = field(default_factory=list)
    apart: tuple[tuple[int, int], ...] = ()
    islands: dict[int, int] = field(default_factory=dict)
    merged_by: dict[tuple[int, int], Decision] = field(default_factory=dict)
    apart_by: dict[tuple[int, int], Decision] = field(default_factory=dict)
    gone: list[tuple[Decision, str, tuple[int, ...]]] = field(default_factory=list)


def apply_decisions(connection: duckdb.DuckDBPyConnection, kind: str, decisions: Sequence[Decision]) -> Applied:
    """Turns the decisions of a kind into rows of `_records`. Records that are gone are noted and left out.

    Raises:
        ContradictoryDecisions: two of them cannot both hold.
    """
    mine = [decision for decision in decisions if decision.kind == kind]
    check_consistent(mine)
    applied = Applied()
    if not mine:
        return applied
    named = sorted({record for decision in mine for record in decision.named()})
    rows = dict(
        connection.execute(
            "SELECT record, idx FROM _records WHERE record IN (SELECT unnest(?::VARCHAR[]))", [named]
        ).fetchall()
    )
    apart: set[tuple[int, int]] = set()
    chain = chains(group for decision in mine for group in decision.made_one())
    heads: dict[str, int] = {}
    island = 0
    for decision in sorted(mine, key=lambda item: item.id):
        there = tuple(sorted(rows[record] for record in decision.named() if record in rows))
        applied.gone.extend((decision, record, there) for record in decision.named() if record not in rows)
        for number, group in enumerate(decision.made_one()):
            present = sorted(rows[record] for record in group if record in rows)
            pairs = [(present[0], row) for row in present[1:]]
            # Who was declared one through records that are gone stays one.
            if present and heads.setdefault(chain[group[0]], present[0]) != present[0]:
                head = heads[chain[group[0]]]
                pairs.append((min(head, present[0]), max(head, present[0])))
            for pair in pairs:
                applied.together.append(pair)
                applied.merged_by.setdefault(pair, decision)
            # The first part of a split stays where its identifiers put it; the others are taken out.
            if number > 0:
                island += 1
                applied.islands.update(dict.fromkeys(present, island))
        for one, other in decision.kept_apart():
            if one in rows and other in rows:
                pair = (min(rows[one], rows[other]), max(rows[one], rows[other]))
                apart.add(pair)
                applied.apart_by.setdefault(pair, decision)
    applied.apart = tuple(sorted(apart))
    return applied
