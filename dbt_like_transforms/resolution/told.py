"""What every record tells of the fields of an asset, whichever asset it becomes part of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import numpy as np

from dbt_like_transforms.resolution.objects import members
from dbt_like_transforms.resolution.precedence import load_precedence
from dbt_like_transforms.resolution.resolve import COLUMNS
from dbt_like_transforms.resolution.values import fields

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dbt_like_transforms.resolution.resolve import Kind


class Told:
    """The fields of a kind and what the records of one resolution tell of them.

    Reads `_observed`, `_unnumbered` and the tables of normal forms. scalars: fields that are neither list nor object.
    present[row]: bit i is set where the record has the i-th of them.
    """

    def __init__(self, kind: Kind, connection: duckdb.DuckDBPyConnection) -> None:
        self.precedence = load_precedence()[kind]
        self.columns = COLUMNS[kind]
        self.scalars = {
            name: field for name, field in fields(kind, self.columns).items() if name not in self.precedence.merge
        }
        #: Of each column of objects the members that each product knows, see `objects`.
        self.members = {name: members(connection, name) for name in self.precedence.merge}
        bits = " | ".join(
            f"CASE WHEN {f'r.{name}' if name in self.precedence.any else field.present} THEN {1 << number}::UBIGINT "
            "ELSE 0::UBIGINT END"
            for number, (name, field) in enumerate(self.scalars.items())
        )
        found = connection.execute(
            f"SELECT idx, {bits or '0::UBIGINT'} AS bits FROM _observed r JOIN norm n USING (idx)"
        ).fetchnumpy()
        self.present: NDArray[np.uint64] = np.zeros(len(found["idx"]), np.uint64)
        self.present[np.ma.getdata(found["idx"])] = np.ma.getdata(found["bits"])
