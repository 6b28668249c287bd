"""`exposure doctor`: what could keep the pipelines from running, and the fix for each."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from exposure_pipelines.cli.output import JSON_HELP, print_json, print_table
from exposure_pipelines.cli.troubles import first_line, trouble_of
from exposure_pipelines.errors import ConfigurationError, WorkFailed
from exposure_pipelines.home import Home

MINIMUM_FREE_BYTES = 2 * 1024**3


@dataclass(frozen=True, slots=True)
class Finding:
    check: str
    state: Literal["ok", "warning", "problem"]
    found: str
    fix: str = ""


def doctor(as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False) -> None:
    """Check Python, packages, home, disk, connections, secrets, alerts, lake, warehouse, Dagster and the snapshot's age.

    Example: `exposure doctor`
    """
    home = Home.from_env()
    findings = [finding for check in CHECKS for finding in found_by(check, home)]
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        print_table([asdict(f) for f in findings], ("check", "state", "found", "fix"), empty="Nothing to check.")
    problems = [finding for finding in findings if finding.state == "problem"]
    if problems:
        raise WorkFailed(f"{len(problems)} problem(s) found; the fix stands beside each.")


def found_by(check: Callable[[Home], Iterator[Finding]], home: Home) -> Iterator[Finding]:
    """What a check finds; one that cannot be made is a problem of its own and keeps no other from being made."""
    try:
        yield from check(home)
    except (ConfigurationError, WorkFailed) as error:
        yield Finding(check.__name__, "problem", str(error), "See the message.")
    except Exception as error:  # noqa: BLE001 - a broken home breaks in ways that nobody listed
        said = trouble_of(error) or f"cannot be checked: {type(error).__name__}: {first_line(error)}"[:300]
        yield Finding(check.__name__, "problem", said, "Repair or remove it.")


def python_version(home: Home) -> Iterator[Finding]:
    yield Finding("python", "ok", platform.python_version())


def packages(home: Home) -> Iterator[Finding]:
    """Every dagster package must be of one version: a mixed set fails in odd places."""
    installed = {name: version(name) for name in ("dagster", "dagster-webserver", "dagster-graphql", "dagster-shared")}
    missing = [name for name, found in installed.items() if found is None]
    dagster = importlib.metadata.version("dagster")
    if missing:
        yield Finding("packages", "problem", f"missing: {', '.join(missing)}", "pip install -e . again.")
    odd = {name: found for name, found in installed.items() if found not in (None, dagster)}
    odd.pop("dagster-shared", None)
    if odd:
        mixed = ", ".join(f"{name} {found}" for name, found in odd.items())
        yield Finding("packages", "problem", f"dagster {dagster} beside {mixed}", "pip install -e . again.")
    if not missing and not odd:
        yield Finding("packages", "ok", f"dagster {dagster}, duckdb {importlib.metadata.version('duckdb')}")


def version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def home_folder(home: Home) -> Iterator[Finding]:
    root = home.root
    if not root.exists():
        yield Finding("home", "ok", f"{root} (made on first use)")
        return
    if not root.is_dir():
        yield Finding("home", "problem", f"{root} is not a folder", "Point EXPOSURE_HOME at a folder.")
        return
    if not os.access(root, os.W_OK | os.X_OK):
        yield Finding(
            "home", "problem", f"{root} cannot be written", "Give yourself write access or set EXPOSURE_HOME."
        )
        return
    for folder in (home.dagster, home.connections, home.lake, home.snapshots, home.scratch):
        if folder.exists() and not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
            yield Finding("home", "problem", f"{folder} cannot be written", "Give yourself write access to it.")
    mode = root.stat().st_mode & 0o777
    if mode & 0o077:
        yield Finding("home", "warning", f"{root} is readable by others ({mode:o})", f"chmod 700 {root}")
    else:
        yield Finding("home", "ok", str(root))


def disk(home: Home) -> Iterator[Finding]:
    folder = home.root
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    state: Literal["ok", "problem"] = "ok" if free >= MINIMUM_FREE_BYTES else "problem"
    yield Finding(
        "disk",
        state,
        f"{free / 1024**3:.1f} GB free",
        "" if state == "ok" else "Free some space: syncs land nothing on a full disk.",
    )


def connections(home: Home) -> Iterator[Finding]:
    from exposure_pipelines.cli.demo_home import OWN_HOME, SERVED, demo_instances
    from exposure_pipelines.connections import load_connections

    loaded = load_connections(home)
    for broken in loaded.broken:
        yield Finding("connections", "problem", str(broken.file), "; ".join(broken.errors))
    if not loaded.valid and not loaded.broken:
        yield Finding("connections", "warning", "none configured", "exposure connectors add PRODUCT, or exposure demo.")
    elif loaded.valid:
        yield Finding("connections", "ok", f"{len(loaded.valid)} valid: " + ", ".join(c.instance for c in loaded.valid))
    of_demo = demo_instances(home, (connection.instance for connection in loaded.valid))
    if of_demo:
        yield Finding("connections", "warning", f"{len(of_demo)} of the demo: {SERVED}", f"exposure demo. {OWN_HOME}")
    for connection in loaded.valid:
        if connection.instance in of_demo:
            continue  # their secrets are in the environment of that process alone
        for name, reference in connection.credentials.items():
            missing = reference.missing()
            if missing:
                yield Finding(
                    "secrets", "problem", f"{connection.instance}: {name}: {missing}", "Set it before the sync runs."
                )


def decisions(home: Home) -> Iterator[Finding]:
    """A file that cannot be applied fails every build, also those of the night."""
    from dbt_like_transforms.resolution.decisions.manual import DecisionError, check_consistent, load_decisions

    file = home.root / "decisions.yaml"
    try:
        told = load_decisions(file)
        check_consistent(told.decisions)
    except DecisionError as error:
        yield Finding("decisions", "problem", str(error), f"Correct {file}: no date is built until then.")
    else:
        yield Finding("decisions", "ok", f"{len(told.decisions)} decisions, {len(told.allow)} allowed values")


def alerts(home: Home) -> Iterator[Finding]:
    """A file that cannot be read, or names a secret that is not there, is else found on the night that somebody is needed."""
    from exposure_pipelines.alerts import ALERTS_FILE, load_alerts

    if not (home.root / ALERTS_FILE).exists():
        yield Finding("alerts", "ok", f"nobody is told of failures ({ALERTS_FILE} says whom)")
        return
    told = load_alerts(home.root)
    ways = [name for name, way in (("webhook", told.webhook), ("email", told.email)) if way]
    secrets = {"webhook.url": told.webhook and told.webhook.url, "email.password": told.email and told.email.password}
    missing = {name: said for name, secret in secrets.items() if secret and (said := secret.missing())}
    for name, said in missing.items():
        yield Finding("alerts", "problem", f"{ALERTS_FILE}: {name}: {said}", "Set it where exposure up runs.")
    if not ways:
        yield Finding("alerts", "warning", f"{ALERTS_FILE} names nobody", "Name a webhook or e-mail recipients in it.")
    elif not missing:
        yield Finding("alerts", "ok", f"failures are told by {' and '.join(ways)}")


def lake(home: Home) -> Iterator[Finding]:
    """Whether the lake can be listed; a local one is made on first use."""
    from exposure_pipelines.lake import Lake

    if not os.environ.get("EXPOSURE_LAKE_URL"):
        yield Finding("lake", "ok", "in the home")
        return
    store = Lake.of(home)
    try:
        if store.filesystem.exists(store.root):
            store.filesystem.ls(store.root)
        else:
            store.filesystem.ls(os.path.dirname(store.root))
    except FileNotFoundError:
        yield Finding("lake", "problem", f"{store.root} is not there", "Make the bucket or correct EXPOSURE_LAKE_URL.")
    except Exception as error:  # noqa: BLE001 - every store has errors of its own
        said = f"{store.root} does not answer: {type(error).__name__}"
        yield Finding("lake", "problem", said, "Check EXPOSURE_LAKE_URL, the network and the credentials of the store.")
    else:
        yield Finding("lake", "ok", store.root)


def warehouse(home: Home) -> Iterator[Finding]:
    """Whether the database of the tables answers. A SQLite file that is not there is made by the first build."""
    from exposure_pipelines.publish.warehouse import open_warehouse, require_own, shown

    if home.warehouse_url.startswith("sqlite:///") and not Path(home.warehouse_url.removeprefix("sqlite:///")).exists():
        yield Finding("warehouse", "ok", "not made yet (exposure build makes it)")
        return
    try:
        engine = open_warehouse(home.warehouse_url)
    except ConfigurationError as error:
        yield Finding("warehouse", "problem", str(error), "Start the server or correct EXPOSURE_WAREHOUSE_URL.")
        return
    try:
        require_own(engine)
        yield Finding("warehouse", "ok", f"{shown(engine)} answers")
    except ConfigurationError as error:
        yield Finding("warehouse", "problem", str(error), "Make a database for the tables alone.")
    finally:
        engine.dispose()


def freed_places(home: Home) -> Iterator[Finding]:
    """Homes of earlier releases: Dagster never frees the place of a killed run unless it is told when to."""
    import yaml

    settings = yaml.safe_load((home.dagster / "dagster.yaml").read_text(encoding="utf-8")) or {}
    if not (settings.get("run_monitoring") or {}).get("free_slots_after_run_end_seconds"):
        yield Finding(
            "dagster",
            "warning",
            "a run whose process is killed blocks its instance for good",
            "Add free_slots_after_run_end_seconds: 30 to run_monitoring in dagster.yaml, then restart exposure up.",
        )


def dagster_instance(home: Home) -> Iterator[Finding]:
    if not (home.dagster / "dagster.yaml").exists():
        yield Finding("dagster", "ok", "not started yet (exposure up makes its folder)")
        return
    from exposure_pipelines.cli.overview import daemon_states

    yield from freed_places(home)
    states = daemon_states(home)
    sick = [name for name, healthy in states.items() if not healthy]
    if not states or len(sick) == len(states):
        yield Finding("dagster", "warning", "no daemon runs: schedules and backfills wait", "exposure up")
    elif sick:
        yield Finding("dagster", "problem", f"unhealthy: {', '.join(sick)}", "Restart exposure up and read its log.")
    else:
        yield Finding("dagster", "ok", f"{len(states)} daemons healthy")


def snapshot(home: Home) -> Iterator[Finding]:
    from exposure_pipelines.publish.age import age_hours, limit_hours
    from exposure_pipelines.publish.snapshot import current_snapshot

    current = current_snapshot(home)
    if current is None:
        yield Finding("snapshot", "warning", "nothing published yet", "exposure sync && exposure build")
        return
    hours = age_hours(current.snapshot_date, current.published_at)
    state: Literal["ok", "warning"] = "ok" if hours <= limit_hours() else "warning"
    yield Finding(
        "snapshot", state, f"{current.snapshot_date}, {hours:.0f} h old", "" if state == "ok" else "exposure build"
    )


CHECKS: tuple[Callable[[Home], Iterator[Finding]], ...] = (
    python_version,
    packages,
    home_folder,
    disk,
    connections,
    decisions,
    alerts,
    lake,
    warehouse,
    dagster_instance,
    snapshot,
)
