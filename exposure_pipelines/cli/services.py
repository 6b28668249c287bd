"""The long-running processes of a home: Dagster's webserver and daemon, started and stopped together."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

from exposure_pipelines.cli.output import say
from exposure_pipelines.dagster_home import CODE_LOCATION, CODE_MODULE
from exposure_pipelines.errors import ConfigurationError, WorkFailed

if TYPE_CHECKING:
    from exposure_pipelines.home import Home

LOOPBACK = "127.0.0.1"
EVERYWHERE = ("0.0.0.0", "::")
START_SECONDS = 180
#: File whose lock says that a webserver and a daemon are at work on a home, and its text where.
CLAIM = "services.lock"
STOP_SECONDS = 20

WORKSPACE = f"""\
load_from:
  - python_module:
      module_name: {CODE_MODULE}
      location_name: {CODE_LOCATION}
"""


class DagsterServices:
    """Webserver and daemon on one home; a context manager that never leaves a process behind.

    Raises ConfigurationError when the port is taken or the home is served already, WorkFailed when a process ends by itself
    (with its last lines).
    """

    def __init__(self, home: Home, port: int, host: str = LOOPBACK) -> None:
        self.home = home
        self.host = host
        self.port = port or free_port()
        # who listens everywhere is asked on this machine
        asked = LOOPBACK if host in EVERYWHERE else f"[{host}]" if ":" in host else host
        self.address = f"http://{asked}:{self.port}"
        self.logs = home.dagster / "service_logs"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.claim: TextIO | None = None

    def __enter__(self) -> Self:
        import dagster as dg

        from exposure_pipelines.dagster_home import (
            forget_future_ticks,
            prepare_dagster_home,
            quiet_dagster,
            release_dead_runs,
        )

        # a shell that starts a command in the background makes it ignore Ctrl-C, and Dagster's processes would inherit that
        signal.signal(signal.SIGINT, signal.default_int_handler)
        require_port(self.port, self.host)
        self.home.require_writable()
        prepare_dagster_home(self.home)
        self.claim = claim_services(self.home)
        with quiet_dagster(), dg.DagsterInstance.get() as instance:
            release_dead_runs(instance, launched=True)
            forget_future_ticks(instance)
        self.logs.mkdir(parents=True, exist_ok=True)
        workspace = self.home.dagster / "workspace.yaml"
        workspace.write_text(WORKSPACE, encoding="utf-8")
        try:
            self.start("webserver", "dagster_webserver", "-h", self.host, "-p", str(self.port), "-w", str(workspace))
            self.start("daemon", "dagster._daemon", "run", "-w", str(workspace))
            note_down(
                self.claim, self.address, {"exposure": os.getpid()} | {n: p.pid for n, p in self.processes.items()}
            )
            self.wait_until_answering()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, name: str, module: str, *arguments: str) -> None:
        # A session of its own: Ctrl-C reaches this command alone, which then stops its children in order.
        environment = {
            **os.environ,
            "DAGSTER_HOME": str(self.home.dagster.resolve()),
            "EXPOSURE_HOME": str(self.home.root.resolve()),
            "DAGSTER_DISABLE_TELEMETRY": "1",
        }
        with (self.logs / f"{name}.log").open("wb") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                # they keep the claim when this command alone is killed
                pass_fds=[self.claim.fileno()] if self.claim else (),
            )

    def wait_until_answering(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            self.require_running()
            try:
                with urllib.request.urlopen(f"{self.address}/server_info", timeout=5):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.5)
        raise WorkFailed(f"The Dagster web UI did not answer within {START_SECONDS} s; see {self.logs}/webserver.log.")

    def require_running(self) -> None:
        for name, process in self.processes.items():
            if process.poll() is not None:
                raise WorkFailed(
                    f"Dagster's {name} ended with exit code {process.returncode}. Last lines of its log:\n"
                    + last_lines(self.logs / f"{name}.log")
                )

    def announce(self) -> None:
        say(f"Dagster   {self.address}   (assets, runs, schedules, backfills)")
        say(f"Logs      {self.logs}")
        if self.host not in (LOOPBACK, "localhost"):
            say(
                f"Listening on {self.host}: the page has no sign-in, whoever reaches it can start runs. Put a proxy before it."
            )
        say("A schedule is off until you switch it on under Automation. Ctrl-C stops everything.")

    def wait(self) -> None:
        """Stay until Ctrl-C or SIGTERM; raise WorkFailed when a process ends by itself."""
        signal.signal(signal.SIGTERM, interrupted)
        try:
            while True:
                self.require_running()
                time.sleep(1)
        except KeyboardInterrupt:
            say("Stopping ...")

    def stop(self) -> None:
        """End every process of both groups, code servers included: politely first, by force after a while."""
        for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            running = [process for process in self.processes.values() if group_is_alive(process)]
            for process in running:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, sign)
            deadline = time.monotonic() + STOP_SECONDS
            while time.monotonic() < deadline and any(group_is_alive(process) for process in running):
                time.sleep(0.1)
        self.processes.clear()
        if self.claim:
            self.claim.close()


def claim_services(home: Home) -> TextIO:
    """Hold the home's services. Two daemons on one home would start every scheduled run twice.

    The operating system drops the claim with the last process that holds it. Raises ConfigurationError when it is held.
    """
    claim = (home.dagster / CLAIM).open("a+", encoding="utf-8")
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        claim.seek(0)
        told = claim.read().strip() or "by another process"
        claim.close()
        raise ConfigurationError(
            f"{home.root} is served already: {told}. Look there, or stop it first (Ctrl-C where it runs); "
            "EXPOSURE_HOME names another home."
        ) from None
    except OSError:
        pass  # a file system without locks: nobody can tell, and nobody is kept out
    return claim


def require_unserved(home: Home) -> None:
    """Raises ConfigurationError while a webserver and a daemon are at work on the home."""
    if (home.dagster / CLAIM).exists():
        claim_services(home).close()


def note_down(claim: TextIO, address: str, processes: dict[str, int]) -> None:
    claim.truncate(0)
    claim.write(f"{address}, processes {', '.join(f'{name} {pid}' for name, pid in processes.items())}")
    claim.flush()


def group_is_alive(process: subprocess.Popen[bytes]) -> bool:
    """Whether the process or one that it started is still there."""
    process.poll()  # a child that ended is in its group until it is waited for
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return False
    return True


def interrupted(signum: int, frame: object) -> None:
    raise KeyboardInterrupt


def last_lines(log: Path, count: int = 15) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-count:])


def require_port(port: int, host: str = LOOPBACK) -> None:
    """Raises ConfigurationError when nobody may listen there, and says which of port and host is to change."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            match error.errno:
                case errno.EADDRINUSE:
                    said = f"Port {port} is taken; choose another with --port."
                case errno.EACCES:
                    said = f"Port {port} is not for you to open; choose one from 1024 on with --port."
                case _:
                    said = f"{host} is no address of this machine ({error.strerror}); choose another with --host."
            raise ConfigurationError(said) from None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
