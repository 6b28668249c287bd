from __future__ import annotations

import pandas as pd
import pytest

from demo_estate.answer_key import AnswerKey
from demo_estate.scoring import score_records
from demo_estate.truth import Truth

from .toy import TOY


def key(*rows: tuple[str, str, str]) -> pd.DataFrame:
    """(record, truth id, tags) in one product."""
    return pd.DataFrame(
        [("p", "p1", "device", record, truth, tags) for record, truth, tags in rows],
        columns=["product", "instance", "kind", "record_id", "truth_id", "tags"],
    )


def assets(**placed: str) -> list[tuple[str, str, str, str, str]]:
    return [("device", asset, "p", "p1", record) for record, asset in placed.items()]


def test_perfect_merge_scores_one() -> None:
    score = score_records(key(("a", "X", ""), ("b", "X", ""), ("c", "Y", "")), assets(a="1", b="1", c="2"))
    assert (score.precision, score.recall, score.wrong_merge_count, score.wrong_split_count) == (1.0, 1.0, 0, 0)


def test_wrong_merge_costs_precision_and_is_named() -> None:
    answers = key(("a", "X", ""), ("b", "X", ""), ("c", "Y", "shared_dock_mac"))
    score = score_records(answers, assets(a="1", b="1", c="1"))
    assert score.precision == pytest.approx(1 / 3)
    assert score.recall == 1.0
    (merge,) = score.wrong_merges
    assert merge.truth_ids == ("X", "Y")
    assert merge.records == ("p:p1:a", "p:p1:b", "p:p1:c")
    assert merge.examples == ("p:p1:a", "p:p1:c")
    assert score.by_quirk["shared_dock_mac"].precision == 0.0
    assert score.by_quirk["shared_dock_mac"].predicted_pairs == 2


def test_wrong_split_costs_recall_and_is_named() -> None:
    answers = key(("a", "X", "rebuilt_host"), ("b", "X", ""), ("c", "X", ""))
    score = score_records(answers, assets(a="1", b="2", c="2"))
    assert score.precision == 1.0
    assert score.recall == pytest.approx(1 / 3)
    assert score.wrong_splits[0].asset_ids == ("1", "2")
    assert score.wrong_splits[0].examples == ("p:p1:a", "p:p1:b")
    assert score.by_quirk["rebuilt_host"].recall == 0.0


def test_record_in_no_asset_stands_alone_and_unknown_records_are_left_out() -> None:
    score = score_records(key(("a", "X", ""), ("b", "X", ""), ("c", "", "")), assets(a="1", c="1", z="1"))
    assert (score.records, score.missing, score.unknown) == (2, 1, 2)
    assert score.recall == 0.0


def test_equal_ids_of_two_kinds_do_not_mix() -> None:
    answers = pd.concat([key(("a", "X", "")), key(("b", "X", "")).assign(kind="identity")])
    rows = [("device", "1", "p", "p1", "a"), ("identity", "1", "p", "p1", "b")]
    score = score_records(answers, rows)
    assert score.pairs.true_pairs == score.pairs.predicted_pairs == 0
    assert set(score.by_kind) == {"device", "identity"}


def test_mart_columns_are_understood_and_missing_ones_named() -> None:
    frame = pd.DataFrame(assets(a="1"), columns=["asset_kind", "asset_id", "product", "instance", "record_id"])
    assert score_records(key(("a", "X", "")), frame).records == 1
    with pytest.raises(ValueError, match="lack the column record_id"):
        score_records(key(("a", "X", "")), frame.drop(columns="record_id"))


def test_a_placeholder_that_merges_everything_is_counted_not_enumerated() -> None:
    answers = key(*((str(i), f"T{i}", "") for i in range(20_000)))
    score = score_records(answers, [("device", "1", "p", "p1", str(i)) for i in range(20_000)])
    assert score.pairs.predicted_pairs == 20_000 * 19_999 // 2
    assert score.precision == 0.0


def test_answer_key_covers_default_instances_with_their_slice(truth: Truth) -> None:
    answers = AnswerKey(truth, [TOY], day=0)
    frame = answers.frame()
    assert set(frame["instance"]) == {"toy_main"}
    sites = {truth.device_site(int(row.record_id.removeprefix("m-"))) for row in answers.rows()}
    assert sites == set(range(7))
    both = AnswerKey(truth, [TOY], {"toy": TOY.instances}, 0).frame()
    overlap = both.groupby("truth_id").size()
    assert (overlap == 2).any(), "no device is seen by both instances"
    records = [(r.kind, r.truth_id, r.product, r.instance, r.record_id) for r in both.itertuples()]
    perfect = score_records(both, records)
    assert (perfect.precision, perfect.recall, perfect.missing) == (1.0, 1.0, 0)
