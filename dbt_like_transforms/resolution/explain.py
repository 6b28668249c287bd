"""The reasons as a table in plain words: what joined two records, what kept two apart, which values were dropped."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import duckdb
import numpy as np
import pyarrow as pa

from dbt_like_transforms.resolution.by_hand import MANUAL_MERGE
from dbt_like_transforms.resolution.cluster import Clusterer
from dbt_like_transforms.resolution.columns import show_columns
from dbt_like_transforms.resolution.facts import key_sql, on_island, value_sql
from dbt_like_transforms.resolution.findings import Findings, Near
from dbt_like_transforms.resolution.integers import Keys, Rows, sorted_unique
from dbt_like_transforms.resolution.ladder import Identifier, Ladder
from dbt_like_transforms.resolution.manual import Applied, Decision
from dbt_like_transforms.resolution.notes import COPIED

DECISION_COLUMNS = ("record", "rule", "value", "other_record", "verdict", "against", "sentence")

#: What stood against a merge, in words. Identifiers are worded by their label.
AGAINST_WORDS = {
    "mac": "their MAC addresses differ",
    "fqdn": "their fully qualified names differ",
    "names": "their names differ, and one has network cards that the other lacks",
    "source": "one product holds both at the same time as two devices",
    "source_any": "one product holds both as two different records",
    "source_unlike": "one product holds both as two records with different names or employee ids",
    "agent": "two installations of one agent were at work at the same time",
    "domain": "their SIDs are those of two accounts of one domain",
    "employee_other": "their employee ids differ",
    "login_other": "they sign in with two addresses of one domain",
    "passed_on": "one of them is retired, and it is no main address of both: mail is passed on to a colleague",
    "marked": "one of them has the mark of an administrator or service, or another addition, in its logon name",
    "guest": "the one is a guest account, the other its home account",
    "time": "one was gone before the other appeared: the name was probably used again",
    "clone": "names and MAC addresses both differ: the agent was probably cloned with its image",
    "clone_unnamed": "one product holds both at the same time with different MAC addresses and no name in common",
    "clone_same_source": "one product holds both at the same time with different names and MAC addresses: a clone",
    "counted": "it is a number of a scanner, which may have seen another machine at the address, and their names differ",
    "clone_image": "one product holds both at the same time with different names and MAC addresses: one image on two machines",
    "clone_blade": "it may be that of the chassis: one is a blade, and names and MAC addresses both differ",
    "enclosed": "it is that of the chassis, and their names differ",
    "retired": "one of them is retired, and another one with this value is at work",
    "several": "others that agree with them differ from one another, so a person has to decide",
    "apart": "a person decided that they are different",
    "host": "it is seen with too many different names, cards or agents",
}
#: What is counted against a suppressed value where that is not one identifier.
_COUNTED_WORDS = {"host": "names, cards or agents", "asset": "assets that are known by something better,"}
#: Identifiers that travel with a copied disk: the same value on two machines means a clone.
_COPIED_WITH_DISK = {"sid": "image cloned", "agent": "agent cloned"}
#: What keeps two apart and tells of no copy.
_NO_COPY = frozenset({"apart", "retired", "counted", "several"})
#: What keeps two apart by something else than the values of the identifier of that name.
_NOT_BY_VALUE = frozenset({"host", "counted", "enclosed"})


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _texts(identifier: Identifier, columns: str) -> str:
    """SELECT giving the columns, `value` and `text`, what a person reads, for every value."""
    return value_sql(identifier, f"{columns}, {identifier.written or identifier.shown} AS text")


def _against_words(ladder: Ladder, against: str) -> str:
    if against in AGAINST_WORDS:
        return AGAINST_WORDS[against]
    return f"their {ladder.identifier(against).label} differs"


def _doubt_words(rule: str, identifier: str) -> str:
    if rule == "guest_home":
        return "both were invited by one address, so a person has to decide whether they are one"
    if rule.endswith("_alone"):
        what = {
            "mac": "a MAC address alone",
            "host": "a name alone",
            "alike": "a name alone",
            "ip": "an address alone",
            "reply": "a reply URL alone",
        }.get(identifier, "a mail address alone")
        return f"{what} joins nothing"
    return "it could belong to several different ones, so a person has to decide"


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


class Reasons:
    """Turns findings into text, over the tables `_records` and `norm` of the connection."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        clusterer: Clusterer,
        applied: Applied,
        without: Collection[str] = (),
    ) -> None:
        """without: products and instances whose records were left out."""
        self.connection = connection
        self.without = without
        self.clusterer = clusterer
        self.ladder = clusterer.ladder
        self.findings: Findings = clusterer.findings
        self._names = {identifier.name for identifier in clusterer.ladder.identifiers}
        self.applied = applied
        #: Of each row the number of its island, 0 for none.
        self._island = np.zeros(clusterer.facts.count, np.uint64)
        self._island[np.array(list(applied.islands), np.int32)] = list(applied.islands.values())

    def _copied(self, identifier: str, against: str) -> str:
        """What a value on two machines that differ tells, '' for nothing; a directory gives one to two accounts by mistake."""
        told = (self.ladder.kind == "device" or against in COPIED) and against not in _NO_COPY
        return _COPIED_WITH_DISK.get(identifier, "") if told else ""

    def make_table(self, name: str, with_seeds: bool) -> None:
        """Makes the temporary table `name` with DECISION_COLUMNS.

        with_seeds: also one row for every record with a placeholder, as `exposure resolve --explain` shows it.
        """
        self._put(name, None)
        self.connection.execute("CREATE OR REPLACE TEMP TABLE _keys AS SELECT idx, record FROM _records")
        self._joins(name)
        self._near(name)
        self._suppressed(name)
        if with_seeds:
            self._seeds(name)
        self._manual(name)
        self.connection.execute("DROP TABLE _keys")

    def _put(self, name: str, select: str | None) -> None:
        if select is None:
            columns = ", ".join(f"{column} VARCHAR" for column in DECISION_COLUMNS)
            self.connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} ({columns})")
        else:
            self.connection.execute(f"INSERT INTO {name} {select}")

    def _pairs(self, rows: object, others: object, keys: object, confirming: object | None = None) -> None:
        rows = np.asarray(rows, np.int32)
        columns = {
            "row": pa.array(rows),
            "other": pa.array(np.asarray(others, np.int32)),
            "key": pa.array(self._everywhere(keys, rows)),
        }
        if confirming is not None:
            columns["confirming"] = pa.array(self._everywhere(confirming, rows))
        show_columns(self.connection, "_pairs", columns)

    def _everywhere(self, keys: object, rows: Rows) -> Keys:
        """The keys that values of the rows have, whatever island they were clustered on."""
        return on_island(np.asarray(keys, np.uint64), self._island[rows])

    def _value(self, identifier: Identifier) -> str:
        """Sub-query (idx, key, text) of the identifier's values on the rows in `_pairs`."""
        return (
            f"(SELECT DISTINCT ON (idx, key) idx, {key_sql(identifier)} AS key, text FROM "
            f"({_texts(identifier, 'idx, room')}) WHERE idx IN (SELECT row FROM _pairs))"
        )

    def _joins(self, name: str) -> None:
        for joins in self.findings.joins:
            if not len(joins.rows):
                continue
            self._pairs(joins.rows, joins.others, joins.keys, joins.confirming)
            if not joins.identifier:  # by hand, see `_manual`
                continue
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
            self._put(
                name,
                f"SELECT a.record, {_quoted(joins.rule)}, {value}, b.record, 'joined', NULL, "
                f"concat_ws(' ', 'same', {_quoted(identifier.label)}, {words}, 'as', b.record) || {besides}{anew} "
                "FROM _pairs p JOIN _keys a ON a.idx = p.row JOIN _keys b ON b.idx = p.other "
                f"LEFT JOIN {self._value(identifier)} v ON v.idx = p.row AND v.key = p.key {more} {sides}",
            )

    def _confirming(self, identifier: Identifier) -> str:
        """SELECT giving what confirms the pairs in `_pairs`, and whether each of the two records itself has it."""
        return (
            f"WITH carried AS MATERIALIZED (SELECT DISTINCT idx, {key_sql(identifier)} AS confirming, text FROM ("
            f"{_texts(identifier, 'idx, room')}) WHERE confirming IN (SELECT confirming FROM _pairs)), "
            "told AS (SELECT confirming, min(text) AS text FROM carried GROUP BY confirming) "
            f"SELECT row, other, confirming, {_quoted(identifier.label)} AS label, told.text AS text, "
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
        rows: dict[str, list[Rows]] = {}
        for near in nears:
            if near.against in self._names - _NOT_BY_VALUE:
                rows.setdefault(near.against, []).extend((near.rows, near.others))
        for against, parts in rows.items():
            label = self.clusterer.partition.label
            show_columns(self.connection, "_concerned", {"cluster": sorted_unique(label[np.concatenate(parts)])})
            # where it is no identifier of the rule, what identifies nothing makes no difference
            dropped = self.findings.suppressed_keys(against) if against in AGAINST_WORDS else np.empty(0, np.uint64)
            show_columns(self.connection, "_indifferent", {"key": dropped})
            identifier = self.ladder.identifier(against)
            self.connection.execute(
                f"INSERT INTO _differing SELECT {_quoted(against)}, cluster, "
                "CASE WHEN min(key) = max(key) THEN min(text) ELSE min(text) || ' and others' END, "
                "CASE WHEN min(key) = max(key) THEN min(key) END FROM ("
                f"SELECT cluster, {key_sql(identifier)} AS key, text FROM ({_texts(identifier, 'idx, room')}) JOIN ("
                "FROM _clusters SEMI JOIN _concerned USING (cluster)) USING (idx) "
                "WHERE text <> '' AND key NOT IN (FROM _indifferent)) GROUP BY cluster"
            )

    def _near(self, name: str) -> None:
        nears = self.findings.all_near(self.clusterer.partition.label)
        self._tell_differences(nears)
        for near in nears:
            self._pairs(near.rows, near.others, near.keys)
            words = (
                _against_words(self.ladder, near.against) if near.against else _doubt_words(near.rule, near.identifier)
            )
            flag = self._copied(near.identifier, near.against) if near.against else ""
            words = f"{flag}: {words}" if flag else words
            against = _quoted(near.against) if near.against else "NULL"
            if near.rule == MANUAL_MERGE:
                value, label = "m.decision", "'one by decision'"
                join = self._merging(near)
            elif not near.identifier:
                value, label, join = "NULL", "'account of the same person'", ""
            else:
                identifier = self.ladder.identifier(near.identifier)
                value, label = "v.text", _quoted("same " + identifier.label)
                join = f"LEFT JOIN {self._value(identifier)} v ON v.idx = p.row AND v.key = p.key"
            self._put(
                name,
                f"SELECT a.record, {_quoted(near.rule)}, {value}, b.record, 'vetoed', {against}, "
                f"concat_ws(' ', {label}, {value}, 'as', b.record) || ', but ' || {_quoted(words)} "
                "|| CASE WHEN x.text <> y.text THEN ': ' || least(x.text, y.text) || ' and ' || greatest(x.text, y.text) "
                "WHEN x.key <> y.key THEN ': ' || x.text || ' in two scopes' "
                # a mark that one of them has
                "WHEN x.text IS NULL OR y.text IS NULL THEN coalesce(': ' || coalesce(x.text, y.text), '') ELSE '' END "
                f"FROM _pairs p JOIN _keys a ON a.idx = p.row JOIN _keys b ON b.idx = p.other {join} "
                "JOIN _clusters c ON c.idx = p.row JOIN _clusters d ON d.idx = p.other "
                f"LEFT JOIN _differing x ON x.against = {against} AND x.cluster = c.cluster "
                f"LEFT JOIN _differing y ON y.against = {against} AND y.cluster = d.cluster",
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

    def _suppressed(self, name: str) -> None:
        for identifier_name in sorted({item.identifier for item in self.findings.suppressed}):
            items = [item for item in self.findings.suppressed if item.identifier == identifier_name]
            identifier = self.ladder.identifier(identifier_name)
            self._learned(items)
            self._put(
                name,
                # a record may list a value twice
                f"SELECT DISTINCT r.record, l.rule, c.text, NULL, 'suppressed', l.against, "
                f"{_quoted(identifier.label)} || ' ' || c.text || ' ' || l.words FROM "
                f"(SELECT idx, text, {key_sql(identifier)} AS key FROM ({_texts(identifier, 'idx, room')})) c "
                "JOIN _learned l USING (key) JOIN _keys r ON r.idx = c.idx",
            )

    def _learned(self, items: Iterable[object]) -> None:
        from dbt_like_transforms.resolution.findings import Suppressed

        found = [item for item in items if isinstance(item, Suppressed)]
        words = []
        for item in found:
            if item.against in _COUNTED_WORDS:
                label = _COUNTED_WORDS[item.against]
            else:
                label = f"values of {self.ladder.identifier(item.against).label}"
            clone = self._copied(item.identifier, item.against)
            words.append(
                f"identifies nothing here: seen with {item.distinct} different {label} on {item.records} records"
                + (f" ({clone})" if clone else "")
            )
        show_columns(
            self.connection,
            "_learned",
            {
                "key": pa.array(
                    self._everywhere([item.key for item in found], np.array([item.row for item in found], np.int32))
                ),
                "rule": pa.array([item.rule for item in found], pa.string()),
                "against": pa.array([item.against for item in found], pa.string()),
                "distinct": pa.array([item.distinct for item in found], pa.int64()),
                "records": pa.array([item.records for item in found], pa.int64()),
                "words": pa.array(words, pa.string()),
            },
        )

    def _seeds(self, name: str) -> None:
        dropped = " UNION ALL ".join(
            f"SELECT idx, {_quoted(self.ladder.identifier(one.identifier).label)} AS label, "
            f"{self.ladder.identifier(one.identifier).shown} AS text, {_quoted(one.why)} AS why "
            f"FROM ({value_sql(one, 'idx')})"
            for one in self.ladder.dropped
        )
        self._put(
            name,
            "SELECT DISTINCT r.record, 'placeholder', s.text, NULL, 'suppressed', NULL, "
            "s.label || ' ' || s.text || ' identifies nothing: ' || s.why "
            f"FROM ({dropped}) s JOIN _keys r USING (idx)",
        )

    def _manual(self, name: str) -> None:
        for joins in self.findings.joins:
            if not joins.identifier:
                pairs = list(zip(joins.others.tolist(), joins.rows.tolist(), strict=True))
                self._decided(name, {pair: self.applied.merged_by[pair] for pair in pairs}, "joined", "one")
        self._decided(name, self.applied.apart_by, "vetoed", "different")
        waiting = [
            (decision.id, record, row, *self._missing(decision, record))
            for decision, record, rows in self.applied.gone
            for row in rows or (-1,)
        ]
        if waiting:
            columns = {f"c{place}": pa.array(values) for place, values in enumerate(zip(*waiting, strict=True))}
            show_columns(self.connection, "_waiting", columns)
            self._put(
                name,
                "SELECT w.c1, 'manual', w.c0, k.record, 'ignored', w.c3, w.c4 "
                "FROM _waiting w LEFT JOIN _keys k ON k.idx = w.c2",
            )

    def _missing(self, decision: Decision, record: str) -> tuple[str | None, str]:
        """What stands against a decision about a record that is not there, and the same in words."""
        told = f"{decision.title} names {record}, which is not among the records: it waits"
        sources = [source for source in record.split(":", 2)[:2] if source in self.without]
        return ("left_out", f"{told} for {sources[0]}, which is left out") if sources else (None, told)

    def _decided(self, name: str, by: Mapping[tuple[int, int], Decision], verdict: str, what: str) -> None:
        """Pairs of which a person decided."""
        if not by:
            return
        show_columns(
            self.connection,
            "_decided",
            {
                "row": pa.array([row for row, _ in by], pa.int32()),
                "other": pa.array([other for _, other in by], pa.int32()),
                "rule": pa.array([f"manual_{decision.action}" for decision in by.values()]),
                "decision": pa.array([decision.id for decision in by.values()]),
                "title": pa.array([decision.title for decision in by.values()]),
            },
        )
        against = "'apart'" if verdict == "vetoed" else "NULL"
        self._put(
            name,
            f"SELECT a.record, d.rule, d.decision, b.record, {_quoted(verdict)}, {against}, "
            f"'a person decided that ' || a.record || ' and ' || b.record || ' are {what} (' || d.title || ')' "
            "FROM _decided d JOIN _keys a ON a.idx = d.row JOIN _keys b ON b.idx = d.other",
        )

    # -- suppressed values as a table of their own ------------------------------------------------------------------
    def make_suppressed(self, name: str) -> None:
        """Makes the temporary table `name`: identifier, value, cause (placeholder or data), evidence, records."""
        self.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {name} (identifier VARCHAR, value VARCHAR, cause VARCHAR, evidence VARCHAR, "
            "distinct_against BIGINT, records BIGINT)"
        )
        for dropped in self.ladder.dropped:
            identifier = self.ladder.identifier(dropped.identifier)
            self.connection.execute(
                f"INSERT INTO {name} SELECT {_quoted(identifier.field)}, {identifier.shown}, 'placeholder', "
                f"{_quoted(dropped.why)}, NULL, "
                f"count(DISTINCT idx) FROM ({value_sql(dropped, 'idx')}) GROUP BY value"
            )
        for identifier_name in sorted({item.identifier for item in self.findings.suppressed}):
            identifier = self.ladder.identifier(identifier_name)
            items = [item for item in self.findings.suppressed if item.identifier == identifier_name]
            self._learned(items)
            self._pairs([item.row for item in items], [item.row for item in items], [item.key for item in items])
            self.connection.execute(
                f"INSERT INTO {name} SELECT {_quoted(identifier.field)}, v.text, 'data', l.words, l.distinct, l.records "
                f"FROM _learned l JOIN _pairs p USING (key) JOIN {self._value(identifier)} v "
                "ON v.idx = p.row AND v.key = p.key"
            )
