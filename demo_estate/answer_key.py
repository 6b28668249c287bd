"""What every served record truly is, and how well a set of merged assets agrees with it. Never served over HTTP."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from demo_estate.lenses import Instance, Lens
from demo_estate.scoring import Score, score_records

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
                yield KeyRow(lens.product, instance.name, answer.kind, answer.record_id, answer.truth_id, answer.tags)

    def frame(self) -> pd.DataFrame:
        """The rows as a data frame; tags as sorted text joined by commas."""
        import pandas as pd

        rows = [(*row[:5], ",".join(sorted(row.tags))) for row in self.rows()]
        return pd.DataFrame(rows, columns=["product", "instance", "kind", "record_id", "truth_id", "tags"])

    def score(self, asset_records: Any, kind: str | None = None) -> Score:
        """Compare with the merged assets (see `scoring.score_records`)."""
        return score_records(self.frame(), asset_records, kind)
