"""The outcome of a resolution, as relations and Arrow tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pyarrow as pa

from dbt_like_transforms.resolution.assets import STATE_COLUMNS
from dbt_like_transforms.resolution.cluster import Clusterer
from dbt_like_transforms.resolution.config import ResolutionConfig
from dbt_like_transforms.resolution.evidence import Evidence
from dbt_like_transforms.resolution.explain import DECISION_COLUMNS, Reasons
from dbt_like_transforms.resolution.integers import Flags, sorted_unique
from dbt_like_transforms.resolution.links import Link
from dbt_like_transforms.resolution.manual import Applied
from dbt_like_transforms.resolution.suppressed_values import make_suppressed

if TYPE_CHECKING:
    from dbt_like_transforms.resolution.kinds import Kind
    from dbt_like_transforms.resolution.told import Told


@dataclass(slots=True)
class Resolution:
    """What was decided. The relations live on `connection` until the next resolution on it.

    waiting[row]: the record is held: it makes no asset and belongs to none. told: for `Survivors`, where it was read.
    """

    kind: Kind
    connection: duckdb.DuckDBPyConnection
    clusterer: Clusterer
    waiting: Flags
    link_list: list[Link]
    applied: Applied
    config: ResolutionConfig
    told: Told | None = None

    def assignments(self) -> duckdb.DuckDBPyRelation:
        """One row a record. asset_id is NULL for held records."""
        return self.connection.sql(
            """
            SELECT r.record, r.product, r.instance, r.stream, r.record_id,
                CASE WHEN NOT a.held THEN a.asset_id END AS asset_id,
                CASE WHEN a.held THEN 'held' ELSE 'resolved' END AS state,
                n_time(r.first_seen) AS first_seen,
                greatest(coalesce(n_time(r.last_seen), n_time(r.observed_at)),
                    coalesce(n_time(r.observed_at), n_time(r.last_seen))) AS last_seen,
                coalesce(r.state, 'active') AS record_state, r.sync, r.page, r.row_number
            FROM _keyed r JOIN _clusters c USING (key) JOIN _assets a USING (cluster)
            """
        )

    def decisions(self, with_seeds: bool = False) -> duckdb.DuckDBPyRelation:
        """Every reason, see `explain`; one row a joined record, near miss and suppressed value on a record."""
        reasons = Reasons(self.connection, self.clusterer, self.applied, self.config.without)
        reasons.make_table("_decisions", with_seeds)
        return self.connection.sql(f"SELECT {', '.join(DECISION_COLUMNS)} FROM _decisions")

    def suppressed(self) -> duckdb.DuckDBPyRelation:
        """Values that identify nothing, with the evidence."""
        clusterer = self.clusterer
        evidence = Evidence(self.connection, clusterer.ladder, clusterer.facts.count, self.applied)
        make_suppressed(evidence, clusterer.findings, "_suppressed")
        return self.connection.sql("SELECT * FROM _suppressed")

    def links(self) -> duckdb.DuckDBPyRelation:
        """source_record, target_record, relationship, reason."""
        links = self.link_list
        self.connection.register(
            "_links",
            pa.table(
                {
                    "source": pa.array([link.source for link in links], pa.int32()),
                    "target": pa.array([link.target for link in links], pa.int32()),
                    "relationship": pa.array([link.relationship for link in links], pa.string()),
                    "reason": pa.array([link.reason for link in links], pa.string()),
                }
            ),
        )
        return self.connection.sql(
            "SELECT s.record AS source_record, t.record AS target_record, l.relationship, l.reason "
            "FROM _links l JOIN _records s ON s.idx = l.source JOIN _records t ON t.idx = l.target"
        )

    def reviews(self) -> dict[int, list[int]]:
        """Possible matches of rows, both ways; rows that ended up in one asset are left out."""
        label = self.clusterer.partition.label
        pairs: dict[int, set[int]] = {}
        for near in self.clusterer.findings.near:
            if near.review:
                for row, other in zip(near.rows.tolist(), near.others.tolist(), strict=True):
                    if label[row] != label[other]:
                        pairs.setdefault(row, set()).add(other)
                        pairs.setdefault(other, set()).add(row)
        return {row: sorted(others) for row, others in pairs.items()}

    def review_pairs(self) -> duckdb.DuckDBPyRelation:
        """record, other_record: possible matches, each pair once, the earlier record first."""
        label = self.clusterer.partition.label
        near = [near for near in self.clusterer.findings.near if near.review]
        rows = np.concatenate([np.empty(0, np.int32), *(part.rows for part in near)]).astype(np.int64)
        others = np.concatenate([np.empty(0, np.int32), *(part.others for part in near)]).astype(np.int64)
        apart = label[rows] != label[others]
        pairs = sorted_unique((np.minimum(rows, others) << 32 | np.maximum(rows, others))[apart])
        self.connection.register(
            "_review_pairs",
            pa.table({"row": (pairs >> 32).astype(np.int32), "other": (pairs & 0xFFFFFFFF).astype(np.int32)}),
        )
        return self.connection.sql(
            "SELECT a.record, b.record AS other_record FROM _review_pairs p "
            "JOIN _records a ON a.idx = p.row JOIN _records b ON b.idx = p.other"
        )

    def state(self) -> duckdb.DuckDBPyRelation:
        """What the next run needs to keep ids, see `assets`."""
        return self.connection.sql(f"SELECT {', '.join(STATE_COLUMNS)} FROM _state")

    def aliases(self) -> duckdb.DuckDBPyRelation:
        """alias_id, asset_id, born: ids that were merged into another, as long as the merge holds."""
        return self.connection.sql(
            "SELECT alias_id, asset_id, born FROM _aliases "
            "WHERE asset_id IN (SELECT asset_id FROM _assets WHERE NOT held)"
        )

    def contradictions(self) -> dict[str, list[str]]:
        """What the records of one asset say that cannot both be true, by record: retired here, at work there. A source that
        holds an active record of the asset as well has only replaced the one that it retired."""
        rows = self.connection.execute(
            """
            WITH member AS (
                SELECT r.record, r.product, r.instance, c.cluster, coalesce(r.state, 'active') AS state,
                    coalesce(n_time(r.last_seen), n_time(r.observed_at)) AS seen
                FROM _keyed r JOIN _clusters c USING (key))
            SELECT a.record, b.record, b.product, b.seen FROM member a JOIN member b USING (cluster)
            WHERE a.state = 'retired' AND b.state = 'active' AND NOT EXISTS (
                FROM member o WHERE o.cluster = a.cluster AND o.state = 'active'
                    AND o.product IS NOT DISTINCT FROM a.product AND o.instance IS NOT DISTINCT FROM a.instance)
            ORDER BY ALL
            """
        ).fetchall()
        found: dict[str, list[str]] = {}
        for retired, active, product, seen in rows:
            when = f" (last seen {seen:%Y-%m-%d})" if seen else ""
            text = f"{retired} calls the asset retired, but {product} holds it as active{when} in {active}"
            found.setdefault(retired, []).append(text)
            found.setdefault(active, []).append(text)
        return found
