"""Pairwise precision and recall of merged assets against the truth, over all records and for each quirk.

Two records form a pair when they are in one asset (predicted) or are one thing in truth (true). Precision is the part
of predicted pairs that are true. Recall is the part of the provable true pairs that were predicted: records of one thing
that share no evidence cannot be known to be one (see `evidence`); those pairs are counted apart. Pairs are counted from
the sizes of groups, never listed, so a million records take seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

_KEY = ["kind", "product", "instance", "record_id"]
#: Wrong merges and splits listed at most; the counts are over all of them.
LISTED = 200


@dataclass(frozen=True, slots=True)
class Pairs:
    """true_pairs: provably one thing. predicted_pairs: in one asset. common: in one asset and truly one thing.

    found: in one asset and provably one thing. beyond: truly one thing, which nothing that is served can prove.
    """

    true_pairs: int
    predicted_pairs: int
    common: int
    found: int
    beyond: int = 0

    @property
    def precision(self) -> float:
        return self.common / self.predicted_pairs if self.predicted_pairs else 1.0

    @property
    def recall(self) -> float:
        return self.found / self.true_pairs if self.true_pairs else 1.0

    @property
    def f1(self) -> float:
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


@dataclass(frozen=True, slots=True)
class WrongMerge:
    """An asset that holds several true things; examples: a record of each."""

    kind: str
    asset_id: str
    truth_ids: tuple[str, ...]
    records: tuple[str, ...]
    examples: tuple[str, ...]
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WrongSplit:
    """A provable thing that lies in several assets; truth_id has the number of its part, 'dev-000017/1'. examples: a record in
    each asset."""

    kind: str
    truth_id: str
    asset_ids: tuple[str, ...]
    records: tuple[str, ...]
    examples: tuple[str, ...]
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """Result of a comparison.

    by_kind, by_quirk: the same pairs, counted over one kind, or over pairs of which at least one record has the tag.
    records: compared records; missing: in the key but in no asset (each counts as an asset of its own);
    unknown: in an asset but not in the key (left out). wrong_merges, wrong_splits: the first 200 of the counted ones.
    """

    pairs: Pairs
    by_kind: Mapping[str, Pairs]
    by_quirk: Mapping[str, Pairs]
    records: int
    missing: int
    unknown: int
    true_things: int
    assets: int
    wrong_merge_count: int
    wrong_split_count: int
    wrong_merges: tuple[WrongMerge, ...] = field(repr=False)
    wrong_splits: tuple[WrongSplit, ...] = field(repr=False)

    @property
    def precision(self) -> float:
        return self.pairs.precision

    @property
    def recall(self) -> float:
        return self.pairs.recall

    @property
    def f1(self) -> float:
        return self.pairs.f1


def score_records(key: pd.DataFrame, asset_records: Any, kind: str | None = None) -> Score:
    """Score assets against the key.

    key: columns product, instance, kind, record_id, truth_id, tags (comma-joined), provable (default: truth_id).
    asset_records: a data frame, or rows
    (tuples or mappings), with asset_kind or kind, asset_id, product, instance, record_id; further columns are ignored.
    kind limits the comparison to one kind. Answers without truth id are left out.
    Raises ValueError when a needed column is missing.
    """
    import pandas as pd

    assets = _asset_frame(asset_records)
    key = key[key["truth_id"] != ""]
    if kind is not None:
        key, assets = key[key["kind"] == kind], assets[assets["kind"] == kind]
    key = key.drop_duplicates(_KEY)
    if "provable" not in key.columns:
        key = key.assign(provable=key["truth_id"])
    assets = assets.drop_duplicates(_KEY)
    joined = key.merge(assets, on=_KEY, how="left")
    unmatched = joined["asset_id"].isna()
    # a record in no asset stands alone
    alone = "alone:" + joined.index[unmatched].astype(str)
    joined["asset_id"] = joined["asset_id"].astype("object")
    joined.loc[unmatched, "asset_id"] = alone
    kinds = joined["kind"].astype("category").cat.codes.to_numpy()
    numbered = pd.DataFrame(
        {
            "kind": joined["kind"],
            "truth": joined.groupby(["kind", "truth_id"], sort=False).ngroup(),
            "provable": joined.groupby(["kind", "provable"], sort=False).ngroup(),
            "asset": joined.groupby(["kind", "asset_id"], sort=False).ngroup(),
            "tags": joined["tags"],
            "code": kinds,
        }
    )
    matched = int((~unmatched).sum())
    merges, merge_count = _wrong_merges(joined)
    splits, split_count = _wrong_splits(joined)
    return Score(
        pairs=_count(numbered),
        by_kind={str(name): _count(rows) for name, rows in numbered.groupby("kind", sort=True)},
        by_quirk=_by_quirk(numbered),
        records=len(joined),
        missing=len(joined) - matched,
        unknown=len(assets) - matched,
        true_things=int(numbered["truth"].nunique()),
        assets=int(joined.loc[~unmatched, ["kind", "asset_id"]].drop_duplicates().shape[0]),
        wrong_merge_count=merge_count,
        wrong_split_count=split_count,
        wrong_merges=merges,
        wrong_splits=splits,
    )


def _asset_frame(rows: Any) -> pd.DataFrame:
    import pandas as pd

    if isinstance(rows, pd.DataFrame):
        frame = rows
    else:
        listed: list[Any] = list(rows) if isinstance(rows, Iterable) else []
        names = (
            None
            if listed and isinstance(listed[0], Mapping)
            else ["kind", "asset_id", "product", "instance", "record_id"]
        )
        frame = pd.DataFrame(listed, columns=names)
    if "kind" not in frame.columns and "asset_kind" in frame.columns:
        frame = frame.rename(columns={"asset_kind": "kind"})
    wanted = ["kind", "asset_id", "product", "instance", "record_id"]
    if missing := [name for name in wanted if name not in frame.columns]:
        raise ValueError(
            f"asset records lack the column {', '.join(missing)}; they have {', '.join(map(str, frame.columns))}"
        )
    return frame[wanted].astype("object")


def _choose_two(sizes: pd.Series) -> int:
    numbers = sizes.to_numpy(dtype="int64")
    return int((numbers * (numbers - 1) // 2).sum())


def _count(rows: pd.DataFrame) -> Pairs:
    provable = _choose_two(rows.groupby("provable", sort=False).size())
    return Pairs(
        true_pairs=provable,
        predicted_pairs=_choose_two(rows.groupby("asset", sort=False).size()),
        common=_choose_two(rows.groupby(["truth", "asset"], sort=False).size()),
        found=_choose_two(rows.groupby(["provable", "asset"], sort=False).size()),
        beyond=_choose_two(rows.groupby("truth", sort=False).size()) - provable,
    )


def _by_quirk(rows: pd.DataFrame) -> dict[str, Pairs]:
    """Pairs with at least one tagged record = all pairs of the groups that hold one, less those without any."""
    tagged = rows[rows["tags"] != ""]
    exploded = tagged["tags"].str.split(",").explode()
    found = {}
    for name, labels in exploded.groupby(exploded, sort=True):
        marked = tagged.loc[labels.index]
        near = rows[rows["truth"].isin(marked["truth"]) | rows["asset"].isin(marked["asset"])]
        every, without = _count(near), _count(near.drop(index=marked.index))
        found[str(name)] = Pairs(
            every.true_pairs - without.true_pairs,
            every.predicted_pairs - without.predicted_pairs,
            every.common - without.common,
            every.found - without.found,
            every.beyond - without.beyond,
        )
    return found


def _wrong_merges(joined: pd.DataFrame) -> tuple[tuple[WrongMerge, ...], int]:
    group, counts = _mixed(joined, "asset_id", "truth_id")
    found = [
        WrongMerge(
            str(kind), str(name), _distinct(rows["truth_id"]), _records(rows), _examples(rows, "truth_id"), _tags(rows)
        )
        for (kind, name), rows in group
    ]
    return tuple(found), counts


def _wrong_splits(joined: pd.DataFrame) -> tuple[tuple[WrongSplit, ...], int]:
    group, counts = _mixed(joined, "provable", "asset_id")
    found = [
        WrongSplit(
            str(kind), str(name), _distinct(rows["asset_id"]), _records(rows), _examples(rows, "asset_id"), _tags(rows)
        )
        for (kind, name), rows in group
    ]
    return tuple(found), counts


def _mixed(joined: pd.DataFrame, by: str, over: str) -> tuple[Any, int]:
    """Groups by (kind, `by`) that hold several values of `over`: the first ones as groups, and how many there are."""
    distinct = joined.groupby(["kind", by], sort=True)[over].nunique()
    mixed = distinct[distinct > 1]
    wanted = mixed.index[:LISTED].to_frame(index=False)
    return joined.merge(wanted, on=["kind", by]).groupby(["kind", by], sort=True), len(mixed)


def _distinct(values: pd.Series) -> tuple[str, ...]:
    return tuple(sorted({str(value) for value in values}))


def _records(rows: pd.DataFrame) -> tuple[str, ...]:
    return tuple(sorted(_names(rows)))


def _examples(rows: pd.DataFrame, over: str) -> tuple[str, ...]:
    """The first record of each value of `over`."""
    return tuple(sorted(_names(rows).groupby(rows[over]).min()))


def _names(rows: pd.DataFrame) -> pd.Series:
    return rows["product"] + ":" + rows["instance"] + ":" + rows["record_id"]


def _tags(rows: pd.DataFrame) -> tuple[str, ...]:
    return tuple(sorted({tag for tags in rows["tags"] if tags for tag in tags.split(",")}))
