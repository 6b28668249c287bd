"""What a team needs beside one person's home: servers, readers, an image."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa
import yaml

from exposure_pipelines.dagster_home import POSTGRES_URL, prepare_dagster_home
from exposure_pipelines.errors import ConfigurationError
from tests.dagster.conftest import Site, new_databases, site  # noqa: F401
from tests.publish.conftest import postgres  # noqa: F401

ROOT = Path(__file__).parent.parent.parent
DEPLOY = ROOT / "deploy"


@pytest.fixture
def team(site: Site, postgres: str) -> Site:  # noqa: F811
    """A home whose Dagster and warehouse are on a server, each in a database of its own."""
    engine = sa.create_engine(postgres.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for name in ("dagster", "warehouse"):
            connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    server = postgres.rpartition("/")[0]
    site.monkeypatch.setenv(POSTGRES_URL, f"{server}/dagster")
    site.monkeypatch.setenv("EXPOSURE_WAREHOUSE_URL", f"{server}/warehouse")
    # the databases of a home without a server
    shutil.rmtree(site.home.dagster)
    site.home = type(site.home).from_env().ensure()
    return site


@pytest.mark.live
def test_runs_partitions_and_tables_live_on_the_server(team: Site) -> None:
    assert team.sync("alpha_main").success
    result = team.build()
    assert result.success, result.failures
    written = (team.home.dagster / "dagster.yaml").read_text()
    assert "env: DAGSTER_PG_URL" in written
    assert "127.0.0.1" not in written, "the address stays in the environment"
    assert not list(team.home.dagster.rglob("*.db")), "no SQLite file is written"
    with dg.DagsterInstance.get() as instance:
        assert "PostgresEventLogStorage" in type(instance.event_log_storage).__name__
        assert len(instance.get_runs()) == 2
        landed = dg.AssetKey(["landed", "alpha", "alpha_main", "hosts"])
        assert len(instance.get_materialized_partitions(landed)) == 1


@pytest.mark.live
def test_the_reader_reads_every_table_also_later_ones_and_changes_none(team: Site, postgres: str) -> None:  # noqa: F811
    assert team.sync("alpha_main").success
    assert team.build().success
    owner = team.home.warehouse_url
    statements = (DEPLOY / "readers.sql").read_text().replace(':"reader"', '"analyst"')
    with opened(owner).begin() as connection:
        connection.exec_driver_sql("DROP ROLE IF EXISTS analyst")
        connection.exec_driver_sql(statements)
    assert team.build().success
    with opened(owner).begin() as connection:
        connection.exec_driver_sql("CREATE TABLE later (n integer)")
    reader = opened(owner.replace("exposure@", "analyst@"))
    with reader.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM hosts").scalar_one() == 3
        assert connection.exec_driver_sql("SELECT count(*) FROM later").scalar_one() == 0
    for statement in (
        "DELETE FROM hosts",
        "SET default_transaction_read_only = off; DELETE FROM hosts",
        "DROP TABLE hosts",
    ):
        with reader.connect() as connection, pytest.raises(sa.exc.DBAPIError, match=r"read-only|permission|owner"):
            connection.exec_driver_sql(statement)
    reader.dispose()
    with opened(owner).begin() as connection:
        connection.exec_driver_sql("DROP OWNED BY analyst")
        connection.exec_driver_sql("DROP ROLE analyst")


@pytest.mark.live
def test_dagster_and_the_warehouse_in_one_database_are_told_apart(team: Site) -> None:
    """Both have a table `snapshots`; a build would fail in the middle with words that help nobody."""
    from exposure_pipelines.cli.doctor import warehouse

    assert team.sync("alpha_main").success
    team.monkeypatch.setenv("EXPOSURE_WAREHOUSE_URL", os.environ[POSTGRES_URL].replace("+psycopg2", ""))
    result = team.build()
    assert not result.success
    assert any("Dagster has one of that name" in failure for failure in result.failures), result.failures
    (finding,) = warehouse(type(team.home).from_env())
    assert finding.state == "problem"


def opened(url: str) -> sa.Engine:
    from exposure_pipelines.publish.warehouse import open_warehouse

    return open_warehouse(url)


def test_a_server_without_its_driver_is_said_with_the_fix(site: Site) -> None:  # noqa: F811
    import importlib.util

    found = importlib.util.find_spec
    site.monkeypatch.setenv(POSTGRES_URL, "postgresql://user:pa55word@db/dagster")
    site.monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "dagster_postgres" else found(name, *rest)
    )
    with pytest.raises(ConfigurationError, match=r"\[postgres\]") as raised:
        prepare_dagster_home(site.home)
    assert "pa55word" not in str(raised.value)


def documents() -> dict[str, Any]:
    return {path.name: yaml.safe_load(path.read_text()) for path in DEPLOY.glob("*.yaml")}


def test_names_of_ours_in_the_manifests_exist() -> None:
    """Environment variables, module, image user and port are the program's own."""
    read = "".join(path.read_text() for path in (ROOT / "exposure_pipelines").rglob("*.py"))
    told = "".join(path.read_text() for path in DEPLOY.iterdir())
    names = set(re.findall(r"\b(?:EXPOSURE|DAGSTER)_[A-Z_]+\b", told)) - {"DAGSTER_DISABLE_TELEMETRY"}
    assert names <= set(re.findall(r"\b(?:EXPOSURE|DAGSTER)_[A-Z_]+\b", read)), names
    values = documents()["helm-values.yaml"]
    (code,) = values["dagster-user-deployments"]["deployments"]
    assert code["dagsterApiGrpcArgs"] == ["--module-name", "exposure_pipelines.definitions"]
    image = (DEPLOY / "Dockerfile").read_text()
    assert f"--uid {code['podSecurityContext']['runAsUser']}" in image
    assert documents()["compose.yaml"]["services"]["exposure"]["ports"] == ["127.0.0.1:3000:3000"]


def test_the_image_holds_every_package_and_no_secret() -> None:
    image = (DEPLOY / "Dockerfile").read_text()
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}
    assert packages <= set(re.findall(r"^COPY (\w+) \w+$", image, re.MULTILINE))
    assert not re.search(r"(?i)password|secret_?key|token", image.replace("No secret", ""))


def test_the_command_of_the_image_is_one_that_exists() -> None:
    (command,) = re.findall(r"^CMD (\[.*\])$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    words = yaml.safe_load(command)
    assert words[0] == "exposure"
    called = [sys.executable, "-m", "exposure_pipelines.cli.main", words[1], "--help"]
    said = subprocess.run(called, capture_output=True, text=True, timeout=300)
    assert said.returncode == 0
    assert all(word in said.stdout for word in words if word.startswith("--"))
