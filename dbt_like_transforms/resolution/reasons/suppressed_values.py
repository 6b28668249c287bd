"""The values that identify nothing as a table: placeholders, and what the data show."""

from __future__ import annotations

from dbt_like_transforms.resolution.clustering.facts import value_sql
from dbt_like_transforms.resolution.clustering.findings import Findings
from dbt_like_transforms.resolution.reasons.evidence import Evidence, quoted


def make_suppressed(evidence: Evidence, findings: Findings, name: str) -> None:
    """Makes the temporary table `name`: identifier, value, cause ('placeholder' or 'data'), evidence in words, how many
    different ones of what contests it (NULL for placeholders), and number of records."""
    connection, ladder = evidence.connection, evidence.ladder
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {name} (identifier VARCHAR, value VARCHAR, cause VARCHAR, evidence VARCHAR, "
        "distinct_against BIGINT, records BIGINT)"
    )
    for dropped in ladder.dropped:
        identifier = ladder.identifier(dropped.identifier)
        connection.execute(
            f"INSERT INTO {name} SELECT {quoted(identifier.field)}, {identifier.shown}, 'placeholder', "
            f"{quoted(dropped.why)}, NULL, count(DISTINCT idx) FROM ({value_sql(dropped, 'idx')}) GROUP BY value"
        )
    for identifier_name, found in findings.suppressed_of_each().items():
        identifier = ladder.identifier(identifier_name)
        rows = [item.row for item in found]
        evidence.show_suppressed(found)
        evidence.show_pairs(rows, rows, [item.key for item in found])
        connection.execute(
            f"INSERT INTO {name} SELECT {quoted(identifier.field)}, v.text, 'data', l.words, l.distinct, l.records "
            f"FROM _learned l JOIN _pairs p USING (key) JOIN {evidence.text_of(identifier)} v "
            "ON v.idx = p.row AND v.key = p.key"
        )
