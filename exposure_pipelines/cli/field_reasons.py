"""Why a record gives a field of its asset or does not, in words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dbt_like_transforms.resolution.fields.precedence import load_precedence
from dbt_like_transforms.resolution.kinds import Kind

if TYPE_CHECKING:
    from dbt_like_transforms.resolution.fields.precedence import Precedence

Row = Mapping[str, Any]
RETIRED = "retired, so it gives no values"
ALONE = "no other source tells it"


def with_reasons(kind: Kind, fields: Sequence[Row], records: Sequence[Row]) -> list[dict[str, Any]]:
    """Rows of asset_fields of one asset with `why`. records: its rows of asset_records."""
    precedence = load_precedence()[kind]
    retired = {_place(record) for record in records if record["record_state"] == "retired"}
    if len(retired) == len(records):
        retired = set()  # an asset that is gone keeps what was last said of it
    told: dict[str, list[Row]] = defaultdict(list)
    for row in fields:
        if _place(row) not in retired:
            told[row["field"]].append(row)
    return [
        {**row, "why": RETIRED if _place(row) in retired else _why(row, told[row["field"]], precedence)}
        for row in fields
    ]


def _why(row: Row, told: Sequence[Row], precedence: Precedence) -> str:
    """told: what all records that give values say of the field."""
    name = row["field"]
    winner = next((other for other in told if other["chosen"]), None)
    if name in precedence.union:
        return "adds to the list"
    if name in precedence.merge:
        return "gives the members that no better source has"
    if len(told) == 1 or winner is None:
        return ALONE
    if name in precedence.any and winner["value"] == "true":
        return (
            "one record that says so is enough"
            if row["chosen"]
            else f"{winner['product']} says true, and one is enough"
        )
    products, days = precedence.order_of(name)
    silent = f"silent for more than {days:g} days"
    if name in precedence.any and row["value"] == "true":
        return f"{silent}, and {winner['product']} says otherwise"

    def rank(other: Row) -> int:
        return products.index(other["product"]) if other["product"] in products else len(products)

    if row is winner:
        if any(rank(other) < rank(row) for other in told):
            return f"the first of the sources in their order that was not {silent}"
        if any(rank(other) == rank(row) for other in told if other is not row):
            named = row["product"] in products
            return (
                "the newest record of the first source in their order"
                if named
                else "the newest of sources without an order"
            )
        return "the first of the sources in their order"
    if rank(row) < rank(winner):
        return f"{silent}, so {winner['product']} comes before it"
    if rank(row) == rank(winner):
        return f"not newer than {winner['product']} {winner['record_id']}"
    return f"{winner['product']} comes before it"


def _place(row: Row) -> tuple[Any, ...]:
    return row["product"], row["instance"], row["record_id"]
