"""compose.yaml, helm-values.yaml and the Dockerfile: what can be held against something without a container engine."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from dagster._core.errors import DagsterInvalidConfigError
from dagster._core.instance.config import dagster_instance_config

from exposure_pipelines.alerts import ALERTS_FILE
from exposure_pipelines.dagster_home import SETTINGS, SQLITE

ROOT = Path(__file__).parent.parent.parent
DEPLOY = ROOT / "deploy"

#: The keys that the schema of Dagster's chart 1.13 knows, of the parts that the values use; `...`: anything.
CHART: dict[str, Any] = {
    "generatePostgresqlPasswordSecret": ...,
    "global": {"postgresqlSecretName": ..., "dagsterHome": ..., "serviceAccountName": ...},
    "postgresql": dict.fromkeys(
        ("enabled", "postgresqlScheme", "postgresqlHost", "postgresqlUsername", "postgresqlPassword", "postgresqlDatabase"),
        ...,
    ),
    "dagster-user-deployments": {
        "enabled": ...,
        "deployments": dict.fromkeys(
            (
                "name", "image", "port", "dagsterApiGrpcArgs", "codeServerArgs", "includeConfigInLaunchedRuns", "env",
                "envConfigMaps", "envSecrets", "resources", "podSecurityContext", "securityContext", "volumes",
                "volumeMounts", "labels", "annotations",
            ),
            ...,
        ),
    },
    "runLauncher": {
        "type": ...,
        "config": {
            "k8sRunLauncher": dict.fromkeys(
                (
                    "image", "imagePullPolicy", "jobNamespace", "envConfigMaps", "envSecrets", "envVars", "volumes",
                    "volumeMounts", "labels", "failPodOnRunFailure", "resources", "securityContext", "runK8sConfig",
                ),
                ...,
            )
        },
    },
    "concurrency": {
        "enabled": ...,
        "pools": dict.fromkeys(("defaultLimit", "granularity", "opGranularityRunBuffer"), ...),
        "runs": dict.fromkeys(("maxConcurrentRuns", "tagConcurrencyLimits"), ...),
    },
    "dagsterDaemon": {
        "runCoordinator": {"enabled": ..., "type": ..., "config": {"queuedRunCoordinator": {"maxConcurrentRuns": ...}}},
        "runMonitoring": dict.fromkeys(
            ("enabled", "startTimeoutSeconds", "cancelTimeoutSeconds", "maxResumeRunAttempts", "pollIntervalSeconds",
             "freeSlotsAfterRunEndSeconds", "maxRuntimeSeconds"),
            ...,
        ),
        "runRetries": dict.fromkeys(("enabled", "maxRetries", "retryOnAssetOrOpFailure"), ...),
    },
    "retention": {
        "enabled": ...,
        "schedule": {"purgeAfterDays": ...},
        "sensor": {"purgeAfterDays": dict.fromkeys(("skipped", "success", "failure", "started"), ...)},
    },
    "dagsterWebserver": {"service": {"type": ..., "port": ..., "annotations": ...}},
    "telemetry": {"enabled": ...},
}  # fmt: skip


def values() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DEPLOY / "helm-values.yaml").read_text())
    return loaded


def unknown_keys(given: Any, known: Any, path: str = "") -> list[str]:
    if known is ...:
        return []
    if isinstance(given, list):
        return [key for item in given for key in unknown_keys(item, known, path)]
    if not isinstance(given, dict):
        return [f"{path} is no mapping"]
    return [
        found
        for key, value in given.items()
        for found in (unknown_keys(value, known[key], f"{path}.{key}") if key in known else [f"{path}.{key}"])
    ]


def instance_settings(given: dict[str, Any]) -> dict[str, Any]:
    """The dagster.yaml that the chart's templates make of the values."""
    concurrency, daemon = given["concurrency"], given["dagsterDaemon"]
    limit = daemon.get("runCoordinator", {}).get("config", {}).get("queuedRunCoordinator", {}).get("maxConcurrentRuns")
    monitoring = {re.sub("([A-Z])", r"_\1", key).lower(): value for key, value in daemon["runMonitoring"].items()}
    server = given["postgresql"]
    return {
        "run_coordinator": {
            "module": "dagster.core.run_coordinator",
            "class": "QueuedRunCoordinator",
            "config": {"max_concurrent_runs": limit} if limit is not None else {},
        },
        "concurrency": {
            "pools": {
                "default_limit": concurrency["pools"]["defaultLimit"],
                "granularity": concurrency["pools"]["granularity"],
            },
            "runs": {"max_concurrent_runs": concurrency["runs"]["maxConcurrentRuns"]},
        },
        "run_monitoring": monitoring,
        "run_retries": {
            "enabled": daemon["runRetries"]["enabled"],
            "retry_on_asset_or_op_failure": daemon["runRetries"]["retryOnAssetOrOpFailure"],
        },
        "retention": {
            kind: {"purge_after_days": given["retention"][kind]["purgeAfterDays"]} for kind in ("schedule", "sensor")
        },
        "telemetry": given["telemetry"],
        "run_storage": {
            "module": "dagster_postgres.run_storage",
            "class": "PostgresRunStorage",
            "config": {
                "postgres_db": {
                    "username": server["postgresqlUsername"],
                    "password": {"env": "DAGSTER_PG_PASSWORD"},
                    "hostname": server["postgresqlHost"],
                    "db_name": server["postgresqlDatabase"],
                    "scheme": server["postgresqlScheme"],
                }
            },
        },
    }


