"""The real Dagster webserver and daemon on a home, driven over GraphQL as the web UI does."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

REPOSITORY = {"repositoryLocationName": "exposure_pipelines", "repositoryName": "__repository__"}
ROOT = Path(__file__).parents[2]
#: Longest that anything takes on the slowest machine; a test that fails waits so long, no other does.
PATIENCE_SECONDS = 600


class LiveDagster:
    """Context manager: webserver and daemon of a code location, in sessions of their own."""

    def __init__(self, home: Path, module: str) -> None:
        self.home = home
        self.workspace = home / "dagster" / "workspace.yaml"
        self.workspace.write_text(
            f"load_from:\n  - python_module: {{module_name: {module}, location_name: exposure_pipelines}}\n"
        )
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        try:
            self.start("dagster_webserver", "-h", "127.0.0.1", "-p", str(self.port), "-w", str(self.workspace))
            self.start("dagster._daemon", "run", "-w", str(self.workspace))
            self.until(self.loaded, "the code location did not load")
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, *arguments: str) -> None:
        environment = {
            **os.environ,
            "DAGSTER_HOME": str(self.home / "dagster"),
            "EXPOSURE_HOME": str(self.home),
            "DAGSTER_DISABLE_TELEMETRY": "1",
            "PYTHONPATH": str(ROOT),
        }
        log = self.home / f"{arguments[0]}.log"
        with log.open("wb") as output:
            self.processes.append(
                subprocess.Popen(
                    [sys.executable, "-m", *arguments],
                    env=environment,
                    cwd=ROOT,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            )

    def stop(self) -> None:
        for sign in (signal.SIGINT, signal.SIGKILL):
            for process in self.processes:
                if process.poll() is None:
                    os.killpg(process.pid, sign)
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline and any(process.poll() is None for process in self.processes):
                time.sleep(0.1)

    def logs(self) -> str:
        return "\n".join(log.read_text(errors="replace")[-3000:] for log in self.home.glob("*.log"))

    def until(self, done: Callable[[], Any], otherwise: str) -> Any:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if any(process.poll() is not None for process in self.processes):
                raise AssertionError(f"a Dagster process ended:\n{self.logs()}")
            found = done()
            if found:
                return found
            time.sleep(0.5)
        raise AssertionError(f"{otherwise} within {PATIENCE_SECONDS} s:\n{self.logs()}")

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/graphql",
            json.dumps({"query": query, "variables": variables}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=300) as answer:
            found: dict[str, Any] = json.load(answer)
        assert "errors" not in found, found["errors"]
        data: dict[str, Any] = found["data"]
        return data

    def loaded(self) -> bool:
        try:
            data = self.ask(
                "{ workspaceOrError { __typename ... on Workspace { locationEntries { loadStatus "
                "locationOrLoadError { __typename ... on PythonError { message } } } } } }"
            )
        except (urllib.error.URLError, ConnectionError):
            return False
        (entry,) = data["workspaceOrError"]["locationEntries"]
        assert entry["locationOrLoadError"] is None or entry["locationOrLoadError"]["__typename"] != "PythonError", (
            entry
        )
        return bool(entry["loadStatus"] == "LOADED")

    def daemons_healthy(self) -> bool:
        health = self.ask("{ instance { daemonHealth { allDaemonStatuses { daemonType required healthy } } } }")
        statuses = health["instance"]["daemonHealth"]["allDaemonStatuses"]
        return all(status["healthy"] for status in statuses if status["required"])

    def launch(self, job: str, day: str) -> str:
        launched = self.ask(
            "mutation($p: ExecutionParams!) { launchRun(executionParams: $p) { __typename "
            "... on LaunchRunSuccess { run { runId } } ... on PythonError { message } "
            "... on RunConfigValidationInvalid { errors { message } } } }",
            p={
                "selector": {**REPOSITORY, "pipelineName": job},
                "runConfigData": {},
                "mode": "default",
                "executionMetadata": {"tags": [{"key": "dagster/partition", "value": day}]},
            },
        )["launchRun"]
        assert launched["__typename"] == "LaunchRunSuccess", launched
        return str(launched["run"]["runId"])

    def run_status(self, run_id: str) -> str:
        query = "query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
        return str(self.ask(query, id=run_id)["runOrError"]["status"])

    def finish(self, run_id: str) -> str:
        ended = ("SUCCESS", "FAILURE", "CANCELED")
        return str(
            self.until(lambda: status if (status := self.run_status(run_id)) in ended else None, "the run did not end")
        )

    def backfill(self, assets: Sequence[Sequence[str]], days: Sequence[str]) -> str:
        """Launch a backfill and return how it ended."""
        launched = self.ask(
            "mutation($p: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $p) { __typename "
            "... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }",
            p={"assetSelection": [{"path": list(path)} for path in assets], "partitionNames": list(days), "tags": []},
        )["launchPartitionBackfill"]
        assert launched["__typename"] == "LaunchBackfillSuccess", launched
        query = (
            "query($id: String!) { partitionBackfillOrError(backfillId: $id) "
            "{ ... on PartitionBackfill { status error { message } } } }"
        )

        def ended() -> str | None:
            found = self.ask(query, id=launched["backfillId"])["partitionBackfillOrError"]
            assert not found.get("error"), found
            return str(found["status"]) if found["status"] not in ("REQUESTED", "CANCELING", "FAILING") else None

        return str(self.until(ended, "the backfill did not end"))

    def materialized(self, path: Sequence[str]) -> list[str]:
        query = (
            "query($k: AssetKeyInput!) { assetNodeOrError(assetKey: $k) { ... on AssetNode "
            "{ assetPartitionStatuses { ... on TimePartitionStatuses { ranges { status startKey endKey } } } } } }"
        )
        statuses = self.ask(query, k={"path": list(path)})["assetNodeOrError"]["assetPartitionStatuses"]
        return [f"{r['startKey']}..{r['endKey']}" for r in statuses["ranges"] if r["status"] == "MATERIALIZED"]

    def runs_of(self, step: str) -> list[str]:
        """Runs by now that had the step."""
        query = "{ runsOrError { ... on Runs { results { runId stepStats { stepKey } } } } }"
        found = self.ask(query)["runsOrError"]["results"]
        return [run["runId"] for run in found if step in {one["stepKey"] for one in run["stepStats"]}]

    def start_schedule(self, name: str) -> None:
        answer = self.ask(
            "mutation($s: ScheduleSelector!) { startSchedule(scheduleSelector: $s) { __typename "
            "... on PythonError { message } } }",
            s={**REPOSITORY, "scheduleName": name},
        )["startSchedule"]
        assert answer["__typename"] == "ScheduleStateResult", answer

    def runs_of_schedule(self, name: str) -> list[dict[str, Any]]:
        query = "query($f: RunsFilter!) { runsOrError(filter: $f) { ... on Runs { results { status tags { key value } } } } }"
        found: list[dict[str, Any]] = self.ask(query, f={"tags": [{"key": "dagster/schedule_name", "value": name}]})[
            "runsOrError"
        ]["results"]
        return found
