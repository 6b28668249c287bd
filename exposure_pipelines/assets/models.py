"""Every SQL and Python model as an asset, all built by one step on one DuckDB."""

# no postponed annotations here: Dagster reads that of the context as it stands

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import dagster as dg

from dbt_like_transforms.engine.models import Model, ModelTest
from dbt_like_transforms.engine.results import CheckResult, ModelResult
from exposure_pipelines.assets.landed import landed_key, stream_names
from exposure_pipelines.assets.partitions import daily
from exposure_pipelines.building import open_builder, project
from exposure_pipelines.connections import Connection
from exposure_pipelines.lake import Lake
from exposure_pipelines.progress import report as report_progress

if TYPE_CHECKING:
    import duckdb


OWNER = "team:exposure-pipelines"

#: Values shown of each classifying column, and classifying columns shown, in the preview of a mart.
PREVIEW_VALUES, PREVIEW_COLUMNS = 5, 3

#: Keys of failing rows shown with a check, over all its tests and dates.
SAMPLES_SHOWN = 20

#: Columns that classify: safe to show with counts. Names, addresses and ids of people are never shown.
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

#: Tables to look at next, as links beside the metadata of a table of the graph.
LINKS = {
    "exposure_graph_nodes": ("exposure_graph_edges", "criticality", "exposure_insights"),
    "exposure_graph_edges": ("exposure_graph_nodes", "attack_paths"),
    "criticality": ("business_context", "attack_paths"),
    "exposure_insights": ("findings", "internet_exposure"),
    "attack_paths": ("attack_path_steps", "choke_points", "recommendations", "attack_path_preconditions"),
    "attack_path_steps": ("attack_paths",),
    "choke_points": ("attack_paths", "recommendations"),
    "recommendations": ("attack_paths", "choke_points"),
    "attack_path_preconditions": ("attack_paths", "exposure_insights", "criticality"),
    "exposure_history": ("attack_paths", "exposure_graph_nodes"),
}


class BuildConfig(dg.Config):
    """What a person may change for one launched build."""

    accept_loss: bool = False


LandedKeys = Mapping[str, Sequence[dg.AssetKey]]
"""Landed assets by the relation that unites their records, e.g. `landed.tenable__assets`."""


def model_key(model: Model) -> dg.AssetKey:
    return dg.AssetKey([model.layer, model.name])


#: Tag of a run that names instances to leave out, comma-separated: the estate without a poisoned source.
WITHOUT_TAG = "exposure/without"
#: Tag of a run whose merges and splits a person has accepted, however many they are.
ACCEPT_TAG = "exposure/accept_changes"


def models_asset(connections: Sequence[Connection]) -> dg.AssetsDefinition:
    """The multi-asset of all models. A range of dates is one run, built date by date, oldest first."""
    models = project().models
    landed = landed_keys(connections)
    specs = [model_spec(model, landed) for model in models.values()]
    checks = [
        dg.AssetCheckSpec(name, asset=model_key(model), description=check_description(tests))
        for model in models.values()
        for name, tests in model_checks(model).items()
    ]

    @dg.multi_asset(
        name="build_models",
        specs=specs,
        check_specs=checks,
        can_subset=True,
        partitions_def=daily(),
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool="build_models",
        description="Runs the models on DuckDB over the lake.",
    )
    def build_models(context: dg.AssetExecutionContext, config: BuildConfig) -> Iterator[Any]:
        yield from build_partitions(context, landed, config.accept_loss)

    return build_models


def landed_keys(connections: Sequence[Connection]) -> LandedKeys:
    keys: dict[str, list[dg.AssetKey]] = {}
    for connection in connections:
        for stream in stream_names(connection):
            keys.setdefault(f"landed.{connection.product}__{stream}", []).append(landed_key(connection, stream))
    return keys


def model_spec(model: Model, landed: LandedKeys) -> dg.AssetSpec:
    models = project().models
    deps = [model_key(models[name]) for name in model.depends_on]
    deps += [key for source in model.sources for key in landed.get(source, [])]
    columns = [dg.TableColumn(c.name, c.type, c.description or None) for c in model.columns]
    return dg.AssetSpec(
        key=model_key(model),
        deps=deps,
        group_name=f"staging_{model.product}" if model.product else model.layer,
        description=model.description,
        kinds={"duckdb", model.language},
        owners=[OWNER],
        code_version=model.code_version,
        metadata={
            "dagster/table_name": f"{model.layer}.{model.name}",
            "dagster/column_schema": dg.TableSchema(columns),
        },
    )


