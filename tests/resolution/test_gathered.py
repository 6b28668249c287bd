"""Values gathered batch by batch: the trap is another order than that of the assets."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from dbt_like_transforms.resolution.clustering.integers import Rows
from dbt_like_transforms.resolution.fields.gathered import Single, Times

EARLY, LATE = datetime(2024, 1, 1), datetime(2025, 1, 1)


def rows(*asset: int) -> Rows:
    return np.array(asset, np.int32)


def test_values_of_several_batches_come_in_the_order_of_the_assets() -> None:
    found = Single(4, pa.string())
    found.add(rows(3, 1), pa.array(["c", None]))
    found.add(rows(-1, 2), pa.array([None, None], pa.string()))
    found.add(rows(0, -1), pa.array(["a", None]))
    assert found.of(0, 4).to_pylist() == ["a", None, None, "c"]
    assert found.of(2, 4).to_pylist() == [None, "c"]


def test_a_field_that_nobody_tells_is_null_of_its_type() -> None:
    found = Single(2, pa.int32()).of(0, 2)
    assert (found.to_pylist(), found.type) == ([None, None], pa.int32())


def test_a_time_that_nobody_tells_is_null() -> None:
    unknown = np.iinfo(np.int64).max
    found = Times(np.array([int(LATE.replace(tzinfo=UTC).timestamp()) * 1_000_000, unknown, 0]), unknown)
    assert found.of(0, 2).to_pylist() == [LATE, None]
    assert found.of(1, 3).to_pylist() == [None, datetime(1970, 1, 1)]
