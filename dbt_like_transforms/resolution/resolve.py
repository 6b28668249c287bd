"""Resolution of one kind of asset: observations in, assets and the reasons for them out."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import duckdb
import numpy as np
import pyarrow as pa

from dbt_like_transforms.reporting import Report, silent
from dbt_like_transforms.resolution.clustering.allowed import allowed_keys
from dbt_like_transforms.resolution.clustering.by_hand import join_by_hand
from dbt_like_transforms.resolution.clustering.cluster import Clusterer
from dbt_like_transforms.resolution.clustering.facts import read_facts
from dbt_like_transforms.resolution.clustering.partition import clusters_of
from dbt_like_transforms.resolution.clustering.review import (
    note_addresses,
    note_bare,
    note_candidates,
    note_decided,
    note_settled,
)
from dbt_like_transforms.resolution.clustering.strength import held, known_well, strength
from dbt_like_transforms.resolution.columns import show_columns
from dbt_like_transforms.resolution.config import ResolutionConfig
from dbt_like_transforms.resolution.decisions.applied import apply_decisions
from dbt_like_transforms.resolution.decisions.manual import Decision
from dbt_like_transforms.resolution.fields.told import Told
from dbt_like_transforms.resolution.forms.seeds import install_macros
from dbt_like_transforms.resolution.ids.assets import assign_assets
from dbt_like_transforms.resolution.intake import number_records, record_keys
from dbt_like_transforms.resolution.kinds import COLUMNS, LADDERS, Kind
from dbt_like_transforms.resolution.links import LINKERS
from dbt_like_transforms.resolution.resolution import Resolution


def resolve(
    kind: Kind,
    observations: pa.Table | str,
    *,
    state: pa.Table | str | None = None,
    decisions: Sequence[Decision] = (),
    config: ResolutionConfig | None = None,
    connection: duckdb.DuckDBPyConnection | None = None,
    survivors: bool = False,
    report: Report = silent,
) -> Resolution:
    """Decides which observations are the same asset.

    kind: what is described. observations: an Arrow table, or the name of a relation of `connection`, with the
    observation columns; absent columns count as unknown. state: the `state` of an earlier resolution, so that assets
    keep their ids. decisions: what people decided; see `manual`.

    Several observations of one record count as the newest. Without a connection an own one in memory is used. survivors:
    what `Survivors` reads first is read beside clustering, which keeps one processor busy. report: hears what is done now.

    Raises:
        ContradictoryDecisions: two manual decisions cannot both hold.
    """
    config = config or ResolutionConfig()
    con = connection or duckdb.connect()
    install_macros(con, tuple(config.allowed))
    if not isinstance(observations, str):
        con.register("_observations", observations)
        observations = "_observations"
    report("reading the records")
    stated = number_records(con, observations, COLUMNS[kind], tuple(config.without))
    ladder = LADDERS[kind]
    for name, table in ladder.tables.items():
        select = table if isinstance(table, str) else table.sql(stated)
        con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {select}")
    facts = read_facts(con, ladder)
    applied = apply_decisions(con, kind, decisions)
    facts.confine(applied.islands)
    allowed = allowed_keys(con, ladder, config.allowed)
    clusterer = Clusterer(facts, ladder, config.clocks, applied.apart, allowed)
    report(f"comparing {facts.count:,} records")
    with ThreadPoolExecutor(1) as beside:
        told = beside.submit(Told, kind, con) if survivors else None
        clusterer.run()
    join_by_hand(clusterer, applied.together)
    note_settled(clusterer)
    note_candidates(clusterer)
    level = strength(clusterer)
    note_addresses(clusterer, level)
    note_bare(clusterer, level)
    waiting = held(clusterer, level)
    known = known_well(clusterer)
    clusterer.release()
    label = clusterer.partition.label
    columns = {"idx": np.arange(len(label), dtype=np.int32), "key": record_keys(con), "cluster": label}
    show_columns(con, "_clusters", columns)
    report(f"giving ids and links to {len(clusters_of(label)):,} groups of records")
    links = LINKERS[kind](con, clusterer)
    note_decided(clusterer)
    assign_assets(con, kind, label, waiting, state, known, applied.islands)
    return Resolution(kind, con, clusterer, waiting, links, applied, config, told.result() if told else None)
