"""What clustering notes of each rule, so that people can be told: who joined whom, what kept others apart, and what to ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dbt_like_transforms.resolution.clustering.agreement import Agreement, equal_pairs
from dbt_like_transforms.resolution.clustering.crowded import FEW
from dbt_like_transforms.resolution.clustering.facts import NO_KEY, Facts
from dbt_like_transforms.resolution.clustering.findings import Findings, Joins, Near, Suppressed
from dbt_like_transforms.resolution.clustering.integers import (
    Flags,
    Keys,
    carriers_of,
    distinct_count,
    first_of_each,
    sorted_unique,
)
from dbt_like_transforms.resolution.clustering.partition import Partition
from dbt_like_transforms.resolution.clustering.settle import Settlement
from dbt_like_transforms.resolution.ladders.ladder import RUNG_MAC, RUNG_NAME, Ladder, Rule

#: Pairs named for one value in reports: enough to understand it, few enough to stay linear on a placeholder.
PAIRS_REPORTED = 20
WEAK_RUNGS = (RUNG_MAC, RUNG_NAME)
#: Vetoes that leave a doubt a person should look at.
SOFT = frozenset({
    "mac", "time", "source", "source_any", "source_unlike", "agent", "fqdn", "names", "arn", "logon", "marked", "marked_in",
    "employee_other", "login_other", "main_other", "okta_other", "passed_on", "clone_unnamed", "counted", "enclosed",
})  # fmt: skip
#: Vetoes after which the record that knows less makes no asset: it may be a second record of the other. After "time" only
#: what was gone may be an old one of the other; what came later has taken the name.
DOUBTFUL = frozenset({"source_any"})
#: Identifiers whose disagreement with the hardware is the cluster guard's business.
GUARDED = frozenset({"entra", "adguid", "dirguid", "cloud", "cloudq", "resource"})
#: Directory ids that differ on equal hardware: most often a machine set up anew, so a person should look.
RENEWED = frozenset({"entra", "adguid", "sid_account", "sid_machine", "path"})
HARDWARE = frozenset({"serial", "serialq", "uuid", "imei"})
#: What differs on accounts of machines made from one image, or of a domain that was renamed.
COPIED = frozenset({"netbios"})


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What shows values to be no identifiers. Of each (cluster, value) pair of an `Agreement`:

    values, known: what the cluster has of what contests the value, and whether it has one of it. lead: the first pair of its
    value of which that is known. And names: identifiers that contest. distinct: how many of theirs each value is seen with.
    """

    names: tuple[str, ...]
    values: Keys
    known: Flags
    distinct: NDArray[np.int64]
    lead: NDArray[np.int64]