def model_checks(model: Model) -> dict[str, tuple[ModelTest, ...]]:
    """The tests of a model by the check that reports them.

    A mart has a check a test. Below the marts the tests of one severity are one check: each recorded check costs some
    25 ms and three rows in Dagster's database, and every staging model is held to the twenty tests of its contract.
    """
    if model.layer == "marts":
        return {check_name(test.name): (test,) for test in model.tests}
    bundles = {
        "contract": tuple(test for test in model.tests if test.severity == "error"),
        "contract_warnings": tuple(test for test in model.tests if test.severity == "warn"),
    }
    return {name: tests for name, tests in bundles.items() if tests}


def check_name(name: str) -> str:
    """Test names as Dagster takes them: letters, digits, underscores."""
    return "".join(letter if letter.isalnum() or letter == "_" else "_" for letter in name)


def check_description(tests: Sequence[ModelTest]) -> str:
    if len(tests) == 1:
        (test,) = tests
        holds = f": {test.test.expression}" if test.test.expression else ""
        return f"{test.test.kind} ({test.severity}){holds}"
    return f"{len(tests)} tests: {', '.join(test.name for test in tests)}"


def build_partitions(context: dg.AssetExecutionContext, landed: LandedKeys, accept_loss: bool) -> Iterator[Any]:
    """Build each date of the run, and report each model: of a single date as soon as it is written, of a range at its end.

    Raises dg.Failure naming date, model, file and line when a model does not run, or the stream that would lose too much;
    what was built before it is reported. A past of which nothing was landed is refused before anything is built.
    """
    from dbt_like_transforms.engine.errors import EngineError
    from exposure_pipelines.errors import ConfigurationError, WorkFailed
    from exposure_pipelines.home import Home
    from exposure_pipelines.landing.past import require_landed

    selected = {key.path[-1] for key in context.selected_asset_keys}
    days = sorted(date.fromisoformat(key) for key in context.partition_keys)
    built: dict[str, dict[date, ModelResult]] = {}
    tags = context.run.tags
    options: dict[str, Any] = {
        "without_instances": [name for name in tags.get(WITHOUT_TAG, "").split(",") if name],
        "accept_changes": tags.get(ACCEPT_TAG) == "true",
        "accept_loss": accept_loss,
    }
    home = Home.from_env().ensure()
    # models above staging read what was built of the date, and say so when nothing was
    if any(key.path[0] == "staging" for key in context.selected_asset_keys):
        try:
            require_landed(home, days[0], days[-1], options["without_instances"])
        except ConfigurationError as error:
            raise dg.Failure(f"building {days[0]} is refused: {error}", allow_retries=False) from error
    with open_builder(home, options) as builder:
        for day in days:
            count = rows = 0

            def doing(text: str, day: date = day) -> None:
                report_progress(f"{day}: {text}")
                context.log.info(f"{day}: {text}")

            try:
                for result in builder.iterate(day, selected, doing):
                    report_progress(f"{day}: {result.name}, {result.rows:,} rows")
                    if not result.selected:
                        continue
                    built.setdefault(result.name, {})[day] = result
                    count, rows = count + 1, rows + result.rows
                    metadata = result_metadata(result, day, builder.lake, builder.database, landed)
                    key = dg.AssetKey([result.layer, result.name])
                    if len(days) == 1:
                        yield dg.MaterializeResult(asset_key=key, metadata=metadata)
                        yield from check_results(context, built[result.name])
                    else:
                        context.add_asset_metadata(metadata, asset_key=key, partition_key=day.isoformat())
            except (EngineError, WorkFailed) as error:
                if len(days) > 1:
                    log_built(context, built)
                raise dg.Failure(f"building {day} failed: {error}", allow_retries=False) from error
            context.log.info(f"{day}: {count} models, {rows:,} rows")
    if len(days) > 1:
        for by_day in built.values():
            newest = by_day[days[-1]]
            yield dg.MaterializeResult(asset_key=dg.AssetKey([newest.layer, newest.name]))
            yield from check_results(context, by_day)


def log_built(context: dg.AssetExecutionContext, built: Mapping[str, Mapping[date, ModelResult]]) -> None:
    """Record the dates of a range that were built before one failed: their files are new."""
    for by_day in built.values():
        for day, result in by_day.items():
            context.log_event(
                dg.AssetMaterialization(
                    asset_key=dg.AssetKey([result.layer, result.name]),
                    partition=day.isoformat(),
                    metadata={"dagster/row_count": result.rows, "seconds": round(result.seconds, 3)},
                )
            )


