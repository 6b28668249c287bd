"""The project: every model found in a folder, what each reads, and the order to build them in.

Loading reads names, references and contracts only; it needs no DuckDB and no SQL parser, because the Dagster code
location loads it on every start.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from dbt_like_transforms.engine.columns import Column
from dbt_like_transforms.engine.contract import ObservationKind, as_columns, read_observations
from dbt_like_transforms.engine.errors import ProjectError, nearest
from dbt_like_transforms.engine.models import Model
from dbt_like_transforms.engine.references import Reference

OBSERVATIONS_FILE = Path(__file__).parent.parent / "contracts" / "observations.yml"


class Project:
    """All models of a folder, in an order in which each comes after what it reads. Made by `Project.load`."""

    def __init__(
        self,
        models: Mapping[str, Model],
        references: Mapping[str, tuple[Reference, ...]],
        unions: Mapping[str, tuple[str, ...]],
        observations: Mapping[str, ObservationKind],
        sources: Mapping[str, tuple[Column, ...]],
    ) -> None:
        self.models = dict(models)
        self.unions = dict(unions)
        self.observations = dict(observations)
        self.sources = dict(sources)
        self._references = dict(references)

    @classmethod
    def load(
        cls,
        models_dir: Path,
        sources: Mapping[str, Sequence[Column]],
        observations_file: Path = OBSERVATIONS_FILE,
    ) -> Project:
        """Discovers `staging/<product>/`, `intermediate/` and `marts/` under `models_dir`.

        Args:
            models_dir: folder of the models.
            sources: columns of every `landed.<product>__<stream>` relation (see `landed_source`); the `run` relations
                are known without being named.
            observations_file: columns of each kind of observation.

        Raises:
            ProjectError: a broken file, an unknown reference, a forbidden one, or a cycle; with file and line.
        """
        from dbt_like_transforms.engine.loading import Loader

        return Loader(models_dir, sources, read_observations(observations_file)).load()

    def model(self, name: str) -> Model:
        """The model of that name.

        Raises:
            ProjectError: there is none; the message names the nearest.
        """
        try:
            return self.models[name]
        except KeyError:
            raise ProjectError(f"there is no model {name!r}{nearest(name, self.models)}") from None

    def columns_of(self, relation: str) -> tuple[Column, ...]:
        """Columns of a relation as a model names it: a model, `stg__devices`, `landed.x`, `run.x` or `previous.x`."""
        if relation in self.unions:
            return as_columns(self.observations[relation.removeprefix("stg__")].columns)
        if relation in self.sources:
            return self.sources[relation]
        return self.model(relation.removeprefix("previous.")).columns

    def line_of(self, model: str, relation: str) -> int | None:
        """Line on which `model` first names `relation`."""
        return next((ref.line for ref in self._references[model] if ref.name == relation), None)

    @cached_property
    def groups(self) -> dict[str, tuple[str, ...]]:
        """Models that are built together, by group, in build order."""
        groups: dict[str, list[str]] = {}
        for model in self.models.values():
            groups.setdefault(model.group, []).append(model.name)
        return {group: tuple(names) for group, names in groups.items()}

    def siblings(self, name: str) -> tuple[str, ...]:
        """The models built by the same file, itself included."""
        return self.groups[self.model(name).group]

    def upstream(self, names: Iterable[str]) -> set[str]:
        """Everything the models read, directly or not, without the models themselves."""
        found: set[str] = set()
        pending = list(names)
        while pending:
            for needed in self.model(pending.pop()).depends_on:
                if needed not in found:
                    found.add(needed)
                    pending.append(needed)
        return found

    def downstream(self, names: Iterable[str]) -> set[str]:
        """Everything that reads the models, directly or not, without the models themselves."""
        wanted = set(names)
        found: set[str] = set()
        for model in self.models.values():  # build order: what a model reads comes before it
            if any(needed in wanted or needed in found for needed in model.depends_on):
                found.add(model.name)
        return found - wanted

    def lineage(self, name: str) -> dict[str, tuple[tuple[str, str], ...]]:
        """For each column of a SQL model the (relation, column) pairs it is made of; kept after the first call.

        Best effort: a column whose origin cannot be told is absent, and Python models have none.
        """
        from dbt_like_transforms.engine.lineage import column_lineage

        if name not in self._lineage:
            self._lineage[name] = column_lineage(self, self.model(name))
        return self._lineage[name]

    @cached_property
    def _lineage(self) -> dict[str, dict[str, tuple[tuple[str, str], ...]]]:
        return {}