class Notes:
    """Writes the findings of one clustering."""

    def __init__(self, facts: Facts, ladder: Ladder, partition: Partition, findings: Findings) -> None:
        self.facts = facts
        self.ladder = ladder
        self.partition = partition
        self.findings = findings

    def suppressed(self, rule: Rule, bad: Agreement, against: NDArray[np.int16]) -> None:
        """Notes values that are no identifiers, and who differs on what shows it.

        against: of each value the number of the contest that shows it, from 1; one more than there are for names.
        """
        shown = self._evidence(rule, bad, against)
        edges = self.facts.edges[rule.identifier]
        records = carriers_of(bad.shown, edges.rows, edges.keys)
        for key, row, number, distinct, count in zip(
            bad.shown.tolist(),
            bad.row[bad.starts].tolist(),
            against.tolist(),
            shown.distinct.tolist(),
            records.tolist(),
            strict=True,
        ):
            self.findings.suppressed.append(
                Suppressed(rule.name, rule.identifier, key, row, shown.names[number - 1], distinct, count)
            )
        self._differing(rule, bad, against, shown)
        self._agreeing(rule, bad, shown)
        self._unassigned(rule, bad, shown)

    def _evidence(self, rule: Rule, bad: Agreement, against: NDArray[np.int16]) -> _Evidence:
        names = (*rule.contest, "host")
        values, known = np.zeros(len(bad.key), np.uint64), np.zeros(len(bad.key), np.bool_)
        single = self.partition.held[bad.cluster] & ~self.partition.several[bad.cluster]
        for number in sorted_unique(against).tolist():
            pairs = np.flatnonzero(against[bad.key] == number)
            if number > len(rule.contest):
                values[pairs] = self.facts.full_print[bad.row[pairs]]
                # what tells nothing but the value may be of any of the others
                known[pairs] = (values[pairs] != NO_KEY) & (values[pairs] != bad.shown[bad.key[pairs]])
            else:
                values[pairs] = self.partition.low[names[number - 1]][bad.cluster[pairs]]
                known[pairs] = single[pairs] & self.partition.bits[names[number - 1]] != 0
        distinct = distinct_count(bad.key[known], values[known], len(bad))
        return _Evidence(names, values, known, distinct, first_of_each(known, bad.key, 1)[bad.key])

    def _differing(self, rule: Rule, bad: Agreement, against: NDArray[np.int16], shown: _Evidence) -> None:
        """Those that differ on what contests the value: each with the first of all, and where there are few of them, with
        one another. A question for a person where it may be one machine after all."""
        values, lead = shown.values, shown.lead
        pairs = first_of_each(shown.known & (values != values[lead]), bad.key, PAIRS_REPORTED)
        few = pairs[shown.distinct[bad.key[pairs]] <= FEW]
        left, right = equal_pairs(bad.key[few], bad.key[few])
        left, right = few[left], few[right]
        second = (left < right) & (values[left] != values[right])
        ends, starts = np.append(pairs, right[second]), np.append(lead[pairs], left[second])
        rows, others, key = bad.row[ends], bad.row[starts], bad.key[ends]
        # One serial number, one name, two UUIDs: a board was swapped, or one product reads the UUID wrongly.
        prints = self.facts.fingerprint
        alike = (prints[rows] == prints[others]) & (prints[rows] != NO_KEY) & (rule.identifier in HARDWARE)
        for number in sorted_unique(against).tolist():
            name = shown.names[number - 1]
            asked = (shown.distinct[key] <= FEW) & (_asks(rule.identifier, name) | (alike & (name in HARDWARE)))
            for review in (False, True):
                chosen = (against[key] == number) & (asked == review)
                self.findings.missed(
                    Near(rule.name, rule.identifier, rows[chosen], others[chosen], bad.shown[key[chosen]], name, review)
                )

    def _agreeing(self, rule: Rule, bad: Agreement, shown: _Evidence) -> None:
        """Those that agree on what contests the value as well: nothing is between them but the others."""
        few = (shown.distinct <= FEW) & (bad.sizes() <= PAIRS_REPORTED)
        pairs = np.flatnonzero(shown.known & few[bad.key])
        key, values = bad.key[pairs], shown.values[pairs]
        order = np.lexsort((values, key))
        pairs, key, values = pairs[order], key[order], values[order]
        alike = (key[1:] == key[:-1]) & (values[1:] == values[:-1])
        rows, others, keys = bad.row[pairs[1:][alike]], bad.row[pairs[:-1][alike]], bad.shown[key[1:][alike]]
        self.findings.missed(Near(rule.name, rule.identifier, rows, others, keys, "several", True))

    def _unassigned(self, rule: Rule, bad: Agreement, shown: _Evidence) -> None:
        """Records that say nothing on the contested point could belong to any of the others: a person decides."""
        free = ~shown.known
        if self.ladder.identifier(rule.identifier).rung in WEAK_RUNGS:
            free &= self.partition.held[bad.cluster] & self.partition.mask(rule.contest) == 0
        self.findings.doubt(bad.row[free], bad.row[shown.lead[free]])
        some, taken = first_of_each(free, bad.key, PAIRS_REPORTED), first_of_each(shown.known, bad.key, PAIRS_REPORTED)
        left, right = equal_pairs(bad.key[some], bad.key[taken])
        rows, others = bad.row[some[left]], bad.row[taken[right]]
        keys = bad.shown[bad.key[some[left]]]
        self.findings.missed(Near(rule.name, rule.identifier, rows, others, keys, "", True))

    def joined(self, rule: Rule, agreed: Agreement, calm: Flags) -> None:
        """Notes who joined by agreements without any conflict, those marked in `calm`."""
        leader = agreed.row[agreed.starts][agreed.key]
        taken = calm.copy()
        taken[agreed.starts] = False
        key = agreed.key[taken]
        self.findings.joins.append(
            Joins(
                rule.name,
                rule.identifier,
                agreed.row[taken],
                leader[taken],
                agreed.shown[key],
                agreed.confirming[key],
            )
        )

    def settled(
        self, rule: Rule, agreed: Agreement, settlement: Settlement, carriers: dict[tuple[int, int], int]
    ) -> None:
        """Notes what was decided of groups with conflicts. carriers: (cluster, value) -> row that carries it."""
        shown, weaker = agreed.shown.tolist(), agreed.confirming.tolist()
        part_of = {cluster: number for number, merged in enumerate(settlement.merged) for cluster in merged}

        def told(value: int, one: int, other: int) -> tuple[int, int, int]:
            return carriers[one, value], carriers[other, value], shown[value]

        joined = [
            (*told(value, one, other), weaker[value])
            for value, one, other in settlement.agreed
            if one in part_of and part_of[one] == part_of.get(other)
        ]
        self.findings.joined_pairs(rule.name, rule.identifier, joined)
        vetoed: dict[str, list[tuple[int, int, int]]] = {}
        for value, one, other, against in settlement.vetoed:
            vetoed.setdefault(against, []).append(told(value, one, other))
        for against, pairs in vetoed.items():
            review = against in SOFT or _asks(rule.identifier, against)
            self.findings.missed_pairs(rule.name, rule.identifier, pairs, against, review)
            if against == "time":
                self._doubt([sorted(pair, key=self._until) for *pair, _ in pairs])
            elif against in DOUBTFUL:
                self._doubt_both(pairs)
        ambiguous = [told(*pair) for pair in settlement.ambiguous]
        self.findings.missed_pairs(rule.name, rule.identifier, ambiguous, "", True)
        self._doubt_both(ambiguous)
        undecided = [told(*pair) for pair in settlement.undecided]
        self.findings.missed_pairs(rule.name, rule.identifier, undecided, "several", True)

    def _until(self, row: int) -> tuple[int, bool]:
        """Last activity of a record, of what tells its beginning alone that; what is retired ended before what is not."""
        facts = self.facts
        return int(max(facts.first[row], facts.last[row])), bool(facts.active[row])

    def _doubt_both(self, pairs: list[tuple[int, int, int]]) -> None:
        """Either may be a record of the other; see `strength.held` for the one that waits."""
        self._doubt([(row, other) for row, other, _ in pairs])
        self._doubt([(other, row) for row, other, _ in pairs])

    def _doubt(self, pairs: Sequence[Sequence[int]]) -> None:
        """The first of each pair may be a record of the second."""
        rows = np.array(pairs, np.int32).reshape(-1, 2)
        self.findings.doubt(rows[:, 0], rows[:, 1])


def _asks(identifier: str, against: str) -> bool:
    """Whether a disagreement on `against` of records that agree on `identifier` is a question for a person."""
    return against != "apart" and (
        identifier in GUARDED or against in COPIED or (identifier in HARDWARE and against in RENEWED)
    )


def settling(rule: Rule) -> tuple[str, ...]:
    """Identifiers on which records that agree by the rule may differ without a question for a person."""
    return tuple(name for name in rule.contest if not _asks(rule.identifier, name))
