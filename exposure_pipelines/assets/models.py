"""Every SQL and Python model as an asset, all built by one step on one DuckDB."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

import dagster as dg

from exposure_pipelines.assets.landed import landed_key, stream_names
from exposure_pipelines.assets.partitions import daily
from exposure_pipelines.building import open_builder, project
from exposure_pipelines.progress import report as report_progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dbt_like_transforms.engine.models import Model
    from dbt_like_transforms.engine.results import CheckResult, ModelResult
    from exposure_pipelines.connections import Connection

OWNER = "team:exposure-pipelines"

#: Columns a preview may show: ids and classes, never names or addresses of people.
PREVIEW_ROWS = 5


def model_key(model: Model) -> dg.AssetKey:
    return dg.AssetKey([model.layer, model.name])


def models_asset(connections: Sequence[Connection]) -> dg.AssetsDefinition:
    """The multi-asset of all models. A range of dates is one run, built date by date, oldest first."""
    models = project().models
    landed = landed_keys(connections)
    specs = [model_spec(model, landed) for model in models.values()]
    checks = [
        dg.AssetCheckSpec(
            check_name(test.name), asset=model_key(model), description=f"{test.test.kind} ({test.severity})"
        )
        for model in models.values()
        for test in model.tests
    ]

    @dg.multi_asset(
        name="build_models",
        specs=specs,
        check_specs=checks,
        can_subset=True,
        partitions_def=daily(),
        backfill_policy=dg.BackfillPolicy.single_run(),
        description="Runs the models on DuckDB over the lake.",
    )
    def build_models(context: dg.AssetExecutionContext) -> Iterator[Any]:
        selected = {key.path[-1] for key in context.selected_asset_keys}
        yield from build_partitions(context, selected)

    return build_models


def landed_keys(connections: Sequence[Connection]) -> dict[str, list[dg.AssetKey]]:
    """Landed assets by the relation their records appear in, over all instances of a product."""
    keys: dict[str, list[dg.AssetKey]] = {}
    for connection in connections:
        for stream in stream_names(connection):
            keys.setdefault(f"landed.{connection.product}__{stream}", []).append(landed_key(connection, stream))
    return keys


def model_spec(model: Model, landed: dict[str, list[dg.AssetKey]]) -> dg.AssetSpec:
    models = project().models
    deps = [model_key(models[name]) for name in model.depends_on]
    deps += [key for source in model.sources for key in landed.get(source, [])]
    columns = [dg.TableColumn(c.name, c.type, c.description or None) for c in model.columns]
    metadata: dict[str, Any] = {"dagster/table_name": f"{model.layer}.{model.name}"}
    if columns:
        metadata["dagster/column_schema"] = dg.TableSchema(columns)
    return dg.AssetSpec(
        key=model_key(model),
        deps=deps,
        group_name=f"staging_{model.product}" if model.product else model.layer,
        description=model.description,
        kinds={"duckdb", "sql"} if model.language == "sql" else {"duckdb", "python"},
        owners=[OWNER],
        code_version=model.code_version,
        metadata=metadata,
    )


def check_name(name: str) -> str:
    """Test names as Dagster takes them: letters, digits, underscores."""
    return "".join(letter if letter.isalnum() or letter == "_" else "_" for letter in name)


def build_partitions(context: dg.AssetExecutionContext, selected: set[str]) -> Iterator[Any]:
    """Build each date of the run. A single-run range reports once a model, with the numbers of its newest date.

    Raises dg.Failure naming model, file and line when a model does not run.
    """
    from dbt_like_transforms.engine.errors import EngineError
    from exposure_pipelines.home import Home

    dates = sorted(date.fromisoformat(key) for key in context.partition_keys)
    results: dict[str, ModelResult] = {}
    failing: dict[tuple[str, str], list[str]] = {}
    with open_builder(Home.from_env().ensure()) as builder:
        for day in dates:
            try:
                built = builder.build(day, selected, partial(report_model, day))
            except EngineError as error:
                raise dg.Failure(f"building {day} failed: {error}", allow_retries=False) from error
            for result in built:
                if result.name in selected:
                    results[result.name] = result
                    for check in result.checks:
                        if not check.passed:
                            failing.setdefault((result.name, check.name), []).append(day.isoformat())
            context.log.info(f"{day}: {len(built)} models, {sum(result.rows for result in built):,} rows")
    for name, result in results.items():
        yield dg.MaterializeResult(
            asset_key=dg.AssetKey([result.layer, name]),
            metadata=result_metadata(result, dates),
            check_results=[check_result(result, check, failing.get((name, check.name), [])) for check in result.checks],
        )


def report_model(day: date, result: ModelResult) -> None:
    report_progress(f"{day}: {result.name}")


def result_metadata(result: ModelResult, dates: list[date]) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "dagster/row_count": result.rows,
        "seconds": round(result.seconds, 3),
        "snapshot_dates": f"{dates[0]} to {dates[-1]}" if len(dates) > 1 else str(dates[0]),
        "parquet": dg.MetadataValue.path(result.path),
        "dagster/column_schema": dg.TableSchema(
            [dg.TableColumn(c.name, c.type, c.description or None) for c in result.columns]
        ),
    }
    lineage = column_lineage(result.name)
    if lineage:
        metadata["dagster/column_lineage"] = lineage
    preview = counts_preview(result)
    if preview:
        metadata["preview"] = dg.MetadataValue.md(preview)
    return metadata


def column_lineage(name: str) -> dg.TableColumnLineage | None:
    """Which columns each column is made of, among the models."""
    models = project().models
    found = {
        column: [
            dg.TableColumnDep(asset_key=model_key(models[relation]), column_name=source)
            for relation, source in sources
            if relation in models
        ]
        for column, sources in project().lineage(name).items()
    }
    found = {column: deps for column, deps in found.items() if deps}
    return dg.TableColumnLineage(found) if found else None


def counts_preview(result: ModelResult) -> str | None:
    """Rows by each classifying column: what a person wants to see first, and nothing personal."""
    import duckdb

    classes = [c.name for c in result.columns if c.name in CLASSES and c.type.upper() == "VARCHAR"]
    if not classes or result.layer != "marts" or not result.rows:
        return None
    source = "read_parquet('" + result.path.replace("'", "''") + "', hive_partitioning = false)"
    lines = ["| column | value | rows |", "|---|---|---|"]
    with duckdb.connect() as database:
        for column in classes[:3]:
            counted = f'SELECT "{column}", count(*) FROM {source} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {PREVIEW_ROWS}'
            rows = database.execute(counted).fetchall()
            lines += [f"| {column} | {value if value is not None else ''} | {count:,} |" for value, count in rows]
    return "\n".join(lines)


#: Columns that classify: safe to show with counts.
CLASSES = (
    "lifecycle_state",
    "device_category",
    "os_platform",
    "identity_type",
    "application_type",
    "resource_type",
    "relationship",
    "severity",
    "status",
    "state",
    "missing",
    "change",
    "asset_kind",
    "verdict",
    "product",
)


def check_result(result: ModelResult, check: CheckResult, failing_dates: list[str]) -> dg.AssetCheckResult:
    severity = dg.AssetCheckSeverity.ERROR if check.severity == "error" else dg.AssetCheckSeverity.WARN
    metadata: dict[str, Any] = {"failing": check.failing}
    if failing_dates:
        metadata["failing_dates"] = ", ".join(failing_dates)
    if check.sample:
        metadata["sample"] = dg.MetadataValue.json([{k: str(v) for k, v in row.items()} for row in check.sample])
    passed = not failing_dates
    column = f"column {check.column}: " if check.column else ""
    return dg.AssetCheckResult(
        asset_key=dg.AssetKey([result.layer, result.name]),
        check_name=check_name(check.name),
        passed=passed,
        severity=severity,
        description=""
        if passed
        else f"{column}{check.failing:,} rows do not hold {check.name}; dates: {', '.join(failing_dates)}",
        metadata=metadata,
    )