def test_every_key_of_the_values_is_one_of_the_chart() -> None:
    assert unknown_keys(values(), CHART) == []
    assert unknown_keys({"concurrency": {"pool": 1}}, CHART) == [".concurrency.pool"]


def test_dagster_takes_the_settings_that_the_chart_makes_of_the_values(tmp_path: Path) -> None:
    """Dagster refuses to start where the run coordinator and `concurrency` both say how many runs go side by side."""
    given = values()
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump(instance_settings(given)))
    taken, _ = dagster_instance_config(str(tmp_path))
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "dagster.yaml").write_text(SETTINGS.replace("STORAGE", SQLITE))
    home, _ = dagster_instance_config(str(tmp_path / "home"))
    assert taken["concurrency"]["pools"] == home["concurrency"]["pools"]
    assert taken["run_retries"]["retry_on_asset_or_op_failure"] is False
    for setting in ("max_runtime_seconds", "free_slots_after_run_end_seconds"):
        assert taken["run_monitoring"][setting] == home["run_monitoring"][setting]

    given["dagsterDaemon"]["runCoordinator"] = {"config": {"queuedRunCoordinator": {"maxConcurrentRuns": 6}}}
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump(instance_settings(given)))
    with pytest.raises(DagsterInvalidConfigError, match="max_concurrent_runs"):
        dagster_instance_config(str(tmp_path))


def test_pods_mount_what_they_name_where_the_program_looks() -> None:
    (code,) = values()["dagster-user-deployments"]["deployments"]
    assert {mount["name"] for mount in code["volumeMounts"]} == {volume["name"] for volume in code["volumes"]}
    env = {entry["name"]: entry["value"] for entry in code["env"]}
    mounted = {mount["mountPath"]: mount for mount in code["volumeMounts"]}
    assert env["EXPOSURE_HOME"] in mounted
    assert mounted[env["EXPOSURE_CONNECTIONS"]]["readOnly"]
    assert mounted[f"{env['EXPOSURE_HOME']}/{ALERTS_FILE}"]["subPath"] == ALERTS_FILE
    launcher = values()["runLauncher"]["config"]["k8sRunLauncher"]
    assert launcher["envSecrets"] == code["envSecrets"], "a run reads the secrets that the code location reads"
    assert code["includeConfigInLaunchedRuns"] == {"enabled": True}
    assert "resources" not in code, "they would win over those of a run"
    assert launcher["resources"]["limits"]["memory"]


def test_compose_names_only_what_it_declares() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    services = compose["services"]
    database, ours = services["database"], services["exposure"]
    assert set(ours["depends_on"]) <= set(services)
    for service in services.values():
        for mount in service["volumes"]:
            source = mount.split(":")[0]
            assert source in compose["volumes"] or source == "./connections" or (DEPLOY / source).is_file(), source
    assert (DEPLOY / ours["build"]["context"] / ours["build"]["dockerfile"]).is_file()
    made = {database["environment"]["POSTGRES_DB"]}
    made |= set(re.findall(r"^CREATE DATABASE (\w+);$", (DEPLOY / "databases.sql").read_text(), re.MULTILINE))
    addresses = [urlsplit(ours["environment"][name]) for name in ("EXPOSURE_WAREHOUSE_URL", "DAGSTER_PG_URL")]
    # Dagster has a table `snapshots` as the warehouse has
    assert len({address.path for address in addresses}) == 2
    for address in addresses:
        assert address.path.strip("/") in made
        assert address.hostname in services
        assert address.username == database["environment"]["POSTGRES_USER"]
    home = next(mount.split(":")[1] for mount in ours["volumes"] if mount.startswith("home:"))
    assert f"EXPOSURE_HOME={home} " in (DEPLOY / "Dockerfile").read_text()
    assert f"{home}/connections" in {mount.split(":")[1] for mount in ours["volumes"]}


def test_the_image_installs_extras_that_exist_from_files_that_exist() -> None:
    image = (DEPLOY / "Dockerfile").read_text()
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (extras,) = re.findall(r"pip install [^']*'\.\[([\w,]+)\]'", image)
    assert set(extras.split(",")) <= set(declared["optional-dependencies"])
    for line in re.findall(r"^COPY (?!--from)(.+) \S+$", image, re.MULTILINE):
        for name in line.split():
            assert (ROOT / name).exists(), name
    versions = {
        name: [dep for dep in deps if dep.startswith("dagster")]
        for name, deps in declared["optional-dependencies"].items()
    }
    # the parts of one Dagster release are numbered 1.x and 0.(x+16)
    (dagster,) = [dep for dep in declared["dependencies"] if dep.startswith("dagster==")]
    _, minor, patch = dagster.removeprefix("dagster==").split(".")
    parts = {dep.split("==")[1] for deps in versions.values() for dep in deps}
    assert parts == {f"0.{int(minor) + 16}.{patch}"}
    chart = re.search(r"--version (\S+)", (DEPLOY / "helm-values.yaml").read_text())
    assert chart is not None
    assert chart.group(1) == dagster.removeprefix("dagster==")