def result_metadata(
    result: ModelResult, day: date, lake: Lake, database: "duckdb.DuckDBPyConnection", landed: LandedKeys
) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "dagster/row_count": result.rows,
        "seconds": round(result.seconds, 3),
        "snapshot_date": day.isoformat(),
        "parquet": result.path.removeprefix(f"{lake.root}/"),
    }
    lineage = column_lineage(result.name, landed)
    if lineage:
        metadata["dagster/column_lineage"] = lineage
    preview = counts_preview(result, database)
    if preview:
        metadata["preview"] = dg.MetadataValue.md(preview)
    if result.name == "attack_paths":
        from exposure_pipelines.assets.path_picture import top_path_markdown

        if picture := top_path_markdown(result.path, database):
            metadata["top_path"] = dg.MetadataValue.md(picture)
    for other in LINKS.get(result.name, ()):
        metadata[f"see_{other}"] = dg.MetadataValue.asset(model_key(project().models[other]))
    return metadata


def column_lineage(name: str, landed: LandedKeys) -> dg.TableColumnLineage | None:
    """Which columns each column is made of: of models, and of what was landed."""
    models = project().models
    found: dict[str, list[dg.TableColumnDep]] = {}
    for column, sources in project().lineage(name).items():
        for relation, source in sources:
            keys = [model_key(models[relation])] if relation in models else landed.get(relation, ())
            found.setdefault(column, []).extend(dg.TableColumnDep(asset_key=key, column_name=source) for key in keys)
    found = {column: deps for column, deps in found.items() if deps}
    return dg.TableColumnLineage(found) if found else None


def counts_preview(result: ModelResult, database: "duckdb.DuckDBPyConnection") -> str | None:
    """Rows by each classifying column: what a person wants to see first, and nothing personal."""
    text_columns = {column.name for column in result.columns if column.type.upper() == "VARCHAR"}
    classes = [name for name in CLASSES if name in text_columns]
    if not classes or result.layer != "marts" or not result.rows:
        return None
    source = "read_parquet('" + result.path.replace("'", "''") + "', hive_partitioning = false)"
    lines = ["| column | value | rows |", "|---|---|---|"]
    for column in classes[:PREVIEW_COLUMNS]:
        counted = f'SELECT "{column}", count(*) FROM {source} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {PREVIEW_VALUES}'
        rows = database.execute(counted).fetchall()
        lines += [f"| {column} | {value if value is not None else ''} | {count:,} |" for value, count in rows]
    return "\n".join(lines)


def check_results(
    context: dg.AssetExecutionContext, by_day: Mapping[date, ModelResult]
) -> Iterator[dg.AssetCheckResult]:
    """Results of a model's checks over the dates of the run: one date that fails makes the check fail."""
    newest = by_day[max(by_day)]
    key = dg.AssetKey([newest.layer, newest.name])
    wanted = context.selected_asset_check_keys
    for name, tests in model_checks(project().models[newest.name]).items():
        if dg.AssetCheckKey(key, name) not in wanted:
            continue
        names = {test.name for test in tests}
        failing = [
            (day, check)
            for day, result in sorted(by_day.items())
            for check in result.checks
            if check.name in names and not check.passed
        ]
        yield check_result(key, name, tests[0].severity, failing)


def check_result(
    key: dg.AssetKey, name: str, severity: str, failing: Sequence[tuple[date, CheckResult]]
) -> dg.AssetCheckResult:
    metadata: dict[str, Any] = {"failing_rows": sum(check.failing for _, check in failing)}
    samples = [
        {"test": check.name, "date": str(day), **{column: str(value) for column, value in row.items()}}
        for day, check in failing
        for row in check.sample
    ]
    if samples:
        metadata["sample"] = dg.MetadataValue.json(samples[:SAMPLES_SHOWN])
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=name,
        passed=not failing,
        severity=dg.AssetCheckSeverity.ERROR if severity == "error" else dg.AssetCheckSeverity.WARN,
        description="; ".join(failure(day, check) for day, check in failing),
        metadata=metadata,
    )


def failure(day: date, check: CheckResult) -> str:
    place = f"column {check.column}" if check.column else "the table"
    return f"{day}: {check.failing:,} rows fail {check.name} on {place}"
