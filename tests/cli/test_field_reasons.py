"""What `exposure explain` says about why a record gives a field or does not."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa

from dbt_like_transforms.resolution.fields.survivorship import Survivors
from dbt_like_transforms.resolution.resolve import resolve
from exposure_pipelines.cli.field_reasons import with_reasons

NOW = datetime(2026, 11, 20)
COLUMNS = ("asset_id", "field", "value", "product", "instance", "record_id", "observed_at", "chosen")


def reasons(*given: dict[str, Any]) -> dict[tuple[str, int], str]:
    """Of each field and record (from 0) of one laptop why it gives the field or does not."""
    rows = []
    for number, values in enumerate(given):
        record = f"{values['product']}:p:{number}"
        row = {
            "record": record,
            "instance": "p",
            "record_id": str(number),
            "serial_number": "S1X",
            "manufacturer": "Dell",
        }
        rows.append({**row, "state": "active", "last_seen": NOW, "observed_at": None, **values})
    names = {name for row in rows for name in row}
    table = pa.Table.from_pylist([{name: row.get(name) for name in names} for row in rows])
    told = [dict(zip(COLUMNS, row, strict=True)) for row in Survivors(resolve("device", table)).fields().fetchall()]
    records = [{**row, "record_state": row["state"]} for row in rows]
    return {(row["field"], int(row["record_id"])): row["why"] for row in with_reasons("device", told, records)}


def test_every_field_says_in_words_who_won_and_why_the_others_did_not() -> None:
    why = reasons(
        {"product": "intune", "os_version": "11", "last_seen": NOW - timedelta(days=45), "model": "XPS"}
        | {"is_internet_facing": True},
        {"product": "crowdstrike", "os_version": "10", "hostnames": ["pc1"], "is_managed": True},
        {"product": "tenable", "os_version": "10.0", "owner": "ann", "is_managed": False, "is_internet_facing": False},
        {"product": "servicenow", "os_version": "9", "state": "retired"},
    )
    assert why["os_version", 1] == ("the first of the sources in their order that was not silent for more than 30 days")
    assert why["os_version", 0] == "silent for more than 30 days, so crowdstrike comes before it"
    assert why["os_version", 2] == "crowdstrike comes before it"
    assert why["os_version", 3] == "retired, so it gives no values"
    assert why["model", 0] == why["owner", 2] == "no other source tells it"
    assert why["hostnames", 1] == "adds to the list"
    assert why["is_managed", 1] == "one record that says so is enough"
    assert why["is_managed", 2] == "crowdstrike says true, and one is enough"
    assert why["is_internet_facing", 0] == "silent for more than 30 days, and tenable says otherwise"
    assert (
        why["is_internet_facing", 2]
        == "the first of the sources in their order that was not silent for more than 30 days"
    )


def test_of_two_records_of_one_source_the_newer_one_is_named() -> None:
    why = reasons(
        {"product": "tenable", "os_version": "11"}, {"product": "qualys", "os_version": "10"}, {"product": "acme"}
    )
    assert why["os_version", 0] == "the first of the sources in their order"
    why = reasons(
        {"product": "tenable", "os_version": "11"},
        {"product": "tenable", "os_version": "10", "last_seen": NOW - timedelta(days=1)},
    )
    assert why["os_version", 0] == "the newest record of the first source in their order"
    assert why["os_version", 1] == "not newer than tenable 0"


def test_sources_that_the_order_does_not_name_are_told_apart_by_age() -> None:
    why = reasons(
        {"product": "tenable", "environment": "test"},
        {"product": "qualys", "environment": "prod", "last_seen": NOW - timedelta(days=1)},
    )
    assert why["environment", 0] == "the newest of sources without an order"
    assert why["environment", 1] == "not newer than tenable 0"


def test_an_asset_that_is_gone_keeps_what_was_last_said_of_it() -> None:
    why = reasons({"product": "tenable", "os_version": "11", "state": "retired"})
    assert why["os_version", 0] == "no other source tells it"
