"""What every served record truly is, and how well a set of merged assets agrees with it. Never served over HTTP."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from demo_estate.lenses import Instance, Lens

if TYPE_CHECKING:
    import pandas as pd

    from demo_estate.kit.service import Service
    from demo_estate.truth import Truth


class KeyRow(NamedTuple):
    """One served record and its truth. product, instance, kind and record_id identify it."""

    product: str
    instance: str
    kind: str
    record_id: str
    truth_id: str
    tags: frozenset[str]
    evidence: frozenset[str] | None = None


class AnswerKey:
    """The answers of lenses on one day.

    instances: the instances to answer for, by product; a product that is not in it answers for its default ones.
    """

    def __init__(
        self,
        truth: Truth,
        lenses: Iterable[Lens],
        instances: Mapping[str, Sequence[Instance]] | None = None,
        day: int | None = None,
    ) -> None:
        self.truth = truth
        self.day = truth.day(day)
        chosen = instances or {}
        self._sources: list[tuple[Lens, Instance]] = [
            (lens, instance)
            for lens in lenses
            for instance in chosen.get(lens.product) or [i for i in lens.all_instances() if i.by_default]
        ]

    @classmethod
    def of_services(cls, services: Iterable[Service], day: int) -> AnswerKey:
        """For what is being served."""
        found: dict[str, tuple[Lens, list[Instance]]] = {}
        truth: Truth | None = None
        for service in services:
            truth = service.truth
            found.setdefault(service.lens.product, (service.lens, []))[1].append(service.instance)
        if truth is None:
            raise ValueError("an answer key needs at least one served instance")
        lenses = [lens for lens, _ in found.values()]
        return cls(truth, lenses, {product: instances for product, (_, instances) in found.items()}, day)

    def rows(self) -> Iterator[KeyRow]:
        """All answers, one instance after the other; nothing is held."""
        for lens, instance in self._sources:
            view = lens.view(self.truth, instance, self.day)
            for answer in lens.answer(view):
                yield KeyRow(lens.product, instance.name, *answer)

    def frame(self) -> pd.DataFrame:
        """The rows as a data frame; tags as sorted text joined by commas.

        provable: names the part of the true thing that shared evidence connects the record to; without evidence on either
        side the whole thing.
        """
        import pandas as pd

        rows, known = [], []
        for row in self.rows():
            rows.append((*row[:5], ",".join(sorted(row.tags))))
            known.append(row.evidence)
        frame = pd.DataFrame(rows, columns=["product", "instance", "kind", "record_id", "truth_id", "tags"])
        frame["provable"] = provable(list(frame["truth_id"]), known)
        return frame


def provable(truth_ids: Sequence[str], evidence: Sequence[frozenset[str] | None]) -> list[str]:
    """For each record its true thing, numbered where evidence does not connect all of its records ('dev-000017/2')."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    items: dict[tuple[str, str], int] = {}
    rows, columns = [], []
    for number, (truth_id, found) in enumerate(zip(truth_ids, evidence, strict=True)):
        for item in ("",) if found is None else found:
            rows.append(number)
            columns.append(items.setdefault((truth_id, item), len(items)) + len(truth_ids))
    size = len(truth_ids) + len(items)
    graph = coo_matrix(([True] * len(rows), (rows, columns)), shape=(size, size))
    _, part = connected_components(graph, directed=False)
    parts: dict[str, dict[int, int]] = {}
    names = []
    for number, truth_id in enumerate(truth_ids):
        order = parts.setdefault(truth_id, {})
        names.append(f"{truth_id}/{order.setdefault(int(part[number]), len(order) + 1)}")
    return names
