"""The outcome of a resolution, as relations and Arrow tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pyarrow as pa

from dbt_like_transforms.resolution.clustering.cluster import Clusterer
from dbt_like_transforms.resolution.clustering.integers import Flags, Rows, sorted_unique
from dbt_like_transforms.resolution.config import ResolutionConfig
from dbt_like_transforms.resolution.decisions.applied import Applied
from dbt_like_transforms.resolution.ids.assets import STATE_COLUMNS
from dbt_like_transforms.resolution.links import Link
from dbt_like_transforms.resolution.reasons.evidence import Evidence
from dbt_like_transforms.resolution.reasons.explain import DECISION_COLUMNS, Reasons
from dbt_like_transforms.resolution.reasons.suppressed_values import make_suppressed

if TYPE_CHECKING:
    from dbt_like_transforms.resolution.fields.told import Told
    from dbt_like_transforms.resolution.kinds import Kind


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
                greatest(n_time(r.last_seen), n_time(r.observed_at)) AS last_seen,
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
        """Possible matches of rows, both ways."""
        found: dict[int, list[int]] = {}
        for one, other in zip(*(rows.tolist() for rows in self._possible_matches()), strict=True):
            found.setdefault(one, []).append(other)
            found.setdefault(other, []).append(one)
        return found

    def review_pairs(self) -> duckdb.DuckDBPyRelation:
        """record, other_record: possible matches, each pair once, the earlier record first."""
        rows, others = self._possible_matches()
        self.connection.register("_review_pairs", pa.table({"row": rows, "other": others}))
        return self.connection.sql(
            "SELECT a.record, b.record AS other_record FROM _review_pairs p "
            "JOIN _records a ON a.idx = p.row JOIN _records b ON b.idx = p.other"
        )

    def _possible_matches(self) -> tuple[Rows, Rows]:
        """Pairs of rows for a person to look at, each once, the smaller row first; what came to one asset is left out."""
        label = self.clusterer.partition.label
        near = [near for near in self.clusterer.findings.near if near.review]
        rows = np.concatenate([np.empty(0, np.int32), *(part.rows for part in near)]).astype(np.int64)
        others = np.concatenate([np.empty(0, np.int32), *(part.others for part in near)]).astype(np.int64)
        apart = label[rows] != label[others]
        pairs = sorted_unique((np.minimum(rows, others) << 32 | np.maximum(rows, others))[apart])
        return (pairs >> 32).astype(np.int32), (pairs & 0xFFFFFFFF).astype(np.int32)

    def state(self) -> duckdb.DuckDBPyRelation:
        """What the next run needs to keep ids, see `assets`."""
        return self.connection.sql(f"SELECT {', '.join(STATE_COLUMNS)} FROM _state")

    def aliases(self) -> duckdb.DuckDBPyRelation:
        """alias_id, asset_id, born: ids that were merged into another, as long as the merge holds."""
        return self.connection.sql(
            "SELECT alias_id, asset_id, born FROM _aliases "
            "WHERE asset_id IN (SELECT asset_id FROM _assets WHERE NOT held)"
        )
