"""JSON objects of an asset put together: joined as texts where no member is shared, merged where one is."""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from dbt_like_transforms.resolution.fields import objects, survivorship
from dbt_like_transforms.resolution.fields.objects import shared
from dbt_like_transforms.resolution.fields.survivorship import Survivors
from dbt_like_transforms.resolution.resolve import resolve

#: The best first, as precedence.yaml has them.
PRODUCTS = ("intune", "defender_endpoint", "entra_id", "tenable", "qualys", "servicenow")
VALUES: tuple[Any, ...] = (
    None, True, 0, -1.5, 2**63, "", "}{", '","a":{', "\\", '\\"}', "\u0001", "}\u0001{", "ключ 🔑", [], [None, {"a": None}],
    {}, {"a": None}, {"a": {"b": None, "c": "}"}}, {"a": 1, "": {}},
)  # fmt: skip


def observed(product: str, machine: int, text: str | None, **values: Any) -> dict[str, Any]:
    record = {"record": f"{product}:p:{machine}", "product": product, "instance": "p", "record_id": str(machine)}
    return record | {"serial_number": f"SER{machine:05}", "manufacturer": "Dell", "properties": text} | values


def together(rows: list[dict[str, Any]]) -> dict[str, str | None]:
    """Of each machine its objects put together, by serial number."""
    winners = Survivors(resolve("device", pa.Table.from_pylist(rows))).winners()
    return dict(zip(winners["serial_number"].to_pylist(), winners["properties"].to_pylist(), strict=True))


def patched(whole: dict[str, Any], better: dict[str, Any]) -> dict[str, Any]:
    """What is meant, in plain Python: null is no value, and on a shared member the better one wins."""
    kept = dict(whole)
    for name, value in better.items():
        if isinstance(value, dict):
            below = kept[name] if isinstance(kept.get(name), dict) else {}
            kept[name] = patched(below, value)
        elif value is not None:
            kept[name] = value
    return kept


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    assert len(names) == len(set(names)), f"a member twice: {names}"
    return dict(pairs)


def read(text: str | None) -> Any:
    return None if text is None else json.loads(text, object_pairs_hook=once)


@pytest.mark.parametrize("names", [("own",), ("own", "a", "b"), ("a", "b", "")], ids=["disjoint", "some", "all shared"])
def test_any_objects_are_put_together_as_plain_python_does(names: tuple[str, ...]) -> None:
    chance = random.Random(len(names) * 7 + len(names[0]))
    rows: list[dict[str, Any]] = []
    expected: dict[str, Any] = {}
    for machine in range(150):
        whole: dict[str, Any] | None = None
        told = chance.sample(PRODUCTS, chance.randrange(1, len(PRODUCTS) + 1))
        for product in sorted(told, key=PRODUCTS.index, reverse=True):
            members = {name.replace("own", product): chance.choice(VALUES) for name in names if chance.random() < 0.8}
            spaces = chance.choice([None, 1])
            silent = chance.random() < 0.2
            text = None if silent else json.dumps(members, indent=spaces, ensure_ascii=spaces is None)
            whole = whole if silent else patched(whole or {}, members)
            rows.append(observed(product, machine, text))
        expected[f"SER{machine:05}"] = whole
    assert {serial: read(text) for serial, text in together(rows).items()} == expected


def test_objects_without_members_are_an_object_and_none_is_nothing() -> None:
    rows = [
        observed("intune", 1, " {} "),
        observed("qualys", 1, '{"a": null}'),
        observed("intune", 2, "{}"),
        observed("qualys", 2, '{"a": 1}'),
        observed("tenable", 2, "{}"),
        observed("intune", 3, "[1]"),
        observed("qualys", 3, '{"a": '),
    ]
    assert together(rows) == {"SER00001": "{}", "SER00002": '{"a":1}', "SER00003": None}


def test_broken_texts_are_left_out_even_where_two_of_them_would_make_one_object() -> None:
    rows = [
        observed("qualys", 1, '{"a": "x}'),
        observed("tenable", 1, '{", "b": 1}'),
        observed("intune", 1, '{"c": 2}'),
    ]
    assert together(rows) == {"SER00001": '{"c":2}'}


def test_the_newest_of_many_records_of_one_product_wins_each_member() -> None:
    newest = datetime(2026, 11, 20)
    rows = [
        observed("qualys", 1, json.dumps({"a": age, f"only{age}": age}), observed_at=newest - timedelta(age))
        | {"record": f"qualys:p:{age}", "record_id": str(age)}
        for age in range(9)
    ]
    rows.append(observed("intune", 1, '{"i": 1}', observed_at=newest))
    assert read(together(rows)["SER00001"]) == {"a": 0, "i": 1} | {f"only{age}": age for age in range(9)}


def test_with_more_products_than_bits_members_that_are_shared_are_still_merged() -> None:
    products = [f"product{number:03}" for number in range(150)]
    newest = datetime(2026, 11, 20)
    rows = [observed(product, 1, json.dumps({product: 1}), observed_at=newest) for product in products]
    rows += [observed(products[120], 2, '{"product120": 2}', observed_at=newest)]
    rows += [observed(products[121], 2, '{"product120": 1, "x": 1}', observed_at=newest - timedelta(1))]
    found = together(rows)
    assert read(found["SER00001"]) == dict.fromkeys(products, 1)
    assert read(found["SER00002"]) == {"product120": 2, "x": 1}


def test_objects_are_merged_up_to_the_last_place_that_shares_a_member() -> None:
    held = np.array([4, 1, 2, 1, 8, 1, 2, 1], np.uint64)
    asset = np.array([0, 0, 0, 0, 0, 1, 1, 2], np.int32)
    place = np.array([4, 0, 1, 2, 3, 1, 0, 0], np.int32)
    assert shared(held, asset, place).tolist() == [False, True, True, True, False, False, False, False]


def test_assets_of_every_batch_and_of_every_part_that_is_told_keep_their_objects(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(survivorship, "BATCH", 2)
    monkeypatch.setattr(objects, "TOLD", 4)
    rows = [
        observed(product, machine, json.dumps({product: machine, "both": product}))
        for machine in range(9)
        for product in ("qualys", "intune")
    ]
    expected = {f"SER{n:05}": {"intune": n, "qualys": n, "both": "intune"} for n in range(9)}
    assert {serial: read(text) for serial, text in together(rows).items()} == expected


def test_who_takes_the_batches_may_use_the_connection_between_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survivorship, "BATCH", 2)
    rows = [observed("qualys", machine, json.dumps({"qualys": machine})) for machine in range(9)]
    connection = duckdb.connect()
    kept = 0
    for batch in Survivors(resolve("device", pa.Table.from_pylist(rows), connection=connection)).batches():
        connection.register("_batch", batch)
        connection.execute("CREATE TABLE IF NOT EXISTS kept AS FROM _batch WHERE false")
        connection.execute("INSERT INTO kept FROM _batch")
        connection.unregister("_batch")
        kept += len(batch)
    assert kept == 9
    assert connection.execute("SELECT count(DISTINCT properties) FROM kept").fetchall() == [(9,)]
