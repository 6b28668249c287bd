"""What every record tells of the fields of an asset, whichever asset it becomes part of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import duckdb
import numpy as np

from dbt_like_transforms.resolution.fields.objects import members
from dbt_like_transforms.resolution.fields.precedence import load_precedence
from dbt_like_transforms.resolution.fields.values import fields
from dbt_like_transforms.resolution.kinds import COLUMNS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dbt_like_transforms.resolution.kinds import Kind


class Told:
    """The fields of a kind and what the records of one resolution tell of them.

    Reads `_observed`, `_keyed` and the tables of normal forms. scalars: fields that are neither list nor object.
    present[row]: bit i is set where the record has the i-th of them; where any record that says true is enough, bit i stands
    for true, and the bit false[name] for false.
    """

    def __init__(self, kind: Kind, connection: duckdb.DuckDBPyConnection) -> None:
        self.precedence = load_precedence()[kind]
        self.columns = COLUMNS[kind]
        self.scalars = {
            name: field for name, field in fields(kind, self.columns).items() if name not in self.precedence.merge
        }
        #: Of each column of objects the members that each product knows, see `objects`.
        self.members = {name: members(connection, name) for name in self.precedence.merge}
        anyone = [name for name in self.scalars if name in self.precedence.any]
        self.false = {name: np.uint64(1 << len(self.scalars) + number) for number, name in enumerate(anyone)}
        given = {name: f"r.{name}" if name in self.false else field.told for name, field in self.scalars.items()}
        denied = {f"not {name}": f"NOT r.{name}" for name in anyone}
        self.present: NDArray[np.uint64] = _bits(connection, "_observed r", given | denied)
        # Two scans cost less than one of both tables joined.
        normal = {name: field.normal for name, field in self.scalars.items()}
        self.present &= _bits(connection, "norm n", normal | dict.fromkeys(denied, "true"))


def _bits(connection: duckdb.DuckDBPyConnection, relation: str, tests: Mapping[str, str]) -> NDArray[np.uint64]:
    """Of each record of the relation a bit for each test, set where it holds."""
    parts = [f"CASE WHEN {test} THEN {1 << bit}::UBIGINT ELSE 0 END" for bit, test in enumerate(tests.values())]
    found = connection.execute(f"SELECT idx, {' | '.join(parts) or '0::UBIGINT'} AS bits FROM {relation}").fetchnumpy()
    placed = np.zeros(len(found["idx"]), np.uint64)
    placed[np.ma.getdata(found["idx"])] = np.ma.getdata(found["bits"])
    return placed
