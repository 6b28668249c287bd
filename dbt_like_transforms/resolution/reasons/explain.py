"""The reasons as a table in plain words: what joined two records, what kept two apart, which values were dropped."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import chain

import duckdb
import numpy as np
import pyarrow as pa

from dbt_like_transforms.resolution.clustering.by_hand import MANUAL_MERGE
from dbt_like_transforms.resolution.clustering.cluster import Clusterer
from dbt_like_transforms.resolution.clustering.facts import key_sql, value_sql
from dbt_like_transforms.resolution.clustering.findings import Near
from dbt_like_transforms.resolution.clustering.integers import Rows, sorted_unique
from dbt_like_transforms.resolution.columns import show_columns
from dbt_like_transforms.resolution.decisions.applied import Applied
from dbt_like_transforms.resolution.decisions.manual import Decision
from dbt_like_transforms.resolution.forms.seeds import MOST_VALUES
from dbt_like_transforms.resolution.ladders.ladder import Identifier, Ladder
from dbt_like_transforms.resolution.reasons.evidence import Evidence, quoted, texts
from dbt_like_transforms.resolution.reasons.words import AGAINST_WORDS, against_words, doubt_words
from dbt_like_transforms.resolution.record_names import record_parts

DECISION_COLUMNS = ("record", "rule", "value", "other_record", "verdict", "against", "sentence")

#: What keeps two apart by something else than the values of the identifier of that name.
_NOT_BY_VALUE = frozenset({"host", "counted", "enclosed"})


class Reasons:
    """Turns findings into text, over the tables `_records`, `_clusters` and those of the ladder."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        clusterer: Clusterer,
        applied: Applied,
        without: Collection[str] = (),
    ) -> None:
        """without: products and instances whose records were left out."""
        self.connection = connection
        self.clusterer = clusterer
        self.ladder = clusterer.ladder
        self.findings = clusterer.findings
        self.applied = applied
        self.without = without
        self.evidence = Evidence(connection, clusterer.ladder, clusterer.facts.count, applied)

    def make_table(self, name: str, with_seeds: bool) -> None:
        """Makes the temporary table `name` with DECISION_COLUMNS.

        with_seeds: also one row for every record with a placeholder, as `exposure resolve --explain` shows it.
        """
        columns = ", ".join(f"{column} VARCHAR" for column in DECISION_COLUMNS)
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} ({columns})")
        self.connection.execute("CREATE OR REPLACE TEMP TABLE _keys AS SELECT idx, record FROM _records")
        seeds = self._placeholders() if with_seeds else ()
        # each reads tables that the step before it made
        for select in chain(
            self._joined(), self._kept_apart(), self._suppressed(), self._long_lists(), seeds, self._by_hand()
        ):
            self.connection.execute(f"INSERT INTO {name} {select}")
        # what one rule after the other met on one value is told of the strongest, which came first
        self.connection.execute(
            f"DELETE FROM {name} WHERE verdict = 'vetoed' AND rowid NOT IN (SELECT min(rowid) FROM {name} "
            "WHERE verdict = 'vetoed' GROUP BY least(record, other_record), greatest(record, other_record), value, against)"
        )
        self.connection.execute("DROP TABLE _keys")

    def _joined(self) -> Iterator[str]:
        for joins in self.findings.joins:
            if not (len(joins.rows) and joins.identifier):  # by hand, see `_by_hand`
                continue
            self.evidence.show_pairs(joins.rows, joins.others, joins.keys, joins.confirming)
            identifier = self.ladder.identifier(joins.identifier)
            rule = next(rule for rule in self.ladder.rules if rule.name == joins.rule)
            value, words, besides, more = "v.text", "v.text", "''", ""
            if rule.with_agreement:
                value = "concat_ws(' + ', v.text, w.text)"
                # what confirms may stand on other records of the two assets
                words = "v.text || CASE WHEN w.mine AND w.theirs THEN ' and ' || w.label || ' ' || w.text ELSE '' END"
                besides = "CASE WHEN w.mine AND w.theirs THEN '' ELSE ', and both assets have the ' || w.label || ' ' || w.text END"
                parts = [f"FROM ({self._confirming(self.ladder.identifier(weaker))})" for weaker in rule.with_agreement]
                more = f"LEFT JOIN ({' UNION ALL '.join(parts)}) w USING (row, other, confirming)"
            anew, sides = _set_up_anew(self.ladder, rule.successive)
            yield (
                f"SELECT a.record, {quoted(joins.rule)}, {value}, b.record, 'joined', NULL, "
                f"concat_ws(' ', 'same', {quoted(identifier.label)}, {words}, 'as', b.record) || {besides}{anew} "
                "FROM _pairs p JOIN _keys a ON a.idx = p.row JOIN _keys b ON b.idx = p.other "
                f"LEFT JOIN {self.evidence.text_of(identifier)} v ON v.idx = p.row AND v.key = p.key {more} {sides}"
            )

    def _confirming(self, identifier: Identifier) -> str:
        """SELECT giving what confirms the pairs in `_pairs`, and whether each of the two records itself has it."""
        return (
            f"WITH carried AS MATERIALIZED (SELECT DISTINCT idx, {key_sql(identifier)} AS confirming, text FROM ("
            f"{texts(identifier)}) WHERE confirming IN (SELECT confirming FROM _pairs)), "
            "told AS (SELECT confirming, min(text) AS text FROM carried GROUP BY confirming) "
            f"SELECT row, other, confirming, {quoted(identifier.label)} AS label, told.text AS text, "
            "mine.idx IS NOT NULL AS mine, theirs.idx IS NOT NULL AS theirs "
            "FROM (SELECT DISTINCT row, other, confirming FROM _pairs) p JOIN told USING (confirming) "
            "LEFT JOIN carried mine ON mine.idx = row AND mine.confirming = p.confirming "
            "LEFT JOIN carried theirs ON theirs.idx = other AND theirs.confirming = p.confirming"
        )

    def _tell_differences(self, nears: list[Near]) -> None:
        """Makes the temporary table `_differing` (against, cluster, text, key): what the assets of near misses have of the
        identifier on which they differ, each identifier read once. key: of what is its only value."""
        self.connection.execute(
            "CREATE OR REPLACE TEMP TABLE _differing (against VARCHAR, cluster INTEGER, text VARCHAR, key UBIGINT)"
        )
        by_value = {identifier.name for identifier in self.ladder.identifiers} - _NOT_BY_VALUE
        rows: dict[str, list[Rows]] = {}
        for near in nears:
            if near.against in by_value:
                rows.setdefault(near.against, []).extend((near.rows, near.others))
        for against, parts in rows.items():
            label = self.clusterer.partition.label
            show_columns(self.connection, "_concerned", {"cluster": sorted_unique(label[np.concatenate(parts)])})
            # where it is no identifier of the rule, what identifies nothing makes no difference
            dropped = self.findings.suppressed_keys(against) if against in AGAINST_WORDS else np.empty(0, np.uint64)
            show_columns(self.connection, "_indifferent", {"key": dropped})
            identifier = self.ladder.identifier(against)
            self.connection.execute(
                f"INSERT INTO _differing SELECT {quoted(against)}, cluster, "
                "CASE WHEN min(key) = max(key) THEN min(text) ELSE min(text) || ' and others' END, "
                "CASE WHEN min(key) = max(key) THEN min(key) END FROM ("
                f"SELECT cluster, {key_sql(identifier)} AS key, text FROM ({texts(identifier)}) JOIN ("
                "FROM _clusters SEMI JOIN _concerned USING (cluster)) USING (idx) "
                "WHERE text <> '' AND key NOT IN (FROM _indifferent)) GROUP BY cluster"
            )

    def _kept_apart(self) -> Iterator[str]:
        place = {rule.name: number for number, rule in enumerate(self.ladder.rules)}
        nears = sorted(
            self.findings.all_near(self.clusterer.partition.label), key=lambda near: place.get(near.rule, len(place))
        )
        self._tell_differences(nears)
        for near in nears:
            self.evidence.show_pairs(near.rows, near.others, near.keys)
            if near.against:
                against, words = quoted(near.against), against_words(self.ladder, near.identifier, near.against)
            else:
                against, words = "NULL", doubt_words(near.rule, near.identifier)
            if near.rule == MANUAL_MERGE:
                value, label = "m.decision", "'one by decision'"
                join = self._merging(near)
            elif not near.identifier:
                value, label, join = "NULL", "'account of the same person'", ""
            else:
                identifier = self.ladder.identifier(near.identifier)
                value, label = "v.text", quoted("same " + identifier.label)
                join = f"LEFT JOIN {self.evidence.text_of(identifier)} v ON v.idx = p.row AND v.key = p.key"
            yield (
                f"SELECT a.record, {quoted(near.rule)}, {value}, b.record, 'vetoed', {against}, "
                f"concat_ws(' ', {label}, {value}, 'as', b.record) || ', but ' || {quoted(words)} "
                "|| CASE WHEN x.text <> y.text THEN ': ' || least(x.text, y.text) || ' and ' || greatest(x.text, y.text) "
                "WHEN x.key <> y.key THEN ': ' || x.text || ' in two scopes' "
                # a mark that one of them has
                "WHEN x.text IS NULL OR y.text IS NULL THEN coalesce(': ' || coalesce(x.text, y.text), '') ELSE '' END "
                f"FROM _pairs p JOIN _keys a ON a.idx = p.row JOIN _keys b ON b.idx = p.other {join} "
                "JOIN _clusters c ON c.idx = p.row JOIN _clusters d ON d.idx = p.other "
                f"LEFT JOIN _differing x ON x.against = {against} AND x.cluster = c.cluster "
                f"LEFT JOIN _differing y ON y.against = {against} AND y.cluster = d.cluster"
            )

    def _merging(self, near: Near) -> str:
        """Makes `_merging`: the decision that would have made one of each pair; SQL that joins it."""
        pairs = list(zip(near.rows.tolist(), near.others.tolist(), strict=True))
        decisions = [self.applied.merged_by[min(pair), max(pair)].id for pair in pairs]
        show_columns(
            self.connection,
            "_merging",
            {"row": near.rows, "other": near.others, "decision": pa.array(decisions, pa.string())},
        )
        return "LEFT JOIN _merging m ON m.row = p.row AND m.other = p.other"

    def _suppressed(self) -> Iterator[str]:
        for identifier_name, found in self.findings.suppressed_of_each().items():
            identifier = self.ladder.identifier(identifier_name)
            self.evidence.show_suppressed(found)
            yield (
                # a record may list a value twice
                f"SELECT DISTINCT r.record, l.rule, c.text, NULL, 'suppressed', l.against, "
                f"{quoted(identifier.label)} || ' ' || c.text || ' ' || l.words FROM "
                f"(SELECT idx, text, {key_sql(identifier)} AS key FROM ({texts(identifier)})) c "
                "JOIN _learned l USING (key) JOIN _keys r ON r.idx = c.idx"
            )

    def _long_lists(self) -> Iterator[str]:
        for told in self.ladder.long_lists:
            words = f" {told.label} identify nothing: no single {self.ladder.kind} has more than {MOST_VALUES}"
            yield (
                f"SELECT r.record, 'too_many', count || ' values', NULL, 'suppressed', NULL, count || {quoted(words)} "
                f"FROM (SELECT idx, {told.count} AS count FROM {told.table}) JOIN _keys r USING (idx) WHERE count > {MOST_VALUES}"
            )

    def _placeholders(self) -> Iterator[str]:
        dropped = " UNION ALL ".join(
            f"SELECT idx, {quoted(self.ladder.identifier(one.identifier).label)} AS label, "
            f"{self.ladder.identifier(one.identifier).shown} AS text, {quoted(one.why)} AS why "
            f"FROM ({value_sql(one, 'idx')})"
            for one in self.ladder.dropped
        )
        yield (
            "SELECT DISTINCT r.record, 'placeholder', s.text, NULL, 'suppressed', NULL, "
            "s.label || ' ' || s.text || ' identifies nothing: ' || s.why "
            f"FROM ({dropped}) s JOIN _keys r USING (idx)"
        )

    def _by_hand(self) -> Iterator[str]:
        for joins in self.findings.joins:
            if not joins.identifier:
                pairs = list(zip(joins.others.tolist(), joins.rows.tolist(), strict=True))
                yield self._decided({pair: self.applied.merged_by[pair] for pair in pairs}, "joined", "one")
        if self.applied.apart_by:
            yield self._decided(self.applied.apart_by, "vetoed", "different")
        if self.applied.gone:
            yield self._waiting()

    def _decided(self, by: Mapping[tuple[int, int], Decision], verdict: str, what: str) -> str:
        """Pairs of which a person decided."""
        show_columns(
            self.connection,
            "_decided",
            {
                "row": pa.array([row for row, _ in by], pa.int32()),
                "other": pa.array([other for _, other in by], pa.int32()),
                "rule": [f"manual_{decision.action}" for decision in by.values()],
                "decision": [decision.id for decision in by.values()],
                "title": [decision.title for decision in by.values()],
            },
        )
        against = "'apart'" if verdict == "vetoed" else "NULL"
        return (
            f"SELECT a.record, d.rule, d.decision, b.record, {quoted(verdict)}, {against}, "
            f"'a person decided that ' || a.record || ' and ' || b.record || ' are {what} (' || d.title || ')' "
            "FROM _decided d JOIN _keys a ON a.idx = d.row JOIN _keys b ON b.idx = d.other"
        )

    def _waiting(self) -> str:
        """Records that decisions name and that are not there, told beside each other one that the decision names."""
        waiting = [
            (decision, record, row, next((part for part in record_parts(record)[:2] if part in self.without), ""))
            for decision, record, rows in self.applied.gone
            for row in rows or (-1,)
        ]
        words = [
            f"{decision.title} names {record}, which is not among the records: it waits"
            + (f" for {source}, which is left out" if source else "")
            for decision, record, _, source in waiting
        ]
        show_columns(
            self.connection,
            "_waiting",
            {
                "decision": [decision.id for decision, *_ in waiting],
                "record": [record for _, record, *_ in waiting],
                "row": pa.array([row for *_, row, _ in waiting], pa.int32()),
                "against": pa.array(["left_out" if source else None for *_, source in waiting], pa.string()),
                "sentence": words,
            },
        )
        return (
            "SELECT w.record, 'manual', w.decision, k.record, 'ignored', w.against, w.sentence "
            "FROM _waiting w LEFT JOIN _keys k ON k.idx = w.row"
        )


def _set_up_anew(ladder: Ladder, successive: Iterable[str]) -> tuple[str, str]:
    """SQL of what to add where the pair differs on an id that a machine is given anew, and the joins it needs."""
    single = [found for found in map(ladder.identifier, successive) if not found.is_list]
    if not single:
        return "", ""
    columns = ", ".join(f"{found.value} AS {found.name}" for found in single)
    differ = " OR ".join(f"one.{found.name} <> two.{found.name}" for found in single)
    sides = " ".join(
        f"LEFT JOIN (SELECT idx, {columns} FROM norm) {side} ON {side}.idx = p.{row}"
        for side, row in (("one", "row"), ("two", "other"))
    )
    words = "' (set up anew: all with the earlier directory id had fallen silent)'"
    return f" || CASE WHEN {differ} THEN {words} ELSE '' END", sides
